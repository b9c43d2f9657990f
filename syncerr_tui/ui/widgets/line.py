"""Text in an exact number of terminal cells; one line of the screen, written only when it changes; and a
line to type in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from syncerr_tui.text import clean
from syncerr_tui.ui.widgets.themed import Themed

Look = TypeVar("Look")

# Joiners, variation selectors and skin tones make several characters one glyph in some terminals and not in
# others. In a table cell they go, so that every terminal agrees on the width; the panel keeps them.
_JOINERS = re.compile("[\u200b-\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
_LONGEST = 600
"""Characters of a message that a cell looks at: no window is wider."""


def flat(text: str) -> str:
    """`text` on one line, of which every terminal agrees how wide it is. Blanks at the ends stay."""
    if text.isascii() and text.isprintable():
        return text
    return _JOINERS.sub("", clean(text).replace("\n", " "))


def cell(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` on one line in exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    text = flat(text[:_LONGEST])
    used = len(text) if text.isascii() else cell_len(text)
    if used <= width:
        return text + " " * (width - used)
    room = width - len(ellipsis)
    if room <= 0:
        return set_cell_size(text, width)
    return set_cell_size(text, room) + ellipsis


Part = tuple[str, str]
"""A piece of text and the style it is drawn in: a key of `drawn.LOOKS`."""


@dataclass
class LineClicked(Message):
    """A piece of text was clicked that stands for an action."""

    action_id: str


class Line(Themed):
    """Text at the left, text at the right. Where both do not fit, the left one is cut, or the one named.

    Text is data: it is never read as markup, and it is folded to one line.
    """

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(
        self,
        *,
        cut: Literal["left", "right"] = "left",
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._cut = cut
        self.link: str | None = None
        """Where what looks like an address leads, in terminals that open addresses."""
        self._left: tuple[Part, ...] = ()
        self._right: tuple[Part, ...] = ()
        self._drawn: tuple[Part, ...] = ()
        self._does: tuple[str, ...] = ()

    def show(self, left: Sequence[Part], right: Sequence[Part] = (), does: Sequence[str] = ()) -> None:
        """Show this text; only from its beginning to the last difference is written.

        Args:
            left: The text at the left.
            right: The text at the right.
            does: For each piece at the left the action that a click on it asks for; empty for none.
        """
        self._does = tuple(does)
        shown = (tuple(left), tuple(right))
        if shown == (self._left, self._right) and self._laid_out_for == self.outer_size:
            return
        self._left, self._right = shown
        if width := self.size.width:
            before, now = self._drawn, self._laid_out(width)
            if before != now:
                self._drawn = now
                self.refresh(Region(0, 0, _last_difference(before, now, width), 1))

    @property
    def text(self) -> str:
        """What it says now, as far as it fits."""
        return "".join(text for text, _ in self._drawn)

    def lay_out(self) -> None:
        self._drawn = self._laid_out(self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Ask for what the piece under the mouse stands for."""
        end = 0
        for (text, _), action_id in zip(self._left, self._does, strict=False):
            end += cell_len(flat(text))
            if event.x < end:
                if action_id:
                    self.post_message(LineClicked(action_id))
                return

    def draw_line(self, y: int) -> Strip:
        segments = [
            Segment(
                text,
                self.look(style) + Style(link=self.link)
                if self.link and style == "address"
                else self.look(style),
            )
            for text, style in self._drawn
        ]
        return Strip(segments, self.size.width)

    def _laid_out(self, width: int) -> tuple[Part, ...]:
        room = width
        if self._cut == "right":
            room = max(0, width - _width(_fitted(self._left, width, "")) - 1)
        right = _fitted(self._right, room)
        used = _width(right)
        room = max(0, width - used - (1 if used else 0))
        left = _fitted(self._left, room)
        blank = width - used - _width(left)
        return tuple(joined((*left, (" " * blank, "text"), *right)))


class InputLine(Input):
    """A line to type in. Its cursor stands still: a blinking one alone writes 2 kB a second.

    Of what is pasted Textual 8.2.8 keeps the first line alone, and nothing where that is too long. Here all
    lines become one, as far as there is room.
    """

    def __init__(self, before: str = "", **settings: Any) -> None:  # noqa: ANN401 - what `Input` takes
        super().__init__(before, compact=True, **settings)
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        start, end = sorted(self.selection)
        text = " ".join(event.text.splitlines())
        if self.max_length:
            text = text[: self.max_length - len(self.value) + end - start]
        self.replace(text, start, end)


def _width(parts: Sequence[Part]) -> int:
    return sum(cell_len(text) for text, _ in parts)


def _fitted(parts: Sequence[Part], width: int, ellipsis: str = "…") -> list[Part]:
    fitted: list[Part] = []
    for text, style in parts:
        folded = flat(text)
        used = cell_len(folded)
        if used > width:
            if width:
                fitted.append((cell(folded, width, ellipsis), style))
            break
        fitted.append((folded, style))
        width -= used
    return fitted


def joined(parts: Iterable[tuple[str, Look]]) -> list[tuple[str, Look]]:
    """Neighbours that look the same as one text: every run costs up to 40 bytes on the line."""
    runs: list[tuple[str, Look]] = []
    for text, look in parts:
        if not text:
            continue
        if runs and runs[-1][1] == look:
            runs[-1] = (runs[-1][0] + text, look)
        else:
            runs.append((text, look))
    return runs


def _last_difference(before: Sequence[Part], now: Sequence[Part], width: int) -> int:
    """How many cells from the left have to be written."""
    old = [(char, style) for text, style in before for char in text]
    new = [(char, style) for text, style in now for char in text]
    if len(old) != len(new) or len(new) != width:
        # Wide characters: letters are not cells.
        return width
    return max((at + 1 for at in range(len(new)) if old[at] != new[at]), default=0)
