"""Filters that were applied, and how the one that is being typed can go on."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.errors import BadInputError
from syncerr_tui.triage.filter import FIELDS
from syncerr_tui.triage.terms import FilterHistory, completions, history_of

VALUES = {
    "code": ["DUPLICATE_VALUE", "DUPLICATES_DETECTED", "UNABLE_TO_LOCK_ROW"],
    "object": ["Order", "OrderItem", "My Thing", 'odd"one'],
    "saved": ["late orders", "night"],
    "day": ["2026-11-27"],
}


def test_each_filter_is_kept_once_and_the_latest_last() -> None:
    history = FilterHistory().used("list", "a").used("list", " b ").used("list", "a").used("list", "  ")
    assert history.of("list") == ("b", "a")
    assert history.of("journal") == ()
    assert len(FilterHistory().used("list", "x" * 5000).of("list")) == 0


def test_it_does_not_grow_without_end() -> None:
    history = FilterHistory()
    for number in range(150):
        history = history.used("list", str(number))
    assert history.of("list") == tuple(map(str, range(50, 150)))


def test_another_terminals_filters_stand_before_ones_own() -> None:
    mine = FilterHistory().used("list", "b").used("list", "c")
    theirs = FilterHistory().used("list", "a").used("list", "b").used("journal", "j")
    both = mine.after(theirs)
    assert both.of("list") == ("a", "b", "c")
    assert both.of("journal") == ("j",)


@given(st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=9), max_size=5), max_size=3))
def test_what_is_kept_is_read_again(kept: dict[str, list[str]]) -> None:
    history = FilterHistory()
    for kind, texts in kept.items():
        for text in texts:
            history = history.used(kind, text)
    assert history_of(history.as_text()).filters == history.filters


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 2, "filters": {}}', '{"version": 1, "filters": {"a": [1]}}', "[" * 9999],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="history of filters"):
        history_of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("boots ", []),
        ("obj", ["object:"]),
        ("age:>2d -co", ["age:>2d -code:"]),
        ("code:dup", ["code:DUPLICATE_VALUE", "code:DUPLICATES_DETECTED"]),
        ("-code:una", ["-code:UNABLE_TO_LOCK_ROW"]),
        ("code:UNABLE_TO_LOCK_ROW", []),
        ("object:Order", ["object:OrderItem"]),
        ("object:my", ['object:"My Thing"']),
        ('object:"My', ['object:"My Thing"']),
        ("code:none,dup", ["code:none,DUPLICATE_VALUE", "code:none,DUPLICATES_DETECTED"]),
        ("saved:", ['saved:"late orders"', "saved:night"]),
        ("day:2026", ["day:2026-11-27"]),
        ("cause:x", []),
        ("zzz", []),
    ],
)
def test_the_last_word_goes_on_in_each_way_there_is(text: str, expected: list[str]) -> None:
    assert completions(text, FIELDS, VALUES) == expected


@given(st.text(max_size=30))
def test_a_completion_keeps_what_was_typed(text: str) -> None:
    for longer in completions(text, FIELDS, VALUES):
        assert longer.casefold().replace('"', "").startswith(text.casefold().replace('"', "")), longer
