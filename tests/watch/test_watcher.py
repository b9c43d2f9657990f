"""The watcher against an org that moves: whatever happens between two looks, its list is the org's list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.diagnosis.evidence import ParentRef
from syncerr_tui.errors import UnreachableError
from syncerr_tui.model import EventSeen, EventStanding, SyncError
from syncerr_tui.text import clean
from syncerr_tui.watch.watcher import OVERLAP, SETTLED, WHOLE_EVERY, Watcher
from tests.factories import NOW, sync_error

FAILED, PENDING, DONE = EventStanding.FAILED, EventStanding.PENDING, EventStanding.DONE


@dataclass
class MovingOrg:
    """Change events with a status and a stamp, and nothing else."""

    time: datetime = NOW
    events: dict[str, EventSeen] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    rows_sent: int = 0
    down: bool = False

    def put(
        self, error: SyncError, standing: EventStanding = FAILED, *, late: timedelta = timedelta(0)
    ) -> None:
        """Write an event. `late`: how long its transaction ran before it could be seen."""
        self.events[error.id] = EventSeen(error.id, standing, standing.value, error, self.time - late)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.down:
            raise UnreachableError("The org is away", "Wait")

    async def errors(self) -> AsyncGenerator[tuple[SyncError, ...], None]:
        self._ask("errors")
        failed = [one.error for one in self.events.values() if one.standing is FAILED and one.error]
        for begin in range(0, len(failed), 3):
            yield tuple(failed[begin : begin + 3])

    async def changed_since(self, at: datetime) -> Sequence[EventSeen]:
        self._ask("changed")
        changed = [one for one in self.events.values() if one.modified_at and one.modified_at >= at]
        self.rows_sent += len(changed)
        return changed

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        self._ask("read")
        gone = EventSeen("", EventStanding.GONE, None, None, None)
        return {row: self.events.get(row, replace(gone, id=row)) for row in ids}

    async def parents(self, errors: Sequence[SyncError]) -> Mapping[str, tuple[ParentRef, ...]]:
        self._ask("parents")
        return {}

    async def now(self) -> datetime:
        return self.time


@dataclass
class Stopwatch:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def numbered(number: int, words: str = "") -> SyncError:
    return sync_error(number, message=clean(f"Required fields are missing: [Field_{number % 4}__c] {words}"))


OPS = st.tuples(
    st.sampled_from(["fail", "retry", "done", "delete", "edit", "wait", "wait long", "nothing"]),
    st.integers(1, 9),
)


@given(rounds=st.lists(st.lists(OPS, max_size=5), min_size=1, max_size=8))
def test_its_list_is_the_orgs_list(rounds: list[list[tuple[str, int]]]) -> None:
    org, clock = MovingOrg(), Stopwatch()
    for number in range(1, 5):
        org.put(numbered(number))
    watcher = Watcher(org, clock)
    asyncio.run(watcher.look())
    deleted: set[str] = set()
    for ops in rounds:
        before = dict(watcher.errors)
        for op, number in ops:
            error = numbered(number, "anew" if op == "edit" else "")
            match op:
                case "fail" | "edit":
                    org.put(error)
                    deleted.discard(error.id)
                case "retry" if error.id in org.events:
                    org.put(error, PENDING)
                case "done" if error.id in org.events:
                    org.put(error, DONE)
                case "delete" if error.id in org.events:
                    del org.events[error.id]
                    deleted.add(error.id)
                case "wait" | "wait long":
                    step = timedelta(seconds=60) if op == "wait" else WHOLE_EVERY
                    org.time += step
                    clock.seconds += step.total_seconds()
        look = asyncio.run(watcher.look())
        if look.whole:
            deleted.clear()
        failing = {row: one.error for row, one in org.events.items() if one.standing is FAILED}
        held = {row for row, one in org.events.items() if one.standing is PENDING} | deleted
        assert {row: error for row, error in watcher.errors.items() if row not in held} == failing
        assert watcher.errors.keys() <= failing.keys() | (before.keys() & held)
        assert {error.id for error in look.new} == watcher.errors.keys() - before.keys()
        assert {error.id for error, _ in look.gone} == before.keys() - watcher.errors.keys()
        assert {error.id for error in look.changed} == {
            row for row, error in watcher.errors.items() if row in before and before[row] != error
        }
        assert {cause.key for cause in watcher.causes} == {cause.key for cause in watcher.graph.causes()}
        assert sum(cause.held for cause in watcher.causes) == len(watcher.errors)


def test_where_nothing_happens_a_look_is_one_question_and_brings_nothing() -> None:
    org = MovingOrg()
    for number in range(200):
        org.put(numbered(number))
    watcher, org.time = Watcher(org, Stopwatch()), org.time + timedelta(minutes=10)
    asyncio.run(watcher.look())
    org.asked.clear()
    for _ in range(1000):
        assert not asyncio.run(watcher.look())
    assert org.asked == ["changed"] * 1000
    assert org.rows_sent == 0


def test_what_is_committed_late_is_still_seen() -> None:
    org = MovingOrg()
    org.put(numbered(1))
    watcher = Watcher(org, Stopwatch())
    asyncio.run(watcher.look())
    org.time += timedelta(minutes=5)
    org.put(numbered(2))
    asyncio.run(watcher.look())
    org.put(numbered(3), late=OVERLAP - timedelta(seconds=1))
    assert [error.id for error in asyncio.run(watcher.look()).new] == [numbered(3).id]


def test_after_an_outage_it_goes_on_with_the_list_it_had() -> None:
    org = MovingOrg()
    org.put(numbered(1))
    watcher = Watcher(org, Stopwatch())
    asyncio.run(watcher.look())
    org.down = True
    org.put(numbered(2))
    with pytest.raises(UnreachableError):
        asyncio.run(watcher.look())
    assert watcher.errors.keys() == {numbered(1).id}
    org.down = False
    assert [error.id for error in asyncio.run(watcher.look()).new] == [numbered(2).id]


def test_causes_come_and_are_cleared() -> None:
    org = MovingOrg()
    org.put(numbered(1))
    watcher = Watcher(org, Stopwatch())
    assert not asyncio.run(watcher.look()).causes
    org.put(numbered(2))
    org.put(numbered(5))  # the cause of the first
    look = asyncio.run(watcher.look())
    assert ["Field_2__c" in cause.headline for cause in look.causes] == [True]
    org.put(numbered(2), DONE)
    assert [cause.key for cause in asyncio.run(watcher.look()).cleared] == [look.causes[0].key]


def test_a_burst_at_the_end_is_not_read_again_and_again() -> None:
    org, clock = MovingOrg(), Stopwatch()
    watcher = Watcher(org, clock)
    asyncio.run(watcher.look())
    org.time += timedelta(minutes=1)
    for number in range(1, 9):
        org.put(numbered(number))
    assert len(asyncio.run(watcher.look()).new) == 8
    org.put(numbered(9), late=OVERLAP / 2)  # its transaction ran while the others ended
    assert [error.id for error in asyncio.run(watcher.look()).new] == [numbered(9).id]
    clock.seconds += SETTLED.total_seconds()
    org.time += SETTLED
    asyncio.run(watcher.look())
    org.put(numbered(10))
    before = org.rows_sent
    assert [error.id for error in asyncio.run(watcher.look()).new] == [numbered(10).id]
    assert org.rows_sent - before <= 9
    clock.seconds += SETTLED.total_seconds()
    before = org.rows_sent
    assert not asyncio.run(watcher.look())
    assert org.rows_sent - before == 1, "what has the last stamp alone"
