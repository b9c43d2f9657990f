"""A new org: set-up, customers, and a stream of changes that the engine works on until enough have failed.

Deterministic: the same seed gives the same shoppers, ids and StoreConnect IDs in the same order; a world with
more errors begins like a smaller one. Only the times depend on when it is made.

A large world gets worse as it goes on (`_GOOD_TIMES`). Else one of 100,000 errors had as many records that
nothing is wrong with, and they took a third of the time to make.
"""

from __future__ import annotations

import gc
import json
from bisect import bisect
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain, count
from operator import itemgetter
from random import Random
from typing import cast

from syncerr_tui.demo.engine import Engine, refused_row, write_record
from syncerr_tui.demo.event_queue import LOST, QueuedEvent
from syncerr_tui.demo.faults import engine_faults_in
from syncerr_tui.demo.loading import LoadingQueue, LoadingRecords
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.safeguards import LockKind, Safeguards
from syncerr_tui.demo.save_errors import SaveError
from syncerr_tui.demo.scenarios import SCENARIOS, clean_flow
from syncerr_tui.demo.schema import SObject, long_id
from syncerr_tui.demo.schema_variants import EVENT_PREFIX, variant_named
from syncerr_tui.demo.setup_rows import approval_of, fill_setup, new_organization_id
from syncerr_tui.demo.shopper_flows import Fields, Shop, ShopperFlow, ShopperStep, sale
from syncerr_tui.demo.store import DEMO_USER_ID, Store, stamp, stamp_of

_AT_ONCE = 3
"""Shoppers whose changes arrive mixed."""
_AHEAD = 100
_EPIDEMICS = 6
"""Plants that, in one world, hit many shoppers."""
_GOOD_TIMES = 5_000
"""Shoppers, of whom 10,000 errors come, until each sale meets more faults and nobody's shopping goes well."""
_MORE_FAULTS = 2
_DONE_KEPT = 60
"""Changes that went well and are still to be seen: how long a real org keeps them is not known."""
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_EPOCH = datetime.fromtimestamp(0, UTC)
_JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False)

_EVENT_STEM = f"{EVENT_PREFIX}De0000"
_EVENT_CHECK = long_id(f"{_EVENT_STEM}000000")[15:]
"""Digits have no capitals: all events' ids end alike."""

_NEVER_CHANGED = {
    "LastModifiedById": "CreatedById",
    "LastModifiedDate": "CreatedDate",
    "SystemModstamp": "CreatedDate",
}

_WRITTEN_TOGETHER = 2_000
_MANY = 2_000
"""From so many errors on, making the indexes anew is faster than keeping them."""


