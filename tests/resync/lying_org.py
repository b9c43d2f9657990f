"""An org in memory that lies in every way a real one can: late, silent, twice, in part, behind our back.

Its truth is kept apart from what it says, so that a test can hold a verdict against the truth. Time is
virtual: nothing here sleeps.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from syncerr_tui.errors import (
    NotLoggedInError,
    NotSentError,
    OutcomeUnknownError,
    RefusedError,
    UnreachableError,
)
from syncerr_tui.model import (
    Environment,
    EventSeen,
    EventStanding,
    EventType,
    OrgIdentity,
    RecordSeen,
    SyncError,
)
from syncerr_tui.resync.org import MethodInfo, Receipt
from syncerr_tui.stopwatch import Leaving
from syncerr_tui.text import SafeText

START = datetime(2026, 6, 3, 2, 0, tzinfo=UTC)
IDENTITY = OrgIdentity(
    "acme", "00D000000000001AAA", Environment.SANDBOX, "ana@acme.example", "https://acme.example"
)
METHOD = MethodInfo("apex", "Apex action Resync", batch_size=4, concurrency=3)


class Time:
    """Virtual time: a sleep moves it."""

    def __init__(self) -> None:
        self.now = START

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Lies:
    """How the org misbehaves. Chances are 0..1 for each call or row."""

    lag: float = 0.0
    """Reads show the org as it was this many seconds ago, at most; each read draws anew."""
    delay: float = 5.0
    """Seconds at most until a re-sync is worked on."""
    delay_at_least: float = 0.0
    lost_reply: float = 0.0
    """The request is done and its answer is lost."""
    lost_request: float = 0.0
    """The request is lost on its way; nobody can tell it from a lost reply."""
    not_sent: float = 0.0
    """The line is down before anything leaves."""
    unread: float = 0.0
    """A read fails."""
    duplicate: float = 0.0
    """The answer names rows twice, and in another order."""
    partial: float = 0.0
    """Rows missing from the answer."""
    refused: float = 0.0
    """A row is refused."""
    locked: float = 0.0
    """A row is refused because something is locked."""
    locked_once: bool = False
    """Every row is refused the first time, because something is locked."""
    forgotten: float = 0.0
    """A row is accepted and never worked on."""
    vanish: float = 0.0
    """After each call: somebody deletes a failed event without a trace."""
    operator: float = 0.0
    """After each call: somebody else re-syncs a failed event."""
    touch: float = 0.0
    """After each call: somebody changes a record."""
    twin: float = 0.0
    """Working on a Create writes the record twice."""
    throttle: float = 0.0
    """A request is refused as a whole: too many."""
    expires_after: int | None = None
    """Calls until the session is over."""
    skew: float = 0.0
    """Seconds the org's clock is ahead of ours."""
    pending: bool = False
    """Events stand as pending from the request until they are worked on."""
    gone_when_done: bool = False
    """Events are deleted once they are done."""


@dataclass(slots=True)
class Event:
    """The truth about one change event, with its past."""

    error: SyncError
    standing: EventStanding
    modified_at: datetime
    broken: bool = True
    """Its cause is not fixed: working on it fails again."""
    new_cause: bool = False
    """Working on it fails for another reason."""
    parent: str | None = None
    past: list[tuple[datetime, EventStanding, SyncError, datetime]] = field(default_factory=list)


