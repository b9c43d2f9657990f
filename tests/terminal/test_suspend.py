"""ctrl+z in a real shell with job control, and the way back."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench.pty_program import PtyProgram
from tests.terminal.test_program import READY, app, environ, restored

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell with job control"),
]
CTRL_Z = b"\x1a"


def state_of(pid: int) -> str:
    """`R`, `S`, `T` ... as `proc(5)` says."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


def threads_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@contextmanager
def shell(home: Path, **changes: str) -> Iterator[PtyProgram]:
    """A shell of which the app is a job."""
    command = ["bash", "--norc", "--noprofile", "-i"]
    with PtyProgram(command, environ=environ(home, PS1="$ ", HISTFILE="", **changes)) as program:
        program.wait_for("$")
        yield program


def start(program: PtyProgram, *options: str, wrapped: bool = False) -> None:
    command = f"{sys.executable} -m syncerr_tui demo --processing-delay 0.2 {' '.join(options)}"
    program.press(f"bash -c '{command}; echo ended'" if wrapped else command, "enter")
    program.wait_for(READY)
    program.wait_for(" causes")


@pytest.mark.parametrize("wrapped", [False, True])
def test_ctrl_z_goes_to_the_shell_and_fg_comes_back(tmp_path: Path, wrapped: bool) -> None:
    with shell(tmp_path) as program:
        start(program, wrapped=wrapped)
        program.press("j")
        program.send(CTRL_Z)
        program.wait_for("Stopped")
        assert restored(program)
        program.press("echo a $((20 + 22)) b", "enter")
        program.wait_for("a 42 b")
        before = len(program.raw)
        program.press("fg", "enter")
        program.wait_for(lambda lines: READY in "".join(lines) and "a 42 b" not in lines)
        program.press("space")
        program.wait_for("1 selected")
        # A terminal that is taken twice loses what was typed in between.
        assert program.raw[before:].count(b"\x1b[?1049h") == 1
        program.resize(100, 30)
        program.wait_for(lambda lines: "? help" in lines[-1] and len(lines) == 30)
        program.send(CTRL_Z)
        program.wait_for("Stopped")
        program.press("fg", "enter")
        program.wait_for("1 selected")
        program.press("q")
        program.wait_for("$")
        assert restored(program)


def test_ctrl_z_works_in_dialogs_and_while_text_is_typed(tmp_path: Path) -> None:
    with shell(tmp_path) as program:
        start(program)
        for keys, there in (("?", "Keys in Errors"), ("/abc", "/ abc")):
            program.press(keys)
            program.wait_for(there)
            program.send(CTRL_Z)
            program.wait_for("Stopped")
            program.wipe()  # the picture that was left behind is none of what comes
            program.press("fg", "enter")
            program.wait_for(there)
            program.press("escape")
            program.wait_for("? help")


def test_a_run_sleeps_only_after_a_question_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    with shell(tmp_path) as program:
        start(program, "--errors", "30", "--fault", "stuck-pending")
        program.press("a", "R")
        program.answer("enter starts")
        program.wait_for("X stop")
        program.send(CTRL_Z)
        program.wait_for("A re-sync is under way")
        program.press("escape")
        program.wait_for("X stop")
        program.send(CTRL_Z)
        # Not `answer`: what is left of the question stays in the picture while the shell has the terminal.
        program.wait_for("enter suspends")
        program.read_for(0.6)
        program.press("enter")
        program.wait_for("Stopped")
        program.press("fg", "enter")
        program.wait_for("X stop")


def test_without_a_shell_the_app_stays(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.send(CTRL_Z)
        program.wait_for("No shell is there to come back from")
        program.press("space")
        program.wait_for("1 selected")
        program.press("q")
        assert program.wait() == 0
        assert restored(program)


def test_a_stop_that_nobody_can_refuse_is_slept_through(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.signal(signal.SIGSTOP)
        program.wait_for(lambda _: state_of(program.pid) == "T")
        program.wipe()
        program.signal(signal.SIGCONT)
        program.wait_for(READY)
        program.wait_for(" causes")
        program.press("space")
        program.wait_for("1 selected")
        program.press("q")
        assert program.wait() == 0
        assert restored(program)


def test_told_to_go_on_without_a_stop_it_goes_on_and_ends_as_ever(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        before = threads_of(program.pid)
        for _ in range(3):
            program.signal(signal.SIGCONT)
        program.press("space")
        program.wait_for("1 selected")
        program.wait_for(lambda _: threads_of(program.pid) <= before)
        program.press("q")
        assert program.wait() == 0


def test_a_terminal_that_goes_away_takes_the_program_along(tmp_path: Path) -> None:
    # The kernel sends SIGCONT behind SIGHUP, and which of the two is seen first is left to chance.
    with app(tmp_path, fresh=True) as program:
        program.wait_for(READY)
        program.signal(signal.SIGCONT)
        program.hang_up()
        program.signal(signal.SIGCONT)
        assert program.wait() in {128 + signal.SIGHUP, -signal.SIGHUP}


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_ctrl_z_in_tmux(tmp_path: Path) -> None:
    socket = str(tmp_path / "tmux")
    command = ["tmux", "-S", socket, "-f", "/dev/null", "new-session", "bash --norc --noprofile -i"]
    with PtyProgram(command, environ=environ(tmp_path, PS1="$ ", HISTFILE="")) as program:
        try:
            program.wait_for("bash")
            start(program)
            program.send(CTRL_Z)
            program.wait_for("Stopped")
            program.press("fg", "enter")
            program.wait_for(READY)
            program.press("space")
            program.wait_for("1 selected")
        finally:
            subprocess.run(["tmux", "-S", socket, "kill-server"], check=False)
