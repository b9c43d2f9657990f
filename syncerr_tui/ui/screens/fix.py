"""Fixing what blocks an error, and putting back what is off because of us, each shown by a re-read.

Fixing is one dialog in five stages. Looking things up and applying happen elsewhere: leaving a dialog stops
neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, OptionList

from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.errors import SyncErrError
from syncerr_tui.fixes.model import FixOption, FixResult, SafeguardNow, SafeguardState
from syncerr_tui.text import one_line
from syncerr_tui.ui import fix_words as words
from syncerr_tui.ui.screens.dialog import ListDialog, keys
from syncerr_tui.ui.widgets.line import InputLine, Line, Part
from syncerr_tui.ui.widgets.panel import InfoPanel
from syncerr_tui.words import plural

Answer = TypeVar("Answer")
DialogShown = TypeVar("DialogShown", bound=ListDialog[Any])
Given = ParamSpec("Given")
_NAME = "\x00name"
"""What the line is called in which the target's name is typed: no field of an org is called so."""


def once_shown(
    method: Callable[Concatenate[DialogShown, Given], None],
) -> Callable[Concatenate[DialogShown, Given], None]:
    """Do what comes from outside as soon as there is a dialog to show it on, and while there is."""

    def show(dialog: DialogShown, /, *args: Given.args, **kwargs: Given.kwargs) -> None:
        def if_open() -> None:
            if dialog.is_attached and dialog.query(OptionList):  # one that closes loses its parts first
                method(dialog, *args, **kwargs)

        dialog.call_later(if_open)

    return show


