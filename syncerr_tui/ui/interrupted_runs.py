"""What earlier starts and other terminals are about: found when an org is connected, and offered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from syncerr_tui.ui.messages import BackgroundContext, Service
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.journal.history import RunRecord, Unfinished
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.resync.plan import Plan
    from syncerr_tui.resync.run_state import ResumeMode, RunRequest


@dataclass
class OpenRunsKnown(Message):
    """Which runs are open in the journal is known anew."""

    offer: bool
    """Whether a person is to be asked what to do with them."""


@dataclass
class PlanRecalled(Message):
    """The plan of an interrupted run is here: it can be gone on with."""

    request: RunRequest


class InterruptedRuns(Service):
    """Looks for runs that were interrupted, and for those of other terminals."""

    def __init__(self, background: BackgroundContext) -> None:
        super().__init__(background)
        self.waiting: tuple[Unfinished, ...] = ()
        """Interrupted runs, newest first."""
        self.elsewhere: tuple[RunRecord, ...] = ()
        """Runs under way in other terminals."""
        self.people = ""
        """Who else is on, in words."""

    async def look(self, *, offer: bool) -> None:
        connection = self._context.connection
        if connection is not None:
            self._journals.connected(connection)
        known = await self._ask_journal(_open_runs)
        if connection is None or known is None:
            return
        self.waiting, under_way, self.people = known
        ours = self._journals.ours(connection.identity.org_id)
        self.elsewhere = tuple(run for run in under_way if run.id not in ours)
        self._post(OpenRunsKnown(offer))

    def loss(self) -> str:
        """What to say about what a journal has lost; once."""
        loss, self._journals.loss = self._journals.loss, ""
        return f"{loss}." if loss else ""

    def others(self) -> str:
        """What to say about a run of another terminal; empty where there is none."""
        if not self.elsewhere:
            return ""
        run = self.elsewhere[0]
        at = run.started_at.astimezone()
        return (
            f"{run.os_user} on {run.host or 'another machine'} re-syncs {plural(run.planned, 'row')} "
            f"in another terminal since {at:%H:%M}: see the Journal (3)."
        )

    def find(self, run_id: str | None = None) -> Unfinished | None:
        """An interrupted run; without an id the newest."""
        return next((waiting for waiting in self.waiting if run_id in {None, waiting.run.id}), None)

    async def recall_plan(self, run_id: str, mode: ResumeMode, *, again: bool) -> None:
        """Read the plan of a run from the journal.

        Args:
            run_id: Which run.
            mode: What to do with it.
            again: The person wants sent again what is unknown by now.
        """
        from syncerr_tui.journal.history import History
        from syncerr_tui.resync.doubt import in_doubt
        from syncerr_tui.resync.plan_file import recorded_plan
        from syncerr_tui.resync.run_state import RunRequest

        def question(journal: Journal) -> tuple[Plan, frozenset[str]]:
            plan = recorded_plan(History(journal), run_id)
            return plan, in_doubt(journal, [row.error for row in plan.rows] if again else [])

        known = await self._ask_journal(question)
        if known is not None:
            plan, consented = known
            request = RunRequest(plan, resume=run_id, mode=mode, again=consented, waits_for_word=True)
            self._post(PlanRecalled(request))


def _open_runs(journal: Journal) -> tuple[tuple[Unfinished, ...], tuple[RunRecord, ...], str]:
    from syncerr_tui.journal.history import History
    from syncerr_tui.journal.people import others_present, presence_words

    history = History(journal)
    return history.unfinished(), history.under_way(), presence_words(others_present(journal))
