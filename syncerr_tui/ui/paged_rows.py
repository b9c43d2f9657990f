"""Rows that are read a page at a time, when they are looked at. Knows no widget and no journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
PAGE = 100

Read = Callable[[int, int], Awaitable[tuple[int, Sequence[Item]]]]
"""(rows to skip, rows at most) -> how many there are in all, and these."""


class PagedRows(Generic[Item]):
    """The pages that are known so far. A page that is asked for twice is read once.

    Args:
        read: Reads a page.
        start: Runs a coroutine in the background.
        tell: Called when there is more to show.
    """

    def __init__(
        self,
        read: Read[Item],
        start: Callable[[Coroutine[Any, Any, None]], object],
        tell: Callable[[], object],
    ) -> None:
        self._read = read
        self._start = start
        self._tell = tell
        self._known: dict[int, Sequence[Item]] = {}
        self._asked: set[int] = set()
        self.count = 0
        self.ready = False
        """The first page is here."""

    def at(self, row: int) -> Item | None:
        """This row, where it is known; else its page is on its way."""
        number, place = divmod(row, PAGE)
        page = self._known.get(number)
        if page is None:
            self.ask(number)
            return None
        return page[place] if place < len(page) else None

    def ask(self, number: int = 0) -> None:
        """Have a page read."""
        if number not in self._asked:
            self._asked.add(number)
            self._start(self._get(number))

    async def _get(self, number: int) -> None:
        self.count, page = await self._read(number * PAGE, PAGE)
        self._known[number] = page
        self.ready = True
        self._tell()
