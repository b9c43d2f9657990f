"""Where a run and each of its rows stands, and what stops and holds it. First to the journal, then told.

The runner, the sender and the front end share one of these: nothing else of a run changes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from syncerr_tui.errors import SyncErrError
from syncerr_tui.journal.attempt import Attempt, OutcomeKind, Pressed
from syncerr_tui.journal.history import ENDINGS
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import EventSeen, RecordSeen, RowState, Verdict
from syncerr_tui.resync.events import (
    Braked,
    Counts,
    Paused,
    Progress,
    Resumed,
    RowChanged,
    RunEvent,
    Waiting,
)
from syncerr_tui.resync.journal_writer import JournalWriter
from syncerr_tui.resync.org import Org
from syncerr_tui.resync.plan import Plan, PlannedRow, expected_seconds
from syncerr_tui.stopwatch import Instant, Machine, Stopwatch

_ENDED = frozenset((RowState.NOT_SENT, *Verdict))
_SETTLED = frozenset(Verdict) - {Verdict.UNKNOWN}
_FAILURES_IN_A_ROW = 3
_PROGRESS_EVERY = 0.25
"""Seconds."""


class ResumeMode(StrEnum):
    """What to do with an interrupted run."""

    CONTINUE = "continue"
    CHECK = "check"
    """Re-read what was sent; send nothing."""
    DROP = "drop"
    """Close it as it is."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a person wants done."""

    plan: Plan
    """For an interrupted run, `plan_file.recorded_plan` gives it."""
    reason: str = ""
    """Why, in the person's words."""
    resume: str | None = None
    """Id of the interrupted run to go on with."""
    mode: ResumeMode = ResumeMode.CONTINUE
    again: frozenset[str] = frozenset()
    """Events whose last request has an unknown outcome, and that the person wants sent again all the same."""
    waits_for_word: bool = False
    """Guided method: rows that were shown before the run was interrupted, and that the org shows no trace of,
    wait for the person's word, instead of ending UNKNOWN."""


