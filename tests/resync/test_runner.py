"""A run as a person meets it: lanes, locks, a line that drops, brake, pause, cancel, guided, resume."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncerr_tui.errors import (
    MachineError,
    NotLoggedInError,
    NotSentError,
    OutcomeUnknownError,
    RefusedError,
)
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal, JournaledRun
from syncerr_tui.model import EventSeen, EventType, RecordSeen, RowState, SyncError, Verdict
from syncerr_tui.resync.doubt import verify
from syncerr_tui.resync.events import (
    AskPerson,
    BatchSent,
    Braked,
    Paused,
    Progress,
    RowChanged,
    RunEvent,
    RunStarted,
    Waiting,
    WaitKind,
    WaveProven,
    WaveStarted,
)
from syncerr_tui.resync.org import Receipt
from syncerr_tui.resync.run_state import ResumeMode
from syncerr_tui.resync.runner import Runner
from syncerr_tui.resync.verification import OrgClock
from syncerr_tui.stopwatch import STALE_SECONDS, Leaving, Stopwatch
from tests.resync.driving import drive, ending, last_of_each, plan_for, runner_for
from tests.resync.lying_org import METHOD, START, Lies, LyingOrg, Time


def verdicts(events: Sequence[RunEvent]) -> dict[str, Verdict | None]:
    return {event: change.verdict for event, change in last_of_each(events).items()}


def braked(events: Sequence[RunEvent]) -> list[str]:
    return [event.reason for event in events if isinstance(event, Braked)]


# -- sending


async def test_lanes_work_side_by_side_and_never_under_one_parent(journal: Journal, time: Time) -> None:
    class Busy(LyingOrg):
        """Answers none of the first three requests before the third is here."""

        async def request_resync(
            self, errors: Sequence[SyncError], leaving: Leaving | None = None
        ) -> Sequence[Receipt]:
            waiting.append(errors)
            if len(waiting) >= 3:
                together.set()
            await asyncio.wait_for(together.wait(), 20)
            return await super().request_resync(errors, leaving)

    waiting: list[Sequence[SyncError]] = []
    together = asyncio.Event()
    org = Busy(time, method=replace(METHOD, batch_size=2, concurrency=3))
    missing = "Foreign key external ID: 00000000-0000-4000-8000-{:012d} not found"
    errors = [org.fail(n, message=missing.format(n // 6 + 900)) for n in range(24)]
    plan = plan_for(org, errors, parents={})
    events = await drive(runner_for(org, journal, plan, time))
    assert ending(events).counts.fixed == 24
    assert org.most_in_flight == 3
    assert org.collisions == []
    for account in range(4):
        mine = [error.id for error in errors[account * 6 : account * 6 + 6]]
        assert [event for event in org.order if event in mine] == mine


async def test_a_run_waits_for_the_disk_as_it_begins_before_each_request_and_as_it_ends(
    journal: Journal, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for what the org answered, nor for a question about earlier requests that a refusal brings."""
    waits = []
    one_commit = journal.one_commit

    def watched(*, durable: bool) -> AbstractContextManager[None]:
        waits.append(durable)
        return one_commit(durable=durable)

    monkeypatch.setattr(journal, "one_commit", watched)
    org = LyingOrg(time, Lies(refused=1.0), method=replace(METHOD, concurrency=1, batch_size=2))
    errors = [org.fail(n) for n in range(4)]
    events = await drive(runner_for(org, journal, plan_for(org, errors), time))
    assert ending(events).counts.ended == 4
    requests = sum(isinstance(event, BatchSent) for event in events)
    assert waits.count(True) == 1 + requests + 1


