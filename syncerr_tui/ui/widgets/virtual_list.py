"""Any number of rows under a header, drawn line by line: only what is visible is ever looked at.

A row takes one line or several. This is no `ScrollView`: what moves is the cursor, and the view follows it by
half a page at once, or row by row where the terminal itself can scroll the list.

Textual's DataTable measures every cell and repaints itself for every line of scrolling; here 100,000 rows
cost what 20 rows cost, and after any change only the lines that look different go to the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from syncerr_tui.ui.widgets.line import cell, joined
from syncerr_tui.ui.widgets.themed import Themed

HEADER = 1
"""Lines above the first row."""


CURSOR, SELECTED, THUMB = "▌", "✓", "┃"
"""The signs of the gutter, and of the scroll bar. `PlainSigns` makes ASCII of them where a terminal has no
others."""


class Blank(NamedTuple):
    """A line of the window that is no row."""

    note: str = ""


class VirtualList(Themed, can_focus=True):
    """What every list of rows has in common. Subclasses say how many there are and how one looks.

    A drawn line is kept as a value that holds everything its look depends on: two equal ones look the same,
    and the second costs nothing.
    """

    DEFAULT_CSS = "VirtualList { height: 1fr; width: 1fr; }"
    WHEEL_ROWS: ClassVar[int] = 3
    TICK_CELLS: ClassVar[int] = 0
    """Cells at the left in which a click selects, where rows can be selected."""

    @dataclass
    class Clicked(Message):
        """A row was clicked."""

        row: int
        toggle: bool
        extend: bool
        opened: bool

    @dataclass
    class HeaderClicked(Message):
        """The names of the columns were clicked, so many cells from the left."""

        x: int

    @dataclass
    class Wheeled(Message):
        """The mouse wheel asks for this many rows down (negative: up)."""

        rows: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.row_by_row = False
        """Whether the terminal scrolls the list by a row for next to nothing."""
        self.count = self.at = 0
        """How many rows there are, and which of them is under the cursor: a subclass keeps both."""
        self.top = 0
        """The first visible row."""
        self.drawn: list[tuple[Any, bool]] = []
        """The visible lines as they were drawn last, and whether the scroll bar's thumb is in them."""
        self._row_at: list[int] = []
        """For each visible line its row."""
        self._note: tuple[str, ...] = ()

    # -- what a subclass says --------------------------------------------------------------------------

    def height_of(self, _row: int) -> int:
        """Lines that this row takes."""
        return 1

    def lines_of(self, row: int) -> Sequence[Any]:
        """Everything that decides about the look of a row, for each of its lines."""
        raise NotImplementedError

    def draw(self, line: Any) -> list[tuple[str, Style]]:  # noqa: ANN401 - each subclass has its own
        """That line, one cell narrower than the window."""
        raise NotImplementedError

    def header(self) -> str:
        """The names of the columns."""
        raise NotImplementedError

    def fit(self) -> None:
        """The window has another size."""

    def drawn_width(self, _new: Any, _old: Any) -> int:  # noqa: ANN401
        """How many cells from the left have to be written where a line has changed."""
        return self.size.width

    # -- what is shown ---------------------------------------------------------------------------------

    @property
    def page(self) -> int:
        """Rows of one line that fit into the window, as a step for paging."""
        return self._height

    @property
    def _height(self) -> int:
        return max(1, self.size.height - HEADER)

    def note(self, *lines: str) -> None:
        """What stands in place of the rows while there are none."""
        if lines != self._note:
            self._note = lines
            if not self.count:
                self.redraw()

    def redraw(self) -> None:
        """Compare the visible lines with what was drawn last, and refresh the difference."""
        if not (self.size.width and self.display):
            return
        self._follow_cursor()
        lines = self._window()
        if len(lines) != len(self.drawn):
            self.refresh()
        else:
            for y, (new, old) in enumerate(zip(lines, self.drawn, strict=True)):
                if new != old:
                    same_thumb = new[1] == old[1]
                    width = self.drawn_width(new[0], old[0]) if same_thumb else self.size.width
                    self.refresh(Region(0, y + HEADER, width, 1))
        self.drawn = lines

    def redraw_rows(self, rows: Iterable[int]) -> None:
        """As `redraw`, where no other rows than these can look different."""
        top = self.top
        self._follow_cursor()
        if self.top != top or len(self.drawn) != self._height or not (self.size.width and self.display):
            self.redraw()
            return
        for row in rows:
            if row not in self._row_at:
                continue
            first = self._row_at.index(row)
            for y, line in enumerate(self.lines_of(row)[: len(self.drawn) - first], first):
                before, thumb = self.drawn[y]
                if line != before:
                    self.drawn[y] = (line, thumb)
                    self.refresh(Region(0, y + HEADER, self.drawn_width(line, before), 1))

    def _window(self) -> list[tuple[Any, bool]]:
        height, row = self._height, self.top
        lines: list[Any] = []
        self._row_at = []
        while len(lines) < height and row < self.count:
            fresh = self.lines_of(row)
            lines += fresh
            self._row_at += [row] * len(fresh)
            row += 1
        if not lines:
            lines = self._note_lines()
        lines += [Blank()] * (height - len(lines))
        thumb = self._thumb()
        return [(line, y in thumb) for y, line in enumerate(lines[:height])]

    def _note_lines(self) -> list[Any]:
        room = max(10, self.size.width - 4)
        note = [part for line in self._note for part in wrap(line, room) or [""]]
        above = max(1, (self._height - len(note)) // 3)
        return [Blank() for _ in range(above)] + [Blank(text) for text in note]

    def _follow_cursor(self) -> None:
        """Bring the cursor into view: row by row only where that does not repaint everything."""
        last = self.count - 1
        if last < 0:
            self.top = 0
            return
        cursor, height = self.at, self._height
        self.top = min(self.top, last)
        below = self._lines_between(self.top, cursor + 1) > height
        if self.row_by_row and cursor == self.top - 1:
            self.top = cursor
        elif self.row_by_row and below and self._lines_between(self.top, cursor) <= height:
            self.top = self._row_above(cursor, height - self.height_of(cursor))
        elif cursor < self.top or below:
            self.top = self._row_above(cursor, height // 2)
        # Nothing stays blank below the end.
        self.top = min(self.top, self._row_above(last, height - self.height_of(last)))

    def _row_above(self, row: int, room: int) -> int:
        """The row that stands so many lines above this one, or the first."""
        while row > 0 and (room := room - self.height_of(row - 1)) >= 0:
            row -= 1
        return row

    def _lines_between(self, first: int, end: int) -> int:
        """Lines of these rows; counted no further than the window is high."""
        total = 0
        for row in range(first, end):
            total += self.height_of(row)
            if total > self._height:
                break
        return total

    def _thumb(self) -> range:
        """The lines in which the scroll bar's thumb stands."""
        visible, height = len(set(self._row_at)), self._height
        if visible >= self.count:
            return range(0)
        length = max(1, height * visible // self.count)
        start = round(self.top / (self.count - visible) * (height - length))
        return range(start, start + length)

    # -- drawing ---------------------------------------------------------------------------------------

    def draw_line(self, y: int) -> Strip:
        """One line of the window: the header, a row, or the note where there are no rows."""
        width = self.size.width
        if y < HEADER:
            return Strip([Segment(cell(self.header(), width, ""), self.look("header"))], width)
        if y - HEADER >= len(self.drawn):
            return Strip.blank(width, self.look("text"))
        line, thumb = self.drawn[y - HEADER]
        parts = self._plain(line.note) if isinstance(line, Blank) else self.draw(line)
        text, style = parts[-1]
        parts[-1] = (text + (THUMB if thumb else " "), style)
        return Strip(merged(parts), width)

    def _plain(self, text: str) -> list[tuple[str, Style]]:
        lead = "  " if text else ""
        return [(cell(f"{lead}{text}", self.size.width - 1), self.look("text"))]

    # -- events ----------------------------------------------------------------------------------------

    def on_show(self) -> None:
        """Lay out what came while another tab was in front."""
        self.drawn = []
        self.redraw()

    def lay_out(self) -> None:
        self.fit()
        self._follow_cursor()
        self.drawn = self._window()

    def on_click(self, event: events.Click) -> None:
        y = event.y - HEADER
        if 0 <= y < len(self._row_at):
            toggle = event.ctrl or event.x < self.TICK_CELLS
            opened = event.chain == 2 and not toggle
            self.post_message(self.Clicked(self._row_at[y], toggle, event.shift, opened))
        elif y < 0:
            self.post_message(self.HeaderClicked(event.x))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Wheeled(self.WHEEL_ROWS))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Wheeled(-self.WHEEL_ROWS))


def merged(parts: Iterable[tuple[str, Style]]) -> list[Segment]:
    """Texts with their styles as few segments."""
    return [Segment(text, style) for text, style in joined(parts)]
