"""Who writes the synced records: the user that StoreConnect Sync logs in as.

No setting names it. The records themselves do: what carries a StoreConnect ID was made by the sync, so
that nearly all of the newest ones were created by one user.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.ids import to_18
from syncerr_tui.text import one_line

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
