"""The org's set-up as rows: who works here, what is sold, and each safeguard where a person looks it up."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random

from syncerr_tui.demo.components import ACTIVE_VERSION, DEEPER, DRAFT_FLOWS, GLOBAL_SETS, WRITTEN
from syncerr_tui.demo.rules import DISPATCH_WORKFLOW, RULES, Rule
from syncerr_tui.demo.schema import SC_ID, SObject, long_id
from syncerr_tui.demo.shopper_flows import GOODS, new_sc_id
from syncerr_tui.demo.store import DEMO_USER_ID, Store, stamp

Row = dict[str, object]
_DIGITS = string.digits + string.ascii_uppercase


def fill_setup(
    store: Store, schema: Mapping[str, SObject], random: Random, now: datetime, *, organization: str
) -> dict[str, str]:
    """Write the set-up of a new org.

    Args:
        store: Where to.
        schema: The objects of this org.
        random: Decides what differs from org to org.
        now: The time the org is made.
        organization: The org's own id.

    Returns:
        Ids that flows refer to: `store`, `pricebook`, `location`, `entry:<n>` ...
    """
    ids: dict[str, str] = {}
    long_ago = {"CreatedDate": stamp(now - timedelta(days=700)), **_modified(now - timedelta(days=400))}
    _ana, _tom, petra, _sync = _written(store, "User", long_ago)
    _organization(store, organization, long_ago)
    _catalogue(store, random, long_ago, ids, petra)
    _definitions(store, schema, long_ago)
    _safeguards(store, now, long_ago)
    _fields_and_sets(store, schema, long_ago)
    _permissions(store, schema, long_ago)
    _package(store, long_ago)
    return ids


def _modified(at: datetime, by: str = DEMO_USER_ID) -> Row:
    return {"LastModifiedDate": stamp(at), "SystemModstamp": stamp(at), "LastModifiedById": by}


def _written(store: Store, object_name: str, base: Row) -> list[str]:
    """Add the rows of `setup.json`; their ids."""
    written = WRITTEN["rows"][object_name]
    return [store.insert(object_name, {**written.get("every", {}), **row, **base}) for row in written["rows"]]


def _organization(store: Store, organization: str, base: Row) -> None:
    store.insert(
        "Organization",
        {
            "Id": organization,
            "Name": "Harbour & Hearth (demo)",
            "InstanceName": "DEMO1",
            "IsSandbox": True,
            "OrganizationType": "Developer Edition",
            **base,
        },
    )


def _catalogue(store: Store, random: Random, base: Row, ids: dict[str, str], petra: str) -> None:
    def insert(name: str, object_name: str, row: Row) -> str:
        ids[name] = store.insert(object_name, {**row, **base})
        return ids[name]

    insert("store", "s_c__Store__c", {"Name": "Harbour & Hearth", SC_ID: new_sc_id(random)})
    book = insert("pricebook", "Pricebook2", {"Name": "Web prices", "IsActive": True})
    insert("location", "s_c__Stock_Location__c", {"Name": "SL-0001", "s_c__City__c": "Sydney"})
    insert("campaign", "Campaign", {"Name": "Winter warmth", "IsActive": True})
    for number, name in enumerate(GOODS):
        product = insert(f"product:{number}", "Product2", {"Name": name, "IsActive": True})
        entry = {"Name": name, "Pricebook2Id": book, "Product2Id": product, "UnitPrice": 19.0 + 10 * number}
        insert(f"entry:{number}", "PricebookEntry", entry)
    deleted = insert("entry:gone", "PricebookEntry", {"Name": "Discontinued lamp", "Pricebook2Id": book})
    store.delete("PricebookEntry", deleted)
    insert("account:house", "Account", {"Name": "House accounts", "OwnerId": DEMO_USER_ID})
    inactive: Row = {"Name": "Petra's accounts", "OwnerId": petra, SC_ID: new_sc_id(random)}
    insert("account:inactive", "Account", inactive)
    ids["sc:inactive"] = str(inactive[SC_ID])


def _definitions(store: Store, schema: Mapping[str, SObject], base: Row) -> None:
    base = {**base, "CreatedById": DEMO_USER_ID}
    entities: list[Row] = []
    fields: list[Row] = []
    for number, each in enumerate(schema.values()):
        if not each.writable:
            continue
        entity = definition_id(each, number)
        namespace = _namespace(each.name)
        entities.append(
            {
                "Id": entity,
                "DurableId": entity,
                "QualifiedApiName": each.name,
                "DeveloperName": _developer_name(each.name),
                "Label": each.label,
                "PluralLabel": each.label_plural,
                "KeyPrefix": each.key_prefix,
                "NamespacePrefix": namespace,
                **base,
            }
        )
        for place, field in enumerate(each.fields):
            own = long_id(f"00NDe00000{number * 100 + place:05}") if field.custom else field.name
            durable = f"{entity}.{own}"
            fields.append(
                {
                    "Id": durable,
                    "DurableId": durable,
                    "QualifiedApiName": field.name,
                    "DeveloperName": _developer_name(field.name),
                    "Label": field.label,
                    "DataType": field.type,
                    "EntityDefinitionId": entity,
                    "NamespacePrefix": _namespace(field.name),
                    **base,
                }
            )
    for object_name, rows in (("EntityDefinition", entities), ("FieldDefinition", fields)):
        store.load(object_name, [*rows[0]], ([value or None for value in row.values()] for row in rows))


def definition_id(each: SObject, number: int) -> str:
    """An object's durable id: its name for a standard one, a 01I id for a custom one."""
    return long_id(f"01IDe0000000{number:03}") if each.custom else each.name


