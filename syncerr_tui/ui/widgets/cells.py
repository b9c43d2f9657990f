"""Text of any script cut to an exact number of terminal cells, so that columns stay straight."""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size

from syncerr_tui.text import clean

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
    taken = len(text) if text.isascii() else cell_len(text)
    if taken <= width:
        return text + " " * (width - taken)
    room = width - len(ellipsis)
    if room <= 0:
        return set_cell_size(text, width)
    return set_cell_size(text, room) + ellipsis
