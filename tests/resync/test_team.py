"""Two to four people on the same rows, with homes of their own and one journal, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.journal.database import Server
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import Verdict
from syncerr_tui.stopwatch import utc_now
from tests.layers import layered
from tests.postgres import PostgresServer
from tests.resync.file_org import FileOrg, build
from tests.resync.lying_org import IDENTITY

ROOT = Path(__file__).parents[2]
ROWS = 11
SEEDS = range(layered("teams on one journal, with accidents", 2, 300))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes the POSIX way")


@pytest.fixture(scope="module")
def host() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.resync.team_host"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.communicate("", timeout=30)


def carry_out(host: subprocess.Popen[str], job: dict[str, Any]) -> dict[str, Any]:
    assert host.stdin is not None
    assert host.stdout is not None
    host.stdin.write(json.dumps(job) + "\n")
    host.stdin.flush()
    answer: dict[str, Any] = json.loads(host.stdout.readline())
    return answer


def check(folder: Path, place: Path | Server, answer: dict[str, Any]) -> None:
    """What the org has counted, and what the journal of all says of it."""
    assert not answer["hung"], answer
    assert set(answer["ends"]) <= {0, -signal.SIGKILL}, answer
    org = FileOrg(folder / "org.db")
    state, reached, worked = org.state(), org.reached(), org.worked()
    org.close()
    assert {n for n in reached.values() if n > 1} == set(), f"sent twice: {reached} {answer}"
    assert {n for n in worked.values() if n > 1} == set()
    assert {standing for standing, _ in state.values()} == {"done"}, answer
    with Journal.open(folder / "reader", IDENTITY.org_id, clock=utc_now, shared=place) as journal:
        history = History(journal)
        assert history.under_way() == ()
        assert history.unfinished() == ()
        rows = [row for run in history.runs() for row in history.rows_of(run.id)]
        assert all(row.ended and row.reason for row in rows), "a row without an end"
        fixed = {row.event for row in rows if row.verdict is Verdict.FIXED}
        assert all(state[event] == ("done", 1) for event in fixed), "FIXED is wrong"
        left = journal.read(
            "SELECT i.event, o.kind FROM intents i LEFT JOIN outcomes o ON o.intent = i.n ORDER BY i.n"
        )
        intended = Counter(row["event"] for row in left)
        accepted = Counter(row["event"] for row in left if row["kind"] == "accepted")
    for event, times in reached.items():
        assert accepted[event] <= times <= intended[event], (
            f"{event}: the org and the journal differ {answer}"
        )
    assert {event for event, times in reached.items() if times} <= {row.event for row in rows if row.settled}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("machines", [1, 3])
def test_people_on_one_database(
    host: subprocess.Popen[str],
    tmp_path: Path,
    postgres: PostgresServer,
    database: str,
    machines: int,
    seed: int,
) -> None:
    build(tmp_path / "org.db", ROWS, broken=False)
    url = postgres.url(database)
    where = {"url": url, "admin": postgres.address, "database": database}
    job = {"folder": str(tmp_path), "people": 2 + seed % 3, "seed": seed, "machines": machines}
    check(tmp_path, Server(url), carry_out(host, {**job, "postgres": where}))


@pytest.mark.parametrize("seed", SEEDS)
def test_people_on_one_file(host: subprocess.Popen[str], tmp_path: Path, seed: int) -> None:
    build(tmp_path / "org.db", ROWS, broken=False)
    job = {"folder": str(tmp_path), "people": 2 + seed % 3, "seed": seed, "machines": 1, "postgres": None}
    place = tmp_path / "shared" / "journal.db"
    check(tmp_path, place, carry_out(host, job))
