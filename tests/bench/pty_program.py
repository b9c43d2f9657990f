"""A program in a pseudo-terminal: what it writes, byte by byte, and what the screen then shows."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Protocol, Self

import pyte

KEYS = {
    "down": "\x1b[B",
    "up": "\x1b[A",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "shift+down": "\x1b[1;2B",
    "pagedown": "\x1b[6~",
    "pageup": "\x1b[5~",
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "space": " ",
    "ctrl+c": "\x03",
    "ctrl+d": "\x04",
    "ctrl+l": "\x0c",
    "ctrl+p": "\x10",
    "ctrl+q": "\x11",
}


class Process(Protocol):
    """A program that was started."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def poll(self) -> int | None:
        """Its exit status, negative for a signal, or None: it runs."""


def execute(command: Sequence[str], environ: Mapping[str, str], terminal: int) -> Process:
    """Start a program in a session of its own, with a terminal as its three streams."""
    return subprocess.Popen(
        command,
        env=environ,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=partial(fcntl.ioctl, 0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one system call
    )


class PtyProgram:
    """Runs a command in a pseudo-terminal of a given size and reads what it draws.

    Args:
        command: Program and arguments.
        columns: Width of the window.
        lines: Height of the window.
        environ: The whole environment of the program.
        start: How the command is started; `tests.forks.at_terminal` needs no interpreter's start.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        environ: Mapping[str, str],
        start: Callable[[Sequence[str], Mapping[str, str], int], Process] = execute,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.raw = bytearray()
        self._stream = pyte.ByteStream(self.screen)
        self._fed = 0
        self._text: list[str] | None = None
        self.status: int | None = None
        self._master, terminal = pty.openpty()
        self.resize(columns, lines)
        try:
            self._process = start(command, environ, terminal)
        finally:
            os.close(terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def resize(self, columns: int, lines: int) -> None:
        """Another window size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if (self.screen.columns, self.screen.lines) != (columns, lines):
            self.screen.resize(lines, columns)
            self._text = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def press(self, *keys: str) -> None:
        """Send keys by name, or text as it is."""
        for key in keys:
            self.send(KEYS.get(key, key).encode())

    def answer(self, question: str, *keys: str) -> None:
        """Wait for a dialog and answer it with the last of these keys, or enter, which closes it.

        A dialog that came late takes no key for half a second after it was painted.
        """
        self.wait_for(question, 120)
        self.read_for(0.6)
        *first, last = keys or ("enter",)
        self.press(*first)
        # What ends the program may leave the dialog in the picture that it leaves behind.
        while any(question in line for line in self.text) and not self.exited():
            self.press(last)
            end = time.monotonic() + 5
            while time.monotonic() < end and any(question in line for line in self.text):
                if self.exited():
                    return
                self.read(0.05)

    def send(self, data: bytes) -> None:
        """Send bytes as a terminal would, in one packet."""
        os.write(self._master, data)

    def read(self, seconds: float) -> int:
        """Read what is written within so many seconds of silence.

        Returns:
            How many bytes came.
        """
        before = len(self.raw)
        while True:
            ready, _, _ = select.select([self._master] if self._master >= 0 else [], [], [], seconds)
            if not ready:
                break
            try:
                data = os.read(self._master, 65536)
            except OSError:
                break
            if not data:
                break
            self.raw += data
        return len(self.raw) - before

    def read_for(self, seconds: float) -> int:
        """Read everything that is written within so many seconds."""
        before, end = len(self.raw), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self._master], [], [], left)
            if ready:
                try:
                    self.raw += os.read(self._master, 65536)
                except OSError:
                    break
        return len(self.raw) - before

    @property
    def text(self) -> list[str]:
        """The screen as lines of text."""
        fresh = bytes(self.raw[self._fed :])
        if fresh or self._text is None:  # drawing the screen costs more than looking at it again
            self._fed = len(self.raw)
            self._stream.feed(fresh)
            self._text = [line.rstrip() for line in self.screen.display]
        return self._text

    def wait_for(self, wanted: str | Callable[[list[str]], bool], seconds: float = 60.0) -> list[str]:
        """Read until the screen shows a text, or until a condition holds.

        Raises:
            AssertionError: It did not come; the message holds the screen.
        """
        end = time.monotonic() + seconds
        while True:
            lines = self.text
            if wanted(lines) if callable(wanted) else any(wanted in line for line in lines):
                return lines
            if time.monotonic() > end or self.exited():
                self.read(0.05)
                lines = self.text
                if wanted(lines) if callable(wanted) else any(wanted in line for line in lines):
                    return lines
                shown = "\n".join(lines)
                raise AssertionError(f"never came: {wanted}\n{shown}")
            self.read(0.02)

    def exited(self) -> bool:
        """Whether the program has ended."""
        if self.status is None:
            self.status = self._process.poll()
        return self.status is not None

    def wait(self, seconds: float = 60.0) -> int:
        """Wait for the end and give the exit status (negative: the signal).

        Raises:
            AssertionError: It still runs.
        """
        end = time.monotonic() + seconds
        while not self.exited():
            if time.monotonic() > end:
                shown = "\n".join(self.text)
                raise AssertionError(f"still running\n{shown}")
            self.read(0.02)
        self.read(0.05)
        assert self.status is not None
        return self.status

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wipe(self) -> None:
        """Lose what is on the screen, as when something else has written there."""
        self.screen.reset()
        self._text = None

    def hang_up(self) -> None:
        """Take the terminal away, as a dropped line does."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """End the program and let the terminal go."""
        if not self.exited():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            while not self.exited():
                time.sleep(0.001)
        if self._master >= 0:
            os.close(self._master)
