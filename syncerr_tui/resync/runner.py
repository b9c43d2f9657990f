"""A plan is carried out: wave by wave, each proven before the next. Yields what happens, knows no screen.

The order of the acts is the promise: claim, re-read, write the intent, send, write the outcome, re-read,
write the verdict. Whatever stops the program between two of them, the journal says where.

Long because a run is read from top to bottom: the order of its steps is what the promises rest on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from syncerr_tui.errors import MachineError, NotLoggedInError, RefusedError, SyncErrError
from syncerr_tui.journal.history import ENDINGS, History, RowRecord
from syncerr_tui.journal.journal import Journal, RowEnd, Who
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.resync import doubt, proof
from syncerr_tui.resync.book import Book
from syncerr_tui.resync.control import Control, OrgClock
from syncerr_tui.resync.events import (
    Braked,
    Paused,
    Progress,
    Resumed,
    RunEnded,
    RunEvent,
    RunStarted,
    Waiting,
    WaitKind,
    WaveProven,
    WaveStarted,
)
from syncerr_tui.resync.looking import Found, look_until_decided
from syncerr_tui.resync.org import EventSeen, Org
from syncerr_tui.resync.plan import Plan, PlannedRow, Wave
from syncerr_tui.resync.plan_file import check_method, check_org
from syncerr_tui.resync.proof import Attempt, Finding, SameCause
from syncerr_tui.resync.sender import Sender
from syncerr_tui.resync.verify import attempt_of
from syncerr_tui.resync.waves import RAMP, expected_seconds
from syncerr_tui.stopwatch import Instant, Stopwatch

_PROGRESS_EVERY = 0.25
"""Seconds."""


_WAITS = {
    WaitKind.PROOF: "{rows} wait for the org",
    WaitKind.EARLIER: "{rows} were sent before, and what became of them is not known yet",
}


class ResumeMode(StrEnum):
    """What to do with an interrupted run."""

    CONTINUE = "continue"
    CHECK = "check"
    """Re-read what was sent; send nothing."""
    DROP = "drop"
    """Close it as it is."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run needs to know besides its plan."""

    who: Who
    reason: str = ""
    """Why, in the person's words."""
    fingerprint: Callable[[SyncError], str] = proof.fingerprint
    same_cause: SameCause = proof.same_cause
    resume: str | None = None
    """Id of the interrupted run to go on with."""
    mode: ResumeMode = ResumeMode.CONTINUE
    again: frozenset[str] = frozenset()
    """Events whose last request has an unknown outcome, and that a person wants sent again all the same."""


_ANSWERED = {Verdict.STILL_FAILING, Verdict.NEW_CAUSE, Verdict.NOT_TRIED, Verdict.TWIN}
"""Verdicts after which the next row may show whether an unproven method works."""


