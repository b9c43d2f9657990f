"""The app: the first frame, themes, workers, the ways out, and what each line passes on its way."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.color import Color
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from syncerr_tui.host.paths import record_crash
from syncerr_tui.host.terminal import Colour
from syncerr_tui.text import clean
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.debouncer import caught_up
from syncerr_tui.ui.diffing_app import DiffingApp
from syncerr_tui.ui.messages import Announced, BackgroundContext
from syncerr_tui.ui.screen_diff import ScreenDiff
from syncerr_tui.ui.stylesheet import CachingStylesheet
from syncerr_tui.ui.widgets.line import Line
from syncerr_tui.ui.widgets.themed import VARIABLES, theme_for

if TYPE_CHECKING:
    from textual.driver import Driver

    from syncerr_tui.ui.journals import Journals
    from syncerr_tui.ui.services import Services
    from syncerr_tui.ui.workbench import Workbench


_CUT_LEFT = re.compile(r"(?<!\w)…(?=\w)")
"""The sign of what is cut at its beginning: `…Payment__c`."""
_USUAL_SLEEP = ("ctrl+z",)
"""The keys of `suspend`. The table of actions says so too, and comes after the first frame."""


class StartScreen(Screen[None], inherit_bindings=False):
    """The title line, until the workbench takes its place."""

    DEFAULT_CSS = (
        "StartScreen { background: $syncerr-ground; } StartScreen > Line { background: $syncerr-bar; }"
    )

    def __init__(self, drawn: Callable[[], object]) -> None:
        super().__init__()
        self._drawn = drawn

    def compose(self) -> ComposeResult:
        title = Line()
        title.show([(" SyncErr  ", "strong"), ("starting ...", "quiet")])
        yield title

    def on_mount(self) -> None:
        self.call_after_refresh(self._drawn)


class Harmless(LineFilter):
    """Takes out whatever a terminal would obey: control codes, bidirectional overrides, odd addresses.

    Text is made harmless where it enters the program, and shows what was taken out. A place that forgets it
    still sends nothing to the terminal but what can be read. Widths stay: columns do not move.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same text without anything but printable characters."""
        return [segment if _is_plain(segment) else _made_plain(segment) for segment in segments]


class PlainSigns(LineFilter):
    """The signs of our own as ASCII, for terminals that have no others. Widths stay."""

    _SIGNS: ClassVar = str.maketrans(
        "“”‘’…–—·→←▲▼✓•▌┃│└▾▸░▁▂▃▄▅▆▇█",
        "\"\"''>---><^v**>||`-+._.:-=+*#",
    )

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same text without signs that such a terminal lacks."""
        return [
            segment
            if segment.text.isascii()
            else Segment(_CUT_LEFT.sub("<", segment.text).translate(self._SIGNS), *segment[1:])
            for segment in segments
        ]


class Unlinked(LineFilter):
    """Takes out what makes text a link, for terminals that do not open addresses."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same text, and nothing to click on."""
        return [
            segment._replace(style=segment.style.update_link(None))
            if segment.style is not None and segment.style.link
            else segment
            for segment in segments
        ]


class Colourless(LineFilter):
    """Takes every colour out and leaves bold, underline and reverse."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same text without colour codes."""
        return list(Segment.remove_color(segments))


def _is_plain(segment: Segment) -> bool:
    text, style, _ = segment
    return text.isascii() and text.isprintable() and (style is None or style.link is None)


def _made_plain(segment: Segment) -> Segment:
    text, style, control = segment
    if "\n" in text or clean(text) != text:
        # What was counted as no cell must not take one now.
        text = "".join(clean(letter).replace("\n", " ") for letter in text if cell_len(letter))
    link = style.link if style is not None else None
    if style is not None and link is not None and not (link.isascii() and link.isprintable()):
        style = style.update_link(None)
    return Segment(text, style, control)


