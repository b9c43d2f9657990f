"""A new org: set-up, customers, and a stream of changes that the engine works on until enough have failed.

Deterministic: the same seed gives the same shoppers, ids and StoreConnect IDs in the same order; a world with
more errors begins like a smaller one. Only the times depend on when it is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import merge
from random import Random

from syncerr_tui.demo.engine import Engine, refused_entry, write_record
from syncerr_tui.demo.journeys import Fields, Journey, Shop, Step
from syncerr_tui.demo.ledger import LOST, Entry
from syncerr_tui.demo.naming import EVENT_PREFIX
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.plants import PLANTS, clean_journey
from syncerr_tui.demo.refusals import Change, Refusal
from syncerr_tui.demo.setup_rows import fill_setup
from syncerr_tui.demo.store import long_id, stamp

_AT_ONCE = 3
"""Shoppers whose changes arrive mixed."""
_EPIDEMICS = 6
"""Plants that, in one world, hit many shoppers."""
_DONE_KEPT = 60
"""Changes that went well and are still to be seen: how long a real org keeps them is not known."""


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
        self._clock = now - timedelta(hours=self._hours)
        self._failed = 0
        self._done_kept = 0
        self._events: list[Fields] = []
        self._lost = 0

    def build(self) -> None:
        """Write everything."""
        with self._store.transaction():
            ids = fill_setup(self._store, self._engine.records.schema, self._random, self._now)
            shop = Shop(self._random, ids, self._existing)
            if self._wanted:
                self._open(shop)
            self._store.insert_many(self._naming.event[0], self._events)
            self._furnish()
            self._safeguards.keep()

    def _open(self, shop: Shop) -> None:
        start = self._clock
        journeys = self._journeys(shop)
        while True:
            progress = self._failed / self._wanted
            opened = start + timedelta(hours=self._hours * progress)
            self._clock = max(self._clock, opened)
            together = [next(journeys) for _ in range(_AT_ONCE)]
            for wait, step in _in_time(together):
                self._arrive(step, wait)
                if self._failed == self._wanted:
                    return

    def _journeys(self, shop: Shop) -> Iterator[Journey]:
        """Each plant once, in small journeys; then a few that spread, between many that go well."""
        for plant in PLANTS:
            trip = plant.make(shop, small=True)
            plant.put(trip)
            yield trip
        spreading = self._random.sample(PLANTS, _EPIDEMICS)
        weights = [8 if plant in spreading else 1 for plant in PLANTS]
        while True:
            if self._random.random() < 0.25:
                yield clean_journey(shop)
                continue
            chosen = self._random.choices(PLANTS, weights)[0]
            trip = chosen.make(shop, small=False)
            chosen.put(trip)
            if chosen.make is PLANTS[0].make and "item:0" in trip.steps and self._random.random() < 0.04:
                # A second fault behind the first: it shows only once the first is out of the way.
                trip.steps["item:0"].values["Cost_Centre__c"] = None
            yield trip

    def _arrive(self, step: Step, wait: float) -> None:
        """One change reaches the engine."""
        latest = self._now - timedelta(seconds=90)
        self._clock = min(latest, self._clock + timedelta(seconds=wait * self._haste))
        if step.before is not None:
            self._happen(*step.before)
        seq = len(self._events) + 1 + self._lost
        entry = Entry("", seq, step.object, step.sc_id, step.operation)
        outcome = self._engine.attempt(entry, step.values)
        if isinstance(outcome, Refusal):
            event_id = self._event_id()
            self._engine.ledger.put(refused_entry(replace(entry, event_id=event_id), outcome))
            record = self._records.id_of(step.object, step.sc_id)
            self._keep(event_id, step, self._engine.failed_fields(entry, outcome, record, self._clock))
            self._failed += 1
        else:
            record = self._save(outcome)
            if self._done_kept < _DONE_KEPT:
                self._done_kept += 1
                self._keep(self._event_id(), step, self._engine.done_fields(record, self._clock))

    def _save(self, change: Change) -> str | None:
        if change.operation == "Delete":
            assert change.record_id is not None
            self._store.delete(change.object, change.record_id)
            return None
        return write_record(self._store, self._records, change, self._clock)

    def _event_id(self) -> str:
        return long_id(f"{EVENT_PREFIX}De0000{len(self._events) + 1:06}")

    def _keep(self, event_id: str, step: Step, fields: Fields) -> None:
        names = self._naming
        at = stamp(self._clock)
        self._events.append(
            {
                "Id": event_id,
                "Name": f"CE-{len(self._events) + 1:08}",
                names.object[0]: step.object,
                names.event_type[0]: names.events[step.operation],
                names.storeconnect_id[0]: step.sc_id,
                names.payload[0]: json.dumps(step.values, ensure_ascii=False),
                "CreatedDate": at,
                "LastModifiedDate": at,
                "SystemModstamp": at,
                **fields,
            },
        )

    def _happen(self, incident: str, sc_id: str) -> None:
        """Something in Salesforce that the website does not know of."""
        if incident == "lose":
            # A change failed here once; then somebody deleted its row, and the engine still waits for it.
            self._lost += 1
            seq = len(self._events) + self._lost
            event_id = long_id(f"{EVENT_PREFIX}De0000z{self._lost:05}")
            entry = Entry(event_id, seq, "Account", sc_id, "Update", LOST, "lost change")
            self._engine.ledger.put(entry)
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
        elif incident == "bounce":
            at = stamp(self._clock)
            bounce: Fields = {"EmailBouncedReason": "550 5.1.1 user unknown", "EmailBouncedDate": at}
            self._backdated(object_name, record_id, bounce)
        else:
            self._backdated(object_name, record_id, {"Status": "Activated"})

    def _backdated(self, object_name: str, record_id: str, values: Fields) -> None:
        at = stamp(self._clock)
        self._store.update(object_name, record_id, {**values, "LastModifiedDate": at, "SystemModstamp": at})

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
        failed = (
            {str(event.get(self._naming.code[0])) for event in self._events} if self._naming.code else set()
        )
        codes = sorted(code for code in failed if code != "None")
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
                        "Message__c": "HTTP 503 from the ledger",
                        "Status__c": "FAILED" if number % 2 else "PROCESSED",
                    },
                )
            self._store.insert_many(self._naming.decoy.name, rows)


def _in_time(journeys: list[Journey]) -> Iterator[tuple[float, Step]]:
    """The steps of several journeys as they arrive, each with the seconds since the one before."""

    def timed(place: int, trip: Journey) -> Iterator[tuple[float, int, int, Step]]:
        at = place * 7.0
        for number, step in enumerate(trip.steps.values()):
            at += step.wait
            yield at, place, number, step

    last = 0.0
    for at, _place, _number, step in merge(*(timed(p, trip) for p, trip in enumerate(journeys))):
        yield at - last, step
        last = at
