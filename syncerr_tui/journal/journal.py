"""The lasting record of every intent and outcome, written before the act: a file, or a team's database.

Every method is one transaction, synchronous, and on disk when it returns: a cancelled task cannot lose it.
Several that are called in `one_commit` share it. A write that fails raises `MachineError`, and whoever was
about to act must not.

Long because every statement that writes the history of a run stands here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any, Protocol, Self
from uuid import uuid4

from syncerr_tui.errors import MachineError, RefusedError
from syncerr_tui.journal.attempt import Attempt, Pressed
from syncerr_tui.journal.claims import Claims, Owner
from syncerr_tui.journal.database import Database, Row, Server, Transaction
from syncerr_tui.journal.request_log import (
    LoggedRequest,
    RequestLog,
    forget_settled,
    is_settled,
    log_line,
    loss_words,
    lost_requests,
)
from syncerr_tui.model import SyncError, chunks
from syncerr_tui.text import one_line
from syncerr_tui.words import iso

_ASKED_AT_ONCE = 5000
_SAFE_ID = re.compile(r"[A-Za-z0-9]{15,18}")


class RecordableRow(Protocol):
    """One row of a plan."""

    @property
    def error(self) -> SyncError: ...

    @property
    def spelling(self) -> str:
        """Its JSON."""
        ...


class RecordablePlan(Protocol):
    """What is written down of a plan (`resync.plan.Plan`)."""

    @property
    def hash(self) -> str: ...

    @property
    def rows(self) -> Sequence[RecordableRow]: ...

    def head(self) -> dict[str, Any]:
        """All but the hash and the rows, as JSON holds it."""
        ...


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts: the operating system's user, and the org's."""

    os_user: str
    org_user: str
    environment: str = ""


@dataclass(frozen=True, slots=True)
class JournaledRun:
    """A run is in the journal."""

    run: str
    held: Mapping[str, str]
    """Event id -> who holds it: rows that this run may not send."""


