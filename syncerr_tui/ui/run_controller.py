"""The one re-sync that may be under way: from the question to the result line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, cast

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import EventType, SyncError
from syncerr_tui.ui.planning import Planner, Prepared, prepare
from syncerr_tui.ui.widgets.line import Part

if TYPE_CHECKING:
    # Plans and events are needed when the first run is asked for, not for the first frame.
    from syncerr_tui.resync.events import AskPerson, RunEvent
    from syncerr_tui.resync.journal import Journal
    from syncerr_tui.resync.plan import LeftOut, Plan
    from syncerr_tui.resync.runner import ResumeMode
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.ui.app import SyncErrApp
    from syncerr_tui.ui.run_presenter import RunPresenter
    from syncerr_tui.ui.screens.plan import PlanDialog

_STOPPING = "Stopping: what is on its way is waited for."
_PAUSING = "Pausing after what is on its way. P goes on."
_LINES_PER_SECOND = 2
"""How often the progress line is written at most."""


_AT_ONCE = 2000
"""Rows that are planned between two key presses; more are planned in the background."""


class Run(Protocol):
    """A run of `syncerr_tui.resync.runner`, as the screen needs it."""

    failure: SyncErrError | None
    """What stopped it, where something did."""

    def run(self) -> AsyncIterator[RunEvent]:
        """What happens, to the last event."""
        ...

    def cancel(self) -> None:
        """Send nothing more; wait for what is on its way."""
        ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def answer(self, *, pressed: bool) -> None:
        """The person's answer to `AskPerson`."""
        ...


class RunMaker(Protocol):
    """Makes runs. `syncerr_tui.ui.journals.Journals` does."""

    def run(
        self,
        plan: Plan,
        connection: OrgSession,
        *,
        reason: str = "",
        resume: str | None = None,
        mode: ResumeMode | None = None,
        again: frozenset[str] = frozenset(),
    ) -> Run:
        """A run of this plan, or of what is left of an interrupted one."""
        ...


