"""Fields, values and external ids in one statement.

What counts, and where it is looked for:

- A field stands as the platform prints it: the label before `: bad value for restricted picklist field`, the API
  name in the list at the end (`[Name, Close_Date__c]`), both where both are there, in order of appearance. Labels
  in free text count only where the sentence says that it is a field (`in the account name field`, `selected in
  Preferred Email`, `must have a Bundle Starting Rate`, `Close Date is required`).
- A value is what was refused: after `picklist field:`, in `contains EP, which isn't`, the id of a wrong type (which
  is a record id as well). A duplicate's id is a record id, not a value. `<unknown>`, `[]` and `…` are nothing.
- The value of `Foreign key external ID: ... not found` is an external id, not a value.
- A name that ends in `__c` is a field unless the words before say that it is an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from syncerr_tui.diagnosis.codes import find_codes
from syncerr_tui.diagnosis.ids import is_id


class Part(NamedTuple):
    """A found part of a statement: kind as in `Span.kind`, the text, and where it stands."""

    kind: str
    text: str
    start: int
    end: int


# Codes whose text is about one field: `CODE, Label: what is wrong: value: [API_Name]`, in the user's language.
_FIELD_CODES = frozenset(
    """
    FIELD_INTEGRITY_EXCEPTION INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST INVALID_CROSS_REFERENCE_KEY STRING_TOO_LONG
    NUMBER_OUTSIDE_VALID_RANGE INVALID_EMAIL_ADDRESS MALFORMED_ID INVALID_TYPE_ON_FIELD_IN_RECORD DATE_OUT_OF_RANGE
    INVALID_ID_FIELD FIELD_FILTER_VALIDATION_EXCEPTION INVALID_CROSS_REFERENCE_TYPE_FOR_FIELD
    """.split(),
)
_CODE_SEPARATOR = re.compile(r"\s?[,:]\s*")
_LABEL_AND_TEXT = re.compile(
    r"(?P<field>[^\W\d_][^:\n\[\]\"“”]{1,45}): (?P<text>[^\W\dA-Z_][^\n\[\]:]{3,160})(?P<sep>: )?",
)
_NOT_A_FAULT = re.compile(r"execution of|maximum trigger|\S+\Z")
_LABELLED = re.compile(
    r":\s(?P<what>bad value for restricted picklist field|id value of incorrect type|invalid email address|"
    r"data value too large|value outside of valid range on numeric field|value not of required type|"
    r"this ID value isn['’]t valid for the user|"
    r"(?P<bare>owner cannot be blank|cannot be blank|invalid cross reference id|invalid id))(?P<sep>:? ?)",
    re.IGNORECASE,
)
_PLAIN_PICKLIST = re.compile(r"bad value for restricted picklist field: ?")
# Where the platform's own words end and somebody else's begin.
_STOP = re.compile(
    r":\s?\[|\s\[\w+\]\s*\Z|\n|\.\.? ?(?:You can look up|For details, see|Error ID)|"
    r"[,;] (?:RecordId|errorCode|statusCode|fields)\b|\s\((?:StatusCode|max length)|\s\(?[A-Z]{3,40}(?:_[A-Z]{2,40})+\)?[.:]?\s*\Z|"
    r":[\w, ]{0,200} ?--|[ .]\(?(?:Class|Trigger)\.[A-Za-z]|\s*\((?:[a-z]\w{0,14}|System Code)\)\s*\Z|\"[,}]",
)
_API = re.compile(r"[A-Za-z]\w{0,100}(?:\.[A-Za-z]\w{0,100})?")
_FIELD_LIST = re.compile(r"\[(?P<list>[^\[\]{}\"“”<>\n]{1,400})\](?!\(http)")
_LABEL_OF_LIST = re.compile(r": (?P<field>[^\W\d_][^:\n\[\]]{1,45}): \Z")
_BULK_LIST = re.compile(r":(?P<list>[A-Za-z][\w,. ]{0,400}?) ?--(?=\s*(?:\Z|\n|\"|,))")
_KEYED_LIST = re.compile(
    r"(?<![A-Za-z])(?:[\"'“”\\]{0,8}fields[\"'“”\\]{0,8}|getFields)\s{0,2}(?:=>|[:=])\s{0,2}['\"\\]{0,4}"
    r"[\[({](?P<list>[^\]){}\n:;]{1,400})",
)
_CRM_LIST = re.compile(r"Field\(s\): ?(?P<list>[^\n:;]{1,300}?)(?=, [A-Z][\w ]{1,30}:|[;.\n]|\Z)")
_CONTAINS = re.compile(
    r"[Tt]he (?P<field>[^\n.:]{1,80}?) field contains (?P<value>[^\n]{1,200}?), which (?:isn|is no)[’']?t",
)
_FOREIGN_KEY = re.compile(
    r"Foreign key external ID: (?P<id>[^\n]{1,255}?) not found(?: for field (?P<field>[\w.]{1,100}))?",
)
_NAMED_LISTS = (
    (
        "duplicates value",
        re.compile(r"duplicate value found: (?P<list>[^:\n]{1,300}?) duplicates value on record"),
    ),
    ("equired", re.compile(r"[Rr]equired fields? (?:(?:are|is) )?missing: (?P<list>[^\[\]\n.:]{1,300})")),
    ("/update fields", re.compile(r"create/update fields: (?P<list>[^\n]{1,400}?)\.(?: |\Z)")),
    ("value for field", re.compile(r"value for field: (?P<list>[^\n:,.\[\]]{1,80})")),
    ("alid ", re.compile(r"the list of valid (?:states|countries)\.: (?P<list>[^\n:\[\],.]{1,80})")),
    ("ntegrity", re.compile(r"field integrity exception: (?P<list>[A-Za-z]\w{1,80}) \(")),
    ("xternal", re.compile(r"external ID field does not exist or is not accessible: (?P<list>\w{1,80})")),
    ("does not match", re.compile(r"Field name provided, (?P<list>[\w.]{1,100}) does not match")),
    (
        "Cannot specify both",
        re.compile(
            r"Cannot specify both an external ID reference (?P<list>\w{1,100} and a salesforce id, \w{1,100})",
        ),
    ),
    ("o such column", re.compile(r"[Nn]o such column '?(?P<list>[\w.]{1,100})'?")),
    ("nvalid field ", re.compile(r"[Ii]nvalid field (?:name )?'?(?P<list>[\w.]{1,100})'? (?:for|on) ")),
)
_NAMED_VALUES = (
    ("field prefix", re.compile(r"recognize the field prefix (?P<value>[\w.]{1,100})")),
    ("inactive user", re.compile(r"inactive user \[(?P<value>[^\[\]\n]{1,100})\]")),
    ("nvalid id: ", re.compile(r"Invalid id: (?P<value>[^\n:\[\]()]{1,80})")),
    (
        "address",
        re.compile(
            r"(?:[Ii]nvalid (?:\w{1,12} )?address|address is invalid) ?: ?(?P<value>[^\s:,\[\]]{3,100})"
        ),
    ),
    ("state value", re.compile(r"the state value [\"“'](?P<value>[^\n\"”']{1,80})[\"”']")),
)
_CUSTOM_FIELD = re.compile(
    r"(?<![\w.])(?:[A-Za-z]\w{0,100}\.)?(?P<field>[A-Za-z]\w{0,100}__[cC])(?![\w.])(?! trigger)"
)
_BEFORE_OBJECT = re.compile(
    r"(?:entity|object|sobject|of type|type|on|sobjects/|from)[ '\"]{0,3}\Z", re.IGNORECASE
)
_PROSE = tuple(
    re.compile(pattern)
    for pattern in (
        r"field you selected in (?P<field>[A-Z][\w/&-]{0,40}(?: [A-Z][\w/&-]{0,40}){0,5})",
        r"selected for (?P<field>[A-Z][\w/&-]{0,40}(?: [A-Z][\w/&-]{0,40}){0,5}) (?:can[’']t|cannot|must)",
        r"in the (?P<field>[a-z][a-z ]{2,40}?|[A-Z][\w /]{1,60}?) field\b",
        r"[Tt]he (?P<field>[A-Z][\w/]{1,40}(?: [A-Z][\w/]{0,40}){0,5}) field\b",
        r"must have an? (?P<field>[A-Z][\w/&-]{0,40}(?: [A-Z][\w/&-]{0,40}){1,5})",
        r"[Pp]lease (?:enter|provide|fill in|specify|populate|select|choose) (?:an? |the |a valid )?"
        r"(?P<field>[A-Z][\w/&-]{0,40}(?: [A-Z][\w/&-]{0,40}){0,5})",
    )
)
_REQUIRED = re.compile(
    r" (?:is|are) (?:a )?(?:required|mandatory)\b| (?:can[’']t|cannot|must not) be (?:blank|empty|null)\b"
)
_LABEL_BEFORE = re.compile(
    r"(?:\A|[\s,.:])(?P<field>[A-Z][\w/&-]*(?: (?:[A-Z][\w/&-]*|of|and|or|to|\d+))*)\Z"
)
_BORDER = re.compile(r"[,;\n\"“”\[\]]\s*|\. |: ")
_NOT_LABELS = frozenset(
    "message,error,errors,errormessage,crm errormessage,first error,exception,field(s),fields,warning,null,it,this,"
    "that,role,he,she,they,we,you,which,what,value,details,flow,response,status,result".split(","),
)
_MANY = 200
_NOTHING = frozenset({"<unknown>", "null", "…", "...", "[]", ""})


def find_details(text: str, root: str | None = None) -> list[Part]:
    """Fields, values and external ids in a statement, in order of appearance; a part may appear more than once.

    Args:
        text: One statement, unwrapped.
        root: The code the statement is about, where it is known from elsewhere.
    """
    found = [*_labelled(text), *_after_code(text, root), *_sentences(text), *_lists(text)]
    found += [*_custom_fields(text), *_prose(text)]
    found.sort(key=lambda part: part.start)
    return [
        part
        for part in found
        if part.text not in _NOTHING and (part.kind != "field" or part.text != "unknown")
    ]


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
    told: set[int] = set()
    for match in islice(_LABELLED.finditer(text), _MANY):
        told.add(match.end())
        label = _label_before(text, match.start())
        if label is not None:
            yield label
        if match["bare"] is None and match["sep"].strip():
            yield _value_from(text, match.end(), keep_dot="email" in match["what"])
    if "bad value" in text:
        for match in islice(_PLAIN_PICKLIST.finditer(text), _MANY):
            if match.end() not in told:
                yield _value_from(text, match.end())


def _label_before(text: str, end: int) -> Part | None:
    start = max(0, end - 80)
    borders = list(_BORDER.finditer(text, start, end))
    if borders:
        start = borders[-1].end()
    elif start:
        return None
    part = _trimmed("field", text, start, end)
    return part if _is_label(part.text) else None


def _is_label(text: str) -> bool:
    plain = text.casefold()
    if (
        not text
        or plain in _NOT_LABELS
        or plain.startswith("error ")
        or plain.endswith(("error", "exception"))
    ):
        return False
    return not (text.isupper() and "_" in text)


def _value_from(text: str, start: int, *, keep_dot: bool = False) -> Part:
    stop = _STOP.search(text, start, start + 400)
    end = stop.start() if stop else min(len(text), start + 400)
    part = _trimmed("value", text, start, end)
    if part.text.endswith("]") and "[" not in part.text:
        part = _trimmed("value", text, part.start, part.end - 1)
    if part.text.endswith(".") and not keep_dot:
        part = _trimmed("value", text, part.start, part.end - 1)
    return part


def _after_code(text: str, root: str | None) -> Iterator[Part]:
    """`CODE, Label: what is wrong: value: [API_Name]` in any language, for codes that are about one field."""
    last = None
    for last in find_codes(text):
        pass
    if last is not None:
        separator = _CODE_SEPARATOR.match(text, last.end())
        if last[0] not in _FIELD_CODES or separator is None:
            return
        start = separator.end()
    elif root in _FIELD_CODES:
        start = 0
    else:
        return
    match = _LABEL_AND_TEXT.match(text, start)
    if match is None or _NOT_A_FAULT.match(match["text"]) or match["field"] == "Foreign key external ID":
        return
    if len(match["field"].split()) <= 6 and _is_label(match["field"]) and match["field"][0].isupper():
        yield _part("field", match, "field")
        if match["sep"] and not text.startswith("[", match.end()):
            yield _value_from(text, match.end())


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
    for clue, pattern in _NAMED_LISTS:
        if clue in text:
            for match in pattern.finditer(text):
                yield from _listed(text, *match.span("list"))
    for clue, pattern in _NAMED_VALUES:
        if clue in text:
            for match in pattern.finditer(text):
                yield _part("value", match, "value")


def _lists(text: str) -> Iterator[Part]:
    """`[Name, Close_Date__c]`, `:Name --` and `fields: ...`."""
    if "[" in text:
        for match in _FIELD_LIST.finditer(text):
            before = text[max(0, match.start() - 12) : match.start()].rstrip()
            if before.endswith((":", "for", "missing")):
                yield from _label_of_list(text, match)
                yield from _listed(text, *match.span("list"))
    if "--" in text:
        for match in _BULK_LIST.finditer(text):
            yield from _names(text, *match.span("list"))
    if "ields" in text:
        for match in _KEYED_LIST.finditer(text):
            yield from _names(text, *match.span("list"))
    if "Field(s)" in text:
        for match in _CRM_LIST.finditer(text):
            yield from _listed(text, *match.span("list"))


def _label_of_list(text: str, match: re.Match[str]) -> Iterator[Part]:
    """The label in `...: Billing Country: [BillingCountry]`: there it says the same as the API name."""
    label = _LABEL_OF_LIST.search(text, max(0, match.start() - 52), match.start())
    if label is None:
        return
    plain = "".join(filter(str.isalnum, label["field"])).lower()
    name = match["list"].lower().removesuffix("__c").rpartition("__")[2].replace("_", "")
    if len(name) >= 3 and (plain.startswith(name) or name.startswith(plain)):
        yield _part("field", label, "field")


def _names(text: str, start: int, end: int) -> Iterator[Part]:
    """API names, whatever stands between them."""
    for name in _API.finditer(text, start, end):
        if name[0] not in {"null", "n"} and not is_id(name[0]):
            yield Part("field", name[0], name.start(), name.end())


def _listed(text: str, start: int, end: int) -> Iterator[Part]:
    """The names in a list with commas; what has an @ in it is the value that was refused."""
    while start <= end:
        comma = text.find(",", start, end)
        stop = end if comma < 0 else comma
        part = _trimmed("field", text, start, stop)
        if "@" in part.text:
            yield part._replace(kind="value")
        elif " and a salesforce id" in part.text:
            yield _trimmed("field", text, part.start, part.start + part.text.index(" "))
        elif part.text and (part.text[0].isalpha() or part.text[0] == "_") and len(part.text) <= 80:
            yield part
        start = stop + 1


def _custom_fields(text: str) -> Iterator[Part]:
    if "__c" in text or "__C" in text:
        for match in _CUSTOM_FIELD.finditer(text):
            if _BEFORE_OBJECT.search(text, max(0, match.start() - 12), match.start()) is None:
                yield _part("field", match, "field")


def _prose(text: str) -> Iterator[Part]:
    """Labels in the sentences that validation rules are made of."""
    for pattern in _PROSE:
        for match in pattern.finditer(text):
            yield _part("field", match, "field")
    for match in _REQUIRED.finditer(text):
        label = _LABEL_BEFORE.search(text, max(0, match.start() - 60), match.start())
        if label and _is_label(label["field"]):
            yield _part("field", label, "field")
