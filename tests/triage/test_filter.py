from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.errors import BadInputError
from syncerr_tui.model import EventType
from syncerr_tui.text import clean
from syncerr_tui.triage.filter import parse
from tests.factories import NOW, sync_error

ORDER = sync_error(1, event_type=EventType.UPDATE, salesforce_id="8015g00000AbCdEAAV")
ITEM = sync_error(2, object=clean("OrderItem"), code="INVALID_FIELD", processed_at=NOW - timedelta(days=3))
PAYMENT = sync_error(
    3,
    object=clean("s_c__Payment__c"),
    code=None,
    message=clean("We can't save this record because the “Fraud Check” process failed."),
    processed_at=NOW - timedelta(minutes=20),
)
ROWS = {"order": ORDER, "item": ITEM, "payment": PAYMENT}


def matching(text: str, *, typing: bool = False) -> set[str]:
    chosen = parse(text, typing=typing)
    return {name for name, row in ROWS.items() if chosen.matches(row, NOW)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"order", "item", "payment"}),
        ("fraud", {"payment"}),
        ("FRAUD save", {"payment"}),
        ('"fraud check"', {"payment"}),
        ('"check fraud"', set()),
        ("object:Order", {"order"}),
        ("object:order", {"order"}),
        ("object:order*", {"order", "item"}),
        ("object:order,orderitem", {"order", "item"}),
        ("object:payment", {"payment"}),
        ("object:s_c__Payment__c", {"payment"}),
        ("-object:Order", {"item", "payment"}),
        ("code:INVALID_FIELD", {"item"}),
        ("code:invalid", set()),
        ("code:inv*", {"item"}),
        ("code:none", {"payment"}),
        ("-code:none", {"order", "item"}),
        ("event:update", {"order"}),
        ("event:Create", {"item", "payment"}),
        ("age:>2d", {"item"}),
        ("age:<30m", {"payment"}),
        ("age:>=1h age:<2d", {"order"}),
        ("age:2d", {"item"}),
        ("sf:8015g", {"order"}),
        ("sf:none", {"item", "payment"}),
        (f"sc:{ITEM.storeconnect_id[:8]}", {"item"}),
        (f"id:{PAYMENT.id}", {"payment"}),
        ("message:missing -object:orderitem", {"order"}),
        ('message:"fields are"', {"order", "item"}),
        ("obj:order", {"order"}),
        ('-"fields are"', {"payment"}),
        ("/fraud.check/", {"payment"}),
        ("/^CREATE$/", {"item", "payment"}),
        ("-/fields are|FRAUD/", set()),
        ("message:/^we can.t/", {"payment"}),
        ("object:/^order/ -object:order", {"item"}),
        ("code:/field$/", {"item"}),
        ("code:/^$/", {"payment"}),
        (r"/\(|“fraud/", {"payment"}),
        ("/fraud/check/", set()),
        ("day:20*", {"order", "item", "payment"}),
        ("day:none", set()),
    ],
)
def test_a_filter_shows_what_it_says(text: str, expected: set[str]) -> None:
    assert matching(text) == expected


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("colour:red", "colour:"),
        ("event:foo", "Event types are Create, Update, Delete, Other."),
        ("event:upd", "No event type is called 'upd'"),
        ("cod:INVALID_FIELD", "Did you mean code:?"),
        ("age:soon", "age"),
        ("age:>2", "age"),
        ("object:", "object:"),
        ('"open', "quote"),
        ("-", "-"),
        ("/(/", "The pattern /(/ cannot be read"),
        (r"/(?=look)ahead/", "cannot be read"),
        (r"/(a)\1/", "cannot be read"),
        ("/services/data", 'quote the text: "/services/data"'),
        ("//", "nothing in it"),
        ("age:/2d/", "age: takes no pattern"),
        (f"/{'x' * 600}/", "more than 500 characters"),
        ("/\ud800/", "half a character"),
        ("day:soon", "cannot read the day 'soon'"),
        ("saved:night", "No saved filter is called 'night'. None is saved yet."),
    ],
)
def test_what_cannot_be_read_is_named_and_matches_nothing_by_accident(text: str, refusal: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse(text)
    assert refusal in caught.value.line
    assert caught.value.exit_code == 2


def test_while_typing_a_name_may_be_unfinished() -> None:
    assert matching("object:ord", typing=True) == {"order", "item"}
    assert matching("object:ord") == set()
    # A blank ends the term: from here on the name is what was written.
    assert matching("object:order ", typing=True) == {"order"}


@pytest.mark.parametrize(
    "text",
    [
        "-",
        "object:",
        '"too ma',
        "age:>",
        "age:>2",
        'message:"fie',
        "/",
        "/(fl",
        "message:/[a",
        "saved:ni",
        "/fl\\",
    ],
)
def test_while_typing_nothing_is_an_error_yet(text: str) -> None:
    parse(text, typing=True)


def test_only_the_last_word_is_a_beginning_and_the_filter_says_so() -> None:
    assert parse("object:Ord", typing=True).shown == "object:Ord*"
    assert parse("object:Ord").shown == "object:Ord"
    assert parse("object:Ord boots", typing=True).shown == "object:Ord boots"
    assert matching("object:Ord age:>0s", typing=True) == set()


def test_a_code_that_nothing_can_have_is_refused_with_what_exists() -> None:
    listed = {"DUPLICATES_DETECTED", "CUSTOM_OF_THIS_ORG"}
    with pytest.raises(BadInputError, match=r"'DUP'") as caught:
        parse("code:DUP", codes=lambda: listed)
    assert "DUPLICATES_DETECTED" in caught.value.line
    for readable in (
        "code:DUP*",
        "code:custom_of_this_org",
        "code:UNABLE_TO_LOCK_ROW",
        "code:none",
        "code:X,none",
    ):
        parse(readable, codes=lambda: listed)
    parse("code:DUP", typing=True, codes=lambda: listed)


def test_a_cause_that_does_not_exist_is_refused() -> None:
    causes = {"a": {ORDER.id, ITEM.id}}
    chosen = parse("cause:a", cause_of=causes.get)
    assert [chosen.matches(row, NOW) for row in ROWS.values()] == [True, True, False]
    with pytest.raises(BadInputError, match=r"no cause 'b'"):
        parse("cause:b", cause_of=causes.get)
    parse("cause:b", typing=True, cause_of=causes.get)


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_a_plain_refusal(text: str) -> None:
    for typing in (False, True):
        with contextlib.suppress(BadInputError):
            parse(text, typing=typing).matches(ORDER, NOW)


@given(st.sampled_from(["object:Order", "fraud", "code:none", "age:>2d", '"fields are"', "event:update"]))
def test_negation_shows_exactly_the_others(term: str) -> None:
    assert matching(term) | matching(f"-{term}") == set(ROWS)
    assert not matching(term) & matching(f"-{term}")


def test_a_pattern_that_is_being_typed_filters_already() -> None:
    assert matching("/fraud.ch", typing=True) == {"payment"}
    assert matching("message:/fields are|fra", typing=True) == set(ROWS)
    assert parse("/fraud", typing=True).shown == "/fraud"


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*$", "(.*)*b", "(a*)*(a*)*(a*)*(a*)*b", "a{1,99}a{1,99}b"]
)
def test_no_pattern_can_make_anybody_wait(pattern: str) -> None:
    hostile = sync_error(9, message=clean("a" * 30_000 + "!"))
    only, before = parse(f"/{pattern}/"), time.process_time()
    for _ in range(20):
        only.matches(hostile, NOW)
    assert time.process_time() - before < 3


