"""One open org, as fixes see it: what fits its errors, and how their targets are read and written.

What the org refuses to tell is left out: knowing less is no error, and the steps for a person stay. An org
that does not answer is one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from syncerr_tui.diagnosis.explanation import Explanation
from syncerr_tui.diagnosis.guidance_template import facts_of, plain
from syncerr_tui.diagnosis.model import Guidance, Retry
from syncerr_tui.errors import BadInputError
from syncerr_tui.fixes.org import (
    FixCandidate,
    FixChange,
    FixFacts,
    FixKind,
    FixPolicy,
    FixScope,
    FixTarget,
    Values,
)
from syncerr_tui.model import Environment, OrgIdentity, SyncError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.auth.environment import DEMO_FIXES
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.fix_fields import FieldFixes
from syncerr_tui.salesforce.fix_lookup import METADATA, SETUP, FixCase, TargetReader, ignore_refusals
from syncerr_tui.salesforce.fix_records import RecordFixes
from syncerr_tui.salesforce.fix_safeguards import Exemption, SafeguardFixes, table_key, table_keys
from syncerr_tui.salesforce.fix_targets import FixTargets
from syncerr_tui.salesforce.fix_writes import FixWrites
from syncerr_tui.salesforce.metadata_api import MetadataApi
from syncerr_tui.salesforce.profiles import FieldMapping, OrgProfile
from syncerr_tui.salesforce.reading import datetime_of, text
from syncerr_tui.salesforce.soql import to_18
from syncerr_tui.text import one_line
from syncerr_tui.words import local_minute

_PERMISSIONS = (
    *METADATA,
    *SETUP,
    "PermissionsAssignPermissionSets",
    "PermissionsManageInteraction",
    "PermissionsTransferAnyEntity",
)
_AUDIT_ACTIONS = (
    "activatedinteractiondefinition", "activatedinteractiondefversion", "changedDuplicateFilter",
    "changedDuplicateRule", "changedValidationActive", "changedWorkflowRule",
    "deactivatedinteractiondefinition", "deactivatedinteractiondefversion",
)  # fmt: skip
_AUDIT_LINES = 2


class FixFinder:
    """Looks up what could be done about errors of one org; what holds for all of them it asks for once.

    Args:
        client: The org.
        targets: How targets are read.
        metadata: Its components.
        exemption: Who and what an exemption may use.
        record_key: The field of a record that holds its StoreConnect ID.
        named: A record that a person asks for, even where nothing blocks there any more.
    """

    def __init__(
        self,
        client: ApiClient,
        targets: FixTargets,
        metadata: MetadataApi,
        exemption: Exemption,
        record_key: str,
        named: str = "",
    ) -> None:
        self._client = client
        self._reader = reader = TargetReader(targets)
        self._audit: list[tuple[datetime, str, str]] | None = None
        self._permissions: dict[str, bool] | None = None
        records = RecordFixes(client, record_key, named)
        safeguards = SafeguardFixes(client, reader, exemption)
        fields = FieldFixes(client, reader, metadata)
        self._looks: tuple[Callable[[FixCase], Awaitable[list[FixCandidate]]], ...] = (
            records.bounced,
            records.owners,
            records.held_values,
            records.own_values,
            fields.picklist,
            safeguards.rules,
            safeguards.workflow_rules,
            safeguards.flows,
            safeguards.duplicates,
            fields.required,
        )

    async def facts(self, errors: Sequence[tuple[SyncError, Explanation]]) -> FixFacts:
        """What the org says about the fixes of some errors with one cause.

        Raises:
            NotLoggedInError, UnreachableError: The org could not be asked.
        """
        candidates: list[FixCandidate] = []
        if self._permissions is None:
            self._permissions = await self._read_permissions()
        for error, explanation in errors:
            begin = len(candidates)
            for explained in explanation.failures:
                target = facts_of(explained.failure, str(error.object), error.salesforce_id).target
                case = FixCase(explained.failure, error, target)
                steps = explained.guidance.steps
                for look in self._looks:
                    with ignore_refusals():
                        looked = await look(case)
                        candidates += [replace(one, steps=steps) if one.guided else one for one in looked]
                if (by_hand := _by_hand(case, explained.guidance)) is not None:
                    candidates.append(by_hand)
            candidates[begin:] = [replace(one, event=error.id) for one in candidates[begin:]]
        audited = [await self._with_audit(candidate) for candidate in candidates]
        return FixFacts(tuple(audited), self._permissions, self._reader.metadata_problem)

    async def _read_permissions(self) -> dict[str, bool]:
        """This user's permissions, as far as the org has a column for each."""
        permissions: dict[str, bool] = {}
        with ignore_refusals():
            described = await self._client.describe("UserPermissionAccess")
            names = {name for need in _PERMISSIONS for name in need.split("|")}
            columns = [field["name"] for field in described["fields"] if field["name"] in names]
            query = f"SELECT {', '.join(columns)} FROM UserPermissionAccess LIMIT 1"  # noqa: S608
            for row in await self._client.query_all(query):
                permissions = {name: row.get(name) is True for name in columns}
        return permissions

    async def _with_audit(self, candidate: FixCandidate) -> FixCandidate:
        """What the setup audit trail says about a component, at most two lines."""
        if candidate.kind.scope not in {FixScope.SAFEGUARD, FixScope.EXEMPTION}:
            return candidate
        if self._audit is None:
            self._audit = await self._audit_trail()
        name = candidate.target.name.rpartition(".")[2]
        shown = {name, name.replace("_", " ")}
        lines = [
            f"Audit trail {local_minute(at)}, {who}: {words}"
            for at, who, words in self._audit
            if any(text in words for text in shown)
        ]
        return replace(candidate, audit=tuple(lines[:_AUDIT_LINES]))

    async def _audit_trail(self) -> list[tuple[datetime, str, str]]:
        rows: list[Row] = []
        with ignore_refusals():
            rows = await self._client.query_all(
                "SELECT CreatedDate, CreatedBy.Name, Action, Display FROM SetupAuditTrail "  # noqa: S608 - constants
                f"WHERE CreatedDate = LAST_N_DAYS:30 AND {soql.one_of('Action', _AUDIT_ACTIONS)} "
                "ORDER BY CreatedDate DESC LIMIT 500"
            )
        changes = []
        for row in rows:
            by, at = row.get("CreatedBy"), datetime_of(row.get("CreatedDate"))
            if at is not None:
                who = text(by, "Name") if isinstance(by, dict) else ""
                changes.append((at, who or "somebody", text(row, "Display")))
        return changes


