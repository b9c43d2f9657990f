"""A message unwrapped (HTML, JSON and its escapes taken off), every place known; and what is found in it.

Rules read the unwrapped text; highlighting needs the place in the message as it was given. A `SourceText` is
a text with the way back to where it came from, a `Part` is what one of the readers in this package found in
it.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from syncerr_tui.text import clean

_TAG = re.compile(
    r"</?(?:(?P<inline>a|b|i|u|em|strong|span|font|code)|br|p|div|ul|ol|li|h[1-6]|pre|hr|table|tr|td|th|"
    r"tbody|html|head|body|title)(?=[\s/>])[^<>]{0,600}>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:amp;){0,3}#?[0-9A-Za-z]{2,10};")
_ESCAPE = re.compile(r"(?<!\\)\\+(?:u([0-9A-Fa-f]{4})|([\"'/nrtbf]))")
_TAIL = re.compile(
    r"\s+(?:[Ee]rror ?I[Dd]|(?:Fehler|Fout|Fel)-ID|ID d['’]erreur|I[Dd]\.? (?:del? error|do erro)|ID errore|"
    r"(?:エラー|오류) ?ID)\s?[:：] {0,2}-?\d{3,12}-\d{1,12} \(-?\d{1,12}\)[\s.]*\Z|(?:\\{1,2}[rn]|\s)+\Z"
)
"""What hangs on to the end of a sentence, `Error ID: 1-2 (3)` in any language, and blanks: no part of it."""
_WRITTEN_BREAK = re.compile(r"(?<!\\)(?:\\+[rn])+ ?(?=Class\.|Trigger\.|caused by|External entry)")
"""A line end that somebody wrote out where the platform begins a line, outside of JSON too."""
_ESCAPED = {"n": "\n", "r": "\n", "t": " ", "b": " ", "f": " "}

# `"message":"..."` in JSON, Python, Ruby and JavaScript notation, and `\"message\":\"...\"` where JSON was
# put into JSON. The text ends at the next quote that is not escaped (deeper than its opening).
_MESSAGE_KEY = re.compile(
    r"(?<![A-Za-z])(?:message|errorMessage|error_description|errorDescription|exceptionMessage|localizedMessage)"
    r"(?P<close>\\{0,7}[\"”'])?\s{0,4}(?:=>|[:=])\s{0,4}(?P<open>\\{0,7}[\"'“”])"
)
_STRAIGHT = re.compile(r"(?<!\\)(?P<slashes>\\*)\"(?P<ends>(?=\s{0,4}(?:[,})\]]|\Z)))?")
_SINGLE = re.compile(r"(?<!\\)(?P<slashes>\\*)'(?P<ends>(?=\s{0,4}(?:[,})\]]|\Z)))?")
_CURLY = re.compile(r"(?<!\\)(?P<slashes>\\*)[“”\"](?P<ends>(?=\s{0,4}(?:[,})\]]|\Z)))?")
_MAX_MESSAGES = 50
_ENDS = {'"': _STRAIGHT, "'": _SINGLE}
_MAX_MISSES = 8
_PROSE = 4_000
"""How far an unquoted `message:` is believed: it may be a word of a sentence."""
_MAX_DEPTH = 4


class SourceText:
    """Unwrapped text and the way back to the message it came from."""

    __slots__ = ("_from", "_here", "_parent", "_until", "text")

    def __init__(
        self, text: str, parent: SourceText | None, here: list[int], there: list[int], until: list[int]
    ) -> None:
        """`here[n]` came from `there[n]`, unchanged up to `until[n]` in the parent."""
        self.text = text
        self._parent = parent
        self._here = here
        self._from = there
        self._until = until

    @classmethod
    def of(cls, text: str) -> SourceText:
        return cls(text, None, [0], [0], [len(text)])

    @property
    def is_message(self) -> bool:
        """Whether this is the message itself: every place is what it was."""
        return self._parent is None

    def origin(self, index: int) -> int:
        """Where the character at `index` stands in the outermost text."""
        if self._parent is None:
            return index
        run = bisect_right(self._here, index) - 1
        place = self._from[run] + index - self._here[run]
        if run + 1 < len(self._from):
            place = min(place, self._from[run + 1])
        return self._parent.origin(min(place, len(self._parent.text)))

    def origin_of_end(self, index: int) -> int:
        """Where a part that ends before `index` ends in the outermost text, without the tags behind it."""
        if self._parent is None:
            return index
        run = max(0, bisect_left(self._here, index) - 1)
        place = self._from[run] + index - self._here[run]
        if place > self._until[run] and run + 1 < len(self._from):
            place = self._from[run + 1]
        return self._parent.origin_of_end(min(place, len(self._parent.text)))

    def masked(self, pages: Iterable[SourceText]) -> SourceText:
        """This message with blanks where the pages cut from it stand; itself where it was unwrapped."""
        if not self.is_message:
            return self
        text = self.text
        for page in pages:
            start, end = page.origin(0), page.origin_of_end(len(page.text))
            text = text[:start] + " " * (end - start) + text[end:]
        return SourceText.of(text)

    def cut(self, start: int, end: int) -> SourceText:
        """The part between two offsets, as a page of its own."""
        return SourceText(self.text[start:end], self, [0], [start], [end])

    def replaced(self, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]) -> SourceText:
        """This page with every match replaced; itself where nothing matches."""
        parts: list[str] = []
        here, there = [0], [0]
        until: list[int] = []
        length = last = 0
        for match in pattern.finditer(self.text):
            piece = by(match)
            parts += (self.text[last : match.start()], piece)
            until.append(match.start())
            length += match.start() - last + len(piece)
            last = match.end()
            here.append(length)
            there.append(last)
        if not parts:
            return self
        parts.append(self.text[last:])
        until.append(len(self.text))
        return SourceText("".join(parts), self, here, there, until)


def unwrap(message: str) -> tuple[SourceText, list[SourceText]]:
    """The message without HTML, and the statements in it: each JSON message by itself, or the whole text.

    Args:
        message: Text that went through `text.clean`.
    """
    whole = SourceText.of(message)
    if "<" in message:
        whole = _without_tags(whole)
    if "&" in message:
        whole = whole.replaced(_ENTITY, _entity)
        if "<" in whole.text and "<" not in message:  # its tags were escaped too
            whole = _without_tags(whole)
    whole = _without_tail(whole)
    if "\\" in message:
        whole = whole.replaced(_WRITTEN_BREAK, lambda _: "\n")
    statements = [_without_tail(page) for page in _messages(whole)]
    return whole, statements or [whole]


def _without_tags(page: SourceText) -> SourceText:
    return page.replaced(_TAG, lambda tag: "" if tag["inline"] else "\n")


def _without_tail(page: SourceText) -> SourceText:
    tail = _TAIL.search(page.text, max(0, len(page.text) - 80))
    return page.cut(0, tail.start()) if tail and tail.start() else page


def _entity(match: re.Match[str]) -> str:
    piece = match[0]
    while True:
        plain = html.unescape(piece)
        if plain == piece:
            return clean(plain)
        piece = plain


def _messages(page: SourceText, depth: int = 0) -> list[SourceText]:
    """The texts of JSON-like `message` keys, unescaped; of one inside another the inner ones."""
    text = page.text
    if "essage" not in text and "escription" not in text:
        return []
    messages: list[SourceText] = []
    at = misses = 0
    while len(messages) < _MAX_MESSAGES and misses < _MAX_MISSES and (key := _MESSAGE_KEY.search(text, at)):
        end = _closing(text, key)
        at = max(key.end(), end or 0)
        if end is None:
            misses += 1
            continue
        inner = page.cut(key.end(), end)
        if "\\" in inner.text:
            inner = inner.replaced(_ESCAPE, _unescaped)
        deeper = _messages(inner, depth + 1) if depth < _MAX_DEPTH and "essage" in inner.text else []
        messages.extend(deeper or [inner])
    return messages


def _closing(text: str, key: re.Match[str]) -> int | None:
    """Where the quoted text after `key` ends, None where it is prose and not a value."""
    opening, certain = key["open"], bool(key["close"])
    pattern = _ENDS.get(opening[-1], _CURLY)
    within = len(text) if certain else min(len(text), key.end() + _PROSE)
    for quote in pattern.finditer(text, key.end(), within):
        if len(quote["slashes"]) >= len(opening):
            continue
        if (certain and pattern is _STRAIGHT) or quote["ends"] is not None:
            return quote.start()
    # Cut off in the middle: what is there is still the message, if the key was certainly one.
    return len(text) if certain else None


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return clean(chr(int(match[1], 16)))
    return _ESCAPED.get(match[2], match[2])


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
