"""An org with safeguards: rules that stop the sync, and the three doors through which they are changed.

Written from Salesforce's reference alone. Every change of the set-up is kept with what was there before it,
so that a test can say whether exactly one thing was changed. Components are kept as the XML and the JSON that
was written, with elements that no client knows, in an order of their own, in a namespace with a prefix.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from xml.etree import ElementTree as ET

from tests.independent.clock import Clock
from tests.independent.naming import Naming
from tests.independent.org import Event, Fate, Job, Org
from tests.independent.schema import Field, Table

METADATA = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = f"{{{XSI}}}nil"
RIGHTS = (
    "ModifyMetadata", "ModifyAllData", "ViewAllData", "CustomizeApplication", "ViewSetup",
    "ManageInteraction", "TransferAnyEntity", "ManageInternalUsers", "AuthorApex", "AssignPermissionSets",
    "ActivateOrder", "EditHtmlTemplates",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownField(Field):
    """A field with more to tell than a plain one."""

    more: Mapping[str, Any] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """As `describe` has it."""
        return {**Field.described(self), **self.more}


@dataclass(frozen=True, slots=True)
class SetupWrite:
    """One change of the set-up that really happened."""

    kind: str
    name: str
    before: Any
    after: Any
    by: str


class Refusal(Exception):  # noqa: N818 - what the org answers
    """A write is refused."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_RULE_JSON: Mapping[str, Any] = {
    "urls": None,
    "shouldEvaluateOnClient": False,
    "errorMessage": "Der Bestellwert muss positiv sein; bitte prüfen.",
    "errorDisplayField": None,
    "zweiteMeldung": {"sprache": "fr", "text": "La valeur doit être positive"},
    "errorConditionFormula": "TotalAmount < 0",
    "description": "<b>Nicht</b> ausschalten & nicht ändern",
    "active": True,
}
_DUPLICATE = (
    "<md:sortOrder>1</md:sortOrder><md:neuartig><md:stufe>3</md:stufe><md:stufe>1</md:stufe></md:neuartig>"
    "<md:actionOnInsert>Block</md:actionOnInsert><md:actionOnUpdate>Allow</md:actionOnUpdate>"
    "<md:alertText>Doppelt? &lt;prüfen&gt; &amp; melden</md:alertText><md:description xsi:nil='true'/>"
    "<md:duplicateRuleFilter xsi:nil='true'/><md:duplicateRuleMatchRules>"
    "<md:matchRuleSObjectType>Account</md:matchRuleSObjectType><md:matchingRule>Kunden</md:matchingRule>"
    "<md:objectMapping xsi:nil='true'/></md:duplicateRuleMatchRules><md:isActive>true</md:isActive>"
    "<md:masterLabel>Kunden-Dublette</md:masterLabel><md:operationsOnUpdate>Report</md:operationsOnUpdate>"
    "<md:operationsOnUpdate>Alert</md:operationsOnUpdate>"
    "<md:securityOption>BypassSharingRules</md:securityOption>"
)
_PICKLIST = (
    "<md:label>Versandart</md:label><md:type>Picklist</md:type><md:required>false</md:required>"
    "<md:neuesteOption xsi:nil='true'/><md:valueSet><md:restricted>true</md:restricted>"
    "<md:valueSetDefinition>"
    "<md:sorted>false</md:sorted><md:value><md:fullName>Post</md:fullName><md:color>#00ff00</md:color>"
    "<md:default>true</md:default><md:isActive>true</md:isActive><md:label>Brief &amp; Paket</md:label>"
    "</md:value>"
    "<md:value><md:fullName>Bote</md:fullName><md:default>false</md:default><md:label>Bote</md:label></md:value>"
    "<md:value><md:fullName>Spedition</md:fullName><md:default>false</md:default><md:isActive>false</md:isActive>"
    "<md:label>Spedition</md:label></md:value></md:valueSetDefinition></md:valueSet>"
)
_REQUIRED = (
    "<md:type>Text</md:type><md:length>12</md:length><md:required>true</md:required><md:label>Kostenstelle</md:label>"
    "<md:maskierung><md:art>keine</md:art></md:maskierung><md:inlineHelpText xsi:nil='true'/>"
    "<md:unique>false</md:unique>"
)
_INDUSTRY = (
    "<md:standardValue><md:fullName>Handel</md:fullName><md:default>false</md:default><md:label>Handel</md:label>"
    "<md:gewicht>7</md:gewicht></md:standardValue><md:standardValue><md:fullName>Bau</md:fullName>"
    "<md:default>false</md:default><md:label>Bau</md:label></md:standardValue><md:sorted>false</md:sorted>"
)
_BY_THE_SET = (
    "<md:label>Lieferweg</md:label><md:type>Picklist</md:type><md:required>false</md:required><md:valueSet>"
    "<md:restricted>true</md:restricted><md:valueSetName>Lieferwege__gvs</md:valueSetName></md:valueSet>"
)
_WAYS = (
    "<md:masterLabel>Lieferwege</md:masterLabel><md:sorted>true</md:sorted><md:customValue>"
    "<md:fullName>Luft</md:fullName><md:label>Luft</md:label><md:default>false</md:default></md:customValue>"
)


