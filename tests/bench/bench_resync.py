"""10,000 re-syncs at 200 ms a call, five lanes, journal and proof on: against the calls' own time.

Run by hand: `python -m tests.bench.bench_resync [rows] [seconds a call] [rows a request ...]`, with
`--postgres` for a journal in PostgreSQL on this machine. The calls' own
time is that in which at least one call was under way. The journal's is what the run stood still for it: one
lane's share of the time where a lane waits and others have calls under way, all of it where none has.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TypeVar

from syncerr_tui.journal.database import Server
from syncerr_tui.journal.journal import Journal, Who
from syncerr_tui.model import EventSeen, EventStanding, RecordSeen, SyncError
from syncerr_tui.resync.events import RunEnded, RunEvent
from syncerr_tui.resync.journal_writer import JournalWriter
from syncerr_tui.resync.org import MethodInfo, Receipt
from syncerr_tui.resync.plan import make_plan
from syncerr_tui.resync.runner import Runner, RunRequest
from tests.factories import salesforce_id, sync_error
from tests.postgres import running
from tests.resync.lying_org import IDENTITY

T = TypeVar("T")
LANES = 5


class Meter:
    """What the time goes to."""

    def __init__(self) -> None:
        self.calls = self.waits = 0
        self.own = self.journal = 0.0
        self._last = time.perf_counter()

    @contextmanager
    def one(self, kind: str) -> Iterator[None]:
        """A call (`calls`) or a wait for the journal (`waits`) from beginning to end."""
        self._change(kind, 1)
        try:
            yield
        finally:
            self._change(kind, -1)

    def _change(self, kind: str, by: int) -> None:
        now = time.perf_counter()
        passed, self._last = now - self._last, now
        if self.calls:
            self.own += passed
        if self.waits:
            self.journal += passed * (self.waits / LANES if self.calls else 1)
        setattr(self, kind, getattr(self, kind) + by)


class MeteredWriter(JournalWriter):
    """Tells the meter who waits for it."""

    meter: Meter

    async def call(self, work: Callable[[], T]) -> T:
        with self.meter.one("waits"):
            return await super().call(work)


class SlowOrg:
    """Every call takes its time; a re-sync is done when it is answered."""

    def __init__(self, errors: Sequence[SyncError], latency: float, batch_size: int) -> None:
        self.identity = IDENTITY
        self.method = MethodInfo("apex", "Apex action Resync", batch_size=batch_size, lanes=LANES)
        self.calls: Counter[str] = Counter()
        self.meter = Meter()
        self._errors = {error.id: error for error in errors}
        self._latency = latency
        self._done: dict[str, datetime] = {}
        self._by_key = {error.storeconnect_id: error.id for error in errors}

    async def _call(self, name: str) -> None:
        self.calls[name] += 1
        with self.meter.one("calls"):
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


async def bench(
    rows: int, latency: float, batch_size: int, *, trace: bool, shared: Server | None = None
) -> None:
    errors = [sync_error(n) for n in range(rows)]
    org = SlowOrg(errors, latency, batch_size)
    plan = make_plan(errors, org=IDENTITY, method=org.method, created_at=datetime.now(UTC), parents={})
    kinds: Counter[type[RunEvent]] = Counter()
    peaks = []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        journal = stack.enter_context(
            Journal.open(Path(folder), IDENTITY.org_id, clock=lambda: datetime.now(UTC), shared=shared)
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
        runner._state.writer = writer = MeteredWriter(journal, runner._state.fail)
        writer.meter = org.meter = Meter()
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
        size = 0.0 if shared else journal.path.stat().st_size / 2**20
    if trace:
        tracemalloc.stop()
        print(f"  memory over the run, MB: {', '.join(f'{m:.1f}' for m in peaks)}")
        return
    own, waited = org.meter.own, org.meter.journal
    print(
        f"{rows} rows, {batch_size} a request: {seconds:.2f} s, the calls' own time {own:.2f} s: "
        f"{seconds / own:.2f}x; {dict(org.calls)}"
    )
    print(f"  journal: {waited:.2f} s = {waited / seconds:.1%}{f'; {size:.1f} MB' if size else ''}")


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--postgres"]
    count = int(words[0]) if words else 10_000
    pause = float(words[1]) if len(words) > 1 else 0.2
    sizes = [int(size) for size in words[2:]] or [200, 50]
    with ExitStack() as servers:
        server = servers.enter_context(running(durable=True)) if "--postgres" in sys.argv else None
        for traced in (False, True):
            for size in sizes:
                place = Server(server.url(server.new_database())) if server else None
                asyncio.run(bench(count, pause, size, trace=traced, shared=place))
