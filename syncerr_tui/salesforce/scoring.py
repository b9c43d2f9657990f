"""How well a field fits a role: by its label, its API name, its type and what sample rows hold. Pure.

Points are an ordering, not a probability: a label that says exactly the role gives 50, the API name 40,
fitting values up to 60. What contradicts takes points away, so that one good word never beats plain evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple

from syncerr_tui.diagnosis.codes import known_codes
from syncerr_tui.salesforce.profiles import OPTIONAL, FieldRole
from syncerr_tui.salesforce.reading import status_values
from syncerr_tui.salesforce.soql import NOT_TEXT, to_18
from syncerr_tui.salesforce.vocabulary import (
    DECOY_WORDS,
    KNOWN_OBJECT,
    OBJECT_WORDS,
    REMEMBERED,
    ROLE_WORDS,
    Standing,
    bare,
    event_type_of,
    mentions,
    says_only_failed,
    standing_of,
    words,
)
from syncerr_tui.text import one_line
from syncerr_tui.words import plural

ACCEPT = 45
"""Points from which a field is taken for a role."""
MARGIN = 15
"""Points by which the best must lead the second, or a person is asked."""
PACKAGE = 20
"""Points of an object for being part of StoreConnect's package."""
FEW = 3
"""Values below this many prove nothing."""

_NEEDED = [role for role in FieldRole if role not in OPTIONAL and role is not FieldRole.PROCESSED_AT]
_SYSTEM = frozenset({
    "Id", "OwnerId", "IsDeleted", "Name", "CreatedDate", "CreatedById", "LastModifiedDate",
    "LastModifiedById", "SystemModstamp", "LastActivityDate", "LastViewedDate", "LastReferencedDate",
    "RecordTypeId", "CurrencyIsoCode", "UserRecordAccessId",
})  # fmt: skip
_PEOPLE = frozenset({"User", "Group", "Queue", "Profile", "RecordType", "Organization"})
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_CODE = re.compile(r"[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+")
_BEGINNING = 500
_SENTENCE = re.compile(r"\S+\s+\S+\s+\S+")

