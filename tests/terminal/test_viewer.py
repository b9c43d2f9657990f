"""The raw record in a real pager and a real editor, in a real terminal, and the way back."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.terminal.test_program import READY, app, restored

pytestmark = pytest.mark.terminal

EDITOR = """
import os, sys, time
path = sys.argv[1]
print("EDITING", oct(os.stat(path).st_mode)[-3:], sys.stdin.isatty(), path)
while True:
    line = input()
    if line == "done":
        break
    print("GOT", line)
open(path, "a").write("changed")
"""


@pytest.mark.skipif(shutil.which("less") is None, reason="needs less")
def test_less_shows_the_record_and_q_comes_back(tmp_path: Path) -> None:
    with app(tmp_path, PAGER="less", LESS="", TMPDIR=str(tmp_path)) as program:
        program.wait_for(READY)
        program.press("|")
        program.wait_for('"attributes"')
        program.press("/", "Id", "enter", "q")
        program.wait_for(READY)
        program.press("space")
        program.wait_for("1 selected")
        assert list(tmp_path.glob("syncerr-*")) == []
        program.press("q")
        assert program.wait() == 0
        assert restored(program)


def test_an_editor_has_the_terminal_until_it_ends_while_a_run_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "editor.py"
    script.write_text(EDITOR)
    with app(
        tmp_path,
        "--errors",
        "30",
        "--processing-delay",
        "1",
        EDITOR=f"{sys.executable} {script}",
        VISUAL="",
        TMPDIR=str(tmp_path),
    ) as program:
        program.wait_for(READY)
        program.wait_for(" causes")
        program.press("a", "R")
        program.answer("enter starts")
        program.wait_for("X stop", 60)
        program.send(b"\x1bOS")
        # Not on the screen: the emulator has one only, and the editor writes wherever the app stood on it.
        program.wait_for(lambda _: b"EDITING 600 True" in program.raw)
        program.press("hello", "enter")
        program.wait_for(lambda _: b"GOT hello" in program.raw)
        before = len(program.raw)
        program.read(3)
        # The run goes on, and nothing of the app is written over the editor.
        assert b"\x1b[" not in bytes(program.raw[before:])
        program.press("done", "enter")
        program.wait_for("dropped")
        program.wait_for("Result", 60)
        assert list(tmp_path.glob("syncerr-*")) == []
        program.press("q")
        assert program.wait() == 0
        assert restored(program)
