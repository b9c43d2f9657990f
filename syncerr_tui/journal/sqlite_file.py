"""One SQLite file that several processes may open at once: made private, checked, and never half written.

A damaged file is moved out of the way, another program's is refused, and every trouble of SQLite is told in
words for a person.
"""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from syncerr_tui.errors import MachineError
from syncerr_tui.journal import database
from syncerr_tui.journal.database import (
    APPEND_ONLY,
    APPEND_ONLY_WORDS,
    NewerSchemaError,
    Row,
    Transaction,
    migrate,
)
from syncerr_tui.text import one_line

APPLICATION_ID = 0x53796E63  # "Sync": tells our file from any other SQLite file
_BUSY_SECONDS = 10.0
_LINES_AT_ONCE = 500
_NETWORK_FILE_SYSTEM = re.compile(
    r"(fuse\.)?(nfs4?|cifs|smb3|smbfs|9p|virtiofs|afs|ceph|glusterfs|lustre|gpfs|beegfs|ocfs2|gfs2|sshfs|davfs"
    r"|ncpfs|coda|orangefs|pvfs2|vboxsf|prl_fs|vmhgfs|vmhgfs-fuse|s3fs|gcsfuse|rclone|drvfs)"
)
"""As the kernel names it; with `fuse.` before one that is a program."""
_CHANGES_AHEAD, _PAGES_AHEAD = 5000, 5000
"""What is written ahead of the file itself: so many changes until a quiet moment, so many pages of 4 kB in
any case, as some commit waits for it then.
"""
_CHECKED_BYTES = 64 * 2**20  # a whole check of a larger file would be felt at every start


class SqliteFile:
    """An open file (see `database.Database`)."""

    one_machine = True

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        clock: Callable[[], datetime],
        *,
        set_aside: Path | None,
        shared: bool,
    ) -> None:
        self.path = path
        self.name = str(path)
        self.connection = connection
        self.now = clock
        self.set_aside = set_aside
        self._shared = shared
        self._known_as = _file_at(path)
        self._checkpoint_at = connection.total_changes + _CHANGES_AHEAD
        self._durable = True
        """How commits are made: waiting for the disk, as `_connect` leaves it."""

    @classmethod
    def open(cls, path: Path, *, shared: bool, clock: Callable[[], datetime]) -> SqliteFile:
        """Open or create a file.

        Args:
            path: Where.
            shared: Several users of this machine write it: the group of its folder.
            clock: This machine's time, aware.

        Raises:
            MachineError: It cannot be created, read or written, a newer version wrote it, or the file is
                another program's.
        """
        prepare = _share if shared else _make_private
        with _in_words(path, shared=shared):
            try:
                prepare(path)
            except (OSError, ValueError) as problem:
                why = getattr(problem, "strerror", None) or type(problem).__name__
                raise _cannot_be_used(path, why, shared=shared) from problem
            aside = None
            try:
                connection = _connect(path)
            except sqlite3.DatabaseError as problem:
                if not _is_damage(problem):
                    raise
                aside = _set_aside(path, clock())
                prepare(path)
                connection = _connect(path)
            if shared:
                _share_side_files(path)
        return cls(path, connection, clock, set_aside=aside, shared=shared)

    def close(self) -> None:
        self.connection.close()

    def cannot_be_used(self, why: str) -> MachineError:
        return _cannot_be_used(self.path, why, shared=self._shared)

    def read(self, sql: str, values: Sequence[object] = ()) -> Sequence[Row]:
        with _in_words(self.path, shared=self._shared):
            try:
                return self.connection.execute(sql, values).fetchall()
            except UnicodeEncodeError:  # half a character, from a command line: in no row
                return []

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        sql = _Statements(self.connection)
        with _in_words(self.path, shared=self._shared):
            if self.connection.in_transaction:
                with _all_or_nothing(self.connection, "SAVEPOINT part", "RELEASE part", "ROLLBACK TO part"):
                    yield sql
                return
            if durable is not self._durable:
                self.connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            with _all_or_nothing(self.connection):
                yield sql

    def tidy(self) -> None:
        if self.connection.total_changes >= self._checkpoint_at:
            self._checkpoint_at = self.connection.total_changes + _CHANGES_AHEAD
            with suppress(sqlite3.Error):  # the next commit that has to meets it again
                self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def check_in_place(self) -> None:
        if _file_at(self.path) != self._known_as:
            raise self.cannot_be_used("its file was moved, deleted or replaced while it was in use")


