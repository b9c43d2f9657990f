"""`tooling/sobjects/X/{id}`: components read and written whole, with what comes between.

Only the column `Metadata` can be written, and Salesforce bans some types from being written this way in an
active org. `Setup` is one write or reading as the SOAP Metadata API does it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Timer
from typing import cast

from syncerr_tui.demo.components import Component
from syncerr_tui.demo.http import Request, Response, error, refused
from syncerr_tui.demo.metadata import TYPES, MetadataCatalog
from syncerr_tui.demo.rest import describe
from syncerr_tui.demo.rest.call import Call, ServerContext, allow, body_object, missing
from syncerr_tui.demo.rest.records import faults, field_names
from syncerr_tui.demo.save_errors import OPAQUE_WORDS, SaveFault
from syncerr_tui.demo.schema import SObject, full_id, object_named

LATE = 2.0
"""Seconds after which a write that was answered with an error is carried out all the same."""
_COLLEAGUE = "tom@harbour-hearth.example"
_SWITCHES = {
    "ValidationRule": "active",
    "WorkflowRule": "active",
    "DuplicateRule": "isActive",
    "FlowDefinition": "activeVersionNumber",
}
LOCKED = SaveFault(
    "ALREADY_IN_PROCESS", "The changes you requested require Salesforce to wait for another change"
)
_OPAQUE = SaveFault("UNKNOWN_EXCEPTION", OPAQUE_WORDS)


@dataclass(frozen=True, slots=True)
class Setup:
    """The org's set-up as a client of the metadata APIs meets it."""

    context: ServerContext

    @property
    def catalog(self) -> MetadataCatalog:
        """What is really there."""
        return self.context.org.metadata

    def read(self, kind: str, name: str, request: Request) -> Component | None:
        """A component; None where there is none."""
        component = self.catalog.read(kind, name)
        if component is not None and self.context.faults.fires("colleague-edits", request):
            edited = {
                **component,
                "description": f"{component.get('description') or ''} (reviewed by Tom)".strip(),
            }
            self.catalog.write(kind, name, edited, by=self._colleague(), in_setup=True)
        return component

    def write(self, kind: str, name: str, component: Component, request: Request) -> list[SaveFault]:
        """Replace a component; empty where it was done and said so."""
        fires = self.context.faults.fires
        if fires("no-setup-permission", request):
            return [
                SaveFault("INSUFFICIENT_ACCESS", "insufficient access rights on metadata: modify metadata")
            ]
        if fires("setup-locked", request):
            return [LOCKED]
        if fires("setup-late", request):
            late = Timer(LATE, self.catalog.write, (kind, name, component))
            late.daemon = True
            late.start()
            return [_OPAQUE]
        before = self.catalog.read(kind, name)
        refused = self.catalog.write(kind, name, component)
        if refused:
            return refused
        switch = _SWITCHES.get(kind, "")
        if before and before.get(switch) and not component.get(switch):
            self._switched_off(kind, name, switch, before, request)
        return [_OPAQUE] if fires("setup-error-though-done", request) else []

    def _switched_off(self, kind: str, name: str, switch: str, before: Component, request: Request) -> None:
        if self.context.faults.fires("colleague-switches-back", request):
            now = self.catalog.read(kind, name) or {}
            self.catalog.write(kind, name, {**now, switch: before[switch]}, by=self._colleague())

    def _colleague(self) -> str:
        return str(self.context.store.find("User", Username=_COLLEAGUE)[0]["Id"])


_BANNED = frozenset({"ApexClass", "ApexTrigger", "CustomField"})
_WRITABLE = frozenset({"FlowDefinition", "GlobalValueSet", "ValidationRule", "WorkflowRule"})
_SPECIAL = frozenset({"Metadata", "FullName"})


def handle(call: Call) -> Response:
    """Everything below `tooling/sobjects`."""
    match call.parts[1:]:
        case (name, "describe"):
            return describe.one(call, _sobject(call, name))
        case (name, record_id):
            allow(call, "GET", "PATCH")
            sobject = _sobject(call, name)
            row = _row(call, sobject, record_id)
            return _read(call, sobject, row) if call.method == "GET" else _write(call, sobject, row)
        case (name,):
            allow(call, "GET")
            return Response(200, {"objectDescribe": describe.object_summary(call, _sobject(call, name))})
        case _:
            raise missing()


