"""Fixing several causes in one go: each change that can be made from here, and what is left by hand.

Only the smallest change of each cause is offered, and nothing that a value has to be typed for. Safeguards
are not ticked until the person ticks them. Before each change the org is read again (`FixController`): what
is another one by then is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import OptionList

from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.errors import SyncErrError
from syncerr_tui.fixes.model import FixOption
from syncerr_tui.fixes.org import FixScope
from syncerr_tui.model import SyncError
from syncerr_tui.text import one_line
from syncerr_tui.ui import fix_words as words
from syncerr_tui.ui.screens.dialog import keys
from syncerr_tui.ui.screens.fix import PanelDialog, once_shown
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import plural


@dataclass(frozen=True, slots=True)
class FixProposal:
    """One line: a change for a cause, or what has to be done by hand."""

    subject: str
    """The errors of the cause, as a person calls them."""
    errors: Sequence[SyncError]
    option: FixOption | None
    why_not: str = ""
    """Why it is not made from here, in a word or two; empty where it can be."""

    @property
    def shared_by(self) -> object:
        """Equal for proposals that come to one and the same."""
        if self.option is None or self.option.wants:
            return self.errors[0].object, self.why_not, self.option and self.option.key
        return self.why_not, self.option.key, tuple(plain(step.text) for step in self.option.steps)

    @property
    def of_records(self) -> bool:
        """Whether each error of the cause may have a record of its own to be changed."""
        return self.option is not None and not self.why_not and self.option.kind.scope is FixScope.RECORD


def proposals(subject: str, errors: Sequence[SyncError], options: Sequence[FixOption]) -> list[FixProposal]:
    """The smallest change of a cause, in each of its targets; else what a person does about it."""
    allowed = [option for option in options if option.allowed and not option.settled]
    smallest = [option for option in allowed if option.kind is allowed[0].kind]
    if not smallest:
        option = next((each for each in options if not each.settled), None)
        return [FixProposal(subject, errors, option, "by hand" if options else "re-sync")]
    if smallest[0].wants:
        return [FixProposal(subject, errors, smallest[0], "needs a value")]
    return [FixProposal(subject, errors, option) for option in smallest]


def _merged(lines: Sequence[FixProposal]) -> FixProposal:
    """One line for proposals that come to the same."""
    if len(lines) == 1 or not lines[0].why_not:
        return lines[0]
    others = plural(len(lines) - 1, "more cause")
    errors = [error for line in lines for error in line.errors]
    return replace(lines[0], subject=f"{lines[0].subject}, and {others} like it", errors=errors)


class FixManyDialog(PanelDialog[bool]):
    """What would fix the causes of a selection. True: re-sync now.

    Args:
        causes: How many causes are looked up.
        apply: Makes these changes, one after another; told by `done`.
        listed: What is ticked goes on a list, and changes nothing.
    """

    DEFAULT_CSS = "FixManyDialog .dialog OptionList { max-height: 50%; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", show=False),
        Binding("a", "tick_all", show=False),
        Binding("R", "resync", show=False),
    ]

    def __init__(
        self,
        causes: int,
        apply: Callable[[Sequence[FixProposal]], object],
        *,
        listed: bool = False,
    ) -> None:
        super().__init__()
        self._causes = causes
        self._listed = listed
        self._apply = apply
        self.lines: list[FixProposal] = []
        self.ticked: set[int] = set()
        self.outcomes: dict[int, tuple[str, str]] = {}
        """Line -> what became of it in a word, and in a sentence."""
        self._applying = False
        self._ended = False
        self.stopped = False
        """The person left: what is not begun is not begun."""
        self._heading = f"Fix what blocks {plural(self._causes, 'cause')}"

    def on_mount(self) -> None:
        self._say_how_far(0)

    @property
    def answers(self) -> Sequence[Part]:
        if self._ended:
            return keys(*[("R", "re-syncs now")] * (not self._listed), ("enter", "closes"))
        if self._applying:
            return keys(("esc", "stops after this one"))
        if not self.lines:
            return keys(("esc", "leaves"))
        if self._only_by_hand:
            return keys(("R", "re-syncs now"), ("esc", "leaves"))
        count = plural(len(self.ticked), "change")
        verb = "lists" if self._listed else "makes"
        return keys(("enter", f"{verb} {count}"), ("space", "ticks"), ("a", "ticks all"), ("esc", "leaves"))

    # -- what comes from outside -----------------------------------------------------------------------

    @once_shown
    def looked_up(self, causes: int) -> None:
        self._say_how_far(causes)

    def _say_how_far(self, causes: int) -> None:
        of = f"{causes:,} of {plural(self._causes, 'cause')}"
        self.say(f"Looking up what can be done: {of} ...")

    @once_shown
    def failed(self, error: SyncErrError) -> None:
        """They could not be looked up."""
        self.say(f"{error.title}.", error.hint)

    @once_shown
    def learn(self, lines: Iterable[FixProposal]) -> None:
        """These are the proposals; what several causes share, a change or the same steps, is there once."""
        known: dict[object, list[FixProposal]] = {}
        for line in lines:
            known.setdefault(line.shared_by, []).append(line)
        merged = [_merged(shared) for shared in known.values()]
        self.lines = sorted(merged, key=lambda line: (bool(line.why_not), line.why_not))
        self.ticked = {
            at
            for at, line in enumerate(self.lines)
            if line.option is not None and not line.why_not and not line.option.kind.is_safeguard
        }
        self.unseen()
        self._draw()
        self.listed.focus()
        self._show_line()

    @once_shown
    def done(self, line: FixProposal, word: str, sentence: str) -> None:
        at = self.lines.index(line)
        self.outcomes[at] = word, sentence
        self._draw()
        self.listed.highlighted = at

    @once_shown
    def ended(self, sentence: str = "") -> None:
        """All is done that will be done."""
        self._ended, self._applying = True, False
        self.show_answers(sentence)

    # -- drawing ---------------------------------------------------------------------------------------

    def _draw(self) -> None:
        self.fill(self._line(at) for at in range(len(self.lines)))
        self.show_answers()

    def _line(self, at: int) -> str:
        line = self.lines[at]
        if at in self.outcomes:
            sign = self.outcomes[at][0]
        else:
            sign = line.why_not or ("[✓]" if at in self.ticked else "[ ]")
        kind = line.option.kind.scope.value if line.option is not None and not line.why_not else ""
        title = one_line(line.option.title) if kind and line.option is not None else line.subject
        return f"{sign:<13} {kind:<10}{title}"

    @on(OptionList.OptionHighlighted)
    def _show_line(self) -> None:
        if self.row >= 0:
            self.show(partial(self._about, self.row))

    def _about(self, at: int, width: int) -> list[TextLine]:
        line, page = self.lines[at], TextLayout(width)
        if at in self.outcomes:
            page.text(self.outcomes[at][1], Role.HEADING)
        page.text(f"For {line.subject}.", Role.MUTED)
        if line.option is None:
            page.text("Nothing has to be changed: a re-sync may do.")
        else:
            page.add(words.option_lines(line.option, width))
        return page.lines

    # -- what keys do ----------------------------------------------------------------------------------

    @property
    def _can_tick(self) -> bool:
        return bool(self.lines) and not (self._applying or self._ended)

    @property
    def _only_by_hand(self) -> bool:
        return bool(self.lines) and all(line.why_not for line in self.lines)

    def action_tick(self) -> None:
        """Make the change under the cursor, or not; move on. Where that cannot be, read on."""
        at = self.row
        if not self._can_tick or self.lines[at].why_not:
            self.action_scroll(8)
            return
        self.ticked ^= {at}
        self._draw()
        self.action_move(1)

    def action_tick_all(self) -> None:
        if self._can_tick:
            self.ticked = {at for at, line in enumerate(self.lines) if not line.why_not}
            self._draw()

    def choose(self) -> None:
        if self._ended:
            self.dismiss(False)
        elif self._can_tick and self.ticked:
            self._applying = True
            self.show_answers()
            self._apply([self.lines[at] for at in sorted(self.ticked)])

    def action_leave(self) -> None:
        """Out; while changes are made, stop after the one that is under way."""
        if self._applying:
            self.stopped = True
            self.show_answers("Stopping.")
        else:
            self.dismiss(False)

    def action_resync(self) -> None:
        """On to the plan; also where nothing is to be changed from here, and the person did the rest."""
        if self._ended or self._only_by_hand:
            self.dismiss(True)
