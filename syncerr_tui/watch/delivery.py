"""How a message gets to people through Apprise, and the files of a watch: its state, figures for Prometheus.

The figures are in the text format 0.0.4 that the node exporter's textfile collector reads:
https://prometheus.io/docs/instrumenting/exposition_formats/. What fails is told in words.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.files import read_plain, replace_file
from syncerr_tui.model import ApiUsage, SyncError
from syncerr_tui.text import one_line
from syncerr_tui.watch.telling import LastTold
from syncerr_tui.watch.watcher import CauseSeen

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
                "Nobody can be notified: Apprise is not installed",
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
class LastToldFile:
    """What each channel was told, kept between two starts."""

    path: Path

    def read(self) -> dict[str, LastTold]:
        """Channel -> what it was told. One that is damaged, or was never told anything, is not in it."""
        try:
            held = json.loads(read_plain(self.path, _STATE_BYTES))
            return {str(key): LastTold.of_payload(value) for key, value in held.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def write(self, told: Mapping[str, LastTold]) -> None:
        """Raises: MachineError: It cannot be written."""
        write_whole(self.path, [json.dumps({key: value.payload() for key, value in told.items()})], 0o600)


def write_whole(path: Path, lines: Iterable[str], mode: int) -> None:
    """Write a file so that whoever reads it finds the old one or the new one, whole.

    Raises:
        MachineError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, "".join(f"{line}\n" for line in lines), mode)
    except OSError as problem:
        raise MachineError(
            f"{path} cannot be written ({problem.strerror or type(problem).__name__})",
            "Make room, or name another file",
        ) from problem


_CAUSES = 50
"""Causes with a series of their own, the largest; the others are one sum."""
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Figures:
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


def render(figures: Figures) -> Iterator[str]:
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
    ages = [(figures.at - at).total_seconds() for error in figures.errors.values() if (at := _since(error))]
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


def _since(error: SyncError) -> datetime | None:
    return error.created_at or error.processed_at


def _series(name: str, meaning: str, values: Iterable[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    for labels, value in values:
        inner = ",".join(f'{key}="{one_line(text).translate(_ESCAPES)}"' for key, text in labels.items())
        yield f"{name}{{{inner}}} {value}"
