"""People at machines with homes of their own, and one journal: nothing twice, and nothing without it."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.errors import ExitCode
from tests.e2e.orgs import Gate, WatchedServer, asked_twice, served, write_profile
from tests.e2e.people import Terminal
from tests.postgres import PostgresServer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes the POSIX way")


@pytest.fixture
def org() -> Iterator[WatchedServer]:
    with served(DemoOptions(errors=30, seed=4, processing_delay=0.05)) as server:
        server.fix_some(every=1)
        yield server


def at_desks(org: WatchedServer, folder: Path, place: str) -> tuple[Terminal, Terminal]:
    terminals = []
    for name in ("ana", "ben"):
        write_profile(folder / name, batch_size=3, proof_timeout=10)
        profile = folder / name / "config" / "orgs" / "box.toml"
        profile.write_text(f'journal = "{place}"\n{profile.read_text()}')
        terminals.append(Terminal(folder / name, org))
    return terminals[0], terminals[1]


@pytest.fixture(params=["file", "postgresql"])
def two(request: pytest.FixtureRequest, org: WatchedServer, tmp_path: Path) -> tuple[Terminal, Terminal]:
    place = str(tmp_path / "shared" / "acme.db")
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        place = server.url(request.getfixturevalue("database"))
    return at_desks(org, tmp_path, place)


def test_started_in_the_same_moment_they_send_nothing_twice(
    two: tuple[Terminal, Terminal], org: WatchedServer
) -> None:
    gate = Gate("ask")
    org.before = gate.meet
    running = [one.start("resync", "--all", "--yes", "--json") for one in two]
    assert gate.met.wait(60)
    gate.open.set()
    codes = {child.wait() for child in running}
    assert codes <= {ExitCode.OK, ExitCode.NOT_ALL_FIXED, ExitCode.REFUSED}, running[0].err + running[1].err
    assert asked_twice(org) == {}
    assert org.counts(), "nothing was sent at all"


def test_a_killed_colleagues_run_is_gone_on_with(two: tuple[Terminal, Terminal], org: WatchedServer) -> None:
    ana, ben = two
    gate = Gate("ask", 2)
    org.before = gate.meet
    running = ana.start("resync", "--all", "--yes", "--json")
    assert gate.met.wait(60)
    refused = ben.run("resync", "--all", "--yes")
    assert refused.code == ExitCode.REFUSED
    assert re.search(r"All of these rows are being re-synced by .*process \d+ on ", refused.err)
    running.kill()
    assert running.wait() == -signal.SIGKILL
    org.before = lambda _arrival: None
    gate.open.set()
    resumed = ben.run("resume", "--continue", "--yes", "--json")
    assert resumed.code in {ExitCode.OK, ExitCode.NOT_ALL_FIXED}, resumed.err
    assert asked_twice(org) == {}
    (run,) = ana.run("journal", "--json").rows
    assert (run["state"], sum(run["verdicts"].values())) == ("finished", run["planned"])


@pytest.mark.parametrize("lost", ["cut", "stopped"])
def test_a_database_that_is_lost_in_the_middle_of_a_run_stops_it_and_resume_goes_on(
    org: WatchedServer,
    tmp_path: Path,
    postgres: PostgresServer,
    database: str,
    lost: str,
) -> None:
    ana, ben = at_desks(org, tmp_path, postgres.url(database))
    gate = Gate("ask", 2)
    org.before = gate.meet
    running = ana.start("resync", "--all", "--yes", "--json")
    assert gate.met.wait(60)
    if lost == "stopped":
        postgres.allow(database, connections=False)
    postgres.cut(database)
    sent = len(org.asks)
    gate.open.set()
    code = running.wait()
    assert "Traceback" not in running.err
    assert code in {ExitCode.OK, ExitCode.NOT_ALL_FIXED, ExitCode.MACHINE}, running.err
    if lost == "stopped":
        assert code == ExitCode.MACHINE, running.err
        assert running.err.count("Stopping: The journal cannot be reached") == 1
        assert len(org.asks) <= sent + 2, "more was sent than was under way"
        refused = ben.run("resync", "--all", "--yes")
        assert (refused.code, refused.out) == (ExitCode.MACHINE, "")
        assert len(org.asks) <= sent + 2
        postgres.allow(database, connections=True)
    if (
        code == ExitCode.MACHINE
    ):  # a connection that is cut is opened anew, but not while something is written
        resumed = ben.run("resume", "--continue", "--yes", "--json")
        assert resumed.code in {ExitCode.OK, ExitCode.NOT_ALL_FIXED}, resumed.err
    assert asked_twice(org) == {}
    (run,) = ben.run("journal", "--json").rows
    assert (run["state"], sum(run["verdicts"].values())) == ("finished", run["planned"])
