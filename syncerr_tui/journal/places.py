"""Where an org's journal lies: in a user's own file, or in one that a team shares and the own is moved into.

A move is a copy: once, all or nothing, and read back before it counts.

Every append-only table is copied, also one that is added later: lines with a number of their own (`n`) are
numbered anew, in their order, and `intent` follows the number of the request that it names. Owners and claims
are not copied: nobody may be at work in a journal that is moved.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from syncerr_tui.errors import BadInputError, MachineError, RefusedError
from syncerr_tui.journal.database import APPEND_ONLY, MIGRATIONS, Server, Transaction
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.stopwatch import utc_now
from syncerr_tui.words import plural

_TABLES = tuple(
    statement.removeprefix(APPEND_ONLY)
    for migration in MIGRATIONS
    for statement in migration
    if statement.startswith(APPEND_ONLY)
)
_KEYS = ("n", "intent", "run", "id")
"""The first of these that a table has tells its copied lines from the others."""
Lines = list[tuple[Any, ...]]


def journal_folder(state_folder: Path) -> Path:
    """Where the journals of all orgs are, under the program's state folder."""
    return state_folder / "journals"


def shared_place(shared: str, password: Callable[[], str] | None = None) -> Path | Server | None:
    """Where a profile's `journal` is; None for the file that each user has.

    Args:
        shared: The file or the address that the profile names; empty or `sqlite`: none.
        password: Asks for the password of a team's database.

    Raises:
        BadInputError: It is neither a file of this machine nor the address of a database.
    """
    if shared in {"", "sqlite"}:
        return None
    if "://" in shared:
        return Server.of(shared, password)
    path = Path(shared).expanduser()
    if not path.is_absolute():
        raise BadInputError(
            "The profile's journal is neither a file of this machine nor a database",
            'Write its whole path: journal = "/srv/acme.db", or journal = "postgresql://user@host/database"',
        )
    return path


def own_journal(state_folder: Path, org_id: str) -> Path:
    """The file of this user alone."""
    return journal_folder(state_folder) / f"journal-{org_id}.db"


def open_journal(
    state_folder: Path,
    org_id: str,
    now: Callable[[], datetime] = utc_now,
    *,
    shared: str = "",
    password: Callable[[], str] | None = None,
) -> Journal:
    """The journal of an org, under the program's state folder or where its profile says.

    Args:
        state_folder: This user's folder for what must survive.
        org_id: The org.
        now: This machine's time, aware.
        shared: What the profile says (`shared_place`).
        password: Asks for the password of a team's database.

    Raises:
        BadInputError: `shared` names neither a file of this machine nor a database.
        MachineError: It cannot be used; nothing may be sent.
    """
    folder, log_folder = journal_folder(state_folder), state_folder / "requests"
    place = shared_place(shared, password)
    own = own_journal(state_folder, org_id)
    if place is None or place == own or not own.exists():
        return Journal.open(folder, org_id, clock=now, log_folder=log_folder, shared=place)
    # What this user's own journal left open before there was a shared one is in doubt there too.
    with Journal.open(folder, org_id, clock=now, log_folder=log_folder) as mine:
        left = [] if mine.moved_to else list(History(mine).open_attempts().values())
    journal = Journal.open(folder, org_id, clock=now, log_folder=log_folder, shared=place)
    journal.remember(left)
    return journal


@dataclass(frozen=True, slots=True)
class CopiedLines:
    """What was copied."""

    counts: Mapping[str, int]
    """Table -> lines."""

    @property
    def summary(self) -> str:
        """`12 runs, 340 rows, 3 fixes`."""
        fixes = self.counts["fixes"]
        parts = (plural(self.counts["runs"], "run"), plural(self.counts["rows"], "row"))
        return f"{parts[0]}, {parts[1]}, {fixes:,} {'fix' if fixes == 1 else 'fixes'}"


