"""How well a field fits a role: by its label, its API name, its type and what sample rows hold. Pure.

Points are an ordering, not a probability: a label that says exactly the role gives 50, the API name 40,
fitting values up to 60. What contradicts takes points away, so that one good word never beats plain evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncerr_tui.salesforce.reading import status_values
from syncerr_tui.salesforce.soql import to_18
from syncerr_tui.salesforce.vocabulary import (
    DECOY_WORDS,
    REMEMBERED,
    ROLE_WORDS,
    FieldRole,
    Standing,
    bare,
    event_type_of,
    mentions,
    standing_of,
    words,
)
from syncerr_tui.text import one_line

ACCEPT = 45
"""Points from which a field is taken for a role."""
MARGIN = 15
"""Points by which the best must lead the second, or a person is asked."""
PACKAGE = 20
"""Points of an object for being part of StoreConnect's package."""
FEW = 3
"""Values below this many prove nothing."""

_TEXT = frozenset({"string", "picklist", "combobox"})
_TYPES: Mapping[FieldRole, frozenset[str]] = {
    FieldRole.OBJECT: _TEXT | {"textarea"},
    FieldRole.EVENT_TYPE: _TEXT,
    FieldRole.PROCESSED_AT: frozenset({"datetime"}),
    FieldRole.STORECONNECT_ID: frozenset({"string", "textarea"}),
    FieldRole.MESSAGE: frozenset({"textarea", "string"}),
    FieldRole.STATUS: _TEXT | {"boolean", "multipicklist"},
    FieldRole.SALESFORCE_ID: frozenset({"string", "reference"}),
    FieldRole.CODE: _TEXT,
}
_NEEDED = (
    FieldRole.OBJECT,
    FieldRole.EVENT_TYPE,
    FieldRole.STORECONNECT_ID,
    FieldRole.MESSAGE,
    FieldRole.STATUS,
)
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
Rows = Sequence[Mapping[str, Any]]


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
    """What is known of the object while its fields are judged."""

    rows: Rows
    """Records to judge by, failed ones as soon as they are known; each with every field that may matter."""
    objects: Mapping[str, str]
    """Every object of the org: API name -> key prefix (may be empty)."""
    object_field: str | None = None
    """The field that names a row's object, once that is known."""
    others: Rows = ()
    """Records that did not fail: they count where failures are too much alike."""


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
    if field.get("name") in _SYSTEM or field.get("deprecatedAndHidden"):
        return False
    kind, length = field.get("type"), int(field.get("length") or 0)
    if kind not in _TYPES[role]:
        return False
    match role:
        case FieldRole.STORECONNECT_ID:
            return kind == "textarea" or length == 0 or length >= 32
        case FieldRole.MESSAGE:
            return kind == "textarea" or length == 0 or length >= 80
        case FieldRole.SALESFORCE_ID:
            if kind == "reference":
                return not set(field.get("referenceTo") or ("User",)) <= _PEOPLE
            return length == 0 or length >= 15
        case _:
            return True


def candidates(describe: Describe, role: FieldRole, scene: Sample) -> list[Candidate]:
    """Every field that may have the role, best first."""
    judged = [_judge(field, role, scene) for field in describe.get("fields", ()) if possible(field, role)]
    return sorted(judged, key=lambda one: (-one.points, one.name))


def _judge(field: Mapping[str, Any], role: FieldRole, scene: Sample) -> Candidate:
    name, label = str(field["name"]), one_line(str(field.get("label") or field["name"]))
    reasons: list[tuple[int, str]] = []
    by_label = _named(role, words(label), 50, "label")
    spelt = _named(role, words(bare(name)), 40, "API name")
    reasons += [matched for matched in (by_label, spelt) if matched]
    reasons += _typed(field, role)
    rows = [*scene.rows, *scene.others] if role in {FieldRole.OBJECT, FieldRole.EVENT_TYPE} else scene.rows
    values = [row.get(name) for row in rows]
    reasons += _valued(field, role, values, scene)
    points = sum(value for value, _ in reasons)
    telling = sorted(reasons, key=lambda one: -abs(one[0]))
    reason = ", ".join(f"{text} {value:+d}" for value, text in telling if value) or "nothing speaks for it"
    return Candidate(name, label, str(field["type"]), points, reason, field.get("filterable") is not False)


