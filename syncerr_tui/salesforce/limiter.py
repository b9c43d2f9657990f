"""How many requests may be under way at once: fewer when the org is in trouble, slowly more when it is well.

An org's long-running requests are shared with the whole business (10 Apex transactions over 5 s, 5 to 25
requests over 20 s), so the first sign of crowding halves our share; it grows back by one for every
`_GOOD_FOR_MORE` good answers per lane.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_GOOD_FOR_MORE = 8


class AdaptiveLimiter:
    """A limit on requests under way, for one event loop."""

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError("a pace needs at least one lane")
        self._most = most
        self._limit = most
        self._good = 0
        self._era = 0
        self._under_way = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """Requests that may be under way now."""
        return self._limit

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[Permit]:
        """Wait for a place, first come first served, and hold it."""
        if self._under_way >= self._limit or self._queue:
            await self._turn()
        else:
            self._under_way += 1
        try:
            yield Permit(self, self._era)
        finally:
            self._under_way -= 1
            self._admit()

    async def _turn(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._under_way -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self._queue and self._under_way < self._limit:
            place = self._queue.popleft()
            if not place.done():
                self._under_way += 1
                place.set_result(None)

    def _trouble(self, era: int) -> None:
        """Halve, once for all requests that were under way together: five refusals are one piece of news."""
        if era == self._era:
            self._era += 1
            self._good = 0
            self._limit = max(1, self._limit // 2)

    def _well(self) -> None:
        if self._limit == self._most:
            return
        self._good += 1
        if self._good >= _GOOD_FOR_MORE * self._limit:
            self._good = 0
            self._limit += 1
            self._admit()


class Permit:
    """One request's place, and where it tells how it went."""

    def __init__(self, pace: AdaptiveLimiter, era: int) -> None:
        self._pace = pace
        self._era = era

    def on_error(self) -> None:
        """The org was too busy, or did not answer."""
        self._pace._trouble(self._era)  # noqa: SLF001 - one class in two parts

    def on_success(self) -> None:
        """The org answered."""
        self._pace._well()  # noqa: SLF001