def fill_metadata(call: Call, sobject: SObject, records: list[dict[str, object]]) -> None:
    """Put the components into the answer of a query for them, which may have one row only.

    Raises:
        Refused: 400 MALFORMED_QUERY, there are more.
    """
    if not sobject.tooling or not records or not _SPECIAL & records[0].keys():
        return
    if len(records) > 1:
        message = (
            "When retrieving results with Metadata or FullName fields, the query qualifications must specify "
            f"no more than one row for retrieval. Result size: {len(records)}"
        )
        raise refused(400, "MALFORMED_QUERY", message)
    if "Metadata" in records[0]:
        attributes = cast("Mapping[str, str]", records[0]["attributes"])
        record_id = attributes["url"].rpartition("/")[2]
        records[0]["Metadata"] = _metadata(call, sobject, _row(call, sobject, record_id))


def _sobject(call: Call, name: str) -> SObject:
    sobject = object_named(call.context.org.schema, name)
    if sobject is None or not sobject.tooling:
        raise missing()
    return sobject


def _row(call: Call, sobject: SObject, sent_id: str) -> dict[str, object]:
    record_id = full_id(sent_id) or sent_id
    row = call.context.store.get(sobject.name, record_id)
    if row is None:
        raise missing()
    return row


def _metadata(call: Call, sobject: SObject, row: dict[str, object]) -> Component | None:
    if sobject.name not in TYPES or call.context.faults.fires("metadata-unreadable", call.request):
        return None
    setup, name = Setup(call.context), str(row["FullName"])
    return (
        None if setup.catalog.is_managed(sobject.name, name) else setup.read(sobject.name, name, call.request)
    )


def _read(call: Call, sobject: SObject, row: dict[str, object]) -> Response:
    text = call.request.query.get("fields")
    names_asked = [name.strip() for name in text.split(",")] if text else [f.name for f in sobject.fields]
    names = field_names(sobject, names_asked)
    url = f"{call.base}/tooling/sobjects/{sobject.name}/{row['Id']}"
    shown = {"attributes": {"type": sobject.name, "url": url}, **{name: row.get(name) for name in names}}
    if "Metadata" in names:
        shown["Metadata"] = _metadata(call, sobject, row)
    return Response(200, shown)


def _write(call: Call, sobject: SObject, row: dict[str, object]) -> Response:
    body = {name: value for name, value in body_object(call).items() if name not in {"attributes", "Id"}}
    if sobject.name in _BANNED:
        return error(
            400, "INVALID_TYPE", f"Save or update not supported in active organizations: {sobject.name}"
        )
    if sobject.name not in _WRITABLE:
        return error(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"{sobject.name} does not support update")
    name = str(row["FullName"])
    if body.pop("FullName", name) != name:
        return error(400, "FIELD_INTEGRITY_EXCEPTION", "Cannot change the full name", ["FullName"])
    if body.keys() != {"Metadata"}:
        locked = sorted(body.keys() - {"Metadata"})
        message = f"Unable to create/update fields: {', '.join(locked) or 'Metadata is missing'}."
        return error(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, locked)
    component = body["Metadata"]
    if not isinstance(component, dict):
        return error(400, "JSON_PARSER_ERROR", "Cannot deserialize instance of complexvalue")
    if sobject.name == "FlowDefinition" and component.keys() == {"activeVersionNumber"}:
        # Public tools send the number alone, and nobody has complained of a lost label.
        component = {**(Setup(call.context).catalog.read(sobject.name, name) or {}), **component}
    refused = Setup(call.context).write(sobject.name, name, component, call.request)
    if not refused:
        return Response(204)
    if refused[0] is LOCKED:
        # The Tooling API does not say what holds it up.
        return error(400, "UNKNOWN_EXCEPTION", OPAQUE_WORDS)
    status = {"INSUFFICIENT_ACCESS": 403, "UNKNOWN_EXCEPTION": 500}.get(refused[0].code, 400)
    return Response(status, faults(refused))
