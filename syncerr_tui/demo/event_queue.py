"""The sync engine's own book: where each change event stands, why it failed, what really holds it up.

It lies beside the records in the same database and is no sObject: no client of the org can see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

from syncerr_tui.demo.save_errors import LinkKind
from syncerr_tui.demo.store import Store

FAILED, PENDING, STUCK, LOST = "failed", "pending", "stuck", "lost"
"""States of an unresolved event. STUCK is never worked on; LOST failed too, but somebody deleted its row."""


class QueuedEvent(NamedTuple):
    """One unresolved change event: a row of the book as it is written."""

    event_id: str
    seq: int
    """The order of arrival."""
    object: str
    sc_id: str
    operation: str
    state: str = FAILED
    cause: str = ""
    """Key of the safeguard or fault that refused it last."""
    code: str = ""
    kind: LinkKind | None = None
    """Set where something else failed first."""
    needs: str = ""
    """With `kind`: the StoreConnect ID of the record that must come first."""
    record_id: str = ""
    """The record that the refusal was about."""
    due: float = 0.0
    """When pending: the moment (POSIX seconds by the org's clock) to work on it."""


_COLUMNS = ", ".join(QueuedEvent._fields)
_PUT = f"INSERT OR REPLACE INTO demo_ledger ({_COLUMNS}) VALUES ({', '.join('?' * len(QueuedEvent._fields))})"


class EventQueue:
    """All unresolved events, and what was ever asked of the engine."""

    def __init__(self, store: Store) -> None:
        self._sql = store.sql
        self._sql_many = store.sql_many
        self._sql(
            "CREATE TABLE IF NOT EXISTS demo_ledger (event_id TEXT, seq INTEGER PRIMARY KEY, "
            "object TEXT, sc_id TEXT, operation TEXT, state TEXT, cause TEXT, code TEXT, kind TEXT, "
            "needs TEXT, record_id TEXT, due REAL)",
        )
        self._sql("CREATE UNIQUE INDEX IF NOT EXISTS demo_ledger_event ON demo_ledger (event_id)")
        self._sql("CREATE INDEX IF NOT EXISTS demo_ledger_record ON demo_ledger (sc_id, seq)")
        self._sql("CREATE INDEX IF NOT EXISTS demo_ledger_due ON demo_ledger (due) WHERE state = 'pending'")
        self._sql(
            "CREATE TABLE IF NOT EXISTS demo_counts (event_id TEXT PRIMARY KEY, requested INTEGER NOT NULL, "
            "processed INTEGER NOT NULL) WITHOUT ROWID",
        )

    def put(self, entry: QueuedEvent) -> None:
        """Write an entry, new or changed."""
        self.put_many([entry])

    def put_many(self, entries: Iterable[Sequence[object]]) -> None:
        """Write entries, new or changed."""
        self._sql_many(_PUT, entries)

    def drop(self, event_id: str) -> None:
        """An event is resolved."""
        self._sql("DELETE FROM demo_ledger WHERE event_id = ?", (event_id,))

    def get(self, event_id: str) -> QueuedEvent | None:
        """The entry of an unresolved event."""
        return next(iter(self._entries("event_id = ?", (event_id,))), None)

    def due(self, moment: float) -> list[QueuedEvent]:
        """Pending events whose time has come, in the order of arrival."""
        return self._entries("state = 'pending' AND due <= ?", (moment,))

    def next_due(self) -> float | None:
        """When the next pending event is to be worked on."""
        rows = self._sql("SELECT min(due) FROM demo_ledger WHERE state = 'pending'")
        return cast("float | None", rows[0][0])

    def earliest(self, sc_id: str, before: int | None = None) -> QueuedEvent | None:
        """The first unresolved event of a record (that arrived before another)."""
        if before is None:
            return next(iter(self._entries("sc_id = ?", (sc_id,), limit=1)), None)
        return next(iter(self._entries("sc_id = ? AND seq < ?", (sc_id, before), limit=1)), None)

    def earliest_listed(self, sc_id: str, before: int | None = None) -> QueuedEvent | None:
        """As `earliest`, among events whose rows are there."""
        limit = 1 << 62 if before is None else before
        where = "sc_id = ? AND seq < ? AND state <> 'lost'"
        return next(iter(self._entries(where, (sc_id, limit), limit=1)), None)

    def lost(self, sc_id: str) -> list[QueuedEvent]:
        """Failed changes of a record whose rows somebody deleted."""
        return self._entries("sc_id = ? AND state = 'lost'", (sc_id,))

    def with_cause(self, cause: str) -> list[QueuedEvent]:
        """Unresolved events that one safeguard refused."""
        return self._entries("cause = ?", (cause,))

    def index_needs(self) -> None:
        """Make `waiting_for` quick; only orgs that clear victims themselves ask it."""
        self._sql(
            "CREATE INDEX IF NOT EXISTS demo_ledger_needs ON demo_ledger (needs) "
            "WHERE kind IS NOT NULL AND state = 'failed'",
        )

    def waiting_for(self, sc_id: str) -> list[QueuedEvent]:
        """Failed events that need this record first."""
        return self._entries("needs = ? AND kind IS NOT NULL AND state = 'failed'", (sc_id,))

    def all(self) -> list[QueuedEvent]:
        """Every unresolved event, in the order of arrival."""
        return self._entries("1", ())

    def codes(self) -> list[str]:
        """The status codes that occur."""
        return [str(code) for (code,) in self._sql("SELECT DISTINCT code FROM demo_ledger ORDER BY code")]

    def youngest_failed(self, leave_out: Iterable[str]) -> QueuedEvent | None:
        """The failed event that arrived last and depends on nothing else."""
        out = set(leave_out)
        rows = self._entries("state = 'failed' AND kind IS NULL", ())
        return next((entry for entry in reversed(rows) if entry.event_id not in out), None)

    def count(self, event_id: str, *, requested: int = 0, processed: int = 0) -> None:
        """Remember that a try was asked for, or made."""
        self._sql(
            "INSERT INTO demo_counts VALUES (?, ?, ?) ON CONFLICT (event_id) DO UPDATE SET "
            "requested = requested + excluded.requested, processed = processed + excluded.processed",
            (event_id, requested, processed),
        )

    def counts(self) -> dict[str, dict[str, int]]:
        """Event id -> how often a try was asked for (`requested`) and made (`processed`) since the start."""
        rows = self._sql("SELECT event_id, requested, processed FROM demo_counts ORDER BY event_id")
        return {
            str(event): {"requested": cast("int", requested), "processed": cast("int", processed)}
            for event, requested, processed in rows
        }

    def _entries(self, where: str, bound: Sequence[object], limit: int = -1) -> list[QueuedEvent]:
        rows = self._sql(
            f"SELECT {_COLUMNS} FROM demo_ledger WHERE {where} ORDER BY seq LIMIT {limit}",
            bound,
        )
        return [QueuedEvent._make(row) for row in rows]


def ground_truth(queue: EventQueue) -> dict[str, object]:
    """Links and causes among all unresolved events now.

    A link's `cause` is the first unresolved event of the record that the victim needs; `accepts` are that
    record's other unresolved events, which are no wrong answer either. A cause's `events` are its roots:
    the events that it refused itself.
    """
    listed = [entry for entry in queue.all() if entry.state != LOST]
    by_record: dict[str, list[QueuedEvent]] = {}
    for entry in listed:
        by_record.setdefault(entry.sc_id, []).append(entry)
    links: list[dict[str, object]] = []
    causes: dict[str, dict[str, object]] = {}
    roots: dict[str, list[str]] = {}
    for entry in listed:
        first = [other for other in by_record.get(entry.needs, ()) if _comes_first(other, entry)]
        if entry.kind is not None and first:
            others = [other.event_id for other in first[1:]]
            link = {"victim": entry.event_id, "cause": first[0].event_id, "kind": entry.kind}
            links.append({**link, "accepts": others})
            continue
        events = roots.setdefault(entry.cause, [])
        events.append(entry.event_id)
        causes.setdefault(entry.cause, {"key": entry.cause, "code": entry.code, "events": events})
    return {"links": links, "causes": list(causes.values())}


def root_entry(queue: EventQueue, entry: QueuedEvent) -> QueuedEvent:
    """The listed event whose refusal holds this one up, over any number of links; itself if none does."""
    seen = {entry.event_id}
    while entry.kind is not None:
        before = entry.seq if entry.kind == "same record" else None
        first = queue.earliest_listed(entry.needs, before)
        if first is None or first.event_id in seen:
            return entry
        entry = first
        seen.add(entry.event_id)
    return entry


def _comes_first(other: QueuedEvent, victim: QueuedEvent) -> bool:
    return other.seq < victim.seq if victim.kind == "same record" else other.event_id != victim.event_id
