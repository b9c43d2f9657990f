"""The keys that work here, made from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widget import Widget

from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.triage.actions import Action
from syncerr_tui.triage.keymap import key_label
from syncerr_tui.ui.screens.dialog import Reading
from syncerr_tui.ui.widgets.panel import InfoPanel

_KEYS = 20


class HelpScreen(Reading[None]):
    """Keys by group, each with one sentence; what cannot run now says why."""

    _keys = (("j k", "scroll"), ("/", "narrows"), ("esc", "closes"))
    SHAPE = "-full"
    NARROWS = "part of a key's name or of what it does"

    def __init__(self, place: str, actions: Sequence[tuple[Action, str | None]], *, unicode: bool) -> None:
        super().__init__()
        self._actions = actions
        self._unicode = unicode
        self._words: list[str] = []
        self._heading = f"Keys in {place}.  Small letters look, capital letters act."

    def body(self) -> Sequence[Widget]:
        panel = InfoPanel(thumb="┃" if self._unicode else "|")
        panel.show(self._lines)
        return (panel,)

    def action_scroll(self, rows: int) -> None:
        self.query_one(InfoPanel).move(rows)

    def show_matching(self, text: str) -> None:
        self._words = text.casefold().split()
        self.query_one(InfoPanel).show(self._lines)

    def _matches(self, action: Action, names: str) -> bool:
        text = f"{names} {action.label} {action.help} {action.group}".casefold()
        return all(word in text for word in self._words)

    def _lines(self, width: int) -> list[TextLine]:
        page = TextLayout(width)
        group = ""
        for action, reason in self._actions:
            names = "  ".join(key_label(key, unicode=self._unicode) for key in action.keys)
            if not self._matches(action, names):
                continue
            if action.group != group:
                group = action.group
                page.heading(group)
            pieces: list[tuple[str, Role]] = [(action.help, Role.TEXT)]
            if reason:
                pieces.append((f" Not now: {reason}.", Role.MUTED))
            first = f"  {names:<{_KEYS}} "
            page.pieces(*pieces, first=first, rest=" " * len(first))
        if not group:
            page.text("No key and no sentence has these words.")
        hint = "To select text with the mouse, hold shift (option on a Mac)."
        page.blank()
        page.text(hint, Role.MUTED)
        return page.lines
