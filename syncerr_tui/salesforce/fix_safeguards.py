"""Fixes that exempt the sync user from a safeguard, or switch one off.

Sources: Tooling API (ValidationRule, FlowDefinition, WorkflowRule), FlowDefinitionView, DuplicateRule and
MatchingRule of the object reference, the Metadata API's DuplicateRule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from syncerr_tui.fixes.org import FixCandidate, FixKind, FixTarget, short_list
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.fix_lookup import (
    EVERYBODY,
    METADATA,
    SETUP,
    FixCase,
    TargetReader,
    ignore_refusals,
)
from syncerr_tui.salesforce.fix_targets import exempt_words, filter_words
from syncerr_tui.salesforce.metadata_xml import Component
from syncerr_tui.salesforce.reading import DATETIME, text
from syncerr_tui.salesforce.soql import to_18
from syncerr_tui.stopwatch import utc_now
from syncerr_tui.text import one_line

BYPASS_FOR = timedelta(hours=1)
"""How long a bypass permission set is assigned: it ends by itself."""
_MOST = 5
"""Flows that are offered where the message names none alone."""
_TELLING = 20
"""Characters of a rule's message that are not there by chance."""
_RULES = frozenset({"FIELD_CUSTOM_VALIDATION_EXCEPTION", "UNKNOWN_EXCEPTION"})
_MAIL = frozenset({"EMAIL_ADDRESS_BOUNCED", "EMAIL_TEMPLATE_MERGEFIELD_ERROR", "INVALID_EMAIL_ADDRESS"})


@dataclass(frozen=True, slots=True)
class Exemption:
    """Who and what an exemption may use, as the profile names them."""

    sync_user: str = ""
    """Username; empty: no exemption is offered."""
    permission_sets: tuple[str, ...] = ()


