"""The seven promises, one test each. Every docstring names the line that keeps the promise.

Each of these tests has been seen red with that line removed or turned round.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from syncerr_tui.errors import MachineError, OutcomeUnknownError
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import EventStanding, EventType, RowState, SyncError, Verdict
from syncerr_tui.resync.events import BatchSent, RunEvent, RunStarted
from syncerr_tui.resync.org import Receipt
from syncerr_tui.stopwatch import Leaving
from tests.resync.driving import drive, last_of_each, plan_for, runner_for
from tests.resync.lying_org import METHOD, Lies, LyingOrg, Time


async def test_1_no_error_leaves_the_list_without_a_recorded_reason(journal: Journal, time: Time) -> None:
    """Kept by `state.end(...)` in `Runner._close`: what the run did not get to is written down as well."""
    org = LyingOrg(time)
    plan = plan_for(org, [org.fail(n) for n in range(40)], concurrency=1)
    runner = runner_for(org, journal, plan, time)

    def on(event: RunEvent) -> None:
        if isinstance(event, BatchSent):
            runner.cancel()

    events = await drive(runner, on)
    rows = History(journal).rows_of(events[0].run_id)  # type: ignore[union-attr]
    assert len(rows) == 40
    assert all(row.ended and row.reason for row in rows)
    assert {row.reason for row in rows if row.intent is None} == {"stopped before it was sent"}


class Auditor(LyingOrg):
    """Looks into the journal, over a connection of its own, at the moment a request arrives."""

    path: Path
    missing: list[str]

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        with sqlite3.connect(self.path) as sql:
            intended = {row[0] for row in sql.execute("SELECT event FROM intents")}
        sql.close()
        self.missing += [error.id for error in errors if error.id not in intended]
        return await super().request_resync(errors, leaving)


async def test_2_nothing_is_sent_before_its_intent_is_in_the_journal(journal: Journal, time: Time) -> None:
    """Kept by `await state.intend(due)` before `request_resync` in `Sender._request`."""
    org = Auditor(time)
    org.path, org.missing = journal.path, []
    await drive(runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(9)]), time))
    assert len(org.reached) == 9
    assert org.missing == []


@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_2_a_journal_that_is_taken_away_stops_the_run(journal: Journal, time: Time, how: str) -> None:
    """Kept by `self._still_there()` in `Journal.intend`: the open file alone would take any intent."""
    org = LyingOrg(time, method=replace(METHOD, concurrency=1))
    errors = [org.fail(n) for n in range(12)]
    runner = runner_for(org, journal, plan_for(org, errors, parents={}), time)
    before = journal.path.read_bytes()

    def on(event: RunEvent) -> None:
        if isinstance(event, BatchSent) and runner.failure is None:
            journal.path.unlink(missing_ok=True)
            if how == "replaced":
                journal.path.write_bytes(before)

    await drive(runner, on)
    assert isinstance(runner.failure, MachineError)
    assert "moved, deleted or replaced" in runner.failure.title
    assert 0 < len(org.reached) < 12


async def test_2_a_full_disk_stops_the_run_before_anything_is_sent(journal: Journal, time: Time) -> None:
    """Kept by the same line: `intend` raises where it cannot write, and the request below it never runs."""
    org = LyingOrg(time, method=replace(METHOD, batch_size=200))
    runner = runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(400)], parents={}), time)

    def on(event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            pages = journal.read("PRAGMA page_count")[0][0]
            journal.read(f"PRAGMA max_page_count = {pages}")

    events = await drive(runner, on)
    assert org.reached == {}
    assert isinstance(runner.failure, MachineError)
    assert "full" in runner.failure.line
    assert {c.state for c in last_of_each(events).values()} == {RowState.NOT_SENT}


async def test_3_an_unknown_outcome_is_re_read_before_it_is_sent_again(journal: Journal, time: Time) -> None:
    """Kept by `await self._settle_open_attempts()` in `Runner._conduct`.

    The request arrived, the program died, and the org takes a minute: without the wait the row still looks
    failed, and would be sent a second time.
    """
    org = LyingOrg(time, Lies(delay=60.0, delay_at_least=50.0, lost_reply=1.0))
    plan = plan_for(org, [org.fail(1)])
    async with aclosing(runner_for(org, journal, plan, time).run()) as events:
        async for _ in events:
            if org.reached:
                break
    assert org.events[plan.rows[0].error.id].standing is EventStanding.FAILED
    second_run = await drive(runner_for(org, journal, plan_for(org, [plan.rows[0].error]), time))
    assert org.reached == {plan.rows[0].error.id: 1}
    assert last_of_each(second_run)[plan.rows[0].error.id].verdict is Verdict.FIXED


async def test_4_a_victim_waits_for_the_proof_of_its_cause_and_a_failed_cause_stops_its_branch_only(
    journal: Journal, time: Time
) -> None:
    """Kept by `RunState.unproven_cause`."""
    org = LyingOrg(time)
    broken, sound = org.fail(1, broken=True), org.fail(2)
    children = [org.fail(3, "Order", parent=broken.id), org.fail(4, "Order", parent=sound.id)]
    grandchild = org.fail(5, "OrderItem", parent=children[0].id)
    links = {
        children[0].id: frozenset((broken.id,)),
        children[1].id: frozenset((sound.id,)),
        grandchild.id: frozenset((children[0].id,)),
    }
    plan = plan_for(org, [broken, sound, *children, grandchild], parents=links)
    last = last_of_each(await drive(runner_for(org, journal, plan, time)))
    assert set(org.reached) == {broken.id, sound.id, children[1].id}
    assert last[children[1].id].verdict is Verdict.FIXED
    assert last[children[0].id].reason == f"its cause {broken.id} is not proven (STILL FAILING)"
    assert last[grandchild.id].reason == f"its cause {children[0].id} is not proven (not sent)"


class Shuffling(LyingOrg):
    """Refuses one row, answers in the wrong order, and names a stranger."""

    refused = ""

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        receipts = list(await super().request_resync(errors, leaving))
        answers = [
            replace(r, accepted=False, reason="no", code="X") if r.id == self.refused else r for r in receipts
        ]
        return [Receipt("a0X999999999999AAA", accepted=False), *reversed(answers)]


async def test_5_a_run_touches_the_planned_set_and_results_find_their_rows_by_identity(
    journal: Journal, time: Time
) -> None:
    """Kept by `answers[receipt.id].add(receipt)` in `sender.by_identity`."""
    org = Shuffling(time)
    errors = [org.fail(n) for n in range(6)]
    org.refused = errors[1].id
    events = await drive(runner_for(org, journal, plan_for(org, errors[:4]), time))
    rows = {row.error.id: row.kind for row in History(journal).rows_of(events[0].run_id)}  # type: ignore[union-attr]
    assert {event for event, kind in rows.items() if kind == "refused"} == {errors[1].id}
    assert set(org.reached) == {error.id for error in errors[:4]}


async def test_6_fixed_is_never_wrong(journal: Journal, time: Time) -> None:
    """Kept by `if _after(record.modified_at, ...)` in `proof._left`.

    After our request somebody deletes the event; the record is there, last written yesterday.
    """
    org = LyingOrg(time, Lies(forgotten=1.0))
    error = org.fail(1, kind=EventType.UPDATE)
    runner = runner_for(org, journal, plan_for(org, [error]), time)

    def on(_: RunEvent) -> None:
        if org.reached and org.events[error.id].standing is EventStanding.FAILED:
            org.vanish(error.id)

    change = last_of_each(await drive(runner, on))[error.id]
    assert change.verdict is Verdict.UNKNOWN
    assert "last written before the re-sync" in change.reason


SECRET = "00D000000000001!AQ4AQFakeSessionIdThatMustNotLeak"


class Blabbing(LyingOrg):
    """Its transport's exception quotes the request, session and all."""

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        raise OutcomeUnknownError("No answer came back") from OSError(
            f"POST ... Authorization: Bearer {SECRET}"
        )


async def test_7_no_secret_reaches_the_journal_or_an_event(journal: Journal, time: Time) -> None:
    """Kept by `problem.title` (never the exception behind it) in `Sender._request`."""
    org = Blabbing(time)
    events = await drive(runner_for(org, journal, plan_for(org, [org.fail(1)]), time))
    journal.read("PRAGMA wal_checkpoint(TRUNCATE)")
    assert SECRET.encode() not in journal.path.read_bytes()
    assert SECRET not in repr(events)
    assert "No answer came back" in {row.answer for row in History(journal).open_attempts().values()}
