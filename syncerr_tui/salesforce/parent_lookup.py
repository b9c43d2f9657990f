"""The parents of failed records, as the org has them: evidence for the graph of causes.

A record that exists in Salesforce has lookups. Where one leads to a record that carries a StoreConnect ID,
and that ID is in the list of failures too, the link is a fact and not a guess. One query for each object and
400 records; what the org does not let us see is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from syncerr_tui.diagnosis.evidence import ParentRef
from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.model import SyncError, chunks
from syncerr_tui.resync.org import Org
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.soql import to_18
from syncerr_tui.text import one_line

_MOST_ROWS = 8000
_MOST_LOOKUPS = 20
"""A query may follow 55 relationships; more than a few failing parents at once do not occur."""


async def present_parents(org: Org, parents: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Which of these records (object, StoreConnect ID) are in Salesforce by now: for `CauseGraph.present`.

    One query for each object and some hundred records; at most `_MOST_ROWS` are asked for. What the org does
    not let us see counts as absent.

    Raises:
        NotLoggedInError, UnreachableError: as everywhere.
    """
    by_object: dict[str, list[str]] = {}
    for name, storeconnect_id in sorted(parents)[:_MOST_ROWS]:
        by_object.setdefault(name, []).append(storeconnect_id)
    present: set[tuple[str, str]] = set()
    for name, ids in by_object.items():
        try:
            found_records = await org.find_records(name, ids)
        except (BadInputError, RefusedError):
            continue
        present |= {(name, storeconnect_id) for storeconnect_id in ids if found_records.get(storeconnect_id)}
    return frozenset(present)


@dataclass(frozen=True, slots=True)
class _Lookup:
    field: str
    relationship: str
    target: str


async def parents_in_org(
    client: ApiClient, errors: Iterable[SyncError], *, failing: Iterable[str], record_key: str
) -> Mapping[str, tuple[ParentRef, ...]]:
    """For each error whose record exists: which records it hangs on, by StoreConnect ID.

    Args:
        client: The org.
        errors: Failed errors; those without a Salesforce id, and those behind `_MOST_ROWS`, are left out.
        failing: Objects that occur in the list of failures: only a failing parent explains anything.
        record_key: API name of the field that holds a record's StoreConnect ID.

    Raises:
        NotLoggedInError, UnreachableError: as everywhere.
    """
    by_object: dict[str, list[SyncError]] = {}
    for error in [error for error in errors if error.salesforce_id][:_MOST_ROWS]:
        by_object.setdefault(error.object, []).append(error)
    targets = frozenset(failing)
    parts = [_of_object(client, name, some, targets, record_key) for name, some in by_object.items()]
    return {key: refs for part in await asyncio.gather(*parts) for key, refs in part.items()}


async def _of_object(
    client: ApiClient, object_name: str, errors: Sequence[SyncError], targets: frozenset[str], record_key: str
) -> dict[str, tuple[ParentRef, ...]]:
    try:
        lookups = _lookups(await client.describe(object_name), targets)
        if not lookups:
            return {}
        paths = ", ".join(soql.path(f"{lookup.relationship}.{record_key}") for lookup in lookups)
        select = f"SELECT Id, {paths} FROM {soql.name(object_name)} WHERE "  # noqa: S608 - checked names
        ids = list(dict.fromkeys(error.salesforce_id for error in errors if error.salesforce_id))
        answers = await asyncio.gather(
            *(client.query_all(select + soql.one_of("Id", some)) for some in chunks(ids, soql.IDS_PER_QUERY))
        )
    except (RefusedError, BadInputError):
        return {}
    rows = {key: row for answer in answers for row in answer if (key := to_18(row.get("Id")))}
    parents = {}
    for error in errors:
        refs = tuple(_refs(rows.get(error.salesforce_id or "", {}), lookups, record_key))
        if refs:
            parents[error.id] = refs
    return parents


def _lookups(described: Row, targets: frozenset[str]) -> list[_Lookup]:
    """Lookups to exactly one object, and one that fails too. `Owner` and its like lead to no store record."""
    lookups = [
        _Lookup(field["name"], field["relationshipName"], field["referenceTo"][0])
        for field in described["fields"]
        if len(field["referenceTo"]) == 1
        and field["referenceTo"][0] in targets
        and isinstance(field.get("relationshipName"), str)
    ]
    return lookups[:_MOST_LOOKUPS]


def _refs(row: Row, lookups: Sequence[_Lookup], record_key: str) -> Iterable[ParentRef]:
    for lookup in lookups:
        parent = row.get(lookup.relationship)
        value = parent.get(record_key) if isinstance(parent, dict) else None
        if isinstance(value, str) and value:
            yield ParentRef(lookup.target, one_line(value), lookup.field)
