"""The palette: every action by its name, or by another word for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from syncerr_tui.triage.actions import Action
from syncerr_tui.triage.keymap import shown
from syncerr_tui.triage.palette import found
from syncerr_tui.ui.screens.menus import Menu


class Palette(Menu[str]):
    """What is typed finds; what cannot run now says why."""

    _heading = "Find an action"
    _keys = (("enter", "chooses"), ("esc", "cancels"))
    SHAPE = "-tall"
    NARROWS = "part of its name, or a word for it: retry, link, notification ..."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+p", "leave", show=False)]

    def __init__(self, actions: Sequence[tuple[Action, str | None]], *, unicode: bool = True) -> None:
        super().__init__()
        self._reasons = {action.id: reason for action, reason in actions}
        self._actions = [action for action, _ in actions]
        self._unicode = unicode

    def body(self) -> Sequence[Widget]:
        """The actions that match; what only moves the cursor stands last."""
        return (OptionList(*self.matching(""), markup=False),)

    def begin(self) -> None:
        """Typing comes first."""
        self.action_narrow()
        self.action_move(1)

    def matching(self, text: str) -> Sequence[Option]:
        """The actions with these words, the nearest first."""
        return [self._option(action) for action in found(self._actions, text)]

    def _option(self, action: Action) -> Option:
        reason = self._reasons[action.id]
        key = shown(action.keys[0], unicode=self._unicode) if action.keys else ""
        line = f"{action.label:<16} {key:<11} {f'({reason})' if reason else action.help}"
        return Option(Content(line), id=action.id, disabled=reason is not None)

    def action_leave(self) -> None:
        """Back, at once: the line to type in is always there."""
        self.dismiss(None)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        """Run this one."""
        self.dismiss(event.option.id)
