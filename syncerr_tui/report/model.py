"""A report as data. The names of `payload` are the contract of `syncerr-tui report --format json`. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from syncerr_tui.model import Verdict


@dataclass(frozen=True, slots=True)
class ReportedCause:
    """One thing that is, or was, to be fixed."""

    key: str
    code: str | None
    headline: str
    retry: str
    """What has to happen before a re-sync can work, as `causes --json` says it."""
    open: int
    """Errors in the list that fail for this reason themselves."""
    waiting: int
    """Errors in the list that only wait for these."""
    done: int
    """Errors that were proven in the time of the report and are not in the list."""
    orders: int
    money: int
    since: datetime | None
    """The oldest of the open ones."""
    example: str
    """Id of one change event of it."""


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """One row that a run ended in the time of the report."""

    event: str
    object: str
    event_type: str
    storeconnect_id: str
    verdict: str
    at: datetime | None
    by: str
    run: str
    reason: str
    records: tuple[tuple[str, str], ...]
    """The records that were read back: id, and the address of its page."""
    open: bool
    """It is in the list now."""


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """One run that began, or proved something, in the time of the report."""

    run: str
    at: datetime
    by: str
    reason: str
    method: str
    planned: int
    verdicts: Mapping[str, int]
    state: str
    """`finished`, `stopped`, `under way`, `interrupted` ..."""


@dataclass(frozen=True, slots=True)
class ReportedFix:
    """One change of the org itself."""

    fix: str
    at: datetime
    by: str
    what: str
    reason: str
    outcome: str
    off: bool
    """A safeguard that is not seen on again."""


@dataclass(frozen=True, slots=True)
class ReportedHandling:
    """What people have said about one open error."""

    event: str
    object: str
    assigned: str
    ticket: str
    snoozed: str
    """Until when and by whom; empty: it is awake."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """How many errors were open at a time."""

    at: datetime
    open: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything there is to hand over. `was_open + came - done == left`."""

    org: str
    environment: str
    made_at: datetime
    since: datetime
    by: str
    masked: bool
    was_open: int
    came: int
    done: int
    left: int
    """Errors in the list, read just now."""
    causes: tuple[ReportedCause, ...]
    """Worst first; those of which nothing is left come last."""
    rows: tuple[ReportedRow, ...]
    """Newest first."""
    unsettled: tuple[ReportedRow, ...]
    """TWIN and UNKNOWN, whenever that was found, as long as nothing later settles it."""
    runs: tuple[ReportedRun, ...]
    handled: tuple[ReportedHandling, ...]
    fixes: tuple[ReportedFix, ...]
    """Safeguards that are off first, then by time, newest first."""
    trend: tuple[Point, ...]
    next_steps: tuple[str, ...]

    @property
    def off(self) -> tuple[ReportedFix, ...]:
        return tuple(fix for fix in self.fixes if fix.off)

    @property
    def support(self) -> tuple[ReportedCause, ...]:
        """What only StoreConnect's support can clear."""
        return tuple(cause for cause in self.causes if cause.retry == "support only" and cause.open)

    def count(self, verdict: Verdict) -> int:
        return sum(row.verdict == verdict.value for row in self.rows)

    def payload(self) -> dict[str, Any]:
        made = asdict(self, dict_factory=_plain)
        made["verdicts"] = {v.value: n for v in Verdict if (n := self.count(v))}
        return made


def _plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in items}
