"""Open a connection to an org: log in, see which org it is, map its names, bind the method of re-sync."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from syncerr_tui.errors import RefusedError, SyncErrError
from syncerr_tui.model import OrgIdentity
from syncerr_tui.salesforce.client import ApiClient, ClientOptions, Row
from syncerr_tui.salesforce.concurrency import TokenProvider
from syncerr_tui.salesforce.faults import WayBlockedError
from syncerr_tui.salesforce.identity import choose_version, identify
from syncerr_tui.salesforce.methods import ResyncMethod
from syncerr_tui.salesforce.methods.button import ButtonResync
from syncerr_tui.salesforce.methods.published import ActionResync, ApexRestResync, FieldResync, GuidedResync
from syncerr_tui.salesforce.profiles import (
    ApexMethod,
    ApexRestMethod,
    ButtonMethod,
    FieldMapping,
    FieldMethod,
    FlowMethod,
    GuidedMethod,
    OrgProfile,
)
from syncerr_tui.salesforce.reading import EventReader
from syncerr_tui.salesforce.request_executor import API_VERSION
from syncerr_tui.salesforce.session import OrgSession

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
    fields = {field["name"]: field for field in described["fields"]}
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
        names = [name for name in (await successors(client, mapping)).values() if name]
        return f" to {', '.join(names)}" if names else ""
    return ""


def _active_values(field: Row) -> set[str]:
    """Values of a restricted picklist; empty where any text may stand."""
    if not field.get("restrictedPicklist"):
        return set()
    return {str(one.get("value")) for one in field["picklistValues"]}


async def connect(
    profile: OrgProfile, tokens: TokenProvider, options: ClientOptions | None = None
) -> OrgSession:
    """Open a connection. Nothing in the org is changed.

    Args:
        profile: How this org is to be treated.
        tokens: Where the access token comes from.
        options: Bounds of the wire; concurrency, reserve and version are the profile's.

    Raises:
        NotLoggedInError: The login was refused.
        UnreachableError: Nobody answered, or not in Salesforce's language.
        RefusedError: It is another org than the profile's, or its names are in doubt.
    """
    client = open_client(profile, tokens, options)
    try:
        if not profile.api_version:
            await choose_version(client)
        identity = await identify(client, profile.name)
        _same_org(profile, identity)
        mapping = await mapping_for(client, profile)
    except BaseException:
        await client.close()
        raise
    method = method_for(profile, client, mapping)
    return OrgSession(client, identity, EventReader(mapping), method, profile)


def open_client(
    profile: OrgProfile, tokens: TokenProvider, options: ClientOptions | None = None
) -> ApiClient:
    """The client alone, with the profile's settings: for setup and doctor, which look before they trust."""
    return ApiClient(
        tokens,
        replace(
            options or ClientOptions(),
            concurrency=profile.concurrency,
            api_reserve=profile.api_reserve,
            api_version=profile.api_version or API_VERSION,
        ),
    )


def _same_org(profile: OrgProfile, identity: OrgIdentity) -> None:
    if profile.org_id and profile.org_id[:15] != identity.org_id[:15]:
        raise RefusedError(
            f"The login leads to org {identity.org_id}, but the profile {profile.name} was made for "
            f"{profile.org_id}",
            "Log in to the right org, or run 'syncerr-tui setup' for a new profile",
        )


def method_for(profile: OrgProfile, client: ApiClient, mapping: FieldMapping) -> ResyncMethod:
    size, concurrency = profile.batch_size, profile.concurrency
    match profile.method:
        case ApexMethod() | FlowMethod() as method:
            return ActionResync(client, method, batch_size=size, concurrency=concurrency)
        case ApexRestMethod() as method:
            return ApexRestResync(client, method, batch_size=size, concurrency=concurrency)
        case ButtonMethod() as method:
            return ButtonResync(client, method, batch_size=size)
        case FieldMethod() as method:
            return FieldResync(client, method, mapping, batch_size=size, concurrency=concurrency)
        case GuidedMethod() as method:
            return GuidedResync(client, method, batch_size=size)
