"""What is worth a message, and how it gets to people: one about each cause, again only when it grows, and
when it is cleared; and the files of a watch: its state, figures for Prometheus.

Nothing is queued. What a channel was told last is held against what is so now: what came and went between
two messages is never sent, and what could not be delivered is still due. The clock is an argument.

The figures are in the text format 0.0.4 that the node exporter's textfile collector reads:
https://prometheus.io/docs/instrumenting/exposition_formats/. What fails is told in words.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Self

from syncerr_tui.errors import DAMAGED, BadInputError
from syncerr_tui.files import read_plain, replace_file, writing
from syncerr_tui.model import ApiUsage, SyncError
from syncerr_tui.text import one_line
from syncerr_tui.watch.watcher import CauseSeen
from syncerr_tui.words import plural, span_of

GROWTH, LEAST = 2, 5
"""A cause is told again once it is twice as large, and larger by five."""
_NAMED = 10
"""Causes that one message names; the others are counted."""
_QUIET = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})\Z")


@dataclass(frozen=True, slots=True)
class ChannelState:
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
    def of_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Raises: Of `errors.DAMAGED`: It is none."""
        at = payload["at"]
        return cls(
            {str(key): int(count) for key, count in payload["causes"].items()},
            {str(key): one_line(str(text)) for key, text in payload["headlines"].items()},
            datetime.fromisoformat(at) if at else None,
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """When messages leave."""

    digest: timedelta = timedelta(0)
    """At least so long between two messages."""
    quiet: tuple[time, time] | None = None
    """From when to when none leaves, in local time; it may go over midnight."""

    def allows(self, now: datetime, last: datetime | None) -> bool:
        if last is not None and now - last < self.digest:
            return False
        if self.quiet is None:
            return True
        begin, end = self.quiet
        at = now.astimezone().time()
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


def due(last: ChannelState, causes: Iterable[CauseSeen], org: str, errors: int) -> Message | None:
    """What a channel does not know yet; None where it knows everything."""
    now = {cause.key: cause for cause in causes}
    new = tuple(cause for key, cause in now.items() if key not in last.causes)
    grown = tuple(cause for key, cause in now.items() if _grown(last.causes.get(key), cause.held))
    cleared = tuple(last.headlines.get(key, key) for key in last.causes if key not in now)
    if not (new or grown or cleared):
        return None
    counts = ((len(new), "new"), (len(grown), "growing"), (len(cleared), "cleared"))
    summary = ", ".join(f"{plural(count, f'{word} cause')}" for count, word in counts if count)
    title = f"{org}: {summary} ({plural(errors, 'sync error')})"
    lines = [*(f"New: {_words(cause)}" for cause in new), *(f"Growing: {_words(cause)}" for cause in grown)]
    lines += [f"Cleared: {headline}" for headline in cleared]
    more = len(lines) - _NAMED
    if more > 0:
        lines = [*lines[:_NAMED], f"and {plural(more, 'more cause')}: syncerr-tui causes"]
    return Message(one_line(title), tuple(map(one_line, lines)), new, grown, cleared, errors)


def after(last: ChannelState, causes: Iterable[CauseSeen], now: datetime | None) -> ChannelState:
    """What a channel knows once everything that was due has been delivered."""
    held_by_cause = {}
    headlines = {}
    for cause in causes:
        known = last.causes.get(cause.key)
        held_by_cause[cause.key] = cause.held if known is None or _grown(known, cause.held) else known
        headlines[cause.key] = cause.headline
    return ChannelState(held_by_cause, headlines, now)


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


_NOTIFY_SECONDS = 60.0
_STATE_BYTES = 16 * 2**20


class Notifier:
    """One address that Apprise knows how to reach.

    Args:
        url: The address; it holds secrets, and is never shown.
        name: What it is called in messages about it: where the address is kept.

    Raises:
        BadInputError: Apprise is not installed, or knows no such address.
    """

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        try:
            import apprise
        except ImportError:
            raise BadInputError(
                "Notifications need Apprise, which is not installed",
                "Install it: pip install 'syncerr-tui[notify]'",
            ) from None
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its lines name the address
        self._apprise = apprise.Apprise()
        if not self._apprise.add(url):
            raise BadInputError(
                f"{name} is not an address that Apprise knows", "See https://github.com/caronc/apprise/wiki"
            )

    async def send(self, title: str, body: str) -> str:
        """Send one message. Gives what went wrong; empty: delivered."""
        import apprise

        def notify() -> bool:
            return bool(self._apprise.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))

        try:
            async with asyncio.timeout(_NOTIFY_SECONDS):
                delivered = await asyncio.to_thread(notify)
        except TimeoutError:
            return f"{self.name} did not answer within {_NOTIFY_SECONDS:.0f} s"
        except Exception as problem:  # noqa: BLE001 - more than a hundred services, each with failures of its own
            return f"{self.name} failed ({type(problem).__name__})"
        return "" if delivered else f"{self.name} did not take the message"


