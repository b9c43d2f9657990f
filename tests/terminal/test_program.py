"""The real program in a real pseudo-terminal of 80x24, on the embedded demo org."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.bench.pty_program import PtyProgram
from tests.forks import at_terminal
from tests.layers import layered

pytestmark = pytest.mark.terminal

_COLOUR = re.compile(rb"\x1b\[[0-9;]*?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[0-9;]*m")
READY = "refreshed just now"


def environ(home: Path, **changes: str) -> dict[str, str]:
    # COLUMNS and LINES, which a test runner may have set, would stand for the window's size for ever.
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("SSH_", "SYNCERR", "NO_COLOR", "TMUX", "TEXTUAL", "TERM", "COLORTERM", "LC_"))
        and key not in {"COLUMNS", "LINES"}
    }
    base = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "SYNCERR_HOME": str(home)}
    return {**kept, **base, **changes}


@contextmanager
def app(home: Path, *options: str, fresh: bool = False, **changes: str) -> Iterator[PtyProgram]:
    """The app on a small demo org whose engine needs no patience; `fresh`: in an interpreter of its own."""
    words, around = ("demo", "--processing-delay", "0.2", *options), environ(home, **changes)
    program = (
        PtyProgram((sys.executable, "-m", "syncerr_tui", *words), environ=around)
        if fresh
        else PtyProgram(words, environ=around, start=at_terminal)
    )
    with program:
        yield program


def restored(program: PtyProgram) -> bool:
    """Whether the terminal was left as it was: main screen, cursor on, no mouse, no pasting mode."""
    raw = bytes(program.raw)
    undone = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l")
    last_on = max(raw.rfind(b"\x1b[?1049h"), raw.rfind(b"\x1b[?25l"))
    mouse_off = b"\x1b[?1000h" not in raw or raw.rfind(b"\x1b[?1000l") > raw.rfind(b"\x1b[?1000h")
    return all(raw.rfind(code) > last_on for code in undone) and mouse_off


def test_the_whole_loop_fix_resync_proven(tmp_path: Path) -> None:
    with app(tmp_path, fresh=True) as program:
        program.wait_for(READY)
        program.press("F")
        program.answer("enter chooses")
        program.answer("enter applies it")
        program.answer("R re-syncs now", "R")
        program.answer("enter starts")
        program.wait_for("Result")
        program.wait_for("1 fixed")
        program.wait_for("FIXED")
        program.wait_for("139 sync errors")
        program.press("escape")
        program.wait_for(lambda lines: not any("FIXED" in line for line in lines))
        program.wait_for("139 sync errors")
        program.press("q")
        assert program.wait() == 0
        assert restored(program)


def test_select_filter_and_resync_what_was_not_repaired(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.press("/", "code:DUPLICATES_DETECTED object:Account", "enter")
        program.wait_for("shown)")
        program.press("a")
        program.wait_for("selected")
        program.press("R")
        program.answer("enter starts")
        program.wait_for("Result")
        program.wait_for("still failing")
        program.press("q")
        assert program.wait() == 0


def test_what_is_typed_ahead_arrives_where_it_belongs(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        # One write, as a slow line delivers it: the filter's R filters, the last one acts on what it shows.
        program.press("/code:DUPLICATES_DETECTED -Robin\raR")
        # The line of places has room for both ends of the filter; a shorter one is half typed.
        whole = re.compile(r"filter: code:DU\S* -Robin +\(([\d,]+) shown\)")
        lines = program.wait_for(lambda lines: whole.search(lines[1]) is not None)
        match = whole.search(lines[1])
        assert match is not None
        shown = int(match[1])
        assert 0 < shown < 20
        program.wait_for(f"{shown} selected")
        program.wait_for("enter starts")


def test_ctrl_c_stops_the_run_and_not_the_app(tmp_path: Path) -> None:
    with app(tmp_path, "--processing-delay", "3") as program:
        program.wait_for(READY)
        program.press("a", "R")
        program.answer("enter starts")
        program.wait_for("X stop")
        program.press("ctrl+c")
        program.wait_for(lambda lines: {"Result", "stopped"} <= set(re.findall(r"\w+", "".join(lines))))
        assert not program.exited()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    with app(tmp_path, fresh=number is signal.SIGTERM) as program:
        program.wait_for(READY)
        program.signal(number)
        assert program.wait() == 128 + number
        assert restored(program)


def test_a_dropped_line_ends_the_program(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.hang_up()
        program.wait()


def test_no_color_writes_no_colour_codes(tmp_path: Path) -> None:
    with app(tmp_path, NO_COLOR="1") as program:
        program.wait_for(READY)
        program.press("j", "space", "?")
        program.wait_for("Keys in Errors")
        program.press("escape")
        program.wait_for("140 sync errors")
        program.press("/", "zzz")
        program.wait_for("Nothing matches")
        program.press("escape")
        program.wait_for("Account")
        program.press("R")
        program.wait_for("enter starts")
        assert not _COLOUR.search(bytes(program.raw))
        # The row under the cursor is told by more than a glyph.
        assert b"\x1b[7m" in program.raw


@pytest.mark.parametrize(
    "term", layered("poorer terminals", ["screen", "linux"], ["screen", "tmux", "linux", "xterm"])
)
def test_poorer_terminals_get_their_own_sixteen_colours(tmp_path: Path, term: str) -> None:
    with app(tmp_path, TERM=term, COLORTERM="") as program:
        shown = program.wait_for(READY)
        assert "Account" in "\n".join(shown)
        program.press("space")
        mark = "*" if term == "linux" else "✓"
        program.wait_for(lambda lines: lines[3].startswith(f" {mark}"))
        assert b";2;" not in program.raw.replace(b"\x1b[>25u", b"")
        program.press("o")
        program.wait_for("Sort by")
        if term == "linux":
            assert not set("…✓▌┃│▲┌─↓") & set("".join(program.text))


def test_over_ssh_there_is_no_mouse_and_no_true_colour(tmp_path: Path) -> None:
    with app(tmp_path, SSH_CONNECTION="10.0.0.1 5 10.0.0.2 22") as program:
        program.wait_for(READY)
        assert b"\x1b[?1000h" not in program.raw
        assert b"38;2;" not in program.raw


def test_idle_writes_nothing_and_a_key_writes_little(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.read(0.5)
        assert program.read_for(2) == 0
        pressed: list[int] = []
        for key in ("down", "up") * 4:
            program.press(key)
            program.wait_for(lambda _: len(program.raw) > sum(pressed), 5)
            pressed.append(program.read(0.15))
        assert max(pressed) <= 400


def test_resizing_while_it_runs(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.resize(50, 12)
        program.wait_for("Window too small: 50x12, needs 60x15")
        program.resize(120, 30)
        program.wait_for("What happened")


def test_without_a_terminal_the_commands_are_named(tmp_path: Path) -> None:
    import subprocess

    command = [sys.executable, "-m", "syncerr_tui", "demo"]
    done = subprocess.run(
        command, env=environ(tmp_path), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 6
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "syncerr-tui list" in done.stderr


def test_a_dumb_terminal_gets_the_same_line(tmp_path: Path) -> None:
    with app(tmp_path, TERM="dumb") as program:
        assert program.wait() == 6
        assert "TERM=dumb" in " ".join(program.text)
        assert b"\x1b[" not in program.raw


def test_a_defect_leaves_one_line_and_no_local_variables(tmp_path: Path) -> None:
    broken = (
        "from syncerr_tui.ui import errors_pane as p\n"
        "def boom(self, *_):\n"
        "    secret = 'hunter2-token'\n"
        "    raise RuntimeError(secret)\n"
        "p.ErrorsPane.COUNTED['toggle'] = boom\n"
    )
    start = partial(at_terminal, first=broken)
    with PtyProgram(["demo"], environ=environ(tmp_path), start=start) as program:
        program.wait_for(READY)
        program.press("space")
        assert program.wait() == 70
        assert restored(program)
        assert b"hunter2" not in program.raw
        assert b"crash.log" in program.raw
    log = (tmp_path / "log" / "crash.log").read_text("utf-8")
    assert "in boom" in log
    assert "hunter2" not in log


def test_keys_typed_from_the_very_start_end_nothing(tmp_path: Path) -> None:
    with app(tmp_path, fresh=True) as program:
        for _ in range(300):
            program.press("j", "c", "g", "down", "1")
            program.read(0.02)
            if any(READY in line for line in program.text):
                break
        program.wait_for(READY)
        program.press("q")
        assert program.wait() == 0
