"""Lists of field names: `[Name, Close_Date__c]`, `:Name --` (Bulk API), `"fields":[...]`, `Field(s): ...`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from syncerr_tui.diagnosis.field_names import bare_field
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
# `Field(s): Name, CRM ErrorMessage: ...` of an integration, in its user's language: `Feld(er)`, `Campo/i`.
_CRM_LIST = re.compile(
    r"\b(?:F|Ch|C)[a-z]{3,5}(?:\([a-z]{1,3}\)|/[a-z]|os) ?: ?(?P<list>[^\n:;]{1,300}?)"
    r"(?=, [^\W\d_][\w '’-]{1,40} ?:|[;.\n]|\Z)"
)


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
    if "CRM" in text:
        for match in matches(_CRM_LIST, text):
            yield from listed(text, *match.span("list"))


_ASKS_FOR = re.compile(
    r"\b(?:enter|provide|fill in|specify|select|choose|populate|set|add|supply) "
    r"(?:an? |the |its |valid |your ){0,3}(?P<words>\w{2,40}(?:[ -]\w{1,40}){1,7})",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def find_labels_of(text: str, names: Iterable[Part]) -> Iterator[Part]:
    """Where a sentence asks for a listed field by its label: `Enter a close date.: [CloseDate]`.

    Names of one word are left alone: `Name` and `Type` stand in sentences for much else.
    """
    wanted = {bare_field(name.text) for name in names}
    for match in matches(_ASKS_FOR, text) if wanted else ():
        spelled = ""
        for number, word in enumerate(_WORD.finditer(text, *match.span("words"))):
            spelled += word[0].casefold()
            if number and spelled in wanted:
                start = match.start("words")
                yield Part("field", text[start : word.end()], start, word.end())


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
        elif is_id(name.text):
            pass  # `external id field: [001..., 001...]` lists records
        elif name.text and name.text[0].isalpha() and ":" not in name.text and len(name.text) <= 80:
            yield name
        start = stop + 1
