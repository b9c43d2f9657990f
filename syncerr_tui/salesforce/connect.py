"""Open a connection to an org: log in, see which org it is, map its names, bind the method of re-sync."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from syncerr_tui.errors import RefusedError
from syncerr_tui.model import Environment, OrgIdentity, SyncError
from syncerr_tui.salesforce.checks import Check
from syncerr_tui.salesforce.client import ClientOptions, LocatorLostError, OrgClient
from syncerr_tui.salesforce.connection import ApiUsage
from syncerr_tui.salesforce.courier import API_VERSION
from syncerr_tui.salesforce.demo_fix import DemoFixes
from syncerr_tui.salesforce.identity import choose_version, identify
from syncerr_tui.salesforce.mapping import mapping_for
from syncerr_tui.salesforce.methods import DryRunRequest, ResyncMethod, method_for
from syncerr_tui.salesforce.org import SalesforceOrg
from syncerr_tui.salesforce.profiles import OrgProfile
from syncerr_tui.salesforce.reading import EventReader, Place
from syncerr_tui.salesforce.relations import parents_in_org
from syncerr_tui.salesforce.tokens import TokenProvider

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.victims import ParentRef


async def connect(
    profile: OrgProfile, tokens: TokenProvider, options: ClientOptions | None = None
) -> SalesforceConnection:
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
    return SalesforceConnection(client, identity, EventReader(mapping), method, profile)


def open_client(
    profile: OrgProfile, tokens: TokenProvider, options: ClientOptions | None = None
) -> OrgClient:
    """The client alone, with the profile's settings: for setup and doctor, which look before they trust."""
    return OrgClient(
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


class SalesforceConnection:
    """One open org: `salesforce.connection.LiveConnection` over HTTP."""

    def __init__(
        self,
        client: OrgClient,
        identity: OrgIdentity,
        reader: EventReader,
        method: ResyncMethod,
        profile: OrgProfile,
    ) -> None:
        self.client = client
        """For what has no name of its own here: queries, describe, tooling."""
        self.identity = identity
        self.method = method
        self.profile = profile
        self.org = SalesforceOrg(client, identity, reader, method, sync_user=profile.sync_user)
        self.demo_fixes = DemoFixes(client) if identity.environment is Environment.DEMO else None
        self._reader = reader
        self._total: int | None = None

    @property
    def usage(self) -> ApiUsage | None:
        """Daily API calls, as the org's last answer told."""
        return self.client.usage

    @property
    def total(self) -> int | None:
        """How many unresolved errors the org counted when the last reading began."""
        return self._total

    async def errors(self) -> AsyncGenerator[tuple[SyncError, ...], None]:
        """See `Connection.errors`. Goes on from the last row where the org forgets its place."""
        place: Place | None = None
        while True:
            begun_at = place
            try:
                async with aclosing(self.client.pages(self._reader.query(place))) as pages:
                    async for page in pages:
                        if begun_at is None and self._reader.mapping.status_filterable:
                            self._total = page.total
                        if page.records:
                            place = self._reader.place(page.records[-1]) or place
                        yield await self.client.in_thread(partial(self._reader.errors, page.records))
            except LocatorLostError:
                if place == begun_at:
                    raise
            else:
                return

    async def parents(
        self, errors: Iterable[SyncError], failing: Iterable[str]
    ) -> Mapping[str, tuple[ParentRef, ...]]:
        """What the org says about the parents of these errors' records: for `CauseGraph.relate`.

        Args:
            errors: Those whose parents are wanted.
            failing: Objects that occur in the list of failures.
        """
        key = self._reader.mapping.record_key
        return await parents_in_org(self.client, errors, failing=failing, record_key=key)

    async def check_method(self) -> list[Check]:
        """Whether the method of re-sync can work here."""
        return await self.method.check()

    def dry_run(self, errors: Sequence[SyncError]) -> list[DryRunRequest]:
        """What a re-sync of these rows would send, request by request."""
        return self.method.dry_run(errors)

    async def log_in_again(self) -> None:
        """Get a new session because a person asked for it. What is on screen stays."""
        await self.client.log_in_again()

    async def close(self) -> None:
        """Let go at once."""
        await self.client.close()
