"""A proposal for one object: which field has which role, what the values mean, and what is in doubt. Pure.

No field has two roles, and a rival that comes close to the best makes a doubt.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from syncerr_tui.errors import BadInputError
from syncerr_tui.model import EventType
from syncerr_tui.salesforce.profiles import (
    DEFAULT_EVENT_TYPES,
    OPTIONAL,
    FieldMapping,
    FieldRole,
    RecordPointer,
)
from syncerr_tui.salesforce.scoring import ACCEPT, MARGIN, Candidate, Describe, Sample, Values, candidates
from syncerr_tui.salesforce.soql import NOT_TEXT
from syncerr_tui.salesforce.vocabulary import (
    RECORD_KEY,
    Standing,
    bare,
    event_type_of,
    mentions,
    sounds_final,
    standing_of,
    words,
)
from syncerr_tui.text import one_line

THE_OBJECT = "change event object"
"""What a doubt about the object is about: `object` is the role of one of its fields."""


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """A question that only a person can answer."""

    about: str
    """`THE_OBJECT`, a role of `FieldMapping`, or `failed`."""
    question: str
    options: tuple[Candidate, ...]
    """Best first."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was found, why, and what is still in doubt."""

    object_name: str
    object_label: str
    object_reason: str
    chosen: Mapping[FieldRole, Candidate]
    ranked: Mapping[FieldRole, tuple[Candidate, ...]]
    """Every possible field of each role, best first."""
    statuses: tuple[str, ...]
    """All values of the status field that are known."""
    failed: tuple[str, ...]
    pending: tuple[str, ...]
    done: tuple[str, ...]
    unclear: tuple[str, ...]
    """Values of the status whose meaning is not plain."""
    event_types: Mapping[str, EventType]
    pointer: RecordPointer
    record_key: str
    rows: tuple[Mapping[str, Any], ...]
    """Sample rows, failed ones first."""
    doubts: tuple[Ambiguity, ...]
    notes: tuple[str, ...]
    """What a person should know, one line each."""

    def mapping(self) -> FieldMapping:
        """The mapping, where nothing is in doubt.

        Raises:
            BadInputError: Something is; the line names it.
        """
        if self.doubts:
            first = self.doubts[0]
            choices = one_line(", ".join(one.name for one in first.options[:3]))
            raise BadInputError(
                f"{first.question}{f': {choices}' if choices else ''}",
                "Run 'syncerr-tui setup' for this org and choose",
            )
        names: dict[str, Any] = {role.value: candidate.name for role, candidate in self.chosen.items()}
        return FieldMapping(
            **names,
            object_name=self.object_name,
            failed=self.failed,
            pending=self.pending,
            done=self.done,
            status_type=status.type if (status := self.chosen[FieldRole.STATUS]).type in NOT_TEXT else "",
            status_filterable=status.filterable,
            pointer=self.pointer,
            event_types=self.event_types,
            record_key=self.record_key,
        )


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a person has named already; it is never doubted. The rest is found."""

    object_name: str | None = None
    fields: Mapping[FieldRole, str | None] = dataclasses.field(default_factory=dict)
    """None: the org has no such field."""
    failed: tuple[str, ...] = ()
    """Values of the status that mean failed; empty: not named."""
    pending: tuple[str, ...] | None = None
    """Those that mean being worked on; None: not named."""
    done: tuple[str, ...] | None = None
    """Those that mean carried out; None: not named."""

    @classmethod
    def of(cls, mapping: FieldMapping, *roles: FieldRole) -> Overrides:
        """A mapping's object, its fields for these roles, and what it says failed and is worked on."""
        fields = {role: getattr(mapping, role.value) for role in roles}
        return cls(mapping.object_name, fields, mapping.failed, mapping.pending or None)


NOTHING_NAMED = Overrides()


@dataclass(frozen=True, slots=True)
class Assignment:
    """Fields and their roles."""

    chosen: Mapping[FieldRole, Candidate]
    ranked: Mapping[FieldRole, tuple[Candidate, ...]]
    """Every possible field of each role, best first."""


