"""The org's own names as a dictionary: what a message calls something, and what it is called in this org.

Pure: reading it from an org is `salesforce.metadata_lookup`. Labels are in the language of the user who read
them, so a German label becomes its API name. What is not in the dictionary is left as the message has it,
unless it is certain that the org has no such thing. As JSON (for the cache and for snapshots) it is read with
as little trust as an org's answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from syncerr_tui.diagnosis.guidance_template import is_nested, marked_name as marked
from syncerr_tui.diagnosis.identifiers import bare_field
from syncerr_tui.diagnosis.model import Diagnosis, Failure, Guidance, Step, combined
from syncerr_tui.text import one_line
from syncerr_tui.words import local_minute


@dataclass(frozen=True, slots=True)
class Resolved:
    """A named thing of the message, as the org has it."""

    name: str
    """As the message has it; of a rule that the message does not name, the rule's own name."""
    address: str | None
    modified_at: datetime | None = None
    modified_by: str | None = None
    changed_since_failure: bool | None = None
    """None where one of the two times is unknown."""
    kind: str = "flow"
    """`flow`, `validation_rule`, `duplicate_rule`, `trigger`, `class` or `field`."""
    object_name: str | None = None
    """API name of the object that a validation rule is on."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What an org once answered to a query: texts only, and no times of changes."""

    rows: tuple[Mapping[str, str], ...]
    read_at: datetime


def with_addresses(guidance: Guidance, resolved: Iterable[Resolved]) -> Guidance:
    """The guidance whose steps lead to the things themselves instead of to lists of them."""
    automation = tuple(resolved)
    steps = list(guidance.steps)
    for item in automation:
        steps = [replace(step, address=item.address) if _names(step, item) else step for step in steps]
    for kind in ("validation_rule", "duplicate_rule"):
        steps = _with_rule_names(steps, [item for item in automation if item.kind == kind])
    return replace(guidance, steps=tuple(steps))


def changes(resolved: Iterable[Resolved]) -> tuple[str, ...]:
    """One text for each thing whose last change is known: when, by whom, and what that means for a retry."""
    known = [item for item in resolved if item.modified_at is not None]
    if len(known) > 1 and all(item.changed_since_failure is False for item in known):
        return (*map(_when, known), "None of them was changed since this failure: " + _SAME_WAY)
    return tuple(map(_change, known))


def unchanged_since_failure(resolved: Iterable[Resolved], message: str) -> tuple[str, ...]:
    """Those of `changes` that promise nothing: what the message names was not changed since the failure."""
    known = [item for item in resolved if item.modified_at is not None]
    if any(item.name not in message for item in known):
        return ()  # which rule it was is news
    after_failure = [_change(item) for item in known if item.changed_since_failure]
    return tuple(text for text in changes(known) if text not in after_failure)


_LISTS = {
    "validation_rule": "/ValidationRules/view",
    "duplicate_rule": "/DuplicateRules/home",
    "field": "/FieldsAndRelationships/",
    "flow": "/Flows/home",
    "trigger": "/ApexTriggers/home",
    "class": "/ApexClasses/home",
}
_WORDS = {
    "flow": "The Flow",
    "validation_rule": "The validation rule",
    "duplicate_rule": "The duplicate rule",
    "trigger": "The trigger",
    "class": "The Apex class",
    "field": "The field",
}


def _with_rule_names(steps: list[Step], rules: Sequence[Resolved]) -> list[Step]:
    """Steps that open the list of rules: the first says which rules they are, all go to the only one."""
    if not rules:
        return steps
    listed = [place for place, step in enumerate(steps) if _LISTS[rules[0].kind] in (step.address or "")]
    for place in listed:
        step = steps[place]
        text = step.text
        if place == listed[0] and not any(marked(rule.name) in text for rule in rules):
            names = ", ".join(marked(rule.name) for rule in rules)
            text = f"{text} {'It is' if len(rules) == 1 else 'They are'} {names}."
        steps[place] = Step(text, rules[0].address if len(rules) == 1 else step.address)
    return steps


def _names(step: Step, item: Resolved) -> bool:
    """Whether a step names the thing and opens its list."""
    return (
        item.address is not None
        and marked(item.name) in step.text
        and _LISTS[item.kind] in (step.address or "")
    )


