"""The check-up of one org, line by line as it is found out. Nothing in the org is changed.

A check that failed stops those that lean on it; they are left out rather than failed for its sake.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from syncerr_tui.errors import BadInputError, NotLoggedInError, RefusedError, SyncErrError
from syncerr_tui.model import Environment
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.checks import Check, CheckState
from syncerr_tui.salesforce.client import OrgClient
from syncerr_tui.salesforce.discovery import discover, successors
from syncerr_tui.salesforce.faults import WayBlockedError
from syncerr_tui.salesforce.profiles import (
    ClientCredentialsWay,
    EnvironmentWay,
    FieldMapping,
    JwtBearerWay,
    OrgProfile,
    PasswordWay,
    RefreshTokenWay,
    SfCliWay,
    Way,
)
from syncerr_tui.salesforce.tokens import Token, TokenProvider
from syncerr_tui.text import one_line

SKEW_WARNING = 60.0
SKEW_FAILED = 150.0
"""Seconds. A JWT login lives three minutes; a clock that is further off makes it fail."""
USE_WARNING = 0.8
"""Share of the daily API calls from which a person should know."""
_PROBED = ("Account", "Contact", "Order", "OrderItem")
_SETUP = "Run 'syncerr-tui setup'"


async def check_org(
    profile: OrgProfile,
    tokens: TokenProvider,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[Check]:
    """Look at everything that work in this org needs, from the login to the method of re-sync."""
    from syncerr_tui.salesforce.connect import open_client

    yield _way_in(profile.way)
    try:
        token = await asyncio.to_thread(tokens.current)
    except SyncErrError as error:
        yield _failed("login", error)
        return
    client = open_client(profile, tokens)
    try:
        async for check in _Checkup(profile, client, clock).run(token):
            yield check
    finally:
        await client.close()


class _Checkup:
    def __init__(self, profile: OrgProfile, client: OrgClient, clock: Callable[[], datetime]) -> None:
        self._profile = profile
        self._client = client
        self._clock = clock

    async def run(self, token: Token) -> AsyncIterator[Check]:
        client = self._client
        try:
            versions = await client.versions()
            moment = await client.server_time()
        except SyncErrError as error:
            yield _failed("login" if isinstance(error, NotLoggedInError) else "network", error)
            return
        yield _network(token.instance_url)
        yield _skew((moment - self._clock()).total_seconds())
        async for check in self._who(versions):
            yield check
            if check.state is CheckState.FAILED:
                return
        yield self._use()
        mapping, checks = await self._names()
        for check in checks:
            yield check
        if mapping is None:
            return
        yield await self._failures(mapping)
        async for check in self._permissions(mapping):
            yield check
        for check in await self._method(mapping):
            yield check

    async def _who(self, versions: list[str]) -> AsyncIterator[Check]:
        from syncerr_tui.salesforce.identity import choose_version, identify

        profile = self._profile
        try:
            if not profile.api_version:
                await choose_version(self._client)
            identity = await identify(self._client, profile.name)
        except SyncErrError as error:
            yield _failed("who am I", error)
            return
        served = f"{versions[0]} to {versions[-1]}" if versions else "unknown"
        yield _ok("API version", f"{self._client.api_version}; the org serves {served}")
        yield _ok("who am I", identity.username or "the org does not say")
        said = f"{identity.environment} {identity.org_id} at {identity.instance_url}"
        if profile.org_id and profile.org_id[:15] != identity.org_id[:15]:
            yield Check(
                "org",
                CheckState.FAILED,
                f"{said}, but the profile was made for {profile.org_id}",
                "Log in to the right org, or run 'syncerr-tui setup' for a new profile",
            )
        elif profile.mapping is not None and profile.environment is not identity.environment:
            yield Check(
                "org",
                CheckState.WARNING,
                f"{said}, but the profile says {profile.environment}",
                "Correct environment in the profile; what the org says is used",
            )
        elif identity.environment is Environment.PRODUCTION:
            yield _ok("org", f"{said}: mistakes cost money here")
        else:
            yield _ok("org", said)

    def _use(self) -> Check:
        usage = self._client.usage
        if usage is None or usage.total <= 0:
            return Check(
                "API use", CheckState.WARNING, "the org does not say", "A proxy may strip its headers"
            )
        share = usage.used / usage.total
        said = f"{usage.used:,} of {usage.total:,} calls used today"
        if share >= 1 - self._profile.api_reserve:
            advice = "Wait until calls come back, or lower api_reserve in the profile"
            return Check("API use", CheckState.FAILED, f"{said}; the reserve is reached", advice)
        if share >= USE_WARNING:
            return Check("API use", CheckState.WARNING, said, "Ask what else uses the org's calls")
        return _ok("API use", said)

    async def _names(self) -> tuple[FieldMapping | None, list[Check]]:
        stored = self._profile.mapping
        if stored is None:
            return await self._discovered()
        try:
            described = await self._client.describe(stored.object_name)
        except SyncErrError as error:
            return None, [_failed("object", error)]
        checks = [_ok("object", f"{stored.object_name} ({one_line(str(described.get('label') or '?'))})")]
        gone = await successors(self._client, stored)
        if not gone:
            return stored, [*checks, _ok("mapping", f"all {len(stored.fields)} fields are there")]
        for name, following in gone.items():
            hint = f"; {following} looks like its successor" if following else ""
            reason = f"{name} is gone or hidden from this user{hint}"
            checks.append(Check("mapping", CheckState.FAILED, reason, f"{_SETUP} --replace to map again"))
        return None, checks

    async def _discovered(self) -> tuple[FieldMapping | None, list[Check]]:
        try:
            proposal = await discover(self._client)
            mapping = proposal.mapping()
        except SyncErrError as error:
            return None, [_failed("mapping", error)]
        return mapping, [
            _ok("object", f"{proposal.object_name} ({proposal.object_label})"),
            Check(
                "mapping",
                CheckState.WARNING,
                f"{len(mapping.fields)} fields found by looking, confirmed by nobody",
                f"{_SETUP} to look at the mapping and keep it",
            ),
        ]

    async def _failures(self, mapping: FieldMapping) -> Check:
        where = soql.one_of(mapping.status, mapping.failed)
        query = f"SELECT COUNT() FROM {soql.name(mapping.object_name)} WHERE {where}"  # noqa: S608
        try:
            count = await self._client.count(query)
        except SyncErrError as error:
            return _failed("sync errors", error)
        return _ok("sync errors", f"{count:,} unresolved")

    async def _permissions(self, mapping: FieldMapping) -> AsyncIterator[Check]:
        """What this user can see of the records that prove an outcome."""
        hidden: list[str] = []
        blind: list[str] = []
        for name in _PROBED:
            try:
                described = await self._client.describe(name)
            except WayBlockedError as error:
                yield _failed("permissions", error)
                return
            except RefusedError:
                hidden.append(name)
                continue
            except SyncErrError as error:
                yield _failed("permissions", error)
                return
            if all(field.get("name") != mapping.record_key for field in described.get("fields", ())):
                blind.append(name)
        if hidden or blind:
            reason = "; ".join(
                [
                    *([f"cannot read {', '.join(hidden)}"] if hidden else []),
                    *([f"does not see {mapping.record_key} on {', '.join(blind)}"] if blind else []),
                ]
            )
            advice = "Outcomes for these stay UNKNOWN: ask the admin for Read on them, and on that field"
            yield Check("permissions", CheckState.WARNING, reason, advice)
        else:
            yield _ok("permissions", f"reads {mapping.object_name} and the records that prove an outcome")

    async def _method(self, mapping: FieldMapping) -> list[Check]:
        from syncerr_tui.salesforce.methods import method_for

        try:
            return await method_for(self._profile, self._client, mapping).check()
        except SyncErrError as error:
            return [_failed("method", error)]


def _way_in(way: Way) -> Check:
    match way:
        case SfCliWay():
            return _ok("way in", f"the sf CLI's login of {one_line(way.org) or 'its default org'}")
        case EnvironmentWay():
            return _ok("way in", "a token that was given, and that nothing renews")
        case JwtBearerWay():
            return _ok("way in", f"JWT bearer as {one_line(way.username)}")
        case ClientCredentialsWay():
            return _ok("way in", "client credentials")
        case RefreshTokenWay():
            return _ok("way in", "refresh token")
        case PasswordWay():
            from syncerr_tui.salesforce.ways.password import NOTE

            return Check("way in", CheckState.WARNING, f"password of {one_line(way.username)}", NOTE)


def _network(url: str) -> Check:
    """The proxy that requests would take, and what TLS is checked against."""
    import os

    from requests.utils import get_environ_proxies

    parts = urlsplit(url)
    proxy = get_environ_proxies(url).get(parts.scheme, "")
    via = (
        f"through the proxy {urlsplit(proxy).hostname or 'of the environment'}"
        if proxy
        else "without a proxy"
    )
    if parts.scheme == "http":
        return _ok("network", "this machine, without TLS")
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    trust = f"checked against {bundle}" if bundle else "checked against the public authorities"
    return _ok("network", f"{parts.netloc} {via}, TLS {trust}")


def _skew(seconds: float) -> Check:
    off = abs(seconds)
    if off < SKEW_WARNING:
        return _ok("clock", f"within {max(off, 1):.0f} s of the org's")
    state = CheckState.FAILED if off > SKEW_FAILED else CheckState.WARNING
    way = "behind" if seconds > 0 else "ahead of"
    return Check("clock", state, f"{off:.0f} s {way} the org's", "Set this machine's clock (NTP)")


def _ok(name: str, reason: str) -> Check:
    return Check(name, CheckState.OK, reason)


def _failed(name: str, error: SyncErrError) -> Check:
    hint = error.hint
    if isinstance(error, BadInputError) and not hint:
        hint = _SETUP
    return Check(name, CheckState.FAILED, error.title, hint)
