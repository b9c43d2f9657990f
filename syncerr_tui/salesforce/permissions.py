"""Whether this user sees every record of an object, as the org itself answers.

Sharing hides records without a word: a query that finds none proves that there is none only to a user with
View All Data, or with View All on the object. Both are asked; what the org does not answer counts as no.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, Row


class Permissions:
    """The permissions of one user, asked once.

    Args:
        client: The org.
        username: Whose permissions; those of the login.
    """

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
        for some in soql.chunks(self._sets or (), soql.IDS_PER_QUERY):
            rows += await self._rows(
                "SELECT PermissionsViewAllRecords FROM ObjectPermissions"  # noqa: S608 - quoted
                f" WHERE SobjectType = {soql.quote(object_name)} AND {soql.one_of('ParentId', some)}"
            )
        return any(row.get("PermissionsViewAllRecords") is True for row in rows)

    async def _rows(self, query: str) -> list[Row]:
        with suppress(BadInputError, RefusedError):
            return await self._client.query_all(query, essential=True)
        return []
