"""One record saved: what the REST layer checks itself, before the org's own rules are asked.

Names, types and ids are the REST layer's; required fields, picklists, duplicate rules, validation rules,
flows are the org's (`DemoOrg.save`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from syncerr_tui.demo.rest.call import Call
from syncerr_tui.demo.save_errors import SaveFault
from syncerr_tui.demo.schema import IDS, NUMBERS, Field, SObject, full_id


@dataclass(frozen=True, slots=True)
class Saved:
    """The outcome of one row. `id` is None where it failed before it had one."""

    id: str | None
    faults: tuple[SaveFault, ...] = ()
    created: bool = False

    @property
    def success(self) -> bool:
        return not self.faults


def create(call: Call, sobject: SObject, body: Mapping[str, object]) -> Saved:
    values, faults = _values(call, sobject, body, creating=True)
    if faults:
        return Saved(None, tuple(faults))
    record_id = call.context.store.new_id(sobject.name)
    faults = call.context.org.save(sobject.name, "create", values, record_id, headers=call.request.headers)
    return Saved(None, tuple(faults)) if faults else Saved(record_id, created=True)


def update(call: Call, sobject: SObject, record_id: str, body: Mapping[str, object]) -> Saved:
    return _existing(call, sobject, record_id, "update", body)


def delete(call: Call, sobject: SObject, record_id: str) -> Saved:
    """Put a record into the recycle bin."""
    return _existing(call, sobject, record_id, "delete", {})


def upsert(
    call: Call, sobject: SObject, key: Field, value: str, body: Mapping[str, object]
) -> Saved | list[str]:
    """Change the record with this external id, or make it; several such records: their ids."""
    rows = call.context.store.find(sobject.name, **{key.name: value})
    if len(rows) > 1:
        return [str(record["Id"]) for record in rows]
    rest = {name: each for name, each in body.items() if name.lower() != key.name.lower()}
    if rows:
        return update(call, sobject, str(rows[0]["Id"]), rest)
    return create(call, sobject, {**rest, key.name: value})


def _existing(
    call: Call, sobject: SObject, sent_id: str, operation: str, body: Mapping[str, object]
) -> Saved:
    record_id, fault = look_up(call, sobject, sent_id)
    if fault is not None:
        return Saved(record_id, (fault,))
    assert record_id is not None
    if call.context.faults.fires("no-record-edit", call.request):
        words = "insufficient access rights on object id"
        return Saved(record_id, (SaveFault("INSUFFICIENT_ACCESS_OR_READONLY", words),))
    values, faults = _values(call, sobject, body, creating=False)
    if not faults:
        faults = call.context.org.save(
            sobject.name, operation, values, record_id, headers=call.request.headers
        )
    return Saved(record_id, tuple(faults))


def look_up(call: Call, sobject: SObject, sent_id: str) -> tuple[str | None, SaveFault | None]:
    """The full id of an existing record, or what is wrong with it."""
    record_id = full_id(sent_id)
    if record_id is None or (sobject.key_prefix and not record_id.startswith(sobject.key_prefix)):
        message = f"{sobject.label} ID: id value of incorrect type: {sent_id}"
        return None, SaveFault("MALFORMED_ID", message, ("Id",))
    if call.context.store.get(sobject.name, record_id) is not None:
        return record_id, None
    if call.context.store.get(sobject.name, record_id, deleted=True) is not None:
        return record_id, SaveFault("ENTITY_IS_DELETED", "entity is deleted")
    return record_id, SaveFault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")


def _values(
    call: Call, sobject: SObject, body: Mapping[str, object], *, creating: bool
) -> tuple[dict[str, object], list[SaveFault]]:
    """The body's values under their true names and in their types, and what is wrong with them."""
    values: dict[str, object] = {}
    faults: list[SaveFault] = []
    if not sobject.writable:
        message = f"entity type {sobject.name} does not support {'create' if creating else 'update'}"
        return values, [SaveFault("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)]
    locked: list[str] = []
    for name, value in body.items():
        if name.lower() in {"attributes", "id"}:
            continue
        field = sobject.field(name)
        if field is None and isinstance(value, Mapping):
            fault = _by_external_id(call, sobject, name, value, values)
        elif field is None:
            fault = SaveFault("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
        elif not (field.createable if creating else field.updateable):
            locked.append(field.name)
            continue
        else:
            values[field.name], fault = typed(field, value)
        if fault is not None:
            faults.append(fault)
    if locked:
        message = (
            f"Unable to create/update fields: {', '.join(locked)}. Please check the security settings "
            "of this field and verify that it is read/write for your profile or permission set."
        )
        faults.append(SaveFault("INVALID_FIELD_FOR_INSERT_UPDATE", message, tuple(locked)))
    return values, faults


def _by_external_id(
    call: Call, sobject: SObject, name: str, key: Mapping[str, object], values: dict[str, object]
) -> SaveFault | None:
    """`"Account": {"s_c__sC_Id__c": "..."}`: a parent named by its external id."""
    reference = sobject.relationship(name)
    parent_key = {k: v for k, v in key.items() if k != "attributes"}
    parent = (
        call.context.org.schema.get(reference.reference_to[0])
        if reference and reference.reference_to
        else None
    )
    field = parent.field(next(iter(parent_key), "")) if parent and len(parent_key) == 1 else None
    if reference is None or parent is None or field is None or not field.external_id:
        return SaveFault("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
    value = next(iter(parent_key.values()))
    rows = call.context.store.find(parent.name, **{field.name: value})
    if len(rows) == 1:
        values[reference.name] = rows[0]["Id"]
        return None
    what = "not found" if not rows else "matches more than one record"
    return SaveFault(
        "INVALID_FIELD",
        f"Foreign key external ID: {value} {what} for field {field.name} in entity {parent.name}",
    )


def typed(field: Field, value: object) -> tuple[object, SaveFault | None]:
    """A JSON value as the store keeps it; a fault where it is of another type, too long, or no id."""
    if value is None or value == "":
        return None, None
    kind = field.type
    if kind == "boolean":
        return (value, None) if isinstance(value, bool) else (None, _wrong(field, value, "boolean"))
    if kind in NUMBERS:
        return _number(field, value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None, _wrong(field, value, "string")
    text = str(value)
    if kind in {"date", "datetime"}:
        return _moment(field, text)
    if kind in IDS:
        record_id = full_id(text)
        if record_id is None:
            message = f"{field.label}: id value of incorrect type: {text}"
            return None, SaveFault("MALFORMED_ID", message, (field.name,))
        return record_id, None
    if field.length and len(text) > field.length:
        cut = text if len(text) < 1_000 else text[:1_000] + "…"
        message = f"{field.label}: data value too large: {cut} (max length={field.length})"
        return None, SaveFault("STRING_TOO_LONG", message, (field.name,))
    return text, None


def _number(field: Field, value: object) -> tuple[object, SaveFault | None]:
    try:
        number = (
            float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
        )
    except ValueError:
        number = None
    if number is None or number != number or abs(number) > 1e18:  # noqa: PLR0124 - not a number
        return None, _wrong(field, value, field.type)
    if field.type == "int":
        return (int(number), None) if number == int(number) else (None, _wrong(field, value, "int"))
    return number, None


def _moment(field: Field, text: str) -> tuple[object, SaveFault | None]:
    try:
        if field.type == "date":
            return date.fromisoformat(text[:10]).isoformat(), None
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, _wrong(field, text, field.type)
    if moment.tzinfo is None or not 1700 <= moment.year <= 4000:
        return None, _wrong(field, text, "datetime")
    return moment, None


def _wrong(field: Field, value: object, kind: str) -> SaveFault:
    shown = str(value)[:200]
    token = {bool: "VALUE_TRUE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT"}.get(
        type(value), "VALUE_STRING"
    )
    message = (
        f"Cannot deserialize instance of {kind} from {token} value {shown} "
        "or request may be missing a required field"
    )
    return SaveFault("JSON_PARSER_ERROR", message, (field.name,))
