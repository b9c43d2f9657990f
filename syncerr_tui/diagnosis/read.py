"""Reading a message: from Salesforce's text to what blocks. Pure, never raises, in time linear in the
length.

The conventions, derived from labelled messages of real orgs:

- **codes**: the known status codes in the text, each once, by first appearance. The record's own code is
  not among them unless the text names it too.
- **root code**: the innermost code that is not a wrapper; see `codes.root_of`. Without any, or with wrappers
  alone, it is inferred from the wording (`platform_sentences`), and marked so.
- **record ids**: 15 or 18 characters that pass `identifiers.is_id`; never numbers or shortened ids. A null
  id is none.
- **external ids**: UUIDs, and whatever follows `Foreign key external ID:`.
- **transient**: the root is a code that passes by itself, or the platform reports an unexpected error of
  its own.
- automation, fields and values, objects, limits: see `automation`, `sentences`, `named_objects`, `limits`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from syncerr_tui.diagnosis.automation import NamedAutomation, find_automation
from syncerr_tui.diagnosis.codes import (
    APEX,
    FLOW_TRIGGER,
    HOLLOW,
    WRAPPERS,
    find_codes,
    known_codes,
    may_pass_by_itself,
    root_of,
)
from syncerr_tui.diagnosis.failures import Piece, Statement, split, statement
from syncerr_tui.diagnosis.identifiers import find_ids, find_uuids
from syncerr_tui.diagnosis.labelled import LONGEST
from syncerr_tui.diagnosis.model import Diagnosis, Failure, Span, combined, once_in_any_case
from syncerr_tui.diagnosis.platform_sentences import code_from_sentences, folded, named_in
from syncerr_tui.diagnosis.sentences import find_details, find_objects, find_stated, says_something
from syncerr_tui.diagnosis.source_text import Part, Ranges, SourceText, unwrap
from syncerr_tui.text import clean

_TOO_MANY = re.compile(
    r"[Tt]oo many (?P<what>[A-Za-z][A-Za-z ]{1,40}?)(?: added to the queue| issued)?: (?P<count>\d{1,12})"
)
_NAMED = (
    ("Apex CPU time", re.compile(r"Apex CPU time(?: limit)? exceeded|LimitException: [^\n]{0,60}\bCPU\b")),
    ("Apex heap size", re.compile(r"Apex heap size too large(?:: (?P<count>\d{1,12}))?")),
    ("heap usage", re.compile(r"heap usage to exceed limit")),
    ("trigger depth", re.compile(r"[Mm]aximum trigger depth exceeded")),
    ("stack depth", re.compile(r"[Mm]aximum stack depth reached(?:: (?P<count>\d{1,12}))?")),
    (
        "iterations",
        re.compile(r"[Nn]umber of iterations exceeded|exceeded (?P<count>[\d,]{1,12}) iterations"),
    ),
    (
        "duplicate updates in one batch",
        re.compile(r"duplicate updates in one batch \((?P<count>\d{1,9}) allowed\)"),
    ),
    ("max length", re.compile(rf"\({LONGEST}=(?P<count>\d{{1,9}})\)")),
)
_CLUES = ("exceed", "LimitException", "too large", "depth reached", "updates in one batch", "=")
"""One of these stands in every text that one of `_NAMED` fits: looking for them is quicker."""
_EXCEEDED = re.compile(r"(?<![A-Za-z])(?P<what>[A-Z][A-Za-z]{2,40})(?: \([A-Za-z ]{1,40}\))? Limit exceeded")
_CODE_END = "_LIMIT_EXCEEDED"
_ERROR_ID = re.compile(r"(?<![\d-])(?P<id>-?\d{3,12}-\d{1,12} \(-?\d{1,12}\))")
# Shortened by somebody on the way, or made up by the org's own error handler.
_OTHER_ERROR_ID = re.compile(
    r"Error ?I[Dd]: {0,2}(?P<id>\d{4,20}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![\w-])"
)


def find_limit(text: str, codes: tuple[str, ...]) -> Part | None:
    """The limit in words, with the figure the text gives: `queueable jobs: 51`, `Apex CPU time`."""
    if "oo many " in text and (match := _TOO_MANY.search(text)):
        return Part("limit", f"{match['what']}: {match['count']}", match.start("what"), match.end())
    for name, pattern in _NAMED if any(clue in text for clue in _CLUES) else ():
        if match := pattern.search(text):
            count = match.groupdict().get("count")
            return Part("limit", f"{name}: {count}" if count else name, *match.span())
    if "Limit exceeded" in text and (match := _EXCEEDED.search(text)):
        return Part("limit", match["what"], *match.span("what"))
    for code in reversed(codes):
        if code.endswith(_CODE_END) and (at := text.rfind(code)) >= 0:
            return Part("limit", code.removesuffix(_CODE_END).replace("_", " ").lower(), at, at + len(code))
    return None


def find_error_id(text: str) -> Part | None:
    """`123456-78 (-910)` as Salesforce prints it at the end of a flow or internal error."""
    match = _ERROR_ID.search(text) if " (" in text and "-" in text else None
    if match is None and ("ID:" in text or "Id:" in text):
        match = _OTHER_ERROR_ID.search(text)
    return Part("error_id", match["id"], *match.span("id")) if match else None


_PROSE = 16_384
"""How many characters are read for names, fields and values; codes and ids are looked for in the whole text.

