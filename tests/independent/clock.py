"""A clock that several processes share and that can be moved on: nobody really waits ten minutes for an org.

Time runs as on the machine, plus what was skipped so far. Skipped seconds stand in a small file, so that the
org, the tests and every process of the program agree on them.
"""

from __future__ import annotations

import fcntl
import mmap
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

REAL_TIME, REAL_MONOTONIC, REAL_SLEEP = time.time, time.monotonic, time.sleep
"""Taken before `warp` replaces them."""
_CELL = struct.Struct("d")


class Clock:
    """The shared time. Made by `Clock.create`, found again by path in other processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.processes = path.with_suffix(".processes")
        """A file for each process that lives on this clock, named by its number."""
        self.processes.mkdir(exist_ok=True)
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _CELL.size)

    @classmethod
    def create(cls, path: Path) -> Clock:
        """A new clock that shows the machine's time."""
        path.write_bytes(_CELL.pack(0.0))
        return cls(path)

    @property
    def skipped(self) -> float:
        """Seconds that were not waited for."""
        value: float = _CELL.unpack(self._memory[:])[0]
        return value

    def now(self) -> float:
        """Seconds since 1970."""
        return REAL_TIME() + self.skipped

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return REAL_MONOTONIC() + self.skipped

    def utc(self) -> datetime:
        """The same as an aware datetime."""
        return datetime.fromtimestamp(self.now(), UTC)

    def skip_to(self, moment: float) -> None:
        """Move on until `monotonic()` shows this moment, unless it does already."""
        with self.path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            missing = moment - self.monotonic()
            if missing > 0:
                self._memory[:] = _CELL.pack(self.skipped + missing)

    def skip(self, seconds: float) -> None:
        """Let seconds pass at once."""
        self.skip_to(self.monotonic() + seconds)
