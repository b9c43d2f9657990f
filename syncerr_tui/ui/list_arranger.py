"""Other rows of the list, or the same in another order: of many rows a thread finds out which.

Keys wait meanwhile, as they are meant for the rows that were asked for. The list itself may go on changing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any

from syncerr_tui.triage.listing import Listing
from syncerr_tui.ui.context import AppContext

Change = Callable[[Listing], Listing]
"""Filters it or puts it in order."""
MANY = 5000
"""Rows from which that takes longer than a key should."""


class ListArranger:
    """Makes the list that is to be shown.

    Args:
        context: Has the list, and tells the app when keys wait.
        show: Shows a list.
        unpainted: Within it nothing is painted: a person sees the old rows, then the new ones.
        start: Runs a coroutine in the background.
    """

    def __init__(
        self,
        context: AppContext,
        show: Callable[[Listing], object],
        unpainted: Callable[[], AbstractContextManager[None]],
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._context = context
        self._show = show
        self._unpainted = unpainted
        self._start = start
        self._changes: list[Change] = []

    def arrange(self, change: Change) -> None:
        """Show this at once, or as soon as a thread has made it."""
        if len(self._context.state.listing.errors) < MANY:
            self.at_once(change)
            return
        self._changes.append(change)
        if self._context.settled.is_set():
            self._context.settled.clear()
            self._start(self._arrange_meanwhile())

    def at_once(self, change: Change) -> None:
        """Show this, which takes no time however many rows there are."""
        self._show(change(self._context.state.listing))

    async def _arrange_meanwhile(self) -> None:
        try:
            with self._unpainted():
                while self._changes:
                    await self.arranged(self._changes.pop(0))
        finally:
            self._context.settled.set()

    async def arranged(self, change: Change) -> None:
        """Show this once a thread has made it; keys need not wait.

        Where rows came or went it is made anew at once: pages may come faster than a thread is done.
        """
        before = self._context.state.listing
        arranged = await asyncio.to_thread(change, before)
        now = self._context.state.listing
        self._show(now.arranged_as(arranged) if before.is_arranged_as(now) else change(now))