async def test_what_a_long_run_keeps_of_its_rows_is_not_gone_through_for_garbage_again_and_again(
    journal: Journal, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key is read meanwhile: with 60,000 rows it took a fifth of a second."""
    frozen_at: list[int] = []
    events: list[RunEvent] = []
    monkeypatch.setattr("syncerr_tui.resync.runner.FREEZE_EVERY", 50)
    monkeypatch.setattr("gc.freeze", lambda: frozen_at.append(len(events)))
    org = LyingOrg(time)
    errors = [org.fail(n) for n in range(40)]
    await drive(runner_for(org, journal, plan_for(org, errors), time), on=events.append)
    assert len(events) > 3 * 40
    assert frozen_at == list(range(0, len(events) + 1, 50))


@pytest.mark.parametrize("late", [0.0, 6.0])
async def test_the_first_rows_are_looked_at_while_the_journal_takes_the_plan(
    journal: Journal, time: Time, monkeypatch: pytest.MonkeyPatch, late: float
) -> None:
    """From the moment on at which they are claimed; once more where that look is old by then."""

    class Watched(LyingOrg):
        async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
            acts.append("looked")
            seen = await super().read_events(ids)
            looked.set()
            return seen

        async def request_resync(
            self, errors: Sequence[SyncError], leaving: Leaving | None = None
        ) -> Sequence[Receipt]:
            acts.append("sent")
            return await super().request_resync(errors, leaving)

    acts: list[str] = []
    looked = threading.Event()
    original = journal.begin

    def begin(*plan: Any, claimed: Callable[[Mapping[str, str]], object], **options: Any) -> JournaledRun:
        def while_writing(held: Mapping[str, str]) -> None:
            acts.append("claimed")
            claimed(held)
            assert looked.wait(20)

        begun = original(*plan, claimed=while_writing, **options)
        acts.append("written")
        time.now += timedelta(seconds=late)
        return begun

    monkeypatch.setattr(journal, "begin", begin)
    org = Watched(time)
    events = await drive(runner_for(org, journal, plan_for(org, [org.fail(1), org.fail(2)]), time))
    again = ["looked"] if late else []
    assert acts[: acts.index("sent")] == ["claimed", "looked", "written", *again]
    assert len([event for event in events if isinstance(event, BatchSent)]) == 1
    assert ending(events).counts.fixed == 2


async def test_rows_are_judged_while_others_are_still_asked_about(
    journal: Journal, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Watched(LyingOrg):
        async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
            seen = await super().read_events(ids)
            if proving and ids[0] != errors[0].id:
                await asyncio.wait_for(judged.wait(), 20)
            return seen

        async def request_resync(
            self, errors: Sequence[SyncError], leaving: Leaving | None = None
        ) -> Sequence[Receipt]:
            proving.append(True)
            return await super().request_resync(errors, leaving)

    def on(event: RunEvent) -> None:
        if isinstance(event, RowChanged) and event.state is RowState.DONE:
            judged.set()

    monkeypatch.setattr("syncerr_tui.resync.verification.PROOF_CHUNK", 2)
    proving: list[bool] = []
    judged = asyncio.Event()
    org = Watched(time, Lies(delay=0), method=replace(METHOD, concurrency=4))
    errors = [org.fail(n) for n in range(4)]
    plan = plan_for(org, errors, concurrency=1)
    assert ending(await drive(runner_for(org, journal, plan, time), on)).counts.fixed == 4


async def test_locked_rows_are_asked_for_again_in_smaller_pieces(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(locked_once=True), method=replace(METHOD, batch_size=200))
    errors = [org.fail(n) for n in range(120)]
    events = await drive(runner_for(org, journal, plan_for(org, errors, parents={}), time))
    sizes = [len(event.ids) for event in events if isinstance(event, BatchSent)]
    assert sizes == [120, 50, 50, 20]
    assert ending(events).counts.fixed == 120
    assert "a record is locked" in {event.why for event in events if isinstance(event, Waiting)}
    assert {row.attempts for row in History(journal).rows_of(ending(events).run_id)} == {2}


async def test_a_lock_that_stays_ends_as_not_tried(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(locked=1.0))
    error = org.fail(1)
    change = last_of_each(await drive(runner_for(org, journal, plan_for(org, [error]), time)))[error.id]
    assert change.verdict is Verdict.NOT_TRIED
    assert "UNABLE_TO_LOCK_ROW" in change.reason
    assert len(journal.read("SELECT * FROM intents")) == 5
    assert History(journal).same_message_attempts(error) == 0, "nothing was tried"


async def test_a_lock_that_stays_is_still_failing_for_a_row_that_had_met_one(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time, Lies(locked=1.0))
    error = org.fail(
        1, code="UNABLE_TO_LOCK_ROW", message="UNABLE_TO_LOCK_ROW: unable to obtain exclusive access"
    )
    change = last_of_each(await drive(runner_for(org, journal, plan_for(org, [error]), time)))[error.id]
    assert change.verdict is Verdict.STILL_FAILING
    assert History(journal).same_message_attempts(error) == 1


async def test_a_row_that_met_a_lock_goes_again_also_where_the_next_request_never_left(
    journal: Journal, time: Time
) -> None:
    """The lock is in the row's own message by then: no reason to say that somebody else has changed it."""

    class LockedThenDown(LyingOrg):
        """Writes the lock into the row, and refuses the connection at the request after it."""

        requests = 0

        async def request_resync(
            self, errors: Sequence[SyncError], leaving: Leaving | None = None
        ) -> Sequence[Receipt]:
            self.requests += 1
            if self.requests == 2:
                raise NotSentError("The org's address refused the connection")
            receipts = await super().request_resync(errors, leaving)
            for receipt in receipts:
                if not receipt.accepted:
                    truth = self.events[receipt.id]
                    self._fail_again(truth, self.now_true(), receipt.reason, receipt.code)
            return receipts

    org = LockedThenDown(time, Lies(locked_once=True))
    error = org.fail(1)
    events = await drive(runner_for(org, journal, plan_for(org, [error]), time))
    assert last_of_each(events)[error.id].verdict is Verdict.FIXED
    assert org.reached == {error.id: 1}


@pytest.mark.parametrize("twins", [0.0, 1.0])
async def test_what_an_earlier_run_did_is_not_resolved_elsewhere(
    journal: Journal, time: Time, twins: float
) -> None:
    """The list that the second plan was made from is older than the first run."""
    org = LyingOrg(time, Lies(twin=twins))
    error = org.fail(1)
    plan = plan_for(org, [error])
    await drive(runner_for(org, journal, plan, time))
    change = last_of_each(await drive(runner_for(org, journal, plan, time)))[error.id]
    assert change.verdict is (Verdict.TWIN if twins else Verdict.FIXED)
    assert org.reached == {error.id: 1}


async def test_what_another_hand_did_between_the_look_and_the_request_is_not_ours(
    journal: Journal, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = LyingOrg(time, Lies(delay=0))
    error = org.fail(1)
    intend = Journal.intend

    def meanwhile(*args: Any, **how: Any) -> dict[str, int]:
        numbers = intend(*args, **how)
        time.now += timedelta(seconds=1)
        org.process_now(error.id)
        time.now += timedelta(seconds=2)
        return numbers

    monkeypatch.setattr(Journal, "intend", meanwhile)
    events = await drive(runner_for(org, journal, plan_for(org, [error]), time))
    assert not org.truly_fixed(error.id)
    assert verdicts(events) == {error.id: Verdict.UNKNOWN}
    assert "last written before the re-sync" in last_of_each(events)[error.id].reason


class SlowToLeave(LyingOrg):
    """Is busy with something else before a request leaves; meanwhile another hand re-syncs the row."""

    seconds = 0.0
    lost = False

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        assert leaving is not None
        seconds, self.seconds = self.seconds, 0.0
        if seconds:
            self.time.now += timedelta(seconds=1)
            self.process_now(errors[0].id)
            self.time.now += timedelta(seconds=seconds - 1)
        leaving()
        if self.lost:
            raise OutcomeUnknownError("No answer came back")
        return await super().request_resync(errors, leaving)


async def test_a_look_that_got_old_on_the_way_out_sends_nothing(journal: Journal, time: Time) -> None:
    """A look at the action's inputs, a place in the queue, a Lightning session: each may take long."""
    org = SlowToLeave(time, Lies(delay=0))
    org.seconds = STALE_SECONDS + 1
    error = org.fail(1)
    events = await drive(runner_for(org, journal, plan_for(org, [error]), time))
    assert not org.reached
    assert verdicts(events) == {error.id: Verdict.ELSEWHERE}


async def test_what_another_hand_did_on_the_way_out_is_not_ours_later_either(
    journal: Journal, time: Time
) -> None:
    org = SlowToLeave(time, Lies(delay=0))
    org.seconds, org.lost = STALE_SECONDS - 1, True
    error = org.fail(1)
    events = await drive(runner_for(org, journal, plan_for(org, [error]), time))
    assert verdicts(events) == {error.id: Verdict.UNKNOWN}
    rows = list(History(journal).open_attempts().values())
    (verified,) = await verify(org, journal, rows, proof_timeout=0, sleep=time.sleep)
    assert verified.verdict is Verdict.UNKNOWN
    assert not org.reached


class SlowToRead(LyingOrg):
    seconds = 0.0

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        seen = await super().read_events(ids)
        self.time.now += timedelta(seconds=self.seconds)
        return seen


async def test_an_org_that_is_slow_to_read_is_sent_to_all_the_same(journal: Journal, time: Time) -> None:
    """Its answers do not age on their way. An answer that took a minute met a machine that slept."""
    org = SlowToRead(time, Lies(delay=0))
    org.seconds = STALE_SECONDS + 3
    error = org.fail(1, broken=False)
    events = await drive(runner_for(org, journal, plan_for(org, [error]), time))
    assert verdicts(events) == {error.id: Verdict.FIXED}
    org.seconds = 60
    asleep = org.fail(2, broken=False)
    events = await drive(runner_for(org, journal, plan_for(org, [asleep]), time))
    assert verdicts(events) == {asleep.id: None}
    assert org.reached == {error.id: 1}


class NeverAnswers(LyingOrg):
    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        await asyncio.Event().wait()
        raise AssertionError


async def test_what_another_hand_did_while_the_intent_waited_is_not_ours_after_a_kill(
    journal: Journal, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = NeverAnswers(time, Lies(delay=0))
    error = org.fail(1)
    one_commit, looked = Journal.one_commit, [False]

    def slow_disk(self: Journal, *, durable: bool) -> AbstractContextManager[None]:
        if looked.pop():
            time.now += timedelta(seconds=1)
            org.process_now(error.id)
            time.now += timedelta(seconds=2)
        looked.append(False)
        return one_commit(self, durable=durable)

    runner = runner_for(org, journal, plan := plan_for(org, [error]), time)
    async with aclosing(runner.run()) as events:
        async for event in events:
            if isinstance(event, WaveStarted):
                monkeypatch.setattr(Journal, "one_commit", slow_disk)
                looked[:] = [True]
            elif isinstance(event, BatchSent):
                break
    assert runner.run_id
    checked = runner_for(org, journal, plan, time, resume=runner.run_id, mode=ResumeMode.CHECK)
    assert verdicts(await drive(checked)) == {error.id: Verdict.UNKNOWN}


async def test_what_somebody_else_did_after_our_failure_is_resolved_elsewhere(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time)
    error = org.fail(1, broken=True)
    await drive(runner_for(org, journal, plan_for(org, [error]), time))
    plan = plan_for(org, [org.events[error.id].error])
    time.now += timedelta(minutes=1)
    org.events[error.id].broken = False
    org.process_now(error.id)
    change = last_of_each(await drive(runner_for(org, journal, plan, time)))[error.id]
    assert change.verdict is Verdict.ELSEWHERE


class Reconnecting(LyingOrg):
    """The line is down for the first two requests."""

    down = 2

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        if self.down:
            self.down -= 1
            raise NotSentError("The org's address refused the connection")
        return await super().request_resync(errors, leaving)


async def test_what_never_left_is_sent_again(journal: Journal, time: Time) -> None:
    org = Reconnecting(time)
    events = await drive(runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(4)]), time))
    assert ending(events).counts.fixed == 4
    assert set(org.reached.values()) == {1}
    assert len(journal.read("SELECT * FROM intents")) == 12
    kinds = [row["kind"] for row in journal.read("SELECT kind FROM outcomes ORDER BY intent")]
    assert kinds == ["not sent"] * 8 + ["accepted"] * 4


