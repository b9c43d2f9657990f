"""Finds out what an org calls things: the change event object, its fields, the values that mean failed.

Nothing is taken for granted: the one published name is only where the search begins, and an object has to
have the shape of a list of failed changes whatever it is called. Where two answers are close the proposal
carries a doubt, and a doubt is settled by a person, never by order of the alphabet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from syncerr_tui.errors import BadInputError, RefusedError, SyncErrError
from syncerr_tui.model import EventType
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.profiles import FieldMapping, RecordPointer
from syncerr_tui.salesforce.scoring import (
    ACCEPT,
    MARGIN,
    Candidate,
    Describe,
    Scene,
    candidates,
    object_points,
    picklist,
    sampled_fields,
    shaped_like_it,
)
from syncerr_tui.salesforce.vocabulary import (
    KNOWN_OBJECT,
    OBJECT_HINTS,
    OBJECT_WORDS,
    OPTIONAL,
    RECORD_KEY,
    Role,
    Standing,
    bare,
    event_type_of,
    mentions,
    standing_of,
    words,
)
from syncerr_tui.text import one_line

SAMPLE = 100
"""Rows looked at, before and after the failed ones are known. About 200 kB with long messages."""
FIRST_LOOK = 25
LONG_LOOK = 150
"""Objects described: those that sound right, and all others where none of these fits well."""
SURE_NAME = 60
"""Points of a name from which the other objects are left alone."""
_NOT_DATA = ("__ChangeEvent", "__Share", "__History", "__Feed", "__Tag", "__mdt", "__e", "__x", "__Kav")


T = TypeVar("T")


class Describes(Protocol):
    """What discovery asks of an org. `OrgClient` is one; tests make their own."""

    async def describe_global(self) -> list[dict[str, Any]]: ...

    async def describe(self, object_name: str) -> dict[str, Any]: ...

    async def first_page(self, query: str) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question that only a person can answer."""

    about: str
    """`object`, a role of `FieldMapping`, or `failed`."""
    question: str
    options: tuple[Candidate, ...]
    """Best first."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was found, why, and what is still in doubt."""

    object_name: str
    object_label: str
    object_reason: str
    chosen: Mapping[Role, Candidate]
    ranked: Mapping[Role, tuple[Candidate, ...]]
    """Every possible field of each role, best first."""
    statuses: tuple[str, ...]
    """All values of the status field that are known."""
    failed: tuple[str, ...]
    pending: tuple[str, ...]
    event_types: Mapping[str, EventType]
    pointer: RecordPointer
    record_key: str
    rows: tuple[Mapping[str, Any], ...]
    """Sample rows, failed ones first."""
    doubts: tuple[Doubt, ...]
    notes: tuple[str, ...]
    """What a person should know, one line each."""

    def mapping(self) -> FieldMapping:
        """The mapping, where nothing is in doubt.

        Raises:
            BadInputError: Something is; the line names it.
        """
        if self.doubts:
            first = self.doubts[0]
            choices = ", ".join(one.name for one in first.options[:3])
            raise BadInputError(
                f"{first.question}{f': {choices}' if choices else ''}",
                "Run 'syncerr-tui setup' for this org and choose",
            )
        field = {role: self.chosen[role].name for role in self.chosen}
        return FieldMapping(
            object_name=self.object_name,
            object=field[Role.OBJECT],
            event_type=field[Role.EVENT_TYPE],
            processed_at=field[Role.PROCESSED_AT],
            storeconnect_id=field[Role.STORECONNECT_ID],
            message=field[Role.MESSAGE],
            status=field[Role.STATUS],
            failed=self.failed,
            pending=self.pending,
            salesforce_id=field.get(Role.SALESFORCE_ID),
            pointer=self.pointer,
            code=field.get(Role.CODE),
            event_types=self.event_types,
            record_key=self.record_key,
        )


