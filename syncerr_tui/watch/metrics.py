"""The figures of a watch for Prometheus: the text format that the node exporter's textfile collector reads.

https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4). Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from syncerr_tui.model import ApiUsage, SyncError
from syncerr_tui.text import one_line
from syncerr_tui.watch.watcher import CauseSeen

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
    """The lines of the file."""
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