async def test_a_line_that_stays_down_leaves_the_rows_unsent(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(not_sent=1.0))
    events = await drive(runner_for(org, journal, plan_for(org, [org.fail(1)]), time))
    (change,) = last_of_each(events).values()
    assert change.state is RowState.NOT_SENT
    assert change.reason == "it never reached the org: The org's address refused the connection"
    assert History(journal).open_attempts() == {}


async def test_a_row_that_changed_or_went_since_the_plan_is_left_out(journal: Journal, time: Time) -> None:
    org = LyingOrg(time)
    errors = [org.fail(n) for n in range(3)]
    plan = plan_for(org, errors)
    org.vanish(errors[0].id)
    org.events[errors[1].id].broken = True
    org.process_now(errors[1].id)
    events = await drive(runner_for(org, journal, plan, time))
    last = last_of_each(events)
    assert last[errors[0].id].verdict is Verdict.UNKNOWN
    assert "gone before it was sent, but no record has this" in last[errors[0].id].reason
    assert last[errors[1].id].reason == "it has changed since the plan was made"
    assert last[errors[1].id].state is RowState.NOT_SENT
    assert set(org.reached) == {errors[2].id}


async def test_a_row_that_the_org_works_on_already_is_not_sent(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(pending=True, delay=60.0, delay_at_least=50.0))
    error, other = org.fail(1), org.fail(2)
    plan = plan_for(org, [error, other])
    org._queue(error.id)
    events = await drive(runner_for(org, journal, plan, time))
    assert last_of_each(events)[error.id].reason == "the org is working on it already"
    assert set(org.reached) == {other.id}
    assert verdicts(events) == {error.id: None, other.id: Verdict.FIXED}