class SafeguardFixes:
    """Looks up the safeguards that refuse."""

    def __init__(self, client: ApiClient, reader: TargetReader, exemption: Exemption) -> None:
        self._client = client
        self._reader = reader
        self._exemption = exemption

    async def rules(self, case: FixCase) -> list[FixCandidate]:
        """Validation rules whose message stands in the error, and what lets one user past them."""
        if not any(map(case.has, _RULES)):
            return []
        rows = await self._rules_with_words(case)
        candidates: list[FixCandidate] = []
        for row in rows:
            candidates += await self._validation_rule(row)
        return candidates

    async def _rules_with_words(self, case: FixCase) -> list[Row]:
        """Rules whose error message stands in the error; those of the refused object where it has any."""
        select = (
            "SELECT Id, ValidationName, Active, ErrorMessage, EntityDefinition.QualifiedApiName, "
            "NamespacePrefix, ManageableState, LastModifiedDate, LastModifiedBy.Name FROM ValidationRule"
        )
        message = one_line(case.failure.text or str(case.error.message))
        places = [f" WHERE EntityDefinition.QualifiedApiName = {soql.quote(name)}" for name in case.objects]
        for where in (*places, ""):
            rows = await self._client.tooling(select + where)
            least = 1 if where else _TELLING
            fitting = [row for row in rows if _stands_in(text(row, "ErrorMessage"), message, least)]
            longest = max((len(text(row, "ErrorMessage")) for row in fitting), default=0)
            if fitting:
                return [row for row in fitting if len(text(row, "ErrorMessage")) == longest]
        return []

    async def _validation_rule(self, row: Row) -> list[FixCandidate]:
        entity = row.get("EntityDefinition")
        object_name = text(entity, "QualifiedApiName") if isinstance(entity, dict) else ""
        prefix = f"{text(row, 'NamespacePrefix')}__" if text(row, "NamespacePrefix") else ""
        prefix = "" if text(row, "ValidationName").startswith(prefix) else prefix
        name = f"{object_name}.{prefix}{text(row, 'ValidationName')}"
        target = FixTarget("ValidationRule", to_18(row.get("Id")) or "", name)
        look = await self._reader.look(FixKind.VALIDATION_RULE_OFF, target, {"active": False})
        formula = str(look.handle.get("errorConditionFormula")) if isinstance(look.handle, dict) else ""
        off = look.candidate(
            f"Switch off the validation rule {text(row, 'ValidationName')} of {object_name}",
            row,
            before=look.values or {"active": row.get("Active") is True},
            affects=f"Everybody who saves a record of {object_name}. {EVERYBODY}",
            needs=SETUP,
        )
        return [*await self._bypasses(), off] if "$Permission." in formula else [off]

    async def _bypasses(self) -> list[FixCandidate]:
        """Permission sets that the admin named as a bypass, for a rule that looks for a permission."""
        user, candidates = self._exemption.sync_user, []
        for name in self._exemption.permission_sets if user else ():
            target = FixTarget("PermissionSetAssignment", "", f"{name} for {user}")
            until = (utc_now() + BYPASS_FOR).strftime(DATETIME)
            after: dict[str, object] = {"assigned": True, "ExpirationDate": until}
            look = await self._reader.look(FixKind.ASSIGN_BYPASS, target, after)
            if look.reading is None and not look.problem:
                continue  # no such permission set, or no such user
            candidates.append(
                look.candidate(
                    f"Give {name} to {user} for an hour",
                    after=look.values if look.values.get("assigned") else after,
                    affects=f"Only {user}: rules that look for it let this user pass. It ends by itself.",
                    needs=("PermissionsAssignPermissionSets",),
                )
            )
        return candidates

    async def flows(self, case: FixCase) -> list[FixCandidate]:
        """Flows and processes that the message names."""
        candidates: list[FixCandidate] = []
        for name in dict.fromkeys(one.name for one in case.failure.automation if one.kind == "flow"):
            for view in await self._flow_views(name):
                candidates += await self._flow(view)
        return candidates

    async def _flow_views(self, name: str) -> list[Row]:
        """The flows that a message calls by their API name or their label: all that it may mean."""
        columns = (
            "ApiName, Label, DurableId, ProcessType, NamespacePrefix, ManageableState, "
            "LastModifiedDate, LastModifiedBy"
        )
        for column in ("ApiName", "Label"):
            rows = await self._client.query_all(
                f"SELECT {columns} FROM FlowDefinitionView WHERE {column} = {soql.quote(name[:255])}"  # noqa: S608 - quoted
            )
            if rows:
                return rows[:_MOST]
        return []

    async def _flow(self, view: Row) -> list[FixCandidate]:
        flow_id = to_18(view.get("DurableId"))
        if flow_id is None:
            return []
        target = FixTarget("FlowDefinition", flow_id, text(view, "ApiName"))
        look = await self._reader.look(FixKind.FLOW_OFF, target, {"activeVersionNumber": 0})
        if look.reading is None and not look.problem:
            return []
        number = look.values.get("activeVersionNumber")
        label, api_name = text(view, "Label"), text(view, "ApiName")
        name = f"{label} ({api_name})" if label and label != api_name else api_name
        version = f"; version {number} is the active one" if number else ""
        return [
            look.candidate(
                f"Switch off the Flow {name}{version}",
                view,
                affects=f"What this Flow does is left undone for every record saved meanwhile. {EVERYBODY} "
                "Paused interviews and scheduled paths go on.",
                needs=("PermissionsManageInteraction",),
            )
        ]

    async def workflow_rules(self, case: FixCase) -> list[FixCandidate]:
        """Workflow rules of this object that the message names; of mail that fails, those that send mail."""
        message = one_line(case.failure.text or str(case.error.message))
        if case.code not in _MAIL and "workflow" not in message.casefold():
            return []
        tables = await table_keys(self._client, str(case.error.object))
        rows = await self._client.tooling(
            "SELECT Id, Name, TableEnumOrId, NamespacePrefix, ManageableState, LastModifiedDate, "
            "LastModifiedBy.Name FROM WorkflowRule"
        )
        candidates = []
        for row in rows:
            if table_key(text(row, "TableEnumOrId")) not in tables:
                continue
            target = FixTarget(
                "WorkflowRule", to_18(row.get("Id")) or "", f"{case.error.object}.{text(row, 'Name')}"
            )
            look = await self._reader.look(FixKind.WORKFLOW_RULE_OFF, target, {"active": False})
            mails = case.code in _MAIL and (look.reading is None or _sends_mail(look.handle))
            if not mails and not _is_named(text(row, "Name"), message):
                continue
            candidates.append(
                look.candidate(
                    f"Switch off the workflow rule {text(row, 'Name')} of {case.error.object}",
                    row,
                    affects=f"Mails and updates of this rule are left out. {EVERYBODY}",
                    needs=SETUP,
                )
            )
        return candidates

    async def duplicates(self, case: FixCase) -> list[FixCandidate]:
        """Duplicate rules that the message names, else those of the object."""
        if not case.has("DUPLICATES_DETECTED"):
            return []
        rows = await self._client.query_all(
            "SELECT Id, DeveloperName, MasterLabel, SobjectType, SobjectSubtype, IsActive, NamespacePrefix, "
            "LastModifiedDate, LastModifiedBy.Name FROM DuplicateRule"
        )
        named = {one.name for one in case.failure.automation if one.kind == "duplicate_rule"}
        fitting = [row for row in rows if {text(row, "MasterLabel"), text(row, "DeveloperName")} & named]
        fitting = fitting or [row for row in rows if text(row, "SobjectType") in case.objects]
        candidates: list[FixCandidate] = []
        for row in fitting:
            candidates += await self._duplicate_rule(row)
        return candidates

    async def _duplicate_rule(self, row: Row) -> list[FixCandidate]:
        object_name = (
            "PersonAccount" if row.get("SobjectSubtype") == "PersonAccount" else text(row, "SobjectType")
        )
        target = FixTarget(
            "DuplicateRule", to_18(row.get("Id")) or "", f"{object_name}.{text(row, 'DeveloperName')}"
        )
        look = await self._reader.look(FixKind.DUPLICATE_RULE_OFF, target, {"isActive": False})
        component = look.handle if isinstance(look.handle, Component) else None
        off = look.candidate(
            f"Switch off the duplicate rule {text(row, 'MasterLabel')} of {object_name}",
            row,
            before=look.values or {"isActive": row.get("IsActive") is True},
            affects=f"Everybody can make duplicates of {object_name}, not just the website. {EVERYBODY}",
            blocked=await self._matching_problem(component),
            needs=METADATA,
            needs_metadata_api=True,
        )
        user = self._exemption.sync_user
        if not user or component is None:
            return [off]
        before = filter_words(component)
        single = len(component.tree.all("duplicateRuleFilter")) == 1
        exempt = replace(
            off,
            kind=FixKind.EXEMPT_SYNC_USER,
            title=f"Let the duplicate rule {text(row, 'MasterLabel')} pass what {user} saves",
            before={"duplicateRuleFilter": before},
            after={"duplicateRuleFilter": exempt_words(user)},
            blocked=""
            if look.values.get("isActive")
            else "The rule is off: nobody has to be exempted from it",
            guided=""
            if single and before in {None, exempt_words(user)}
            else "The rule has conditions of its own",
            affects=f"Only records that {user} saves; everybody else stays protected. It is lasting.",
        )
        return [exempt, off]

    async def _matching_problem(self, component: Component | None) -> str:
        """A duplicate rule can be switched on again only while its matching rules are active."""
        if component is None:
            return ""
        used = [
            ((one.value("matchRuleSObjectType") or "").replace("PersonAccount", "Account"), name)
            for one in component.tree.all("duplicateRuleMatchRules")
            if (name := one.value("matchingRule"))
        ]
        with ignore_refusals():
            rows = await self._client.query_all(
                "SELECT DeveloperName, SobjectType, RuleStatus FROM MatchingRule"
            )
            # Two objects may have matching rules of one name.
            inactive = {
                (text(row, "SobjectType"), text(row, "DeveloperName"))
                for row in rows
                if text(row, "RuleStatus") != "Active"
            }
            idle = [name for object_name, name in used if (object_name, name) in inactive]
            if idle:
                return (
                    f"Its matching rule {short_list(idle)} is not active: the duplicate rule could not be "
                    "switched on again"
                )
        return ""