What is longer than this is a log, and its first fault stands in front.
"""

_START = attrgetter("start")
_INTERNAL = "unexpected error occurred. please include this errorid"
"""What the platform says of itself, not of the record: the same save may work a minute later."""


def diagnose(message: str, code: str | None = None) -> Diagnosis:
    """Everything a message says.

    Args:
        message: Any text of any length. Spans point into `text.clean(message)`.
        code: The status code that came with the record, where one did.
    """
    stated = (clean(code).strip() or None) if code else None
    text = clean(message)
    whole, statements = unwrap(text[:_PROSE])
    statements, read = _read_statements(whole, statements)
    pieces = split(whole, read)

    cut = _is_cut(text)
    broken_at = len(text) if cut else None  # the last name may be a piece of one
    parts = [*_codes_and_ids(text)]
    automation: list[NamedAutomation] = []
    if statements[0] is not whole:
        beside, automation = _beside(whole, statements)
        parts += _unbroken(beside, broken_at)
    for piece in pieces:
        automation += (_renamed(name, item.text) for item in piece.statements for name in item.named)

    owners = _owners_of_given(pieces, stated, parts)
    failures = []
    for number, piece in enumerate(pieces):
        end = len(text) if number == len(pieces) - 1 else piece.end
        names = _Found(
            piece,
            [part for part in parts if piece.start <= part.start < end],
            [item for item in automation if piece.start <= item.start < end],
            broken_at,
        )
        failure, more = _failure(names, stated if number in owners else None, whole, sole=len(pieces) == 1)
        parts += more
        failures.append(failure)
    pooled = failures[0] if len(failures) == 1 else combined(failures)
    return Diagnosis(
        **{name: getattr(pooled, name) for name in Failure.__slots__},
        failures=tuple(failures) if text else (),
        spans=_spans(parts, automation),
        message=text,
        cut=cut,
    )


def _codes_and_ids(text: str) -> Iterator[Part]:
    """What is looked for in the whole text, however long."""
    yield from (Part("code", *named) for named in find_codes(text))
    if text[-1:].isupper() or text.endswith("_"):
        yield from _cut_code(text)
    yield from (Part("record_id", match[0], *match.span()) for match in find_ids(text))
    error_id = find_error_id(text)
    if error_id:
        yield error_id
    for match in find_uuids(text):
        if error_id is None or match[0] != error_id.text:
            yield Part("external_id", match[0], *match.span())


def _beside(whole: SourceText, statements: list[SourceText]) -> tuple[list[Part], list[NamedAutomation]]:
    """Fields, objects and automation named beside the messages: `"fields":["Name"]`, `/sobjects/Lead/`."""
    inside = _ranges(statements)
    outside = whole.masked(statements)
    fields = (part for part in find_details(outside.text) if part.kind == "field")
    parts = [_placed(part, outside) for part in (*fields, *find_stated(outside.text))]
    automation = [_renamed(item, whole) for item in find_automation(whole.text)]
    return (
        [part for part in parts if part.start not in inside],
        [item for item in automation if item.start not in inside],
    )


def _unbroken(parts: Iterable[Part], broken_at: int | None) -> Iterator[Part]:
    """Without the name that a message breaks off in; of a value a piece tells enough."""
    return (part for part in parts if part.kind == "value" or part.end != broken_at)


def _read_statements(
    whole: SourceText, statements: list[SourceText]
) -> tuple[list[SourceText], list[Statement]]:
    """The statements, read; the whole where what counts stands under another key than `message`."""
    read = [statement(item) for item in statements]
    if statements[0] is not whole and not any(item.sentences or item.codes for item in read):
        everything = statement(whole)
        if everything.sentences:
            return [whole], [everything]
    return statements, read


@dataclass(frozen=True, slots=True)
class _Found:
    """What stands in one piece of a message."""

    piece: Piece
    parts: list[Part]
    automation: list[NamedAutomation]
    broken_at: int | None
    """Where the message breaks off: a name that ends there is none."""


def _failure(
    parts: _Found, stated: str | None, whole: SourceText, *, sole: bool
) -> tuple[Failure, list[Part]]:
    """One failure, and the fields, values, objects and limit in it, placed in the message."""
    statements = parts.piece.statements
    codes = tuple(dict.fromkeys(part.text for part in parts.parts if part.kind == "code"))
    own_text = "\n".join(item.text.text for item in statements)
    surroundings = whole.text if sole else own_text
    kinds = _sentence_kinds(parts.piece)
    named = root_of(_outermost_first(parts), stated)
    root = (
        named or code_from_sentences(kinds) or _code_of({item.automation.kind for item in parts.automation})
    )
    if named in HOLLOW and "changed by trigger" not in kinds:
        worded = code_from_sentences(kinds, hints=False)
        root = named if worded in HOLLOW else worded or named
    more: list[Part] = []
    for item in statements:
        more += _unbroken(_statement(item, root), parts.broken_at)
    limit = find_limit(surroundings, codes)
    if limit:
        more.append(_placed(limit, whole) if sole else limit._replace(start=0, end=0))
    texts = _texts([*parts.parts, *more])
    failure = Failure(
        code=stated,
        codes=codes,
        root_code=root,
        inferred=root != named,
        automation=tuple(dict.fromkeys(item.automation for item in parts.automation)),
        objects=once_in_any_case(tuple(texts.get("object", ()))),
        fields=tuple(texts.get("field", ())),
        values=tuple(texts.get("value", ())),
        record_ids=tuple(texts.get("record_id", ())),
        external_ids=tuple(texts.get("external_id", ())),
        error_id=next(iter(texts.get("error_id", ())), None),
        limit=limit.text if limit else None,
        transient=_transient(root, kinds, own_text),
        sentence_kinds=kinds,
        text=own_text,
    )
    return failure, more


def _outermost_first(parts: _Found) -> tuple[str, ...]:
    """The codes of one failure; one beside a message, as a JSON `errorCode`, is around those in it."""
    texts = _ranges([item.text for item in parts.piece.statements])
    codes = [part for part in parts.parts if part.kind == "code"]
    return tuple(dict.fromkeys(part.text for part in sorted(codes, key=lambda part: part.start in texts)))


def _owners_of_given(pieces: tuple[Piece, ...], stated: str | None, parts: list[Part]) -> set[int]:
    """Which failures the record's own code belongs to: those that name it, else those without a code."""
    if stated is None or len(pieces) == 1:
        return {0}
    codes = [
        {part.text for part in parts if part.kind == "code" and piece.start <= part.start < piece.end}
        for piece in pieces
    ]
    naming = {number for number, names in enumerate(codes) if stated in names}
    nameless = {number for number, names in enumerate(codes) if not names}
    implying = {
        number for number in nameless if code_from_sentences(_sentence_kinds(pieces[number])) == stated
    }
    return naming or implying or nameless or {0}