async def test_a_victim_that_the_org_clears_itself_is_not_sent(journal: Journal, time: Time) -> None:
    org = LyingOrg(time)
    cause, victim = org.fail(1), org.fail(2, "Order")

    def on(_: RunEvent) -> None:
        if org.done_at.get(cause.id) and victim.id not in org.done_at:
            org.process_now(victim.id)

    plan = plan_for(org, [cause, victim], parents={victim.id: frozenset((cause.id,))})
    events = await drive(runner_for(org, journal, plan, time), on)
    assert verdicts(events) == {cause.id: Verdict.FIXED, victim.id: Verdict.ELSEWHERE}
    assert set(org.reached) == {cause.id}


# -- brake


async def test_three_failed_requests_in_a_row_pull_the_brake(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(refused=1.0), method=replace(METHOD, concurrency=1, batch_size=2))
    plan = plan_for(org, [org.fail(n) for n in range(20)], parents={})
    events = await drive(runner_for(org, journal, plan, time))
    assert braked(events) == ["3 requests in a row failed"]
    assert sum(isinstance(event, BatchSent) for event in events) == 3
    assert ending(events).how == "braked"
    assert ending(events).counts.not_sent == 14
    assert "3 requests in a row failed" in last_of_each(events)[plan.rows[-1].error.id].reason


async def test_a_canary_that_fails_again_stops_the_ramp(journal: Journal, time: Time) -> None:
    org = LyingOrg(time)
    errors = [org.fail(n, broken=n == 3) for n in range(40)]
    events = await drive(runner_for(org, journal, plan_for(org, errors, parents={}, canary=True), time))
    assert braked(events) == [f"the same cause came back on Account {errors[3].id}, one of the first rows"]
    assert len(org.reached) == 6
    assert ending(events).counts.not_sent == 34


LEARNED = replace(METHOD, first_alone=True, concurrency=1, batch_size=10)


async def test_an_unproven_method_takes_one_row_and_the_rest_behind_its_proof(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time, method=LEARNED)
    events = await drive(
        runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(12)], parents={}), time)
    )
    sizes = [len(event.ids) for event in events if isinstance(event, BatchSent)]
    assert sizes[0] == 1
    assert max(sizes) > 1
    assert ending(events).counts.fixed == 12
    more = plan_for(org, [org.fail(n) for n in range(20, 25)], parents={})
    events = await drive(runner_for(org, journal, more, time))
    assert next(len(event.ids) for event in events if isinstance(event, BatchSent)) == 5


async def test_a_first_row_that_the_org_worked_on_is_proof_enough_though_it_failed_again(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time, method=LEARNED)
    plan = plan_for(org, [org.fail(n, broken=True) for n in range(12)], parents={})
    events = await drive(runner_for(org, journal, plan, time))
    assert [len(event.ids) for event in events if isinstance(event, BatchSent)] == [1, 10, 1]
    assert ending(events).counts.still_failing == 12


async def test_a_method_that_is_refused_goes_on_with_single_rows_until_the_brake(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time, Lies(refused=1.0), method=LEARNED)
    plan = plan_for(org, [org.fail(n) for n in range(12)], parents={})
    events = await drive(runner_for(org, journal, plan, time))
    assert [len(event.ids) for event in events if isinstance(event, BatchSent)] == [1, 1, 1]
    assert braked(events)
    assert ending(events).counts.not_sent == 9


async def test_a_first_request_that_nobody_worked_on_is_the_last(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(lost_request=1.0), method=LEARNED)
    plan = plan_for(org, [org.fail(n) for n in range(12)], parents={})
    events = await drive(runner_for(org, journal, plan, time))
    assert [len(event.ids) for event in events if isinstance(event, BatchSent)] == [1]
    assert "first request" in braked(events)[0]


async def test_without_a_ramp_a_failure_stops_nobody_else(journal: Journal, time: Time) -> None:
    org = LyingOrg(time)
    errors = [org.fail(n, broken=n == 3) for n in range(40)]
    events = await drive(runner_for(org, journal, plan_for(org, errors, parents={}), time))
    assert braked(events) == []
    assert ending(events).counts.fixed == 39


async def test_an_expired_session_stops_the_run_and_every_row_has_its_word(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time, Lies(expires_after=6), method=replace(METHOD, concurrency=1))
    runner = runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(20)], parents={}), time)
    events = await drive(runner)
    assert isinstance(runner.failure, NotLoggedInError)
    assert ending(events).how == "stopped"
    counts = ending(events).counts
    assert counts.unknown + counts.not_sent == 20
    assert counts.unknown == len(org.reached) > 0
    (unfinished,) = History(journal).unfinished()
    assert unfinished.unknown == counts.unknown
    org.lies = Lies()
    again = await drive(
        runner_for(org, journal, runner.plan, time, resume=ending(events).run_id, mode=ResumeMode.CONTINUE)
    )
    assert ending(again).counts.fixed == 20
    assert set(org.reached.values()) == {1}


