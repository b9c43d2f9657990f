"""What a journal is kept in: its tables, and one set of statements, whichever database carries them out.

Statements are written in the SQL that SQLite and PostgreSQL share. Where the two have no common spelling,
SQLite's stands for both:

| written | means |
|---|---|
| `?` | a value |
| `x IN (SELECT value FROM json_each(?))` | one of many texts; the value is their JSON list |
| `json_extract(row, '$.name')` | a text out of JSON |
| `event = x AND run || '' = y` | looked up by the event alone: SQLite would go through all of the run |
| `fold(x)`, `instr(x, y) > 0` | upper and lower case alike; y is somewhere in x |
| `n INTEGER PRIMARY KEY` | a number, counted up in the order of writing |
| `APPEND ONLY runs` | in a migration: nobody changes or deletes a line of this table |

A table more, or a column more, is one entry more in `MIGRATIONS`; old ones are never
touched:

    (
        "CREATE TABLE tags (n INTEGER PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL, tag TEXT NOT NULL)",
        "APPEND ONLY tags",
    ),

History (runs, rows, intents, outcomes, verdicts, marks, notes, fixes and what became of them) only grows.
Owners and claims are not history: they say who may act right now. Times are text (`iso`), so that text sorts
as time does; names that are words of SQL are quoted ("user").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.text import one_line

APPEND_ONLY = "APPEND ONLY "
APPEND_ONLY_WORDS = "history is append-only"
Migrations = Sequence[Sequence[str]]
"""Statements that lead from version n to n + 1."""


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL database that a team shares."""

    url: str
    password: Callable[[], str] | None = field(default=None, repr=False)
    """Asks for the password where it is kept. None: libpq knows it (`.pgpass`, a service, PGPASSWORD)."""

    @classmethod
    def of(cls, url: str, password: Callable[[], str] | None = None) -> Server:
        """Read an address.

        Raises:
            BadInputError: It is none, or it holds a password. The refusal never repeats it.
        """
        server = cls(url, password)
        parts = server._parts()
        if ":" in parts.netloc.rpartition("@")[0] or "password=" in parts.query.casefold():
            raise BadInputError(
                "The journal's address holds a password",
                'Take it out, and say where it is kept: journal_password = "env:NAME"',
            )
        return server

    @property
    def name(self) -> str:
        """The address, for a person."""
        parts = self._parts()
        host = "".join((parts.netloc.rpartition("@")[0].partition(":")[0], *parts.netloc.rpartition("@")[1:]))
        shown = [part for part in parts.query.split("&") if part.startswith(("host=", "port=", "service="))]
        return one_line(f"postgresql://{host}{parts.path}{'?' if shown else ''}{'&'.join(shown)}")

    def unreadable(self) -> BadInputError:
        """The refusal of an address that is none."""
        return BadInputError(
            "The profile's journal is not the address of a PostgreSQL database",
            'Write it as journal = "postgresql://user@host/database"',
        )

    def _parts(self) -> SplitResult:
        try:
            parts = urlsplit(self.url)
        except ValueError:
            raise self.unreadable() from None
        if parts.scheme not in {"postgresql", "postgres"}:
            raise self.unreadable()
        return parts


class Row(Protocol):
    """A line of an answer: by position, by name of the column, or all of them in their order."""

    def __getitem__(self, column: int | str, /) -> Any: ...  # noqa: ANN401 - whatever the column holds

    def __iter__(self) -> Iterator[Any]: ...


class Transaction(Protocol):
    """Statements of which all are carried out, or none."""

    def execute(self, sql: str, values: Sequence[object] = (), /) -> Sequence[Row]:
        """One statement; gives its answer."""
        ...

    def executemany(self, sql: str, lines: Iterable[Sequence[object]], /) -> None:
        """One statement for each of these lines of values."""
        ...


class Database(Protocol):
    """An open database that holds one org's journal. Several threads may use it, one at a time."""

    @property
    def name(self) -> str:
        """Where it is, for a person."""
        ...

    @property
    def one_machine(self) -> bool:
        """Only processes of this machine can reach it."""
        ...

    @property
    def set_aside(self) -> Path | None:
        """Where a damaged file that stood in the way was moved to."""
        ...

    def read(self, sql: str, values: Sequence[object] = ()) -> Sequence[Row]:
        """Rows of a question.

        Raises:
            MachineError: It cannot be read.
        """
        ...

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[Transaction]:
        """All or nothing, one writer at a time, and on disk when it is left. Inside another one: all or
        nothing of its own (a savepoint), and on disk with that one.

        Args:
            durable: False leaves the moment at which it is on disk to the system: other processes see it, and
                it outlives this one, but not always a loss of power. Before the next durable one it is there.

        Raises:
            MachineError: It cannot be written.
        """
        ...

    def now(self) -> datetime:
        """Its own clock: the one that all who share it agree on."""
        ...

    def tidy(self) -> None:
        """Do in a quiet moment what a later commit would wait for. Needs not be called, and never fails."""
        ...

    def check_in_place(self) -> None:
        """Raises: MachineError: What is written now would be lost, as its file is no longer there."""
        ...

    def cannot_be_used(self, why: str) -> MachineError:
        """The error of a journal that cannot be read or written."""
        ...

    def close(self) -> None: ...


class NewerSchemaError(Exception):
    """A newer version of this program wrote it. It is left as it is."""


def migrate(sql: Transaction, version: int) -> None:
    """Bring tables of that version to this program's. The caller holds the only pen.

    Raises:
        NewerSchemaError: They are newer than this program.
    """
    if version > len(MIGRATIONS):
        raise NewerSchemaError
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            sql.execute(statement)


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

_DEPARTURES = (
    # The org's clock when the request left: later than in its intent, which is on disk before.
    "ALTER TABLE outcomes ADD COLUMN org_at TEXT",
)

MIGRATIONS: Migrations = (_FIRST, _FIXES, _WAVES, _PRESSES, _TEAM, _HANDLING, _DEPARTURES)
"""Statements that lead from version n to n + 1. Only ever appended to."""
