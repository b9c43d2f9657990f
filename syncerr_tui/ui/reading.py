"""Reading the list in the background. Knows no widget: it tells what happened, and in which reading.

A reading that has been overtaken by a newer one says nothing more, and what it already said is dropped by
its number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any, cast

from textual.message import Message

from syncerr_tui.errors import NotLoggedInError, SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.ui.context import AppContext


class Connected(Message):
    """The org answered and its names are mapped."""


class PageCame(Message):
    """More rows."""

    def __init__(self, reading: int, rows: tuple[SyncError, ...], so_far: int, drawn: asyncio.Event) -> None:
        super().__init__()
        self.reading = reading
        self.rows = rows
        self.so_far = so_far
        self.drawn = drawn
        """To be set once the rows are on screen: only then is the second page asked for."""


class ListRead(Message):
    """The whole list is here."""

    def __init__(self, reading: int, rows: tuple[SyncError, ...], at: datetime) -> None:
        super().__init__()
        self.reading = reading
        self.rows = rows
        self.at = at


class ReadingFailed(Message):
    """The org could not be reached or did not let us read."""

    def __init__(self, reading: int, error: SyncErrError) -> None:
        super().__init__()
        self.reading = reading
        self.error = error


class Reader:
    """Connects where that is still to do, and reads."""

    def __init__(self, context: AppContext, tell: Callable[[Message], object]) -> None:
        self._context = context
        self._tell = tell
        self.reading = 0
        """Number of the newest reading."""
        self.active = False

    def next(self) -> int:
        """A new reading begins; the ones before it have been overtaken."""
        self.reading += 1
        self.active = True
        return self.reading

    async def read(self, reading: int) -> None:
        """Read the list to its end, or until a newer reading begins."""
        try:
            await self._read(reading)
        except SyncErrError as error:
            if reading == self.reading:
                self.active = False
                self._context.expired = isinstance(error, NotLoggedInError)
                self._tell(ReadingFailed(reading, error))

    async def _read(self, reading: int) -> None:
        context = self._context
        if context.connection is None or context.expired:
            fresh = await context.connect()
            stale, context.connection, context.expired = context.connection, fresh, False
            if stale is not None:
                await stale.close()
            self._tell(Connected())
        assert context.connection is not None
        rows: list[SyncError] = []
        # The protocol promises an iterator; those of this house are generators, which can be closed early.
        async with aclosing(cast(Any, context.connection.errors())) as pages:
            async for page in pages:
                if reading != self.reading:
                    return
                rows.extend(page)
                drawn = asyncio.Event()
                self._tell(PageCame(reading, page, len(rows), drawn))
                if len(rows) == len(page):
                    await drawn.wait()
        if reading == self.reading:
            self.active = False
            self._tell(ListRead(reading, tuple(rows), context.clock()))
