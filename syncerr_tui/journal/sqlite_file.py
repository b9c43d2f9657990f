"""One SQLite file that several processes may open at once: made private, checked, and never half written.

A damaged file is moved out of the way, another program's is refused, and every trouble of SQLite is told in
words for a person.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from syncerr_tui.errors import MachineError
from syncerr_tui.journal.database import (
    APPEND_ONLY,
    APPEND_ONLY_WORDS,
    Migrations,
    NewerSchemaError,
    Row,
    Transaction,
    migrate,
)

APPLICATION_ID = 0x53796E63  # "Sync": tells our file from any other SQLite file
_BUSY_SECONDS = 10.0
_CHECKED_BYTES = 64 * 2**20  # a whole check of a larger file would be felt at every start


class SqliteFile:
    """An open file (see `database.Database`)."""

    def __init__(self, path: Path, connection: sqlite3.Connection, set_aside: Path | None) -> None:
        self.path = path
        self.name = str(path)
        self.connection = connection
        self.set_aside = set_aside
        self._known_as = _file_at(path)

    @classmethod
    def open(cls, path: Path, *, mode: int, migrations: Migrations, now: datetime) -> SqliteFile:
        """Open or create a file.

        Args:
            path: Where.
            mode: Of the file: 0o600, or 0o660 where a group shares it.
            migrations: From no tables to this version's.
            now: This machine's time, for the name of a damaged file.

        Raises:
            MachineError: It cannot be created, read or written, a newer version wrote it, or the file is
                another program's.
        """
        with _in_words(path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _make_private(path, mode)
            except (OSError, ValueError) as problem:
                why = getattr(problem, "strerror", None) or type(problem).__name__
                raise _cannot_be_used(path, why) from problem
            aside = None
            try:
                connection = _connect(path, migrations)
            except sqlite3.DatabaseError as problem:
                if not _is_damage(problem):
                    raise
                aside = _set_aside(path, now)
                _make_private(path, mode)
                connection = _connect(path, migrations)
        return cls(path, connection, aside)

    def close(self) -> None:
        self.connection.close()

    def cannot_be_used(self, why: str) -> MachineError:
        return _cannot_be_used(self.path, why)

    def read(self, sql: str, values: Sequence[object] = ()) -> Sequence[Row]:
        with _in_words(self.path):
            try:
                return self.connection.execute(sql, values).fetchall()
            except UnicodeEncodeError:  # half a character, from a command line: in no row
                return []

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        sql = _Statements(self.connection)
        with _in_words(self.path):
            if self.connection.in_transaction:
                with _all_or_nothing(self.connection, "SAVEPOINT part", "RELEASE part", "ROLLBACK TO part"):
                    yield sql
                return
            if not durable:
                self.connection.execute("PRAGMA synchronous = NORMAL")
            try:
                with _all_or_nothing(self.connection):
                    yield sql
            finally:
                if not durable:
                    self.connection.execute("PRAGMA synchronous = FULL")

    def check_in_place(self) -> None:
        if _file_at(self.path) != self._known_as:
            raise self.cannot_be_used("its file was moved, deleted or replaced while it was in use")


class _Statements:
    """A transaction of SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Sequence[object] = ()) -> Sequence[Row]:
        if sql.startswith(APPEND_ONLY):
            for verb in ("UPDATE", "DELETE"):
                self._connection.execute(_refusal(sql.removeprefix(APPEND_ONLY), verb))
            return []
        return self._connection.execute(sql, values).fetchall()

    def executemany(self, sql: str, lines: Iterable[Sequence[object]]) -> None:
        self._connection.executemany(sql, lines)


def _refusal(table: str, verb: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY_WORDS}'); END"
    )


@contextmanager
def _all_or_nothing(
    connection: sqlite3.Connection,
    begin: str = "BEGIN IMMEDIATE",
    end: str = "COMMIT",
    undo: str = "ROLLBACK",
) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute(end)
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled back already
            connection.execute(undo)
        raise


def _migrate(connection: sqlite3.Connection, migrations: Migrations) -> None:
    if _version(connection) == len(migrations):
        return
    with _all_or_nothing(connection):
        migrate(
            _Statements(connection), _version(connection), migrations
        )  # another process may have been faster
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file a path leads to; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _connect(path: Path, migrations: Migrations) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.create_function("fold", 1, _folded, deterministic=True)
        _check_ours(connection)
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        _check(connection, path)
        _migrate(connection, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Two processes that open a new file at once may each wait for the other here: SQLite then gives up at
    once, whatever its timeout (https://sqlite.org/c3ref/busy_handler.html). One of them is through by then.
    """
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _make_private(path: Path, mode: int) -> None:
    """Create the file with this mode, or give it to an older one. SQLite's side files get the same."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode))
    except FileExistsError:
        if not path.is_file():  # a pipe or a device would be waited for without end
            raise OSError(errno.EINVAL, "it is not a file") from None
        if os.name != "posix" or path.stat().st_uid != os.getuid() or path.stat().st_mode & 0o777 == mode:
            return
    with suppress(OSError):  # a file system without modes
        path.chmod(mode)


class _ForeignFileError(Exception):
    """Another program's database."""


def _check_ours(connection: sqlite3.Connection) -> None:
    """Before anything is written to it. An empty file is ours to fill."""
    # One statement, so that another process cannot fill the file between two of them.
    program, tables = connection.execute(
        "SELECT application_id, (SELECT count(*) FROM sqlite_master) FROM pragma_application_id"
    ).fetchone()
    if program != APPLICATION_ID and (program or tables):
        raise _ForeignFileError


def _folded(text: str | None) -> str | None:
    """Upper and lower case alike, in every script: SQLite's own `lower` knows ASCII only."""
    return text.casefold() if text is not None else None


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size <= _CHECKED_BYTES:
        result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if result != "ok":
            raise sqlite3.DatabaseError("malformed")


def _is_damage(problem: sqlite3.Error) -> bool:
    text = str(problem)
    return "malformed" in text or "not a database" in text or "encrypted" in text


def _set_aside(path: Path, now: datetime) -> Path:
    """Move a damaged journal and its side files out of the way. Nothing is deleted."""
    aside = path.with_name(f"{path.name}.damaged-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """SQLite's troubles in words for a person."""
    try:
        yield
    except _ForeignFileError as problem:
        raise MachineError(
            f"The file {path} is not a journal: it is another program's database",
            "Move it away, or name another file as the journal",
        ) from problem
    except NewerSchemaError as problem:
        raise MachineError(
            f"The journal {path} was written by a newer version of this program", "Update syncerr-tui"
        ) from problem
    except sqlite3.Error as problem:
        raise _cannot_be_used(path, str(problem)) from problem


def _cannot_be_used(path: Path, why: str) -> MachineError:
    return MachineError(
        f"The journal cannot be used: {why}",
        f"Nothing is sent without it: free the disk or make its folder writable ({path})",
    )
