"""What is found in a text, and where it stands: the common coin of the readers in this package."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

_MOST = 200
_QUOTES = "\"'“”„«»"
_BLANKS = " \n\u00a0"


class Part(NamedTuple):
    """A found part of a text: kind as in `Span.kind`, what it says, and where it stands."""

    kind: str
    text: str
    start: int
    end: int


def matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The first matches of a pattern: a text with more names than that is a log, and says nothing more."""
    return islice(pattern.finditer(text), _MOST)


def part(kind: str, match: re.Match[str], group: str) -> Part:
    """A named group of a match as a part."""
    return trimmed(kind, match.string, match.start(group), match.end(group))


def trimmed(kind: str, text: str, start: int, end: int) -> Part:
    """The part without blanks, and without quotes that enclose it or that have no partner in it."""
    while start < end:
        first, last = text[start], text[end - 1]
        if first in _BLANKS or last in _BLANKS:
            start, end = start + (first in _BLANKS), end - (last in _BLANKS)
        elif first in _QUOTES and last in _QUOTES:
            start, end = start + 1, end - 1
        elif (first in _QUOTES or last in _QUOTES) and sum(map(text[start:end].count, _QUOTES)) % 2:
            start, end = start + (first in _QUOTES), end - (last in _QUOTES)
        else:
            break
    end = max(start, end)
    return Part(kind, text[start:end], start, end)


class Ranges:
    """Half-open ranges of offsets: asked often, so kept sorted and without overlap."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(ranges):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __contains__(self, place: int) -> bool:
        before = bisect_right(self._starts, place) - 1
        return before >= 0 and place < self._ends[before]
