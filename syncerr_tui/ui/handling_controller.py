"""Notes, who works on it, tickets and snoozes: asked for, written in the journal, and shown again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.text import one_line
from syncerr_tui.triage.handling import HandlingKind, line_value, waits_for_parent
from syncerr_tui.ui.messages import Troubled
from syncerr_tui.ui.services import Controller
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Cause
    from syncerr_tui.ui.screens.menus import Wish


@dataclass
class HandlingsChanged(Message):
    """Something was written down about rows: what follows from the journal is out of date."""


class HandlingController(Controller):
    """Asks what a person wants to say, and writes it down."""

    def open(self, errors: Sequence[SyncError], cause: Cause | None) -> None:
        """Ask what to say of these errors, or of a cause as a whole."""
        from syncerr_tui.ui.screens.menus import handling_menu

        graph = self._services.graph_worker.graph
        if cause is not None:
            about = f"this cause: {plural(cause.held, 'error')}, and those to come"
            targets: tuple[str, ...] = (cause.key,)
            held = cause.held
        else:
            about = errors[0].short_name if len(errors) == 1 else plural(len(errors), "error")
            known = graph.cause_of(errors[0].id) if graph is not None else None
            targets = tuple(error.id for error in errors)
            held = known.held if known is not None else 1
        waits = graph is None or waits_for_parent(graph, (error.id for error in errors))
        handled = [self._context.state.handlings.of(error.id) for error in errors]

        def chosen(wish: Wish | None) -> None:
            if wish is not None:
                self._ask_for(wish, about, targets, held, waits=waits)

        menu = handling_menu(
            about,
            asleep=any(one.snooze for one in handled),
            twin=any(
                self._services.error_history.unsettled.get(error.id) is Verdict.TWIN for error in errors
            ),
        )
        self._open(menu, chosen)

    def _ask_for(self, wish: Wish, about: str, targets: Sequence[str], held: int, *, waits: bool) -> None:
        from syncerr_tui.ui.screens.line_dialog import LineDialog
        from syncerr_tui.ui.screens.menus import ASKED

        def written(text: str | None) -> None:
            if text is None:
                return
            try:
                value, note = self._value(wish.kind, text, held, waits=waits)
            except SyncErrError as error:
                self._say(error.line, "bad")
                return
            self._work(self._write(wish.kind, targets, value, note), "saying")

        if wish.value is not None:
            written(wish.value)
            return
        question, example = ASKED[wish.kind]
        self._open(LineDialog(f"{question} {about}", example=example), written)

    def _value(self, kind: HandlingKind, text: str, held: int, *, waits: bool) -> tuple[str, str]:
        """What the line holds, and its note."""
        from syncerr_tui.journal.claims import os_user

        if kind is HandlingKind.NOTE:
            return "", text
        return line_value(kind, text, now=self._context.clock(), held=held, waits=waits, me=os_user()), ""

    async def _write(self, kind: HandlingKind, targets: Sequence[str], value: str, note: str) -> None:
        from syncerr_tui.journal.claims import os_user
        from syncerr_tui.journal.people import say_about

        connection = self._context.connection
        if connection is None:
            self._say("Not connected: nothing was written.", "bad")
            return
        try:
            await self._journals.ask(
                connection.identity.org_id,
                lambda journal: say_about(journal, targets, kind, by=os_user(), value=value, text=note),
            )
        except SyncErrError as error:
            self._post(Troubled(error))
            return
        self._say(_done(kind, value))
        self._post(HandlingsChanged())


def _done(kind: HandlingKind, value: str) -> str:
    match kind:
        case HandlingKind.NOTE:
            return "Noted."
        case HandlingKind.ASSIGN:
            return f"Assigned to {one_line(value)}." if value else "Unassigned."
        case HandlingKind.SUPPORT:
            return f"With support: {one_line(value)}." if value else "Not with support any more."
        case HandlingKind.SNOOZE:
            return "Snoozed: plans leave it out for now." if value else "Awake again: plans take it in."
    return "Merged: it is one record from now on."
