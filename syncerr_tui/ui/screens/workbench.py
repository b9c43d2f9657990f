"""The screen everything happens on: lines around, one pane in front, and the way from a key to what it does.

A key asks for an action of the table. The workbench looks whether it can run, says the reason where it
cannot, and else calls `do_<id>` of the pane in front, of one of its parts, or its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Input

from syncerr_tui.errors import SyncErrError
from syncerr_tui.triage.actions import BY_ID, Action, AppState, Place, available
from syncerr_tui.ui.cause_graph_worker import CauseGraphWorker
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.error_details_service import REST_SECONDS, KnownBetter, NotesBroken, SessionEnded
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.filtering import Filtering
from syncerr_tui.ui.going import Going
from syncerr_tui.ui.keys import bindings
from syncerr_tui.ui.lines import Lines
from syncerr_tui.ui.list_reading import ListReading
from syncerr_tui.ui.opening_screens import OpeningScreens
from syncerr_tui.ui.panes import Pane
from syncerr_tui.ui.reading import Connected, ListRead, PageCame, ReadingFailed
from syncerr_tui.ui.running import Running
from syncerr_tui.ui.taking_along import TakingAlong
from syncerr_tui.ui.widgets.filter_bar import FilterBar
from syncerr_tui.ui.widgets.line import Line

if TYPE_CHECKING:
    from syncerr_tui.ui.app import SyncErrApp
    from syncerr_tui.ui.causes_pane import CausesPane
    from syncerr_tui.ui.journal_pane import JournalPane

NARROWEST, LOWEST = 60, 15
"""The smallest window the list is drawn in."""


class Workbench(Screen[None], inherit_bindings=False):
    """Title, tabs, the pane in front, and the lines below it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    AUTO_FOCUS = ""

    def __init__(
        self,
        context: AppContext,
        errors: ErrorsPane,
        others: Callable[[ErrorsPane], Sequence[Pane]],
        graph_worker: CauseGraphWorker,
    ) -> None:
        super().__init__()
        self.context = context
        self.graph_worker = graph_worker
        self.panes: dict[Place, Pane] = {errors.place: errors}
        self._others = others
        """Makes what stands behind the list, once the first frame is drawn."""
        self.complete = False
        """Whether all panes stand. What is typed before that is dropped: a pane would be missing."""
        self.place = Place.ERRORS
        self.lines = Lines(self)
        self.reading = ListReading(self)
        self.filtering = Filtering(self)
        self._parts: tuple[object, ...] = (
            self.reading,
            self.filtering,
            Going(self),
            OpeningScreens(self),
            TakingAlong(self),
            Running(self),
            self,
        )
        """Who may know what an action does here, when the pane in front does not."""
        self._rest = Debouncer(self, REST_SECONDS)

    def compose(self) -> ComposeResult:
        """Seven lines and the panes."""
        ellipsis = self.context.ellipsis
        yield Line(ellipsis=ellipsis, id="too-small")
        yield Line(ellipsis=ellipsis, id="title").add_class("-bar")
        yield Line(ellipsis=ellipsis, id="tabs")
        with Container(id="panes"):
            yield self.pane
        for number in ("", "-2", "-3"):
            yield Line(ellipsis=ellipsis, id=f"trouble{number}").add_class("-at-need")
        yield Line(ellipsis=ellipsis, id="run")
        yield Line(ellipsis=ellipsis, id="run-2").add_class("-at-need")
        yield Line(ellipsis=ellipsis, cut="right", id="utility").add_class("-bar")
        yield Line(ellipsis=ellipsis, id="keys-before").add_class("-at-need")
        yield Line(ellipsis=ellipsis, id="keys")

    def on_mount(self) -> None:
        """Draw first, connect then: the first frame waits for nobody."""
        self.errors.note("", "Connecting to the org ...")
        self.draw_lines()
        self.errors.entered()
        self.call_after_refresh(self._after_the_first_frame)

    async def _after_the_first_frame(self) -> None:
        for pane in self._others(self.errors):
            pane.display = False
            self.panes[pane.place] = pane
            await self.query_one("#panes", Container).mount(pane)
        bar = FilterBar(kept=self.filtering.kept, given_up=self.filtering.given_up)
        await self.mount(bar, after="#panes")
        self.complete = True
        self.reading.do_refresh()

    # -- parts -----------------------------------------------------------------------------------------

    @property
    def errors(self) -> ErrorsPane:
        """The list."""
        return cast(ErrorsPane, self.panes[Place.ERRORS])

    @property
    def causes(self) -> CausesPane:
        """The causes."""
        return cast("CausesPane", self.panes[Place.CAUSES])

    @property
    def journal(self) -> JournalPane:
        """What was re-synced."""
        return cast("JournalPane", self.panes[Place.JOURNAL])

    @property
    def pane(self) -> Pane:
        """The pane in front."""
        return self.panes[self.place]

    @property
    def host(self) -> SyncErrApp:
        """The app, with what only it can do."""
        return cast("SyncErrApp", self.app)

    def line(self, name: str) -> Line:
        """One of the lines around the pane."""
        return self.query_one(f"#{name}", Line)

    # -- from a key to what it does --------------------------------------------------------------------

    @property
    def state(self) -> AppState:
        """What decides whether an action can run."""
        context = self.context
        state = AppState(
            place=self.place,
            environment=context.environment,
            connected=context.connection is not None,
            session_expired=context.expired,
            reading=self.reading.reader.active,
            read_only=context.read_only,
            running=self.host.runs.active,
            paused=self.host.runs.paused,
            interrupted=len(self.host.interrupted_runs.waiting),
        )
        return self.pane.facts(state)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What can be asked for here."""
        present = available(self.place, read_only=self.context.read_only, demo=self.context.is_demo)
        return tuple(action for action in present if self.handler(action) is not None)

    def handler(self, action: Action) -> Callable[[], object] | None:
        """What does this action here: the pane in front, else the workbench."""
        for part in (self.pane, *self._parts):
            found = getattr(part, f"do_{action.id}", None)
            if found is not None:
                return cast(Callable[[], object], found)
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where text is typed, letters are letters; else a key means what it means in this place."""
        if action != "act":
            return True
        return not isinstance(self.focused, Input) and BY_ID[str(parameters[0])].works_in(self.place)

    def action_act(self, action_id: str) -> None:
        """A key, the palette or a click asks for an action."""
        if not self.complete and action_id != "quit":
            return
        self.silence()
        action = BY_ID[action_id]
        handler = self.handler(action)
        if handler is None or action not in self.actions:
            if action.changes_org and self.context.read_only and action.works_in(self.place):
                self.say("read-only: nothing that changes the org can be done in this start of the app")
            return
        reason = action.why_disabled(self.state)
        if reason is not None:
            self.say(f"{action.label}: {reason}")
            return
        handler()

    # -- what the lines say ----------------------------------------------------------------------------

    def say(self, line: str, style: str = "strong") -> None:
        """One line in place of the keys, until the next key."""
        self.lines.say(line, style)

    def trouble(self, error: SyncErrError) -> None:
        """Something does not work: say so until something does."""
        self.context.trouble = error
        self.draw_lines()

    def silence(self) -> None:
        """Show the keys again."""
        self.lines.silence()

    def draw_lines(self) -> None:
        """Say what is true now."""
        self.lines.draw()

    def on_resize(self) -> None:
        """Too small for a list: say the size that is needed."""
        size = self.app.size
        small = size.width < NARROWEST or size.height < LOWEST
        self.set_class(small, "-too-small")
        if small:
            self.line("too-small").show(
                [(f"Make it {NARROWEST}x{LOWEST} (is {size.width}x{size.height})", "strong")]
            )
        self.call_after_refresh(self.draw_lines)

    @on(Pane.Changed)
    def pane_changed(self) -> None:
        """The pane shows something else; the causes follow the list's filter and selection."""
        if self.complete:
            self.causes.refreshed()
            self.draw_lines()

    def linked(self) -> None:
        """What waits for what is known anew."""
        self.errors.linked()
        self.causes.refreshed()
        self.draw_lines()

    # -- reading the list ------------------------------------------------------------------------------

    @on(Connected)
    def connected(self) -> None:
        """The org answered."""
        self.reading.connected()

    @on(PageCame)
    def page_came(self, event: PageCame) -> None:
        """More rows."""
        self.reading.page_came(event)

    @on(ListRead)
    def list_read(self, event: ListRead) -> None:
        """The whole list."""
        self.reading.list_read(event)

    @on(ReadingFailed)
    def reading_failed(self, event: ReadingFailed) -> None:
        """No list."""
        self.reading.reading_failed(event)

    # -- knowing more about an error -------------------------------------------------------------------

    @on(Pane.Looked)
    def looked(self, event: Pane.Looked) -> None:
        """Whoever rests on an error wants to know more about it than its message says."""
        error = event.error
        self._rest.cancel()
        self.host.error_history.recall(error)
        if error is not None:
            self._rest.call(lambda: self.host.error_details.look_up(error))

    @on(KnownBetter)
    def known_better(self, event: KnownBetter) -> None:
        """Tell it."""
        for pane in self.panes.values():
            pane.known_better(event.error)

    @on(NotesBroken)
    def notes_broken(self, event: NotesBroken) -> None:
        """Say where; the guidance does without them."""
        self.say(f"Notes: {event.trouble.line}", "bad")

    @on(SessionEnded)
    def session_ended(self, event: SessionEnded) -> None:
        """As when reading the list."""
        self.context.expired = True
        self.context.trouble = event.trouble
        self.draw_lines()

    @on(FilterBar.Typed)
    def filter_typed(self, event: FilterBar.Typed) -> None:
        """Every letter filters."""
        self.filtering.typed(event.text)

    # -- what the panes tell, and which is in front -----------------------------------------------------

    @on(Pane.Told)
    def pane_told(self, event: Pane.Told) -> None:
        """What came of something that was asked for there."""
        self.say(event.line)

    @on(Pane.Failed)
    def pane_failed(self, event: Pane.Failed) -> None:
        """What the pane shows cannot be read."""
        self.trouble(event.error)

    def go(self, place: Place) -> None:
        """Bring a pane to the front."""
        if place not in self.panes:
            return
        self.place = place
        for where, pane in self.panes.items():
            pane.display = where is place
        self.pane.entered()
        self.draw_lines()

    def do_redraw(self) -> None:
        """Draw everything anew: something else wrote on this terminal."""
        self.host.redraw()