# -- levers


async def test_cancel_awaits_what_is_in_flight_and_sends_no_more(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(delay=0.0), method=replace(METHOD, concurrency=2))
    runner = runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(20)], parents={}), time)

    def on(event: RunEvent) -> None:
        if isinstance(event, BatchSent):
            runner.cancel()

    events = await drive(runner, on)
    counts = ending(events).counts
    assert ending(events).how == "cancelled"
    assert counts.fixed == len(org.reached) <= 8
    assert counts.fixed + counts.not_sent == 20
    assert History(journal).unfinished() == ()


@pytest.mark.parametrize("others", [0, 1])
async def test_a_stop_takes_no_blame_for_what_its_cause_held_back(
    journal: Journal, time: Time, others: int
) -> None:
    org = LyingOrg(time)
    broken, sound = org.fail(1, broken=True), org.fail(2)
    child = org.fail(3, "Order", parent=broken.id)
    grandchild = org.fail(4, "OrderItem", parent=child.id)
    more = [org.fail(5, "Order", parent=sound.id)][:others]
    links = {
        child.id: frozenset((broken.id,)),
        grandchild.id: frozenset((child.id,)),
        **{error.id: frozenset((sound.id,)) for error in more},
    }
    plan = plan_for(org, [broken, sound, child, grandchild, *more], parents=links)
    runner = runner_for(org, journal, plan, time)

    def on(event: RunEvent) -> None:
        if isinstance(event, WaveProven):
            runner.cancel()

    events = await drive(runner, on)
    last = last_of_each(events)
    assert last[child.id].reason == f"its cause {broken.id} is not proven (STILL FAILING)"
    assert last[grandchild.id].reason == f"its cause {child.id} is not proven (not sent)"
    held = "1 fixed, 1 still failing, 2 held back by their cause"
    if more:
        assert last[more[0].id].reason == "stopped before it was sent"
        assert ending(events).summary == f"5 planned: {held}, 1 not sent (stopped)"
    else:
        assert ending(events).summary == f"4 planned: {held}"


async def test_cancel_does_not_wait_for_the_proof(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(delay=100.0, delay_at_least=90.0))
    error = org.fail(1)
    runner = runner_for(org, journal, plan_for(org, [error]), time)

    def on(event: RunEvent) -> None:
        if isinstance(event, Waiting):
            runner.cancel()

    started = time.now
    events = await drive(runner, on)
    assert verdicts(events) == {error.id: Verdict.UNKNOWN}
    assert time.now - started < timedelta(seconds=5)
    time.now += timedelta(seconds=100)
    rows = list(History(journal).open_attempts().values())
    (verified,) = await verify(org, journal, rows, proof_timeout=0, sleep=time.sleep)
    assert verified.verdict is Verdict.FIXED
    assert History(journal).rows_of(ending(events).run_id)[0].verdict is Verdict.FIXED
    assert History(journal).open_attempts() == {}


async def test_what_was_cancelled_before_its_proof_is_waited_for_by_the_next_plan(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time, Lies(delay=100.0, delay_at_least=90.0))
    plan = plan_for(org, [org.fail(1)])
    runner = runner_for(org, journal, plan, time)
    await drive(runner, lambda event: runner.cancel() if isinstance(event, Waiting) else None)
    assert org.done_at == {}
    events = await drive(runner_for(org, journal, plan, time))
    assert set(verdicts(events).values()) == {Verdict.FIXED}
    assert set(org.reached.values()) == {1}


async def test_pause_holds_every_lane_until_it_is_told_to_go_on(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, method=replace(METHOD, concurrency=2))
    runner = runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(40)], parents={}), time)
    held: list[int] = []

    def go_on() -> None:
        held.append(len(org.reached))
        runner.resume()

    def on(event: RunEvent) -> None:
        if isinstance(event, BatchSent) and not held:
            runner.pause()
        if isinstance(event, Paused):
            # Long enough for two lanes to send all forty rows, if they were not held.
            asyncio.get_running_loop().call_later(0.2, go_on)

    events = await drive(runner, on)
    assert len(held) == 1
    assert held[0] <= 8, "only what was in flight"
    assert ending(events).counts.fixed == 40
    marks = [row["mark"] for row in journal.read("SELECT mark FROM marks ORDER BY n")]
    assert marks == ["paused", "resumed", "finished"]


def _steady_of(time: Time) -> Callable[[], float]:
    """Seconds that run on whatever is done to the wall clock."""

    def steady() -> float:
        return time.now.timestamp()

    return steady


async def test_a_clock_that_was_set_back_here_dates_no_request_too_early(time: Time) -> None:
    """What somebody else wrote in between would count as written after our request."""
    org, set_back = LyingOrg(time), timedelta()
    clock = OrgClock(org, Stopwatch(lambda: time.now - set_back, _steady_of(time)))
    await clock.refresh()
    time.now += timedelta(seconds=30)
    set_back = timedelta(seconds=50)
    await clock.refresh()
    assert time.now - clock.now() < timedelta(seconds=2)


@pytest.mark.parametrize("mode", ResumeMode)
async def test_a_run_goes_on_by_the_method_it_was_agreed_to_for(
    journal: Journal, time: Time, mode: ResumeMode
) -> None:
    """Between the interruption and `resume` the profile's method was changed, say from guided to field."""
    org = LyingOrg(time)
    plan = plan_for(org, [org.fail(1)])
    interrupted = runner_for(org, journal, plan, time)
    async with aclosing(interrupted.run()) as events:
        await anext(events)
    org.method = replace(METHOD, name="field")
    resumed = runner_for(org, journal, plan, time, resume=interrupted.run_id, mode=mode)
    if mode is ResumeMode.CONTINUE:
        with pytest.raises(RefusedError, match="for the method apex, and this org uses field"):
            await drive(resumed)
    else:
        assert ending(await drive(resumed)).counts.not_sent == 1
    assert not org.reached


