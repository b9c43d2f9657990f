"""Which process holds a claim, and whether it still lives. Its id alone says nothing: ids are used again."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

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

    @property
    def name(self) -> str:
        """For a person: `process 4711 on ops-1`."""
        return f"process {self.pid} on {self.host or 'an unnamed machine'}"


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
