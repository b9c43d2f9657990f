"""Puts a process on the shared `Clock`: what it sleeps is skipped, unless something is under way in a process
on it: a request, work in a thread of a pool, or a thread that computes or waits for the disk.

Only Python's own doors to the time are replaced (`time`, `datetime`, the selector under asyncio), never a
line of the program. `install` has to come before the program is imported; `attach` may come later, in a fork.
`python -m tests.independent.warp [CLOCK, JUMPS] ARGUMENTS` is the program on such a clock.
"""

from __future__ import annotations

import datetime as dt
import json
import mmap
import os
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, SupportsIndex

from tests.independent.clock import REAL_MONOTONIC, REAL_SLEEP, REAL_TIME, Clock

_GRACE = 0.004
"""Real seconds of silence before sleeping is skipped: work may be on its way to another thread."""

_REAL_GETTIME = time.clock_gettime
_real_datetime = dt.datetime


class _Warp:
    """The state of this process."""

    def __init__(self) -> None:
        self.clock: Clock | None = None
        self.jumps: tuple[tuple[float, float], ...] = ()
        """Seconds after the start, and by how many seconds the wall clock is wrong from then on."""
        self.started = 0.0
        self.busy = 0
        """How much is under way."""
        self.changes = 0
        """How often something has begun or ended."""
        self.told: mmap.mmap | None = None
        """A byte for the other processes: whether anything is under way in this one."""
        self.lock = threading.Lock()

    def monotonic(self) -> float:
        return self.clock.monotonic() if self.clock else REAL_MONOTONIC()

    def wall(self) -> float:
        if self.clock is None:
            return REAL_TIME()
        since = self.clock.monotonic() - self.started
        wrong = [error for at, error in self.jumps if since >= at]
        return self.clock.now() + (wrong[-1] if wrong else 0.0)


_warp = _Warp()


class _Kind(type(_real_datetime)):  # type: ignore[misc]
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _real_datetime)


class _Datetime(_real_datetime, metaclass=_Kind):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        return cls.fromtimestamp(_warp.wall(), tz)

    @classmethod
    def utcnow(cls) -> Self:
        return cls.fromtimestamp(_warp.wall(), dt.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Self:
        return cls.fromtimestamp(_warp.wall())


def _at_rest() -> bool:
    """Whether nothing is under way. A request that begins while the threads are looked at is seen as well."""
    changes = _warp.changes
    at_work = _warp.busy or _thread_at_work("self") or any(map(_busy, _others()))
    return not at_work and _warp.changes == changes


def _others() -> Iterator[Path]:
    """What other processes on this clock have under way."""
    assert _warp.clock is not None
    for beside in _warp.clock.processes.iterdir():
        if int(beside.name) != os.getpid():
            yield beside


def _busy(beside: Path) -> bool:
    """Whether a process has something under way; one that was killed has not, whatever it left written."""
    alive = Path("/proc", beside.name).exists()
    return alive and (any(beside.read_bytes()) or _thread_at_work(beside.name))


def _thread_at_work(process: str) -> bool:
    """Whether another thread than this runs, could run, or waits for the disk (proc(5): R and D)."""
    me = threading.get_native_id()
    for stat in Path(f"/proc/{process}/task").glob("*/stat"):
        if int(stat.parent.name) == me:
            continue
        try:
            text = stat.read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has just ended
            return True
        if text.rpartition(")")[2].split()[0] in "RD":
            return True
    return False


class _Selector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        clock = _warp.clock
        if clock is None or timeout is None or timeout <= 0:
            return super().select(timeout)
        until = clock.monotonic() + timeout
        while (left := until - clock.monotonic()) > 0:
            ready = super().select(min(_GRACE, left))
            if ready:
                return ready
            if _at_rest():
                # A thread that came to its end just before that has told the loop so.
                if ready := super().select(0):
                    return ready
                clock.skip_to(until)
        return super().select(0)


def _sleep(seconds: float | SupportsIndex) -> None:
    if _warp.clock is None:
        REAL_SLEEP(float(seconds))
    else:
        _warp.clock.skip(float(seconds))


def _clock_gettime(number: int) -> float:
    """Every clock of the machine goes on with the shared one; that of the wall may be wrong as well."""
    if number == time.CLOCK_REALTIME:
        return _warp.wall()
    return _REAL_GETTIME(number) + (_warp.clock.skipped if _warp.clock else 0.0)


def install() -> None:
    """Replace Python's clocks. Until `attach` they show the machine's time."""
    time.time = _warp.wall
    time.monotonic = _warp.monotonic
    time.sleep = _sleep
    time.time_ns = lambda: int(_warp.wall() * 1e9)
    time.monotonic_ns = lambda: int(_warp.monotonic() * 1e9)
    time.clock_gettime = _clock_gettime
    dt.datetime = _Datetime  # type: ignore[misc]
    selectors.DefaultSelector = _Selector  # type: ignore[misc]
    import requests

    def under_way(by: int) -> None:
        with _warp.lock:
            _warp.busy += by
            _warp.changes += 1
            if _warp.told is not None:
                _warp.told[0] = min(_warp.busy, 1)

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            under_way(1)
            try:
                return function(*args, **kwargs)
            finally:
                under_way(-1)

        return wrapper

    # An answer is read after `send` has given its head.
    requests.Session.send = counted(requests.Session.send)  # type: ignore[method-assign]
    socket.SocketIO.readinto = counted(socket.SocketIO.readinto)  # type: ignore[method-assign]
    submit = ThreadPoolExecutor.submit

    def watched(self: ThreadPoolExecutor, *args: Any, **kwargs: Any) -> Future[Any]:
        future = submit(self, *args, **kwargs)
        under_way(1)
        future.add_done_callback(lambda _: under_way(-1))
        return future

    ThreadPoolExecutor.submit = watched  # type: ignore[assignment, method-assign]


def attach(path: str, jumps: tuple[tuple[float, float], ...] = ()) -> None:
    """From here on this process lives on the clock at `path`."""
    _warp.clock = Clock(Path(path))
    _warp.jumps = jumps
    _warp.started = _warp.clock.monotonic()
    mine = _warp.clock.processes / str(os.getpid())
    mine.write_bytes(b"\0")
    with mine.open("r+b") as file:
        _warp.told = mmap.mmap(file.fileno(), 1)


def _main() -> int:
    """A fresh start of the program on a shared clock."""
    from tests.forks import run_program
    from tests.independent.processes import product_root

    where, jumps = json.loads(sys.argv[1])
    sys.path.insert(0, str(product_root()))
    install()
    attach(where, tuple((at, error) for at, error in jumps))
    return run_program(sys.argv[2:])


if __name__ == "__main__":
    raise SystemExit(_main())
