"""Which process may send which rows: claims on events, and whether the process that holds one still lives.

The id of a process alone says nothing: ids are used again.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from syncerr_tui.errors import RefusedError
from syncerr_tui.journal.database import Row, Transaction
from syncerr_tui.words import iso

BEAT_SECONDS = 30.0
"""How often a process that writes says that it lives."""
_STALE = timedelta(minutes=10)
"""A process on another machine, or one we cannot look at, counts as dead after this much silence."""
_REBOOTED = timedelta(minutes=2)
"""One that seems to be of this machine before it was started anew. Copies of a machine may look like it."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process: id, when it was started, on which machine, since which boot. Empty where unknown."""

    pid: int
    started: str
    host: str
    boot: str
    """Which start of which kernel, and which of its tables of processes: `id/table`, only `id` of old."""
    machine: str = ""
    """A digest of the machine's own id: two machines may have one name."""

    @classmethod
    def current(cls) -> Owner:
        return cls(os.getpid(), _started(os.getpid()) or "", platform.node(), _boot(), _machine())

    @classmethod
    def of_row(cls, row: Row) -> Owner:
        """From a line of `owners`."""
        return cls(row["pid"], row["started"], row["host"], row["boot"], row["machine"])

    @property
    def name(self) -> str:
        """For a person: `process 4711 on ops-1`."""
        return f"process {self.pid} on {self.host or 'an unnamed machine'}"


