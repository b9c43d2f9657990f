"""The sync engine: works on change events against the safeguards and the data as they are right now.

A change is refused where an earlier change of the same record is unresolved, where a parent is not in
Salesforce, and where a safeguard objects; else its record is written, exactly once. What needs something that
is itself pending is held until that is done: parents before children, one record's changes in order.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from syncerr_tui.demo.event_queue import FAILED, LOST, PENDING, STUCK, EventQueue, QueuedEvent
from syncerr_tui.demo.faults import EngineFaults
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.records import Records
from syncerr_tui.demo.safeguards import Safeguards
from syncerr_tui.demo.save_errors import Change, LinkKind, SaveError, SaveFault, chance, dressed
from syncerr_tui.demo.schema import SC_ID, number_in
from syncerr_tui.demo.schema_variants import SchemaVariant
from syncerr_tui.demo.store import Store, stamp

Payload = Mapping[str, Any]
"""Fields by API name; a parent by the name of the relationship, as `{SC_ID: its StoreConnect ID}`."""


class Engine:
    """One org's sync.

    Args:
        store: Records and change events.
        queue: Where every unresolved event stands.
        safeguards: What may refuse.
        naming: How the change event object is called.
        options: Delay, and what is cleared or deleted on its own.
        faults: Where it does something else than it says.
        clock: The org's time.
        second_operator: Fixes the cause of one event, as somebody else would (for the fault of that name).
    """

    def __init__(
        self,
        store: Store,
        queue: EventQueue,
        safeguards: Safeguards,
        naming: SchemaVariant,
        options: DemoOptions,
        faults: EngineFaults,
        *,
        clock: Callable[[], datetime],
        second_operator: Callable[[QueuedEvent], object] = lambda _entry: None,
    ) -> None:
        self.store = store
        self.queue = queue
        self.safeguards = safeguards
        self.records = safeguards.records
        self.naming = naming
        outcome = naming.status, naming.processed_at, naming.salesforce_id, naming.message, naming.code
        self.outcome_fields = tuple(role[0] for role in outcome if role is not None)
        """Where a change event shows what came of it, in the order of `failed_values`."""
        self._options = options
        self._faults = faults
        self._clock = clock
        self._second_operator = second_operator
        self._wake = threading.Condition()
        self._closing = False
        self._requests = 0
        self._thread: threading.Thread | None = None
        self._late: list[tuple[float, Change]] = []
        self._taken = self._resolved = self._created = 0
        if options.clears_victims:
            queue.index_needs()
        self.working = threading.RLock()
        """Held while a request is taken or an event is worked on: one thing at a time."""

    def request(self, event_ids: Sequence[str]) -> list[SaveFault | None]:
        """Ask for these events to be tried again, in this order: None where accepted, else why not."""
        answers: list[SaveFault | None] = []
        half = (len(event_ids) + 1) // 2 if self._faults.partial_batch and len(event_ids) > 1 else None
        due = self._clock().timestamp() + self._options.processing_delay
        with self.working, self.store.transaction():
            for place, event_id in enumerate(event_ids):
                if half is not None and place >= half:
                    words = "System.LimitException: Apex CPU time limit exceeded"
                    answers.append(SaveFault("LIMIT_EXCEEDED", words))
                else:
                    answers.append(self._queue(event_id, due))
        if self._faults.second_operator:
            self._request_of_second_operator(event_ids)
        with self._wake:
            self._requests += 1
            self._wake.notify_all()
        return answers

    def _queue(self, event_id: str, due: float) -> SaveFault | None:
        entry = self.queue.get(event_id)
        if entry is None or entry.state == LOST:
            if self.store.get(self.naming.event[0], event_id) is None:
                return SaveFault("INVALID_CROSS_REFERENCE_KEY", f"No change event has the id {event_id}")
            return SaveFault(
                "INVALID_STATUS", "The change event has not failed; there is nothing to try again"
            )
        if entry.state != FAILED:
            return SaveFault("INVALID_STATUS", "The change event is being worked on already")
        self.queue.count(event_id, requested=1)
        self._taken += 1
        stuck = self._faults.stuck_pending and self._taken % self._faults.stuck_pending == 0
        self.queue.put(entry._replace(state=STUCK if stuck else PENDING, due=due))
        self._show(event_id, {self.naming.status[0]: self.naming.pending[0]})
        return None

    def _request_of_second_operator(self, requested: Sequence[str]) -> None:
        with self.working, self.store.transaction():
            other = self.queue.youngest_failed(requested)
            if other is not None:
                self._second_operator(other)
                self._work(other)

    def run_due(self) -> int:
        """Work on everything whose time has come; returns how many events that was."""
        done = 0
        while True:
            now = self._clock().timestamp()
            with self.working, self.store.transaction():
                self._let_late_records_appear(now)
                due = self.queue.due(now)
                for entry in due:
                    current = self.queue.get(entry.event_id)
                    if current is not None and current.state == PENDING and current.due <= now:
                        self._work(current)
                        done += 1
            if not due:
                return done

    def _let_late_records_appear(self, now: float) -> None:
        ripe = [change for due, change in self._late if due <= now]
        self._late = [(due, change) for due, change in self._late if due > now]
        for change in ripe:
            write_record(self.records, change)

    def _work(self, entry: QueuedEvent) -> None:
        """Try one event now, and write down what came of it."""
        event = self.store.get(self.naming.event[0], entry.event_id)
        if event is None:
            self.queue.put(entry._replace(state=LOST))
            return
        payload = cast("Payload", json.loads(str(event[self.naming.payload[0]])))
        outcome = self.attempt(entry.object, entry.operation, entry.sc_id, payload, entry.seq)
        if isinstance(outcome, SaveError) and self._must_hold(entry, outcome):
            return
        self.queue.count(entry.event_id, processed=1)
        if isinstance(outcome, SaveError):
            self._refused(entry, outcome)
        else:
            self._succeeded(entry, outcome)

    def attempt(
        self, object_name: str, operation: str, sc_id: str, payload: Payload, seq: int
    ) -> Change | SaveError:
        """What saving a change that arrived as number `seq` would come to right now.

        Nothing is written (but see busy rows).
        """
        earlier = self.queue.earliest(sc_id, seq)
        if earlier is not None:
            return _previous_failed(object_name, sc_id, earlier)
        values, records = dict(payload), self.records
        for name, (field, parent) in records.relations[object_name].items():
            if name in payload:
                parent_sc_id = values.pop(name)[SC_ID]
                parent_id = records.id_of(parent, parent_sc_id)
                if parent_id is None:
                    return _parent_missing(parent, parent_sc_id)
                values[field] = parent_id
        record_id = records.id_of(object_name, sc_id)
        if record_id is None and operation != "Create":
            return SaveError(f"gone:{object_name}", "ENTITY_IS_DELETED", "entity is deleted")
        change = Change(object_name, operation, values, record_id, sc_id)
        return self.safeguards.refuse(change) or change

    def _must_hold(self, entry: QueuedEvent, refusal: SaveError) -> bool:
        """Hold an event back while what it needs is itself being worked on."""
        if refusal.kind is None:
            return False
        first = self.queue.earliest(refusal.needs)
        if first is None or first.state != PENDING or first.event_id == entry.event_id:
            return False
        self.queue.put(entry._replace(state=PENDING, due=max(first.due, entry.due)))
        return True

    def _refused(self, entry: QueuedEvent, refusal: SaveError) -> None:
        record = self.records.id_of(entry.object, entry.sc_id)
        self.queue.put(QueuedEvent(*refused_row(*entry[:5], refusal)))
        self._show_outcome(
            entry.event_id, self.failed_values(entry.sc_id, refusal, record, stamp(self._clock()))
        )

    def failed_values(
        self, sc_id: str, refusal: SaveError, record_id: str | None, at: str
    ) -> tuple[str | None, ...]:
        """What the change event shows once it failed, in its `outcome_fields`."""
        naming = self.naming
        if naming.code is None:
            return naming.failed[0], at, record_id, dressed(refusal, sc_id, code_apart=False)
        return naming.failed[0], at, record_id, dressed(refusal, sc_id, code_apart=True), refusal.code

    def _succeeded(self, entry: QueuedEvent, change: Change) -> None:
        self._resolved += 1
        vanishes = self._faults.vanish and self._resolved % self._faults.vanish == 0
        record_id = None
        if vanishes:
            pass
        elif self._faults.late_visibility and change.record_id is None:
            self._late.append((self._clock().timestamp() + self._faults.late_visibility, change))
        else:
            record_id = write_record(self.records, change)
            creates = change.operation == "Create" and change.record_id is None
            self._created += creates
            if creates and self._faults.twin and self._created % self._faults.twin == 0:
                write_record(self.records, change)
        self.queue.drop(entry.event_id)
        if vanishes or self._options.deletes_done:
            self.store.delete(self.naming.event[0], entry.event_id)
        else:
            self._show_outcome(entry.event_id, self.done_values(record_id, stamp(self._clock())))
        if self._options.clears_victims:
            now = self._clock().timestamp()
            for victim in self.queue.waiting_for(entry.sc_id):
                self.queue.put(victim._replace(state=PENDING, due=now))
                self._show(victim.event_id, {self.naming.status[0]: self.naming.pending[0]})

    def done_values(self, record_id: str | None, at: str) -> tuple[str | None, ...]:
        """What the change event shows once it succeeded, in its `outcome_fields`."""
        return (self.naming.done[0], at, record_id, None, None)[: len(self.outcome_fields)]

    def _show_outcome(self, event_id: str, values: tuple[str | None, ...]) -> None:
        self._show(event_id, dict(zip(self.outcome_fields, values, strict=True)))

    def _show(self, event_id: str, fields: Mapping[str, object]) -> None:
        by = self.records.sync_user
        self.store.update(self.naming.event[0], event_id, {**fields, "LastModifiedById": by})

    def start(self) -> None:
        """Work in a thread of its own from now on. It sleeps until something is due."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="demo-sync", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop the thread, after the event it is working on."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _loop(self) -> None:
        while True:
            with self._wake:
                requests = self._requests
            self.run_due()
            # Not under `_wake`: whoever asks may hold the store, which this has to read.
            wait = self._next_wait()
            with self._wake:
                if self._closing:
                    return
                if requests == self._requests and wait != 0:
                    self._wake.wait(wait)

    def _next_wait(self) -> float | None:
        moments = [due for due, _change in self._late]
        due = self.queue.next_due()
        if due is not None:
            moments.append(due)
        return max(0.0, min(moments) - self._clock().timestamp()) if moments else None


