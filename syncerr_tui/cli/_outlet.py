"""Writing into pipes whose reader may stand still, such as a pager at its first page.

A write into a full pipe waits, and with it everything: the org's answers, ctrl-c. For the time of a run what
the reader does not take yet waits here instead.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_NO_WAIT = 0


class Outlet:
    """What goes into one pipe, in order. Only within a running event loop."""

    def __init__(self, descriptor: int) -> None:
        import asyncio  # late: 'explain' starts without it

        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._left = bytearray()
        self._failure: OSError | None = None
        self._watched = False
        self.empty = asyncio.Event()
        """Everything was taken, or cannot be."""
        self.empty.set()

    def write(self, data: bytes) -> None:
        """Write it as far as it is taken; the rest follows by itself.

        Raises:
            OSError: Nobody reads any more: what was written before is lost. Said once.
        """
        self._left += data
        self._go_on()
        self.check()

    def check(self) -> None:
        """Raises as `write` where something could not be written meanwhile."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _go_on(self) -> None:
        try:
            # Where a pipe takes anything, it takes so much without waiting.
            while self._left and _takes(self._descriptor):
                del self._left[: os.write(self._descriptor, self._left[: select.PIPE_BUF])]
        except OSError as error:
            self._left.clear()
            self._failure = error
        if bool(self._left) is not self._watched:
            self._watched = not self._watched
            if self._watched:
                self.empty.clear()
                self._loop.add_writer(self._descriptor, self._go_on)
            else:
                self.empty.set()
                self._loop.remove_writer(self._descriptor)

    def drop(self) -> None:
        """Let go of what was not taken."""
        self._left.clear()
        self._go_on()

    def close(self) -> None:
        """Wait until the rest is taken, in the ordinary way."""
        rest = bytes(self._left)
        self.drop()
        with suppress(OSError):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]


def _takes(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(_NO_WAIT))


def is_pipe(stream: Any) -> bool:  # noqa: ANN401 - whatever stands in for a stream
    try:
        return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):  # no file, as in a test, or closed
        return False


@contextmanager
def outlets(*streams: Any) -> Iterator[dict[Any, Outlet]]:  # noqa: ANN401 - whatever stands in for a stream
    """An outlet for each stream that is a pipe; streams of one pipe share it, and its order."""
    by_stream: dict[Any, Outlet] = {}
    pipes: dict[int, Outlet] = {}
    for stream in filter(is_pipe, streams) if hasattr(select, "poll") else ():  # not on Windows
        stream.flush()
        pipe = os.fstat(stream.fileno()).st_ino
        by_stream[stream] = pipes[pipe] = pipes.get(pipe) or Outlet(stream.fileno())
    try:
        yield by_stream
    finally:
        for outlet in pipes.values():
            outlet.close()
