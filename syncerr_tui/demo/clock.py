"""The demo org's clocks: the real one, and one that a test moves by hand."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Time that stands still until `advance`. Thread-safe."""

    def __init__(self, start: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._now = start or datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        """The moment it shows, aware and in UTC."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> datetime:
        """Move on (never back) and tell the new moment."""
        with self._lock:
            self._now += timedelta(seconds=max(0.0, seconds))
            return self._now
