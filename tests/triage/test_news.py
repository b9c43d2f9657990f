from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from syncerr_tui.model import SyncError
from syncerr_tui.text import clean
from syncerr_tui.triage.listing import Listing
from syncerr_tui.triage.news import GoneRow, News, RowChange, gone_words
from syncerr_tui.triage.state import UiState
from tests.factories import NOW, sync_error

A, B, C, D = (sync_error(number, message=clean(f"message {number}")) for number in range(1, 5))
LATER = NOW + timedelta(minutes=1)


def listed(*errors: SyncError) -> dict[str, SyncError]:
    return {error.id: error for error in errors}


def looked_at(*errors: SyncError) -> News:
    return News().compared(listed(*errors), NOW)


def edited(error: SyncError) -> SyncError:
    """The same row with one letter of its message changed: nothing else tells the two apart."""
    return replace(error, message=clean(f"{error.message[:-1]}x"))


def test_what_is_read_first_is_no_news() -> None:
    news = looked_at(A, B)
    assert (news.words, news.marks, news.gone, news.since) == ("", {}, frozenset(), NOW)


def test_new_changed_and_gone_follow_from_the_two_lists() -> None:
    news = looked_at(A, B, C).compared(listed(edited(B), C, D), LATER)
    assert news.marks == {B.id: RowChange.CHANGED, D.id: RowChange.NEW}
    assert news.gone == {A.id}
    assert news.words == "1 new, 1 changed, 1 gone"
    assert news.since == NOW
    assert news.differences(edited(B)) == "message"
    assert news.differences(replace(B, processed_at=LATER, code="X")) == "code, Processed At"
    assert news.differences(D) == ""


def test_marks_outlast_any_number_of_refreshes_and_what_comes_back_as_it_was_is_none() -> None:
    news = looked_at(A, B).compared(listed(A, B, C), LATER)
    for _ in range(3):
        news = news.compared(listed(A, B, C), LATER)
    assert news.new == {C.id}
    assert news.compared(listed(A), LATER).words == "1 gone"
    assert news.compared(listed(A, B), LATER).words == ""
    assert news.compared(listed(A, B, edited(C)), LATER).new == {C.id}


def test_a_row_that_was_read_is_no_news_until_it_changes_again() -> None:
    news = looked_at(A).compared(listed(edited(A), B), LATER).known([edited(A)])
    assert news.marks == {B.id: RowChange.NEW}
    assert news.compared(listed(edited(A), B), LATER).marks == {B.id: RowChange.NEW}
    assert news.compared(listed(A, B), LATER).marks[A.id] is RowChange.CHANGED


def test_all_of_it_is_seen_at_once() -> None:
    now = listed(edited(A), B)
    news = looked_at(A, C).compared(now, LATER).all_seen(now, LATER)
    assert (news.words, news.since) == ("", LATER)
    assert news.compared(listed(B), LATER).gone == {A.id}


def test_rows_that_left_by_a_run_are_gone_unless_the_person_was_told() -> None:
    news = looked_at(A, B).compared(listed(A, B, C), LATER)
    assert news.left([A.id, C.id], known=False).gone == {A.id}
    assert news.left([A.id, C.id], known=False).marks == {}
    left = news.left([A.id], known=True)
    assert left.gone == frozenset()
    assert left.compared(listed(B, C), LATER).gone == frozenset()


@pytest.mark.parametrize("news", [News(), News().left(["x"], known=True), News().known([A])])
def test_before_the_first_list_there_is_no_news(news: News) -> None:
    assert news.words == ""
    assert news.seen is None


def test_a_refresh_keeps_the_objects_of_rows_that_are_as_they_were() -> None:
    state = UiState().read_again([A, B], NOW)
    again = state.read_again([replace(A), edited(B)], LATER)
    assert again.listing.errors[A.id] is A
    assert again.listing.errors[B.id] == edited(B)
    assert again.news.marks == {B.id: RowChange.CHANGED}


def of(*errors: SyncError) -> Listing:
    return Listing().refreshed(errors, NOW)


@pytest.mark.parametrize(
    ("at", "rows", "found"),
    [(0, [B, D], 1), (1, [B, D], 3), (3, [B, D], 1), (1, [B], 1), (0, [], None), (0, [sync_error(9)], None)],
)
def test_the_next_of_some_rows_is_below_the_cursor_or_from_the_top_again(
    at: int, rows: Sequence[SyncError], found: int | None
) -> None:
    listing = of(A, B, C, D).moved_to(at)
    next_one = listing.next_of({error.id for error in rows})
    assert (next_one.cursor if next_one is not None else None) == found


def test_gone_rows_are_counted_by_what_became_of_them() -> None:
    rows = [GoneRow(A, "FIXED", ""), GoneRow(B, "unknown", ""), GoneRow(C, "FIXED", "")]
    assert gone_words(rows) == "3 rows gone: 2 FIXED, 1 unknown."
    assert gone_words([]) == ""
