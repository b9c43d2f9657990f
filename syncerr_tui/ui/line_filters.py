"""The last door before the terminal: every line of every widget, dialog and toast passes here."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from syncerr_tui.text import clean


class Harmless(LineFilter):
    """Takes out whatever a terminal would obey: control codes, bidirectional overrides, odd addresses.

    Text is made harmless where it enters the program, and shows what was taken out. A place that forgets it
    still sends nothing to the terminal but what can be read. Widths stay: columns do not move.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same text without anything but printable characters."""
        return [segment if _is_plain(segment) else _made_plain(segment) for segment in segments]


class PlainSigns(LineFilter):
    """The typographic signs of our own texts as ASCII, for terminals that have no others. Widths stay."""

    _SIGNS: ClassVar = str.maketrans("“”‘’…–—·→←▲▼✓•", "\"\"''~---><^v*-")

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same text without signs that such a terminal lacks."""
        return [
            segment if segment.text.isascii() else Segment(segment.text.translate(self._SIGNS), *segment[1:])
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