def fit(sample: Sample, overrides: Overrides, status: Candidate | None = None) -> Assignment:
    """Give each role its best field; no field has two roles. `status` has its role already."""
    ranked = {role: tuple(candidates(sample, role)) for role in FieldRole}
    named = overrides.fields.items()
    chosen = {role: candidate_named(sample.describe, name) for role, name in named if name is not None}
    if status is not None and FieldRole.STATUS not in overrides.fields:
        chosen[FieldRole.STATUS] = status
    used = {one.name for one in chosen.values()}
    offers = sorted(
        (
            (one.points, role, one)
            for role, ranking in ranked.items()
            if role not in chosen and role not in overrides.fields
            for one in ranking
            if one.points >= ACCEPT
        ),
        key=lambda offer: (-offer[0], list(FieldRole).index(offer[1]), offer[2].name),
    )
    for _, role, one in offers:
        if role not in chosen and one.name not in used:
            chosen[role] = one
            used.add(one.name)
    return Assignment(chosen, ranked)


def propose(sample: Sample, fit: Assignment, overrides: Overrides, reason: str) -> Proposal:
    """Put together what was found; `reason` says why it is this object."""
    describe, chosen, notes = sample.describe, dict(fit.chosen), list(sample.notes)
    if FieldRole.PROCESSED_AT not in chosen:
        likely = [one for one in fit.ranked[FieldRole.PROCESSED_AT] if one.points > 0]
        stand_in = Candidate("LastModifiedDate", "Last Modified Date", "datetime", 0, "a stand-in")
        chosen[FieldRole.PROCESSED_AT] = likely[0] if len(likely) == 1 else stand_in
        notes.append(f"Not sure when an event was processed: {chosen[FieldRole.PROCESSED_AT].name} stands in")
    if FieldRole.CODE not in chosen:
        notes.append("No field holds the status code: it is read from the message")
    if FieldRole.SALESFORCE_ID not in chosen:
        notes.append("No field holds the Salesforce ID: records are found by their StoreConnect ID")
    status = meanings(sample.statuses, overrides)
    doubts = _field_doubts(chosen, fit.ranked, overrides)
    if FieldRole.STATUS in chosen and status.in_doubt:
        likeliest = sorted(sample.statuses, key=lambda one: list(Standing).index(standing_of(*one)))
        options = tuple(
            Candidate(value, label, "value", 0, _sound(standing_of(value, label)))
            for value, label in likeliest
        )
        doubts.append(Ambiguity("failed", "It is not clear which status values mean failed", options))
    if FieldRole.STATUS in chosen and not chosen[FieldRole.STATUS].filterable:
        notes.append("The org takes no condition on the status: every reading reads all change events")
    if status.unclear:
        listed = _listed(status.unclear)
        notes.append(f"Not known what the status {listed} means: an event that goes there is UNKNOWN")
    if not status.done and FieldRole.STATUS in chosen:
        notes.append("No status is known to mean done: outcomes stay UNKNOWN until one is named")
    event_types, strange = _event_types(sample.kinds)
    notes += [
        f"The event type '{one_line(value)[:40]}' is none of Create, Update, Delete" for value in strange
    ]
    return Proposal(
        object_name=str(describe.get("name")),
        object_label=one_line(str(describe.get("label") or describe.get("name"))),
        object_reason=reason,
        chosen=MappingProxyType(chosen),
        ranked=MappingProxyType(dict(fit.ranked)),
        statuses=tuple(value for value, _ in sample.statuses),
        failed=status.failed,
        pending=status.pending,
        done=status.done,
        unclear=status.unclear,
        event_types=MappingProxyType(event_types),
        pointer=_pointer(chosen.get(FieldRole.SALESFORCE_ID)),
        record_key=RECORD_KEY,
        rows=(*sample.rows, *sample.others),
        doubts=tuple(doubts),
        notes=tuple(dict.fromkeys(notes)),
    )


@dataclass(frozen=True, slots=True)
class StatusMeanings:
    """What the values of the status mean. No value is in two of them."""

    failed: tuple[str, ...]
    pending: tuple[str, ...]
    done: tuple[str, ...]
    unclear: tuple[str, ...]
    in_doubt: bool
    """A person has to say which of them mean failed."""


