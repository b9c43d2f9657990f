"""Where one failure of a message ends and the next begins.

A save can be refused for several reasons at once, and none of them is gone before all are. They stand side by
side as JSON or XML objects, as `CODE:text:Field --CODE:text:Field --` (Bulk API), or as sentences with a
semicolon or a line end between them. Beside each other is not inside each other: what stands behind `caused
by`, `first error:` or a Flow's introduction belongs to the failure that it explains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from syncerr_tui.diagnosis.automation import NamedAutomation, find_automation
from syncerr_tui.diagnosis.codes import APEX, CONSEQUENCES, WRAPPERS, find_codes
from syncerr_tui.diagnosis.platform_sentences import SentenceMatch, code_of_kind, find_platform_sentences
from syncerr_tui.diagnosis.source_text import Ranges, SourceText, matches

MOST = 20
"""No save is refused for more reasons than this; what follows belongs to the last."""

_SEPARATOR = re.compile(
    r"[;\s\])>-](?:(?<=;)\s{0,3}|(?:(?<=\s)-|(?<=-))-\s{0,3}(?=[A-Z])|"
    r"(?:(?<=\s)\n|(?<=\n))\s{0,8}(?:[-*•]\s|\d{1,3}[.)]\s)?|(?<=\s)[|/]\s|(?<=[\])])\s?,\s{0,3}|"
    r"(?<=>)(?=<(?:\w{1,20}:)?errors?[\s>]))"
)
"""`; `, ` --CODE`, a new line with or without a bullet, ` | `, ` / `, `], `, the next element of XML.

One set of characters begins them all: with that in front the search is twice as quick.
"""
_MARKS = (";", "\n", "--", " | ", " / ", ",", "><")
"""One of these stands in every text that has a separator: looking for them is quicker."""
_CODE_FIRST = re.compile(r"(?:\w{1,20}[.(\[]{1,2})?[A-Z]{3,}(?:_[A-Z0-9]+)+\s?[:,(]")
_OPEN_END = re.compile(r"(?:[:,(\[{=]|\b(?:caused by|details|because|for)\.?)\s*\Z", re.IGNORECASE)
_RESULT = re.compile(
    r"[(\[]{0,2}Database\.(?:Error|SaveResult|UpsertResult|DeleteResult)\[|<(?:\w{1,20}:)?errors?[\s>]",
    re.IGNORECASE,
)
_NO_LABEL = frozenset("\n=<")
_BRACES = re.compile(r"[{}]")
_ELEMENT = re.compile(r"<(?P<close>/?)(?:\w{1,20}:)?errors?(?:\s[^<>]{0,200})?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """A text that somebody wrote about a failure, and what is known about it already."""

    text: SourceText
    sentences: tuple[SentenceMatch, ...]
    """The sentences of the platform in it."""
    named: tuple[NamedAutomation, ...]
    """The automation in it; offsets point into the text."""
    codes: tuple[str, ...]
    start: int
    """Where what belongs to it begins in the message: at its JSON object, if it has one."""

    @property
    def consequence(self) -> bool:
        """Whether it only says that something else failed."""
        return bool(self.codes) and all(code in CONSEQUENCES for code in self.codes)

    @property
    def at(self) -> int:
        """Where the text itself begins in the message."""
        return self.text.origin(0)


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a message that is about one failure. Offsets point into the message."""

    start: int
    end: int
    statements: tuple[Statement, ...]


def statement(text: SourceText) -> Statement:
    sentences = tuple(find_platform_sentences(text.text))
    named = tuple(find_automation(text.text))
    return Statement(text, sentences, named, _codes(text.text), text.origin(0))


def split(whole: SourceText, statements: Sequence[Statement]) -> tuple[Piece, ...]:
    """The pieces of a message, one for each failure, in order; at least one.

    Args:
        whole: The message without HTML.
        statements: What `source_text.unwrap` found in it: each JSON message, or the whole.
    """
    if statements[0].text is whole:
        groups: list[tuple[Statement, ...]] = [(side,) for side in _sides(statements[0])]
    else:
        groups = _objects(whole, statements)
        if len(groups) == 1 and len(groups[0]) == 1:
            groups = [(side,) for side in _sides(groups[0][0])]
    if len(groups) == 1:
        return (Piece(0, whole.origin_of_end(len(whole.text)), groups[0]),)
    serious = [group for group in groups if not all(item.consequence for item in group)] or groups[:1]
    serious = serious[:MOST]
    starts = [min(item.start for item in group) for group in serious]
    ends = [*starts[1:], whole.origin_of_end(len(whole.text))]
    starts[0] = 0
    return tuple(
        Piece(start, max(start, end), group) for group, start, end in zip(serious, starts, ends, strict=True)
    )


