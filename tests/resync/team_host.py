"""Several people at once for tests: processes with homes of their own, one journal, one org, and accidents.

Reads jobs as JSON lines on stdin and answers with JSON lines on stdout. A job: `folder` with the org,
`people`, `seed`, `machines` (how many they sit at), and `postgres` (how to reach the database, and its server
as an administrator) or null for a shared file. Each person starts or goes on with runs over whatever is
failed. Meanwhile they are killed, stopped and woken, and the database is taken away. At the end one more
person goes on until nothing is left and verifies what is open, and says that rows of unknown outcome may go
again: by then nobody else is alive.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from syncerr_tui.errors import MachineError, RefusedError
from syncerr_tui.journal import claims
from syncerr_tui.journal.claims import Owner
from syncerr_tui.journal.database import Server
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal, Who
from syncerr_tui.resync import runner as runner_module
from syncerr_tui.resync.doubt import verify
from syncerr_tui.resync.plan import PlanShape, make_plan
from syncerr_tui.resync.plan_file import recorded_plan
from syncerr_tui.resync.run_state import RunRequest
from syncerr_tui.resync.runner import Runner
from syncerr_tui.stopwatch import Machine
from tests.journal.opening import open_as
from tests.resync import file_org
from tests.resync.file_org import FileOrg
from tests.resync.lying_org import IDENTITY, START

PATIENCE = 0.3
SILENCE = 0.8
"""Seconds after which a process on another machine counts as dead; its heart beats ten times as often."""
LONGEST = 60.0
"""Seconds that one job may take."""


class Journals:
    """Where the journal of a job is."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        self.folder = Path(job["folder"])
        self.machines: int = job["machines"]
        self.postgres = job["postgres"]
        self.place = Server(self.postgres["url"]) if self.postgres else self.folder / "shared" / "journal.db"

    def open(self, person: int) -> Journal:
        """As this person sees it, on their machine."""
        owner = Owner.current()
        if self.machines > 1:
            machine = person % self.machines
            owner = replace(owner, host=f"ops-{machine}", boot=f"kernel-{machine}/1", machine=f"{machine}")
        return open_as(
            self.folder / f"home{person}",
            IDENTITY.org_id,
            clock=lambda: datetime.now(UTC),
            owner=owner,
            shared=self.place,
        )

    def take_away(self, seconds: float) -> None:
        """Nobody can use the database for a while; whoever was using it is cut off."""
        if self.postgres is None:
            with closing(sqlite3.connect(str(self.place), isolation_level=None, timeout=5)) as sql:
                sql.execute("BEGIN EXCLUSIVE")
                time.sleep(seconds)
                sql.execute("ROLLBACK")
            return
        import psycopg

        database = self.postgres["database"]
        with psycopg.connect(self.postgres["admin"], autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,)
            )
            time.sleep(seconds)
            connection.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')


async def one_round(journal: Journal, org: FileOrg, *, consent: bool) -> bool:
    """Go on with what was interrupted, or begin with what is failed; False where there is neither."""
    history = History(journal)
    unfinished = history.unfinished()
    if unfinished:
        plan = recorded_plan(history, unfinished[-1].run.id)
    else:
        failed = [error for error in org.errors() if org.state()[error.id][0] == "failed"]
        if not failed:
            return False
        ids = {error.id for error in failed}
        plan = make_plan(
            failed,
            org=org.identity,
            method=org.method,
            created_at=START,
            parents={event: of & ids for event, of in org.parents().items() if event in ids and of & ids},
            shape=PlanShape(proof_timeout=PATIENCE),
        )
    again = frozenset(row.error.id for row in plan.rows) if consent else frozenset[str]()
    resume = unfinished[-1].run.id if unfinished else None
    runner = Runner(
        org,
        journal,
        RunRequest(plan, resume=resume, again=again),
        who=Who("ana", "ana@acme.example"),
        machine=Machine(journal.now, lambda seconds: asyncio.sleep(min(seconds, 0.03)), Random(1), None),
    )
    async for _ in runner.run():
        pass
    return True


async def work(journals: Journals, person: int, *, consent: bool, rounds: int) -> None:
    """One person, who comes back after trouble."""
    org = FileOrg(journals.folder / "org.db")
    for _ in range(rounds):
        try:
            with journals.open(person) as journal:
                if await one_round(journal, org, consent=consent):
                    continue
                if consent:  # what the org was slow with is read once more, as `verify` does
                    left = list(History(journal).open_attempts().values())
                    await verify(org, journal, left, proof_timeout=2.0, sleep=asyncio.sleep)
                break
        except (RefusedError, MachineError):
            await asyncio.sleep(0.05)
    org.close()


def start(journals: Journals, person: int, *, consent: bool = False, rounds: int = 4) -> int:
    """A process; gives its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if journals.machines > 1:
            claims._STALE = claims._REBOOTED = timedelta(seconds=SILENCE)
            claims.BEAT_SECONDS = SILENCE / 10
            runner_module.BEAT_SECONDS = SILENCE / 10  # type: ignore[attr-defined]
        asyncio.run(work(journals, person, consent=consent, rounds=rounds))
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def carry_out(job: Mapping[str, Any]) -> dict[str, Any]:
    """One job; gives what the accidents were and how every process ended."""
    random, journals = Random(job["seed"]), Journals(job)
    file_org.DELAY = random.choice((0.02, 0.4))  # longer than it takes to come back after a kill
    people: dict[int, int] = {}
    ends: list[int] = []
    faults: list[str] = []
    accidents = random.randint(2, 5)
    for person in range(job["people"]):
        people[person] = start(journals, person)
        time.sleep(random.choice((0.0, 0.0, 0.05)))

    def gone(person: int) -> bool:
        pid, status = os.waitpid(people[person], os.WNOHANG)
        if pid:
            ends.append(os.waitstatus_to_exitcode(status))
        return bool(pid)

    for _ in range(accidents):
        time.sleep(random.random() * 0.25)
        person = random.choice(sorted(people))
        fault = random.choice(("kill", "kill", "stop", "take away", "come"))
        faults.append(fault)
        if fault == "take away":
            journals.take_away(random.random() * 0.3)
        elif fault == "come":
            people[10 + len(faults)] = start(journals, 10 + len(faults))
        elif gone(person):
            people[person] = start(journals, person)
        elif fault == "kill":
            os.kill(people[person], signal.SIGKILL)
            ends.append(os.waitstatus_to_exitcode(os.waitpid(people[person], 0)[1]))
            people[person] = start(journals, person)
        else:  # the lid is closed, longer than the others wait for a heartbeat
            os.kill(people[person], signal.SIGSTOP)
            time.sleep(random.choice((0.05, SILENCE * 1.5)))
            os.kill(people[person], signal.SIGCONT)
    waited = time.monotonic() + LONGEST
    while left := [person for person in people if not gone(person)]:
        people = {person: people[person] for person in left}
        if time.monotonic() > waited:
            for pid in people.values():
                os.kill(pid, signal.SIGKILL)
            return {"hung": True, "ends": ends, "faults": faults}
        time.sleep(0.02)
    if journals.machines > 1:
        time.sleep(SILENCE)  # until then one that ended without a word may be alive on another machine
    last = start(journals, 99, consent=True, rounds=40)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(last, 0)[1]))
    return {"hung": False, "ends": ends, "faults": faults}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line))), flush=True)
