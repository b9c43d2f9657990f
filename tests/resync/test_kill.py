"""Killed at any moment, the next start ends where it would have ended anyway, and sends nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import Verdict
from syncerr_tui.stopwatch import utc_now
from tests.layers import layered
from tests.resync.file_org import FileOrg, build
from tests.resync.lying_org import IDENTITY

ROOT = Path(__file__).parents[2]
ROWS = 11
STARTS = 60
COMMITS = layered("commits of a run that are killed", (1, 5), range(1, 9))
STRIDE = layered("steps of a run from one kill to the next", 11, 1)
SEEDS = range(layered("runs killed at random", 1, 300))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes the POSIX way")


class Killer:
    """The process that forks and kills."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.resync.kill_host"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, folder: Path, kill: dict[str, Any] | None = None) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"folder": str(folder), "kill": kill}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert answer["killed"] or answer["code"] == 0, answer
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    one = Killer()
    yield one
    one.close()


def final(folder: Path) -> tuple[dict[str, tuple[str, int]], dict[str, str | None]]:
    """What the org holds, and what the journal says of every row."""
    org = FileOrg(folder / "org.db")
    state = org.state()
    assert all(n <= 1 for n in org.worked().values()), "an event was worked on twice"
    assert all(n <= 1 for n in org.reached().values()), "an event was sent twice"
    org.close()
    with Journal.open(folder, IDENTITY.org_id, clock=utc_now) as journal:
        assert not journal.loss, "a kill passes for a loss"
        history = History(journal)
        runs = history.runs()
        assert len(runs) == 1
        assert runs[0].how == "finished"
        assert history.unfinished() == ()
        rows = history.rows_of(runs[0].id)
        assert all(row.ended and row.reason for row in rows), "a row ended without an outcome"
        for row in rows:
            if row.verdict is Verdict.FIXED:
                assert state[row.error.id] == ("done", 1), "FIXED is wrong"
        return state, {row.error.id: row.verdict for row in rows}


def world(folder: Path) -> Path:
    folder.mkdir()
    build(folder / "org.db", ROWS)
    return folder


@pytest.fixture(scope="module")
def unharmed(killer: Killer, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Any]:
    """The steps of a run that nobody kills, and how it ends."""
    folder = world(tmp_path_factory.mktemp("unharmed") / "world")
    outcome = killer.start(folder)
    assert outcome["how"] == "finished"
    return outcome["steps"], final(folder)


def test_killed_at_every_step_it_ends_as_without_a_kill(
    killer: Killer, unharmed: tuple[int, Any], tmp_path: Path
) -> None:
    steps, expected = unharmed
    assert steps > 20
    for step in range(1, steps + 1, STRIDE):
        folder = world(tmp_path / f"step-{step}")
        outcome = killer.start(folder, {"step": step})
        # How often the org is looked at, and what shares a commit, depends on the clock: a run may end before
        # its last step comes.
        assert outcome["killed"] or steps * 3 // 4 < outcome["steps"] < step
        assert killer.start(folder)["how"] in {"finished", "finished before"}, f"step {step}"
        assert final(folder) == expected, f"killed at step {step}"


@pytest.mark.parametrize(
    "name", ["before the commit", "before the log", "before anybody knows of it", "before the log is on disk"]
)
def test_killed_at_each_step_of_a_commit_nothing_is_lost_that_left(
    killer: Killer, unharmed: tuple[int, Any], tmp_path: Path, name: str
) -> None:
    """Intents share a commit, and the log follows it: a kill in between is one kill like any other."""
    _, expected = unharmed
    for step in COMMITS:
        folder = world(tmp_path / f"step-{step}")
        assert killer.start(folder, {"step": step, "name": name})["killed"]
        assert killer.start(folder)["how"] in {"finished", "finished before"}
        assert final(folder) == expected, f"killed {name}, {step}"


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_again_and_again_at_random_steps(
    killer: Killer, unharmed: tuple[int, Any], tmp_path: Path, seed: int
) -> None:
    """Every start is killed a few steps further on, the next one has to cope with all that came before."""
    random = Random(seed)
    folder = world(tmp_path / "random")
    for _ in range(STARTS):
        if not killer.start(folder, {"step": random.randint(1, 25)})["killed"]:
            break
    else:
        killer.start(folder)
    assert final(folder) == unharmed[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_from_outside_at_random_moments(
    killer: Killer, unharmed: tuple[int, Any], tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    folder = world(tmp_path / "moments")
    for _ in range(random.randint(1, 4)):
        killer.start(folder, {"after": random.random() * 0.15})
    killer.start(folder)
    assert final(folder) == unharmed[1]