def table_key(enum_or_id: str) -> str:
    """What names an object in `TableEnumOrId`, so that ids of 15 and of 18 characters are the same."""
    return to_18(enum_or_id) or enum_or_id


async def table_keys(client: ApiClient, object_name: str) -> set[str]:
    """How `TableEnumOrId` may name an object, as `table_key` has it."""
    where = f"QualifiedApiName = {soql.quote(object_name)}"
    rows = await client.tooling(f"SELECT DurableId FROM EntityDefinition WHERE {where}")  # noqa: S608 - quoted
    return {table_key(name) for name in (object_name, *(text(row, "DurableId") for row in rows))}


def _stands_in(words: str, message: str, least: int) -> bool:
    """Whether a rule's message stands in an error, whole or cut off at the error's end."""
    if len(words) >= least and words in message:
        return bool(words)
    end = message.rstrip(" .…")
    return any(end.endswith(words[:length]) for length in range(_TELLING, len(words)))


def _is_named(name: str, message: str) -> bool:
    """Whether a text has this name in it, not as a part of a longer word."""
    return bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) is not None


def _sends_mail(rule: object) -> bool:
    actions = rule.get("actions") if isinstance(rule, dict) else None
    return isinstance(actions, list) and any(
        isinstance(one, dict) and one.get("type") == "Alert" for one in actions
    )