class RunState:
    """One run.

    Args:
        org: Where.
        request: What it does.
        journal: The org's journal.
        machine: Time, sleep and chance.
    """

    def __init__(self, org: Org, request: RunRequest, journal: Journal, machine: Machine) -> None:
        self.org = org
        self.request = request
        self.plan = plan = request.plan
        self.journal = journal
        self.writer = JournalWriter(journal, self.fail)
        """The way to the journal while the run is under way."""
        self.stopwatch = stopwatch = Stopwatch(machine.clock, machine.steady)
        self.machine = machine
        self.run = ""
        """Its id in the journal; empty until it is there."""
        self.rows = {row.error.id: row for row in plan.rows}
        self.attempts = {event: Attempt.of_row(row.error, row.wave) for event, row in self.rows.items()}
        self.usual_seconds = 0.0
        """What this org may take for a request."""
        self.events: asyncio.Queue[RunEvent | None] = asyncio.Queue()
        """What happened and is not told yet to whoever iterates over the run; None behind the last."""
        self.halt: tuple[str, str] | None = None
        """How the run ends early, and the reason that unsent rows get. Once set it stays."""
        self.failure: SyncErrError | None = None
        self.cancelled = asyncio.Event()
        self._may_go = asyncio.Event()
        self._may_go.set()
        self._standing: dict[str, RowState | Verdict] = dict.fromkeys(self.rows, RowState.QUEUED)
        """Where each row stands; of one that is done, its verdict."""
        self._counter: Counter[RowState | Verdict] = Counter(self._standing.values())
        self._skipped_for_cause: set[str] = set()
        self._started = stopwatch.now()
        self._last_progress: Instant | None = None
        self._wave: tuple[int, int, Instant] | None = None
        """The wave that is under way: its number, its rows, and since when."""
        self._failed_in_a_row = 0
        self.pauses = 0
        """How often the run was paused."""
        self._was_paused = False
        """A person has held that wave."""
        self._measured: list[tuple[int, float]] = []
        """Rows and seconds of this run's proven waves, the latest first."""
        self.measured_before: list[tuple[int, float]] = []
        """The same of earlier runs."""

    def tell(self, event: RunEvent) -> None:
        """To whoever iterates over the run."""
        self.events.put_nowait(event)

    # -- its rows

    def ended(self, event: str) -> bool:
        """It has an outcome in this run."""
        return self._standing[event] in _ENDED

    def proven(self, event: str) -> bool:
        """FIXED, or resolved elsewhere: what waits for it may go."""
        return self.ended(event) and self.attempts[event].proven

    def verdict(self, event: str) -> Verdict | None:
        """Its verdict in this run."""
        return self.attempts[event].verdict if self.ended(event) else None

    def asked(self, event: str) -> bool:
        """A request for it has left, or may have left, in this run."""
        attempt = self.attempts[event]
        return attempt.intent is not None and attempt.kind is not OutcomeKind.NOT_SENT

    def unproven_cause(self, event: str) -> str | None:
        """A row that must be proven before this one, and is not."""
        return next((p for p in self.rows[event].parents if not self.proven(p)), None)

    def blocks(self, event: str) -> bool:
        """Nothing that waits for it can go, whatever else happens in this run."""
        return event in self._skipped_for_cause or (
            self.verdict(event) is not None and not self.proven(event)
        )

    def open_rows(self) -> list[PlannedRow]:
        """Rows without an outcome, in the plan's order."""
        return [row for event, row in self.rows.items() if not self.ended(event)]

    def counts(self) -> Counts:
        """Where the rows stand."""
        return Counts(planned=len(self.rows), **{_count_name(k): n for k, n in self._counter.items() if n})

    def summary(self, how: str) -> str:
        """Where the rows stand, and how the run ended, in one line for the person."""
        counts, skipped = self.counts(), len(self._skipped_for_cause)
        numbers = [(counts.of(verdict), verdict.phrase) for verdict in Verdict]
        numbers += [(skipped, "held back by their cause"), (counts.not_sent - skipped, "not sent")]
        parts = [f"{number:,} {phrase}" for number, phrase in numbers if number]
        ending = "" if how == "finished" else f" ({ENDINGS[how]})"
        return f"{counts.planned:,} planned: {', '.join(parts) or 'nothing to do'}{ending}"

    def restore(self, attempt: Attempt) -> None:
        """Take over what an interrupted run had reached for a row; tells it, and journals nothing."""
        if attempt.settled:
            self._move(attempt, RowState.DONE)
        elif attempt.unknown:
            self.attempts[attempt.event] = attempt
        else:
            untried = self.attempts[attempt.event]
            self.attempts[attempt.event] = replace(untried, attempts=attempt.attempts)

    def next_attempt(
        self, row: PlannedRow, seen: EventSeen, before: tuple[RecordSeen, ...] | None, org_at: datetime
    ) -> Attempt:
        """A row that may be sent now.

        Args:
            row: The row.
            seen: Its event, as it is.
            before: Its records; None where they cannot be read.
            org_at: The org's time.
        """
        error = row.error
        if seen.error is not None and seen.error.processed_at != error.processed_at:
            error = replace(error, processed_at=seen.error.processed_at)
        number = self.attempts[error.id].attempts + 1
        planned = Attempt.of_row(error, row.wave)
        return planned.due(self.run, number, org_at=org_at, stamp=seen.modified_at, before=before)

    async def intend(
        self, attempts: Sequence[Attempt], org_now: Callable[[], datetime], *, asking: str = ""
    ) -> None:
        """Write down that these rows are about to be sent, as they were seen just before; tell so.

        Args:
            attempts: The rows.
            org_now: The org's time: what is written before the intent is, is not its doing.
            asking: Who is asked to send them, where a person does it.

        Raises:
            MachineError, RefusedError: Nothing may be sent.
        """

        def intend() -> list[Attempt]:
            at = org_now()
            due = [attempt.leaving(at) for attempt in attempts]
            numbers = self.journal.intend(self.run, due, asking=asking)
            return [attempt.numbered(numbers[attempt.event]) for attempt in due]

        for numbered in await self.writer.call(intend, rows=len(attempts)):
            if asking:
                self._move(numbered.with_press(Pressed.ASKED), RowState.ASKED)
            else:
                self._move(numbered, RowState.SENT)

    def record_press(self, events: Sequence[str], pressed: Pressed, *, os_user: str) -> None:
        """Have it written down what the person says of rows that they were asked to send; tell so."""
        attempts = [self.attempts[event].with_press(pressed) for event in events]
        self.writer.put(lambda: self.journal.record_press(attempts, pressed, os_user=os_user))
        self.show_asked(attempts)

    def show_asked(self, attempts: Iterable[Attempt]) -> None:
        """Tell where rows stand that a person was asked to send."""
        for attempt in attempts:
            ticked = attempt.pressed is Pressed.YES
            self._move(attempt, RowState.WAITING if ticked else RowState.ASKED)

    def answered(self, attempts: Sequence[Attempt]) -> None:
        """Have it written down how a request ended for its rows."""
        for attempt in attempts:
            unsent = attempt.kind is OutcomeKind.NOT_SENT
            self._move(attempt, RowState.QUEUED if unsent else RowState.WAITING, attempt.answer)
        self.writer.put(lambda: self.journal.outcomes(attempts), rows=len(attempts))

    def end(self, attempts: Iterable[Attempt]) -> None:
        """Have it written down how rows ended, and tell so. A row ends once.

        What was found about an earlier run's request ends the row in this run, with this run's own request.
        """
        ends = [self._own(attempt) for attempt in attempts if not self.ended(attempt.event)]
        if not ends:
            return
        self.writer.put(lambda: self.journal.finish_rows(self.run, ends), rows=len(ends))
        for attempt in ends:
            self._move(attempt, RowState.NOT_SENT if attempt.verdict is None else RowState.DONE)

    def _own(self, ended: Attempt) -> Attempt:
        own = self.attempts[ended.event]
        if ended.intent == own.intent and ended.attempts == own.attempts:
            return ended
        return replace(
            own,
            ended=True,
            verdict=ended.verdict,
            reason=ended.reason,
            evidence=ended.evidence,
            now=ended.now,
            untouched=ended.untouched,
        )

    def skip(self, reasons: Mapping[str, str]) -> None:
        """These rows are not sent: event -> why."""
        self.end([self.attempts[event].not_sent(reason) for event, reason in reasons.items()])

    def skip_for_cause(self, causes: Mapping[str, str]) -> None:
        """These rows are not sent: event -> its cause that is not proven."""
        self._skipped_for_cause.update(causes)
        self.end(
            [
                self.attempts[event].not_sent(
                    f"its cause {cause} is not proven ({self.verdict(cause) or 'not sent'})", cause
                )
                for event, cause in causes.items()
            ]
        )

    def skip_rows_of_failed_causes(self) -> None:
        """Rows that a person's stop kept nothing from: their cause had failed before."""
        causes: dict[str, str] = {}
        for wave in self.plan.waves:
            for event in wave.ids:
                parents = self.rows[event].parents
                cause = next((p for p in parents if p in causes or self.blocks(p)), None)
                if cause is not None and not self.ended(event) and not self.asked(event):
                    causes[event] = cause
        self.skip_for_cause(causes)

    def _move(self, attempt: Attempt, state: RowState, note: str = "") -> None:
        event, standing = attempt.event, attempt.verdict if state is RowState.DONE else state
        assert standing is not None
        self._counter[self._standing[event]] -= 1
        self._counter[standing] += 1
        self.attempts[event], self._standing[event] = attempt, standing
        self.tell(RowChanged(state, attempt, note))

    # -- stopping and holding it

    def stop(self, how: str, reason: str) -> None:
        """Send nothing more. The first reason stays."""
        if self.halt is None:
            self.halt = (how, reason)

    def fail(self, problem: SyncErrError) -> None:
        """Something is wrong that the next row would meet as well: send nothing more."""
        if self.failure is None:
            self.failure = problem
            self.tell(Braked(problem.line))
        self.stop("stopped", f"the run stopped: {problem.title}")

    def abort(self, reason: str) -> None:
        """What was sent shows that the rest had better not be."""
        if self.halt is None:
            self.stop("braked", f"the run stopped itself: {reason}")
            self.tell(Braked(reason))
            self.writer.put(lambda: self.journal.mark(self.run, "brake", reason), durable=True)

    def count_request(self, *, failed: bool) -> None:
        """Stop where requests fail one after the other."""
        self._failed_in_a_row = self._failed_in_a_row + 1 if failed else 0
        if self._failed_in_a_row >= _FAILURES_IN_A_ROW:
            self.abort(f"{_FAILURES_IN_A_ROW} requests in a row failed")

    def cancel(self) -> None:
        """A person wants out: nothing more is sent, nothing is waited for but what is in flight."""
        self.stop("cancelled", "stopped before it was sent")
        self.cancelled.set()
        self._may_go.set()

    @property
    def paused(self) -> bool:
        """Nothing is sent until `resume`."""
        return not self._may_go.is_set()

    @property
    def held(self) -> bool:
        """Paused, or over."""
        return self.paused or self.halt is not None

    def pause(self) -> None:
        """Hold every sender at its next request; what is in flight goes on."""
        if self.run and not self.held:
            self._was_paused = True
            self.pauses += 1
            self._may_go.clear()
            self.tell(Paused())
            self.writer.put(lambda: self.journal.mark(self.run, "paused"), durable=True)

    def resume(self) -> None:
        """Let them go on."""
        if self.run and self.paused:
            self.writer.put(lambda: self.journal.mark(self.run, "resumed"), durable=True)
            self._may_go.set()
            self.tell(Resumed())

    async def may_send(self) -> bool:
        """Wait while paused; False where nothing may be sent any more."""
        await self._may_go.wait()
        return self.halt is None

    async def wait(self, waiting: Waiting, *, or_until: asyncio.Event | None = None) -> bool:
        """Sleep; True where a person cancelled, and nothing is worth waiting for any more."""
        if not self.cancelled.is_set():
            self.tell(waiting)
            waits = [
                asyncio.ensure_future(_coroutine(self.machine.sleep(waiting.seconds))),
                asyncio.ensure_future(self.cancelled.wait()),
            ]
            if or_until is not None:
                waits.append(asyncio.ensure_future(or_until.wait()))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waits:
                    task.cancel()
        return self.cancelled.is_set()

    # -- how far it is

    def begin_wave(self, number: int, rows: int) -> None:
        """From now on this wave is measured."""
        self._wave = (number, rows, self.stopwatch.now())
        self._was_paused = self.paused

    def end_wave(self, events: Iterable[str], *, measured: bool) -> None:
        """Keep what a wave took, where it was the org's doing alone: no person, nothing given up."""
        assert self._wave is not None
        number, rows, begun = self._wave
        self._wave = None
        settled = {self._standing[event] for event in events} <= _SETTLED
        if measured and settled and self.halt is None and not self._was_paused:
            seconds = self.stopwatch.since(begun)
            self._measured.insert(0, (rows, seconds))
            self.writer.put(lambda: self.journal.wave(self.run, number, rows, seconds))

    def progress(self, *, now: bool = False) -> None:
        """Tell how far the run is; at most four times a second, where it is not asked for `now`."""
        last = self._last_progress
        if not now and last is not None and self.stopwatch.since(last) < _PROGRESS_EVERY:
            return
        self._last_progress = self.stopwatch.now()
        counts, seconds = self.counts(), self.stopwatch.since(self._started)
        if seconds <= 0 or counts.planned == counts.ended:
            self.tell(Progress(counts, None))
        else:
            self.tell(Progress(counts, self._seconds_left()))

    def _seconds_left(self) -> float | None:
        """From what measured waves took. None before this run has proven one, where a wave is larger than
        all that were measured, and once this wave takes longer: then only the org can tell.
        """
        if not self._measured:
            return None
        measured = [*self._measured, *self.measured_before]
        current, left = 0, 0.0
        if self._wave is not None:
            current, rows, begun = self._wave
            usual, passed = expected_seconds(rows, measured), self.stopwatch.since(begun)
            if usual is None or passed > usual:
                return None
            left = usual - passed
        for wave in self.plan.waves:
            rows = 0 if wave.number == current else sum(not self.ended(event) for event in wave.ids)
            usual = expected_seconds(rows, measured) if rows else 0.0
            if usual is None:
                return None
            left += usual
        return left


async def _coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable


def _count_name(standing: RowState | Verdict) -> str:
    """The field of `Counts` that a row is counted in."""
    return standing.count_name if isinstance(standing, Verdict) else standing.value.replace(" ", "_")
