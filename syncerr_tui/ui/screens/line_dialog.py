"""One line that a person writes: why a re-sync is done, what is said of an error, a filter's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from syncerr_tui.host.config import filter_name_trouble
from syncerr_tui.text import one_line
from syncerr_tui.ui.screens.dialog import Dialog
from syncerr_tui.ui.widgets.line import InputLine

LONGEST = 200
"""Characters of a line that are kept."""


def _missing(text: str) -> str:
    return "" if one_line(text) else "Nothing is written yet."


class LineDialog(Dialog[str]):
    """Asks for one line. Enter applies it, escape cancels.

    Args:
        question: What is asked.
        explanation: What the person should know of it.
        example: How an answer may look.
        before: What was given already.
        yes: What enter does.
        trouble: Why a line is not taken; empty where it is.
    """

    TYPED_INTO = True

    def __init__(
        self,
        question: str,
        explanation: str = "The journal keeps it.",
        *,
        example: str = "",
        before: str = "",
        yes: str = "applies",
        trouble: Callable[[str], str] = _missing,
    ) -> None:
        super().__init__()
        self._explanation = explanation
        self._example = example
        self._before = before
        self._trouble = trouble
        self._heading = question
        self._keys = (("enter", yes), ("esc", "cancels"))

    def body(self) -> Sequence[Widget]:
        line = InputLine(self._before, placeholder=self._example, max_length=LONGEST)
        return Static(Content(f"\n{self._explanation}\n")), line, Static(Content(""))

    def on_mount(self) -> None:
        self.set_focus(self.query_one(Input))

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if trouble := self._trouble(event.value):
            self.show_answers(trouble, "bad", self._keys[1:])
        else:
            self.dismiss(one_line(event.value))


def reason_dialog(before: str = "", *, required: bool = False) -> LineDialog:
    """Asks for the reason of a re-sync."""
    required_note = "This org wants a reason for every re-sync. " if required else ""
    return LineDialog(
        "Why is this re-synced?",
        f"{required_note}The journal keeps it.",
        example="for example: the duplicate rule is off since 02:10",
        before=before,
        trouble=lambda text: "A reason is needed here." if required and not one_line(text) else "",
    )


def filter_name_dialog(text: str, known: Mapping[str, str]) -> LineDialog:
    """Asks for the name of a filter; one that is taken is asked about by a second enter."""
    replaced: set[str] = set()

    def trouble(typed: str) -> str:
        name = typed.strip()
        if why := filter_name_trouble(name):
            return why
        if known.get(name, text) == text or name in replaced:
            return ""
        replaced.clear()
        replaced.add(name)
        return f"{name} is another filter: enter again replaces it"

    names = f"\nSaved already: {', '.join(known)}" if known else ""
    return LineDialog(
        "Save this filter under which name?",
        f"{one_line(text)}{names}",
        example="a name, as in: late orders",
        yes="saves it in config.toml",
        trouble=trouble,
    )


def target_name_dialog(name: str) -> LineDialog:
    """Asks for the name of what is about to be switched off. Only the right one is taken."""
    return LineDialog(
        "This is a PRODUCTION org. Type the name of what is switched off meanwhile:",
        one_line(name),
        yes="starts",
        trouble=lambda typed: "" if typed == name else "That is not the name.",
    )
