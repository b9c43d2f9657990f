"""Who we are, and in which org: asked from the org itself, never taken from a profile's name."""

from __future__ import annotations

import asyncio
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from syncerr_tui.errors import RefusedError, UnreachableError
from syncerr_tui.model import Environment, OrgIdentity
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.ids import to_18
from syncerr_tui.salesforce.request_executor import API_VERSION
from syncerr_tui.text import one_line

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_IDENTITY = re.compile(r"/id/(00D[0-9A-Za-z]{12,15})/(005[0-9A-Za-z]{12,15})\Z", re.ASCII)


async def identify(client: ApiClient, name: str) -> OrgIdentity:
    """Ask the org who it is and who we are.

    Args:
        client: The org; the first call logs in.
        name: What the person calls this org.

    Raises:
        NotLoggedInError, UnreachableError, RefusedError: as everywhere.
    """
    who, organization = await asyncio.gather(_who(client), _organization(client))
    org_id = to_18(organization.get("Id")) or who.org_id
    if org_id is None:
        raise UnreachableError(
            "The org did not say which one it is", "Check the org's address, and the user's API access"
        )
    return OrgIdentity(
        name=name,
        org_id=org_id,
        environment=await _environment(client, organization),
        username=who.username,
        instance_url=client.instance_url,
        time_zone=who.time_zone,
        locale=who.locale,
    )


async def choose_version(client: ApiClient) -> None:
    """Speak the newest API version that both sides know."""
    served = await client.versions()
    if not served or API_VERSION in served:
        return
    older = [version for version in served if _number(version) < _number(API_VERSION)]
    client.use_version(max(older, key=_number) if older else min(served, key=_number))


def _number(version: str) -> float:
    return float(version)


class _Who(NamedTuple):
    """The user, as the org knows them."""

    org_id: str | None
    username: str = ""
    time_zone: str = ""
    locale: str = ""


async def _who(client: ApiClient) -> _Who:
    """The user. A token without the identity scope is refused here, not by REST."""
    try:
        info = await client.userinfo()
    except RefusedError:
        return await _who_by_rest(client)
    username, time_zone, locale = (
        one_line(str(info.get(name) or "")) for name in ("preferred_username", "zoneinfo", "locale")
    )
    return _Who(to_18(info.get("organization_id")), username, time_zone[:64], locale[:16])


async def _who_by_rest(client: ApiClient) -> _Who:
    found = _IDENTITY.search(str((await client.resources()).get("identity") or ""))
    user = to_18(found[2]) if found else None
    if found is None or user is None:
        return _Who(None)
    users = await client.query_all(f"SELECT Username FROM User WHERE Id = {soql.quote(user)}")  # noqa: S608
    username = users[0].get("Username") if users else ""
    return _Who(to_18(found[1]), one_line(str(username or "")))


async def _organization(client: ApiClient) -> Row:
    try:
        rows = await client.query_all("SELECT Id, Name, IsSandbox FROM Organization LIMIT 1")
    except RefusedError:
        return {}
    return rows[0] if rows else {}


async def _is_demo(client: ApiClient) -> bool:
    """Whether the org says of itself that it is the demo.

    Asked on loopback only, and the address alone proves nothing: it may be a tunnel to a production org.
    """
    try:
        answer = await client.apexrest("GET", "demo/about")
    except (RefusedError, UnreachableError):
        return False
    return isinstance(answer, dict) and answer.get("demo") is True


async def _environment(client: ApiClient, organization: Row) -> Environment:
    """What a mistake would cost. PRODUCTION wherever the org does not say otherwise itself."""
    if urlsplit(client.instance_url).hostname in _LOOPBACK and await _is_demo(client):
        return Environment.DEMO
    return Environment.SANDBOX if organization.get("IsSandbox") is True else Environment.PRODUCTION
