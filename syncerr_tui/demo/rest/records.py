"""`sobjects/X` and `sobjects/X/{id}`, also by external id: one record read, made, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncerr_tui.demo.http import Response, refused
from syncerr_tui.demo.rest import describe, saving
from syncerr_tui.demo.rest.call import Call, allow, body_object, missing
from syncerr_tui.demo.save_errors import SaveFault
from syncerr_tui.demo.schema import Field, SObject, full_id


def handle(call: Call) -> Response:
    """Everything below `sobjects`."""
    if len(call.parts) == 1:
        return describe.everything(call)
    sobject = call.sobject(call.parts[1])
    match call.parts[2:]:
        case ():
            return _object(call, sobject)
        case ("describe",):
            return describe.one(call, sobject)
        case (record_id,):
            return _record(call, sobject, record_id)
        case (name, value):
            return _by_external_id(call, sobject, name, value)
        case _:
            raise missing()


def _object(call: Call, sobject: SObject) -> Response:
    allow(call, "GET", "POST")
    if call.method == "GET":
        return Response(200, {"objectDescribe": describe.object_summary(call, sobject), "recentItems": []})
    return row_response(saving.create(call, sobject, body_object(call)), 201)


def _record(call: Call, sobject: SObject, sent_id: str) -> Response:
    allow(call, "GET", "PATCH", "DELETE")
    if call.method == "GET":
        return Response(
            200, shown(call, sobject, _existing(call, sobject, sent_id), _fields_asked_for(call, sobject))
        )
    if call.method == "DELETE":
        return row_response(saving.delete(call, sobject, sent_id), 204)
    return row_response(saving.update(call, sobject, sent_id, body_object(call)), 204)


def _by_external_id(call: Call, sobject: SObject, name: str, value: str) -> Response:
    allow(call, "GET", "PATCH", "DELETE")
    key = external_key(sobject, name)
    if key.name == "Id":
        return _record(call, sobject, value)
    if call.method == "PATCH":
        saved = saving.upsert(call, sobject, key, value, body_object(call))
        if isinstance(saved, list):
            return _several(call, sobject, saved)
        response = row_response(saved, 201 if saved.created else 204 if float(call.version) < 46 else 200)
        if isinstance(response.body, dict):
            response.body["created"] = saved.created
        return response
    rows = call.context.store.find(sobject.name, **{key.name: value})
    if not rows:
        raise missing()
    if len(rows) > 1:
        return _several(call, sobject, [str(record["Id"]) for record in rows])
    if call.method == "DELETE":
        return row_response(saving.delete(call, sobject, str(rows[0]["Id"])), 204)
    return Response(200, shown(call, sobject, rows[0], _fields_asked_for(call, sobject)))


def external_key(sobject: SObject, name: str) -> Field:
    """The field by which a record may be named in a path.

    Raises:
        Refused: 404 NOT_FOUND.
    """
    key = sobject.field(name)
    if key is None or not (key.external_id or key.name == "Id"):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise refused(404, "NOT_FOUND", message)
    return key


def _several(call: Call, sobject: SObject, ids: Sequence[str]) -> Response:
    return Response(300, [call.url_of(sobject, each) for each in ids])


def row_response(saved: saving.Saved, status: int) -> Response:
    """One row's outcome as the answer of a call of its own."""
    if saved.faults:
        lost = saved.faults[0].code in {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"}
        not_found = lost and len(saved.faults) == 1 and not saved.faults[0].fields
        return Response(404 if not_found else 400, faults(saved.faults))
    if status == 204:
        return Response(204)
    return Response(status, {"id": saved.id, "success": True, "errors": []})


def faults(reasons: Sequence[SaveFault]) -> list[dict[str, object]]:
    """Refusals of a whole call: `errorCode`."""
    return [{"message": f.message, "errorCode": f.code, "fields": list(f.fields)} for f in reasons]


def _existing(call: Call, sobject: SObject, sent_id: str) -> dict[str, object]:
    record_id = full_id(sent_id)
    if record_id is None:
        message = f"Provided external ID field does not exist or is not accessible: {sent_id}"
        raise refused(404, "NOT_FOUND", message)
    if sobject.key_prefix and not record_id.startswith(sobject.key_prefix):
        message = f"{sobject.label} ID: id value of incorrect type: {sent_id}"
        raise refused(400, "MALFORMED_ID", message, ["Id"])
    record = call.context.store.get(sobject.name, record_id)
    if record is not None:
        return record
    if call.context.store.get(sobject.name, record_id, deleted=True) is not None:
        raise refused(404, "ENTITY_IS_DELETED", "entity is deleted")
    raise missing()


def _fields_asked_for(call: Call, sobject: SObject) -> list[str]:
    names = call.request.query.get("fields")
    if names is None:
        return [field.name for field in sobject.fields]
    return field_names(sobject, [name.strip() for name in names.split(",") if name.strip()])


def field_names(sobject: SObject, names: Sequence[str]) -> list[str]:
    """True names of fields asked for; Id is always among them.

    Raises:
        Refused: 400 INVALID_FIELD.
    """
    known = ["Id"]
    for name in names:
        field = sobject.field(name)
        if field is None:
            message = f"No such column '{name}' on sobject of type {sobject.name}"
            raise refused(400, "INVALID_FIELD", message)
        if field.name not in known:
            known.append(field.name)
    return known


def shown(
    call: Call, sobject: SObject, record: Mapping[str, object], names: Sequence[str]
) -> dict[str, object]:
    """A record as the REST API writes it."""
    url = call.url_of(sobject, str(record["Id"]))
    return {"attributes": {"type": sobject.name, "url": url}, **{name: record.get(name) for name in names}}