class RunController:
    """Asks, starts, shows and stops a run. One at a time."""

    def __init__(self, app: SyncErrApp, maker: RunMaker) -> None:
        self._app = app
        self._maker = maker
        self._leaving = False
        self._view: RunPresenter | None = None
        self._run: Run | None = None
        self._line_due = False

    # -- what it says ----------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether a run is under way."""
        return self._run is not None

    @property
    def paused(self) -> bool:
        """Whether it is held."""
        return self._view is not None and self._view.paused

    @property
    def line(self) -> list[Part]:
        """Progress or result; empty where there is neither."""
        return self._view.line(self._app.size.width) if self._view else []

    @property
    def plain(self) -> str:
        """The same as text."""
        return self._view.plain if self._view else ""

    @property
    def view(self) -> RunPresenter | None:
        """What the last run said, until it is dismissed."""
        return self._view

    # -- asking and starting ---------------------------------------------------------------------------

    def ask(self, chosen: Sequence[SyncError], hidden: int = 0) -> None:
        """Show what would be sent, and start it where the person says so.

        Args:
            chosen: What the person asks for. What these wait for comes along.
            hidden: Selected, but hidden by the filter.
        """
        connection, graph_worker = self._app.context.connection, self._app.graph_worker
        if connection is None or self.active or not (chosen or hidden):
            return
        if graph_worker.graph is not None and len(chosen) <= _AT_ONCE:
            prepared = prepare(graph_worker.graph, chosen, hidden)
            self._show(connection, prepared, self._planner(connection, prepared))
            return
        self._app.bench.say("Working out what goes first ...")
        self._app.run_worker(self._ask_later(connection, chosen, hidden), group="asking", exclusive=True)

    async def _ask_later(self, connection: OrgSession, chosen: Sequence[SyncError], hidden: int) -> None:
        prepared = await self._app.graph_worker.lend(lambda graph: prepare(graph, chosen, hidden))
        planner = self._planner(connection, prepared)
        await asyncio.to_thread(planner, ramp=False)
        self._app.bench.silence()
        if not self.active:
            self._show(connection, prepared, planner)

    def _planner(self, connection: OrgSession, prepared: Prepared) -> Planner:
        return Planner(
            connection.identity,
            connection.method,
            self._app.context.clock(),
            prepared,
            connection.profile.patience,
        )

    def _show(self, connection: OrgSession, prepared: Prepared, planner: Planner) -> None:
        from syncerr_tui.ui.screens.plan import PlanDialog

        dialog = PlanDialog(
            lambda ramp: planner(ramp=ramp),
            prepared.asked,
            connection.identity,
            connection.method,
            reason_required=connection.profile.reason_required,
        )

        def answered(yes: bool | None) -> None:
            if yes and not self.active:
                self.start(dialog.plan, connection, reason=dialog.reason, again=dialog.again)

        self._app.push_screen(dialog, answered)
        self._app.run_worker(self._remember(connection, dialog, planner), group="asking", exclusive=True)

    async def _remember(self, connection: OrgSession, dialog: PlanDialog, planner: Planner) -> None:
        """Tell the dialog what the journal knows: rows of other terminals, and tries that changed nothing."""
        from syncerr_tui.resync import doubt, recall

        errors = [row.error for row in dialog.plan.rows]

        def question(
            journal: Journal,
        ) -> tuple[tuple[LeftOut, ...], tuple[str, ...], frozenset[str], str]:
            ids = [error.id for error in errors]
            unsettled, words = doubt.in_doubt(journal, errors), doubt.doubt_words(journal, errors)
            return recall.held(journal, ids), recall.unchanged(journal, errors), unsettled, words

        try:
            taken, again, unsettled, warning = await self._app.journals.ask(
                connection.identity.org_id, question
            )
        except SyncErrError as error:
            self._app.bench.trouble(error)
            return
        planner.held = taken
        if len(errors) > _AT_ONCE:
            # Both are at hand before anybody asks for them.
            await asyncio.to_thread(planner, ramp=False)
            await asyncio.to_thread(planner, ramp=True)
        if taken or again or unsettled:
            words = recall.unchanged_words(again, len(errors))
            dialog.learn([line for line in (words, warning) if line], unsettled)

    def start(
        self,
        plan: Plan,
        connection: OrgSession,
        *,
        reason: str = "",
        resume: str | None = None,
        mode: ResumeMode | None = None,
        again: frozenset[str] = frozenset(),
    ) -> None:
        """Run the plan in the background.

        Args:
            plan: What to do.
            connection: The org.
            reason: Why, for the journal.
            resume: Id of an interrupted run to go on with.
            mode: What to do with it.
            again: Events that the person wants sent again although their last request is not settled.
        """
        try:
            self._run = self._maker.run(
                plan, connection, reason=reason, resume=resume, mode=mode, again=again
            )
        except SyncErrError as error:
            self._app.bench.trouble(error)
            return
        from syncerr_tui.ui.run_presenter import RunPresenter

        self._view = RunPresenter(unicode=self._app.context.terminal.unicode)
        bench = self._app.bench
        bench.errors.show(bench.errors.listing.unselected())
        self._app.run_worker(self._follow(self._run, self._view), group="resync", name="resync")

    async def _follow(self, run: Run, view: RunPresenter) -> None:
        from syncerr_tui.resync.events import AskPerson, WaveProven

        try:
            async with aclosing(cast(Any, run.run())) as events:
                async for event in events:
                    view.take(event)
                    if isinstance(event, AskPerson):
                        self._hand_over(run, event)
                    self._draw_soon(view)
                    if isinstance(event, WaveProven):
                        self._app.bench.journal.refresh_journal()
                    if self._leaving and not view.in_flight:
                        self._app.exit()
        except SyncErrError as error:
            self._app.bench.trouble(error)
        finally:
            self._run = None
        if run.failure is not None:
            self._app.bench.trouble(run.failure)
        self._ended(view)

    def _hand_over(self, run: Run, event: AskPerson) -> None:
        from syncerr_tui.ui.screens.resync import GuidedDialog

        def answered(pressed: bool | None) -> None:
            run.answer(pressed=bool(pressed))

        self._app.push_screen(GuidedDialog(event.errors, event.address, event.wave), answered)

    # -- showing ---------------------------------------------------------------------------------------

    def _draw_soon(self, view: RunPresenter) -> None:
        bench = self._app.bench
        bench.errors.show_run(view.marks, view.reasons, view.left)
        bench.causes.marks_changed()
        if not self._line_due:
            self._line_due = True
            bench.set_timer(1 / _LINES_PER_SECOND, self._draw_line)

    def _draw_line(self) -> None:
        self._line_due = False
        self._app.bench.draw_lines()

    def _ended(self, view: RunPresenter) -> None:
        """Rows that still fail show their newer message; rows that are proven stay until dismissed."""
        bench = self._app.bench
        for line in (_STOPPING, _PAUSING):
            bench.lines.silence(line)
        view.freed = self._freed(view)
        if view.newer:
            bench.errors.show(bench.errors.listing.updated(view.newer.values()))
        if view.ended is None:
            self._view = None
            bench.errors.show_run({}, {})
        else:
            bench.errors.show_run(view.marks, view.reasons, view.left)
        bench.draw_lines()
        self._app.interrupted_runs.run_ended()

    def _freed(self, view: RunPresenter) -> int:
        """How many errors waited for what is proven now, and can go."""
        graph = self._app.graph_worker.graph
        if graph is None:
            return 0
        waited = {link.victim for row in view.left if row in graph.errors for link in graph.waiting_for(row)}
        return len(waited - view.left)

    def dismiss(self) -> bool:
        """Put the result away; proven rows leave the list with it. False where there is none."""
        if self.active or self._view is None:
            return False
        view, self._view = self._view, None
        bench = self._app.bench
        bench.errors.show_run({}, {})
        listing = bench.errors.listing
        self._app.graph_worker.landed(
            (error.object, error.storeconnect_id)
            for row_id in view.fixed
            if (error := listing.errors.get(row_id)) and error.event_type is not EventType.DELETE
        )
        bench.errors.show(listing.without(view.left, self._app.context.clock()))
        return True

    def list_was_read(self) -> None:
        """The list is as the org has it now: the states of an ended run are no news any more."""
        if not self.active and self._view is not None:
            self._app.bench.errors.show_run({}, {})

    # -- stopping --------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stop sending."""
        if self._run is not None:
            self._run.cancel()
            self._app.bench.say(_STOPPING)

    def leave(self) -> None:
        """Send nothing more, wait for the answers to what is on its way, then end the app.

        The run stays open in the journal: the next start offers to go on with it. Asked for twice, the app
        ends at once, and the journal knows what was on its way.
        """
        if self._run is None or self._view is None or self._leaving or not self._view.in_flight:
            self._app.exit()
            return
        self._leaving = True
        self._run.pause()
        self._app.bench.say("Leaving when what is on its way is answered. q once more leaves at once.")

    @property
    def leaving(self) -> bool:
        """Whether the app ends as soon as what is on its way is answered."""
        return self._leaving

    def pause(self) -> None:
        """Hold, or go on."""
        if self._run is not None:
            if self.paused:
                self._run.resume()
            else:
                self._run.pause()
                self._app.bench.say(_PAUSING)
