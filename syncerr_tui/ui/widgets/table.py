"""The list of sync errors, drawn line by line: only what is visible is ever looked at.

Textual's DataTable measures every cell and repaints itself for every line of scrolling; here 100,000 rows
cost what 20 rows cost, and after any change only the lines that look different go to the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from syncerr_tui.model import SyncError
from syncerr_tui.triage.listing import Listing
from syncerr_tui.triage.sort import SortKey
from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.ui.widgets.columns import Moment, Placed, fit
from syncerr_tui.ui.widgets.drawn import Drawn

STATE_WIDTH = 8
"""Cells of the state word beside the gutter, while a run has anything to say."""
_GUTTER = 3
_HEADER = 1
_COLOURS = {"code": "code", "message": "quiet"}
_STATES_PER_SECOND = 4
"""How often changed states are drawn at most: a person reads no faster, and a slow line carries no more."""


class Tone(StrEnum):
    """How a state feels. The word beside it says the same without colour."""

    BUSY = "busy"
    GOOD = "good"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class RowMark:
    """What a run says about one row, in at most `STATE_WIDTH` letters."""

    word: str
    tone: Tone


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


class _Line(NamedTuple):
    """Everything a drawn line depends on: two equal ones look the same and cost nothing."""

    error: SyncError | None
    mark: RowMark | None
    cursor: bool
    selected: bool
    thumb: bool
    note: str = ""
    """What stands here instead of a row."""


class ErrorTable(Drawn, can_focus=True):
    """A table over a `Listing`."""

    DEFAULT_CSS = "ErrorTable { height: 1fr; width: 1fr; }"

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
        self.listing = Listing()
        self.marks: Mapping[str, RowMark] = {}
        self.top = 0
        self._moment: Moment | None = None
        self._note: tuple[str, ...] = ()
        self._columns: tuple[Placed, ...] = ()
        self._drawn: list[_Line] = []
        self._marks_timer: Timer | None = None

    # -- what is shown -------------------------------------------------------------------------------

    @property
    def page(self) -> int:
        """Rows that fit into the window."""
        return max(1, self.size.height - _HEADER)

    def show(self, listing: Listing, moment: Moment) -> None:
        """Show this listing; what looks the same is not drawn again."""
        order_changed = (listing.sort, listing.reverse) != (self.listing.sort, self.listing.reverse)
        self.listing = listing
        if moment != self._moment:
            self._moment = moment
            self.refresh()
        if order_changed:
            self.refresh(Region(0, 0, self.size.width, _HEADER))
        self._redraw()

    def note(self, *lines: str) -> None:
        """What stands in place of the rows while there are none."""
        if lines != self._note:
            self._note = lines
            if not self.listing.ids:
                self._redraw()

    def show_marks(self, marks: Mapping[str, RowMark]) -> None:
        """The states of a run. The mapping may go on changing: `marks_changed` says so."""
        had_column = bool(self.marks)
        self.marks = marks
        if bool(marks) != had_column:
            self._fit()
            self.refresh()
        else:
            self.marks_changed()

    def marks_changed(self) -> None:
        """States have changed: draw those that are visible, soon and together."""
        if self._marks_timer is None:
            self._marks_timer = self.set_timer(1 / _STATES_PER_SECOND, self._marks_due)

    def _marks_due(self) -> None:
        self._marks_timer = None
        self._redraw()

    # -- what has to be drawn --------------------------------------------------------------------------

    def _redraw(self) -> None:
        """Compare the visible lines with what was drawn last, and refresh the difference."""
        self._follow_cursor()
        lines = [self._line(y) for y in range(self.page)]
        if len(lines) != len(self._drawn):
            self.refresh()
        else:
            for y, (new, old) in enumerate(zip(lines, self._drawn, strict=True)):
                if new != old:
                    only_state = new._replace(mark=None) == old._replace(mark=None)
                    width = self._left if only_state else self.size.width
                    self.refresh(Region(0, y + _HEADER, width, 1))
        self._drawn = lines

    def _follow_cursor(self) -> None:
        """Bring the cursor into view by half a page at once: single-line scrolling repaints everything."""
        rows, page, cursor = len(self.listing.ids), self.page, self.listing.cursor
        if not self.top <= cursor < self.top + page:
            self.top = cursor - page // 2
        self.top = max(0, min(self.top, rows - page))

    def _line(self, y: int) -> _Line:
        row = self.top + y
        ids = self.listing.ids
        thumb = self._is_thumb(y)
        if row >= len(ids):
            note = "" if ids else self._note_at(y)
            return _Line(None, None, cursor=False, selected=False, thumb=thumb, note=note)
        error = self.listing.errors[ids[row]]
        return _Line(
            error,
            self.marks.get(error.id),
            cursor=row == self.listing.cursor,
            selected=error.id in self.listing.selected,
            thumb=thumb,
        )

    def _note_at(self, y: int) -> str:
        index = y - max(1, (self.page - len(self._note)) // 3)
        return self._note[index] if 0 <= index < len(self._note) else ""

    def _is_thumb(self, y: int) -> bool:
        rows, page = len(self.listing.ids), self.page
        if rows <= page:
            return False
        length = max(1, page * page // rows)
        start = round(self.top / (rows - page) * (page - length))
        return start <= y < start + length

    @property
    def _left(self) -> int:
        """Cells before the first column."""
        return _GUTTER + (STATE_WIDTH + 1 if self.marks else 0)

    def _fit(self) -> None:
        self._columns = fit(self.size.width - self._left - 1)

    # -- drawing ---------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of the window: the header, a row, or the note where there are no rows."""
        width = self.size.width
        if y < _HEADER:
            return Strip([Segment(self._header(), self.look("header"))], width)
        if y - _HEADER >= len(self._drawn):
            return Strip.blank(width, self.look("text"))
        return self._row(self._drawn[y - _HEADER])

    def _header(self) -> str:
        names = []
        for column, width in ((placed.column, placed.width) for placed in self._columns):
            sign = ""
            if SortKey[column.name.upper()] is self.listing.sort:
                sign = self.glyphs.descending if self.listing.reverse else self.glyphs.ascending
            name = "Age" if column.name == "processed" and width < 10 else column.header
            if not sign:
                names.append(cell(name, width, self.glyphs.ellipsis))
            else:
                names.append(cell(f"{cell(name, min(len(name), width - 1), '')}{sign}", width, ""))
        left = " " * _GUTTER + (cell("State", STATE_WIDTH + 1) if self.marks else "")
        return cell(left + " ".join(names), self.size.width, "")

    def _row(self, line: _Line) -> Strip:
        error, moment = line.error, self._moment
        width = self.size.width
        if error is None or moment is None:
            told = cell(f"  {line.note}", width - 1, self.glyphs.ellipsis)
            return Strip([Segment(told + self._thumb(line), self.look("text"))], width)
        glyphs = self.glyphs
        gutter = f"{glyphs.cursor if line.cursor else ' '}{glyphs.selected if line.selected else ' '} "
        base = self.look("cursor" if line.cursor else "selected" if line.selected else "text")
        parts = [(gutter, base)]
        if self.marks:
            mark = line.mark
            style = self.look(mark.tone) if mark and not line.cursor else base
            parts.append((cell(mark.word if mark else "", STATE_WIDTH + 1), style))
        plain = line.cursor or line.selected
        for placed in self._columns:
            column = placed.column
            text = cell(column.text(error, placed.width, moment), placed.width, glyphs.ellipsis)
            style = base if plain else self.look(_COLOURS.get(column.name, "text"))
            parts.append((text + " ", style))
        last_text, last_style = parts[-1]
        parts[-1] = (last_text[:-1] + self._thumb(line), last_style)
        return Strip(_merged(parts), width)

    def _thumb(self, line: _Line) -> str:
        return self.glyphs.thumb if line.thumb else " "

    # -- events ----------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Fit the columns to the window."""
        self._fit()
        self._drawn = []
        self._redraw()

    def on_click(self, event: events.Click) -> None:
        """Say which row was clicked, and how."""
        row = self.top + event.y - _HEADER
        if event.y >= _HEADER and row < len(self.listing.ids):
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


def _merged(parts: list[tuple[str, Style]]) -> list[Segment]:
    """Neighbours of one style as one run of text: every run costs up to 40 bytes on the line."""
    runs: list[tuple[str, Style]] = []
    for text, style in parts:
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + text, style)
        else:
            runs.append((text, style))
    return [Segment(text, style) for text, style in runs]
