"""A person presses Re-sync in the demo org and ticks off here, until somebody pulls the plug."""

from __future__ import annotations

import itertools
import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from syncerr_tui.demo.options import DemoOptions
from tests.bench.pty_program import PtyProgram
from tests.e2e.orgs import ACTION, EVENT, WatchedServer, served, write_profile
from tests.forks import at_terminal
from tests.terminal.test_program import READY, environ

pytestmark = pytest.mark.terminal

_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@contextmanager
def app(home: Path, server: WatchedServer) -> Iterator[PtyProgram]:
    """The app on that org, whose profile names no way to send but a person."""
    write_profile(home, proof_timeout=30)
    profile = home / "config" / "orgs" / "box.toml"
    text = profile.read_text(encoding="utf-8")
    profile.write_text(text[: text.index("[method]")] + '[method]\nkind = "guided"\n', encoding="utf-8")
    env = environ(home, SYNCERR_INSTANCE_URL=server.instance_url, SYNCERR_ACCESS_TOKEN=server.access_token)
    with PtyProgram(("--org", "box"), columns=110, lines=50, environ=env, start=at_terminal) as program:
        yield program


def press(server: WatchedServer, *keys: str) -> None:
    """The person ticks the rows with these StoreConnect IDs in Salesforce, and presses Re-sync there."""
    events = [
        str(row["Id"])
        for row in server.store.find(EVENT, s_c__Status__c="FAILED")
        if row["s_c__StoreConnect_Id__c"] in keys
    ]
    assert events
    body = json.dumps({"inputs": [{"changeEventId": event} for event in events]}).encode()
    headers = {"Authorization": f"Bearer {server.access_token}", "Content-Type": "application/json"}
    path = f"{server.instance_url}/services/data/v62.0/actions/custom/apex/{ACTION}"
    with urlopen(Request(path, data=body, headers=headers), timeout=30) as answer:
        assert all(one["isSuccess"] for one in json.load(answer))


def rows(program: PtyProgram) -> dict[str, str]:
    """StoreConnect ID -> where the screen says that its row stands."""
    lines = program.text
    words: dict[str, str] = {}
    for above, line in itertools.pairwise(lines):
        key, row = _KEY.search(line), re.search(r"\[[x -]\] (.{8})", above)
        if key and row:
            words.setdefault(key[0], row[1].strip())
    return words


def standing(program: PtyProgram, word: str) -> list[str]:
    return [key for key, where in rows(program).items() if where == word]


def wait_until_gone(program: PtyProgram, key: str, word: str) -> None:
    program.wait_for(lambda _: key not in standing(program, word))


def test_the_plug_is_pulled_between_a_press_and_its_tick(tmp_path: Path) -> None:
    with served(DemoOptions(errors=6, processing_delay=0.3)) as server:
        server.fix_some(1)
        with app(tmp_path, server) as program:
            program.wait_for(READY)
            program.press("a", "R")
            program.answer("enter starts")
            program.wait_for("then space here")
            first, *_others = standing(program, "to press")
            press(server, first)
            program.press("space")
            program.wait_for(lambda _: first in standing(program, "FIXED"))
            open_now = [key for key in standing(program, "to press") if key != first]
            unticked = open_now[0]
            press(server, unticked)
            program.signal(signal.SIGKILL)
            program.wait()
        with app(tmp_path, server) as program:
            program.answer("was interrupted", "c")
            program.wait_for(lambda _: unticked in standing(program, "FIXED"))
            assert unticked not in standing(program, "to press"), "it is found, and never asked for again"
            for _ in range(20):
                if "Result" in "\n".join(program.text):
                    break
                while doubtful := standing(program, "pressed?"):
                    program.press("g", *["j"] * list(rows(program)).index(doubtful[0]), "N")
                    wait_until_gone(program, doubtful[0], "pressed?")
                if asked := standing(program, "to press"):
                    press(server, *asked)
                    program.press("a")
                    program.wait_for(lambda _: not standing(program, "to press") or _over(program))
                program.wait_for(lambda _: standing(program, "to press") != [] or _over(program))
            program.wait_for("6 planned: 6 fixed")
            program.press("q")
            assert program.wait() == 0
        assert server.failed() == []
        assert {times["processed"] for times in server.counts().values()} <= {1}, "nothing was pressed twice"


def _over(program: PtyProgram) -> bool:
    return any("planned:" in line for line in program.text)