async def discover(
    org: Describes,
    *,
    object_name: str | None = None,
    fixed: Mapping[Role, str | None] | None = None,
    failed: Sequence[str] = (),
) -> Proposal:
    """Look at the org and propose a mapping.

    Args:
        org: Where to look.
        object_name: The change event object, where a person has named it.
        fixed: Fields that a person has named; None says that the org has no such field.
        failed: Status values that a person has named.

    Raises:
        BadInputError: A named object or field is not there, or nothing looks like change events.
        SyncErrError: As the org answers.
    """
    listed = [one for one in await org.describe_global() if isinstance(one.get("name"), str)]
    objects = {str(one["name"]): str(one.get("keyPrefix") or "") for one in listed}
    search = _Search(org, objects, dict(fixed or {}), tuple(failed))
    if object_name is not None:
        return await search.named(object_name)
    return await search.best(listed)


async def successors(org: Describes, mapping: FieldMapping) -> dict[str, str]:
    """Mapped fields that the org no longer has, and what looks like the successor of each (may be empty).

    Raises:
        SyncErrError: As the org answers.
    """
    described = await org.describe(mapping.object_name)
    there = {str(field["name"]) for field in described.get("fields", ())}
    kept = {role: name for role in Role if (name := getattr(mapping, role.value)) is None or name in there}
    gone = {role: str(getattr(mapping, role.value)) for role in Role if role not in kept}
    if not gone:
        return {}
    fixed = {role: getattr(mapping, role.value) for role in kept}
    proposal = await discover(org, object_name=mapping.object_name, fixed=fixed, failed=mapping.failed)
    return {
        name: found.name if (found := proposal.chosen.get(role)) and found.name in there else ""
        for role, name in gone.items()
    }


@dataclass(frozen=True, slots=True)
class _Judged:
    """An object that has the shape; the better one sorts first."""

    points: int
    named: int
    """The points that its name alone has."""
    proposal: Proposal

    def __lt__(self, other: _Judged) -> bool:
        return (-self.points, self.proposal.object_name) < (-other.points, other.proposal.object_name)

    def as_option(self) -> Candidate:
        one = self.proposal
        return Candidate(one.object_name, one.object_label, "object", self.points, one.object_reason)


