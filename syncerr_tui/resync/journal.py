"""The on-disk record of every intent and outcome, written before the act. One SQLite file for each org.

Every method is one transaction, synchronous, and on disk when it returns: a cancelled task cannot lose it.
A write that fails raises `MachineError`, and whoever was about to act must not.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from syncerr_tui.errors import MachineError, RefusedError
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.resync.journal_schema import APPLICATION_ID, MIGRATIONS, NewerSchemaError, migrate
from syncerr_tui.resync.owner import Owner, is_alive
from syncerr_tui.resync.plan import Plan
from syncerr_tui.resync.request_log import LoggedRequest, RequestLog
from syncerr_tui.text import one_line

_BUSY_SECONDS = 10.0
_BEAT_SECONDS = 30.0
_CHECKED_BYTES = 64 * 2**20  # a whole check of a larger file would be felt at every start
_SAFE_ID = re.compile(r"[A-Za-z0-9]{15,18}")


class OutcomeKind(StrEnum):
    """How a request ended for one row."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    """It certainly never reached the org."""
    UNKNOWN = "unknown"
    """It left, and no answer came back."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts: the operating system's user, and the org's."""

    os_user: str
    org_user: str
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """One row is about to be sent."""

    event: str
    wave: int
    attempt: int
    """1 for the first request of this row in its run."""
    org_at: datetime
    """The org's clock just before."""
    stamp: datetime | None
    """The event's modification stamp just before."""
    processed_at: datetime | None
    """When the org had last processed the event, just before."""


@dataclass(frozen=True, slots=True)
class RowEnd:
    """How a row ended: a verdict, or None because it was not sent."""

    event: str
    verdict: Verdict | None
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    intent: int | None = None
    """The last intent that this verdict is about."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A run is in the journal."""

    run: str
    held: Mapping[str, str]
    """Event id -> who holds it: rows that this run may not send."""


