"""Everything about the screen that is true now, as one frozen value with pure transitions.

Keys ask this state, never the focus or a style class: those follow a refresh later, and a key that arrives
in the same packet must act on what the key before it opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.triage.columns import USUAL, Layouts, WindowClass, WindowLayout
from syncerr_tui.triage.guided import GuidedState
from syncerr_tui.triage.handling import Handlings
from syncerr_tui.triage.listing import Listing
from syncerr_tui.triage.news import News
from syncerr_tui.words import object_counts, plural

_NAMED = 3
"""Objects that are named before the rest is counted."""


class Place(StrEnum):
    """Where in the app a key works."""

    EVERYWHERE = "everywhere"
    ERRORS = "errors"
    CAUSES = "causes"
    JOURNAL = "journal"
    GUIDED = "guided"


@dataclass(frozen=True, slots=True)
class QueuedRun:
    """A re-sync that waits for its turn."""

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
    return f"{plural(len(rows), 'error')}: {object_counts((row.object for row in rows), _NAMED)}"


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


@dataclass(frozen=True, slots=True)
class ReadingState:
    """Where reading the list stands."""

    active: bool = False
    rows: int = 0
    """Rows that have come so far."""
    read_at: datetime | None = None
    """When the list on screen was read to its end."""
    has_rows: bool = False
    """Whether rows ever came: before that nobody knows how many there are."""
    watching: bool = False
    """Read again every minute."""
    expired: bool = False
    """The org no longer knows our session."""
    failure: SyncErrError | None = None
    """Why the last reading came to nothing."""


@dataclass(frozen=True, slots=True)
class RunStatus:
    """Where the one re-sync stands that may be under way."""

    active: bool = False
    paused: bool = False
    starting: bool = False
    """The next one of the queue is being planned anew."""
    leaving: bool = False
    """The app ends as soon as what is on its way is answered."""

    @property
    def busy(self) -> bool:
        """Whether a run is under way, or the next one of the queue is about to be."""
        return self.active or self.starting


@dataclass(frozen=True, slots=True)
class UiState:
    """The state of the screen. Every method gives a new state and changes nothing."""

    place: Place = Place.ERRORS
    panels_open: frozenset[Place] = frozenset()
    """Where the person went into the info panel."""
    layouts: Layouts = field(default_factory=lambda: USUAL)
    """How the person wants the table and the panel, by the class of the window."""
    listing: Listing = field(default_factory=Listing)
    news: News = field(default_factory=News)
    """What has happened to the list since the person looked."""
    twins: int = 0
    """Rows that were left TWIN and that nobody has merged, in the list or not any more."""
    handlings: Handlings = field(default_factory=Handlings)
    """What people have said about the rows."""
    proven: frozenset[str] = frozenset()
    """Rows that a run has proven: in sight until its result is dismissed, but no errors any more."""
    reading: ReadingState = ReadingState()
    run: RunStatus = RunStatus()
    queue: RunQueue = field(default_factory=RunQueue)
    """The re-syncs that wait for it."""
    guided: GuidedState | None = None
    """The re-sync that a person presses in Salesforce, until its result is dismissed."""
    doing: str = ""
    """What a person waits for and can cancel, as the utility bar says it: `planning ...`."""
    trouble: SyncErrError | None = None
    """What went wrong last, until something goes right."""

    @property
    def panel_open(self) -> bool:
        """Whether the person is in the info panel of the place in front."""
        return self.place in self.panels_open

    @property
    def unresolved(self) -> int:
        return len(self.listing.errors) - len(self.listing.errors.keys() & self.proven)

    @property
    def asked_for(self) -> tuple[object, ...]:
        """What the list is worked out anew for where it changes meanwhile."""
        return (*self.listing.asked_for, id(self.news))

    def at(self, place: Place) -> UiState:
        """Another place in front; each keeps its panel as it is."""
        return replace(self, place=place)

    def begun(self, doing: str) -> UiState:
        """Something that a person waits for is under way."""
        return replace(self, doing=doing)

    def done(self, doing: str) -> UiState:
        """It is over; something else that began meanwhile is not."""
        return replace(self, doing="") if self.doing == doing else self

    def with_panel(self, place: Place, *, is_open: bool) -> UiState:
        panels = self.panels_open | {place} if is_open else self.panels_open - {place}
        return replace(self, panels_open=panels)

    def arranged(self, window: WindowClass, layout: WindowLayout) -> UiState:
        """Another arrangement for windows of this class."""
        return replace(self, layouts={**self.layouts, window: layout})

    def reading_begun(self) -> UiState:
        """The list is being read: what went wrong before is no news any more."""
        return replace(self, trouble=None, reading=replace(self.reading, active=True, rows=0))

    def reading_connected(self) -> UiState:
        return replace(self, reading=replace(self.reading, expired=False))

    def reading_came(self, rows: int) -> UiState:
        return replace(self, reading=replace(self.reading, rows=rows, has_rows=True))

    def reading_ended(self, at: datetime) -> UiState:
        return replace(self, reading=replace(self.reading, active=False, has_rows=True, read_at=at))

    def read_again(self, rows: Iterable[SyncError], now: datetime) -> UiState:
        """The whole truth from the org, next to what the person has seen of it. Long lists take a thread."""
        listing = self.listing.refreshed(rows, now)
        return replace(self, listing=listing, news=self.news.compared(listing.errors, now))

    def reading_failed(self, error: SyncErrError, *, expired: bool) -> UiState:
        """The list could not be read; what is on screen stays."""
        reading = replace(self.reading, active=False, failure=error, expired=expired)
        return replace(self, trouble=error, reading=reading)

    def session_expired(self, trouble: SyncErrError | None = None) -> UiState:
        """The org no longer knows us, or a person wants a new session."""
        return replace(self, trouble=trouble or self.trouble, reading=replace(self.reading, expired=True))

    def watched(self, *, watching: bool) -> UiState:
        """The list is read every minute, or no longer."""
        return replace(self, reading=replace(self.reading, watching=watching))
