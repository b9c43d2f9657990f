"""The demo org behind its HTTP server: saves, actions and Apex REST over one store and one sync engine.

The names of the change event's fields and of the three ways to re-sync are assumptions of this demo.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import cast

from syncerr_tui.demo.colleague import Colleague
from syncerr_tui.demo.engine import Engine, write_record
from syncerr_tui.demo.event_queue import LOST, EventQueue, ground_truth
from syncerr_tui.demo.faults import engine_faults_in
from syncerr_tui.demo.metadata import MetadataCatalog
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.records import Records
from syncerr_tui.demo.safeguards import Safeguards
from syncerr_tui.demo.save_errors import Change, Fields, InvocableAction, Outcome, Parameter, SaveFault
from syncerr_tui.demo.schema import SC_ID, SObject
from syncerr_tui.demo.schema_variants import variant_named
from syncerr_tui.demo.store import DEMO_USER_ID, Store
from syncerr_tui.demo.world import World
from syncerr_tui.errors import BadInputError

MOST_ERRORS = 100_000
_ALERTS = ("DuplicateRule:Contacts_by_Email",)
"""Duplicate rules that only alert: `Sforce-Duplicate-Rule-Header: allowSave=true` passes them."""
_ASSUMED = "An assumption of this demo org: how StoreConnect re-syncs inside is not public."
_EVENT_INPUT = Parameter(
    "changeEventId",
    "Change Event ID",
    "STRING",
    required=True,
    description="The failed change event to try again",
)
_RESYNC_OUTPUTS = (
    Parameter("accepted", "Accepted", "BOOLEAN", description="Queued; the outcome is in the change event"),
    Parameter("message", "Message"),
)
_ACTIONS = tuple(
    InvocableAction(
        kind, name, f"SyncErr: Re-sync {what}", f"{does} {_ASSUMED}", (_EVENT_INPUT,), _RESYNC_OUTPUTS
    )
    for kind, name, what, does in (
        ("apex", "SyncErrResync", "change events", "Queues failed change events again."),
        ("flow", "SyncErr_Resync", "a change event", "Queues a failed change event again."),
    )
)


class DemoOrg:
    """One org.

    Args:
        options: As chosen at the start.
        clock: The org's time, aware and in UTC; with `advance(seconds)` it is a test's (`clock.ManualClock`).
        store: Made over `naming.schema_of_variant(options.naming)`; an empty one is filled with a new world.

    Raises:
        BadInputError: An option cannot be used.
    """

    def __init__(self, options: DemoOptions, *, clock: Callable[[], datetime], store: Store) -> None:
        if not 0 <= options.errors <= MOST_ERRORS:
            raise BadInputError(
                f"The demo org cannot hold {options.errors} errors",
                f"Choose a number from 0 to {MOST_ERRORS:,}",
            )
        if not (math.isfinite(options.processing_delay) and options.processing_delay >= 0):
            raise BadInputError("The processing delay must be zero or more seconds", "Try 2")
        self.options = options
        self.clock = clock
        self.store = store
        store.clock = clock
        schema = cast("dict[str, SObject]", store.schema)
        self.schema: Mapping[str, SObject] = schema
        """What describe tells *now*: a fix may add a picklist value, so read it anew for every answer."""
        self.naming = variant_named(options.naming)
        if store.recall("world") is None:
            # The full hour: two starts within it make the same world to the second, so that a plan made on
            # one can be carried out on the other.
            born = clock().replace(minute=0, second=0, microsecond=0)
            World(store, schema, options, born).build()
            store.remember("world", {"seed": options.seed, "errors": options.errors})
        safeguards = Safeguards(Records(store, schema), schema)
        self.engine = Engine(
            store,
            EventQueue(store),
            safeguards,
            self.naming,
            options,
            engine_faults_in(options.faults),
            clock=clock,
            second_operator=lambda entry: self.colleague.repair(entry.event_id),
        )
        self.metadata = MetadataCatalog(self.engine)
        self.colleague = Colleague(self.engine, self.metadata)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Several saves, all or none: an exception that leaves the block undoes them. The engine waits."""
        with self.engine.working, self.store.transaction():
            yield

    def save(
        self,
        object_name: str,
        operation: str,
        values: Mapping[str, object],
        record_id: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> list[SaveFault]:
        """Do one create, update or delete as a person's save; empty means that it is written.

        Args:
            object_name: API name, spelled as in the schema.
            operation: `create`, `update` or `delete`.
            values: By API name; empty for a delete.
            record_id: The record; for a create the id it shall get (`store.new_id`).
            headers: The request's, for `Sforce-Duplicate-Rule-Header` (any case of letters).
        """
        with self.engine.working, self.store.transaction():
            if object_name == self.naming.event[0]:
                return self._save_event(operation, values, record_id)
            sc_id = str(values.get(SC_ID) or "")
            existing = record_id if operation != "create" else None
            change = Change(object_name, operation.capitalize(), cast("Fields", values), existing, sc_id)
            acknowledged = _ALERTS if _allows_duplicates(headers or {}) else ()
            refusal = self.engine.safeguards.refuse(change, acknowledged=acknowledged, user_id=DEMO_USER_ID)
            if refusal is not None:
                return [SaveFault(refusal.code, refusal.text, refusal.fields)]
            if object_name == "PermissionSetAssignment" and operation != "delete":
                fault = self._assignment_fault(values, operation)
                if fault is not None:
                    return [fault]
            write_record(self.engine.records, change, new_id=record_id, by=DEMO_USER_ID)
            return []

    def _assignment_fault(self, values: Mapping[str, object], operation: str) -> SaveFault | None:
        ends = values.get("ExpirationDate")
        if isinstance(ends, datetime) and ends <= self.clock():
            return SaveFault(
                "FIELD_INTEGRITY_EXCEPTION", "Expires On must be in the future", ("ExpirationDate",)
            )
        same = {name: values.get(name) for name in ("AssigneeId", "PermissionSetId")}
        if operation == "create" and self.store.count("PermissionSetAssignment", **same):
            return SaveFault("DUPLICATE_VALUE", "duplicate PermissionSetAssignment", ("PermissionSetId",))
        return None

    def _save_event(
        self,
        operation: str,
        values: Mapping[str, object],
        record_id: str | None,
    ) -> list[SaveFault]:
        """The only change of an event that means anything: its status, from failed to queued."""
        if operation == "create" or record_id is None:
            return [
                SaveFault("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Only StoreConnect makes change events")
            ]
        queue = self.engine.queue
        if operation == "delete":
            self.store.delete(self.naming.event[0], record_id)
            entry = queue.get(record_id)
            if entry is not None:
                queue.put(entry._replace(state=LOST))
            return []
        status = self.naming.status[0]
        if values.get(status, self.naming.queued[0]) != self.naming.queued[0]:
            words = f"A change event can only be queued again: set {status} to {self.naming.queued[0]}"
            return [SaveFault("FIELD_CUSTOM_VALIDATION_EXCEPTION", words, (status,))]
        if status in values:
            fault = self.engine.request([record_id])[0]
            return [] if fault is None else [fault]
        return []

    def actions(self, kind: str) -> Sequence[InvocableAction]:
        """The invocable actions of a kind (`apex` or `flow`)."""
        return tuple(action for action in _ACTIONS if action.kind == kind)

    def describe_action(self, kind: str, name: str) -> InvocableAction | None:
        """One action, or None where there is none of that name."""
        folded = name.lower()
        return next((action for action in self.actions(kind) if action.name.lower() == folded), None)

    def invoke(self, kind: str, name: str, inputs: Sequence[Mapping[str, object]]) -> list[Outcome]:
        """Call an action: an outcome for each input, in order; what succeeds is done even if others fail."""
        if self.describe_action(kind, name) is None:
            raise KeyError(f"There is no {kind} action {name}")
        faults = self.engine.request([str(each.get("changeEventId") or "") for each in inputs])
        return [{"accepted": True, "message": "Queued"} if fault is None else fault for fault in faults]

    def apexrest(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: object,
    ) -> tuple[int, object]:
        """Answer `/services/apexrest/<path>`: HTTP status and a JSON value. `body` is parsed JSON or None."""
        parts = tuple(part for part in path.split("/") if part)
        match (method, *parts):
            case ("POST", "syncerr", "resync"):
                return self._resync(body)
            case ("GET", "demo", "truth"):
                with self.engine.working:
                    return 200, ground_truth(self.engine.queue)
            case ("GET", "demo", "counts"):
                return 200, self.engine.queue.counts()
            case ("GET", "demo", "about"):
                return 200, self._about()
            case ("POST", "demo", "advance"):
                return self._advance(body)
            case _:
                return 404, [_error("NOT_FOUND", "Could not find a match for URL")]

    def _resync(self, body: object) -> tuple[int, object]:
        ids = body.get("ids") if isinstance(body, Mapping) else None
        if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
            return 400, [_error("JSON_PARSER_ERROR", 'The body must be {"ids": ["...", ...]}')]
        faults = self.engine.request(ids)
        results = [
            {
                "id": event_id,
                "accepted": fault is None,
                "code": None if fault is None else fault.code,
                "reason": "" if fault is None else fault.message,
            }
            for event_id, fault in zip(ids, faults, strict=True)
        ]
        return 200, {"results": results}

    def _about(self) -> dict[str, object]:
        settings = {key: value for key, value in asdict(self.options).items() if key != "db"}
        return {
            "demo": True,
            "says": (
                "This is a demo org. The names of the change event object's fields and of the ways "
                "to re-sync are assumptions, and its messages are samples."
            ),
            "seed": self.options.seed,
            "naming": self.naming.key,
            "options": {**settings, "faults": list(self.options.faults)},
        }

    def _advance(self, body: object) -> tuple[int, object]:
        seconds = body.get("seconds") if isinstance(body, Mapping) else None
        advance = getattr(self.clock, "advance", None)
        if advance is None:
            return 400, [_error("INVALID_OPERATION", "This org's clock is the real one")]
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not math.isfinite(seconds):
            return 400, [_error("JSON_PARSER_ERROR", 'The body must be {"seconds": number}')]
        now = advance(seconds)
        return 200, {"now": now.isoformat(), "processed": self.engine.run_due()}

    def start(self) -> None:
        """Start the engine's own thread; with a manual clock `advance` does its work instead."""
        if not hasattr(self.clock, "advance"):
            self.engine.start()

    def close(self) -> None:
        """Stop the engine; returns promptly. The store stays open."""
        self.engine.close()


def _error(code: str, message: str) -> dict[str, str]:
    return {"errorCode": code, "message": message}


def _allows_duplicates(headers: Mapping[str, str]) -> bool:
    for name, value in headers.items():
        if name.lower() == "sforce-duplicate-rule-header":
            return "allowsave=true" in value.replace(" ", "").lower()
    return False