class _Statements:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Sequence[object] = ()) -> Sequence[Row]:
        if sql.startswith(APPEND_ONLY):
            for verb in ("UPDATE", "DELETE"):
                self._connection.execute(_refusal(sql.removeprefix(APPEND_ONLY), verb))
            return []
        return self._connection.execute(sql, values).fetchall()

    def executemany(self, sql: str, lines: Iterable[Sequence[object]]) -> None:
        # In pieces that are ready: making each line between two steps of SQLite takes a fifth longer.
        lines = iter(lines)
        while piece := list(islice(lines, _LINES_AT_ONCE)):
            self._connection.executemany(sql, piece)


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


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(database.MIGRATIONS):
        return
    with _all_or_nothing(connection):
        # Another process may have been faster.
        migrate(_Statements(connection), _version(connection))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(database.MIGRATIONS)}")


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


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.create_function("fold", 1, _folded, deterministic=True)
        _check_ours(connection)
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_AHEAD}")
        _check(connection, path)
        _migrate(connection)
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


def _make_private(path: Path) -> None:
    """Create the file for this user alone, or make an older one so. SQLite's side files get the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _create(path, 0o600)


def refuse_network(path: Path) -> None:
    """Raises: MachineError: It is on a network, where SQLite's shared memory and locks do not hold
    (https://sqlite.org/wal.html).
    """
    if system := network_file_system(path):
        raise MachineError(
            f"The journal {path} cannot be shared from a network file system ({one_line(system)})",
            'Keep it on a disk of this machine, or in a database: journal = "postgresql://user@host/database"',
        )


def _share(path: Path) -> None:
    """Create the file for the group of its folder."""
    refuse_network(path)
    with suppress(FileExistsError):  # also where a colleague makes it in the same moment
        path.parent.mkdir(parents=True, mode=0o770)
        path.parent.chmod(0o2770)
    _create(path, 0o660, path.parent.stat().st_gid)


def _share_side_files(path: Path) -> None:
    """SQLite gives them the mode of the file, but the group of whoever opens it first: where the folder has
    no set-group-ID bit, the next user could not open them.
    """
    for part in _side_files(path):
        with suppress(OSError):  # whoever is last to leave deletes them
            _give(part, 0o660, path.parent.stat().st_gid)


def _create(path: Path, mode: int, group: int | None = None) -> None:
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode))
    if not path.is_file():  # a pipe or a device would be waited for without end
        raise OSError(errno.EINVAL, "it is not a file")
    _give(path, mode, group)


def _give(path: Path, mode: int, group: int | None) -> None:
    """Give a file of ours to a group, with this mode."""
    status = path.stat()
    if os.name != "posix" or status.st_uid != os.getuid():
        return
    with suppress(OSError):  # a file system without modes, a group that this user is not in
        if group is not None and group != status.st_gid:
            os.chown(path, -1, group)
        if status.st_mode & 0o777 != mode:
            path.chmod(mode)


def _side_files(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm")]


def network_file_system(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The kind of network file system that a path is on; empty where it is on none, or nothing says so.

    Args:
        path: Of a file that needs not exist.
        mounts: What is mounted where, as proc_pid_mountinfo(5) has it.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    real = path.resolve()
    depth, system = 0, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        if real.is_relative_to(point) and len(point.parts) >= depth:  # a later mount hides an earlier one
            depth, system = len(point.parts), after.split(" ")[0]
    return system if _NETWORK_FILE_SYSTEM.fullmatch(system) else ""


def schema_version(path: Path) -> int:
    """Of a journal that is there; 0 where nothing says so. Nothing is changed by looking."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return _version(connection)
    except sqlite3.Error:
        return 0


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
    for part, new_name in zip((path, *_side_files(path)), (aside, *_side_files(aside)), strict=True):
        if part.exists():
            part.rename(new_name)
    return aside


@contextmanager
def _in_words(path: Path, *, shared: bool = False) -> Iterator[None]:
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
        raise _cannot_be_used(path, str(problem), shared=shared) from problem


def _cannot_be_used(path: Path, why: str, *, shared: bool) -> MachineError:
    mend = (
        f"give its folder to a group of all who use it (chmod 2770 {path.parent})"
        if shared
        else f"make its folder writable ({path})"
    )
    return MachineError(
        f"The journal cannot be used: {why}", f"Nothing is sent without it: free the disk or {mend}"
    )
