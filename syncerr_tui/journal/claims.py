"""Which process may send which rows: claims on events, and whether the process that holds one still lives.

The id of a process alone says nothing: ids are used again.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from syncerr_tui.errors import RefusedError
from syncerr_tui.journal.database import Row, Transaction, iso

_BEAT_SECONDS = 30.0
_STALE = timedelta(minutes=10)
"""A process on another machine, or one we cannot look at, counts as dead after this much silence."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process: id, when it was started, on which machine, since which boot. Empty where unknown."""

    pid: int
    started: str
    host: str
    boot: str

    @classmethod
    def current(cls) -> Owner:
        """This process."""
        return cls(os.getpid(), _started(os.getpid()) or "", platform.node(), _boot())

    @classmethod
    def of_row(cls, row: Row) -> Owner:
        """From a line of `owners`."""
        return cls(row["pid"], row["started"], row["host"], row["boot"])

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


def is_alive(owner: Owner, me: Owner, heartbeat: datetime, now: datetime) -> bool:
    """Whether this owner may still act.

    On this machine the process table decides, so a process that merely hangs keeps its claims. Elsewhere
    only its heartbeat can be seen.
    """
    if owner == me:
        return True
    if owner.host != me.host or os.name != "posix":
        return now - heartbeat < _STALE
    if owner.boot != me.boot:
        return False
    started = _started(owner.pid)
    if started is None:
        return False
    return owner.started in {"", started}


class Claims:
    """This process among those that write one journal.

    Args:
        owner: This process.
        clock: This machine's time, aware.
    """

    def __init__(self, owner: Owner, clock: Callable[[], datetime]) -> None:
        self.owner = owner
        self._clock = clock
        self._last_beat: datetime | None = None

    @property
    def silent(self) -> bool:
        """Whether it has not said for a while that it lives."""
        last = self._last_beat
        return last is None or abs((self._clock() - last).total_seconds()) >= _BEAT_SECONDS

    def lives(self, row: Row) -> bool:
        """Whether the process of a line of `owners` is another one than this, and lives."""
        return Owner.of_row(row) != self.owner and self._alive(row)

    def take(self, sql: Transaction, run: str, events: Sequence[str]) -> dict[str, str]:
        """Take rows for a run; gives the ones that another living process holds: event id -> who."""
        me = self.beat(sql)
        held = {}
        lives: dict[int, bool] = {}
        taken = sql.execute(
            "SELECT c.event, o.* FROM claims c JOIN owners o ON o.id = c.owner "
            "WHERE c.run != ? AND c.event IN (SELECT value FROM json_each(?))",
            (run, json.dumps(events)),
        )
        for row in taken:
            if row["id"] not in lives:
                lives[row["id"]] = self._alive(row)
            if lives[row["id"]]:
                held[row["event"]] = f"{row['user']}, {Owner.of_row(row).name}"
        free = [event for event in events if event not in held]
        sql.executemany(
            "INSERT INTO claims (event, run, owner) VALUES (?,?,?) "
            "ON CONFLICT (event) DO UPDATE SET run = excluded.run, owner = excluded.owner",
            ((event, run, me) for event in free),
        )
        sql.execute(
            "INSERT INTO holders (run, owner) VALUES (?,?) "
            "ON CONFLICT (run) DO UPDATE SET owner = excluded.owner",
            (run, me),
        )
        return held

    def free(self, sql: Transaction, run: str) -> None:
        """Nobody works on this run any more."""
        sql.execute("DELETE FROM claims WHERE run = ?", (run,))
        sql.execute("DELETE FROM holders WHERE run = ?", (run,))

    def check(self, sql: Transaction, run: str, events: Sequence[str]) -> None:
        """Make sure that every one of these rows is still ours: another process may have thought us dead.

        Raises:
            RefusedError: One is not.
        """
        ours = sql.execute(
            "SELECT count(*) FROM claims WHERE run = ? AND event IN (SELECT value FROM json_each(?))",
            (run, json.dumps(events)),
        )[0][0]
        if ours != len(events):
            raise RefusedError(
                "Another run has taken over rows of this one", "Look at it with `syncerr-tui journal`"
            )

    def beat(self, sql: Transaction) -> int:
        """Say that this process lives; gives its number in `owners`."""
        self._last_beat, o = self._clock(), self.owner
        sql.execute(
            'INSERT INTO owners (pid, started, host, boot, "user", heartbeat) VALUES (?,?,?,?,?,?) '
            "ON CONFLICT (pid, started, host, boot) DO UPDATE SET heartbeat = excluded.heartbeat",
            (o.pid, o.started, o.host, o.boot, os_user(), iso(self._last_beat)),
        )
        number: int = sql.execute(
            "SELECT id FROM owners WHERE pid = ? AND started = ? AND host = ? AND boot = ?",
            (o.pid, o.started, o.host, o.boot),
        )[0][0]
        return number

    def _alive(self, row: Row) -> bool:
        heartbeat = datetime.fromisoformat(row["heartbeat"])
        return is_alive(Owner.of_row(row), self.owner, heartbeat, self._clock())


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When a process was started, in the system's own unit; None where it is gone (or dead and unburied)."""
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
        return None if fields[0] in {"Z", "X"} else fields[19]
    if os.name != "posix":
        return ""
    listing = subprocess.run(  # noqa: S603 - fixed command, the argument is a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout.strip() or None
