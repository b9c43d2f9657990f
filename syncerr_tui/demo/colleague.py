"""What a person in Salesforce, or StoreConnect's support, would do against a cause: another hand in the org.

A repair changes the org's safeguards or records, never a change event, and it is done in Setup: it may also
switch what no API can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast
from urllib.parse import quote

from syncerr_tui.demo.components import Component
from syncerr_tui.demo.engine import Engine
from syncerr_tui.demo.event_queue import QueuedEvent, root_entry
from syncerr_tui.demo.metadata import MetadataCatalog
from syncerr_tui.demo.rules import NOT_ON_WEB_LEADS, RULES_BY_KEY, Rule
from syncerr_tui.demo.schema import SC_ID
from syncerr_tui.demo.store import DEMO_USER_ID

_COMPONENTS: Mapping[str, str] = {
    "DuplicateRule": "DuplicateRule",
    "ValidationRule": "ValidationRule",
    "FlowDefinitionView": "FlowDefinition",
    "WorkflowRule": "WorkflowRule",
}
"""Set-up object -> the metadata type that holds its switch."""
_SWITCHED_OFF: Mapping[str, tuple[str, str, object]] = {
    "ApexTrigger": ("Name", "Status", "Inactive"),
    "ApexClass": ("Name", "Status", "Inactive"),
    "EmailTemplate": ("DeveloperName", "Body", "Your parcel is on its way."),
}
"""Set-up object -> the field that names it, the one that is changed, and its new value."""


class Colleague:
    """Repairs the root cause of change events."""

    def __init__(self, engine: Engine, metadata: MetadataCatalog) -> None:
        self._metadata = metadata
        self._engine = engine
        self._store = engine.store
        self._records = engine.records
        self._safeguards = engine.safeguards
        self._queue = engine.queue

    def repair(self, event_id: str) -> bool:
        """Do away with what blocks an event; False where there is nothing to do but to try again."""
        entry = self._queue.get(event_id)
        if entry is None:
            return False
        root = root_entry(self._queue, entry)
        with self._engine.working, self._store.transaction():
            return self._repaired(root)

    def _repaired(self, root: QueuedEvent) -> bool:
        key = root.cause
        rule = RULES_BY_KEY.get(key)
        if rule is not None:
            if rule.bounces:
                self._clear_bounces(key)
            else:
                self._switch(rule)
            return True
        kind, _colon, rest = key.partition(":")
        repairs: dict[str, Callable[[], object]] = {
            "value": lambda: self._add_value(rest),
            "required": lambda: self._make_optional(rest),
            "unique": lambda: self._free_value(key, rest),
            "deleted": lambda: self._undelete(rest, "Id", self._about(key)),
            "gone": lambda: self._undelete(rest, SC_ID, [e.sc_id for e in self._queue.with_cause(key)]),
            "inactive owner": lambda: self._change_owner(key),
            "activated order": lambda: self._update("Order", key, {"Status": "Draft"}),
            "approval lock": lambda: self._unlock(key),
            "stuck job": lambda: self._unlock(key),
            "missing": lambda: self._bring_parent(rest),
            "lost change": lambda: self._forget(root.sc_id),
        }
        repair = repairs.get(kind)
        if repair is not None:
            repair()
        return repair is not None

    def _switch(self, rule: Rule) -> None:
        if rule.setup in _COMPONENTS:
            kind = _COMPONENTS[rule.setup]
            name = rule.api_name if kind == "FlowDefinition" else f"{rule.object}.{rule.api_name}"
            self._metadata.switch(kind, name, on=False)
            return
        if rule.setup == "RecordType":
            self._offer(f"{rule.object}.{rule.api_name}", NOT_ON_WEB_LEADS)
            return
        self._safeguards.switch(rule.key, on=False)
        if rule.setup in _SWITCHED_OFF:
            naming, field, value = _SWITCHED_OFF[rule.setup]
            for row in self._store.find(rule.setup, **{naming: rule.api_name}):
                self._store.update(rule.setup, str(row["Id"]), {field: value})

    def _offer(self, name: str, value: str) -> None:
        component = self._metadata.read("RecordType", name)
        assert component is not None, "the world has it"
        (offered,) = cast("list[Component]", component["picklistValues"])
        values = [
            *cast("list[Component]", offered["values"]),
            {"fullName": quote(value, safe=""), "default": False},
        ]
        changed = {**component, "picklistValues": [{**offered, "values": values}]}
        self._metadata.write("RecordType", name, changed, in_setup=True)

    def _clear_bounces(self, key: str) -> None:
        cleared = {"EmailBouncedReason": None, "EmailBouncedDate": None, "IsEmailBounced": False}
        self._update("Contact", key, cleared)

    def _add_value(self, rest: str) -> None:
        place, _equals, value = rest.partition("=")
        object_name, _dot, field = place.partition(".")
        ending = next((end for end in ("StateCode", "CountryCode") if field.endswith(end)), "")
        if not ending:
            self._metadata.add_value(object_name, field, value)
            return
        for each in list(self._safeguards.schema.values()):
            for known in each.fields:
                # States and countries are one list for the whole org.
                if known.name.endswith(ending):
                    longer = replace(known, picklist=(*known.picklist, (value, value, True)))
                    self._safeguards.change_field(each.name, longer)

    def _make_optional(self, name: str) -> None:
        component = self._metadata.read("CustomField", name)
        assert component is not None, "only custom fields are required of the sync"
        self._metadata.write("CustomField", name, {**component, "required": False}, in_setup=True)

    def _free_value(self, key: str, rest: str) -> None:
        object_name, _dot, field = rest.partition(".")
        for record in self._about(key):
            value = self._records.value(object_name, record, field)
            if value is not None:
                self._store.update(object_name, record, {field: f"{value}-old"})

    def _undelete(self, object_name: str, field: str, values: Sequence[str]) -> None:
        for value in values:
            self._store.sql(f'UPDATE "{object_name}" SET IsDeleted = 0 WHERE "{field}" = ?', (value,))

    def _change_owner(self, key: str) -> None:
        for user in self._about(key):
            for account in self._store.find("Account", OwnerId=user):
                self._store.update("Account", str(account["Id"]), {"OwnerId": DEMO_USER_ID})

    def _unlock(self, key: str) -> None:
        for record_id in self._about(key):
            for row in self._store.find("ProcessInstance", TargetObjectId=record_id, Status="Pending"):
                self._store.update("ProcessInstance", str(row["Id"]), {"Status": "Removed"})
            self._safeguards.unlock(record_id)

    def _forget(self, sc_id: str) -> None:
        for entry in self._queue.lost(sc_id):
            self._queue.drop(entry.event_id)

    def _bring_parent(self, rest: str) -> None:
        object_name, _colon, sc_id = rest.partition(":")
        if self._records.id_of(object_name, sc_id) is not None:
            return
        if self._store.sql(f'SELECT 1 FROM "{object_name}" WHERE "{SC_ID}" = ? AND IsDeleted = 1', (sc_id,)):
            self._undelete(object_name, SC_ID, [sc_id])
            return
        values: dict[str, object] = {
            field.name: "Recovered" if field.type == "string" else None
            for field in self._safeguards.schema[object_name].fields
            if field.createable and not field.nillable and not field.defaulted
        }
        self._store.insert(object_name, {**values, SC_ID: sc_id})

    def _update(self, object_name: str, key: str, values: Mapping[str, object]) -> None:
        for record in self._about(key):
            self._store.update(object_name, record, values)

    def _about(self, key: str) -> list[str]:
        """The records that events with this cause failed over, each once."""
        return list(dict.fromkeys(entry.record_id for entry in self._queue.with_cause(key)))
