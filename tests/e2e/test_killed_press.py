"""Killed at each step of a press of the org's own button: the same end, and nothing pressed twice.

The template is learned from a recording by `setup`, the program is a real process, and the org keeps its
state in a file. Steps are the org's requests: those that look, those that bridge to Lightning, and the press.
"""

from __future__ import annotations

import json
import os
import signal
import time
from functools import partial
from pathlib import Path
from random import Random

import pytest

from syncerr_tui.demo.options import DemoOptions
from tests import forks
from tests.e2e.orgs import WatchedServer, served
from tests.e2e.test_killed import (
    DELAY,
    PATIENCE,
    SEED,
    Killer,
    Lanes,
    Person,
    RemoteOrg,
    Usual,
    check_fixed,
    lanes,
    repair_some,
    verdicts,
)
from tests.layers import layered

__all__ = ["lanes"]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes the POSIX way")

ROWS = 14
LIGHTNING = "lwr-absent"
WAYS: dict[str, tuple[str, ...]] = {
    "lwr": (),
    "lightning": (LIGHTNING,),
    "out of sync": (LIGHTNING, "out-of-sync:1"),
    "new token": (LIGHTNING, "csrf-new-token:1"),
    "session gone": (LIGHTNING, "session-gone:1"),
    "returns nothing": ("returns-void",),
}
Moment = tuple[str, str, int, str]
"""Way, kind of request, its number, and when: before it is carried out, after, or lost with the program."""


def moments() -> list[Moment]:
    """Every step of the first presses, on every way."""
    every: list[Moment] = []
    for way, faults in WAYS.items():
        every += [(way, "ask", n, when) for n in range(1, 5) for when in ("before", "after", "never")]
        every += [(way, "read", n, when) for n in range(1, 7) for when in ("before", "after")]
        if LIGHTNING in faults:
            every += [(way, "bridge", n, when) for n in range(1, 6) for when in ("before", "after")]
    return every


CHOSEN = layered("programs killed during a press of the button", Random(14).sample(moments(), 3), moments())


def set_up(home: Path, server: WatchedServer) -> Person:
    """A person whose profile was learned from a recording of this org's button."""
    home.mkdir(parents=True)
    har = home / "press.har"
    har.write_text(json.dumps(server.recording(server.instance_url)), encoding="utf-8")
    org = RemoteOrg(server.instance_url, server.access_token)
    person = Person(home, org, ("resync", "--all", "--yes", "--json"))
    words = ("--yes", "--method", "button", "--har", str(har), "--batch-size", "3", "--done", "PROCESSED")
    done = forks.run("setup", "box", *words, "--patience", str(PATIENCE), env=person.env)
    assert done.code == 0, done.err
    har.unlink()
    repair_some(server.org)
    org.look()
    return person


def executions(server: WatchedServer) -> dict[str, int]:
    """Event -> how often the button's method ran with it, as the org counts."""
    return dict(server.button.executions)


def options(folder: Path, way: str) -> DemoOptions:
    folder.mkdir(parents=True, exist_ok=True)
    faults = WAYS[way]
    return DemoOptions(errors=ROWS, seed=SEED, processing_delay=DELAY, db=folder / "org.db", faults=faults)


def in_peace(folder: Path, way: str, usual: dict[str, Usual]) -> None:
    """The end of a run that nothing disturbs."""
    with served(options(folder, way)) as server:
        person = set_up(folder / "home", server)
        began = time.monotonic()
        child = person.start()
        assert child.wait() in {0, 1}, child.err
        assert set(executions(server).values()) == {1}
        usual[way] = verdicts(person), person.org.final_state(), time.monotonic() - began


def killed_at(folder: Path, moment: Moment, usual: dict[str, Usual]) -> None:
    """One world, with a kill while the org holds a request."""
    way, kind, number, when = moment
    expected, final, _ = usual[way]
    with served(options(folder, way)) as server:
        person = set_up(folder / "home", server)
        killer = Killer(kind, number, when)
        setattr(server, "after" if when == "after" else "before", killer.meet)
        killer.child = person.start()
        killer.ready.set()
        code = killer.child.wait()
        if not killer.done:  # this way has fewer such steps
            assert kind == "bridge", killer.child.err
            return
        assert code == -signal.SIGKILL
        while not person.over():
            child = person.start()
            assert child.wait() in {0, 1}, child.err
        assert set(executions(server).values()) == {1}, executions(server)
        ends, state = verdicts(person), person.org.final_state()
        for file in person.home.rglob("*"):
            assert not file.is_file() or server.access_token.encode() not in file.read_bytes(), file
    check_fixed(ends, state)
    assert ends == expected
    assert state == final


@pytest.mark.timeout(3_600)
def test_killed_at_each_step_of_a_press(lanes: Lanes) -> None:
    usual: dict[str, Usual] = {}
    lanes.all(partial(in_peace, usual=usual), sorted({moment[0] for moment in CHOSEN}))
    lanes.all(partial(killed_at, usual=usual), CHOSEN)
