"""Who we are, in which org, what we see of it, and which user is the sync's: asked from the org itself.

Sharing hides records without a word: a query that finds none proves that there is none only to a user with
View All Data, or with View All on the object. Both are asked; what the org does not answer counts as no.

No setting names the user that StoreConnect Sync logs in as. The records do: what carries a StoreConnect ID
was made by the sync, so that nearly all of the newest ones were created by one user.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from syncerr_tui.diagnosis.links import on_this_machine
from syncerr_tui.errors import BadInputError, RefusedError, SyncErrError, UnreachableError
from syncerr_tui.model import Environment, OrgIdentity, chunks
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.request_executor import API_VERSION
from syncerr_tui.salesforce.soql import to_18
from syncerr_tui.text import one_line

_IDENTITY = re.compile(r"/id/(00D[0-9A-Za-z]{12,15})/(005[0-9A-Za-z]{12,15})\Z", re.ASCII)


async def identify(client: ApiClient, name: str) -> OrgIdentity:
    """Ask the org who it is and who we are.

    Args:
        client: The org; the first call logs in.
        name: What the person calls this org.

    Raises:
        NotLoggedInError, UnreachableError, RefusedError: as everywhere.
    """
    who, organization = await asyncio.gather(_user(client), _organization(client))
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


class _User(NamedTuple):
    """The user, as the org knows them."""

    org_id: str | None
    username: str = ""
    time_zone: str = ""
    locale: str = ""


async def _user(client: ApiClient) -> _User:
    """The user. A token without the identity scope is refused here, not by REST."""
    try:
        info = await client.userinfo()
    except RefusedError:
        return await _user_by_rest(client)
    username, time_zone, locale = (
        one_line(str(info.get(name) or "")) for name in ("preferred_username", "zoneinfo", "locale")
    )
    return _User(to_18(info.get("organization_id")), username, time_zone[:64], locale[:16])


async def _user_by_rest(client: ApiClient) -> _User:
    match = _IDENTITY.search(str((await client.resources()).get("identity") or ""))
    user = to_18(match[2]) if match else None
    if match is None or user is None:
        return _User(None)
    users = await client.query_all(f"SELECT Username FROM User WHERE Id = {soql.quote(user)}")  # noqa: S608
    username = users[0].get("Username") if users else ""
    return _User(to_18(match[1]), one_line(str(username or "")))


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
    if on_this_machine(client.instance_url) and await _is_demo(client):
        return Environment.DEMO
    return Environment.SANDBOX if organization.get("IsSandbox") is True else Environment.PRODUCTION


class Permissions:
    """The permissions of one user, asked once."""

    def __init__(self, client: ApiClient, username: str) -> None:
        self._client = client
        self._username = username
        self._sets: Sequence[str] | None = None
        """Permission sets of the user, the profile's own one included; None: not asked yet."""
        self._all_data = False
        self._objects: dict[str, bool] = {}

    async def sees_all(self, object_name: str) -> bool:
        """Whether the user sees every record of this object.

        Raises:
            NotLoggedInError, UnreachableError: The org could not be asked.
        """
        if object_name not in self._objects:
            if self._sets is None:
                await self._ask_sets()
            self._objects[object_name] = self._all_data or await self._views_all(object_name)
        return self._objects[object_name]

    async def _ask_sets(self) -> None:
        rows = await self._rows("SELECT PermissionsViewAllData FROM UserPermissionAccess LIMIT 1")
        assigned = await self._rows(
            "SELECT PermissionSetId, PermissionSet.PermissionsViewAllData FROM PermissionSetAssignment"  # noqa: S608 - quoted
            f" WHERE Assignee.Username = {soql.quote(self._username)}"
        )
        rows += [one for row in assigned if isinstance(one := row.get("PermissionSet"), dict)]
        self._all_data = any(row.get("PermissionsViewAllData") is True for row in rows)
        ids = [row.get("PermissionSetId") for row in assigned]
        self._sets = [one for one in ids if isinstance(one, str)]

    async def _views_all(self, object_name: str) -> bool:
        rows: list[Row] = []
        for some in chunks(self._sets or (), soql.IDS_PER_QUERY):
            rows += await self._rows(
                "SELECT PermissionsViewAllRecords FROM ObjectPermissions"  # noqa: S608 - quoted
                f" WHERE SobjectType = {soql.quote(object_name)} AND {soql.one_of('ParentId', some)}"
            )
        return any(row.get("PermissionsViewAllRecords") is True for row in rows)

    async def _rows(self, query: str) -> list[Row]:
        with suppress(BadInputError, RefusedError):
            return await self._client.query_all(query, essential=True)
        return []


_LOOKED_AT = 200
"""Records of each object, the newest."""
_SHARE = 0.9
_FEWEST = 5
"""Records below this number say nothing about who writes them."""


@dataclass(frozen=True, slots=True)
class SyncUser:
    """A user, and what speaks for it being the sync's."""

    id: str
    name: str
    """Harmless; the id where the org does not tell a name."""
    share: float
    """Part of the records looked at that this user created, 0 to 1."""
    records: int

    @property
    def clear(self) -> bool:
        """True where hardly any record was created by somebody else."""
        return self.share >= _SHARE and self.records >= _FEWEST


async def find_sync_user(client: ApiClient, objects: Sequence[str], record_key: str) -> SyncUser | None:
    """The user who created most of the newest synced records; None where the org shows none.

    Args:
        client: The org.
        objects: Objects that the website writes.
        record_key: Field that holds a record's StoreConnect ID.

    Raises:
        NotLoggedInError, UnreachableError: The org could not be asked.
    """
    creators: Counter[str] = Counter()
    for name in objects:
        with suppress(RefusedError, BadInputError):  # hidden from this user, or it has no such field
            rows = await client.first_page(
                f"SELECT CreatedById FROM {soql.name(name)} WHERE {soql.path(record_key)} != null"  # noqa: S608
                f" ORDER BY CreatedDate DESC LIMIT {_LOOKED_AT}"
            )
            creators.update(user for row in rows if (user := to_18(row.get("CreatedById"))))
    if not creators:
        return None
    (user, count), *_ = creators.most_common(1)
    return SyncUser(user, await user_name(client, user), count / creators.total(), creators.total())


async def user_name(client: ApiClient, user: str) -> str:
    """What a user is called; the id where the org does not tell.

    Raises:
        NotLoggedInError, UnreachableError: The org could not be asked.
    """
    with suppress(RefusedError, BadInputError):
        for row in await client.query_all(f"SELECT Name FROM User WHERE Id = {soql.quote(user)}"):  # noqa: S608
            return one_line(str(row.get("Name") or "")) or user
    return user


async def package_version(client: ApiClient, namespace: str) -> str:
    """The installed version of a package, e.g. `21.4.0`; empty where this user may not see it."""
    query = (
        "SELECT SubscriberPackage.NamespacePrefix, SubscriberPackageVersion.MajorVersion, "
        "SubscriberPackageVersion.MinorVersion, SubscriberPackageVersion.PatchVersion "
        "FROM InstalledSubscriberPackage"
    )
    try:
        rows = await client.tooling(query)
    except SyncErrError:
        return ""
    for row in rows:
        package, version = row.get("SubscriberPackage"), row.get("SubscriberPackageVersion")
        if isinstance(package, dict) and isinstance(version, dict):
            parts = [version.get(f"{part}Version") for part in ("Major", "Minor", "Patch")]
            if package.get("NamespacePrefix") == namespace and all(isinstance(part, int) for part in parts):
                return ".".join(map(str, parts))
    return ""
