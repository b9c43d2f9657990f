"""Questions around a re-sync: what was left open, what waits, what was pressed by hand, what is off.

Nothing is read or sent without a choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from syncerr_tui.journal.history import Unfinished
from syncerr_tui.model import Environment, OrgIdentity
from syncerr_tui.resync.run_state import ResumeMode
from syncerr_tui.text import one_line
from syncerr_tui.triage.state import QueuedRun, RunQueue
from syncerr_tui.ui.screens.dialog import ListDialog, Question, TextDialog, keys
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import ago, plural, sentence


def unticked_question(unticked: int, *, leaving: bool) -> Question:
    """Rows that were shown to be pressed, and that nobody has spoken of: True says that none was pressed,
    False that some may have been, None goes back to them.
    """
    one = unticked == 1
    if leaving:
        none = "The next start offers to go on, and shows the rest to be pressed."
        maybe = f"The next start reads {'it' if one else 'them'} again before anything is asked."
    else:
        none = f"{'It is' if one else 'They are'} recorded as not sent."
        maybe = (
            "It is read once more; without a trace it is UNKNOWN."
            if one
            else "They are read once more; without a trace they are UNKNOWN."
        )
    does = "quits" if leaving else "stops"
    return Question(
        f"{plural(unticked, 'row')} not ticked: was Re-sync pressed for {'it' if one else 'any of them'}?",
        f"Not pressed: {none}",
        f"Perhaps pressed: {maybe}",
        yes=f"not pressed: {does}",
        other=("u", f"perhaps pressed: {does}"),
        no="goes back",
    )


def off_question(off: str, names: Sequence[str]) -> Question:
    """Leaving while safeguards are off: True leaves, False shows them, None stays."""
    lasts = (
        "Every user and every integration saves without it until it is on again. It stays on the ledger: "
        "every command and the next start say so."
    )
    back = ("s", "puts it back")
    return Question(off, *names, lasts, yes="leaves it off", other=back, no="stays")


def leave_demo_question() -> Question:
    """Leaving the demo for the set-up of an org of one's own."""
    text = (
        "The set-up asks its questions in the terminal. Nothing is changed in your org, and ctrl+c there "
        "comes back to this demo, as you leave it now."
    )
    return Question("Leave the demo and connect your own org?", text, yes="goes there")


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

    def __init__(self, queue: Callable[[], RunQueue], change: Callable[[RunQueue], object]) -> None:
        super().__init__()
        self._queue = queue
        self._change = change

    @property
    def heading(self) -> str:
        queue = self._queue()
        if queue.held:
            return "The queue is on hold"
        return f"{plural(len(queue.runs), 're-sync')} queued" if queue.runs else "Nothing is queued"

    @property
    def text(self) -> Content:
        queue = self._queue()
        ended = queue.ended[-_ENDED:]
        lines = [f"Ended {one.at.astimezone():%H:%M}  {one.summary}" for one in ended]
        if queue.held:
            lines += ["", sentence(queue.held), "Nothing more begins until you say so."]
        elif queue.runs:
            lines += ["", "Each begins by itself when the one before it has ended well, planned anew."]
            lines.append("What is fixed by then, or waits for what is not, is not sent.")
        return Content("".join(f"\n{one_line(line)}" for line in lines) + "\n")

    def on_mount(self) -> None:
        self.listed.focus()
        self.draw()

    def entries(self) -> Iterator[str]:
        for place, run in enumerate(self._queue().runs, 1):
            why = f"  Why: {run.reason}" if run.reason else ""
            first = ", one first" if run.canary else ""
            yield one_line(f"{place}. {run.words}{first}{why}")

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

    def choose(self) -> None:
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


class ResumeDialog(TextDialog[ResumeMode]):
    """A run that was interrupted: go on, only check, drop, or leave it for later.

    Args:
        unfinished: The run, and how far it came.
        org: Where.
        drawn: The time it is looked at.
        others: How many more wait behind it.
        may_send: False in a read-only app: then nothing can go on.
    """

    DEFAULT_CSS = "ResumeDialog .dialog > VerticalScroll { max-height: 70vh; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "choose('continue')", show=False),
        Binding("g", "again", show=False),
        Binding("o", "choose('check')", show=False),
        Binding("d", "choose('drop')", show=False),
    ]

    def __init__(
        self,
        unfinished: Unfinished,
        org: OrgIdentity,
        drawn: datetime,
        *,
        others: int = 0,
        may_send: bool = True,
    ) -> None:
        super().__init__()
        self._unfinished = unfinished
        self._org = org
        self._drawn = drawn
        self._others = others
        self._may_send = may_send
        self.again = False
        """The person wants sent again what is still unknown after the org's usual time."""
        self._heading = f"A re-sync in {self._org.name} ({self._org.environment.value}) was interrupted"

    @property
    def text(self) -> Content:
        """Which run, how far it came, and what each key would do."""
        run, unfinished = self._unfinished.run, self._unfinished
        at = run.started_at.astimezone()
        loud = self._may_send and self._org.environment is Environment.PRODUCTION
        lines: list[tuple[str, str]] = [
            ("\nThis is a PRODUCTION org: what is sent changes real data.\n" if loud else "", "bold"),
            (f"\n{unfinished.summary}.", "bold"),
            (f"\nBegun {at:%Y-%m-%d %H:%M} ({ago(run.started_at, self._drawn)}) ", ""),
            (one_line(f"by {run.os_user} on {run.host or 'an unnamed machine'}, method {run.method}."), ""),
        ]
        if run.reason:
            lines.append((f"\nWhy: {one_line(run.reason)}", ""))
        lines.append(("\n", ""))
        for key, name, does in self._choices:
            lines += [(f"\n{key}  {name:<11}", "bold"), (does, "")]
        lines.append(("\n\nNothing is read or sent before you choose.", ""))
        if self._others:
            lines.append((f"\n{self._others} more wait in the Journal (3).", ""))
        return Content.assemble(*lines, "\n")

    @property
    def _choices(self) -> list[tuple[str, str, str]]:
        unfinished = self._unfinished
        again = (
            "reads the unknown ones again, then sends the rest" if unfinished.unknown else "sends the rest"
        )
        if unfinished.run.method == "guided":
            again = "reads what was shown again, then shows the rest to press"
        choices = [
            ("c", "continue", again),
            ("o", "only check", "reads again what was sent; sends nothing"),
            ("d", "drop", "closes it as it is; reads and sends nothing"),
        ]
        if unfinished.unknown:
            words = "continues, and sends the unknown ones again: that may apply them twice"
            choices.insert(1, ("g", "send again", words))
        return choices if self._may_send else choices[-2:]

    @property
    def answers(self) -> Sequence[Part]:
        pairs = [(key, name) for key, name, _ in self._choices]
        return keys(*pairs, ("esc", "later"))

    def action_again(self) -> None:
        if self._may_send and self._unfinished.unknown:
            self.again = True
            self.dismiss(ResumeMode.CONTINUE)

    def action_choose(self, mode: str) -> None:
        if mode != ResumeMode.CONTINUE.value or self._may_send:
            self.dismiss(ResumeMode(mode))
