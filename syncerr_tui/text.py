"""The border: text from an org is made harmless here, once, before anything else sees it.

A message is written by whoever could place an order. It may hold ESC sequences that set the
operator's clipboard, bidirectional overrides that swap what they read, tabs that cut a table cell.
After `clean` it holds printable characters and line feeds only. It is still not markup: widgets draw
it as `rich.text.Text` or `textual.content.Content`, never as a plain `str`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NewType

SafeText = NewType("SafeText", str)
"""Text that went through `clean`: no control codes but LF, no bidirectional controls, no surrogates."""

_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# C0 without LF, DEL, C1, bidi marks, embeddings, overrides and isolates, invisible joiners used to hide
# text (word joiner, BOM), interlinear anchors, tag characters, lone surrogates. Zero-width (non-)joiner
# stays: emoji sequences and several scripts need it.
HOSTILE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_BLANKS = re.compile(r"\s+")


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code == 0x09:
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd"


def clean(text: str) -> SafeText:
    """Make org text harmless: every control becomes a visible stand-in, line ends become LF.

    Length may change by line ends only. Idempotent. Never raises.
    """
    if text.isascii() and text.isprintable():
        return SafeText(text)
    return SafeText(HOSTILE.sub(_visible, _NEWLINES.sub("\n", text)))


def one_line(text: str) -> SafeText:
    """`clean`, with every run of white space folded to one blank: for a table cell or a status line."""
    if " " not in text and text.isascii() and text.isprintable():
        return SafeText(text)  # an id, a name: most of what is read
    return SafeText(_BLANKS.sub(" ", clean(text)).strip())


def shortened(text: str, longest: int) -> str:
    """A text of at most `longest` characters: of a longer one, the beginning and the end."""
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def cells(text: str) -> int:
    """How many cells of a terminal a text without controls takes."""
    return len(text) if text.isascii() else sum(map(cell_width, text))


_NARROW = re.compile("[ -~\xa1-\u02ff\u2010-\u2027\u2030-\u205e\u2500-\u25fc]")
"""What Western text and our own signs are made of."""


@lru_cache(maxsize=8192)
def cell_width(character: str) -> int:
    """How many cells a character takes: 0 (combining), 1 or 2 (wide)."""
    if _NARROW.match(character):
        return 1
    from wcwidth import wcwidth  # takes longer to import than a first frame to draw

    return max(wcwidth(character), 0)
