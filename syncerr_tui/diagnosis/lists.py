"""Lists of field names: `[Name, Close_Date__c]`, `:Name --` (Bulk API), `"fields":[...]`, `Field(s): ...`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from syncerr_tui.diagnosis.ids import is_id
from syncerr_tui.diagnosis.parts import Part, matches, part, trimmed

_API = re.compile(r"[A-Za-z]\w{0,100}(?:\.[A-Za-z]\w{0,100})?")
_FIELD_LIST = re.compile(r"\[(?P<list>[^\[\]{}\"“”<>\n]{1,400})\](?!\(http)")
_LABEL_OF_LIST = re.compile(r": (?P<field>[^\W\d_][^:\n\[\]]{1,45}): \Z")
_BULK_LIST = re.compile(r":(?P<list>[A-Za-z][\w,. ]{0,400}?) ?--(?=\s*(?:\Z|\n|\"|,))")
_KEYED_LIST = re.compile(
    r"(?<![A-Za-z])(?:[\"'“”\\]{0,8}fields[\"'“”\\]{0,8}|getFields)\s{0,2}(?:=>|[:=])\s{0,2}['\"\\]{0,4}"
    r"[\[({](?P<list>[^\]){}\n:;]{1,400})",
)
_ENCLOSED_LIST = re.compile(
    r" \((?P<list>[A-Z][a-z]\w{0,60}(?:[A-Z]|__c)\w{0,60}(?:, [A-Z]\w{0,100}){0,20})\)\s*\Z"
)
_CRM_LIST = re.compile(r"Field\(s\): ?(?P<list>[^\n:;]{1,300}?)(?=, [A-Z][\w ]{1,30}:|[;.\n]|\Z)")


def find_lists(text: str) -> Iterator[Part]:
    """`[Name, Close_Date__c]`, `:Name --` and `fields: ...`."""
    if "[" in text:
        for match in matches(_FIELD_LIST, text):
            before = text[max(0, match.start() - 12) : match.start()].rstrip()
            if before.endswith("[") and text[match.end() :].strip() == "]":
                before = before[:-1].rstrip()
            if before.endswith((":", "for", "missing")):
                yield from _label_of_list(text, match)
                yield from listed(text, *match.span("list"))
    last = _ENCLOSED_LIST.match(text, max(0, text.rfind(" (")))
    if last:
        yield from _names(text, *last.span("list"))
    if "--" in text:
        for match in matches(_BULK_LIST, text):
            yield from _names(text, *match.span("list"))
    if "ields" in text:
        for match in matches(_KEYED_LIST, text):
            yield from _names(text, *match.span("list"))
    if "Field(s)" in text:
        for match in matches(_CRM_LIST, text):
            yield from listed(text, *match.span("list"))


def _label_of_list(text: str, match: re.Match[str]) -> Iterator[Part]:
    """The label in `...: Billing Country: [BillingCountry]`: there it says the same as the API name."""
    label = _LABEL_OF_LIST.search(text, max(0, match.start() - 52), match.start())
    if label is None:
        return
    plain = "".join(filter(str.isalnum, label["field"])).lower()
    name = match["list"].lower().removesuffix("__c").rpartition("__")[2].replace("_", "")
    if len(name) >= 3 and (plain.startswith(name) or name.startswith(plain)):
        yield part("field", label, "field")


def _names(text: str, start: int, end: int) -> Iterator[Part]:
    """API names, whatever stands between them."""
    for name in _API.finditer(text, start, end):
        if name[0] not in {"null", "n"} and not is_id(name[0]):
            yield Part("field", name[0], name.start(), name.end())


def listed(text: str, start: int, end: int) -> Iterator[Part]:
    """The names in a list with commas; what has an @ in it is the value that was refused."""
    while start <= end:
        comma = text.find(",", start, end)
        stop = end if comma < 0 else comma
        name = trimmed("field", text, start, stop)
        if "@" in name.text:
            yield name._replace(kind="value")
        elif name.text and name.text[0].isalpha() and ":" not in name.text and len(name.text) <= 80:
            yield name
        start = stop + 1
