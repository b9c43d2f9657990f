"""The screen everything happens on: lines around, one pane in front, and the way from a key to what it does.

A key asks for an action of the table. The workbench looks whether it can run, says the reason where it
cannot, and else calls `do_<id>` of the pane in front, or its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from syncerr_tui.errors import BadInputError, SyncErrError
from syncerr_tui.host.paths import Paths
from syncerr_tui.triage.actions import BY_ID, Action, AppState, Place, available
from syncerr_tui.triage.sort import SortKey
from syncerr_tui.ui import chrome
from syncerr_tui.ui.desk import WANTS_SETUP, Desk
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.explaining import REST_SECONDS, KnownBetter, NotesBroken, SessionEnded
from syncerr_tui.ui.keys import bindings
from syncerr_tui.ui.linking import Linking
from syncerr_tui.ui.panes import Pane
from syncerr_tui.ui.reading import Connected, ListRead, PageCame, Reader, ReadingFailed
from syncerr_tui.ui.widgets.filter_bar import FilterBar
from syncerr_tui.ui.widgets.line import Line
from syncerr_tui.ui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.ui.app import SyncErrApp
    from syncerr_tui.ui.causes_pane import CausesPane
    from syncerr_tui.ui.journal_pane import JournalPane

NARROWEST, LOWEST = 60, 15
"""The smallest window the list is drawn in."""
WATCH_SECONDS = 60.0


class Workbench(Screen[None], inherit_bindings=False):
    """Title, tabs, the pane in front, and the lines below it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    AUTO_FOCUS = ""

    def __init__(
        self,
        desk: Desk,
        errors: ErrorsPane,
        others: Callable[[ErrorsPane], Sequence[Pane]],
        linking: Linking,
    ) -> None:
        super().__init__()
        self.desk = desk
        self.linking = linking
        self._panes: dict[Place, Pane] = {errors.place: errors}
        self._others = others
        """Makes what stands behind the list, once the first frame is drawn."""
        self.complete = False
        """Whether all panes stand. What is typed before that is dropped: a pane would be missing."""
        self.place = Place.ERRORS
        self.reader = Reader(desk, self.post_message)
        self._rows_so_far = 0
        self._fresh_start = True
        self._read_at: datetime | None = None
        self._known: frozenset[str] | None = None
        self._said: tuple[str, str] | None = None
        self._saw_causes = False
        self._minute: Timer | None = None
        self._watch: Timer | None = None
        self._rest: Timer | None = None

    def compose(self) -> ComposeResult:
        """Seven lines and the panes."""
        ellipsis = self.desk.ellipsis
        yield Line(ellipsis=ellipsis, id="too-small")
        yield Line(ellipsis=ellipsis, id="title").add_class("-bar")
        yield Line(ellipsis=ellipsis, id="tabs")
        with Container(id="panes"):
            yield self.pane
        yield Line(ellipsis=ellipsis, id="trouble")
        yield Line(ellipsis=ellipsis, id="run")
        yield Line(ellipsis=ellipsis, cut="right", id="utility").add_class("-bar")
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
            self._panes[pane.place] = pane
            await self.query_one("#panes", Container).mount(pane)
        bar = FilterBar(kept=self._filter_kept, given_up=self._filter_given_up)
        await self.mount(bar, after="#panes")
        self.complete = True
        self.do_refresh()

    # -- parts -----------------------------------------------------------------------------------------

    @property
    def errors(self) -> ErrorsPane:
        """The list."""
        return cast(ErrorsPane, self._panes[Place.ERRORS])

    @property
    def causes(self) -> CausesPane:
        """The causes."""
        return cast("CausesPane", self._panes[Place.CAUSES])

    @property
    def journal(self) -> JournalPane:
        """What was re-synced."""
        return cast("JournalPane", self._panes[Place.JOURNAL])

    @property
    def pane(self) -> Pane:
        """The pane in front."""
        return self._panes[self.place]

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
        desk = self.desk
        state = AppState(
            place=self.place,
            environment=desk.environment,
            connected=desk.connection is not None,
            session_expired=desk.expired,
            reading=self.reader.active,
            read_only=desk.read_only,
            running=self.host.runs.active,
            paused=self.host.runs.paused,
            interrupted=len(self.host.resuming.waiting),
        )
        return self.pane.facts(state)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What can be asked for here."""
        present = available(self.place, read_only=self.desk.read_only, demo=self.desk.is_demo)
        return tuple(action for action in present if self.handler(action) is not None)

    def handler(self, action: Action) -> Callable[[], object] | None:
        """What does this action here: the pane in front, else the workbench."""
        for part in (self.pane, self):
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
            return
        reason = action.why_disabled(self.state)
        if reason is not None:
            self.say(f"{action.label}: {reason}")
            return
        handler()

    # -- what the lines say ----------------------------------------------------------------------------

    def say(self, line: str, style: str = "strong") -> None:
        """One line in place of the keys, until the next key."""
        self._said = (line, style)
        self.draw_lines()

    def trouble(self, error: SyncErrError) -> None:
        """Something does not work: say so until something does."""
        self.desk.trouble = error
        self.draw_lines()

    def silence(self) -> None:
        """Show the keys again."""
        if self._said is not None:
            self._said = None
            self.draw_lines()

    def draw_lines(self) -> None:
        """Say what is true now. A line that reads the same is not written."""
        desk, width = self.desk, self.size.width
        unicode = desk.terminal.unicode
        connection = desk.connection
        state = self.state
        self.line("title").show(
            *chrome.title(
                connection.identity if connection else None,
                connection.usage if connection else None,
                read_only=desk.read_only,
                width=width,
            )
        )
        names = [(pane.tab, place is self.place) for place, pane in self._panes.items()]
        self.line("tabs").show(*chrome.tabs(names, self.pane.tells, unicode=unicode))
        self._draw_utility(state)
        if self._said is not None:
            self.line("keys").show([(f" {self._said[0]}", self._said[1])])
        else:
            self.line("keys").show(chrome.footer(self.actions, state, unicode=unicode))
        trouble = desk.trouble
        self.line("trouble").show([(f" {trouble.title}. ", "bad"), (trouble.hint, "text")] if trouble else [])
        self.line("trouble").set_class(trouble is not None, "-on")
        run = self.host.runs.line
        self.line("run").show(run)
        self.line("run").set_class(bool(run), "-on")

    def _draw_utility(self, state: AppState) -> None:
        reading = ""
        if self.reader.active:
            reading = "connecting ..." if self.desk.connection is None else "reading ..."
            if self._rows_so_far and self.desk.connection is not None:
                total = self.desk.connection.total
                of = f" of {total:,}" if total else ""
                reading = f"reading {self._rows_so_far:,}{of} ..."
        self.line("utility").show(
            *chrome.utility(
                self.errors.listing,
                state.hidden_selected,
                causes=self.linking.found.count,
                unicode=self.desk.terminal.unicode,
                read_at=self._read_at,
                now=self.desk.clock(),
                reading=reading,
                watching=self._watch is not None,
            )
        )

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

    def do_refresh(self) -> None:
        """Read the list and the house notes again; connect first where that is still to do."""
        self.host.explaining.begin_anew()
        self._read_again()

    def _read_again(self) -> None:
        self._rows_so_far = 0
        self._fresh_start = not self.errors.listing.errors
        self.desk.trouble = None
        reading = self.reader.next()
        self.draw_lines()
        self.app.run_worker(self.reader.read(reading), group="reading", exclusive=True, name="reading")

    def do_login(self) -> None:
        """Ask for a new session."""
        self.desk.expired = True
        self.do_refresh()

    @on(Connected)
    def connected(self) -> None:
        """The org answered: its name goes on screen, and its first page is asked for."""
        self.errors.note("", "Reading the sync errors ...")
        welcome, self.desk.welcome = self.desk.welcome, ""
        if welcome:
            self.say(welcome)
        self.draw_lines()
        self.host.resuming.connected()

    @on(PageCame)
    def page_came(self, event: PageCame) -> None:
        """Rows go on screen as they come, the first time; a refresh replaces them at its end."""
        if event.reading != self.reader.reading:
            return
        self._rows_so_far = event.so_far
        if self._fresh_start:
            listing = self.errors.listing.with_page(event.rows, self.desk.clock())
            self.errors.show(listing, fresh=event.so_far == len(event.rows))
        self.draw_lines()
        self.call_after_refresh(event.drawn.set)

    @on(ListRead)
    def list_read(self, event: ListRead) -> None:
        """The whole truth: what is not in it has left the list."""
        if event.reading != self.reader.reading:
            return
        self._read_at = event.at
        self.errors.note(
            "", "No unresolved sync errors.", "", "Everything the website sent is in Salesforce."
        )
        self.host.runs.list_was_read()
        listing = self.errors.listing.refreshed(event.rows, self.desk.clock())
        self._tell_of_new(frozenset(listing.errors))
        self.errors.show(listing, fresh=not self._fresh_start)
        if listing.errors and not listing.ids:
            self._say_nothing_matches()
        self._tick()
        self.draw_lines()
        if self.desk.connection is not None:
            asking = self.linking.ask_for_parents(self.desk.connection)
            self.app.run_worker(asking, group="parents", exclusive=True, name="parents")

    @on(ReadingFailed)
    def reading_failed(self, event: ReadingFailed) -> None:
        """Say it in one line; what is on screen stays."""
        if event.reading != self.reader.reading:
            return
        self.desk.trouble = event.error
        key = "L logs in again" if self.desk.expired else "r tries again"
        self.errors.note("", event.error.title + ".", event.error.hint, "", f"{key}.")
        self.draw_lines()

    def _tell_of_new(self, ids: frozenset[str]) -> None:
        known, self._known = self._known, ids
        fresh = len(ids - known) if known is not None else 0
        if fresh and self._watch is not None:
            self.app.bell()
            self.notify(f"{plural(fresh, 'new sync error')}.", timeout=8, markup=False)

    def _tick(self) -> None:
        """Once a minute "refreshed ... ago" reads differently; over a slow line it waits for the next key."""
        if self._minute is None and not self.desk.terminal.slow:
            self._minute = self.set_interval(60, self.draw_lines)

    def do_watch(self) -> None:
        """Read again every minute, or stop doing so."""
        if self._watch is None:
            self._watch = self.set_interval(WATCH_SECONDS, self._look_again)
        else:
            self._watch.stop()
            self._watch = None
        self.draw_lines()

    def _look_again(self) -> None:
        if not self.reader.active and not self.host.runs.active and not self.desk.expired:
            self._read_again()

    # -- knowing more about an error -------------------------------------------------------------------

    @on(Pane.Looked)
    def looked(self, event: Pane.Looked) -> None:
        """Whoever rests on an error wants to know more about it than its message says."""
        if self._rest is not None:
            self._rest.stop()
        error = event.error
        self.host.remembering.recall(error)
        if error is not None:
            self._rest = self.set_timer(REST_SECONDS, lambda: self.host.explaining.look_up(error))

    @on(KnownBetter)
    def known_better(self, event: KnownBetter) -> None:
        """Tell it."""
        for pane in self._panes.values():
            pane.known_better(event.error)

    @on(NotesBroken)
    def notes_broken(self, event: NotesBroken) -> None:
        """Say where; the guidance does without them."""
        self.say(f"House notes: {event.trouble.line}", "bad")

    @on(SessionEnded)
    def session_ended(self, event: SessionEnded) -> None:
        """As when reading the list."""
        self.desk.expired = True
        self.desk.trouble = event.trouble
        self.draw_lines()

    # -- the filter bar --------------------------------------------------------------------------------

    def do_filter(self) -> None:
        """Open the line in which the filter is typed."""
        for bar in self.query(FilterBar):
            bar.ask(self.filtered.filter_text or "", self.filtered.filter_hint)

    @property
    def filtered(self) -> Pane:
        """The pane that is filtered here: most show the list, and share its filter."""
        return self.errors if self.pane.filter_text is None else self.pane

    @on(FilterBar.Typed)
    def filter_typed(self, event: FilterBar.Typed) -> None:
        """Every letter filters."""
        if not self.query_one(FilterBar).has_class("-on"):
            return
        wrong = self.filtered.filter_as_typed(event.text)
        self.query_one(FilterBar).answer(wrong, wrong=bool(wrong))
        self._say_nothing_matches()

    def _filter_kept(self, text: str) -> None:
        """Back to the list with the filter in place."""
        try:
            self.filtered.filter_by(text)
        except BadInputError as error:
            self.query_one(FilterBar).ask_again(error.line)
            return
        self._filter_closed()

    def _filter_given_up(self, before: str) -> None:
        """Back to the list as it was before."""
        self.filtered.filter_by(before)
        self._filter_closed()

    def _filter_closed(self) -> None:
        self._say_nothing_matches()
        self.query_one(FilterBar).close()
        self.pane.entered()

    def _say_nothing_matches(self) -> None:
        if self.errors.listing.errors:
            self.errors.note("", "Nothing matches the filter.", "", "esc shows all rows again.")

    # -- other things a person can ask for -------------------------------------------------------------

    def do_back(self) -> None:
        """One step back; the result of a run goes before the filter and the selection."""
        done = (not self.pane.is_open and self.host.runs.dismiss()) or self.pane.step_back()
        if not done and self.place is Place.JOURNAL:
            self.go(Place.ERRORS)
        elif not done:
            # What is left to take back, the filter and the selection, is the list's, wherever one stands.
            self.errors.step_back()
        self.causes.refreshed()
        self.draw_lines()

    def do_sort(self) -> None:
        """Ask for the column."""
        from syncerr_tui.ui.screens.menus import SortMenu

        listing = self.errors.listing

        def chosen(key: SortKey | None) -> None:
            if key is not None:
                self.errors.sort_by(key)

        self.app.push_screen(SortMenu(listing.sort, reverse=listing.reverse), chosen)

    def do_errors(self) -> None:
        """The list in front."""
        self.go(Place.ERRORS)

    def do_causes(self) -> None:
        """The causes in front: on that of the row one comes from; straight after the start, on the worst."""
        if self.place is not Place.CAUSES:
            listing = self.errors.listing
            untouched = not (listing.cursor or listing.selected or listing.filter)
            current = None if untouched and not self._saw_causes else self.errors.current
            self.causes.came_from(current.id if current is not None else None)
            self._saw_causes = True
        self.go(Place.CAUSES)

    def do_journal(self) -> None:
        """What was re-synced in front."""
        self.go(Place.JOURNAL)

    def do_resume(self) -> None:
        """What an earlier start left open."""
        self.host.resuming.ask(
            self.journal.run.id if self.place is Place.JOURNAL and self.journal.run else None
        )

    @on(Pane.Told)
    def pane_told(self, event: Pane.Told) -> None:
        """What came of something that was asked for there."""
        self.say(event.line)

    @on(Pane.Failed)
    def pane_failed(self, event: Pane.Failed) -> None:
        """What the pane shows cannot be read."""
        self.trouble(event.error)

    def do_alike(self) -> None:
        """From a cause to all its rows in the list."""
        current = self.pane.current
        if current is not None:
            self.go(Place.ERRORS)
            self.errors.show_alike(current.id)

    def do_go_to_cause(self) -> None:
        """Up to the row that this one waits for; what is believed, and why, is said."""
        from syncerr_tui.ui.cause_words import short, why

        current, graph = self.errors.current, self.linking.graph
        if current is None or graph is None:
            self.say("Still working out what waits for what.")
            return
        links = graph.links_of(current.id)
        up = next((link for link in links if link.cause is not None), None)
        if up is not None and up.cause is not None:
            self.errors.go_to(up.cause)
            self.say(f"{short(current)} waits for this one. {why(up)}")
        elif links:
            self.say(f"Its cause is not in this list. {links[0].detail}")
        else:
            self.say("It waits for nobody: it fails for a reason of its own. enter says which.")

    def go(self, place: Place) -> None:
        """Bring a pane to the front."""
        if place not in self._panes:
            return
        self.place = place
        for where, pane in self._panes.items():
            pane.display = where is place
        self.pane.entered()
        self.draw_lines()

    def do_guide(self) -> None:
        """All codes as a manual, opened on the code of the row under the cursor."""
        from syncerr_tui.ui.screens.guide import GuideScreen

        error = self.pane.current
        code = self.host.explaining.explain(error).diagnosis.root_code if error else None
        self.app.push_screen(GuideScreen(self.host, code))

    def do_help(self) -> None:
        """The keys that work here."""
        from syncerr_tui.ui.screens.help import HelpScreen

        self.app.push_screen(
            HelpScreen(self.pane.tab, self._with_reasons(), unicode=self.desk.terminal.unicode)
        )

    def do_palette(self) -> None:
        """Every action by its name."""
        from syncerr_tui.ui.screens.menus import Palette

        def chosen(action_id: str | None) -> None:
            if action_id is not None:
                self.action_act(action_id)

        self.app.push_screen(Palette(self._with_reasons(), unicode=self.desk.terminal.unicode), chosen)

    def _with_reasons(self) -> list[tuple[Action, str | None]]:
        state = self.state
        return [(action, action.why_disabled(state)) for action in self.actions]

    def do_redraw(self) -> None:
        """Draw everything anew: something else wrote on this terminal."""
        self.refresh(layout=True)
        self.app.refresh(layout=True)

    def do_copy_id(self) -> None:
        """The Salesforce ID of the row under the cursor."""
        error = self.errors.listing.current
        if error is not None and error.salesforce_id:
            self._copy(error.salesforce_id)

    def do_copy_error(self) -> None:
        """The whole error."""
        from syncerr_tui.ui.details import as_text

        error = self.errors.listing.current
        if error is not None:
            self._copy(as_text(error, self.desk.clock(), self.desk.zone))

    def _copy(self, text: str) -> None:
        from syncerr_tui.host import clipboard

        write = self.host.write_to_terminal

        def copy() -> None:
            try:
                done = clipboard.copy(
                    text, environ=os.environ, write=write, fallback=Paths.of().cache / "copied.txt"
                )
            except SyncErrError as error:
                self.app.call_from_thread(self.say, error.line, "bad")
            else:
                self.app.call_from_thread(self.say, f"{done.line}.")

        self.app.run_worker(copy, thread=True, group="copying", name="copying")

    def do_browse(self) -> None:
        """The address of the next step."""
        from syncerr_tui.ui.browsing import Browsing
        from syncerr_tui.ui.explaining import addresses

        error = self.pane.current
        if error is not None:
            Browsing(self.host, self.say).ask(addresses(self.host.explaining.explain(error)))

    def do_resync(self) -> None:
        """Look at the plan, then send it."""
        self.host.runs.ask(self.pane.chosen, self.state.hidden_selected)

    def do_cancel(self) -> None:
        """Stop the run: what is on its way is waited for."""
        self.host.runs.cancel()

    def do_pause(self) -> None:
        """Hold the run, or let it go on."""
        self.host.runs.pause()

    def do_fix_demo(self) -> None:
        """Demo org only: show what would be done, and do it."""
        from syncerr_tui.ui.demo_fixing import DemoFixing

        errors = self.pane.failing
        fixes = getattr(self.desk.connection, "demo_fixes", None)
        if errors and fixes is not None:
            self.app.run_worker(DemoFixing(self.host, fixes).run(errors), group="fixing", exclusive=True)

    def do_setup(self) -> None:
        """Leave the demo; whoever opened the app goes on with the guided set-up."""
        self.app.exit(return_code=WANTS_SETUP)

    def do_quit(self) -> None:
        """Leave; ask while a run is under way."""
        runs = self.host.runs
        if not runs.active or runs.leaving:
            self.app.exit()
            return

        from syncerr_tui.ui.screens.resync import QuitDialog

        def answered(leave: bool | None) -> None:
            if leave:
                runs.leave()

        self.app.push_screen(QuitDialog(runs.plain), answered)
