"""Inside a real tmux: what is copied reaches the terminal outside where tmux says that it passes it on."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench.pty_program import PtyProgram
from tests.terminal.test_program import READY, environ

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"),
]
_OSC52 = re.compile(rb"\x1b\]52;[a-z]*;([A-Za-z0-9+/=]+)(?:\x07|\x1b\\)")


def clipboard(program: PtyProgram) -> list[str]:
    """What the terminal outside of tmux was asked to put into its clipboard."""
    return [base64.b64decode(found).decode() for found in _OSC52.findall(bytes(program.raw))]


@contextmanager
def in_tmux(home: Path, setting: str) -> Iterator[tuple[PtyProgram, Callable[..., None]]]:
    socket, settings = str(home / "tmux"), home / "tmux.conf"
    settings.write_text(f"set -s set-clipboard {setting}\n", encoding="utf-8")
    app = f"{sys.executable} -m syncerr_tui demo --processing-delay 0.2"
    tmux = ["tmux", "-S", socket]

    def command(*words: str) -> None:
        subprocess.run([*tmux, *words], check=True, timeout=20)

    outside = environ(home)
    with PtyProgram([*tmux, "-f", str(settings), "new-session", app], environ=outside) as program:
        try:
            program.wait_for(READY)
            yield program, command
        finally:
            command("kill-server")


@pytest.mark.parametrize("setting", ["on", "external"])
def test_a_copy_goes_through_tmux_to_the_terminal_outside(tmp_path: Path, setting: str) -> None:
    with in_tmux(tmp_path, setting) as (program, _):
        program.press("y")
        program.answer("Copy of", "c")
        program.wait_for("Copied through tmux: the StoreConnect ID.")
        program.wait_for(lambda _: [len(copied) for copied in clipboard(program)] == [36])
        program.press("a")
        program.wait_for("140 selected")
        program.press("y")
        program.answer("Copy of 140 errors", "e")
        program.wait_for("140 change event IDs")
        program.wait_for(lambda _: len(clipboard(program)[-1].splitlines()) == 140)


def test_where_tmux_passes_nothing_on_it_says_what_to_set(tmp_path: Path) -> None:
    with in_tmux(tmp_path, "off") as (program, tmux):
        program.press("y")
        program.answer("Copy of", "c")
        program.wait_for("tmux set -s set-clipboard on")
        assert clipboard(program) == []
        tmux("set", "-s", "set-clipboard", "on")
        program.press("y")
        program.answer("Copy of", "c")
        program.wait_for("Copied through tmux")
        program.wait_for(lambda _: [len(copied) for copied in clipboard(program)] == [36])
