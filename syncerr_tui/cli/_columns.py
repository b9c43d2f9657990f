"""Plain columns for a terminal, where wide characters take two places."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Sequence

UNCUT = 100_000
"""Width of a line that nobody looks at: a pipe or a file gets everything."""


def line_width() -> int:
    """How many places a line on stdout may take."""
    if not sys.stdout.isatty():
        return UNCUT
    return max(40, shutil.get_terminal_size().columns)


def places(text: str) -> int:
    """How many places a text takes on screen."""
    if text.isascii():
        return len(text)
    return sum(_places(letter) for letter in text)


def _places(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def fit(text: str, width: int) -> str:
    """A text in exactly `width` places: filled up with blanks, or cut with an ellipsis."""
    taken = places(text)
    if taken <= width:
        return text + " " * (width - taken)
    kept, room = [], width - 1
    for letter in text:
        room -= _places(letter)
        if room < 0:
            break
        kept.append(letter)
    cut = "".join(kept) + "…"
    return cut + " " * (width - places(cut))


def row(cells: Sequence[str], widths: Sequence[int], total: int) -> str:
    """Cells side by side; the last one gets what is left of `total` places, and is not filled up."""
    head = "".join(f"{fit(cell, width)} " for cell, width in zip(cells, widths, strict=False))
    last, room = cells[-1], total - places(head)
    return (head + (last if places(last) <= room else fit(last, max(room, 1)))).rstrip()
