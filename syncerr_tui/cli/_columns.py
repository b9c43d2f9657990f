"""Plain columns for a terminal, where wide characters take two places."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from syncerr_tui.text import cell_width, cells

UNCUT = 100_000
"""Width of a line that nobody looks at: a pipe or a file gets everything."""


def line_width() -> int:
    """How many places a line on stdout may take."""
    if not sys.stdout.isatty():
        return UNCUT
    return max(40, shutil.get_terminal_size().columns)


def fit(text: str, width: int) -> str:
    """A text in exactly `width` places: filled up with blanks, or cut with an ellipsis."""
    taken = cells(text)
    if taken <= width:
        return text + " " * (width - taken)
    kept, room = [], width - 1
    for letter in text:
        room -= cell_width(letter)
        if room < 0:
            break
        kept.append(letter)
    cut = "".join(kept) + "…"
    return cut + " " * (width - cells(cut))


def row(values: Sequence[str], widths: Sequence[int], total: int) -> str:
    """Cells side by side; the last one gets what is left of `total` places, and is not filled up."""
    if total >= UNCUT:
        widths = [max(width, cells(cell)) for cell, width in zip(values, widths, strict=False)]
    head = "".join(f"{fit(cell, width)} " for cell, width in zip(values, widths, strict=False))
    last, room = values[-1], total - cells(head)
    return (head + (last if cells(last) <= room else fit(last, max(room, 1)))).rstrip()
