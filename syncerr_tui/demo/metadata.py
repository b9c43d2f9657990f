"""The org's metadata: components read and written whole, and what a write does to the org.

A write replaces the component: an element that is left out is lost, a value that is left out of a value list
is deactivated. What it changes, the next save meets: a rule that is off objects to nothing. Every change goes
into the setup audit trail. Long because it holds what each kind of component checks and changes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast
from urllib.parse import unquote

from syncerr_tui.demo.components import GLOBAL_SETS, STANDARD_SETS, WRITTEN, Component, components_of
from syncerr_tui.demo.engine import Engine
from syncerr_tui.demo.rules import NOT_ON_WEB_LEADS
from syncerr_tui.demo.save_errors import SaveFault
from syncerr_tui.demo.schema import Choice, Field, SObject
from syncerr_tui.demo.schema_variants import field_named
from syncerr_tui.demo.store import DEMO_USER_ID

_ELEMENTS: Mapping[str, Mapping[str, list[str]]] = WRITTEN["elements"]
TYPES = tuple(_ELEMENTS)
_VALUE_LISTS = {"GlobalValueSet": "customValue", "StandardValueSet": "standardValue"}
_OPERATIONS = frozenset({
    "equals", "notEqual", "lessThan", "greaterThan", "lessOrEqual", "greaterOrEqual", "contains",
    "startsWith",
})  # fmt: skip


class MetadataCatalog:
    """Every component of the org, by type and full name."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._store = engine.store
        self._safeguards = engine.safeguards
        components = cast("Mapping[str, Component]", self._store.recall("metadata", {}))
        self._components: dict[tuple[str, str], Component] = {
            (kind, name): component for kind, name, component in components_of(self._safeguards.schema)
        }
        for key, component in components.items():
            kind, _colon, name = key.partition(":")
            self._components[kind, name] = component

    def names(self, kind: str) -> list[str]:
        """Full names of a type's components."""
        return [name for known, name in self._components if known == kind]

    def read(self, kind: str, name: str) -> Component | None:
        """A copy of a component; None where there is none."""
        component = self._components.get((kind, name))
        return None if component is None else copy.deepcopy(component)

    def is_managed(self, kind: str, name: str) -> bool:
        own = name if kind == "FlowDefinition" else name.partition(".")[2]
        return "__" in own.removesuffix("__c")

    def write(
        self, kind: str, name: str, component: Component, *, by: str = DEMO_USER_ID, in_setup: bool = False
    ) -> list[SaveFault]:
        """Replace a component; empty means that it is written.

        Args:
            kind: One of `TYPES`.
            name: Its full name, which must exist.
            component: The whole of it.
            by: The user who does it.
            in_setup: As a person in Setup does, who may add values to a package's picklist.
        """
        with self._engine.working, self._store.transaction():
            current = self._components.get((kind, name))
            if current is None:
                return [
                    SaveFault(
                        "INVALID_CROSS_REFERENCE_KEY", f"In field: fullName - no {kind} named {name} found"
                    )
                ]
            if self.is_managed(kind, name) and not in_setup:
                return [SaveFault("CANNOT_MODIFY_MANAGED_OBJECT", f"Cannot modify managed object: {name}")]
            new, fault = _whole(kind, current, component)
            fault = fault or self._check(kind, name, current, new)
            if fault is not None:
                return [fault]
            self._components[kind, name] = new
            effects: Mapping[str, Callable[[str, Component, Component, str], None]] = {
                "AddressSettings": self._addresses,
                "CustomField": self._field,
                "DuplicateRule": self._duplicate_rule,
                "FlowDefinition": self._flow,
                "GlobalValueSet": self._value_set,
                "RecordType": self._record_type,
                "StandardValueSet": self._value_set,
                "ValidationRule": self._validation_rule,
                "WorkflowRule": self._workflow_rule,
            }
            if new != current:
                effects[kind](name, current, new, by)
            self._keep(kind, name)
            return []

    def switch(self, kind: str, name: str, *, on: bool, by: str = DEMO_USER_ID) -> list[SaveFault]:
        """Switch a rule or a flow off or on, as a person in Setup does."""
        component = self.read(kind, name)
        assert component is not None
        if kind == "FlowDefinition":
            component["activeVersionNumber"] = self._versions(name)[-1][0] if on else None
        else:
            component["isActive" if kind == "DuplicateRule" else "active"] = on
        return self.write(kind, name, component, by=by, in_setup=True)

    def add_value(self, object_name: str, field_name: str, value: str) -> bool:
        """Add a value to the list that a field draws on; False where the Metadata API knows no such list."""
        name = f"{object_name}.{field_name}"
        kind, owner = "CustomField", name
        if name in GLOBAL_SETS:
            kind, owner = "GlobalValueSet", GLOBAL_SETS[name]
        elif name in STANDARD_SETS:
            kind, owner = "StandardValueSet", STANDARD_SETS[name]
        component = self.read(kind, owner)
        if component is None:
            return False
        _values_of(kind, component).append(
            {"fullName": value, "default": False, "isActive": True, "label": value}
        )
        return not self.write(kind, owner, component, in_setup=True)

    def _check(self, kind: str, name: str, current: Component, new: Component) -> SaveFault | None:
        for element in _ELEMENTS[kind]["required"]:
            if new.get(element) in (None, "", []):
                return SaveFault(
                    "REQUIRED_FIELD_MISSING", f"Required field is missing: {element}", (element,)
                )
        if kind == "DuplicateRule":
            return self._check_duplicate_rule(current, new)
        if kind == "AddressSettings":
            return _check_addresses(current, new)
        if kind == "FlowDefinition":
            number = new.get("activeVersionNumber")
            if number and number not in dict(self._versions(name)):
                return SaveFault("INVALID_INPUT", f"The version {number} of {name} does not exist")
        if kind == "CustomField":
            for element in ("type", "unique", "externalId"):
                if new.get(element) != current.get(element):
                    return SaveFault("FIELD_INTEGRITY_EXCEPTION", f"Cannot change {element} of {name} here")
        message = str(new.get("errorMessage") or "")
        if len(message) > 255:
            return SaveFault("STRING_TOO_LONG", "Error Message: data value too large (max length=255)")
        return None

    def _check_duplicate_rule(self, current: Component, new: Component) -> SaveFault | None:
        if new["sortOrder"] != current["sortOrder"]:
            words = "The sort order of an object's duplicate rules must run from 1 without gaps"
            return SaveFault("FIELD_INTEGRITY_EXCEPTION", words, ("sortOrder",))
        for item in _filter_items(new):
            missing = [
                key for key in ("field", "operation", "sortOrder", "table") if item.get(key) in (None, "")
            ]
            if missing or item["operation"] not in _OPERATIONS:
                words = f"A condition of the rule cannot be read: {', '.join(missing) or item['operation']}"
                return SaveFault("FIELD_INTEGRITY_EXCEPTION", words)
        if new["isActive"] and not current["isActive"]:
            for match in cast("list[Component]", new["duplicateRuleMatchRules"]):
                rows = self._store.find("MatchingRule", DeveloperName=match["matchingRule"])
                if not rows or rows[0]["RuleStatus"] != "Active":
                    words = f"The matching rule {match['matchingRule']} must be active"
                    return SaveFault("FIELD_INTEGRITY_EXCEPTION", words)
        return None

    def _validation_rule(self, name: str, old: Component, new: Component, by: str) -> None:
        rule = name.partition(".")[2]
        self._safeguards.switch(f"ValidationRule:{rule}", on=bool(new["active"]))
        columns = {"Active": new["active"], "ErrorMessage": new["errorMessage"]}
        columns |= {"ErrorDisplayField": new["errorDisplayField"], "Description": new["description"]}
        self._touch("ValidationRule", {"FullName": name}, columns, by)
        if old["active"] != new["active"]:
            flags = f"from {int(bool(old['active']))} to {int(bool(new['active']))}"
            words = (
                f"Changed active flag of validation rule {rule} {flags} on object {name.partition('.')[0]}"
            )
            self._audit("changedValidationActive", "Validation Rules", words, by)

    def _workflow_rule(self, name: str, _old: Component, new: Component, by: str) -> None:
        rule = name.partition(".")[2]
        self._safeguards.switch(f"WorkflowRule:{rule}", on=bool(new["active"]))
        self._touch("WorkflowRule", {"FullName": name}, {}, by)
        self._audit("changedWorkflowRule", "Workflow Rules", f"Changed workflow rule {rule}", by)

    def _duplicate_rule(self, name: str, old: Component, new: Component, by: str) -> None:
        object_name, _dot, rule = name.partition(".")
        exempt = [
            str(item["value"])
            for item in _filter_items(new)
            if (item["table"], item["field"], item["operation"]) == ("User", "Username", "notEqual")
        ]
        self._safeguards.switch(f"DuplicateRule:{rule}", on=bool(new["isActive"]), exempt=exempt)
        row = {"DeveloperName": rule, "SobjectType": object_name}
        self._touch(
            "DuplicateRule", row, {"IsActive": new["isActive"], "MasterLabel": new["masterLabel"]}, by
        )
        if old["isActive"] != new["isActive"]:
            flags = f"Active from {str(old['isActive']).lower()} to {str(new['isActive']).lower()}"
            words = f"Changed duplicate rule {new['masterLabel']} on {object_name}: {flags}"
            self._audit("changedDuplicateRule", "Duplicate Rules", words, by)
        if old["duplicateRuleFilter"] != new["duplicateRuleFilter"]:
            words = f"Changed the conditions of duplicate rule {new['masterLabel']}"
            self._audit("changedDuplicateFilter", "Duplicate Rules", words, by)

    def _flow(self, name: str, _old: Component, new: Component, by: str) -> None:
        versions = dict(self._versions(name))
        active = new.get("activeVersionNumber") or None
        new["activeVersionNumber"] = active
        self._safeguards.switch(f"FlowDefinitionView:{name}", on=active is not None)
        latest = max(versions)
        for number, version in versions.items():
            row = self._store.get("Flow", version) or {}
            draft = "Draft" if row.get("Status") == "Draft" else "Obsolete"
            status = {"Status": "Active" if number == active else draft}
            self._store.update("Flow", version, status)
            self._touch("FlowVersionView", {"DurableId": version}, status, by)
        columns: Component = {"ActiveVersionId": versions.get(cast("int", active))}
        self._touch(
            "FlowDefinition",
            {"DeveloperName": name},
            {**columns, "MasterLabel": new["masterLabel"], "Description": new["description"]},
            by,
        )
        user = self._store.get("User", by) or {}
        shown = {**columns, "IsActive": active == latest, "LastModifiedBy": user.get("Name")}
        self._touch("FlowDefinitionView", {"ApiName": name}, shown, by)
        action = "activatedinteractiondefinition" if active else "deactivatedinteractiondefinition"
        words = f"{'Activated' if active else 'Deactivated'} flow with Unique Name {name}"
        self._audit(action, "Flows", words, by)

    def _versions(self, name: str) -> list[tuple[int, str]]:
        definition = self._store.find("FlowDefinition", DeveloperName=name)[0]["Id"]
        rows = self._store.find("Flow", DefinitionId=definition)
        return sorted((cast("int", row["VersionNumber"]), str(row["Id"])) for row in rows)

    def _field(self, name: str, old: Component, new: Component, by: str) -> None:
        object_name, _dot, field_name = name.partition(".")
        value_set = cast("Component", new.get("valueSet") or {})
        field = self._known_field(object_name, field_name)
        changed = replace(field, nillable=not new["required"])
        if value_set:
            changed = replace(changed, restricted=bool(value_set.get("restricted")))
        if value_set.get("valueSetDefinition"):
            changed = replace(changed, picklist=_choices(_values_of("CustomField", new)))
        self._safeguards.change_field(object_name, changed)
        self._touch("CustomField", {"FullName": name}, {}, by)
        self._touch_definition(object_name, field_name, by)
        if old["required"] != new["required"]:
            words = (
                f"Changed custom field {field.label} option Required to {'On' if new['required'] else 'Off'}"
            )
            self._audit("changedCFOptionOnOff", "Customize " + object_name, words, by)
        self._audit_values(name, _choices(_values_of("CustomField", old)), changed.picklist, by)

    def _addresses(self, _name: str, _old: Component, new: Component, by: str) -> None:
        places = _places(new)
        for each in list(self._safeguards.schema.values()):
            for field in each.fields:
                depth = 1 if field.name.endswith("CountryCode") else 2 * field.name.endswith("StateCode")
                if depth and field.type == "picklist":
                    shown = [
                        place for path, place in places.items() if len(path) == depth and place["visible"]
                    ]
                    choices = tuple((str(p["isoCode"]), str(p["label"]), bool(p["active"])) for p in shown)
                    changed = replace(field, restricted=False, picklist=choices)
                    self._safeguards.change_field(each.name, changed)
                    self._touch_definition(each.name, field.name, by)
        self._audit("changedAddressSettings", "State and Country Picklists", "Changed the list", by)

    def _record_type(self, name: str, _old: Component, new: Component, by: str) -> None:
        record_type = name.partition(".")[2]
        self._touch("RecordType", {"DeveloperName": record_type}, {"IsActive": new["active"]}, by)
        self._safeguards.switch(f"RecordType:{record_type}", on=not _offers(new, NOT_ON_WEB_LEADS))
        self._audit("changedRecordTypePicklist", "Record Types", f"Changed record type {name}", by)

    def _value_set(self, name: str, old: Component, new: Component, by: str) -> None:
        kind = "GlobalValueSet" if "customValue" in new else "StandardValueSet"
        choices = _choices(_values_of(kind, new))
        for field_path, owner in {**GLOBAL_SETS, **STANDARD_SETS}.items():
            if owner == name:
                object_name, _dot, field_name = field_path.partition(".")
                field = self._known_field(object_name, field_name)
                self._safeguards.change_field(object_name, replace(field, picklist=choices))
                self._touch_definition(object_name, field_name, by)
        if kind == "GlobalValueSet":
            self._touch(kind, {"FullName": name}, {"MasterLabel": new["masterLabel"]}, by)
        self._audit_values(name, _choices(_values_of(kind, old)), choices, by)

    def _known_field(self, object_name: str, field_name: str) -> Field:
        schema: Mapping[str, SObject] = self._safeguards.schema
        return field_named(schema[object_name], field_name)

    def _audit_values(self, name: str, old: Sequence[Choice], new: Sequence[Choice], by: str) -> None:
        before = {value: active for value, _label, active in old}
        for value, _label, active in new:
            if value not in before:
                action, words = "createdPicklistWithColor", f"Added {value} to the picklist {name}"
            elif active != before[value]:
                action = f"{'activated' if active else 'deactivated'}PicklistValueWithColor"
                words = f"{'Activated' if active else 'Deactivated'} the value {value} of the picklist {name}"
            else:
                continue
            self._audit(action, "Picklists", words, by)

    def _touch_definition(self, object_name: str, field_name: str, by: str) -> None:
        for entity in self._store.find("EntityDefinition", QualifiedApiName=object_name):
            where = {"QualifiedApiName": field_name, "EntityDefinitionId": entity["Id"]}
            self._touch("FieldDefinition", where, {}, by)

    def _touch(self, kind: str, where: Mapping[str, object], columns: Mapping[str, object], by: str) -> None:
        """Change the row in which the set-up shows a component."""
        for row in self._store.find(kind, **where):
            self._store.update(kind, str(row["Id"]), {**columns, "LastModifiedById": by})

    def _audit(self, action: str, section: str, words: str, by: str) -> None:
        row = {"Action": action, "Section": section, "Display": words, "CreatedById": by}
        self._store.insert("SetupAuditTrail", {**row, "LastModifiedById": by})

    def _keep(self, kind: str, name: str) -> None:
        components = dict(cast("Mapping[str, Component]", self._store.recall("metadata", {})))
        components[f"{kind}:{name}"] = self._components[kind, name]
        self._store.remember("metadata", components)


