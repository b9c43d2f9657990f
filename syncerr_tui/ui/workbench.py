"""The screen everything happens on: all its panes, and what the actions do.

Services work in the background and post messages; what they mean for the screen stands here, and in the
screens that this one is made of: `ActionScreen` (keys, lines), `ListScreen` (the list).

Press R, and read: `Workbench.resync`, `ResyncController.ask`, `selection.prepare`, `screens.plan.PlanDialog`,
`RunController.start`, `journals.Journals.run`, `resync.runner`; its events come back through
`RunController._follow`, `RunPresenter.take`, `Workbench.run_advanced`, `ErrorTable.show_marks`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on

from syncerr_tui.model import SyncError
from syncerr_tui.triage.state import Place
from syncerr_tui.ui.context import WANTS_SETUP
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.error_details_service import addresses
from syncerr_tui.ui.fix_controller import ResyncWanted, SafeguardsLeftOff
from syncerr_tui.ui.guided_controller import GuidedChanged, PersonAsked
from syncerr_tui.ui.interrupted_runs import OpenRunsKnown, PlanRecalled
from syncerr_tui.ui.list_screen import ListScreen
from syncerr_tui.ui.list_with_panel import Handlers, ListWithPanel
from syncerr_tui.ui.messages import JournalGrew, JournalWanted, Verified, announce
from syncerr_tui.ui.run_controller import PAUSING, STOPPING, AppLeft, RunAdvanced, RunOver
from syncerr_tui.ui.services import Services
from syncerr_tui.ui.widgets.filter_bar import FilterBar

if TYPE_CHECKING:
    from syncerr_tui.ui.diffing_app import DiffingApp
    from syncerr_tui.ui.screens.record import RecordViewer

_RUN_LINES_PER_SECOND = 2
"""How often the progress line is written at most."""


class Workbench(ListScreen, inherit_bindings=False):
    """All panes, and what the actions do."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._run_line = Debouncer(self, 1 / _RUN_LINES_PER_SECOND)
        self._waiting_questions: list[Callable[[], object]] = []

    @cached_property
    def records(self) -> RecordViewer:
        from syncerr_tui.ui.screens.record import RecordViewer

        return RecordViewer(self.services, self)

    def on_mount(self) -> None:
        """Draw first, connect then: the first frame waits for nothing."""
        # Nobody knows how long we have slept.
        self.app.app_resume_signal.subscribe(self, lambda _: self.tick())
        self.errors.table.note("", "Connecting to the org ...")
        self.draw_lines()
        self.errors.entered()
        self.call_after_refresh(self._after_the_first_frame)

    async def _after_the_first_frame(self) -> None:
        await asyncio.to_thread(_get_ready)
        for pane in self._other_panes():
            pane.display = False
            self.panes[pane.place] = pane
            await self.query_one("#panes").mount(pane)
        await self.mount(FilterBar(), after="#panes")
        self.complete = True
        self.refresh_list()

    def _other_panes(self) -> list[ListWithPanel]:
        """What stands behind the list."""
        from syncerr_tui.ui.causes_pane import CausesPane
        from syncerr_tui.ui.guided_pane import GuidedPane
        from syncerr_tui.ui.journal_pane import JournalPane

        services = self.services
        causes = CausesPane(self.context, self.errors, services.graph_worker, services.describe_cause)
        journal = JournalPane(self.context, services.journals, services.interrupted_runs, services.describe)
        guided = GuidedPane(self.context, lambda: services.guided, services.describe)
        return [causes, journal, guided]

    # -- from place to place ---------------------------------------------------------------------------

    @on(JournalWanted)
    def journal_wanted(self, event: JournalWanted) -> None:
        """The Journal in front, with what was asked for."""
        self.go(Place.JOURNAL)
        self.journal.filter_by(event.filter_text)

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

    def show_news(self) -> None:
        """What has happened since the person looked."""
        from syncerr_tui.ui.screens.news import NewsViewer

        NewsViewer(self.services, self, self.errors).open()

    # -- taking something out of the app ---------------------------------------------------------------

    def copy(self) -> None:
        """One of the things that a person copies: of what is selected, else of what is under the cursor."""
        from syncerr_tui.ui.clipboard_actions import copy_one_of

        if errors := self._taken_along():
            copy_one_of(self, self.context, errors)

    def say_about(self) -> None:
        """A note, who works on it, a ticket, a snooze: of the selection, the row, or the whole cause."""
        from syncerr_tui.ui.screens.handling import HandlingController

        handling = HandlingController(self.services, self)
        in_causes = self.context.state.place is Place.CAUSES and not self.context.state.listing.selected
        node = self.causes.node if in_causes else None
        cause = node.cause if node is not None and not node.row else None
        if cause is not None:
            handling.open(self.causes.failing, cause)
        elif errors := self._taken_along():
            handling.open(errors, None)

    def export(self) -> None:
        from syncerr_tui.triage.columns import FIELDS
        from syncerr_tui.triage.export import Format
        from syncerr_tui.ui.clipboard_actions import exported
        from syncerr_tui.ui.screens.menus import export_menu

        listing = self.context.state.listing
        fields = [column.name for column, _ in self.errors.columns_here] or FIELDS

        def chosen(form: Format | None) -> None:
            if form is not None:
                folder = self.services.journals.folder / "exports"
                announce(self, exported(self.context, listing, fields, form, folder), "exporting")

        self.app.push_screen(export_menu(len(listing.ids)), chosen)

    def report(self) -> None:
        """Hand over: what was open, what was proven, what is left."""
        from syncerr_tui.ui.clipboard_actions import reported

        self.say("Writing the report ...")
        announce(self, reported(self.services), "reporting")

    @property
    def row(self) -> SyncError:
        """The error under the cursor, for actions that are disabled where there is none."""
        error = self.pane.current
        assert error is not None
        return error

    def copy_error(self) -> None:
        from syncerr_tui.ui.clipboard_actions import copy_text
        from syncerr_tui.ui.details import as_text

        error = self.context.state.listing.current
        if error is not None:
            copy_text(self, self.context, as_text(error, self.context.clock()), "the whole error")

    def browse(self) -> None:
        from syncerr_tui.ui.clipboard_actions import open_one_of

        error = self.pane.current
        if error is not None:
            twins = self.services.error_history.twin_pages(error)
            pages = [(f"Record {number} of the TWIN", page) for number, (_, page) in enumerate(twins, 1)]
            pages += addresses(self.services.error_details.explain(error))
            open_one_of(self, self.context, pages)

    # -- re-syncing ------------------------------------------------------------------------------------

    @on(ResyncWanted)
    def resync(self) -> None:
        """Look at the plan, then send it, or queue it behind what is being sent."""
        self.resyncing.ask(self.pane.chosen, self.context.state.listing.hidden_selected)
        self.draw_lines()

    @on(RunAdvanced)
    def run_advanced(self) -> None:
        """Show the states of the rows soon, and the line of the run some times a second."""
        view = self.services.runs.view
        if view is None:
            return
        self.errors.show_run(view.marks, view.reasons, self.context.state.proven)
        self.causes.marks_changed()
        self._run_line.soon(self._draw_run_line)

    def _draw_run_line(self) -> None:
        """What is proven is counted with it: at every verdict a set of so many rows would cost too much."""
        view = self.services.runs.view
        if view is not None and len(view.left) != len(self.context.state.proven):
            self.errors.show_run(view.marks, view.reasons, frozenset(view.left))
        self.draw_lines()

    @on(JournalGrew)
    def journal_grew(self) -> None:
        self.journal.refresh_journal()

    @on(PersonAsked)
    def person_asked(self, event: PersonAsked) -> None:
        """Something is to be pressed in Salesforce: go where it stands, or say which key leads there."""
        if event.first and self.fixing.may_interrupt:
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
            self.errors.show_run(view.marks, view.reasons, frozenset(view.left))
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

    # -- fixing what blocks ----------------------------------------------------------------------------

    def fix(self) -> None:
        """Look at what would remove the blocker: of every selected cause, else of the one here."""
        selected = self.context.state.listing.selected and not self.context.state.panel_open
        self.fixing.fix(self.pane.chosen if selected else self.pane.failing, together=bool(selected))

    @on(SafeguardsLeftOff)
    def safeguards_left_off(self) -> None:
        """Offer to put back what an earlier start left off."""
        self._ask_once_free(self.fixing.show_safeguards)

    def _ask_once_free(self, ask: Callable[[], object]) -> None:
        """Ask what nobody asked for: behind a dialog it waits until that is closed."""
        if self._may_interrupt:
            ask()
        elif not self.is_active:
            self._waiting_questions.append(ask)

    def on_screen_resume(self) -> None:
        waiting, self._waiting_questions = self._waiting_questions, []
        for ask in waiting:
            self._ask_once_free(ask)

    # -- what an earlier start left open ---------------------------------------------------------------

    @on(OpenRunsKnown)
    def open_runs_known(self, event: OpenRunsKnown) -> None:
        """Say what is open in the journal, and ask what is to become of it."""
        runs = self.services.interrupted_runs
        self.journal.open_runs_known()
        self.run_worker(self.services.guided.look(runs.waiting), group="guided")
        loss = runs.loss()
        if loss:
            self.notify(loss, severity="warning", timeout=30, markup=False)
        if not event.offer:
            return
        others = runs.others()
        if others:
            self.say(others)
        if runs.waiting:
            self._ask_once_free(partial(self._ask_to_resume, late=True))

    def resume(self) -> None:
        """What to do with an interrupted run: the one under the cursor of the Journal, else the newest."""
        run = self.journal.run if self.context.state.place is Place.JOURNAL else None
        self._ask_to_resume(run.id if run else None)

    def _ask_to_resume(self, run_id: str | None = None, *, late: bool = False) -> None:
        from syncerr_tui.ui.screens.resync import ResumeAnswer, resume_question

        context, runs = self.context, self.services.interrupted_runs
        unfinished = runs.find(run_id)
        if context.connection is None or unfinished is None:
            return

        def answered(answer: ResumeAnswer | None) -> None:
            if answer is not None and not self.context.state.run.active:
                mode, again = answer
                recalling = runs.recall_plan(unfinished.run.id, mode, again=again)
                self.run_worker(recalling, group="resuming", exclusive=True)

        question = resume_question(
            unfinished,
            context.connection.identity,
            context.clock(),
            others=len(runs.waiting) - 1,
            may_send=not context.read_only,
        )
        question.late = late
        self.app.push_screen(question, answered)

    @on(PlanRecalled)
    def plan_recalled(self, event: PlanRecalled) -> None:
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
        self.app.exit()

    def set_up(self) -> None:
        """Leave the demo, after a question; whoever opened the app goes on with the guided set-up."""
        from syncerr_tui.ui.screens.resync import leave_demo_question

        leave = partial(self.app.exit, return_code=WANTS_SETUP)
        self.app.push_screen(leave_demo_question(), lambda yes: leave() if yes else None)

    def suspend(self) -> None:
        """Back to the shell; after a question where a re-sync would sleep too, not while a fix is made."""
        from syncerr_tui.ui.screens.resync import SLEEP_QUESTION, sleep_question

        app, run = cast("DiffingApp[int]", self.app), self.context.state.run

        def answered(yes: bool | None) -> None:
            if yes:
                app.sleep()

        if self.services.fixes.applying:
            self.notify("A fix is being made: wait for it before you suspend.", markup=False)
        elif not run.active:
            app.sleep()
        elif app.screen.id != SLEEP_QUESTION:
            app.push_screen(sleep_question(self.fixing.off_words, paused=run.paused), answered)

    HANDLERS: ClassVar[Handlers[Workbench]] = {
        "count": lambda bench: bench.say("count: type the digits, then the key: 10j moves ten rows down"),
        "restore_selection": lambda bench: bench.errors.show(bench.context.state.listing.restored()),
        "errors": lambda bench: bench.go(Place.ERRORS),
        "causes": ListScreen.show_causes,
        "journal": lambda bench: bench.go(Place.JOURNAL),
        "guided": lambda bench: bench.go(Place.GUIDED),
        "alike": ListScreen.show_alike,
        "go_to_cause": ListScreen.go_to_cause,
        "back": back,
        "filter": ListScreen.open_filter,
        "only_like": lambda bench: bench.filters.only_like(bench.row),
        "raw": lambda bench: bench.records.open(bench.row),
        "pager": lambda bench: bench.records.show_in("pager", bench.row),
        "editor": lambda bench: bench.records.show_in("editor", bench.row),
        "count_by": lambda bench: bench.filters.count_by(),
        "save_filter": lambda bench: bench.filters.save_filter(),
        "sort": ListScreen.sort,
        "guide": ListScreen.show_guide,
        "help": ListScreen.show_help,
        "palette": ListScreen.show_palette,
        "refresh": ListScreen.refresh_list,
        "watch": ListScreen.toggle_watch,
        "since": show_news,
        "login": ListScreen.log_in,
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
        # Something else wrote on this terminal.
        "redraw": lambda bench: cast("DiffingApp[int]", bench.app).redraw(),
        "suspend": suspend,
        "quit": leave,
    }


def _get_ready() -> None:
    """In a thread, so that keys are read meanwhile: read the tables that a row's words are made with, and
    import what stands behind the list.
    """
    from syncerr_tui.diagnosis.summary import summarize

    summarize("", None)
    for pane in ("causes", "guided", "journal"):
        import_module(f"syncerr_tui.ui.{pane}_pane")
