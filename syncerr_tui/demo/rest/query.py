"""`query`, `queryAll` and `tooling/query`: SOQL answered page by page."""

from __future__ import annotations

import json
import re
from array import array

from syncerr_tui.demo.http import Response, refused
from syncerr_tui.demo.rest.call import Call, Cursor, allow, missing
from syncerr_tui.demo.rest.tooling import fill_metadata
from syncerr_tui.demo.schema import Field, full_id
from syncerr_tui.demo.soql import CompiledQuery, SoqlError, parse_query, plan
from syncerr_tui.demo.soql.compiler import Output

_LEAST_PAGE = 200
_NO_QUERY = "A query string has to be specified"
_NO_MORE = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
_MOST_PAGE = 2_000


def handle(call: Call, *, tooling: bool = False) -> Response:
    """A query, or the next page of one."""
    allow(call, "GET")
    if len(call.parts) == 2:
        return _next_page(call, call.parts[1], tooling=tooling)
    if len(call.parts) != 1:
        raise missing()
    text = call.request.query.get("q")
    if text is None:
        reason = "Query plans are not spoken here" if "explain" in call.request.query else _NO_QUERY
        raise refused(400, "MALFORMED_QUERY", reason)
    if "userrecordaccess" in text.lower():
        _fill_record_access(call, text)
    try:
        ready = plan(
            parse_query(text),
            call.context.org.schema,
            now=call.context.clock(),
            deleted=call.parts[0] == "queryAll",
            visible=(lambda sobject: sobject.tooling) if tooling else (lambda sobject: sobject.rest),
        )
    except SoqlError as problem:
        raise refused(400, problem.code, problem.message) from None
    if call.request.query.get("columns", "").lower() == "true":
        return Response(200, _columns(ready))
    return _first_page(call, ready, tooling=tooling)


def _fill_record_access(call: Call, text: str) -> None:
    """Salesforce works these rows out for the records that a query names, and keeps none."""
    store, object_name = call.context.store, "UserRecordAccess"
    may_edit = not call.context.faults.fires("no-record-edit", call.request)
    with call.context.org.alone():
        for row in store.find(object_name):
            store.delete(object_name, str(row["Id"]))
        for sent_id in dict.fromkeys(re.findall(r"'(\w{15}(?:\w{3})?)'", text)):
            rights = dict.fromkeys(
                ("HasEditAccess", "HasDeleteAccess", "HasTransferAccess", "HasAllAccess"), may_edit
            )
            user = {"UserId": call.context.user_id, "RecordId": full_id(sent_id), "HasReadAccess": True}
            level = "All" if may_edit else "Read"
            store.insert(object_name, {**user, **rights, "MaxAccessLevel": level})


def _first_page(call: Call, ready: CompiledQuery, *, tooling: bool) -> Response:
    store = call.context.store
    answered = store.sql(ready.rows_sql, ready.rows_values)
    if ready.query.counts_only:
        return Response(200, {"totalSize": answered[0][0], "done": True, "records": []})
    size = _page_size(call)
    if ready.query.aggregates:
        if len(answered) > size:
            raise refused(400, "EXCEEDED_ID_LIMIT", _NO_MORE)
        groups = [_group(ready.outputs, row) for row in answered]
        return Response(200, {"totalSize": len(groups), "done": True, "records": groups})
    rows = array("q", (int(str(row[0])) for row in answered))
    records = _records(call, ready, rows[:size])
    if tooling:
        fill_metadata(call, ready.sobject, records)
    answer: dict[str, object] = {"totalSize": len(rows), "done": True, "records": records}
    if len(rows) > size:
        cursor = call.context.cursors.keep(ready, rows, size, tooling=tooling)
        _not_done(call, answer, cursor, size)
    return Response(200, answer)


def _next_page(call: Call, locator: str, *, tooling: bool) -> Response:
    context = call.context
    place = context.cursors.find(locator)
    if place is None or place[0].tooling != tooling or context.faults.fires("expired-locator", call.request):
        raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    cursor, offset = place
    if context.faults.fires("repeated-locator", call.request):
        records = _records(call, cursor.plan, cursor.rows[offset : offset + cursor.page_size])
        answer: dict[str, object] = {"totalSize": len(cursor.rows), "done": True, "records": records}
        _not_done(call, answer, cursor, offset)
        return Response(200, answer)
    end = offset + cursor.page_size
    records = _records(call, cursor.plan, cursor.rows[offset:end])
    answer = {"totalSize": len(cursor.rows), "done": True, "records": records}
    if end < len(cursor.rows):
        _not_done(call, answer, cursor, end)
    return Response(200, answer)


