"""What a key costs on the line here and elsewhere: `python -m tests.bench.bench_side_by_side`.

This program, VisiData (`pip install visidata`; the same rows as CSV), tig and lazygit (a git log of a
repository made for it), each where it is installed, in pseudo-terminals. Bytes for a single key: means of 24
presses, each counted until 0.15 s of silence. "held" is the same key 30 times a second. Run by hand.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.bench_bytes import SILENCE, environment, held, presses
from tests.bench.pty_program import PtyProgram

SIZES = ((80, 24), (200, 50))
ROWS = 400


@dataclass(frozen=True)
class Candidate:
    """A program with a long list, and how to move in it."""

    name: str
    command: Sequence[str]
    down: str = "j"
    up: str = "k"
    ready: str = ""
    """What the screen says once the rows are there."""
    changes: Mapping[str, str] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        """Whether it can be run here."""
        return shutil.which(self.command[0]) is not None

    def measured(self, columns: int, lines: int, home: Path) -> tuple[float, ...]:
        """Bytes of the start, of a key in view, of one that scrolls, and of one that is held."""
        environ = environment(HOME=str(home), SYNCERR_HOME=str(home), **self.changes)
        with PtyProgram(self.command, columns=columns, lines=lines, environ=environ) as program:
            program.wait_for(self.ready or any)
            program.read(2)
            start = len(program.raw)
            in_view = presses(program, self.down, self.up)
            for _ in range(lines):
                program.press(self.down)
                program.read(SILENCE)
            scrolling = presses(program, self.down)
            return start, in_view, scrolling, held(program, self.down)[0]


def rows_as_csv(path: Path) -> None:
    """The rows of the demo org that this program shows."""
    command = [
        sys.executable,
        "-m",
        "syncerr_tui",
        "list",
        "--demo",
        "--errors",
        str(ROWS),
        "--format",
        "csv",
    ]
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)


def git_log(folder: Path) -> None:
    """A repository with as many commits, each of a few lines."""
    git = ["git", "-C", str(folder), "-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    for number in range(ROWS):
        (folder / "file").write_text(
            "".join(f"line {line} of change {number}\n" for line in range(number % 30))
        )
        subprocess.run([*git, "add", "file"], check=True)
        message = f"Change number {number} of {ROWS}, with a subject as long as subjects are"
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], check=True)


def candidates(csv: Path, repository: Path) -> list[Candidate]:
    """This program in two kinds of colour, and the others."""
    ours = [sys.executable, "-m", "syncerr_tui", "demo", "--errors", str(ROWS)]
    return [
        Candidate("this program", ours, ready="refreshed"),
        Candidate("the same in 16 colours", ours, ready="refreshed", changes={"SYNCERR_COLOUR": "16"}),
        Candidate("VisiData, same rows", ["vd", str(csv)]),
        Candidate("tig, git log", ["tig", "-C", str(repository)]),
        # A panel with the list of commits in front; its own panel with the diff beside it.
        Candidate("lazygit, git log", ["lazygit", "-p", str(repository), "log"]),
    ]


def main() -> None:
    """Print a table in Markdown."""
    heads = ("start", "in view", "scrolling", "held")
    columns = [f"{width}x{height} {head}" for width, height in SIZES for head in heads]
    print(f"| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        csv, repository = home / "rows.csv", home / "repository"
        repository.mkdir()
        rows_as_csv(csv)
        git_log(repository)
        for candidate in candidates(csv, repository):
            cells = ["missing"] * len(columns)
            if candidate.installed:
                measured = [n for width, height in SIZES for n in candidate.measured(width, height, home)]
                cells = [f"{count:,.0f}" for count in measured]
            print(f"| {candidate.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
