"""Reading the org again until every attempt is decided or time is up. One question for many rows."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, TypeVar

from syncerr_tui.errors import RefusedError, UnreachableError
from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import EventSeen, RecordSeen, SyncError, Verdict, chunks
from syncerr_tui.resync import doubt
from syncerr_tui.resync.org import MethodInfo, Org
from syncerr_tui.resync.plan import PROOF_CHUNK
from syncerr_tui.resync.proof import judge, needs_full_sight, needs_records
from syncerr_tui.stopwatch import Instant, Stopwatch

T = TypeVar("T")
FIRST_PAUSE, _GROWTH, _LONGEST = 1.0, 1.6, 20.0
"""Seconds from one look at the org to the next: the first, how they grow, the longest."""

_JUDGED_AT_ONCE = 200
"""Rows: some 10 ms, with what is told of them."""

_CLOCK_AGE = 60.0
"""Seconds for which the org's last word about its time is counted on from here."""

Wait = Callable[[float, int, float], Awaitable[bool]]
"""Sleep that many seconds while so many attempts are open, which get so many seconds more in all. True:
the timeout is over at once (cancelled), look a last time."""


class OrgClock:
    """The org's time between two questions for it. Never later than it is there, so a stamp that the org
    wrote after a request cannot look older than the request.
    """

    def __init__(self, org: Org, stopwatch: Stopwatch) -> None:
        self._org = org
        self._stopwatch = stopwatch
        self._known: tuple[datetime, Instant] | None = None
        self._asking = asyncio.Lock()

    async def refresh(self) -> None:
        """Ask the org, where its last word is older than a minute or the machine slept or was set since."""
        async with self._asking:
            if self._known is None or self._stopwatch.gap(self._known[1]) > _CLOCK_AGE:
                answer = await self._org.now()
                self._known = (answer, self._stopwatch.now())

    def now(self) -> datetime:
        """The org's last word and the time that has passed since, whatever was done to our own clock."""
        assert self._known is not None
        answer, at = self._known
        return answer + timedelta(seconds=self._stopwatch.since(at))


async def look_until_decided(
    org: Org, attempts: Sequence[Attempt], *, proof_timeout: float, wait: Wait, concurrency: int
) -> AsyncIterator[list[Attempt]]:
    """Re-read the org at growing intervals; yield what is decided after each look.

    Args:
        org: The org.
        attempts: What was sent, or may have been.
        proof_timeout: Seconds to look for.
        wait: How to wait.
        concurrency: Questions under way at once.

    After the last look everything is decided. An org that cannot be reached costs time; what is then
    undecided is UNKNOWN for that reason.

    Raises:
        NotLoggedInError, RefusedError: From reading the events: nothing can be proven now.
    """
    open_ = {attempt.event: attempt for attempt in attempts}
    left, interval, trouble = proof_timeout, FIRST_PAUSE, ""
    while open_:
        last = left <= 0
        try:
            async with aclosing(
                _looked(org, list(open_.values()), last_look=last, concurrency=concurrency)
            ) as looked:
                async for part in looked:
                    if decided := [attempt for attempt in part if attempt.verdict is not None]:
                        for attempt in decided:
                            del open_[attempt.event]
                        yield decided
            trouble = ""
        except UnreachableError as problem:
            trouble = problem.title
        if last and open_:
            why = f"the org could not be re-read: {trouble}"
            yield [attempt.judged(Verdict.UNKNOWN, why) for attempt in open_.values()]
            return
        if open_:
            pause = min(interval, left)
            left = 0.0 if await wait(pause, len(open_), left) else left - pause
            interval = longer(interval)


def longer(pause: float) -> float:
    """The pause after this one."""
    return min(pause * _GROWTH, _LONGEST)


async def look(org: Org, attempts: Sequence[Attempt], *, last_look: bool, concurrency: int) -> list[Attempt]:
    """One look at all of them; what is not decided has no verdict."""
    async with aclosing(_looked(org, attempts, last_look=last_look, concurrency=concurrency)) as looked:
        return [attempt async for part in looked for attempt in part]


