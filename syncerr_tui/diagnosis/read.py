"""Reading a message: from Salesforce's text to what blocks. Pure, never raises, in time linear in the length.

The conventions, derived from labelled messages of real orgs:

- **codes**: the known status codes in the text, each once, by first appearance. The record's own code is not
  among them unless the text names it too.
- **root code**: the innermost code that is not a wrapper; see `codes.root_of`. Without any code it is inferred
  from the wording (`wording`), and marked so.
- **record ids**: 15 or 18 characters that pass `ids.is_id`; never numbers or shortened ids. A null id is none.
- **external ids**: UUIDs, and whatever follows `Foreign key external ID:`.
- **transient**: the root is a code that passes by itself, or the platform reports an unexpected error of its own.
- automation, fields and values, objects, limits: see `automation`, `details`, `named_objects`, `limits`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from syncerr_tui.diagnosis.automation import Named, find_automation
from syncerr_tui.diagnosis.codes import APEX, FLOW_TRIGGER, WRAPPERS, find_codes, may_pass, root_of
from syncerr_tui.diagnosis.details import Part, find_details
from syncerr_tui.diagnosis.ids import find_ids, find_uuids
from syncerr_tui.diagnosis.limits import find_error_id, find_limit
from syncerr_tui.diagnosis.model import Diagnosis, Span
from syncerr_tui.diagnosis.named_objects import find_objects, find_stated
from syncerr_tui.diagnosis.page import Page, unwrap
from syncerr_tui.diagnosis.wording import code_from_wording
from syncerr_tui.text import clean

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
    whole, statements = unwrap(text)

    parts: list[Part] = [Part("code", match[0], *match.span()) for match in find_codes(text)]
    codes = _once(part.text for part in parts)
    root = root_of(codes, given)
    automation = find_automation(whole.text)
    inferred = root is None
    if inferred:
        root = code_from_wording(whole.text) or _code_of({named.automation.kind for named in automation})

    parts += [Part("record_id", match[0], *match.span()) for match in find_ids(text)]
    parts += [Part("external_id", match[0], *match.span()) for match in find_uuids(text)]
    for statement in statements:
        details = find_details(statement.text, root)
        taken = [(part.start, part.end) for part in details]
        own = automation if statement is whole else find_automation(statement.text)
        taken += [(named.start, named.end) for named in own]
        automation = _merged(automation, own) if statement is not whole else automation
        details += find_objects(statement.text, taken)
        parts += [_placed(part, statement) for part in details]
    if statements[0] is not whole:
        around = [part for part in find_details(whole.text) if part.kind == "field"]
        around += find_stated(whole.text)
        inside = [(page.origin(0), page.origin(len(page.text))) for page in statements]
        placed = (_placed(part, whole) for part in around)
        parts += [part for part in placed if not any(start <= part.start < end for start, end in inside)]
    error_id = find_error_id(text)
    limit = find_limit(whole.text, codes)
    spans = [Span(part.start, part.end, part.kind) for part in parts]
    spans += [Span(whole.origin(n.start), whole.origin(n.end), "automation") for n in automation]
    if error_id:
        spans.append(Span(error_id.start, error_id.end, "error_id"))
    if limit:
        spans.append(Span(whole.origin(limit.start), whole.origin(limit.end), "limit"))
    return Diagnosis(
        code=given,
        codes=codes,
        root_code=root,
        inferred=inferred and root is not None,
        automation=tuple(dict.fromkeys(named.automation for named in automation)),
        objects=_objects(part.text for part in parts if part.kind == "object"),
        fields=_of("field", parts),
        values=_of("value", parts),
        record_ids=_of("record_id", parts),
        external_ids=_of("external_id", parts),
        error_id=error_id.text if error_id else None,
        limit=limit.text if limit else None,
        transient=_transient(root, whole.text),
        spans=tuple(sorted(set(spans), key=lambda span: (span.start, -span.end, span.kind))),
    )


@lru_cache(maxsize=4096)
def diagnose_cached(message: str, code: str | None = None) -> Diagnosis:
    """`diagnose` for a cursor that moves over rows: many rows share one text."""
    return diagnose(message, code)


def to_json(diagnosis: Diagnosis, message: str) -> dict[str, object]:
    """The names and meanings that `explain --json` promises, and whether the root code was inferred."""
    return {
        "code": diagnosis.code,
        "message": message,
        "codes": list(diagnosis.codes),
        "root_code": diagnosis.root_code,
        "inferred": diagnosis.inferred,
        "automation": [
            {"kind": item.kind, "name": item.name, "namespace": item.namespace}
            for item in diagnosis.automation
        ],
        "objects": list(diagnosis.objects),
        "fields": list(diagnosis.fields),
        "values": list(diagnosis.values),
        "record_ids": list(diagnosis.record_ids),
        "external_ids": list(diagnosis.external_ids),
        "error_id": diagnosis.error_id,
        "limit": diagnosis.limit,
        "transient": diagnosis.transient,
    }


def _placed(part: Part, page: Page) -> Part:
    start = page.origin(part.start)
    return Part(part.kind, part.text, start, max(start, page.origin(part.end)))


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _of(kind: str, parts: list[Part]) -> tuple[str, ...]:
    chosen = sorted((part for part in parts if part.kind == kind), key=lambda part: part.start)
    return _once(part.text for part in chosen)


def _objects(texts: Iterable[str]) -> tuple[str, ...]:
    """Each object once, whatever its case; as it was written first."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(text.casefold(), text)
    return tuple(first.values())


def _merged(outer: list[Named], inner: list[Named]) -> list[Named]:
    known = {named.automation for named in outer}
    return outer + [named for named in inner if named.automation not in known]


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