def meanings(statuses: Values, overrides: Overrides) -> StatusMeanings:
    """Sort the values: first by what a person has said, then by how they sound."""
    named = {*overrides.failed, *(overrides.pending or ()), *(overrides.done or ())}
    sounding: dict[Standing, dict[str, str]] = {standing: {} for standing in Standing}
    for value, label in statuses:
        if value not in named:
            sounding[standing_of(value, label)][value] = label
    likely, perhaps = sounding[Standing.FAILED], sounding[Standing.PERHAPS]
    failed = overrides.failed or (*likely, *perhaps)
    pending = tuple(sounding[Standing.PENDING]) if overrides.pending is None else overrides.pending
    done = tuple(sounding[Standing.DONE]) if overrides.done is None else overrides.done
    unclear = tuple(value for value, _ in statuses if value not in {*failed, *pending, *done})
    in_doubt = not overrides.failed and (bool(perhaps) or not likely or _differ(likely))
    return StatusMeanings(failed, pending, done, unclear, in_doubt)


def _differ(failed: Mapping[str, str]) -> bool:
    """Whether one of several failures sounds like one for good, or says what another says and more: whether
    "Failed Permanently" or "Hard Error" is to be tried again is for a person to say.
    """
    final = [value for value, label in failed.items() if sounds_final(value, label)]
    said = [frozenset(words(label)) for label in failed.values()]
    return 0 < len(final) < len(failed) or any(one < other for one in said for other in said)


def _sound(standing: Standing) -> str:
    return "unclear" if standing is Standing.OTHER else f"sounds like {standing}"


def _listed(values: Sequence[str]) -> str:
    shown = [f"'{one_line(value)[:40]}'" for value in values[:5]]
    return ", ".join([*shown, *([f"and {len(values) - 5} more"] if len(values) > 5 else [])])


def _field_doubts(
    chosen: Mapping[FieldRole, Candidate],
    ranked: Mapping[FieldRole, tuple[Candidate, ...]],
    overrides: Overrides,
) -> list[Ambiguity]:
    doubts = []
    used = {one.name: role for role, one in chosen.items()}
    for role in FieldRole:
        if role in overrides.fields:
            continue
        best = chosen.get(role)
        if best is None:
            if role not in OPTIONAL:
                doubts.append(Ambiguity(role, f"No field is clearly the {_spoken(role)}", ranked[role][:5]))
            continue
        rivals = tuple(
            one
            for one in ranked[role]
            if one.name not in used and one.points >= ACCEPT and best.points - one.points < MARGIN
        )
        if rivals:
            doubts.append(Ambiguity(role, f"Several fields may be the {_spoken(role)}", (best, *rivals)))
    return doubts


def _event_types(values: Values) -> tuple[dict[str, EventType], list[str]]:
    """What the values mean, and those that mean nothing. Kinds that did not occur get their plain names."""
    kinds = {value: kind for value, label in values if (kind := event_type_of(value, label))}
    strange = [value for value, _ in values if value not in kinds]
    plain = {name: kind for name, kind in DEFAULT_EVENT_TYPES.items() if kind not in kinds.values()}
    return kinds | plain, strange


def _pointer(chosen: Candidate | None) -> RecordPointer:
    if chosen is None:
        return RecordPointer.NONE
    return RecordPointer.LOOKUP if chosen.type == "reference" else RecordPointer.TEXT


def record_key_of(describe: Describe) -> str | None:
    """The field of a record that holds its StoreConnect ID; None where this object has none."""
    fields = [field for field in describe.get("fields", ()) if field.get("type") == "string"]
    names = [str(field["name"]) for field in fields]
    if RECORD_KEY in names:
        return RECORD_KEY
    for field in fields:
        spelling = f"{bare(str(field['name']))} {field.get('label') or ''}"
        if field.get("externalId") and mentions(words(spelling), ("storeconnect", "sc id", "s c id")):
            return str(field["name"])
    return None


def candidate_named(describe: Describe, name: str) -> Candidate:
    """The field that a person named.

    Raises:
        BadInputError: There is none, or it is hidden.
    """
    for field in describe.get("fields", ()):
        if field.get("name") == name:
            label = one_line(str(field.get("label") or name))
            filterable = field.get("filterable") is not False
            return Candidate(name, label, str(field.get("type")), 1000, "named by a person", filterable)
    raise BadInputError(
        f"{one_line(str(describe.get('name')))} has no field {one_line(name)[:80]} that this user sees",
        "Check its API name, and the user's permission to read it",
    )


def _spoken(role: FieldRole) -> str:
    return (
        role.value.replace("_", " ")
        .replace("id", "ID")
        .replace("storeconnect", "StoreConnect")
        .replace("salesforce", "Salesforce")
    )