async def _looked(
    org: Org, attempts: Sequence[Attempt], *, last_look: bool, concurrency: int
) -> AsyncGenerator[list[Attempt], None]:
    """One look at all of them, in parts as the org answers: the next questions are under way meanwhile."""
    events: dict[str, EventSeen] = {}
    records: dict[str, tuple[RecordSeen, ...]] = {}
    refused: dict[str, str] = {}
    """By event: why its records could not be read."""
    sees_all: dict[str, bool] = {}

    async def read(chunk: Sequence[Attempt]) -> Sequence[Attempt]:
        events.update(await org.read_events([attempt.event for attempt in chunk]))
        return chunk

    async def find(some: Sequence[Attempt]) -> Sequence[Attempt]:
        name: str = some[0].error.object
        ids = dict.fromkeys(attempt.error.storeconnect_id for attempt in some)
        there, why = await _records_of(org, name, list(ids))
        records.update((a.event, there.get(a.error.storeconnect_id, ())) for a in some)
        if why:
            refused.update((attempt.event, why) for attempt in some)
        return some

    async def judged(attempt: Attempt) -> Attempt:
        event, name, own = attempt.event, attempt.error.object, records.get(attempt.event, ())
        if event in refused:
            why = f"the records of {name} cannot be read: {refused[event]}"
            return attempt.judged(Verdict.UNKNOWN, why)
        if needs_full_sight(attempt, events[event], own) and name not in sees_all:
            sees_all[name] = await org.sees_all(name)
        return judge(attempt, events[event], own, last_look=last_look, sees_all=sees_all.get(name, False))

    to_read, to_find = deque(chunks(attempts, PROOF_CHUNK)), deque[Sequence[Attempt]]()
    without: defaultdict[str, list[Attempt]] = defaultdict(list)
    """By object, those whose records are to be asked for."""
    complete: deque[Attempt] = deque()
    """What can be judged."""
    reading: set[asyncio.Task[Sequence[Attempt]]] = set()
    asking: set[asyncio.Task[Sequence[Attempt]]] = set()
    try:
        while to_read or to_find or asking or complete:
            while len(asking) < concurrency and (to_find or to_read):
                if to_find:  # first, so that rows are judged while others are still asked about
                    task = asyncio.ensure_future(find(to_find.popleft()))
                else:
                    task = asyncio.ensure_future(read(to_read.popleft()))
                    reading.add(task)
                asking.add(task)
            if complete:
                await asyncio.sleep(0)  # those questions leave before this is judged, and keys are read
            else:
                await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in asking if task.done()]:
                asking.remove(task)
                for attempt in await task:
                    if task in reading and needs_records(attempt, events[attempt.event]):
                        without[attempt.error.object].append(attempt)
                    else:
                        complete.append(attempt)
                reading.discard(task)
            for some in without.values():
                while len(some) >= PROOF_CHUNK or (some and not (reading or to_read)):
                    to_find.append(some[:PROOF_CHUNK])
                    del some[:PROOF_CHUNK]
            if complete:
                some = [complete.popleft() for _ in range(min(len(complete), _JUDGED_AT_ONCE))]
                yield [await judged(attempt) for attempt in some]
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def verify(
    org: Org,
    journal: Journal,
    attempts: Sequence[Attempt],
    *,
    proof_timeout: float,
    sleep: Callable[[float], Awaitable[None]],
) -> list[Attempt]:
    """Re-read rows long after their run, and write down what they are now. Sends nothing.

    Raises:
        NotLoggedInError, RefusedError: The org cannot be read. What was decided before is written down.
    """

    async def wait(seconds: float, rows: int, left: float) -> bool:  # noqa: ARG001 - nobody is told here
        await sleep(seconds)
        return False

    verified: list[Attempt] = []
    last_of_each = {attempt.event: attempt for attempt in attempts}
    sent = doubt.mark_earlier(journal, list(last_of_each.values()))
    async for decided in look_until_decided(
        org, sent, proof_timeout=proof_timeout, wait=wait, concurrency=org.method.concurrency
    ):
        by_run: defaultdict[str, list[Attempt]] = defaultdict(list)
        for attempt in decided:
            by_run[attempt.run].append(attempt)
        for run, rows in by_run.items():
            journal.finish_rows(run, rows)
        verified += decided
    return verified


_READERS = 4
"""Questions at once where only one request may be under way: reading changes nothing. The
profile's `concurrency`, which binds the client, holds all the same."""
Records = Mapping[str, tuple[RecordSeen, ...] | None]
"""By event, the records with its StoreConnect ID; None where they cannot be read."""


def look_concurrency(method: MethodInfo, concurrency: int) -> int:
    """How many questions may be under way at once, in a plan with so many requests at once."""
    return concurrency if concurrency < method.concurrency else max(concurrency, _READERS)


async def look_before(
    org: Org, errors: Sequence[SyncError], *, concurrency: int, records: Records | None = None
) -> tuple[dict[str, EventSeen], Records]:
    """How events and their records stand before a request, by event id. `records` were looked at already."""
    events = _events(org, [error.id for error in errors], asyncio.Semaphore(concurrency))
    if records is not None:
        return await events, records
    return await asyncio.gather(events, records_before(org, errors, concurrency=concurrency))


async def records_before(org: Org, errors: Sequence[SyncError], *, concurrency: int) -> Records:
    """How the records of events stand before a request."""
    keys_by_object: defaultdict[str, list[str]] = defaultdict(list)
    for error in errors:
        if error.storeconnect_id:
            keys_by_object[error.object].append(error.storeconnect_id)
    records, refused = await _records(org, keys_by_object, asyncio.Semaphore(concurrency))
    return {
        error.id: None
        if not error.storeconnect_id or error.object in refused
        else records.get((error.object, error.storeconnect_id), ())
        for error in errors
    }


async def _events(org: Org, ids: Sequence[str], gate: asyncio.Semaphore) -> dict[str, EventSeen]:
    async def some(chunk: Sequence[str]) -> Mapping[str, EventSeen]:
        async with gate:
            return await org.read_events(chunk)

    events: dict[str, EventSeen] = {}
    for part in await _together(some(chunk) for chunk in chunks(ids, PROOF_CHUNK)):
        events.update(part)
    return events


async def _records_of(
    org: Org, object_name: str, ids: Sequence[str]
) -> tuple[Mapping[str, tuple[RecordSeen, ...]], str]:
    """The records of one object by StoreConnect ID, or why they cannot be read."""
    try:
        return await org.find_records(object_name, ids), ""
    except RefusedError as problem:
        return {}, problem.title


async def _records(
    org: Org, keys_by_object: Mapping[str, Sequence[str]], gate: asyncio.Semaphore
) -> tuple[dict[tuple[str, str], tuple[RecordSeen, ...]], dict[str, str]]:
    refused: dict[str, str] = {}
    records: dict[tuple[str, str], tuple[RecordSeen, ...]] = {}

    async def some(object_name: str, chunk: Sequence[str]) -> None:
        async with gate:
            part, why = await _records_of(org, object_name, chunk)
        if why:
            refused[object_name] = why
        records.update({(object_name, key): carriers for key, carriers in part.items()})

    await _together(
        some(name, chunk)
        for name, keys in keys_by_object.items()
        for chunk in chunks(list(dict.fromkeys(keys)), PROOF_CHUNK)
    )
    return records, refused


async def _together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run side by side; the first failure ends the others and is raised as itself."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return [await task for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