class _Search:
    def __init__(
        self,
        org: Describes,
        objects: Mapping[str, str],
        fixed: dict[Role, str | None],
        failed: tuple[str, ...],
    ) -> None:
        self._org = org
        self._objects = objects
        self._fixed = fixed
        self._failed = failed

    async def named(self, object_name: str) -> Proposal:
        if object_name not in self._objects:
            raise BadInputError(
                f"This org has no object {one_line(object_name)[:80]}, or this user does not see it",
                "Check its API name, and the user's permission to read it",
            )
        proposal = await self._propose(object_name, "named by a person")
        return await self._finished(proposal)

    async def best(self, listed: Sequence[Mapping[str, Any]]) -> Proposal:
        ranked = sorted(
            (
                (
                    object_points(str(one["name"]), str(one.get("label") or ""), OBJECT_WORDS, KNOWN_OBJECT),
                    one,
                )
                for one in listed
                if _may_be_data(one)
            ),
            key=lambda pair: (-pair[0], -_hinted(pair[1]), str(pair[1]["name"])),
        )
        first = [(points, one) for points, one in ranked if points or _hinted(one)][:FIRST_LOOK]
        found = await self._judged(first)
        if not found or found[0].named < SURE_NAME:
            # Nothing here, or something whose name says little: a look at the others may show a better one.
            seen = {one["name"] for _, one in first}
            rest = [pair for pair in ranked if pair[1]["name"] not in seen][:LONG_LOOK]
            found = sorted((*found, *await self._judged(rest)))
        if not found:
            raise BadInputError(
                "Nothing in this org looks like StoreConnect's change events",
                "Check that the package is installed and that this user may read its change events; "
                "or name the object with 'syncerr-tui setup --object'",
            )
        best, *others = found
        close = [one for one in others if best.points - one.points < 2 * MARGIN]
        proposal = best.proposal
        if close:
            options = tuple(one.as_option() for one in (best, *close))
            doubt = Doubt("object", "Several objects look like change events", options)
            proposal = replace(proposal, doubts=(doubt, *proposal.doubts))
        return await self._finished(proposal)

    async def _judged(self, some: Sequence[tuple[int, Mapping[str, Any]]]) -> list[_Judged]:
        """The objects of some that have the shape of change events, with their points, best first."""

        async def judge(points: int, name: str) -> _Judged | None:
            try:
                proposal = await self._propose(name, _object_reason(points))
            except RefusedError:
                return None  # not readable by this user, so it cannot be the one that is worked with
            shape = sum(min(proposal.chosen[role].points, 100) for role in proposal.chosen)
            fits = sum(1 for role in Role if role not in OPTIONAL and role in proposal.chosen)
            enough = fits >= len(Role) - len(OPTIONAL) - 1
            return _Judged(points + shape // 4, points, proposal) if enough else None

        known = [pair for pair in some if pair[0] == max((points for points, _ in some), default=0) >= 100]
        if len(known) == 1 and (only := await judge(known[0][0], str(known[0][1]["name"]))):
            return [only]
        found = await _gather(judge(points, str(one["name"])) for points, one in some)
        return sorted(one for one in found if one)

    async def _propose(self, name: str, reason: str) -> Proposal:
        describe = await self._org.describe(name)
        if not shaped_like_it(describe):
            return self._proposal(describe, reason, ({}, dict.fromkeys(Role, ())), (), (), ())
        rows, notes = await self._sample(name, describe)
        fit = self._fit(describe, Scene(rows, self._objects))
        status = fit[0].get(Role.STATUS)
        values = await self._statuses(name, describe, status, rows) if status else ()
        failed, _ = _failed_values(values)
        if status and (wanted := self._failed or failed):
            only, more = await self._sample(name, describe, soql.one_of(status.name, wanted))
            notes += more
            others = tuple(row for row in rows if row.get(status.name) not in wanted)
            judged, rows = only or rows, (*only, *others)
            row_object = self._fit(describe, Scene(judged, self._objects, None, others))[0].get(Role.OBJECT)
            scene = Scene(judged, self._objects, row_object.name if row_object else None, others)
            fit = self._fit(describe, scene, status)
        return self._proposal(describe, reason, fit, rows, values, notes)

    async def _sample(
        self, name: str, describe: Describe, where: str = ""
    ) -> tuple[tuple[Mapping[str, Any], ...], tuple[str, ...]]:
        fields = ", ".join(dict.fromkeys(("Id", *map(soql.name, sampled_fields(describe)))))
        what = f"{soql.name(name)} WHERE {where}" if where else soql.name(name)
        query = f"SELECT {fields} FROM {what} LIMIT {SAMPLE}"  # noqa: S608 - names are checked by soql.name
        try:
            return tuple(await self._org.first_page(query)), ()
        except (BadInputError, RefusedError) as error:
            return (), (f"No sample rows: {error.title}",)

    async def _statuses(
        self, name: str, describe: Describe, status: Candidate, rows: Sequence[Mapping[str, Any]]
    ) -> tuple[tuple[str, str], ...]:
        """All values that the status field has, as (value, label)."""
        field = next(field for field in describe["fields"] if field["name"] == status.name)
        if listed := picklist(field):
            return tuple(listed)
        found = [str(row[status.name]) for row in rows if row.get(status.name)]
        if field.get("groupable", True):
            column = soql.name(status.name)
            query = f"SELECT {column}, COUNT(Id) FROM {soql.name(name)} GROUP BY {column} LIMIT 50"  # noqa: S608
            with suppress(BadInputError, RefusedError):  # too many rows, or not allowed: the sample has to do
                found += [str(row[column]) for row in await self._org.first_page(query) if row.get(column)]
        return tuple((value, value) for value in dict.fromkeys(found))

    def _fit(
        self, describe: Describe, scene: Scene, status: Candidate | None = None
    ) -> tuple[dict[Role, Candidate], dict[Role, tuple[Candidate, ...]]]:
        """Give each role its best field; no field has two roles."""
        ranked = {role: tuple(candidates(describe, role, scene)) for role in Role}
        chosen: dict[Role, Candidate] = {}
        for role, name in self._fixed.items():
            if name is not None:
                chosen[role] = _field_named(describe, name)
        if status is not None and Role.STATUS not in self._fixed:
            chosen[Role.STATUS] = status
        taken = {one.name for one in chosen.values()}
        offers = sorted(
            (
                (one.points, role, one)
                for role, found in ranked.items()
                if role not in chosen and role not in self._fixed
                for one in found
                if one.points >= ACCEPT
            ),
            key=lambda offer: (-offer[0], list(Role).index(offer[1]), offer[2].name),
        )
        for _, role, one in offers:
            if role not in chosen and one.name not in taken:
                chosen[role] = one
                taken.add(one.name)
        return chosen, ranked

    def _proposal(
        self,
        describe: Describe,
        reason: str,
        fit: tuple[dict[Role, Candidate], dict[Role, tuple[Candidate, ...]]],
        rows: tuple[Mapping[str, Any], ...],
        statuses: tuple[tuple[str, str], ...],
        notes: tuple[str, ...],
    ) -> Proposal:
        chosen, ranked = fit
        found = list(notes)
        if Role.PROCESSED_AT not in chosen and Role.PROCESSED_AT not in self._fixed:
            likely = [one for one in ranked[Role.PROCESSED_AT] if one.points > 0]
            stand_in = Candidate("LastModifiedDate", "Last Modified Date", "datetime", 0, "a stand-in")
            chosen[Role.PROCESSED_AT] = likely[0] if len(likely) == 1 else stand_in
            found.append(f"Not sure when an event was processed: {chosen[Role.PROCESSED_AT].name} stands in")
        if Role.CODE not in chosen:
            found.append("No field holds the status code: it is read from the message")
        if Role.SALESFORCE_ID not in chosen:
            found.append("No field holds the Salesforce ID: records are found by their StoreConnect ID")
        failed, unsure = _failed_values(statuses)
        doubts = [*self._field_doubts(chosen, ranked)]
        if self._failed:
            failed = self._failed
        elif Role.STATUS in chosen and (unsure or not failed):
            options = tuple(
                Candidate(value, label, "value", 0, standing_of(value, label)) for value, label in statuses
            )
            doubts.append(Doubt("failed", "It is not clear which status means failed", options))
        kinds, strange = self._event_types(describe, chosen, rows)
        found += [
            f"The event type '{one_line(value)[:40]}' is none of Create, Update, Delete" for value in strange
        ]
        pointed = chosen.get(Role.SALESFORCE_ID)
        return Proposal(
            object_name=str(describe.get("name")),
            object_label=one_line(str(describe.get("label") or describe.get("name"))),
            object_reason=reason,
            chosen=MappingProxyType(chosen),
            ranked=MappingProxyType(ranked),
            statuses=tuple(value for value, _ in statuses),
            failed=failed,
            pending=tuple(v for v, label in statuses if standing_of(v, label) is Standing.PENDING),
            event_types=MappingProxyType(kinds),
            pointer=RecordPointer.NONE
            if pointed is None
            else RecordPointer.LOOKUP
            if pointed.type == "reference"
            else RecordPointer.TEXT,
            record_key=RECORD_KEY,
            rows=rows,
            doubts=tuple(doubts),
            notes=tuple(dict.fromkeys(found)),
        )

    def _field_doubts(
        self, chosen: Mapping[Role, Candidate], ranked: Mapping[Role, tuple[Candidate, ...]]
    ) -> list[Doubt]:
        doubts = []
        taken = {one.name: role for role, one in chosen.items()}
        for role in Role:
            if role in self._fixed:
                continue
            best = chosen.get(role)
            if best is None:
                if role not in OPTIONAL:
                    doubts.append(Doubt(role, f"No field is clearly the {_spoken(role)}", ranked[role][:5]))
                continue
            rivals = tuple(
                one
                for one in ranked[role]
                if one.name not in taken and one.points >= ACCEPT and best.points - one.points < MARGIN
            )
            if rivals:
                doubts.append(Doubt(role, f"Several fields may be the {_spoken(role)}", (best, *rivals)))
        return doubts

    def _event_types(
        self, describe: Describe, chosen: Mapping[Role, Candidate], rows: Sequence[Mapping[str, Any]]
    ) -> tuple[dict[str, EventType], list[str]]:
        candidate = chosen.get(Role.EVENT_TYPE)
        field = next(
            (one for one in describe.get("fields", ()) if candidate and one["name"] == candidate.name), None
        )
        if field is None:
            return {}, []
        seen = dict.fromkeys(str(row[field["name"]]) for row in rows if row.get(field["name"]))
        spoken = dict(picklist(field)) | {
            value: value for value in seen if value not in dict(picklist(field))
        }
        kinds = {value: kind for value, label in spoken.items() if (kind := event_type_of(value, label))}
        return kinds, [value for value in spoken if value not in kinds]

    async def _finished(self, proposal: Proposal) -> Proposal:
        """Find the field by which a record is found, on an object that the rows name."""
        field = proposal.chosen.get(Role.OBJECT)
        named = [str(row.get(field.name)) for row in proposal.rows if row.get(field.name)] if field else []
        likely = [
            name for name in dict.fromkeys((*named, "Account", "Order", "Contact")) if name in self._objects
        ]
        key, why = await self._record_key(likely[:4])
        return replace(proposal, record_key=key, notes=(*proposal.notes, *([why] if why else [])))

    async def _record_key(self, objects: Sequence[str]) -> tuple[str, str]:
        for name in objects:
            try:
                describe = await self._org.describe(name)
            except SyncErrError:
                continue  # one that this user does not see says nothing
            if key := _record_key_of(describe):
                other = f"Records carry their StoreConnect ID in {key}" if key != RECORD_KEY else ""
                return key, other
        return RECORD_KEY, f"No object shown to this user has {RECORD_KEY}: outcomes could not be proven"


def _record_key_of(describe: Describe) -> str | None:
    fields = [field for field in describe.get("fields", ()) if field.get("type") == "string"]
    names = [str(field["name"]) for field in fields]
    if RECORD_KEY in names:
        return RECORD_KEY
    for field in fields:
        said = f"{bare(str(field['name']))} {field.get('label') or ''}"
        if field.get("externalId") and mentions(words(said), ("storeconnect", "sc id", "s c id")):
            return str(field["name"])
    return None


def _failed_values(statuses: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], bool]:
    """The values that mean failed, and whether that is in doubt."""
    plain = tuple(value for value, label in statuses if standing_of(value, label) is Standing.FAILED)
    if plain:
        return plain, False
    perhaps = tuple(value for value, label in statuses if standing_of(value, label) is Standing.PERHAPS)
    return perhaps, bool(perhaps)