class Journal:
    """One org's journal. Not for use from several threads; safe for several processes."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        owner: Owner,
        clock: Callable[[], datetime],
        log: RequestLog,
    ) -> None:
        self.path = path
        self.forgotten: Mapping[str, LoggedRequest] = {}
        """Event id -> a request of it that a lost journal knew of, and that nothing has settled since."""
        self.lost_at: datetime | None = None
        """When it was last noticed that an older journal, or a part of this one, was lost."""
        self.loss = ""
        """What was noticed at this start, in words for a person; empty where nothing was."""
        self.set_aside: Path | None = None
        """Where a damaged file that stood in the way was moved to: to be told to the person."""
        self.connection = connection
        self.active: set[str] = set()
        """Runs that go on in this very program."""
        self._file = _file_at(path)
        self._log = log
        self._owner = owner
        self._clock = clock
        self._beat: datetime | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        org_id: str,
        *,
        clock: Callable[[], datetime],
        owner: Owner | None = None,
        migrations: Sequence[Sequence[str]] = MIGRATIONS,
        log_folder: Path | None = None,
        shared: Path | None = None,
    ) -> Journal:
        """Open or create the journal of an org.

        Args:
            folder: Where this user's journals lie.
            org_id: The org.
            clock: This machine's time, aware.
            owner: This process.
            migrations: From no tables to this version's.
            log_folder: Where requests are written down once more; None: in `folder`.
            shared: A file that several users of this machine write, in place of the one in `folder`.

        Raises:
            MachineError: It cannot be created, read or written, a newer version wrote it, or the file is
                another program's or another org's.
        """
        if not _SAFE_ID.fullmatch(org_id):
            raise MachineError(
                "The org gave no organization id", "Run `syncerr-tui doctor` and look at the org"
            )
        path = shared or folder / f"journal-{org_id}.db"
        mode = 0o660 if shared else 0o600
        log = RequestLog(path.parent if shared else log_folder or folder, f"requests-{org_id}", mode)
        with _told(path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _make_private(path, mode)
            except (OSError, ValueError) as problem:
                why = getattr(problem, "strerror", None) or type(problem).__name__
                raise _cannot(path, why) from problem
            aside = None
            try:
                connection = _connect(path, migrations)
            except sqlite3.DatabaseError as problem:
                if not _is_damage(problem):
                    raise
                aside = _set_aside(path, clock())
                _make_private(path, mode)
                connection = _connect(path, migrations)
        journal = cls(path, connection, owner or Owner.current(), clock, log)
        try:
            if shared:
                journal._check_org(org_id)
            journal.set_aside = aside
            journal._notice_loss()
        except BaseException:
            journal.close()
            raise
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self.connection.close()

    def read(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Rows of a question (`history.py` asks them)."""
        with _told(self.path):
            try:
                return self.connection.execute(sql, values).fetchall()
            except UnicodeEncodeError:  # half a character, from a command line: in no row
                return []

    def write(self, *statements: tuple[str, Sequence[object]]) -> None:
        """Statements in one transaction, on disk when this returns (`fixes.ledger` writes them).

        Raises:
            MachineError: It cannot be written; nothing may be sent.
        """
        with self._transaction() as sql:
            self._still_there()
            for statement, values in statements:
                sql.execute(statement, values)

    def now(self) -> datetime:
        """This machine's time."""
        return self._clock()

    def lives(self, row: sqlite3.Row) -> bool:
        """Whether the process of a line of `owners` is another one than this, and lives."""
        return _owner_of(row) != self._owner and self._lives(row)

    # -- a run as a whole

    def begin(self, plan: Plan, *, who: Who, reason: str, fingerprint: Callable[[SyncError], str]) -> Begun:
        """Write a plan down as a run, and claim its rows.

        Raises:
            RefusedError: Every row is held by other runs that are under way.
            MachineError: The journal cannot be written; nothing may be sent.
        """
        run = uuid4().hex
        head = plan.payload()
        rows = head.pop("rows")
        with self._transaction() as sql:
            held = self._claim(sql, run, [row.error.id for row in plan.rows])
            if plan.rows and len(held) == len(plan.rows):
                raise RefusedError(
                    f"All of these rows are being re-synced by {next(iter(held.values()))}",
                    "Wait for that run to end, or look at it with `syncerr-tui journal`",
                )
            sql.execute(
                "INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    run,
                    _text(self._clock()),
                    plan.hash,
                    json.dumps(head),
                    who.os_user,
                    who.org_user,
                    self._owner.host,
                    one_line(reason),
                    who.environment,
                ),
            )
            sql.executemany(
                "INSERT INTO rows VALUES (?,?,?,?,?,?,?)",
                (
                    (
                        run,
                        seq,
                        row.error.id,
                        row.error.object,
                        row.error.storeconnect_id,
                        fingerprint(row.error),
                        json.dumps(payload),
                    )
                    for seq, (row, payload) in enumerate(zip(plan.rows, rows, strict=True))
                ),
            )
        try:
            self._log.begin(run)
            self._forget_settled(run)
        except OSError as problem:
            self.release(run)
            raise _cannot(self.path, problem.strerror or type(problem).__name__) from problem
        self.active.add(run)
        return Begun(run, held)

    def adopt(self, run: str, events: Iterable[str]) -> Mapping[str, str]:
        """Go on with a run whose process is gone, and claim those of its rows that are still open.

        Returns:
            Rows that somebody else holds by now: event id -> who.

        Raises:
            RefusedError: The run is still under way somewhere.
        """
        with self._transaction() as sql:
            holder = sql.execute(
                "SELECT o.* FROM holders h JOIN owners o ON o.id = h.owner WHERE h.run = ?", (run,)
            ).fetchone()
            if run in self.active or (holder is not None and self.lives(holder)):
                raise RefusedError(
                    f"This run is still under way: {holder['user']}, {_owner_of(holder).name}",
                    "Wait for it to end, or stop it there",
                )
            held = self._claim(sql, run, list(events))
            self._mark(sql, run, "adopted", self._owner.name)
        self.active.add(run)
        return held

    def mark(self, run: str, mark: str, detail: str = "") -> None:
        """Write down something that happened to a run: paused, resumed, braked, cancelled ..."""
        with self._transaction() as sql:
            self._mark(sql, run, mark, detail)

    def wave(self, run: str, number: int, rows: int, seconds: float) -> None:
        """Write down how long a wave took from its first look at the org to its last proof."""
        with self._transaction() as sql:
            sql.execute(
                "INSERT INTO waves (run, at, number, rows, seconds) VALUES (?,?,?,?,?)",
                (run, _text(self._clock()), number, rows, seconds),
            )

    def end(self, run: str, how: str, summary: str) -> None:
        """The run is over; its rows are free."""
        with self._transaction() as sql:
            self._mark(sql, run, how, summary)
            sql.execute("DELETE FROM claims WHERE run = ?", (run,))
            sql.execute("DELETE FROM holders WHERE run = ?", (run,))
        self.active.discard(run)

    def release(self, run: str) -> None:
        """Nobody works on this run any more, and it has not ended: it can be resumed."""
        with self._transaction() as sql:
            sql.execute("DELETE FROM claims WHERE run = ?", (run,))
            sql.execute("DELETE FROM holders WHERE run = ?", (run,))
        self.active.discard(run)

    def note(self, text: str, *, os_user: str, run: str | None = None, event: str | None = None) -> None:
        """A person's or the program's remark on a run or an event."""
        with self._transaction() as sql:
            sql.execute(
                "INSERT INTO notes (at, os_user, run, event, text) VALUES (?,?,?,?,?)",
                (_text(self._clock()), os_user, run, event, text),
            )

    def consent(self, run: str, events: Sequence[str], *, os_user: str) -> None:
        """Write down that a person wants these rows sent again although their last request is not settled."""
        text = "sent again although what became of its last request is not known: a person said so"
        at = _text(self._clock())
        with self._transaction() as sql:
            sql.executemany(
                "INSERT INTO notes (at, os_user, run, event, text) VALUES (?,?,?,?,?)",
                ((at, os_user, run, event, text) for event in events),
            )

    # -- the rows of a run

    def intend(self, run: str, intents: Sequence[Intent]) -> dict[str, int]:
        """Write down that these rows are about to be sent. Only then may the request leave.

        Returns:
            Event id -> number of its intent.

        Raises:
            RefusedError: A row is claimed by another run; nothing was written.
            MachineError: The journal cannot be written; nothing may be sent.
        """
        numbers = {}
        with self._transaction() as sql:
            self._still_there()
            self._hold(sql, run, [intent.event for intent in intents])
            if self._silent():
                self._owner_id(sql)
            at = _text(self._clock())
            for i in intents:
                written = sql.execute(
                    "INSERT INTO intents (run, event, wave, attempt, at, org_at, stamp, processed) "
                    "VALUES (?,?,?,?,?,?,?,?)",
                    (
                        run,
                        i.event,
                        i.wave,
                        i.attempt,
                        at,
                        _text(i.org_at),
                        _text(i.stamp) if i.stamp else None,
                        _text(i.processed_at) if i.processed_at else None,
                    ),
                )
                numbers[i.event] = int(written.lastrowid or 0)
        now = self._clock()
        try:
            self._log.add(
                run,
                (
                    LoggedRequest(run, i.event, i.attempt, now, i.org_at, i.stamp, i.processed_at)
                    for i in intents
                ),
            )
        except OSError as problem:
            raise _cannot(self.path, problem.strerror or type(problem).__name__) from problem
        return numbers

    def outcomes(self, outcomes: Iterable[tuple[int, OutcomeKind, str | None, str]]) -> None:
        """Write down how requests ended: (number of the intent, kind, code, reason)."""
        at = _text(self._clock())
        with self._transaction() as sql:
            sql.executemany(
                "INSERT INTO outcomes (intent, at, kind, code, reason) VALUES (?,?,?,?,?)",
                ((intent, at, kind.value, code, reason) for intent, kind, code, reason in outcomes),
            )

    def finish_rows(self, run: str, ends: Iterable[RowEnd]) -> None:
        """Write down how rows ended."""
        at = _text(self._clock())
        with self._transaction() as sql:
            sql.executemany(
                "INSERT INTO verdicts (run, event, intent, at, verdict, reason, evidence) "
                "VALUES (?,?,?,?,?,?,?)",
                (
                    (
                        run,
                        end.event,
                        end.intent,
                        at,
                        end.verdict.value if end.verdict else None,
                        end.reason,
                        json.dumps(end.evidence),
                    )
                    for end in ends
                ),
            )

    def heartbeat(self) -> None:
        """Say that this process lives; cheap to call often."""
        if self._silent():
            with self._transaction() as sql:
                self._owner_id(sql)

    def _silent(self) -> bool:
        return self._beat is None or abs((self._clock() - self._beat).total_seconds()) >= _BEAT_SECONDS

    # -- what was lost

    def _notice_loss(self) -> None:
        """Hold the request log against the database: what only the log knows, the database has lost."""
        missing = {run: self._missing(run, requests) for run, requests in self._log.runs().items()}
        gone = {run: lines for run, lines in missing.items() if lines is not None}
        told = {row["run"] for row in self.read("SELECT run FROM marks WHERE mark = 'lost'")}
        lost = [line for lines in gone.values() for line in lines]
        self.forgotten = {
            line.event: line for line in sorted(lost, key=lambda line: line.at) if not self._is_settled(line)
        }
        news = sorted(gone.keys() - told)
        if news or self.set_aside:
            self.loss = self._words_of_loss()
            with suppress(MachineError), self._transaction() as sql:  # else it is noticed again
                for run in news or [""]:
                    self._mark(sql, run, "lost", self.loss)
        at = self.read("SELECT max(at) AS at FROM marks WHERE mark = 'lost'")[0]["at"]
        self.lost_at = datetime.fromisoformat(at) if at else self._clock() if self.loss else None

    def _words_of_loss(self) -> str:
        what = (
            f"The journal was damaged. It is kept as {self.set_aside}, and a new one has been begun"
            if self.set_aside
            else "The journal does not know all that was sent: it was replaced, cut short or put back"
        )
        count = len(self.forgotten)
        if not count:
            return what
        rows = "1 row may be under way: it goes" if count == 1 else f"{count} rows may be under way: they go"
        return f"{what}. {rows} again only with your consent"

    def _missing(self, run: str, requests: Sequence[LoggedRequest]) -> list[LoggedRequest] | None:
        """Requests of a run that the database does not know; None where it knows the run and all of them."""
        if not self.read("SELECT 1 FROM runs WHERE id = ?", (run,)):
            return list(requests)
        known = {
            (row["event"], row["attempt"])
            for row in self.read("SELECT event, attempt FROM intents WHERE run = ?", (run,))
        }
        return [line for line in requests if (line.event, line.attempt) not in known] or None

    def _is_settled(self, line: LoggedRequest) -> bool:
        """Whether the database knows what became of a request, or of a later one for the same event."""
        later = self.read(
            "SELECT 1 FROM verdicts v LEFT JOIN outcomes o ON o.intent = v.intent "
            "WHERE v.event = ?1 AND v.at >= ?2 AND v.verdict != 'UNKNOWN' "
            "AND COALESCE(o.kind, '') NOT IN ('not sent', 'refused') UNION ALL "
            "SELECT 1 FROM intents i LEFT JOIN outcomes o ON o.intent = i.n WHERE i.event = ?1 AND "
            "CASE WHEN i.run = ?3 AND i.attempt = ?4 THEN o.kind IN ('not sent', 'refused') "
            "ELSE i.at > ?2 AND COALESCE(o.kind, '') NOT IN ('not sent', 'refused') END LIMIT 1",
            (line.event, _text(line.at), line.run, line.attempt),
        )
        return bool(later)

    def _forget_settled(self, current: str) -> None:
        """Put away the logs of earlier runs in which nothing is open any more."""
        for run, requests in self._log.runs().items():
            if run not in {current, *self.active} and all(map(self._is_settled, requests)):
                under_way = self.read("SELECT 1 FROM holders WHERE run = ?", (run,))
                if not under_way:
                    self._log.forget(run)

    def _check_org(self, org_id: str) -> None:
        """Raises: MachineError: A shared file holds another org's runs."""
        found = self.read("SELECT json_extract(plan, '$.org_id') AS org FROM runs LIMIT 1")
        if found and found[0]["org"] != org_id:
            raise MachineError(
                f"The journal {self.path} belongs to another org ({one_line(str(found[0]['org']))[:18]})",
                "Give each org a file of its own: journal = ... in its profile",
            )

    # -- inside a transaction

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _told(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # a full disk may have rolled back already
                    self.connection.execute("ROLLBACK")
                raise

    def _still_there(self) -> None:
        """What is written to a file without a name (deleted, moved, put back from a backup) nobody finds."""
        if _file_at(self.path) != self._file:
            raise _cannot(self.path, "its file was moved, deleted or replaced while it was in use")

    def _mark(self, sql: sqlite3.Connection, run: str, mark: str, detail: str) -> None:
        sql.execute(
            "INSERT INTO marks (run, at, mark, detail) VALUES (?,?,?,?)",
            (run, _text(self._clock()), mark, detail),
        )

    def _claim(self, sql: sqlite3.Connection, run: str, events: Sequence[str]) -> dict[str, str]:
        me = self._owner_id(sql)
        held = {}
        lives: dict[int, bool] = {}
        taken = sql.execute(
            "SELECT c.event, o.* FROM claims c JOIN owners o ON o.id = c.owner "
            "WHERE c.run != ? AND c.event IN (SELECT value FROM json_each(?))",
            (run, json.dumps(events)),
        )
        for row in taken.fetchall():
            if row["id"] not in lives:
                lives[row["id"]] = self._lives(row)
            if lives[row["id"]]:
                held[row["event"]] = f"{row['user']}, {_owner_of(row).name}"
        free = [event for event in events if event not in held]
        sql.executemany("INSERT OR REPLACE INTO claims VALUES (?,?,?)", ((event, run, me) for event in free))
        sql.execute("INSERT OR REPLACE INTO holders VALUES (?,?)", (run, me))
        return held

    def _hold(self, sql: sqlite3.Connection, run: str, events: Sequence[str]) -> None:
        """Make sure that every one of these rows is still ours: another process may have thought us dead."""
        ours = sql.execute(
            "SELECT count(*) FROM claims WHERE run = ? AND event IN (SELECT value FROM json_each(?))",
            (run, json.dumps(events)),
        ).fetchone()[0]
        if ours != len(events):
            raise RefusedError(
                "Another run has taken over rows of this one", "Look at it with `syncerr-tui journal`"
            )

    def _owner_id(self, sql: sqlite3.Connection) -> int:
        import getpass

        self._beat = self._clock()
        o = self._owner
        try:
            user = getpass.getuser()
        except (OSError, KeyError):
            user = "an unknown user"
        sql.execute(
            "INSERT INTO owners (pid, started, host, boot, user, heartbeat) VALUES (?,?,?,?,?,?) "
            "ON CONFLICT (pid, started, host, boot) DO UPDATE SET heartbeat = excluded.heartbeat",
            (o.pid, o.started, o.host, o.boot, user, _text(self._beat)),
        )
        found: int = sql.execute(
            "SELECT id FROM owners WHERE pid = ? AND started = ? AND host = ? AND boot = ?",
            (o.pid, o.started, o.host, o.boot),
        ).fetchone()[0]
        return found

    def _lives(self, row: sqlite3.Row) -> bool:
        return is_alive(_owner_of(row), self._owner, datetime.fromisoformat(row["heartbeat"]), self._clock())


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file a path leads to; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _owner_of(row: sqlite3.Row) -> Owner:
    return Owner(row["pid"], row["started"], row["host"], row["boot"])


def _text(at: datetime) -> str:
    """One spelling for every time: UTC, so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _connect(path: Path, migrations: Sequence[Sequence[str]]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.create_function("fold", 1, _folded, deterministic=True)
        _check_ours(connection)
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        _check(connection, path)
        migrate(connection, migrations)
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
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
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
def _told(path: Path) -> Iterator[None]:
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
        raise _cannot(path, str(problem)) from problem


def _cannot(path: Path, why: str) -> MachineError:
    return MachineError(
        f"The journal cannot be used: {why}",
        f"Nothing is sent without it: free the disk or make its folder writable ({path})",
    )
