"""Notes, who works on it, tickets and snoozes: asked for, written in the journal, and shown again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncerr_tui.errors import SyncErrError
from syncerr_tui.journal.claims import os_user
from syncerr_tui.journal.people import say_about
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.text import one_line
from syncerr_tui.triage.handling import NOBODY, PARENT, HandlingKind, line_value, waits_for_parent
from syncerr_tui.ui.messages import HandlingsChanged, Troubled
from syncerr_tui.ui.screens.line_dialog import LineDialog
from syncerr_tui.ui.screens.menus import ChoiceMenu
from syncerr_tui.ui.services import Controller
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Cause


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to say."""

    kind: HandlingKind
    label: str
    value: str | None = None
    """None: to be asked for."""


_ASKED: Mapping[HandlingKind, tuple[str, str]] = {
    HandlingKind.NOTE: ("A note on", "for example: the carrier answers on Monday"),
    HandlingKind.ASSIGN: ("Who works on", f"a name, me, or {NOBODY}"),
    HandlingKind.SUPPORT: ("The ticket of", f"its number, or {NOBODY}"),
    HandlingKind.SNOOZE: ("Until when to snooze", f"8h, 2d, 2026-11-30T06:00, +5 for five more, or {PARENT}"),
}
"""Kind -> what is asked, and how an answer looks."""

_WISHES = (
    Wish(HandlingKind.NOTE, "Note ..."),
    Wish(HandlingKind.ASSIGN, "Assign to me", "me"),
    Wish(HandlingKind.ASSIGN, "Assign to somebody ..."),
    Wish(HandlingKind.ASSIGN, "Assign to nobody", NOBODY),
    Wish(HandlingKind.SUPPORT, "With support: ticket ..."),
    Wish(HandlingKind.SUPPORT, "Not with support any more", NOBODY),
    Wish(HandlingKind.SNOOZE, "Snooze for 8 hours", "8h"),
    Wish(HandlingKind.SNOOZE, "Snooze until its parent is fixed", PARENT),
    Wish(HandlingKind.SNOOZE, "Snooze until ..."),
    Wish(HandlingKind.SNOOZE, "Wake it", ""),
    Wish(HandlingKind.MERGED, "The two records of the TWIN are merged", ""),
)


def handling_menu(about: str, *, asleep: bool, twin: bool) -> ChoiceMenu[Wish]:
    """What can be said; of what is asleep first how it wakes.

    Args:
        about: Of what, in words.
        asleep: It is snoozed.
        twin: It was left as a TWIN.
    """
    hidden = {"Wake it"} if not asleep else set()
    hidden |= {"The two records of the TWIN are merged"} if not twin else set()
    lines = [(wish.label, wish) for wish in _WISHES if wish.label not in hidden]
    return ChoiceMenu(f"About {about}", lines)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is spoken of."""

    name: str
    targets: Sequence[str]
    """Ids of errors, or the key of a cause."""
    held: int
    """Errors of its cause, with what waits."""
    waits: bool
    """It waits for a parent."""


class HandlingController(Controller):
    """Asks what a person wants to say, and writes it down."""

    def open(self, errors: Sequence[SyncError], cause: Cause | None) -> None:
        """Ask what to say of these errors, or of a cause as a whole."""
        graph, history = self._services.graph_worker.graph, self._services.error_history
        waits = graph is None or waits_for_parent(graph, (error.id for error in errors))
        if cause is not None:
            name = f"this cause: {plural(cause.held, 'error')}, and those to come"
            subject = _Subject(name, (cause.key,), cause.held, waits)
        else:
            name = errors[0].short_name if len(errors) == 1 else plural(len(errors), "error")
            known = graph.cause_of(errors[0].id) if graph is not None else None
            held = known.held if known is not None else 1
            subject = _Subject(name, tuple(error.id for error in errors), held, waits)

        def chosen(wish: Wish | None) -> None:
            if wish is not None and wish.value is not None:
                self._say_of(subject, wish.kind, wish.value)
            elif wish is not None:
                question, example = _ASKED[wish.kind]
                dialog = LineDialog(f"{question} {subject.name}", example=example)
                self._open(dialog, lambda text: self._say_of(subject, wish.kind, text))

        handled = [self._context.state.handlings.of(error.id) for error in errors]
        menu = handling_menu(
            subject.name,
            asleep=any(one.snooze for one in handled),
            twin=any(history.unsettled.get(error.id) is Verdict.TWIN for error in errors),
        )
        self._open(menu, chosen)

    def _say_of(self, subject: _Subject, kind: HandlingKind, text: str | None) -> None:
        if text is None:
            return
        note, value = (text, "") if kind is HandlingKind.NOTE else ("", text)
        if kind is not HandlingKind.NOTE:
            now, held, waits = self._context.clock(), subject.held, subject.waits
            try:
                value = line_value(kind, text, now=now, held=held, waits=waits, me=os_user())
            except SyncErrError as error:
                self._say(error.line, "bad")
                return
        self._work(self._write(kind, subject.targets, value, note), "saying")

    async def _write(self, kind: HandlingKind, targets: Sequence[str], value: str, note: str) -> None:
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
