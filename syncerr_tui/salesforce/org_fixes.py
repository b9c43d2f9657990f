"""One open org, as fixes see it: what fits its errors, and how their targets are read and written."""

from __future__ import annotations

from collections.abc import Sequence

from syncerr_tui.diagnosis.explanation import Explanation
from syncerr_tui.errors import BadInputError
from syncerr_tui.fixes.org import FixFacts, FixKind, FixPolicy, FixScope, FixTarget, Values
from syncerr_tui.model import Environment, OrgIdentity, SyncError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.auth.demo import DEMO_FIXES
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.fix_finder import FixFinder
from syncerr_tui.salesforce.fix_safeguards import Exemption
from syncerr_tui.salesforce.fix_targets import FixTargets
from syncerr_tui.salesforce.fix_writes import FixWrites
from syncerr_tui.salesforce.ids import to_18
from syncerr_tui.salesforce.metadata_api import MetadataApi
from syncerr_tui.salesforce.profiles import FieldMapping, OrgProfile
from syncerr_tui.text import one_line

_BY_TYPE = {
    "CustomField": (FixKind.NOT_REQUIRED, "required"),
    "DuplicateRule": (FixKind.DUPLICATE_RULE_OFF, "isActive"),
    "FlowDefinition": (FixKind.FLOW_OFF, "activeVersionNumber"),
    "ValidationRule": (FixKind.VALIDATION_RULE_OFF, "active"),
    "WorkflowRule": (FixKind.WORKFLOW_RULE_OFF, "active"),
}


class OrgFixes(FixTargets):
    """One org, as fixes see it. See `fixes.org.FixOrg`, which says what each call promises.

    Args:
        client: The org.
        identity: Which org it is.
        profile: What it allows.
        mapping: What it calls its change events.
        read_only: Nothing may be changed, whatever the profile allows.
    """

    def __init__(
        self,
        client: ApiClient,
        identity: OrgIdentity,
        profile: OrgProfile,
        mapping: FieldMapping,
        *,
        read_only: bool = False,
    ) -> None:
        metadata = MetadataApi(client)
        never = frozenset({mapping.object_name, mapping.record_key})
        super().__init__(client, FixWrites(client, metadata, never), metadata)
        demo = identity.environment is Environment.DEMO
        self.policy = FixPolicy(
            frozenset(map(FixScope, profile.fixes.allow)),
            identity.environment,
            read_only=read_only or profile.read_only,
            unrestricted=demo,
        )
        self.org_user = identity.username
        self._settings = profile.fixes if profile.fixes.sync_user or not demo else DEMO_FIXES
        self._sync_user = self._settings.sync_user or profile.sync_user
        self._record_key = mapping.record_key

    async def facts(self, errors: Sequence[tuple[SyncError, Explanation]], *, named: str = "") -> FixFacts:
        """See `fixes.org.FixOrg`."""
        finder = FixFinder(
            self._client, self, self._metadata, await self._exemption(), self._record_key, named
        )
        return await finder.facts(errors)

    async def find_safeguard(self, text: str) -> tuple[FixKind, FixTarget, Values, Values]:
        """See `fixes.org.FixOrg`."""
        kind, _, name = text.partition(":")
        name, _, version = name.partition("@")
        if kind not in _BY_TYPE or not name or (kind == "FlowDefinition") != version.isdigit():
            raise BadInputError(
                f"'{one_line(text)[:80]}' is not the name of a safeguard",
                "Write it like ValidationRule:Order.Rule or FlowDefinition:Name@3 (its version)",
            )
        fix_kind, element = _BY_TYPE[kind]
        target = FixTarget(kind, await self._id_of(kind, name), name)
        before: Values = {element: int(version) if version else True}
        return fix_kind, target, before, {element: 0 if version else False}

    async def _id_of(self, kind: str, name: str) -> str:
        object_name, _, own = name.rpartition(".")
        mine = f" AND EntityDefinition.QualifiedApiName = {soql.quote(object_name)}"
        where = {
            "FlowDefinition": f"DeveloperName = {soql.quote(own)}",
            "ValidationRule": f"ValidationName = {soql.quote(own)}{mine}",
            "WorkflowRule": f"Name = {soql.quote(own)}",
            "DuplicateRule": f"DeveloperName = {soql.quote(own)} AND SobjectType = {soql.quote(object_name)}",
        }
        if kind not in where:
            return ""
        query = f"SELECT Id FROM {kind} WHERE {where[kind]}"  # noqa: S608 - quoted
        rows = await self._client.query_all(query, tooling=kind != "DuplicateRule")
        if len(rows) != 1:
            raise BadInputError(
                f"The org has no {kind} {one_line(name)[:80]}", "Write its full name, as in Order.Rule"
            )
        return to_18(rows[0].get("Id")) or ""

    async def _exemption(self) -> Exemption:
        """Who and what an exemption may use, by username. Nobody where the org has no such active user."""
        user = self._sync_user
        if not user:
            return Exemption()
        key = to_18(user)
        where = f"Id = {soql.quote(key)}" if key else f"Username = {soql.quote(user)}"
        rows = await self._client.query_all(f"SELECT Username FROM User WHERE {where} AND IsActive = true")  # noqa: S608 - quoted
        username = rows[0].get("Username") if rows else None
        if not isinstance(username, str) or not username:
            return Exemption()
        return Exemption(username, self._settings.bypass_permission_sets)
