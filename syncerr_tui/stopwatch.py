"""How much time has passed, on a machine whose clock may be set and whose lid may be closed.

`time.monotonic` does not jump, but on Linux and macOS it stands still while the machine sleeps. Linux's
CLOCK_BOOTTIME (clock_gettime(2)) runs on; where there is none, the wall clock shows the sleep.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random, SystemRandom

from syncerr_tui.errors import NotSentError

STALE_SECONDS = 5.0
"""A look at the org that is older than this no longer justifies a request that changes something."""
_SLOWEST_ANSWER = 30.0
"""Seconds. What took longer met a machine that slept, and its answer may be as old."""

Leaving = Callable[[], object]
"""Is called right before a request that changes something leaves, after all that may take time, in whichever
thread sends it. Raises `NotSentError` where too much time has passed: nothing may be sent.
"""


def utc_now() -> datetime:
    """This machine's time, aware, in UTC."""
    return datetime.now(UTC)


def steady_seconds() -> float:
    """Seconds since some moment in the past. Never set back or forward by hand."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment, by both clocks."""

    wall: datetime
    steady: float


class Stopwatch:
    """Measures intervals.

    Args:
        wall: This machine's time, aware.
        steady: Seconds that only run forward; None where `wall` never jumps (a test's virtual time).
    """

    def __init__(self, wall: Callable[[], datetime], steady: Callable[[], float] | None = None) -> None:
        self.wall = wall
        self.steady = steady or (lambda: wall().timestamp())

    @classmethod
    def of_this_machine(cls) -> Stopwatch:
        return cls(utc_now, steady_seconds)

    def now(self) -> Instant:
        return Instant(self.wall(), self.steady())

    def since(self, instant: Instant) -> float:
        """Seconds that have passed, whatever was done to the wall clock."""
        return max(self.steady() - instant.steady, 0.0)

    def gap(self, instant: Instant) -> float:
        """The longest time that may have passed: also a sleep that only the wall clock has noticed."""
        return max(self.since(instant), abs((self.wall() - instant.wall).total_seconds()))

    def answered(self, asked: Instant) -> Instant:
        """From when on an answer ages that is here now. A slow one does not age on its way, or nothing could
        ever be sent in a slow org.
        """
        return asked if self.gap(asked) > _SLOWEST_ANSWER else self.now()

    def check_fresh(self, looked_at: Instant) -> None:
        """Raises: NotSentError: What was seen then no longer justifies a request that changes something."""
        if self.gap(looked_at) > STALE_SECONDS:
            raise NotSentError("This machine slept, or the request waited too long for its turn", "Retry")


@dataclass(frozen=True, slots=True)
class Machine:
    """Time, sleep and chance, as whatever waits needs them."""

    clock: Callable[[], datetime] = utc_now
    """This machine's time, aware."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits for seconds; a test's returns at once."""
    rng: Random = field(default_factory=SystemRandom)
    """For jitter."""
    steady: Callable[[], float] | None = steady_seconds
    """Seconds that only run forward, for intervals; None where `clock` never jumps."""
