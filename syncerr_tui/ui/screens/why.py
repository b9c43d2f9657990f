"""One line that a person writes: why a re-sync is done, or what is to be said about an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from syncerr_tui.text import one_line
from syncerr_tui.ui.screens.dialog import Dialog
from syncerr_tui.ui.widgets.line import Line

LONGEST = 200
"""Characters of a reason that are kept."""


class LineDialog(Dialog[str]):
    """Asks for one line. Enter applies it, escape cancels.

    Args:
        question: What is asked.
        told: What the person should know of it.
        example: How an answer may look.
        before: What was given already.
        required: An empty one is not taken.
    """

    _keys = (("enter", "applies"), ("esc", "cancels"))
    EMPTY = "Nothing is written yet. "
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "leave", show=False)]

    def __init__(
        self,
        question: str,
        *,
        told: str = "The journal keeps it.",
        example: str = "",
        before: str = "",
        required: bool = True,
    ) -> None:
        super().__init__()
        self._told = told
        self._example = example
        self._before = before
        self._required = required
        self._heading = question

    def body(self) -> Sequence[Widget]:
        """A line to write on."""
        line = Input(
            self._before,
            placeholder=self._example,
            compact=True,
            max_length=LONGEST,
        )
        line.cursor_blink = False
        return (Static(Content(f"\n{self._told}\n")), line, Static(Content("")))

    def on_mount(self) -> None:
        """Typing comes first."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        text = one_line(event.value)
        if self._required and not text:
            self.query_one("#answers", Line).show([(self.EMPTY, "bad"), *self.answers])
            return
        self.dismiss(text)


class WhyDialog(LineDialog):
    """Asks for the reason of a re-sync.

    Args:
        before: What was given already.
        required: An empty one is not taken.
    """

    EMPTY = "A reason is needed here. "

    def __init__(self, before: str = "", *, required: bool = False) -> None:
        told = "This org wants a reason for every re-sync. " if required else ""
        super().__init__(
            "Why is this re-synced?",
            told=f"{told}The journal keeps it.",
            example="for example: the duplicate rule is off since 02:10",
            before=before,
            required=required,
        )
