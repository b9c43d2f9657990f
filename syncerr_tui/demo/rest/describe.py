"""`sobjects` and `sobjects/X/describe`: the schema, attribute by attribute as a real org tells it."""

from __future__ import annotations

from email.utils import format_datetime, parsedate_to_datetime
from typing import cast
from urllib.parse import unquote

from syncerr_tui.demo.http import Response
from syncerr_tui.demo.rest.call import Call, allow, full_id, missing
from syncerr_tui.demo.schema import Field, SObject

_SOAP_TYPES = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double",
    "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime",
}  # fmt: skip
_NUMBERS = frozenset({"int", "double", "currency", "percent"})
_LONG_TEXT = 255


def everything(call: Call) -> Response:
    """`GET sobjects`."""
    allow(call, "GET")
    unchanged = _unchanged(call)
    if unchanged is not None:
        return unchanged
    objects = [summary(call, each) for each in call.context.org.schema.values() if each.rest]
    return _dated(call, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})


def one(call: Call, sobject: SObject) -> Response:
    """`GET sobjects/X/describe`."""
    allow(call, "GET")
    unchanged = _unchanged(call)
    if unchanged is not None:
        return unchanged
    body = {
        **summary(call, sobject),
        "actionOverrides": [],
        "childRelationships": _children(call, sobject),
        "compactLayoutable": True,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [_field(field) for field in sobject.fields],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [
            {
                "active": True,
                "available": True,
                "defaultRecordTypeMapping": True,
                "developerName": "Master",
                "master": True,
                "name": "Master",
                "recordTypeId": "012000000000000AAA",
                "urls": {
                    "layout": f"{call.base}/sobjects/{sobject.name}/describe/layouts/012000000000000AAA"
                },
            }
        ],
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {sobject.label_plural}", "name": "everything"}],
    }
    urls = body["urls"]
    assert isinstance(urls, dict)
    address = call.context.address
    body["urls"] = {
        **urls,
        "uiDetailTemplate": f"{address}/{{ID}}",
        "uiEditTemplate": f"{address}/{{ID}}/e",
        "uiNewRecord": f"{address}/{sobject.key_prefix}/e",
    }
    return _dated(call, body)


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


def summary(call: Call, sobject: SObject) -> dict[str, object]:
    """An object as describeGlobal lists it."""
    base = f"{call.base}/sobjects/{sobject.name}"
    writable = sobject.writable
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": writable,
        "custom": sobject.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": writable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.key_prefix or None,
        "label": sobject.label,
        "labelPlural": sobject.label_plural,
        "layoutable": writable,
        "mergeable": False,
        "mruEnabled": False,
        "name": sobject.name,
        "queryable": True,
        "replicateable": writable,
        "retrieveable": True,
        "searchable": writable,
        "triggerable": writable,
        "undeletable": writable,
        "updateable": writable,
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }


def _children(call: Call, sobject: SObject) -> list[dict[str, object]]:
    return [
        {
            "cascadeDelete": False,
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": child.label_plural.replace(" ", "") + ("__r" if field.custom else ""),
            "restrictedDelete": False,
        }
        for child in call.context.org.schema.values()
        if child.rest
        for field in child.fields
        if sobject.name in field.reference_to
    ]


def _field(field: Field) -> dict[str, object]:
    kind = field.type
    filterable = not (kind == "textarea" and field.length > _LONG_TEXT)
    numeric = kind in _NUMBERS
    return {
        "aggregatable": filterable and kind != "boolean",
        "aiPredictionField": False,
        "autoNumber": field.name_field and not field.createable,
        "byteLength": 0
        if numeric or kind in {"boolean", "date", "datetime"}
        else field.length * (1 if kind in {"id", "reference"} else 3),
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": False if kind == "boolean" else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": field.defaulted or kind == "boolean",
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 8 if kind == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if kind == "textarea" else None,
        "filterable": filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": filterable and kind not in {"datetime", "double", "currency", "percent"},
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": kind == "id" or field.external_id,
        "inlineHelpText": None,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": len(field.reference_to) > 1,
        "nillable": field.nillable,
        "permissionable": field.custom and field.nillable,
        "picklistValues": [
            {"active": active, "defaultValue": False, "label": label, "validFor": None, "value": value}
            for value, label, active in field.picklist
        ],
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "precision": 18 if kind in {"double", "currency", "percent"} else 0,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship_name,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted,
        "scale": 2 if kind in {"double", "currency", "percent"} else 0,
        "searchPrefilterable": kind == "reference",
        "soapType": _SOAP_TYPES.get(kind, "xsd:string"),
        "sortable": filterable,
        "type": kind,
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": False,
    }


MASTER_RECORD_TYPE = "012000000000000AAA"


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
