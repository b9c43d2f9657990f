"""Which fixes fit an error in this org: what its diagnosis names, looked up as it is now.

What the org refuses to tell is left out: knowing less is no error, and the steps for a person stay. An org
that does not answer is one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from syncerr_tui.diagnosis.explanation import Explanation
from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.model import Guidance, Retry
from syncerr_tui.diagnosis.template_vars import facts_of
from syncerr_tui.fixes.org import FixCandidate, FixFacts, FixKind, FixScope, FixTarget
from syncerr_tui.model import SyncError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.fix_fields import FieldFixes
from syncerr_tui.salesforce.fix_lookup import METADATA, SETUP, FixCase, TargetReader, text, untold
from syncerr_tui.salesforce.fix_records import RecordFixes
from syncerr_tui.salesforce.fix_safeguards import Exemption, SafeguardFixes
from syncerr_tui.salesforce.fix_targets import FixTargets
from syncerr_tui.salesforce.metadata_api import MetadataApi
from syncerr_tui.salesforce.reading import moment
from syncerr_tui.words import local_minute

_PERMISSIONS = (
    *METADATA,
    *SETUP,
    "PermissionsAssignPermissionSets",
    "PermissionsManageInteraction",
    "PermissionsTransferAnyEntity",
)
_AUDIT_ACTIONS = (
    "activatedinteractiondefinition",
    "activatedinteractiondefversion",
    "changedDuplicateFilter",
    "changedDuplicateRule",
    "changedValidationActive",
    "changedWorkflowRule",
    "deactivatedinteractiondefinition",
    "deactivatedinteractiondefversion",
)
_AUDIT_LINES = 2


class FixFinder:
    """Looks up what could be done about errors of one org.

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
        found: list[FixCandidate] = []
        permissions = await self._permissions()
        for error, explanation in errors:
            begin = len(found)
            for explained in explanation.failures:
                target = facts_of(explained.failure, str(error.object), error.salesforce_id).target
                case = FixCase(explained.failure, error, target)
                steps = explained.guidance.steps
                for look in self._looks:
                    with untold():
                        looked = await look(case)
                        found += [replace(one, steps=steps) if one.guided else one for one in looked]
                if (by_hand := _by_hand(case, explained.guidance)) is not None:
                    found.append(by_hand)
            found[begin:] = [replace(one, event=error.id) for one in found[begin:]]
        audited = [await self._with_audit(candidate) for candidate in found]
        return FixFacts(tuple(audited), permissions, self._reader.metadata_problem)

    async def _permissions(self) -> dict[str, bool]:
        """This user's permissions, as far as the org has a column for each."""
        found: dict[str, bool] = {}
        with untold():
            described = await self._client.describe("UserPermissionAccess")
            wanted = {name for need in _PERMISSIONS for name in need.split("|")}
            columns = [field["name"] for field in described["fields"] if field["name"] in wanted]
            query = f"SELECT {', '.join(columns)} FROM UserPermissionAccess LIMIT 1"  # noqa: S608
            for row in await self._client.query_all(query):
                found = {name: row.get(name) is True for name in columns}
        return found

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
        with untold():
            rows = await self._client.query_all(
                "SELECT CreatedDate, CreatedBy.Name, Action, Display FROM SetupAuditTrail "  # noqa: S608 - constants
                f"WHERE CreatedDate = LAST_N_DAYS:30 AND {soql.one_of('Action', _AUDIT_ACTIONS)} "
                "ORDER BY CreatedDate DESC LIMIT 500"
            )
        found = []
        for row in rows:
            by, at = row.get("CreatedBy"), moment(row.get("CreatedDate"))
            if at is not None:
                who = text(by, "Name") if isinstance(by, dict) else ""
                found.append((at, who or "somebody", text(row, "Display")))
        return found


def _by_hand(case: FixCase, guidance: Guidance) -> FixCandidate | None:
    """The steps for a person, as they are everywhere else; None where a plain re-sync is the first step."""
    if guidance.retry is Retry.JUST_RETRY or not guidance.steps:
        return None
    code = case.code or "UNKNOWN"
    return FixCandidate(
        FixKind.BY_HAND,
        FixTarget(str(case.error.object), "", code),
        f"By hand: {plain(guidance.headline).rstrip('.')}",
        guided=_WHY_BY_HAND.get(code, "A person does it in Salesforce"),
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
