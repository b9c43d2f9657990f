"""Key bindings and key names, made from the one table of actions."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding

from syncerr_tui.triage.actions import ACTIONS, Action

_SHOWN = {
    "space": "space",
    "slash": "/",
    "question_mark": "?",
    "comma": ",",
    "colon": ":",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pagedown": "page down",
    "pageup": "page up",
}
_ARROWS = {"up": "↑", "down": "↓", "left": "←", "right": "→"}


def shown(key: str, *, unicode: bool = True) -> str:
    """A key as a person reads it: `?`, `ctrl+p`, `shift+↓`."""
    *modifiers, name = key.split("+")
    name = _SHOWN.get(name, _ARROWS.get(name, name) if unicode else name)
    return "+".join([*modifiers, name])


def bindings(actions: Iterable[Action] = ACTIONS) -> list[Binding]:
    """One binding for each action; what it does is decided when the key is pressed.

    They have priority, so that each key is done with before the next is looked at: of what is typed ahead
    on a slow line, `/dup` filters, and `R` with enter opens the dialog first.
    """
    return [
        Binding(
            ",".join(action.keys),
            f"act('{action.id}')",
            action.label,
            show=False,
            id=action.id,
            priority=True,
        )
        for action in actions
    ]