class SyncErrApp(DiffingApp[int], inherit_bindings=False):
    """The triage loop on screen.

    Args:
        context: The surroundings: how to connect, the terminal, the clock, whether anything may be changed.
        journals: Makes runs, and answers questions about earlier ones.
        driver: The way to the terminal, where it is not Textual's own.
    """

    CSS_PATH = Path(__file__).with_name("syncerr.tcss")
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, context: AppContext, journals: Journals, driver: type[Driver] | None = None) -> None:
        super().__init__(
            driver_class=driver,
            diff=ScreenDiff(context.terminal.abilities) if context.terminal.diff else None,
        )
        # NO_COLOR is decided in one place, together with everything else about the terminal.
        self.no_color = context.terminal.colour is Colour.MONO
        own = context.own_config
        theme = theme_for(context.terminal, own.palette if own else {})
        self.register_theme(theme)
        self.theme = theme.name
        self.stylesheet = CachingStylesheet(variables=self.get_css_variables())
        self.set_class(not context.terminal.unicode, "-ascii")
        plain = [] if context.terminal.unicode else [PlainSigns()]
        self._line_filters: list[LineFilter] = [
            *([Colourless()] if self.no_color else []),
            *plain,
            *([] if context.terminal.links else [Unlinked()]),
            Harmless(),
        ]
        self.context = context
        # In every screen, dialogs too.
        always = [Binding("ctrl+q", "leave", show=False, priority=True)]
        always += [
            Binding(key, "sleep", show=False, priority=True)
            for key in (own.actions.by_id["suspend"].keys if own else _USUAL_SLEEP)
            if key.startswith(("ctrl+", "alt+"))
        ]
        self._bindings = BindingsMap(always)
        self.crash = ""
        """What to say about a defect that ended the app."""
        self.told_to_wait = False
        """The screen is gone, and the person was told what is still being done."""
        self._journals = journals
        context.write_to_terminal = self._write_to_terminal

    def on_load(self) -> None:
        """A thread at work gives Python back within a millisecond, not five: a key takes several turns."""
        sys.setswitchinterval(0.001)

    @cached_property
    def services(self) -> Services:
        from syncerr_tui.ui.services import Services

        background = BackgroundContext(self.context, self._journals, self._to_workbench, self._in_background)
        return Services(background, self.terminal_given)

    @cached_property
    def bench(self) -> Workbench:
        """The screen everything happens on. It and its parts are imported when the first frame is drawn."""
        from syncerr_tui.ui.workbench import Workbench

        return Workbench(self.services)

    def _to_workbench(self, message: Message) -> None:
        if self.bench.is_mounted:
            self.bench.post_message(message)

    def warn(self, line: str) -> None:
        """Say in one line, until the next key, what the person has to know."""
        self._to_workbench(Announced(line, "bad", keep=True))

    def _in_background(self, work: Coroutine[Any, Any, None], group: str) -> None:
        self.run_worker(work, group=group, name=group)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Nothing that a terminal would obey, and no colour where there is to be none.

        Textual alone would answer `NO_COLOR` with shades of grey.
        """
        return self._line_filters if self.no_color else [*super().get_line_filters(), *self._line_filters]

    def get_default_screen(self) -> StartScreen:
        """The first frame waits for nothing, not even for imports."""
        return StartScreen(self._open)

    def _open(self) -> None:
        """One screen for everything; dialogs go on top of it."""
        self.push_screen(self.bench)

    def action_leave(self) -> None:
        if isinstance(self.screen, StartScreen):
            self.exit()
        elif self.screen is self.bench:
            self.bench.action_act("quit")
        elif not self.context.state.run.active:
            self.exit()

    def action_sleep(self) -> None:
        """Back to the shell until it continues us, after a question where a re-sync would sleep too."""
        if isinstance(self.screen, StartScreen):
            self.sleep()
        else:
            self.bench.suspend()

    def stop(self, return_code: int) -> None:
        """Leave at once: the terminal goes away, or the machine goes down."""
        self.exit(return_code=return_code)

    def _write_to_terminal(self, sequence: str) -> None:
        """Send a control sequence of our own making (the clipboard's)."""
        if self._driver is not None:
            self._driver.write(sequence)

    async def release(self) -> None:
        """Let the org go. Called once the screen is gone."""
        await self.services.hooks.ended()
        await self.services.runs.safeguard_back()
        connection, self.context.connection = self.context.connection, None
        if connection is not None:
            await connection.close()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            if self._exit:
                return  # what is typed behind the key that quits must open nothing on a screen that goes
            await self.context.settled.wait()
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._press(event)
        else:
            await super().on_event(event)

    async def _press(self, event: events.Key) -> None:
        """Keys act one after another, and each on nothing that the person had not seen when they pressed it.

        Textual 8.2.8 looks at the next key while this one is still on its way up from the focused widget: of
        enter and `j` in one packet both would go to the dialog that the enter closes. Here a key on a screen
        above the list is done with before the next one is looked at: behind an answer that is the list's
        again. Where the answer has opened a dialog, or has made this one ask something else, it is dropped:
        a dialog takes only keys that were pressed while it was on screen (`Dialog.was_seen_at`). What is
        typed behind the key that opens a line to type in is text, and answers nothing until enter does.
        """
        self.context.key = event.key
        screen = self.screen
        if isinstance(screen, StartScreen) or screen is self.bench:
            await super().on_event(event)
            return
        # The first frame does without dialogs.
        from syncerr_tui.ui.screens.dialog import Dialog

        if isinstance(screen, Dialog) and not screen.was_seen_at(event.time):
            if not (screen.TYPED_INTO and event.is_printable):
                return
            await caught_up(screen)  # until its line takes the keys
        first = self.focused or screen
        is_text = isinstance(first, Input) and event.is_printable
        if is_text or not (
            await self._check_bindings(event.key, priority=True) or await self._check_bindings(event.key)
        ):
            await super().on_event(event)
        # Twice: what it sends itself on account of the key stands behind the key.
        await caught_up(first)
        for node in first.ancestors_with_self:
            if node is not self:
                await caught_up(node)

    def crashed(self, error: BaseException) -> None:
        """A defect, wherever it came up: end with its line and its log."""
        self._handle_exception(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))

    def _fatal_error(self) -> None:
        """Textual 8.2.8 would print every local variable, tokens included. The log's path instead."""
        self.crash = self.crash or record_crash(self._exception or RuntimeError())
        self._close_messages_no_wait()

    def panic(self, *_renderables: object) -> None:
        """What Textual cannot handle itself, as a style sheet that it cannot read: the same end."""
        self._fatal_error()
