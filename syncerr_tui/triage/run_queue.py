"""The re-syncs that wait for the one under way. Pure.

A queued re-sync is a wish and no more: nothing of it is claimed, written in the journal or sent before it
begins, and what it sends then is planned anew from what the org says then. So a queue that is lost with the
program has done nothing, and nothing has to be undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syncerr_tui.model import SyncError
from syncerr_tui.words import plural

_NAMED = 3
"""Objects that are named before the rest is counted."""


@dataclass(frozen=True, slots=True)
class QueuedRun:
    """One of them."""

    number: int
    """Its own, as long as the app is open."""
    rows: tuple[SyncError, ...]
    """What may be sent at most, as the person saw it."""
    reason: str = ""
    """Why, in the person's words."""
    canary: bool = False
    """It begins with one row."""

    @property
    def words(self) -> str:
        """`12 errors: 8 Order, 4 Contact`."""
        return rows_words(self.rows)


def rows_words(rows: Sequence[SyncError]) -> str:
    """`12 errors: 8 Order, 4 Contact`; a single one by its name."""
    if len(rows) == 1:
        return f"1 error: {rows[0].short_name}"
    counted = Counter(row.object for row in rows)
    named = ", ".join(f"{count:,} {name}" for name, count in counted.most_common(_NAMED))
    more = len(counted) - _NAMED
    rest = f" and {plural(more, 'more object')}" if more > 0 else ""
    return f"{plural(len(rows), 'error')}: {named}{rest}"


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A re-sync that others have waited for."""

    at: datetime
    summary: str


@dataclass(frozen=True, slots=True)
class RunQueue:
    """What waits, in its order. Every method gives a new queue and changes nothing."""

    runs: tuple[QueuedRun, ...] = ()
    held: str = ""
    """Why the next one does not begin by itself; empty while it does. An empty queue is never held."""
    ended: tuple[EndedRun, ...] = ()
    """What has ended since the queue was last empty, the oldest first."""
    last: int = 0
    """The highest number that was given."""

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(row.id for run in self.runs for row in run.rows)

    @property
    def next(self) -> QueuedRun | None:
        """The one that begins next by itself; None where none does."""
        return self.runs[0] if self.runs and not self.held else None

    @property
    def words(self) -> str:
        """`2 queued`, `2 queued, on hold`; empty where nothing waits."""
        if not self.runs:
            return ""
        return f"{len(self.runs):,} queued{', on hold' if self.held else ''}"

    def added(self, rows: Sequence[SyncError], *, reason: str = "", canary: bool = False) -> RunQueue:
        """One more at the end, without the rows that wait already; where none is left, no more."""
        known = self.ids
        fresh = tuple(row for row in rows if row.id not in known)
        if not fresh:
            return self
        number = self.last + 1
        return replace(self, runs=(*self.runs, QueuedRun(number, fresh, reason, canary)), last=number)

    def removed(self, number: int) -> RunQueue:
        """Without this one: it has begun, or the person does not want it any more."""
        runs = tuple(run for run in self.runs if run.number != number)
        return replace(self, runs=runs, held=self.held if runs else "")

    def moved(self, number: int, by: int) -> RunQueue:
        """This one so many places further back (negative: further to the front), as far as there are any."""
        runs = list(self.runs)
        at = next((at for at, run in enumerate(runs) if run.number == number), None)
        if at is None:
            return self
        run = runs.pop(at)
        runs.insert(min(max(at + by, 0), len(runs)), run)
        return replace(self, runs=tuple(runs))

    def on_hold(self, reason: str) -> RunQueue:
        """The next one waits for a person."""
        return replace(self, held=reason) if self.runs else self

    def released(self) -> RunQueue:
        """The next one begins by itself again."""
        return replace(self, held="")

    def emptied(self) -> RunQueue:
        return RunQueue(last=self.last)

    def with_ended(self, summary: str, at: datetime) -> RunQueue:
        """A run has ended that others wait for, or that has waited itself."""
        return replace(self, ended=(*self.ended, EndedRun(at, summary)))