Describe = Mapping[str, Any]
Rows = tuple[Mapping[str, Any], ...]
Values = Sequence[tuple[str, str]]
"""Values of a field as (API value, label)."""
Evidence = tuple[int, str]
"""Points, and what they are for."""
Fits = Callable[[str], object]
Judge = Callable[["_Column"], list[Evidence]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A field that may have a role, and why."""

    name: str
    label: str
    type: str
    points: int
    reason: str
    """One harmless line: what speaks for it, and what against."""
    filterable: bool = True
    """The org takes it in the condition of a query."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An object of the org and what was read of it: grows while its fields are judged."""

    describe: Describe
    objects: Mapping[str, str]
    """Every object of the org: API name -> key prefix (may be empty)."""
    rows: Rows = ()
    """Records to judge by, failed ones as soon as they are known; each with every field that may matter."""
    others: Rows = ()
    """Records that did not fail: they count where failures are too much alike."""
    object_field: str | None = None
    """The field that names a row's object, once that is known."""
    statuses: Values = ()
    kinds: Values = ()
    """All values of the status, and of the event type, that are known."""
    notes: tuple[str, ...] = ()
    """What a person should know, one line each."""


class _Column(NamedTuple):
    """A field, and what the rows that its role is judged by hold in it."""

    field: Mapping[str, Any]
    kind: str
    length: int
    values: Sequence[object]
    texts: Sequence[str]
    listed: Values
    sample: Sample


def sampled_fields(describe: Describe) -> list[str]:
    """The fields a sample has to hold: every one that could have a role."""
    return [
        str(field["name"])
        for field in describe.get("fields", ())
        if any(possible(field, role) for role in FieldRole) and not field.get("compoundFieldName")
    ]


def shaped_like_it(describe: Describe) -> bool:
    """Whether an object's types leave room for all it takes to be a list of failed changes."""
    fields = describe.get("fields", ())
    fit = {role: {field["name"] for field in fields if possible(field, role)} for role in _NEEDED}
    return all(fit.values()) and len(set().union(*fit.values())) >= len(_NEEDED)


def possible(field: Mapping[str, Any], role: FieldRole) -> bool:
    """Whether a field's type lets it have the role at all."""
    kind, length, rule = field.get("type"), int(field.get("length") or 0), ROLES[role]
    if field.get("name") in _SYSTEM or field.get("deprecatedAndHidden") or kind not in rule.types:
        return False
    if kind == "reference":
        return not set(field.get("referenceTo") or ("User",)) <= _PEOPLE
    return kind == "textarea" or length == 0 or length >= rule.shortest


def candidates(sample: Sample, role: FieldRole) -> list[Candidate]:
    """Every field that may have the role, best first."""
    fields = sample.describe.get("fields", ())
    judged = [_judge(field, role, sample) for field in fields if possible(field, role)]
    return sorted(judged, key=lambda one: (-one.points, one.name))


def _judge(field: Mapping[str, Any], role: FieldRole, sample: Sample) -> Candidate:
    name, label, rule = str(field["name"]), one_line(str(field.get("label") or field["name"])), ROLES[role]
    rows = (*sample.rows, *sample.others) if rule.of_every_row else sample.rows
    values = [row.get(name) for row in rows]
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    kind, length = str(field.get("type")), int(field.get("length") or 0)
    column = _Column(field, kind, length, values, texts, picklist(field), sample)
    named = (_named(role, words(label), 50, "label"), _named(role, words(bare(name)), 40, "API name"))
    reasons = [*filter(None, named), *(reason for judge in rule.judges for reason in judge(column))]
    points = sum(value for value, _ in reasons)
    by_weight = sorted(reasons, key=lambda one: -abs(one[0]))
    reason = ", ".join(f"{text} {value:+d}" for value, text in by_weight if value) or "nothing speaks for it"
    return Candidate(name, label, kind, points, reason, field.get("filterable") is not False)


@REMEMBERED
def _named(role: FieldRole, tokens: tuple[str, ...], most: int, where: str) -> Evidence | None:
    covered = mentions(tokens, ROLE_WORDS[role])
    against = mentions(tokens, DECOY_WORDS[role])
    if covered == 100:
        return most, f"{where} says it"
    points = round(most * (0.3 + 0.5 * covered / 100)) if covered else 0
    if against:
        points -= round(most * (0.3 + 0.5 * against / 100))
    if not points:
        return None
    return points, f"{where} {'hints at it' if points > 0 else 'says something else'}"


def picklist(field: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A picklist's values as (API value, label), inactive ones too: old rows still hold them."""
    return [
        (str(value.get("value")), str(value.get("label") or value.get("value")))
        for value in field.get("picklistValues") or ()
        if isinstance(value, Mapping) and value.get("value")
    ]


def _share(texts: Sequence[str], fits: Fits) -> float | None:
    return sum(map(bool, map(fits, texts))) / len(texts) if texts else None


def _evidence(texts: Sequence[str], fits: Fits, what: str) -> list[Evidence]:
    share = _share(texts, fits)
    if share is None:
        return []
    if share >= 0.9:
        return [(60 if len(texts) >= FEW else 35, f"holds {what}")]
    if share >= 0.5:
        return [(30, f"holds mostly {what}")]
    return [(-40 if len(texts) >= FEW else -15, f"holds no {what}")] if share < 0.1 else []


def _objects(column: _Column) -> list[Evidence]:
    known = {name.casefold() for name in column.sample.objects}

    def is_known(value: str) -> bool:
        return value.casefold() in known

    listed = _share([name for name, _ in column.listed], is_known)
    if listed is not None and listed >= 0.5:
        return [(60, "its values are objects of this org")]
    return _evidence(column.texts, is_known, "objects of this org")


def _kinds(column: _Column) -> list[Evidence]:
    spoken = column.listed or [(text, text) for text in dict.fromkeys(column.texts)]
    if not spoken:
        return []
    event_types = [event_type_of(*pair) for pair in spoken]
    kinds = {kind for kind in event_types if kind}
    share = sum(1 for kind in event_types if kind) / len(event_types)
    if len(kinds) >= 2 and share >= 0.5 and len(spoken) <= 20:
        return [(60, "its values are Create, Update, Delete or the like")]
    if kinds and share >= 0.9 and len(spoken) <= 5:
        return [(30, f"its values mean {', '.join(sorted(kinds))}")]
    return [(-50, "its values are not kinds of change")] if not kinds and len(spoken) >= 2 else []


def _standings(column: _Column) -> list[Evidence]:
    if column.kind == "boolean":
        names = bare(str(column.field["name"])), str(column.field.get("label") or "")
        if standing_of(*names) is Standing.FAILED and says_only_failed(*names):
            return [(50, "a checkbox that says failed")]
        return [(-60, "a checkbox that does not say failed")]
    values = (one for text in column.texts for one in status_values(text, column.kind))
    spoken = column.listed or [(text, text) for text in dict.fromkeys(values)]
    if not spoken:
        return []
    if len(spoken) > 30:
        return [(-40, "too many different values")]
    standings = {standing_of(*pair) for pair in spoken}
    short = all(len(name) <= 40 and not _CODE.fullmatch(name) for name, _ in spoken)
    if Standing.FAILED in standings and short:
        return [(60 if len(spoken) > 1 else 45, "one of its values means failed")]
    if Standing.PERHAPS in standings and short:
        return [(30, "one of its values may mean failed")]
    return [(-40, "no value means failed")]


def _ids(column: _Column) -> list[Evidence]:
    name, scene = column.field["name"], column.sample
    evidence = _evidence(column.texts, lambda value: to_18(value.strip()), "record ids")
    if scene.object_field is None or not any(points > 0 for points, _ in evidence):
        return evidence
    pairs = [
        (str(row[name])[:3], scene.objects.get(str(row.get(scene.object_field)), ""))
        for row in scene.rows
        if isinstance(row.get(name), str) and row[name]
    ]
    fitting = [prefix == expected for prefix, expected in pairs if expected]
    if not fitting:
        return evidence
    share = sum(fitting) / len(fitting)
    if share >= 0.8:
        return [*evidence, (40, "ids of the object the row names")]
    # A link to another record than the row's would be opened, and corrected: worse than none.
    return [*evidence, (-100, "ids of other objects")] if share < 0.5 else evidence


def _codes(column: _Column) -> list[Evidence]:
    known = known_codes()
    evidence = _evidence(column.texts, lambda value: value.strip() in known, "codes such as DUPLICATE_VALUE")
    if evidence and evidence[0][0] < -20:
        return [(-100, "holds no codes, so it tells no more than the message")]
    listed = _share([name for name, _ in column.listed], known.__contains__) or 0
    return evidence or ([(50, "its values are codes")] if listed > 0.5 else [])


def _messages(column: _Column) -> list[Evidence]:
    texts = column.texts
    if not texts:
        return []
    if (_share(texts, lambda text: text.lstrip()[:1] in "{[<" and len(text) > 20) or 0) > 0.5:
        return [(-50, "holds data, not sentences")]
    # The beginning tells; a pattern that looks everywhere in a long text takes its square in steps.
    sentences = _share(texts, lambda text: _SENTENCE.search(text[:_BEGINNING])) or 0
    coded = _share(texts, lambda text: _CODE.search(text[:_BEGINNING])) or 0
    if sentences < 0.3:
        return [(-40 if len(texts) >= FEW else -15, "holds no sentences")]
    varied = len(set(texts)) > max(1, len(texts) // 20)
    return [(35 if varied else 10, "holds sentences"), *([(15, "holds status codes")] if coded > 0.2 else [])]


def _times(column: _Column) -> list[Evidence]:
    if len(column.values) < FEW:
        return []
    filled = sum(map(bool, column.values)) / len(column.values)
    if filled > 0.8:
        return [(20, "filled in failed rows")]
    return [(-30, "mostly empty")] if filled < 0.2 else []


def _own_id(column: _Column) -> list[Evidence]:
    # One record fails more than once: an id that is unique here is the event's own.
    return [(-60, "unique, so the event's own")] if column.field.get("unique") else []


def _uuids(column: _Column) -> list[Evidence]:
    return _evidence(column.texts, lambda value: _UUID.fullmatch(value.strip()), "UUIDs")


def _long_text(column: _Column) -> list[Evidence]:
    return [(20 if column.length >= 1000 else 12, "long text")] if column.kind == "textarea" else []


def _of_kind(kind: str, points: int, words: str) -> Judge:
    return lambda column: [(points, words)] if column.kind == kind else []


def _of_length(*lengths: int) -> Judge:
    def judge(column: _Column) -> list[Evidence]:
        fits = column.kind != "reference" and column.length in lengths
        return [(15, plural(column.length, "character"))] if fits else []

    return judge


@dataclass(frozen=True, slots=True)
class RoleRule:
    """What a field has to be for a role, and what speaks for it or against it."""

    types: AbstractSet[str]
    judges: tuple[Judge, ...]
    shortest: int = 0
    """Characters that a text has room for at least, where its length is known."""
    of_every_row: bool = False
    """Rows that did not fail tell as much."""


_TEXT = frozenset({"string", "picklist", "combobox"})
_STATUS = _TEXT | NOT_TEXT | {"textarea", "encryptedstring"}
_PICKED = _of_kind("picklist", 5, "a picklist")
ROLES: Mapping[FieldRole, RoleRule] = {
    FieldRole.OBJECT: RoleRule(_TEXT | {"textarea"}, (_objects,), of_every_row=True),
    FieldRole.EVENT_TYPE: RoleRule(_TEXT, (_PICKED, _kinds), of_every_row=True),
    FieldRole.PROCESSED_AT: RoleRule({"datetime"}, (_of_kind("datetime", 15, "date and time"), _times)),
    FieldRole.STORECONNECT_ID: RoleRule(
        {"string", "textarea"}, (_own_id, _of_length(36), _uuids), shortest=32
    ),
    FieldRole.MESSAGE: RoleRule({"textarea", "string"}, (_long_text, _messages), shortest=80),
    FieldRole.STATUS: RoleRule(_STATUS, (_PICKED, _standings)),
    FieldRole.SALESFORCE_ID: RoleRule(
        {"string", "reference"},
        (_of_kind("reference", 15, "a lookup"), _of_length(15, 18), _ids),
        shortest=15,
    ),
    FieldRole.CODE: RoleRule(_TEXT, (_codes,)),
}


def object_points(name: str, label: str) -> int:
    """How much an object's names sound like change events, 0 to 120."""
    if bare(name) == bare(KNOWN_OBJECT):
        return 120 if name == KNOWN_OBJECT else 100
    covered = max(mentions(words(text), OBJECT_WORDS) for text in (bare(name), label))
    of_package = name.startswith(KNOWN_OBJECT.split("__", maxsplit=1)[0] + "__")
    return round(75 * covered / 100) + PACKAGE * of_package