def _developer_name(name: str) -> str:
    bare = name.removesuffix("__c")
    return bare.partition("__")[2] if "__" in bare else bare


def _namespace(name: str) -> str | None:
    bare = name.removesuffix("__c")
    return bare.partition("__")[0] if "__" in bare else None


def _safeguards(store: Store, now: datetime, base: Row) -> None:
    for place, rule in enumerate(RULES):
        # Each was last touched on a day of its own: some just before the failures began, most long ago.
        changed = _modified(now - timedelta(days=8 + 17 * place))
        if rule.key == "FlowDefinitionView:Loyalty_Award_Points":
            changed = _modified(now - timedelta(hours=1))
        row = _setup_row(store, rule, place, {**base, **changed})
        if row:
            store.insert(rule.setup, {**base, **changed, **row})
    for object_name, name, words in DEEPER:
        entity = store.find("EntityDefinition", QualifiedApiName=object_name)[0]["Id"]
        deeper = {"ValidationName": name, "ErrorMessage": words, "EntityDefinitionId": entity}
        full_name, namespace = f"{object_name}.{name}", _namespace(name)
        managed = {"NamespacePrefix": namespace, "ManageableState": "installed" if namespace else "unmanaged"}
        state = {"Active": True, "FullName": full_name, **managed}
        store.insert("ValidationRule", {**deeper, **state, **base})
    store.insert("WorkflowRule", {**_workflow_row(DISPATCH_WORKFLOW.partition(":")[2]), **base})
    for object_name in ("ApexTrigger", "ApexClass", "FlowDefinitionView"):
        _written(store, object_name, base)


def _setup_row(store: Store, rule: Rule, place: int, base: Row) -> Row:
    namespace = rule.namespace
    if rule.setup == "DuplicateRule":
        name = {"DeveloperName": rule.api_name, "MasterLabel": rule.label, "SobjectType": rule.object}
        match = {"DeveloperName": f"{rule.api_name}_Match", "MasterLabel": rule.label}
        store.insert("MatchingRule", {**match, "SobjectType": rule.object, "RuleStatus": "Active", **base})
        return {**name, "IsActive": True}
    if rule.setup == "ValidationRule":
        entity = store.find("EntityDefinition", QualifiedApiName=rule.object)[0]["Id"]
        return {
            "ValidationName": rule.api_name,
            "Active": True,
            "ErrorMessage": rule.text,
            "ErrorDisplayField": rule.fields[0] if rule.fields else None,
            "EntityDefinitionId": entity,
            "FullName": f"{rule.object}.{rule.api_name}",
            "ManageableState": "unmanaged",
        }
    if rule.setup == "FlowDefinitionView":
        return _flow_row(store, rule, long_id(f"300De00000000{place:02}"), base)
    if rule.setup == "ApexTrigger":
        name = {"Name": rule.api_name, "TableEnumOrId": rule.object}
        return {**name, "NamespacePrefix": namespace, "Status": "Active"}
    if rule.setup == "WorkflowRule":
        return _workflow_row(rule.api_name)
    if rule.setup == "ApexClass":
        return {"Name": rule.api_name, "Status": "Active", "NamespacePrefix": namespace}
    if rule.setup == "EmailTemplate":
        name = {"Name": rule.label, "DeveloperName": rule.api_name, "UIType": "Aloha"}
        body = "Your parcel {!Parcel_Line.Number__c} is on its way."
        return {
            **name,
            "IsActive": True,
            "Body": body,
            "Subject": "On its way",
            "FolderName": "StoreConnect Templates",
        }
    return {}


def _workflow_row(name: str) -> Row:
    full_name = f"s_c__Shipment__c.{name}"
    row = {"Name": name, "TableEnumOrId": "s_c__Shipment__c", "FullName": full_name}
    return {**row, "ManageableState": "unmanaged"}


