"""Worlds drawn from a seed: an org full of failures, a set of lies, a plan; and what must hold afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from syncerr_tui.journal.history import History
from syncerr_tui.model import EventType, RowState, SyncError, Verdict
from syncerr_tui.resync.events import RowChanged, RunEvent
from syncerr_tui.resync.plan import Plan
from tests.resync.driving import drive, ending, last_of_each, open_journal, plan_for, runner_for
from tests.resync.lying_org import Lies, LyingOrg, Time

KINDS = [EventType.CREATE] * 3 + [EventType.UPDATE, EventType.DELETE]
OBJECTS = ("Account", "Contact", "Order", "OrderItem", "s_c__Payment__c")
PROVEN = {Verdict.FIXED, Verdict.ELSEWHERE}


@dataclass(slots=True)
class World:
    """One drawn world, ready to run."""

    time: Time
    org: LyingOrg
    plan: Plan


def lies_from(random: Random) -> Lies:
    """Few lies or many: each is told in about one world of three."""

    def perhaps(*chances: float) -> float:
        return random.choice(chances) if random.random() < 0.35 else 0.0

    return Lies(
        lag=perhaps(1.0, 5.0, 30.0, 100.0),
        delay=random.choice((0.0, 2.0, 30.0, 120.0, 400.0)),
        lost_reply=perhaps(0.1, 0.5),
        lost_request=perhaps(0.1, 0.4),
        not_sent=perhaps(0.2, 0.7),
        unread=perhaps(0.1, 0.5),
        duplicate=perhaps(0.5, 1.0),
        partial=perhaps(0.1, 0.5),
        refused=perhaps(0.1, 0.5, 1.0),
        locked=perhaps(0.1, 0.5, 1.0),
        forgotten=perhaps(0.1),
        vanish=perhaps(0.05, 0.2),
        operator=perhaps(0.05, 0.3),
        touch=perhaps(0.1, 0.5),
        twin=perhaps(0.2),
        throttle=perhaps(0.05),
        expires_after=random.choice((3, 8, 15, 30)) if random.random() < 0.15 else None,
        skew=perhaps(-300.0, 300.0, 7200.0),
        pending=random.random() < 0.3,
        gone_when_done=random.random() < 0.3,
    )


def draw(seed: int) -> World:
    """The world of this seed."""
    random = Random(seed)
    time = Time()
    org = LyingOrg(time, lies_from(random), seed=seed)
    errors: list[SyncError] = []
    for number in range(random.randint(1, 25)):
        parent = random.choice(errors).id if errors and random.random() < 0.4 else None
        errors.append(
            org.fail(
                number,
                random.choice(OBJECTS),
                random.choice(KINDS),
                record=random.randint(0, 30) if random.random() < 0.5 else None,
                parent=parent,
                broken=random.random() < 0.2,
                new_cause=random.random() < 0.1,
            )
        )
    parents = {i: frozenset((e.parent,)) for i, e in org.events.items() if e.parent}
    plan = plan_for(
        org,
        errors,
        parents=parents if random.random() < 0.7 else {},
        canary=random.random() < 0.3,
        batch_size=random.randint(1, 4),
        concurrency=random.randint(1, 3),
    )
    return World(time, org, plan)


class Watcher:
    """Holds every event of a run against the truth, at the moment it is told."""

    def __init__(self, org: LyingOrg, plan: Plan) -> None:
        self._org = org
        self._rows = {row.error.id: row for row in plan.rows}
        self._proven: set[str] = set()
        self.wrong: list[str] = []

    def __call__(self, event: RunEvent) -> None:
        if not isinstance(event, RowChanged):
            return
        if event.verdict is Verdict.FIXED and not self._org.truly_fixed(event.id):
            self.wrong.append(f"FIXED is wrong: {event.id}")
        if event.verdict in PROVEN:
            self._proven.add(event.id)
        if event.state is RowState.SENT:
            early = [p for p in self._rows[event.id].parents if p not in self._proven]
            self.wrong += [f"{event.id} was sent before its cause {p} was proven" for p in early]


async def run_and_check(world: World, folder: Path, also: Callable[[RunEvent], None] | None = None) -> None:
    """Run the plan; everything that must hold in every world, however the org lies."""
    org, plan = world.org, world.plan
    watcher = Watcher(org, plan)

    def on(event: RunEvent) -> None:
        watcher(event)
        if also is not None:
            also(event)

    with open_journal(folder, world.time) as journal:
        events = await drive(runner_for(org, journal, plan, world.time), on)
        rows = History(journal).rows_of(ending(events).run_id)
    last = last_of_each(events)
    planned = {row.error.id for row in plan.rows}
    assert watcher.wrong == [], watcher.wrong
    twice = {i: n for i, n in org.reached.items() if n > 1}
    assert twice == {}, f"an event was sent twice: {twice}"
    assert set(org.reached) <= planned, "something outside the plan was sent"
    assert set(last) == planned, "a row ended without a word"
    assert all(c.state in {RowState.DONE, RowState.NOT_SENT} and c.reason for c in last.values())
    assert org.collisions == [], f"two lanes worked under one parent: {org.collisions}"
    assert {r.error.id: (r.verdict, r.reason) for r in rows} == {
        i: (c.verdict, c.reason) for i, c in last.items()
    }
    assert all(r.ended for r in rows), "a row has no outcome in the journal"
    counts = ending(events).counts
    assert counts.ended == counts.planned == len(planned)
