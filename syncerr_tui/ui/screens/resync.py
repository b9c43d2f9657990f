"""Questions around a re-sync: what was left open, what waits, what was pressed by hand, what is off.

Nothing is read or sent without a choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from syncerr_tui.journal.history import Unfinished
from syncerr_tui.model import Environment, OrgIdentity
from syncerr_tui.resync.run_state import ResumeMode
from syncerr_tui.text import one_line
from syncerr_tui.triage.state import QueuedRun, RunQueue
from syncerr_tui.ui.screens.dialog import ListDialog, Question, keys
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import ago, plural, sentence


def unticked_question(unticked: int, *, leaving: bool) -> Question[bool]:
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
        answers={"enter": (f"not pressed: {does}", True), "u": (f"perhaps pressed: {does}", False)},
        no="goes back",
    )


def off_question(off: str, names: Sequence[str]) -> Question[bool]:
    """Leaving while safeguards are off: True leaves, False shows them, None stays."""
    lasts = (
        "Every user and every integration saves without it until it is on again. It stays on the ledger: "
        "every command and the next start say so."
    )
    answers = {"enter": ("leaves it off", True), "s": ("puts it back", False)}
    return Question(off, *names, lasts, answers=answers, no="stays")


def leave_demo_question() -> Question[bool]:
    """Leaving the demo for the set-up of an org of one's own."""
    text = (
        "The set-up asks its questions in the terminal. Nothing is changed in your org, and ctrl+c there "
        "comes back to this demo, as you leave it now."
    )
    heading = "Leave the demo and connect your own org?"
    return Question(heading, text, answers={"enter": ("goes there", True)})


SLEEP_QUESTION = "sleep-question"


def sleep_question(off: str, *, paused: bool) -> Question[bool]:
    """Suspending while a re-sync is under way.

    Args:
        off: The safeguards that are off because of us, in words; empty for none.
        paused: The re-sync is held already.
    """
    asleep = (
        "The re-sync sleeps too: nothing is sent until you come back with fg, and then what was on its "
        "way is read from the org before anything goes on. Nothing is sent twice."
    )
    elsewhere = (
        "After ten minutes of silence a colleague at another machine with the same journal may go on "
        "with its rows."
    )
    stays = f"{off}: that lasts as long as the sleep. Better wait, or stop the re-sync first." if off else ""
    heading = "A re-sync is paused" if paused else "A re-sync is under way"
    paragraphs = filter(None, (stays, asleep, elsewhere))
    question = Question(heading, *paragraphs, answers={"enter": ("suspends", True)}, no="stays")
    question.id = SLEEP_QUESTION
    return question


_ENDED = 5
"""Runs that have ended and are shown."""
_LOWEST_WINDOW = 15


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

    def below_heading(self) -> Sequence[Widget]:
        return (Static(self.text, markup=False),)

    @property
    def text(self) -> Content:
        queue = self._queue()
        # In a low window the room is for what is queued.
        ended = queue.ended[-max(1, min(_ENDED, self.app.size.height - _LOWEST_WINDOW)) :]
        lines = [f"Ended {one.at.astimezone():%H:%M}  {one.summary}" for one in ended]
        if queue.held:
            lines += ["", sentence(queue.held), "Nothing more begins until you say so."]
        elif queue.runs:
            lines += ["", "Each starts on its own, planned anew, once the one before it has ended well."]
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


ResumeAnswer = tuple[ResumeMode, bool]
"""What to do with an interrupted run; and whether what stays unknown is sent again."""


def resume_question(
    unfinished: Unfinished, org: OrgIdentity, drawn: datetime, *, others: int = 0, may_send: bool = True
) -> Question[ResumeAnswer]:
    """A run that was interrupted: go on, only check, drop, or leave it for later.

    Args:
        unfinished: The run, and how far it came.
        org: Where.
        drawn: The time it is looked at.
        others: How many more wait behind it.
        may_send: False in a read-only app: then nothing can go on.
    """
    run, does = unfinished.run, "sends the rest"
    if run.method == "guided":
        does = "reads what was shown again, then shows the rest to press"
    elif unfinished.unknown:
        does = "reads the unknown ones again, then sends the rest"
    twice = "sends the unknown ones too, which may apply them twice"
    choices: list[tuple[str, str, str, ResumeAnswer]] = []
    if may_send:
        choices.append(("c", "continue", does, (ResumeMode.CONTINUE, False)))
    if may_send and unfinished.unknown:
        choices.append(("g", "send again", twice, (ResumeMode.CONTINUE, True)))
    choices += [
        ("o", "only check", "reads again what was sent; sends nothing", (ResumeMode.CHECK, False)),
        ("d", "drop", "closes it as it is; reads and sends nothing", (ResumeMode.DROP, False)),
    ]
    begun = (
        f"Begun {run.started_at.astimezone():%Y-%m-%d %H:%M} ({ago(run.started_at, drawn)}) by {run.os_user}"
    )
    about: list[str | tuple[str, str]] = [
        (f"{unfinished.summary}.", "bold"),
        "\n",
        one_line(f"{begun} on {run.host or 'an unnamed machine'}, method {run.method}."),
        f"\nWhy: {one_line(run.reason)}" if run.reason else "",
    ]
    lines = [Content.assemble((f"{key}  {name:<11}", "bold"), words) for key, name, words, _ in choices]
    paragraphs = [Content.assemble(*about), Content("\n").join(lines)]
    if may_send and org.environment is Environment.PRODUCTION:
        paragraphs.insert(
            0, Content("This is a PRODUCTION org: what is sent changes real data.").stylize("bold")
        )
    more = f"\n{others} more wait in the Journal (3)." if others else ""
    return Question(
        f"A re-sync in {org.name} ({org.environment.value}) was interrupted",
        *paragraphs,
        Content(f"Nothing is read or sent before you choose.{more}"),
        answers={key: (name, answer) for key, name, _, answer in choices},
        no="later",
    )
