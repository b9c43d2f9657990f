"""A question on top of everything: a heading, some text, and the keys that answer it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, TypeVar

from textual import on
from textual._time import get_time
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from syncerr_tui.diagnosis.text_layout import TextLine
from syncerr_tui.text import one_line
from syncerr_tui.ui.diffing_app import DiffingApp
from syncerr_tui.ui.widgets.line import InputLine, Line, Part
from syncerr_tui.ui.widgets.panel import InfoPanel
from syncerr_tui.ui.widgets.themed import LinesBelow

Answer = TypeVar("Answer")
_NOTICED_SECONDS = 0.5
"""How long a person needs to notice a dialog that they did not wait for."""


class Dialog(ModalScreen[Answer], inherit_bindings=False):
    """The frame of every dialog. Subclasses say what stands in it."""

    DEFAULT_CSS = """
    Dialog { background: transparent; align: center middle; }
    Dialog:ansi { background: transparent; }
    Dialog .dialog {
        width: 76; max-width: 96%; height: auto; max-height: 96%; padding: 0 1; background: $syncerr-bar;
        border: solid $syncerr-accent; color: $syncerr-text;
    }
    Dialog #head > Line, Dialog #foot > Line { background: $syncerr-bar; }
    Dialog #head { dock: top; height: auto; }
    Dialog #foot { dock: bottom; height: auto; }
    Dialog .dialog Static { width: 100%; }
    Dialog .dialog > VerticalScroll { height: auto; max-height: 1fr; scrollbar-size-vertical: 1; }
    Dialog .dialog OptionList {
        height: auto; max-height: 1fr; background: $syncerr-bar; border: none; padding: 0;
        scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis;
    }
    Dialog OptionList:nocolor > .option-list--option-highlighted { text-style: reverse; }
    Dialog OptionList:ansi > .option-list--option-highlighted {
        color: ansi_default; background: ansi_default; text-style: reverse;
    }
    Dialog .dialog.-tall { height: 96%; }
    Dialog .dialog.-tall OptionList { height: 1fr; max-height: 100%; }
    Dialog .dialog.-full { width: 100%; max-width: 100%; height: 100%; max-height: 100%; border: none; }
    Dialog .dialog > InfoPanel { background: $syncerr-bar; }
    Dialog #head > Input { background: $syncerr-bar; color: $syncerr-text; }
    Dialog #head > Input:disabled { display: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,ctrl+c", "leave", "leave", show=False),
        # With priority: what is typed behind it in the same packet is the line's already.
        Binding("slash", "narrow", show=False, priority=True),
    ]
    SHAPE: ClassVar[str] = ""
    """`-tall` for lists, `-full` for a whole screen, empty for as much as it takes."""
    NARROWS: ClassVar[str] = ""
    """What to type where `/` narrows what it shows to what has some words; empty where it does not."""

    TYPED_INTO: ClassVar[bool] = False
    """It comes up with a line that takes the keys: text typed before it is seen is that line's."""

    _keys: Sequence[tuple[str, str]] = (("esc", "close"),)
    """The keys that answer it, and what each does."""

    _heading = ""
    late = False
    """It comes up while the person does something else: what they typed for that must not answer it."""
    _seen_since: float | None = None

    def __init__(self) -> None:
        super().__init__()
        self._styles_cache = LinesBelow()

    def _compositor_refresh(self) -> None:
        """Note when the person can see it: it is drawn, with the keys that answer it, and not put off."""
        super()._compositor_refresh()
        put_off = isinstance(self.app, DiffingApp) and self.app.is_behind
        in_front = self.is_active and any(line.size.area for line in self.query("#answers"))
        if self._seen_since is None and in_front and not put_off:
            self._seen_since = get_time() + (_NOTICED_SECONDS if self.late else 0)

    def _screen_resized(self, size: Size) -> None:
        """Textual 8.2.8 lays a screen out a second time for the size that its first layout has given it."""
        if size == self.outer_size:
            self.refresh()
        else:
            super()._screen_resized(size)

    def was_seen_at(self, when: float) -> bool:
        """Whether this was on screen at that time of Textual's events, so that a key can be an answer to it.

        Of `aR` and enter in one packet the enter is older than the plan that it would confirm.
        """
        return self._seen_since is not None and when >= self._seen_since

    def bind_key(self, key: str, action: str) -> None:
        """Let a key do this, whatever it does in other dialogs of its kind."""
        self._bindings.key_to_bindings[key] = [Binding(key, action, show=False)]

    def unseen(self) -> None:
        """It asks something else from now on: a key pressed before that is on screen is no answer."""
        self._seen_since = None

    def on_screen_suspend(self) -> None:
        """Another dialog is in front: a key that answers it must not answer this one too."""
        self.unseen()

    def compose(self) -> ComposeResult:
        with Vertical(classes=f"dialog {self.SHAPE}"):
            heading = Line(id="heading")
            heading.show([(self.heading, "strong")])
            narrowing = [InputLine(placeholder=self.NARROWS, disabled=True)] if self.NARROWS else []
            # Docked, as the keys are: what stands between them has just the room that is left.
            yield Vertical(heading, *narrowing, *self.below_heading(), id="head")
            yield from self.body()
            answers = Line(id="answers")
            answers.show(self.answers)
            yield Vertical(*self.above_answers(), answers, id="foot")

    @property
    def heading(self) -> str:
        """What it is about."""
        return self._heading

    def body(self) -> Sequence[Widget]:
        """What stands between heading and keys."""
        return ()

    def below_heading(self) -> Sequence[Widget]:
        """What stands below the heading, however long the body is."""
        return ()

    def above_answers(self) -> Sequence[Widget]:
        """What stands above the keys, however long the body is."""
        return ()

    @property
    def answers(self) -> Sequence[Part]:
        """The keys that answer it."""
        return keys(*self._keys)

    def show_heading(self) -> None:
        self.query_one("#heading", Line).show([(self.heading, "strong")])

    def show_answers(
        self, lead: str = "", look: str = "strong", pairs: Sequence[tuple[str, str]] | None = None
    ) -> None:
        """The keys that answer it now, or `pairs` in their place, behind a sentence that is new."""
        parts: list[Part] = [(f"{one_line(lead)}  ", look)] if lead else []
        self.query_one("#answers", Line).show([*parts, *(self.answers if pairs is None else keys(*pairs))])

    def action_leave(self) -> None:
        """Answer nothing; where something was typed, show everything again first."""
        if self.NARROWS and not self._narrowing.disabled:
            self._narrowing.value = ""
            self._narrowing.disabled = True
            self.begin()
        else:
            self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where text is typed, a slash is a letter."""
        if action != "narrow":
            return True
        return bool(self.NARROWS) and not isinstance(self.focused, Input)

    # -- narrowing what is shown -----------------------------------------------------------------------

    @property
    def _narrowing(self) -> Input:
        return self.query_one("#head > Input", Input)

    def begin(self) -> None:
        """What takes the keys while nothing is typed."""
        self.set_focus(None)

    def action_narrow(self) -> None:
        """Type words; what has them stays."""
        self._narrowing.disabled = False
        self.set_focus(self._narrowing)

    @on(Input.Changed, "#head > Input")
    def narrowed(self, event: Input.Changed) -> None:
        event.stop()
        self.show_matching(event.value)

    def show_matching(self, text: str) -> None:
        """Show only what has all words of this text."""


class ListDialog(Dialog[Answer]):
    """A dialog with a list and its cursor. Subclasses that are drawn anew say what stands above the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
    ]

    def body(self) -> Sequence[Widget]:
        return (OptionList(markup=False),)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.choose()

    def choose(self) -> None:
        """Enter, or a click, on the line under the cursor."""

    @property
    def chosen_id(self) -> str:
        """What the line under the cursor is called."""
        option = self.listed.highlighted_option
        return str(option.id) if option is not None else ""

    @property
    def text(self) -> Content:
        return Content("")

    def entries(self) -> Iterable[Option | str]:
        """What the list shows."""
        return ()

    def draw(self) -> None:
        """Everything anew, while there is something to draw it on: it may open later, or be closed."""
        if self.query(OptionList):
            self.fill(self.entries())
            self.query_one(Static).update(self.text)
            self.show_heading()
            self.show_answers()

    @property
    def listed(self) -> OptionList:
        return self.query_one(OptionList)

    @property
    def row(self) -> int:
        """The line under the cursor; -1 where there is none."""
        at = self.listed.highlighted if self.query(OptionList) else None
        return -1 if at is None else at

    def fill(self, lines: Iterable[Option | str], at: int | None = None) -> None:
        """These are the lines; the cursor goes to `at`, or stays where it is as far as it can."""
        listed, place = self.listed, max(self.row, 0) if at is None else at
        options = [Option(Content(line)) if isinstance(line, str) else line for line in lines]
        listed.clear_options()
        listed.add_options(options)
        listed.highlighted = min(place, len(options) - 1) if options else None

    def action_move(self, rows: int) -> None:
        if rows > 0:
            self.listed.action_cursor_down()
        else:
            self.listed.action_cursor_up()


