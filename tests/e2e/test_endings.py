"""How the program ends when it is interrupted, when nobody listens, and when the disk is full."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.errors import ExitCode
from tests import forks
from tests.e2e.orgs import Gate, WatchedServer, asked_again_unread, asked_twice, served, write_profile
from tests.e2e.people import Terminal, journal_of
from tests.layers import layered
from tests.pipes import small_pipe

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes the POSIX way")

RESYNC = ("resync", "--all", "--yes", "--json")


@pytest.fixture
def desk(org: WatchedServer, tmp_path: Path) -> Terminal:
    write_profile(tmp_path, batch_size=3, proof_timeout=5)
    return Terminal(tmp_path, org)


def finish(desk: Terminal, org: WatchedServer) -> None:
    """Go on with what was interrupted, to its end; nothing is sent twice."""
    last = desk.run("resume", "--continue", "--yes", "--again", "--json")
    assert last.code == ExitCode.NOT_ALL_FIXED, last.err
    assert asked_twice(org) == {}
    assert asked_again_unread(org) == []
    with journal_of(desk.home) as history:
        (run,) = history.runs()
        rows = history.rows_of(run.id)
        assert (run.how, history.unfinished()) == ("finished", ())
        assert all(row.ended and row.reason for row in rows)
        assert {row.error.id for row in rows if row.intent is not None} == set(org.counts())


def held(desk: Terminal, org: WatchedServer, number: int = 2) -> tuple[forks.Child, Gate]:
    """A run whose n-th request the org holds."""
    gate = Gate("ask", number)
    org.before = gate.meet
    running = desk.start(*RESYNC)
    assert gate.met.wait(60)
    return running, gate


def has_ended(desk: Terminal) -> bool:
    """Whether the journal has the end of a run."""
    if not list((desk.home / "state" / "journals").glob("journal-*.db")):
        return False
    with journal_of(desk.home) as history:
        return any(run.how for run in history.runs())


def test_ctrl_c_once_waits_for_what_is_on_its_way(desk: Terminal, org: WatchedServer) -> None:
    running, gate = held(desk, org)
    running.kill(signal.SIGINT)
    running.wait_for("Stopping after what is on its way; ctrl-c again quits at once.")
    gate.open.set()
    assert running.wait() == ExitCode.INTERRUPTED
    assert "Traceback" not in running.err
    rows = {row["id"]: row for row in running.rows}
    with journal_of(desk.home) as history:
        (run,) = history.runs()
        assert run.how == "cancelled"
        assert history.unfinished() == ()
        assert set(rows) == {row.error.id for row in history.rows_of(run.id)}
    sent = set(org.counts())
    assert sent
    assert {row["id"] for row in rows.values() if row["verdict"] == "NOT SENT"} == set(rows) - sent
    assert org.wrongly_fixed(rows.values()) == {}
    assert asked_twice(org) == {}


def test_ctrl_c_twice_quits_and_the_journal_knows(desk: Terminal, org: WatchedServer) -> None:
    running, gate = held(desk, org)
    running.kill(signal.SIGINT)
    running.wait_for("Stopping after")
    running.kill(signal.SIGINT)
    assert running.wait() == ExitCode.INTERRUPTED
    assert "see 'syncerr-tui resume'" in running.err
    gate.open.set()
    result = desk.run("resume")
    assert re.search(
        r"\d+ planned, \d+ proven, (\d+ not fixed, )?[1-9]\d* sent with unknown outcome", result.out
    )
    finish(desk, org)


def test_ctrl_c_while_the_proof_is_waited_for(tmp_path: Path) -> None:
    write_profile(tmp_path, batch_size=200, proof_timeout=600)
    with served(DemoOptions(errors=10, seed=4, processing_delay=3_000)) as org:
        desk = Terminal(tmp_path, org)
        gate = Gate("read", 3)
        gate.open.set()
        org.before = gate.meet
        running = desk.start(*RESYNC)
        assert gate.met.wait(60)
        running.kill(signal.SIGINT)
        assert running.wait() == ExitCode.INTERRUPTED
        verdicts = {row["verdict"] for row in running.rows}
        assert verdicts == {"UNKNOWN", "NOT SENT"}
        assert asked_twice(org) == {}


def test_ctrl_c_before_anything_was_planned(desk: Terminal, org: WatchedServer) -> None:
    gate = Gate("other", 3)
    org.before = gate.meet
    running = desk.start(*RESYNC)
    assert gate.met.wait(60)
    running.kill(signal.SIGINT)
    assert running.wait() == ExitCode.INTERRUPTED
    gate.open.set()
    assert json.loads(running.err.splitlines()[-1])["error"] == "Interrupted"
    assert "Traceback" not in running.err
    assert org.counts() == {}


def test_told_to_end_it_waits_for_what_is_on_its_way(desk: Terminal, org: WatchedServer) -> None:
    running, gate = held(desk, org)
    running.kill(signal.SIGTERM)
    gate.open.set()
    assert running.wait() == 128 + signal.SIGTERM
    assert "Traceback" not in running.err
    assert "No interrupted run" in desk.run("resume", "--continue", "--yes").err


def test_when_the_line_drops_it_goes_on_later(desk: Terminal, org: WatchedServer) -> None:
    running, gate = held(desk, org)
    running.kill(signal.SIGHUP)
    assert running.wait() == -signal.SIGHUP
    assert "Traceback" not in running.err
    gate.open.set()
    finish(desk, org)


@pytest.mark.parametrize("both", [False, True])
def test_a_reader_that_has_enough_does_not_end_the_run(
    desk: Terminal, org: WatchedServer, both: bool
) -> None:
    """`resync | head -1`, and `resync 2>&1 | head -1`."""
    gate = Gate("ask", 5)  # of the second wave: the rows of the first are out
    org.before = gate.meet
    ours, its = os.pipe()
    running = desk.start(*RESYNC, stdout=its, stderr=its if both else None)
    os.close(its)
    with os.fdopen(ours, encoding="utf-8") as reader:
        assert reader.readline()
    gate.open.set()
    assert running.wait() == ExitCode.NOT_ALL_FIXED
    if not both:
        assert "Nothing reads the rows any more" in running.err
        assert "Traceback" not in running.err
    with journal_of(desk.home) as history:
        (run,) = history.runs()
        assert run.how == "finished"
        assert history.unfinished() == ()


@pytest.mark.parametrize("both", [False, True])
def test_a_reader_that_stands_still_holds_no_run_up(desk: Terminal, org: WatchedServer, both: bool) -> None:
    """`resync | less`, and `resync 2>&1 | less`: every row is there when somebody turns the pages."""
    ours, its = small_pipe()
    running = desk.start(*RESYNC, stdout=its, stderr=its if both else None)
    os.close(its)
    while not has_ended(desk):
        assert running.alive
        time.sleep(0.005)
    with os.fdopen(ours, "rb") as reader:
        lines = reader.read().decode().splitlines()
    assert running.wait() == ExitCode.NOT_ALL_FIXED
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    with journal_of(desk.home) as history:
        (run,) = history.runs()
        assert run.how == "finished"
        assert {row["id"] for row in rows} == {row.error.id for row in history.rows_of(run.id)}


def test_ctrl_c_is_taken_although_nobody_reads_the_rows(desk: Terminal, org: WatchedServer) -> None:
    gate = Gate("ask", 2)
    org.before = gate.meet
    ours, its = small_pipe()
    running = desk.start(*RESYNC, stdout=its)
    os.close(its)
    assert gate.met.wait(60)
    running.kill(signal.SIGINT)
    running.wait_for("Stopping after what is on its way")
    gate.open.set()
    running.wait_for("(stopped)")
    running.kill(signal.SIGINT)
    assert running.wait() == ExitCode.INTERRUPTED
    os.close(ours)
    with journal_of(desk.home) as history:
        assert history.unfinished() == ()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_rows_that_cannot_be_written_do_not_end_the_run(desk: Terminal, org: WatchedServer) -> None:
    """`resync > file` on a full disk: the run goes on, and the exit code says that the file is not whole."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        running = desk.start(*RESYNC, stdout=full.fileno())
        assert running.wait() == ExitCode.MACHINE
    assert running.err.count("The rows cannot be written (No space left on device)") == 1
    assert "Traceback" not in running.err
    with journal_of(desk.home) as history:
        (run,) = history.runs()
        assert run.how == "finished"
    assert org.counts()


