"""Fields, values and external ids in one statement.

What counts, and where it is looked for:

- A field stands as the platform prints it: the label before `: bad value for restricted picklist field`, the API
  name in the list at the end `[Name, Close_Date__c]`, both where both are there, in order of appearance. Labels
  in free text count only where the sentence says that it is a field (`the Ship Date field`, `selected in
  Preferred Email`, `must have a Bundle Starting Rate`).
- A value is what was refused: after `picklist field:`, in `contains EP, which isn't`, the id of a wrong type (which
  is a record id as well). A duplicate's id is a record id, not a value. `<unknown>`, `[]` and `…` are nothing.
- The value of `Foreign key external ID: ... not found` is an external id, not a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Part(NamedTuple):
    """A found part of a statement: kind as in `Span.kind`, the text, and where it stands."""

    kind: str
    text: str
    start: int
    end: int


_API = r"[A-Za-z]\w{0,100}(?:\.[A-Za-z]\w{0,100})?"
# Where the platform's own words end and somebody else's begin.
_STOP = re.compile(
    r": ?\[|\n|\. ?(?:You can look up|For details, see|Error ID)|[,;] (?:RecordId|errorCode|statusCode|fields)\b|"
    r" \(StatusCode|:[\w, ]{1,200} ?--|[ .]\(?(?:Class|Trigger)\.[A-Za-z]|\s*\((?:[a-z]\w{0,14}|System Code)\)\s*\Z|\"[,}]",
)
_FIELD_LIST = re.compile(r"\[(?P<list>[^\[\]{}\"“”<>\n]{1,400})\](?!\(http)")
_BULK_LIST = re.compile(r":(?P<list>[\w,. ]{1,400}?) ?--(?=\s|\Z)")
_KEYED_LIST = re.compile(
    r"(?<![A-Za-z])(?:[\"'“”\\]{0,8}fields[\"'“”\\]{0,8}|getFields)\s{0,2}(?:=>|[:=])\s{0,2}['\"\\]{0,4}"
    r"[\[({](?P<list>[^\]){}\n:;]{1,400})",
)
_CRM_LIST = re.compile(r"Field\(s\): ?(?P<list>[^\n:;]{1,300}?)(?=, [A-Z][\w ]{1,30}:|[;.\n]|\Z)")
_NAME = re.compile(_API)
_LABELLED = re.compile(
    r": (?P<what>bad value for restricted picklist field|id value of incorrect type|invalid email address|"
    r"data value too large|value outside of valid range on numeric field|value not of required type|"
    r"(?P<bare>owner cannot be blank|cannot be blank|invalid cross reference id|invalid id))(?P<sep>:? ?)",
    re.IGNORECASE,
)
_PLAIN_PICKLIST = re.compile(r"bad value for restricted picklist field: ?")
_CONTAINS = re.compile(
    r"[Tt]he (?P<field>[^\n.:]{1,80}?) field contains (?P<value>[^\n]{1,200}?), which (?:isn|is no)[’']?t",
)
_FOREIGN_KEY = re.compile(
    r"Foreign key external ID: (?P<id>[^\n]{1,255}?) not found(?: for field (?P<field>[\w.]{1,100}))?",
)
_DUPLICATE = re.compile(r"duplicate value found: (?P<list>[^:\n]{1,300}?) duplicates value on record")
_MISSING = re.compile(r"[Rr]equired fields? (?:are|is) missing: (?P<list>[^\[\]\n.]{1,300})")
_FIELDS_NAMED = re.compile(r"create/update fields: (?P<list>[^\n]{1,400}?)\. Please")
_PREFIX = re.compile(r"recognize the field prefix (?P<value>[\w.]{1,100})")
_INACTIVE = re.compile(r"inactive user \[(?P<value>[^\[\]\n]{1,100})\]")
_COLUMN = re.compile(r"[Nn]o such column '(?P<field>[\w.]{1,100})'|Invalid field (?P<other>[\w.]{1,100}) for SObject")
_CUSTOM_FIELD = re.compile(r"(?<![\w.])[A-Za-z]\w{0,100}__[cC](?!\w)")
_BEFORE_OBJECT = re.compile(r"(?:entity|object|sobject|of type|type|on|Field|--)[ '\"]{1,3}\Z", re.IGNORECASE)
_LABEL = r"(?P<field>[A-Z][\w/&'-]*(?: (?:[A-Z0-9][\w/&'-]*|of|in|the|to|and|for|#))*)"
_PROSE = tuple(
    re.compile(pattern)
    for pattern in (
        r"field you selected in " + _LABEL,
        r"selected for " + _LABEL + r" (?:can[’']t|cannot|must)",
        r"in the (?P<field>[a-z][a-z ]{2,40}?|[A-Z][\w /]{1,60}?) field\b",
        r"must have an? (?P<field>[A-Z][\w/&-]*(?: [A-Z][\w/&-]*)+)",
    )
)
_BORDER = re.compile(r"[,;\n\"“”]\s*|\. |: ")
_NOT_LABELS = frozenset(
    "message,error,errors,errormessage,crm errormessage,first error,exception,field(s),fields,warning,null".split(","),
)
_NOTHING = frozenset({"<unknown>", "unknown", "null", "none", "…", "...", ""})


def find_details(text: str) -> list[Part]:
    """Fields, values and external ids in a statement, in order of appearance; a part may appear more than once."""
    found: list[Part] = []
    for finder in (_labelled, _sentences, _lists, _custom_fields, _prose):
        found.extend(finder(text))
    found.sort(key=lambda part: part.start)
    return [part for part in found if part.text.casefold() not in _NOTHING]


def _part(kind: str, match: re.Match[str], group: str) -> Part:
    return _trimmed(kind, match.string, match.start(group), match.end(group))


def _trimmed(kind: str, text: str, start: int, end: int) -> Part:
    while start < end and text[start] in " \n\"'“”":
        start += 1
    while start < end and text[end - 1] in " \n\"'“”":
        end -= 1
    return Part(kind, text[start:end], start, end)


def _labelled(text: str) -> Iterator[Part]:
    """`Label: bad value for restricted picklist field: Value` and its kin."""
    for match in _LABELLED.finditer(text):
        label = _label_before(text, match.start())
        if label is not None:
            yield label
        if match["bare"] is None and match["sep"].strip():
            yield _value_from(text, match.end())
    if "bad value" in text:
        for match in _PLAIN_PICKLIST.finditer(text):
            yield _value_from(text, match.end())


def _label_before(text: str, end: int) -> Part | None:
    start = max(0, end - 80)
    borders = list(_BORDER.finditer(text, start, end))
    if borders:
        start = borders[-1].end()
    elif start:
        return None
    part = _trimmed("field", text, start, end)
    plain = part.text.casefold()
    if plain in _NOT_LABELS or plain.endswith("error") or (part.text.isupper() and "_" in part.text):
        return None
    return part if part.text else None


def _value_from(text: str, start: int) -> Part:
    stop = _STOP.search(text, start, start + 400)
    end = stop.start() if stop else min(len(text), start + 400)
    part = _trimmed("value", text, start, end)
    if part.text.endswith("."):
        part = _trimmed("value", text, part.start, part.end - 1)
    return part


def _sentences(text: str) -> Iterator[Part]:
    """Sentences of the platform that name a field or a value."""
    if " field contains " in text:
        for match in _CONTAINS.finditer(text):
            yield _part("field", match, "field")
            yield _part("value", match, "value")
    if "Foreign key external ID" in text:
        for match in _FOREIGN_KEY.finditer(text):
            yield _part("external_id", match, "id")
            if match["field"]:
                yield _part("field", match, "field")
    for pattern in (_DUPLICATE, _MISSING, _FIELDS_NAMED):
        for match in pattern.finditer(text):
            yield from _listed(match.string, *match.span("list"))
    for pattern in (_PREFIX, _INACTIVE):
        for match in pattern.finditer(text):
            yield _part("value", match, "value")
    for match in _COLUMN.finditer(text):
        yield _part("field", match, "field" if match["field"] else "other")


def _lists(text: str) -> Iterator[Part]:
    """`[Name, Close_Date__c]`, `:Name --` and `fields: ...`."""
    if "[" in text:
        for match in _FIELD_LIST.finditer(text):
            before = text[max(0, match.start() - 12) : match.start()].rstrip()
            if before.endswith((":", "for", "missing")) and "line" not in before:
                yield from _listed(text, *match.span("list"))
    if "--" in text:
        for match in _BULK_LIST.finditer(text):
            for name in _NAME.finditer(text, *match.span("list")):
                yield Part("field", name[0], name.start(), name.end())
    if "ields" in text:
        for match in _KEYED_LIST.finditer(text):
            for name in _NAME.finditer(text, *match.span("list")):
                if name[0] not in {"null", "n"}:
                    yield Part("field", name[0], name.start(), name.end())
    if "Field(s)" in text:
        for match in _CRM_LIST.finditer(text):
            yield from _listed(text, *match.span("list"))


def _listed(text: str, start: int, end: int) -> Iterator[Part]:
    """The names in a comma-separated list."""
    while start <= end:
        comma = text.find(",", start, end)
        stop = end if comma < 0 else comma
        part = _trimmed("field", text, start, stop)
        if part.text and (part.text[0].isalpha() or part.text[0] == "_") and len(part.text) <= 80:
            yield part
        start = stop + 1


def _custom_fields(text: str) -> Iterator[Part]:
    if "__c" in text.lower():
        for match in _CUSTOM_FIELD.finditer(text):
            if _BEFORE_OBJECT.search(text, max(0, match.start() - 12), match.start()) is None:
                yield Part("field", match[0], match.start(), match.end())


def _prose(text: str) -> Iterator[Part]:
    for pattern in _PROSE:
        for match in pattern.finditer(text):
            yield _part("field", match, "field")
