"""What earlier starts and other terminals are about: found when an org is connected, told, and offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from syncerr_tui.errors import SyncErrError
from syncerr_tui.ui.journals import Journals
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.resync.history import RunRecord, Unfinished
    from syncerr_tui.resync.journal import Journal
    from syncerr_tui.resync.plan import Plan
    from syncerr_tui.resync.runner import ResumeMode
    from syncerr_tui.ui.app import SyncErrApp


class InterruptedRuns:
    """Looks for runs that were interrupted, and for those of other terminals."""

    def __init__(self, app: SyncErrApp, journals: Journals) -> None:
        self._app = app
        self._journals = journals
        self.waiting: tuple[Unfinished, ...] = ()
        """Interrupted runs, newest first."""
        self.elsewhere: tuple[RunRecord, ...] = ()
        """Runs under way in other terminals."""

    def connected(self) -> None:
        """An org answered: say what is open in its journal."""
        self._app.run_worker(self._look(offer=True), group="resuming", exclusive=True)

    def run_ended(self) -> None:
        """A run of our own is over."""
        self._app.error_history.forget()
        self._app.run_worker(self._look(offer=False), group="resuming", exclusive=True)

    async def _look(self, *, offer: bool) -> None:
        connection = self._app.context.connection
        if connection is None:
            return
        org_id, bench = connection.identity.org_id, self._app.bench
        self._journals.connected(connection)
        try:
            self.waiting, going = await self._journals.ask(org_id, _open_runs)
        except SyncErrError as error:
            bench.trouble(error)
            return
        ours = self._journals.ours(org_id)
        self.elsewhere = tuple(run for run in going if run.id not in ours)
        bench.journal.opened_runs(len(self.waiting), len(self.elsewhere))
        self._tell_of_damage()
        if offer:
            self._tell_of_others()
            if self.waiting and self._is_free:
                self.ask()

    @property
    def _is_free(self) -> bool:
        """Whether a question may come up now: nobody is in another one, or writing."""
        app = self._app
        return app.screen is app.bench and not isinstance(app.focused, Input) and not app.runs.active

    def _tell_of_damage(self) -> None:
        loss, self._journals.loss = self._journals.loss, ""
        if loss:
            self._app.notify(f"{loss}.", severity="warning", timeout=30, markup=False)

    def _tell_of_others(self) -> None:
        if self.elsewhere:
            run = self.elsewhere[0]
            at = run.started_at.astimezone(self._app.context.zone)
            self._app.bench.say(
                f"{run.os_user} on {run.host or 'another machine'} re-syncs {plural(run.planned, 'row')} "
                f"in another terminal since {at:%H:%M}: see the Journal (3)."
            )

    # -- the question ----------------------------------------------------------------------------------

    def ask(self, run_id: str | None = None) -> None:
        """What to do with an interrupted run.

        Args:
            run_id: Which one; None for the newest.
        """
        from syncerr_tui.ui.screens.resume import ResumeDialog
        from syncerr_tui.ui.widgets.columns import Moment

        context = self._app.context
        found = [waiting for waiting in self.waiting if run_id in {None, waiting.run.id}]
        if context.connection is None or not found:
            return
        unfinished = found[0]

        def answered(mode: ResumeMode | None) -> None:
            if mode is not None and not self._app.runs.active:
                self._app.run_worker(
                    self._go_on(unfinished.run.id, mode, again=dialog.again), group="resuming", exclusive=True
                )

        dialog = ResumeDialog(
            unfinished,
            context.connection.identity,
            Moment(context.clock(), context.zone),
            others=len(self.waiting) - 1,
            may_send=not context.read_only,
        )
        self._app.push_screen(dialog, answered)

    async def _go_on(self, run_id: str, mode: ResumeMode, *, again: bool) -> None:
        from syncerr_tui.resync.doubt import in_doubt
        from syncerr_tui.resync.history import History

        def question(journal: Journal) -> tuple[Plan, frozenset[str]]:
            plan = History(journal).plan_of(run_id)
            rows = [row.error for row in plan.rows] if again else []
            return plan, in_doubt(journal, rows)

        connection = self._app.context.connection
        if connection is None:
            return
        try:
            plan, consented = await self._journals.ask(connection.identity.org_id, question)
        except SyncErrError as error:
            self._app.bench.trouble(error)
            return
        self._app.runs.start(plan, connection, resume=run_id, mode=mode, again=consented)


def _open_runs(journal: Journal) -> tuple[tuple[Unfinished, ...], tuple[RunRecord, ...]]:
    from syncerr_tui.resync.history import History

    history = History(journal)
    return history.unfinished(), history.under_way()