def _by_hand(case: FixCase, guidance: Guidance) -> FixCandidate | None:
    """The steps for a person, as they are everywhere else; None where a plain re-sync is the first step."""
    if guidance.retry is Retry.JUST_RETRY or not guidance.steps:
        return None
    code = case.code or "UNKNOWN"
    return FixCandidate(
        FixKind.BY_HAND,
        FixTarget(str(case.error.object), "", code),
        {},
        title=plain(guidance.headline).rstrip("."),
        guided=_WHY_BY_HAND.get(code, "This is done by hand in Salesforce"),
        steps=guidance.steps,
    )


_WHY_BY_HAND = {
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "No API switches off a trigger in production",
    "DUPLICATES_DETECTED": "Merging records cannot be undone: a person decides which one stays",
    "EMAIL_TEMPLATE_MERGEFIELD_ERROR": "Which field the template should name is a person's decision",
    "ENTITY_IS_LOCKED": "Approvals and activated orders are business decisions",
    "FAILED_ACTIVATION": "Activating an order is a business decision",
    "FIELD_INTEGRITY_EXCEPTION": "No API creates a state or country",
    "INVALID_CROSS_REFERENCE_KEY": "What the record should point to is a person's decision",
}


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
        return await (await self.finder(named)).facts(errors)

    async def finder(self, named: str = "") -> FixFinder:
        """Looks up the fixes of several causes at one time; `named` as in `facts`."""
        exemption = await self._exemption()
        return FixFinder(self._client, self, self._metadata, exemption, self._record_key, named)

    async def find_safeguard(self, text: str) -> FixChange:
        kind, _, name = text.partition(":")
        version = ""
        if kind == "FlowDefinition":
            name, _, version = name.partition("@")
        if kind not in _BY_TYPE or not name or (kind == "FlowDefinition") != version.isdecimal():
            raise BadInputError(
                f"'{one_line(text)[:80]}' is not the name of a safeguard",
                "Write it like ValidationRule:Order.Rule or FlowDefinition:Name@3 (its version)",
            )
        fix_kind, element = _BY_TYPE[kind]
        target = FixTarget(kind, await self._id_of(kind, name), name)
        before: Values = {element: int(version) if version else True}
        return FixChange(fix_kind, target, {element: 0 if version else False}, before)

    async def _id_of(self, kind: str, name: str) -> str:
        object_name, _, own = name.partition(".")
        person = object_name == "PersonAccount"
        subtype = f" AND SobjectSubtype = {soql.quote(object_name)}" if person else ""
        sobject = soql.quote("Account" if person else object_name)
        mine = f" AND EntityDefinition.QualifiedApiName = {soql.quote(object_name)}"
        where = {
            "FlowDefinition": f"DeveloperName = {soql.quote(name)}",
            "ValidationRule": f"ValidationName = {soql.quote(own)}{mine}",
            "WorkflowRule": f"Name = {soql.quote(own)}",
            "DuplicateRule": f"DeveloperName = {soql.quote(own)} AND SobjectType = {sobject}{subtype}",
        }
        if kind not in where:
            return ""
        columns = "Id, TableEnumOrId" if kind == "WorkflowRule" else "Id"
        query = f"SELECT {columns} FROM {kind} WHERE {where[kind]}"  # noqa: S608 - quoted
        rows = await self._client.query_all(query, tooling=kind != "DuplicateRule")
        if kind == "WorkflowRule":
            tables = await table_keys(self._client, object_name)
            rows = [row for row in rows if table_key(text(row, "TableEnumOrId")) in tables]
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