def move(source: Journal, target: Journal) -> CopiedLines:
    """Copy one journal into another, and mark it as moved: nothing is begun in it any more.

    Raises:
        RefusedError: It was moved before, somebody is at work in it, or the shared journal has open requests
            of rows that this one knows of too. Nothing was copied.
        MachineError: One of them cannot be read or written, or what was read back differs. Nothing was
            copied.
    """
    _refuse_where_at_work(source)
    with source.moving(target.place) as there_before, target.writing() as sql:
        copied = {table: _read(source, table) for table in _TABLES}
        again = there_before or _known(sql, copied)
        if not again:
            _refuse_where_open(source, target)
            last = int(sql.execute("SELECT COALESCE(max(n), 0) FROM intents")[0][0])
            numbers = {line[0]: last + place for place, line in enumerate(copied["intents"][1], 1)}
            for table, (columns, lines) in copied.items():
                _copy(sql, table, columns, _renumbered(table, columns, lines, numbers))
    if again:
        raise RefusedError(
            f"This journal was moved before: {target.place} has what was in it", "Nothing was copied"
        )
    return CopiedLines({table: len(lines) for table, (_, lines) in copied.items()})


def _refuse_where_at_work(source: Journal) -> None:
    under_way = History(source).under_way()
    if under_way:
        raise RefusedError(
            f"A run of {under_way[0].os_user} is under way in the journal that is to be moved",
            "Wait for it to end, or stop it there",
        )


def _refuse_where_open(source: Journal, target: Journal) -> None:
    """What is copied counts as the newer: it must not hide that a request is open."""
    known = {row["event"] for row in source.read("SELECT DISTINCT event FROM intents")}
    both = History(target).open_attempts().keys() & known
    if both:
        raise RefusedError(
            f"The shared journal has {plural(len(both), 'request')} of unknown outcome for rows that this "
            "one knows as well",
            "Run 'syncerr-tui verify' first, so that the newer outcome stands",
        )


def _read(source: Journal, table: str) -> tuple[tuple[str, ...], Lines]:
    columns = tuple(row["name"] for row in source.read(f"PRAGMA table_info({table})"))
    order = "n" if "n" in columns else "1, 2"
    lines = source.read(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608 - our own tables
    return columns, [tuple(line) for line in lines]


def _known(sql: Transaction, copied: Mapping[str, tuple[tuple[str, ...], Lines]]) -> bool:
    """Whether something of it is in the shared journal already."""
    for table in ("runs", "fixes"):
        ids = json.dumps([line[0] for line in copied[table][1]])
        query = f"SELECT 1 FROM {table} WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1"  # noqa: S608
        if sql.execute(query, (ids,)):
            return True
    return False


def _renumbered(
    table: str, columns: Sequence[str], lines: Lines, numbers: Mapping[int, int]
) -> tuple[list[str], Lines]:
    """The lines as they will be; without a number that the database gives by itself."""
    intent = "n" if table == "intents" else "intent"
    copied = [column for column in columns if column != "n" or table == "intents"]

    def value(column: str, line: tuple[Any, ...]) -> object:
        number = line[columns.index(column)]
        return numbers.get(number, number) if column == intent else number

    return copied, [tuple(value(column, line) for column in copied) for line in lines]


def _copy(sql: Transaction, table: str, columns: Sequence[str], copy: tuple[list[str], Lines]) -> None:
    """Write the lines, and read them back."""
    copied, lines = copy
    if not lines:
        return
    key = next(column for column in _KEYS if column in columns)
    names = ", ".join(f'"{name}"' for name in copied)
    before = sql.execute(f"SELECT max({key}) FROM {table}")[0][0] if key in {"n", "intent"} else None  # noqa: S608
    marks = ",".join("?" * len(copied))
    sql.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", lines)  # noqa: S608
    select = f"SELECT {names} FROM {table}"  # noqa: S608
    if key in {"n", "intent"}:
        written = sql.execute(f"{select} WHERE {key} > ? ORDER BY {key}", (before or 0,))
    else:
        keys = json.dumps(list(dict.fromkeys(line[copied.index(key)] for line in lines)))
        listed = f"{select} WHERE {key} IN (SELECT value FROM json_each(?))"  # noqa: S608
        written = sql.execute(listed, (keys,))
    if sorted(map(_text, written)) != sorted(map(_text, lines)):
        raise MachineError(
            f"The copy differs from the journal (table {table})",
            "Nothing was copied; have both databases checked",
        )


def _text(line: Any) -> str:  # noqa: ANN401 - a row of any database, or a tuple
    return json.dumps(list(line))