def write_record(
    records: Records,
    change: Change,
    at: str | None = None,
    *,
    new_id: str | None = None,
    by: str | None = None,
) -> str | None:
    """Insert, update or delete the record of a change; returns its id where it is there afterwards.

    Args:
        records: Where it is written.
        change: An accepted one. Without `record_id` it makes a new record, whatever is there already.
        at: The stamp it bears, while a world is built; else now.
        new_id: The id a new record gets.
        by: Who saves; None: the sync.
    """
    object_name, operation, fields, record_id, sc_id = change
    if operation == "Delete":
        records.delete(object_name, str(record_id), sc_id)
        return None
    by = by or records.sync_user
    values: dict[str, object] = {**fields, "LastModifiedById": by}
    if at is not None:
        values["LastModifiedDate"] = values["SystemModstamp"] = at
    if record_id is not None:
        _derive(object_name, values)
        records.update(object_name, record_id, values)
        return record_id
    values["Id"] = record_id = new_id or records.new_id(object_name)
    if sc_id:
        values[SC_ID] = sc_id
    complete(records, object_name, values, by)
    records.insert(object_name, values)
    return record_id


def complete(records: Records, object_name: str, values: dict[str, Any], by: str) -> None:
    """Add to the values of a new record what Salesforce fills in by itself."""
    _derive(object_name, values)
    number_field = records.number_fields[object_name]
    if number_field and number_field not in values:
        values[number_field] = f"{number_in(values['Id']):08}"
    if object_name in _OWNED and "OwnerId" not in values:
        values["OwnerId"] = records.owners[chance(values.get(SC_ID) or values["Id"], "owner") % 2]
    values["CreatedById"] = by


