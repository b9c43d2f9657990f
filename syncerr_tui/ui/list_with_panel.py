"""What stands under a tab: a list with an info panel, beside it in a wide window, else in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, ClassVar, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import AwaitMount, Widget
from textual.widgets import Input

from syncerr_tui.model import SyncError
from syncerr_tui.triage.actions import ActionFacts
from syncerr_tui.triage.columns import WindowClass, WindowLayout
from syncerr_tui.triage.state import Place
from syncerr_tui.triage.terms import quoted
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.messages import StateChanged
from syncerr_tui.ui.status_lines import TabNote
from syncerr_tui.ui.widgets.panel import InfoPanel, Subject
from syncerr_tui.ui.widgets.virtual_list import VirtualList

_LOWEST_FOR_BOTH = 20
"""Lines of a narrow window from which list and panel have room one above the other."""
_REST_SECONDS = 0.06
"""How long the cursor rests before the panel follows a single key."""
_HELD_SECONDS = 0.25
"""How long it rests after keys in quick succession: a held key, even one that a console repeats only eleven
times a second, writes no panels."""
_FAR = 1_000_000
"""More rows than any list holds."""

OwnerT = TypeVar("OwnerT")
Handlers = Mapping[str, Callable[[OwnerT], object]]
"""Id of an action -> what does it, called with the pane or the screen whose table this is."""
CountedHandlers = Mapping[str, Callable[[OwnerT, int | None], object]]
"""The same of actions before which a count may stand, with that count or None."""


class ListWithPanel(Widget):
    """The base of the panes. What a pane does is in `HANDLERS` and `COUNTED`; the workbench does the rest.

    Whether the person is in the panel stands in the state (`UiState.panels_open`); the style class and the
    focus follow it.
    """

    BLANK = True
    """Textual need not draw what its list and panel cover."""
    place: ClassVar[Place]
    HANDLERS: ClassVar[Handlers[Any]]
    COUNTED: ClassVar[CountedHandlers[Any]]

    @dataclass
    class PanelShown(Message):
        """The panel shows this error now."""

        error: SyncError | None

    @dataclass
    class Arranged(Message):
        """The person wants windows like this one arranged otherwise."""

        window: WindowClass
        layout: WindowLayout

    def __init__(self, context: AppContext, rows: VirtualList) -> None:
        super().__init__(id=self.place.value)
        self.context = context
        self.rows = rows
        self.panel = InfoPanel()
        self.mounted = False
        """Whether list and panel are on the screen: a start does without those that nobody has looked at."""
        self._resting = Debouncer(self, _REST_SECONDS)
        self._moved_at = 0.0

    def compose(self) -> ComposeResult:
        if self.context.state.place is self.place:
            yield from self._parts()

    def come_up(self) -> None:
        """It is in front now."""
        if not self.mounted:
            self.call_next(self._take_focus_once, self.mount_all(self._parts()))
        self.entered()

    async def _take_focus_once(self, mounted: AwaitMount) -> None:
        await mounted
        if self.context.state.place is self.place:
            self.take_focus()

    def _parts(self) -> list[Widget]:
        self.mounted = True
        self._place_panel()
        return [self.around_list(), self.panel]

    # -- what a pane says ------------------------------------------------------------------------------

    def around_list(self) -> Widget:
        """The list, with what stands around it."""
        return self.rows

    def move_cursor(self, rows: int) -> None:
        """The cursor so many rows down."""
        raise NotImplementedError

    def changed(self) -> None:
        """Tell the screen, without a stop at everything between it and the pane."""
        self.screen.post_message(StateChanged())

    @property
    def subject(self) -> Subject | None:
        """What is under the cursor, as the panel names it."""
        error = self.current
        return Subject.of_error(error.id, error) if error is not None else None

    def show_panel(self) -> None:
        """Show in the panel what is under the cursor."""
        raise NotImplementedError

    @property
    def shown(self) -> bool:
        """Whether this place exists now."""
        return True

    @property
    def tab(self) -> str:
        """Its name in the line of tabs, with a count where there is one."""
        raise NotImplementedError

    @property
    def tab_note(self) -> TabNote:
        """What stands at the right of the line of tabs."""
        return TabNote()

    @property
    def current(self) -> SyncError | None:
        """The error under the cursor, where there is one."""
        return None

    @property
    def failing(self) -> tuple[SyncError, ...]:
        """The errors under the cursor that fail for one reason: as a rule one."""
        return (self.current,) if self.current is not None else ()

    @property
    def chosen(self) -> tuple[SyncError, ...]:
        return ()

    @property
    def filter_text(self) -> str | None:
        """Its own filter as it was typed; None where the list's filter is in force."""
        return None

    @property
    def filter_hint(self) -> str:
        """What can be typed there."""
        saved = " ".join(f"saved:{quoted(name)}" for name in self.context.config.filters)
        return (
            'text "two words" /regex/ -not object:Order,Lead code:INV* event:update age:>2d cause:ID '
            f"day:2026-11-*  tab completes  ctrl+s saves  {saved or 'saved:NAME'}"
        )

    filter_kind = "list"
    """Whose history its filters belong to."""

    def nothing_matches(self, hidden: str = "all rows") -> tuple[str, ...]:
        """What stands in place of rows where the filter hides all of them."""
        return "Nothing matches the filter.", "", f"{self.context.key_of('back')} shows {hidden} again."

    def filter_as_typed(self, text: str) -> None:
        """Filter by what stands in the filter bar so far.

        Raises:
            BadInputError: It cannot be read.
        """

    def filter_by(self, text: str) -> None:
        """Filter by a finished text.

        Raises:
            BadInputError: It cannot be read.
        """

    async def settled(self) -> None:
        """Wait until what was asked for is shown."""
        await self.context.settled.wait()

    def step_back(self) -> bool:
        """One step back; False where there is nothing of this pane's to take back."""
        if self.is_open:
            self.open_panel(is_open=False)
            return True
        return False

    def facts(self, facts: ActionFacts) -> ActionFacts:
        """What decides about actions, with what only this pane knows."""
        return facts

    def facts_of_list(self, facts: ActionFacts, *, current: bool, total: int) -> ActionFacts:
        """The same where the selection and the filter are the list's."""
        listing = self.context.state.listing
        # A cause says in its line how many it holds; here that would be written with every move.
        chosen = len(listing.selected) - listing.hidden_selected if listing.selected else int(current)
        return replace(facts, chosen=chosen, total=total, current=current)

    def run_changed(self) -> None:
        """A guided re-sync stands elsewhere: show it, where it is shown here."""

    def known_better(self, error: SyncError | None) -> None:
        """More is known about this error, or about all of them: show it where it is on screen."""

    def entered(self) -> None:
        self.take_focus()

    # -- the list and its panel ------------------------------------------------------------------------

    @property
    def window(self) -> WindowClass:
        """Which arrangement holds here."""
        return WindowClass.of(self.app.size.width)

    @property
    def layout_here(self) -> WindowLayout:
        """How the person wants this window."""
        return self.context.state.layouts[self.window]

    @property
    def shows_both(self) -> bool:
        return self.has_class("-wide") or self.has_class("-below")

    def _place_panel(self) -> None:
        wide, panel = self.window is WindowClass.WIDE, self.layout_here.panel
        self.set_class(panel and wide, "-wide")
        self.set_class(panel and not wide and self.app.size.height >= _LOWEST_FOR_BOTH, "-below")
        terminal = self.context.terminal
        # Terminals scroll whole lines: with a panel beside the list it would go along.
        scrolls = terminal.diff and terminal.abilities.scroll_region
        self.rows.row_by_row = scrolls and not self.has_class("-wide")

    def arranged(self) -> None:
        """The arrangement of windows is another one: follow it."""
        if not self.mounted:
            return
        was_shown = self.shows_both or self.is_open
        self._place_panel()
        if not was_shown:
            self.panel.to_top()
        self.call_after_refresh(self.panel_soon)

    @property
    def is_open(self) -> bool:
        return self.place in self.context.state.panels_open

    @property
    def has_row(self) -> bool:
        """Whether there is anything that the panel can show."""
        return self.current is not None

    def take_focus(self) -> None:
        """Give the focus to what keys act on, unless it is not there yet, or a text is being typed."""
        target = self.panel if self.is_open else self.rows
        if target.is_attached and not isinstance(self.screen.focused, Input):
            self.screen.set_focus(target, scroll_visible=False)

    def open_panel(self, *, is_open: bool) -> None:
        """Go into the panel, or back to the list. From now on keys act there."""
        self.context.state = self.context.state.with_panel(self.place, is_open=is_open)
        self.set_class(is_open, "-open")
        if not self.shows_both:
            self.panel.to_top()
        self.show_panel()
        # The panel can take the focus once it is displayed.
        self.call_after_refresh(self.take_focus)
        self.changed()

    def panel_soon(self) -> None:
        """What the panel shows may have changed. Where the cursor moved, it says at once what it is about."""
        if not (self.shows_both or self.is_open):
            return
        if self.panel.head_for(self.subject):
            now = monotonic()
            key_held = now - self._moved_at < _HELD_SECONDS
            self._moved_at = now
            self._resting.call(self.show_panel, _HELD_SECONDS if key_held else _REST_SECONDS)
        else:
            self._resting.soon(self.show_panel)

    def on_resize(self) -> None:
        if self.mounted:
            self._place_panel()
            self.panel_soon()

    @on(events.DescendantFocus)
    def focus_moved(self, event: events.DescendantFocus) -> None:
        if event.widget is self.panel and not self.is_open:
            self.open_panel(is_open=True)

    def on_virtual_list_wheeled(self, event: VirtualList.Wheeled) -> None:
        """The wheel moves the cursor, so that the keyboard goes on where the eye is."""
        event.stop()
        self.move_cursor(event.rows)

    def on_virtual_list_clicked(self, event: VirtualList.Clicked) -> None:
        """A click moves, in the gutter or with ctrl it selects, with shift it extends; two clicks open."""
        event.stop()
        if self.is_open:
            self.open_panel(is_open=False)
        self.rows.focus()
        self.row_clicked(event)

    def row_clicked(self, event: VirtualList.Clicked) -> None:
        """A row was clicked; whoever was in the panel is in the list again."""
        raise NotImplementedError

    # -- what keys do ----------------------------------------------------------------------------------

    def info(self) -> None:
        if self.is_open or self.has_row:
            self.open_panel(is_open=not self.is_open)

    def focus_next(self) -> None:
        if self.shows_both or self.is_open:
            self.info()

    def toggle_panel(self) -> None:
        """From the list, the panel away or back; from the panel, over the whole window or back."""
        if self.window is WindowClass.NARROW and self.app.size.height < _LOWEST_FOR_BOTH:
            self.info()
        else:
            layout = replace(self.layout_here, panel=not self.layout_here.panel)
            self.post_message(self.Arranged(self.window, layout))

    def move(self, rows: int) -> None:
        """The cursor, or the text of the panel, so many rows down."""
        if self.is_open:
            self.panel.move(rows)
        else:
            self.move_cursor(rows)

    def to_row(self, row: int) -> None:
        """To this row, or line of the panel; 1 is the first, and the last stands for all behind it."""
        self.move(row - 1 - (self.panel.top if self.is_open else self.rows.at))

    def page(self, pages: float) -> None:
        height = (self.panel if self.is_open else self.rows).page
        rows = max(1, int(abs(pages) * height))
        self.move(rows if pages > 0 else -rows)

    MOVES: ClassVar[CountedHandlers[ListWithPanel]] = {
        "down": lambda pane, times: pane.move(times or 1),
        "up": lambda pane, times: pane.move(-(times or 1)),
        "page_down": lambda pane, times: pane.page(times or 1),
        "page_up": lambda pane, times: pane.page(-(times or 1)),
        "half_down": lambda pane, times: pane.page(0.5 * (times or 1)),
        "half_up": lambda pane, times: pane.page(-0.5 * (times or 1)),
        "first": lambda pane, row: pane.to_row(row) if row else pane.move(-_FAR),
        "last": lambda pane, row: pane.to_row(row) if row else pane.move(_FAR),
    }
    OF_PANEL: ClassVar[Handlers[ListWithPanel]] = {
        "info": lambda pane: pane.info(),
        "focus_next": lambda pane: pane.focus_next(),
        "panel": lambda pane: pane.toggle_panel(),
    }
