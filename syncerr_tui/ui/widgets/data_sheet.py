"""A list of plain rows in columns, of which only the pages that were looked at have to be known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from textual.strip import Strip

from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.ui.widgets.virtual_list import UNICODE, Glyphs, VirtualList, merged

_GUTTER = 2
_GAP = 1


@dataclass(frozen=True, slots=True)
class Head:
    """A column."""

    name: str
    width: int
    number: bool = False
    """Set to the right."""
    since: int = 0
    """Cells the window must have for it to be shown."""


class _Line(NamedTuple):
    """Everything a drawn line depends on."""

    parts: tuple[Part, ...] | None
    cursor: bool
    thumb: bool
    note: str = ""


Row = Callable[[int], Sequence[Part] | None]
"""The cells of a row, one for each column; None while the row is being read."""


class DataSheet(VirtualList):
    """Rows by their number. The last column takes what is left of the window."""

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(glyphs=glyphs, id=id)
        self._heads: tuple[Head, ...] = ()
        self._row: Row = lambda _row: None
        self._count = 0
        self._at = 0

    def show(self, heads: tuple[Head, ...], count: int, at: int, row: Row) -> None:
        """Show these rows, the cursor on one of them."""
        if heads != self._heads:
            self.top = 0
            self.refresh()
        self._heads, self._count, self._at, self._row = heads, count, at, row
        self.redraw()

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self._count

    @property
    def at(self) -> int:
        """The row under the cursor."""
        return self._at

    @property
    def _placed(self) -> list[tuple[int, Head, int]]:
        """The columns of this window: number, column, cells."""
        width = self.size.width
        shown = [(number, head) for number, head in enumerate(self._heads) if width >= head.since]
        if not shown:
            return []
        taken = sum(head.width + _GAP for _, head in shown)
        rest = max(0, width - _GUTTER - taken)
        last = shown[-1][0]
        return [(number, head, head.width + (rest if number == last else 0)) for number, head in shown]

    def header(self) -> str:
        """The names of the columns."""
        names = (_set(head.name, width, head, self.glyphs.ellipsis) for _, head, width in self._placed)
        return " " * _GUTTER + " ".join(names)

    def line(self, y: int) -> _Line:
        """What decides about the look of a line."""
        row, thumb = self.top + y, self.is_thumb(y)
        if row >= self._count:
            return _Line(None, cursor=False, thumb=thumb, note=self.note_at(y))
        parts = self._row(row)
        cells = tuple(parts) if parts is not None else None
        return _Line(cells, row == self._at, thumb, "" if cells is not None else self.glyphs.ellipsis)

    def draw(self, line: _Line) -> Strip:
        """A row, or the note where there are none."""
        if line.parts is None:
            return self.plain(line.note, thumb=line.thumb)
        sign = self.glyphs.cursor if line.cursor else " "
        base = self.look("cursor" if line.cursor else "text")
        drawn = [(f"{sign} ", base)]
        for number, head, width in self._placed:
            text, look = line.parts[number]
            drawn.append(
                (
                    _set(text, width, head, self.glyphs.ellipsis) + " ",
                    base if line.cursor else self.look(look),
                )
            )
        last_text, last_style = drawn[-1]
        drawn[-1] = (last_text[:-1] + self.thumb(on=line.thumb), last_style)
        return Strip(merged(drawn), self.size.width)


def _set(text: str, width: int, head: Head, ellipsis: str) -> str:
    if head.number and len(text) <= width:
        return f"{text:>{width}}"
    return cell(text, width, ellipsis)
