"""The line in which a filter is typed: every letter filters, enter keeps it, escape takes it back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from syncerr_tui.ui.widgets.line import Line


class FilterBar(Horizontal):
    """Hidden until a person asks for it."""

    DEFAULT_CSS = """
    FilterBar { display: none; }
    FilterBar.-on { display: block; }
    FilterBar { height: 1; layout: horizontal; background: $syncerr-bar; }
    FilterBar > Line { background: $syncerr-bar; }
    FilterBar > .-prompt { width: 2; }
    FilterBar > Input { width: 1fr; background: $syncerr-bar; color: $syncerr-text; }
    FilterBar > .-answer { width: 40%; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority: what is typed ahead of an enter is the list's again.
        Binding("escape,ctrl+c", "give_up", "give up", show=False, priority=True),
        Binding("enter,down,up,tab", "keep", "keep", show=False, priority=True),
    ]

    class Typed(Message):
        """The text has changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, kept: Callable[[str], None], given_up: Callable[[str], None]) -> None:
        """Make the line.

        Args:
            kept: Takes the text that a person is done with. Called before the next key is looked at.
            given_up: Takes the text from before, which is wanted back.
        """
        super().__init__(id="filter-bar")
        self._kept = kept
        self._given_up = given_up
        self._before = ""
        self._focus_before: Widget | None = None

    def compose(self) -> ComposeResult:
        """A slash, the text, and what comes of it."""
        prompt = Line()
        prompt.add_class("-prompt")
        prompt.show([("/", "key")])
        yield prompt
        line = Input(compact=True)
        # A blinking cursor alone writes 2 kB a second.
        line.cursor_blink = False
        yield line
        answer = Line(id="filter-answer")
        answer.add_class("-answer")
        yield answer

    def ask(self, text: str, hint: str) -> None:
        """Show the line with the filter as it is, or with what can be typed."""
        self._before = text
        self._focus_before = self.screen.focused
        line = self.query_one(Input)
        line.placeholder = hint
        with line.prevent(Input.Changed):
            line.value = text
        line.cursor_position = len(text)
        self.query_one("#filter-answer", Line).show([], [("enter keeps  esc takes back ", "quiet")])
        self.add_class("-on")
        # At once, not in its turn: what is typed ahead belongs to this line already.
        self.screen.set_focus(line)

    def close(self) -> None:
        """Put the line away."""
        self.remove_class("-on")

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Every letter counts."""
        event.stop()
        if self.has_class("-on"):
            self.post_message(self.Typed(event.value))

    def ask_again(self) -> None:
        """The text cannot be read: go on with it."""
        self.screen.set_focus(self.query_one(Input))

    async def action_keep(self) -> None:
        """Enter."""
        self._kept(await self._finished())

    async def action_give_up(self) -> None:
        """Escape."""
        await self._finished()
        self._given_up(self._before)

    async def _finished(self) -> str:
        """The text, once the letters before this key are in it; the keys after it are the list's."""
        line = self.query_one(Input)
        caught_up = asyncio.Event()
        line.call_later(caught_up.set)
        await caught_up.wait()
        self.screen.set_focus(self._focus_before)
        return line.value