def _not_done(call: Call, answer: dict[str, object], cursor: Cursor, offset: int) -> None:
    branch = "tooling/query" if cursor.tooling else "query"
    answer["done"] = False
    answer["nextRecordsUrl"] = f"{call.base}/{branch}/{cursor.locator(offset)}"


def _page_size(call: Call) -> int:
    """The org's page size, or less where `Sforce-Query-Options: batchSize=` asks for less."""
    size = call.context.page_size
    option = re.search(
        r"batchSize\s*=\s*(\d{1,9})", call.request.headers.get("sforce-query-options", ""), re.IGNORECASE
    )
    if option is None:
        return size
    return min(size, max(_LEAST_PAGE, min(_MOST_PAGE, int(option[1]))))


def _group(outputs: tuple[Output, ...], row: tuple[object, ...]) -> dict[str, object]:
    record: dict[str, object] = {"attributes": {"type": "AggregateResult"}}
    for output in outputs:
        value = row[output.place]
        record[output.key] = bool(value) if output.boolean and value is not None else value
    return record


def _records(call: Call, ready: CompiledQuery, rows: array[int]) -> list[dict[str, object]]:
    if not rows:
        return []
    table = call.context.store.sql(ready.page_sql, (json.dumps(rows.tolist()),))
    sobject = ready.sobject
    url = call.url_of(sobject, "")
    own = [(o.key, o.place, o.boolean) for o in ready.outputs if not o.path]
    above = [output for output in ready.outputs if output.path]
    records: list[dict[str, object]] = []
    for row in table:
        record: dict[str, object] = {"attributes": {"type": sobject.name, "url": f"{url}{row[0]}"}}
        for key, place, boolean in own:
            value = row[place]
            record[key] = bool(value) if boolean and value is not None else value
        if ready.parents:
            _add_parents(call, ready, record, row, above)
        records.append(record)
    return records


def _add_parents(
    call: Call,
    ready: CompiledQuery,
    record: dict[str, object],
    row: tuple[object, ...],
    outputs: list[Output],
) -> None:
    nested: dict[tuple[str, ...], dict[str, object] | None] = {(): record}
    for parent in ready.parents:
        child = nested[parent.path[:-1]]
        record_id = row[parent.place]
        attributes = {"type": parent.sobject.name, "url": call.url_of(parent.sobject, str(record_id))}
        nested[parent.path] = None if child is None or record_id is None else {"attributes": attributes}
        if child is not None:
            child[parent.path[-1]] = nested[parent.path]
    for output in outputs:
        owner = nested[output.path]
        if owner is not None:
            value = row[output.place]
            owner[output.key] = bool(value) if output.boolean and value is not None else value


def _columns(ready: CompiledQuery) -> dict[str, object]:
    """What `&columns=true` answers: the `sf` CLI lays out its table by it."""
    metadata: list[dict[str, object]] = []
    groups: dict[str, dict[str, object]] = {}
    for output in ready.outputs:
        column = _column(output.key, output.field, aggregate=ready.query.aggregates and output.field is None)
        if not output.path:
            metadata.append(column)
            continue
        known = metadata
        for depth in range(len(output.path)):
            name = ".".join(output.path[: depth + 1])
            if name not in groups:
                groups[name] = _column(output.path[depth], None, aggregate=False)
                known.append(groups[name])
            inner = groups[name]["joinColumns"]
            assert isinstance(inner, list)
            known = inner
        known.append(column)
    return {
        "columnMetadata": metadata,
        "entityName": ready.sobject.name,
        "groupBy": bool(ready.query.group_by),
        "idSelected": any(output.key == "Id" and not output.path for output in ready.outputs),
        "keyPrefix": ready.sobject.key_prefix,
    }


def _column(name: str, of: Field | None, *, aggregate: bool) -> dict[str, object]:
    kind = of.type if of else "double" if aggregate else "string"
    return {
        "aggregate": aggregate,
        "apexType": kind.capitalize(),
        "booleanType": kind == "boolean",
        "columnName": name,
        "custom": bool(of and of.custom),
        "displayName": name,
        "foreignKeyName": of.relationship_name if of else None,
        "insertable": bool(of and of.createable),
        "joinColumns": [],
        "numberType": kind in {"double", "int", "currency", "percent"},
        "textType": kind in {"string", "textarea", "picklist", "email", "phone", "url"},
        "updatable": bool(of and of.updateable),
    }
