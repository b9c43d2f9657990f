"""From R to a run: the plan and its dialog, and the queue of those that wait for the one under way.

A plan for the queue leaves out what is under way or queued, and takes for proven what it waits for there.
When its turn comes nothing of that is believed any more: its rows are read again and planned anew, and only
what the person saw may be in it. What ends badly before it holds the queue until the person says otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from textual.screen import Screen

from syncerr_tui.errors import NotLoggedInError, SyncErrError
from syncerr_tui.model import EventStanding, SyncError
from syncerr_tui.resync.selection import Planner, prepare, prepare_again
from syncerr_tui.triage.state import QueuedRun, RunQueue, rows_words
from syncerr_tui.ui.debouncer import loop_at_rest
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.fix_controller import FixController
from syncerr_tui.ui.messages import Troubled
from syncerr_tui.ui.services import Controller, Services
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph

    # Plans and dialogs are needed when the first run is asked for, not for the first frame.
    from syncerr_tui.resync.plan import Plan
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.ui.screens.plan import PlanDialog
    from syncerr_tui.ui.screens.resync import QueueDialog

PLANNING = "planning ..."
_PAINTED = 0.1
"""Seconds in which a dialog is on screen."""
_AT_ONCE = 400
"""Rows that are planned within 100 ms; for more it is said that planning goes on, and keys work meanwhile."""


class ResyncController(Controller):
    """Plans, asks, starts and queues. What goes on in a run is the business of `RunController`.

    Args:
        errors: The list.
        fixing: What a safeguard may be switched off with meanwhile.
    """

    def __init__(
        self, services: Services, screen: Screen[None], errors: ErrorsPane, fixing: FixController
    ) -> None:
        super().__init__(services, screen)
        self._errors = errors
        self._fixing = fixing
        self._planning: object | None = None
        """The plan that is being made, by a sign of its own: one that was given up is nobody's."""
        self._ready: Planner[OrgSession] | None = None
        """A plan that took long, until it can be shown."""
        self._dialog: QueueDialog | None = None

    @property
    def _busy(self) -> bool:
        return self._context.state.run.busy

    @property
    def _queue(self) -> RunQueue:
        return self._context.state.queue

    # -- the plan --------------------------------------------------------------------------------------

    def ask(self, chosen: Sequence[SyncError], hidden: int = 0) -> None:
        """Work out what would be sent, and show it. What takes long is shown when the person is in the list.

        Args:
            chosen: What the person asks for. What these wait for comes along.
            hidden: Selected, but hidden by the filter.
        """
        connection, graph = self._context.connection, self._services.graph_worker.graph
        if connection is None or not (chosen or hidden):
            return
        if self._planning is not None:
            self._say(f"The plan is being made: {self._context.key_of('back')} cancels it.")
            return
        planned = partial(
            prepare,
            org=connection,
            chosen=chosen,
            hidden=hidden,
            unavailable=self._unavailable,
            at=self._context.clock(),
            proof_timeout=connection.profile.proof_timeout,
            behind=self._busy,
            handled=self._context.state.handlings,
        )
        if graph is not None and len(chosen) <= _AT_ONCE:
            self._show_plan(planned(graph))
        else:
            self._planning = planning = object()
            self._context.state = self._context.state.begun(PLANNING)
            self._work(self._plan_later(planned, len(chosen), planning), "planning")

    async def _plan_later(
        self, planned: Callable[[CauseGraph], Planner[OrgSession]], rows: int, planning: object
    ) -> None:
        from syncerr_tui.diagnosis.causes import without_gc

        def made(graph: CauseGraph) -> Planner[OrgSession]:
            with without_gc(rows):
                return planned(graph)

        planner = await self._services.graph_worker.lend(made)
        if planning is not self._planning:
            return
        await asyncio.to_thread(_make, planner)
        if planning is self._planning:
            self.give_up_planning()
            self._ready = planner
            self.show_what_is_ready()
            self._errors.changed()

    def give_up_planning(self) -> bool:
        """Make no plan after all; False where none is being made. Its thread ends by itself, unheard."""
        planning, self._planning = self._planning is not None, None
        self._context.state = self._context.state.done(PLANNING)
        return planning

    @property
    def _unavailable(self) -> dict[str, str]:
        """Rows that cannot be asked for once more, and why."""
        queued = dict.fromkeys(self._queue.ids, "already queued")
        return queued | dict.fromkeys(self._services.runs.in_hand, "already in the re-sync under way")

    def show_what_is_ready(self) -> None:
        """A plan that took long is made: it waits until the person is in the list again."""
        if self._ready is not None and self._fixing.may_interrupt:
            planner, self._ready = self._ready, None
            self._show_plan(planner, late=True)

    def _show_plan(self, planner: Planner[OrgSession], *, late: bool = False) -> None:
        from syncerr_tui.ui.screens.plan import PlanDialog

        dialog = PlanDialog(planner, self._services.error_history)
        dialog.late = late

        def answered(yes: bool | None) -> None:
            if yes:
                self._fixing.confirm(dialog.meanwhile, partial(self._submit, planner, dialog))

        self._open(dialog, answered)
        self._screen.run_worker(self._recall(planner, dialog), group="recalling", exclusive=True)
        self._fixing.offer_meanwhile(dialog)

    async def _recall(self, planner: Planner[OrgSession], dialog: PlanDialog) -> None:
        """Tell the dialog what the journal knows: rows of other terminals, and tries that changed nothing."""
        from syncerr_tui.resync.doubt import recall

        plan = dialog.plan
        many = len(plan.rows) > _AT_ONCE
        if many:
            await loop_at_rest(_PAINTED)  # the dialog is painted first
        known = await self._ask_journal(lambda journal: recall(journal, plan))
        if known is None:
            return
        planner.held, planner.measured = known.held, known.measured
        if many:
            # Both are at hand before anybody asks for them.
            await asyncio.to_thread(_make, planner)
            await asyncio.to_thread(planner, canary=True)
        dialog.learn(known)

    def _submit(self, planner: Planner[OrgSession], dialog: PlanDialog, name: str) -> None:
        from syncerr_tui.resync.run_state import RunRequest

        if planner.behind or self._busy:
            self._enqueue(dialog)
            return
        meanwhile = (dialog.meanwhile, name) if dialog.meanwhile is not None else None
        run = RunRequest(dialog.plan, dialog.reason, again=dialog.again)
        if not self._queue.runs:
            self._set_queue(self._queue.emptied())
        self._services.runs.start(run, planner.org, meanwhile=meanwhile)
        self._errors.show(self._context.state.listing.unselected())

    # -- the queue -------------------------------------------------------------------------------------

    def _enqueue(self, dialog: PlanDialog) -> None:
        if dialog.meanwhile is not None:
            # It was asked for while nothing was under way, and something began meanwhile.
            from syncerr_tui.ui.screens.plan import NOT_QUEUED_WITH_SAFEGUARD

            self._say(f"Not queued. {NOT_QUEUED_WITH_SAFEGUARD}", "bad", keep=True)
            return
        unavailable = self._unavailable
        rows = [row.error for row in dialog.plan.rows if row.error.id not in unavailable]
        if not rows:
            self._say("Nothing is left to queue: all of it is under way or queued already.")
            return
        self._set_queue(self._queue.added(rows, reason=dialog.reason, canary=dialog.plan.canary))
        self._errors.show(self._context.state.listing.unselected())
        key = self._context.key_of("queue")
        self._say(f"Queued: {rows_words(rows)}. {key} shows the queue.")
        self.go_on()

    def _set_queue(self, queue: RunQueue) -> None:
        self._context.state = replace(self._context.state, queue=queue)
        self._errors.show_queued(queue.ids)
        if self._dialog is not None:
            self._dialog.draw()

    def _set_starting(self, *, starting: bool) -> None:
        run = replace(self._context.state.run, starting=starting)
        self._context.state = replace(self._context.state, run=run)
        self._errors.changed()

    def go_on(self) -> None:
        """Begin the next one, where nothing is in its way."""
        if self._queue.next is not None and not self._busy and not self._context.state.run.leaving:
            self._set_starting(starting=True)
            self._screen.run_worker(self._begin_next(), group="queue", exclusive=True)

    async def _begin_next(self) -> None:
        from syncerr_tui.resync.run_state import RunRequest

        self.dismiss_result(read=False)
        before = f"{self._queue.ended[-1].summary}. " if self._queue.ended else ""
        try:
            while (queued := self._queue.next) is not None:
                connection, plan, done = await self._plan_again(queued)
                if self._queue.next != queued:  # moved, removed or held meanwhile
                    continue
                if self._services.runs.active or self._context.state.run.leaving:
                    return  # The end of what was faster calls again.
                out = _left_out_words(done, len(plan.left_out) - done)
                if not plan.rows:
                    ended = f"{queued.words}: nothing left to send{out}"
                    queue = self._queue.removed(queued.number)
                    self._set_queue(queue.with_ended(ended, self._context.clock()))
                    self._say(f"{before}Next in the queue, {ended}.", keep=True)
                    continue
                if not self._services.runs.start(RunRequest(plan, queued.reason), connection):
                    self.hold(self._services.runs.trouble)
                    return
                self._set_queue(self._queue.removed(queued.number))
                self._say(f"{before}Next in the queue: {plural(len(plan.rows), 'error')}{out}.", keep=True)
                return
        except SyncErrError as problem:
            self._post(Troubled(problem))
            self.hold(problem.title)
        finally:
            self._set_starting(starting=False)

    async def _plan_again(self, queued: QueuedRun) -> tuple[OrgSession, Plan, int]:
        """Its plan out of what the org and the causes say now: none of its rows that does not fail any more,
        or whose cause is not proven, and no others. And how many do not fail any more.

        Raises:
            SyncErrError: The org cannot be read.
        """
        from syncerr_tui.resync.plan import LeftOut

        connection = self._context.connection
        if connection is None or self._context.state.reading.expired:
            raise NotLoggedInError("The session has expired", "Log in again, then go on with the queue")
        ids = [row.id for row in queued.rows]
        events = await connection.read_events(ids)
        failing = {row for row, event in events.items() if event.standing is EventStanding.FAILED}
        rows = [events[row.id].error or row for row in queued.rows if row.id in failing]
        out = [LeftOut(row, "it does not fail any more") for row in ids if row not in failing]
        listing = self._context.state.listing
        newer = [row for row in rows if listing.errors.get(row.id) != row]
        if newer:
            self._errors.show(listing.updated(newer))
        now = self._context.clock()
        plan = await self._services.graph_worker.lend(
            lambda graph: prepare_again(
                graph, connection, rows, out, at=now, proof_timeout=connection.profile.proof_timeout
            )(canary=queued.canary)
        )
        return connection, plan, len(out)

    def run_over(self) -> None:
        """A run has ended: the next one begins, or a person is asked first."""
        runs = self._services.runs
        if runs.active:  # A safeguard is being put back, and its end comes too.
            return
        queue = self._queue
        if queue.runs or queue.ended:
            ended = runs.view.ended if runs.view is not None else None
            summary = ended.summary if ended is not None else runs.trouble or "nothing was sent"
            self._set_queue(queue.with_ended(summary, self._context.clock()))
        if runs.trouble:
            self.hold(runs.trouble)
        else:
            self.go_on()

    def hold(self, reason: str) -> None:
        """Begin nothing more of the queue by itself, and ask."""
        self._set_queue(self._queue.on_hold(reason))
        if not self._queue.runs or self._context.state.run.leaving:
            return
        if self._fixing.may_interrupt:
            self.show()
        elif self._dialog is None:
            self._say(f"Queue on hold: {reason}. {self._context.key_of('queue')} goes on.", "bad", keep=True)

    def stop(self) -> bool:
        """Stop what is about to begin out of the queue; False where nothing is."""
        starting = self._context.state.run.starting and not self._services.runs.active
        if starting:
            self.hold("you stopped it before it began")
        return starting

    def show(self) -> None:
        """The queue: take one out, move it, go on after a hold."""
        from syncerr_tui.ui.screens.resync import QueueDialog

        def answered(go_on: bool | None) -> None:
            self._dialog = None
            if go_on:
                self._set_queue(self._queue.released())
                self.go_on()

        self._dialog = QueueDialog(lambda: self._queue, self._set_queue)
        self._open(self._dialog, answered)

    # -- what is said, and leaving ---------------------------------------------------------------------

    def line(self, width: int) -> list[Part]:
        """The progress or the result of the run, and what waits for it."""
        view, queue = self._services.runs.view, self._queue
        parts: list[Part] = []
        words = queue.words or (f"{len(queue.ended):,} ended" if len(queue.ended) > 1 else "")
        if words:
            look = "bad" if queue.held else "strong"
            parts = [(f"{'  ' if view else ' '}{words}: {self._context.key_of('queue')}", look)]
        return [*(view.line(width - sum(len(text) for text, _ in parts)) if view else []), *parts]

    def dismiss_result(self, *, read: bool) -> bool:
        """Put the result of the last run away, where the person has read it or the next one begins."""
        view, listing = self._services.runs.view, self._services.runs.dismiss()
        if view is None or listing is None:
            return False
        news = self._context.state.news.left(view.left, known=read)
        self._context.state = replace(self._context.state, news=news)
        self._services.guided.dismiss()
        self._errors.show_run({}, {})
        self._errors.show(listing)
        if read and not self._queue.runs:
            self._set_queue(self._queue.emptied())
        return True

    def asks_before_leaving(self) -> bool:
        """Whether the person is asked first: something is under way or queued. The answer leaves."""
        runs, queue = self._services.runs, self._queue
        if not (self._busy or queue.runs):
            return False
        from syncerr_tui.ui.screens.dialog import Question

        def leave(*, unpressed: bool) -> None:
            self._set_queue(self._queue.emptied())
            if runs.leave(unpressed=unpressed) and (runs.active or not self._fixing.asks_before_leaving()):
                self._screen.app.exit()

        def answered(yes: bool | None) -> None:
            if yes:
                self._services.guided.ask_of_unticked(self._screen, leave, leaving=True)

        if self._services.guided.unanswered and not queue.runs:
            answered(True)
            return True
        waits = f"{plural(len(queue.runs), 're-sync')} in the queue"
        dropped = "Nothing of the queue was sent or is kept: it is dropped."
        text = (
            "Quitting waits for the answers to what is on its way and writes them down. "
            "The rest stays unsent, and the next start offers to go on with it."
        )
        progress = [runs.view.plain] if runs.view is not None and runs.active else []
        heading = "A re-sync is under way" if self._busy else f"{waits[:1].upper()}{waits[1:]}"
        paragraphs = [*progress, *([text] if self._busy else [])]
        paragraphs += [f"{waits[:1].upper()}{waits[1:]}. {dropped}"] if queue.runs else []
        question = Question(heading, *paragraphs, answers={"enter": ("quits", True)}, no="stays")
        self._open(question, answered)
        return True


def _left_out_words(failing_no_more: int, others: int) -> str:
    """`; left out: 2 failing no more, 1 whose cause is not proven`; empty where nothing is."""
    counts = ((failing_no_more, "failing no more"), (others, "whose cause is not proven"))
    reasons = ", ".join(f"{count:,} {reason}" for count, reason in counts if count)
    return f"; left out: {reasons}" if reasons else ""


def _make(planner: Planner[OrgSession]) -> None:
    """In a thread: make the plan, and import what shows it, so that keys are read meanwhile."""
    for module in ("ui.screens.plan", "resync.doubt", "fixes.fixer"):
        import_module(f"syncerr_tui.{module}")
    planner(canary=False)
