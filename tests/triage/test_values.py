"""Counts and the terms that keep just the rows that were counted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.model import EventType, SyncError
from syncerr_tui.text import clean, one_line
from syncerr_tui.triage.filter import READERS, code_shown, parse
from syncerr_tui.triage.values import KINDS, CodeOf, counted, narrowed, term_of, values_of
from tests.factories import NOW, sync_error

NAMES = st.one_of(
    st.sampled_from(
        ["Order", "order", "s_c__Order__c", "Order__c", "none", "None", "Order,Item", 'a"b', "a/ b/", ""]
    ),
    st.text(max_size=12).map(one_line),
)
CODES = st.one_of(
    st.none(),
    st.sampled_from(["DUPLICATE_VALUE", "DUPLICATES_DETECTED", "UNKNOWN_EXCEPTION"]),
    st.from_regex(r"\A[A-Z][A-Z0-9_]{2,20}\Z"),
)


MESSAGES = ("Required fields are missing: [Name]", "too many SOQL queries: 101")


@st.composite
def rows(draw: st.DrawFn) -> list[SyncError]:
    return [
        sync_error(
            number,
            object=clean(draw(NAMES)),
            code=draw(CODES),
            event_type=draw(st.sampled_from(EventType)),
            processed_at=draw(
                st.one_of(st.none(), st.integers(0, 90).map(lambda h: NOW - timedelta(hours=h)))
            ),
            message=clean(draw(st.one_of(st.text(max_size=20), st.sampled_from(MESSAGES)))),
        )
        for number in range(draw(st.integers(1, 12)))
    ]


def cause_of(row: str) -> str:
    """Three causes, each named by its oldest error."""
    return sync_error(sum(map(ord, row)) % 3).id


CODES_OF = (READERS["code"], code_shown)
"""Codes as the rows have them, and as the list shows them."""


@given(rows(), st.sampled_from(list(KINDS)), st.sampled_from(CODES_OF))
def test_each_line_counts_exactly_the_rows_that_its_term_keeps(
    errors: list[SyncError], field: str, code_of: CodeOf
) -> None:
    values = counted(field, errors, cause_of=cause_of, code_of=code_of)
    assert sum(value.count for value in values) == len(errors)
    for value in values:
        members = {error.id for error in errors if cause_of(error.id) == value.text}
        only = parse(
            value.term,
            codes=lambda: {e.code for e in errors if e.code},
            cause_of={value.text: members}.get,
        )
        kept = [error for error in errors if only.matches(error, NOW)]
        assert len(kept) == value.count, value


@given(rows(), st.sampled_from(CODES_OF))
def test_every_value_of_a_row_keeps_the_row(errors: list[SyncError], code_of: CodeOf) -> None:
    for error in errors:
        for value in values_of(error, cause_of=cause_of, code_of=code_of):
            if value.field != "cause":
                assert parse(value.term).matches(error, NOW), value
                assert not parse(narrowed("", value.term, without=True)).matches(error, NOW)


def test_the_most_frequent_come_first_and_days_from_the_newest() -> None:
    errors = [
        sync_error(1, object=clean("Order")),
        sync_error(2, object=clean("Contact"), processed_at=NOW - timedelta(days=9)),
        sync_error(3, object=clean("Contact"), processed_at=NOW),
    ]
    assert [(v.text, v.count, v.term) for v in counted("object", errors)] == [
        ("Contact", 2, "object:Contact"),
        ("Order", 1, "object:Order"),
    ]
    days = [value.text for value in counted("day", errors)]
    assert days == sorted(days, reverse=True)


def test_terms_are_as_short_as_they_can_be() -> None:
    assert term_of("object", "Order") == "object:Order"
    assert term_of("object", "My Thing") == 'object:"My Thing"'
    assert term_of("code", "") == "code:none"
    other = sync_error(1, object=clean("s_c__Order__c"))
    assert term_of("object", "Order", [other]) == "object:/(?-i)^Order$/"


@pytest.mark.parametrize(
    ("text", "narrower"),
    [("", "code:X"), ("age:>2d", "age:>2d code:X"), ("code:X", "code:X"), ("a code:X b", "a code:X b")],
)
def test_a_term_is_added_once(text: str, narrower: str) -> None:
    assert narrowed(text, "code:X") == narrower
