"""Query locators: the row numbers of a query's answer, sorted once, read page by page."""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count

from syncerr_tui.demo.ids import long_id
from syncerr_tui.demo.soql import CompiledQuery

_MOST_ROWS = 8_000_000
"""Rows behind all open locators (64 MB); beyond, the oldest locator is forgotten."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """One query with more than one page."""

    key: str
    plan: CompiledQuery
    rows: array[int]
    page_size: int
    tooling: bool

    def locator(self, offset: int) -> str:
        """`01g...-2000`: where the next page begins."""
        return f"{self.key}-{offset}"


@dataclass(slots=True)
class Cursors:
    """All open locators. A real org keeps them for two days, this one as long as memory allows."""

    _open: OrderedDict[str, Cursor] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _held: int = 0

    def keep(self, plan: CompiledQuery, rows: array[int], page_size: int, *, tooling: bool) -> Cursor:
        """Open a locator."""
        with self._lock:
            key = long_id(f"01gDe{next(self._numbers):010d}")
            cursor = Cursor(key, plan, rows, page_size, tooling)
            self._open[key] = cursor
            self._held += len(rows)
            while self._held > _MOST_ROWS and len(self._open) > 1:
                self._held -= len(self._open.popitem(last=False)[1].rows)
            return cursor

    def find(self, locator: str) -> tuple[Cursor, int] | None:
        """The query behind a locator and the offset in it; None where there is none."""
        key, _, offset = locator.rpartition("-")
        with self._lock:
            cursor = self._open.get(key)
            if cursor is None or not offset.isascii() or not offset.isdigit():
                return None
            self._open.move_to_end(key)
        place = int(offset)
        return (cursor, place) if 0 < place < len(cursor.rows) else None