class TextDialog(Dialog[Answer]):
    """A dialog with a text that may be longer than its window."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space,ctrl+f", "scroll(10)", show=False),
        Binding("pageup,ctrl+b", "scroll(-10)", show=False),
        Binding("g,home", "scroll(-100000)", show=False),
        Binding("G,end", "scroll(100000)", show=False),
    ]

    def body(self) -> Sequence[Widget]:
        return (VerticalScroll(Static(self.text, markup=False), can_focus=False),)

    @property
    def text(self) -> Content:
        return Content("")

    def action_scroll(self, rows: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False, force=True)


class PanelReading(TextDialog[None]):
    """A text that `/` narrows to the parts that have some words.

    Args:
        heading: What it is about.
    """

    SHAPE = "-full"

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._heading = heading
        self._words: list[str] = []

    def body(self) -> Sequence[Widget]:
        panel = InfoPanel()
        panel.show(self.lines)
        return (panel,)

    def lines(self, width: int) -> list[TextLine]:
        """What has the words, for this width."""
        raise NotImplementedError

    def has_words(self, text: str) -> bool:
        folded = text.casefold()
        return all(word in folded for word in self._words)

    def draw(self) -> None:
        for panel in self.query(InfoPanel):  # none once it is closed
            panel.show(self.lines)

    def show_matching(self, text: str) -> None:
        self._words = text.casefold().split()
        self.draw()

    def action_scroll(self, rows: int) -> None:
        self.query_one(InfoPanel).move(rows)


class Question(TextDialog[Answer]):
    """A question as data: its words, and the keys that answer it.

    Args:
        heading: What it is about.
        paragraphs: What the answers mean.
        answers: For each key what it does, in a word or two, and the answer.
        no: What escape does, which answers nothing.
    """

    def __init__(
        self,
        heading: str,
        *paragraphs: str | Content,
        answers: Mapping[str, tuple[str, Answer]],
        no: str = "cancels",
    ) -> None:
        super().__init__()
        self._heading = heading
        self._paragraphs = paragraphs
        self._answers = answers
        for key in answers:
            self.bind_key(key, f"answer('{key}')")
        self._keys = (*((key, does) for key, (does, _) in answers.items()), ("esc", no))

    def action_answer(self, key: str) -> None:
        self.dismiss(self._answers[key][1])

    @property
    def text(self) -> Content:
        parts = (text if isinstance(text, Content) else one_line(text) for text in self._paragraphs)
        return Content("").join(Content.assemble("\n", part, "\n") for part in parts)


def keys(*pairs: tuple[str, str]) -> list[Part]:
    """`enter starts   esc cancels` as parts of a line."""
    parts: list[Part] = []
    for key, does in pairs:
        parts += [(f"{'   ' if parts else ''}{key}", "key"), (f" {does}", "quiet")]
    return parts
