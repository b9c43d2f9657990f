"""The place of a guided re-sync: what to press in Salesforce, in its order, ticked off row by row.

It is there while such a run is under way or waits to be gone on with, and until its result is dismissed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.style import Style
from textual.containers import Vertical
from textual.widget import Widget

from syncerr_tui.host.viewer import is_web_address
from syncerr_tui.model import SyncError
from syncerr_tui.text import cells, one_line
from syncerr_tui.triage.actions import ActionFacts
from syncerr_tui.triage.columns import short_object
from syncerr_tui.triage.filter import parse
from syncerr_tui.triage.guided import LONGEST, GuidedRow, GuidedState, Phase, SalesforceTime
from syncerr_tui.triage.state import Place
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.errors_pane import Describer
from syncerr_tui.ui.list_with_panel import CountedHandlers, Handlers, ListWithPanel
from syncerr_tui.ui.messages import Announced
from syncerr_tui.ui.status_lines import TabNote
from syncerr_tui.ui.widgets.line import Line, cell
from syncerr_tui.ui.widgets.virtual_list import CURSOR, VirtualList
from syncerr_tui.words import duration

if TYPE_CHECKING:
    from syncerr_tui.ui.guided_controller import GuidedController

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

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
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
        width = self.size.width - 1
        if line.row is None:
            return [(cell(f" {line.heading}", width), self.look("strong"))]
        row, error = line.row, line.row.error
        known = error.salesforce_id or ("no Salesforce ID" if line.part else "-")
        ids = f"{error.storeconnect_id or '-':<{_ID}} {known:<{_SALESFORCE_ID}}"
        if line.part == 2:
            indent = " " * (_GUTTER + _STATE + 1 if width >= _INDENTED else _GUTTER - 1)
            return [(cell(indent + ids, width), self.look("quiet"))]
        base = self.look("cursor" if line.cursor else "text")
        tick = "x" if row.ticked else " " if row.to_press or row.word == "pressed?" else "-"
        gutter = f"{CURSOR if line.cursor else ' '}[{tick}] "
        parts = [(gutter, base), (cell(row.word, _STATE) + " ", base if line.cursor else self.look(row.look))]
        named = [
            (cell(short_object(error.object, self._object), self._object), "text"),
            (cell(error.event_type.value, _EVENT), "text"),
            (cell(self._times(error.processed_at), LONGEST), "text"),
        ]
        if line.part == 0:
            named.append((cell(ids, _ID + 1 + _SALESFORCE_ID), "text"))
        # The cursor is a sign and two bright cells: a whole bright row is written twice with every key.
        parts += [(f"{text} ", self.look(look)) for text, look in named]
        room = width - sum(cells(text) for text, _ in parts)
        parts.append((cell(error.message, max(1, room)), self.look("quiet")))
        return parts


_NOTHING = GuidedState()


class GuidedPane(ListWithPanel):
    """What to press at the left, what to know about the row under the cursor at the right or in its place.

    Args:
        context: The org, and what is true on screen.
        controller: Takes what the person says.
        describe: What the info panel says about an error.
    """

    place = Place.GUIDED

    def __init__(
        self,
        context: AppContext,
        controller: Callable[[], GuidedController],
        describe: Describer,
    ) -> None:
        self._list = GuidedList(id="guided-list")
        super().__init__(context, self._list)
        self._what, self._where, self._times = Line(), Line(), Line()
        self._controller = controller
        self._describe = describe
        self._described: object = None

    def around_list(self) -> Widget:
        return Vertical(self._what, self._where, self._times, self._list)

    # -- what is known ---------------------------------------------------------------------------------

    @property
    def state(self) -> GuidedState:
        """The re-sync; an empty one where there is none."""
        return self.context.state.guided or _NOTHING

    @property
    def shown(self) -> bool:
        return self.context.state.guided is not None

    @property
    def tab(self) -> str:
        """`Guided (5 to press)`."""
        state = self.state
        if state.phase is not Phase.UNDER_WAY:
            return f"Guided ({'over' if state.phase is Phase.OVER else 'open'})"
        return f"Guided ({len(state.to_press):,} to press)" if state.to_press else "Guided"

    @property
    def tab_note(self) -> TabNote:
        state = self.state
        return TabNote.of_filter(state.filter.shown, len(state.view)) if state.filter else TabNote()

    @property
    def current(self) -> SyncError | None:
        row = self.state.current
        return row.error if row is not None else None

    def facts(self, facts: ActionFacts) -> ActionFacts:
        state = self.state
        return replace(
            facts,
            chosen=0,
            total=len(state.view),
            current=state.current is not None,
            to_press=len(state.shown_to_press),
            not_tickable=state.why_not_tick(),
        )

    # -- showing ---------------------------------------------------------------------------------------

    def run_changed(self) -> None:
        identity = self.context.connection.identity if self.context.connection else None
        times = SalesforceTime(identity.time_zone, identity.locale) if identity else SalesforceTime()
        self._list.show(self.state, times)
        self._show_lines(times)
        self.panel_soon()

    def _show_lines(self, times: SalesforceTime) -> None:
        state, key = self.state, self.context.key_of
        left = state.time_left
        pace = f"  About {duration(left)} left." if left is not None else ""
        if state.phase is Phase.UNFINISHED:
            what = f"Interrupted. {key('resume')} goes on with it, checks or drops it."
        elif state.phase is Phase.OVER:
            what = f"Over: {state.counted}. {key('back')} dismisses it."
        elif state.to_press:
            what = f"Tick in Salesforce, press Re-sync, then {key('tick')} here."
        elif state.unanswered:
            what = (
                f"Perhaps pressed before: {key('tick')} says that it was, {key('decline')} that it was not."
            )
        else:
            what = "Nothing to press right now."
        self._what.show([(f" {what}{pace}", "strong")])
        where = self._where
        address = one_line(state.address)
        where.link = address if is_web_address(address) else None
        opens = f"  {key('open_tool')} opens it" if address else ""
        where.show([(" In: ", "quiet"), (address or "the Sync Error Tool", "address"), (opens, "quiet")])
        self._times.show([(f" Times: {times.note}.", "quiet"), (f"  {state.counted}", "text")])

    def show_panel(self) -> None:
        row, moment = self.state.current, self.context.clock()
        if row is None:
            self._described = None
            self.panel.show(lambda _width: ())
        elif row != self._described:
            self._described = row
            outcome = f"{row.verdict.value}: {row.reason}" if row.verdict is not None else row.reason
            self.panel.show(lambda width: self._describe(row.error, moment, outcome, width), self.subject)
            self.post_message(self.PanelShown(row.error))

    def known_better(self, error: SyncError | None) -> None:
        """More is known about an error: tell it where that is on screen."""
        if error in {None, self.current}:
            self._described = None
            self.panel_soon()

    def entered(self) -> None:
        self.run_changed()
        self.take_focus()

    def _set_state(self, state: GuidedState) -> None:
        if self.shown:
            self.context.state = replace(self.context.state, guided=state)
            self.run_changed()
            self.changed()

    # -- moving and filtering --------------------------------------------------------------------------

    def move_cursor(self, rows: int) -> None:
        self._set_state(self.state.moved(rows))

    def to_row(self, row: int) -> None:
        """To this row, or line of the panel; 1 is the first."""
        self.move(row - 1 - (self.panel.top if self.is_open else self.state.cursor))

    @property
    def filter_text(self) -> str:
        return self.state.filter.text

    def filter_as_typed(self, text: str) -> None:
        self._filter(text, typing=True)

    def filter_by(self, text: str) -> None:
        self._filter(text, typing=False)

    def _filter(self, text: str, *, typing: bool) -> None:
        new_filter = parse(text, typing=typing)
        state = self.state.filtered(new_filter, self.context.clock())
        self._list.note("", *self.nothing_matches())
        self._set_state(state)

    def step_back(self) -> bool:
        if super().step_back():
            return True
        if not self.state.filter:
            return False
        self.filter_by("")
        return True

    # -- what the person says --------------------------------------------------------------------------

    def tick(self) -> None:
        """The row under the cursor was pressed, or was not after all; on to the next one."""
        row = self.state.current
        if row is not None and self._controller().tick([row.error.id], pressed=not row.ticked):
            self.move_cursor(0 if self.is_open else 1)

    def tick_all(self) -> None:
        """All that is to press, as far as the filter shows it."""
        self._controller().tick(self.state.shown_to_press, pressed=True)
        self.move_cursor(0)

    def decline(self) -> None:
        row = self.state.current
        if row is None or row.ticked:
            self.post_message(Announced(f"It is ticked: {self.context.key_of('tick')} unticks it first."))
        else:
            self._controller().decline([row.error.id])

    def copy_all(self) -> None:
        """What is to press, as far as the filter shows it; where nothing is, all that it shows."""
        from syncerr_tui.ui.clipboard_actions import copy_one_of

        state = self.state
        rows = state.shown_to_press or state.view
        copy_one_of(self.screen, self.context, [state.rows[row_id].error for row_id in rows])

    def open_tool(self) -> None:
        from syncerr_tui.ui.clipboard_actions import open_one_of

        address = one_line(self.state.address)
        pages = [("The Sync Error Tool", address)] if address else []
        open_one_of(self.screen, self.context, pages)

    # -- the mouse -------------------------------------------------------------------------------------

    def row_clicked(self, event: VirtualList.Clicked) -> None:
        row = self._list.row_at(event.row)
        if row is None:
            return
        self.move_cursor(row - self.state.cursor)
        if event.toggle and not self.state.why_not_tick():
            self.tick()
        if event.opened:
            self.info()

    COUNTED: ClassVar[CountedHandlers[GuidedPane]] = ListWithPanel.MOVES
    HANDLERS: ClassVar[Handlers[GuidedPane]] = {
        **ListWithPanel.OF_PANEL,
        "tick": tick,
        "tick_all": tick_all,
        "decline": decline,
        "copy_all": copy_all,
        "open_tool": open_tool,
    }
