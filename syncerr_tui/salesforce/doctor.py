"""The check-up of one org, line by line as it is found out. Nothing in the org is changed.

A check that failed stops those that lean on it; they are left out rather than failed for its sake.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from syncerr_tui.errors import BadInputError, NotLoggedInError, RefusedError, SyncErrError
from syncerr_tui.model import Environment
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.concurrency import Token, TokenProvider
from syncerr_tui.salesforce.discovery import discover, successors
from syncerr_tui.salesforce.faults import WayBlockedError
from syncerr_tui.salesforce.identity import Permissions, choose_version, find_sync_user, identify
from syncerr_tui.salesforce.methods import Check, CheckState, likely_entry_points
from syncerr_tui.salesforce.profiles import (
    AuthMethod,
    ButtonMethod,
    FieldMapping,
    FieldRole,
    GuidedMethod,
    OrgProfile,
    PasswordAuth,
)
from syncerr_tui.salesforce.proposal import Overrides
from syncerr_tui.salesforce.reading import EventReader, failed_only
from syncerr_tui.salesforce.soql import to_18
from syncerr_tui.text import one_line
from syncerr_tui.words import plural

SKEW_WARNING = 60.0
SKEW_FAILED = 150.0
"""Seconds. A JWT login lives three minutes; a clock that is further off makes it fail."""
USE_WARNING = 0.8
"""Share of the daily API calls from which a person should know."""
_PROBED = ("Account", "Contact", "Order", "OrderItem")
_SAMPLED_ERRORS, _MOST_OBJECTS = 200, 20
_SETUP = "Run 'syncerr-tui setup'"


async def check_org(profile: OrgProfile, tokens: TokenProvider) -> AsyncIterator[Check]:
    """Look at everything that work in this org needs, from the login to the method of re-sync."""
    from syncerr_tui.salesforce.connect import open_client

    yield _auth_method(profile.way)
    try:
        token = await asyncio.to_thread(tokens.current)
    except SyncErrError as error:
        yield _failed("login", error)
        return
    client = open_client(profile, tokens)
    try:
        async for check in _Checkup(profile, client).run(token):
            yield check
    finally:
        await client.close()


class _Checkup:
    def __init__(self, profile: OrgProfile, client: ApiClient) -> None:
        self._profile = profile
        self._client = client
        self._view = Permissions(client, "")

    async def run(self, token: Token) -> AsyncIterator[Check]:
        client = self._client
        try:
            versions = await client.versions()
        except SyncErrError as error:
            yield _failed("login" if isinstance(error, NotLoggedInError) else "network", error)
            return
        yield _network(token.instance_url)
        yield await self._time()
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
        yield await self._statuses(mapping)
        yield await self._failures(mapping)
        async for check in self._permissions(mapping):
            yield check
        for check in await self._method(mapping):
            yield check

    async def _time(self) -> Check:
        try:
            moment = await self._client.server_time()
        except SyncErrError as error:
            return Check.warning("clock", error.title, error.hint)
        return _skew((moment - datetime.now(UTC)).total_seconds())

    async def _who(self, versions: list[str]) -> AsyncIterator[Check]:
        profile = self._profile
        try:
            if not profile.api_version:
                await choose_version(self._client)
            identity = await identify(self._client, profile.name)
        except SyncErrError as error:
            yield _failed("who am I", error)
            return
        served = f"{versions[0]} to {versions[-1]}" if versions else "unknown"
        self._view = Permissions(self._client, identity.username)
        yield Check.ok("API version", f"{self._client.api_version}; the org serves {served}")
        yield Check.ok("who am I", identity.username or "the org does not say")
        where = f"{identity.environment} {identity.org_id} at {identity.instance_url}"
        if profile.org_id and profile.org_id[:15] != identity.org_id[:15]:
            yield Check.failed(
                "org",
                f"{where}, but the profile was made for {profile.org_id}",
                "Log in to the right org, or run 'syncerr-tui setup' for a new profile",
            )
        elif profile.mapping is not None and profile.environment is not identity.environment:
            yield Check.warning(
                "org",
                f"{where}, but the profile says {profile.environment}",
                "Correct environment in the profile; what the org says is used",
            )
        elif identity.environment is Environment.PRODUCTION:
            yield Check.ok("org", f"{where}: mistakes cost money here")
        else:
            yield Check.ok("org", where)

    def _use(self) -> Check:
        usage = self._client.usage
        if usage is None or usage.total <= 0:
            return Check.warning("API use", "the org does not say", "A proxy may strip its headers")
        share = usage.used / usage.total
        calls = f"{usage.used:,} of {usage.total:,} calls used today"
        if share >= 1 - self._profile.api_reserve:
            advice = "Wait until calls come back, or lower api_reserve in the profile"
            return Check.failed("API use", f"{calls}; the reserve is reached", advice)
        if share >= USE_WARNING:
            return Check.warning("API use", calls, "Ask what else uses the org's calls")
        return Check.ok("API use", calls)

    async def _names(self) -> tuple[FieldMapping | None, list[Check]]:
        stored = self._profile.mapping
        if stored is None:
            return await self._discovered()
        try:
            described = await self._client.describe(stored.object_name)
        except SyncErrError as error:
            return None, [_failed("object", error)]
        checks = [
            Check.ok("object", f"{stored.object_name} ({one_line(str(described.get('label') or '?'))})")
        ]
        missing = await successors(self._client, stored)
        if not missing:
            return stored, [*checks, Check.ok("mapping", f"all {len(stored.fields)} fields are there")]
        for name, following in missing.items():
            hint = f"; {following} looks like its successor" if following else ""
            reason = f"{name} is gone or hidden from this user{hint}"
            checks.append(Check.failed("mapping", reason, f"{_SETUP} --replace to map again"))
        return None, checks

    async def _discovered(self) -> tuple[FieldMapping | None, list[Check]]:
        try:
            proposal = await discover(self._client)
            mapping = proposal.mapping()
        except SyncErrError as error:
            return None, [_failed("mapping", error)]
        return mapping, [
            Check.ok("object", f"{proposal.object_name} ({proposal.object_label})"),
            Check.warning(
                "mapping",
                f"{plural(len(mapping.fields), 'field')} found automatically, not confirmed yet",
                f"{_SETUP} to look at the mapping and keep it",
            ),
        ]

    async def _statuses(self, mapping: FieldMapping) -> Check:
        """Whether it is settled what each status means: only one confirmed as done proves anything."""
        try:
            proposal = await discover(self._client, Overrides.of(mapping, *FieldRole))
        except SyncErrError as error:
            return _failed("statuses", error)
        settled = {*mapping.failed, *mapping.pending, *mapping.done}
        open_ = [value for value in proposal.statuses if value not in settled]
        confirm = f"'syncerr-tui doctor --org {self._profile.name} --done VALUE' confirms it"
        if not mapping.done:
            likely = one_line(", ".join(proposal.done))
            seems = f"; {likely} sounds like it" if likely else ""
            reason = f"no status is confirmed as done, so outcomes stay UNKNOWN{seems}"
            return Check.warning("statuses", reason, confirm)
        meanings = "; ".join(
            f"{name}: {one_line(', '.join(values))}"
            for name, values in (
                ("failed", mapping.failed),
                ("worked on", mapping.pending),
                ("done", mapping.done),
            )
            if values
        )
        if open_:
            reason = f"{meanings}; it is not confirmed what {one_line(', '.join(open_[:5]))} means"
            return Check.warning("statuses", reason, f"If it means done, {confirm}")
        return Check.ok("statuses", meanings)

    async def _failures(self, mapping: FieldMapping) -> Check:
        where = failed_only(mapping)
        condition = f" WHERE {where}" if where else ""
        query = f"SELECT COUNT() FROM {soql.name(mapping.object_name)}{condition}"  # noqa: S608
        reader = EventReader(mapping)
        try:
            count = await self._client.count(query)
            # The list's own query: its fields, its order and its condition, which a count says nothing about.
            first = await self._client.first_page(f"{reader.query()} LIMIT 1")
        except SyncErrError as error:
            return _failed("sync errors", error)
        if any(reader.error(row) is None for row in first):
            return Check.failed("sync errors", "the list's rows come without an id", f"{_SETUP} --replace")
        if where:
            return Check.ok("sync errors", f"{count:,} unresolved; the list's query works")
        whole = f"{plural(count, 'change event')}, failed or not"
        reason = f"{whole}: the org cannot be asked for a value of {mapping.status}"
        advice = (
            f"Every reading of the list reads all of them (about {plural(count // 2000 + 1, 'API call')})"
        )
        return Check.warning("sync errors", reason, advice)

    async def _permissions(self, mapping: FieldMapping) -> AsyncIterator[Check]:
        """What this user can see of the records that prove an outcome, and who writes them."""
        try:
            sights = [await self._sight(mapping, name) for name in await self._written(mapping)]
            yield _permission_check(mapping, sights)
            yield await self._sync_user(mapping, sights)
        except SyncErrError as error:
            yield _failed("permissions", error)

    async def _written(self, mapping: FieldMapping) -> list[str]:
        """Objects that the website writes: the usual ones, and those of some failed events."""
        where = failed_only(mapping)
        names: list[str] = []
        with suppress(RefusedError, BadInputError):
            rows = await self._client.first_page(
                f"SELECT {soql.path(mapping.object)} FROM {soql.name(mapping.object_name)}"  # noqa: S608
                f"{f' WHERE {where}' if where else ''} LIMIT {_SAMPLED_ERRORS}"
            )
            names = [name for row in rows if isinstance(name := row.get(mapping.object), str)]
        usable = [name for name in dict.fromkeys((*_PROBED, *names)) if soql.is_name(name)]
        return usable[:_MOST_OBJECTS]

    async def _sight(self, mapping: FieldMapping, name: str) -> _Visibility:
        try:
            described = await self._client.describe(name)
        except WayBlockedError:
            raise
        except RefusedError:
            return _Visibility(name, readable=False, has_key=False, sees_all=False)
        has_key = any(field["name"] == mapping.record_key for field in described["fields"])
        return _Visibility(name, True, has_key, await self._view.sees_all(name))

    async def _sync_user(self, mapping: FieldMapping, sights: list[_Visibility]) -> Check:
        in_profile = self._profile.sync_user
        user = await find_sync_user(
            self._client, [one.name for one in sights if one.has_key], mapping.record_key
        )
        named = f"{user.name} ({user.id})" if user else ""
        if in_profile and user and user.clear and to_18(in_profile) != user.id:
            return Check.warning(
                "sync user",
                f"the profile says {in_profile}, but most synced records were created by {named}",
                f"{_SETUP} --replace, or correct sync_user in the profile",
            )
        if in_profile:
            return Check.ok("sync user", f"{in_profile}: only a write by this user proves an outcome")
        likely = f"; most synced records were created by {named}" if user and user.clear else ""
        return Check.warning(
            "sync user",
            f"not known, so a later write by anybody counts as the sync's{likely}",
            f"Set sync_user in the profile{f' to {user.id}' if likely and user else ''}",
        )

    async def _method(self, mapping: FieldMapping) -> list[Check]:
        from syncerr_tui.salesforce.connect import method_for

        try:
            checks = await method_for(self._profile, self._client, mapping).check()
            if isinstance(self._profile.method, GuidedMethod | ButtonMethod):
                checks += await self._entry_points()
        except SyncErrError as error:
            return [_failed("method", error)]
        return checks

    async def _entry_points(self) -> list[Check]:
        """A public action of the org's own is better than a private call, and than a person's hand."""
        entry_points = await likely_entry_points(self._client)
        if not entry_points:
            return []
        kind, name = entry_points[0]
        return [
            Check.warning(
                "entry point",
                f"The org offers {name} ({kind}), which looks like a re-sync action",
                f"Ask the admin what it does; 'setup --method {kind}' uses it",
            )
        ]


@dataclass(frozen=True, slots=True)
class _Visibility:
    """What this user sees of one object's records."""

    name: str
    readable: bool
    has_key: bool
    """The field that holds a record's StoreConnect ID is there and visible."""
    sees_all: bool


