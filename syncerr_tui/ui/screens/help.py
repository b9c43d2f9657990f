"""The keys that work here, made from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from syncerr_tui.triage.actions import Action
from syncerr_tui.ui.keys import shown
from syncerr_tui.ui.screens.dialog import Reading, keys
from syncerr_tui.ui.widgets.line import Part

_KEYS = 20


class HelpScreen(Reading[None]):
    """Keys by group, each with one sentence; what cannot run now says why."""

    SHAPE = "-full"

    def __init__(self, place: str, actions: Sequence[tuple[Action, str | None]], *, unicode: bool) -> None:
        super().__init__()
        self._place = place
        self._actions = actions
        self._unicode = unicode

    @property
    def heading(self) -> str:
        """Where these keys work."""
        return f"Keys in {self._place}.  Small letters look, capital letters act."

    @property
    def text(self) -> Content:
        """The keys."""
        pieces: list[tuple[str, str]] = []
        group = ""
        for action, reason in self._actions:
            if action.group != group:
                group = action.group
                pieces.append((f"\n{group}\n", "bold"))
            names = "  ".join(shown(key, unicode=self._unicode) for key in action.keys)
            pieces.append((f"  {names:<{_KEYS}} ", "bold $syncerr-accent"))
            pieces.append((action.help, ""))
            pieces.append((f" Not now: {reason}." if reason else "", "$syncerr-quiet"))
            pieces.append(("\n", ""))
        pieces.append(("\nTo select text with the mouse, hold shift (option on a Mac).\n", "$syncerr-quiet"))
        return Content.assemble(*pieces)

    @property
    def answers(self) -> Sequence[Part]:
        """How to read on and leave."""
        return keys(("j k", "scroll"), ("esc", "closes"))
