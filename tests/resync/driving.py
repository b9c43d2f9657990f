"""Running a runner to its end, for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from random import Random

from syncerr_tui.journal.journal import Journal, Who
from syncerr_tui.model import SyncError
from syncerr_tui.resync.events import RowChanged, RunEnded, RunEvent
from syncerr_tui.resync.plan import Plan, PlanShape, make_plan
from syncerr_tui.resync.run_state import RunRequest
from syncerr_tui.resync.runner import Runner
from syncerr_tui.stopwatch import Machine
from tests.resync.lying_org import IDENTITY, START, LyingOrg, Time

WHO = Who("ana", "ana@acme.example", "SANDBOX")


def open_journal(folder: Path, time: Time) -> Journal:
    return Journal.open(folder, IDENTITY.org_id, clock=time.clock)


def optioned(options: dict[str, object]) -> dict[str, object]:
    """Keywords of `make_plan`, those of its shape put together."""
    own = {field.name for field in fields(PlanShape)} & options.keys()
    rest = {name: value for name, value in options.items() if name not in own}
    return rest | {"shape": PlanShape(**{name: options[name] for name in own})}  # type: ignore[arg-type]


def plan_for(org: LyingOrg, errors: Sequence[SyncError], **options: object) -> Plan:
    options.setdefault("parents", {})
    return make_plan(errors, org=org.identity, method=org.method, created_at=START, **optioned(options))  # type: ignore[arg-type]


def runner_for(org: LyingOrg, journal: Journal, plan: Plan, time: Time, **options: object) -> Runner:
    org.groups = {row.error.id: f"{row.wave} {row.group}" for row in plan.rows}
    return Runner(
        org,
        journal,
        RunRequest(plan, **options),  # type: ignore[arg-type]
        who=WHO,
        machine=Machine(time.clock, time.sleep, Random(1), None),
    )


async def drive(runner: Runner, on: Callable[[RunEvent], None] | None = None) -> list[RunEvent]:
    """All events of a run; `on` sees each as it comes."""
    events = []
    async for event in runner.run():
        events.append(event)
        if on is not None:
            on(event)
    return events


def last_of_each(events: Sequence[RunEvent]) -> dict[str, RowChanged]:
    """Row -> the last that was said of it."""
    return {event.id: event for event in events if isinstance(event, RowChanged)}


def ending(events: Sequence[RunEvent]) -> RunEnded:
    assert isinstance(events[-1], RunEnded)
    return events[-1]