class World:
    """Builds one org through its engine. Used once."""

    def __init__(self, store: Store, schema: dict[str, SObject], options: DemoOptions, now: datetime) -> None:
        self._store = store
        self._records = LoadingRecords(store, schema)
        self._queue = LoadingQueue(store)
        self._safeguards = Safeguards(self._records, schema)
        self._naming = variant_named(options.naming)
        self._engine = Engine(
            store,
            self._queue,
            self._safeguards,
            self._naming,
            options,
            engine_faults_in(options.faults),
            clock=lambda: now,
        )
        self._errors_wanted = options.errors
        self._random = Random(options.seed)
        self._now = now
        self._hours = min(14 * 24.0, 6 + options.errors * 0.4)
        self._haste = min(1.0, self._hours * 3600 / (max(1, options.errors) * 20))
        self._latest = _microseconds(now - timedelta(seconds=90))
        self._clock = _microseconds(now - timedelta(hours=self._hours))
        """Microseconds since 1970: adding to a datetime for each of 200,000 changes takes long."""
        self._at = stamp_of(self._clock // _SECOND)
        self._failed = 0
        self._done_kept = 0
        self._kept = 0
        self._lost = 0
        self._unwritten: list[tuple[str, int, int, str, ShopperStep, SaveError | None, str | None]] = []

    def build(self) -> None:
        loading = self._store.loading() if self._errors_wanted >= _MANY else nullcontext()
        with _without_gc(), self._store.transaction(), loading:
            ids = fill_setup(
                self._store,
                self._records.schema,
                self._random,
                self._now,
                organization=new_organization_id(),
            )
            self._records.learn()
            shop = Shop(self._random, ids)
            if self._errors_wanted:
                self._open(shop)
            self._write()
            self._add_side_objects()
            self._safeguards.keep()

    def _open(self, shop: Shop) -> None:
        start = self._clock
        for flows in self._together(shop):
            progress = self._failed / self._errors_wanted
            self._clock = max(self._clock, start + timedelta(hours=self._hours * progress) // _MICROSECOND)
            for object_name, values in chain.from_iterable(flow.existing for flow in flows):
                self._existing(object_name, values)
            last = 0.0
            for after, step in _in_time(flows):
                self._arrive(step, after - last)
                if self._failed == self._errors_wanted:
                    return
                last = after
            if len(self._unwritten) > _WRITTEN_TOGETHER:
                self._write()

    def _together(self, shop: Shop) -> Iterator[list[ShopperFlow]]:
        """Shoppers who come at a time: many such groups are made in one go, fewer than will be needed."""
        flows = self._flows(shop)
        while True:
            groups = range(1 + min(_AHEAD, (self._errors_wanted - self._failed) // 20))
            yield from [[next(flows) for _ in range(_AT_ONCE)] for _ in groups]

    def _flows(self, shop: Shop) -> Iterator[ShopperFlow]:
        """Each scenario once, in small flows; then a few that spread, between many that go well."""
        for scenario in SCENARIOS:
            flow = scenario.make(shop, small=True)
            scenario.inject(flow)
            yield flow
        spreading = self._random.sample(SCENARIOS, _EPIDEMICS)
        weights = (0.4 if scenario.alone else 8 if scenario in spreading else 1 for scenario in SCENARIOS)
        heaped = [*accumulate(weights)]
        last = len(heaped) - 1
        of_sales = [scenario for scenario in SCENARIOS if scenario.regular and not scenario.ages]
        for number in count():
            good = number < _GOOD_TIMES
            if good and self._random.random() < 0.1:
                yield clean_flow(shop)
                continue
            # As `Random.choices` does, which is made for many at once.
            chosen = SCENARIOS[bisect(heaped, self._random.random() * heaped[-1], 0, last)]
            flow = sale(shop, small=False, regular=True) if chosen.regular else chosen.make(shop, small=False)
            chosen.inject(flow)
            if chosen.make is sale and self._random.random() < 0.04 and not chosen.ages:
                # A second fault behind the first: it shows only once the first is out of the way.
                flow.steps["item:0"].values["Cost_Centre__c"] = None
            if chosen.make is sale and not (good or chosen.ages):
                for scenario in self._random.sample(of_sales, _MORE_FAULTS):
                    scenario.inject(flow)
            yield flow

    def _arrive(self, step: ShopperStep, wait: float) -> None:
        """One change reaches the engine."""
        self._clock = clock = min(self._latest, self._clock + round(wait * self._haste * _SECOND))
        self._at = at = stamp_of(clock // _SECOND)
        if step.before is not None:
            self._happen(*step.before)
        object_name, operation, sc_id = step.object, step.operation, step.sc_id
        seq = self._kept + self._lost + 1
        outcome = self._engine.attempt(object_name, operation, sc_id, step.values, seq)
        refusal = None
        if isinstance(outcome, SaveError):
            refusal = outcome
            self._failed += 1
            record_id = self._records.id_of(object_name, sc_id)
        elif operation == "Create" and outcome.record_id is None:
            record_id = self._records.add(object_name, cast("Fields", outcome.values), sc_id, at)
        else:
            record_id = write_record(self._records, outcome, at)
        if refusal is None:
            if self._done_kept == _DONE_KEPT:
                return
            self._done_kept += 1
        self._kept += 1
        event_id = f"{_EVENT_STEM}{self._kept:06}{_EVENT_CHECK}"
        if refusal is not None:
            self._queue.know(sc_id, event_id)
        self._unwritten.append((event_id, self._kept, seq, at, step, refusal, record_id))

    def _write(self) -> None:
        """Nothing asks the store for what arrives: it is written many at once."""
        self._records.write()
        events, self._unwritten = self._unwritten, []
        self._queue.put_many(
            refused_row(event_id, seq, step.object, step.sc_id, step.operation, refusal)
            for event_id, _number, seq, _at, step, refusal, _record_id in events
            if refusal is not None
        )
        failed, done, encode = self._engine.failed_values, self._engine.done_values, _JSON.encode
        by, event_types, names = self._records.sync_user, self._naming.events, self._naming
        rows = [
            (
                *(event_id, f"CE-{number:08}", by, at),
                *(step.object, event_types[step.operation], step.sc_id, encode(step.values)),
                *(failed(step.sc_id, refusal, record_id, at) if refusal else done(record_id, at)),
            )
            for event_id, number, _seq, at, step, refusal, record_id in events
        ]
        columns = (
            *("Id", "Name", "CreatedById", "CreatedDate"),
            *(names.object[0], names.event_type[0], names.storeconnect_id[0], names.payload[0]),
            *self._engine.outcome_fields,
        )
        self._store.load(names.event[0], columns, rows, _NEVER_CHANGED)

    def _happen(self, incident: str, sc_id: str) -> None:
        """Something in Salesforce that the website does not know of."""
        if incident == "lose":
            # A change failed here once; then somebody deleted its row, and the engine still waits for it.
            self._lost += 1
            seq = self._kept + self._lost
            event_id = long_id(f"{_EVENT_STEM}z{self._lost:05}")
            entry = QueuedEvent(event_id, seq, "Account", sc_id, "Update", LOST, "lost change")
            self._queue.put(entry)
            self._queue.know(sc_id, entry)
            return
        object_name = {"bounce": "Contact", "activate": "Order"}.get(incident, "Account")
        record_id = self._records.id_of(object_name, sc_id)
        if record_id is None:
            return
        if incident in {"busy", "rollup", "approval"}:
            self._safeguards.locks[record_id] = cast("LockKind", incident)
            if incident == "approval":
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
        stamps = {"LastModifiedById": DEMO_USER_ID, "LastModifiedDate": self._at, "SystemModstamp": self._at}
        self._records.update(object_name, record_id, {**values, **stamps})

    def _existing(self, object_name: str, values: Fields) -> None:
        """A record that people in Salesforce made: it has no StoreConnect ID."""
        created_at = stamp(self._now - timedelta(days=100))
        flags = (field.name for field in self._records.schema[object_name].fields if field.type == "boolean")
        whole: Fields = {
            **dict.fromkeys(flags, 0),
            "Id": self._store.new_id(object_name),
            **dict.fromkeys(("CreatedById", "LastModifiedById"), DEMO_USER_ID),
            **dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), created_at),
            "IsDeleted": 0,
            **{name: value or None for name, value in values.items()},
        }
        if object_name != "Account":
            whole["Name"] = f"{values['FirstName']} {values['LastName']}"
        self._records.insert(object_name, whole)

    def _add_side_objects(self) -> None:
        """Objects beside the story: code texts, staged content, and a log that looks like change events."""
        codes = self._queue.codes()
        self._store.insert_many("s_c__Error_Definition__c", [{"Name": code} for code in codes])
        content = {"s_c__Object_Name__c": "s_c__Store__c", "s_c__Status__c": "Draft"}
        self._store.insert_many("s_c__Content_Change__c", [{**content, "Name": f"CC-{n}"} for n in range(5)])
        if self._naming.decoy is not None:
            rows = [
                {
                    "Name": f"LOG-{number:05}",
                    "Object__c": ("Invoice", "Account", "Order")[number % 3],
                    "Event_Type__c": "Create",
                    "Processed_At__c": stamp(self._now - timedelta(hours=number)),
                    "Message__c": "HTTP 503 from the queue",
                    "Status__c": "FAILED" if number % 2 else "PROCESSED",
                }
                for number in range(25)
            ]
            self._store.insert_many(self._naming.decoy.name, rows)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


@contextmanager
def _without_gc() -> Iterator[None]:
    """Nothing here is cyclic, and looking for cycles among a million values takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _in_time(flows: list[ShopperFlow]) -> list[tuple[float, ShopperStep]]:
    """The steps of several flows as they arrive, each with the seconds since the start."""
    arrivals: list[tuple[float, ShopperStep]] = []
    for place, flow in enumerate(flows):
        after = place * 7.0
        for step in flow.steps.values():
            after += step.wait
            arrivals.append((after, step))
    arrivals.sort(key=itemgetter(0))
    return arrivals
