"""Two processes on one org: what one of them re-syncs, the other sees and cannot send."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.errors import ExitCode
from tests.e2e.orgs import Gate, WatchedServer, asked_twice, served, write_profile
from tests.e2e.people import Terminal, journal_of
from tests.layers import layered

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes the POSIX way")

SEEDS = range(layered("starts of two people in the same moment", 3, 40))


@pytest.fixture
def two(org: WatchedServer, tmp_path: Path) -> tuple[Terminal, Terminal]:
    write_profile(tmp_path, batch_size=3, proof_timeout=10)
    return Terminal(tmp_path, org), Terminal(tmp_path, org)


def sent_by_run(home: Path) -> list[set[str]]:
    """The rows that each run has sent."""
    with journal_of(home) as history:
        return [
            {row.error.id for row in history.rows_of(run.id) if row.intent is not None}
            for run in history.runs()
        ]


def test_the_second_sees_the_first_and_cannot_send_its_rows(
    two: tuple[Terminal, Terminal], org: WatchedServer
) -> None:
    first, second = two
    gate = Gate("ask")
    org.before = gate.meet
    running = first.start("resync", "--all", "--yes", "--json")
    assert gate.met.wait(60)
    asked = len(org.asks)
    refused = second.run("resync", "--all", "--yes", "--json")
    assert (refused.code, refused.out) == (ExitCode.REFUSED, "")
    assert re.search(r"All of these rows are being re-synced by .*process \d+ on ", refused.err)
    looked = second.run("resume", "--continue", "--yes")
    assert looked.code == ExitCode.OK
    assert "is under way" in looked.err
    assert "No interrupted run." in looked.err
    listed = second.run("journal")
    assert "under way" in listed.out
    assert len(org.asks) <= asked + 1, "the second one sent something"
    gate.open.set()
    assert running.wait() == ExitCode.NOT_ALL_FIXED
    assert asked_twice(org) == {}
    assert len(sent_by_run(first.home)) == 1


def test_rows_of_another_run_are_left_out_with_who_holds_them(
    two: tuple[Terminal, Terminal], org: WatchedServer
) -> None:
    first, second = two
    gate = Gate("ask", only=True)
    org.before = gate.meet
    one = next(line for line in first.run("plan", "--all", "--json").rows if line["wave"] == 1)
    running = first.start("resync", "--id", one["id"], "--yes", "--json")
    assert gate.met.wait(60)
    both = second.run("resync", "--all", "--yes", "--json")
    gate.open.set()
    assert running.wait() in {ExitCode.OK, ExitCode.NOT_ALL_FIXED}
    assert both.code == ExitCode.NOT_ALL_FIXED
    (end,) = (row for row in both.rows if row["id"] == one["id"])
    assert end["verdict"] == "NOT SENT"
    assert re.search(r"it is being re-synced by .*process \d+ on ", end["reason"])
    assert any(row["verdict"] == "FIXED" for row in both.rows)
    left, right = sent_by_run(first.home)
    assert left
    assert right
    assert left.isdisjoint(right)
    assert asked_twice(org) == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_started_in_the_same_moment_they_send_disjoint_sets(tmp_path: Path, seed: int) -> None:
    write_profile(tmp_path, batch_size=3, proof_timeout=10)
    with served(DemoOptions(errors=30, seed=seed, processing_delay=0.05, latency=0.01)) as org:
        # Nothing is fixed: every row would be free to be sent again as soon as the other is done with it.
        org.fix_some(every=1)
        gate = Gate("ask")
        org.before = gate.meet
        left, right = Terminal(tmp_path, org), Terminal(tmp_path, org)
        some = ("--filter", "object:Account") if seed % 2 else ("--all",)
        running = [left.start("resync", "--all", "--yes"), right.start("resync", *some, "--yes")]
        assert gate.met.wait(60)
        gate.open.set()
        codes = {child.wait() for child in running}
        assert codes <= {ExitCode.OK, ExitCode.NOT_ALL_FIXED, ExitCode.REFUSED}
        assert asked_twice(org) == {}
        sets = sent_by_run(tmp_path)
        assert sum(map(len, sets)) == len(set().union(*sets))


def test_an_interrupted_run_is_taken_up_by_one_only(
    two: tuple[Terminal, Terminal], org: WatchedServer
) -> None:
    first, second = two
    gate = Gate("ask", 2)
    org.before = gate.meet
    running = first.start("resync", "--all", "--yes", "--json")
    assert gate.met.wait(60)
    running.kill()
    assert running.wait() == -signal.SIGKILL
    gate.open.set()
    org.before = lambda _arrival: None
    held = Gate("read")
    org.before = held.meet
    words = ("resume", "--continue", "--yes")
    both = [first.start(*words), second.start(*words)]
    assert held.met.wait(60)
    held.open.set()
    codes = sorted(child.wait() for child in both)
    complaints = both[0].err + both[1].err
    assert codes in ([0, 1], [1, 5]), complaints
    assert "No interrupted run." in complaints or "This run is still under way" in complaints
    assert asked_twice(org) == {}
    with journal_of(first.home) as history:
        (run,) = history.runs()
        assert run.how == "finished"
