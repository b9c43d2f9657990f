"""The app on an org of its own in a pseudo-terminal: a queue that is killed, and what others do meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from syncerr_tui.demo.options import DemoOptions
from tests import forks
from tests.bench.pty_program import PtyProgram
from tests.e2e.orgs import Gate, WatchedServer, asked_twice, served, write_profile
from tests.e2e.people import journal_of
from tests.forks import at_terminal
from tests.terminal.test_program import environ

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a pseudo-terminal"),
]

COMMAND = ("--org", "box")


def around(home: Path, org: WatchedServer, **changes: str) -> dict[str, str]:
    keys = {"SYNCERR_INSTANCE_URL": org.instance_url, "SYNCERR_ACCESS_TOKEN": org.access_token}
    return environ(home, **keys, **changes)


@contextmanager
def app(home: Path, org: WatchedServer, **changes: str) -> Iterator[PtyProgram]:
    with PtyProgram(COMMAND, environ=around(home, org, **changes), start=at_terminal) as program:
        program.wait_for("refreshed", 120)
        yield program


@pytest.fixture
def org() -> Iterator[WatchedServer]:
    with served(DemoOptions(errors=30, seed=4, processing_delay=0.05)) as server:
        server.fix_some(every=1)
        yield server


def queue_two(program: PtyProgram, gate: Gate) -> None:
    """The worst cause is on its way, and held there; the next one waits behind it."""
    program.press("c")
    program.wait_for("fix first")
    program.press("R")
    program.answer("enter starts")
    assert gate.met.wait(60)
    program.press("j", "R")
    program.answer("enter queues it")
    program.wait_for("1 queued: Q")


def test_killed_with_a_queue_nothing_of_it_was_sent_and_the_rest_goes_on(
    org: WatchedServer, tmp_path: Path
) -> None:
    write_profile(tmp_path, proof_timeout=10)
    gate = Gate("ask")
    org.before = gate.meet
    with app(tmp_path, org) as program:
        queue_two(program, gate)
        program.signal(signal.SIGKILL)
        assert program.wait() == -signal.SIGKILL
    org.before = lambda _arrival: None
    gate.open.set()
    asked = {event for ask in org.asks for event in ask.ids}
    with journal_of(tmp_path) as history:
        (run,) = history.runs()
        planned = {row.error.id for row in history.rows_of(run.id)}
        assert asked <= planned
        assert {row.error.id for row in history.rows_of(run.id) if row.intent is not None} == asked
    with PtyProgram(COMMAND, environ=around(tmp_path, org), start=at_terminal) as program:
        program.answer("was interrupted", "c")
        program.wait_for("Result", 120)
        assert not any("queued: Q" in line for line in program.text)
        with journal_of(tmp_path) as history:
            assert [run.id for run in history.runs()] == [run.id]
        assert {event for ask in org.asks for event in ask.ids} <= planned
    assert asked_twice(org) == {}


def test_a_queue_begins_by_itself_on_a_real_line(org: WatchedServer, tmp_path: Path) -> None:
    write_profile(tmp_path, proof_timeout=10)
    gate = Gate("ask", only=True)
    org.before = gate.meet
    with app(tmp_path, org, NO_COLOR="1") as program:
        queue_two(program, gate)
        gate.open.set()
        program.wait_for("2 ended: Q", 120)
        program.press("q")
        assert program.wait() == 0
    with journal_of(tmp_path) as history:
        assert [run.how for run in history.runs()] == ["finished", "finished"]
    assert asked_twice(org) == {}


@pytest.mark.parametrize("colour", [{"NO_COLOR": "1"}, {"SYNCERR_COLOUR": "16"}])
def test_what_another_terminal_fixed_is_gone_and_says_by_whom(
    org: WatchedServer, tmp_path: Path, colour: dict[str, str]
) -> None:
    write_profile(tmp_path, proof_timeout=10)
    with app(tmp_path, org, **colour) as program:
        words = ("resync", *COMMAND, "--filter", "object:Account", "--yes")
        done = forks.run(*words, env=around(tmp_path, org))
        assert done.code in {0, 1}, done.err
        assert "fixed" in done.out + done.err
        program.press("r")
        program.wait_for(" gone: d")
        program.press("d")
        program.wait_for("FIXED by ")
        program.answer("Since you looked", "d")
        program.wait_for(lambda lines: not any("gone: d" in line for line in lines))
        program.press("q")
        assert program.wait() == 0
