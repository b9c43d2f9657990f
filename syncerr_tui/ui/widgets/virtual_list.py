"""Any number of rows under a header, drawn line by line: only what is visible is ever looked at.

Textual's DataTable measures every cell and repaints itself for every line of scrolling; here 100,000 rows
cost what 20 rows cost, and after any change only the lines that look different go to the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.ui.widgets.themed import Themed

HEADER = 1
"""Lines above the first row."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs of the gutter."""

    cursor: str
    selected: str
    thumb: str
    ellipsis: str
    ascending: str
    descending: str


UNICODE = Glyphs("▌", "✓", "┃", "…", "▲", "▼")
ASCII = Glyphs(">", "*", "|", "~", "^", "v")


class VirtualList(Themed, can_focus=True):
    """What every list of rows has in common. Subclasses say how many there are and how one looks.

    A drawn line is kept as a value that holds everything its look depends on: two equal ones look the same,
    and the second costs nothing.
    """

    DEFAULT_CSS = "VirtualList { height: 1fr; width: 1fr; }"

    class Clicked(Message):
        """A row was clicked."""

        def __init__(self, row: int, *, toggle: bool, extend: bool, opened: bool) -> None:
            super().__init__()
            self.row = row
            self.toggle = toggle
            self.extend = extend
            self.opened = opened

    class Wheeled(Message):
        """The mouse wheel asks for this many rows down (negative: up)."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.glyphs = glyphs
        self.top = 0
        self.drawn: list[Any] = []
        """The visible lines as they were drawn last."""
        self._note: tuple[str, ...] = ()

    # -- what a subclass says --------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    @property
    def at(self) -> int:
        """The row under the cursor."""
        raise NotImplementedError

    def line(self, y: int) -> Any:  # noqa: ANN401 - each subclass has its own
        """Everything that decides about the look of line `y` below the header."""
        raise NotImplementedError

    def draw(self, line: Any) -> Strip:  # noqa: ANN401
        """That line."""
        raise NotImplementedError

    def header(self) -> str:
        """The names of the columns."""
        raise NotImplementedError

    def fit(self) -> None:
        """The window has another size."""

    def drawn_width(self, new: Any, old: Any) -> int:  # noqa: ANN401
        """How many cells from the left have to be written where a line has changed."""
        return self.size.width

    # -- what is shown ---------------------------------------------------------------------------------

    @property
    def page(self) -> int:
        """Rows that fit into the window."""
        return max(1, self.size.height - HEADER)

    def note(self, *lines: str) -> None:
        """What stands in place of the rows while there are none."""
        if lines != self._note:
            self._note = lines
            if not self.count:
                self.redraw()

    def note_at(self, y: int) -> str:
        """The part of the note that stands in line `y`."""
        if self.count or not self._note:
            return ""
        room = max(10, self.size.width - 4)
        note = [part for line in self._note for part in wrap(line, room) or [""]]
        index = y - max(1, (self.page - len(note)) // 3)
        return note[index] if 0 <= index < len(note) else ""

    def redraw(self) -> None:
        """Compare the visible lines with what was drawn last, and refresh the difference."""
        self._follow_cursor()
        lines = [self.line(y) for y in range(self.page)]
        if len(lines) != len(self.drawn):
            self.refresh()
        else:
            for y, (new, old) in enumerate(zip(lines, self.drawn, strict=True)):
                if new != old:
                    self.refresh(Region(0, y + HEADER, self.drawn_width(new, old), 1))
        self.drawn = lines

    def _follow_cursor(self) -> None:
        """Bring the cursor into view by half a page at once: single-line scrolling repaints everything."""
        page, cursor = self.page, self.at
        if not self.top <= cursor < self.top + page:
            self.top = cursor - page // 2
        self.top = max(0, min(self.top, self.count - page))

    def is_thumb(self, y: int) -> bool:
        """Whether the scroll bar's thumb stands in line `y`."""
        rows, page = self.count, self.page
        if rows <= page:
            return False
        length = max(1, page * page // rows)
        start = round(self.top / (rows - page) * (page - length))
        return start <= y < start + length

    # -- drawing ---------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of the window: the header, a row, or the note where there are no rows."""
        width = self.size.width
        if y < HEADER:
            return Strip([Segment(cell(self.header(), width, ""), self.look("header"))], width)
        if y - HEADER >= len(self.drawn):
            return Strip.blank(width, self.look("text"))
        return self.draw(self.drawn[y - HEADER])

    def plain(self, text: str, *, thumb: bool) -> Strip:
        """A line that is no row."""
        width = self.size.width
        told = cell(f"  {text}", width - 1, self.glyphs.ellipsis)
        return Strip([Segment(told + self.thumb(on=thumb), self.look("text"))], width)

    def thumb(self, *, on: bool) -> str:
        """The last cell of a line."""
        return self.glyphs.thumb if on else " "

    # -- events ----------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Fit the columns to the window."""
        self.fit()
        self.drawn = []
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Say which row was clicked, and how."""
        row = self.top + event.y - HEADER
        if event.y >= HEADER and row < self.count:
            self.post_message(
                self.Clicked(row, toggle=event.ctrl, extend=event.shift, opened=event.chain == 2)
            )

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows down."""
        event.stop()
        self.post_message(self.Wheeled(3))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows up."""
        event.stop()
        self.post_message(self.Wheeled(-3))


def merged(parts: Iterable[tuple[str, Style]]) -> list[Segment]:
    """Neighbours of one style as one run of text: every run costs up to 40 bytes on the line."""
    runs: list[tuple[str, Style]] = []
    for text, style in parts:
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + text, style)
        else:
            runs.append((text, style))
    return [Segment(text, style) for text, style in runs]
