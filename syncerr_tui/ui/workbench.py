"""The screen everything happens on: lines around, one pane in front, the way from a key to what it does.

A key asks for an action of the table (`triage.actions`). `action_act` looks whether it can run, says the
reason where it cannot, and else calls what `HANDLERS` of the pane in front has for it, or those of the bench.
Services work in the background and post messages; what they mean for the screen stands here only.

Press R, and read: `Workbench.resync`, `ResyncController.ask`, `planning.prepare`, `screens.plan.PlanDialog`,
`RunController.start`, `journals.Journals.run`, `resync.runner`; its events come back through
`RunController._follow`, `RunPresenter.take`, `Workbench.run_advanced`, `ErrorTable.show_marks`.

Long because it is the one place that knows all panes, services and dialogs; each part would hold the whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.triage.actions import ACTIONS, Action, AppState, Place
from syncerr_tui.triage.columns import SortKey
from syncerr_tui.triage.layout import USUAL, as_text, of_text
from syncerr_tui.triage.listing import Listing
from syncerr_tui.triage.news import News
from syncerr_tui.ui.context import WANTS_SETUP
from syncerr_tui.ui.count_prefix import CountPrefix
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.error_details_service import REST_SECONDS, KnownBetter, NotesBroken, SessionEnded
from syncerr_tui.ui.error_history import LeftByRunsKnown
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.fix_controller import FixController, FixEnded, ResyncWanted, SafeguardsLeftOff
from syncerr_tui.ui.fix_service import SafeguardsKnown
from syncerr_tui.ui.guided_controller import GuidedChanged, PersonAsked
from syncerr_tui.ui.handling_controller import HandlingController, SaidAbout
from syncerr_tui.ui.interrupted_runs import OpenRunsKnown, PlanRecalled
from syncerr_tui.ui.list_reader import Connected, ListRead, ListReader, PageRead, ReadingFailed
from syncerr_tui.ui.list_with_panel import Handlers, ListWithPanel
from syncerr_tui.ui.look_controller import LookController
from syncerr_tui.ui.messages import Announced, Troubled, Verified
from syncerr_tui.ui.news_controller import JournalWanted, NewsController
from syncerr_tui.ui.record_viewer import RecordViewer
from syncerr_tui.ui.resync_controller import ResyncController
from syncerr_tui.ui.run_controller import (
    PAUSING,
    STOPPING,
    AppLeft,
    RunAdvanced,
    RunOver,
    WaveEnded,
)
from syncerr_tui.ui.services import LinksKnown, Services
from syncerr_tui.ui.status_lines import StatusLines
from syncerr_tui.ui.widgets.filter_bar import FilterBar
from syncerr_tui.ui.widgets.line import Line, LineClicked
from syncerr_tui.words import plural, sentence

if TYPE_CHECKING:
    from syncerr_tui.host.hooks import Hook
    from syncerr_tui.resync.runner import ResumeMode
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.ui.causes_pane import CausesPane
    from syncerr_tui.ui.diffing_app import DiffingApp
    from syncerr_tui.ui.journal_pane import JournalPane
    from syncerr_tui.ui.screens.palette import Palette

MANY = 2000
"""Rows from which work on the list is done in a thread."""
NARROWEST, LOWEST = 60, 15
"""The smallest window the list is drawn in."""
TICK_SECONDS = 60.0
"""How often ages are counted anew."""
_WITHOUT_A_LIST = frozenset({"quit", "cancel", "redraw"})
"""What works in a window that is too small to show the list."""
_ANNOUNCED_SECONDS = 8.0
"""How long a line stands in place of the keys when no key follows."""
_RUN_LINES_PER_SECOND = 2
"""How often the progress line is written at most."""


class Workbench(Screen[None], inherit_bindings=False):
    """Title, tabs, the pane in front, and the lines below it."""

    AUTO_FOCUS = ""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services
        self.context = services.context
        # Not `App.set_keymap`: in Textual 8.2.8 it takes a key away from all that share it between places.
        self._bindings = BindingsMap(bindings(self.context.config.actions))
        errors = ErrorsPane(self.context, services.describe, services.graph_worker)
        self.panes: dict[Place, ListWithPanel] = {errors.place: errors}
        self.complete = False
        """Whether all panes stand. What is typed before that is dropped: a pane would be missing."""
        self.reader = ListReader(self.context, self.post_message)
        self.fixing = FixController(services, self)
        self.looking = LookController(services, self, errors)
        self.records = RecordViewer(services, self, self._copy)
        self.news = NewsController(services, self, errors)
        self.resyncing = ResyncController(services, self, errors, self.fixing)
        self.handling = HandlingController(services, self)
        self._lines = StatusLines(self.context, self.line)
        self._count = CountPrefix()
        self._announced = Debouncer(self, _ANNOUNCED_SECONDS)
        self._resting = Debouncer(self, REST_SECONDS)
        self._run_line: Timer | None = None
        self._minute: Timer | None = None
        self._watch: Timer | None = None
        self._first_reading = True
        self._keeping = asyncio.Lock()
        self._saw_causes = False
        self._ticked_at = self.context.clock()
        self._row_before: SyncError | None = None
        """Where the cursor was when the filter was opened."""

    def compose(self) -> ComposeResult:
        """The lines, and the list between them."""
        above, below = StatusLines.compose(self.context.ellipsis)
        yield from above
        with Container(id="panes"):
            yield self.pane
        yield from below

    def on_mount(self) -> None:
        """Draw first, connect then: the first frame waits for nothing."""
        # Nobody knows how long we have slept.
        self.app.app_resume_signal.subscribe(self, lambda _: self.tick())
        self.errors.note("", "Connecting to the org ...")
        self.draw_lines()
        self.errors.entered()
        self.call_after_refresh(self._after_the_first_frame)

    async def _after_the_first_frame(self) -> None:
        for pane in self._other_panes():
            pane.display = False
            self.panes[pane.place] = pane
            await self.query_one("#panes", Container).mount(pane)
        await self.mount(FilterBar(), after="#panes")
        self.complete = True
        self.refresh_list()

    def _other_panes(self) -> list[ListWithPanel]:
        """What stands behind the list. Imported when the first frame is drawn."""
        from syncerr_tui.ui.causes_pane import CausesPane
        from syncerr_tui.ui.guided_pane import GuidedPane
        from syncerr_tui.ui.journal_pane import JournalPane

        services = self.services
        causes = CausesPane(
            self.context,
            self.errors,
            services.graph_worker,
            services.guidance,
            services.remembered,
            services.error_history.twin_pages,
        )
        journal = JournalPane(self.context, services.journals, services.describe)
        guided = GuidedPane(self.context, lambda: services.guided, services.describe, self._copy_of)
        return [causes, journal, guided]

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
    def pane(self) -> ListWithPanel:
        """The pane in front."""
        return self.panes[self.context.state.place]

    def line(self, name: str) -> Line:
        """One of the lines around the pane."""
        return self.query_one(f"#{name}", Line)

    # -- from a key to what it does --------------------------------------------------------------------

    @property
    def facts(self) -> AppState:
        """What decides whether an action can run."""
        context, state = self.context, self.context.state
        facts = AppState(
            place=state.place,
            environment=context.environment,
            connected=context.connection is not None,
            session_expired=state.reading.expired,
            reading=state.reading.active,
            read_only=context.read_only,
            running=self.resyncing.busy,
            paused=state.run.paused,
            waiting=bool(state.doing),
            interrupted=len(self.services.interrupted_runs.waiting),
            queued=len(state.queue.runs) + len(state.queue.ended),
            guided=state.guided is not None,
            commands=self.services.hooks.running,
            key=self.context.key_of,
            fresh=len(state.news.marks),
            gone=len(state.news.gone),
        )
        return self.pane.facts(facts)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What can be asked for here."""
        context = self.context
        return context.config.actions.available(
            context.state.place, read_only=context.read_only, on_snapshot=context.on_snapshot
        )

    def handler(self, action: Action, count: int | None = None) -> Callable[[], object]:
        """What does this action here, so often: the pane in front, else the workbench."""
        given = (count,) if action.counted else ()
        if action.id in self.pane.HANDLERS:
            return partial(self.pane.HANDLERS[action.id], self.pane, *given)
        if (hook := self.context.config.hooks.get(action.id)) is not None:
            return partial(self.run_hook, hook)
        return partial(self.HANDLERS[action.id], self, *given)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where text is typed, letters are letters; else a key means what it means in this place."""
        if action != "act":
            return True
        place, table = self.context.state.place, self.context.config.actions
        asked = table.by_id[str(parameters[0])]
        known = asked.works_in(place) or (self.complete and table.keys_free_in(asked, place))
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
        table, key = self.context.config.actions, self.context.key
        action = table.by_id[action_id]
        if key.isdecimal() and key in action.keys and self._is_counting(action, key):
            return
        count = None if key.isdecimal() else self._count.taken()
        if action not in self.actions:
            place = self.context.state.place
            if action.changes_org and self.context.read_only and action.works_in(place):
                self.say("read-only: nothing that changes the org can be done in this start of the app")
            elif not action.works_in(place):
                shown = {pane.place for pane in self.panes.values() if pane.shown}
                self.say(table.elsewhere(action, key, shown))
            return
        reason = action.why_disabled(self.facts)
        if reason is not None:
            self.say(f"{action.label}: {reason}")
            return
        self.handler(action, count)()

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

    # -- the lines around the pane ---------------------------------------------------------------------

    def say(self, line: str, look: str = "strong", *, keep: bool = False) -> None:
        """One line in place of the keys, until the next key; for some seconds unless it is to be kept."""
        self._lines.announcement = (line, look)
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
        """Say what is true now."""
        state, width, lines = self.context.state, self.size.width, self._lines
        tabs = {p.place.value: (p.tab, p is self.pane) for p in self.panes.values() if p.shown}
        lines.draw_top(tabs, self.pane.tab_note, width, busy=not self.complete or state.reading.active)
        lines.draw_utility(self.causes.count if self.complete else 0, self.fixing.off_words, width)
        lines.draw_keys(self.actions, self.facts, width)
        lines.draw_trouble(width)
        lines.draw_run(self.resyncing.line(width), width)

    @on(LineClicked)
    def line_clicked(self, event: LineClicked) -> None:
        """A tab, or a key of the footer."""
        self.context.key = ""
        self.action_act(event.action_id)

    def on_screen_suspend(self) -> None:
        """A dialog is on top: the keys are its own."""
        self._lines.behind_a_dialog = True
        self.draw_lines()

    def on_screen_resume(self) -> None:
        """The keys are the list's again."""
        self._lines.behind_a_dialog = False
        self.draw_lines()
        self.resyncing.show_what_is_ready()

    @property
    def _may_interrupt(self) -> bool:
        """Whether a question that nobody asked for may come up now."""
        return self.resyncing.may_interrupt and not self.context.state.run.active

    def on_resize(self) -> None:
        """Too small for a list: say the size that is needed."""
        size = self.app.size
        small = size.width < NARROWEST or size.height < LOWEST
        self.set_class(small, "-too-small")
        if small:
            wanted = f"Window too small: {size.width}x{size.height}, needs {NARROWEST}x{LOWEST}"
            self.line("too-small").show([(wanted, "strong")])
        self.call_after_refresh(self.draw_lines)

    @on(Announced)
    def announced(self, event: Announced) -> None:
        """A pane or a service has something to say."""
        if event.line:
            self.say(event.line, event.look, keep=event.keep)
        else:
            self.silence()

    @on(Troubled)
    def troubled(self, event: Troubled) -> None:
        """Something does not work: say so until something does."""
        self.trouble(event.error)

    def trouble(self, error: SyncErrError) -> None:
        """Say what does not work, until something does."""
        self.context.state = replace(self.context.state, trouble=error)
        self.draw_lines()

    @on(ListWithPanel.Changed)
    def pane_changed(self) -> None:
        """A pane shows something else; the causes follow the list's filter and selection."""
        if self.complete:
            self.causes.refreshed()
            self.draw_lines()

    # -- reading the list ------------------------------------------------------------------------------

    def refresh_list(self) -> None:
        """Read the list, the journal and the org's notes again; connect first where that is still to do."""
        self.services.error_details.begin_anew()
        if self.complete:
            self.journal.refresh_journal()
        self._read()

    def _read(self) -> None:
        self._first_reading = not self.context.state.listing.errors
        reading = self.reader.next()
        self.draw_lines()
        self.run_worker(self.reader.read(reading), group="reading", exclusive=True, name="reading")

    def log_in(self) -> None:
        """Ask for a new session."""
        self.context.state = self.context.state.session_expired()
        self.refresh_list()

    def toggle_watch(self) -> None:
        """Read again every minute, or stop doing so."""
        if self._watch is None:
            self._watch = self.set_interval(self.context.config.watch_seconds, self.look_again)
        else:
            self._watch.stop()
            self._watch = None
        self.context.state = self.context.state.watched(watching=self._watch is not None)
        self.draw_lines()

    def look_again(self) -> None:
        """Read again, unless something goes on that this would disturb."""
        state = self.context.state
        if not state.reading.active and not state.run.active and not state.reading.expired:
            self._read()

    @on(Connected)
    def connected(self) -> None:
        """The org answered: its name goes on screen, and its first page is asked for."""
        self.errors.note("", "Reading the sync errors ...")
        welcome, self.context.welcome = self.context.welcome, ""
        if welcome:
            self.say(welcome, keep=True)
        self.draw_lines()
        self._look_for_open_runs(offer=True)
        self.fixing.look_at_the_start()
        if self.context.connection is not None:
            org_id = self.context.connection.identity.org_id
            self.run_worker(self._recall_layouts(org_id), group="layouts", name="layouts")
            self.run_worker(self.looking.recall(org_id), group="filters", name="filters")

    async def _recall_layouts(self, org_id: str) -> None:
        """How this org's table was arranged before, as soon as the disk says so."""
        from syncerr_tui.host import remembered

        folder = self.services.journals.folder
        try:
            known = await asyncio.to_thread(remembered.read, folder, "layout", org_id, of_text, USUAL)
        except SyncErrError as problem:
            self.say(problem.line, "bad")
        else:
            if self.context.state.layouts is USUAL:
                # Else the person was faster than the disk.
                self.context.state = replace(self.context.state, layouts=known)
                self._arrange()

    def _arrange(self) -> None:
        for pane in self.panes.values():
            pane.arranged()
        self.draw_lines()

    @on(ListWithPanel.Arranged)
    def arranged(self, event: ListWithPanel.Arranged) -> None:
        """Follow it at once, and remember it."""
        self.context.state = self.context.state.arranged(event.window, event.layout)
        self._arrange()
        if self.context.connection is not None:
            keeping = self._keep_layouts(self.context.connection.identity.org_id)
            self.run_worker(keeping, group="layouts", name="layouts")

    async def _keep_layouts(self, org_id: str) -> None:
        from syncerr_tui.host import remembered

        folder = self.services.journals.folder
        try:
            async with self._keeping:  # the last wish is written last
                await asyncio.to_thread(
                    remembered.write, folder, "layout", org_id, as_text(self.context.state.layouts)
                )
        except SyncErrError as problem:
            self.say(problem.line, "bad")

    @on(PageRead)
    def page_read(self, event: PageRead) -> None:
        """Rows go on screen as they come, the first time; a refresh replaces them at its end."""
        if event.reading != self.reader.reading:
            return
        self.context.state = self.context.state.reading_came(event.so_far)
        if self._first_reading:
            listing = self.context.state.listing.with_page(event.rows, self.context.clock())
            self.errors.show(listing, fresh=event.so_far == len(event.rows))
        self.draw_lines()
        self.call_after_refresh(event.drawn.set)

    @on(ListRead)
    def list_read(self, event: ListRead) -> None:
        """The whole truth: what is not in it has left the list."""
        if len(event.rows) > MANY:
            self.run_worker(self._sorted_in(event), group="sorting in", exclusive=True, name="sorting in")
        elif event.reading == self.reader.reading:
            fresh = self.context.state.read_again(event.rows, self.context.clock())
            self._list_sorted_in(fresh.listing, fresh.news)

    async def _sorted_in(self, event: ListRead) -> None:
        """Filter, sort and compare many rows in a thread. What the person does meanwhile is heard."""
        before, fresh = None, self.context.state
        while before is None or before.asked_for != self.context.state.asked_for:
            before = self.context.state
            fresh = await asyncio.to_thread(before.read_again, event.rows, self.context.clock())
        if event.reading == self.reader.reading:
            self._list_sorted_in(self.context.state.listing.carried_to(fresh.listing), fresh.news)

    def _list_sorted_in(self, listing: Listing, news: News) -> None:
        self.errors.note(
            "",
            "No sync errors.",
            "",
            "The org has no failed change event that you can see.",
            "What it has not processed yet is not counted.",
        )
        if not self.context.state.run.active and self.services.runs.view is not None:
            # The list is as the org has it now: the states of an ended run are no news any more.
            self.errors.show_run({}, {})
        self._announce_new(len(news.new - self.context.state.news.new))
        self.context.state = replace(self.context.state, news=news)
        self.errors.show(listing, fresh=not self._first_reading)
        if listing.errors and not listing.ids:
            self._note_that_nothing_matches()
        if self._minute is None:
            self._minute = self.set_interval(TICK_SECONDS, self.tick)
        self.draw_lines()
        if self.context.connection is not None:
            self.run_worker(self._know_more(self.context.connection), group="parents", exclusive=True)
            self._look_for_open_runs(offer=False)

    def tick(self) -> None:
        """Time has gone by: everything that is an age, and what other terminals do."""
        self._ticked_at = self.context.clock()
        self.errors.tick()
        if self.complete:
            self.causes.tick()
        if self.context.state.said.over(self.context.clock()):
            self._learn_from_the_journal()
        self._look_for_open_runs(offer=False)
        self.draw_lines()

    async def _know_more(self, connection: OrgSession) -> None:
        """What waits for what, as the org says; and what earlier runs left of the rows."""
        error = next(iter(self.context.state.listing.errors.values()), None)
        if error is not None:
            # The first explanation reads the whole catalogue: not while somebody waits for a panel or a plan.
            await asyncio.to_thread(self.services.error_details.explain, error)
        await self.services.graph_worker.ask_for_parents(connection)
        await self.services.error_history.look(self.services.graph_worker)

    @on(LeftByRunsKnown)
    def standing_known(self, event: LeftByRunsKnown) -> None:
        """TWIN and UNKNOWN stay marked; what did not help twice is no advice any more."""
        standing = event.standing
        self.context.state = replace(self.context.state, said=event.said, twins=len(standing.twins))
        self.errors.show_standing(standing.unsettled, standing.tried, standing.again.keys())
        if self.complete:
            self.causes.standing_known()
        self.draw_lines()

    @on(ReadingFailed)
    def reading_failed(self, event: ReadingFailed) -> None:
        """Say it in one line; what is on screen stays."""
        if event.reading != self.reader.reading:
            return
        key, expired = self.context.key_of, self.context.state.reading.expired
        then = f"{key('login')} logs in again." if expired else f"{key('refresh')} tries again."
        self.errors.note("", f"{event.error.title}.", event.error.hint, "", then)
        self.causes.refreshed()
        self.draw_lines()

    def _announce_new(self, new: int) -> None:
        if new and self._watch is not None:
            self.app.bell()
            self.notify(f"{plural(new, 'new sync error')}.", timeout=8, markup=False)

    # -- the filter and the order ----------------------------------------------------------------------

    def open_filter(self) -> None:
        """Open the line in which the filter is typed: of this pane, or of the list."""
        target = self.errors if self.pane.filter_text is None else self.pane
        self._row_before = self.context.state.listing.current
        past = self.looking.history.of(target.filter_kind)
        complete = self.looking.completions if target is self.errors else lambda _text: ()
        self.query_one(FilterBar).ask(target, past, complete)
        self.say(target.filter_hint, "quiet", keep=True)

    @on(FilterBar.Wrong)
    def filter_typed(self, event: FilterBar.Wrong) -> None:
        """What is wrong stands in the lines of the keys: beside the text there is no room for it."""
        if event.line:
            self.say(event.line, "bad", keep=True)
        elif self.query_one(FilterBar).has_class("-on"):
            self.say(self.pane.filter_hint, "quiet", keep=True)
        self._note_that_nothing_matches()

    @on(FilterBar.Offered)
    def filter_offered(self, event: FilterBar.Offered) -> None:
        """How the last word can go on, from the way that stands in the line on."""
        words = [text.rpartition(" ")[2] for text in event.words[event.at :]]
        self.say(f"{event.at + 1} of {len(event.words)}: {'  '.join(words)}", "quiet", keep=True)

    @on(FilterBar.Closed)
    def filter_closed(self, event: FilterBar.Closed) -> None:
        """Back to the list; where nothing was kept, also to the row that one came from."""
        self.silence()
        if not event.kept and self._row_before is not None:
            self.errors.show(self.context.state.listing.moved_onto(self._row_before.id))
        self._note_that_nothing_matches()
        self.pane.entered()
        self.looking.applied(self.pane.filter_kind, event.text)
        if event.save and self.pane.filter_kind == self.errors.filter_kind:
            self.action_act("save_filter")
        self.call_after_refresh(self.resyncing.show_what_is_ready)

    def _note_that_nothing_matches(self) -> None:
        if self.context.state.listing.errors:
            again = f"{self.context.key_of('back')} shows all rows again."
            self.errors.note("", "Nothing matches the filter.", "", again)

    def sort(self) -> None:
        """Ask for the column."""
        from syncerr_tui.ui.screens.menus import SortMenu

        def chosen(key: SortKey | None) -> None:
            if key is not None:
                self.errors.sort_by(key)

        listing = self.context.state.listing
        self.app.push_screen(SortMenu(listing.sort, reverse=listing.reverse), chosen)

    # -- knowing more about an error -------------------------------------------------------------------

    @on(ListWithPanel.Looked)
    def looked(self, event: ListWithPanel.Looked) -> None:
        """Who rests on an error is shown more about it than its message says."""
        error = event.error
        self._resting.cancel()
        self.services.error_history.recall(error)
        if error is not None:
            self._resting.call(lambda: self.services.error_details.look_up(error))

    @on(KnownBetter)
    def known_better(self, event: KnownBetter) -> None:
        """Show it where the error is on screen."""
        for pane in self.panes.values():
            pane.known_better(event.error)

    @on(NotesBroken)
    def notes_broken(self, event: NotesBroken) -> None:
        """Say where; the guidance does without them."""
        self.say(f"Notes: {event.trouble.line}", "bad")

    @on(SessionEnded)
    def session_ended(self, event: SessionEnded) -> None:
        """As when reading the list."""
        self.context.state = self.context.state.session_expired(event.trouble)
        self.draw_lines()

    @on(LinksKnown)
    def links_known(self) -> None:
        """What waits for what is known anew."""
        self.errors.linked()
        if self.complete:
            self.causes.refreshed()
        self.draw_lines()

    # -- from place to place ---------------------------------------------------------------------------

    def go(self, place: Place) -> None:
        """Bring a pane to the front."""
        if place not in self.panes:
            return
        self.context.state = self.context.state.at(place)
        for where, pane in self.panes.items():
            pane.display = where is place
        self.pane.entered()
        self.draw_lines()

    @on(JournalWanted)
    def journal_wanted(self, event: JournalWanted) -> None:
        """The Journal in front, with what was asked for."""
        self.go(Place.JOURNAL)
        self.journal.filter_by(event.filter_text)

    def show_causes(self) -> None:
        """The causes in front: on that of the row one comes from; straight after the start, on the worst."""
        if self.context.state.place is not Place.CAUSES:
            listing = self.context.state.listing
            untouched = not (listing.cursor or listing.selected or listing.filter)
            current = None if untouched and not self._saw_causes else listing.current
            self.causes.came_from(current.id if current is not None else None)
            self._saw_causes = True
        self.go(Place.CAUSES)

    def show_alike(self) -> None:
        """From a cause to all its rows in the list."""
        current = self.pane.current
        if current is not None:
            self.go(Place.ERRORS)
            self.errors.show_alike(current.id)

    def go_to_cause(self) -> None:
        """Up to the row that this one waits for; what is believed, and why, is said."""
        from syncerr_tui.ui.cause_words import short, why

        current, graph = self.context.state.listing.current, self.services.graph_worker.graph
        if current is None or graph is None:
            self.say("Still working out what waits for what.")
            return
        links = graph.links_of(current.id)
        up = next((link for link in links if link.cause is not None), None)
        if up is not None and up.cause is not None:
            self.errors.go_to(up.cause)
            self.say(f"{short(current)} waits for this one. {sentence(why(up))}")
        elif links:
            self.say(f"Its cause is not in this list. {sentence(links[0].detail)}")
        else:
            says = f"{self.context.key_of('info')} says which."
            self.say(f"It waits for nothing: it fails for a reason of its own. {says}")

    def back(self) -> None:
        """One step back; the result of a run goes before the filter and the selection."""
        place = self.context.state.place
        if self._cancel_waiting():
            return
        if self.context.state.panel_open or not self.resyncing.dismiss_result(read=True):
            done = self.pane.step_back()
            if not done and place in {Place.JOURNAL, Place.GUIDED}:
                self.go(Place.ERRORS)
            elif not done:
                # What is left to take back, the filter and the selection, is the list's, wherever one is.
                self.errors.step_back()
        self.causes.refreshed()
        self.draw_lines()

    def _cancel_waiting(self) -> bool:
        """What a person waits for is given up; the list behind it stays as it is."""
        cancelled = self.resyncing.give_up_planning() or (self.complete and self.journal.give_up_checking())
        if cancelled:
            self.draw_lines()
        return cancelled

    def stop(self) -> None:
        """Send nothing more; where nothing is being sent, wait for nothing more, and end the own commands."""
        if self._cancel_waiting():
            return
        if self.context.state.run.active:
            self.services.guided.ask_of_unticked(self, self.services.runs.cancel)
        elif not self.resyncing.stop():
            self.services.hooks.cancel()

    # -- what opens on top -----------------------------------------------------------------------------

    def show_guide(self) -> None:
        """All codes as a manual, opened on the code of the row under the cursor."""
        from syncerr_tui.ui.screens.guide import GuideScreen

        details, error = self.services.error_details, self.pane.current
        code = details.explain(error).diagnosis.root_code if error else None
        guide = GuideScreen(self.context, details.address, details.notes, code, self._palette)
        self.app.push_screen(guide, self._act_on)

    def show_help(self) -> None:
        """The keys that work here."""
        from syncerr_tui.ui.screens.help import HelpScreen

        unicode = self.context.terminal.unicode
        self.app.push_screen(HelpScreen(self.pane.tab, self._actions_with_reasons(), unicode=unicode))

    def show_palette(self) -> None:
        """Every action by its name."""
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

    # -- taking something out of the app ---------------------------------------------------------------

    def copy(self) -> None:
        """One of the things that a person copies: of what is selected, else of what is under the cursor."""
        if errors := self._taken_along():
            self._copy_of(errors)

    def _taken_along(self) -> Sequence[SyncError]:
        """The selected rows, else the row under the cursor; says it where the filter hides them all."""
        selected = self.context.state.place is Place.ERRORS and self.context.state.listing.selected
        errors = self.pane.chosen if selected else self.pane.failing[:1]
        if selected and not errors:
            self.say(f"The filter hides all selected rows: {self.context.key_of('back')} shows them.")
        return errors

    def say_about(self) -> None:
        """A note, who works on it, a ticket, a snooze: of the selection, the row, or the whole cause."""
        in_causes = self.context.state.place is Place.CAUSES and not self.context.state.listing.selected
        node = self.causes.node if in_causes else None
        cause = node.cause if node is not None and not node.row else None
        if cause is not None:
            self.handling.open(self.causes.failing, cause)
        elif errors := self._taken_along():
            self.handling.open(errors, None)

    def run_hook(self, hook: Hook) -> None:
        """A command of the person's own."""
        if errors := self._taken_along():
            self.services.hooks.start(hook, errors)

    def _copy_of(self, errors: Sequence[SyncError]) -> None:
        from syncerr_tui.ui.clipboard_actions import copy_one_of

        copy_one_of(self, self.context, errors, self._copy)

    def export(self) -> None:
        """Write what the list shows to a file."""
        from syncerr_tui.triage.export import FIELDS, Format
        from syncerr_tui.ui.clipboard_actions import export_view
        from syncerr_tui.ui.screens.menus import ExportMenu

        listing = self.context.state.listing
        fields = [column.name for column, _ in self.errors.columns_here] or FIELDS

        def chosen(form: Format | None) -> None:
            if form is not None:
                folder = self.services.journals.folder / "exports"
                exporting = export_view(self.context, listing, fields, form, folder, self.say)
                self.run_worker(exporting, group="exporting", name="exporting")

        self.app.push_screen(ExportMenu(len(listing.ids)), chosen)

    def report(self) -> None:
        """Hand over: what was open, what was proven, what is left."""
        from syncerr_tui.ui.clipboard_actions import write_report

        self.say("Writing the report ...")
        self.run_worker(write_report(self.services, self.say), group="exporting", name="reporting")

    def copy_error(self) -> None:
        """The whole error."""
        from syncerr_tui.ui.details import as_text

        error = self.context.state.listing.current
        if error is not None:
            self._copy(as_text(error, self.context.clock(), self.context.zone), "the whole error")

    def _copy(self, text: str, what: str) -> None:
        from syncerr_tui.ui.clipboard_actions import copy_text

        copying = copy_text(self.context, text, self.say, what)
        self.run_worker(copying, group="copying", name="copying")

    def browse(self) -> None:
        """The address of the next step."""
        from syncerr_tui.ui.clipboard_actions import open_one_of
        from syncerr_tui.ui.error_details_service import addresses

        error = self.pane.current
        if error is not None:
            twins = self.services.error_history.twin_pages(error)
            found = [(f"Record {number} of the TWIN", page) for number, (_, page) in enumerate(twins, 1)]
            found += addresses(self.services.error_details.explain(error))
            open_one_of(self, self.context, found, self.say)

    # -- re-syncing ------------------------------------------------------------------------------------

    def resync(self) -> None:
        """Look at the plan, then send it, or queue it behind what is being sent."""
        self.resyncing.ask(self.pane.chosen, self.facts.hidden_selected)
        self.draw_lines()

    @on(RunAdvanced)
    def run_advanced(self) -> None:
        """Show the states of the rows soon, and the line of the run some times a second."""
        view = self.services.runs.view
        if view is None:
            return
        self.errors.show_run(view.marks, view.reasons, view.left)
        self.causes.marks_changed()
        if self._run_line is None:
            self._run_line = self.set_timer(1 / _RUN_LINES_PER_SECOND, self._draw_run_line)

    def _draw_run_line(self) -> None:
        self._run_line = None
        self.draw_lines()

    @on(WaveEnded)
    def wave_ended(self) -> None:
        """The journal has more to show."""
        self.journal.refresh_journal()

    @on(PersonAsked)
    def person_asked(self, event: PersonAsked) -> None:
        """Something is to be pressed in Salesforce: go where it stands, or say which key leads there."""
        if event.first and self.is_current and not isinstance(self.focused, Input):
            self.go(Place.GUIDED)
        elif self.context.state.place is not Place.GUIDED:
            self.say(f"Wave {event.wave} is to be pressed in Salesforce: {self.context.key_of('guided')}")

    @on(GuidedChanged)
    def guided_changed(self) -> None:
        """Show it where the person looks at it, and its tab."""
        if self.complete and self.context.state.place is Place.GUIDED and not self.pane.shown:
            self.go(Place.ERRORS)
        elif self.complete:
            self.pane.run_changed()
        self.draw_lines()

    @on(RunOver)
    def run_over(self) -> None:
        """Rows that still fail show their newer message; rows that are proven stay until dismissed."""
        self.silence(STOPPING, PAUSING)
        self.services.guided.run_over()
        view = self.services.runs.view
        if view is None:
            self.errors.show_run({}, {})
        else:
            self.errors.update(view.newer.values())
            self.errors.show_run(view.marks, view.reasons, view.left)
        self.draw_lines()
        self._learn_from_the_journal()
        if not self.context.state.unresolved:
            # That nothing is left is said by the org, not by what we counted.
            self._read()
        self.resyncing.run_over()

    @on(Verified)
    def verified(self) -> None:
        """Rows were checked again: the result of their run is out of date, and so is the list."""
        self.resyncing.dismiss_result(read=False)
        self._learn_from_the_journal()
        self._read()

    @on(SaidAbout)
    def _learn_from_the_journal(self) -> None:
        """A run or a check has written more: everything that follows from the journal is derived anew."""
        history = self.services.error_history
        history.forget()
        self.run_worker(history.look(self.services.graph_worker), group="standing")
        self._look_for_open_runs(offer=False)

    # -- fixing what blocks ----------------------------------------------------------------------------

    def fix(self) -> None:
        """Look at what would remove the blocker: of every selected cause, else of the one here."""

        def named(errors: Sequence[SyncError]) -> str:
            return self.pane.subject_of(errors[0].id, errors[0], len(errors) - 1).name

        selected = self.context.state.listing.selected and not self.context.state.panel_open
        self.fixing.fix(self.pane.chosen if selected else self.pane.failing, named, together=bool(selected))

    @on(ResyncWanted)
    def resync_wanted(self) -> None:
        """The blocker is gone: on to the plan."""
        self.resync()

    @on(SafeguardsLeftOff)
    def safeguards_left_off(self) -> None:
        """Offer to put back what an earlier start left off, where a question may come up now."""
        if self._may_interrupt:
            self.fixing.show_safeguards()

    @on(SafeguardsKnown)
    def safeguards_known(self) -> None:
        """The utility bar says what is off."""
        self.draw_lines()

    @on(FixEnded)
    def fix_ended(self) -> None:
        """The journal has more to show."""
        self.journal.refresh_journal()

    # -- what an earlier start left open ---------------------------------------------------------------

    def _look_for_open_runs(self, *, offer: bool) -> None:
        looking = self.services.interrupted_runs.look(offer=offer)
        self.run_worker(looking, group="open runs")

    @on(OpenRunsKnown)
    def open_runs_known(self, event: OpenRunsKnown) -> None:
        """Say what is open in the journal, and ask where a question may come up now."""
        runs = self.services.interrupted_runs
        self.journal.opened_runs(len(runs.waiting), len(runs.elsewhere), runs.people)
        self.run_worker(self.services.guided.look(runs.waiting), group="guided")
        loss = runs.loss()
        if loss:
            self.notify(loss, severity="warning", timeout=30, markup=False)
        if not event.offer:
            return
        others = runs.others()
        if others:
            self.say(others)
        if runs.waiting and self._may_interrupt:
            self._ask_to_resume(late=True)

    def resume(self) -> None:
        """What to do with an interrupted run: the one under the cursor of the Journal, else the newest."""
        run = self.journal.run if self.context.state.place is Place.JOURNAL else None
        self._ask_to_resume(run.id if run else None)

    def _ask_to_resume(self, run_id: str | None = None, *, late: bool = False) -> None:
        from syncerr_tui.ui.screens.resume import ResumeDialog

        context, runs = self.context, self.services.interrupted_runs
        unfinished = runs.find(run_id)
        if context.connection is None or unfinished is None:
            return

        def answered(mode: ResumeMode | None) -> None:
            if mode is not None and not self.context.state.run.active:
                recalling = runs.recall_plan(unfinished.run.id, mode, again=dialog.again)
                self.run_worker(recalling, group="resuming", exclusive=True)

        dialog = ResumeDialog(
            unfinished,
            context.connection.identity,
            context.moment,
            others=len(runs.waiting) - 1,
            may_send=not context.read_only,
        )
        dialog.late = late
        self.app.push_screen(dialog, answered)

    @on(PlanRecalled)
    def plan_recalled(self, event: PlanRecalled) -> None:
        """Go on with an interrupted run."""
        runs = self.services.runs
        if self.context.connection is not None and not runs.active:
            runs.start(event.request, self.context.connection)
            self.errors.show(self.context.state.listing.unselected())

    # -- leaving ---------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Leave; ask while a run or a fix is under way, something is queued, or a safeguard is off."""
        asks = (self.resyncing.asks_before_leaving, self.fixing.asks_before_leaving)
        if self.context.state.run.leaving or not any(ask() for ask in asks):
            self.app.exit()

    @on(AppLeft)
    def app_left(self) -> None:
        """What was on its way is answered."""
        self.app.exit()

    def set_up(self) -> None:
        """Leave the demo, after a question; whoever opened the app goes on with the guided set-up."""
        from syncerr_tui.ui.screens.resync import LeaveDemoQuestion

        leave = partial(self.app.exit, return_code=WANTS_SETUP)
        self.app.push_screen(LeaveDemoQuestion(), lambda yes: leave() if yes else None)

    def suspend(self) -> None:
        """Back to the shell; after a question where a re-sync would sleep too, not while a fix is made."""
        from syncerr_tui.ui.screens.resync import SleepQuestion

        app, run = cast("DiffingApp[int]", self.app), self.context.state.run

        def answered(yes: bool | None) -> None:
            if yes:
                app.sleep()

        if self.services.fixes.applying:
            self.notify("A fix is being made: wait for it before you suspend.", markup=False)
        elif not run.active:
            app.sleep()
        elif not isinstance(app.screen, SleepQuestion):
            app.push_screen(SleepQuestion(self.fixing.off_words, paused=run.paused), answered)

    def redraw(self) -> None:
        """Draw everything anew: something else wrote on this terminal."""
        cast("DiffingApp[int]", self.app).redraw()

    HANDLERS: ClassVar[Handlers] = {
        "count": lambda bench: bench.say("count: type the digits, then the key: 10j moves ten rows down"),
        "restore_selection": lambda bench: bench.errors.show(bench.context.state.listing.restored()),
        "errors": lambda bench: bench.go(Place.ERRORS),
        "causes": show_causes,
        "journal": lambda bench: bench.go(Place.JOURNAL),
        "guided": lambda bench: bench.go(Place.GUIDED),
        "alike": show_alike,
        "go_to_cause": go_to_cause,
        "back": back,
        "filter": open_filter,
        "only_like": lambda bench: bench.looking.only_like(bench.pane.current),
        "raw": lambda bench: bench.records.open(bench.pane.current),
        "pager": lambda bench: bench.records.show_in("pager", bench.pane.current),
        "editor": lambda bench: bench.records.show_in("editor", bench.pane.current),
        "count_by": lambda bench: bench.looking.count_by(),
        "save_filter": lambda bench: bench.looking.save_filter(),
        "sort": sort,
        "guide": show_guide,
        "help": show_help,
        "palette": show_palette,
        "refresh": refresh_list,
        "watch": toggle_watch,
        "since": lambda bench: bench.news.open(),
        "login": log_in,
        "copy": copy,
        "export": export,
        "report": report,
        "note": say_about,
        "copy_error": copy_error,
        "browse": browse,
        "resync": resync,
        "queue": lambda bench: bench.resyncing.show(),
        "cancel": stop,
        "pause": lambda bench: bench.services.runs.pause(),
        "resume": resume,
        "fix": fix,
        "safeguards": lambda bench: bench.fixing.show_safeguards(),
        "setup": set_up,
        "redraw": redraw,
        "suspend": suspend,
        "quit": leave,
    }


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


def unhandled(panes: Iterable[type[ListWithPanel]]) -> list[str]:
    """Actions that nothing does in a place where their keys work."""
    return [
        f"{action.id} in {pane.place}"
        for pane in panes
        for action in ACTIONS
        if action.works_in(pane.place) and action.id not in {*pane.HANDLERS, *Workbench.HANDLERS}
    ]
