"""How the rows of a wave go out: which of them together, how many requests at once, what locks make of them;
and the look at rows just before they go.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from syncerr_tui.errors import SyncErrError
from syncerr_tui.journal.attempt import Attempt, OutcomeKind
from syncerr_tui.model import EventSeen, EventStanding, chunks
from syncerr_tui.resync import doubt
from syncerr_tui.resync.events import Waiting, WaitKind
from syncerr_tui.resync.org import MethodInfo, Receipt
from syncerr_tui.resync.plan import Plan, PlannedRow
from syncerr_tui.resync.proof import request_times
from syncerr_tui.resync.run_state import RunState
from syncerr_tui.resync.verification import (
    FoundRecords,
    OrgClock,
    look,
    look_before,
    look_concurrency,
    records_before,
)
from syncerr_tui.stopwatch import STALE_SECONDS, Instant, Stopwatch

CONNECTION_TRIES = 6
LOCK_CODES = frozenset(("UNABLE_TO_LOCK_ROW",))
LOCK_TRIES = 5
_LOCK_SIZES = (50, 10, 1)
_LOCK_DELAY_CAP = 8.0

Batch = list[PlannedRow]
SendRequest = Callable[[Batch, int, Sequence[PlannedRow]], Awaitable[Batch]]
"""Makes a request of these rows, for the n-th time, while those of the next one may be looked at. Gives the
rows that met a lock."""


class Sender:
    """Sends one wave at a time.

    Args:
        state: The run.
        looks: Where rows are looked at before they go.
    """

    def __init__(self, state: RunState, looks: FreshLooks) -> None:
        self._state = state
        self._looks = looks

    async def send(self, rows: Sequence[PlannedRow], request: SendRequest) -> list[Attempt]:
        """Send these rows, as many requests at once as the plan allows. A failure stops them all.

        Returns:
            What left, or may have.
        """
        state, before = self._state, {row.error.id: self._state.attempts[row.error.id] for row in rows}
        waiting = deque(self._lists_of_requests(rows))
        concurrency = min(self._concurrency, len(waiting))

        async def lane() -> None:
            try:
                while waiting and state.halt is None:
                    for batch in waiting.popleft():
                        # Rows of other records than this request's: they may be looked at meanwhile.
                        following = waiting[0][0] if waiting and concurrency == 1 else []
                        await self._deliver(batch, request, following)
            except SyncErrError as problem:
                state.fail(problem)
            except Exception:
                state.stop("stopped", "a defect in this program stopped the run")
                raise

        try:
            for outcome in await asyncio.gather(
                *(lane() for _ in range(concurrency)), return_exceptions=True
            ):
                if isinstance(outcome, BaseException):
                    raise outcome
        finally:
            await self._looks.forget()
        delivered = [state.attempts[e] for e in before if state.attempts[e].intent != before[e].intent]
        return [attempt for attempt in delivered if attempt.kind not in {None, OutcomeKind.NOT_SENT}]

    async def _deliver(self, batch: Batch, request: SendRequest, following: Sequence[PlannedRow]) -> None:
        """One batch, and again those of its rows that the org refused because something was locked."""
        state, todo = self._state, deque([(batch, 1)])
        while todo and state.halt is None:
            rows, tries = todo.popleft()
            locked = await request(rows, tries, following)
            if locked and tries < LOCK_TRIES:
                delay = lock_delay(tries, state.machine.rng.random())
                await state.wait(Waiting(delay, "a record is locked", WaitKind.LOCK))
                todo.extendleft((some, tries + 1) for some in reversed(after_lock(locked, tries)))

    async def look_early(self, claimed: Awaitable[Mapping[str, str]]) -> None:
        """While the journal takes the plan: look at the rows of the first requests, once they are claimed.

        Args:
            claimed: Rows of the plan that others hold: event id -> who.
        """
        elsewhere = await claimed
        rows = self._state.rows
        first = [
            rows[event] for wave in self._state.plan.waves[:1] for event in wave.ids if event not in elsewhere
        ]
        lists = self._lists_of_requests(first)[: self._concurrency]
        await self._looks.early([requests[0] for requests in lists])

    def _lists_of_requests(self, rows: Sequence[PlannedRow]) -> list[list[Batch]]:
        # A plan may be older than the profile's bounds.
        return batches(rows, min(self._state.plan.batch_size, self._state.org.method.batch_size))

    @property
    def _concurrency(self) -> int:
        return min(self._state.plan.concurrency, self._state.org.method.concurrency)


@dataclass(frozen=True, slots=True)
class _EarlyLook:
    """A look at rows before their turn: at their records, and at their events where there are any."""

    rows: Sequence[PlannedRow]
    at: Instant
    pauses: int
    """How often the run had been paused by then."""
    looking: asyncio.Task[tuple[Mapping[str, EventSeen] | None, FoundRecords]]


class Departure:
    """Lets a request leave while the look that it rests on is fresh, and keeps when that was: what another
    hand wrote before is not its doing.

    Args:
        stopwatch: Measures how old the look is.
        looked_at: When the rows were looked at.
        org_now: The org's time.
    """

    def __init__(self, stopwatch: Stopwatch, looked_at: Instant, org_now: Callable[[], datetime]) -> None:
        self._stopwatch = stopwatch
        self._looked_at = looked_at
        self._org_now = org_now
        self.at = org_now()
        """By the org's clock."""

    def __call__(self) -> None:
        """See `stopwatch.Leaving`."""
        self._stopwatch.check_fresh(self._looked_at)
        self.at = self._org_now()


