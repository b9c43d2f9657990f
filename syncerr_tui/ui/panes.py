"""What stands under a tab: one part of the app with its own rows and its own keys."""

from __future__ import annotations

from typing import ClassVar

from textual.message import Message
from textual.widget import Widget

from syncerr_tui.triage.actions import AppState, Place
from syncerr_tui.ui.desk import Desk


class Pane(Widget):
    """A pane does what it can do in methods named `do_<id of the action>`; the workbench does the rest."""

    place: ClassVar[Place]

    class Changed(Message):
        """Something that the lines around the pane tell has changed."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(id=self.place.value)
        self.desk = desk

    @property
    def tab(self) -> str:
        """Its name in the line of tabs, with a count where there is one."""
        return self.place.value.capitalize()

    @property
    def tells(self) -> str:
        """What stands at the right of the line of tabs: the filter, as a rule."""
        return ""

    def facts(self, state: AppState) -> AppState:
        """The state of the app with what only this pane knows."""
        return state

    def entered(self) -> None:
        """The person came here: take the focus."""