class PausedWhileLooking(LyingOrg):
    """A person pauses while the rows are re-read, and somebody else fixes them before it goes on."""

    runner: Runner
    looks = 0

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        seen = await super().read_events(ids)
        self.looks += 1
        if self.looks == 1:
            self.runner.pause()
            asyncio.get_running_loop().call_later(0.05, self.go_on)
        return seen

    def go_on(self) -> None:
        self.time.now += timedelta(hours=2)
        for event in self.events:
            self.process_now(event)
        self.runner.resume()


async def test_what_was_seen_before_a_pause_is_not_sent_on(journal: Journal, time: Time) -> None:
    org = PausedWhileLooking(time, method=replace(METHOD, first_alone=True))
    error = org.fail(1)
    org.events[error.id].broken = False
    org.runner = runner_for(org, journal, plan_for(org, [error]), time)
    events = await drive(org.runner)
    assert set(verdicts(events).values()) == {Verdict.ELSEWHERE}
    assert not org.reached


async def test_what_was_seen_while_the_journal_took_the_plan_is_not_sent_on_after_a_pause(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time)
    error = org.fail(1)
    org.events[error.id].broken = False
    runner = runner_for(org, journal, plan_for(org, [error]), time)

    def somebody_else_re_syncs() -> None:
        time.now += timedelta(seconds=1)
        org.process_now(error.id)
        runner.resume()

    def pause(event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            runner.pause()
            asyncio.get_running_loop().call_later(0.05, somebody_else_re_syncs)

    events = await drive(runner, pause)
    assert set(verdicts(events).values()) == {Verdict.ELSEWHERE}
    assert not org.reached


async def test_a_pause_that_cannot_be_written_down_stops_the_run(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, method=replace(METHOD, concurrency=1))
    runner = runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(40)], parents={}), time)

    def on(event: RunEvent) -> None:
        if isinstance(event, BatchSent) and runner.failure is None:
            journal.read("PRAGMA query_only = 1")
            runner.pause()
            runner.cancel()

    events = await drive(runner, on)
    assert isinstance(runner.failure, MachineError)
    assert ending(events).how == "stopped"
    assert len(org.reached) == 4
    assert ending(events).counts.ended == 40


@pytest.mark.parametrize("pressed", [True, False])
async def test_guided_names_the_rows_and_waits_for_the_person(
    journal: Journal, time: Time, *, pressed: bool
) -> None:
    method = replace(METHOD, name="guided", guided=True, address="https://acme.example/tool")
    org = LyingOrg(time, method=method)
    errors = [org.fail(n) for n in range(7)]
    runner = runner_for(org, journal, plan_for(org, errors), time)
    asked: list[AskPerson] = []

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            asked.append(event)
            assert len(journal.read("SELECT * FROM intents")) == 7, "the intent stands before the person acts"
            if pressed:
                for error in event.errors:
                    org.first_asked[error.id] = org.now_true()
                    org._queue(error.id)
            runner.answer(pressed=pressed)

    events = await drive(runner, on)
    assert [error.id for error in asked[0].errors] == [error.id for error in errors]
    assert asked[0].address == "https://acme.example/tool"
    assert org.reached == {}, "the tool itself sent nothing"
    counts = ending(events).counts
    assert (counts.fixed, counts.not_sent) == ((7, 0) if pressed else (0, 7))


# -- proof over time


async def test_patience_outlasts_two_minutes_of_silence_and_asks_seldom(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(delay=125.0, delay_at_least=120.0, lag=20.0))
    events = await drive(runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(4)]), time))
    assert ending(events).counts.fixed == 4
    assert org.calls < 40
    waits = [event.seconds for event in events if isinstance(event, Waiting)]
    assert waits[:4] == sorted(waits[:4])


async def test_patience_ends_as_unknown_and_nothing_is_sent_again(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(delay=900.0, delay_at_least=800.0))
    error = org.fail(1)
    events = await drive(runner_for(org, journal, plan_for(org, [error]), time))
    assert verdicts(events) == {error.id: Verdict.UNKNOWN}
    assert time.now - org.first_asked[error.id] >= timedelta(seconds=180)
    assert org.reached == {error.id: 1}


async def test_an_impatient_plan_does_not_send_again_what_the_org_is_still_working_on(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time, Lies(delay=95.0, delay_at_least=90.0))
    error = org.fail(1)
    await drive(runner_for(org, journal, plan_for(org, [error], proof_timeout=5.0), time))
    assert org.reached == {error.id: 1}
    events = await drive(runner_for(org, journal, plan_for(org, [error], proof_timeout=5.0), time))
    assert org.reached == {error.id: 1}
    assert verdicts(events) == {error.id: Verdict.FIXED}


async def test_a_duplicate_error_tells_of_the_write_that_did_land(journal: Journal, time: Time) -> None:
    org = LyingOrg(time)
    error = org.fail(1)
    org._write(error, time.now - timedelta(hours=1))
    change = last_of_each(await drive(runner_for(org, journal, plan_for(org, [error]), time)))[error.id]
    assert change.verdict is Verdict.NEW_CAUSE
    assert "the write did land" in change.reason
    assert change.error is not None
    assert change.error.code == "DUPLICATE_VALUE"


async def test_twins_are_loud(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(twin=1.0))
    error = org.fail(1)
    events = await drive(runner_for(org, journal, plan_for(org, [error]), time))
    assert verdicts(events) == {error.id: Verdict.TWIN}
    assert "TWIN" in ending(events).summary
    assert not ending(events).counts.all_fixed


