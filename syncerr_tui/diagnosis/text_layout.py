"""Text with roles laid out in lines of any width: what the panels, dialogs and commands are made of.

Knows no screen: a role says what a piece of text is, the front end decides what that looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from syncerr_tui.text import cell_width, cells, clean

NARROWEST = 16

_WORD = re.compile(r"\S+|\n|[^\S\n]+")


class Role(StrEnum):
    """What a piece of text is."""

    TEXT = "text"
    NAME = "name"
    """Filled in from the message: a Flow, a field, a value."""
    HEADING = "heading"
    NUMBER = "number"
    """The number or bullet in front of an item."""
    ADDRESS = "address"
    NOTE = "note"
    """An organisation's own words."""
    FOUND = "found"
    """A part of the message that the diagnosis is made of."""
    MUTED = "muted"


Piece = tuple[str, Role]
"""Some text and what it is."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line, never wider than asked for, unless it is an address that was to stay whole."""

    parts: tuple[Piece, ...] = ()
    link: str | None = None
    """The whole address, where this line shows one or a piece of one."""

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.parts)


class TextLayout:
    """Lines being put together, none wider than asked for.

    Args:
        width: Cells in a line; less than `NARROWEST` counts as that.
    """

    def __init__(self, width: int) -> None:
        self.width = max(width, NARROWEST)
        self.lines: list[TextLine] = []

    def add(self, lines: Iterable[TextLine]) -> None:
        self.lines += lines

    def blank(self) -> None:
        self.lines.append(TextLine())

    def heading(self, text: str) -> None:
        """A heading, set apart from what stands above it."""
        if self.lines:
            self.blank()
        self.pieces((text, Role.HEADING))

    def text(self, text: str, role: Role = Role.TEXT) -> None:
        """A paragraph; nothing where there is no text."""
        if text:
            self.pieces((text, role))

    def section(self, heading: str, *pieces: Piece) -> None:
        """A heading and its text; nothing where there is no text."""
        if any(text for text, _ in pieces):
            self.heading(heading)
            self.pieces(*pieces)

    def bullet(self, *pieces: Piece) -> None:
        self.pieces(*pieces, first="- ", rest="  ")

    def field(self, label: str, value: str, label_width: int) -> None:
        """A label and its value side by side; the value below where the lines are too short for that."""
        if self.width >= 2 * label_width + 10:
            self.pieces((value, Role.TEXT), first=f"{label:<{label_width}}", rest=" " * label_width)
        else:
            self.pieces((label, Role.MUTED))
            self.pieces((value, Role.TEXT), first="  ", rest="  ")

    def pieces(self, *pieces: Piece, first: str = "", rest: str = "") -> None:
        """Text with roles, wrapped; `first` and `rest` stand before its lines."""
        self.lines += map(TextLine, wrap(pieces, self.width, first=first, rest=rest))


def wrap(
    parts: Iterable[Piece], width: int, *, first: str = "", rest: str = ""
) -> Iterator[tuple[Piece, ...]]:
    """Break text with roles into lines at blanks; a word wider than the line is broken inside.

    Args:
        parts: The text.
        width: Cells in a line.
        first: Stands before the first line, as a number or bullet.
        rest: Stands before all other lines; as wide as `first`.
    """
    room = max(width - cells(rest), 1)
    line: list[Piece] = []
    used = 0
    lead = first
    for word in _words(parts, room):
        needed = sum(cells(piece) for piece, _ in word)
        blank = word[0][0].isspace()
        if word[0][0] == "\n" or (not blank and used + needed > room):
            yield _closed(lead, line)
            line, used, lead = [], 0, rest
        if not blank or used:
            line += word
            used += needed
    yield _closed(lead, line)


def _words(parts: Iterable[Piece], room: int) -> Iterator[list[Piece]]:
    """Words, blanks and line ends. A word in several roles, as `(Order)`, is one; a too long one is cut."""
    word: list[Piece] = []
    for text, role in parts:
        for match in _WORD.finditer(clean(text)):
            piece = match[0]
            if piece.isspace():
                yield from _cut(word, room)
                word = []
                yield [(piece, role)]
            else:
                word.append((piece, role))
    yield from _cut(word, room)


def _cut(word: list[Piece], room: int) -> Iterator[list[Piece]]:
    if not word or sum(cells(piece) for piece, _ in word) <= room:
        yield from [word] if word else []
        return
    for piece, role in word:
        rest = piece
        while rest:
            place = _fitting(rest, room)
            yield [(rest[:place], role)]
            rest = rest[place:]


def _fitting(word: str, room: int) -> int:
    used = 0
    for place, character in enumerate(word):
        used += cell_width(character)
        if used > room:
            return max(place, 1)
    return len(word)


def _closed(lead: str, line: list[Piece]) -> tuple[Piece, ...]:
    while line and line[-1][0].isspace():
        line.pop()
    merged: list[Piece] = list(_lead(lead))
    for text, role in line:
        if merged and merged[-1][1] is role:
            merged[-1] = (merged[-1][0] + text, role)
        else:
            merged.append((text, role))
    return tuple(merged)


def _lead(lead: str) -> tuple[Piece, ...]:
    # A blank lead looks the same in any role: as text it often makes one piece with what follows.
    return ((lead, Role.NUMBER if lead.strip() else Role.TEXT),) if lead else ()
