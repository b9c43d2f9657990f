"""The catalogue's tiny template language.

- `{flow}` is a blank. It is filled with a name, marked as such: `**Order Builder**`.
- `[[the Flow {flow}|a Flow]]` offers alternatives: the first whose blanks are all known is taken;
  none fits: nothing stands there.
- `{!flow}` stands for nothing, and is known only where `{flow}` is not.
- A blank whose name ends in `_word` is one of our own words (`field` or `fields`) and is not marked.
- A text with an unknown blank outside of alternatives is not said at all.

Filled-in text is data. It is inserted once and never read as a template again, and what could be
mistaken for the marks of a name is replaced by look-alikes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from syncerr_tui.text import one_line

LONGEST_NAME = 160
"""A name longer than this is cut with an ellipsis: guidance is to be read, not scrolled."""

_CHOICE = re.compile(r"\[\[(.*?)\]\]")
_BLANK = re.compile(r"\{(!?[a-z_]+)\}")
_STARS = re.compile(r"\*{2,}|^\*+|\*+$")
_NAME = re.compile(r"\*\*(.+?)\*\*")


def fill(template: str, blanks: Mapping[str, tuple[str, ...]]) -> str | None:
    """Fill a template.

    Args:
        template: Text of the catalogue.
        blanks: What is known; a blank with several values becomes a list ("A, B and C").

    Returns:
        The sentence with names between `**`; None where a blank it cannot do without is unknown.
    """
    parts: list[str] = []
    position = 0
    for choice in _CHOICE.finditer(template):
        plain = _filled(template[position : choice.start()], blanks)
        if plain is None:
            return None
        parts += [plain, _choose(choice[1], blanks)]
        position = choice.end()
    rest = _filled(template[position:], blanks)
    return None if rest is None else "".join([*parts, rest])


def name(value: str) -> str:
    """One value as a marked name, on one line, never longer than `LONGEST_NAME`."""
    text: str = one_line(value)
    if len(text) > LONGEST_NAME:
        text = f"{text[: LONGEST_NAME - 1].rstrip()}…"
    return f"**{_STARS.sub(lambda match: '∗' * len(match[0]), text)}**"


def names(text: str) -> Iterator[tuple[str, bool]]:
    """Split a filled text into pieces: (piece, is it a name)."""
    position = 0
    for match in _NAME.finditer(text):
        if match.start() > position:
            yield text[position : match.start()], False
        yield match[1], True
        position = match.end()
    if position < len(text):
        yield text[position:], False


def plain(text: str) -> str:
    """A filled text without the marks around its names."""
    return "".join(piece for piece, _ in names(text))


def _choose(alternatives: str, blanks: Mapping[str, tuple[str, ...]]) -> str:
    for alternative in alternatives.split("|"):
        text = _filled(alternative, blanks)
        if text is not None:
            return text
    return ""


def _filled(text: str, blanks: Mapping[str, tuple[str, ...]]) -> str | None:
    for blank in _BLANK.findall(text):
        if bool(blanks.get(blank.lstrip("!"))) is blank.startswith("!"):
            return None
    return _BLANK.sub(lambda match: _listed(match[1], blanks.get(match[1], ())), text)


def _listed(blank: str, values: tuple[str, ...]) -> str:
    if blank.endswith("_word"):
        return values[0]
    marked = [name(value) for value in values]
    if len(marked) < 2:
        return "".join(marked)
    return f"{', '.join(marked[:-1])} and {marked[-1]}"