def _permission_check(mapping: FieldMapping, sights: list[_Visibility]) -> Check:
    hidden = [one.name for one in sights if not one.readable]
    blind = [one.name for one in sights if one.readable and not one.has_key]
    partial = [one.name for one in sights if one.has_key and not one.sees_all]
    lacks = [
        *([f"cannot read {', '.join(hidden)}"] if hidden else []),
        *([f"does not see {mapping.record_key} on {', '.join(blind)}"] if blind else []),
    ]
    if lacks:
        advice = "Outcomes for these stay UNKNOWN: ask the admin for Read on them, and on that field"
        return Check.warning("permissions", "; ".join(lacks), advice)
    reads = f"reads {mapping.object_name} and the records that prove an outcome"
    if partial:
        return Check.warning(
            "permissions",
            f"{reads}, but may not see all of {', '.join(partial)}",
            "A Delete whose record this user never saw stays UNKNOWN: ask for View All Records on them",
        )
    return Check.ok("permissions", reads)


def _auth_method(auth: AuthMethod) -> Check:
    whose = one_line(getattr(auth, "username", "") or getattr(auth, "org", ""))
    reason = f"{auth.login}{f', as {whose}' if whose else ''}"
    if isinstance(auth, PasswordAuth):
        from syncerr_tui.salesforce.auth.oauth import SOAP_LOGIN_NOTE

        return Check.warning("auth method", reason, SOAP_LOGIN_NOTE)
    return Check.ok("auth method", reason)