async def test_a_delete_is_proven_by_absence(journal: Journal, time: Time) -> None:
    org = LyingOrg(time)
    error = org.fail(1, kind=EventType.DELETE)
    events = await drive(runner_for(org, journal, plan_for(org, [error]), time))
    assert verdicts(events) == {error.id: Verdict.FIXED}


class Forbidden(LyingOrg):
    async def find_records(
        self, object_name: str, storeconnect_ids: Sequence[str]
    ) -> Mapping[str, tuple[RecordSeen, ...]]:
        if object_name == "s_c__Payment__c":
            raise RefusedError("No access to payments")
        return await super().find_records(object_name, storeconnect_ids)


async def test_records_that_may_not_be_read_leave_only_their_own_rows_unknown(
    journal: Journal, time: Time
) -> None:
    org = Forbidden(time)
    hidden, open_ = org.fail(1, "s_c__Payment__c"), org.fail(2)
    events = await drive(runner_for(org, journal, plan_for(org, [hidden, open_], parents={}), time))
    assert verdicts(events) == {hidden.id: Verdict.UNKNOWN, open_.id: Verdict.FIXED}
    assert "No access to payments" in last_of_each(events)[hidden.id].reason


# -- progress


class Punctual(LyingOrg):
    """Each request takes a second of the clock."""

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        self.time.now += timedelta(seconds=1)
        return await super().request_resync(errors, leaving)


async def test_a_wait_says_since_when_and_until_when(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(delay=100.0, delay_at_least=90.0))
    events = await drive(runner_for(org, journal, plan_for(org, [org.fail(1)]), time))
    waits = [event for event in events if isinstance(event, Waiting)]
    assert {(event.kind, event.rows, event.since) for event in waits} == {(WaitKind.PROOF, 1, START)}
    assert {event.until for event in waits} == {START + timedelta(seconds=180)}


async def test_a_wait_for_an_earlier_request_is_announced_at_once_with_its_end(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time, Lies(lost_request=1.0))
    error = org.fail(1)
    await drive(runner_for(org, journal, plan_for(org, [error], proof_timeout=8.0), time))
    calls = org.calls
    seen_at: list[int] = []

    def on(event: RunEvent) -> None:
        if isinstance(event, Waiting):
            seen_at.append(org.calls)

    events = await drive(runner_for(org, journal, plan_for(org, [error], proof_timeout=8.0), time), on)
    first = next(event for event in events if isinstance(event, Waiting))
    assert (first.kind, first.rows, first.seconds) == (WaitKind.EARLIER, 1, 0.0)
    assert first.since == START
    assert first.until == START + timedelta(seconds=180)
    assert seen_at[0] - calls <= 2, "only the org's clock was asked before"


async def test_time_left_and_estimate_learn_from_measured_waves(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(delay=60.0, delay_at_least=50.0), method=replace(METHOD, batch_size=200))
    errors = [org.fail(n) for n in range(40)]
    before = plan_for(org, errors, parents={})
    assert before.expected_seconds is None, "nothing was measured yet"
    assert "about 5 calls; how long is known once" in before.cost
    await drive(runner_for(org, journal, before, time))
    (learned,) = History(journal).wave_times("apex")
    assert learned[0] == 40
    assert 50 <= learned[1] <= 80
    more = [org.fail(n) for n in range(100, 131)]
    links = {error.id: frozenset((more[0].id,)) for error in more[1:]}
    plan = plan_for(org, more, parents=links).estimated(History(journal).wave_times("apex"))
    assert 100 <= (plan.expected_seconds or 0) <= 160
    assert re.fullmatch(r"about \d+ calls and [23] min", plan.cost)
    events = await drive(runner_for(org, journal, plan, time))
    left = [e.eta_seconds for e in events if isinstance(e, Progress) and e.eta_seconds is not None]
    assert left
    assert all(seconds <= 80 for seconds in left), "one wave was left when the first time left was told"


async def test_a_wave_that_ends_unknown_teaches_nothing(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(forgotten=1.0))
    await drive(runner_for(org, journal, plan_for(org, [org.fail(1)]), time))
    assert History(journal).wave_times("apex") == []


async def test_progress_counts_every_row_and_tells_the_real_rate(journal: Journal, time: Time) -> None:
    org = Punctual(time, method=replace(METHOD, concurrency=1, batch_size=5))
    events = await drive(
        runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(50)], parents={}), time)
    )
    steps = [event for event in events if isinstance(event, Progress)]
    for step in steps:
        c = step.counts
        outcomes = sum(getattr(c, verdict.count_name) for verdict in Verdict) + c.not_sent
        assert c.queued + c.sent + c.waiting + outcomes == c.planned == 50
        assert c.ended == outcomes
    assert steps[-1].counts.fixed == 50


async def test_no_time_left_is_told_before_a_wave_is_proven(journal: Journal, time: Time) -> None:
    org = Punctual(time, method=replace(METHOD, concurrency=1, batch_size=5))
    plan = plan_for(org, [org.fail(n) for n in range(50)], parents={}, canary=True)
    events = await drive(runner_for(org, journal, plan, time))
    proven = next(n for n, event in enumerate(events) if isinstance(event, WaveProven))
    begun = next(event for event in events if isinstance(event, WaveProven))
    assert begun.number == 1
    before = [e.eta_seconds for e in events[: proven - 1] if isinstance(e, Progress)]
    after = [e.eta_seconds for e in events[proven - 1 :] if isinstance(e, Progress)]
    assert before == [None] * len(before)
    known = [seconds for seconds in after if seconds is not None]
    assert known
    assert min(known) >= 0
    assert after[-1] is None


# -- two runs, and interrupted ones


