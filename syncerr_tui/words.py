"""Times, counts and values as text: on disk, in sentences, in the few letters a table has room for. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from syncerr_tui.text import one_line

_STEPS = (
    (60, 1, "s"),
    (3600, 60, "m"),
    (2 * 86400, 3600, "h"),
    (100 * 86400, 86400, "d"),
    (700 * 86400, 604800, "w"),
)


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@lru_cache(maxsize=4096)
def iso(at: datetime) -> str:
    """One spelling for every time on disk: UTC, so that text sorts as time does. Kept: the rows of a request
    share most of theirs, and each is written twice.
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def age(since: datetime, now: datetime) -> str:
    """How long ago, in at most three letters: `12s`, `5m`, `47h`, `99d`, `14w`, `2y`."""
    seconds = max(0, int((now - since).total_seconds()))
    for below, unit, letter in _STEPS:
        if seconds < below:
            return f"{seconds // unit}{letter}"
    return f"{min(99, seconds // (365 * 86400))}y"


def ago(since: datetime, now: datetime) -> str:
    """How long ago in words, coarse enough to change once a minute at most."""
    minutes = max(0, int((now - since).total_seconds())) // 60
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h {minutes % 60} min ago"


def duration(span: timedelta) -> str:
    """A time left, rounded up: `8 s`, `2 min`, `1 h 5 min`."""
    seconds = max(0, -int(-span.total_seconds() // 1))
    if seconds < 60:
        return f"{seconds} s"
    minutes = -(-seconds // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def time_with_age(when: datetime, now: datetime, width: int) -> str:
    """A point in local time with its age, as much of it as fits.

    Args:
        when: The point in time.
        now: What its age is counted to.
        width: Cells there are: 27 or more show everything, 4 the age alone.
    """
    local = when.astimezone()
    old = age(when, now)
    if width >= 27:
        return f"{local:%Y-%m-%d %H:%M:%S} {old:>3} ago"
    day = f"{local.day:>2} {local:%b}"
    if width >= 16:
        return f"{day} {local:%H:%M} {old:>3}"
    if width >= 10:
        recent = now - when < timedelta(hours=20)
        return f"{f'{local:%H:%M}' if recent else day:>6} {old:>3}"
    return f"{old:>{width}}"


def span_of(text: str, units: str = "mhdw", digits: int = 4) -> timedelta | None:
    """A span as a person writes it, `30s`, `15m`, `8h`, `2d`, `1w`; None for anything else.

    Args:
        text: What was written.
        units: The letters that may stand behind the number.
        digits: How long the number may be.
    """
    match = re.fullmatch(rf"(\d{{1,{digits}}})([{units}])", text)
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def sentence(text: str) -> str:
    """A text as a sentence: with a capital, and a full stop."""
    return full_stop(f"{text[:1].upper()}{text[1:]}")


def full_stop(text: str) -> str:
    """A text that may begin with a name, with a full stop where it has none."""
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def clock_time(at: datetime, near: datetime) -> str:
    """A point in local time to the second, with its day where that is another one than the day of `near`."""
    local = at.astimezone()
    day = "" if local.date() == near.astimezone().date() else f"{local.day} {local:%b} "
    return f"{day}{local:%H:%M:%S}"


def local_minute(at: datetime) -> str:
    """A point in time with its zone, `2026-11-28 20:47 CET`: for sentences, and lines of commands."""
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}"


def local_second(at: datetime) -> str:
    """The same to the second: where it is the one time that counts."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def naming(sentence: str, event: str, name_of: Callable[[str], str]) -> str:
    """A sentence in which an event that it is known to name by its id has the name of its record."""
    return sentence.replace(event, name_of(event)) if event else sentence


def plural(count: int, noun: str, shown: int | None = None) -> str:
    """`1 error`, `1,204 errors`; `12 of 1,204 errors` where fewer are shown."""
    some = "" if shown in {None, count} else f"{shown:,} of "
    return f"{some}{count:,} {noun}" if count == 1 else f"{some}{count:,} {noun}s"


def field_value(value: object) -> str:
    """The value of a field or of the set-up; a checkbox is `yes` or `no`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "(empty)" if value in (None, "") else one_line(str(value))


def object_counts(objects: Iterable[str], most: int) -> str:
    """`8 Order, 4 Contact and 2 more objects`: the most frequent by name, how many others there are."""
    counted = Counter(objects)
    named = ", ".join(f"{count:,} {name}" for name, count in counted.most_common(most))
    more = len(counted) - most
    return f"{named} and {plural(more, 'more object')}" if more > 0 else named