def _objects(whole: SourceText, statements: Sequence[Statement]) -> list[tuple[Statement, ...]]:
    """The statements that stand for a failure, those of one JSON object together.

    Left out is what only wraps or repeats another one: a message around an object that has its own.
    """
    holders = [(whole.origin(start), whole.origin_of_end(end)) for start, end in _holders(whole.text)]
    homes = [_smallest(holders, item.at) or (item.at, item.at) for item in statements]
    codes = _codes_of_homes(whole, holders, statements, homes)
    groups: dict[tuple[int, int], list[Statement]] = {}
    for item, home in zip(statements, homes, strict=True):
        known = item.codes or codes.get(home, ())
        groups.setdefault(home, []).append(replace(item, codes=known, start=home[0]))
    telling = [home for home, items in groups.items() if any(item.codes or item.sentences for item in items)]
    homes = telling or [*groups]
    chosen: dict[tuple[tuple[str, tuple[str, ...]], ...], tuple[Statement, ...]] = {}
    for home in homes:
        inside = (other for other in homes if other != home and home[0] <= other[0] and other[1] <= home[1])
        if not any(inside):
            items = groups[home]
            chosen.setdefault(tuple((item.text.text.strip(), item.codes) for item in items), tuple(items))
    return list(chosen.values()) or [(statements[0],)]


def _codes_of_homes(
    whole: SourceText,
    holders: Sequence[tuple[int, int]],
    statements: Sequence[Statement],
    homes: Sequence[tuple[int, int]],
) -> dict[tuple[int, int], tuple[str, ...]]:
    """For each object with a message, the codes that stand in it beside the message."""
    texts = Ranges((item.at, item.text.origin_of_end(len(item.text.text))) for item in statements)
    by_home: dict[tuple[int, int], list[str]] = {}
    for named in find_codes(whole.text):
        at = whole.origin(named.start)
        if at in texts:
            continue
        around = sorted((end - start, (start, end)) for start, end in holders if start <= at < end)
        for _, holder in around:
            inner = [home for home in homes if holder[0] <= home[0] and home[1] <= holder[1]]
            if inner:
                by_home.setdefault(holder if holder in homes else inner[0], []).append(named.code)
                break
    return {home: tuple(codes) for home, codes in by_home.items()}


def _smallest(holders: Iterable[tuple[int, int]], at: int) -> tuple[int, int] | None:
    around = [holder for holder in holders if holder[0] <= at < holder[1]]
    return min(around, key=lambda holder: holder[1] - holder[0], default=None)


def _holders(text: str) -> Iterator[tuple[int, int]]:
    """The JSON objects and XML elements of a text."""
    for pattern in (_BRACES, _ELEMENT):
        stack: list[int] = []
        for match in matches(pattern, text):
            if match[0] == "{" or (pattern is _ELEMENT and not match["close"]):
                stack.append(match.start())
            elif stack:
                yield stack.pop(), match.end()
        # Cut off in the middle: what is open holds all that follows.
        while stack:
            yield stack.pop(), len(text)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(named.code for named in find_codes(text))


def _sides(item: Statement) -> Iterator[Statement]:
    """A statement cut where one failure stands beside the next."""
    text = item.text.text
    cuts = sorted({0, *_cuts(text, item.sentences)})[:MOST]
    if len(cuts) == 1:
        yield item
        return
    seen: set[str] = set()
    for start, end in pairwise([*cuts, len(text)]):
        piece = item.text.cut(start, end)
        plain = piece.text.strip(" ;-\n")
        if plain not in seen:
            seen.add(plain)
            yield replace(statement(piece), start=item.start if start == 0 else piece.origin(0))


def _cuts(text: str, sentences: Sequence[SentenceMatch]) -> Iterator[int]:
    """Where the second and each further failure begins: something does, and what stands before it is one."""
    code_of = code_of_kind()
    begins = {
        sentence.match.start(): sentence.kind
        for sentence in sentences
        if code_of.get(sentence.kind, APEX) not in WRAPPERS
    }
    if len(_codes(text)) + len(begins) < 2 or not any(mark in text for mark in _MARKS):
        return
    last = 0
    for match in matches(_SEPARATOR, text):
        start, end = match.span()
        kind = begins.get(end)
        labelled = kind or begins.get(_behind_label(text, end))
        if not (labelled or _is_first(text, end)) or _OPEN_END.search(text, max(last, start - 40), start):
            continue
        kinds, codes = {kind for at, kind in begins.items() if last <= at < start}, _codes(text[last:start])
        # `duplicate value found: Name`, a line end, `duplicates value on record`: one sentence.
        goes_on = kind in kinds and ";" not in match[0]
        # `STRING_TOO_LONG`, a line end, `Name: data value too large`: the code and its own sentence.
        explained = not kinds and labelled and codes[-1:] == (code_of.get(labelled),)
        if (kinds or codes) and not goes_on and not explained:
            last = end
            yield last


def _is_first(text: str, start: int) -> bool:
    """Whether a code or a result begins here."""
    code = _CODE_FIRST.match(text, start)
    return bool(code and _codes(code[0])) or _RESULT.match(text, start) is not None


def _behind_label(text: str, start: int) -> int:
    """Where a sentence begins if a field's label stands in front of it; -1 where none does."""
    colon = text.find(": ", start, start + 60)
    return colon + 2 if colon > start and _NO_LABEL.isdisjoint(text[start:colon]) else -1