class FreshLooks:
    """Looks at rows just before they are sent, or shown to whoever sends them.

    Args:
        state: The run.
    """

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._org_clock = OrgClock(state.org, state.stopwatch)
        self._ahead: dict[str, _EarlyLook] = {}
        """By the first of its rows."""

    def org_now(self) -> datetime:
        """The org's time, as it goes on from its last word. From any thread."""
        return self._org_clock.now()

    async def ask_the_time(self) -> None:
        """Ask for the org's time, so that the first request need not. A failure is met again there."""
        with suppress(SyncErrError):
            await self._org_clock.refresh()

    async def first(
        self, rows: Sequence[PlannedRow], *, met_lock: bool = False
    ) -> tuple[list[Attempt], Instant]:
        """The rows that may be sent, as they are now, and when they were looked at. All others have ended, or
        are left to proof.

        After a pause they are looked at once more, as what was seen before it proves nothing.

        Args:
            rows: The rows.
            met_lock: This run has sent them, and they met a lock: what they say now is its own doing.
        """
        state = self._state
        due, at = await self._look_once(rows, met_lock=met_lock)
        while due and state.paused and await state.may_send():
            again = [state.rows[attempt.event] for attempt in due]
            due, at = await self._look_once(again, met_lock=met_lock)
        return due, at

    async def _look_once(
        self, rows: Sequence[PlannedRow], *, met_lock: bool
    ) -> tuple[list[Attempt], Instant]:
        await self._org_clock.refresh()
        errors = [row.error for row in rows]
        at, events, records = await self._seen_ahead(rows)
        if events is None or records is None:
            asked = self._state.stopwatch.now()
            events, records = await look_before(
                self._state.org, errors, concurrency=self._look_lanes, records=records
            )
            at = self._state.stopwatch.answered(asked)
        org_now = self._org_clock.now()
        due, left = self._still_due(rows, events, org_now, met_lock=met_lock)
        if left:
            await self._judge_those_that_left(left)
        org_at = request_times(org_now, events, records)
        ids = {row.error.id: row for row in due}
        return [
            self._state.next_attempt(row, events[event], records.get(event), org_at[event])
            for event, row in ids.items()
        ], at

    @property
    def _look_lanes(self) -> int:
        return look_concurrency(self._state.org.method, self._state.plan.concurrency)

    async def early(self, requests: Sequence[Batch]) -> None:
        """Look at the rows of these requests. What cannot be read is told to whoever sends those rows."""
        for rows in requests:
            errors = [row.error for row in rows]
            self._begin(rows, look_before(self._state.org, errors, concurrency=self._look_lanes))
        await asyncio.gather(*(ahead.looking for ahead in self._ahead.values()), return_exceptions=True)

    def ahead(self, rows: Sequence[PlannedRow]) -> None:
        """While a request is under way, look at the records of the one after it.

        Its events are looked at when its turn comes: nothing goes out on an old look.
        """
        if rows and rows[0].error.id not in self._ahead:
            self._begin(rows, self._records_of(rows))

    async def _records_of(self, rows: Sequence[PlannedRow]) -> tuple[None, FoundRecords]:
        errors = [row.error for row in rows]
        return None, await records_before(self._state.org, errors, concurrency=self._look_lanes)

    def _begin(
        self,
        rows: Sequence[PlannedRow],
        look: Coroutine[Any, Any, tuple[Mapping[str, EventSeen] | None, FoundRecords]],
    ) -> None:
        state = self._state
        task = asyncio.ensure_future(look)
        self._ahead[rows[0].error.id] = _EarlyLook(rows, state.stopwatch.now(), state.pauses, task)

    async def _seen_ahead(
        self, rows: Sequence[PlannedRow]
    ) -> tuple[Instant, Mapping[str, EventSeen] | None, FoundRecords | None]:
        """What was seen of these rows before their turn, and when; None where that was before a pause, or is
        too long ago.
        """
        state = self._state
        ahead, now = self._ahead.pop(rows[0].error.id, None), state.stopwatch.now()
        if ahead is None:
            return now, None, None
        events, records = await ahead.looking
        fresh = state.stopwatch.gap(ahead.at) <= STALE_SECONDS and state.pauses == ahead.pauses
        return (ahead.at, events, records) if fresh and ahead.rows == rows else (now, None, None)

    async def forget(self) -> None:
        looking = [ahead.looking for ahead in self._ahead.values()]
        self._ahead = {}
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)

    async def _judge_those_that_left(self, rows: Sequence[PlannedRow]) -> None:
        """These were processed before we sent them: by an earlier re-sync of ours, or by somebody else.

        Whether the record is right decides what may wait for it.
        """
        plan = self._state.plan
        journal, errors = self._state.journal, [row.error for row in rows]
        ours = await self._state.writer.call(lambda: doubt.earlier_requests(journal, errors), durable=False)
        attempts = []
        for row in rows:
            error = row.error
            if error.id in ours:
                attempts.append(replace(ours[error.id], earlier=True))
            else:
                failed_at = error.processed_at or error.created_at or plan.created_at
                attempts.append(Attempt(error, org_at=failed_at))
        self._state.end(await look(self._state.org, attempts, last_look=True, concurrency=plan.concurrency))

    def _still_due(
        self,
        rows: Sequence[PlannedRow],
        events: Mapping[str, EventSeen],
        org_now: datetime,
        *,
        met_lock: bool,
    ) -> tuple[Batch, Batch]:
        """The precondition: still failed, and unchanged since the plan; and the rows that left that state.

        All others end here, with the reason.
        """
        due, left, not_sent = [], [], {}
        for row in rows:
            event = row.error.id
            now = events.get(event)
            if now is None:
                not_sent[event] = "the org did not say where it stands"
            elif now.standing is EventStanding.FAILED and now.error is not None:
                if met_lock:
                    due.append(row)
                elif not now.error.says_the_same_as(row.error):
                    not_sent[event] = "it has changed since the plan was made"
                elif doubtful := self._doubt_about(now, org_now):
                    not_sent[event] = doubtful
                else:
                    due.append(row)
            elif met_lock:
                continue  # proof says what became of it
            elif now.standing is EventStanding.PENDING:
                not_sent[event] = "the org is working on it already"
            elif now.standing is EventStanding.UNCLEAR:
                why = f"its status is now '{now.status}', and it is not confirmed what that means"
                not_sent[event] = why
            else:
                left.append(row)
        self._state.skip(not_sent)
        return due, left

    def _doubt_about(self, seen: EventSeen, org_now: datetime) -> str:
        if seen.id in self._state.request.again:
            return ""
        return doubt.after_a_loss(self._state.journal, seen, org_now, self._state.usual_seconds)


