"""What the real program leaves on the screen key by key is what it writes when it draws everything anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bench.bench_bytes import environment
from tests.bench.pty_program import PtyProgram
from tests.forks import at_terminal
from tests.layers import layered

KEYS = (
    "down",
    "down",
    "j" * 20,
    "j",
    "j",
    "G",
    "g",
    "enter",
    "down",
    "escape",
    "c",
    "down",
    "right",
    "1",
    "space",
    "a",
)


_CALM = 12
"""Looks of 0.05 s: twice the time for which the panel waits behind a held key."""


def settle(program: PtyProgram, looks: int = _CALM) -> None:
    """Read until the program has nothing left to do: all its threads sleep, and none has run meanwhile."""
    seen, calm = "", 0
    while calm < looks:
        read = program.read(0.05)
        tasks = sorted(Path(f"/proc/{program.pid}/task").glob("*/stat"))
        stats = [path.read_text().rpartition(")")[2].split() for path in tasks]
        now = str([(stat[0], stat[11], stat[12]) for stat in stats])
        calm = calm + 1 if not read and now == seen and all(stat[0] == "S" for stat in stats) else 0
        seen = now


def cells(program: PtyProgram, looks: int = _CALM) -> list[list[tuple[Any, ...]]]:
    """The screen; of a blank only its ground."""
    settle(program, looks)
    assert program.text
    buffer = program.screen.buffer
    return [[visible(buffer[y][x]) for x in range(80)] for y in range(24)]


def drawn_anew(program: PtyProgram) -> list[list[tuple[Any, ...]]]:
    """The screen once it was cleared and written as a whole; everything had come to rest before."""
    before = len(program.raw)
    program.press("ctrl+l")
    program.wait_for(lambda _: b"\x1b[2J" in program.raw[before:])
    return cells(program, 3)


def visible(cell: Any) -> tuple[Any, ...]:
    drawn = (cell.data, cell.bg, cell.reverse, cell.underscore)
    return drawn if cell.data == " " else (*drawn, cell.fg, cell.bold)


@pytest.mark.terminal
@pytest.mark.parametrize(
    "colour", layered("screens in every kind of colour", ["true"], ["true", "16", "mono"])
)
def test_differences_add_up_to_the_whole_screen(tmp_path: Path, colour: str) -> None:
    command = ("demo", "--errors", "60")
    environ = environment(SYNCERR_HOME=str(tmp_path), SYNCERR_COLOUR=colour)
    with PtyProgram(command, environ=environ, start=at_terminal) as program:
        program.wait_for("refreshed")
        program.wait_for("causes")
        for key in KEYS:
            program.press(key)
            if key == "enter":
                program.wait_for("last changed")  # the org is asked once somebody rests on the row
            shown = cells(program)
            assert shown == drawn_anew(program), key


@pytest.mark.terminal
@pytest.mark.parametrize(
    ("columns", "lines", "colour", "most"),
    layered(
        "windows and colours at the start",
        [(80, 24, "true", 9_000)],
        [(80, 24, "true", 9_000), (80, 24, "16", 7_000), (200, 50, "true", 30_000)],
    ),
)
def test_the_start_clears_once_and_writes_the_rows_once(
    tmp_path: Path, columns: int, lines: int, colour: str, most: int
) -> None:
    environ = environment(SYNCERR_HOME=str(tmp_path), SYNCERR_COLOUR=colour)
    with PtyProgram(("demo",), columns=columns, lines=lines, environ=environ, start=at_terminal) as program:
        program.wait_for("refreshed")
        program.wait_for("causes")
        settle(program)
        start = bytes(program.raw)
        assert start.count(b"\x1b[2J") == 1
        for once in ("Processed", "DUPLICATES_DETECTED"):
            shown = sum(line.count(once) for line in program.text)
            assert start.count(once.encode()) == shown > 0
        assert len(start) <= most
