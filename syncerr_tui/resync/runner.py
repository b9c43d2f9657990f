"""A plan is carried out: wave by wave, each proven before the next. Yields what happens, knows no screen.

The order of the acts is the promise: claim, re-read, write the intent, send, write the outcome, re-read,
write the verdict. Whatever stops the program between two of them, the journal says where.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

from syncerr_tui.errors import MachineError, NotLoggedInError, RefusedError, SyncErrError
from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.journal.claims import BEAT_SECONDS, os_user
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal, Who
from syncerr_tui.model import Verdict
from syncerr_tui.resync import doubt
from syncerr_tui.resync.events import (
    Paused,
    Resumed,
    RunEnded,
    RunEvent,
    RunStarted,
    Waiting,
    WaitKind,
    WaveProven,
    WaveStarted,
)
from syncerr_tui.resync.guided import NOBODY_SAID, GuidedSender
from syncerr_tui.resync.org import Org
from syncerr_tui.resync.plan import Wave, check_method, check_org
from syncerr_tui.resync.proof import cause_key
from syncerr_tui.resync.run_state import ResumeMode, RunRequest, RunState
from syncerr_tui.resync.sender import Sender
from syncerr_tui.resync.verification import look_concurrency, look_until_decided
from syncerr_tui.stopwatch import Machine
from syncerr_tui.words import plural

_ANSWERED = {Verdict.STILL_FAILING, Verdict.NEW_CAUSE, Verdict.NOT_TRIED, Verdict.TWIN}
"""Verdicts after which the next row may show whether an unproven method works."""

FREEZE_EVERY = 10_000
"""Events: what so many leave behind is gone through for garbage in some 20 ms, while no key is read."""

_WAITS = {
    WaitKind.PROOF: "waiting for the org",
    WaitKind.EARLIER: "sent before, outcome unknown",
    WaitKind.SHOWN: "shown before, read again",
}


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
        machine, identity = machine or Machine(journal.now), org.identity
        self.plan = request.plan
        self._org = org
        self._journal = journal
        self._request = request
        self._who = who or Who(os_user(), identity.username, identity.environment.value)
        self._clock = machine.clock
        self._state = RunState(request, journal, machine)
        self._sender = Sender(org, self._state)
        self._in_doubt: Mapping[str, Attempt] | None = None
        """Of a new run: its rows whose last request was open when it claimed them. Nobody else has sent one
        of them since.
        """

    # -- for the front end

    @cached_property
    def person(self) -> GuidedSender:
        """Guided method: takes what the person says of single rows."""
        return GuidedSender(self._org, self._state, self._sender, self._who.os_user)

    @property
    def run_id(self) -> str | None:
        """Id in the journal, once the run has started."""
        return self._state.run or None

    @property
    def failure(self) -> SyncErrError | None:
        """What stopped the run, where something did: for the exit code. Set before `RunEnded`."""
        return self._state.failure

    async def run(self) -> AsyncGenerator[RunEvent, None]:
        """Carry the plan out; yields what happens, `RunEnded` last.

        Closing the iterator stops at once: what was in flight stays in the journal as unknown.

        Raises:
            RefusedError: Another org or method, or other runs hold all rows. Nothing was sent.
            MachineError: The journal cannot be written. Nothing was sent.
        """
        check_org(self.plan, self._org.identity)
        if self._request.mode is ResumeMode.CONTINUE:
            check_method(self.plan, self._org.method)
        gc.freeze()  # there is no garbage in a plan, and looking for it would hold up the keys
        state = self._state
        conducting: asyncio.Task[None] | None = None
        beside = [asyncio.ensure_future(self._beat())]
        claimed: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()
        if self._request.mode is ResumeMode.CONTINUE:  # while the journal takes the plan
            beside.append(asyncio.ensure_future(self._sender.ask_the_time()))
            if not (self._org.method.guided or self._org.method.first_alone):
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
            if state.run in self._journal.active:
                with suppress(MachineError):
                    self._journal.release(state.run)

    def cancel(self) -> None:
        """Send nothing more; what is in flight is awaited and looked at once more."""
        self._state.cancel()
        self.answer(pressed=None)

    def pause(self) -> None:
        """Send nothing until `resume`; what is in flight goes on."""
        state = self._state
        if state.run and state.halt is None and not state.paused:
            state.pause()
            state.tell(Paused())
            state.writer.put(lambda: self._journal.mark(state.run, "paused"), durable=True)

    def resume(self) -> None:
        state = self._state
        if state.run and state.paused:
            state.writer.put(lambda: self._journal.mark(state.run, "resumed"), durable=True)
            state.unpause()
            state.tell(Resumed())

    def answer(self, *, pressed: bool | None) -> None:
        """Guided method: the person has (or has not) pressed Re-sync for all that is not ticked.

        None: nobody says. The button may have been pressed, so the outcome is unknown.
        """
        if self._org.method.guided:
            self.person.answer(pressed=pressed)

    async def _beat(self) -> None:
        """Say that this process lives, also while the run is paused or a person is asked."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            if self._state.run:
                self._state.writer.put(self._journal.heartbeat)

    # -- the run as a whole

    async def _open(self, claimed: asyncio.Future[Mapping[str, str]]) -> None:
        """The run is in the journal, and its rows are ours.

        Args:
            claimed: Is told as soon as the rows of a new run are ours, where none of them must wait for what
                became of an earlier request.
        """
        request, state = self._request, self._state
        loop = asyncio.get_running_loop()

        def tell(elsewhere: Mapping[str, str]) -> None:
            if not claimed.done():
                claimed.set_result(elsewhere)

        def claim(elsewhere: Mapping[str, str]) -> None:
            self._in_doubt = doubt.sent_and_open(self._journal, [row.error for row in self.plan.rows])
            if not self._in_doubt:
                loop.call_soon_threadsafe(tell, elsewhere)

        elsewhere, earlier = await state.writer.call(lambda: self._open_journal(claim))
        state.tell(RunStarted(state.run, self.plan, resumed=request.resume is not None))
        for attempt in earlier:
            state.restore(attempt)
        if request.again and request.mode is ResumeMode.CONTINUE:
            open_attempts = await self._open_attempts()
            consented = sorted(open_attempts.keys() & request.again)
            await state.writer.call(
                lambda: self._journal.consent(state.run, consented, os_user=self._who.os_user)
            )
        state.skip({event: f"it is being re-synced by {holder}" for event, holder in elsewhere.items()})

    def _open_journal(
        self, claimed: Callable[[Mapping[str, str]], object]
    ) -> tuple[Mapping[str, str], tuple[Attempt, ...]]:
        """In the journal's thread: rows that others hold, and how far an interrupted run had come."""
        request, journal, state = self._request, self._journal, self._state
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
            if self._request.mode is ResumeMode.DROP:
                state.stop("dropped", "dropped: it was not sent")
            else:
                await self._settle_open_attempts()
            if self._request.mode is ResumeMode.CHECK:
                state.stop("finished", "only checked: it was not sent")
            async for wave in self._waves():
                if self.plan.canary:
                    self._look_at_canaries(wave)
                if state.halt is None:
                    await self._wave(wave)
        except SyncErrError as problem:
            state.fail(problem)
        await self._close()

    async def _close(self) -> None:
        """Every row that is still open gets its outcome; the run ends."""
        state = self._state
        how, reason = state.halt or ("finished", "it was not sent")
        unproven = "it was sent, and the run ended before it was proven"
        summary = ""
        try:
            if how == "cancelled":
                self._skip_rows_of_failed_causes()
            left = [state.attempts[row.error.id] for row in state.open_rows()]
            state.end(
                a.judged(Verdict.UNKNOWN, NOBODY_SAID if a.unticked else unproven)
                if state.asked(a.event)
                else a.not_sent(reason)
                for a in left
            )
            await state.writer.settled()
            if how == "cancelled" and not left and not state.counts().unknown:
                how = "finished"  # there was nothing left to stop
            summary = state.summary(how)
            ending = summary
            await state.writer.call(lambda: self._journal.end(state.run, how, ending))
        except SyncErrError as problem:
            state.fail(problem)
            how = "stopped"
            summary = summary or state.summary(how)
        state.progress(now=True)
        state.tell(RunEnded(state.run, state.counts(), how, summary))

    def _skip_rows_of_failed_causes(self) -> None:
        """Rows that a person's stop kept nothing from: their cause had failed before."""
        state = self._state
        causes: dict[str, str] = {}
        for wave in self.plan.waves:
            for event in wave.ids:
                parents = state.rows[event].parents
                cause = next((p for p in parents if p in causes or state.blocks(p)), None)
                if cause is not None and not state.ended(event) and not state.asked(event):
                    causes[event] = cause
        state.skip_for_cause(causes)

    # -- what an earlier run left open

    async def _settle_open_attempts(self) -> None:
        """Re-read rows whose last request has an unknown outcome, before anything may be sent again."""
        earlier = await self._open_attempts()
        if not earlier:
            return
        now = await self._org.now()
        ages = {event: doubt.age_of(attempt, self._clock(), now) for event, attempt in earlier.items()}
        # Until the org has had its usual time an event looks untouched while the org is at it.
        sending = self._request.mode is ResumeMode.CONTINUE
        window = max(self._state.usual_seconds if sending else 0.0, self.plan.proof_timeout)
        left = max(window - min(ages.values()), 0.0)
        since = min((a.sent_at for a in earlier.values() if a.sent_at), default=self._clock())
        shown = all(attempt.unticked for attempt in earlier.values())
        kind = WaitKind.SHOWN if shown else WaitKind.EARLIER
        async for decided in self._look(list(earlier.values()), left, kind, since):
            self._state.end(
                self._with_age(attempt, ages[attempt.event]) for attempt in decided if self._is_over(attempt)
            )
            self._state.progress()

    async def _open_attempts(self) -> dict[str, Attempt]:
        """Requests whose outcome is unknown, for rows of this run that are open; lost journals included."""
        if self._in_doubt is None:
            errors = [row.error for row in self._state.open_rows()]
            earlier = await self._state.writer.call(lambda: doubt.sent_and_open(self._journal, errors))
        else:
            earlier = {event: a for event, a in self._in_doubt.items() if not self._state.ended(event)}
        if not self._org.method.guided or self._request.mode is not ResumeMode.CONTINUE:
            return earlier
        # What this run has shown already is read again beside what it shows next.
        return {event: attempt for event, attempt in earlier.items() if attempt.run != self._state.run}

    def _is_over(self, earlier: Attempt) -> bool:
        """Whether what was found ends the row, or leaves it to be sent."""
        if self._request.mode is not ResumeMode.CONTINUE:
            return True
        if earlier.verdict in {Verdict.STILL_FAILING, Verdict.NEW_CAUSE}:
            return earlier.run == self._state.run
        if earlier.verdict is Verdict.UNKNOWN and earlier.untouched:
            return earlier.event not in self._request.again
        return True

    def _with_age(self, earlier: Attempt, age: float) -> Attempt:
        """A row that stays unsent because its last request may still be at work says how old that is."""
        if not (earlier.verdict is Verdict.UNKNOWN and earlier.untouched):
            return earlier
        sent = f"sent {doubt.age_words(age)} ago, {earlier.reason}"
        if earlier.unticked:
            sent = f"it was shown to be pressed, {NOBODY_SAID}, and the org shows no trace of it"
        reason = f"{sent}; sending it again may apply it twice"
        return replace(earlier, reason=reason)

    # -- one wave

    async def _wave(self, wave: Wave) -> None:
        state = self._state
        waiting = [event for event in wave.ids if not state.ended(event)]
        causes = {event: cause for event in waiting if (cause := state.unproven_cause(event)) is not None}
        state.skip_for_cause(causes)
        ready = [state.rows[event] for event in waiting if event not in causes]
        if not ready:
            return
        state.begin_wave(wave.number, len(ready))
        state.tell(WaveStarted(wave.number, len(self.plan.waves), len(ready)))
        guided = self._org.method.guided
        if guided:
            await self.person.ask(ready, wave.number)
        else:
            sent = await self._sender.send(ready, wave.number)
            async for decided in self._look(sent, self.plan.proof_timeout):
                state.end(decided)
                state.progress()
        state.end_wave((row.error.id for row in ready), measured=not guided)
        state.progress(now=True)
        state.tell(WaveProven(wave.number, state.counts()))

    async def _waves(self) -> AsyncIterator[Wave]:
        """The plan's waves. A method that has FIXED nothing yet takes one row at a time, until the org has
        shown that it works on what it is asked for.
        """
        first, *rest = self.plan.waves
        left = list(first.ids)
        state = self._state
        if self._org.method.first_alone and not await state.writer.call(
            lambda: History(self._journal).has_fixed(self.plan.method)
        ):
            while left and state.halt is None:
                event = left.pop(0)
                yield replace(first, ids=(event,))
                attempt = state.attempts[event]
                if state.ended(event) and attempt.processed:
                    break
                if attempt.attempts and state.verdict(event) not in _ANSWERED:
                    why = attempt.reason
                    state.abort(f"nothing shows that the call works. The first request: {why}")
        yield replace(first, ids=tuple(left))
        for wave in rest:
            yield wave

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

    async def _look(
        self,
        attempts: Sequence[Attempt],
        proof_timeout: float,
        kind: WaitKind = WaitKind.PROOF,
        since: datetime | None = None,
    ) -> AsyncIterator[list[Attempt]]:
        """Re-read the org until all of these are decided; every wait is told with its beginning and end."""
        begun = since or self._clock()

        def waiting(seconds: float, rows: int, left: float) -> Waiting:
            until = self._clock() + timedelta(seconds=left)
            what = _WAITS[kind]
            return Waiting(seconds, f"{plural(rows, 'row')} {what}", kind, rows, begun, until)

        async def wait(seconds: float, rows: int, left: float) -> bool:
            return await self._state.wait(waiting(seconds, rows, left))

        if kind is not WaitKind.PROOF and proof_timeout > 0:
            self._state.tell(waiting(0.0, len(attempts), proof_timeout))
        try:
            concurrency = look_concurrency(self._org.method, self.plan.concurrency)
            async for decided in look_until_decided(
                self._org, attempts, proof_timeout=proof_timeout, wait=wait, concurrency=concurrency
            ):
                yield decided
        except (NotLoggedInError, RefusedError) as problem:
            self._state.fail(problem)
