"""`sobjects` and `sobjects/X/describe`: the schema, attribute by attribute as a real org tells it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, cast
from urllib.parse import unquote

from syncerr_tui.demo import resource
from syncerr_tui.demo.http import Response
from syncerr_tui.demo.rest.call import Call, allow, missing
from syncerr_tui.demo.schema import IDS, REALS, Field, SObject, full_id

_SOAP_TYPES = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double",
    "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime",
}  # fmt: skip
_OF_WRITABLE = (
    "createable", "deletable", "layoutable", "replicateable", "searchable", "triggerable", "undeletable",
    "updateable",
)  # fmt: skip
_AS_THEY_ARE = ("createable", "custom", "label", "length", "name", "nillable", "type", "unique", "updateable")
_WRITTEN: Mapping[str, dict[str, Any]] = json.loads(resource("rest/describe.json"))
"""What is the same in every org; `?` stands where an object or a field says it."""
MASTER_RECORD_TYPE = "012000000000000AAA"


def everything(call: Call) -> Response:
    """`GET sobjects`."""
    allow(call, "GET")
    unchanged = _unchanged(call)
    if unchanged is not None:
        return unchanged
    objects = [object_summary(call, each) for each in call.context.org.schema.values() if each.rest]
    return _dated(call, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})


def one(call: Call, sobject: SObject) -> Response:
    """`GET sobjects/X/describe`."""
    allow(call, "GET")
    unchanged = _unchanged(call)
    if unchanged is not None:
        return unchanged
    base, address = f"{call.base}/sobjects/{sobject.name}", call.context.address
    layout = {"layout": f"{base}/describe/layouts/{MASTER_RECORD_TYPE}"}
    whole = {
        **object_summary(call, sobject),
        **_WRITTEN["described"],
        "childRelationships": _children(call, sobject),
        "fields": [_field(field) for field in sobject.fields],
        "recordTypeInfos": [{**each, "urls": layout} for each in _WRITTEN["described"]["recordTypeInfos"]],
        "supportedScopes": [{"label": f"All {sobject.label_plural}", "name": "everything"}],
    }
    whole["urls"] |= {
        "uiDetailTemplate": f"{address}/{{ID}}",
        "uiEditTemplate": f"{address}/{{ID}}/e",
        "uiNewRecord": f"{address}/{sobject.key_prefix}/e",
    }
    return _dated(call, whole)


def _dated(call: Call, body: object) -> Response:
    return Response(200, body, {"Last-Modified": format_datetime(call.context.described_at(), usegmt=True)})


def _unchanged(call: Call) -> Response | None:
    """304 where `If-Modified-Since` is not before the schema's last change."""
    since = call.request.headers.get("if-modified-since")
    if since is None:
        return None
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return None
    if moment.tzinfo is None or moment < call.context.described_at():
        return None
    return Response(304)


def object_summary(call: Call, sobject: SObject) -> dict[str, Any]:
    """An object as describeGlobal lists it."""
    base = f"{call.base}/sobjects/{sobject.name}"
    return {
        **_WRITTEN["object"],
        **dict.fromkeys(_OF_WRITABLE, sobject.writable),
        "custom": sobject.custom,
        "keyPrefix": sobject.key_prefix or None,
        "label": sobject.label,
        "labelPlural": sobject.label_plural,
        "name": sobject.name,
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }


def _children(call: Call, sobject: SObject) -> list[dict[str, Any]]:
    return [
        {
            **_WRITTEN["child"],
            "childSObject": child.name,
            "field": field.name,
            "relationshipName": child.label_plural.replace(" ", "") + ("__r" if field.custom else ""),
        }
        for child in call.context.org.schema.values()
        if child.rest
        for field in child.fields
        if sobject.name in field.reference_to
    ]


def _field(field: Field) -> dict[str, Any]:
    kind = field.type
    short = not field.is_long_text
    real, reference = kind in REALS, kind in IDS
    polymorphic = len(field.reference_to) > 1
    return {
        **_WRITTEN["field"],
        **{name: getattr(field, name) for name in _AS_THEY_ARE},
        "aggregatable": short and kind != "boolean",
        "autoNumber": field.name_field and not field.createable,
        "byteLength": field.length * (1 if reference else 3),
        "defaultValue": False if kind == "boolean" else None,
        "defaultedOnCreate": field.defaulted or kind == "boolean",
        "digits": 8 if kind == "int" else 0,
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if kind == "textarea" else None,
        "filterable": short,
        "groupable": short and kind != "datetime" and not real,
        "idLookup": kind == "id" or field.external_id,
        "nameField": field.name_field,
        "namePointing": polymorphic,
        "permissionable": field.custom and field.nillable,
        "picklistValues": [
            {"active": active, "defaultValue": False, "label": label, "validFor": None, "value": value}
            for value, label, active in field.picklist
        ],
        "polymorphicForeignKey": polymorphic,
        "precision": 18 if real else 0,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship_name,
        "restrictedPicklist": field.restricted,
        "scale": 2 if real else 0,
        "searchPrefilterable": kind == "reference",
        "soapType": _SOAP_TYPES.get(kind, "xsd:string"),
        "sortable": short,
    }


def _kept_values(call: Call, object_name: str, record_type: str, field_name: str) -> frozenset[str] | None:
    """The values that a record type offers; None: all."""
    if full_id(record_type) == MASTER_RECORD_TYPE:
        return None
    row = call.context.store.get("RecordType", full_id(record_type) or "")
    if row is None or row["SobjectType"] != object_name:
        raise missing()
    component = call.context.org.metadata.read("RecordType", f"{object_name}.{row['DeveloperName']}") or {}
    for offered in cast("list[dict[str, object]]", component.get("picklistValues") or []):
        if offered["picklist"] == field_name:
            values = cast("list[dict[str, object]]", offered["values"])
            return frozenset(unquote(str(each["fullName"])) for each in values)
    return None


def picklist_values(call: Call, object_name: str, record_type: str, field_name: str) -> Response:
    """`GET ui-api/object-info/{object}/picklist-values/{record type}/{field}`."""
    allow(call, "GET")
    sobject = call.sobject(object_name)
    field = sobject.field(field_name)
    if field is None or field.type != "picklist":
        raise missing()
    allowed = _kept_values(call, sobject.name, record_type, field.name)
    offered: list[dict[str, object]] = [
        {"attributes": None, "label": label, "validFor": [], "value": value}
        for value, label, active in field.picklist
        if active and (allowed is None or value in allowed)
    ]
    url = f"{call.base}/{'/'.join(call.parts)}"
    answer: dict[str, object] = {
        "controllerValues": {},
        "defaultValue": None,
        "eTag": "demo",
        "url": url,
        "values": offered,
    }
    return Response(200, answer)
