"""What is worth a message, and when: one about each cause, again only when it grows, and when it is cleared.

Nothing is queued. What a channel was told last is held against what is so now: what came and went between
two messages is never sent, and what could not be delivered is still due. Pure; the clock is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Self

from syncerr_tui.errors import BadInputError
from syncerr_tui.text import one_line
from syncerr_tui.watch.watcher import CauseSeen
from syncerr_tui.words import plural, span_of

GROWTH, LEAST = 2, 5
"""A cause is told again once it is twice as large, and larger by five."""
_NAMED = 10
"""Causes that one message names; the others are counted."""
_QUIET = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})\Z")


@dataclass(frozen=True, slots=True)
class LastTold:
    """What one channel was told last."""

    causes: Mapping[str, int]
    """Key -> how many errors it held when it was told."""
    headlines: Mapping[str, str]
    at: datetime | None = None
    """When the last message left."""

    def payload(self) -> dict[str, Any]:
        at = self.at.isoformat() if self.at else None
        return {"causes": dict(self.causes), "headlines": dict(self.headlines), "at": at}

    @classmethod
    def of_payload(cls, held: Mapping[str, Any]) -> Self:
        """Raises: ValueError, KeyError, TypeError, AttributeError: It is none."""
        at = held["at"]
        return cls(
            {str(key): int(count) for key, count in held["causes"].items()},
            {str(key): one_line(str(text)) for key, text in held["headlines"].items()},
            datetime.fromisoformat(at) if at else None,
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """When messages leave."""

    digest: timedelta = timedelta(0)
    """At least so long between two messages."""
    quiet: tuple[time, time] | None = None
    """From when to when none leaves, in local time; it may go over midnight."""
    zone: tzinfo | None = field(default=None, compare=False)

    def allows(self, now: datetime, last: datetime | None) -> bool:
        if last is not None and now - last < self.digest:
            return False
        if self.quiet is None:
            return True
        begin, end = self.quiet
        at = now.astimezone(self.zone).time()
        return not (begin <= at < end if begin <= end else at >= begin or at < end)


@dataclass(frozen=True, slots=True)
class Message:
    """One message to people."""

    title: str
    lines: tuple[str, ...]
    new: tuple[CauseSeen, ...] = ()
    grown: tuple[CauseSeen, ...] = ()
    cleared: tuple[str, ...] = ()
    """Headlines."""
    errors: int = 0

    @property
    def body(self) -> str:
        return "\n".join(self.lines)

    def payload(self, org: str, at: datetime) -> dict[str, Any]:
        return {
            "org": org,
            "at": at.isoformat(),
            "title": self.title,
            "errors": self.errors,
            "new": [seen_payload(cause) for cause in self.new],
            "grown": [seen_payload(cause) for cause in self.grown],
            "cleared": list(self.cleared),
        }


def seen_payload(cause: CauseSeen) -> dict[str, Any]:
    """A cause in the JSON of `watch`."""
    return {
        "key": cause.key,
        "code": cause.code,
        "headline": cause.headline,
        "errors": cause.open,
        "waiting": cause.waiting,
        "id": cause.example,
    }


def due(told: LastTold, causes: Iterable[CauseSeen], org: str, errors: int) -> Message | None:
    """What a channel does not know yet; None where it knows everything."""
    now = {cause.key: cause for cause in causes}
    new = tuple(cause for key, cause in now.items() if key not in told.causes)
    grown = tuple(cause for key, cause in now.items() if _grown(told.causes.get(key), cause.held))
    gone = tuple(told.headlines.get(key, key) for key in told.causes if key not in now)
    if not (new or grown or gone):
        return None
    counts = ((len(new), "new"), (len(grown), "growing"), (len(gone), "cleared"))
    news = ", ".join(f"{plural(count, f'{word} cause')}" for count, word in counts if count)
    title = f"{org}: {news} ({plural(errors, 'sync error')})"
    lines = [*(f"New: {_words(cause)}" for cause in new), *(f"Growing: {_words(cause)}" for cause in grown)]
    lines += [f"Cleared: {headline}" for headline in gone]
    more = len(lines) - _NAMED
    if more > 0:
        lines = [*lines[:_NAMED], f"and {plural(more, 'more cause')}: syncerr-tui causes"]
    return Message(one_line(title), tuple(map(one_line, lines)), new, grown, gone, errors)


def after(told: LastTold, causes: Iterable[CauseSeen], now: datetime | None) -> LastTold:
    """What a channel knows once everything that was due has been delivered."""
    held = {}
    headlines = {}
    for cause in causes:
        known = told.causes.get(cause.key)
        held[cause.key] = cause.held if known is None or _grown(known, cause.held) else known
        headlines[cause.key] = cause.headline
    return LastTold(held, headlines, now)


def _grown(known: int | None, held: int) -> bool:
    return known is not None and held >= max(known * GROWTH, known + LEAST)


def _words(cause: CauseSeen) -> str:
    waiting = f", {cause.waiting:,} waiting" if cause.waiting else ""
    return f"{cause.headline.rstrip('.')} ({plural(cause.open, 'error')}{waiting})"


def parse_span(text: str, option: str) -> timedelta:
    """`30s`, `15m`, `8h`, `1d`.

    Raises:
        BadInputError: It is none.
    """
    span = span_of(text, "smhd")
    if span is None:
        raise BadInputError(f"{option} cannot be '{one_line(text)[:40]}'", "Write it as 30s, 15m, 8h or 1d")
    return span


def parse_quiet(text: str) -> tuple[time, time]:
    """`22:00-06:30`.

    Raises:
        BadInputError: It is no such time.
    """
    match = _QUIET.match(text)
    try:
        if match is not None:
            return time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    except ValueError:
        pass
    raise BadInputError(f"--quiet cannot be '{one_line(text)[:40]}'", "Write it as 22:00-06:00")
