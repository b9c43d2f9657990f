"""Plan files, journals, clocks and pauses that go wrong: what may be sent then, and what may be said."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.independent.clock import Clock
from tests.independent.home import Home
from tests.independent.org import Fate, Manners, Reaction
from tests.independent.steps import MakeHome, Serve, doubled, orders, resync, verdicts
from tests.independent.truth import Request
from tests.independent.wire import Fault, Server

# -- plan files and causes


def test_a_plan_is_applied_although_some_of_its_rows_have_left_the_list(
    tmp_path: Path, serve: Serve, make_home: MakeHome
) -> None:
    server = serve()
    gone, stays = orders(server.org, 2)
    home = make_home(server, proof_timeout=30)
    assert home.run("plan", "--all", "-o", str(tmp_path / "a.plan")).code == 0
    server.org.press([gone.id], server.org.now())
    server.org.clock.skip(10)
    process = home.run("apply", str(tmp_path / "a.plan"), "--yes", "--json")
    assert process.code == 0
    assert verdicts(process) == {gone.id: "RESOLVED ELSEWHERE", stays.id: "FIXED"}
    assert doubled(server.org) == []


def test_a_plan_file_sends_no_victim_whose_cause_has_failed_again(
    tmp_path: Path, serve: Serve, make_home: MakeHome
) -> None:
    server = serve(Manners(reaction=Reaction.STATUS))
    org = server.org
    cause = org.add_event("Account", "create", fate=Fate.FAILS, delay=30)
    victim = org.add_event("Order", "create", parent=cause)
    home = make_home(server, proof_timeout=30)
    org.press([cause.id], org.now())
    assert home.run("plan", "--all", "-o", str(tmp_path / "a.plan")).code == 0
    org.clock.skip(40)
    process = home.run("apply", str(tmp_path / "a.plan"), "--yes", "--json")
    assert process.code == 1
    assert org.truth.requests == []
    assert victim.id in process.err


def test_a_cause_that_somebody_else_had_rejected_keeps_its_victims_back(
    serve: Serve, make_home: MakeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    org = server.org
    cause = org.add_event("Account", "create", fate=Fate.REJECTED, delay=1)
    victim = org.add_event("Order", "create", parent=cause)
    looked = org.looked

    def reject_when_listed(token: str, events: Iterable[str]) -> None:
        looked(token, events)
        monkeypatch.setattr(org, "looked", looked)
        org.press([cause.id], org.now() - 5)

    monkeypatch.setattr(org, "looked", reject_when_listed)
    process = resync(make_home(server, proof_timeout=20))
    assert verdicts(process)[victim.id] == "NOT SENT"
    assert not any(victim.id in request.events for request in org.truth.requests)
    assert process.code == 1


# -- journals


def truncated(journal: Path) -> None:
    journal.write_bytes(journal.read_bytes()[:3000])


def garbage(journal: Path) -> None:
    journal.write_bytes(b"\x07" * 4096 + journal.read_bytes()[4096:])


def without_its_log(journal: Path) -> None:
    journal.with_name(journal.name + "-wal").unlink(missing_ok=True)


def flipped_log(journal: Path) -> None:
    log = journal.with_name(journal.name + "-wal")
    log.write_bytes(bytes(byte ^ 0xFF for byte in log.read_bytes()))


def put_back(journal: Path) -> None:
    without_its_log(journal)
    journal.write_bytes(journal.with_name("backup").read_bytes())


def emptied(journal: Path) -> None:
    without_its_log(journal)
    journal.unlink()
    sqlite3.connect(journal).close()


def deleted(journal: Path) -> None:
    without_its_log(journal)
    journal.unlink()


def kill_at_the_request(server: Server, home: Home) -> None:
    """The next command dies when the org has done what it asked for."""

    def kill(_: Request) -> None:
        server.manner.after = lambda _: None
        home.started[-1][2].kill(signal.SIGKILL)

    server.manner.after = kill


@pytest.mark.parametrize(
    "damage", [truncated, garbage, without_its_log, flipped_log, put_back, emptied, deleted]
)
def test_a_damaged_journal_is_told_and_gives_no_leave_to_send_again(
    serve: Serve, make_home: MakeHome, damage: Callable[[Path], None]
) -> None:
    server = serve()
    home = make_home(server, proof_timeout=15)
    resync(home)  # a journal with nothing in it, for `put_back`
    orders(server.org, 6, delay=300)
    home.run("verify")
    journal = next(one for one in home.journals if one.suffix == ".db")
    journal.with_name("backup").write_bytes(journal.read_bytes())
    kill_at_the_request(server, home)
    process = home.start("resync", "--all", "--yes", "--json")
    assert process.wait() == -signal.SIGKILL
    damage(journal)
    second = resync(home)
    third = resync(home)
    assert "journal" in second.err
    assert doubled(server.org) == []
    assert len(server.org.truth.requests) == 1
    assert second.code != 0
    assert third.code != 0


# -- pauses


def test_a_write_that_was_turned_away_is_looked_at_again_before_it_goes(
    serve: Serve, make_home: MakeHome
) -> None:
    server = serve(Manners(reaction=Reaction.STATUS))
    org = server.org
    events = orders(org, 6, delay=30)
    server.manner.writes = [Fault.BUSY]
    server.manner.on_busy = lambda: org.press([event.id for event in events], org.now())
    resync(make_home(server))
    org.clock.skip(60)
    org.catch_up()
    assert [len(org.truth.applied(event.id)) for event in events] == [1] * 6


def test_a_machine_that_slept_between_look_and_request_looks_again(
    serve: Serve, make_home: MakeHome, clock: Clock
) -> None:
    server = serve(Manners(reaction=Reaction.STATUS))
    org = server.org
    events = orders(org, 4, delay=600)
    home = make_home(server, proof_timeout=5)

    def sleep() -> None:
        server.manner.on_read = lambda: None
        org.press([event.id for event in events], org.now())
        clock.skip(200)  # the answer on its way is three minutes old when it is read

    server.manner.on_read = sleep
    resync(home)
    asked = [event for request in org.truth.requests for event in request.queued]
    assert asked == []


# -- clocks


@pytest.mark.parametrize("wrong", [-86_400.0, -300.0, -5.0])
def test_a_date_header_of_a_cache_makes_nothing_fixed(
    serve: Serve, make_home: MakeHome, wrong: float
) -> None:
    server = serve()
    org = server.org
    for _ in range(4):
        event = org.add_event("Order", "update", fate=Fate.NOTHING, delay=5)
        org.touch_record(event.id, org.now() - 3, by="sync")
    server.manner.date = lambda now: (now + wrong, "")
    process = resync(make_home(server, proof_timeout=30))
    assert set(verdicts(process).values()) == {"UNKNOWN"}


@pytest.mark.parametrize("jump", [59.0, 5.0, -30.0, 86_400.0, -86_400.0])
def test_a_local_clock_that_jumps_in_the_middle_changes_no_verdict(
    serve: Serve, make_home: MakeHome, jump: float
) -> None:
    server = serve()
    org = server.org
    causes = [org.add_event("Account", "create", delay=20) for _ in range(3)]
    events = [*causes, *(org.add_event("Order", "create", parent=cause, delay=4) for cause in causes)]
    process = resync(make_home(server, jumps=((10.0, jump),)))
    assert verdicts(process) == {event.id: "FIXED" for event in events}
    assert process.code == 0
