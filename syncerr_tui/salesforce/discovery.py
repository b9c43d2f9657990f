"""Finds out what an org calls things: the change event object, its fields, the values that mean failed.

Nothing is taken for granted: the one published name is only where the search begins, and an object has to
have the shape of a list of failed changes whatever it is called. Where two answers are close the proposal
carries a doubt, and a doubt is settled by a person, never by order of the alphabet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.faults import WayBlockedError
from syncerr_tui.salesforce.profiles import OPTIONAL, FieldMapping, FieldRole
from syncerr_tui.salesforce.proposal import (
    NOTHING_NAMED,
    THE_OBJECT,
    Ambiguity,
    Overrides,
    Proposal,
    fit,
    meanings,
    propose,
    record_key_of,
)
from syncerr_tui.salesforce.reading import status_values
from syncerr_tui.salesforce.responses import WrongShapeError
from syncerr_tui.salesforce.scoring import (
    MARGIN,
    Candidate,
    Describe,
    Rows,
    Sample,
    Values,
    object_points,
    picklist,
    sampled_fields,
    shaped_like_it,
)
from syncerr_tui.salesforce.vocabulary import (
    OBJECT_HINTS,
    RECORD_KEY,
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
KNOWN_NAME = 100
"""Points of the one name that is published, in whichever package."""
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
    proposal = await (
        search.best(listed) if overrides.object_name is None else search.named(overrides.object_name)
    )
    return await search.with_record_key(proposal)


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


Judged = tuple[Candidate, Proposal]
"""An object as an option, with all its points; and what is proposed for it."""


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
        return await self._propose(await self._org.describe(object_name), "named by a person")

    async def best(self, listed: Sequence[Mapping[str, Any]]) -> Proposal:
        judged: list[Judged] = []
        points: dict[str, int] = {}
        for names in _rounds(listed):
            points |= names
            looked_at = await asyncio.gather(*(self._judge(*one) for one in names.items()))
            judged += filter(None, looked_at)
            judged.sort(key=lambda one: (-one[0].points, one[0].name))
            if judged and points[judged[0][0].name] >= SURE_NAME:
                break
        if not judged:
            raise BadInputError(
                "Nothing in this org looks like StoreConnect's change events",
                "Check that the package is installed and that this user may read its change events; "
                "or name the object with 'syncerr-tui setup --object'",
            )
        best, proposal = judged[0]
        close = tuple(one for one, _ in judged if best.points - one.points < 2 * MARGIN)
        if len(close) == 1:
            return proposal
        doubt = Ambiguity(THE_OBJECT, "Several objects look like change events", close)
        return replace(proposal, doubts=(doubt, *proposal.doubts))

    async def _judge(self, name: str, points: int) -> Judged | None:
        """An object with all its points; None where it has not the shape of change events."""
        try:
            describe = await self._org.describe(name)
            if not shaped_like_it(describe):
                return None
            proposal = await self._propose(describe, _object_reason(points))
        except WayBlockedError:
            raise
        except (RefusedError, WrongShapeError):
            return None  # hidden from this user or unreadable, so it cannot be the one to work with
        lacking = [role for role in FieldRole if role not in OPTIONAL and role not in proposal.chosen]
        shape = sum(min(one.points, 100) for one in proposal.chosen.values())
        option = Candidate(name, proposal.object_label, "object", points + shape // 4, proposal.object_reason)
        return (option, proposal) if len(lacking) <= 1 else None

    async def _propose(self, describe: Describe, reason: str) -> Proposal:
        rows, notes = await self._sample(describe)
        sample = Sample(describe, self._objects, rows, notes=notes)
        fields = fit(sample, self._overrides)
        status, row_object = (fields.chosen.get(role) for role in (FieldRole.STATUS, FieldRole.OBJECT))
        sample = replace(
            sample,
            statuses=await self._values(describe, status, rows),
            object_field=row_object.name if row_object else None,
        )
        if status and (failed := meanings(sample.statuses, self._overrides).failed):
            sample = await self._by_failure(sample, status, failed)
            fields = fit(sample, self._overrides, status)
        kind, every_row = fields.chosen.get(FieldRole.EVENT_TYPE), (*sample.rows, *sample.others)
        sample = replace(sample, kinds=await self._values(describe, kind, every_row))
        return propose(sample, fields, self._overrides, reason)

    async def _by_failure(self, sample: Sample, status: Candidate, failed: Sequence[str]) -> Sample:
        """With the failed rows apart from the others, and more of them where the org finds them."""

        def fails(row: Mapping[str, Any]) -> bool:
            return not {*failed}.isdisjoint(status_values(row.get(status.name), status.type))

        rows, notes = tuple(filter(fails, sample.rows)), sample.notes
        others = tuple(row for row in sample.rows if not fails(row))
        if status.filterable:
            rows, more = await self._sample(sample.describe, soql.one_of(status.name, failed, status.type))
            notes += more
        return replace(sample, rows=rows or sample.rows, others=others if rows else (), notes=notes)

    async def _sample(self, describe: Describe, where: str = "") -> tuple[Rows, tuple[str, ...]]:
        """Rows with every field that may have a role; and what is said where none can be read."""
        name = soql.name(str(describe["name"]))
        what = f"{name} WHERE {where}" if where else name
        parts = list(_parts(map(soql.name, sampled_fields(describe))))
        try:
            rows = await self._org.first_page(_select(parts[0], f"{what} LIMIT {SAMPLE}"))
            ids = [row["Id"] for row in rows if isinstance(row.get("Id"), str)]
            wider: dict[str, dict[str, Any]] = {row["Id"]: dict(row) for row in rows if row.get("Id") in ids}
            for fields in parts[1:] if ids else ():
                query = _select(fields, f"{name} WHERE {soql.one_of('Id', ids)} LIMIT {SAMPLE}")
                for row in await self._org.first_page(query):
                    wider.get(str(row.get("Id")), {}).update(row)
        except (BadInputError, RefusedError) as error:
            return (), (f"No sample rows: {error.title}",)
        return tuple(wider.values()) or tuple(rows), ()

    async def _values(self, describe: Describe, chosen: Candidate | None, rows: Rows) -> Values:
        """All values that a field has, as (value, label): those of its picklist, and those that rows hold."""
        if chosen is None:
            return ()
        field = next(field for field in describe["fields"] if field["name"] == chosen.name)
        if chosen.type == "boolean":
            return (("true", chosen.label), ("false", f"not {chosen.label}"))
        listed = dict(picklist(field))
        values = [one for row in rows for one in status_values(row.get(chosen.name), chosen.type)]
        if not listed and field.get("groupable", True):
            column = soql.name(chosen.name)
            query = (
                f"SELECT {column}, COUNT(Id) FROM {soql.name(str(describe['name']))} "  # noqa: S608
                f"GROUP BY {column} LIMIT 50"
            )
            with suppress(BadInputError, RefusedError):  # too many rows, or not allowed: the sample has to do
                for row in await self._org.first_page(query):
                    values += status_values(row.get(column), chosen.type)
        return tuple((listed | {value: value for value in values if value not in listed}).items())

    async def with_record_key(self, proposal: Proposal) -> Proposal:
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


def _rounds(listed: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, int]]:
    """Objects with the points of their names: the known name is looked at alone; what sounds right next; the
    others where nothing fits, or something whose name says little.
    """
    likely = {str(one["name"]): one for one in listed if _may_be_data(one)}
    points = {name: object_points(name, str(one.get("label") or "")) for name, one in likely.items()}
    hinted = {name: _hinted(one) for name, one in likely.items()}
    ranked = sorted(likely, key=lambda name: (-points[name], -hinted[name], name))
    most = max(points.values(), default=0)
    known = [name for name in ranked if points[name] == most >= KNOWN_NAME]
    sounding = [name for name in ranked if name not in known and (points[name] or hinted[name])][:FIRST_LOOK]
    others = [name for name in ranked if name not in {*known, *sounding}][:LONG_LOOK]
    for names in (known, sounding, others):
        yield {name: points[name] for name in names}


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
    if points >= KNOWN_NAME:
        return "the name that StoreConnect uses"
    return "its name sounds like it" if points >= 40 else "its shape, not its name"