def batches(rows: Sequence[PlannedRow], size: int) -> list[list[Batch]]:
    """Cut a wave into requests; each list goes one after the other in one lane.

    A group is never split over requests at once; small groups share a request.
    """
    groups: defaultdict[str, Batch] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    result: list[list[Batch]] = []
    filling: Batch = []
    for group in groups.values():
        if len(group) > size:
            result.append([*map(list, chunks(group, size))])
            continue
        if len(filling) + len(group) > size:
            result.append([filling])
            filling = []
        filling += group
    if filling:
        result.append([filling])
    return result


def requests_of(plan: Plan, method: MethodInfo, *, first_alone: bool) -> Iterator[tuple[int, Batch]]:
    """The requests of a plan, in the order in which they go where all goes well: wave and rows of each."""
    rows = {row.error.id: row for row in plan.rows}
    size = min(plan.batch_size, method.batch_size)
    for wave in plan.waves:
        waiting = [rows[event] for event in wave.ids]
        if first_alone:
            yield wave.number, [waiting.pop(0)]
            first_alone = False
        for lane in batches(waiting, size):
            for batch in lane:
                yield wave.number, batch


def after_lock(rows: Sequence[PlannedRow], tries: int) -> list[Batch]:
    """The rows that met a lock, in smaller pieces the more often it happened."""
    return [*map(list, chunks(rows, _LOCK_SIZES[min(tries, len(_LOCK_SIZES)) - 1]))]


def lock_delay(tries: int, chance: float) -> float:
    """Seconds to wait after the n-th lock: 1, 2, 4, 8 at most, with full jitter (`chance` in 0..1)."""
    return min(float(2 ** (tries - 1)), _LOCK_DELAY_CAP) * chance


def by_identity(ids: Sequence[str], receipts: Sequence[Receipt]) -> dict[str, Receipt | None]:
    """The answer to each row by its id, whatever the order. None: no answer, or answers that disagree."""
    answers: dict[str, set[Receipt]] = {event: set() for event in ids}
    for receipt in receipts:
        if receipt.id in answers:
            answers[receipt.id].add(receipt)
    return {event: next(iter(each)) if len(each) == 1 else None for event, each in answers.items()}
