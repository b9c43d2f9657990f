"""The guided method: a person presses the button in Salesforce, at a terminal that can go away any time."""

from __future__ import annotations

import signal

import pytest

from tests.bench.pty_program import PtyProgram
from tests.independent.org import Event, Org
from tests.independent.steps import MakeHome, Serve, orders

pytestmark = pytest.mark.terminal


def press(program: PtyProgram, org: Org, events: list[Event]) -> None:
    """Do what the program asks for, in Salesforce."""
    program.wait_for("Pressed?")
    assert all(any(event.key in line for line in program.text) for event in events)
    org.press([event.id for event in events], org.now())


def asked_to_press(program: PtyProgram) -> bool:
    return b"Pressed?" in program.raw


def test_what_a_person_pressed_is_proven(serve: Serve, make_home: MakeHome) -> None:
    org = (server := serve()).org
    events = orders(org, 3, delay=40)
    with make_home(server, method="guided").at_a_terminal("resync", "--all", "--yes") as program:
        press(program, org, events)
        program.press("y", "enter")
        assert program.wait() == 0
    assert bytes(program.raw).count(b"FIXED") == 3
    assert [len(org.truth.applied(event.id)) for event in events] == [1, 1, 1]


@pytest.mark.parametrize("way_out", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, "ctrl+d"])
def test_nobody_is_asked_to_press_again_for_what_may_be_under_way(
    serve: Serve, make_home: MakeHome, way_out: signal.Signals | str
) -> None:
    org = (server := serve()).org
    events = orders(org, 3, delay=100)
    home = make_home(server, method="guided")
    with home.at_a_terminal("resync", "--all", "--yes") as program:
        press(program, org, events)
        if isinstance(way_out, str):
            program.press(way_out)
        else:
            program.signal(way_out)
        program.wait()
    for argv in (("resume", "--continue", "--yes"), ("resync", "--all", "--yes")):
        with home.at_a_terminal(*argv) as again:
            again.wait()
            assert not asked_to_press(again)
    org.catch_up()
    assert [len(org.truth.applied(event.id)) for event in events] == [1, 1, 1]


def test_who_says_no_is_asked_again(serve: Serve, make_home: MakeHome) -> None:
    org = (server := serve()).org
    events = orders(org, 2, delay=5)
    home = make_home(server, method="guided")
    with home.at_a_terminal("resync", "--all", "--yes") as program:
        program.wait_for("Pressed?")
        program.press("n", "enter")
        assert program.wait() == 1
    with home.at_a_terminal("resync", "--all", "--yes") as program:
        press(program, org, events)
        program.press("y", "enter")
        assert program.wait() == 0


def test_rows_are_ticked_by_number_while_others_are_proven(serve: Serve, make_home: MakeHome) -> None:
    org = (server := serve()).org
    events = orders(org, 3, delay=5)
    with make_home(server, method="guided").at_a_terminal("resync", "--all", "--yes") as program:
        program.wait_for("Pressed?")
        text = "\n".join(program.text)
        order = sorted(events, key=lambda event: text.index(event.key))
        org.press([order[1].id], org.now())
        program.press("2", "enter")
        program.wait_for("FIXED")
        assert len(org.truth.applied(order[1].id)) == 1
        org.press([order[0].id, order[2].id], org.now())
        program.press("1,3", "enter")
        assert program.wait() == 0
    assert bytes(program.raw).count(b"FIXED") == 3


def test_a_number_that_is_none_is_refused_in_words_and_none_leaves_the_rest_unsent(
    serve: Serve, make_home: MakeHome
) -> None:
    org = (server := serve()).org
    events = orders(org, 2, delay=5)
    with make_home(server, method="guided").at_a_terminal("resync", "--all", "--yes") as program:
        program.wait_for("Pressed?")
        program.press("7", "enter")
        program.wait_for("numbers from 1 to 2")
        program.press("n", "enter")
        assert program.wait() == 1
    assert b"2 not sent" in bytes(program.raw)
    assert [len(org.truth.applied(event.id)) for event in events] == [0, 0]


def test_what_was_ticked_and_never_pressed_is_not_said_to_be_taken_by_the_org(
    serve: Serve, make_home: MakeHome
) -> None:
    org = (server := serve()).org
    orders(org, 2, delay=5)
    with make_home(server, method="guided").at_a_terminal("resync", "--all", "--yes") as program:
        program.wait_for("Pressed?")
        program.press("1", "enter")
        program.wait_for("ticked as pressed, and the org shows no trace of it")
        program.press("-", "1", "enter")
        program.wait_for("cannot be taken back")
        program.press("n", "enter")
        assert program.wait() == 1
    assert b"accepted" not in bytes(program.raw)


def test_a_list_that_is_shown_again_says_what_is_not_to_be_pressed_again(
    serve: Serve, make_home: MakeHome
) -> None:
    org = (server := serve()).org
    events = orders(org, 2, delay=500)
    with make_home(server, method="guided").at_a_terminal("resync", "--all", "--yes") as program:
        press(program, org, events[:1])
        program.press("1", "enter")
        program.wait_for("1 row to press.")
        program.press("l", "enter")
        program.wait_for("but none that says 'pressed'")
        program.press("n", "enter")
        program.wait()
