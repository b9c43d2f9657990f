"""Text for the terminal: the shortest change of style and the shortest move of the cursor before it.

What a frame writes goes out in its order, or one look after the other where that is shorter: in true colour
a change of style takes 20 bytes, and going back to a word that was left out takes half of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from textual.strip import Strip

if TYPE_CHECKING:
    from rich.color import ColorSystem

Cell = tuple[str, int]
"""A character (empty for the right half of a wide one) and the number of its look."""
Row = list[Cell | None]
"""The cells of a line; None where it is not known what the terminal shows."""

_OFF = {
    "1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29",
    "21": "24", "51": "54", "52": "54", "53": "55",
}  # fmt: skip
"""Attribute -> what takes it back. 22 takes back both 1 and 2."""
DRAWN_BLANK = frozenset({"4", "7", "9", "21", "51", "52", "53"})
"""Attributes that show on a blank too: erasing would lose them."""


class Look(NamedTuple):
    """How a cell is drawn, taken apart from the codes that Textual would write."""

    attributes: frozenset[str]
    foreground: str
    background: str
    link: str
    """Address and id of an OSC 8 link; empty without one."""

    @classmethod
    def of(cls, codes: str, link: str) -> Look:
        """Read the parameters of an SGR sequence."""
        attributes: set[str] = set()
        foreground = background = ""
        parts = iter(codes.split(";") if codes else ())
        for part in parts:
            number = int(part)
            if number in {38, 48}:
                kind = next(parts)
                rest = [next(parts) for _ in range(1 if kind == "5" else 3)]
                color = ";".join([part, kind, *rest])
                foreground, background = (color, background) if number == 38 else (foreground, color)
            elif 30 <= number <= 39 or 90 <= number <= 97:
                foreground = "" if number == 39 else part
            elif 40 <= number <= 49 or 100 <= number <= 107:
                background = "" if number == 49 else part
            else:
                attributes.add(part)
        return cls(frozenset(attributes), foreground, background, link)


PLAIN = Look(frozenset(), "", "", "")


@lru_cache(maxsize=4096)
def change_of_style(old: Look, new: Look) -> str:
    """The shortest sequence that makes text look like `new` where it looked like `old`."""
    link = ""
    if old.link != new.link:
        link = f"\x1b]8;{new.link}\x1b\\" if new.link else "\x1b]8;;\x1b\\"
    if (old.attributes, old.foreground, old.background) == (new.attributes, new.foreground, new.background):
        return link
    colors = [new.foreground] if new.foreground else []
    colors += [new.background] if new.background else []
    fresh = ";".join(["", *sorted(new.attributes, key=int), *colors]) if new.attributes or colors else ""
    codes = [fresh]
    gone = old.attributes - new.attributes
    off = {_OFF.get(one, "0") for one in gone}
    if "0" not in off:
        kept = {one for one in old.attributes & new.attributes if _OFF.get(one) not in off}
        step = [*sorted(off, key=int), *sorted(new.attributes - kept, key=int)]
        if old.foreground != new.foreground:
            step.append(new.foreground or "39")
        if old.background != new.background:
            step.append(new.background or "49")
        codes.append(";".join(step))
    return f"{link}\x1b[{min(codes, key=len)}m"


class _Piece(NamedTuple):
    """Cells of one look, or an order to erase some."""

    y: int
    x: int
    number: int
    text: str
    width: int = 0
    """Cells; 0 where cells are erased and the cursor stays."""


class TerminalWriter:
    """Bytes on their way to the terminal, with the cursor and the style as they stand in between."""

    def __init__(self, styles: Sequence[Look], width: int, height: int) -> None:
        self._styles = styles
        self._width = width
        self._height = height
        self._parts: list[str] = []
        self._pieces: list[_Piece] = []
        """What is not written yet."""
        self._look = PLAIN
        self._at: tuple[int, int] | None = None
        """Line and column; None where the cursor is not known, or waits behind the last column."""

    def write(self, sequence: str) -> None:
        self._flush()
        self._parts.append(sequence)

    def put(self, y: int, x: int, cells: Row) -> None:
        start = x
        number, text = -1, ""
        for place, cell in enumerate(cells, x):
            if cell is None:
                continue
            if cell[1] != number:
                if text:
                    self._pieces.append(_Piece(y, start, number, text, place - start))
                start, number, text = place, cell[1], ""
            text += cell[0]
        if text:
            self._pieces.append(_Piece(y, start, number, text, x + len(cells) - start))

    def put_strip(self, y: int, x: int, strip: Strip, system: ColorSystem) -> None:
        """Write a strip as Textual does: its width is for the terminal to decide."""
        self._flush()
        self._at = None
        self._go(y, x)
        self._style(PLAIN)
        for text, style, _control in strip:
            self._parts.append(Strip.render_style(style, text, system) if style else text)
        self._at = None

    def erase_line(self, y: int, x: int, number: int) -> None:
        self._pieces.append(_Piece(y, x, number, "\x1b[K"))

    def erase(self, y: int, x: int, count: int, number: int) -> None:
        """Erase some cells; the cursor stays."""
        self._pieces.append(_Piece(y, x, number, f"\x1b[{count}X"))

    def scroll(self, top: int, bottom: int, shift: int) -> None:
        """Move the lines of a region up by `shift`, or down where it is negative; what comes in is blank."""
        self._flush()
        self._style(PLAIN)
        self._parts.append(f"\x1b[{top + 1};{bottom + 1}r")
        edge, feed = (bottom, "\n" * shift) if shift > 0 else (top, "\x1bM" * -shift)
        self._parts += [_to(edge, 0), feed, "\x1b[r"]
        self._at = None  # taking the region back moves the cursor home on most terminals, not on all

    def finish(self, cursor: tuple[int, int] | None) -> str:
        self._flush()
        if cursor is not None and self._parts:
            self._go(cursor[1], cursor[0])
        if self._look is not PLAIN:
            self._style(PLAIN)
        return "".join(self._parts)

    def _flush(self) -> None:
        """Write the pieces that wait, in the shorter of two orders. No two of them share a cell."""
        pieces, self._pieces = self._pieces, []
        before, at, look = self._parts, self._at, self._look
        in_order = self._written(pieces)
        then = self._at, self._look
        self._at, self._look = at, look
        first = {piece.number: place for place, piece in reversed(list(enumerate(pieces)))}
        by_look = self._written(sorted(pieces, key=lambda piece: first[piece.number]))
        if len(in_order) <= len(by_look):
            self._at, self._look = then
        self._parts = [*before, min(in_order, by_look, key=len)]

    def _written(self, pieces: Iterable[_Piece]) -> str:
        self._parts = []
        for piece in pieces:
            self._go(piece.y, piece.x)
            if piece.width:
                self._style(self._styles[piece.number])
                end = piece.x + piece.width
                self._at = (piece.y, end) if end < self._width else None
            else:
                self._ground(piece.number)
            self._parts.append(piece.text)
        return "".join(self._parts)

    def _style(self, look: Look) -> None:
        self._parts.append(change_of_style(self._look, look))
        self._look = look

    def _ground(self, number: int) -> None:
        """Only the background counts for what is erased."""
        look, now = self._styles[number], self._look
        if look.background != now.background or now.link or now.attributes & DRAWN_BLANK:
            self._style(look)

    def _go(self, y: int, x: int) -> None:
        if self._at == (y, x):
            return
        moves = [_to(y, x)]
        if self._at is not None:
            line, column = self._at
            if line == y and x > column:
                moves.append(_step(x - column, "C"))
            elif line == y:
                moves += ["\r" if x == 0 else _step(column - x, "D")]
            elif column == x and y > line:
                moves.append(_step(y - line, "B"))
            elif x == 0 and y == line + 1:
                moves.append("\r\n")
        self._parts.append(min(moves, key=len))
        self._at = (y, x)


def _to(y: int, x: int) -> str:
    if x == 0:
        return f"\x1b[{y + 1}H" if y else "\x1b[H"
    return f"\x1b[{y + 1};{x + 1}H" if y else f"\x1b[;{x + 1}H"


def _step(count: int, letter: str) -> str:
    return f"\x1b[{count}{letter}" if count > 1 else f"\x1b[{letter}"