_SAME_WAY = "a re-sync alone will most likely fail the same way."


def _change(item: Resolved) -> str:
    text = _when(item)
    if item.changed_since_failure is True:
        return f"{text} Changed since this failure: a re-sync is worth a try."
    if item.changed_since_failure is False:
        return f"{text} Not changed since this failure: {_SAME_WAY}"
    return text


def _when(item: Resolved) -> str:
    assert item.modified_at is not None
    who = f" by {marked(item.modified_by)}" if item.modified_by else ""
    what = f"{_WORDS[item.kind]} {marked(item.name)}"
    return f"{what} was last changed on {local_minute(item.modified_at)}{who}."


PICKLIST = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
_ABOUT_MISSING_FIELDS = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "NO_SUCH_COLUMN"})
_LISTED = 5
"""Values that are named as the closest ones, or as all there are."""


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """A field of an object."""

    name: str
    label: str
    values: tuple[str, ...] = ()
    """The active values of a picklist, as the API spells them."""


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """An object that the user sees."""

    name: str
    label: str
    plural: str
    prefix: str = ""
    """The first three characters of its records' ids."""


@dataclass(frozen=True, slots=True)
class Described:
    """The fields of an object, and when they were read."""

    fields: tuple[FieldEntry, ...]
    read_at: datetime


@dataclass(frozen=True, eq=False)
class OrgMetadata:
    """What is known of an org's names. Two readings are two dictionaries, whatever is in them."""

    objects: tuple[ObjectEntry, ...] = ()
    read_at: datetime | None = None
    """When the list of objects was read."""
    described: Mapping[str, Described] = field(default_factory=dict)

    def object_named(self, text: str) -> ObjectEntry | None:
        """The one object of this API name, label or plural label; None where there is none or several."""
        folded = " ".join(text.split()).casefold()
        exact = [entry for entry in self.objects if entry.name.casefold() == folded]
        matching = exact or [
            entry for entry in self.objects if folded in {entry.label.casefold(), entry.plural.casefold()}
        ]
        return matching[0] if len(matching) == 1 else None

    def object_of(self, record_id: str) -> ObjectEntry | None:
        """The object that an id's first three characters stand for in this org."""
        matching = [entry for entry in self.objects if entry.prefix and entry.prefix == record_id[:3]]
        return matching[0] if len(matching) == 1 else None

    def field_named(self, objects: Iterable[str], text: str) -> FieldEntry | None:
        """The field of this API name or label on the first of some objects that has it."""
        folded = text.casefold()
        for name in objects:
            described = self.described.get(name)
            if described is None:
                continue
            by_name = [entry for entry in described.fields if entry.name.casefold() == folded]
            by_label = [entry for entry in described.fields if entry.label.casefold() == folded]
            alike = [entry for entry in described.fields if bare_field(entry.name) == bare_field(text)]
            for matching in (by_name, by_label, alike):
                if len(matching) == 1:
                    return matching[0]
        return None


def objects_meant(failure: Failure, object_name: str | None, metadata: OrgMetadata) -> tuple[str, ...]:
    """The objects whose fields a failure may speak of, the most likely first."""
    own = (object_name,) if object_name else ()
    named = [entry.name for text in failure.objects if (entry := metadata.object_named(text))]
    by_record = [entry.name for record in failure.record_ids if (entry := metadata.object_of(record))]
    likely = (*named, *by_record, *own) if is_nested(failure) else (*own, *named, *by_record)
    return tuple(dict.fromkeys(likely))


def checked(
    diagnosis: Diagnosis, metadata: OrgMetadata, object_name: str | None
) -> tuple[Diagnosis, tuple[str, ...]]:
    """A diagnosis in the org's own names, and what the dictionary adds to it in words.

    Args:
        diagnosis: What was read out of a message.
        metadata: The org's names.
        object_name: API name of the object that failed to sync.
    """
    pairs = [_checked(failure, metadata, object_name) for failure in diagnosis.each]
    failures = tuple(failure for failure, _ in pairs)
    pooled = failures[0] if len(failures) == 1 else combined(failures)
    better = replace(
        diagnosis,
        objects=pooled.objects,
        fields=pooled.fields,
        failures=failures if diagnosis.failures else (),
    )
    return better, tuple(remark for _, remarks in pairs for remark in remarks)


