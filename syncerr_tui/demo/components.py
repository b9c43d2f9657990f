"""The metadata components of a new org: each safeguard, field and value list as the Metadata API knows it.

A component is its elements in order: text, number, boolean, None (nil), another group of elements, or a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from syncerr_tui.demo.objects import COUNTRIES, STATES
from syncerr_tui.demo.rules import DISPATCH_WORKFLOW, NOT_ON_WEB_LEADS, RULES, Rule
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


def components_of(schema: Mapping[str, SObject]) -> Iterator[tuple[str, str, Component]]:
    """Type, full name and content of every component of a new org."""
    order: dict[str, int] = {}
    for rule in RULES:
        if rule.setup == "ValidationRule":
            yield "ValidationRule", f"{rule.object}.{rule.api_name}", _validation(rule)
        elif rule.setup == "FlowDefinitionView":
            yield "FlowDefinition", rule.api_name, _flow(rule)
        elif rule.setup == "DuplicateRule":
            order[rule.object] = order.get(rule.object, 0) + 1
            yield "DuplicateRule", f"{rule.object}.{rule.api_name}", _duplicate(rule, order[rule.object])
    for object_name, rule_name, words in DEEPER:
        yield "ValidationRule", f"{object_name}.{rule_name}", _validation_of(words, "TRUE", None, None)
    dispatch: Component = {
        "actions": [{"name": "Dispatch_Notice", "type": "Alert"}],
        "active": True,
        "description": "Tells the buyer that the parcel is on its way",
        "formula": 'ISPICKVAL(s_c__Status__c, "dispatched")',
        "triggerType": "onCreateOrTriggeringUpdate",
    }
    yield "WorkflowRule", f"s_c__Shipment__c.{DISPATCH_WORKFLOW.partition(':')[2]}", dispatch
    credit: Component = {
        "actions": [{"name": "Set_Credit_Note", "type": "FieldUpdate"}],
        "active": True,
        "description": "Notes the credit for a parcel that came back",
        "formula": 'ISPICKVAL(s_c__Status__c, "returned")',
        "triggerType": "onCreateOrTriggeringUpdate",
    }
    yield "WorkflowRule", "s_c__Shipment__c.Returned_Parcel_Credit", credit
    yield "AddressSettings", "Address", {"countriesAndStates": {"countries": list(_countries())}}
    sources = [
        value
        for value, _label, active in field_named(schema["Lead"], "LeadSource").picklist
        if active and value != NOT_ON_WEB_LEADS
    ]
    offered: Component = {
        "picklist": "LeadSource",
        "values": [{"fullName": quote(each, safe=""), "default": False} for each in sources],
    }
    yield (
        "RecordType",
        WEB_LEAD,
        {"active": True, "description": None, "label": "Web lead", "picklistValues": [offered]},
    )
    for each in schema.values():
        for field in each.fields:
            name = f"{each.name}.{field.name}"
            if field.custom and each.writable:
                yield "CustomField", name, _custom_field(field, GLOBAL_SETS.get(name))
            if name in GLOBAL_SETS:
                values: Component = {
                    "customValue": list(_values(field)),
                    "description": None,
                    "masterLabel": "Delivery Methods",
                    "sorted": False,
                }
                yield "GlobalValueSet", GLOBAL_SETS[name], values
            if name in STANDARD_SETS:
                yield (
                    "StandardValueSet",
                    STANDARD_SETS[name],
                    {"sorted": False, "standardValue": list(_values(field))},
                )


def _countries() -> Iterator[Component]:
    for code in (*COUNTRIES, *HIDDEN_COUNTRIES):
        shown = code in COUNTRIES
        yield {
            "active": shown,
            "integrationValue": code,
            "isoCode": code,
            "label": code,
            "orgDefault": code == "AU",
            "standard": True,
            "states": [_state(state) for state in STATES] if code == "AU" else [],
            "visible": shown,
        }


def _state(code: str) -> Component:
    # This org keeps the states of all countries under one, as its fields do.
    return {
        "active": True,
        "integrationValue": code,
        "isoCode": code,
        "label": code,
        "standard": True,
        "visible": True,
    }


def _validation(rule: Rule) -> Component:
    beside = rule.fields[0] if rule.fields else None
    if not rule.bypass:
        return _validation_of(rule.text, rule.formula, beside, rule.why)
    formula = f"AND(NOT($Permission.{rule.bypass}), {rule.formula})"
    return _validation_of(rule.text, formula, beside, f"{rule.why} Holders of {rule.bypass} pass.")


def _validation_of(words: str, formula: str, display: str | None, description: str | None) -> Component:
    return {
        "active": True,
        "description": description,
        "errorConditionFormula": formula,
        "errorDisplayField": display,
        "errorMessage": words,
        "shouldEvaluateOnClient": False,
        "urls": None,
    }


def _flow(rule: Rule) -> Component:
    return {
        "activeVersionNumber": ACTIVE_VERSION,
        "description": rule.why,
        "masterLabel": rule.label,
        "urls": None,
    }


def _duplicate(rule: Rule, order: int) -> Component:
    alerts = rule.api_name == "Contacts_by_Email"
    return {
        "actionOnInsert": "Allow" if alerts else "Block",
        "actionOnUpdate": "Allow",
        "alertText": "Use one of these records?",
        "description": None,
        "duplicateRuleFilter": _MIGRATION if rule.api_name == "Leads_by_Email" else None,
        "duplicateRuleMatchRules": [
            {
                "matchRuleSObjectType": rule.object,
                "matchingRule": f"{rule.api_name}_Match",
                "objectMapping": None,
            }
        ],
        "isActive": True,
        "masterLabel": rule.label,
        "operationsOnInsert": ["Alert", "Report"] if alerts else [],
        "operationsOnUpdate": ["Report"],
        "securityOption": "EnforceSharingRules",
        "sortOrder": order,
    }


_MIGRATION: Component = {
    "booleanFilter": "1",
    "duplicateRuleFilterItems": [
        {
            "field": "Username",
            "operation": "notEqual",
            "sortOrder": 1,
            "table": "User",
            "value": "migration@harbour-hearth.example",
            "valueField": None,
        }
    ],
}
"""Conditions that are combined by a formula: a further one would have to be numbered into it."""


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
