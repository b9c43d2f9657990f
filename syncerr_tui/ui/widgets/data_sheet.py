"""A list of plain rows in columns, of which only the pages that were looked at have to be known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.style import Style

from syncerr_tui.triage.columns import Column
from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.ui.widgets.virtual_list import UNICODE, Blank, Glyphs, VirtualList

_GUTTER = 2
_GAP = 1


class _Line(NamedTuple):
    """Everything a drawn line depends on."""

    parts: tuple[Part, ...]
    cursor: bool


Row = Callable[[int], Sequence[Part] | None]
"""The cells of a row, one for each column; None while the row is being read."""


class DataSheet(VirtualList):
    """Rows by their number. The last column takes what is left of the window."""

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(glyphs=glyphs, id=id)
        self._columns: tuple[Column, ...] = ()
        self._row: Row = lambda _row: None

    def show(self, columns: tuple[Column, ...], count: int, at: int, row: Row) -> None:
        """Show these rows, the cursor on one of them."""
        if columns != self._columns:
            self.top = 0
            self.refresh()
        self._columns, self.count, self.at, self._row = columns, count, at, row
        self.redraw()

    @property
    def _placed(self) -> list[tuple[int, Column, int]]:
        """The columns of this window: number, column, cells."""
        width = self.size.width
        shown = [(number, column) for number, column in enumerate(self._columns) if width >= column.since]
        if not shown:
            return []
        taken = sum(column.widths[0] + _GAP for _, column in shown)
        rest = max(0, width - _GUTTER - taken)
        last = shown[-1][0]
        return [
            (number, column, column.widths[0] + (rest if number == last else 0)) for number, column in shown
        ]

    def header(self) -> str:
        names = (
            _set(column.header, width, column, self.glyphs.ellipsis) for _, column, width in self._placed
        )
        return " " * _GUTTER + " ".join(names)

    def lines_of(self, row: int) -> list[_Line | Blank]:
        """A row; while it is being read, a sign that it comes."""
        parts = self._row(row)
        return [Blank(self.glyphs.ellipsis) if parts is None else _Line(tuple(parts), row == self.at)]

    def draw(self, line: _Line) -> list[tuple[str, Style]]:
        base = self.look("cursor" if line.cursor else "text")
        drawn = [(f"{self.glyphs.cursor if line.cursor else ' '} ", base)]
        for number, column, width in self._placed:
            text, look = line.parts[number]
            shown = _set(text, width, column, self.glyphs.ellipsis)
            drawn.append((f"{shown} ", base if line.cursor else self.look(look)))
        text, style = drawn[-1]
        drawn[-1] = (text[:-1], style)
        return drawn


def _set(text: str, width: int, column: Column, ellipsis: str) -> str:
    if column.number and len(text) > width:
        text = text.replace(",", "")  # a count loses its commas before it loses a digit
    if column.number and len(text) <= width:
        return f"{text:>{width}}"
    return cell(text, width, ellipsis)
