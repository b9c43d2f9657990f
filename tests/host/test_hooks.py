"""A person's own commands: how one ends, and what it leaves behind."""

from __future__ import annotations

import os

import pytest

from syncerr_tui.host import hooks
from syncerr_tui.host.hooks import Hook, run_to_end

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the commands are a POSIX shell's")


def shell(command: str, timeout: float = 30.0) -> Hook:
    return Hook("tell", (command,), shell=True, timeout=timeout)


async def test_a_command_that_leaves_something_running_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it left keeps its output open. It was told as a failure, and `watch` ran it again at each look."""
    monkeypatch.setattr(hooks, "_GRACE_SECONDS", 0.1)
    ran = await run_to_end(shell("cat; sleep 60 & echo $!"), "row\n", os.environ)
    assert ran.fine
    left = int(ran.line.split()[-1])
    os.kill(left, 9)


async def test_all_that_a_command_writes_is_taken_and_its_last_line_told() -> None:
    ran = await run_to_end(shell("seq 200000; exit 3"), "", os.environ)
    assert (ran.fine, ran.line) == (False, "tell ended with code 3: 200000")


async def test_a_command_that_takes_too_long_is_ended_with_what_it_started() -> None:
    ran = await run_to_end(shell("sleep 60 | cat", timeout=0.3), "", os.environ)
    assert (ran.fine, ran.line) == (False, "tell took longer than 0.3 s and was ended.")
