"""Fixing what blocks an error: the options, the one that is chosen, and what a re-read shows of it.

One dialog in five stages. Looking things up and applying happen elsewhere: leaving the dialog stops neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.errors import SyncErrError
from syncerr_tui.fixes.model import FixOption, FixResult
from syncerr_tui.text import one_line
from syncerr_tui.ui import fix_words as words
from syncerr_tui.ui.screens.dialog import Dialog, keys
from syncerr_tui.ui.widgets.line import Line, Part
from syncerr_tui.ui.widgets.panel import InfoPanel

_NAME = "\x00name"
"""What the line is called in which the target's name is typed: no field of an org is called so."""


class Stage(StrEnum):
    """Where the dialog stands."""

    LOOKING = "looking"
    CHOOSING = "choosing"
    CONFIRMING = "confirming"
    APPLYING = "applying"
    ENDED = "ended"


Apply = Callable[[FixOption, Mapping[str, str], str], object]
"""Starts applying an option with these typed values and this typed name of its target."""


class FixDialog(Dialog[bool]):
    """The fixes of one error or cause. True: re-sync now, since a change has been made.

    Args:
        subject: What it is about, as a person calls it.
        apply: Starts what was chosen; `ended` is called when it is over.
        names_target: The person types the target's name before anything is changed.
        links: The terminal shows links.
        thumb: What the scroll bar is drawn with.
    """

    DEFAULT_CSS = """
    FixDialog .dialog { width: 96%; max-width: 100; height: 96%; }
    FixDialog .dialog OptionList { max-height: 8; }
    FixDialog .dialog InfoPanel { height: 1fr; margin: 1 0; }
    FixDialog .dialog Vertical { height: auto; }
    FixDialog .dialog Input { background: $syncerr-ground; }
    FixDialog.-decided OptionList { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", show=False),
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("space,pagedown,ctrl+f", "scroll(8)", show=False),
        Binding("pageup,ctrl+b", "scroll(-8)", show=False),
        Binding("R", "resync", show=False),
    ]

    def __init__(
        self, subject: str, apply: Apply, *, names_target: bool, links: bool = False, thumb: str = "┃"
    ) -> None:
        super().__init__()
        self._subject = subject
        self._apply = apply
        self._names_target = names_target
        self._links = links
        self._thumb = thumb
        self.stage = Stage.LOOKING
        self.options: Sequence[FixOption] = ()
        self._option: FixOption | None = None
        self._made = False
        """A re-read showed the change."""
        self._ready = False
        """There is something to show on."""
        self._early: Callable[[], object] | None = None
        """What came before there was anything to show it on."""

    @property
    def heading(self) -> str:
        """What it is about."""
        return f"Fix what blocks {self._subject}"

    def body(self) -> Sequence[Widget]:
        """The options, what is known about the one under the cursor, and lines to type in."""
        return (
            OptionList(markup=False),
            InfoPanel(links=self._links, thumb=self._thumb),
            Vertical(id="typed"),
        )

    def on_mount(self) -> None:
        """Say what is known: as a rule nothing yet."""
        self._ready = True
        self._say("Looking up what can be done about it ...")
        if self._early is not None:
            early, self._early = self._early, None
            early()

    @property
    def answers(self) -> Sequence[Part]:
        """The keys of this stage."""
        match self.stage:
            case Stage.CHOOSING:
                return keys(("enter", "chooses"), ("space", "reads on"), ("esc", "leaves"))
            case Stage.CONFIRMING:
                return keys(("enter", "applies it"), ("esc", "back"))
            case Stage.ENDED:
                return keys(*[("R", "re-syncs now")] * self._made, ("enter", "closes"))
            case _:
                return keys(("esc", "leaves; it goes on"))

    # -- what comes from outside -----------------------------------------------------------------------

    def learn(self, options: Sequence[FixOption]) -> None:
        """These are the options."""
        if not self._ready:
            self._early = partial(self.learn, options)
            return
        if self.stage is not Stage.LOOKING or not self.query(InfoPanel):
            return
        self.options = options
        if not options:
            self._enter(Stage.ENDED)
            self._say("Nothing that can be done from here would fix it. enter in the list says what to do.")
            return
        listed = self.query_one(OptionList)
        listed.add_options(
            Option(Content(words.option_line(option)), id=str(number))
            for number, option in enumerate(options)
        )
        listed.highlighted = 0
        self._enter(Stage.CHOOSING)

    def ended(self, result: FixResult | SyncErrError) -> None:
        """Applying is over."""
        if not self._ready:
            self._early = partial(self.ended, result)
            return
        if not self.query(InfoPanel) or self.stage not in {Stage.LOOKING, Stage.APPLYING}:
            return
        self._made = isinstance(result, FixResult) and result.verified
        self._enter(Stage.ENDED)
        if isinstance(result, SyncErrError):
            self._say(f"{result.title}.", result.hint)
        elif self._option is not None:
            self._show(partial(words.result_lines, self._option.title, result))

    # -- the stages ------------------------------------------------------------------------------------

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.set_class(stage is not Stage.CHOOSING, "-decided")
        self.query_one("#answers", Line).show(self.answers)
        if stage is Stage.CHOOSING:
            self.query_one(OptionList).focus()
            self._show_option()
        elif stage is not Stage.CONFIRMING:
            self.query_one(InfoPanel).focus()

    def _show(self, layout: Callable[[int], list[TextLine]]) -> None:
        self.query_one(InfoPanel).show(layout)

    def _say(self, text: str, hint: str = "") -> None:
        def lines(width: int) -> list[TextLine]:
            page = TextLayout(width)
            page.text(one_line(text), Role.NAME)
            page.text(one_line(hint))
            return page.lines

        self._show(lines)

    @property
    def _highlighted(self) -> FixOption | None:
        at = self.query_one(OptionList).highlighted
        return self.options[at] if at is not None and at < len(self.options) else None

    @on(OptionList.OptionHighlighted)
    def _show_option(self) -> None:
        option = self._highlighted
        if option is not None and self.stage is Stage.CHOOSING:
            self._show(partial(words.option_lines, option))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        option = self._highlighted
        if option is None or self.stage is not Stage.CHOOSING:
            return
        if not option.allowed:
            reason = option.why_not or f"{option.why_guided}: the steps are below"
            self.query_one("#answers", Line).show(
                [(f"{one_line(reason)}.  ", "bad"), *keys(("esc", "leaves"))]
            )
            return
        self._option = option
        self._enter(Stage.CONFIRMING)
        self.run_worker(self._ask(option), exclusive=True)

    async def _ask(self, option: FixOption) -> None:
        """Lines to type in, where there is something to type."""
        typed = self.query_one("#typed", Vertical)
        await typed.remove_children()
        wanted = [(name, f" {name} becomes:") for name in option.wants]
        if self._names_target:
            asked = f" This is a PRODUCTION org. Type the target's name, {one_line(option.target.name)}:"
            wanted.append((_NAME, asked))
        for name, label in wanted:
            line, field = Line(), Input(compact=True, name=name)
            line.show([(label, "key")])
            field.cursor_blink = False
            await typed.mount(line, field)
        fields = list(typed.query(Input))
        (fields[0] if fields else self.query_one(InfoPanel)).focus()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        fields = list(self.query(Input))
        following = fields[fields.index(event.input) + 1 :]
        if following:
            following[0].focus()
        else:
            self.action_go_on()

    def action_go_on(self) -> None:
        """Apply it, or close."""
        if self.stage is Stage.ENDED:
            self.dismiss(False)
        option = self._option
        if self.stage is not Stage.CONFIRMING or option is None:
            return
        typed = {str(field.name): field.value for field in self.query(Input)}
        name = typed.pop(_NAME, "")
        if self._names_target and name != option.target.name:
            wrong = "That is not the name: nothing was changed.  "
            self.query_one("#answers", Line).show([(wrong, "bad"), *self.answers])
            return
        self._enter(Stage.APPLYING)
        self.query_one("#typed", Vertical).remove_children()
        self._say(
            f"{option.title} ...", "Reading it, recording it in the journal, changing it, reading it again."
        )
        self._apply(option, typed, name)

    def action_leave(self) -> None:
        """Back to the options, or out."""
        if self.stage is Stage.CONFIRMING:
            self.query_one("#typed", Vertical).remove_children()
            self._enter(Stage.CHOOSING)
        else:
            self.dismiss(False)

    def action_resync(self) -> None:
        """The blocker is gone: go on to the plan."""
        if self._made:
            self.dismiss(True)

    def action_move(self, rows: int) -> None:
        """Through the options; through the text where one is chosen."""
        if self.stage is not Stage.CHOOSING:
            self.query_one(InfoPanel).move(rows)
        elif rows > 0:
            self.query_one(OptionList).action_cursor_down()
        else:
            self.query_one(OptionList).action_cursor_up()

    def action_scroll(self, rows: int) -> None:
        """Read on."""
        self.query_one(InfoPanel).move(rows)


class NameDialog(Dialog[str]):
    """Asks for the name of what is about to be switched off. Only the right one is taken."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "leave", show=False)]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._target = name

    @property
    def heading(self) -> str:
        """What is asked."""
        return "This is a PRODUCTION org. Type the name of what is switched off meanwhile:"

    def body(self) -> Sequence[Widget]:
        """The name, and a line to type it in."""
        line, field = Line(), Input(compact=True)
        line.show([(one_line(self._target), "strong")])
        field.cursor_blink = False
        return line, field

    def on_mount(self) -> None:
        """Typing comes first."""
        self.query_one(Input).focus()

    @property
    def answers(self) -> Sequence[Part]:
        """Start, or not."""
        return keys(("enter", "starts"), ("esc", "leaves"))

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        if event.value == self._target:
            self.dismiss(event.value)
        else:
            self.query_one("#answers", Line).show([("That is not the name.  ", "bad"), *self.answers])
