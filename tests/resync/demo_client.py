"""A client of a demo org on a port, to be killed: carries out a plan for all errors, or goes on with one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.journal.history import History
from syncerr_tui.journal.places import open_journal
from syncerr_tui.resync import doubt, verification
from syncerr_tui.resync.events import WaveStarted
from syncerr_tui.resync.plan import PlanShape, make_plan
from syncerr_tui.resync.plan_file import recorded_plan
from syncerr_tui.resync.run_state import RunRequest
from syncerr_tui.resync.runner import Runner
from syncerr_tui.salesforce.auth.environment import demo_profile
from syncerr_tui.salesforce.connect import connect
from syncerr_tui.stopwatch import utc_now

PATIENCE = 5.0


def main(url: str, token: str, folder: str) -> None:
    """What the process does. Prints `begun` when the run has started."""
    doubt.LEAST_USUAL = PATIENCE  # the demo org's usual time
    verification.FIRST_PAUSE = 0.2  # it takes half of that for a row
    asyncio.run(_carry_out(url, token, Path(folder)))


async def _carry_out(url: str, token: str, folder: Path) -> None:
    profile, tokens = demo_profile(url, token)
    connection = await connect(replace(profile, batch_size=3, concurrency=3), tokens)
    try:
        with open_journal(folder, connection.identity.org_id) as journal:
            history = History(journal)
            waiting = history.unfinished()
            resume = waiting[0].run.id if waiting else None
            if resume is not None:
                plan = recorded_plan(history, resume)
            elif history.runs():
                return
            else:
                graph = CauseGraph()
                async for page in connection.errors():
                    graph.add(page)
                plan = make_plan(
                    graph.errors.values(),
                    org=connection.identity,
                    method=connection.method,
                    created_at=utc_now(),
                    parents=graph.parents_of(graph.errors),
                    shape=PlanShape(proof_timeout=PATIENCE),
                )
            again = frozenset(row.error.id for row in plan.rows) if resume else frozenset()
            runner = Runner(connection, journal, RunRequest(plan, resume=resume, again=again))
            async for event in runner.run():
                if isinstance(event, WaveStarted):
                    print("begun", flush=True)
    finally:
        await connection.close()