def _derive(object_name: str, values: dict[str, Any]) -> None:
    if object_name in _NAMED and ("LastName" in values or "FirstName" in values):
        values["Name"] = " ".join(str(values[part]) for part in _NAME_PARTS if values.get(part))
    if "EmailBouncedReason" in values:
        values["IsEmailBounced"] = values["EmailBouncedReason"] is not None


_NAMED = frozenset({"Contact", "Lead"})
_NAME_PARTS = ("FirstName", "LastName")
_OWNED = frozenset({"Account", "Contact", "Lead", "Order"})


def refused_row(
    event_id: str, seq: int, object_name: str, sc_id: str, operation: str, refusal: SaveError
) -> tuple[str, int, str, str, str, str, str, str, LinkKind | None, str, str, float]:
    """The row in the queue, a `QueuedEvent`, of an event that was just refused."""
    key, code, _text, _fields, _bare, kind, needs, record_id = refusal
    return event_id, seq, object_name, sc_id, operation, FAILED, key, code, kind, needs, record_id, 0.0


def _previous_failed(object_name: str, sc_id: str, earlier: QueuedEvent) -> SaveError:
    words = (
        "A previous change for the same record has failed.",
        f"A previous change for the same record has failed: {earlier.event_id}",
        f"An earlier change of {object_name} {sc_id} has not been processed. Resolve it first.",
    )
    lost = earlier.state == LOST
    text = words[0] if lost else words[chance(sc_id, "previous") % len(words)]
    key = f"lost change:{sc_id}" if lost else "previous change"
    return SaveError(key, "INVALID_CHANGE_EVENT", text, bare=True, kind="same record", needs=sc_id)


def _parent_missing(parent: str, parent_sc_id: str) -> SaveError:
    words = f"Foreign key external ID: {parent_sc_id} not found for field {SC_ID} in entity {parent}"
    key = f"missing:{parent}:{parent_sc_id}"
    return SaveError(key, "INVALID_FIELD", words, (), kind="parent", needs=parent_sc_id)
