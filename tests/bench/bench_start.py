"""From the command to the first frame, against a bare Textual app: `python -m tests.bench.bench_start`.

The first frame is on the terminal when its text can be read there. Medians of 9, taken in turns; run by hand.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.bench_bytes import environment
from tests.bench.pty_program import PtyProgram

ROUNDS = 9
BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("first frame")

Bare().run()
"""


def first_frame(command: list[str], text: bytes, **changes: str) -> tuple[float, float]:
    """Seconds until this text has been written, by the clock and of processor time (for a busy machine)."""
    started = time.perf_counter()
    with PtyProgram(command, environ=environment(**changes)) as program:
        while text not in program.raw:
            program.read(0.002)
            if program.exited():
                raise SystemExit("\n".join(program.text))
        took = time.perf_counter() - started
        fields = Path(f"/proc/{program.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return took, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Both, in turns."""
    with tempfile.TemporaryDirectory() as home:
        ours: list[tuple[float, float]] = []
        bare: list[tuple[float, float]] = []
        rows: list[tuple[float, float]] = []
        command = [sys.executable, "-m", "syncerr_tui", "demo"]
        for _ in range(ROUNDS):
            bare.append(first_frame([sys.executable, "-c", BARE], b"first frame"))
            ours.append(first_frame(command, b"SyncErr", SYNCERR_HOME=home))
            rows.append(first_frame(command, b"refreshed", SYNCERR_HOME=home))
    for kind, unit in enumerate(("by the clock", "of processor time")):
        ms = [statistics.median(times[kind] for times in each) * 1000 for each in (ours, bare, rows)]
        print(f"first frame {ms[0]:.0f} ms {unit}, bare Textual {ms[1]:.0f} ms: {ms[0] / ms[1]:.2f}x")
    print(f"140 errors of the demo org on screen after {1000 * statistics.median(t for t, _ in rows):.0f} ms")


if __name__ == "__main__":
    main()
