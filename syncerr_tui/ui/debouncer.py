"""Waiting until a person rests: a held key and fast typing cause no work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message_pump import MessagePump
    from textual.timer import Timer


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

    def call(self, work: Callable[[], None]) -> None:
        """Do this after the pause, in place of what was to be done."""
        self.cancel()
        self._timer = self._host.set_timer(self._seconds, work)

    def cancel(self) -> None:
        """Do nothing after all."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
