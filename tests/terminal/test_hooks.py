"""A command of the person's own that gets the terminal, in a real pseudo-terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.terminal.test_program import READY, app, restored

pytestmark = pytest.mark.terminal


def test_a_command_gets_the_terminal_and_the_app_comes_back(tmp_path: Path) -> None:
    rows, answer = tmp_path / "rows", "read x < /dev/tty; exit $x"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(
        f"""
        [hooks.ask]
        key = "E"
        foreground = true
        shell = true
        command = "cat > {rows}; stty -a < /dev/tty | grep -q ' icanon' && echo cooked; {answer}"

        [hooks.sleeps]
        key = "D"
        foreground = true
        command = ["sleep", "600"]
        """,
        encoding="utf-8",
    )
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.press("E")
        program.wait_for("cooked")
        assert restored(program)
        assert json.loads(rows.read_text(encoding="utf-8"))["object"]
        before = len(program.raw)
        program.press("7", "enter")
        program.wait_for("ask ended with code 7")
        assert b"\x1b[?1049h" in program.raw[before:]
        program.press("j")
        program.wait_for("? help")
        program.press("D")
        program.wait_for(lambda _lines: restored(program))
        # The keys that end a program are the command's, not the app's.
        program.send(b"\x03")
        program.wait_for("sleeps was ended by SIGINT")
        program.press("space")
        program.wait_for("1 selected")
        program.press("q")
        assert program.wait() == 0
        assert restored(program)


def test_a_mistake_in_the_configuration_is_one_line_and_no_screen(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("theme = 'drak'\n", encoding="utf-8")
    with app(tmp_path) as program:
        assert program.wait() == 2
        assert b"\x1b[?1049h" not in program.raw
        assert "config.toml:1: theme cannot be 'drak'. Did you mean dark?" in " ".join(
            "".join(program.text).split()
        )