@REMEMBERED
def _named(role: FieldRole, tokens: tuple[str, ...], most: int, where: str) -> tuple[int, str] | None:
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


def _typed(field: Mapping[str, Any], role: FieldRole) -> list[tuple[int, str]]:
    kind, length = field.get("type"), int(field.get("length") or 0)
    match role:
        case FieldRole.PROCESSED_AT:
            return [(15, "date and time")]
        case FieldRole.MESSAGE if kind == "textarea":
            return [(20 if length >= 1000 else 12, "long text")]
        case FieldRole.STORECONNECT_ID:
            # One record fails more than once: an id that is unique here is the event's own.
            unique = [(-60, "unique, so the event's own")] if field.get("unique") else []
            return [*unique, *([(15, "36 characters")] if length == 36 else [])]
        case FieldRole.SALESFORCE_ID if kind == "reference":
            return [(15, "a lookup")]
        case FieldRole.SALESFORCE_ID:
            return [(15, f"{length} characters")] if length in {15, 18} else []
        case FieldRole.STATUS | FieldRole.EVENT_TYPE if kind == "picklist":
            return [(5, "a picklist")]
        case _:
            return []


def _valued(
    field: Mapping[str, Any], role: FieldRole, values: Sequence[object], scene: Sample
) -> list[tuple[int, str]]:
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    listed = picklist(field)
    match role:
        case FieldRole.OBJECT:
            known = {name.casefold() for name in scene.objects}
            listed_fit = _share([name for name, _ in listed], lambda value: value.casefold() in known)
            if listed_fit is not None and listed_fit >= 0.5:
                return [(60, "its values are objects of this org")]
            return _evidence(texts, lambda value: value.casefold() in known, "objects of this org")
        case FieldRole.EVENT_TYPE:
            return _kinds(texts, listed)
        case FieldRole.STATUS if field.get("type") == "boolean":
            if standing_of(str(field["name"]), str(field.get("label") or "")) is Standing.FAILED:
                return [(50, "a checkbox that says failed")]
            return [(-60, "a checkbox that does not say failed")]
        case FieldRole.STATUS:
            spoken = [one for text in texts for one in status_values(text, str(field.get("type")))]
            return _standings(spoken, listed)
        case FieldRole.STORECONNECT_ID:
            return _evidence(texts, lambda value: bool(_UUID.fullmatch(value.strip())), "UUIDs")
        case FieldRole.SALESFORCE_ID:
            return _ids(str(field["name"]), texts, scene)
        case FieldRole.CODE:
            fit = _evidence(
                texts, lambda value: bool(_CODE.fullmatch(value.strip())), "codes such as DUPLICATE_VALUE"
            )
            if fit or not listed:
                return fit
            upper = _share([name for name, _ in listed], lambda value: bool(_CODE.fullmatch(value)))
            return [(50, "its values are codes")] if upper and upper > 0.5 else []
        case FieldRole.MESSAGE:
            return _messages(texts)
        case _:
            return _times(values)


