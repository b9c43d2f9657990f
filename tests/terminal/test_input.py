"""What a terminal may send and nobody meant: line noise, pastes, keys that are older than the question."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
import tty
from functools import partial
from pathlib import Path

import pytest
from textual import events

from syncerr_tui.ui.app import SyncErrApp
from syncerr_tui.ui.terminal_driver import TerminalDriver, TerminalInput
from tests.bench.pty_program import PtyProgram
from tests.forks import at_terminal
from tests.terminal.test_program import READY, app, environ, restored

pytestmark = pytest.mark.terminal

PASTED = b"\x1b[200~x \x1b[2J aR\r\r \x1b[201~"


NOISE = {
    "no letter of any script": b"\xff",
    "a Latin-1 keyboard": "äöü".encode("latin-1"),
    "every byte with the eighth bit, as Alt sends it": bytes(range(0x80, 0x100)),
    "keys that no script has": b"\x1b[99999999999u\x1b[55296u",
    "a window of no pixels, and a click": b"\x1b[48;24;80;0;0t\x1b[<0;9;9M",
    "a window larger than the memory": b"\x1b[48;99999;99999;9;9t",
}


def test_no_bytes_end_the_app(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        for count, noise in enumerate(NOISE.values(), start=1):
            program.send(noise)
            program.send(b" ")
            program.wait_for(f"{count} selected")
        program.press("q")
        assert program.wait() == 0
        assert restored(program)


def test_what_is_pasted_is_no_key(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.send(PASTED)
        program.send(b" ")
        lines = program.wait_for("1 selected")
        assert not any("enter starts" in line or "Re-sync" in line for line in lines)


def test_what_is_pasted_into_the_filter_is_text_to_its_end(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.press("/")
        program.wait_for("enter applies")
        program.send(PASTED)
        program.wait_for("/ x ␛[2J aR")


def test_an_enter_that_is_older_than_the_plan_does_not_confirm_it(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.wait_for(" causes")
        program.send(b"aR\r")
        program.wait_for("enter starts")
        program.read(1)
        lines = program.wait_for("enter starts")
        assert not any("Result" in line for line in lines)
        program.answer("enter starts")
        program.wait_for("X stop")


def test_an_enter_behind_the_escape_that_leaves_the_plan_does_not_confirm_it(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.wait_for(" causes")
        program.press("R")
        program.wait_for("enter starts")
        program.read(1)
        program.send(b"\x1b\r")
        lines = program.wait_for("What happened")
        assert not any("X stop" in line or "Result" in line for line in lines)


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        (b"\x1b\r", ["escape", "enter"]),
        (b"\x1b ", ["escape", "space"]),
        (b"\x1b/x", ["escape", "slash", "x"]),
        (b"\x1b\x1b\r", ["escape", "escape", "enter"]),
        (b"\x1b\x12", ["escape", "ctrl+r"]),
        (b"\x1b[A\r", ["up", "enter"]),
        (b"\x1b\x7f", ["ctrl+w"]),
        (b"\x1bx", ["alt+x"]),
    ],
)
@pytest.mark.parametrize("packets", [1, 2])
def test_escape_and_the_key_behind_it_are_two(sent: bytes, keys: list[str], packets: int) -> None:
    source = TerminalInput()
    parts = [sent] if packets == 1 else [sent[:1], sent[1:]]
    messages = [message for part in parts for message in source.feed(part)]
    end = time.monotonic() + 30
    while len(messages) < len(keys) and time.monotonic() < end:
        messages += source.tick()
    assert [message.key for message in messages if isinstance(message, events.Key)] == keys


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGABRT])
def test_signals_that_end_a_program_leave_the_terminal_as_it_was(
    tmp_path: Path, number: signal.Signals
) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.signal(number)
        assert program.wait() == 128 + number
        assert restored(program)


BROKEN = {
    "the thread that reads keys": (
        "from syncerr_tui.ui import terminal_driver as t\nt.TerminalInput.feed = boom\n"
    ),
    "the thread that writes the screen": (
        "from textual.drivers import _writer_thread as w\n"
        "def run(self):\n"
        "    while (text := self._queue.get()) is not None:\n"
        "        boom() if 'selected' in text else self._file.write(text)\n"
        "        self._file.flush()\n"
        "w.WriterThread.run = run\n"
        # A thread that has failed may take its time to end, and takes nothing to write meanwhile.
        "import time\n"
        "ended = w.WriterThread._delete\n"
        "w.WriterThread._delete = lambda self: (time.sleep(1), ended(self))\n"
    ),
    "a thread of its own": (
        "import threading\n"
        "from syncerr_tui.ui import errors_pane as p\n"
        "p.ErrorsPane.COUNTED['toggle'] = lambda self, *_: threading.Thread(target=boom).start()\n"
    ),
    "a task of its own": (
        "import asyncio\n"
        "from syncerr_tui.ui import errors_pane as p\n"
        "p.ErrorsPane.COUNTED['toggle'] = lambda self, *_: asyncio.get_running_loop().call_soon(boom)\n"
    ),
    "a worker": (
        "from syncerr_tui.ui import errors_pane as p\n"
        "p.ErrorsPane.COUNTED['toggle'] = lambda self, *_: self.run_worker(boom, thread=True)\n"
    ),
}


@pytest.mark.parametrize("place", BROKEN)
def test_a_defect_anywhere_ends_with_one_line_and_the_log(tmp_path: Path, place: str) -> None:
    broken = (
        f"def boom(*_, **__):\n    secret = 'hunter2-token'\n    raise RuntimeError(secret)\n{BROKEN[place]}"
    )
    start = partial(at_terminal, first=broken)
    with PtyProgram(["demo"], environ=environ(tmp_path), start=start) as program:
        if "keys" not in place:
            program.wait_for(READY)
            program.press("space")
        assert program.wait() == 70
        assert restored(program)
        assert b"hunter2" not in program.raw
        assert b"Traceback" not in program.raw
        assert b"crash.log" in program.raw
    log = (tmp_path / "log" / "crash.log").read_text("utf-8")
    assert "RuntimeError" in log
    assert "in boom" in log
    assert "hunter2" not in log


@pytest.mark.parametrize("retakes", [True, False])
async def test_what_was_typed_stays_where_the_terminal_is_only_taken_anew(
    monkeypatch: pytest.MonkeyPatch, *, retakes: bool
) -> None:
    """Nobody may have read a key when Textual's threads are started anew: a thread that is slow to begin."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    ours, terminal = pty.openpty()
    tty.setraw(terminal)
    driver = TerminalDriver(SyncErrApp.__new__(SyncErrApp), mouse=False)
    driver.fileno, driver._retakes = terminal, retakes
    os.write(ours, b" ")
    try:
        driver.disable_input()
        assert bool(select.select([terminal], [], [], 0)[0]) is retakes
    finally:
        os.close(ours)
        os.close(terminal)