def _may_be_data(one: Mapping[str, Any]) -> bool:
    name = str(one["name"])
    return (
        bool(one.get("queryable", True))
        and not one.get("deprecatedAndHidden")
        and not one.get("customSetting")
        and bool(one.get("custom", name.endswith("__c")))
        and not name.endswith(_NOT_DATA)
    )


def _hinted(one: Mapping[str, Any]) -> int:
    said = {*words(bare(str(one["name"]))), *words(str(one.get("label") or ""))}
    return sum(1 for word in said if any(hint in word for hint in OBJECT_HINTS))


def _object_reason(points: int) -> str:
    if points >= 100:
        return "the name that StoreConnect uses"
    return "its name sounds like it" if points >= 40 else "its shape, not its name"


def _field_named(describe: Describe, name: str) -> Candidate:
    for field in describe.get("fields", ()):
        if field.get("name") == name:
            label = one_line(str(field.get("label") or name))
            return Candidate(name, label, str(field.get("type")), 1000, "named by a person")
    raise BadInputError(
        f"{one_line(str(describe.get('name')))} has no field {one_line(name)[:80]} that this user sees",
        "Check its API name, and the user's permission to read it",
    )


def _spoken(role: Role) -> str:
    return (
        role.value.replace("_", " ")
        .replace("id", "ID")
        .replace("storeconnect", "StoreConnect")
        .replace("salesforce", "Salesforce")
    )


async def _gather(some: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    return list(await asyncio.gather(*some))