def _network(url: str) -> Check:
    """The proxy that requests would take, and what TLS is checked against."""
    from requests.utils import get_environ_proxies

    parts = urlsplit(url)
    proxy = get_environ_proxies(url).get(parts.scheme, "")
    via = (
        f"through the proxy {urlsplit(proxy).hostname or 'of the environment'}"
        if proxy
        else "without a proxy"
    )
    if parts.scheme == "http":
        return Check.ok("network", "this machine, without TLS")
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    trust = f"checked against {bundle}" if bundle else "checked against the public authorities"
    return Check.ok("network", f"{parts.netloc} {via}, TLS {trust}")


def _skew(seconds: float) -> Check:
    off = abs(seconds)
    if off < SKEW_WARNING:
        return Check.ok("clock", f"within {max(off, 1):.0f} s of the org's")
    state = CheckState.FAILED if off > SKEW_FAILED else CheckState.WARNING
    direction = "behind" if seconds > 0 else "ahead of"
    return Check("clock", state, f"{off:.0f} s {direction} the org's", "Set this machine's clock (NTP)")


def _failed(name: str, error: SyncErrError) -> Check:
    hint = error.hint
    if isinstance(error, BadInputError) and not hint:
        hint = _SETUP
    return Check.failed(name, error.title, hint)
