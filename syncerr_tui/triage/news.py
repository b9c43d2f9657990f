"""What is new, changed and gone since a person looked at the list. Pure.

Looking is an act of the person, not a time on the clock. k9s marks what changed until the next refresh, so
after a night of refreshes nothing is left to see in the morning; mail programs keep a mark until the message
is opened. Here a mark stays, however often the list is read, until the row's info panel was opened and left
again, or until one key marks everything as seen. A cursor that passes over a row, and a panel that follows it
beside the list, are not taken for looking.

Nothing is counted up: marks and counts follow from the list as it was seen and the list as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from syncerr_tui.model import EventSeen, EventStanding, SyncError
from syncerr_tui.text import one_line
from syncerr_tui.words import plural

_COMPARED = (
    ("object", "object"),
    ("event_type", "event type"),
    ("code", "code"),
    ("message", "message"),
    ("processed_at", "Processed At"),
    ("salesforce_id", "Salesforce ID"),
    ("storeconnect_id", "StoreConnect ID"),
)


class RowChange(StrEnum):
    """What happened to a row that is in the list; the sign beside it says so without colour."""

    NEW = "+"
    CHANGED = "~"


@dataclass(frozen=True, slots=True)
class News:
    """The list as the person has seen it, and how the list of now differs."""

    seen: Mapping[str, SyncError] | None = None
    """None until the list has been read to its end for the first time: all of that counts as seen."""
    since: datetime | None = None
    """When everything was marked as seen last, or first read."""
    marks: Mapping[str, RowChange] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    """Rows of `seen` that are not in the list any more."""

    @property
    def new(self) -> frozenset[str]:
        return frozenset(row for row, change in self.marks.items() if change is RowChange.NEW)

    @property
    def words(self) -> str:
        """`4 new, 2 changed, 7 gone`; empty where nothing has happened."""
        new = len(self.new)
        counts = ((new, "new"), (len(self.marks) - new, "changed"), (len(self.gone), "gone"))
        return ", ".join(f"{count:,} {word}" for count, word in counts if count)

    def compared(self, errors: Mapping[str, SyncError], now: datetime) -> News:
        """The same person in front of another list. Rows that are the same objects cost next to nothing."""
        if self.seen is None:
            return self.all_seen(errors, now)
        marks = {}
        for row, error in errors.items():
            before = self.seen.get(row)
            if before is not error and before != error:
                marks[row] = RowChange.NEW if before is None else RowChange.CHANGED
        return replace(self, marks=marks, gone=frozenset(self.seen.keys() - errors.keys()))

    def all_seen(self, errors: Mapping[str, SyncError], now: datetime) -> News:
        return News(seen=errors, since=now)

    def known(self, errors: Iterable[SyncError]) -> News:
        """The person has seen these rows as they are here: in their panel, or in the result of a run."""
        shown = {error.id: error for error in errors}
        if self.seen is None or not shown:
            return self
        marks = {row: change for row, change in self.marks.items() if row not in shown}
        return replace(self, seen={**self.seen, **shown}, marks=marks)

    def left(self, rows: Iterable[str], *, known: bool) -> News:
        """These rows have left the list; where that is known, the person has been told."""
        ids = frozenset(rows)
        if self.seen is None or not ids:
            return self
        marks = {row: change for row, change in self.marks.items() if row not in ids}
        if not known:
            return replace(self, marks=marks, gone=self.gone | (self.seen.keys() & ids))
        seen = {row: error for row, error in self.seen.items() if row not in ids}
        return replace(self, seen=seen, marks=marks, gone=self.gone - ids)

    def differences(self, error: SyncError) -> str:
        """What has changed of a row: `message, Processed At`; empty where nothing has."""
        before = (self.seen or {}).get(error.id)
        if before is None:
            return ""
        return ", ".join(label for name, label in _COMPARED if getattr(before, name) != getattr(error, name))


@dataclass(frozen=True, slots=True)
class GoneRow:
    """A row that has left the list, and what became of it."""

    error: SyncError
    """As it was seen last."""
    kind: str
    """What it counts as: `FIXED`, `resolved elsewhere` ..."""
    why: str
    in_journal: bool = False
    """The Journal shows it; else the org does."""


def gone_by_org(error: SyncError, now: EventSeen) -> GoneRow:
    """What became of a row that no run of the journal has ended, as the org shows it."""
    status = one_line(now.status or "no status")
    match now.standing:
        case EventStanding.DONE:
            return GoneRow(error, "resolved elsewhere", f"resolved elsewhere: its status is {status}")
        case EventStanding.PENDING:
            return GoneRow(error, "being worked on", f"the org is working on it: its status is {status}")
        case EventStanding.GONE:
            return GoneRow(error, "not in the org", "deleted in the org, or hidden from this user")
        case EventStanding.FAILED:
            return GoneRow(error, "failing again", "failing again by now: the next refresh shows it")
        case _:
            return GoneRow(error, "unknown", f"unknown: it left the failed state, its status is {status}")


def gone_words(rows: Iterable[GoneRow]) -> str:
    """`7 rows gone: 5 FIXED, 1 resolved elsewhere, 1 unknown.`"""
    kinds = Counter(row.kind for row in rows)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    return f"{plural(kinds.total(), 'row')} gone: {counts}." if counts else ""
