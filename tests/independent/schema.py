"""Objects and fields of the org, and what describe says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.independent.naming import Naming


@dataclass(frozen=True, slots=True)
class Field:
    """A field, with what describe tells."""

    name: str
    type: str = "string"
    label: str = ""
    target: str = ""
    """Object that a lookup leads to."""
    relationship: str = ""
    values: tuple[str, ...] = ()
    length: int = 255

    def described(self) -> dict[str, Any]:
        """As `describe` has it."""
        return {
            "name": self.name,
            "label": self.label or self.name.replace("_", " "),
            "type": self.type,
            "length": self.length,
            "nillable": True,
            "createable": True,
            "updateable": self.name not in _SYSTEM_NAMES,
            "filterable": True,
            "sortable": True,
            "groupable": self.type in {"picklist", "string", "reference"},
            "calculated": False,
            "custom": self.name.endswith("__c"),
            "restrictedPicklist": False,
            "picklistValues": [{"value": v, "label": v, "active": True} for v in self.values],
            "referenceTo": [self.target] if self.target else [],
            "relationshipName": self.relationship or None,
            "externalId": self.name.endswith("sC_Id__c"),
            "unique": False,
        }


_SYSTEM = (
    Field("Id", "id", "Record ID", length=18),
    Field("Name", "string", "Name", length=80),
    Field("CreatedDate", "datetime", "Created Date"),
    Field("CreatedById", "reference", "Created By ID", "User", "CreatedBy"),
    Field("LastModifiedDate", "datetime", "Last Modified Date"),
    Field("LastModifiedById", "reference", "Last Modified By ID", "User", "LastModifiedBy"),
    Field("SystemModstamp", "datetime", "System Modstamp"),
    Field("OwnerId", "reference", "Owner ID", "User", "Owner"),
    Field("IsDeleted", "boolean", "Deleted"),
)
_SYSTEM_NAMES = frozenset(one.name for one in _SYSTEM)


@dataclass(slots=True)
class Table:
    """An object with its rows."""

    name: str
    label: str
    prefix: str
    fields: dict[str, Field]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    data: bool = True
    """False: set-up, or something the platform makes up."""

    def described(self) -> dict[str, Any]:
        """As `describe` has it."""
        return {**self.brief(), "fields": [one.described() for one in self.fields.values()]}

    def brief(self) -> dict[str, Any]:
        """As the list of all objects has it."""
        return {
            "name": self.name,
            "label": self.label,
            "labelPlural": self.label,
            "keyPrefix": self.prefix or None,
            "custom": self.name.endswith("__c"),
            "customSetting": False,
            "queryable": True,
            "retrieveable": True,
            "updateable": True,
            "createable": True,
            "deletable": True,
        }


def _table(name: str, label: str, prefix: str, *fields: Field, data: bool = True) -> Table:
    system = _SYSTEM if data else _SYSTEM[:1]
    return Table(name, label, prefix, {one.name: one for one in (*system, *fields)}, data=data)


def _plain(name: str, prefix: str, *names: str) -> Table:
    """An object of the platform; `AssigneeId>User` is a lookup."""
    fields = []
    for one in names:
        field_name, _, target = one.partition(">")
        kind = "boolean" if one.startswith(("Permissions", "Is", "Has")) else "string"
        relationship = field_name.removesuffix("Id") if target else ""
        fields.append(Field(field_name, "reference" if target else kind, "", target, relationship))
    return _table(name, name, prefix, *fields, data=False)


RECORDS: Mapping[str, tuple[str, str, str]] = {
    # child -> its lookup, the relationship's name, the parent
    "Account": ("", "", ""),
    "Contact": ("AccountId", "Account", "Account"),
    "Order": ("AccountId", "Account", "Account"),
    "OrderItem": ("OrderId", "Order", "Order"),
    "s_c__Payment__c": ("s_c__Order_Id__c", "s_c__Order_Id__r", "Order"),
}
_PREFIXES = {"Account": "001", "Contact": "003", "Order": "801", "OrderItem": "802", "s_c__Payment__c": "a0P"}


def tables_of(naming: Naming) -> dict[str, Table]:
    """All objects of an org with these names."""

    def named(name: str, kind: str, **more: Any) -> Field:
        return Field(name, kind, naming.labels.get(name, ""), **more)

    n = naming
    states = (n.failed, n.pending, n.done, n.rejected, n.strange)
    event = [
        named(n.object, "string"),
        named(n.event_type, "picklist", values=n.kinds),
        named(n.storeconnect_id, "string", length=36),
        named(n.message, "textarea", length=32768),
        named(n.status, "picklist", values=states),
        named(n.counter, "double"),
        named(n.retry, "string"),
    ]
    if n.processed_at != "LastModifiedDate":
        event.append(named(n.processed_at, "datetime"))
    event += [named(name, "string", length=80) for name in (n.salesforce_id, n.code) if name]
    tables = [_table(n.event_object, n.event_label, "a0E", *event)]
    for name, (lookup, relationship, parent) in RECORDS.items():
        fields = [Field(n.record_key, "string", "StoreConnect External ID", length=36)]
        if lookup:
            fields.append(Field(lookup, "reference", parent, parent, relationship))
        tables.append(_table(name, name, _PREFIXES[name], *fields))
    tables += [
        _plain("Organization", "00D", "Name", "IsSandbox", "InstanceName", "OrganizationType"),
        _plain("User", "005", "Name", "Username", "ProfileId>Profile", "IsActive"),
        _plain("Profile", "00e", "Name", "PermissionsViewAllData", "PermissionsModifyAllData"),
        _plain(
            "PermissionSet", "0PS", "Name", "ProfileId>Profile", "IsOwnedByProfile",
            "PermissionsViewAllData", "PermissionsModifyAllData",
        ),
        _plain("PermissionSetAssignment", "0Pa", "AssigneeId>User", "PermissionSetId>PermissionSet"),
        _plain(
            "ObjectPermissions", "110", "ParentId>PermissionSet", "SobjectType", "PermissionsRead",
            "PermissionsViewAllRecords", "PermissionsModifyAllRecords",
        ),
        _plain(
            "UserRecordAccess", "", "UserId", "RecordId", "HasReadAccess", "HasAllAccess", "MaxAccessLevel"
        ),
        _plain("UserPermissionAccess", "", "PermissionsViewAllData", "PermissionsModifyAllData"),
    ]  # fmt: skip
    return {table.name: table for table in tables}
