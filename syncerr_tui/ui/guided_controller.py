"""Follows a guided re-sync for its place on screen, and hands on what the person says to the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from textual.message import Message
from textual.screen import Screen

from syncerr_tui.model import RowState
from syncerr_tui.triage.guided import GuidedRow, GuidedState, Phase
from syncerr_tui.ui.messages import BackgroundContext, Service

if TYPE_CHECKING:
    from syncerr_tui.journal.attempt import Attempt
    from syncerr_tui.journal.history import Unfinished
    from syncerr_tui.resync.events import RunEvent
    from syncerr_tui.resync.guided import GuidedSender

METHOD = "guided"


class Continuation(Protocol):
    """What follows the question whether rows were pressed that are not ticked."""

    def __call__(self, *, unpressed: bool) -> object: ...


class GuidedChanged(Message):
    """The re-sync stands elsewhere. Several in a row are one."""

    def can_replace(self, message: Message) -> bool:
        """One of them shows all there is."""
        return isinstance(message, GuidedChanged)


@dataclass
class PersonAsked(Message):
    """A wave is to be pressed in Salesforce."""

    wave: int
    first: bool
    """It is the first one of this run."""


class GuidedController(Service):
    """Keeps `UiState.guided`. Its one question comes up on the screen it is given."""

    def __init__(self, background: BackgroundContext) -> None:
        super().__init__(background)
        self.person: GuidedSender | None = None
        """What takes the person's words; None where no run is under way."""

    def _set_state(self, state: GuidedState | None) -> None:
        self._context.state = replace(self._context.state, guided=state)
        self._post(GuidedChanged())

    # -- what happens ----------------------------------------------------------------------------------

    def take(self, event: RunEvent) -> None:
        from syncerr_tui.resync import events as e

        state = self._context.state.guided
        if isinstance(event, e.RunStarted):
            rows = (GuidedRow(row.error, row.wave) for row in event.plan.rows)
            if event.plan.method == METHOD:
                self._set_state(GuidedState.begun(rows))
            elif state is not None and state.phase is Phase.OVER:
                self._set_state(None)
        elif state is None or state.phase is not Phase.UNDER_WAY:
            return
        elif isinstance(event, e.AskPerson):
            ids = [error.id for error in event.errors]
            self._set_state(
                state.presented(event.wave, event.doubtful, ids, event.address, self._context.clock())
            )
            self._post(PersonAsked(event.wave, first=not state.wave))
        elif isinstance(event, e.RowChanged):
            self._set_state(state.changed(event.id, event.state, event.verdict, event.reason, event.error))
        elif isinstance(event, e.RunEnded):
            self._set_state(state.at_phase(Phase.OVER))

    def run_over(self) -> None:
        """No run is under way any more, whether it ended or broke."""
        state = self._context.state.guided
        if state is not None and state.phase is Phase.UNDER_WAY:
            self._set_state(state.at_phase(Phase.UNFINISHED))

    def dismiss(self) -> None:
        state = self._context.state.guided
        if state is not None and state.phase is Phase.OVER:
            self._set_state(None)

    async def look(self, waiting: Sequence[Unfinished]) -> None:
        """Show how far the newest interrupted one had come; none where none waits."""
        from syncerr_tui.journal.history import History

        connection, state = self._context.connection, self._context.state.guided
        run = next((one.run.id for one in waiting if one.run.method == METHOD), None)
        if connection is None or (state is not None and state.phase is not Phase.UNFINISHED):
            return
        if run is None:
            if state is not None:
                self._set_state(None)
            return
        rows = await self._ask_journal(lambda journal: History(journal).rows_of(run))
        if rows is not None and self._context.state.guided is state:
            self._set_state(GuidedState.begun(map(_recalled, rows), Phase.UNFINISHED))

    # -- what the person says --------------------------------------------------------------------------

    @property
    def unanswered(self) -> int:
        """How many rows were shown to be pressed, and nobody has spoken of them."""
        state = self._context.state.guided
        return len(state.unanswered) if state is not None and state.phase is Phase.UNDER_WAY else 0

    def ask_of_unticked(self, screen: Screen[None], then: Continuation, *, leaving: bool = False) -> None:
        """Before the run is stopped or left: whether those were pressed; then go on, where the person does.

        Args:
            screen: Where the question comes up.
            then: Stops or leaves.
            leaving: The program is left, and the next start goes on.
        """
        from syncerr_tui.ui.screens.resync import unticked_question

        def answered(unpressed: bool | None) -> None:
            if unpressed is not None:
                then(unpressed=unpressed)

        if self.unanswered:
            screen.app.push_screen(unticked_question(self.unanswered, leaving=leaving), answered)
        else:
            then(unpressed=False)

    def tick(self, ids: Sequence[str], *, pressed: bool) -> bool:
        """They pressed these, or take that back. False where there is nobody to tell."""
        state, person = self._context.state.guided, self.person
        if state is None or person is None:
            return False
        heard = person.tick(ids, pressed=pressed)
        ticked = [row_id for row_id in ids if row_id in heard]
        self._set_state(state.ticked(ticked, self._context.clock(), pressed=pressed))
        return bool(ticked)

    def decline(self, ids: Sequence[str]) -> None:
        if self.person is not None:
            self.person.decline(ids)


def _recalled(attempt: Attempt) -> GuidedRow:
    """A row as the journal knows it."""
    from syncerr_tui.journal.attempt import Pressed

    state = RowState.QUEUED
    if attempt.verdict is not None:
        state = RowState.DONE
    elif attempt.ended:
        state = RowState.NOT_SENT
    elif attempt.unknown:
        state = RowState.WAITING if attempt.pressed is Pressed.YES else RowState.ASKED
    pressed = attempt.pressed is Pressed.YES
    return GuidedRow(
        attempt.error, attempt.wave, state, attempt.verdict, attempt.unticked, attempt.reason, pressed
    )
