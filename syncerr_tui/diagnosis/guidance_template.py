"""The catalogue's tiny template language, and what of a diagnosis its blanks are filled with.

- `{flow}` is a blank. It is filled with a name, marked as such: `**Order Builder**`.
- `[[the Flow {flow}|a Flow]]` offers alternatives: the first whose blanks are all known is taken;
  none fits: nothing stands there.
- `{!flow}` stands for nothing, and is known only where `{flow}` is not.
- A blank whose name ends in `_word` is one of our own words (`field` or `fields`) and is not marked.
- A text with an unknown blank outside of alternatives is not said at all.

Filled-in text is data. It is inserted once and never read as a template again, and what could be
mistaken for the marks of a name is replaced by look-alikes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from syncerr_tui.diagnosis import links
from syncerr_tui.diagnosis.codes import APEX, FLOW_TRIGGER, UNKNOWN, WRAPPERS
from syncerr_tui.diagnosis.identifiers import api_name, merge_fields, object_of
from syncerr_tui.diagnosis.model import Automation, Failure
from syncerr_tui.diagnosis.summary import end_of_root, innermost
from syncerr_tui.text import one_line

LONGEST_NAME = 160
"""A name longer than this is cut with an ellipsis: guidance is to be read, not scrolled."""

_CHOICE = re.compile(r"\[\[(.*?)\]\]")
_BLANK = re.compile(r"\{(!?[a-z_]+)\}")
_STARS = re.compile(r"\*{2,}|^\*+|\*+$")
_NAME = re.compile(r"\*\*(.+?)\*\*")


def fill(template: str, blanks: Mapping[str, tuple[str, ...]]) -> str | None:
    """Fill a template.

    Args:
        template: Text of the catalogue.
        blanks: What is known; a blank with several values becomes a list ("A, B and C").

    Returns:
        The sentence with names between `**`; None where a blank it cannot do without is unknown.
    """
    parts: list[str] = []
    position = 0
    for choice in _CHOICE.finditer(template):
        plain = _filled(template[position : choice.start()], blanks)
        if plain is None:
            return None
        parts += [plain, _choose(choice[1], blanks)]
        position = choice.end()
    rest = _filled(template[position:], blanks)
    return None if rest is None else "".join([*parts, rest])


def marked_name(value: str) -> str:
    """One value as a marked name, on one line, never longer than `LONGEST_NAME`."""
    text: str = one_line(value)
    if len(text) > LONGEST_NAME:
        text = f"{text[: LONGEST_NAME - 1].rstrip()}…"
    return f"**{_STARS.sub(lambda match: '∗' * len(match[0]), text)}**"


def names(text: str) -> Iterator[tuple[str, bool]]:
    """Split a filled text into pieces: (piece, is it a name)."""
    position = 0
    for match in _NAME.finditer(text):
        if match.start() > position:
            yield text[position : match.start()], False
        yield match[1], True
        position = match.end()
    if position < len(text):
        yield text[position:], False


def plain(text: str) -> str:
    """A filled text without the marks around its names."""
    return "".join(piece for piece, _ in names(text))


def _choose(alternatives: str, blanks: Mapping[str, tuple[str, ...]]) -> str:
    for alternative in alternatives.split("|"):
        text = _filled(alternative, blanks)
        if text is not None:
            return text
    return ""


def _filled(text: str, blanks: Mapping[str, tuple[str, ...]]) -> str | None:
    for blank in _BLANK.findall(text):
        if bool(blanks.get(blank.lstrip("!"))) is blank.startswith("!"):
            return None
    return _BLANK.sub(lambda match: _listed(match[1], blanks.get(match[1], ())), text)


def _listed(blank: str, values: tuple[str, ...]) -> str:
    if blank.endswith("_word"):
        return values[0]
    marked = [marked_name(value) for value in values]
    if len(marked) < 2:
        return "".join(marked)
    return f"{', '.join(marked[:-1])} and {marked[-1]}"


Blanks = dict[str, tuple[str, ...]]

# In these codes an object named in the message is the one that was refused, whatever row it stands in.
_OBJECT_IN_TEXT = frozenset(
    {"DUPLICATES_DETECTED", "REQUIRED_FIELD_MISSING", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"}
)
# Their text is about one field: the label in front, and its API name at the end.
_ABOUT_ONE_FIELD = frozenset(
    {
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "STRING_TOO_LONG",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "MALFORMED_ID",
        "INVALID_EMAIL_ADDRESS",
    }
)
_LONGEST_WORDS = 2000
# Ids that are no records of the business: organisation, profiles, flows, classes and the like.
_NOT_A_RECORD = frozenset({"00D", "00e", "00E", "00X", "01p", "01q", "300", "301", "03d", "0Bm", "00N"})


@dataclass(frozen=True, slots=True)
class Facts:
    """A diagnosis as the catalogue needs it."""

    blanks: Blanks
    target: str | None
    """API name of the object whose save was refused, where that is certain."""
    nested: bool
    """The root stands inside of a Flow or Apex."""
    own_object: str | None = None
    """The object of the record, where the record is the one that failed to sync."""


def facts_of(diagnosis: Failure, object_name: str | None = None, salesforce_id: str | None = None) -> Facts:
    """Everything known that a template may mention.

    Args:
        diagnosis: What was read out of the message.
        object_name: API name of the object that failed to sync.
        salesforce_id: Id of the record that failed to sync, where Salesforce has it already.
    """
    nested = is_nested(diagnosis)
    record = _record(diagnosis)
    refused = None if _named_object(diagnosis) else object_name
    own = refused if refused and not nested else None
    # The message's own record says more than the row's, and a wrapped root is about another record.
    own_record = links.full_id(salesforce_id or "") and salesforce_id if own and record is None else None
    target = _target(diagnosis, own, record)
    blanks: Blanks = {
        **_automation(diagnosis.automation),
        **_fields_and_values(diagnosis),
        "failing": _known(object_name),
        **_objects(diagnosis, refused, own, target),
        **_ids(diagnosis, record or own_record, salesforce_id),
        "other_record": _known(record),  # a duplicate, or what it refers to: never the row itself
        "limit": _known(diagnosis.limit),
        "error_id": _known(diagnosis.error_id),
        "said": _known(_quoted_reason(diagnosis, nested=nested)),
    }
    return Facts(blanks, target, nested, own if own_record else None)


def _known(text: str | None) -> tuple[str, ...]:
    return (text,) if text else ()


def _number(word: str, things: tuple[str, ...]) -> tuple[str, ...]:
    return (word if len(things) == 1 else f"{word}s",) if things else ()


def _fields_and_values(diagnosis: Failure) -> Blanks:
    fields = merge_fields(diagnosis.fields)
    if diagnosis.root_code in _ABOUT_ONE_FIELD and len(fields) == 2 and fields[1].isidentifier():
        fields = (f"{fields[0]} ({fields[1]})",)  # the label, and the API name in brackets at the end
    only = diagnosis.fields if len(fields) == 1 else ()
    return {
        "fields": fields,
        "field": fields if len(fields) == 1 else (),
        "standard_fields": fields if len(fields) > 1 and all(map(_STANDARD_FIELD.match, fields)) else (),
        "standard_field": _first(name for name in only if _STANDARD_FIELD.match(name)),
        "custom_field": _first(name for name in only if "__" in name),
        "field_word": _number("field", fields),
        "fields_word": _number("Field", fields),
        "values_word": _number("Value", diagnosis.values),
        "values": diagnosis.values,
        "value_id": _first(value for value in diagnosis.values if links.full_id(value)),
        "place_word": _place_word(diagnosis),
    }


def _objects(diagnosis: Failure, refused: str | None, own: str | None, target: str | None) -> Blanks:
    named = diagnosis.objects
    parent = diagnosis.root_code == "INVALID_FIELD" and bool(diagnosis.external_ids)
    return {
        "object": _known(target if target != own else own) or (() if parent else named[:1]),
        "object_said": named[:1] or _known(own),
        "other_object": _first(name for name in named if name != refused),
        "parent": named[:1] if diagnosis.root_code == "INVALID_FIELD" else (),
    }


def _ids(diagnosis: Failure, record: str | None, salesforce_id: str | None) -> Blanks:
    ids = diagnosis.record_ids
    return {
        "user": _first(i for i in ids if i.startswith("005") and links.full_id(i)),
        "flow_version": _first(record_id for record_id in ids if record_id.startswith("301")),
        "record": _known(record),
        "records": ids,
        "contact": _first(i for i in (*ids, salesforce_id or "") if i.startswith("003") and links.full_id(i)),
        "external_id": diagnosis.external_ids[:1],
        "id_word": (_id_word(diagnosis),),
    }


def _id_word(diagnosis: Failure) -> str:
    """What the parent was looked for by: any field but the package's own holds other ids."""
    field = diagnosis.fields[0] if diagnosis.external_ids and len(diagnosis.fields) == 1 else ""
    return field if _API.fullmatch(field) and not field.lower().startswith("s_c__") else "StoreConnect ID"