async def test_a_second_run_in_this_program_leaves_held_rows_alone(journal: Journal, time: Time) -> None:
    org = LyingOrg(time)
    errors = [org.fail(n) for n in range(4)]
    first = runner_for(org, journal, plan_for(org, errors[:2]), time)
    async with aclosing(first.run()) as events:
        await anext(events)
        first.pause()  # it must not be done before the others ask
        second_run = await drive(runner_for(org, journal, plan_for(org, errors[1:]), time))
        assert "being re-synced by" in last_of_each(second_run)[errors[1].id].reason
        with pytest.raises(RefusedError, match="All of these rows"):
            await drive(runner_for(org, journal, plan_for(org, errors[:1]), time))
        first.resume()
        async for _ in events:
            pass
    assert set(org.reached.values()) == {1}


async def _interrupted(org: LyingOrg, journal: Journal, time: Time, rows: int) -> Runner:
    """A run whose iterator was closed right after its first request had reached the org."""
    runner = runner_for(org, journal, plan_for(org, [org.fail(n) for n in range(rows)], parents={}), time)
    async with aclosing(runner.run()) as events:
        async for _ in events:
            if org.reached:
                break
    return runner


async def test_resume_check_sends_nothing(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(delay=30.0), method=replace(METHOD, concurrency=1))
    runner = await _interrupted(org, journal, time, 20)
    (unfinished,) = History(journal).unfinished()
    assert unfinished.summary == "20 planned, 0 proven, 4 sent with unknown outcome, 16 not sent"
    before = dict(org.reached)
    events = await drive(
        runner_for(org, journal, runner.plan, time, resume=runner.run_id, mode=ResumeMode.CHECK)
    )
    assert org.reached == before
    assert ending(events).counts.fixed == 4
    assert ending(events).counts.not_sent == 16
    assert History(journal).unfinished() == ()


async def test_resume_drop_neither_reads_nor_sends(journal: Journal, time: Time) -> None:
    org = LyingOrg(time, Lies(delay=30.0), method=replace(METHOD, concurrency=1))
    runner = await _interrupted(org, journal, time, 20)
    calls = org.calls
    events = await drive(
        runner_for(org, journal, runner.plan, time, resume=runner.run_id, mode=ResumeMode.DROP)
    )
    assert org.calls == calls
    assert ending(events).counts.unknown == 4
    assert ending(events).how == "dropped"
    assert History(journal).unfinished() == ()


async def test_a_run_under_way_cannot_be_resumed(journal: Journal, time: Time) -> None:
    org = LyingOrg(time)
    runner = runner_for(org, journal, plan_for(org, [org.fail(1)]), time)
    async with aclosing(runner.run()) as events:
        await anext(events)
        with pytest.raises(RefusedError, match="still under way"):
            await drive(runner_for(org, journal, runner.plan, time, resume=runner.run_id))


async def test_another_org_is_refused(journal: Journal, time: Time) -> None:
    org = LyingOrg(time)
    plan = plan_for(org, [org.fail(1)])
    org.identity = replace(org.identity, org_id="00D000000000009AAA")
    with pytest.raises(RefusedError, match="This plan is for acme"):
        await drive(runner_for(org, journal, plan, time))
    assert org.calls == 0


async def test_what_the_org_accepted_and_forgot_is_not_sent_again_by_a_resume(
    journal: Journal, time: Time
) -> None:
    org = LyingOrg(time, Lies(forgotten=1.0))
    error = org.fail(1)
    runner = runner_for(org, journal, plan_for(org, [error]), time)
    async with aclosing(runner.run()) as events:
        async for event in events:
            if isinstance(event, Waiting):
                break
    resumed_run = await drive(runner_for(org, journal, runner.plan, time, resume=runner.run_id))
    assert verdicts(resumed_run) == {error.id: Verdict.UNKNOWN}
    assert org.reached == {error.id: 1}


async def test_one_lane_reads_the_next_rows_records_meanwhile_and_their_events_when_it_is_their_turn(
    journal: Journal, time: Time
) -> None:
    org = WatchedOrg(time, method=replace(METHOD, concurrency=1, batch_size=2))
    errors = [org.fail(n) for n in range(6)]
    events = await drive(runner_for(org, journal, plan_for(org, errors, parents={}), time))
    assert ending(events).counts.fixed == 6
    first, second, third = [errors[n].id for n in (0, 2, 4)]
    assert org.steps[:2] == [("events", first), ("records", first)] or org.steps[:2] == [
        ("records", first),
        ("events", first),
    ]
    sent = org.steps.index(("request", first))
    assert org.steps[sent + 1 : sent + 3] == [("records", second), ("answer", first)]
    assert org.steps.index(("events", second)) > org.steps.index(("answer", first))
    assert ("records", second) not in org.steps[sent + 2 :]
    assert org.steps.index(("request", third)) > org.steps.index(("answer", second))


class WatchedOrg(LyingOrg):
    """Writes down what it is asked until the last row was sent, by the first row of each question."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.steps: list[tuple[str, str]] = []
        self._keys: dict[str, str] = {}

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        self.steps.append(("events", ids[0]))
        return await super().read_events(ids)

    async def find_records(
        self, object_name: str, storeconnect_ids: Sequence[str]
    ) -> Mapping[str, tuple[RecordSeen, ...]]:
        self.steps.append(("records", self._keys[storeconnect_ids[0]]))
        return await super().find_records(object_name, storeconnect_ids)

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        self.steps.append(("request", errors[0].id))
        await asyncio.sleep(0.01)
        receipts = await super().request_resync(errors, leaving)
        self.steps.append(("answer", errors[0].id))
        return receipts

    def fail(self, *args: Any, **more: Any) -> SyncError:
        error = super().fail(*args, **more)
        self._keys[error.storeconnect_id] = error.id
        return error
