"""The metadata components of a new org: each safeguard, field and value list as the Metadata API knows it.

A component is its elements in order: text, number, boolean, None (nil), another group of elements, or a list.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from syncerr_tui.demo import resource
from syncerr_tui.demo.objects import COUNTRIES, STATES
from syncerr_tui.demo.rules import NOT_ON_WEB_LEADS, RULES, Rule
from syncerr_tui.demo.schema import Field, SObject
from syncerr_tui.demo.schema_variants import field_named

Component = dict[str, object]

DELIVERY_METHODS = "Delivery_Methods__gvs"
GLOBAL_SETS: Mapping[str, str] = {"Order.Delivery_Method__c": DELIVERY_METHODS}
"""Custom fields whose values are a global set's."""
STANDARD_SETS: Mapping[str, str] = {
    "Lead.LeadSource": "LeadSource",
    "Lead.Status": "LeadStatus",
    "Order.Status": "OrderStatus",
}
"""Standard fields whose values are a standard set's."""
DRAFT_FLOWS = frozenset({"Loyalty_Award_Points", "Cart_Reminder"})
"""Flows whose latest version is an untested draft."""
ACTIVE_VERSION = 3
WEB_LEAD = "Lead.Web_Lead"
"""A record type. What the website sends bears none, so it stops nothing."""
HIDDEN_COUNTRIES = ("PT",)
"""Countries that Salesforce knows and that this org has not switched on."""
_FIELD_TYPES = {
    "string": "Text",
    "textarea": "LongTextArea",
    "picklist": "Picklist",
    "reference": "Lookup",
    "currency": "Currency",
    "double": "Number",
    "datetime": "DateTime",
    "date": "Date",
    "boolean": "Checkbox",
    "email": "Email",
    "phone": "Phone",
}


DEEPER = (
    ("s_c__Stock_Location__c", "Weekend_Warehouse", "Choose a warehouse that is open at weekends"),
    (
        "s_c__Shipment__c",
        "lgrx__Quotation_Needs_Carrier",
        "A quotation needs a carrier reference on each shipment.",
    ),
)
"""Validations that a flow runs into on another object: object, name, message."""
WRITTEN: Mapping[str, Mapping[str, Any]] = json.loads(resource("setup.json"))
"""What a new org's set-up holds beside the rules; `?` stands where a rule, a field or a place says it."""


def _component(kind: str, **own: object) -> Component:
    return {**WRITTEN["components"][kind], **own}


def components_of(schema: Mapping[str, SObject]) -> Iterator[tuple[str, str, Component]]:
    """Type, full name and content of every component of a new org."""
    order: Counter[str] = Counter()
    for rule in RULES:
        name = f"{rule.object}.{rule.api_name}"
        if rule.setup == "ValidationRule":
            yield "ValidationRule", name, _validation(rule)
        elif rule.setup == "FlowDefinitionView":
            flow = _component("FlowDefinition", description=rule.why, masterLabel=rule.label)
            yield "FlowDefinition", rule.api_name, flow
        elif rule.setup == "DuplicateRule":
            order[rule.object] += 1
            yield "DuplicateRule", name, _duplicate(rule, order[rule.object])
    for object_name, rule_name, words in DEEPER:
        yield "ValidationRule", f"{object_name}.{rule_name}", _component("ValidationRule", errorMessage=words)
    for rule_name, workflow in WRITTEN["workflow rules"].items():
        yield "WorkflowRule", f"s_c__Shipment__c.{rule_name}", _component("WorkflowRule", **workflow)
    yield "AddressSettings", "Address", {"countriesAndStates": {"countries": list(_countries())}}
    sources = field_named(schema["Lead"], "LeadSource").picklist
    offered = [
        {"fullName": quote(value, safe=""), "default": False}
        for value, _label, active in sources
        if active and value != NOT_ON_WEB_LEADS
    ]
    lists = [{"picklist": "LeadSource", "values": offered}]
    yield "RecordType", WEB_LEAD, _component("RecordType", picklistValues=lists)
    for each in schema.values():
        for field in each.fields:
            name = f"{each.name}.{field.name}"
            if field.custom and each.writable:
                yield "CustomField", name, _custom_field(field, GLOBAL_SETS.get(name))
            if name in GLOBAL_SETS:
                values = _component("GlobalValueSet", customValue=list(_values(field)))
                yield "GlobalValueSet", GLOBAL_SETS[name], values
            if name in STANDARD_SETS:
                values = _component("StandardValueSet", standardValue=list(_values(field)))
                yield "StandardValueSet", STANDARD_SETS[name], values


def _countries() -> Iterator[Component]:
    # This org keeps the states of all countries under one, as its fields do.
    states = [{**WRITTEN["place"], **_named(code)} for code in STATES]
    for code in (*COUNTRIES, *HIDDEN_COUNTRIES):
        home, shown = code == "AU", code in COUNTRIES
        country = {**WRITTEN["country"], **_named(code), "active": shown, "visible": shown}
        yield {**country, "orgDefault": home, "states": states if home else []}


def _named(code: str) -> Component:
    return dict.fromkeys(("integrationValue", "isoCode", "label"), code)


def _validation(rule: Rule) -> Component:
    formula, why = rule.formula, rule.why
    if rule.bypass:
        formula = f"AND(NOT($Permission.{rule.bypass}), {formula})"
        why = f"{why} Holders of {rule.bypass} pass."
    return _component(
        "ValidationRule",
        description=why,
        errorConditionFormula=formula,
        errorDisplayField=rule.fields[0] if rule.fields else None,
        errorMessage=rule.text,
    )


def _duplicate(rule: Rule, order: int) -> Component:
    match = {"matchRuleSObjectType": rule.object, "matchingRule": f"{rule.api_name}_Match"}
    return _component(
        "DuplicateRule",
        duplicateRuleMatchRules=[{**match, "objectMapping": None}],
        masterLabel=rule.label,
        sortOrder=order,
        **WRITTEN["duplicate rules"].get(rule.api_name, {}),
    )


def _custom_field(field: Field, global_set: str | None) -> Component:
    component: Component = {
        "externalId": field.external_id,
        "label": field.label,
        **({"length": field.length} if field.type == "string" else {}),
        "required": not field.nillable,
        "securityClassification": "Internal",
        "trackTrending": False,
        "type": _FIELD_TYPES.get(field.type, "Text"),
        **({"unique": field.unique} if field.type == "string" else {}),
    }
    if field.type == "reference":
        component["referenceTo"] = field.reference_to[0]
    if field.type == "picklist" and global_set:
        component["valueSet"] = {"restricted": field.restricted, "valueSetName": global_set}
    elif field.type == "picklist":
        definition = {"sorted": False, "value": list(_values(field))}
        component["valueSet"] = {"restricted": field.restricted, "valueSetDefinition": definition}
    return component


def _values(field: Field) -> Iterator[Component]:
    for value, label, active in field.picklist:
        yield {"fullName": value, "default": False, "isActive": active, "label": label}
