"""The list of causes, drawn line by line: a cause takes two lines, an error below it one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from syncerr_tui.ui.outline import Node, Outline
from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.ui.widgets.themed import Themed
from syncerr_tui.ui.widgets.virtual_list import Glyphs, merged

_HEADER = 1
_GUTTER = 3
_COUNT, _WAIT = 6, 5
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


class _Shown(NamedTuple):
    """A drawn line; two equal ones look the same and cost nothing."""

    parts: tuple[Part, ...] = ()
    cursor: bool = False
    thumb: bool = False


class CauseList(Themed, can_focus=True):
    """Draws the visible part of an `Outline`. Its keys are the app's."""

    DEFAULT_CSS = "CauseList { height: 1fr; width: 1fr; }"

    class Clicked(Message):
        """A line was clicked."""

        def __init__(self, place: int, *, toggle: bool, opened: bool) -> None:
            super().__init__()
            self.place = place
            self.toggle = toggle
            self.opened = opened

    class Wheeled(Message):
        """The mouse wheel asks for this many lines down (negative: up)."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self, tell: Tell, *, glyphs: Glyphs, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.glyphs = glyphs
        self._tell = tell
        self._outline = Outline()
        self._cursor = 0
        self._note: tuple[str, ...] = ()
        self.top = 0
        """The first visible place of the outline."""
        self._drawn: list[_Shown] = []
        self._places: list[int] = []
        """For each visible line the place it belongs to."""

    @property
    def page(self) -> int:
        """Causes that fit into the window, as a step for paging."""
        return max(1, self._height // 2)

    @property
    def _height(self) -> int:
        return max(1, self.size.height - _HEADER)

    def show(self, outline: Outline, cursor: int, note: tuple[str, ...] = ()) -> None:
        """Show this; only lines that read differently are written."""
        self._outline, self._cursor, self._note = outline, cursor, note
        self.redraw()

    def redraw(self) -> None:
        """What the pane tells may have changed."""
        if not self.size.width or not self.display:
            return
        self._follow_cursor()
        lines = self._laid_out()
        if len(lines) != len(self._drawn):
            self.refresh()
        else:
            for y, (new, old) in enumerate(zip(lines, self._drawn, strict=True)):
                if new != old:
                    self.refresh(Region(0, y + _HEADER, self.size.width, 1))
        self._drawn = lines

    def _follow_cursor(self) -> None:
        """Bring all lines of the cursor into view, by half a page at once."""
        count, cursor = len(self._outline), self._cursor
        self.top = max(0, min(self.top, count - 1))
        if not count:
            return
        if cursor < self.top or self._lines(self.top, cursor + 1) > self._height:
            self.top = self._above(cursor, self._height // 2)
        # Nothing stays blank below the end.
        last = self._above(count - 1, self._height - self._tall(count - 1))
        self.top = min(self.top, last)

    def _above(self, place: int, room: int) -> int:
        while place > 0 and (room := room - self._tall(place - 1)) >= 0:
            place -= 1
        return max(place, 0)

    def _lines(self, first: int, end: int) -> int:
        total = 0
        for place in range(first, end):
            total += self._tall(place)
            if total > self._height:
                break
        return total

    def _tall(self, place: int) -> int:
        return 2 if self._outline[place].is_cause else 1

    def _laid_out(self) -> list[_Shown]:
        height = self._height
        lines: list[_Shown] = []
        self._places = []
        place, width = self.top, self.size.width - 1
        while len(lines) < height and place < len(self._outline):
            node = self._outline[place]
            told = self._tell(node, width - _GUTTER)
            here = place == self._cursor
            sign = self.glyphs.cursor if here else " "
            for number, parts in enumerate(told.lines):
                gutter = f"{sign}{told.selected} " if number == 0 else " " * _GUTTER
                lines.append(_Shown(((gutter, "text"), *parts), cursor=here and number == 0))
                self._places.append(place)
            place += 1
        lines = lines[:height]
        if not len(self._outline):
            start = max(1, (height - len(self._note)) // 3)
            lines = [
                _Shown(((f"  {self._note[y - start]}", "text"),))
                if 0 <= y - start < len(self._note)
                else _Shown()
                for y in range(height)
            ]
        lines += [_Shown()] * (height - len(lines))
        return [line._replace(thumb=self._is_thumb(y)) for y, line in enumerate(lines)]

    def _is_thumb(self, y: int) -> bool:
        count, height = len(self._outline), self._height
        seen = len(set(self._places))
        if seen >= count:
            return False
        length = max(1, height * seen // count)
        start = round(self.top / max(1, count - seen) * (height - length))
        return start <= y < start + length

    def render_line(self, y: int) -> Strip:
        """The header, or one line of the window."""
        width = self.size.width
        if y < _HEADER:
            title = f"{'':{_GUTTER + 2}}{'Errors':>{_COUNT}} {'Wait':>{_WAIT}}  What broke, worst first"
            return Strip([Segment(cell(title, width, ""), self.look("header"))], width)
        line = self._drawn[y - _HEADER] if y - _HEADER < len(self._drawn) else _Shown()
        plain = self.look("cursor" if line.cursor else "text")
        segments = merged((text, plain if line.cursor else self.look(look)) for text, look in line.parts)
        strip = Strip(segments).adjust_cell_length(width - 1, plain)
        thumb = Segment(self.glyphs.thumb if line.thumb else " ", plain)
        return Strip(merged((text, style or plain) for text, style, _ in (*strip, thumb)), width)

    def on_resize(self) -> None:
        """Lay out for the new size."""
        self._drawn = []
        self.redraw()

    def on_show(self) -> None:
        """Lay out what came while another tab was in front."""
        self._drawn = []
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Say what was clicked."""
        y = event.y - _HEADER
        if 0 <= y < len(self._places):
            self.post_message(self.Clicked(self._places[y], toggle=event.ctrl, opened=event.chain == 2))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """One cause down."""
        event.stop()
        self.post_message(self.Wheeled(1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """One cause up."""
        event.stop()
        self.post_message(self.Wheeled(-1))
