"""A process that is killed for tests: forks one child for each job, and has it killed where the job says.

Reads jobs as JSON lines on stdin, answers with JSON lines on stdout. A job: `folder`, `kill` (null,
`{"step": n}` for SIGKILL right at the n-th step, `{"step": n, "name": ...}` for the n-th of that name, or
`{"after": seconds}` for SIGKILL from outside), `resume`. A step is every moment before and after a part of a
commit, a commit and a line of the log, and every moment before and after a call of the org. Forking spares
the start of Python; the child is a real process and dies of a real SIGKILL.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from syncerr_tui.journal.database import Transaction
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal, Who
from syncerr_tui.resync.plan import Plan, PlanShape, make_plan
from syncerr_tui.resync.plan_file import recorded_plan
from syncerr_tui.resync.run_state import RunRequest
from syncerr_tui.resync.runner import Runner
from syncerr_tui.stopwatch import Leaving, Machine
from tests.resync.file_org import FileOrg
from tests.resync.lying_org import IDENTITY, START

PATIENCE = 0.4


class Steps:
    """Counts steps, and kills this process at the one that was asked for."""

    def __init__(self, at: int | None, name: str = "") -> None:
        self.at = at
        self.count = 0
        self._name = name

    def step(self, name: str = "") -> None:
        self.count += name.startswith(self._name)
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class SteppedJournal(Journal):
    """A journal with a step between any two things that it does."""

    steps = Steps(None)

    @contextmanager
    def _transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        self.steps.step()
        with super()._transaction(durable=durable) as sql:
            yield sql
        self.steps.step()

    @contextmanager
    def one_commit(self, *, durable: bool) -> Iterator[None]:
        with super().one_commit(durable=durable):
            yield
            self.steps.step("before the commit")
        self.steps.step("before anybody knows of it")

    def _log_requests(self, requests: Sequence[Any]) -> None:
        self.steps.step("before the log")
        super()._log_requests(requests)
        self.steps.step()

    def sync_log(self) -> None:
        self.steps.step("before the log is on disk")
        super().sync_log()


class SteppedOrg(FileOrg):
    """An org whose every call is two steps."""

    steps = Steps(None)

    async def request_resync(self, errors: Sequence[Any], leaving: Leaving | None = None) -> Sequence[Any]:
        self.steps.step()
        receipts = await super().request_resync(errors, leaving)
        self.steps.step()
        return receipts

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, Any]:
        seen = await super().read_events(ids)
        self.steps.step()
        return seen


def plan_of(org: FileOrg) -> Plan:
    return make_plan(
        org.errors(),
        org=org.identity,
        method=org.method,
        created_at=START,
        parents=org.parents(),
        shape=PlanShape(proof_timeout=PATIENCE),
    )


async def carry_out(folder: Path, *, steps: Steps) -> str:
    """Start or go on; gives how it ended."""
    SteppedJournal.steps = SteppedOrg.steps = steps
    org = SteppedOrg(folder / "org.db")
    with SteppedJournal.open(folder, IDENTITY.org_id, clock=lambda: datetime.now(UTC)) as journal:
        unfinished = History(journal).unfinished()
        resume = unfinished[0].run.id if unfinished else None
        begun = History(journal).runs()
        if resume is None and begun and begun[0].how == "finished":
            return "finished before"
        plan = recorded_plan(History(journal), resume) if resume else plan_of(org)
        again = frozenset(row.error.id for row in plan.rows) if resume else frozenset[str]()
        runner = Runner(
            org,
            journal,
            RunRequest(plan, resume=resume, again=again),
            who=Who("ana", "ana@acme.example"),
            machine=Machine(
                sleep=lambda seconds: asyncio.sleep(min(seconds, 0.03)), rng=Random(1), steady=None
            ),
        )
        how = ""
        async for event in runner.run():
            how = getattr(event, "how", how)
    org.close()
    return how


def child(folder: Path, kill: Mapping[str, Any] | None) -> None:
    steps = Steps(kill["step"], kill.get("name", "")) if kill and "step" in kill else Steps(None)
    how = asyncio.run(carry_out(folder, steps=steps))
    (folder / "last").write_text(json.dumps({"how": how, "steps": steps.count}))


def serve() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        folder, kill = Path(job["folder"]), job["kill"]
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                child(folder, kill)
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        if kill and "after" in kill:
            time.sleep(kill["after"])
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        answer = {"killed": killed, "code": os.waitstatus_to_exitcode(status)}
        if not killed and answer["code"] == 0:
            answer |= json.loads((folder / "last").read_text())
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