@pytest.mark.parametrize(
    "pattern", ["((a{30}){30}){30}", "(" * 240, "x*" * 240, "[" * 490, ".{999}.{999}.{999}"]
)
def test_no_pattern_is_too_large_to_read_or_refuse(pattern: str) -> None:
    before = time.process_time()
    with contextlib.suppress(BadInputError):
        parse(f"/{pattern}/").matches(ORDER, NOW)
    assert time.process_time() - before < 3


_SAVED = {
    "Night": "object:Order age:>1h",
    "money": "object:payment",
    "both": "saved:night fraud",
    "loop": "saved:loop",
}


def test_a_saved_filter_is_a_term_like_any_other() -> None:
    def rows(text: str) -> set[str]:
        chosen = parse(text, saved=lambda: _SAVED)
        return {name for name, row in ROWS.items() if chosen.matches(row, NOW)}

    assert rows("saved:night") == rows(_SAVED["Night"]) == {"order"}
    assert rows("-saved:money") == {"order", "item"}
    assert rows("saved:both") == set()
    assert parse("saved:x", saved=lambda: {"x": "cause:a"}).by_cause
    with pytest.raises(BadInputError, match="The saved filter loop: No saved filter is called 'loop'"):
        parse("saved:loop", saved=lambda: _SAVED)
    with pytest.raises(BadInputError, match="is called 'nigh'") as caught:
        parse("saved:nigh", saved=lambda: _SAVED)
    assert "Saved are Night, money, both, loop." in caught.value.line


@given(st.text(alphabet='ab(|)*+?.[]^$\\{}1,/ "-:', max_size=40))
def test_whatever_stands_between_slashes_is_a_pattern_or_a_plain_refusal(text: str) -> None:
    for typing in (False, True):
        with contextlib.suppress(BadInputError):
            parse(f"/{text}/", typing=typing).matches(ORDER, NOW)
            parse(f"message:/{text}", typing=typing).matches(ORDER, NOW)


def test_a_day_begins_where_the_person_is(in_zone: Callable[[str], None]) -> None:
    late = sync_error(7, processed_at=datetime(2026, 11, 27, 23, 30, tzinfo=UTC))
    assert parse("day:2026-11-27").matches(late, NOW)
    assert parse("day:none,2026-11-27").matches(sync_error(8, processed_at=None), NOW)
    assert parse("day:2026-11-2", typing=True).matches(late, NOW)
    in_zone("EET-2")
    assert parse("day:2026-11-28").matches(late, NOW)
    assert not parse("day:2026-11-27").matches(late, NOW)
