"""The names of one org's change events: the profile's, checked against the org, or discovered now."""

from __future__ import annotations

from contextlib import suppress

from syncerr_tui.errors import RefusedError, SyncErrError
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.faults import WayBlockedError
from syncerr_tui.salesforce.profiles import FieldMapping, OrgProfile

_SYSTEM = frozenset({"Id", "CreatedDate", "LastModifiedDate", "SystemModstamp", "Name"})
_AGAIN = "Run 'syncerr-tui setup' to map this org's names again"


async def mapping_for(client: ApiClient, profile: OrgProfile) -> FieldMapping:
    """The mapping to work with. Nothing in doubt is ever used.

    Raises:
        BadInputError: Discovery could not decide; a person has to choose in setup.
        RefusedError: The org no longer has what the profile names: a package upgrade may have renamed it.
    """
    if profile.mapping is None:
        from syncerr_tui.salesforce.discovery import discover

        return (await discover(client)).mapping()
    await _still_fits(client, profile.mapping)
    return profile.mapping


async def _still_fits(client: ApiClient, mapping: FieldMapping) -> None:
    try:
        described = await client.describe(mapping.object_name)
    except WayBlockedError:
        raise
    except RefusedError as error:
        raise RefusedError(
            f"The object {mapping.object_name} is gone, or this user no longer sees it",
            f"{error.hint} If a package upgrade renamed it: {_AGAIN}",
        ) from None
    fields = _fields(described)
    missing = [name for name in mapping.fields if name not in fields and name not in _SYSTEM]
    if missing:
        raise RefusedError(
            f"{mapping.object_name} no longer has {', '.join(missing)}: a package upgrade may have renamed "
            f"it{await _guess(client, mapping)}, or this user lost the right to see it",
            _AGAIN,
        )
    values = _active_values(fields.get(mapping.status, {}))
    if values and not values.intersection(mapping.failed):
        raise RefusedError(
            f"{mapping.status} no longer has the value {', '.join(mapping.failed)} that means failed", _AGAIN
        )


async def _guess(client: ApiClient, mapping: FieldMapping) -> str:
    """What the missing fields may be called now, for the message only: it is never worked with."""
    from syncerr_tui.salesforce.discovery import successors

    with suppress(SyncErrError):
        found = [name for name in (await successors(client, mapping)).values() if name]
        return f" to {', '.join(found)}" if found else ""
    return ""


def _fields(described: Row) -> dict[str, Row]:
    fields = described.get("fields")
    named = [one for one in fields if isinstance(one, dict)] if isinstance(fields, list) else []
    return {str(one.get("name")): one for one in named}


def _active_values(field: Row) -> set[str]:
    """Values of a restricted picklist; empty where any text may stand."""
    values = field.get("picklistValues")
    if not field.get("restrictedPicklist") or not isinstance(values, list):
        return set()
    return {str(one.get("value")) for one in values if isinstance(one, dict)}