class PanelDialog(ListDialog[Answer]):
    """A list, and what is known about the line under its cursor."""

    DEFAULT_CSS = """
    PanelDialog .dialog { width: 96%; max-width: 100; height: 96%; }
    PanelDialog .dialog OptionList { max-height: 8; }
    PanelDialog .dialog InfoPanel { height: 1fr; margin: 1 0; }
    PanelDialog .dialog Vertical { height: auto; }
    PanelDialog .dialog Input { background: $syncerr-ground; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,pagedown,ctrl+f", "scroll(8)", show=False),
        Binding("pageup,ctrl+b", "scroll(-8)", show=False),
    ]

    def body(self) -> Sequence[Widget]:
        """The list, the panel, and room for lines to type in."""
        panel = InfoPanel()
        return OptionList(markup=False), panel, Vertical(id="typed")

    def show(self, layout: Callable[[int], list[TextLine]]) -> None:
        """What stands in the panel, for a width."""
        self.query_one(InfoPanel).show(layout)

    def say(self, text: str, hint: str = "") -> None:
        """A sentence in the panel, and what to do about it."""

        def lines(width: int) -> list[TextLine]:
            page = TextLayout(width)
            page.text(one_line(text), Role.NAME)
            page.text(one_line(hint))
            return page.lines

        self.show(lines)

    async def ask_for(self, labels: Iterable[tuple[str, str]]) -> None:
        """Lines to type in: (name, label). The first, or else the panel, takes the keys."""
        typed = self.query_one("#typed", Vertical)
        await typed.remove_children()
        for name, label in labels:
            line = Line()
            line.show([(label, "key")])
            await typed.mount(line, InputLine(name=name))
        self.set_focus(next(iter(typed.query(Input)), self.query_one(InfoPanel)))

    @property
    def typed(self) -> dict[str, str]:
        """What has been typed, by the name of its line."""
        return {str(field.name): field.value for field in self.query(Input)}

    def action_move(self, rows: int) -> None:
        """Through the list; through the text where the list is not shown."""
        if self.listed.display:
            super().action_move(rows)
        else:
            self.query_one(InfoPanel).move(rows)

    def action_scroll(self, rows: int) -> None:
        self.query_one(InfoPanel).move(rows)


class Stage(StrEnum):
    """Where the dialog stands."""

    LOOKING = "looking"
    CHOOSING = "choosing"
    CONFIRMING = "confirming"
    APPLYING = "applying"
    ENDED = "ended"


Apply = Callable[[FixOption, Mapping[str, str], str], object]
"""Starts applying an option with these typed values and this typed name of its target."""


class FixDialog(PanelDialog[bool]):
    """The fixes of one error or cause. True: re-sync now, since a change has been made.

    Args:
        subject: What it is about, as a person calls it.
        apply: Starts what was chosen; `ended` is called when it is over.
        names_target: The person types the target's name before anything is changed.
        listed: What is chosen goes on a list, and changes nothing.
    """

    DEFAULT_CSS = "FixDialog.-decided OptionList { display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", show=False),
        Binding("R", "resync", show=False),
    ]

    def __init__(
        self,
        subject: str,
        apply: Apply,
        *,
        names_target: bool,
        listed: bool = False,
    ) -> None:
        super().__init__()
        self._apply = apply
        self._names_target = names_target
        self._listed = listed
        self.stage = Stage.LOOKING
        self.options: Sequence[FixOption] = ()
        self._option: FixOption | None = None
        self._verified = False
        """A re-read showed the change."""
        self._empty_meant = False
        """A value was left empty, and enter pressed once more."""
        self._heading = f"Fix what blocks {subject}"

    def on_mount(self) -> None:
        self.say("Looking up what can be done about it ...")

    @property
    def answers(self) -> Sequence[Part]:
        match self.stage:
            case Stage.CHOOSING:
                return keys(("enter", "chooses"), ("space", "reads on"), ("esc", "leaves"))
            case Stage.CONFIRMING:
                return keys(
                    ("enter", "puts it on the list" if self._listed else "applies it"), ("esc", "back")
                )
            case Stage.ENDED:
                return keys(*[("R", "re-syncs now")] * self._verified, ("enter", "closes"))
            case _:
                return keys(("esc", "leaves; it goes on"))

    # -- what comes from outside -----------------------------------------------------------------------

    @once_shown
    def learn(self, options: Sequence[FixOption]) -> None:
        if self.stage is not Stage.LOOKING:
            return
        self.options = options
        if not options:
            self._enter(Stage.ENDED)
            self.say("Nothing that can be done from here would fix it. enter in the list says what to do.")
            return
        self.fill(map(words.option_line, options))
        self._enter(Stage.CHOOSING)

    @once_shown
    def ended(self, result: FixResult | SyncErrError) -> None:
        if self.stage not in {Stage.LOOKING, Stage.APPLYING}:
            return
        self._verified = isinstance(result, FixResult) and result.verified
        self._enter(Stage.ENDED)
        if isinstance(result, SyncErrError):
            self.say(f"{result.title}.", result.hint)
        elif self._option is not None:
            self.show(partial(words.result_lines, self._option.title, result))

    # -- the stages ------------------------------------------------------------------------------------

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.unseen()
        self.set_class(stage is not Stage.CHOOSING, "-decided")
        self.show_answers()
        if stage is Stage.CHOOSING:
            self.set_focus(self.listed)
            self._show_option()
        elif stage is not Stage.CONFIRMING:
            self.set_focus(self.query_one(InfoPanel))

    @on(OptionList.OptionHighlighted)
    def _show_option(self) -> None:
        if self.stage is Stage.CHOOSING and self.row >= 0:
            self.show(partial(words.option_lines, self.options[self.row]))

    def choose(self) -> None:
        if self.stage is not Stage.CHOOSING or self.row < 0:
            return
        option = self.options[self.row]
        if not option.allowed:
            # Why stands in the text above.
            reason = "Not allowed." if option.why_not else "Done by hand: the steps are above."
            self.show_answers(reason, "bad", (("space", "reads on"), ("esc", "leaves")))
            return
        self._option, self._empty_meant = option, False
        self._enter(Stage.CONFIRMING)
        questions = [(name, f" {name} becomes:") for name in option.wants]
        if self._names_target:
            question = f" This is a PRODUCTION org. Type the target's name, {one_line(option.target.name)}:"
            questions.append((_NAME, question))
        self.run_worker(self.ask_for(questions), exclusive=True)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        fields = list(self.query(Input))
        following = fields[fields.index(event.input) + 1 :]
        if following:
            self.set_focus(following[0])
        else:
            self.action_go_on()

    def action_go_on(self) -> None:
        if self.stage is Stage.ENDED:
            self.dismiss(False)
        option = self._option
        if self.stage is not Stage.CONFIRMING or option is None:
            return
        typed = self.typed
        name = typed.pop(_NAME, "")
        if self._names_target and name != option.target.name:
            self.show_answers("That is not the name: nothing was changed.", "bad")
            return
        empty = [one_line(field) for field, text in typed.items() if not text]
        if empty and not self._empty_meant:
            self._empty_meant = True
            self.unseen()
            self.show_answers(f"{empty[0]} is empty: enter once more if that is meant.", "bad")
            return
        self._enter(Stage.APPLYING)
        self.query_one("#typed", Vertical).remove_children()
        steps = "Reading it, recording it in the journal, changing it, reading it again."
        self.say(f"{option.title} ...", "" if self._listed else steps)
        self._apply(option, typed, name)

    def action_leave(self) -> None:
        if self.stage is Stage.CONFIRMING:
            self.query_one("#typed", Vertical).remove_children()
            self._enter(Stage.CHOOSING)
        else:
            self.dismiss(False)

    def action_resync(self) -> None:
        """The blocker is gone: go on to the plan."""
        if self._verified:
            self.dismiss(True)


@dataclass(frozen=True, slots=True)
class SafeguardActions:
    """What is started from the dialog; `learn` shows the ledger afterwards."""

    restore: Callable[[Sequence[str]], object]
    """Puts the fixes of these ids back."""
    accept: Callable[[str], object]
    """Closes a line because another version of its Flow is meant to be active."""
    record: Callable[[str, str], object]
    """Puts a safeguard on the ledger that a person switched off by hand: its type and name, and why."""


class SafeguardsDialog(PanelDialog[None]):
    """The open lines of the ledger, each re-read just now.

    Args:
        actions: What keys start; None in a read-only app.
        moment: The time it is drawn for.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "all", show=False),
        Binding("c", "accept", show=False),
        Binding("n", "name", show=False),
    ]

    def __init__(self, actions: SafeguardActions | None, moment: Callable[[], datetime]) -> None:
        super().__init__()
        self._actions = actions
        self._moment = moment
        self._rows: Sequence[SafeguardNow] = ()
        self._busy = True
        self._note, self._noted_at = "", -1
        """What has just come of an action, and the line under the cursor then."""
        self._naming = False
        """A name is being typed."""

    @property
    def heading(self) -> str:
        open_rows = sum(row.is_off for row in self._rows)
        return f"{plural(open_rows, 'safeguard')} off" if self._rows else "Safeguards"

    def on_mount(self) -> None:
        self.say("Reading each of them again ...")
        self.listed.focus()

    @property
    def answers(self) -> Sequence[Part]:
        if self._naming:
            return keys(("enter", "puts it on the list"), ("esc", "back"))
        if self._busy or self._actions is None:
            return keys(("esc", "leaves"))
        row, pairs = self._current, []
        if row is not None:
            pairs.append(("enter", "puts it back"))
        if len(self._rows) > 1:
            pairs.append(("a", "all"))
        if row is not None and row.state is SafeguardState.OTHER_VERSION:
            pairs.append(("c", "closes its entry"))
        return keys(*pairs, ("n", "adds one"), ("esc", "later"))

    @property
    def _current(self) -> SafeguardNow | None:
        return self._rows[self.row] if 0 <= self.row < len(self._rows) else None

    # -- what comes from outside -----------------------------------------------------------------------

    @once_shown
    def learn(self, rows: Sequence[SafeguardNow], note: str = "") -> None:
        """How they are now.

        Args:
            rows: The lines.
            note: What has just been done, or why they could not be read.
        """
        self._busy, self._rows, self._note = False, rows, note
        self.fill(map(words.safeguard_line, rows))
        self._noted_at = self.row
        self.show_heading()
        self._draw()
        if not rows:
            self.say(note or "Nothing that was switched off from here is still off.")

    @on(OptionList.OptionHighlighted)
    def _draw(self) -> None:
        row = self._current
        if row is not None:
            self.show(partial(words.safeguard_lines, row, self._moment()))
        # Filling the list highlights a line again, which must not wipe out what has just come of an action.
        self.show_answers(self._note if row is not None and self.row == self._noted_at else "")

    # -- what keys do ----------------------------------------------------------------------------------

    def _start(self, text: str, work: Callable[[SafeguardActions], object]) -> None:
        """Start one thing at a time, where anything may be changed."""
        if self._actions is not None and not self._busy and not self._naming:
            self._busy, self._note = True, ""
            self.say(text)
            self.show_answers()
            work(self._actions)

    def choose(self) -> None:
        row = self._current
        if row is not None:
            name, fix = row.record.target.name, row.record.id
            self._start(f"Putting {name} back ...", lambda actions: actions.restore([fix]))

    def action_all(self) -> None:
        fixes = [row.record.id for row in self._rows]
        if fixes:
            text = f"Putting {plural(len(fixes), 'safeguard')} back ..."
            self._start(text, lambda actions: actions.restore(fixes))

    def action_accept(self) -> None:
        """Close the line of a Flow of which another version is active."""
        row = self._current
        if row is not None and row.state is SafeguardState.OTHER_VERSION:
            name, fix = row.record.target.name, row.record.id
            self._start(f"Closing the entry of {name} ...", lambda actions: actions.accept(fix))

    def action_name(self) -> None:
        """Ask for the name of one that a person switched off by hand."""
        if self._actions is not None and not self._busy:
            self._naming, self._note = True, ""
            self.say("Its type and name, as in ValidationRule:Order.Rule", words.NAMES_OF_SAFEGUARDS)
            self.show_answers()
            questions = [("name", " Type and name:"), ("reason", " Why (may be empty):")]
            self.run_worker(self.ask_for(questions), exclusive=True)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.name == "name":
            self.set_focus(self.query(Input).last())
            return
        typed = self.typed
        self._end_naming()
        name, reason = typed["name"].strip(), typed["reason"]
        if name:
            self._start("Reading it ...", lambda actions: actions.record(name, reason))

    def _end_naming(self) -> None:
        self._naming = False
        # At once: a key that is already on its way must not go to a line that is being taken away.
        self.set_focus(self.listed)
        self.query_one("#typed", Vertical).remove_children()
        self._draw()

    def action_leave(self) -> None:
        if self._naming:
            self._end_naming()
        else:
            self.dismiss(None)
