"""10,000 re-syncs at 200 ms a call, five lanes, journal and proof on: against the ideal.

Run by hand: `python -m tests.bench.bench_resync [rows] [seconds a call]`. The ideal is every call that the
promises ask for (re-read, request, proof), perfectly packed into the lanes: calls x latency / lanes.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from syncerr_tui.journal.journal import Journal, Who
from syncerr_tui.model import EventSeen, EventStanding, RecordSeen, SyncError
from syncerr_tui.resync.events import RunEnded, RunEvent
from syncerr_tui.resync.org import MethodInfo, Receipt
from syncerr_tui.resync.plan import make_plan
from syncerr_tui.resync.runner import Runner, RunRequest
from tests.factories import salesforce_id, sync_error
from tests.resync.lying_org import IDENTITY

LANES = 5


class SlowOrg:
    """Every call takes its time; a re-sync is done when it is answered."""

    def __init__(self, errors: Sequence[SyncError], latency: float, batch_size: int) -> None:
        self.identity = IDENTITY
        self.method = MethodInfo("apex", "Apex action Resync", batch_size=batch_size, lanes=LANES)
        self.calls: Counter[str] = Counter()
        self._errors = {error.id: error for error in errors}
        self._latency = latency
        self._done: dict[str, datetime] = {}
        self._by_key = {error.storeconnect_id: error.id for error in errors}

    async def _call(self, name: str) -> None:
        self.calls[name] += 1
        await asyncio.sleep(self._latency)

    async def now(self) -> datetime:
        await self._call("clock")
        return datetime.now(UTC)

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        await self._call("read")
        return {
            i: EventSeen(
                i,
                EventStanding.DONE if i in self._done else EventStanding.FAILED,
                "",
                self._errors[i],
                self._done.get(i),
            )
            for i in ids
        }

    async def find_records(
        self, object_name: str, storeconnect_ids: Sequence[str]
    ) -> Mapping[str, tuple[RecordSeen, ...]]:
        await self._call("find")
        return {
            key: (RecordSeen(salesforce_id(1, "001"), key, self._done[self._by_key[key]]),)
            for key in storeconnect_ids
            if self._by_key[key] in self._done
        }

    async def sees_all(self, object_name: str) -> bool:
        return True

    async def request_resync(self, errors: Sequence[SyncError]) -> Sequence[Receipt]:
        await self._call("request")
        self._done.update((error.id, datetime.now(UTC)) for error in errors)
        return [Receipt(error.id, accepted=True) for error in errors]


class TimedJournal(Journal):
    """Adds up the seconds spent in the journal."""

    seconds = 0.0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in {"begin", "intend", "outcomes", "finish_rows", "end", "read", "mark", "heartbeat"}:
            return found

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return found(*args, **kwargs)
            finally:
                TimedJournal.seconds += time.perf_counter() - start

        return timed


async def bench(rows: int, latency: float, batch_size: int, *, trace: bool) -> None:
    errors = [sync_error(n) for n in range(rows)]
    org = SlowOrg(errors, latency, batch_size)
    plan = make_plan(errors, org=IDENTITY, method=org.method, created_at=datetime.now(UTC), parents={})
    TimedJournal.seconds = 0.0
    kinds: Counter[type[RunEvent]] = Counter()
    peaks = []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        journal = stack.enter_context(
            TimedJournal.open(Path(folder), IDENTITY.org_id, clock=lambda: datetime.now(UTC))
        )
        runner = Runner(
            org,
            journal,
            RunRequest(plan),
            who=Who("bench", "bench"),
            clock=lambda: datetime.now(UTC),
            sleep=asyncio.sleep,
            rng=Random(1),
        )
        if trace:
            tracemalloc.start()
        start = time.perf_counter()
        async for event in runner.run():
            kinds[type(event)] += 1
            if trace and sum(kinds.values()) % (rows // 4) == 0:
                peaks.append(tracemalloc.get_traced_memory()[0] / 2**20)
            if isinstance(event, RunEnded):
                assert event.counts.fixed == rows, event
        seconds = time.perf_counter() - start
        size = journal.path.stat().st_size / 2**20
    if trace:
        tracemalloc.stop()
        print(f"  memory over the run, MB: {', '.join(f'{m:.1f}' for m in peaks)}")
        return
    ideal = sum(org.calls.values()) * latency / LANES
    requests = org.calls["request"] * latency / LANES
    print(
        f"{rows} rows, {batch_size} a request: {seconds:.2f} s; ideal {ideal:.2f} s for {dict(org.calls)} "
        f"= {seconds / ideal:.2f}x (requests alone would be {requests:.2f} s)"
    )
    print(f"  journal: {TimedJournal.seconds:.2f} s = {TimedJournal.seconds / seconds:.1%}; {size:.1f} MB")


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    pause = float(sys.argv[2]) if len(sys.argv) > 2 else 0.2
    for traced in (False, True):
        for size in (200, 50):
            asyncio.run(bench(count, pause, size, trace=traced))
