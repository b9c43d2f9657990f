"""Finds out what an org calls things: the change event object, its fields, the values that mean failed.

Nothing is taken for granted: the one published name is only where the search begins, and an object has to
have the shape of a list of failed changes whatever it is called. Where two answers are close the proposal
carries a doubt, and a doubt is settled by a person, never by order of the alphabet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.faults import WayBlockedError
from syncerr_tui.salesforce.profiles import FieldMapping
from syncerr_tui.salesforce.proposal import (
    NOTHING_NAMED,
    THE_OBJECT,
    Ambiguity,
    Assignment,
    Overrides,
    Proposal,
    ReadSample,
    failed_values,
    fit,
    propose,
    record_key_of,
)
from syncerr_tui.salesforce.reading import status_values
from syncerr_tui.salesforce.responses import WrongShapeError
from syncerr_tui.salesforce.scoring import (
    MARGIN,
    Candidate,
    Describe,
    Sample,
    object_points,
    picklist,
    sampled_fields,
    shaped_like_it,
)
from syncerr_tui.salesforce.vocabulary import (
    OBJECT_HINTS,
    OPTIONAL,
    RECORD_KEY,
    FieldRole,
    bare,
    words,
)
from syncerr_tui.text import one_line

SAMPLE = 100
"""Rows looked at, before and after the failed ones are known. About 200 kB with long messages."""
FIRST_LOOK = 25
LONG_LOOK = 150
"""Objects described: those that sound right, and all others where none of these fits well."""
_NAMES = 8_000
"""Bytes of field names in one query: address and headers may have 16,384, and 100 ids take 3,000 of them."""
SURE_NAME = 60
"""Points of a name from which the other objects are left alone."""
_NOT_DATA = ("__ChangeEvent", "__Share", "__History", "__Feed", "__Tag", "__mdt", "__e", "__x", "__Kav")


class Describes(Protocol):
    """What discovery asks of an org. `ApiClient` is one; tests make their own."""

    async def describe_global(self) -> list[dict[str, Any]]: ...

    async def describe(self, object_name: str) -> dict[str, Any]: ...

    async def first_page(self, query: str) -> list[dict[str, Any]]: ...


async def discover(org: Describes, overrides: Overrides = NOTHING_NAMED) -> Proposal:
    """Look at the org and propose a mapping.

    Args:
        org: Where to look.
        overrides: What a person has named.

    Raises:
        BadInputError: A named object or field is not there, or nothing looks like change events.
        SyncErrError: As the org answers.
    """
    listed = [one for one in await org.describe_global() if isinstance(one.get("name"), str)]
    objects = {str(one["name"]): str(one.get("keyPrefix") or "") for one in listed}
    search = _Search(org, objects, overrides)
    return await (
        search.best(listed) if overrides.object_name is None else search.named(overrides.object_name)
    )


async def successors(org: Describes, mapping: FieldMapping) -> dict[str, str]:
    """Mapped fields that the org no longer has, and what looks like the successor of each (may be empty).

    Raises:
        SyncErrError: As the org answers.
    """
    described = await org.describe(mapping.object_name)
    there = {None, *(str(field["name"]) for field in described.get("fields", ()))}
    missing = {role: name for role in FieldRole if (name := getattr(mapping, role.value)) not in there}
    if not missing:
        return {}
    proposal = await discover(
        org, Overrides.of(mapping, *(role for role in FieldRole if role not in missing))
    )
    return {
        name: field.name if (field := proposal.chosen.get(role)) and field.name in there else ""
        for role, name in missing.items()
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
    def __init__(self, org: Describes, objects: Mapping[str, str], overrides: Overrides) -> None:
        self._org = org
        self._objects = objects
        self._overrides = overrides

    async def named(self, object_name: str) -> Proposal:
        if object_name not in self._objects:
            raise BadInputError(
                f"This org has no object {one_line(object_name)[:80]}, or this user does not see it",
                "Check its API name, and the user's permission to read it",
            )
        proposal = await self._propose(object_name, "named by a person")
        return await self._finished(proposal)

    async def best(self, listed: Sequence[Mapping[str, Any]]) -> Proposal:
        likely = [one for one in listed if _may_be_data(one)]
        ranked = sorted(
            ((object_points(str(one["name"]), str(one.get("label") or "")), one) for one in likely),
            key=lambda pair: (-pair[0], -_hinted(pair[1]), str(pair[1]["name"])),
        )
        first = [(points, one) for points, one in ranked if points or _hinted(one)][:FIRST_LOOK]
        judged = await self._judged(first)
        if not judged or judged[0].named < SURE_NAME:
            # Nothing here, or something whose name says little: a look at the others may show a better one.
            seen = {one["name"] for _, one in first}
            rest = [pair for pair in ranked if pair[1]["name"] not in seen][:LONG_LOOK]
            judged = sorted((*judged, *await self._judged(rest)))
        if not judged:
            raise BadInputError(
                "Nothing in this org looks like StoreConnect's change events",
                "Check that the package is installed and that this user may read its change events; "
                "or name the object with 'syncerr-tui setup --object'",
            )
        best, *others = judged
        close = [one for one in others if best.points - one.points < 2 * MARGIN]
        proposal = best.proposal
        if close:
            options = tuple(one.as_option() for one in (best, *close))
            doubt = Ambiguity(THE_OBJECT, "Several objects look like change events", options)
            proposal = replace(proposal, doubts=(doubt, *proposal.doubts))
        return await self._finished(proposal)

    async def _judged(self, some: Sequence[tuple[int, Mapping[str, Any]]]) -> list[_Judged]:
        """The objects of some that have the shape of change events, with their points, best first."""

        async def judge(points: int, name: str) -> _Judged | None:
            try:
                proposal = await self._propose(name, _object_reason(points))
            except WayBlockedError:
                raise
            except (RefusedError, WrongShapeError):
                return None  # hidden from this user or unreadable, so it cannot be the one to work with
            shape = sum(min(proposal.chosen[role].points, 100) for role in proposal.chosen)
            fits = sum(1 for role in FieldRole if role not in OPTIONAL and role in proposal.chosen)
            enough = fits >= len(FieldRole) - len(OPTIONAL) - 1
            return _Judged(points + shape // 4, points, proposal) if enough else None

        known = [pair for pair in some if pair[0] == max((points for points, _ in some), default=0) >= 100]
        if len(known) == 1 and (only := await judge(known[0][0], str(known[0][1]["name"]))):
            return [only]
        judged = await asyncio.gather(*(judge(points, str(one["name"])) for points, one in some))
        return sorted(one for one in judged if one)

    async def _propose(self, name: str, reason: str) -> Proposal:
        describe, overrides = await self._org.describe(name), self._overrides
        if not shaped_like_it(describe):
            return propose(
                describe, reason, Assignment({}, dict.fromkeys(FieldRole, ())), overrides, ReadSample()
            )
        rows, notes = await self._sample(name, describe)
        fits = fit(describe, overrides, Sample(rows, self._objects))
        status = fits.chosen.get(FieldRole.STATUS)
        statuses = await self._values(describe, status, rows)
        if status and (failed := overrides.failed or failed_values(statuses)[0]):
            failing = [bool({*status_values(row.get(status.name), status.type)} & {*failed}) for row in rows]
            others = tuple(row for row, fails in zip(rows, failing, strict=True) if not fails)
            only = tuple(row for row, fails in zip(rows, failing, strict=True) if fails)
            if status.filterable:
                only, more = await self._sample(name, describe, soql.one_of(status.name, failed, status.type))
                notes += more
            judged, rows = only or rows, (*only, *others)
            first = fit(describe, overrides, Sample(judged, self._objects, None, others))
            row_object = first.chosen.get(FieldRole.OBJECT)
            scene = Sample(judged, self._objects, row_object.name if row_object else None, others)
            fits = fit(describe, overrides, scene, status)
        kinds = await self._values(describe, fits.chosen.get(FieldRole.EVENT_TYPE), rows)
        return propose(describe, reason, fits, overrides, ReadSample(rows, statuses, kinds, notes))

    async def _sample(
        self, name: str, describe: Describe, where: str = ""
    ) -> tuple[tuple[Mapping[str, Any], ...], tuple[str, ...]]:
        what = f"{soql.name(name)} WHERE {where}" if where else soql.name(name)
        parts = list(_parts(map(soql.name, sampled_fields(describe))))
        try:
            rows = await self._org.first_page(_select(parts[0], f"{what} LIMIT {SAMPLE}"))
            ids = [row["Id"] for row in rows if isinstance(row.get("Id"), str)]
            wider: dict[str, dict[str, Any]] = {row["Id"]: dict(row) for row in rows if row.get("Id") in ids}
            for fields in parts[1:] if ids else ():
                query = _select(fields, f"{soql.name(name)} WHERE {soql.one_of('Id', ids)} LIMIT {SAMPLE}")
                for row in await self._org.first_page(query):
                    wider.get(str(row.get("Id")), {}).update(row)
        except (BadInputError, RefusedError) as error:
            return (), (f"No sample rows: {error.title}",)
        return tuple(wider.values()) or tuple(rows), ()

    async def _values(
        self, describe: Describe, chosen: Candidate | None, rows: Sequence[Mapping[str, Any]]
    ) -> tuple[tuple[str, str], ...]:
        """All values that a field has, as (value, label): those of its picklist, and those that rows hold."""
        if chosen is None:
            return ()
        field = next(field for field in describe["fields"] if field["name"] == chosen.name)
        if chosen.type == "boolean":
            return (("true", chosen.label), ("false", f"not {chosen.label}"))
        listed = dict(picklist(field))
        seen = [one for row in rows for one in status_values(row.get(chosen.name), chosen.type)]
        if not listed and field.get("groupable", True):
            column = soql.name(chosen.name)
            query = (
                f"SELECT {column}, COUNT(Id) FROM {soql.name(str(describe['name']))} "  # noqa: S608
                f"GROUP BY {column} LIMIT 50"
            )
            with suppress(BadInputError, RefusedError):  # too many rows, or not allowed: the sample has to do
                for row in await self._org.first_page(query):
                    seen += status_values(row.get(column), chosen.type)
        return tuple((listed | {value: value for value in seen if value not in listed}).items())

    async def _finished(self, proposal: Proposal) -> Proposal:
        """Find the field by which a record is found, on an object that the rows name."""
        field = proposal.chosen.get(FieldRole.OBJECT)
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
            except WayBlockedError:
                raise
            except RefusedError:
                continue  # one that this user does not see says nothing
            if key := record_key_of(describe):
                other = f"Records carry their StoreConnect ID in {key}" if key != RECORD_KEY else ""
                return key, other
        return RECORD_KEY, f"No object shown to this user has {RECORD_KEY}: outcomes could not be proven"


def _parts(fields: Iterable[str]) -> Iterator[list[str]]:
    """Fields in portions whose names fit into one query."""
    part, size = ["Id"], 0
    for name in dict.fromkeys(fields):
        if size + len(name) > _NAMES:
            yield part
            part, size = ["Id"], 0
        part.append(name)
        size += len(name) + 4  # ", " as it stands in an address
    yield part


def _select(fields: Sequence[str], what: str) -> str:
    return f"SELECT {', '.join(fields)} FROM {what}"  # noqa: S608 - names are checked by soql.name


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
    tokens = {*words(bare(str(one["name"]))), *words(str(one.get("label") or ""))}
    return sum(1 for word in tokens if any(hint in word for hint in OBJECT_HINTS))


def _object_reason(points: int) -> str:
    if points >= 100:
        return "the name that StoreConnect uses"
    return "its name sounds like it" if points >= 40 else "its shape, not its name"
