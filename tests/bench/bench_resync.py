"""10,000 re-syncs at 200 ms a call, five lanes, journal and proof on: against the calls' own time.

Run by hand: `python -m tests.bench.bench_resync [rows] [seconds a call] [rows a request ...]`, with
`--postgres` for a journal in PostgreSQL on this machine. The calls' own
time is that in which at least one call was under way, and beside it what the calls take where five are always
under way. The journal's is what the run stood still for it: one lane's share of the time where a lane waits
and others have calls under way, all of it where none has.

The clock is the process's own: it goes on by what the process computes, by what a call takes, and by
`DISK_SECONDS` for each wait for the disk, so that other programs' work does not count. `--wall`: the
machine's clock, disk and all (and always so with PostgreSQL, which computes elsewhere).
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import tempfile
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
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
from syncerr_tui.resync.run_state import RunRequest
from syncerr_tui.resync.runner import Runner
from syncerr_tui.stopwatch import Leaving, Machine
from tests.factories import salesforce_id, sync_error
from tests.postgres import running
from tests.resync.lying_org import IDENTITY

T = TypeVar("T")
LANES = 5
_RECORD = salesforce_id(1, "001")
DISK_SECONDS = 0.002
"""What a disk takes to keep a commit: most solid-state ones take less."""


class OwnTime:
    """A clock that goes on by this process's work, and by what `skip` adds."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._lock = threading.Lock()
        self.at_work = 0
        """Pieces of the journal's thread that are not done: nothing is skipped meanwhile."""

    def __call__(self) -> float:
        return time.process_time() + self._skipped

    def skip(self, seconds: float) -> None:
        with self._lock:
            self._skipped += seconds

    def work(self, pieces: int) -> None:
        """So many pieces more, or fewer, for the journal's thread."""
        with self._lock:
            self.at_work += pieces


class _Skipping(selectors.DefaultSelector):
    """Does not wait for a moment that nothing but time brings."""

    def __init__(self, clock: OwnTime) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        due = None if timeout is None else self._clock() + timeout
        while True:
            at_work = self._clock.at_work  # before the look: whoever ends after it may have woken the loop
            if ready := super().select(0.001 if at_work else 0):
                return ready
            if due is not None and not at_work:
                self._clock.skip(max(due - self._clock(), 0.0))
            if due is not None and self._clock() >= due:
                return ready


class OwnTimeLoop(asyncio.SelectorEventLoop):
    """An event loop by that clock."""

    def __init__(self, clock: OwnTime) -> None:
        super().__init__(_Skipping(clock))
        self.time = clock  # type: ignore[method-assign]


class Meter:
    """What the time goes to."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.calls = self.waits = 0
        self.own = self.journal = 0.0
        self._clock = clock
        self._last = clock()

    @contextmanager
    def one(self, kind: str) -> Iterator[None]:
        """A call (`calls`) or a wait for the journal (`waits`) from beginning to end."""
        self._change(kind, 1)
        try:
            yield
        finally:
            self._change(kind, -1)

    def _change(self, kind: str, by: int) -> None:
        now = self._clock()
        passed, self._last = now - self._last, now
        if self.calls:
            self.own += passed
        if self.waits:
            self.journal += passed * (self.waits / LANES if self.calls else 1)
        setattr(self, kind, getattr(self, kind) + by)


class MeteredWriter(JournalWriter):
    """Tells the meter who waits for it, and the clock when it is at work."""

    meter: Meter
    own: OwnTime | None = None

    def _work_off(self) -> None:
        durable = any(durable for _, durable, *_ in self._waiting)
        super()._work_off()
        if self.own is not None:
            self.own.skip(DISK_SECONDS if durable else 0)
            self.own.work(-1)

    def _enqueue(self, work: Callable[[], T], *, durable: bool, rows: int) -> Future[T]:
        if self.own is not None:
            self.own.work(1)
        return super()._enqueue(work, durable=durable, rows=rows)

    async def call(self, work: Callable[[], T], *, durable: bool = True, rows: int = 1) -> T:
        with self.meter.one("waits"):
            return await super().call(work, durable=durable, rows=rows)


class SlowOrg:
    """Every call takes its time; a re-sync is done when it is answered."""

    def __init__(self, errors: Sequence[SyncError], latency: float, batch_size: int, meter: Meter) -> None:
        self.identity = IDENTITY
        self.method = MethodInfo("apex", "Apex action Resync", batch_size=batch_size, concurrency=LANES)
        self.calls: Counter[str] = Counter()
        self.meter = meter
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
            key: (RecordSeen(_RECORD, key, self._done[self._by_key[key]]),)
            for key in storeconnect_ids
            if self._by_key[key] in self._done
        }

    async def sees_all(self, object_name: str) -> bool:
        return True

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        await self._call("request")
        self._done.update((error.id, datetime.now(UTC)) for error in errors)
        return [Receipt(error.id, accepted=True) for error in errors]


async def bench(
    rows: int,
    latency: float,
    batch_size: int,
    *,
    trace: bool,
    own: OwnTime | None = None,
    shared: Server | None = None,
) -> None:
    errors = [sync_error(n) for n in range(rows)]
    clock = own or time.perf_counter
    org = SlowOrg(errors, latency, batch_size, Meter(clock))
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
            machine=Machine(rng=Random(1), steady=None),
        )
        runner._state.writer = writer = MeteredWriter(journal, runner._state.fail)
        writer.meter, writer.own = org.meter, own
        if trace:
            tracemalloc.start()
        start = clock()
        async for event in runner.run():
            kinds[type(event)] += 1
            if trace and sum(kinds.values()) % (rows // 4) == 0:
                peaks.append(tracemalloc.get_traced_memory()[0] / 2**20)
            if isinstance(event, RunEnded):
                assert event.counts.fixed == rows, event
        seconds = clock() - start
        size = 0.0 if shared else journal.path.stat().st_size / 2**20
    if trace:
        tracemalloc.stop()
        print(f"  memory over the run, MB: {', '.join(f'{m:.1f}' for m in peaks)}")
        return
    calls, waited, full = org.meter.own, org.meter.journal, sum(org.calls.values()) * latency / LANES
    print(
        f"{rows} rows, {batch_size} a request: {seconds:.2f} s, the calls' own time {calls:.2f} s: "
        f"{seconds / calls:.2f}x (five at once {full:.2f} s: {seconds / full:.2f}x); {dict(org.calls)}"
    )
    print(f"  journal: {waited:.2f} s = {waited / seconds:.1%}{f'; {size:.1f} MB' if size else ''}")


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    count = int(words[0]) if words else 10_000
    pause = float(words[1]) if len(words) > 1 else 0.2
    sizes = [int(size) for size in words[2:]] or [200, 50]
    with ExitStack() as servers:
        server = servers.enter_context(running(durable=True)) if "--postgres" in sys.argv else None
        for traced in (False, True):
            for size in sizes:
                place = Server(server.url(server.new_database())) if server else None
                own = OwnTime() if not server and "--wall" not in sys.argv else None
                work = bench(count, pause, size, trace=traced, own=own, shared=place)
                with asyncio.Runner(loop_factory=partial(OwnTimeLoop, own) if own else None) as loop:
                    loop.run(work)