def _checked(
    failure: Failure, metadata: OrgMetadata, object_name: str | None
) -> tuple[Failure, tuple[str, ...]]:
    candidates = objects_meant(failure, object_name, metadata)
    certain = bool(candidates) and candidates[0] in metadata.described and not is_nested(failure)
    certain = certain and failure.root_code not in _ABOUT_MISSING_FIELDS
    fields: dict[str, FieldEntry | None] = {}
    for text in failure.fields:
        entry = metadata.field_named(candidates, text)
        if entry is not None:
            fields[entry.name] = entry
        elif not certain and metadata.object_named(text) is None:
            fields[text] = None
    objects = dict.fromkeys(
        named.name if (named := metadata.object_named(text)) else text for text in failure.objects
    )
    remarks = _about_values(failure, [entry for entry in fields.values() if entry])
    return replace(failure, fields=tuple(fields), objects=tuple(objects)), remarks


def _about_values(failure: Failure, entries: list[FieldEntry]) -> tuple[str, ...]:
    """A refused value against the values that there are."""
    lists = [entry for entry in entries if entry.values]
    if failure.root_code != PICKLIST or len(lists) != 1 or len(failure.values) != 1:
        return ()
    (entry,), (value,) = lists, failure.values
    where = f"{marked(entry.label)} ({marked(entry.name)})"
    if value in entry.values:
        return (f"{where} has the value {marked(value)} by now: a re-sync is worth a try.",)
    from difflib import get_close_matches

    by_letters = {known.casefold(): known for known in entry.values}
    near = [by_letters[key] for key in get_close_matches(value.casefold(), by_letters, _LISTED, 0.5)]
    if near:
        return (f"{where} does not have {marked(value)}. Closest: {', '.join(map(marked, near))}.",)
    shown = ", ".join(map(marked, entry.values[:_LISTED]))
    more = len(entry.values) - _LISTED
    rest = f" and {more:,} more" if more > 0 else ""
    return (f"{where} does not have {marked(value)}. It has: {shown}{rest}.",)


def metadata_payload(metadata: OrgMetadata) -> dict[str, Any]:
    return {
        "read_at": metadata.read_at.isoformat() if metadata.read_at else None,
        "objects": [[entry.name, entry.label, entry.plural, entry.prefix] for entry in metadata.objects],
        "described": {
            name: {
                "read_at": described.read_at.isoformat(),
                "fields": [[entry.name, entry.label, list(entry.values)] for entry in described.fields],
            }
            for name, described in metadata.described.items()
        },
    }


def metadata_of_payload(value: Mapping[str, Any]) -> OrgMetadata:
    """Raises: Of `errors.DAMAGED`: It is none."""
    return OrgMetadata(
        tuple(ObjectEntry(*map(_text, row)) for row in value["objects"]),
        aware_time(value["read_at"]) if value["read_at"] else None,
        {
            _text(name): Described(
                tuple(
                    FieldEntry(_text(field), _text(label), tuple(map(_text, values)))
                    for field, label, values in described["fields"]
                ),
                aware_time(described["read_at"]),
            )
            for name, described in value["described"].items()
        },
    )


def answers_payload(answers: Mapping[str, KeptAnswer]) -> dict[str, Any]:
    """Where Flows, rules and code are, by the query that was asked."""
    return {query: [answer.read_at.isoformat(), answer.rows] for query, answer in answers.items()}


def answers_of_payload(value: Mapping[str, Any]) -> dict[str, KeptAnswer]:
    """Raises: Of `errors.DAMAGED`: They are none."""
    return {
        str(query): KeptAnswer(
            tuple({_text(key): _text(text) for key, text in row.items()} for row in rows), aware_time(read_at)
        )
        for query, (read_at, rows) in value.items()
    }


def aware_time(value: str) -> datetime:
    """An aware time. Raises: ValueError, TypeError: It is none."""
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(value)
    return time


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return one_line(value)
