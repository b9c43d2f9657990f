"""A terminal that takes nothing: a line that stands still, and perhaps drops in the end."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.bench.pty_program import PtyProgram
from tests.forks import at_terminal
from tests.terminal.test_program import READY, app, environ
from tests.terminal.test_suspend import state_of

pytestmark = pytest.mark.terminal


def _stall(program: PtyProgram) -> None:
    """Have more drawn than a terminal and its queue hold, and read none of it."""
    for _ in range(300):
        program.press("ctrl+l")
        time.sleep(0.005)


def _read_by(program: PtyProgram) -> None:
    """Wait until it has read what was typed and come to rest."""
    asleep = 0
    while asleep < 25:
        time.sleep(0.02)
        asleep = asleep + 1 if state_of(program.pid) == "S" else 0


def test_a_line_that_stands_still_and_drops_takes_the_program_along(tmp_path: Path) -> None:
    with app(tmp_path, fresh=True) as program:
        program.wait_for(READY)
        _stall(program)
        program.hang_up()
        assert program.wait(20) in {128 + signal.SIGHUP, -signal.SIGHUP}


def test_a_program_ends_when_told_to_though_its_line_stands_still(tmp_path: Path) -> None:
    soon = "from syncerr_tui.ui import terminal_driver as t\nt._LAST_SECONDS = 0.5\n"
    start = partial(at_terminal, first=soon)
    with PtyProgram(["demo"], environ=environ(tmp_path), start=start) as program:
        program.wait_for(READY)
        _stall(program)
        program.signal(signal.SIGTERM)
        end = time.monotonic() + 20
        while not program.exited() and time.monotonic() < end:
            time.sleep(0.01)
        assert program.status == 128 + signal.SIGTERM


def test_behind_a_standstill_the_screen_is_as_it_would_be_without(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        _stall(program)
        program.press("space", *["down"] * 5, "space")
        _read_by(program)  # and what follows from these keys was drawn by nobody
        program.wait_for("2 selected", 20)
        program.read(0.3)
        shown = program.text
        program.wipe()
        program.press("ctrl+l")
        program.wait_for("2 selected")
        program.read(0.3)
        assert program.text == shown


def test_while_the_line_stands_still_a_re_sync_goes_on(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.press("space", "space", "space", "R")
        program.answer("enter starts")
        program.wait_for("X stop")
        _stall(program)
        (journal,) = tmp_path.rglob("journal-*.db")
        ended, end = 0, time.monotonic() + 60
        while not ended and time.monotonic() < end:
            time.sleep(0.05)
            with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as looking:
                (ended,) = looking.execute("SELECT count(*) FROM marks WHERE mark = 'finished'").fetchone()
        assert ended
        program.wait_for("Result")


def test_a_plan_that_nobody_was_shown_is_confirmed_by_no_key(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.wait_for(" causes")
        _stall(program)
        program.press("space", "R")
        _read_by(program)
        program.press("enter")
        _read_by(program)
        program.wait_for("enter starts", 20)
        program.read(1)
        assert any("enter starts" in line for line in program.text)
        program.answer("enter starts")
        program.wait_for("X stop")
