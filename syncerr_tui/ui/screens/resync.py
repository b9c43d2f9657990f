"""Questions before a re-sync ends, sleeps, or the app is left: what was pressed by hand, and what is off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from syncerr_tui.text import one_line
from syncerr_tui.ui.screens.dialog import Question, Reading, keys
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import plural


class UntickedDialog(Reading[bool]):
    """Rows that were shown to be pressed, and that nobody has spoken of: True says that none was pressed,
    False that some may have been, None goes back to them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer(True)", show=False),
        Binding("u", "answer(False)", show=False),
    ]

    def __init__(self, unticked: int, *, leaving: bool) -> None:
        super().__init__()
        self._unticked = unticked
        self._leaving = leaving

    @property
    def heading(self) -> str:
        return f"{plural(self._unticked, 'row')} not ticked: was Re-sync pressed for {self._them}?"

    @property
    def _them(self) -> str:
        return "it" if self._unticked == 1 else "any of them"

    @property
    def text(self) -> Content:
        one = self._unticked == 1
        they, reads = ("It is", "It is read") if one else ("They are", "They are read")
        unknown = "it is UNKNOWN" if one else "they are UNKNOWN"
        none = (
            "The next start offers to go on, and shows the rest to be pressed."
            if self._leaving
            else f"{they} recorded as not sent."
        )
        maybe = (
            f"The next start reads {'it' if one else 'them'} again before anything is asked."
            if self._leaving
            else f"{reads} once more; without a trace {unknown}."
        )
        return Content(f"\nNot pressed: {none}\n\nPerhaps pressed: {maybe}\n")

    @property
    def answers(self) -> Sequence[Part]:
        does = "quits" if self._leaving else "stops"
        return keys(
            ("enter", f"not pressed: {does}"), ("u", f"perhaps pressed: {does}"), ("esc", "goes back")
        )

    def action_answer(self, unpressed: bool) -> None:
        self.dismiss(unpressed)


class OffDialog(Reading[bool]):
    """Leaving while safeguards are off: True leaves, False shows them, None stays."""

    _keys = (("s", "puts it back"), ("enter", "leaves it off"), ("esc", "stays"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer(True)", show=False),
        Binding("s", "answer(False)", show=False),
    ]

    def __init__(self, off: str, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names
        self._heading = off

    @property
    def text(self) -> Content:
        lines = [f"  {one_line(name)}" for name in self._names]
        return Content(
            "\n"
            + "\n".join(lines)
            + "\n\nEvery user and every integration saves without it until it is on again. It stays on the "
            "ledger: every command and the next start say so.\n"
        )

    def action_answer(self, leave: bool) -> None:
        self.dismiss(leave)


class LeaveDemoQuestion(Question):
    """Leaving the demo for the set-up of an org of one's own."""

    def __init__(self) -> None:
        text = (
            "The set-up asks its questions in the terminal. Nothing is changed in your org, and ctrl+c there "
            "comes back to this demo, as you leave it now."
        )
        super().__init__("Leave the demo and connect your own org?", text, yes="goes there")


class SleepQuestion(Question):
    """Suspending while a re-sync is under way.

    Args:
        off: The safeguards that are off because of us, in words; empty for none.
        paused: The re-sync is held already.
    """

    def __init__(self, off: str, *, paused: bool) -> None:
        asleep = (
            "The re-sync sleeps too: nothing is sent until you come back with fg, and then what was on its "
            "way is read from the org before anything goes on. Nothing is sent twice."
        )
        elsewhere = (
            "After ten minutes of silence a colleague at another machine with the same journal may go on "
            "with its rows."
        )
        stays = (
            f"{off}: that lasts as long as the sleep. Better wait, or stop the re-sync first." if off else ""
        )
        heading = "A re-sync is paused" if paused else "A re-sync is under way"
        super().__init__(heading, *filter(None, (stays, asleep, elsewhere)), yes="suspends", no="stays")