def _whole(kind: str, current: Component, written: Component) -> tuple[Component, SaveFault | None]:
    """The component as it is after a write: what was left out is lost."""
    unknown = written.keys() - current.keys() - {*_ELEMENTS[kind].get("optional", ()), "fullName", "urls"}
    if unknown:
        return {}, SaveFault("INVALID_FIELD", f"{kind} has no element {min(unknown)}")
    new: Component = {}
    for element, was in current.items():
        empty: object = False if isinstance(was, bool) else [] if isinstance(was, list) else None
        value = written.get(element, empty)
        if isinstance(was, bool) and not isinstance(value, bool):
            value = False if value is None else value
        if isinstance(was, list) and value is None:
            value = []
        if isinstance(was, bool) and not isinstance(value, bool):
            return {}, SaveFault("INVALID_TYPE", f"{element} must be true or false", (element,))
        new[element] = copy.deepcopy(value)
    new |= {
        element: value for element, value in written.items() if element not in new and element != "fullName"
    }
    return new, _keep_values(kind, current, new)


def _keep_values(kind: str, current: Component, new: Component) -> SaveFault | None:
    """Deactivate the values that were left out; `isActive` left out leaves a value as it was."""
    before = {str(value["fullName"]).lower(): value for value in _values_of(kind, current)}
    values = _values_of(kind, new)
    seen: set[str] = set()
    for value in values:
        name = str(value.get("fullName") or "")
        if not name or name.lower() in seen:
            return SaveFault("DUPLICATE_VALUE", f"Duplicate or empty value: {name}")
        seen.add(name.lower())
        was = before.get(name.lower(), {})
        if value.get("isActive") is None:
            value["isActive"] = was.get("isActive", True)
        value.setdefault("default", False)
        value["label"] = value.get("label") or name
    if before and not values and kind == "CustomField":
        return SaveFault("REQUIRED_FIELD_MISSING", "Required field is missing: valueSetDefinition")
    values += [{**was, "isActive": False} for name, was in before.items() if name not in seen]
    return None


