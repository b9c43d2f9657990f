"""The runner against a reference model: hypothesis draws worlds, plans, interruptions, other operators."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from syncerr_tui.journal.history import History
from syncerr_tui.model import EventStanding, EventType, SyncError, Verdict
from syncerr_tui.resync.events import RowChanged, RunEvent, RunStarted
from syncerr_tui.resync.plan import CANARY_SIZES, Plan
from syncerr_tui.resync.run_state import ResumeMode
from tests.layers import layered
from tests.resync.driving import drive, last_of_each, open_journal, plan_for, runner_for
from tests.resync.lying_org import Event, Lies, LyingOrg, Time

FLOW = "CANNOT_EXECUTE_FLOW_TRIGGER"
PROVEN = {Verdict.FIXED, Verdict.ELSEWHERE}


@dataclass(frozen=True, slots=True)
class Before:
    """The truth as a run begins."""

    standing: Mapping[str, EventStanding]
    error: Mapping[str, SyncError]
    alone: Mapping[str, Verdict]
    """What becomes of an event whose causes are cleared."""
    open: frozenset[str]
    """Events whose last request, by an earlier run, was never settled."""
    intended: frozenset[str] = frozenset()
    """Events that were written down as sent when the run was cut, and that never reached the org."""


def expected(
    before: Before, plan: Plan, last: Mapping[str, RowChanged], late: frozenset[str]
) -> dict[str, Verdict | None]:
    """The reference: what must become of each planned row, straight from the truth and the rules.

    None means: not sent. What an earlier run had left open is proven by what that run did: there the
    verdict is taken as it was told (`last`), and held against the truth elsewhere. Where the org carried
    its request out only now (`late`), the row may be seen as changed since the plan.
    """
    outcome: dict[str, Verdict | None] = {}
    stopped = False
    for wave in plan.waves:
        sent = []
        for event in wave.ids:
            row = next((row for row in plan.rows if row.error.id == event), None)
            assert row is not None
            if event in before.open and last[event].verdict in {Verdict.FIXED, Verdict.UNKNOWN}:
                outcome[event] = last[event].verdict
                sent.append(event)
            elif event in before.intended:
                # The journal cannot know that the cut came before the request: nothing is sent twice.
                outcome[event] = Verdict.UNKNOWN
                sent.append(event)
            elif stopped or any(outcome[p] not in PROVEN for p in row.parents):
                outcome[event] = None
            elif before.standing[event] is not EventStanding.FAILED:
                outcome[event] = Verdict.ELSEWHERE
            elif before.error[event].processed_at != row.error.processed_at or (
                event in late and last[event].verdict is None
            ):
                outcome[event] = None
            else:
                outcome[event] = before.alone[event]
                sent.append(event)
        unproven = any(outcome[event] not in PROVEN for event in sent)
        stopped = stopped or (plan.canary and wave.number <= len(CANARY_SIZES) and unproven)
    return outcome


def _alone(truth: Event) -> Verdict:
    if truth.new_cause:
        return Verdict.STILL_FAILING if truth.error.code == FLOW else Verdict.NEW_CAUSE
    return Verdict.STILL_FAILING if truth.broken else Verdict.FIXED


class Runs(RuleBasedStateMachine):
    """An org with failures, an operator, a second one, and lies that patience outlasts."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.time = Time()
        self.org = LyingOrg(self.time)
        self.journal = open_journal(Path(self._folder.name), self.time)
        self.planned: set[str] = set()
        self.runs = 0

    def teardown(self) -> None:
        self.journal.close()
        self._folder.cleanup()

    # -- the world

    @rule(
        kind=st.sampled_from((EventType.CREATE, EventType.UPDATE, EventType.DELETE)),
        object_name=st.sampled_from(("Account", "Order")),
        parent=st.none() | st.integers(0, 40),
        fate=st.sampled_from(("fixed", "fixed", "broken", "new")),
    )
    def fail(self, kind: EventType, object_name: str, parent: int | None, fate: str) -> None:
        failing = self._failing()
        behind = failing[parent % len(failing)] if parent is not None and failing else None
        self.org.fail(
            len(self.org.events),
            object_name,
            kind,
            parent=behind,
            broken=fate == "broken",
            new_cause=fate == "new",
        )

    @rule(which=st.integers(0, 40))
    def repair(self, which: int) -> None:
        failing = self._failing()
        if failing:
            truth = self.org.events[failing[which % len(failing)]]
            truth.broken = truth.new_cause = False

    @rule(which=st.integers(0, 40), deleted=st.booleans())
    def somebody_else_acts(self, which: int, *, deleted: bool) -> None:
        failing = self._failing()
        if failing:
            event = failing[which % len(failing)]
            (self.org.vanish if deleted else self.org.process_now)(event)

    @rule(seconds=st.integers(1, 4000))
    def time_passes(self, seconds: int) -> None:
        self.time.now += self.time.now.resolution * 1_000_000 * seconds
        self.org.settle()

    @rule(
        lag=st.sampled_from((0.0, 3.0, 20.0)),
        delay=st.sampled_from((0.0, 5.0, 60.0)),
        duplicate=st.sampled_from((0.0, 1.0)),
        skew=st.sampled_from((0.0, -400.0, 3600.0)),
        gone=st.booleans(),
        locked=st.booleans(),
    )
    def lie(
        self, *, lag: float, delay: float, duplicate: float, skew: float, gone: bool, locked: bool
    ) -> None:
        # A clock that steps back would be another lie; skew is drawn while nothing has happened yet.
        skew = self.org.lies.skew if self.org.events else skew
        # Within the second of the request a deleted event proves nothing (whole-second stamps): UNKNOWN.
        at_least = 1.5 if gone else 0.0
        self.org.lies = Lies(
            lag=lag,
            delay=delay,
            delay_at_least=at_least,
            duplicate=duplicate,
            skew=skew,
            gone_when_done=gone,
            locked_once=locked,
        )

    # -- runs

    @rule(choice=st.integers(0, 2**16), canary=st.booleans(), concurrency=st.integers(1, 3))
    def run(self, choice: int, *, canary: bool, concurrency: int) -> None:
        plan = self._plan(choice, canary=canary, concurrency=concurrency)
        if plan.rows:
            self._wait_out_lag()
            before = self._before()
            events = asyncio.run(drive(runner_for(self.org, self.journal, plan, self.time)))
            self._compare(plan, before, last_of_each(events))

    @rule(
        choice=st.integers(0, 2**16),
        canary=st.booleans(),
        stop=st.integers(1, 60),
        mode=st.sampled_from(ResumeMode),
    )
    def run_interrupted(self, choice: int, stop: int, mode: ResumeMode, *, canary: bool) -> None:
        plan = self._plan(choice, canary=canary, concurrency=2)
        if not plan.rows:
            return
        self._wait_out_lag()
        before = self._before()
        events, finished = asyncio.run(self._until(plan, stop))
        if not finished:
            assert isinstance(events[0], RunStarted)
            written = frozenset(History(self.journal).open_attempts()) - before.open
            before = replace(before, intended=written - self.org.reached.keys())
            again = runner_for(self.org, self.journal, plan, self.time, resume=events[0].run_id, mode=mode)
            events += asyncio.run(drive(again))
        last = last_of_each(events)
        if mode is ResumeMode.CONTINUE or finished:
            self._compare(plan, before, last)
            return
        reference = expected(before, plan, last, self._late(before))
        for event, change in last.items():
            assert event in before.open or change.verdict in {reference[event], Verdict.UNKNOWN, None}

    async def _until(self, plan: Plan, stop: int) -> tuple[list[RunEvent], bool]:
        so_far: list[RunEvent] = []
        async with aclosing(runner_for(self.org, self.journal, plan, self.time).run()) as events:
            async for event in events:
                so_far.append(event)
                if len(so_far) == stop:
                    return so_far, False
        return so_far, True

    # -- what must hold

    @invariant()
    def nothing_outside_a_plan_was_sent(self) -> None:
        assert set(self.org.reached) <= self.planned

    @invariant()
    def nothing_is_held(self) -> None:
        assert self.journal.read("SELECT event FROM claims") == []

    def _before(self) -> Before:
        events = self.org.events
        return Before(
            {i: e.standing for i, e in events.items()},
            {i: e.error for i, e in events.items()},
            {i: _alone(e) for i, e in events.items()},
            frozenset(History(self.journal).open_attempts()),
        )

    def _late(self, before: Before) -> frozenset[str]:
        """Open events that the org has worked on since the run began."""
        events, known = self.org.events, before.error
        return frozenset(e for e in before.open if events[e].error.processed_at != known[e].processed_at)

    def _compare(self, plan: Plan, before: Before, last: Mapping[str, RowChanged]) -> None:
        reference = expected(before, plan, last, self._late(before))
        assert {event: change.verdict for event, change in last.items()} == reference
        rows = History(self.journal).rows_of(
            self.journal.read("SELECT id FROM runs ORDER BY rowid")[-1]["id"]
        )
        assert {row.error.id: row.verdict for row in rows} == reference
        for event, verdict in reference.items():
            if verdict is Verdict.FIXED:
                assert self.org.truly_fixed(event)

    def _plan(self, choice: int, *, canary: bool, concurrency: int) -> Plan:
        failing = self._failing()
        chosen = [self.org.events[e].error for n, e in enumerate(failing) if choice >> (n % 16) & 1]
        parents = {
            e.id: frozenset((parent,))
            for e in chosen
            if (parent := self.org.events[e.id].parent) is not None and parent in failing
        }
        plan = plan_for(self.org, chosen, parents=parents, canary=canary, concurrency=concurrency)
        self.planned |= {row.error.id for row in plan.rows}
        return plan

    def _wait_out_lag(self) -> None:
        """What was planned is seen as planned: an older sight would rightly be left out as changed."""
        self.time.now += self.time.now.resolution * 1_000_000 * 25
        self.org.settle()
        self.org._seen_before.clear()
        self.org.reached.clear()

    def _failing(self) -> list[str]:
        return [i for i, e in self.org.events.items() if e.standing is EventStanding.FAILED]


TestRuns = Runs.TestCase
TestRuns.settings = settings(
    max_examples=layered("histories of the journal's model", 25, 400),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_what_a_dropped_run_sent_may_be_carried_out_while_the_next_one_looks() -> None:
    runs = Runs()
    runs.fail(EventType.CREATE, "Account", None, "fixed")
    runs.fail(EventType.CREATE, "Account", 0, "broken")
    runs.lie(lag=0.0, delay=60.0, duplicate=0.0, skew=0.0, gone=False, locked=True)
    runs.run_interrupted(3, 29, ResumeMode.DROP, canary=False)
    runs.run(1, canary=False, concurrency=1)
    runs.teardown()