class GuardedOrg(Org):
    """An org whose rules stop the sync for as long as they are on."""

    def __init__(self, clock: Clock, naming: Naming, rng: Random) -> None:
        self.blocks: dict[str, Callable[[], bool]] = {}
        """Event -> whether it is still stopped."""
        self.writes: list[SetupWrite] = []
        """Every change of the set-up and of records by the client, in order."""
        self.attempts = 0
        """Requests that would change the set-up or a record, refused ones too."""
        self.trouble: list[str] = []
        """What happens to the next of them: `locked`, `denied`, `error though done`, `lost after`,
        `lost before`, `late`, `page before`, `busy page`, `odd shape`, `not saved`, `page though done`."""
        self.on_read: list[Callable[[], None]] = []
        """Done, once each, right after a component was read by the client and before anything else."""
        self.json: dict[tuple[str, str], dict[str, Any]] = {}
        self.xml: dict[tuple[str, str], str] = {}
        self.jwt_refused = False
        self.offers: dict[tuple[str, str], tuple[str, ...]] = {}
        """Record type and field -> the values that it offers, where these are not all."""
        super().__init__(clock, naming, rng)

    # -- set-up

    def _set_up(self) -> None:
        super()._set_up()
        self.users |= {"gone": self._ids.next("005")}
        self._tables()
        self._insert(
            "User", self.users["gone"], Name="Gone", Username="gone@kaufladen.example", IsActive=False
        )
        for row in self.tables["User"].rows.values():
            row |= {"UserType": "Standard", "Type": "User"}
        for row in self.tables["UserPermissionAccess"].rows.values():
            row |= {f"Permissions{name}": True for name in RIGHTS}
        stamps = self._stamps("person")
        for name in ("Account", "Order", "OrderItem", "Contact"):
            entity = {"QualifiedApiName": name, "DurableId": name, "DeveloperName": name, "Label": name}
            self._insert("EntityDefinition", name, **entity)
        self.rule = self._rule("Order", "Wert_Positiv", dict(_RULE_JSON))
        self.twin_rule = self._rule("Order", "Wert_Positiv_Alt", {**_RULE_JSON, "errorMessage": "Anders"})
        managed = {"NamespacePrefix": "zoll", "ManageableState": "installed"}
        self.managed_rule = self._rule("Order", "zoll__Grenze", None, "Zoll: Grenze überschritten", **managed)
        definition, versions = self._ids.next("300"), {}
        for number in (6, 7, 9):
            versions[number] = self._ids.next("301")
            status = {7: "Active", 9: "Draft"}.get(number, "Obsolete")
            version = {"DefinitionId": definition, "MasterLabel": "Lager zuweisen", "VersionNumber": number}
            self._insert("Flow", versions[number], **version, Status=status, **stamps)
            view = {
                "DurableId": versions[number],
                "FlowDefinitionViewId": definition,
                "Label": "Lager zuweisen",
            }
            self._insert("FlowVersionView", versions[number], **view, VersionNumber=number, Status=status)
        self.flow, self.flow_versions = definition, versions
        own = {"NamespacePrefix": None, "ManageableState": "unmanaged", "MasterLabel": "Lager zuweisen"}
        latest = {"ActiveVersionId": versions[7], "LatestVersionId": versions[9]}
        self._insert(
            "FlowDefinition", definition, DeveloperName="Lager_Zuweisung", FullName="Lager_Zuweisung",
            Description="wichtig", **own, **latest, **stamps,
        )  # fmt: skip
        self._insert(
            "FlowDefinitionView", definition, DurableId=definition, ApiName="Lager_Zuweisung",
            Label="Lager zuweisen", IsActive=False, ProcessType="AutoLaunchedFlow", LastModifiedBy="Person",
            TriggerType="RecordAfterSave", TriggerObjectOrEventId="Order", IsOutOfDate=True,
            IsOverridable=False, **latest,
            **{key: own[key] for key in ("NamespacePrefix", "ManageableState")},
            LastModifiedDate=stamps["LastModifiedDate"],
        )  # fmt: skip
        self.json["FlowDefinition", definition] = {
            "masterLabel": "Lager zuweisen", "neuerSchalter": [1, {"a": None}], "urls": None,
            "activeVersionNumber": 7, "description": "wichtig",
        }  # fmt: skip
        self.duplicate = self._ids.next("0Bm")
        self._insert(
            "DuplicateRule", self.duplicate, DeveloperName="Kunden_Dublette", MasterLabel="Kunden-Dublette",
            SobjectType="Account", SobjectSubtype="None", IsActive=True, NamespacePrefix=None, **stamps,
        )  # fmt: skip
        self.matching = self._ids.next("0JD")
        self._insert(
            "MatchingRule", self.matching, DeveloperName="Kunden", MasterLabel="Kunden",
            SobjectType="Account", RuleStatus="Active", NamespacePrefix=None,
        )  # fmt: skip
        for kind, name, inner in (
            ("DuplicateRule", "Account.Kunden_Dublette", _DUPLICATE),
            ("CustomField", "Order.Versandart__c", _PICKLIST),
            ("CustomField", "OrderItem.Kostenstelle__c", _REQUIRED),
            ("StandardValueSet", "Industry", _INDUSTRY),
            ("GlobalValueSet", "Lieferwege__gvs", _WAYS),
            (
                "CustomField",
                "Order.Lieferweg__c",
                _BY_THE_SET,
            ),
        ):
            self.xml[kind, name] = inner
            if kind == "CustomField":
                object_name, _, api_name = name.partition(".")
                custom = {"DeveloperName": api_name.removesuffix("__c"), "TableEnumOrId": object_name}
                self._insert(
                    "CustomField", self._ids.next("00N"), **custom, EntityDefinitionId=object_name,
                    NamespacePrefix=None, ManageableState="unmanaged", FullName=name, **stamps,
                )  # fmt: skip
        self.bypass = self._ids.next("0PS")
        self._insert("PermissionSet", self.bypass, Name="Umgehung", Label="Umgehung", IsOwnedByProfile=False)

    def _rule(
        self, object_name: str, name: str, metadata: dict[str, Any] | None, message: str = "", **more: Any
    ) -> str:
        key = self._ids.next("03d")
        own: dict[str, Any] = {"NamespacePrefix": None, "ManageableState": "unmanaged", **more}
        text = metadata["errorMessage"] if metadata else message
        self._insert(
            "ValidationRule", key, ValidationName=name, Active=True, ErrorMessage=text,
            ErrorDisplayField=None, EntityDefinitionId=object_name, FullName=f"{object_name}.{name}",
            **own, **self._stamps("person"),
        )  # fmt: skip
        if metadata is not None:
            self.json["ValidationRule", key] = metadata
        return key

    def _stamps(self, by: str) -> dict[str, Any]:
        return {
            "LastModifiedDate": datetime.fromtimestamp(int(self.now()), UTC),
            "LastModifiedById": self.users[by],
        }

    def _tables(self) -> None:
        def setup(name: str, prefix: str, *fields: Field) -> None:
            more = (Field("Id", "id"), *fields)
            self.tables[name] = Table(name, name, prefix, {one.name: one for one in more}, data=False)

        def texts(*names: str) -> list[Field]:
            return [
                Field(name, "boolean" if name.startswith(("Is", "Active")) else "string") for name in names
            ]

        def ref(name: str, target: str) -> Field:
            return Field(name, "reference", "", target, name.removesuffix("Id"))

        stamps = (Field("LastModifiedDate", "datetime"), ref("LastModifiedById", "User"))
        own = texts("NamespacePrefix", "ManageableState", "FullName")
        metadata = Field("Metadata", "complexvalue")
        entity = ref("EntityDefinitionId", "EntityDefinition")
        setup("EntityDefinition", "", *texts("QualifiedApiName", "DurableId", "DeveloperName", "Label"))
        names = texts("ValidationName", "Active", "ErrorMessage", "ErrorDisplayField", "Description")
        setup("ValidationRule", "03d", *names, entity, metadata, *own, *stamps)
        setup("WorkflowRule", "01Q", *texts("Name", "TableEnumOrId"), metadata, *own, *stamps)
        names = texts("DeveloperName", "TableEnumOrId")
        setup("CustomField", "00N", *names, entity, metadata, *own, *stamps)
        names = texts("DeveloperName", "MasterLabel", "Description")
        versions = (ref("ActiveVersionId", "Flow"), ref("LatestVersionId", "Flow"))
        setup("FlowDefinition", "300", *names, *versions, metadata, *own, *stamps)
        setup("GlobalValueSet", "0Nt", *names, metadata, *own, *stamps)
        names = texts("DefinitionId", "MasterLabel", "Status")
        setup("Flow", "301", *names, Field("VersionNumber", "int"), *own[:2], *stamps)
        names = texts("DurableId", "FlowDefinitionViewId", "Label", "Status")
        setup("FlowVersionView", "", *names, Field("VersionNumber", "int"))
        names = texts(
            "DurableId", "ApiName", "Label", "Description", "ActiveVersionId", "LatestVersionId", "IsActive",
            "ProcessType", "TriggerType", "IsOutOfDate", "IsOverridable", "OverriddenById", "LastModifiedBy",
            "TriggerObjectOrEventLabel",
        )  # fmt: skip
        trigger = (ref("TriggerObjectOrEventId", "EntityDefinition"), Field("TriggerOrder", "int"))
        setup("FlowDefinitionView", "", *names, *trigger, *own[:2], stamps[0])
        names = texts("DeveloperName", "MasterLabel", "SobjectType")
        setup("MatchingRule", "0JD", *names, *texts("RuleStatus", "NamespacePrefix"))
        setup(
            "DuplicateRule", "0Bm", *names, *texts("SobjectSubtype", "IsActive", "NamespacePrefix"), *stamps
        )
        names = texts("Action", "Section", "Display", "CreatedByContext", "DelegateUser")
        setup("SetupAuditTrail", "0Ym", *names, Field("CreatedDate", "datetime"), ref("CreatedById", "User"))
        setup("RecordType", "012", *texts("Name", "DeveloperName", "SobjectType", "IsActive"))
        setup("ProcessInstance", "04g", *texts("TargetObjectId", "Status"))
        for name, more in (
            ("UserPermissionAccess", [f"Permissions{one}" for one in RIGHTS]),
            ("User", ["UserType", "Type"]),
            ("PermissionSet", ["Label", "Description", "NamespacePrefix"]),
            ("PermissionSetAssignment", ["ExpirationDate"]),
            ("UserRecordAccess", ["HasEditAccess", "HasTransferAccess", "HasDeleteAccess"]),
        ):
            kind = "boolean" if name in {"UserPermissionAccess", "UserRecordAccess"} else "string"
            self.tables[name].fields |= {
                one: Field(one, kind) for one in more if one not in self.tables[name].fields
            }
        restricted = {"restrictedPicklist": True, "custom": True}
        self._known(
            "Order",
            KnownField("Versandart__c", "picklist", "Versandart", values=("Post", "Bote"), more=restricted),
            KnownField("Lieferweg__c", "picklist", "Lieferweg", values=("Luft",), more=restricted),
            KnownField("Status", "picklist", "Status", values=("Draft",), more={"restrictedPicklist": True}),
            Field("TotalAmount", "currency"),
        )
        owned = KnownField("OwnerId", "reference", "Besitzer", "User", "Owner", more={"updateable": True})
        self._known(
            "Account",
            owned,
            Field("PersonEmail", "email"),
            Field("PersonEmailBouncedReason"),
            Field("PersonEmailBouncedDate", "datetime"),
            KnownField("IsPersonAccount", "boolean", more={"updateable": False}),
        )
        industry = KnownField(
            "Industry", "picklist", "Branche", values=("Handel", "Bau"), more={"restrictedPicklist": True}
        )
        self._known("Account", industry)
        self._known("OrderItem", KnownField("Kostenstelle__c", more={"nillable": False, "custom": True}))
        self._known(
            "Contact",
            Field("Email", "email"),
            Field("EmailBouncedReason"),
            Field("EmailBouncedDate", "datetime"),
            KnownField("IsEmailBounced", "boolean", more={"updateable": False}),
            KnownField("Kundennummer__c", more={"unique": True, "custom": True}),
            KnownField("IsPersonAccount", "boolean", more={"updateable": False}),
        )

    def _known(self, table: str, *fields: Field) -> None:
        self.tables[table].fields |= {one.name: one for one in fields}

    # -- what stops the sync

    def blocked_event(self, object_name: str, blocks: Callable[[], bool], **told: Any) -> Event:
        """A failed change that fails again for as long as `blocks` says so."""
        event = self.add_event(object_name, told.pop("kind", "create"), **told)
        self.blocks[event.id] = blocks
        return event

    def _apply(self, job: Job, at: float) -> None:
        event = self.events[job.event]
        blocks = self.blocks.get(event.id)
        if blocks is not None:
            event.fate = Fate.FAILS if blocks() else Fate.WRITES
        super()._apply(job, at)

    # -- the set-up as clients change it

    def metadata_of(self, kind: str, key: str) -> Any:
        """A component of the Tooling API; None for a package's."""
        return copy.deepcopy(self.json.get((kind, key)))

    def put_json(self, kind: str, key: str, metadata: Mapping[str, Any], by: str = "client") -> None:
        """Replace a component by the Tooling API's words.

        Raises:
            Refusal: As the org refuses it.
        """
        before = self.json.get((kind, key))
        if before is None:
            raise Refusal("CANNOT_MODIFY_MANAGED_OBJECT", "Cannot modify managed object")
        row = self.tables[kind].rows[key]
        new = dict(metadata)
        if kind == "ValidationRule":
            for name in ("active", "errorConditionFormula", "errorMessage"):
                if new.get(name) in (None, ""):
                    raise Refusal("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{name}]")
            row["Active"] = new["active"]
            row["ErrorMessage"] = new["errorMessage"]
            words = f"from {int(before['active'])} to {int(new['active'])}"
            self._audit("changedValidationActive", f"{row['ValidationName']} {words}", by)
        else:
            number = new.get("activeVersionNumber") or None
            if number is not None and number not in self.flow_versions:
                raise Refusal("INVALID_INPUT", "That version does not exist")
            new = {**before, **new, "activeVersionNumber": number}
            for one in (row, self.tables["FlowDefinitionView"].rows[key]):
                one["ActiveVersionId"] = self.flow_versions[number] if number else None
            self._audit(
                "deactivatedinteractiondefinition" if not number else "activated", "Lager_Zuweisung", by
            )
        row |= self._stamps(by)
        self.json[kind, key] = new
        self.writes.append(SetupWrite(kind, key, copy.deepcopy(before), copy.deepcopy(new), by))

    def put_xml(self, kind: str, name: str, inner: str, by: str = "client") -> None:
        """Replace a component by the Metadata API's words.

        Raises:
            Refusal: As the org refuses it.
        """
        before = self.xml.get((kind, name))
        if before is None:
            raise Refusal("INVALID_CROSS_REFERENCE_KEY", f"no {kind} named {name} found")
        if kind == "DuplicateRule":
            active = text_of(inner, "isActive") == "true"
            if active and self.tables["MatchingRule"].rows[self.matching]["RuleStatus"] != "Active":
                raise Refusal("FIELD_INTEGRITY_EXCEPTION", "The matching rule must be active")
            if text_of(inner, "sortOrder") != text_of(before, "sortOrder"):
                raise Refusal("FIELD_INTEGRITY_EXCEPTION", "sortOrder must run from 1")
            self.tables[kind].rows[self.duplicate] |= {"IsActive": active, **self._stamps(by)}
            self._audit("changedDuplicateRule", "Kunden-Dublette", by)
        for row in self.tables["CustomField"].rows.values():
            if kind == "CustomField" and row["FullName"] == name:
                row.update(self._stamps(by))
        self.xml[kind, name] = inner
        self.writes.append(SetupWrite(kind, name, lines(before), lines(inner), by))
        self._describe_again()

    def _describe_again(self) -> None:
        def values(kind: str, name: str, element: str) -> tuple[str, ...]:
            elements = tree(self.xml[kind, name]).iter(f"{{{METADATA}}}{element}")
            return tuple(
                str(one.findtext(f"{{{METADATA}}}fullName")) for one in elements
                if (one.findtext(f"{{{METADATA}}}isActive") or "true") == "true"
            )  # fmt: skip

        order, account = self.tables["Order"].fields, self.tables["Account"].fields
        restricted = {"restrictedPicklist": True, "custom": True}
        order["Versandart__c"] = KnownField(
            "Versandart__c", "picklist", "Versandart", more=restricted,
            values=values("CustomField", "Order.Versandart__c", "value"),
        )  # fmt: skip
        order["Lieferweg__c"] = KnownField(
            "Lieferweg__c", "picklist", "Lieferweg", more=restricted,
            values=values("GlobalValueSet", "Lieferwege__gvs", "customValue"),
        )  # fmt: skip
        account["Industry"] = KnownField(
            "Industry", "picklist", "Branche", more={"restrictedPicklist": True},
            values=values("StandardValueSet", "Industry", "standardValue"),
        )  # fmt: skip
        required = text_of(self.xml["CustomField", "OrderItem.Kostenstelle__c"], "required") == "true"
        more = {"nillable": not required, "custom": True}
        self.tables["OrderItem"].fields["Kostenstelle__c"] = KnownField("Kostenstelle__c", more=more)

    def record_write(self, table: str, key: str | None, values: Mapping[str, Any], by: str = "client") -> str:
        """Change or make a record as a client does; returns its id.

        Raises:
            Refusal: As the org refuses it.
        """
        unique = "Kundennummer__c"
        for name, value in values.items():
            if name not in self.tables[table].fields:
                raise Refusal("INVALID_FIELD", f"No such column '{name}' on sobject of type {table}")
            taken = [
                row for row in self.tables[table].rows.values() if row.get(name) == value and row["Id"] != key
            ]
            if name == unique and value and taken:
                raise Refusal("DUPLICATE_VALUE", f"duplicate value found: {name}")
        before = copy.deepcopy(self.tables[table].rows.get(key or ""))
        if key is None:
            key = self._ids.next(self.tables[table].prefix)
            self._insert(table, key, **values)
        elif before is None:
            raise Refusal("ENTITY_IS_DELETED", "entity is deleted")
        elif self.tables[table].data:
            self.write(table, key, self.now(), by, **values)
            row = self.tables[table].rows[key]
            if table == "Contact":
                row["IsEmailBounced"] = row.get("EmailBouncedReason") is not None
        else:
            self.tables[table].rows[key] |= values
        self.writes.append(SetupWrite(table, key, before, copy.deepcopy(self.tables[table].rows[key]), by))
        return key

    def _audit(self, action: str, words: str, by: str) -> None:
        stamp = datetime.fromtimestamp(int(self.now()), UTC)
        self._insert(
            "SetupAuditTrail", self._ids.next("0Ym"), Action=action, Section="Setup", Display=words,
            CreatedDate=stamp, CreatedById=self.users[by], CreatedByContext=None, DelegateUser=None,
        )  # fmt: skip

    def _access_rows(self) -> list[dict[str, Any]]:
        may = {"HasEditAccess": True, "HasTransferAccess": True, "HasDeleteAccess": True}
        return [{**row, **may} for row in super()._access_rows()]

    def _projected(self, table: str, columns: Any, row: dict[str, Any]) -> dict[str, Any]:
        shown = super()._projected(table, columns, row)
        if "Metadata" in shown:
            shown["Metadata"] = self.metadata_of(table, row["Id"])
        return shown


def tree(inner: str) -> ET.Element:
    """A component's elements, below one root."""
    return ET.fromstring(f"<c xmlns:md='{METADATA}' xmlns:xsi='{XSI}'>{inner}</c>")


def text_of(inner: str, name: str) -> str:
    """Text of the first element of this name at the top."""
    return tree(inner).findtext(f"{{{METADATA}}}{name}") or ""


def lines(inner: str) -> list[str]:
    """A component element by element, in order: `a/b=text`."""

    def walk(node: ET.Element, path: str) -> list[str]:
        shown: list[str] = []
        for child in node:
            name = f"{path}{child.tag}".replace(f"{{{METADATA}}}", "")
            if len(child):
                shown += [f"{name}:", *walk(child, f"{name}/")]
            else:
                shown.append(f"{name}={'(nil)' if child.get(_NIL) else (child.text or '').strip()}")
        return shown

    return walk(tree(inner), "")
