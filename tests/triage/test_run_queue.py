from __future__ import annotations

from dataclasses import replace

import pytest

from syncerr_tui.text import clean
from syncerr_tui.triage.state import EndedRun, RunQueue, rows_words
from tests.factories import NOW, sync_error

A, B, C, D = (sync_error(number) for number in range(1, 5))


def three() -> RunQueue:
    return RunQueue().added([A]).added([B], reason="after the flow", canary=True).added([C])


def test_runs_wait_in_the_order_in_which_they_were_added() -> None:
    queue = three()
    assert [run.rows for run in queue.runs] == [(A,), (B,), (C,)]
    assert queue.next == queue.runs[0]
    assert (queue.runs[1].reason, queue.runs[1].canary) == ("after the flow", True)
    assert queue.ids == {A.id, B.id, C.id}
    assert queue.words == "3 queued"


def test_no_row_waits_twice_and_nothing_is_added_without_a_row() -> None:
    queue = RunQueue().added([A, B])
    assert queue.added([B, C]).runs[1].rows == (C,)
    assert queue.added([A, B]) == queue
    assert queue.added([]) == queue


def test_a_number_is_never_given_again() -> None:
    queue = RunQueue().added([A])
    again = queue.removed(queue.runs[0].number).added([A])
    assert again.runs[0].number != queue.runs[0].number
    assert queue.emptied().added([A]).runs[0].number != queue.runs[0].number


@pytest.mark.parametrize(
    ("place", "by", "order"),
    [(0, 1, "BAC"), (0, 9, "BCA"), (2, -1, "ACB"), (2, -9, "CAB"), (0, -1, "ABC"), (1, 0, "ABC")],
)
def test_a_run_is_moved_as_far_as_there_are_places(place: int, by: int, order: str) -> None:
    queue = three()
    moved = queue.moved(queue.runs[place].number, by)
    assert [run.rows[0] for run in moved.runs] == [{"A": A, "B": B, "C": C}[letter] for letter in order]
    assert queue.moved(99, by) == queue


def test_on_hold_nothing_begins_until_a_person_says_so() -> None:
    held = three().on_hold("the re-sync before it was stopped")
    assert (held.next, held.words) == (None, "3 queued, on hold")
    assert held.added([D]).held
    assert held.released().next == held.runs[0]
    for run in held.runs:
        held = held.removed(run.number)
    assert held == RunQueue(last=3)
    assert RunQueue().on_hold("x") == RunQueue()


def test_what_has_ended_is_kept_until_the_queue_is_emptied() -> None:
    queue = three().with_ended("2 planned: 2 fixed", NOW)
    assert queue.ended == (EndedRun(NOW, "2 planned: 2 fixed"),)
    assert queue.emptied() == RunQueue(last=3)


def test_a_run_is_named_by_what_is_in_it() -> None:
    objects = ("Order", "Order", "Contact", "Account", "Lead", "Case")
    rows = [replace(sync_error(n), object=clean(name)) for n, name in enumerate(objects)]
    assert rows_words(rows) == "6 errors: 2 Order, 1 Contact, 1 Account and 2 more objects"
    assert rows_words(rows[:2]) == "2 errors: 2 Order"
    assert rows_words(rows[:1]) == f"1 error: {rows[0].short_name}"
