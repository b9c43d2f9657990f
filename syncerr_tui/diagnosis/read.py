"""Reading a message: from Salesforce's text to what blocks. Pure, never raises, in time linear in the
length.

The conventions, derived from labelled messages of real orgs:

- **codes**: the known status codes in the text, each once, by first appearance. The record's own code is
  not among them unless the text names it too.
- **root code**: the innermost code that is not a wrapper; see `codes.root_of`. Without any code it is
  inferred from the wording (`wording`), and marked so.
- **record ids**: 15 or 18 characters that pass `ids.is_id`; never numbers or shortened ids. A null id is
  none.
- **external ids**: UUIDs, and whatever follows `Foreign key external ID:`.
- **transient**: the root is a code that passes by itself, or the platform reports an unexpected error of
  its own.
- automation, fields and values, objects, limits: see `automation`, `details`, `named_objects`, `limits`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from syncerr_tui.diagnosis.automation import Named, find_automation
from syncerr_tui.diagnosis.codes import APEX, FLOW_TRIGGER, WRAPPERS, find_codes, may_pass, root_of
from syncerr_tui.diagnosis.details import find_details
from syncerr_tui.diagnosis.ids import find_ids, find_uuids
from syncerr_tui.diagnosis.limits import find_error_id, find_limit
from syncerr_tui.diagnosis.model import Diagnosis, Span
from syncerr_tui.diagnosis.named_objects import find_objects, find_stated
from syncerr_tui.diagnosis.parts import Part
from syncerr_tui.diagnosis.ranges import Ranges
from syncerr_tui.diagnosis.source_text import SourceText, unwrap
from syncerr_tui.diagnosis.wording import code_from_wording
from syncerr_tui.text import clean

_PROSE = 16_384
"""How many characters are read for names, fields and values; codes and ids are looked for in the whole text.

What is longer than this is a log, and its first fault stands in front.
"""

# What the platform says of itself, not of the record: the same save may work a minute later.
_PASSING = (
    "unable to obtain exclusive access",
    "currently being modified by another user",
    "timeout occurred while waiting to lock",
    "unexpected error occurred. please include this errorid",
)


def diagnose(message: str, code: str | None = None) -> Diagnosis:
    """Everything a message says.

    Args:
        message: Any text of any length. Spans point into `text.clean(message)`.
        code: The status code that came with the record, where one did.
    """
    given = (clean(code).strip() or None) if code else None
    text = clean(message)
    whole, statements = unwrap(text[:_PROSE])

    parts = [Part("code", match[0], *match.span()) for match in find_codes(text)]
    codes = _of("code", parts)
    parts += [Part("record_id", match[0], *match.span()) for match in find_ids(text)]
    error_id = find_error_id(text)
    if error_id:
        parts.append(error_id)
    parts += [
        Part("external_id", match[0], *match.span())
        for match in find_uuids(text)
        if error_id is None or match[0] != error_id.text
    ]

    named = [find_automation(statement.text) for statement in statements]
    automation = _automation(whole, statements, named)
    root = root_of(codes, given)
    inferred = root is None
    if root is None:
        root = code_from_wording(whole.text) or _code_of({item.automation.kind for item in automation})

    for statement, names in zip(statements, named, strict=True):
        parts += _statement(statement, names, root)
    if statements[0] is not whole:
        parts += _around(whole, statements)
    limit = find_limit(whole.text, codes)
    if limit:
        parts.append(_placed(limit, whole))
    return Diagnosis(
        code=given,
        codes=codes,
        root_code=root,
        inferred=inferred and root is not None,
        automation=tuple(dict.fromkeys(item.automation for item in automation)),
        objects=_once_in_any_case(_of("object", parts)),
        fields=_of("field", parts),
        values=_of("value", parts),
        record_ids=_of("record_id", parts),
        external_ids=_of("external_id", parts),
        error_id=next(iter(_of("error_id", parts)), None),
        limit=limit.text if limit else None,
        transient=_transient(root, whole.text),
        spans=_spans(parts, automation),
        message=text,
        text="\n".join(statement.text for statement in statements),
    )


@lru_cache(maxsize=4096)
def diagnose_cached(message: str, code: str | None = None) -> Diagnosis:
    """`diagnose` for a cursor that moves over rows: many rows share one text."""
    return diagnose(message, code)


def _automation(whole: SourceText, statements: list[SourceText], named: list[list[Named]]) -> list[Named]:
    """What is named in the text around the statements and in each of them, placed in the message."""
    found: list[Named] = []
    if statements[0] is not whole:
        inside = _ranges(statements)
        around = (_renamed(item, whole) for item in find_automation(whole.text))
        found += (item for item in around if item.start not in inside)
    for statement, names in zip(statements, named, strict=True):
        found += (_renamed(item, statement) for item in names)
    return found


def _statement(page: SourceText, names: list[Named], root: str | None) -> list[Part]:
    """Fields, values and objects of one statement, placed in the message."""
    called = Ranges((name.start, name.end) for name in names)
    details = [part for part in find_details(page.text, root) if part.start not in called]
    taken = Ranges(
        [*((name.start, name.end) for name in names), *((part.start, part.end) for part in details)]
    )
    return [_placed(part, page) for part in (*details, *find_objects(page.text, taken))]


def _around(whole: SourceText, statements: list[SourceText]) -> list[Part]:
    """Fields and objects named beside the messages: `"fields":["Name"]`, `/sobjects/Lead/`."""
    inside = _ranges(statements)
    fields = (part for part in find_details(whole.text) if part.kind == "field")
    placed = (_placed(part, whole) for part in (*fields, *find_stated(whole.text)))
    return [part for part in placed if part.start not in inside]


def _ranges(pages: list[SourceText]) -> Ranges:
    return Ranges((page.origin(0), page.origin(len(page.text))) for page in pages)


def _placed(part: Part, page: SourceText) -> Part:
    start = page.origin(part.start)
    return part._replace(start=start, end=max(start, page.origin_of_end(part.end)))


def _renamed(item: Named, page: SourceText) -> Named:
    start = page.origin(item.start)
    return Named(item.automation, start, max(start, page.origin_of_end(item.end)))


def _of(kind: str, parts: Iterable[Part]) -> tuple[str, ...]:
    """The texts of one kind by their place, each once."""
    chosen = sorted((part for part in parts if part.kind == kind), key=lambda part: part.start)
    return tuple(dict.fromkeys(part.text for part in chosen))


def _once_in_any_case(texts: Iterable[str]) -> tuple[str, ...]:
    """`Contact` and `contact` are one object; it is called as it was written first."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(text.casefold(), text)
    return tuple(first.values())


def _spans(parts: Iterable[Part], automation: Iterable[Named]) -> tuple[Span, ...]:
    spans = {Span(part.start, part.end, part.kind) for part in parts if part.end > part.start}
    spans |= {Span(item.start, item.end, "automation") for item in automation}
    return tuple(sorted(spans, key=lambda span: (span.start, -span.end, span.kind)))


def _code_of(kinds: set[str]) -> str | None:
    """In a language whose wording is not known, the automation that is named says who stopped the save."""
    if "flow" in kinds:
        return FLOW_TRIGGER
    return APEX if "trigger" in kinds else None


def _transient(root: str | None, text: str) -> bool:
    if may_pass(root):
        return "TotalRequests Limit" not in text  # a day's allowance does not come back by waiting a minute
    if root not in WRAPPERS:
        return False
    lowered = text.lower()
    return any(words in lowered for words in _PASSING)