def test_no_journal_no_request(desk: Terminal, org: WatchedServer) -> None:
    """A disk that is full from the start."""
    for size in (2_048, 4_096, 20_000, 60_000):
        ended = desk.run(*RESYNC, fsize=size)
        assert ended.code == ExitCode.MACHINE, (size, ended.err)
        (failure,) = [json.loads(line) for line in ended.err.splitlines() if line.startswith('{"error": ')]
        assert re.fullmatch(r"The journal cannot be used: .*(full|disk).*", failure["error"])
        assert failure["hint"].startswith("Nothing is sent without it")
        assert org.counts() == {}
        assert [arrival for arrival in org.log if arrival.kind == "ask"] == []


@pytest.mark.timeout(1_200)
def test_a_disk_that_fills_up_during_a_run_stops_it(tmp_path: Path) -> None:
    """Whatever was the last thing that could be written: nothing went out that is not in the journal."""
    met = set()
    for size in range(100_000, 900_000, layered("bytes from one full disk to the next", 200_000, 4_000)):
        home = tmp_path / str(size)
        write_profile(home, batch_size=3, proof_timeout=2)
        with served(DemoOptions(errors=30, seed=4, processing_delay=0.0)) as org:
            org.fix_some()
            desk = Terminal(home, org)
            ended = desk.run(*RESYNC, fsize=size)
            assert "Traceback" not in ended.err
            assert ended.code in {ExitCode.MACHINE, ExitCode.NOT_ALL_FIXED}, (size, ended.err)
            asked = {event for arrival in org.asks for event in arrival.ids}
            met.add((ended.code, bool(asked)))
            with journal_of(home) as history:
                runs = history.runs()
                intents = {
                    row.error.id for run in runs for row in history.rows_of(run.id) if row.intent is not None
                }
                unfinished = history.unfinished()
            assert asked <= intents, f"{size}: sent without an intent"
            if ended.code == ExitCode.MACHINE:
                assert "cannot be used" in ended.err
                if unfinished:
                    finish(desk, org)
            assert asked_twice(org) == {}
    assert (ExitCode.MACHINE, True) in met, "no disk filled up in the middle of a run"
    assert (ExitCode.NOT_ALL_FIXED, True) in met


def test_the_first_lines_come_before_the_second_page_is_answered(tmp_path: Path) -> None:
    """A long list can be read while it arrives."""
    write_profile(tmp_path)
    with served(DemoOptions(errors=300, seed=4, page_size=50)) as org:
        gate = Gate("page")
        org.before = gate.meet
        ours, its = os.pipe()
        running = Terminal(tmp_path, org).start("list", "--json", stdout=its)
        os.close(its)
        with os.fdopen(ours, encoding="utf-8") as lines:
            first = [json.loads(lines.readline())["id"] for _ in range(50)]
            assert gate.met.wait(60)
            gate.open.set()
            rest = [json.loads(line)["id"] for line in lines]
        assert running.wait() == 0
        assert len({*first, *rest}) == len(first) + len(rest) == 300
