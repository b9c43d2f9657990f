"""The re-syncs that wait for the one under way: take one out, move it, go on after a hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static

from syncerr_tui.text import one_line
from syncerr_tui.triage.run_queue import QueuedRun, RunQueue
from syncerr_tui.ui.screens.dialog import ListDialog, keys
from syncerr_tui.ui.widgets.line import Line, Part
from syncerr_tui.words import plural, sentence

_ENDED = 5
"""Runs that have ended and are shown."""


class QueueDialog(ListDialog[bool]):
    """True: go on with the queue."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("J,shift+down", "carry(1)", show=False),
        Binding("K,shift+up", "carry(-1)", show=False),
        Binding("x,delete", "remove", show=False),
        Binding("Q", "leave", show=False),
    ]

    def __init__(
        self,
        queue: Callable[[], RunQueue],
        change: Callable[[RunQueue], object],
        zone: tzinfo | None,
    ) -> None:
        super().__init__()
        self._queue = queue
        self._change = change
        self._zone = zone

    @property
    def heading(self) -> str:
        queue = self._queue()
        if queue.held:
            return "The queue is on hold"
        return f"{plural(len(queue.runs), 're-sync')} queued" if queue.runs else "Nothing is queued"

    @property
    def _text(self) -> Content:
        queue = self._queue()
        ended = queue.ended[-_ENDED:]
        lines = [f"Ended {one.at.astimezone(self._zone):%H:%M}  {one.summary}" for one in ended]
        if queue.held:
            lines += ["", sentence(queue.held), "Nothing more begins until you say so."]
        elif queue.runs:
            lines += ["", "Each begins by itself when the one before it has ended well, planned anew."]
            lines.append("What is fixed by then, or waits for what is not, is not sent.")
        return Content("".join(f"\n{one_line(line)}" for line in lines) + "\n")

    def body(self) -> Sequence[Widget]:
        return Static(self._text, markup=False), OptionList(markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.listed.focus()
        self._draw()

    def draw(self) -> None:
        if self.is_mounted and self.query(OptionList):  # else it opens later, or was closed
            self._draw()

    def _draw(self) -> None:
        runs, lines = self._queue().runs, []
        for place, run in enumerate(runs, 1):
            why = f"  Why: {run.reason}" if run.reason else ""
            first = ", one first" if run.canary else ""
            lines.append(one_line(f"{place}. {run.words}{first}{why}"))
        self.fill(lines)
        self.listed.display = bool(runs)
        self.query_one("#heading", Line).show([(self.heading, "strong")])
        self.query_one(Static).update(self._text)
        self.query_one("#answers", Line).show(self.answers)

    @property
    def answers(self) -> Sequence[Part]:
        queue = self._queue()
        pairs = [("enter", "goes on")] if queue.held else []
        if queue.runs:
            pairs.append(("x", "takes it out"))
        if len(queue.runs) > 1:
            pairs.append(("J/K", "moves it"))
        return keys(*pairs, ("esc", "keeps it on hold" if queue.held else "closes"))

    @property
    def _current(self) -> QueuedRun | None:
        runs = self._queue().runs
        return runs[self.row] if 0 <= self.row < len(runs) else None

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self._queue().held:
            self.dismiss(True)

    def action_remove(self) -> None:
        """Take out the one under the cursor: it will not be sent."""
        run = self._current
        if run is not None:
            self._change(self._queue().removed(run.number))

    def action_carry(self, by: int) -> None:
        """The one under the cursor further back, or further to the front."""
        run = self._current
        if run is not None:
            self.listed.highlighted = min(max(self.row + by, 0), len(self._queue().runs) - 1)
            self._change(self._queue().moved(run.number, by))
