"""What to say about an error, several, or a cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from syncerr_tui.triage.handling import NOBODY, PARENT, HandlingKind
from syncerr_tui.ui.screens.menus import Menu


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to say."""

    kind: HandlingKind
    label: str
    value: str | None = None
    """None: to be asked for."""


ASKED: Mapping[HandlingKind, tuple[str, str]] = {
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


class HandlingMenu(Menu[Wish]):
    """What can be said; of what is asleep first how it wakes.

    Args:
        about: Of what, in words.
        asleep: It is snoozed.
        twin: It was left as a TWIN.
    """

    def __init__(self, about: str, *, asleep: bool, twin: bool) -> None:
        super().__init__()
        hidden = {"Wake it"} if not asleep else set()
        hidden |= {"The two records of the TWIN are merged"} if not twin else set()
        self._wishes = [wish for wish in _WISHES if wish.label not in hidden]
        self._heading = f"About {about}"

    def body(self) -> Sequence[Widget]:
        """What can be said."""
        options = (Option(Content(wish.label), id=str(number)) for number, wish in enumerate(self._wishes))
        listed = OptionList(*options, markup=False)
        listed.highlighted = 0
        return (listed,)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        """This."""
        self.dismiss(self._wishes[int(str(event.option.id))])