def _flow_row(store: Store, rule: Rule, definition: str, base: Row) -> Row:
    """The versions of a flow and its definition; what is left is the row of FlowDefinitionView."""
    latest = ACTIVE_VERSION + (rule.api_name in DRAFT_FLOWS)
    versions: dict[int, str] = {}
    for number in range(ACTIVE_VERSION - 1, latest + 1):
        status = {ACTIVE_VERSION: "Active", latest: "Draft"}.get(number, "Obsolete")
        version = {"MasterLabel": rule.label, "VersionNumber": number, "Status": status}
        versions[number] = store.insert("Flow", {**version, "DefinitionId": definition, **base})
        view = {"DurableId": versions[number], "FlowDefinitionViewId": definition, "Label": rule.label}
        store.insert("FlowVersionView", {**view, "VersionNumber": number, "Status": status, **base})
    ids = {"ActiveVersionId": versions[ACTIVE_VERSION], "LatestVersionId": versions[latest]}
    managed = "installed" if rule.namespace else "unmanaged"
    own = {"NamespacePrefix": rule.namespace, "ManageableState": managed, **ids}
    name = {"DeveloperName": rule.api_name, "FullName": rule.api_name, "MasterLabel": rule.label}
    store.insert("FlowDefinition", {"Id": definition, **name, "Description": rule.why, **own, **base})
    return {
        "DurableId": definition,
        "ApiName": rule.api_name,
        "Label": rule.label,
        "IsActive": latest == ACTIVE_VERSION,
        "ProcessType": "AutoLaunchedFlow",
        "TriggerObjectOrEventLabel": rule.object,
        "TriggerObjectOrEventId": store.find("EntityDefinition", QualifiedApiName=rule.object)[0]["Id"],
        "TriggerType": "RecordAfterSave",
        "LastModifiedBy": "Ana Kovač",
        **own,
    }


def approval_of(store: Store, record_id: str, at: str) -> None:
    """A record waits for somebody's approval, and is locked as long as it does."""
    processes = store.find("ProcessDefinition")
    name = {"Name": "Account changes", "DeveloperName": "Account_changes", "TableEnumOrId": "Account"}
    definition = processes[0]["Id"] if processes else store.insert("ProcessDefinition", name)
    row = {"ProcessDefinitionId": definition, "TargetObjectId": record_id, "Status": "Pending"}
    store.insert("ProcessInstance", {**row, "SubmittedById": DEMO_USER_ID, "CreatedDate": at})


def _package(store: Store, base: Row) -> None:
    package = store.insert("SubscriberPackage", {"Name": "StoreConnect", "NamespacePrefix": "s_c", **base})
    number = {"MajorVersion": 21, "MinorVersion": 4, "PatchVersion": 0}
    version = store.insert("SubscriberPackageVersion", {"Name": "21.4", **number, **base})
    installed = {"SubscriberPackageId": package, "SubscriberPackageVersionId": version}
    store.insert("InstalledSubscriberPackage", {**installed, **base})


def _permissions(store: Store, schema: Mapping[str, SObject], base: Row) -> None:
    fields = (field.name for field in schema["UserPermissionAccess"].fields)
    everything = {name: True for name in fields if name.startswith("Permissions")}
    store.insert("UserPermissionAccess", {**everything, **base})
    _written(store, "PermissionSet", base)
    rows: list[Row] = []
    for number, each in enumerate(schema.values()):
        if each.writable:
            entity = definition_id(each, number)
            may = dict.fromkeys(
                ("IsCreatable", "IsReadable", "IsEditable", "IsUpdatable", "IsDeletable"), True
            )
            durable = f"{entity}.{DEMO_USER_ID}"
            rows.append(
                {"DurableId": durable, "UserId": DEMO_USER_ID, "EntityDefinitionId": entity, **may, **base}
            )
    store.insert_many("UserEntityAccess", rows)


def _fields_and_sets(store: Store, schema: Mapping[str, SObject], base: Row) -> None:
    rows: list[Row] = []
    for number, each in enumerate(schema.values()):
        for field in each.fields:
            if field.custom and each.writable:
                namespace = _namespace(field.name)
                rows.append(
                    {
                        "DeveloperName": _developer_name(field.name),
                        "TableEnumOrId": each.name,
                        "EntityDefinitionId": definition_id(each, number),
                        "FullName": f"{each.name}.{field.name}",
                        "NamespacePrefix": namespace,
                        "ManageableState": "installed" if namespace else "unmanaged",
                        **base,
                    }
                )
    store.insert_many("CustomField", rows)
    _written(store, "RecordType", base)
    for name in dict.fromkeys(GLOBAL_SETS.values()):
        label = name.removesuffix("__gvs")
        row = {"DeveloperName": label, "MasterLabel": label.replace("_", " "), "FullName": name}
        store.insert("GlobalValueSet", {**row, "ManageableState": "unmanaged", **base})


def new_organization_id() -> str:
    """An org id like no other: a journal must never take one world's errors for another's."""
    digits = "".join(secrets.choice(_DIGITS) for _ in range(7))
    return long_id(f"00DDe000{digits}")
