"""Reading the org again until every attempt is decided or time is up. One question for many rows."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from syncerr_tui.errors import NotLoggedInError, RefusedError, UnreachableError
from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.model import EventSeen, RecordSeen, SyncError, Verdict, chunks
from syncerr_tui.resync.events import Waiting, WaitKind
from syncerr_tui.resync.org import MethodInfo, Org
from syncerr_tui.resync.plan import PROOF_CHUNK
from syncerr_tui.resync.proof import judge, needs_full_sight, needs_records
from syncerr_tui.resync.run_state import RunState
from syncerr_tui.stopwatch import Instant, Stopwatch
from syncerr_tui.words import plural

T = TypeVar("T")
FIRST_PAUSE, _GROWTH, _LONGEST = 1.0, 1.6, 20.0
"""Seconds from one look at the org to the next: the first, how they grow, the longest."""

_JUDGED_AT_ONCE = 200
"""Rows: some 10 ms, with what is told of them."""

_CLOCK_AGE = 60.0
"""Seconds for which the org's last word about its time is counted on from here."""

_WAITS = {
    WaitKind.PROOF: "waiting for the org",
    WaitKind.EARLIER: "sent before, outcome unknown",
    WaitKind.SHOWN: "shown before, read again",
}

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


async def look_in_run(
    state: RunState,
    attempts: Sequence[Attempt],
    proof_timeout: float,
    *,
    kind: WaitKind = WaitKind.PROOF,
    since: datetime | None = None,
) -> AsyncIterator[list[Attempt]]:
    """The same in a run: it tells every wait with its beginning and end, and stops where the org refuses."""
    org, clock = state.org, state.machine.clock
    begun = since or clock()

    def waiting(seconds: float, rows: int, left: float) -> Waiting:
        until = clock() + timedelta(seconds=left)
        return Waiting(seconds, f"{plural(rows, 'row')} {_WAITS[kind]}", kind, rows, begun, until)

    async def wait(seconds: float, rows: int, left: float) -> bool:
        return await state.wait(waiting(seconds, rows, left))

    if kind is not WaitKind.PROOF and proof_timeout > 0:
        state.tell(waiting(0.0, len(attempts), proof_timeout))
    try:
        concurrency = look_concurrency(org.method, state.plan.concurrency)
        async for decided in look_until_decided(
            org, attempts, proof_timeout=proof_timeout, wait=wait, concurrency=concurrency
        ):
            yield decided
    except (NotLoggedInError, RefusedError) as problem:
        state.fail(problem)


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
    """One look at all of them, in parts as the org answers: at their events, and at the records of those that
    an event alone does not decide. The next questions are under way while a part is judged.
    """
    events: dict[str, EventSeen] = {}
    sees_all: dict[str, bool] = {}
    undecided: defaultdict[str, list[Attempt]] = defaultdict(list)
    """By object, those whose records are to be asked for."""

    async def read(some: Sequence[Attempt]) -> tuple[Sequence[Attempt], _Found | None]:
        events.update(await org.read_events([attempt.event for attempt in some]))
        return some, None

    async def find(some: Sequence[Attempt]) -> tuple[Sequence[Attempt], _Found | None]:
        ids = dict.fromkeys(attempt.error.storeconnect_id for attempt in some)
        return some, await _find(org, some[0].error.object, list(ids))

    async def judged(attempt: Attempt, found: _Found) -> Attempt:
        name, event = attempt.error.object, events[attempt.event]
        if found.refused:
            why = f"the records of {name} cannot be read: {found.refused}"
            return attempt.judged(Verdict.UNKNOWN, why)
        own = found.records.get(attempt.error.storeconnect_id, ())
        if needs_full_sight(attempt, event, own) and name not in sees_all:
            sees_all[name] = await org.sees_all(name)
        return judge(attempt, event, own, last_look=last_look, sees_all=sees_all.get(name, False))

    questions: _Questions[tuple[Sequence[Attempt], _Found | None]] = _Questions(concurrency)
    unread = len(attempts)
    for chunk in chunks(attempts, PROOF_CHUNK):
        questions.ask(read, chunk)
    async with aclosing(questions.answers()) as answers:
        async for some, found in answers:
            unread -= len(some) if found is None else 0
            complete: list[Attempt] = []
            for attempt in some:
                open_ = found is None and needs_records(attempt, events[attempt.event])
                (undecided[attempt.error.object] if open_ else complete).append(attempt)
            for rows in undecided.values():
                while len(rows) >= PROOF_CHUNK or (rows and not unread):
                    questions.ask(find, rows[:PROOF_CHUNK], first=True)
                    del rows[:PROOF_CHUNK]
            questions.send()  # before this is judged
            for few in chunks(complete, _JUDGED_AT_ONCE):
                await asyncio.sleep(0)  # keys are read
                yield [await judged(attempt, found or _NOT_ASKED) for attempt in few]


