"""The rows of a guided re-sync, wave by wave: in two lines each, or in one where the window is wide."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from rich.style import Style

from syncerr_tui.text import cells
from syncerr_tui.triage.columns import short_object
from syncerr_tui.triage.guided import GuidedRow, GuidedState
from syncerr_tui.triage.salesforce_time import LONGEST, SalesforceTime
from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.ui.widgets.virtual_list import Glyphs, VirtualList

_GUTTER, _STATE, _EVENT, _ID, _SALESFORCE_ID = 5, 8, 6, 36, 18
_OBJECTS = (11, 14, 22)
"""Cells of the object, as the window grows."""
_INDENTED = 75
"""Cells from which the second line of a row stands below its object."""
_ONE_LINE = 150
"""Cells from which a row takes one line."""


class _Line(NamedTuple):
    """Everything a drawn line depends on."""

    row: GuidedRow | None = None
    part: int = 0
    """0: all of the row in one line, 1 and 2: its first and its second line."""
    cursor: bool = False
    heading: str = ""


class GuidedList(VirtualList):
    """A list of waves with a cursor that never stands on a heading."""

    def __init__(self, *, glyphs: Glyphs, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(glyphs=glyphs, id=id)
        self._state = GuidedState()
        self._times = SalesforceTime()
        self._items: list[int | str] = []
        """A wave, for its heading, or the id of a row."""

    def show(self, state: GuidedState, times: SalesforceTime) -> None:
        """Show this; only lines that read differently are written."""
        if state.view is not self._state.view or not self._items:
            self._items = []
            for wave, rows in groupby(state.view, lambda row_id: state.rows[row_id].wave):
                self._items += [wave, *rows]
        self._state, self._times = state, times
        here = state.view[state.cursor] if state.view else None
        self.count, self.at = len(self._items), self._items.index(here) if here is not None else 0
        self.redraw()

    def row_at(self, item: int) -> int | None:
        """The place of a clicked line among the rows; None for a heading."""
        clicked = self._items[item]
        return None if isinstance(clicked, int) else self._state.view.index(clicked)

    # -- what `VirtualList` asks ------------------------------------------------------------------------

    @property
    def page(self) -> int:
        """Rows that fit into the window, as a step for paging."""
        return super().page if self._in_one_line else max(1, super().page // 2)

    @property
    def _in_one_line(self) -> bool:
        return self.size.width >= _ONE_LINE

    @property
    def _object(self) -> int:
        return _OBJECTS[(self.size.width >= 90) + (self.size.width >= 110)]

    def height_of(self, row: int) -> int:
        """One line for a heading, two for a row of a narrow window."""
        return 1 if self._in_one_line or isinstance(self._items[row], int) else 2

    def lines_of(self, row: int) -> list[_Line]:
        item = self._items[row]
        if isinstance(item, int):
            return [_Line(heading=self._heading(item))]
        shown = self._state.rows[item]
        here = row == self.at
        if self._in_one_line:
            return [_Line(shown, 0, here)]
        return [_Line(shown, 1, here), _Line(shown, 2)]

    def _heading(self, wave: int) -> str:
        rows = [row for row in self._state.rows.values() if row.wave == wave]
        done = sum(row.ticked for row in rows)
        opens = ", opens when the one before is proven" if wave > max(self._state.wave, 1) else ""
        return f"Wave {wave} of {self._state.waves}: {done:,} of {len(rows):,} ticked{opens}"

    def header(self) -> str:
        names = [
            " " * (_GUTTER - 1),
            cell("State", _STATE),
            cell("Object", self._object),
            cell("Event", _EVENT),
        ]
        names.append(cell("Processed At", LONGEST))
        if self._in_one_line:
            names += [cell("StoreConnect ID", _ID), cell("Salesforce ID", _SALESFORCE_ID)]
            return " ".join([*names, "Message"])
        ids = "StoreConnect ID, Salesforce ID below"
        room = self.size.width - len(" ".join(names)) - len("Message") - 4
        return " ".join([*names, "Message" + (f" ({ids})" if room > len(ids) else "")])

    def draw(self, line: _Line) -> list[tuple[str, Style]]:
        width, ellipsis = self.size.width - 1, self.glyphs.ellipsis
        if line.row is None:
            return [(cell(f" {line.heading}", width, ellipsis), self.look("strong"))]
        row, error = line.row, line.row.error
        known = error.salesforce_id or ("no Salesforce ID" if line.part else "-")
        ids = f"{error.storeconnect_id or '-':<{_ID}} {known:<{_SALESFORCE_ID}}"
        if line.part == 2:
            indent = " " * (_GUTTER + _STATE + 1 if width >= _INDENTED else _GUTTER - 1)
            return [(cell(indent + ids, width, ellipsis), self.look("quiet"))]
        base = self.look("cursor" if line.cursor else "text")
        tick = "x" if row.ticked else " " if row.to_press or row.word == "pressed?" else "-"
        gutter = f"{self.glyphs.cursor if line.cursor else ' '}[{tick}] "
        parts = [(gutter, base), (cell(row.word, _STATE) + " ", base if line.cursor else self.look(row.look))]
        named = [
            (cell(short_object(error.object, self._object, ellipsis), self._object, ellipsis), "text"),
            (cell(error.event_type.value, _EVENT), "text"),
            (cell(self._times(error.processed_at), LONGEST, ellipsis), "text"),
        ]
        if line.part == 0:
            named.append((cell(ids, _ID + 1 + _SALESFORCE_ID, ellipsis), "text"))
        # The cursor is a sign and two bright cells: a whole bright row is written twice with every key.
        parts += [(f"{text} ", self.look(look)) for text, look in named]
        room = width - sum(cells(text) for text, _ in parts)
        parts.append((cell(error.message, max(1, room), ellipsis), self.look("quiet")))
        return parts
