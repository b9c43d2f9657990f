"""Whatever ends the program in the middle of a re-sync, the next start offers to go on with it."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.terminal.test_program import READY, app, restored

pytestmark = pytest.mark.terminal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_next_start_offers_what_was_cut_off(tmp_path: Path, number: signal.Signals) -> None:
    # The same world both times: another one has an org id, and a journal, of its own.
    world = ("--db", str(tmp_path / "world.db"))
    with app(tmp_path, *world, "--processing-delay", "60") as program:
        program.wait_for(READY)
        program.press("space", "space", "space", "R")
        program.answer("enter starts")
        program.wait_for("1 waiting")
        program.signal(number)
        ended = program.wait()
        if number is signal.SIGKILL:
            assert ended == -number
        else:
            assert ended == 128 + number
            assert restored(program)
    with app(tmp_path, *world) as program:
        program.wait_for("was interrupted")
        lines = "\n".join(program.wait_for("sent with unknown outcome"))
        # Whether the request had left when the program ended is a matter of milliseconds.
        ends = "(1 sent with unknown outcome, 2|0 sent with unknown outcome, 3) not sent"
        assert re.search(f"3 planned, 0 proven, {ends}", lines)
        program.press("escape")
        program.wait_for("Journal (1 interrupted)")
        program.press("U")
        program.answer("was interrupted", "d")
        program.wait_for("Result")
        program.press("q")
        assert program.wait() == 0