_READERS = 4
"""Questions at once where only one request may be under way: reading changes nothing. The
profile's `concurrency`, which binds the client, holds all the same."""
FoundRecords = Mapping[str, tuple[RecordSeen, ...] | None]
"""By event, the records with its StoreConnect ID; None where they cannot be read."""


def look_concurrency(method: MethodInfo, concurrency: int) -> int:
    """How many questions may be under way at once, in a plan with so many requests at once."""
    return concurrency if concurrency < method.concurrency else max(concurrency, _READERS)


async def look_before(
    org: Org, errors: Sequence[SyncError], *, concurrency: int, records: FoundRecords | None = None
) -> tuple[dict[str, EventSeen], FoundRecords]:
    """How events and their records stand before a request, by event id. `records` were looked at already."""
    events = _events(org, [error.id for error in errors], concurrency)
    if records is not None:
        return await events, records
    return await asyncio.gather(events, records_before(org, errors, concurrency=concurrency))


async def _events(org: Org, ids: Sequence[str], concurrency: int) -> dict[str, EventSeen]:
    questions: _Questions[Mapping[str, EventSeen]] = _Questions(concurrency)
    for some in chunks(ids, PROOF_CHUNK):
        questions.ask(org.read_events, some)
    async with aclosing(questions.answers()) as answers:
        return {event: seen async for part in answers for event, seen in part.items()}


async def records_before(org: Org, errors: Sequence[SyncError], *, concurrency: int) -> FoundRecords:
    """How the records of events stand before a request."""
    ids: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for error in errors:
        if error.storeconnect_id:
            ids[error.object][error.storeconnect_id] = None
    questions: _Questions[_Found] = _Questions(concurrency)
    for name, keys in ids.items():
        for some in chunks(list(keys), PROOF_CHUNK):
            questions.ask(_find, org, name, some)
    records: dict[tuple[str, str], tuple[RecordSeen, ...]] = {}
    refused: set[str] = set()
    async with aclosing(questions.answers()) as answers:
        async for found in answers:
            records.update({(found.object, key): carriers for key, carriers in found.records.items()})
            if found.refused:
                refused.add(found.object)
    return {
        error.id: None
        if not error.storeconnect_id or error.object in refused
        else records.get((error.object, error.storeconnect_id), ())
        for error in errors
    }


class _Found(NamedTuple):
    """The records of one object by StoreConnect ID, or why they cannot be read."""

    object: str
    records: Mapping[str, tuple[RecordSeen, ...]]
    refused: str = ""


_NOT_ASKED = _Found("", {})


async def _find(org: Org, object_name: str, ids: Sequence[str]) -> _Found:
    try:
        return _Found(object_name, await org.find_records(object_name, ids))
    except RefusedError as problem:
        return _Found(object_name, {}, problem.title)


class _Questions(Generic[T]):
    """Questions to an org, so many at once. More may be asked while the answers come."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._waiting: deque[Callable[[], Coroutine[Any, Any, T]]] = deque()
        self._sent: set[asyncio.Task[T]] = set()

    def ask(
        self, question: Callable[..., Coroutine[Any, Any, T]], *about: object, first: bool = False
    ) -> None:
        """It is sent when it is its turn; `first`: before all others that wait."""
        self._waiting.insert(0 if first else len(self._waiting), partial(question, *about))

    def send(self) -> None:
        """As many as may be under way."""
        while self._waiting and len(self._sent) < self._concurrency:
            self._sent.add(asyncio.ensure_future(self._waiting.popleft()()))

    async def answers(self) -> AsyncGenerator[T, None]:
        """As they come. The first failure ends the others, and is raised as itself."""
        try:
            while self._waiting or self._sent:
                self.send()
                answered, _ = await asyncio.wait(self._sent, return_when=asyncio.FIRST_COMPLETED)
                for task in answered:
                    self._sent.remove(task)
                    yield await task
        finally:
            for task in self._sent:
                task.cancel()
            await asyncio.gather(*self._sent, return_exceptions=True)
