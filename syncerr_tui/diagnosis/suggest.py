"""The nearest known word to one that is not known."""

from __future__ import annotations

import re
from collections.abc import Iterable

from syncerr_tui.diagnosis.codes import known_codes

LONGEST = 200
"""Nobody mistypes a code into something longer than this."""

_SHAPE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
_SEPARATORS = re.compile(r"[\s\-./]+")


def as_code(text: str) -> str:
    """How a code would be spelled: capitals, words joined by underscores."""
    return _SEPARATORS.sub("_", text.strip()).upper()


def known_code(text: str) -> str | None:
    """The known code behind a text in any case (`required field missing`); None where there is none."""
    code = as_code(text)
    return code if code in known_codes() else None


def looks_like_code(text: str) -> bool:
    """Whether a text is spelled like a code, known or not: `SOME_NEW_CODE`."""
    return _SHAPE.match(text) is not None


def nearest_codes(text: str, most: int = 3) -> tuple[str, ...]:
    """Known codes that somebody may have meant, the nearest first."""
    wanted = as_code(text)
    if not wanted or len(wanted) > LONGEST:
        return ()
    found = _near(wanted, known_codes(), most)
    if len(wanted) > 3:
        found += sorted(code for code in known_codes() if wanted in code and code not in found)
    return tuple(found[:most])


def nearest_of(text: str, words: Iterable[str]) -> str | None:
    """The one of some words that is spelled almost like the text."""
    return next(iter(_near(text, words, 1)), None) if len(text) <= LONGEST else None


def _near(text: str, words: Iterable[str], most: int) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(text, sorted(words), n=most, cutoff=0.72)
