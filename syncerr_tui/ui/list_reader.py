"""Reading the list in the background, whole or what has changed in it. Knows no widget: it tells what has
happened, and in which reading.

A reading that has been overtaken by a newer one says nothing more, and what it already said is dropped by
its number.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from textual.message import Message

from syncerr_tui.errors import NotLoggedInError, SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.debouncer import loop_at_rest

if TYPE_CHECKING:
    from syncerr_tui.watch.watcher import ListFollower


class Connected(Message):
    """The org answered and its names are mapped."""


@dataclass
class PageRead(Message):
    """More rows."""

    reading: int
    rows: tuple[SyncError, ...]
    so_far: int
    drawn: asyncio.Event
    """To be set once the rows are on screen: only then is the second page asked for."""


@dataclass
class ListRead(Message):
    """The whole list is here."""

    reading: int
    rows: tuple[SyncError, ...]


@dataclass
class NothingChanged(Message):
    """The list is in the org as it is shown."""

    reading: int


@dataclass
class ReadingFailed(Message):
    """The org could not be reached or did not let us read."""

    reading: int
    error: SyncErrError


class ListReader:
    """Connects where that is still to do, and reads.

    Args:
        context: How to connect, and the connection there is.
        post: Takes what happened.
        prepare: Called in a thread with the first rows of an empty list, before they are told of.
    """

    def __init__(
        self,
        context: AppContext,
        post: Callable[[Message], object],
        prepare: Callable[[tuple[SyncError, ...]], object],
    ) -> None:
        self._context = context
        self._post = post
        self._prepare = prepare
        self.reading = 0
        """Number of the newest reading."""

    def next(self) -> int:
        """A new reading begins; the ones before it have been overtaken."""
        self.reading += 1
        self._context.state = self._context.state.reading_begun()
        return self.reading

    async def read(self, reading: int, follower: ListFollower | None = None) -> None:
        """Read the list to its end, or until a newer reading begins.

        Args:
            reading: The number of this reading.
            follower: Reads only what has changed, as `syncerr-tui watch` does; None: the whole list.
        """
        connected = self._context.connection is not None and not self._context.state.reading.expired
        try:
            await (
                self._look(reading, follower) if follower is not None and connected else self._read(reading)
            )
        except SyncErrError as error:
            if reading == self.reading:
                expired = isinstance(error, NotLoggedInError)
                self._context.state = self._context.state.reading_failed(error, expired=expired)
                self._post(ReadingFailed(reading, error))

    async def _look(self, reading: int, follower: ListFollower) -> None:
        context = self._context
        assert context.connection is not None
        delta = await follower.read(context.connection, context.state.listing.errors)
        if reading != self.reading:
            return
        follower.advance(delta)
        context.state = context.state.reading_ended(context.clock())
        if not delta:
            self._post(NothingChanged(reading))
            return
        fresh = {error.id: error for error in (*delta.new, *delta.changed)}
        rows = {**context.state.listing.errors, **fresh}
        for error, _ in delta.gone:
            rows.pop(error.id, None)
        self._post(ListRead(reading, tuple(rows.values())))

    async def _read(self, reading: int) -> None:
        context = self._context
        if context.connection is None or context.state.reading.expired:
            fresh = await context.connect()
            stale, context.connection = context.connection, fresh
            context.state = context.state.reading_connected()
            if stale is not None:
                await stale.close()
            self._post(Connected())
        assert context.connection is not None
        rows: list[SyncError] = []
        # The protocol promises an iterator; those of this house are generators, which can be closed early.
        async with aclosing(cast(Any, context.connection.errors())) as pages:
            async for page in pages:
                if not rows and not context.state.listing.errors:
                    await loop_at_rest(0.01)  # the first frame comes before the first rows
                    await asyncio.to_thread(self._prepare, page)
                if reading != self.reading:
                    return
                rows.extend(page)
                # There is no garbage among rows, and looking for it among 100,000 would hold up the keys.
                gc.freeze()
                drawn = asyncio.Event()
                self._post(PageRead(reading, page, len(rows), drawn))
                # Keys come between two pages, however fast these arrive.
                await (drawn.wait() if len(rows) == len(page) else asyncio.sleep(0))
        if reading == self.reading:
            context.state = context.state.reading_ended(context.clock())
            self._post(ListRead(reading, tuple(rows)))
