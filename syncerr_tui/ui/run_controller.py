"""The one re-sync that may be under way: from its beginning to the result line."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.message import Message

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import EventStanding, EventType
from syncerr_tui.triage.listing import Listing
from syncerr_tui.ui.cause_graph_worker import CauseGraphWorker
from syncerr_tui.ui.fix_service import FixService
from syncerr_tui.ui.messages import BackgroundContext, JournalGrew, Service, Troubled
from syncerr_tui.words import duration

if TYPE_CHECKING:
    # Plans and events are needed when the first run is asked for, not for the first frame.
    from syncerr_tui.fixes.meanwhile import OffMeanwhile
    from syncerr_tui.fixes.model import FixOption
    from syncerr_tui.resync.run_state import RunRequest
    from syncerr_tui.resync.runner import Runner
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.ui.guided_controller import GuidedController
    from syncerr_tui.ui.run_presenter import RunPresenter

STOPPING = "Stopping after the answers to what is on its way."
PAUSING = "Pausing after what is on its way."
_NOT_BY_ITSELF = {
    "cancelled": "the re-sync before it was stopped",
    "braked": "the re-sync before it stopped itself",
    "stopped": "the re-sync before it was cut short",
}
"""Ends of a run after which a person looks before more is sent."""
_MAY_BE_OFF = "A safeguard may be off. 'syncerr-tui safeguards' says which, and puts it back."
_RESTORE_SECONDS = 30.0
"""How long the end of the app waits for a safeguard to be on again."""


class RunBegins(Message):
    """Rows are about to be sent: what was to be done before that is done."""


class RunAdvanced(Message):
    """A run has something new to show. Several in a row are one."""

    def can_replace(self, message: Message) -> bool:
        """One of them shows all there is."""
        return isinstance(message, RunAdvanced)


class RunOver(Message):
    """The run is over, or could not go on."""


class AppLeft(Message):
    """What was on its way is answered: the app can end."""


class RunController(Service):
    """Starts, follows and stops a run. One at a time. What happens is posted; it knows no screen.

    Args:
        graph_worker: Knows what waits for what.
        fixes: Switches a safeguard off for as long as a run takes.
        guided: Follows what a person presses, and hands on what they say.
    """

    def __init__(
        self,
        background: BackgroundContext,
        graph_worker: CauseGraphWorker,
        fixes: FixService,
        guided: GuidedController,
    ) -> None:
        super().__init__(background)
        self._graph_worker = graph_worker
        self._fixes = fixes
        self._guided = guided
        self._run: Runner | None = None
        self._meanwhile: asyncio.Task[Any] | None = None
        """Has a safeguard off, and puts it back at its end."""
        self._stopped = False
        """The person stopped it."""
        self.left_off = ""
        """What is to be said of a safeguard that was off for the last run and is not proven to be on."""
        self.view: RunPresenter | None = None
        """What the last run says, until it is dismissed."""
        self._request_now: RunRequest | None = None
        self.trouble = ""
        """Why what comes after the last run waits for a person; empty where it did not end badly."""

    @property
    def active(self) -> bool:
        """Whether a run is under way, or the safeguard that is off for it."""
        return self._run is not None or self._meanwhile is not None

    @property
    def in_hand(self) -> frozenset[str]:
        """The rows of the run that is under way."""
        request = self._request_now if self.active else None
        return frozenset(row.error.id for row in request.plan.rows) if request is not None else frozenset()

    def _set_state(self) -> None:
        paused = self.view is not None and self.view.paused
        run = replace(self._context.state.run, active=self.active, paused=paused)
        self._context.state = replace(self._context.state, run=run)

    # -- running ---------------------------------------------------------------------------------------

    def start(
        self,
        request: RunRequest,
        connection: OrgSession,
        *,
        meanwhile: tuple[FixOption, str] | None = None,
    ) -> bool:
        """Do in the background what the person wants done; False where it cannot begin, which is said.

        Args:
            request: What.
            connection: Where.
            meanwhile: A safeguard that is off for just as long as it takes, and its typed name.
        """
        self._request_now, self.trouble, self._stopped = request, "", False
        self._post(RunBegins())
        if meanwhile is not None:
            self._work(self._with_safeguard_off(request, connection, meanwhile), "resync")
            return True
        try:
            view = self._begin(request, connection)
        except SyncErrError as error:
            self._report_trouble(error)
            return False
        self._work(self._follow(view), "resync")
        return True

    def _report_trouble(self, error: SyncErrError) -> None:
        self.trouble = error.title
        self._post(Troubled(error))

    def _begin(self, request: RunRequest, connection: OrgSession) -> RunPresenter:
        from syncerr_tui.ui.run_presenter import RunPresenter

        self._run = run = self._journals.run(request, connection)
        self._guided.person = run.person if connection.method.guided else None
        self.view = RunPresenter(self._context.key_of)
        self._set_state()
        return self.view

    async def _with_safeguard_off(
        self,
        request: RunRequest,
        connection: OrgSession,
        meanwhile: tuple[FixOption, str],
    ) -> None:
        """Off, re-sync, prove, on again, prove. The rows are read first, so it is off only briefly."""
        from syncerr_tui.fixes.meanwhile import OffMeanwhile
        from syncerr_tui.fixes.model import FixRequest

        option, confirm = meanwhile
        self._meanwhile = asyncio.current_task()
        self._set_state()
        off: OffMeanwhile | None = None
        begun = self._context.clock()
        try:
            self._say("Reading the rows again before anything is switched off ...")
            events = await connection.read_events([row.error.id for row in request.plan.rows])
            if not any(event.standing is EventStanding.FAILED for event in events.values()):
                self._say("None of these rows fails any more: nothing was switched off.")
            elif not self._stopped:
                begun = self._context.clock()
                event = request.plan.rows[0].error.id
                fix = FixRequest(option, {}, confirm, option.seen, request.reason, event)
                off = OffMeanwhile(self._fixes.fixer, fix)
                async with off:
                    await self._fixes.recall()
                    if not self._stopped:
                        self._say("")  # it is off by now, as the line above the keys says
                        await self._follow(self._begin(request, connection))
        except SyncErrError as error:
            self._report_trouble(error)
        finally:
            self.left_off = off.problem.line if off is not None and off.problem is not None else ""
            if self.left_off:
                self.trouble = "the safeguard of the re-sync before it is not proven to be on again"
            self._meanwhile = None
            self._set_state()
        await self._fixes.recall()
        if off is not None and off.off is not None:
            self._tell_restored(off, duration(self._context.clock() - begun))
        self._post(AppLeft() if self._context.state.run.leaving else RunOver())

    def _tell_restored(self, off: OffMeanwhile, took: str) -> None:
        name = off.option.target.name
        if off.problem is not None:
            then = "" if off.needed_by else f" {self._context.key_of('safeguards')} puts it back."
            self._say(f"{off.problem.title}.{then}", "bad", keep=True)
        elif off.ours:
            self._say(off.on_again_words(took), "good")
        else:
            self._say(f"{name} was off already, by somebody else: it was left as it is.")

    async def safeguard_back(self) -> None:
        """Wait until a safeguard that is off for a run is on again; the app ends only then."""
        task = self._meanwhile
        if task is not None:
            task.cancel()
            self.left_off = _MAY_BE_OFF  # until it is known
            await asyncio.wait([task], timeout=_RESTORE_SECONDS)

    async def _follow(self, view: RunPresenter) -> None:
        from syncerr_tui.resync.events import WaveProven

        run = self._run
        assert run is not None, "it has just begun"
        try:
            async with aclosing(run.run()) as events:
                async for event in events:
                    view.take(event)
                    self._guided.take(event)
                    self._set_state()
                    if isinstance(event, WaveProven):
                        self._post(JournalGrew())
                    self._post(RunAdvanced())
                    if self._context.state.run.leaving and not view.in_flight and self._meanwhile is None:
                        self._post(AppLeft())
        except SyncErrError as error:
            self._report_trouble(error)
        finally:
            self._run = self._guided.person = None
        if view.counts.twin:
            self.trouble = "the re-sync before it left two records where one should be (TWIN)"
        if view.ended is not None and view.ended.how in _NOT_BY_ITSELF:
            self.trouble = _NOT_BY_ITSELF[view.ended.how]
        if run.failure is not None:
            self._report_trouble(run.failure)
        view.freed = self._freed(view)
        if view.ended is None:
            self.view = None
        self._set_state()
        self._post(RunOver())

    def _freed(self, view: RunPresenter) -> int:
        """How many errors waited for what is proven now, and can go."""
        graph = self._graph_worker.graph
        if graph is None:
            return 0
        waited = {link.victim for row in view.left if row in graph.errors for link in graph.waiting_for(row)}
        return len(waited - view.left - view.unproven)

    def dismiss(self) -> Listing | None:
        """Put the result away, and give the list without what is proven; None where there is no result."""
        if self.active or self.view is None:
            return None
        view, self.view = self.view, None
        listing = self._context.state.listing
        self._graph_worker.landed(
            (error.object, error.storeconnect_id)
            for row_id in view.fixed
            if (error := listing.errors.get(row_id)) and error.event_type is not EventType.DELETE
        )
        return listing.without(view.left, self._context.clock())

    # -- stopping --------------------------------------------------------------------------------------

    def cancel(self, *, unpressed: bool = False) -> None:
        """Send nothing more. `unpressed`: the person says that they pressed nothing that is not ticked."""
        if self.active:
            self._stopped = True
            self.trouble = _NOT_BY_ITSELF["cancelled"]
            if self._run is not None:
                if unpressed:
                    self._run.answer(pressed=False)
                self._run.cancel()
            self._say(STOPPING)

    def pause(self) -> None:
        """Hold, or go on."""
        if self._run is not None and self._context.state.run.paused:
            self._run.resume()
        elif self._run is not None:
            self._run.pause()
            self._say(f"{PAUSING} {self._context.key_of('pause')} goes on.")

    def leave(self, *, unpressed: bool = False) -> bool:
        """Send nothing more and wait for the answers to what is on its way; True where there is none.

        The run stays open in the journal: the next start offers to go on with it. Asked for twice, the app
        ends at once, and the journal knows what was on its way.
        """
        state = self._context.state
        if self._meanwhile is not None and not state.run.leaving:
            self._context.state = replace(state, run=replace(state.run, leaving=True))
            self.cancel(unpressed=unpressed)
            self._say("Leaving when what is on its way is answered and the safeguard is on again.")
            return False
        if self._guided.person is not None and unpressed:
            self._guided.person.put_back()
        if self._run is None or self.view is None or state.run.leaving or not self.view.in_flight:
            return True
        self._context.state = replace(state, run=replace(state.run, leaving=True))
        self._run.pause()
        self._say("Leaving when what is on its way is answered. q once more leaves at once.")
        return False
