"""The line in which a filter is typed: every letter filters, enter applies it, escape undoes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from syncerr_tui.errors import BadInputError
from syncerr_tui.ui.debouncer import caught_up
from syncerr_tui.ui.widgets.line import InputLine, Line

if TYPE_CHECKING:
    from syncerr_tui.ui.list_with_panel import ListWithPanel


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
        Binding("enter", "keep", "keep", show=False, priority=True),
        Binding("tab", "complete", "complete", show=False, priority=True),
        Binding("ctrl+s", "save", "save", show=False, priority=True),
        Binding("up", "earlier", "earlier", show=False, priority=True),
        Binding("down", "later", "later", show=False, priority=True),
    ]

    @dataclass
    class Wrong(Message):
        """What is wrong with the text; empty where it can be read again."""

        line: str

    @dataclass
    class Closed(Message):
        """The person is done with it."""

        applied: bool
        """False where everything is as it was before."""
        text: str = ""
        """What was applied."""
        save: bool = False
        """The person wants to give it a name."""

    @dataclass
    class Offered(Message):
        """The last word can go on in several ways."""

        words: Sequence[str]
        at: int
        """Which of them stands in the line."""

    def __init__(self) -> None:
        super().__init__(id="filter-bar")
        self._target: ListWithPanel | None = None
        self._before = ""
        self._complete: Callable[[str], Sequence[str]] = lambda _text: ()
        self._offered: Sequence[str] = ()
        self._offered_at = 0
        self._past: Sequence[str] = ()
        """Filters that were applied, the latest last."""
        self._at = 0
        """Which of them stands in the line; their number where none does."""
        self._focus_before: Widget | None = None

    @cached_property
    def _line(self) -> Input:
        """Where the text is typed; made, with what stands around it, when it is first asked for."""
        prompt, answer = Line(classes="-prompt"), Line(id="filter-answer", classes="-answer")
        prompt.show([("/", "key")])
        answer.show([], [("enter applies  esc undoes ", "quiet")])
        line = InputLine()
        self.mount_all([prompt, line, answer])
        return line

    def ask(
        self, target: ListWithPanel, past: Sequence[str], complete: Callable[[str], Sequence[str]]
    ) -> None:
        """Show the line with the filter as it is.

        Args:
            target: What is filtered.
            past: The filters that were applied before, the latest last.
            complete: A text with its last word completed, in each way there is.
        """
        self._target, self._past, self._complete, self._offered = target, past, complete, ()
        self._before = target.filter_text or ""
        self._focus_before = self.screen.focused
        line = self._line
        self._at = len(self._past)
        with line.prevent(Input.Changed):
            line.value = self._before
        line.cursor_position = len(self._before)
        self.add_class("-on")
        # At once, not in its turn: what is typed ahead belongs to this line already.
        self.screen.set_focus(line)

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        event.stop()
        text = event.value
        if self._target is None or not self.has_class("-on"):
            return
        wrong = self._tried(text)
        # What is half a mistake by now has filtered as free text: the words before it filter alone.
        while text and wrong and self._tried(text):
            text = text.rpartition(" ")[0]
        if wrong:
            self._tried(text)
        if len(self._offered) > 1 and event.value == self._offered[self._offered_at]:
            self.post_message(self.Offered(self._offered, self._offered_at))
        else:
            self.post_message(self.Wrong(wrong))

    def _tried(self, text: str) -> str:
        """Filter by a text that is being typed, and say what is wrong with it; empty where it can be read."""
        assert self._target is not None
        try:
            self._target.filter_as_typed(text)
        except BadInputError as error:
            return error.line
        return ""

    async def action_save(self) -> None:
        """Back to the list with the filter in place, which is to have a name."""
        await self.action_keep(save=True)

    async def action_complete(self) -> None:
        """The last word completed, in another way with each press; back to the list where there is none."""
        text = await self._caught_up()
        if len(self._offered) > 1 and text == self._offered[self._offered_at]:
            self._offered_at = (self._offered_at + 1) % len(self._offered)
        else:
            self._offered, self._offered_at = self._complete(text), 0
        if not self._offered:
            await self.action_keep()
            return
        self._put(self._offered[self._offered_at])

    async def action_keep(self, *, save: bool = False) -> None:
        """Back to the list with the filter in place; a text that cannot be read is gone on with."""
        text = await self._finished()
        assert self._target is not None
        try:
            self._target.filter_by(text)
        except BadInputError as error:
            self.post_message(self.Wrong(error.line))
            self.screen.set_focus(self._line)
        else:
            await self._close(applied=True, text=text, save=save)

    def action_earlier(self) -> None:
        self._recall(self._at - 1)

    async def action_later(self) -> None:
        """The filter that was applied after it; from the latest on to the list."""
        if self._at < len(self._past):
            self._recall(self._at + 1)
        else:
            await self.action_keep()

    def _recall(self, at: int) -> None:
        if 0 <= at <= len(self._past):
            self._at = at
            self._put(self._past[at] if at < len(self._past) else self._before)

    def _put(self, text: str) -> None:
        line = self._line
        line.value = text
        line.cursor_position = len(text)

    async def action_give_up(self) -> None:
        await self._finished()
        assert self._target is not None
        self._target.filter_by(self._before)
        await self._close(applied=False)

    async def _close(self, *, applied: bool, text: str = "", save: bool = False) -> None:
        assert self._target is not None
        self.remove_class("-on")
        await self._target.settled()
        self.post_message(self.Closed(applied, text, save))

    async def _finished(self) -> str:
        """The text, once the letters before this key are in it; the keys after it are the list's."""
        text = await self._caught_up()
        self.screen.set_focus(self._focus_before)
        return text

    async def _caught_up(self) -> str:
        """The text, once the letters before this key are in it."""
        await caught_up(self._line)
        return self._line.value