class Runner:
    """One run of one plan. Use it once: iterate over `run()`.

    Args:
        org: The org, as the runner may see it.
        journal: That org's journal.
        plan: What to do.
        clock: This machine's time, aware.
        sleep: Waits for seconds; a test's returns at once.
        rng: For jitter.
        options: Who, why, and whether an interrupted run goes on.
        steady: Seconds that only run forward, for intervals; None where `clock` never jumps.
    """

    def __init__(
        self,
        org: Org,
        journal: Journal,
        plan: Plan,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        rng: Random,
        options: RunOptions,
        steady: Callable[[], float] | None = None,
    ) -> None:
        self.plan = plan
        self._org = org
        self._journal = journal
        self._clock = clock
        self._rng = rng
        self._options = options
        self._stopwatch = Stopwatch(clock, steady)
        self._control = Control(sleep)
        self._org_clock = OrgClock(org, self._stopwatch)
        self._usual = 0.0
        self._book: Book | None = None
        self._sender: Sender | None = None
        self._started = self._stopwatch.now()
        self._last_progress: Instant | None = None
        self._wave_begun: tuple[int, int, Instant] | None = None
        """The wave that is under way: its number, its rows, and since when."""
        self._measured: list[tuple[int, float]] = []
        """Rows and seconds of this run's proven waves, the latest first."""
        self._measured_before: list[tuple[int, float]] = []
        """The same of earlier runs."""
        self._processed: set[str] = set()
        """Events that the org has worked on after a request of this run, as re-reading showed."""
        self.failure: SyncErrError | None = None
        """What stopped the run, where something did: for the exit code. Set before `RunEnded`."""

    @property
    def run_id(self) -> str | None:
        """Id in the journal, once the run has started."""
        return self._book.run if self._book else None

    # -- for the front end

    async def run(self) -> AsyncGenerator[RunEvent, None]:
        """Carry the plan out; yields what happens, `RunEnded` last.

        Closing the iterator stops at once: what was in flight stays in the journal as unknown.

        Raises:
            RefusedError: Another org or method, or other runs hold all rows. Nothing was sent.
            MachineError: The journal cannot be written. Nothing was sent.
        """
        check_org(self.plan, self._org.identity)
        if self._options.mode is ResumeMode.CONTINUE:
            check_method(self.plan, self._org.method)
        told = self._control.told
        book = self._book = self._open_book()
        self._sender = Sender(
            self._org,
            self.plan,
            self._journal,
            book,
            self._control,
            self._org_clock,
            stopwatch=self._stopwatch,
            doubt=self._doubt_about,
            rng=self._rng,
            brake=lambda reason: self._brake(book, reason),
            moved=lambda: self._progress(book),
        )
        conducting = asyncio.ensure_future(self._conduct(book, self._sender))
        conducting.add_done_callback(lambda _: told.put_nowait(None))
        try:
            while (event := await told.get()) is not None:
                yield event
            await conducting
        finally:
            if not conducting.done():
                conducting.cancel()
            if book.run in self._journal.active:
                self._write(lambda: self._journal.release(book.run))

    def cancel(self) -> None:
        """Send nothing more; what is in flight is awaited and looked at once more."""
        self._control.cancel()
        self.answer(pressed=None)

    def pause(self) -> None:
        """Send nothing until `resume`; what is in flight goes on."""
        if self._book is not None and self._control.halt is None and not self._control.paused:
            run = self._book.run
            self._control.pause()
            self._control.tell(Paused())
            self._write(lambda: self._journal.mark(run, "paused"))

    def resume(self) -> None:
        """Go on sending."""
        if self._book is not None and self._control.paused:
            run = self._book.run
            self._write(lambda: self._journal.mark(run, "resumed"))
            self._control.unpause()
            self._control.tell(Resumed())

    def answer(self, *, pressed: bool | None) -> None:
        """Guided method: the person has (or has not) pressed Re-sync for what `AskPerson` named.

        None: nobody says. The button may have been pressed, so the outcome is unknown.
        """
        if self._sender is not None:
            self._sender.answer(pressed=pressed)

    def _write(self, line: Callable[[], None]) -> None:
        """Write to the journal outside the run's own course: where that fails, the run stops and says so."""
        try:
            line()
        except MachineError as problem:
            self._control.fail(problem)
            self.failure = self._control.failure

    # -- the run as a whole

    def _open_book(self) -> Book:
        options = self._options
        self._usual = doubt.usual_seconds(self._journal)
        self._measured_before = History(self._journal).wave_times(self.plan.method)
        if options.resume is None:
            begun = self._journal.begin(
                self.plan, who=options.who, reason=options.reason, fingerprint=options.fingerprint
            )
            book, held = Book(self.plan, self._journal, begun.run, self._control.tell), begun.held
            self._control.tell(RunStarted(begun.run, self.plan, resumed=False))
        else:
            records = History(self._journal).rows_of(options.resume)
            held = self._journal.adopt(options.resume, [r.error.id for r in records if not r.settled])
            book = Book(self.plan, self._journal, options.resume, self._control.tell)
            self._control.tell(RunStarted(options.resume, self.plan, resumed=True))
            for record in records:
                book.restore(record)
        if options.again and options.mode is ResumeMode.CONTINUE:
            known = self._open_attempts(book)
            self._journal.consent(book.run, sorted(known.keys() & options.again), os_user=options.who.os_user)
        for event, holder in held.items():
            book.leave_out([event], f"it is being re-synced by {holder}")
        return book

    async def _conduct(self, book: Book, sender: Sender) -> None:
        try:
            if self._options.mode is ResumeMode.DROP:
                self._control.stop("dropped", "dropped: it was not sent")
            else:
                await self._settle_open_attempts(book)
            if self._options.mode is ResumeMode.CHECK:
                self._control.stop("finished", "only checked: it was not sent")
            for wave in self._waves(book):
                if self.plan.ramp:
                    self._look_at_ramp(book, wave)
                if self._control.halt is None:
                    await self._wave(book, sender, wave)
        except SyncErrError as problem:
            self._control.fail(problem)
        self._close(book)

    def _close(self, book: Book) -> None:
        """Every row that is still open gets its outcome; the run ends."""
        how, reason = self._control.halt or ("finished", "it was not sent")
        unproven = "it was sent, and the run ended before it was proven"
        summary = ""
        try:
            if how == "cancelled":
                self._hold_back_the_hopeless(book)
            left = [row.error.id for row in book.open_rows()]
            book.end(
                [
                    RowEnd(e, Verdict.UNKNOWN, unproven) if book.asked(e) else RowEnd(e, None, reason)
                    for e in left
                ]
            )
            if how == "cancelled" and not left and not book.counts().unknown:
                how = "finished"  # there was nothing left to stop
            summary = _summary(book, how)
            self._journal.end(book.run, how, summary)
        except SyncErrError as problem:
            self._control.fail(problem)
            how = "stopped"
            summary = summary or _summary(book, how)
        self.failure = self._control.failure
        self._progress(book, now=True)
        self._control.tell(RunEnded(book.run, book.counts(), how, summary, self._clock()))

    def _hold_back_the_hopeless(self, book: Book) -> None:
        """Rows that a person's stop kept nothing from: their cause had failed before."""
        for wave in self.plan.waves:
            for event in wave.ids:
                cause = next((p for p in book.rows[event].parents if book.blocks(p)), None)
                if cause is not None and not book.ended(event) and not book.asked(event):
                    book.hold_back(event, cause)

    def _brake(self, book: Book, reason: str) -> None:
        if self._control.halt is None:
            self._control.stop("braked", f"the run braked: {reason}")
            self._control.tell(Braked(reason))
            self._journal.mark(book.run, "brake", reason)

    # -- what an earlier run left open

    async def _settle_open_attempts(self, book: Book) -> None:
        """Re-read rows whose last request has an unknown outcome, before anything may be sent again."""
        records = self._open_attempts(book)
        if not records:
            return
        now = await self._org.now()
        ages = {
            event: max((now - record.org_at).total_seconds(), 0.0) if record.org_at else 0.0
            for event, record in records.items()
        }
        attempts = [attempt_of(record) for record in records.values()]
        # Until the org has had its usual time an event looks untouched while the org is at it.
        sending = self._options.mode is ResumeMode.CONTINUE
        window = max(self._usual, self.plan.patience) if sending else self.plan.patience
        patience = window - min(ages.values())
        sent = min((r.sent_at for r in records.values() if r.sent_at), default=self._clock())
        async for decided in self._look(attempts, max(patience, 0.0), WaitKind.EARLIER, sent):
            over = [
                self._with_age(found, ages[found.attempt.error.id])
                for found in decided
                if self._is_over(book, records[found.attempt.error.id], found.finding)
            ]
            self._end(book, over)

    def _open_attempts(self, book: Book) -> dict[str, RowRecord]:
        """Requests whose outcome is unknown, for rows of this run that are open; lost journals included."""
        return doubt.sent_and_open(self._journal, [row.error for row in book.open_rows()])

    def _is_over(self, book: Book, record: RowRecord, finding: Finding) -> bool:
        """Whether what was found ends the row, or leaves it to be sent."""
        if self._options.mode is not ResumeMode.CONTINUE:
            return True
        if finding.verdict in {Verdict.STILL_FAILING, Verdict.NEW_CAUSE}:
            return record.run == book.run
        if finding.verdict is Verdict.UNKNOWN and finding.untouched:
            return record.error.id not in self._options.again
        return True

    def _with_age(self, found: Found, age: float) -> Found:
        """A row that stays unsent because its last request may still be at work says how old that is."""
        finding = found.finding
        if not (finding.verdict is Verdict.UNKNOWN and finding.untouched):
            return found
        reason = f"sent {doubt.age_words(age)} ago, {finding.reason}; sending it again may apply it twice"
        return replace(found, finding=replace(finding, reason=reason))

    def _doubt_about(self, seen: EventSeen, org_now: datetime) -> str:
        if seen.id in self._options.again:
            return ""
        return doubt.after_a_loss(self._journal, seen, org_now, self._usual)

    # -- one wave

    async def _wave(self, book: Book, sender: Sender, wave: Wave) -> None:
        ready = []
        for event in wave.ids:
            if book.ended(event):
                continue
            row = book.rows[event]
            unproven = next((p for p in row.parents if not book.proven(p)), None)
            if unproven is None:
                ready.append(row)
                continue
            book.hold_back(event, unproven)
        if not ready:
            return
        begun, self._control.was_paused = self._stopwatch.now(), self._control.paused
        self._wave_begun = (wave.number, len(ready), begun)
        self._control.tell(WaveStarted(wave.number, len(self.plan.waves), len(ready)))
        if self._org.method.guided:
            await sender.ask_person(ready, wave.number)
        else:
            await sender.send(ready, wave.number)
        async for decided in self._look(list(sender.attempts.values()), self.plan.patience):
            self._end(book, decided)
        self._measure(book, wave, ready, self._stopwatch.since(begun))
        self._progress(book, now=True)
        self._control.tell(WaveProven(wave.number, book.counts()))

    def _measure(self, book: Book, wave: Wave, rows: Sequence[PlannedRow], seconds: float) -> None:
        """Keep what a wave took, where it was the org's doing alone: no person, nothing given up."""
        self._wave_begun = None
        if self._control.halt is not None or self._control.was_paused or self._org.method.guided:
            return
        verdicts = [book.verdict(row.error.id) for row in rows]
        if None not in verdicts and Verdict.UNKNOWN not in verdicts:
            self._measured.insert(0, (len(rows), seconds))
            self._journal.wave(book.run, wave.number, len(rows), seconds)

    def _waves(self, book: Book) -> Iterator[Wave]:
        """The plan's waves. A method that has FIXED nothing yet takes one row at a time, until the org has
        shown that it works on what it is asked for.
        """
        first, *rest = self.plan.waves
        left = list(first.ids)
        if self._org.method.first_alone and not History(self._journal).has_fixed(self.plan.method):
            while left and self._control.halt is None:
                event = left.pop(0)
                yield replace(first, ids=(event,))
                if event in self._processed:
                    break
                if book.tried(event) and book.verdict(event) not in _ANSWERED:
                    why = book.reason(event)
                    self._brake(book, f"nothing shows that the call works. The first request: {why}")
        yield replace(first, ids=tuple(left))
        yield from rest

    def _look_at_ramp(self, book: Book, wave: Wave) -> None:
        """A ramp goes on only where all that was sent first is proven, in this start or an earlier one."""
        first = [event for w in self.plan.waves[: len(RAMP)] if w.number < wave.number for event in w.ids]
        for event in first:
            verdict = book.verdict(event)
            if verdict is not None and not book.proven(event):
                came = "the same cause came back" if verdict is Verdict.STILL_FAILING else f"{verdict}"
                self._brake(book, f"{came} on {book.rows[event].error.object} {event}, one of the first rows")
                return

    async def _look(
        self,
        attempts: Sequence[Attempt],
        patience: float,
        kind: WaitKind = WaitKind.PROOF,
        since: datetime | None = None,
    ) -> AsyncIterator[list[Found]]:
        begun = since or self._clock()

        def waiting(seconds: float, rows: int, left: float) -> Waiting:
            until = self._clock() + timedelta(seconds=left)
            return Waiting(seconds, _WAITS[kind].format(rows=rows), kind, rows, begun, until)

        async def wait(seconds: float, rows: int, left: float) -> bool:
            self._journal.heartbeat()
            return await self._control.wait(waiting(seconds, rows, left))

        if kind is WaitKind.EARLIER and patience > 0:
            self._control.tell(waiting(0.0, len(attempts), patience))
        looking = look_until_decided(
            self._org,
            attempts,
            patience=patience,
            wait=wait,
            same=self._options.same_cause,
            lanes=self.plan.lanes,
        )
        try:
            async for decided in looking:
                yield decided
        except (NotLoggedInError, RefusedError) as problem:
            self._control.fail(problem)

    def _end(self, book: Book, decided: Sequence[Found]) -> None:
        self._processed |= {f.attempt.error.id for f in decided if f.finding.processed}
        now = {f.attempt.error.id: f.finding.now for f in decided if f.finding.now is not None}
        book.end(
            [
                RowEnd(f.attempt.error.id, f.finding.verdict, f.finding.reason, f.finding.evidence)
                for f in decided
            ],
            now,
        )
        self._progress(book)

    # -- time, and how far it is

    def _progress(self, book: Book, *, now: bool = False) -> None:
        last = self._last_progress
        if not now and last is not None and self._stopwatch.since(last) < _PROGRESS_EVERY:
            return
        self._last_progress = self._stopwatch.now()
        self._control.tell(Progress(book.counts(), *self._speed(book, self._stopwatch.since(self._started))))

    def _speed(self, book: Book, seconds: float) -> tuple[float, float | None]:
        """Rows ended a second, and the seconds left."""
        counts = book.counts()
        if seconds <= 0 or counts.planned == counts.ended:
            return 0.0, None
        return counts.ended / seconds, self._seconds_left(book)

    def _seconds_left(self, book: Book) -> float | None:
        """From what measured waves took. None before this run has proven one, where a wave is larger than
        all that were measured, and once this wave takes longer: then only the org can tell.
        """
        if not self._measured:
            return None
        measured = [*self._measured, *self._measured_before]
        current, left = 0, 0.0
        if self._wave_begun is not None:
            current, rows, begun = self._wave_begun
            usual, gone = expected_seconds(rows, measured), self._stopwatch.since(begun)
            if usual is None or gone > usual:
                return None
            left = usual - gone
        for wave in self.plan.waves:
            rows = 0 if wave.number == current else sum(not book.ended(event) for event in wave.ids)
            usual = expected_seconds(rows, measured) if rows else 0.0
            if usual is None:
                return None
            left += usual
        return left


def _summary(book: Book, how: str) -> str:
    counts = book.counts()
    numbers = [(getattr(counts, verdict.count_name), verdict.phrase) for verdict in Verdict]
    numbers += [
        (book.held_back, "held back by their cause"),
        (counts.not_sent - book.held_back, "not sent"),
    ]
    parts = [f"{number} {phrase}" for number, phrase in numbers if number]
    ending = "" if how == "finished" else f" ({ENDINGS[how]})"
    return f"{counts.planned} planned: {', '.join(parts) or 'nothing to do'}{ending}"