class LyingOrg:
    """See the module. `truth` methods are for tests only."""

    def __init__(
        self, time: Time, lies: Lies | None = None, *, seed: int = 0, method: MethodInfo = METHOD
    ) -> None:
        self.identity = IDENTITY
        self.method = method
        self.lies = lies or Lies()
        self.time = time
        self.random = Random(seed)
        self.events: dict[str, Event] = {}
        self.records: dict[tuple[str, str], list[tuple[RecordSeen, datetime, datetime | None]]] = {}
        """(object, StoreConnect ID) -> versions of records with the times they appeared and went."""
        self.reached: Counter[str] = Counter()
        """Requests that reached the org and were not refused."""
        self.processed: Counter[str] = Counter()
        self.first_asked: dict[str, datetime] = {}
        """When a request for the row first left, by the org's true clock."""
        self.order: list[str] = []
        """Rows in the order in which they reached the org."""
        self.done_at: dict[str, datetime] = {}
        self.in_flight: list[tuple[str, ...]] = []
        self.most_in_flight = 0
        self.collisions: list[str] = []
        """Rows of one lane group that were in flight together in two requests."""
        self.groups: Mapping[str, str] = {}
        self.calls = 0
        self._work: list[tuple[datetime, str]] = []
        self._records_made = 0
        self._seen_before: Counter[str] = Counter()

    # -- setting up

    def fail(
        self,
        number: int,
        object_name: str = "Account",
        kind: EventType = EventType.CREATE,
        *,
        record: int | None = None,
        parent: str | None = None,
        broken: bool = False,
        new_cause: bool = False,
        message: str = "Required fields are missing: [Name]",
        code: str | None = "REQUIRED_FIELD_MISSING",
    ) -> SyncError:
        """Put a failed event into the org."""
        at = START - timedelta(hours=12) + timedelta(seconds=number)
        error = SyncError(
            id=f"a0X{number:012d}AAA",
            object=SafeText(object_name),
            event_type=kind,
            processed_at=at,
            salesforce_id=None,
            storeconnect_id=f"00000000-0000-4000-8000-{number if record is None else record:012d}",
            message=SafeText(message),
            code=code,
            created_at=at,
        )
        event = Event(error, EventStanding.FAILED, at, broken, new_cause, parent)
        event.past.append((at, event.standing, error, at))
        self.events[error.id] = event
        if kind is not EventType.CREATE and not self._alive(error):
            self._write(error, START - timedelta(days=1))
        return error

    def process_now(self, event: str) -> None:
        """Somebody else has it re-synced, and the org works on it at once."""
        self._process(event, self.now_true())

    def vanish(self, event: str) -> None:
        """Somebody deletes the event."""
        truth = self.events[event]
        truth.standing = EventStanding.GONE
        truth.modified_at = self.now_true()
        truth.past.append((self.now_true(), truth.standing, truth.error, truth.modified_at))

    def now_true(self) -> datetime:
        """The org's own clock."""
        return self.time.now + timedelta(seconds=self.lies.skew)

    # -- the truth

    def truly_fixed(self, event: str) -> bool:
        """Whether FIXED is the right word: whether the definition was met at any moment that a read after
        the request can have shown. (What another hand changed since then cannot be known.)
        """
        truth = self.events[event]
        sent = self.first_asked.get(event)
        if sent is None:
            return False
        versions = self.records.get((truth.error.object, truth.error.storeconnect_id), [])
        moments = {
            sent,
            self.now_true(),
            *(at for at, *_ in truth.past),
            *(since for _, since, _ in versions),
        }
        moments |= {until for *_, until in versions if until is not None}
        return any(self._fixed_at(truth, at, sent) for at in moments if at >= sent)

    def _fixed_at(self, truth: Event, at: datetime, sent: datetime) -> bool:
        standing = [known for since, known, *_ in truth.past if since <= at][-1]
        if standing in {EventStanding.FAILED, EventStanding.PENDING}:
            return False
        versions = self.records.get((truth.error.object, truth.error.storeconnect_id), [])
        records = [r for r, since, until in versions if since <= at and (until is None or at < until)]
        if truth.error.event_type is EventType.DELETE:
            return not records
        return len(records) == 1 and records[0].modified_at >= sent.replace(microsecond=0)

    # -- resync.org.Org

    async def now(self) -> datetime:
        await self._call()
        return self.now_true()

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        await self._call()
        self._maybe_unread()
        at = self._sight()
        return {event: self._seen(event, at) for event in ids}

    async def find_records(
        self, object_name: str, storeconnect_ids: Sequence[str]
    ) -> Mapping[str, tuple[RecordSeen, ...]]:
        await self._call()
        self._maybe_unread()
        at = self._sight()
        records = {}
        for key in storeconnect_ids:
            versions = self.records.get((object_name, key), [])
            seen = tuple(r for r, since, until in versions if since <= at and (until is None or at < until))
            if seen:
                records[key] = seen
        return records

    async def sees_all(self, object_name: str) -> bool:
        return True

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        ids = tuple(e.id for e in errors)
        if self._draw(self.lies.not_sent):
            await asyncio.sleep(0)
            raise NotSentError("The org's address refused the connection")
        for event in ids:
            self.first_asked.setdefault(event, self.now_true())
        mine = {self.groups.get(i, i) for i in ids}
        for other in self.in_flight:
            self.collisions += [i for i in other if self.groups.get(i, i) in mine]
        self.in_flight.append(ids)
        self.most_in_flight = max(self.most_in_flight, len(self.in_flight))
        try:
            await self._call()
            if self._draw(self.lies.throttle):
                raise RefusedError("The org takes no more requests today")
            if self._draw(self.lies.lost_request):
                raise OutcomeUnknownError("No answer came back")
            receipts = [self._take(event) for event in ids]
            await asyncio.sleep(0)
            if self._draw(self.lies.lost_reply):
                raise OutcomeUnknownError("No answer came back")
        finally:
            self.in_flight.remove(ids)
        if self.lies.partial:
            receipts = [r for r in receipts if not self._draw(self.lies.partial)]
        if self._draw(self.lies.duplicate):
            receipts = [*receipts, *receipts, Receipt("a0X999999999999AAA", accepted=True)]
            self.random.shuffle(receipts)
        return receipts

    # -- how it works inside

    def _take(self, event: str) -> Receipt:
        self._seen_before[event] += 1
        if self._draw(self.lies.locked) or (self.lies.locked_once and self._seen_before[event] == 1):
            return Receipt(
                event, accepted=False, reason="unable to obtain exclusive access", code="UNABLE_TO_LOCK_ROW"
            )
        if self._draw(self.lies.refused):
            return Receipt(event, accepted=False, reason="no such event", code="INVALID_ID_FIELD")
        self.reached[event] += 1
        self.order.append(event)
        if not self._draw(self.lies.forgotten):
            self._queue(event)
        return Receipt(event, accepted=True)

    def _queue(self, event: str) -> None:
        truth = self.events[event]
        if self.lies.pending and truth.standing is EventStanding.FAILED:
            truth.standing = EventStanding.PENDING
            truth.modified_at = self.now_true()
            truth.past.append((truth.modified_at, truth.standing, truth.error, truth.modified_at))
        delay = max(self.lies.delay_at_least, self.random.random() * self.lies.delay)
        self._work.append((self.now_true() + timedelta(seconds=delay), event))

    async def _call(self) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        if self.lies.expires_after is not None and self.calls > self.lies.expires_after:
            raise NotLoggedInError("The session has expired", "Log in again")
        self.settle()
        self._others()

    def settle(self) -> None:
        """Work on what is due, in the order in which it became due."""
        for due, event in sorted(self._work):
            if due <= self.now_true():
                self._work.remove((due, event))
                self._process(event, due)

    def _process(self, event: str, at: datetime) -> None:
        truth = self.events[event]
        if truth.standing not in {EventStanding.FAILED, EventStanding.PENDING}:
            return
        self.processed[event] += 1
        error = truth.error
        parent = self.events.get(truth.parent) if truth.parent else None
        if parent is not None and parent.standing in {EventStanding.FAILED, EventStanding.PENDING}:
            self._fail_again(truth, at, "Foreign key external ID not found", "INVALID_FIELD")
        elif truth.new_cause:
            self._fail_again(
                truth, at, "The flow Order Builder stopped the record", "CANNOT_EXECUTE_FLOW_TRIGGER"
            )
        elif truth.broken:
            self._fail_again(truth, at, error.message, error.code)
        elif error.event_type is EventType.CREATE and self._alive(error):
            self._fail_again(truth, at, "duplicate value found: s_c__sC_Id__c", "DUPLICATE_VALUE")
        else:
            if error.event_type is EventType.DELETE:
                self._remove(error, at)
            else:
                self._write(error, at)
                if self._draw(self.lies.twin):
                    self._write(error, at, another=True)
            self._finish(truth, at)
            self.done_at[event] = at

    def _fail_again(self, truth: Event, at: datetime, message: str, code: str | None) -> None:
        truth.standing = EventStanding.FAILED
        truth.error = replace(truth.error, message=SafeText(message), code=code, processed_at=at)
        truth.modified_at = at
        truth.past.append((at, truth.standing, truth.error, at))

    def _finish(self, truth: Event, at: datetime) -> None:
        truth.standing = EventStanding.GONE if self.lies.gone_when_done else EventStanding.DONE
        truth.modified_at = at
        truth.past.append((at, truth.standing, truth.error, at))

    def _alive(self, error: SyncError) -> list[RecordSeen]:
        versions = self.records.get((error.object, error.storeconnect_id), [])
        return [r for r, _, until in versions if until is None]

    def _write(self, error: SyncError, at: datetime, *, another: bool = False) -> None:
        versions = self.records.setdefault((error.object, error.storeconnect_id), [])
        alive = [n for n, (_, _, until) in enumerate(versions) if until is None]
        if alive and not another:
            number = alive[0]
            record, since, _ = versions[number]
            versions[number] = (record, since, at)
            versions.append((replace(record, modified_at=at.replace(microsecond=0)), at, None))
            return
        self._records_made += 1
        record = RecordSeen(
            f"001{self._records_made:012d}AAA", error.storeconnect_id, at.replace(microsecond=0)
        )
        versions.append((record, at, None))

    def _remove(self, error: SyncError, at: datetime) -> None:
        versions = self.records.get((error.object, error.storeconnect_id), [])
        self.records[error.object, error.storeconnect_id] = [
            (r, since, at if until is None else until) for r, since, until in versions
        ]

    def _others(self) -> None:
        """What somebody else does in the meantime."""
        failed = [i for i, e in self.events.items() if e.standing is EventStanding.FAILED]
        if failed and self._draw(self.lies.vanish):
            self.vanish(self.random.choice(failed))
        if failed and self._draw(self.lies.operator):
            self._queue(self.random.choice(failed))
        if self._draw(self.lies.touch) and self.events:
            error = self.events[self.random.choice(list(self.events))].error
            if self._alive(error):
                self._write(error, self.now_true())

    def _sight(self) -> datetime:
        return self.now_true() - timedelta(seconds=self.random.random() * self.lies.lag)

    def _seen(self, event: str, at: datetime) -> EventSeen:
        truth = self.events.get(event)
        if truth is None:
            return EventSeen(event, EventStanding.GONE, None, None, None)
        known = [version for version in truth.past if version[0] <= at] or truth.past[:1]
        _, standing, error, modified = known[-1]
        if standing is EventStanding.GONE:
            return EventSeen(event, standing, None, None, None)
        return EventSeen(event, standing, standing.name, error, modified)

    def _maybe_unread(self) -> None:
        if self._draw(self.lies.unread):
            raise UnreachableError("The org did not answer in time")

    def _draw(self, chance: float) -> bool:
        return chance > 0 and self.random.random() < chance