def _values_of(kind: str, component: Component) -> list[Component]:
    """The component's own list of values, to be changed in place; an empty one where it has none."""
    if kind in _VALUE_LISTS:
        return cast("list[Component]", component[_VALUE_LISTS[kind]])
    value_set = component.get("valueSet")
    definition = value_set.get("valueSetDefinition") if isinstance(value_set, dict) else None
    return cast("list[Component]", definition["value"]) if isinstance(definition, dict) else []


def _places(addresses: Component) -> dict[tuple[str, ...], Component]:
    """Countries and states by their codes: `(AU,)`, `(AU, NSW)`."""
    places: dict[tuple[str, ...], Component] = {}
    lists = cast("Component", addresses["countriesAndStates"])
    for country in cast("list[Component]", lists.get("countries") or []):
        places[str(country["isoCode"]),] = country
        for state in cast("list[Component]", country.get("states") or []):
            places[str(country["isoCode"]), str(state["isoCode"])] = state
    return places


def _check_addresses(current: Component, new: Component) -> SaveFault | None:
    """Entries are neither made nor deleted here, and one that was active stays so."""
    before, after = _places(current), _places(new)
    if before.keys() != after.keys():
        code = min(before.keys() ^ after.keys())[-1]
        return SaveFault("FIELD_INTEGRITY_EXCEPTION", f"Invalid ISO code: {code}")
    for path, place in after.items():
        if before[path]["active"] and not place["active"]:
            return SaveFault("FIELD_INTEGRITY_EXCEPTION", f"Once active, {path[-1]} cannot be made inactive")
        if place["visible"] and not place["active"]:
            return SaveFault("FIELD_INTEGRITY_EXCEPTION", f"{path[-1]} must be active to be visible")
    return None


def _choices(values: Sequence[Component]) -> tuple[Choice, ...]:
    return tuple((str(v["fullName"]), str(v["label"]), bool(v["isActive"])) for v in values)


def _filter_items(rule: Component) -> list[Component]:
    """The conditions of a duplicate rule that all have to hold; none where a formula combines them."""
    conditions = rule.get("duplicateRuleFilter")
    if not isinstance(conditions, dict) or conditions.get("booleanFilter"):
        return []
    return cast("list[Component]", conditions.get("duplicateRuleFilterItems") or [])


def _offers(record_type: Component, value: str) -> bool:
    """Whether a record type offers a value in one of its picklists."""
    lists = cast("list[Component]", record_type.get("picklistValues") or [])
    offered = [each for one in lists for each in cast("list[Component]", one.get("values") or [])]
    return any(unquote(str(each["fullName"])) == value for each in offered)
