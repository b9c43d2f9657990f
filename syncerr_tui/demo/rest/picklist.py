"""UI API: the values that a picklist offers on a record type."""

from __future__ import annotations

from typing import cast
from urllib.parse import unquote

from syncerr_tui.demo.http import Response
from syncerr_tui.demo.rest.call import Call, allow, full_id, missing

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


def values(call: Call, object_name: str, record_type: str, field_name: str) -> Response:
    """`GET ui-api/object-info/{object}/picklist-values/{record type}/{field}`."""
    allow(call, "GET")
    sobject = call.sobject(object_name)
    field = sobject.field(field_name)
    if field is None or field.type != "picklist":
        raise missing()
    kept = _kept_values(call, sobject.name, record_type, field.name)
    offered: list[dict[str, object]] = [
        {"attributes": None, "label": label, "validFor": [], "value": value}
        for value, label, active in field.picklist
        if active and (kept is None or value in kept)
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
