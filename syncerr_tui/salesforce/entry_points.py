"""Public ways to ask for a re-sync that an org offers already: invocable actions and autolaunched Flows."""

from __future__ import annotations

import re

from syncerr_tui.errors import RefusedError
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