def is_nested(diagnosis: Failure) -> bool:
    """Whether the root was reached through a Flow or Apex that itself is not what to repair first."""
    root = diagnosis.root_code
    kinds = {automation.kind for automation in diagnosis.automation}
    if root is None or root in {FLOW_TRIGGER, UNKNOWN}:
        return False
    if root == APEX:
        return "flow" in kinds
    around = WRAPPERS.intersection((diagnosis.code or "", *diagnosis.codes))
    return bool(around or kinds & {"flow", "trigger", "class"})


def _first(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(next(([item] for item in texts), []))


def _automation(automation: tuple[Automation, ...]) -> Blanks:
    blanks: Blanks = {}
    for item in automation:
        kind = "element" if item.kind == "flow_element" else item.kind
        blanks[kind] = (item.full_name,)
        if item.namespace:
            blanks["namespace"] = (item.namespace,)
        if item.kind == "trigger" and item.name.startswith("dlrs_"):
            blanks["dlrs"] = ("dlrs_",)
    return blanks


_API = re.compile(r"[A-Za-z][\w.]{0,100}", re.ASCII)
# Written like an API name without `__c`. One word alone may be a label, perhaps in another language.
_STANDARD_FIELD = re.compile(
    r"(?:Name|Company|Subject|StageName|[A-Z][a-z]+\d?(?:[A-Z][a-z]+)+|"
    r"(?:Account|Campaign|Last|Opportunity|Product) Name)\Z"
)
_PLACE = re.compile(r"(?:Billing|Shipping|Mailing|Other|Person\w{0,9})? ?(State|Country)(?: ?Code|/\w+)?\Z")
_PLACE_WORDS = re.compile(r"\b(country|state)\b", re.IGNORECASE)


def _place_word(diagnosis: Failure) -> tuple[str, ...]:
    """`state` or `country`, where a field of an address is meant."""
    for field in diagnosis.fields:
        match = _PLACE.match(field)
        if match:
            return (match[1].lower(),)
    place = (
        _PLACE_WORDS.search(diagnosis.text[:_LONGEST_WORDS])
        if "address list" in diagnosis.sentence_kinds
        else None
    )
    return (place[1].lower(),) if place else ()


def _record(diagnosis: Failure) -> str | None:
    """The record that the root is about: the first id behind its code, else the last one before it."""
    users = {"005"} if "inactive user" in diagnosis.sentence_kinds else set()
    ids = [record_id for record_id in diagnosis.record_ids if record_id[:3] not in _NOT_A_RECORD | users]
    if not ids:
        return None
    end = end_of_root(diagnosis.text, diagnosis.root_code)
    if end is None:
        return ids[-1] if diagnosis.root_code == "DUPLICATE_VALUE" else ids[0]
    behind = [record_id for record_id in ids if diagnosis.text.find(record_id, end) >= 0]
    return behind[0] if behind else ids[-1]


def _named_object(diagnosis: Failure) -> bool:
    """Whether the message itself says which object was refused."""
    stated = diagnosis.root_code in _OBJECT_IN_TEXT or "field name" in diagnosis.sentence_kinds
    return stated and any(map(api_name, diagnosis.objects))


_ONLY_A_FRAME = re.compile(r"[\w.]{1,120}: [^\W\d_]{3,20} (?:[^\W\d_]{1,8} ){0,2}(?:Before|After)\w{5,10}")
"""`AccountTrigger: execution of BeforeUpdate`: says where, not why."""
_WRITTEN = re.compile(r"row \d{1,6} with id (?P<id>[0-9A-Za-z]{15,18})\b")
# `8025g00000Ty7WAAAZ:PricingTermCount is required`: the record itself, and so its object.
_RECORD_FIRST = re.compile(r"(?<!\w)(?P<id>[0-9A-Za-z]{15}(?:[0-9A-Z]{3})?):[A-Z]\w")


def _target(diagnosis: Failure, own: str | None, record: str | None) -> str | None:
    named = _RECORD_FIRST.search(diagnosis.text)
    if named and named["id"] in diagnosis.record_ids and object_of(named["id"]):
        return object_of(named["id"])
    written = [match["id"] for match in _WRITTEN.finditer(diagnosis.text)]
    if written and (name := object_of(written[-1])):
        return name
    if own:
        return api_name(own) or own
    if diagnosis.root_code == "FIELD_FILTER_VALIDATION_EXCEPTION":
        return None  # the filter is on the object that has the lookup, and its own words name the other one
    if diagnosis.root_code == "INVALID_FIELD" and diagnosis.external_ids:
        return object_of(record) if record else None  # the object that the message names is the parent
    for text in diagnosis.objects:
        spelt = api_name(text)
        if spelt:
            return spelt
    return object_of(record) if record else None


def _quoted_reason(diagnosis: Failure, *, nested: bool) -> str:
    """The words of whoever refused: the validation's text, the innermost reason of Apex."""
    reason = innermost(diagnosis.text, diagnosis.root_code)
    if reason.behind_code:
        if reason.rest.startswith(")") and not reason.rest.startswith(")\n"):
            return ""
    elif nested or reason.rest.lstrip().startswith(("{", "[{", "<")):
        return ""
    if diagnosis.root_code in WRAPPERS and not (reason.led_in or reason.behind_code):
        return ""
    if "<unknown>" in reason.words:
        return ""  # the platform's sentence with nothing in it
    words = (
        one_line(reason.words)
        .lstrip(")")
        .strip(" ,:;-\"'")
        .removesuffix("()")
        .removesuffix("[]")
        .rstrip(". 。")
    )
    for field in diagnosis.fields:
        # `Salesforce's sentence.: Username: [Username]`: the label is no part of the sentence.
        words = words.removesuffix(f": {field}").rstrip(". ")
    return "" if _ONLY_A_FRAME.fullmatch(words) else words
