"""UI API: the values that a picklist offers on a record type. This org has the master record type alone."""

from __future__ import annotations

from syncerr_tui.demo.http import Response
from syncerr_tui.demo.rest.call import Call, allow, full_id, missing

MASTER_RECORD_TYPE = "012000000000000AAA"


def values(call: Call, object_name: str, record_type: str, field_name: str) -> Response:
    """`GET ui-api/object-info/{object}/picklist-values/{record type}/{field}`."""
    allow(call, "GET")
    sobject = call.sobject(object_name)
    field = sobject.field(field_name)
    if field is None or field.type != "picklist" or full_id(record_type) != MASTER_RECORD_TYPE:
        raise missing()
    offered: list[dict[str, object]] = [
        {"attributes": None, "label": label, "validFor": [], "value": value}
        for value, label, active in field.picklist
        if active
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
