"""Waiting for a pause: of the person, as a held key and fast typing cause no work; the loop; a widget."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message_pump import MessagePump
    from textual.timer import Timer


_LOOKS, _PROMPT = 20, 0.005
"""How often it is looked whether the loop is at rest, and how many seconds late it may answer then."""


async def loop_at_rest(seconds: float) -> None:
    """Wait until the loop has had nothing at hand for so long, or for twenty times as long.

    For a thread that is to set to work: beside a paint it would make that take twice as long, as only one of
    them can have Python.
    """
    now = asyncio.get_running_loop().time
    for _ in range(_LOOKS):
        begun = now()
        await asyncio.sleep(seconds)
        if now() - begun < seconds + _PROMPT:
            return


async def caught_up(pump: MessagePump) -> None:
    """Wait until a widget has dealt with all that was sent to it so far."""
    done = asyncio.Event()
    if pump.call_later(done.set):
        await done.wait()


class Debouncer:
    """Work that waits for a pause: asked for again it waits anew, and only the last is done.

    Args:
        host: Whose timer it is; it ends with it.
        seconds: How long a pause is.
    """

    def __init__(self, host: MessagePump, seconds: float) -> None:
        self._host = host
        self._seconds = seconds
        self._timer: Timer | None = None

    def call(self, work: Callable[[], object], seconds: float | None = None) -> None:
        """Do this after the pause (or a pause of this length), in place of what was to be done."""
        self.cancel()

        def due() -> None:
            self._timer = None
            work()

        self._timer = self._host.set_timer(self._seconds if seconds is None else seconds, due)

    def soon(self, work: Callable[[], object]) -> None:
        """Do this after a pause that has perhaps begun already: once for all that ask for it meanwhile."""
        if self._timer is None:
            self.call(work)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
