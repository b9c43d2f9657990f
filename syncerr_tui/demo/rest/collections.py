"""sObject Collections: up to 200 records written, up to 2,000 read in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from syncerr_tui.demo.http import Refused, Response, refused
from syncerr_tui.demo.rest import saving
from syncerr_tui.demo.rest.call import Call, allow, body_object, done_or_undone, missing
from syncerr_tui.demo.rest.records import external_key, field_names, shown
from syncerr_tui.demo.rest.saving import Saved
from syncerr_tui.demo.save_errors import LOCK_WORDS, SaveFault
from syncerr_tui.demo.schema import Field, SObject, full_id

MOST_WRITTEN = 200
MOST_READ = 2_000
MOST_CHUNKS = 10
_UNDONE = SaveFault(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)

Row = Callable[[], Saved]


def handle(call: Call) -> Response:
    """Everything below `composite/sobjects`."""
    match call.parts[2:]:
        case ():
            allow(call, "POST", "PATCH", "DELETE")
            return {"POST": _insert, "PATCH": _update, "DELETE": _delete}[call.method](call)
        case (name,):
            allow(call, "GET", "POST")
            return _read(call, call.sobject(name))
        case (name, key):
            allow(call, "PATCH")
            return _upsert(call, call.sobject(name), key)
        case _:
            raise missing()


def _read(call: Call, sobject: SObject) -> Response:
    if call.method == "GET":
        query = call.request.query
        ids, fields = _listed(query.get("ids")), _listed(query.get("fields"))
    else:
        body = body_object(call)
        ids, fields = _strings(body.get("ids"), "ids"), _strings(body.get("fields"), "fields")
    if not ids or not fields:
        raise refused(400, "MISSING_ARGUMENT", "The ids and fields parameters are required")
    if len(ids) > MOST_READ:
        raise refused(
            400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot retrieve more than {MOST_READ} records"
        )
    names = field_names(sobject, fields)
    store = call.context.store
    records: list[dict[str, object] | None] = []
    for each in ids:
        record_id = full_id(each)
        record = store.get(sobject.name, record_id) if record_id else None
        records.append(shown(call, sobject, record, names) if record else None)
    return Response(200, records)


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _strings(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise refused(400, "JSON_PARSER_ERROR", f"'{name}' must be a list of strings")
    return [str(each) for each in value]


def _records(call: Call) -> tuple[bool, list[Mapping[str, object]]]:
    body = body_object(call)
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise refused(400, "JSON_PARSER_ERROR", "'records' must be a list of objects")
    all_or_none = body.get("allOrNone", False)
    if not isinstance(all_or_none, bool):
        raise refused(400, "JSON_PARSER_ERROR", "'allOrNone' must be true or false")
    _few_enough(records)
    return all_or_none, records


def _few_enough(records: Sequence[object]) -> None:
    if len(records) > MOST_WRITTEN:
        message = f"record limit reached. cannot submit more than {MOST_WRITTEN} records into this call"
        raise refused(400, "EXCEEDED_ID_LIMIT", message)


def _typed(call: Call, records: Sequence[Mapping[str, object]]) -> list[SObject]:
    """The object of each record; at most ten runs of one type."""
    sobjects: list[SObject] = []
    for record in records:
        attributes = record.get("attributes")
        name = attributes.get("type") if isinstance(attributes, Mapping) else None
        if not isinstance(name, str):
            message = "sObject type must be specified in the attributes of every record"
            raise refused(400, "INVALID_TYPE", message)
        try:
            sobjects.append(call.sobject(name))
        except Refused:
            raise refused(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.") from None
    chunks = sum(1 for before, after in zip([None, *sobjects], sobjects, strict=False) if before is not after)
    if chunks > MOST_CHUNKS:
        message = f"the records have more than {MOST_CHUNKS} chunks of different types; sort them by type"
        raise refused(400, "LIMIT_EXCEEDED", message)
    return sobjects


def _insert(call: Call) -> Response:
    all_or_none, records = _records(call)
    rows = [
        partial(saving.create, call, sobject, record)
        for sobject, record in zip(_typed(call, records), records, strict=True)
    ]
    return _run(call, rows, all_or_none=all_or_none)


def _update(call: Call) -> Response:
    all_or_none, records = _records(call)
    seen: set[str] = set()
    rows: list[Row] = []
    for sobject, record in zip(_typed(call, records), records, strict=True):
        sent_id = next((str(value) for name, value in record.items() if name.lower() == "id"), "")
        if not sent_id:
            rows.append(_failing("MISSING_ARGUMENT", "Id not specified in an update call", "Id"))
        elif (full_id(sent_id) or sent_id) in seen:
            rows.append(_failing("DUPLICATE_VALUE", f"duplicate id specified: {sent_id}", "Id"))
        else:
            rows.append(partial(saving.update, call, sobject, sent_id, record))
        seen.add(full_id(sent_id) or sent_id)
    return _run(call, rows, all_or_none=all_or_none)


def _failing(code: str, message: str, *fields: str) -> Row:
    return lambda: Saved(None, (SaveFault(code, message, fields),))


def _upsert(call: Call, sobject: SObject, key_name: str) -> Response:
    all_or_none, records = _records(call)
    if any(each is not sobject for each in _typed(call, records)):
        raise refused(400, "INVALID_TYPE", f"every record must be of type {sobject.name}")
    key = external_key(sobject, key_name)
    rows = [partial(_upserted, call, sobject, key, record) for record in records]
    return _run(call, rows, all_or_none=all_or_none, upsert=True)


def _upserted(call: Call, sobject: SObject, key: Field, record: Mapping[str, object]) -> Saved:
    value = next((each for name, each in record.items() if name.lower() == key.name.lower()), None)
    if key.name == "Id" and not value:
        return saving.create(call, sobject, record)
    if key.name == "Id":
        return saving.update(call, sobject, str(value), record)
    if value is None or value == "":
        return _failing("MISSING_ARGUMENT", f"{key.name} not specified", key.name)()
    saved = saving.upsert(call, sobject, key, str(value), record)
    if isinstance(saved, Saved):
        return saved
    message = f"{key.name}: more than one record found for external id field: [{', '.join(saved)}]"
    return _failing("DUPLICATE_EXTERNAL_ID", message)()


def _delete(call: Call) -> Response:
    query = call.request.query
    ids = _listed(query.get("ids"))
    if not ids:
        raise refused(400, "MISSING_ARGUMENT", "The ids parameter is required")
    _few_enough(ids)
    rows = [_deleting(call, sent_id) for sent_id in ids]
    return _run(call, rows, all_or_none=query.get("allOrNone", "").lower() == "true")


def _deleting(call: Call, sent_id: str) -> Row:
    record_id = full_id(sent_id)
    schema = call.context.org.schema.values()
    sobject = next(
        (s for s in schema if record_id and s.key_prefix and record_id.startswith(s.key_prefix)), None
    )
    if sobject is None or not sobject.rest:
        return _failing("MALFORMED_ID", f"bad id {sent_id}", "Id")
    return partial(saving.delete, call, sobject, sent_id)


def _run(call: Call, rows: Sequence[Row], *, all_or_none: bool, upsert: bool = False) -> Response:
    """Do the rows in order; with `all_or_none` undo all if one failed."""
    locked = call.context.faults.rows("lock-errors", call.request, len(rows))
    lock_error = _failing("UNABLE_TO_LOCK_ROW", LOCK_WORDS.format(len(rows)))
    outcomes: list[Saved] = []

    def work() -> bool:
        outcomes.extend(lock_error() if place in locked else row() for place, row in enumerate(rows))
        return all(each.success for each in outcomes)

    if not all_or_none:
        work()
    elif not done_or_undone(call, work):
        outcomes = [each if each.faults else Saved(None, (_UNDONE,)) for each in outcomes]
    return Response(200, [_row(each, upsert=upsert) for each in outcomes])


def _row(saved: Saved, *, upsert: bool) -> dict[str, object]:
    row: dict[str, object] = {"success": saved.success, "errors": [each.row() for each in saved.faults]}
    if saved.id is not None and saved.success:
        row = {"id": saved.id, **row}
    if upsert and saved.success:
        row["created"] = saved.created
    return row