def picklist(field: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A picklist's values as (API value, label), inactive ones too: old rows still hold them."""
    return [
        (str(value.get("value")), str(value.get("label") or value.get("value")))
        for value in field.get("picklistValues") or ()
        if isinstance(value, Mapping) and value.get("value")
    ]


def _share(texts: Sequence[str], fits: Any) -> float | None:  # noqa: ANN401 - a predicate
    return sum(1 for text in texts if fits(text)) / len(texts) if texts else None


def _evidence(texts: Sequence[str], fits: Any, what: str) -> list[tuple[int, str]]:  # noqa: ANN401
    share = _share(texts, fits)
    if share is None:
        return []
    if share >= 0.9:
        return [(60 if len(texts) >= FEW else 35, f"holds {what}")]
    if share >= 0.5:
        return [(30, f"holds mostly {what}")]
    return [(-40 if len(texts) >= FEW else -15, f"holds no {what}")] if share < 0.1 else []


def _kinds(texts: Sequence[str], listed: Sequence[tuple[str, str]]) -> list[tuple[int, str]]:
    spoken = listed or [(text, text) for text in dict.fromkeys(texts)]
    meant = [event_type_of(*pair) for pair in spoken]
    kinds = {kind for kind in meant if kind}
    if not spoken:
        return []
    share = sum(1 for kind in meant if kind) / len(meant)
    if len(kinds) >= 2 and share >= 0.5 and len(spoken) <= 20:
        return [(60, "its values are Create, Update, Delete or the like")]
    if kinds and share >= 0.9 and len(spoken) <= 5:
        return [(30, f"its values mean {', '.join(sorted(kinds))}")]
    return [(-50, "its values are not kinds of change")] if not kinds and len(spoken) >= 2 else []


def _standings(texts: Sequence[str], listed: Sequence[tuple[str, str]]) -> list[tuple[int, str]]:
    spoken = listed or [(text, text) for text in dict.fromkeys(texts)]
    if not spoken:
        return []
    if len(spoken) > 30:
        return [(-40, "too many different values")]
    meant = {standing_of(*pair) for pair in spoken}
    short = all(len(name) <= 40 and not _CODE.fullmatch(name) for name, _ in spoken)
    if Standing.FAILED in meant and short:
        return [(60 if len(spoken) > 1 else 45, "one of its values means failed")]
    if Standing.PERHAPS in meant and short:
        return [(30, "one of its values may mean failed")]
    return [(-40, "no value means failed")]


def _ids(name: str, texts: Sequence[str], scene: Sample) -> list[tuple[int, str]]:
    evidence = _evidence(texts, lambda value: to_18(value.strip()) is not None, "record ids")
    if not texts or scene.object_field is None or not any(value > 0 for value, _ in evidence):
        return evidence
    pairs = [
        (str(row[name])[:3], scene.objects.get(str(row.get(scene.object_field)), ""))
        for row in scene.rows
        if isinstance(row.get(name), str) and row[name]
    ]
    checkable = [(prefix, wanted) for prefix, wanted in pairs if wanted]
    if not checkable:
        return evidence
    share = sum(1 for prefix, wanted in checkable if prefix == wanted) / len(checkable)
    if share >= 0.8:
        return [*evidence, (40, "ids of the object the row names")]
    return [*evidence, (-50, "ids of other objects")] if share <= 0.2 else evidence


def _messages(texts: Sequence[str]) -> list[tuple[int, str]]:
    if not texts:
        return []
    data = _share(texts, lambda text: text.lstrip()[:1] in "{[<" and len(text) > 20) or 0
    if data > 0.5:
        return [(-50, "holds data, not sentences")]
    # The beginning tells; a pattern that looks everywhere in a long text takes its square in steps.
    sentences = _share(texts, lambda text: bool(_SENTENCE.search(text[:_BEGINNING]))) or 0
    coded = _share(texts, lambda text: bool(_CODE.search(text[:_BEGINNING]))) or 0
    if sentences < 0.3:
        return [(-40 if len(texts) >= FEW else -15, "holds no sentences")]
    varied = len(set(texts)) > max(1, len(texts) // 20)
    return [(35 if varied else 10, "holds sentences"), *([(15, "holds status codes")] if coded > 0.2 else [])]


def _times(values: Sequence[object]) -> list[tuple[int, str]]:
    if len(values) < FEW:
        return []
    filled = sum(1 for value in values if value) / len(values)
    return (
        [(20, "filled in failed rows")] if filled > 0.8 else [(-30, "mostly empty")] if filled < 0.2 else []
    )


def object_points(name: str, label: str, phrases: Iterable[str], known: str) -> int:
    """How much an object's names sound like change events, 0 to 120."""
    if name == known:
        return 120
    if bare(name) == bare(known):
        return 100
    phrases = tuple(phrases)
    covered = max(mentions(words(bare(name)), phrases), mentions(words(label), phrases))
    return round(80 * covered / 100) + (
        PACKAGE if name.startswith(known.split("__", maxsplit=1)[0] + "__") else 0
    )
