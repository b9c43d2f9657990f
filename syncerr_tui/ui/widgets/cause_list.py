"""The list of causes, drawn line by line: a cause takes two lines, an error below it one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.style import Style
from textual.strip import Strip

from syncerr_tui.ui.outline import Node, Outline
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.ui.widgets.virtual_list import Glyphs, VirtualList, merged

_GUTTER = 3
_COUNT, _WAIT = 6, 7
LEAD = _GUTTER + 2 + _COUNT + 1 + _WAIT + 2
"""Cells before the sentence of a cause."""


class Told(NamedTuple):
    """What a line says, from the pane that knows."""

    lines: tuple[tuple[Part, ...], ...]
    """One line, or two for a cause; without the gutter."""
    selected: str = " "
    """The sign of the selection: all, some (`-`) or none of what is below."""


Tell = Callable[[Node, int], Told]
"""What a line of so many cells says about a node."""


class _Line(NamedTuple):
    parts: tuple[Part, ...] = ()
    cursor: bool = False


class CauseList(VirtualList):
    """Draws the visible part of an `Outline`. Its keys are the app's."""

    WHEEL_ROWS = 1
    TICK_CELLS = _GUTTER

    def __init__(self, tell: Tell, *, glyphs: Glyphs, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(glyphs=glyphs, id=id)
        self._tell = tell
        self._outline = Outline()
        self._cursor = 0

    @property
    def count(self) -> int:
        """Lines of the tree; a cause counts once."""
        return len(self._outline)

    @property
    def at(self) -> int:
        """The place under the cursor."""
        return self._cursor

    @property
    def page(self) -> int:
        """Causes that fit into the window, as a step for paging."""
        return max(1, super().page // 2)

    def show(self, outline: Outline, cursor: int, note: tuple[str, ...] = ()) -> None:
        """Show this; only lines that read differently are written."""
        self._outline, self._cursor, self._note = outline, cursor, note
        self.redraw()

    def redraw(self) -> None:
        """What the pane tells may have changed."""
        if self.size.width and self.display:
            super().redraw()

    def height_of(self, row: int) -> int:
        """Two lines for a cause, one for an error."""
        return 2 if self._outline[row].is_cause else 1

    def lines_of(self, row: int) -> list[_Line]:
        """A cause, or an error below it."""
        told = self._tell(self._outline[row], self.size.width - 1 - _GUTTER)
        here = row == self._cursor
        gutter = f"{self.glyphs.cursor if here else ' '}{told.selected} "
        first, *rest = told.lines
        return [
            _Line(((gutter, "text"), *first), cursor=here),
            *(_Line(((" " * _GUTTER, "text"), *parts)) for parts in rest),
        ]

    def header(self) -> str:
        """The names of the columns."""
        return f"{'':{_GUTTER + 2}}{'Errors':>{_COUNT}} {'Held up':>{_WAIT}}  What broke, worst first"

    def draw(self, line: _Line) -> list[tuple[str, Style]]:
        """That line, all of it in the colours of the cursor where that stands there."""
        plain = self.look("cursor" if line.cursor else "text")
        segments = merged((text, plain if line.cursor else self.look(look)) for text, look in line.parts)
        strip = Strip(segments).adjust_cell_length(self.size.width - 1, plain)
        return [*((text, style or plain) for text, style, _ in strip), ("", plain)]

    def on_show(self) -> None:
        """Lay out what came while another tab was in front."""
        self.drawn = []
        self.redraw()
