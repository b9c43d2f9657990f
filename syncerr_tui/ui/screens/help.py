"""The keys that work here, made from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widget import Widget

from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.triage.actions import Action
from syncerr_tui.triage.keymap import shown
from syncerr_tui.ui.screens.dialog import Reading, keys
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.ui.widgets.panel import InfoPanel

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

    def body(self) -> Sequence[Widget]:
        """The keys, laid out for the width there is."""
        panel = InfoPanel(thumb="┃" if self._unicode else "|")
        panel.show(self._lines)
        return (panel,)

    def action_scroll(self, rows: int) -> None:
        """Scroll."""
        self.query_one(InfoPanel).move(rows)

    def _lines(self, width: int) -> list[TextLine]:
        page = TextLayout(width)
        group = ""
        for action, reason in self._actions:
            if action.group != group:
                group = action.group
                page.heading(group)
            names = "  ".join(shown(key, unicode=self._unicode) for key in action.keys)
            told: list[tuple[str, Role]] = [(action.help, Role.TEXT)]
            if reason:
                told.append((f" Not now: {reason}.", Role.MUTED))
            first = f"  {names:<{_KEYS}} "
            page.pieces(*told, first=first, rest=" " * len(first))
        hint = "To select text with the mouse, hold shift (option on a Mac)."
        page.blank()
        page.text(hint, Role.MUTED)
        return page.lines

    @property
    def answers(self) -> Sequence[Part]:
        """How to read on and leave."""
        return keys(("j k", "scroll"), ("esc", "closes"))