@dataclass(frozen=True, slots=True)
class ChannelStateFile:
    """What each channel was told, kept between two starts."""

    path: Path

    def read(self) -> dict[str, ChannelState]:
        """Channel -> what it was told. One that is damaged, or was never told anything, is not in it."""
        try:
            payload = json.loads(read_plain(self.path, _STATE_BYTES))
            return {str(key): ChannelState.of_payload(value) for key, value in payload.items()}
        except (OSError, *DAMAGED):
            return {}

    def write(self, channels: Mapping[str, ChannelState]) -> None:
        """Raises: MachineError: It cannot be written."""
        write_whole(self.path, [json.dumps({key: value.payload() for key, value in channels.items()})], 0o600)


def write_whole(path: Path, lines: Iterable[str], mode: int) -> None:
    """Write a file so that whoever reads it finds the old one or the new one, whole.

    Raises:
        MachineError: It cannot be written.
    """
    with writing(path, "Make room, or name another file"):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, "".join(f"{line}\n" for line in lines), mode)


_CAUSES = 50
"""Causes with a series of their own, the largest; the others are one sum."""
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Metrics:
    """What is measured at one look."""

    org: str
    at: datetime
    """This machine's time of the look."""
    errors: Mapping[str, SyncError]
    causes: tuple[CauseSeen, ...]
    """Largest first."""
    safeguards_off: int | None
    """None where it is not known."""
    usage: ApiUsage | None


def render(figures: Metrics) -> Iterator[str]:
    org = figures.org
    by_kind = Counter((str(error.object), error.code or "none") for error in figures.errors.values())
    yield from _series(
        "syncerr_errors",
        "Unresolved sync errors by object and code.",
        (({"org": org, "object": name, "code": code}, count) for (name, code), count in by_kind.items()),
    )
    named, rest = figures.causes[:_CAUSES], figures.causes[_CAUSES:]
    causes = [({"org": org, "cause": cause.key, "code": cause.code or "none"}, cause.held) for cause in named]
    if rest:
        causes.append(({"org": org, "cause": "other", "code": "other"}, sum(cause.held for cause in rest)))
    yield from _series("syncerr_cause_errors", "Errors that each cause holds, waiting ones included.", causes)
    yield from _series("syncerr_causes", "Causes.", [({"org": org}, len(figures.causes))])
    ages = [(figures.at - at).total_seconds() for error in figures.errors.values() if (at := error.since)]
    oldest = max(0.0, max(ages, default=0.0))
    yield from _series(
        "syncerr_oldest_error_age_seconds", "Age of the oldest error.", [({"org": org}, oldest)]
    )
    if figures.safeguards_off is not None:
        yield from _series(
            "syncerr_safeguards_off",
            "Safeguards switched off from here.",
            [({"org": org}, figures.safeguards_off)],
        )
    if figures.usage is not None:
        used, total = figures.usage.used, figures.usage.total
        yield from _series(
            "syncerr_api_calls_used", "Daily API calls used by the org.", [({"org": org}, used)]
        )
        yield from _series("syncerr_api_calls_total", "Daily API calls of the org.", [({"org": org}, total)])
    yield from _series(
        "syncerr_last_look_timestamp_seconds",
        "When the org was last read.",
        [({"org": org}, round(figures.at.timestamp(), 3))],
    )


def _series(name: str, meaning: str, values: Iterable[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    for labels, value in values:
        inner = ",".join(f'{key}="{one_line(text).translate(_ESCAPES)}"' for key, text in labels.items())
        yield f"{name}{{{inner}}} {value}"
