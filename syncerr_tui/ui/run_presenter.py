"""What a run looks like: events in, row marks and two lines of text out. No widget, no org."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from syncerr_tui.model import RowState, SyncError, Verdict
from syncerr_tui.resync.events import (
    AskPerson,
    BatchSent,
    Braked,
    Counts,
    Paused,
    Progress,
    Resumed,
    RowChanged,
    RunEnded,
    RunEvent,
    RunStarted,
    Waiting,
    WaitKind,
    WaveStarted,
)
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.ui.widgets.table import RowMark, Tone
from syncerr_tui.words import clock_time, duration, naming, plural

_STATES: Mapping[RowState, RowMark] = {
    RowState.QUEUED: RowMark("queued", Tone.QUIET),
    RowState.ASKED: RowMark("to press", Tone.BUSY),
    RowState.SENT: RowMark("sent", Tone.BUSY),
    RowState.WAITING: RowMark("waiting", Tone.BUSY),
    RowState.NOT_SENT: RowMark("not sent", Tone.QUIET),
}
_IN_DOUBT = RowMark("pressed?", Tone.BAD)
"""Shown before the run was interrupted: not to be pressed before the person says that it was not."""
_SIZES = ((12, False, True), (12, True, True), (6, True, True), (0, True, True), (0, True, False))
"""Cells of the bar, whether the words are short, whether the wave is told: the first that fits is shown."""
_ENDLESS = 10_000


class RunPresenter:
    """The state of one run as far as the screen tells it.

    Args:
        key_of: The key that asks for an action, as a person reads it.
    """

    def __init__(self, key_of: Callable[[str], str]) -> None:
        self._key_of = key_of
        self.marks: dict[str, RowMark] = {}
        self.reasons: dict[str, str] = {}
        """Row -> the reason for its state or verdict."""
        self.newer: dict[str, SyncError] = {}
        """Rows as the org shows them after their re-sync, where they still fail."""
        self.left: set[str] = set()
        self.fixed: set[str] = set()
        """Rows that are proven fixed, or were resolved elsewhere."""
        self.unproven: set[str] = set()
        """Rows that this run sent and that are not proven: TWIN, UNKNOWN, or failing still."""
        self.freed = 0
        """Errors that waited for rows that are proven now."""
        self.counts = Counts()
        self.ended: RunEnded | None = None
        self.paused = False
        self._in_doubt: frozenset[str] = frozenset()
        self._names: dict[str, SyncError] = {}
        """Events of the plan, for reasons that speak of them by id."""
        self._eta: float | None = None
        self._wave = ""
        self._note = ""
        self._waiting: Waiting | None = None
        """Since when the rows of this wave wait for the org, and until when."""
        self._braked = ""
        """Why nothing more was sent."""

    def take(self, event: RunEvent) -> None:
        match event:
            case RunStarted():
                self.counts = Counts(planned=len(event.plan.rows), queued=len(event.plan.rows))
                self._names = {row.error.id: row.error for row in event.plan.rows}
                self.marks.update((row.error.id, _STATES[RowState.QUEUED]) for row in event.plan.rows)
            case BatchSent():
                self.marks.update((row_id, _STATES[RowState.SENT]) for row_id in event.ids)
            case RowChanged():
                self._row(event)
            case AskPerson():
                self._in_doubt, self._note = event.doubtful, ""
                for error in event.errors:
                    self.marks[error.id] = self._mark(error.id, RowState.ASKED)
                    self.reasons[error.id] = self.marks[error.id].word
            case Progress():
                self.counts, self._eta = event.counts, event.eta_seconds
            case WaveStarted():
                self._wave, self._note = f"wave {event.number}/{event.of}" if event.of > 1 else "", ""
                self._waiting = None
            case Waiting():
                # How many rows wait for the org the counts say already.
                proof = event.kind is WaitKind.PROOF
                self._waiting = event if proof else None
                end = clock_time(event.until, event.until) if event.until else ""
                until = f": until {end} at most" if end else ""
                self._note = "" if proof else f"{event.why}{until}"
            case Braked():
                self._note = self._braked = event.reason
            case Paused():
                self.paused = True
            case Resumed():
                self.paused = False
            case RunEnded():
                self.ended, self.counts = event, event.counts
            case _:
                pass

    def _row(self, event: RowChanged) -> None:
        if event.verdict is None:
            self.marks[event.id] = self._mark(event.id, event.state)
        else:
            tone = Tone.GOOD if event.verdict.proven else Tone.BAD
            self.marks[event.id] = RowMark(event.verdict.short, tone)
            if event.verdict.proven:
                self.left.add(event.id)
            else:
                self.unproven.add(event.id)
            if event.verdict is Verdict.FIXED:
                self.fixed.add(event.id)
        verdict = f"{event.verdict.value}: " if event.verdict else ""
        reason = event.reason or self.marks[event.id].word
        self.reasons[event.id] = f"{verdict}{naming(reason, event.attempt.cause, self._name_of)}"
        if event.error is not None:
            self.newer[event.id] = event.error

    def _mark(self, row_id: str, state: RowState) -> RowMark:
        if state is RowState.ASKED and row_id in self._in_doubt:
            return _IN_DOUBT
        return _STATES.get(state, _STATES[RowState.WAITING])

    def _name_of(self, event: str) -> str:
        return self._names[event].short_name if event in self._names else event

    @property
    def in_flight(self) -> bool:
        """Whether a request has left and its answer is not here."""
        return _STATES[RowState.SENT] in self.marks.values()

    def line(self, width: int = _ENDLESS) -> list[Part]:
        """The progress bar while it runs, the result when it has ended; shorter where it is to fit."""
        if self.ended:
            return self._result()
        lines = [self._progress(bar, brief=brief, wave=wave) for bar, brief, wave in _SIZES]
        return next((line for line in lines if _width(line) <= width), lines[-1])

    @property
    def plain(self) -> str:
        """The same as text."""
        return "".join(text for text, _ in self.line()).strip()

    def _progress(self, bar: int, *, brief: bool, wave: bool) -> list[Part]:
        counts = self.counts
        if not counts.planned:
            return [(" Re-sync ", "strong"), ("starting ...", "text")]
        done = counts.ended
        filled = bar * done // counts.planned
        parts = [f"{'█' * filled}{'░' * (bar - filled)} " if bar else ""]
        parts.append(f"{done:,}/{counts.planned:,}")
        if self._eta is not None and done < counts.planned and not self.paused:
            parts.append(f"  {'' if brief else 'about '}{duration(timedelta(seconds=self._eta))} left")
        in_doubt = sum(self.marks.get(row_id) == _IN_DOUBT for row_id in self._in_doubt)
        notes = [
            self._wave if wave else "",
            *_counted(counts, in_doubt, self._span(brief=brief), brief=brief),
            self._note,
        ]
        parts += [f"  {note}" for note in notes if note]
        # One style for all that changes: colours would double what a slow line has to carry.
        return [(" Paused " if self.paused else " Re-sync ", "strong"), ("".join(parts), "text")]

    def _span(self, *, brief: bool) -> str:
        """Since when the rows wait, and until when: points in time, which stay true while nothing moves."""
        waiting = self._waiting
        if waiting is None or waiting.since is None or waiting.until is None:
            return ""
        since = "" if brief else f" since {clock_time(waiting.since, waiting.until)},"
        return f"{since} until {clock_time(waiting.until, waiting.until)}"

    def _result(self) -> list[Part]:
        assert self.ended is not None
        style, key = "good" if self.counts.all_fixed else "bad", self._key_of
        why: list[Part] = [(f"  {self._braked}", "bad")] if self._braked else []
        # Rows that were not proven have a story of their own in the journal.
        then = "" if self.counts.all_fixed else f"  {key('journal')} shows why"
        if self.freed:
            then = (
                f"  {plural(self.freed, 'row')} {'is' if self.freed == 1 else 'are'} ready: {key('causes')}"
            )
        if self.counts.twin:
            # Two customers in place of one: nothing else on this line matters as much.
            then = f"  TWIN: {key('journal')} shows the ids of both records"
        return [
            (" Result ", style),
            (self.ended.summary, "text"),
            (then, "strong"),
            *why,
            (f"  {key('back')} dismisses", "quiet"),
        ]


def _counted(counts: Counts, in_doubt: int, span: str, *, brief: bool) -> list[str]:
    words = (
        (max(counts.asked - in_doubt, 0), "to press" if brief else "to press in Salesforce"),
        (in_doubt, "pressed?" if brief else "perhaps pressed"),
        (counts.sent + counts.waiting, f"waiting{span}" if brief else f"waiting for the org{span}"),
        (counts.proven, "FIXED"),
        *(
            (counts.of(verdict), verdict.short if brief else verdict.value)
            for verdict in Verdict
            if not verdict.proven
        ),
        (counts.not_sent, "not sent"),
    )
    return [f"{count:,} {word}" for count, word in words if count]


def _width(line: list[Part]) -> int:
    return sum(len(text) for text, _ in line)
