"""Whether a cause still makes new errors: counts in equal spans of time, and one word for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

SPANS = 8
_RECENT = 2
"""The last spans, whose share decides the word."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Errors over the time since the first one."""

    counts: tuple[int, ...]
    """In `SPANS` equal spans from the first error to now, oldest first; empty where no time is known."""
    word: str
    """`once`, `rising`, `steady`, `falling` or `stopped`; empty where no time is known."""


NO_TREND = Trend((), "")


def trend(times: Iterable[datetime], now: datetime) -> Trend:
    """How the errors of a cause are spread over the time from the first one to now."""
    stamps = [min(when, now).timestamp() for when in times]
    if not stamps:
        return NO_TREND
    first = min(stamps)
    span = max(now.timestamp() - first, 1.0) / SPANS
    counts = [0] * SPANS
    for stamp in stamps:
        counts[min(int((stamp - first) / span), SPANS - 1)] += 1
    return Trend(tuple(counts), _word(counts))


def _word(counts: list[int]) -> str:
    total, recent = sum(counts), sum(counts[-_RECENT:])
    fair = total * _RECENT / len(counts)
    if total == 1:
        return "once"
    if recent == 0:
        return "stopped"
    if recent >= 2 * fair:
        return "rising"
    return "falling" if recent <= fair / 2 else "steady"
