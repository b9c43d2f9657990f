"""A plan is carried out: wave by wave, each proven before the next. Yields what happens, knows no screen.

The order of the acts is the promise, and they stand here in this order: claim (`_open`), re-read, write the
intent, send, write the outcome (`_send`), re-read, write the verdict (`_wave`). Whatever stops the program
between two of them, the journal says where.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial

from syncerr_tui.errors import (
    MachineError,
    NotLoggedInError,
    NotSentError,
    RefusedError,
    SyncErrError,
    UnreachableError,
)
from syncerr_tui.journal.attempt import Attempt, OutcomeKind
from syncerr_tui.journal.claims import BEAT_SECONDS, os_user
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal, Who
from syncerr_tui.model import Verdict
from syncerr_tui.resync import doubt
from syncerr_tui.resync.events import (
    BatchSent,
    RunEnded,
    RunEvent,
    RunStarted,
    Waiting,
    WaitKind,
    WaveProven,
    WaveStarted,
)
from syncerr_tui.resync.guided import GuidedSender
from syncerr_tui.resync.org import Org, Receipt
from syncerr_tui.resync.plan import PlannedRow, Wave, check_method, refuse_other_org
from syncerr_tui.resync.proof import cause_key
from syncerr_tui.resync.run_state import ResumeMode, RunRequest, RunState
from syncerr_tui.resync.sender import (
    CONNECTION_TRIES,
    LOCK_CODES,
    Batch,
    Departure,
    FreshLooks,
    Sender,
    by_identity,
)
from syncerr_tui.resync.verification import look_in_run
from syncerr_tui.stopwatch import Machine

_ANSWERED = {Verdict.STILL_FAILING, Verdict.NEW_CAUSE, Verdict.NOT_TRIED, Verdict.TWIN}
"""Verdicts after which the next row may show whether an unproven method works."""

FREEZE_EVERY = 10_000
"""Events: what so many leave behind is gone through for garbage in some 20 ms, while no key is read."""


class Runner:
    """One run. Use it once: iterate over `run()`.

    Args:
        org: The org, as the runner may see it.
        journal: That org's journal.
        request: What to do.
        who: Who acts; None: this machine's user, as the org's.
        machine: Time, sleep and chance; None: those of this machine, with the journal's time.
    """

    def __init__(
        self,
        org: Org,
        journal: Journal,
        request: RunRequest,
        *,
        who: Who | None = None,
        machine: Machine | None = None,
    ) -> None:
        identity = org.identity
        self.plan = request.plan
        self._who = who or Who(os_user(), identity.username, identity.environment.value)
        self._state = RunState(org, request, journal, machine or Machine(journal.now))
        self._doubts = doubt.RowsInDoubt(self._state)
        self._looks = FreshLooks(self._state)
        self._sender = Sender(self._state, self._looks)

    # -- for the front end

    @cached_property
    def person(self) -> GuidedSender:
        """Guided method: takes what the person says of single rows."""
        return GuidedSender(self._state, self._looks, self._who.os_user)

    @property
    def run_id(self) -> str | None:
        """Id in the journal, once the run has started."""
        return self._state.run or None

    @property
    def failure(self) -> SyncErrError | None:
        """What stopped the run, where something did: for the exit code. Set before `RunEnded`."""
        return self._state.failure

    def cancel(self) -> None:
        """Send nothing more; what is in flight is awaited and looked at once more."""
        self._state.cancel()
        self.answer(pressed=None)

    def pause(self) -> None:
        """Send nothing until `resume`; what is in flight goes on."""
        self._state.pause()

    def resume(self) -> None:
        self._state.resume()

    def answer(self, *, pressed: bool | None) -> None:
        """Guided method: the person has (or has not) pressed Re-sync for all that is not ticked.

        None: nobody says. The button may have been pressed, so the outcome is unknown.
        """
        if self._state.org.method.guided:
            self.person.answer(pressed=pressed)

    # -- the run as a whole

    async def run(self) -> AsyncGenerator[RunEvent, None]:
        """Carry the plan out; yields what happens, `RunEnded` last.

        Closing the iterator stops at once: what was in flight stays in the journal as unknown.

        Raises:
            RefusedError: Another org or method, or other runs hold all rows. Nothing was sent.
            MachineError: The journal cannot be written. Nothing was sent.
        """
        state = self._state
        refuse_other_org(self.plan, state.org.identity)
        if state.request.mode is ResumeMode.CONTINUE:
            check_method(self.plan, state.org.method)
        gc.freeze()  # there is no garbage in a plan, and looking for it would hold up the keys
        conducting: asyncio.Task[None] | None = None
        beside = [asyncio.ensure_future(self._beat())]
        claimed: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()
        if state.request.mode is ResumeMode.CONTINUE:  # while the journal takes the plan
            beside.append(asyncio.ensure_future(self._looks.ask_the_time()))
            if not (state.org.method.guided or state.org.method.first_alone):
                beside.append(asyncio.ensure_future(self._sender.look_early(claimed)))
        try:
            await self._open(claimed)
            conducting = asyncio.ensure_future(self._conduct())
            conducting.add_done_callback(lambda _: state.events.put_nowait(None))
            events = 0
            while (event := await state.events.get()) is not None:
                yield event
                events += 1
                if events % FREEZE_EVERY == 0:
                    gc.collect(1)
                    gc.freeze()  # nor in what the run keeps of its rows
            await conducting
        finally:
            for task in beside:
                task.cancel()
            if conducting is not None and not conducting.done():
                conducting.cancel()
            state.writer.close()
            if state.run in state.journal.active:
                with suppress(MachineError):
                    state.journal.release(state.run)

    async def _beat(self) -> None:
        """Say that this process lives, also while the run is paused or a person is asked."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            if self._state.run:
                self._state.writer.put(self._state.journal.heartbeat)

    async def _open(self, claimed: asyncio.Future[Mapping[str, str]]) -> None:
        """Claim: the run is in the journal, and its rows are ours.

        Args:
            claimed: Is told as soon as the rows of a new run are ours, where none of them must wait for what
                became of an earlier request.
        """
        state, request = self._state, self._state.request
        loop = asyncio.get_running_loop()

        def tell(elsewhere: Mapping[str, str]) -> None:
            if not claimed.done():
                claimed.set_result(elsewhere)

        def claim(elsewhere: Mapping[str, str]) -> None:
            if not self._doubts.claim():
                loop.call_soon_threadsafe(tell, elsewhere)

        elsewhere, earlier = await state.writer.call(lambda: self._open_journal(claim))
        state.tell(RunStarted(state.run, self.plan, resumed=request.resume is not None))
        for attempt in earlier:
            state.restore(attempt)
        if request.again and request.mode is ResumeMode.CONTINUE:
            open_attempts = await self._doubts.open_attempts()
            consented = sorted(open_attempts.keys() & request.again)
            await state.writer.call(
                lambda: state.journal.consent(state.run, consented, os_user=self._who.os_user)
            )
        state.skip({event: f"it is being re-synced by {holder}" for event, holder in elsewhere.items()})

    def _open_journal(
        self, claimed: Callable[[Mapping[str, str]], object]
    ) -> tuple[Mapping[str, str], tuple[Attempt, ...]]:
        """In the journal's thread: rows that others hold, and how far an interrupted run had come."""
        state = self._state
        request, journal = state.request, state.journal
        state.usual_seconds = doubt.usual_seconds(journal)
        state.measured_before = History(journal).wave_times(self.plan.method)
        if request.resume is None:
            begun = journal.begin(
                self.plan, who=self._who, reason=request.reason, fingerprint=cause_key, claimed=claimed
            )
            state.run = begun.run
            return begun.held, ()
        earlier = History(journal).rows_of(request.resume)
        elsewhere = journal.adopt(request.resume, [a.event for a in earlier if not a.settled])
        state.run = request.resume
        return elsewhere, earlier

    async def _conduct(self) -> None:
        state = self._state
        try:
            if state.request.mode is ResumeMode.DROP:
                state.stop("dropped", "dropped: it was not sent")
            else:
                await self._doubts.settle()
            if state.request.mode is ResumeMode.CHECK:
                state.stop("finished", "only checked: it was not sent")
            async for wave, alone in self._waves():
                if self.plan.canary:
                    self._look_at_canaries(wave)
                if state.halt is None:
                    await self._wave(wave, alone=alone)
        except SyncErrError as problem:
            state.fail(problem)
        await self._close()

    async def _waves(self) -> AsyncIterator[tuple[Wave, bool]]:
        """The plan's waves, and whether it is a row of one that goes before the others.

        A method that has FIXED nothing yet takes one row at a time, until the org has shown that it works on
        what it is asked for.
        """
        first, *rest = self.plan.waves
        left = list(first.ids)
        state = self._state
        if state.org.method.first_alone and not await state.writer.call(
            lambda: History(state.journal).has_fixed(self.plan.method)
        ):
            while left and state.halt is None:
                event = left.pop(0)
                yield replace(first, ids=(event,)), bool(left)
                attempt = state.attempts[event]
                if state.ended(event) and attempt.processed:
                    break
                if attempt.attempts and state.verdict(event) not in _ANSWERED:
                    why = attempt.reason
                    state.abort(f"nothing shows that the call works. The first request: {why}")
        yield replace(first, ids=tuple(left)), False
        for wave in rest:
            yield wave, False

    def _look_at_canaries(self, wave: Wave) -> None:
        """The rest goes only where all that was sent first is proven, in this start or an earlier one."""
        state = self._state
        canaries = (w for w in self.plan.waves if w.number < wave.number and self.plan.is_canary(w))
        for earlier in canaries:
            for event in earlier.ids:
                verdict = state.verdict(event)
                if verdict is not None and not state.proven(event):
                    came = "the same cause came back" if verdict is Verdict.STILL_FAILING else f"{verdict}"
                    which = f"{state.rows[event].error.object} {event}"
                    state.abort(f"{came} on {which}, one of the first rows")
                    return

    async def _wave(self, wave: Wave, *, alone: bool) -> None:
        """Its rows are sent, request by request; then re-read until each has its verdict."""
        state = self._state
        waiting = [event for event in wave.ids if not state.ended(event)]
        causes = {event: cause for event in waiting if (cause := state.unproven_cause(event)) is not None}
        state.skip_for_cause(causes)
        ready = [state.rows[event] for event in waiting if event not in causes]
        if not ready:
            return
        state.begin_wave(wave.number, len(ready))
        state.tell(WaveStarted(wave.number, len(self.plan.waves), len(ready), alone))
        guided = state.org.method.guided
        if guided:
            await self.person.ask(ready, wave.number)
        else:
            sent = await self._sender.send(ready, partial(self._send, wave.number))
            async for decided in look_in_run(state, sent, self.plan.proof_timeout):
                state.end(decided)
                state.progress()
        state.end_wave((row.error.id for row in ready), measured=not guided)
        state.progress(now=True)
        state.tell(WaveProven(wave.number, state.counts()))

    # -- one request

    async def _send(self, wave: int, rows: Batch, tries: int, following: Sequence[PlannedRow]) -> Batch:
        """Re-read, write the intent, send, write the outcome. Gives the rows that met a lock.

        Only a request that certainly never reached the org is made again.
        """
        state, trouble = self._state, ""
        for attempt in range(CONNECTION_TRIES):
            if attempt:
                delay = state.machine.rng.random() * 2**attempt
                await state.wait(Waiting(delay, "the request is given time", WaitKind.CONNECTION))
            if not await state.may_send():
                return []
            try:
                due, looked_at = await self._looks.first(rows, met_lock=tries > 1)
            except (UnreachableError, NotSentError) as problem:
                trouble = problem.title
                continue
            rows = [state.rows[attempt.event] for attempt in due]
            if not rows or state.halt is not None:
                return []
            await state.intend(due, self._looks.org_now)
            if state.held:  # since the rows were looked at
                self._not_sent(rows, "the run was held before the request left")
                return await self._send(wave, rows, tries, following)
            state.tell(BatchSent(wave, tuple(row.error.id for row in rows), tries))
            leaving = Departure(state.stopwatch, looked_at, self._looks.org_now)
            try:
                leaving()
                self._looks.ahead(following)
                receipts = await state.org.request_resync([row.error for row in rows], leaving)
            except NotSentError as problem:
                trouble = problem.title
                self._not_sent(rows, trouble)
                continue
            except (NotLoggedInError, RefusedError) as problem:
                self._not_sent(rows, problem.title)
                raise
            except SyncErrError as problem:  # it left, and what became of it only the org knows
                await self._register(rows, leaving.at, (), problem.title)
                return []
            return await self._register(rows, leaving.at, receipts, "no answer for this row")
        state.skip(dict.fromkeys((r.error.id for r in rows), f"it never reached the org: {trouble}"))
        state.count_request(failed=True)
        return []

    async def _register(
        self, rows: Batch, left_at: datetime, receipts: Sequence[Receipt], silence: str
    ) -> Batch:
        """Write down what the org answered, row by row; gives the rows that met a lock."""
        state = self._state
        receipt_of = by_identity([row.error.id for row in rows], receipts)
        attempts: list[Attempt] = []
        for row in rows:
            receipt, attempt = receipt_of[row.error.id], state.attempts[row.error.id].leaving(left_at)
            if receipt is None:
                attempts.append(attempt.answered(OutcomeKind.UNKNOWN, silence))
            elif receipt.accepted:
                attempts.append(attempt.answered(OutcomeKind.ACCEPTED))
            else:
                refused = attempt.answered(OutcomeKind.REFUSED, receipt.reason, receipt.code)
                attempts.append(refused)
        state.answered(attempts)
        if any(attempt.refusal for attempt in attempts):
            marked = await state.writer.call(
                lambda: doubt.mark_earlier(state.journal, attempts), durable=False
            )
            state.attempts.update((a.event, a) for a in marked)
        locked = [row for row, attempt in zip(rows, attempts, strict=True) if attempt.code in LOCK_CODES]
        some_accepted = any(attempt.kind is OutcomeKind.ACCEPTED for attempt in attempts)
        state.count_request(failed=not some_accepted and not locked)
        state.progress()
        return locked

    def _not_sent(self, rows: Batch, reason: str) -> None:
        attempts = [self._state.attempts[row.error.id] for row in rows]
        self._state.answered([a.answered(OutcomeKind.NOT_SENT, reason) for a in attempts])

    # -- its end

    async def _close(self) -> None:
        """Every row that is still open gets its outcome; the run ends."""
        state = self._state
        how, reason = state.halt or ("finished", "it was not sent")
        unproven = "it was sent, and the run ended before it was proven"
        summary = ""
        try:
            if how == "cancelled":
                state.skip_rows_of_failed_causes()
            left = [state.attempts[row.error.id] for row in state.open_rows()]
            state.end(
                a.judged(Verdict.UNKNOWN, doubt.NOBODY_SAID if a.unticked else unproven)
                if state.asked(a.event)
                else a.not_sent(reason)
                for a in left
            )
            await state.writer.settled()
            if how == "cancelled" and not left and not state.counts().unknown:
                how = "finished"  # there was nothing left to stop
            summary = state.summary(how)
            ending = summary
            await state.writer.call(lambda: state.journal.end(state.run, how, ending))
        except SyncErrError as problem:
            state.fail(problem)
            how = "stopped"
            summary = summary or state.summary(how)
        state.progress(now=True)
        state.tell(RunEnded(state.run, state.counts(), how, summary))
