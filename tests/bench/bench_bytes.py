"""Bytes written to the terminal, in an 80x24 pseudo-terminal: `python -m tests.bench.bench_bytes`.

Means of 24 single presses, each counted until 0.15 s of silence. Run by hand; the counts repeat exactly.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping

from tests.bench.pty_program import PtyProgram

PRESSES = 24
SILENCE = 0.15


def environment(**changes: str) -> Mapping[str, str]:
    """A terminal with true colour at this very machine."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("SSH_", "SYNCERR", "NO_COLOR", "TMUX", "TEXTUAL"))
    }
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **changes}


def presses(program: PtyProgram, *keys: str) -> float:
    """Mean bytes of single presses, going round these keys."""
    counts = []
    for number in range(PRESSES):
        program.press(keys[number % len(keys)])
        counts.append(program.read(SILENCE))
    return sum(counts) / len(counts)


def held(program: PtyProgram, key: str, a_second: float = 30) -> tuple[float, int]:
    """Bytes for each repetition of a key that is held, and those that come when it is let go."""
    written = 0
    for _ in range(PRESSES):
        program.press(key)
        written += program.read_for(1 / a_second)
    return written / PRESSES, program.read(4 * SILENCE)


def measure(columns: int, lines: int, **changes: str) -> None:
    """Measure the app on the demo org in one kind of terminal."""
    with tempfile.TemporaryDirectory() as home:
        environ = environment(SYNCERR_HOME=home, **changes)
        command = [sys.executable, "-m", "syncerr_tui", "demo"]
        with PtyProgram(command, columns=columns, lines=lines, environ=environ) as program:
            program.wait_for("refreshed")
            program.read(0.5)
            start = len(program.raw)
            in_view = presses(program, "down", "up")
            program.press("g")
            program.read(0.5)
            for _ in range(lines - 6):
                program.press("down")
                program.read(SILENCE)
            scrolling = presses(program, "down")
            program.press("g")
            program.read(0.5)
            (fast, rest), (slow, _) = held(program, "down"), held(program, "up", 11)
            idle = program.read_for(10)
            what = " ".join(f"{key}={value}" for key, value in changes.items()) or "true colour"
            line = f"in view {in_view:.0f}, scrolling {scrolling:.0f}, idle for 10 s {idle}"
            line += f", held at 30 a second {fast:.0f} (at 11 {slow:.0f}), then at rest {rest}"
            print(f"{columns}x{lines} {what}: start {start}, {line}")


def measure_causes(columns: int, lines: int) -> None:
    """The same in the list of causes."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "syncerr_tui", "demo"]
        environ = environment(SYNCERR_HOME=home)
        with PtyProgram(command, columns=columns, lines=lines, environ=environ) as program:
            program.wait_for("refreshed")
            program.wait_for("causes")
            program.press("c", "g")
            program.wait_for("What broke")
            program.read(0.5)
            in_view = presses(program, "down", "up")
            program.press("right")
            program.read(0.5)
            scrolling = presses(program, "down")
            print(f"{columns}x{lines} causes: in view {in_view:.0f}, going down a tree {scrolling:.0f}")


def measure_states(columns: int, lines: int) -> None:
    """Bytes a second while 20 visible rows a second change their state."""
    command = [sys.executable, "-m", "tests.bench.changing_states"]
    with PtyProgram(command, columns=columns, lines=lines, environ=environment()) as program:
        program.wait_for("refreshed")
        program.press("a", "R")
        program.wait_for("enter starts")
        program.read(1)  # a key that comes with the question is not taken for its answer
        program.press("enter")
        program.wait_for("waiting")
        written = program.read_for(8) / 8
        print(f"{columns}x{lines} 20 rows a second changing state: {written:.0f} bytes a second")


def main() -> None:
    """All of it."""
    measure(80, 24)
    measure(80, 24, SYNCERR_COLOUR="16")
    measure(200, 50)
    measure_causes(80, 24)
    measure_states(80, 24)
    measure_states(200, 50)


if __name__ == "__main__":
    main()
