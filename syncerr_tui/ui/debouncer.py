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

    @property
    def waiting(self) -> bool:
        return self._timer is not None

    def call(self, work: Callable[[], None], seconds: float | None = None) -> None:
        """Do this after the pause (or a pause of this length), in place of what was to be done."""
        self.cancel()

        def due() -> None:
            self._timer = None
            work()

        self._timer = self._host.set_timer(self._seconds if seconds is None else seconds, due)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