class Journal:
    """One org's journal. Several threads may use it, one at a time; safe for several processes."""

    def __init__(self, database: Database, log: RequestLog) -> None:
        self.forgotten: Mapping[str, LoggedRequest] = {}
        """Event id -> a request of it that a lost journal knew of, and that nothing has settled since."""
        self.lost_at: datetime | None = None
        """When it was last noticed that an older journal, or a part of this one, was lost."""
        self.loss = ""
        """What was noticed at this start, in words for a person; empty where nothing was."""
        self.set_aside = database.set_aside
        """Where a damaged file that stood in the way was moved to: to be told to the person."""
        self.active: set[str] = set()
        """Runs that go on in this very program."""
        self._database = database
        self._turn = RLock()
        self._log = log
        self._to_log: list[tuple[str, str]] | None = None
        """Run and lines of requests whose intents wait for `one_commit`'s end; None outside of it."""
        self.claims = Claims(Owner.current(), database.now, one_machine=database.one_machine)
        self._clock = database.now

    @classmethod
    def open(
        cls,
        folder: Path,
        org_id: str,
        *,
        clock: Callable[[], datetime],
        log_folder: Path | None = None,
        shared: Path | Server | None = None,
    ) -> Journal:
        """Open or create the journal of an org.

        Args:
            folder: Where this user's journals lie.
            org_id: The org.
            clock: This machine's time, aware.
            log_folder: Where requests are written down once more; None: in `folder`.
            shared: A file that several users of this machine write, or a database that a team writes, in
                place of the file in `folder`.

        Raises:
            BadInputError: The address of the database cannot be read, or its client is not installed.
            MachineError: It cannot be created, reached, read or written, a newer version wrote it, or it is
                another program's or another org's.
        """
        if not _SAFE_ID.fullmatch(org_id):
            raise MachineError(
                "The org gave no organization id", "Run `syncerr-tui doctor` and look at the org"
            )
        database: Database
        name, log_folder = f"requests-{org_id}", log_folder or folder
        if isinstance(shared, Server):
            from syncerr_tui.journal.postgres import PostgresDatabase

            database = PostgresDatabase.open(shared, org_id)
            log = RequestLog(log_folder, f"{name}-{sha256(shared.name.encode()).hexdigest()[:12]}", 0o600)
        else:
            from syncerr_tui.journal.sqlite_file import SqliteFile

            path = shared or folder / f"journal-{org_id}.db"
            database = SqliteFile.open(path, shared=shared is not None, clock=clock)
            log = RequestLog(path.parent, name, 0o660) if shared else RequestLog(log_folder, name, 0o600)
        journal = cls(database, log)
        try:
            if shared:
                journal._check_org(org_id)
            journal._notice_loss()
        except BaseException:
            journal.close()
            raise
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def close(self) -> None:
        self._database.close()

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return self._database.name

    @property
    def path(self) -> Path:
        """Its file, of one that is in a file."""
        return Path(self._database.name)

    def read(self, sql: str, values: Sequence[object] = ()) -> Sequence[Row]:
        """Rows of a question (`history.py` and `fixes.ledger` ask them)."""
        with self._turn:
            return self._database.read(sql, values)

    def read_of(self, texts: Iterable[str], sql: str, *values: object) -> list[Row]:
        """Rows of a question about any of these texts; its first value is their list.

        It is asked about some thousand at a time: to spell 100,000 in one list holds up all other threads.
        """
        pieces = chunks(list(dict.fromkeys(texts)), _ASKED_AT_ONCE)
        return [row for piece in pieces for row in self.read(sql, (json.dumps(piece), *values))]

    def write(self, *statements: tuple[str, Sequence[object]]) -> None:
        """Statements in one transaction, on disk when this returns (`fixes.ledger` writes them).

        Raises:
            MachineError: It cannot be written; nothing may be sent.
        """
        with self._transaction() as sql:
            self._database.check_in_place()
            self._refuse_where_moved()
            for statement, values in statements:
                sql.execute(statement, values)

    def now(self) -> datetime:
        """The journal's time: of a team's database its own, else this machine's."""
        return self._clock()

    # -- a run as a whole

    def begin(
        self,
        plan: RecordablePlan,
        *,
        who: Who,
        reason: str,
        fingerprint: Callable[[SyncError], str],
        claimed: Callable[[Mapping[str, str]], object] = lambda _: None,
    ) -> JournaledRun:
        """Write a plan down as a run, and claim its rows.

        Args:
            plan: The plan.
            who: Who acts.
            reason: Why, in the person's words.
            fingerprint: What a row's cause is known by.
            claimed: Is told the rows that others hold, while the plan is being written: from then on nobody
                else can take one of the other rows, so how they stand may be looked at.

        Raises:
            RefusedError: Every row is held by other runs that are under way.
            MachineError: The journal cannot be written; nothing may be sent.
        """
        run = uuid4().hex
        with self._worked_on(run), self._transaction() as sql:
            self._refuse_where_moved()
            elsewhere = self.claims.take(sql, run, [row.error.id for row in plan.rows])
            if plan.rows and len(elsewhere) == len(plan.rows):
                raise RefusedError(
                    f"All of these rows are being re-synced by {next(iter(elsewhere.values()))}",
                    "Wait for that run to end, or look at it with `syncerr-tui journal`",
                )
            claimed(elsewhere)
            at = self._clock()
            while sql.execute("SELECT 1 FROM runs WHERE at = ?", (iso(at),)):
                at += timedelta(microseconds=1)  # runs are told in the order in which they began
            sql.execute(
                "INSERT INTO runs (id, at, plan_hash, plan, os_user, org_user, host, reason, environment) "
                "VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    run,
                    iso(at),
                    plan.hash,
                    json.dumps(plan.head()),
                    who.os_user,
                    who.org_user,
                    self.claims.owner.host,
                    one_line(reason),
                    who.environment,
                ),
            )
            sql.executemany(
                "INSERT INTO rows (run, seq, event, object, storeconnect_id, fingerprint, row) "
                "VALUES (?,?,?,?,?,?,?)",
                (
                    (
                        run,
                        seq,
                        row.error.id,
                        row.error.object,
                        row.error.storeconnect_id,
                        fingerprint(row.error),
                        row.spelling,
                    )
                    for seq, row in enumerate(plan.rows)
                ),
            )
        forget_settled(self.read, self._log, self.active)
        return JournaledRun(run, elsewhere)

    def adopt(self, run: str, events: Iterable[str]) -> Mapping[str, str]:
        """Go on with a run whose process is gone, and claim those of its rows that are still open.

        Returns:
            Rows that somebody else holds by now: event id -> who.

        Raises:
            RefusedError: The run is still under way somewhere.
        """
        with self._worked_on(run) as ours, self._transaction() as sql:
            self._refuse_where_moved()
            holders = sql.execute(
                "SELECT o.* FROM holders h JOIN owners o ON o.id = h.owner WHERE h.run = ?", (run,)
            )
            if ours or any(map(self.claims.runs_elsewhere, holders)):
                holder = holders[0]
                raise RefusedError(
                    f"This run is still under way: {holder['user']}, {Owner.of_row(holder).name}",
                    "Wait for it to end, or stop it there",
                )
            elsewhere = self.claims.take(sql, run, list(events))
            self._mark(sql, run, "adopted", self.claims.owner.name)
        return elsewhere

    @contextmanager
    def _worked_on(self, run: str) -> Iterator[bool]:
        """Ours from before its claims are written, as `present` frees all others; not where that fails.

        Gives whether it was ours already.
        """
        ours = run in self.active
        self.active.add(run)
        try:
            yield ours
        except BaseException:
            if not ours:
                self.active.discard(run)
            raise

    def mark(self, run: str, mark: str, detail: str = "") -> None:
        """Write down something that happened to a run: paused, resumed, braked, cancelled ..."""
        with self._transaction() as sql:
            self._mark(sql, run, mark, detail)

    def wave(self, run: str, number: int, rows: int, seconds: float) -> None:
        """Write down how long a wave took from its first look at the org to its last proof."""
        with self._transaction() as sql:
            sql.execute(
                "INSERT INTO waves (run, at, number, rows, seconds) VALUES (?,?,?,?,?)",
                (run, iso(self._clock()), number, rows, seconds),
            )

    def end(self, run: str, how: str, summary: str) -> None:
        """The run is over; its rows are free."""
        with self._transaction() as sql:
            self._mark(sql, run, how, summary)
            self.claims.free(sql, run)
        self.active.discard(run)

    def release(self, run: str) -> None:
        """Nobody works on this run any more, and it has not ended: it can be resumed."""
        self.active.discard(run)
        with self._transaction() as sql:
            self.claims.free(sql, run)

    def hold(self, key: str, *, unless: str, instead_of: str = "") -> str:
        """Write down that this process has something in hand, for as long as it lives or until `let_go`.

        Args:
            key: What, ending in something that no other process uses.
            unless: Not where another living process has something in hand whose key begins so.
            instead_of: A key of this process's own that ends by this, in either case.

        Returns:
            Who stands in the way; empty where it is in hand now.
        """
        with self._transaction() as sql:
            return self.claims.hold(sql, key, instead_of=instead_of, unless=unless)

    def let_go(self, key: str) -> None:
        with self._transaction() as sql:
            self.claims.free(sql, key)

    def consent(self, run: str, events: Sequence[str], *, os_user: str) -> None:
        """Write down that a person wants these rows sent again although their last request is not settled."""
        text = "sent again although what became of its last request is not known: a person said so"
        at = iso(self._clock())
        with self._transaction() as sql:
            sql.executemany(
                "INSERT INTO notes (at, os_user, run, event, text) VALUES (?,?,?,?,?)",
                ((at, os_user, run, event, text) for event in events),
            )

    # -- the rows of a run

    def intend(self, run: str, attempts: Sequence[Attempt], *, asking: str = "") -> dict[str, int]:
        """Write down that these rows are about to be sent. Only then may the request leave.

        Args:
            run: The run.
            attempts: The rows, as they were seen just before.
            asking: Who is asked to send them in Salesforce, where a person does it.

        Returns:
            Event id -> number of its intent.

        Raises:
            RefusedError: A row is claimed by another run; nothing was written.
            MachineError: The journal cannot be written; nothing may be sent.
        """
        at = iso(self._clock())
        requests = [
            (
                a.event,
                a.attempts,
                at,
                iso(a.requested_at),
                iso(a.stamp) if a.stamp else None,
                iso(a.error.processed_at) if a.error.processed_at else None,
            )
            for a in attempts
        ]
        with self._transaction() as sql:
            self._database.check_in_place()
            self.claims.check(sql, run, [attempt.event for attempt in attempts])
            if self.claims.is_silent:
                self.claims.beat(sql)
            last = sql.execute("SELECT COALESCE(max(n), 0) FROM intents")[0][0]
            numbers = {attempt.event: last + n for n, attempt in enumerate(attempts, 1)}
            sql.executemany(
                "INSERT INTO intents (n, run, wave, event, attempt, at, org_at, stamp, processed) "
                "VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    (n, run, a.wave, *request)
                    for n, (a, request) in enumerate(zip(attempts, requests, strict=True), last + 1)
                ),
            )
            if asking:
                self._say(sql, numbers.values(), Pressed.ASKED, asking, at)
        lines = "".join(log_line(*request) for request in requests)
        if self._to_log is not None:
            self._to_log.append((run, lines))
        else:
            self._log_requests([(run, lines)])
            self.sync_log()
        return numbers

    def record_press(self, attempts: Iterable[Attempt], pressed: Pressed, *, os_user: str) -> None:
        """Write down what a person says of rows that they were asked to send. The last word counts."""
        intents = [attempt.intent for attempt in attempts if attempt.intent is not None]
        with self._transaction(durable=False) as sql:
            self._say(sql, intents, pressed, os_user, iso(self._clock()))

    @contextmanager
    def one_commit(self, *, durable: bool) -> Iterator[None]:
        """What is written inside is one commit; each method called inside still stands or falls alone. The
        names of its requests are in the log when this is left, and on disk after `sync_log`.

        Args:
            durable: Whether the commit is on disk when this is left, as it must be for an intent.

        Raises:
            MachineError: Nothing of it may have been written.
        """
        with self._turn:
            requests: list[tuple[str, str]] = []
            self._to_log = requests
            try:
                with self._database.transaction(durable=durable):
                    yield
            finally:
                self._to_log = None
            self._log_requests(requests)

    def sync_log(self) -> None:
        """Have the names of all requests on disk. A loss of power takes those that are not.

        A failure is nobody's: the database knows them all, and the next request meets it again.
        """
        with self._turn, suppress(OSError):
            self._log.sync()

    def tidy(self) -> None:
        """Nothing waits to be written: do what a later commit would wait for."""
        with self._turn:
            self._database.tidy()

    def _log_requests(self, requests: Sequence[tuple[str, str]]) -> None:
        try:
            for run, lines in requests:
                self._log.add(run, lines)
        except OSError as problem:
            raise self._database.cannot_be_used(problem.strerror or type(problem).__name__) from problem

    def outcomes(self, attempts: Iterable[Attempt]) -> None:
        """Write down how the last requests of these rows ended. What a loss of power takes of it, a look at
        the org gives back.
        """
        at = iso(self._clock())
        with self._transaction(durable=False) as sql:
            sql.executemany(
                "INSERT INTO outcomes (intent, at, kind, code, reason, org_at) VALUES (?,?,?,?,?,?)",
                (
                    (
                        a.intent,
                        at,
                        a.kind.value if a.kind else None,
                        a.code,
                        a.answer,
                        iso(a.org_at) if a.org_at else None,
                    )
                    for a in attempts
                ),
            )

    def finish_rows(self, run: str, attempts: Iterable[Attempt]) -> None:
        """Write down how rows ended. What a loss of power takes of it, a look at the org gives back."""
        at = iso(self._clock())
        with self._transaction(durable=False) as sql:
            sql.executemany(
                "INSERT INTO verdicts (run, event, intent, at, verdict, reason, evidence) "
                "VALUES (?,?,?,?,?,?,?)",
                (
                    (
                        run,
                        a.event,
                        a.intent,
                        at,
                        a.verdict.value if a.verdict else None,
                        a.reason,
                        json.dumps(a.evidence),
                    )
                    for a in attempts
                ),
            )

    def heartbeat(self) -> None:
        """Say that this process lives; cheap to call often."""
        if self.claims.is_silent:
            with self._transaction() as sql:
                self.claims.beat(sql)

    def present(self, doing: str) -> None:
        """Tell colleagues what this person works at; empty: nothing any more.

        Runs that this process could not let go of, as the journal was away at their end, are let go of now.
        """
        with self._transaction(durable=False) as sql:
            self.claims.free_others(sql, self.claims.beat(sql, doing), self.active)

    # -- a journal that is moved into a shared one

    @property
    def moved_to(self) -> str:
        """Where it was moved; empty where it was not."""
        marks = self.read("SELECT detail FROM marks WHERE mark = 'moved' LIMIT 1")
        return str(marks[0]["detail"]) if marks else ""

    @contextmanager
    def moving(self, place: str) -> Iterator[bool]:
        """Nobody writes meanwhile, and nothing is begun in it afterwards. Gives whether it was moved before.

        Raises:
            MachineError: It cannot be read or written; it is not moved then.
        """
        with self._transaction() as sql:
            moved = self.moved_to
            yield bool(moved)
            if not moved:
                self._mark(sql, "", "moved", place)

    def writing(self) -> AbstractContextManager[Transaction]:
        """All or nothing (`moving` writes what it copies)."""
        return self._transaction()

    def remember(self, open_elsewhere: Iterable[Attempt]) -> None:
        """Open requests of another journal: their rows are in doubt, where this one has not settled them."""
        known = {
            a.event: LoggedRequest(
                a.run,
                a.event,
                a.attempts,
                a.sent_at or self.now(),
                a.requested_at,
                a.stamp,
                a.error.processed_at,
            )
            for a in open_elsewhere
        }
        unsettled = {event: one for event, one in known.items() if not is_settled(self.read, one)}
        self.forgotten = {**unsettled, **self.forgotten}

    def _refuse_where_moved(self) -> None:
        if place := self.moved_to:
            raise RefusedError(
                f"This journal was moved to {place}", "Name that one in the profile: journal = ..."
            )

    # -- what was lost

    def _notice_loss(self) -> None:
        """Hold the request log against the database: what only the log knows, the database has lost."""
        lost_by_run = lost_requests(self.read, self._log)
        known = {row["run"] for row in self.read("SELECT run FROM marks WHERE mark = 'lost'")}
        lost = sorted(
            (request for requests in lost_by_run.values() for request in requests), key=lambda r: r.at
        )
        self.forgotten = {r.event: r for r in lost if not is_settled(self.read, r)}
        unknown = sorted(lost_by_run.keys() - known)
        if unknown or self.set_aside:
            self.loss = loss_words(self.set_aside, len(self.forgotten))
            with suppress(MachineError), self._transaction() as sql:  # else it is noticed again
                for run in unknown or [""]:
                    self._mark(sql, run, "lost", self.loss)
        at = self.read("SELECT max(at) AS at FROM marks WHERE mark = 'lost'")[0]["at"]
        self.lost_at = datetime.fromisoformat(at) if at else self._clock() if self.loss else None

    def _check_org(self, org_id: str) -> None:
        """Raises: MachineError: A shared file holds another org's runs."""
        runs = self.read("SELECT json_extract(plan, '$.org_id') AS org FROM runs LIMIT 1")
        if runs and runs[0]["org"] != org_id:
            raise MachineError(
                f"The journal {self.path} belongs to another org ({one_line(str(runs[0]['org']))[:18]})",
                "Give each org a file of its own: journal = ... in its profile",
            )

    # -- inside a transaction

    @contextmanager
    def _transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        with self._turn, self._database.transaction(durable=durable) as sql:
            yield sql

    def _say(self, sql: Transaction, intents: Iterable[int], pressed: Pressed, os_user: str, at: str) -> None:
        sql.executemany(
            "INSERT INTO presses (intent, at, os_user, said) VALUES (?,?,?,?)",
            ((intent, at, os_user, pressed.value) for intent in intents),
        )

    def _mark(self, sql: Transaction, run: str, mark: str, detail: str) -> None:
        sql.execute(
            "INSERT INTO marks (run, at, mark, detail) VALUES (?,?,?,?)",
            (run, iso(self._clock()), mark, detail),
        )
