"""The list of errors on screen: read, read again and watched; filtered, put in order, laid out; known better.

What is read in the background comes as a message; what it means for the screen stands here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import on
from textual.timer import Timer

from syncerr_tui.model import SyncError
from syncerr_tui.triage.columns import USUAL, Column, layouts_of, layouts_text
from syncerr_tui.triage.listing import Listing
from syncerr_tui.triage.news import News
from syncerr_tui.triage.state import Place
from syncerr_tui.ui.action_screen import TICK_SECONDS, ActionScreen
from syncerr_tui.ui.cause_graph_worker import LinksKnown
from syncerr_tui.ui.debouncer import Debouncer, loop_at_rest
from syncerr_tui.ui.error_details_service import REST_SECONDS, KnownBetter
from syncerr_tui.ui.error_history import LeftByRunsKnown
from syncerr_tui.ui.filter_controller import FilterController
from syncerr_tui.ui.list_reader import (
    Connected,
    ListRead,
    ListReader,
    NothingChanged,
    PageRead,
    ReadingFailed,
)
from syncerr_tui.ui.list_with_panel import ListWithPanel
from syncerr_tui.ui.messages import HandlingsChanged, announce
from syncerr_tui.ui.services import Services
from syncerr_tui.ui.widgets.filter_bar import FilterBar
from syncerr_tui.words import plural, sentence

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.watch.watcher import ListFollower

MANY = 2000
"""Rows from which work on the list is done in a thread."""


class ListScreen(ActionScreen, inherit_bindings=False):
    """What the list shows, and where that comes from."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.reader = ListReader(self.context, self.post_message, self._prepare)
        self.filters = FilterController(services, self, self.errors)
        self._resting = Debouncer(self, REST_SECONDS)
        self._minute: Timer | None = None
        self._watch: Timer | None = None
        self._follower: ListFollower | None = None
        """What a watched list is known up to."""
        self._first_reading = True
        self._keeping = asyncio.Lock()
        self._saw_causes = False
        self._row_before: SyncError | None = None
        """Where the cursor was when the filter was opened."""

    # -- reading the list ------------------------------------------------------------------------------

    def refresh_list(self) -> None:
        """Read the list, the journal and the org's notes again; connect first where that is still to do."""
        self.services.error_details.forget_known()
        if self.complete:
            self.journal.refresh_journal()
        self._read()

    def _read(self, follower: ListFollower | None = None) -> None:
        self._first_reading = not self.context.state.listing.errors
        reading = self.reader.next()
        self.draw_lines()
        self.run_worker(self.reader.read(reading, follower), group="reading", exclusive=True, name="reading")

    def log_in(self) -> None:
        self.context.state = self.context.state.session_expired()
        self.refresh_list()

    def toggle_watch(self) -> None:
        """Look every minute at what has changed, or stop doing so."""
        if self._watch is None:
            from syncerr_tui.stopwatch import steady_seconds
            from syncerr_tui.watch.watcher import ListFollower

            self._follower = ListFollower(steady_seconds)
            self._watch = self.set_interval(self.context.config.watch_seconds, self.look_again)
        else:
            self._watch.stop()
            self._watch = None
        self.context.state = self.context.state.watched(watching=self._watch is not None)
        self.draw_lines()

    def look_again(self) -> None:
        """Read what has changed, unless something goes on that this would disturb."""
        state = self.context.state
        if not state.reading.active and not state.run.active and not state.reading.expired:
            self._read(self._follower)

    @on(NothingChanged)
    def nothing_changed(self, event: NothingChanged) -> None:
        """The list was looked at; what colleagues have said of it is looked at too."""
        if event.reading == self.reader.reading:
            self._learn_from_the_journal()
            self.draw_lines()

    @on(Connected)
    def connected(self) -> None:
        """The org answered: its name goes on screen, and its first page is asked for."""
        self.errors.table.note("", "Reading the sync errors ...")
        welcome, self.context.welcome = self.context.welcome, ""
        if welcome:
            self.say(welcome, keep=True)
        self.draw_lines()
        self._look_for_open_runs()
        self.run_worker(self._look_back(), group="earlier starts")
        if self.context.connection is not None:
            org_id = self.context.connection.identity.org_id
            announce(self, self._layouts_recalled(org_id), "layouts")
            self.filters.recall(org_id)

    async def _layouts_recalled(self, org_id: str) -> str:
        """How this org's table was arranged before, as soon as the disk says so."""
        from syncerr_tui.host import remembered

        folder = self.services.journals.folder
        known = await asyncio.to_thread(remembered.read, folder, "layout", org_id, layouts_of, USUAL)
        if self.context.state.layouts is USUAL:
            # Else the person was faster than the disk.
            self.context.state = replace(self.context.state, layouts=known)
            self._arrange()
        return ""

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
            announce(self, self._layouts_kept(self.context.connection.identity.org_id), "layouts")

    async def _layouts_kept(self, org_id: str) -> str:
        from syncerr_tui.host import remembered

        folder = self.services.journals.folder
        async with self._keeping:  # the last one is written last
            text = layouts_text(self.context.state.layouts)
            await asyncio.to_thread(remembered.write, folder, "layout", org_id, text)
        return ""

    def _prepare(self, page: tuple[SyncError, ...]) -> None:
        """In a thread: what the first paint of rows would otherwise hold up the keys for."""
        for module in ("ui.details", "ui.cause_words", "journal.row_history"):  # what the panel is made with
            import_module(f"syncerr_tui.{module}")
        cell_len("…")
        from syncerr_tui.diagnosis.summary import summarize

        listing = self.context.state.listing.with_page(page, self.context.clock())
        for row in listing.ids[: self.size.height]:
            summarize(listing.errors[row].message, listing.errors[row].code)
        if listing.current is not None:
            self.services.error_details.explain(listing.current)

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
        await loop_at_rest(0.01)
        before, fresh = None, self.context.state
        while before is None or before.asked_for != self.context.state.asked_for:
            before = self.context.state
            fresh = await asyncio.to_thread(before.read_again, event.rows, self.context.clock())
        if event.reading == self.reader.reading:
            self._list_sorted_in(self.context.state.listing.carried_to(fresh.listing), fresh.news)

    def _list_sorted_in(self, listing: Listing, news: News) -> None:
        self.errors.table.note(
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
            self._look_for_open_runs()

    def tick(self) -> None:
        """Time has gone by: everything that is an age, and what other terminals do."""
        super().tick()
        if self.context.state.handlings.over(self.context.clock()):
            self._learn_from_the_journal()
        self._look_for_open_runs()

    async def _know_more(self, connection: OrgSession) -> None:
        """What waits for what, as the org says; and what earlier runs left of the rows."""
        await asyncio.to_thread(import_module, "syncerr_tui.ui.screens.menus")  # not behind the first key
        error = next(iter(self.context.state.listing.errors.values()), None)
        if error is not None:
            # The first explanation reads the whole catalogue: not while somebody waits for a panel or a plan.
            await asyncio.to_thread(self.services.error_details.explain, error)
        await self.services.graph_worker.ask_for_parents(connection)
        await self.services.error_history.look(self.services.graph_worker)

    @on(LeftByRunsKnown)
    def left_by_runs_known(self) -> None:
        """TWIN and UNKNOWN stay marked; what did not help twice is no advice any more."""
        self.errors.left_by_runs_known()
        if self.complete:
            self.causes.left_by_runs_known()
        self.draw_lines()

    @on(ReadingFailed)
    def reading_failed(self, event: ReadingFailed) -> None:
        """Say it in one line; what is on screen stays."""
        if event.reading != self.reader.reading:
            return
        key, expired = self.context.key_of, self.context.state.reading.expired
        then = f"{key('login')} logs in again." if expired else f"{key('refresh')} tries again."
        self.errors.table.note("", f"{event.error.title}.", event.error.hint, "", then)
        self.causes.refreshed()
        self.draw_lines()

    def _announce_new(self, new: int) -> None:
        if new and self._watch is not None:
            self.app.bell()
            self.notify(f"{plural(new, 'new sync error')}.", timeout=8, markup=False)

    # -- what the journal adds -------------------------------------------------------------------------

    @on(HandlingsChanged)
    def _learn_from_the_journal(self) -> None:
        """A run or a check has written more: everything that follows from the journal is derived anew."""
        history = self.services.error_history
        history.forget()
        self.run_worker(history.look(self.services.graph_worker), group="standing")
        self._look_for_open_runs()

    async def _look_back(self) -> None:
        """What earlier starts left: first what is switched off, then what was not sent or not proven."""
        await self.fixing.look_at_the_start()
        await self.services.interrupted_runs.look(offer=True)

    def _look_for_open_runs(self) -> None:
        looking = self.services.interrupted_runs.look(offer=False)
        self.run_worker(looking, group="open runs")

    # -- the filter and the order ----------------------------------------------------------------------

    def open_filter(self) -> None:
        """Open the line in which the filter is typed: of this pane, or of the list."""
        target = self.errors if self.pane.filter_text is None else self.pane
        self._row_before = self.context.state.listing.current
        past = self.filters.history.of(target.filter_kind)
        complete = self.filters.completions if target is self.errors else lambda _text: ()
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
        if not event.applied and self._row_before is not None:
            self.errors.show(self.context.state.listing.moved_onto(self._row_before.id))
        self._note_that_nothing_matches()
        self.pane.entered()
        self.filters.applied(self.pane.filter_kind, event.text)
        if event.save and self.pane.filter_kind == self.errors.filter_kind:
            self.action_act("save_filter")
        self.call_after_refresh(self.resyncing.show_what_is_ready)

    def _note_that_nothing_matches(self) -> None:
        if self.context.state.listing.errors:
            self.errors.table.note("", *self.errors.nothing_matches())

    def sort(self) -> None:
        from syncerr_tui.ui.screens.menus import sort_menu

        def chosen(column: Column | None) -> None:
            if column is not None:
                self.errors.sort_by(column)

        listing = self.context.state.listing
        self.app.push_screen(sort_menu(listing.sort, reverse=listing.reverse), chosen)

    # -- knowing more about an error -------------------------------------------------------------------

    @on(ListWithPanel.PanelShown)
    def panel_shown(self, event: ListWithPanel.PanelShown) -> None:
        """Who rests on an error is shown more about it than its message says."""
        error = event.error
        self._resting.cancel()
        self.services.error_history.recall(error)
        if error is not None:
            self._resting.call(lambda: self.services.error_details.look_up(error))

    @on(KnownBetter)
    def known_better(self, event: KnownBetter) -> None:
        for pane in self.panes.values():
            pane.known_better(event.error)
        self.draw_lines()  # the org was asked: it counts

    @on(LinksKnown)
    def links_known(self) -> None:
        self.errors.linked()
        if self.complete:
            self.causes.refreshed()
        self.draw_lines()

    # -- from an error to its cause, and back ----------------------------------------------------------

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
        self._once_known(self._show_alike)

    def _show_alike(self, error: SyncError, _graph: CauseGraph) -> None:
        self.go(Place.ERRORS)
        self.errors.show_alike(error.id)

    def go_to_cause(self) -> None:
        """Up to the row that this one waits for; the reason is said."""
        self._once_known(self._go_up)

    def _once_known(self, act: Callable[[SyncError, CauseGraph], object]) -> None:
        """Act on the error under the cursor, as soon as what waits for what is known."""
        chosen = self.pane.current
        if chosen is None:
            return

        def on_it(graph: CauseGraph | None) -> None:
            here = self.pane.current
            if graph is not None and here is not None and here.id == chosen.id:
                act(here, graph)

        self.fixing.once_known(on_it, "Still working out what waits for what; it follows when that is known.")

    def _go_up(self, current: SyncError, graph: CauseGraph) -> None:
        from syncerr_tui.ui.cause_words import short, why

        links = graph.links_of(current.id)
        up = next((link for link in links if link.cause is not None), None)
        if up is not None and up.cause is not None:
            self.errors.go_to(up.cause)
            self.say(f"{short(current)} waits for this one. {sentence(why(up))}")
        elif links:
            self.say(f"Its cause is not in this list. {sentence(links[0].sentence)}")
        else:
            hint = f"{self.context.key_of('info')} says which."
            self.say(f"It waits for nothing: it fails for a reason of its own. {hint}")
