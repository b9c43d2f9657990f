"""The fixes of one open org: what fits its errors, and what applies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syncerr_tui.diagnosis.explanation import Explanation
from syncerr_tui.fixes.fixer import Fixer
from syncerr_tui.fixes.ledger import FixLedger, FixStore
from syncerr_tui.fixes.model import FixOption, FixPolicy, FixScope
from syncerr_tui.fixes.options import options_for
from syncerr_tui.model import Environment, SyncError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.auth.demo import DEMO_FIXES
from syncerr_tui.salesforce.fix_finder import FixFinder
from syncerr_tui.salesforce.fix_safeguards import Exemption
from syncerr_tui.salesforce.fix_targets import FixTargets
from syncerr_tui.salesforce.fix_writes import FixWrites
from syncerr_tui.salesforce.ids import to_18
from syncerr_tui.salesforce.metadata_api import MetadataApi
from syncerr_tui.salesforce.session import OrgSession


class OrgFixes:
    """Looks up fixes in one org and hands out what applies them.

    Args:
        connection: The org.
        read_only: Nothing may be changed, whatever the profile allows.
    """

    def __init__(self, connection: OrgSession, *, read_only: bool = False) -> None:
        profile, identity = connection.profile, connection.identity
        demo = identity.environment is Environment.DEMO
        self.policy = FixPolicy(
            frozenset(map(FixScope, profile.fixes.allow)),
            identity.environment,
            read_only=read_only or profile.read_only,
            unrestricted=demo,
        )
        self._settings = profile.fixes if profile.fixes.sync_user or not demo else DEMO_FIXES
        self._connection = connection
        self._client = connection.client
        mapping = connection.mapping
        metadata = MetadataApi(connection.client)
        never = frozenset({mapping.object_name, mapping.record_key})
        self._metadata = metadata
        self._targets = FixTargets(connection.client, FixWrites(connection.client, metadata, never), metadata)

    async def options(self, errors: Sequence[tuple[SyncError, Explanation]]) -> list[FixOption]:
        """The fixes of some errors with one cause, smallest scope first.

        Raises:
            NotLoggedInError: The session ended.
        """
        finder = FixFinder(self._client, self._targets, self._metadata, await self._exemption())
        return options_for(await finder.facts(errors), self.policy)

    async def typed(self, option: FixOption, values: Mapping[str, str]) -> dict[str, Any]:
        """What a person typed, as the org's fields hold it.

        Raises:
            BadInputError: It is no value of its field, or names no active user.
        """
        return await self._targets.typed(option.kind, option.target, values)

    def fixer(self, store: FixStore, os_user: str) -> Fixer:
        """What applies fixes here and keeps the ledger.

        Args:
            store: The org's journal.
            os_user: Who acts.
        """
        ledger = FixLedger(store, os_user=os_user, org_user=self._connection.identity.username)
        return Fixer(self._targets, ledger, self.policy)

    async def _exemption(self) -> Exemption:
        """Who and what an exemption may use, by username."""
        user = self._settings.sync_user or self._connection.profile.sync_user
        if key := to_18(user):
            rows = await self._client.query_all(f"SELECT Username FROM User WHERE Id = {soql.quote(key)}")  # noqa: S608 - checked
            user = str(rows[0].get("Username") or "") if rows else ""
        return Exemption(user, self._settings.bypass_permission_sets)
