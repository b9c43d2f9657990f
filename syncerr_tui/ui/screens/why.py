"""Why a re-sync is done: one line, kept in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from syncerr_tui.text import one_line
from syncerr_tui.ui.screens.dialog import Dialog, keys
from syncerr_tui.ui.widgets.line import Line, Part

LONGEST = 200
"""Characters of a reason that are kept."""


class WhyDialog(Dialog[str]):
    """Asks for the reason. Enter applies it, escape cancels.

    Args:
        before: What was given already.
        required: An empty one is not taken.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "leave", show=False)]

    def __init__(self, before: str = "", *, required: bool = False) -> None:
        super().__init__()
        self._before = before
        self._required = required

    @property
    def heading(self) -> str:
        """What is asked."""
        return "Why is this re-synced?"

    def body(self) -> Sequence[Widget]:
        """A line to write on."""
        line = Input(
            self._before,
            placeholder="e.g. the duplicate rule is off since 02:10",
            compact=True,
            max_length=LONGEST,
        )
        line.cursor_blink = False
        told = "This org wants a reason for every re-sync. " if self._required else ""
        return (Static(Content(f"\n{told}The journal keeps it.\n")), line, Static(Content("")))

    def on_mount(self) -> None:
        """Typing comes first."""
        self.query_one(Input).focus()

    @property
    def answers(self) -> Sequence[Part]:
        """Keep it, or not."""
        return keys(("enter", "applies"), ("esc", "cancels"))

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        reason = one_line(event.value)
        if self._required and not reason:
            self.query_one("#answers", Line).show([("A reason is needed here. ", "bad"), *self.answers])
            return
        self.dismiss(reason)