def _sentence_kinds(piece: Piece) -> frozenset[str]:
    """The kinds of the platform's sentences in it."""
    return frozenset(sentence.kind for item in piece.statements for sentence in item.sentences)


@lru_cache(maxsize=4096)
def diagnose_cached(message: str, code: str | None = None) -> Diagnosis:
    """`diagnose` for lists that are read again, and a cursor that moves over rows which share one text."""
    return diagnose(message, code)


def _statement(item: Statement, root: str | None) -> list[Part]:
    """Fields, values and objects of one statement, placed in the message."""
    text, page = item.text.text, item.text
    named = (part for sentence in item.sentences for part in named_in(text, sentence))
    details = [*find_details(text, root), *(part for part in named if says_something(part, text))]
    automation = [(name.start, name.end) for name in item.named]
    if automation:
        names = Ranges(automation)
        details = [part for part in details if part.start not in names]
    used = Ranges([*automation, *((part.start, part.end) for part in details)])
    return [_placed(part, page) for part in (*details, *find_objects(text, used))]


def _ranges(pages: list[SourceText]) -> Ranges:
    return Ranges((page.origin(0), page.origin(len(page.text))) for page in pages)


def _placed(part: Part, page: SourceText) -> Part:
    if page.is_message:
        return part
    start = page.origin(part.start)
    return part._replace(start=start, end=max(start, page.origin_of_end(part.end)))


