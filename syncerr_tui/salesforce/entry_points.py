"""What an org offers for a re-sync: public actions and Flows, and which version of the package it has."""

from __future__ import annotations

import re

from syncerr_tui.errors import RefusedError, SyncErrError
from syncerr_tui.salesforce.button.learn import DOWNSTREAM
from syncerr_tui.salesforce.client import ApiClient

_LIKELY = re.compile(r"re-?_?sync|retry|requeue|re_?process|resend|replay|resubmit", re.IGNORECASE)


async def likely_entry_points(client: ApiClient) -> list[tuple[str, str]]:
    """(kind, name) of actions whose names say that they re-sync; kind is `apex` or `flow`.

    Never StoreConnect's SyncRecordChangesInvocable: it sends Salesforce's version to the website. An org that
    does not let this user list its actions offers none.
    """
    found = []
    for kind in ("apex", "flow"):
        try:
            rows = await client.actions(kind)
        except RefusedError:
            continue
        names = [name for row in rows if isinstance(name := row.get("name"), str)]
        found += [
            (kind, name)
            for name in names
            if _LIKELY.search(name) and name.lower().rpartition("__")[2] != DOWNSTREAM
        ]
    return found


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
