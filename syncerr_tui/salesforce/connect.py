"""Open a connection to an org: log in, see which org it is, map its names, bind the method of re-sync."""

from __future__ import annotations

from dataclasses import replace

from syncerr_tui.errors import RefusedError
from syncerr_tui.model import OrgIdentity
from syncerr_tui.salesforce.client import ApiClient, ClientOptions
from syncerr_tui.salesforce.identity import choose_version, identify
from syncerr_tui.salesforce.mapping import mapping_for
from syncerr_tui.salesforce.methods import ResyncMethod
from syncerr_tui.salesforce.methods.action import ActionResync
from syncerr_tui.salesforce.methods.apexrest import ApexRestResync
from syncerr_tui.salesforce.methods.button import ButtonResync
from syncerr_tui.salesforce.methods.field import FieldResync
from syncerr_tui.salesforce.methods.guided import GuidedResync
from syncerr_tui.salesforce.profiles import (
    ApexMethod,
    ApexRestMethod,
    ButtonMethod,
    FieldMapping,
    FieldMethod,
    FlowMethod,
    OrgProfile,
)
from syncerr_tui.salesforce.reading import EventReader
from syncerr_tui.salesforce.request_executor import API_VERSION
from syncerr_tui.salesforce.session import OrgSession
from syncerr_tui.salesforce.tokens import TokenProvider


async def connect(
    profile: OrgProfile, tokens: TokenProvider, options: ClientOptions | None = None
) -> OrgSession:
    """Open a connection. Nothing in the org is changed.

    Args:
        profile: How this org is to be treated.
        tokens: Where the access token comes from.
        options: Bounds of the wire; lanes, reserve and version are the profile's.

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
            lanes=profile.lanes,
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
    """The method that the profile names."""
    size, lanes = profile.batch_size, profile.lanes
    method = profile.method
    if isinstance(method, ApexMethod | FlowMethod):
        return ActionResync(client, method, batch_size=size, lanes=lanes)
    if isinstance(method, ApexRestMethod):
        return ApexRestResync(client, method, batch_size=size, lanes=lanes)
    if isinstance(method, ButtonMethod):
        return ButtonResync(client, method, batch_size=size)
    if isinstance(method, FieldMethod):
        return FieldResync(client, method, mapping, batch_size=size, lanes=lanes)
    return GuidedResync(client, method, batch_size=size)
