"""An org in a file: it outlives the process that talks to it, and counts what reached it.

Each call is one transaction of SQLite, so that a killed client leaves it as a killed client leaves a real
org: the request was taken, or it was not. It works on what is due whenever somebody looks.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from syncerr_tui.model import EventSeen, EventStanding, EventType, RecordSeen, SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt
from syncerr_tui.stopwatch import Leaving
from syncerr_tui.text import SafeText
from tests.resync.lying_org import IDENTITY, START

DELAY = 0.02
METHOD = MethodInfo("apex", "Apex action Resync", batch_size=3, concurrency=2)


def build(path: Path, rows: int, *, broken: bool = True) -> None:
    """A chain-rich little world: every third row waits for the one before, every fifth is broken."""
    with sqlite3.connect(path) as sql:
        sql.execute(
            """CREATE TABLE events (
                id TEXT PRIMARY KEY, n INTEGER, standing TEXT, processed REAL, modified REAL, parent TEXT,
                broken INTEGER, due REAL, reached INTEGER DEFAULT 0, worked INTEGER DEFAULT 0)"""
        )
        sql.execute("CREATE TABLE records (id INTEGER PRIMARY KEY, key TEXT, modified REAL)")
        for n in range(rows):
            parent = _id(n - 1) if n % 3 == 2 else None
            at = time.time() - 3600 + n
            sql.execute(
                "INSERT INTO events (id, n, standing, processed, modified, parent, broken)"
                " VALUES (?,?,?,?,?,?,?)",
                (_id(n), n, "failed", at, at, parent, int(broken and n % 5 == 4)),
            )
    sql.close()


def _id(n: int) -> str:
    return f"a0X{n:012d}AAA"


def _key(n: int) -> str:
    return f"00000000-0000-4000-8000-{n:012d}"


def _error(row: sqlite3.Row) -> SyncError:
    at = datetime.fromtimestamp(row["processed"], UTC)
    return SyncError(
        id=row["id"],
        object=SafeText("Account" if row["parent"] is None else "Contact"),
        event_type=EventType.CREATE,
        processed_at=at,
        salesforce_id=None,
        storeconnect_id=_key(row["n"]),
        message=SafeText("Required fields are missing: [Name]"),
        code="REQUIRED_FIELD_MISSING",
        created_at=START,
    )


class FileOrg:
    """See the module."""

    def __init__(self, path: Path) -> None:
        self.identity = replace(IDENTITY)
        self.method = METHOD
        self._sql = sqlite3.connect(path, timeout=10, isolation_level=None)
        self._sql.row_factory = sqlite3.Row

    def close(self) -> None:
        self._sql.close()

    def errors(self) -> list[SyncError]:
        """All rows as they were planned, failed or not."""
        return [_error(row) for row in self._sql.execute("SELECT * FROM events ORDER BY n")]

    def parents(self) -> dict[str, frozenset[str]]:
        rows = self._sql.execute("SELECT id, parent FROM events WHERE parent IS NOT NULL")
        return {row["id"]: frozenset((row["parent"],)) for row in rows}

    def state(self) -> dict[str, tuple[str, int]]:
        """The final state: event -> standing, records that carry its StoreConnect ID."""
        self._settle()
        rows = self._sql.execute(
            "SELECT id, standing, (SELECT count(*) FROM records WHERE key = n) AS records FROM events"
        )
        return {row["id"]: (row["standing"], row["records"]) for row in rows}

    def reached(self) -> dict[str, int]:
        return {row["id"]: row["reached"] for row in self._sql.execute("SELECT id, reached FROM events")}

    def worked(self) -> dict[str, int]:
        return {row["id"]: row["worked"] for row in self._sql.execute("SELECT id, worked FROM events")}

    # -- resync.org.Org

    async def now(self) -> datetime:
        await asyncio.sleep(0)
        return datetime.now(UTC)

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        await asyncio.sleep(0)
        self._settle()
        seen = {}
        for event in ids:
            row = self._sql.execute("SELECT * FROM events WHERE id = ?", (event,)).fetchone()
            standing = EventStanding(row["standing"])
            modified = datetime.fromtimestamp(row["modified"], UTC)
            seen[event] = EventSeen(event, standing, row["standing"], _error(row), modified)
        return seen

    async def find_records(
        self, object_name: str, storeconnect_ids: Sequence[str]
    ) -> Mapping[str, tuple[RecordSeen, ...]]:
        await asyncio.sleep(0)
        records: dict[str, tuple[RecordSeen, ...]] = {}
        for key in storeconnect_ids:
            rows = self._sql.execute("SELECT * FROM records WHERE key = ?", (int(key[-12:]),)).fetchall()
            if rows:
                records[key] = tuple(
                    RecordSeen(f"001{r['id']:012d}AAA", key, datetime.fromtimestamp(r["modified"], UTC))
                    for r in rows
                )
        return records

    async def sees_all(self, object_name: str) -> bool:
        return True

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        await asyncio.sleep(0)
        self._sql.execute("BEGIN IMMEDIATE")
        for error in errors:
            self._sql.execute(
                "UPDATE events SET reached = reached + 1, due = ? WHERE id = ?",
                (time.time() + DELAY, error.id),
            )
        self._sql.execute("COMMIT")
        await asyncio.sleep(0)
        return [Receipt(error.id, accepted=True) for error in errors]

    def _settle(self) -> None:
        now = time.time()
        self._sql.execute("BEGIN IMMEDIATE")
        for row in self._sql.execute(
            "SELECT * FROM events WHERE due <= ? ORDER BY due, n", (now,)
        ).fetchall():
            self._sql.execute("UPDATE events SET due = NULL, worked = worked + 1 WHERE id = ?", (row["id"],))
            if row["standing"] != "failed":
                continue
            parent = self._sql.execute(
                "SELECT standing FROM events WHERE id = ?", (row["parent"],)
            ).fetchone()
            if row["broken"] or (parent is not None and parent["standing"] == "failed"):
                self._sql.execute(
                    "UPDATE events SET processed = ?, modified = ? WHERE id = ?", (now, now, row["id"])
                )
                continue
            self._sql.execute("INSERT INTO records (key, modified) VALUES (?, ?)", (row["n"], now))
            self._sql.execute(
                "UPDATE events SET standing = 'done', modified = ? WHERE id = ?", (now, row["id"])
            )
        self._sql.execute("COMMIT")
