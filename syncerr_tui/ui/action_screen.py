"""A screen of panes that acts on keys: from a key to what it does, and the lines around the pane in front.

A key asks for an action of the table (`triage.actions`). `action_act` looks whether it can run, says the
reason where it cannot, and else calls what `HANDLERS` of the pane in front has for it, or those of the
screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Input

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.triage.actions import Action, ActionFacts
from syncerr_tui.triage.state import Place
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.fix_controller import FixController
from syncerr_tui.ui.list_with_panel import Handlers, ListWithPanel
from syncerr_tui.ui.messages import Announced, StateChanged, Troubled
from syncerr_tui.ui.resync_controller import ResyncController
from syncerr_tui.ui.run_controller import RunBegins
from syncerr_tui.ui.services import Services
from syncerr_tui.ui.status_lines import StatusLines
from syncerr_tui.ui.widgets.line import Line, LineClicked
from syncerr_tui.ui.widgets.themed import LineCache

if TYPE_CHECKING:
    from syncerr_tui.host.hooks import Hook
    from syncerr_tui.ui.causes_pane import CausesPane
    from syncerr_tui.ui.journal_pane import JournalPane
    from syncerr_tui.ui.screens.palette import Palette

_TOGETHER = timedelta(seconds=1)
"""How soon a digit follows the key of a tab that was meant as a digit."""
_LONGEST = 6
"""Digits: no list is longer."""


class CountPrefix:
    """The digits that were typed so far."""

    def __init__(self) -> None:
        self._digits = ""
        self._tab_at: datetime | None = None
        """When the only digit was typed, where it is the key of a tab."""
        self.place = Place.ERRORS
        """Where the person was when they began."""

    @property
    def begun(self) -> int | None:
        """The number as far as it is one."""
        return int(self._digits) if self._digits and self._tab_at is None and int(self._digits) else None

    def digit(self, key: str, now: datetime, place: Place, tab: Place | None) -> bool:
        """One more digit.

        Returns:
            Whether it belongs to a number; else it is what its key asks for.
        """
        late = self._tab_at is not None and now - self._tab_at > _TOGETHER
        another_tab = self._tab_at is not None and tab is not None and place is not self.place
        if late or another_tab or not self._digits:
            self._digits, self._tab_at = key, now if tab is not None else None
            self.place = place
            return tab is None
        self._digits, self._tab_at = (self._digits + key)[-_LONGEST:], None
        return True

    def take(self) -> int | None:
        """The number, for the key that follows it; None where there is none."""
        number = self.begun
        self._digits, self._tab_at = "", None
        return number


NARROWEST, LOWEST = 60, 15
"""The smallest window the list is drawn in."""
TICK_SECONDS = 60.0
"""How often ages are counted anew."""
_WITHOUT_A_LIST = frozenset({"quit", "cancel", "redraw"})
"""What works in a window that is too small to show the list."""
_ANNOUNCED_SECONDS = 8.0
"""How long a line stands in place of the keys when no key follows."""


class Panes(Container):
    """The panes, one of which covers it."""

    BLANK = True


class ActionScreen(Screen[None], inherit_bindings=False):
    """Title, tabs, the pane in front, and the lines below it."""

    AUTO_FOCUS = ""
    HANDLERS: ClassVar[Handlers[Any]]
    """Id of an action -> what does it where the pane in front has nothing for it."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._styles_cache = LineCache()
        self.services = services
        self.context = services.context
        # Not `App.set_keymap`: in Textual 8.2.8 it takes a key away from all that share it between places.
        self._bindings = BindingsMap(bindings(self.context.config.actions))
        errors = ErrorsPane(self.context, services.describe, services.graph_worker, services.error_history)
        self.panes: dict[Place, ListWithPanel] = {errors.place: errors}
        self.complete = False
        """Whether all panes stand. What is typed before that is dropped: a pane would be missing."""
        self.fixing = FixController(services, self)
        self.resyncing = ResyncController(services, self, errors, self.fixing)
        self._line_by_name: dict[str, Line] = {}
        self._lines = StatusLines(self.context, self.line)
        self._count = CountPrefix()
        self._announced = Debouncer(self, _ANNOUNCED_SECONDS)
        self._announced_about: frozenset[str] = frozenset()
        self._ticked_at = self.context.clock()

    @property
    def errors(self) -> ErrorsPane:
        return cast(ErrorsPane, self.panes[Place.ERRORS])

    @property
    def causes(self) -> CausesPane:
        return cast("CausesPane", self.panes[Place.CAUSES])

    @property
    def journal(self) -> JournalPane:
        return cast("JournalPane", self.panes[Place.JOURNAL])

    @property
    def pane(self) -> ListWithPanel:
        return self.panes[self.context.state.place]

    def compose(self) -> ComposeResult:
        above, below = StatusLines.compose()
        self._line_by_name = {str(line.id): line for line in (*above, *below)}
        yield from above
        with Panes(id="panes"):
            yield self.pane
        yield from below

    def line(self, name: str) -> Line:
        return self._line_by_name[name]

    # -- from a key to what it does --------------------------------------------------------------------

    @property
    def facts(self) -> ActionFacts:
        context = self.context
        facts = ActionFacts(
            context.state,
            environment=context.environment,
            connected=context.connection is not None,
            interrupted=len(self.services.interrupted_runs.waiting),
            commands=self.services.hooks.running,
            key=context.key_of,
        )
        return self.pane.facts(facts)

    @property
    def actions(self) -> tuple[Action, ...]:
        context = self.context
        return context.config.actions.available(
            context.state.place, read_only=context.read_only, on_snapshot=context.on_snapshot
        )

    def handler(self, action: Action, count: int | None = None) -> Callable[[], object]:
        """What does this action here, so often: the pane in front, else the workbench."""
        if action.counted:
            return partial(self.pane.COUNTED[action.id], self.pane, count)
        if action.id in self.pane.HANDLERS:
            return partial(self.pane.HANDLERS[action.id], self.pane)
        if (hook := self.context.config.hooks.get(action.id)) is not None:
            return partial(self.run_hook, hook)
        return partial(self.HANDLERS[action.id], self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where text is typed, letters are letters; else a key means what it means in this place."""
        if action != "act":
            return True
        place, table = self.context.state.place, self.context.config.actions
        meant = table.by_id[str(parameters[0])]
        known = meant.works_in(place) or (self.complete and table.keys_free_in(meant, place))
        return not isinstance(self.focused, Input) and known

    def action_act(self, action_id: str) -> None:
        """A key, the palette or a click asks for an action."""
        if not self.complete and action_id != "quit":
            return
        if self.has_class("-too-small") and action_id not in _WITHOUT_A_LIST:
            # Nobody sees what a key would do here.
            return
        self.silence()
        if (self.context.clock() - self._ticked_at).total_seconds() >= TICK_SECONDS:
            self.tick()
        action, key = self.context.config.actions.by_id[action_id], self.context.key
        if key.isdecimal() and key in action.keys and self._is_counting(action, key):
            return
        count = None if key.isdecimal() else self._count.take()
        refusal = self._why_not(action)
        if refusal is None:
            self.handler(action, count)()
        elif refusal:
            self.say(refusal)

    def _why_not(self, action: Action) -> str | None:
        """Why an action cannot run here and now, in words, which may be none; None where it can."""
        if action in self.actions:
            reason = action.why_disabled(self.facts)
            return None if reason is None else f"{action.label}: {reason}"
        if not action.works_in(self.context.state.place):
            shown = {pane.place for pane in self.panes.values() if pane.shown}
            return self.context.config.actions.where_it_works(action, self.context.key, shown)
        read_only = action.changes_org and self.context.read_only
        return "read-only: this session of the app cannot change the org" if read_only else ""

    def _is_counting(self, action: Action, key: str) -> bool:
        """Whether a digit belongs to the number before a key; if not, it is the key of a tab."""
        place, shown = self.context.state.place, (pane for pane in self.panes.values() if pane.shown)
        tab = next((pane.place for pane in shown if pane.place.value == action.id), None)
        if not self._count.digit(key, self.context.clock(), place, tab):
            return False
        if self._count.place is not place:
            self.go(self._count.place)
        if self._count.begun is not None:
            times, last = f"{self._count.begun:,}", self.context.key_of("last")
            self.say(f"{times} times the next move or selection, or row {times}: {last}")
        return True

    def run_hook(self, hook: Hook) -> None:
        """A command of the person's own."""
        if errors := self._taken_along():
            self.services.hooks.start(hook, errors)

    def _taken_along(self) -> Sequence[SyncError]:
        """The selected rows, else the row under the cursor; says it where the filter hides them all."""
        selected = self.context.state.place is Place.ERRORS and self.context.state.listing.selected
        errors = self.pane.chosen if selected else self.pane.failing[:1]
        if selected and not errors:
            self.say(f"The filter hides all selected rows: {self.context.key_of('back')} shows them.")
        return errors

    # -- the lines around the pane ---------------------------------------------------------------------

    def say(
        self, line: str, look: str = "strong", *, keep: bool = False, about: frozenset[str] = frozenset()
    ) -> None:
        """One line in place of the keys, until the next key; for some seconds unless it is to be kept."""
        self._lines.announcement, self._announced_about = (line, look), about
        self._announced.cancel()
        if not keep:
            self._announced.call(self.silence)
        self.draw_lines()

    def silence(self, *lines: str) -> None:
        """Show the keys again; with lines only where one of these is being said."""
        announcement = self._lines.announcement
        if announcement is not None and (not lines or announcement[0].startswith(lines)):
            self._announced.cancel()
            self._lines.announcement = None
            self.draw_lines()

    def draw_lines(self) -> None:
        state, width, lines = self.context.state, self.size.width, self._lines
        tabs = {p.place.value: (p.tab, p is self.pane) for p in self.panes.values() if p.shown}
        lines.draw_top(tabs, self.pane.tab_note, width, busy=not self.complete or state.reading.active)
        lines.draw_utility(self.causes.count if self.complete else 0, self.fixing.off_words, width)
        lines.draw_keys(self.actions, self.facts, width)
        lines.draw_trouble(width)
        lines.draw_run(self.resyncing.line(width), width)

    @on(LineClicked)
    def line_clicked(self, event: LineClicked) -> None:
        self.context.key = ""
        self.action_act(event.action_id)

    def on_screen_suspend(self) -> None:
        """A dialog is on top: the keys are its own."""
        self._lines.behind_a_dialog = True
        self.draw_lines()

    def on_screen_resume(self) -> None:
        self._lines.behind_a_dialog = False
        self.draw_lines()
        self.resyncing.show_what_is_ready()

    @property
    def _may_interrupt(self) -> bool:
        """Whether a question that nobody asked for may come up now."""
        return self.fixing.may_interrupt and not self.context.state.run.active

    def on_resize(self) -> None:
        """Too small for a list: say the size that is needed."""
        size = self.app.size
        small = size.width < NARROWEST or size.height < LOWEST
        self.set_class(small, "-too-small")
        if small:
            text = f"Window too small: {size.width}x{size.height}, needs {NARROWEST}x{LOWEST}"
            self.line("too-small").show([(text, "strong")])
        self.call_after_refresh(self.draw_lines)

    @on(Announced)
    def announced(self, event: Announced) -> None:
        """A pane or a service has something to say."""
        if event.line:
            self.say(event.line, event.look, keep=event.keep, about=event.about)
        else:
            self.silence()

    @on(RunBegins)
    def run_begins(self) -> None:
        """What was said of errors is of the time before."""
        self._end_announcement_about_errors()

    def _end_announcement_about_errors(self, listed: Iterable[str] = ()) -> None:
        """Where none of the errors that it is about is listed any more."""
        if self._announced_about and self._announced_about.isdisjoint(listed):
            self._announced_about = frozenset()
            self.silence()

    @on(Troubled)
    def troubled(self, event: Troubled) -> None:
        """Something does not work: say so until something does."""
        self.trouble(event.error)

    def trouble(self, error: SyncErrError) -> None:
        """Say what does not work, until something does."""
        self.context.state = replace(self.context.state, trouble=error)
        self.draw_lines()

    @on(StateChanged)
    def state_changed(self) -> None:
        """Another state to show; the causes follow the list's filter and selection."""
        if self.complete:
            self.causes.refreshed()
            if not self.context.state.reading.active:
                self._end_announcement_about_errors(self.context.state.listing.errors)
            self.draw_lines()

    def go(self, place: Place) -> None:
        if place not in self.panes:
            return
        self.context.state = self.context.state.at(place)
        for where, pane in self.panes.items():
            pane.display = where is place
        self.pane.come_up()
        self.draw_lines()

    # -- what opens on top -----------------------------------------------------------------------------

    def show_guide(self) -> None:
        """All codes as a manual, opened on the code of the row under the cursor."""
        from syncerr_tui.ui.screens.guide import GuideScreen

        details, error = self.services.error_details, self.pane.current
        code = details.explain(error).diagnosis.root_code if error else None
        guide = GuideScreen(self.context, details.address, details.notes, code, self._palette)
        self.app.push_screen(guide, self._act_on)

    def show_help(self) -> None:
        from syncerr_tui.ui.screens.palette import HelpScreen

        unicode = self.context.terminal.unicode
        self.app.push_screen(HelpScreen(self.pane.tab, self._actions_with_reasons(), unicode=unicode))

    def show_palette(self) -> None:
        self.app.push_screen(self._palette(), self._act_on)

    def _palette(self) -> Palette:
        from syncerr_tui.ui.screens.palette import Palette

        return Palette(self._actions_with_reasons(), unicode=self.context.terminal.unicode)

    def _act_on(self, action_id: str | None) -> None:
        if action_id is not None:
            self.action_act(action_id)

    def _actions_with_reasons(self) -> list[tuple[Action, str | None]]:
        facts = self.facts
        return [(action, action.why_disabled(facts)) for action in self.actions]

    def tick(self) -> None:
        """Time has gone by: everything that is an age is counted anew."""
        self._ticked_at = self.context.clock()
        self.errors.tick()
        if self.complete:
            self.causes.tick()
        self.draw_lines()


def bindings(actions: Iterable[Action]) -> list[Binding]:
    """One binding for each action with a key; what it does is decided when the key is pressed.

    They have priority, so that each key is done with before the next is looked at: of what is typed ahead
    on a slow line, `/dup` filters, and `R` with enter opens the dialog first.
    """
    return [
        Binding(
            ",".join(action.keys),
            f"act('{action.id}')",
            action.label,
            show=False,
            id=action.id,
            priority=True,
        )
        for action in actions
        if action.keys
    ]
