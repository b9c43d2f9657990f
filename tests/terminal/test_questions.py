"""Ctrl-c at a question is a no, at once: one press, exit 130, and nothing is on its way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from tests import forks
from tests.bench.pty_program import PtyProgram
from tests.terminal.test_program import environ

pytestmark = pytest.mark.terminal
CTRL_C = b"\x03"


def command(home: Path, *words: str) -> list[dict[str, object]]:
    """The JSON lines of a command that shows what a home keeps."""
    done = forks.run(*words, "--json", env=org_environ(home))
    assert done.code == 0, done.err
    return done.rows


def org_environ(home: Path) -> dict[str, str]:
    address = json.loads((home / "org.json").read_text(encoding="utf-8"))
    return environ(home, SYNCERR_INSTANCE_URL=address[0], SYNCERR_ACCESS_TOKEN=address[1])


@pytest.mark.parametrize(
    ("words", "answers", "question"),
    [
        ("resync --all", (), "Re-sync "),
        ("resync --all", (b"y\r",), "Pressed?"),
        ("setup", (), "Number or name"),
        ("setup", (b"2\r",), "What do you call this org"),
    ],
)
def test_ctrl_c_at_a_question(tmp_path: Path, words: str, answers: tuple[bytes, ...], question: str) -> None:
    with DemoServer(DemoOptions(errors=5)) as server:
        address = json.dumps([server.instance_url, server.access_token])
        (tmp_path / "org.json").write_text(address, encoding="utf-8")
        around = org_environ(tmp_path)
        with PtyProgram(
            words.split(), columns=100, lines=40, environ=around, start=forks.at_terminal
        ) as program:
            for answer in answers:
                program.wait_for("[")
                program.wait_for("]:")
                program.send(answer)
            program.wait_for(question)
            program.send(CTRL_C)
            assert program.wait() == 130
        if words == "setup":
            assert not list(tmp_path.rglob("*.toml"))
            return
        assert command(tmp_path, "resume") == []
        runs = command(tmp_path, "journal")
        assert len(runs) == len(answers)
        for run in runs:
            rows = command(tmp_path, "journal", str(run["run"]))
            assert rows
            # Whether somebody pressed the button before leaving, nobody but the org can tell.
            asked = {"UNKNOWN"} if "Pressed?" in question else set()
            assert {row["verdict"] for row in rows} <= {"NOT SENT"} | asked
