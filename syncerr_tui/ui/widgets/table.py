"""The list of sync errors with what a run says beside each row; and plain rows in columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from rich.style import Style
from textual.geometry import Region
from textual.message import Message

from syncerr_tui.model import SyncError
from syncerr_tui.text import cells, one_line
from syncerr_tui.triage.columns import (
    MESSAGE,
    PROCESSED,
    SHOWN_OF_THEMSELVES,
    Column,
    ColumnChoice,
    Placed,
    further,
    is_cut_id,
    placed_in,
)
from syncerr_tui.triage.listing import Listing
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.widgets.line import Part, cell
from syncerr_tui.ui.widgets.virtual_list import CURSOR, HEADER, SELECTED, Blank, VirtualList

STATE_WIDTH = 8
"""Cells of the state word beside the gutter, while a run has anything to say."""
_GUTTER = 3
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


class _Line(NamedTuple):
    """Everything a drawn line depends on: two equal ones look the same and cost nothing."""

    error: SyncError
    mark: RowMark | None
    cursor: bool
    selected: bool
    change: str
    """The sign of what happened to it since the person looked."""


class ErrorTable(VirtualList):
    """A table over a `Listing`."""

    TICK_CELLS = _GUTTER

    class Fitted(Message):
        """Other columns are on screen, or the same ones with other widths."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.listing = Listing()
        self.marks: Mapping[str, RowMark] = {}
        self._moment: datetime | None = None
        self._columns: tuple[Placed, ...] = ()
        self._choice: ColumnChoice = ()
        self._view = 0
        """Which view of the columns is shown: 0 is the first, further ones stand to the right of it."""
        self._zoomed = False
        """Whether the whole width is for the message."""
        self._marks_due = Debouncer(self, 1 / _STATES_PER_SECOND)
        self._changes: Mapping[str, str] = {}
        """Row -> what happened to it since the person looked."""

    # -- what is shown -------------------------------------------------------------------------------

    def show(
        self, listing: Listing, moment: datetime, changes: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Show this listing, with a sign beside what has changed; what looks the same is not drawn again."""
        before = self.listing
        if moment == self._moment and changes is self._changes and listing.is_moved(before):
            self.listing, self.at = listing, listing.cursor
            self.redraw_rows((before.cursor, listing.cursor))
            return
        order_changed = (listing.sort, listing.reverse) != (before.sort, before.reverse)
        wider = bool(changes) != bool(self._changes)
        self.listing, self._changes = listing, changes
        self.count, self.at = len(listing.ids), listing.cursor
        if moment != self._moment:
            self._moment = moment
            self.refresh()
        if order_changed or wider:
            self.fit()
            self.refresh()
        self.redraw()

    def tick(self, moment: datetime) -> None:
        """Time has gone by: write the ages that read differently, and nothing else."""
        before, self._moment = self._moment, moment
        left = self._left
        for placed in self._columns:
            if placed.column.time and before is not None:
                for y, (line, _) in enumerate(self.drawn):
                    if isinstance(line, _Line) and placed.text(line.error, before) != placed.text(
                        line.error, moment
                    ):
                        self.refresh(Region(left, HEADER + y, placed.width, 1))
            left += placed.width + 1

    def shows(self, column: Column) -> bool:
        """Whether this column is on screen."""
        return not self._columns or any(placed.column is column for placed in self._columns)

    @property
    def first_view(self) -> tuple[Placed, ...]:
        """The columns as they stand on screen, where nobody has scrolled sideways."""
        return placed_in(self.size.width - self._left - 1, self._choice, self.listing.sort)

    def choose(self, choice: ColumnChoice) -> None:
        """Show these columns; with none, those that the window has room for."""
        if choice != self._choice:
            self._choice, self._view = choice, 0
            self.fit()
            self.refresh()

    def scroll_columns(self, views: int) -> bool:
        """Sideways by so many views. False where there is nothing more."""
        before = self._columns
        self._view, self._zoomed = 0 if self._zoomed else max(0, self._view + views), False
        self.fit()
        if self._columns != before:
            self.refresh()
        return self._columns != before

    def zoom_message(self) -> None:
        """The message as wide as there is room beside the first column, or the columns again."""
        self._view, self._zoomed = 0, not self._zoomed
        self.fit()
        self.refresh()

    def show_marks(self, marks: Mapping[str, RowMark]) -> None:
        """The states of a run. The mapping may go on changing: `marks_changed` says so."""
        had_column = bool(self.marks)
        self.marks = marks
        if bool(marks) != had_column:
            self.fit()
            self.redraw()
            self.refresh()
        else:
            self.marks_changed()

    def marks_changed(self) -> None:
        """States have changed: draw those that are visible, soon and together."""
        self._marks_due.soon(self.redraw)

    # -- what has to be drawn --------------------------------------------------------------------------

    def drawn_width(self, new: _Line | Blank, old: _Line | Blank) -> int:
        """Where only the state has changed, what stands beside it stays."""
        if isinstance(new, Blank) or isinstance(old, Blank):
            return self.size.width
        only_state = new._replace(mark=None) == old._replace(mark=None)
        return self._left if only_state else self.size.width

    def lines_of(self, row: int) -> list[_Line]:
        listing = self.listing
        error = listing.errors[listing.ids[row]]
        return [
            _Line(
                error,
                self.marks.get(error.id),
                cursor=row == listing.cursor,
                selected=error.id in listing.selected,
                change=self._changes.get(error.id, ""),
            )
        ]

    @property
    def _left(self) -> int:
        return self._gutter + (STATE_WIDTH + 1 if self.marks else 0)

    @property
    def _gutter(self) -> int:
        """Cells of the signs: one more while anything has changed."""
        return _GUTTER + bool(self._changes)

    def fit(self) -> None:
        before = self._columns
        self._columns = self.first_view
        if self._zoomed:
            first, room = self._columns[0], self.size.width - self._left - 1
            first = replace(first, width=min(first.width, first.column.widths[-1], room // 3))
            self._columns = (first, Placed(MESSAGE, max(1, room - first.width - 1), 0))
        elif self._view:
            current = self.listing.current
            longest = cells(one_line(current.message)) if current is not None else 0
            views = further(self._columns, self.size.width - self._left - 1, longest, self._choice)
            self._view = min(self._view, len(views))
            if self._view:
                self._columns = views[self._view - 1]
        if self._columns != before:
            self.post_message(self.Fitted())

    def column_at(self, x: int) -> Column | int | None:
        """What the header says so many cells from the left: a column to sort by, or a way sideways."""
        if x >= self.size.width - len(" ]") or (self._view and x < _GUTTER):
            return 1 if x >= _GUTTER else -1
        end = self._left
        for placed in self._columns:
            end += placed.width + 1
            if self._left <= x < end:
                return placed.column
        return None

    @property
    def _off_screen(self) -> int:
        """Columns that sideways scrolling shows whole, and nothing else does now."""
        shown = {placed.column for placed in self._columns}
        every = len(self._choice) or len(shown.union(SHOWN_OF_THEMSELVES))
        return every - sum(not is_cut_id(placed) for placed in self._columns)

    # -- drawing ---------------------------------------------------------------------------------------

    def header(self) -> str:
        """The names of the columns, the one in order marked."""
        names = []
        for column, width, skipped in ((each.column, each.width, each.skipped) for each in self._columns):
            sign = ""
            if column is self.listing.sort:
                sign = "▼" if self.listing.reverse else "▲"
            name = "Age" if column is PROCESSED and width < 10 else column.header
            name = f"{name} from {skipped + 1}" if skipped else name
            if not sign:
                names.append(cell(name, width))
            else:
                names.append(cell(f"{cell(name, min(len(name), width - 1), '')}{sign}", width, ""))
        left = f"{'[' if self._view else '':<{self._gutter}}"
        left += cell("State", STATE_WIDTH + 1) if self.marks else ""
        more = f" +{self._off_screen} ]" if not self._view and self._off_screen else " ]"
        return cell(left + " ".join(names), self.size.width - len(more), "") + more

    def draw(self, line: _Line) -> list[tuple[str, Style]]:
        moment = self._moment
        assert moment is not None
        gutter = f"{CURSOR if line.cursor else ' '}{SELECTED if line.selected else ' '}"
        base = self.look("cursor" if line.cursor else "selected" if line.selected else "text")
        rest = self.look("selected") if line.selected else None
        sign = f"{line.change:<{self._gutter - len(gutter)}}"
        if self.marks:
            # One style for both: what changes most often while a run is on is one run of text.
            mark = line.mark
            style = self.look(mark.tone) if mark and not line.cursor else base
            parts = [(gutter + sign + cell(mark.word if mark else "", STATE_WIDTH + 1), style)]
        else:
            parts = [(gutter, base), (sign, self.look("key") if line.change and not line.cursor else base)]
        for number, placed in enumerate(self._columns):
            column = placed.column
            text = cell(placed.text(line.error, moment), placed.width)
            # The cursor is a sign and one bright cell: a whole bright row is written twice with every key.
            bright = line.cursor and number == 0
            parts.append((f"{text} ", base if bright else rest or self.look(column.look)))
        text, style = parts[-1]
        parts[-1] = (text[:-1], style)
        return parts


_SHEET_GUTTER = 2
_SHEET_GAP = 1


class _SheetLine(NamedTuple):
    """Everything a drawn line depends on."""

    parts: tuple[Part, ...]
    cursor: bool


SheetRow = Callable[[int], Sequence[Part] | None]
"""The cells of a row, one for each column; None while the row is being read."""


class DataSheet(VirtualList):
    """Rows by their number. The last column takes what is left of the window."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._columns: tuple[Column, ...] = ()
        self._row: SheetRow = lambda _row: None

    def show(self, columns: tuple[Column, ...], count: int, at: int, row: SheetRow) -> None:
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
        used = sum(column.widths[0] + _SHEET_GAP for _, column in shown)
        rest = max(0, width - _SHEET_GUTTER - used)
        last = shown[-1][0]
        return [
            (number, column, column.widths[0] + (rest if number == last else 0)) for number, column in shown
        ]

    def header(self) -> str:
        names = (_set(column.header, width, column) for _, column, width in self._placed)
        return " " * _SHEET_GUTTER + " ".join(names)

    def lines_of(self, row: int) -> list[_SheetLine | Blank]:
        """A row; while it is being read, a sign that it comes."""
        parts = self._row(row)
        return [Blank("…") if parts is None else _SheetLine(tuple(parts), row == self.at)]

    def draw(self, line: _SheetLine) -> list[tuple[str, Style]]:
        base = self.look("cursor" if line.cursor else "text")
        drawn = [(f"{CURSOR if line.cursor else ' '} ", base)]
        for number, column, width in self._placed:
            text, look = line.parts[number]
            shown = _set(text, width, column)
            drawn.append((f"{shown} ", base if line.cursor else self.look(look)))
        text, style = drawn[-1]
        drawn[-1] = (text[:-1], style)
        return drawn


def _set(text: str, width: int, column: Column) -> str:
    if column.number and len(text) > width:
        text = text.replace(",", "")  # a count loses its commas before it loses a digit
    if column.number and len(text) <= width:
        return f"{text:>{width}}"
    return cell(text, width)