def os_user() -> str:
    """Who sits at this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "an unknown user"


def is_alive(
    owner: Owner, me: Owner, heartbeat: datetime, now: datetime, *, one_machine: bool = True
) -> bool:
    """Whether this owner may still act.

    Where this process can see it, the process table decides, so that a process that merely hangs keeps its
    claims. Elsewhere (another machine, another container) only its heartbeat can be seen.

    Args:
        owner: The process in question.
        me: This process.
        heartbeat: When the owner last said that it lives.
        now: By the same clock: the journal's.
        one_machine: Only processes of this machine can reach the journal.
    """
    if owner == me:
        return True
    silent = now - heartbeat
    kernel, _, table = owner.boot.partition("/")
    our_kernel, _, our_table = me.boot.partition("/")
    here = owner.host == me.host and owner.machine in {"", me.machine}
    if os.name == "posix" and kernel == our_kernel and (kernel or here) and table in {"", our_table}:
        started = _started(owner.pid)
        return started is not None and (not started or owner.started in {"", started})
    if os.name == "posix" and here and kernel != our_kernel:
        return not one_machine and silent < _REBOOTED
    return silent < _STALE


class Claims:
    """This process among those that write one journal.

    Args:
        owner: This process.
        clock: The journal's own, aware.
        one_machine: Only processes of this machine can reach the journal.
    """

    def __init__(self, owner: Owner, clock: Callable[[], datetime], *, one_machine: bool) -> None:
        self.owner = owner
        self._clock = clock
        self._one_machine = one_machine
        self._last_beat: datetime | None = None

    @property
    def _key(self) -> tuple[int, str, str, str]:
        return self.owner.pid, self.owner.started, self.owner.host, self.owner.boot

    @property
    def is_silent(self) -> bool:
        """Whether it has not said for a while that it lives."""
        last = self._last_beat
        return last is None or abs((self._clock() - last).total_seconds()) >= BEAT_SECONDS * 0.9

    def runs_elsewhere(self, row: Row) -> bool:
        """Whether the process of a line of `owners` is another one than this, and lives."""
        return Owner.of_row(row) != self.owner and self._alive(row)

    def living(self, rows: Sequence[Row]) -> list[Row]:
        """Of lines with a process of `owners` each, those whose process lives; each is looked at once."""
        lives: dict[int, bool] = {}
        for row in rows:
            if row["id"] not in lives:
                lives[row["id"]] = self._alive(row)
        return [row for row in rows if lives[row["id"]]]

    def take(self, sql: Transaction, run: str, events: Sequence[str]) -> dict[str, str]:
        """Take rows for a run; gives the ones that another living process holds: event id -> who."""
        me = self.beat(sql)
        rows = sql.execute(
            "SELECT c.event, o.* FROM claims c JOIN owners o ON o.id = c.owner "
            "WHERE c.run != ? AND c.event IN (SELECT value FROM json_each(?))",
            (run, json.dumps(events)),
        )
        holders = {row["event"]: f"{row['user']}, {Owner.of_row(row).name}" for row in self.living(rows)}
        free = [event for event in dict.fromkeys(events) if event not in holders]
        sql.execute(
            "INSERT INTO claims (event, run, owner) SELECT value, ?, ? FROM json_each(?) WHERE TRUE "
            "ON CONFLICT (event) DO UPDATE SET run = excluded.run, owner = excluded.owner",
            (run, me, json.dumps(free)),
        )
        sql.execute(
            "INSERT INTO holders (run, owner) VALUES (?,?) "
            "ON CONFLICT (run) DO UPDATE SET owner = excluded.owner",
            (run, me),
        )
        return holders

    def hold(self, sql: Transaction, key: str, *, instead_of: str, unless: str) -> str:
        """Have something in hand that is no run. See `Journal.hold`."""
        sql.execute("DELETE FROM holders WHERE run = ?", (instead_of,))
        rows = sql.execute(
            "SELECT o.* FROM holders h JOIN owners o ON o.id = h.owner WHERE substr(h.run, 1, ?) = ?",
            (len(unless), unless),
        )
        for row in rows:
            if self.runs_elsewhere(row):
                return f"{row['user']}, {Owner.of_row(row).name}"
        sql.execute("DELETE FROM holders WHERE run = ?", (key,))
        sql.execute("INSERT INTO holders (run, owner) VALUES (?,?)", (key, self.beat(sql)))
        return ""

    def free(self, sql: Transaction, run: str) -> None:
        """Nobody works on this run any more."""
        sql.execute("DELETE FROM claims WHERE run = ?", (run,))
        sql.execute("DELETE FROM holders WHERE run = ?", (run,))

    def free_others(self, sql: Transaction, me: int, runs: Collection[str]) -> None:
        """This process, number `me`, works on no other runs than these."""
        values = (me, json.dumps(list(runs)))
        ours = "owner = ? AND run NOT IN (SELECT value FROM json_each(?))"
        sql.execute(f"DELETE FROM claims WHERE {ours}", values)  # noqa: S608 - our own words
        sql.execute(
            f"DELETE FROM holders WHERE {ours} AND run IN (SELECT id FROM runs)",  # noqa: S608
            values,
        )

    def check(self, sql: Transaction, run: str, events: Sequence[str]) -> None:
        """Make sure that every one of these rows is still ours: another process may have thought us dead, and
        may go on with this very run.

        Raises:
            RefusedError: One is not.
        """
        ours = sql.execute(
            "SELECT count(*) FROM claims c JOIN owners o ON o.id = c.owner WHERE c.run = ? AND o.pid = ? "
            "AND o.started = ? AND o.host = ? AND o.boot = ? "
            "AND c.event IN (SELECT value FROM json_each(?))",
            (run, *self._key, json.dumps(events)),
        )[0][0]
        if ours != len(events):
            raise RefusedError(
                "Another run has taken over rows of this one", "Look at it with `syncerr-tui journal`"
            )

    def beat(self, sql: Transaction, doing: str | None = None) -> int:
        """Say that this process lives, and what the person works at; gives its number in `owners`."""
        self._last_beat = self._clock()
        sql.execute(
            'INSERT INTO owners (pid, started, host, boot, machine, "user", heartbeat) '
            "VALUES (?,?,?,?,?,?,?) "
            "ON CONFLICT (pid, started, host, boot) DO UPDATE SET heartbeat = excluded.heartbeat",
            (*self._key, self.owner.machine, os_user(), iso(self._last_beat)),
        )
        if doing is not None:
            sql.execute(
                "UPDATE owners SET doing = ? WHERE pid = ? AND started = ? AND host = ? AND boot = ?",
                (doing, *self._key),
            )
        number: int = sql.execute(
            "SELECT id FROM owners WHERE pid = ? AND started = ? AND host = ? AND boot = ?",
            self._key,
        )[0][0]
        return number

    def _alive(self, row: Row) -> bool:
        heartbeat = datetime.fromisoformat(row["heartbeat"])
        owner = Owner.of_row(row)
        return is_alive(owner, self.owner, heartbeat, self._clock(), one_machine=self._one_machine)


def _boot() -> str:
    try:
        kernel = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        table = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        return ""
    return f"{kernel}/{table}"


def _machine() -> str:
    """Hashed with our name, as machine-id(5) asks for: the id itself is nobody else's business."""
    try:
        identity = Path("/etc/machine-id").read_bytes().strip()
    except OSError:
        return ""
    return hashlib.sha256(b"syncerr-tui " + identity).hexdigest()[:16] if identity else ""


def _started(pid: int) -> str | None:
    """When a process was started, in the system's own unit; empty where nothing says so, None where it is
    gone (or dead and unburied).
    """
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return "" if _exists(pid) else None  # other users' processes may be hidden (hidepid of proc(5))
        fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
        return None if fields[0] in {"Z", "X"} else fields[19]
    if os.name != "posix":
        return ""
    listing = subprocess.run(  # noqa: S603 - fixed command, the argument is a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout.strip() or None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
