"""The tables of a journal, and how an older file becomes a newer one.

History (runs, rows, intents, outcomes, verdicts, marks, notes, fixes and what became of them) only grows:
triggers refuse to change or delete a line of it. Owners and claims are not history: they say who may act
right now.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

APPLICATION_ID = 0x53796E63  # "Sync": tells our file from any other SQLite file
HISTORY = ("runs", "rows", "intents", "outcomes", "verdicts", "marks", "notes")


def _append_only(*tables: str) -> list[str]:
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
        for table in tables
        for verb in ("UPDATE", "DELETE")
    ]


_FIRST = (
    """CREATE TABLE runs (
        id TEXT PRIMARY KEY, at TEXT NOT NULL, plan_hash TEXT NOT NULL, plan TEXT NOT NULL,
        os_user TEXT NOT NULL, org_user TEXT NOT NULL, host TEXT NOT NULL, reason TEXT NOT NULL,
        environment TEXT NOT NULL)""",
    # One line for each planned row; `row` is its JSON, the other columns are what is searched for.
    """CREATE TABLE rows (
        run TEXT NOT NULL REFERENCES runs (id), seq INTEGER NOT NULL, event TEXT NOT NULL,
        object TEXT NOT NULL, storeconnect_id TEXT NOT NULL, fingerprint TEXT NOT NULL, row TEXT NOT NULL,
        PRIMARY KEY (run, seq)) WITHOUT ROWID""",
    "CREATE INDEX rows_event ON rows (event)",
    "CREATE INDEX rows_record ON rows (storeconnect_id, object)",
    "CREATE INDEX rows_fingerprint ON rows (fingerprint)",
    # Written before the request leaves. `org_at` is the org's clock, `stamp` and `processed` the event's.
    """CREATE TABLE intents (
        n INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id), event TEXT NOT NULL,
        wave INTEGER NOT NULL, attempt INTEGER NOT NULL, at TEXT NOT NULL, org_at TEXT NOT NULL,
        stamp TEXT, processed TEXT)""",
    "CREATE INDEX intents_event ON intents (event)",
    "CREATE INDEX intents_run ON intents (run)",
    # Written when the answer is here: accepted, refused, not sent, unknown.
    """CREATE TABLE outcomes (
        intent INTEGER PRIMARY KEY REFERENCES intents (n), at TEXT NOT NULL, kind TEXT NOT NULL, code TEXT,
        reason TEXT NOT NULL)""",
    # Written when a row has ended: a verdict with its evidence, or no verdict because it was not sent.
    # `intent` is the last intent of the event that this verdict is about.
    """CREATE TABLE verdicts (
        n INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id), event TEXT NOT NULL,
        intent INTEGER, at TEXT NOT NULL, verdict TEXT, reason TEXT NOT NULL, evidence TEXT NOT NULL)""",
    "CREATE INDEX verdicts_event ON verdicts (event)",
    "CREATE INDEX verdicts_run ON verdicts (run)",
    # What happened to a run as a whole: paused, braked, adopted, ended ...
    """CREATE TABLE marks (
        n INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id), at TEXT NOT NULL, mark TEXT NOT NULL,
        detail TEXT NOT NULL)""",
    "CREATE INDEX marks_run ON marks (run)",
    """CREATE TABLE notes (
        n INTEGER PRIMARY KEY, at TEXT NOT NULL, os_user TEXT NOT NULL, run TEXT, event TEXT,
        text TEXT NOT NULL)""",
    """CREATE TABLE owners (
        id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, started TEXT NOT NULL, host TEXT NOT NULL,
        boot TEXT NOT NULL, user TEXT NOT NULL, heartbeat TEXT NOT NULL,
        UNIQUE (pid, started, host, boot))""",
    """CREATE TABLE claims (
        event TEXT PRIMARY KEY, run TEXT NOT NULL, owner INTEGER NOT NULL REFERENCES owners (id))
        WITHOUT ROWID""",
    "CREATE INDEX claims_run ON claims (run)",
    """CREATE TABLE holders (
        run TEXT PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owners (id)) WITHOUT ROWID""",
    *_append_only(*HISTORY),
)

_FIXES = (
    # Written before a change leaves. `whole` is the target as it was; before and after are the JSON of what
    # the fix changes of it.
    """CREATE TABLE fixes (
        id TEXT PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, target_type TEXT NOT NULL,
        target_id TEXT NOT NULL, target_name TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
        whole TEXT NOT NULL, event TEXT NOT NULL, os_user TEXT NOT NULL, org_user TEXT NOT NULL,
        reason TEXT NOT NULL)""",
    # What became of it: outcome, restoring, restored, closed. One that is not closed is on the ledger.
    """CREATE TABLE fix_events (
        n INTEGER PRIMARY KEY, fix TEXT NOT NULL REFERENCES fixes (id), at TEXT NOT NULL,
        os_user TEXT NOT NULL, what TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL)""",
    "CREATE INDEX fix_events_fix ON fix_events (fix)",
    *_append_only("fixes", "fix_events"),
)

_WAVES = (
    # How long each proven wave took, for estimates: `seconds` from its first look to its last proof.
    """CREATE TABLE waves (
        n INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id), at TEXT NOT NULL,
        number INTEGER NOT NULL, rows INTEGER NOT NULL, seconds REAL NOT NULL)""",
    *_append_only("waves"),
)

MIGRATIONS: tuple[Sequence[str], ...] = (_FIRST, _FIXES, _WAVES)
"""Statements that lead from version n to n + 1. Only ever appended to."""


class NewerSchemaError(Exception):
    """The file was written by a newer version of this program. It is left as it is."""


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring a journal to this version, all or nothing, one process at a time.

    Raises:
        NewerSchemaError: The file is newer than this program.
        sqlite3.Error: As SQLite finds it; the file is unchanged.
    """
    version = _version(connection)
    if version > len(migrations):
        raise NewerSchemaError
    if version == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in migrations[_version(connection) :]:  # another process may have been faster
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled back already
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
