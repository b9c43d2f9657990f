"""The tables of a journal. A change of them is one entry more in `MIGRATIONS`: old ones are never touched.

History (runs, rows, intents, outcomes, verdicts, marks, notes, fixes and what became of them) only grows.
Owners and claims are not history: they say who may act right now. How to write a statement: `database`.
"""

from __future__ import annotations

from syncerr_tui.journal.database import APPEND_ONLY, Migrations

HISTORY = ("runs", "rows", "intents", "outcomes", "verdicts", "marks", "notes")

_FIRST = (
    """CREATE TABLE runs (
        id TEXT PRIMARY KEY, at TEXT NOT NULL, plan_hash TEXT NOT NULL, plan TEXT NOT NULL,
        os_user TEXT NOT NULL, org_user TEXT NOT NULL, host TEXT NOT NULL, reason TEXT NOT NULL,
        environment TEXT NOT NULL)""",
    # One line for each planned row; `row` is its JSON, the other columns are what is searched for.
    """CREATE TABLE rows (
        run TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL,
        object TEXT NOT NULL, storeconnect_id TEXT NOT NULL, fingerprint TEXT NOT NULL, row TEXT NOT NULL,
        PRIMARY KEY (run, seq)) WITHOUT ROWID""",
    "CREATE INDEX rows_event ON rows (event)",
    "CREATE INDEX rows_record ON rows (storeconnect_id, object)",
    "CREATE INDEX rows_fingerprint ON rows (fingerprint)",
    # Written before the request leaves. `org_at` is the org's clock, `stamp` and `processed` the event's.
    """CREATE TABLE intents (
        n INTEGER PRIMARY KEY, run TEXT NOT NULL, event TEXT NOT NULL,
        wave INTEGER NOT NULL, attempt INTEGER NOT NULL, at TEXT NOT NULL, org_at TEXT NOT NULL,
        stamp TEXT, processed TEXT)""",
    "CREATE INDEX intents_event ON intents (event)",
    "CREATE INDEX intents_run ON intents (run)",
    # Written when the answer is here: accepted, refused, not sent, unknown.
    """CREATE TABLE outcomes (
        intent INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, code TEXT,
        reason TEXT NOT NULL)""",
    # Written when a row has ended: a verdict with its evidence, or no verdict because it was not sent.
    # `intent` is the last intent of the event that this verdict is about.
    """CREATE TABLE verdicts (
        n INTEGER PRIMARY KEY, run TEXT NOT NULL, event TEXT NOT NULL,
        intent INTEGER, at TEXT NOT NULL, verdict TEXT, reason TEXT NOT NULL, evidence TEXT NOT NULL)""",
    "CREATE INDEX verdicts_event ON verdicts (event)",
    "CREATE INDEX verdicts_run ON verdicts (run)",
    # What happened to a run as a whole: paused, braked, adopted, ended ...
    """CREATE TABLE marks (
        n INTEGER PRIMARY KEY, run TEXT NOT NULL, at TEXT NOT NULL, mark TEXT NOT NULL,
        detail TEXT NOT NULL)""",
    "CREATE INDEX marks_run ON marks (run)",
    """CREATE TABLE notes (
        n INTEGER PRIMARY KEY, at TEXT NOT NULL, os_user TEXT NOT NULL, run TEXT, event TEXT,
        text TEXT NOT NULL)""",
    """CREATE TABLE owners (
        id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, started TEXT NOT NULL, host TEXT NOT NULL,
        boot TEXT NOT NULL, "user" TEXT NOT NULL, heartbeat TEXT NOT NULL,
        UNIQUE (pid, started, host, boot))""",
    """CREATE TABLE claims (
        event TEXT PRIMARY KEY, run TEXT NOT NULL, owner INTEGER NOT NULL)
        WITHOUT ROWID""",
    "CREATE INDEX claims_run ON claims (run)",
    """CREATE TABLE holders (
        run TEXT PRIMARY KEY, owner INTEGER NOT NULL) WITHOUT ROWID""",
    *(f"{APPEND_ONLY}{table}" for table in HISTORY),
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
        n INTEGER PRIMARY KEY, fix TEXT NOT NULL, at TEXT NOT NULL,
        os_user TEXT NOT NULL, what TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL)""",
    "CREATE INDEX fix_events_fix ON fix_events (fix)",
    f"{APPEND_ONLY}fixes",
    f"{APPEND_ONLY}fix_events",
)

_WAVES = (
    # How long each proven wave took, for estimates: `seconds` from its first look to its last proof.
    """CREATE TABLE waves (
        n INTEGER PRIMARY KEY, run TEXT NOT NULL, at TEXT NOT NULL,
        number INTEGER NOT NULL, rows INTEGER NOT NULL, seconds REAL NOT NULL)""",
    f"{APPEND_ONLY}waves",
)

_PRESSES = (
    # Guided method: what a person said of a row that they were shown. `said`: asked, pressed, not pressed.
    """CREATE TABLE presses (
        n INTEGER PRIMARY KEY, intent INTEGER NOT NULL, at TEXT NOT NULL, os_user TEXT NOT NULL,
        said TEXT NOT NULL)""",
    "CREATE INDEX presses_intent ON presses (intent)",
    f"{APPEND_ONLY}presses",
)

_TEAM = (
    # Which machine it is, whatever it is called; and what the person works at, for colleagues.
    "ALTER TABLE owners ADD COLUMN machine TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE owners ADD COLUMN doing TEXT NOT NULL DEFAULT ''",
)

_HANDLING = (
    # What people say about a change event, or about a cause by its key (`triage.handling`).
    """CREATE TABLE handling (
        n INTEGER PRIMARY KEY, at TEXT NOT NULL, os_user TEXT NOT NULL, target TEXT NOT NULL,
        kind TEXT NOT NULL, value TEXT NOT NULL, text TEXT NOT NULL)""",
    f"{APPEND_ONLY}handling",
)

MIGRATIONS: Migrations = (_FIRST, _FIXES, _WAVES, _PRESSES, _TEAM, _HANDLING)
"""Statements that lead from version n to n + 1. Only ever appended to."""