def _renamed(item: NamedAutomation, page: SourceText) -> NamedAutomation:
    if page.is_message:
        return item
    start = page.origin(item.start)
    return NamedAutomation(item.automation, start, max(start, page.origin_of_end(item.end)))


def _texts(parts: Iterable[Part]) -> dict[str, dict[str, None]]:
    """The texts of each kind by their place, each once."""
    texts: dict[str, dict[str, None]] = {}
    for part in sorted(parts, key=_START):
        texts.setdefault(part.kind, {})[part.text] = None
    return texts


def _spans(parts: Iterable[Part], automation: Iterable[NamedAutomation]) -> tuple[Span, ...]:
    places = {(part.start, -part.end, part.kind) for part in parts if part.end > part.start}
    places |= {(item.start, -item.end, "automation") for item in automation}
    return tuple(Span(start, -end, kind) for start, end, kind in sorted(places))


def _code_of(kinds: set[str]) -> str | None:
    """Where neither a code nor the wording says it: what is named as having stopped the save."""
    return next((code for kind, code in _CODE_OF_KIND.items() if kind in kinds), None)


# The innermost first.
_CODE_OF_KIND = {
    "validation_rule": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "duplicate_rule": "DUPLICATES_DETECTED",
    "flow": FLOW_TRIGGER,
    "trigger": APEX,
    "class": APEX,
}


_LOCKS = {"row lock", "schema lock"}


def _transient(root: str | None, kinds: frozenset[str], text: str) -> bool:
    if may_pass_by_itself(root):
        return "TotalRequests Limit" not in text  # a day's allowance does not come back by waiting a minute
    return root in WRAPPERS and (not kinds.isdisjoint(_LOCKS) or _INTERNAL in folded(text))


_LENGTHS = frozenset({255, 256, 500, 512, 1000, 1024, 2000, 2048, 4000, 4096, 32_000, 32_768, 131_072})
"""Lengths that columns, logs and forms cut texts at. A shorter text has such a length by chance."""


_CUT_CODE = re.compile(r"[A-Z]{3,}_[A-Z_]{3,}\Z")


def _cut_code(text: str) -> Iterator[Part]:
    """The code that a text breaks off in, where only one begins like that."""
    broken = _CUT_CODE.search(text, max(0, len(text) - 60))
    names = [code for code in known_codes() if code.startswith(broken[0])] if broken else []
    if broken and len(names) == 1 and names[0] != broken[0]:
        yield Part("code", names[0], *broken.span())


def _is_cut(text: str) -> bool:
    """Whether a text breaks off at one of the usual lengths, in the middle of a sentence or word."""
    return text.endswith(("…", "...")) or (bool({len(text), len(text) + 1} & _LENGTHS) and text[-1].isalnum())
