"""The seven ways in which the promises were once broken, each driven through the front door.

The org is the independent one, time is skipped, kills are real. `SYNCERR_INDEPENDENT_PRODUCT=PATH` runs
them on another checkout.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.bench.pty_program import PtyProgram
from tests.independent.naming import Naming
from tests.independent.org import Fate, Manners, Reaction
from tests.independent.processes import product_root
from tests.independent.steps import MakeHome, Serve, doubled, orders, resync, verdicts
from tests.independent.truth import Request
from tests.independent.wire import Fault
from tests.layers import layered

# -- H1: a byte that is not UTF-8


@pytest.mark.terminal
@pytest.mark.parametrize(
    "byte", layered("bytes that are not UTF-8", [b"\xc3\x28"], [b"\xe4", b"\xff", b"\xc3\x28"])
)
def test_h1_a_byte_that_is_not_utf8_does_not_end_the_app_in_the_middle_of_a_run(
    tmp_path: Path, serve: Serve, make_home: MakeHome, byte: bytes
) -> None:
    server = serve()
    orders(server.org, 3, delay=1.5)
    home = make_home(server)
    names = ("PATH", "LD_LIBRARY_PATH", "PYTHONPYCACHEPREFIX")  # the last one: not compiled once more
    kept = {name: os.environ[name] for name in names if name in os.environ}
    environ = {**kept, **home.environment(1), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    environ["PYTHONPATH"] = str(product_root())
    command = [sys.executable, "-m", "syncerr_tui", "--org", "shop"]
    with PtyProgram(command, environ=environ) as program:
        program.wait_for("3 sync errors")
        program.press("a")
        program.wait_for("3 selected")
        program.press("R")
        program.answer("enter starts", "enter")
        program.wait_for(lambda _: bool(server.org.truth.requests))
        os.write(program._master, byte)
        program.press("j")
        program.wait_for("3 fixed")
        program.press("q")
        assert program.wait() == 0
        assert b"Traceback" not in program.raw


# -- H2: sent again although the outcome is unknown


def test_h2_a_lost_reply_keeps_the_orgs_usual_time_however_short_the_patience(
    serve: Serve, make_home: MakeHome
) -> None:
    server = serve()
    events = orders(server.org, 6, delay=90)
    server.manner.writes = [Fault.LOST_AFTER]
    home = make_home(server, proof_timeout=5)
    first, second = resync(home), resync(home)
    assert set(verdicts(first).values()) == {"UNKNOWN"}
    assert doubled(server.org) == []
    assert verdicts(second) == {event.id: "FIXED" for event in events}
    assert second.code == 0


def test_h2_a_kill_at_the_request_keeps_the_orgs_usual_time(serve: Serve, make_home: MakeHome) -> None:
    server = serve()
    orders(server.org, 6, delay=20)
    home = make_home(server, proof_timeout=5)

    def kill(_: Request) -> None:
        server.manner.after = lambda _: None
        home.started[-1][2].kill(signal.SIGKILL)

    server.manner.after = kill
    process = home.start("resync", "--all", "--yes", "--json")
    assert process.wait() == -signal.SIGKILL
    home.run("resume", "--continue", "--yes", "--json")
    resync(home)
    assert doubled(server.org) == []


def test_h2_a_verify_in_between_gives_nobody_leave_to_send_again(serve: Serve, make_home: MakeHome) -> None:
    server = serve()
    orders(server.org, 6, delay=30)
    server.manner.writes = [Fault.LOST_AFTER]
    home = make_home(server, proof_timeout=5)
    resync(home)
    home.run("verify", "--json")
    resync(home)
    assert doubled(server.org) == []


def test_h2_patience_of_zero_is_no_leave_either(serve: Serve, make_home: MakeHome) -> None:
    server = serve()
    orders(server.org, 6, delay=30)
    server.manner.writes = [Fault.LOST_AFTER]
    home = make_home(server)
    resync(home, "--patience", "0")
    resync(home, "--patience", "0")
    assert doubled(server.org) == []


@pytest.mark.parametrize("reply", [Fault.NONE, Fault.LOST_AFTER])
def test_h2_an_org_that_is_slower_than_usual_is_not_asked_twice_without_a_word(
    serve: Serve, make_home: MakeHome, reply: Fault
) -> None:
    server = serve()
    orders(server.org, 4, delay=430)
    server.manner.writes = [reply]
    home = make_home(server)
    resync(home)
    resync(home)
    assert doubled(server.org) == []


# -- H3: a custom resource that answers 4xx


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 422])
def test_h3_an_error_of_a_custom_resource_proves_nothing(
    serve: Serve, make_home: MakeHome, status: int
) -> None:
    server = serve()
    orders(server.org, 6, delay=20)
    server.manner.refusal = status
    server.manner.writes = [Fault.REFUSED_AFTER]
    home = make_home(server, method="apexrest", proof_timeout=5)
    first = resync(home)
    assert "NOT SENT" not in verdicts(first).values()
    resync(home)
    assert doubled(server.org) == []


# -- H4: a status that does not mean done


@pytest.mark.parametrize(
    "word", ["Error", "Failed Permanently", "Rejected", "Complete With Errors", "Blocked", "Erledigt?"]
)
def test_h4_another_kind_of_failure_is_not_fixed(serve: Serve, make_home: MakeHome, word: str) -> None:
    server = serve(naming=Naming(rejected=word))
    org = server.org
    events = [org.add_event("Order", "update", fate=Fate.REJECTED, delay=5) for _ in range(3)]

    def touch_later(request: Request) -> None:
        for key in request.events:
            org.later(request.at + 6, partial(org.touch_record, key))

    server.manner.after = touch_later
    process = resync(make_home(server, proof_timeout=60))
    assert not {"FIXED", "RESOLVED ELSEWHERE"} & set(verdicts(process).values())
    assert len(verdicts(process)) == len(events)
    assert process.code == 1


def test_h4_a_status_on_its_way_to_failed_is_not_fixed(serve: Serve, make_home: MakeHome) -> None:
    server = serve()
    for _ in range(4):
        event = server.org.add_event("Order", "delete", fate=Fate.FLAPS, delay=2)
        del server.org.tables["Order"].rows[server.org.carriers(event)[0]]
    process = resync(make_home(server, proof_timeout=30))
    assert set(verdicts(process).values()) <= {"STILL FAILING", "NEW CAUSE", "UNKNOWN"}
    assert process.code == 1


# -- H5: a Delete whose record this user cannot see


def test_h5_a_hidden_record_is_not_a_deleted_one(serve: Serve, make_home: MakeHome) -> None:
    server = serve(Manners(sees_all=False))
    for _ in range(5):
        server.org.add_event("Order", "delete", fate=Fate.NOTHING, hidden=True, delay=2)
    process = resync(make_home(server, proof_timeout=20))
    assert set(verdicts(process).values()) == {"UNKNOWN"}
    assert process.code == 1


# -- H6: two operators with two homes


def test_h6_two_homes_that_share_a_journal_send_nothing_twice(
    tmp_path: Path, serve: Serve, make_home: MakeHome
) -> None:
    server = serve()
    orders(server.org, 20, delay=60)
    shared = tmp_path / "shared.db"
    ana, bob = (make_home(server, name, journal=shared) for name in ("ana", "bob"))
    first = ana.start("resync", "--all", "--yes", "--json")
    second = bob.start("resync", "--all", "--yes", "--json")
    codes = [first.wait(), second.wait()]
    third = bob.run("resync", "--all", "--yes", "--json")
    assert doubled(server.org) == []
    assert len(server.org.truth.applications) == 20
    assert codes[0] == 0 or codes[1] == 0
    assert third.code == 0


# -- H7: a touch is not the work


@pytest.mark.parametrize("processed_at", ["LastModifiedDate", "s_c__Handled__c"])
def test_h7_a_touch_of_the_event_is_not_its_processing(
    serve: Serve, make_home: MakeHome, processed_at: str
) -> None:
    server = serve(Manners(reaction=Reaction.TOUCH), naming=Naming(processed_at=processed_at))
    events = orders(server.org, 6, delay=30)
    home = make_home(server)
    first, second = resync(home), resync(home)
    assert doubled(server.org) == []
    assert verdicts(first) == {event.id: "FIXED" for event in events}
    assert (first.code, second.code) == (0, 0)
    assert not re.search("STILL FAILING", first.out)
