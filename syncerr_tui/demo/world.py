"""A new org: set-up, customers, and a stream of changes that the engine works on until enough have failed.

Deterministic: the same seed gives the same shoppers, ids and StoreConnect IDs in the same order; a world with
more errors begins like a smaller one. Only the times depend on when it is made.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from heapq import merge
from random import Random

from syncerr_tui.demo.engine import Engine, refused_entry, write_record
from syncerr_tui.demo.event_queue import LOST, QueuedEvent
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.save_errors import Change, SaveError
from syncerr_tui.demo.scenarios import SCENARIOS, clean_flow
from syncerr_tui.demo.schema_variants import EVENT_PREFIX
from syncerr_tui.demo.setup_rows import approval_of, fill_setup, new_organization_id
from syncerr_tui.demo.shopper_flows import Fields, Shop, ShopperFlow, ShopperStep, sale
from syncerr_tui.demo.store import long_id, stamp

_AT_ONCE = 3
"""Shoppers whose changes arrive mixed."""
_EPIDEMICS = 6
"""Plants that, in one world, hit many shoppers."""
_DONE_KEPT = 60
"""Changes that went well and are still to be seen: how long a real org keeps them is not known."""
_JSON = json.JSONEncoder(ensure_ascii=False)

_WRITTEN_TOGETHER = 2_000
_MANY = 2_000
"""From so many errors on, making the indexes anew is faster than keeping them."""
_ASKED = ("match.Account", "match.Contact", "match.Lead", "Contact.Loyalty_Number__c")
"""Indexes that safeguards need while the world is built; all else is remembered meanwhile."""


class World:
    """Builds one org through its engine. Used once."""

    def __init__(self, engine: Engine, options: DemoOptions, now: datetime) -> None:
        self._engine = engine
        self._store = engine.store
        self._records = engine.records
        self._safeguards = engine.safeguards
        self._naming = engine.naming
        self._wanted = options.errors
        self._random = Random(options.seed)
        self._now = now
        self._hours = min(14 * 24.0, 6 + options.errors * 0.4)
        self._haste = min(1.0, self._hours * 3600 / (max(1, options.errors) * 20))
        self._latest = now - timedelta(seconds=90)
        self._clock = now - timedelta(hours=self._hours)
        self._at = stamp(self._clock)
        self._failed = 0
        self._done_kept = 0
        self._kept = 0
        self._lost = 0
        self._event_fields: tuple[str, ...] = ()
        self._unwritten: list[list[object]] = []

    def build(self) -> None:
        """Write everything."""
        loading = self._store.loading(_ASKED) if self._wanted >= _MANY else nullcontext()
        with _no_collecting(), self._store.transaction(), loading:
            ids = fill_setup(
                self._store,
                self._engine.records.schema,
                self._random,
                self._now,
                organization=new_organization_id(),
            )
            self._records.memory = {ids["sc:inactive"]: ids["account:inactive"]}
            self._engine.queue.memory = {}
            shop = Shop(self._random, ids, self._existing)
            if self._wanted:
                self._open(shop)
            self._write_kept()
            self._records.forget()
            self._engine.queue.forget()
            self._furnish()
            self._safeguards.keep()

    def _open(self, shop: Shop) -> None:
        start = self._clock
        flows = self._flows(shop)
        while True:
            progress = self._failed / self._wanted
            opened = start + timedelta(hours=self._hours * progress)
            self._clock = max(self._clock, opened)
            together = [next(flows) for _ in range(_AT_ONCE)]
            for wait, step in _in_time(together):
                self._arrive(step, wait)
                if self._failed == self._wanted:
                    return

    def _flows(self, shop: Shop) -> Iterator[ShopperFlow]:
        """Each scenario once, in small flows; then a few that spread, between many that go well."""
        for scenario in SCENARIOS:
            flow = scenario.make(shop, small=True)
            scenario.inject(flow)
            yield flow
        spreading = self._random.sample(SCENARIOS, _EPIDEMICS)
        weights = [0.4 if scenario.alone else 8 if scenario in spreading else 1 for scenario in SCENARIOS]
        while True:
            if self._random.random() < 0.1:
                yield clean_flow(shop)
                continue
            chosen = self._random.choices(SCENARIOS, weights)[0]
            flow = sale(shop, small=False, regular=True) if chosen.regular else chosen.make(shop, small=False)
            chosen.inject(flow)
            if chosen.make is SCENARIOS[0].make and "item:0" in flow.steps and self._random.random() < 0.04:
                # A second fault behind the first: it shows only once the first is out of the way.
                flow.steps["item:0"].values["Cost_Centre__c"] = None
            yield flow

    def _arrive(self, step: ShopperStep, wait: float) -> None:
        """One change reaches the engine."""
        self._clock = min(self._latest, self._clock + timedelta(seconds=wait * self._haste))
        self._at = stamp(self._clock)
        if step.before is not None:
            self._happen(*step.before)
        seq = self._kept + 1 + self._lost
        entry = QueuedEvent("", seq, step.object, step.sc_id, step.operation)
        outcome = self._engine.attempt(entry, step.values)
        if isinstance(outcome, SaveError):
            event_id = self._event_id()
            self._engine.queue.put(refused_entry(entry, outcome, event_id))
            record = self._records.id_of(step.object, step.sc_id)
            self._keep(event_id, step, self._engine.failed_fields(entry, outcome, record, self._at))
            self._failed += 1
        else:
            record = self._save(outcome)
            if self._done_kept < _DONE_KEPT:
                self._done_kept += 1
                self._keep(self._event_id(), step, self._engine.done_fields(record, self._at))

    def _save(self, change: Change) -> str | None:
        if change.operation == "Delete":
            assert change.record_id is not None
            self._store.delete(change.object, change.record_id)
            if self._records.memory is not None:
                self._records.memory.pop(change.sc_id, None)
            return None
        return write_record(self._store, self._records, change, self._at)

    def _event_id(self) -> str:
        return long_id(f"{EVENT_PREFIX}De0000{self._kept + 1:06}")

    def _keep(self, event_id: str, step: ShopperStep, fields: Fields) -> None:
        names = self._naming
        at, by = self._at, self._records.sync_user
        event: Fields = {
            "IsDeleted": 0,
            "CreatedById": by,
            "LastModifiedById": by,
            "Id": event_id,
            "Name": f"CE-{self._kept + 1:08}",
            names.object[0]: step.object,
            names.event_type[0]: names.events[step.operation],
            names.storeconnect_id[0]: step.sc_id,
            names.payload[0]: _JSON.encode(step.values),
            "CreatedDate": at,
            "LastModifiedDate": at,
            "SystemModstamp": at,
            **fields,
        }
        self._event_fields = self._event_fields or tuple(event)
        self._unwritten.append([event[name] for name in self._event_fields])
        if len(self._unwritten) >= _WRITTEN_TOGETHER:
            self._write_kept()
        self._kept += 1

    def _write_kept(self) -> None:
        """Nothing asks for change events while they arrive: they are written many at once."""
        if not self._unwritten:
            return
        statement = self._records.insertion(self._naming.event[0], self._event_fields)
        self._store.sql_many(statement, self._unwritten)
        self._unwritten.clear()

    def _happen(self, incident: str, sc_id: str) -> None:
        """Something in Salesforce that the website does not know of."""
        if incident == "lose":
            # A change failed here once; then somebody deleted its row, and the engine still waits for it.
            self._lost += 1
            seq = self._kept + self._lost
            event_id = long_id(f"{EVENT_PREFIX}De0000z{self._lost:05}")
            entry = QueuedEvent(event_id, seq, "Account", sc_id, "Update", LOST, "lost change")
            self._engine.queue.put(entry)
            return
        object_name = {"bounce": "Contact", "activate": "Order"}.get(incident, "Account")
        record_id = self._records.id_of(object_name, sc_id)
        if record_id is None:
            return
        if incident == "busy":
            self._safeguards.locks[record_id] = "busy"
        elif incident == "rollup":
            self._safeguards.locks[record_id] = "rollup"
        elif incident == "approval":
            self._safeguards.locks[record_id] = "approval"
            approval_of(self._store, record_id, self._at)
        elif incident == "bounce":
            bounce: Fields = {
                "EmailBouncedReason": "550 5.1.1 user unknown",
                "EmailBouncedDate": self._at,
                "IsEmailBounced": True,
            }
            self._backdated(object_name, record_id, bounce)
        else:
            self._backdated(object_name, record_id, {"Status": "Activated"})

    def _backdated(self, object_name: str, record_id: str, values: Fields) -> None:
        times = {"LastModifiedDate": self._at, "SystemModstamp": self._at}
        self._store.update(object_name, record_id, {**values, **times})

    def _existing(self, object_name: str, values: Fields) -> None:
        """A record that people in Salesforce made: it has no StoreConnect ID."""
        made = stamp(self._now - timedelta(days=100))
        times = {"CreatedDate": made, "LastModifiedDate": made, "SystemModstamp": made}
        whole = {**values, **times}
        if object_name != "Account":
            whole["Name"] = f"{values['FirstName']} {values['LastName']}"
        self._store.insert(object_name, whole)

    def _furnish(self) -> None:
        """Objects beside the story: code texts, staged content, and a log that looks like change events."""
        codes = self._engine.queue.codes()
        self._store.insert_many("s_c__Error_Definition__c", [{"Name": code} for code in codes])
        content = {"s_c__Object_Name__c": "s_c__Store__c", "s_c__Status__c": "Draft"}
        self._store.insert_many("s_c__Content_Change__c", [{**content, "Name": f"CC-{n}"} for n in range(5)])
        if self._naming.decoy is not None:
            rows = []
            for number in range(25):
                at = stamp(self._now - timedelta(hours=number))
                rows.append(
                    {
                        "Name": f"LOG-{number:05}",
                        "Object__c": ("Invoice", "Account", "Order")[number % 3],
                        "Event_Type__c": "Create",
                        "Processed_At__c": at,
                        "Message__c": "HTTP 503 from the queue",
                        "Status__c": "FAILED" if number % 2 else "PROCESSED",
                    },
                )
            self._store.insert_many(self._naming.decoy.name, rows)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Nothing here is cyclic, and looking for cycles among a million values takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _in_time(flows: list[ShopperFlow]) -> Iterator[tuple[float, ShopperStep]]:
    """The steps of several flows as they arrive, each with the seconds since the one before."""

    def timed(place: int, flow: ShopperFlow) -> Iterator[tuple[float, int, int, ShopperStep]]:
        at = place * 7.0
        for number, step in enumerate(flow.steps.values()):
            at += step.wait
            yield at, place, number, step

    last = 0.0
    for at, _place, _number, step in merge(*(timed(p, flow) for p, flow in enumerate(flows))):
        yield at - last, step
        last = at
