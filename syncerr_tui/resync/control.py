"""The levers of a run: stop, pause, cancel, wait; what it tells; and the org's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from syncerr_tui.errors import SyncErrError
from syncerr_tui.resync.events import Braked, RunEvent, Waiting
from syncerr_tui.resync.org import Org
from syncerr_tui.stopwatch import Instant, Stopwatch

_CLOCK_AGE = 60.0
"""Seconds for which the org's last word about its time is counted on from here."""


class Control:
    """Shared by the parts of one run.

    Args:
        sleep: Waits for seconds; a test's returns at once.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.told: asyncio.Queue[RunEvent | None] = asyncio.Queue()
        self.halt: tuple[str, str] | None = None
        """How the run ends early, and the reason that unsent rows get. Once set it stays."""
        self.failure: SyncErrError | None = None
        self.cancelled = asyncio.Event()
        self.was_paused = False
        """Whether a person has held the run since this was last set to False."""
        self._sleep = sleep
        self._going = asyncio.Event()
        self._going.set()

    def tell(self, event: RunEvent) -> None:
        """To whoever iterates over the run."""
        self.told.put_nowait(event)

    # -- stopping

    def stop(self, how: str, reason: str) -> None:
        """Send nothing more. The first reason stays."""
        if self.halt is None:
            self.halt = (how, reason)

    def fail(self, problem: SyncErrError) -> None:
        """Something is wrong that the next row would meet as well: send nothing more."""
        if self.failure is None:
            self.failure = problem
            self.tell(Braked(problem.line))
        self.stop("stopped", f"the run stopped: {problem.title}")

    def cancel(self) -> None:
        """A person wants out: nothing more is sent, nothing is waited for but what is in flight."""
        self.stop("cancelled", "stopped before it was sent")
        self.cancelled.set()
        self._going.set()

    # -- pausing

    @property
    def paused(self) -> bool:
        """Nothing is sent until `unpause`."""
        return not self._going.is_set()

    def pause(self) -> None:
        """Hold every sender at its next request."""
        self.was_paused = True
        self._going.clear()

    def unpause(self) -> None:
        """Let them go."""
        self._going.set()

    async def may_send(self) -> bool:
        """Wait while paused; False where nothing may be sent any more."""
        await self._going.wait()
        return self.halt is None

    # -- time

    async def wait(self, waiting: Waiting) -> bool:
        """Sleep; True where a person cancelled, and nothing is worth waiting for any more."""
        if not self.cancelled.is_set():
            self.tell(waiting)
            waits = (
                asyncio.ensure_future(_coroutine(self._sleep(waiting.seconds))),
                asyncio.ensure_future(self.cancelled.wait()),
            )
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waits:
                    task.cancel()
        return self.cancelled.is_set()


class OrgClock:
    """The org's time between two questions for it. Never later than it is there, so a stamp that the org
    wrote after a request cannot look older than the request.
    """

    def __init__(self, org: Org, stopwatch: Stopwatch) -> None:
        self._org = org
        self._stopwatch = stopwatch
        self._told: tuple[datetime, Instant] | None = None
        self._asking = asyncio.Lock()

    async def refresh(self) -> None:
        """Ask the org, where its last word is older than a minute or the machine slept or was set since."""
        async with self._asking:
            if self._told is None or self._stopwatch.gap(self._told[1]) > _CLOCK_AGE:
                told = await self._org.now()
                self._told = (told, self._stopwatch.now())

    def now(self) -> datetime:
        """The org's last word and the time that has passed since, whatever was done to our own clock."""
        assert self._told is not None
        told, at = self._told
        return told + timedelta(seconds=self._stopwatch.since(at))


async def _coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable
