"""One line that a person writes: why a re-sync is done, what is said of an error, a filter's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from syncerr_tui.host.config import filter_name_trouble
from syncerr_tui.text import one_line
from syncerr_tui.ui.screens.dialog import Dialog, keys
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
        line = Input(
            self._before,
            placeholder=self._example,
            compact=True,
            max_length=LONGEST,
        )
        line.cursor_blink = False
        return (Static(Content(f"\n{self._told}\n")), line, Static(Content("")))

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = one_line(event.value)
        if self._required and not text:
            self.query_one("#answers", Line).show([(self.EMPTY, "bad"), *self.answers])
            return
        self.dismiss(text)


class WhyDialog(LineDialog):
    """Asks for the reason of a re-sync."""

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


class SaveDialog(Dialog[str]):
    """Asks for a name; one that is taken is asked about by a second enter."""

    _heading = "Save this filter under which name?"
    _keys = (("enter", "saves it in config.toml"), ("esc", "cancels"))

    def __init__(self, text: str, known: Mapping[str, str]) -> None:
        super().__init__()
        self._text = text
        self._known = known
        self._replaced = ""

    def body(self) -> Sequence[Widget]:
        """The filter, the names that are taken, and a line to type in."""
        names = f"\nSaved already: {', '.join(self._known)}" if self._known else ""
        line = Input(placeholder="a name, as in: late orders", compact=True)
        line.cursor_blink = False
        return (Static(f"\n{one_line(self._text)}{names}\n", markup=False), line)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Take the name, unless it cannot be one."""
        name = event.value.strip()
        trouble = filter_name_trouble(name)
        if trouble:
            self._answer(trouble)
        elif name in self._known and self._known[name] != self._text and self._replaced != name:
            self._replaced = name
            self._answer(f"{name} is another filter: enter again replaces it")
        else:
            self.dismiss(name)

    def _answer(self, line: str) -> None:
        self.query_one("#answers", Line).show([(line, "bad"), *keys(("   esc", "cancels"))])
