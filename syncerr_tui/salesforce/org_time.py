"""The org's clock, put together from everything that tells it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OrgTime:
    """The latest time that the org can be shown to have reached.

    A Date header may be old (a proxy's cache), and a stamp is as old as the write it belongs to: neither is
    ever ahead of an honest org. So the one that lies furthest ahead counts, and this machine's monotonic
    clock carries it on: it does not jump when somebody sets the time.

    Args:
        clock: Seconds that only ever run forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._offset: timedelta | None = None

    def saw(self, moment: datetime | None) -> None:
        """Take note of a stamp or a Date header that has just arrived."""
        if moment is not None:
            offset = moment - _EPOCH - timedelta(seconds=self._clock())
            self._offset = offset if self._offset is None else max(self._offset, offset)

    def now(self) -> datetime | None:
        """The org's time now; None before anything told it."""
        if self._offset is None:
            return None
        return _EPOCH + self._offset + timedelta(seconds=self._clock())
