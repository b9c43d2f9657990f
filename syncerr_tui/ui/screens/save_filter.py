"""The question for the name of a filter that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from syncerr_tui.host.config import filter_name_trouble
from syncerr_tui.text import one_line
from syncerr_tui.ui.screens.dialog import Dialog, keys
from syncerr_tui.ui.widgets.line import Line


class SaveDialog(Dialog[str]):
    """Asks for a name; one that is taken is asked about by a second enter.

    Args:
        text: The filter.
        known: The filters that are kept already.
    """

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
        """Typing comes first."""
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
