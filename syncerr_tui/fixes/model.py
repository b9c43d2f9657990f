"""A fix, as data: how it is offered, what became of it, and which safeguards are off. No I/O.

The JSON names here are the contract of `syncerr-tui fix --json` and `syncerr-tui safeguards --json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.model import Step
from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.fixes.org import FixKind, FixTarget, TargetReading, Values
from syncerr_tui.text import clean, one_line

LATE = timedelta(minutes=10)
"""How long a request whose answer was lost may still be carried out. A safeguard that may be affected stays
on the ledger for so long, whatever a re-read shows."""


@dataclass(frozen=True, slots=True)
class FixOption:
    """A fix as it is offered: what would change, for whom, how it is undone, and whether it may be done."""

    key: str
    kind: FixKind
    title: str
    target: FixTarget
    before: Values
    after: Values
    wants: tuple[str, ...]
    affects: str
    changed: tuple[str, ...]
    """Last changed by whom and when, in words, and what the audit trail adds."""
    why_guided: str
    """Empty: automatic."""
    why_not: str
    """Why it may not be done here; empty: allowed."""
    steps: tuple[Step, ...]
    seen: str
    """Short hash of the whole target as shown. `apply` refuses where it is another one by then."""
    settled: str = ""
    """Why nothing has to be changed any more; empty: it has."""
    old_key: str = ""
    """How 0.1.0 wrote the key: not always different from another option's."""
    event: str = ""
    """The error that it was found for, the first of several."""

    @property
    def automatic(self) -> bool:
        """Whether this program does it."""
        return not self.why_guided

    @property
    def allowed(self) -> bool:
        """Whether it may be done here, by this user."""
        return self.automatic and not self.why_not

    @property
    def told(self) -> tuple[object, ...]:
        """What a person was told of it. New values apart: one that ends in an hour is another each time."""
        return self.title, dict(self.before), set(self.after)

    def check_choice(self, values: Iterable[str]) -> None:
        """Whether it may be done, with values for these fields.

        Raises:
            RefusedError: Its profile or a permission is against it, or it is done by hand.
            BadInputError: A value is missing or superfluous.
        """
        if not self.allowed:
            raise RefusedError(
                f"{self.title} is not done from here: {self.why_not or self.why_guided}",
                "The steps for a person are in 'syncerr-tui fix'" if self.why_guided else "",
            )
        given = set(values)
        if missing := [name for name in self.wants if name not in given]:
            raise BadInputError(
                f"{self.title} needs a value", f"Give it with --value {missing[0]}=..., as it should be"
            )
        if extra := sorted(given.difference(self.wants)):
            wanted = f"It takes: {', '.join(self.wants)}" if self.wants else "It takes none"
            raise BadInputError(f"{self.title} takes no value for {one_line(extra[0])[:40]}", wanted)

    def payload(self) -> dict[str, object]:
        """The keys that `fix --json` promises."""
        return {
            "key": self.key,
            "title": self.title,
            "scope": self.kind.scope.value,
            "target": self.target.payload(),
            "before": dict(self.before),
            "after": dict(self.after),
            "undo": self.kind.undo.value,
            "risk": self.kind.risk.value,
            "verdict": "automatic" if self.automatic else "guided",
            "allowed": self.allowed,
            "why_not": self.why_not or self.why_guided or None,
            "affects": self.affects,
            "wants": list(self.wants),
            "changed": list(self.changed),
            "seen": self.seen,
            "settled": self.settled or None,
            "steps": [{"text": plain(step.text), "address": step.address} for step in self.steps],
        }

    @classmethod
    def of_payload(cls, held: Mapping[str, Any]) -> Self:
        """From a file: input like any other, so its text is made harmless again.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: It is no fix.
        """
        automatic = held["verdict"] == "automatic"
        why = "" if held["allowed"] is True else one_line(held["why_not"] or "")
        return cls(
            key=one_line(held["key"]),
            kind=FixKind(held["key"].partition(":")[0]),
            title=one_line(held["title"]),
            target=FixTarget(*(one_line(held["target"][name]) for name in ("type", "id", "name"))),
            before=_values(held["before"]),
            after=_values(held["after"]),
            wants=tuple(map(one_line, held["wants"])),
            affects=one_line(held["affects"]),
            changed=tuple(map(one_line, held["changed"])),
            why_guided="" if automatic else why,
            why_not=why if automatic else "",
            steps=tuple(
                Step(clean(step["text"]), one_line(step["address"]) if step["address"] else None)
                for step in held["steps"]
            ),
            seen=one_line(held["seen"]),
            settled=one_line(held["settled"] or ""),
        )


def _values(held: Mapping[str, Any]) -> dict[str, Any]:
    if not all(value is None or isinstance(value, str | bool | int | float) for value in held.values()):
        raise TypeError
    return {one_line(name): clean(value) if isinstance(value, str) else value for name, value in held.items()}


def seen_hash(target: FixTarget, whole: str) -> str:
    """Short hash of a target as it was shown."""
    text = json.dumps([target.type, target.id or target.name, whole], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


class FixState(StrEnum):
    """What became of a fix."""

    APPLIED = "applied"
    ALREADY = "already"
    LISTED = "listed"
    """Nothing was changed: it is on a list that is carried to the org."""
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FixResult:
    """A fix, or its undoing, after the org was re-read."""

    fix: str
    """Id on the ledger; empty where nothing was written."""
    state: FixState
    verified: bool
    """A re-read shows it."""
    before: Values
    after: Values
    detail: str
    unreachable: bool = False
    """The org could not be re-read after the write."""

    def payload(self) -> dict[str, object]:
        """The keys that `fix --apply --json` promises."""
        return {
            "fix": self.fix or None,
            "state": self.state.value,
            "verified": self.verified,
            "before": dict(self.before),
            "after": dict(self.after),
            "detail": self.detail,
        }


class SafeguardState(StrEnum):
    """A safeguard on the ledger, as just re-read."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"
    """It could not be read."""
    GONE = "gone"
    OTHER_VERSION = "other-version"
    """A Flow of which another version is active than the one that was switched off."""


@dataclass(frozen=True, slots=True)
class FixRecord:
    """A fix on record, written before the act."""

    id: str
    at: datetime
    kind: FixKind
    target: FixTarget
    before: Values
    after: Values
    whole: str
    """The whole target before the act."""
    event: str
    """The sync error it was done for; empty where none."""
    by: str
    """The operating system's user."""
    org_user: str
    reason: str
    outcome: str = ""
    """`accepted`, `refused`, `not sent`, `unknown`, `by hand`; empty: the program ended before it knew."""
    closed: str = ""
    """Why it is off the ledger; empty while it is on it."""
    last_write: datetime | None = None
    """When a request that switches it off or on was last about to be sent."""
    unsettled: bool = False
    """Whether the answer to the last such request is not known."""

    def may_change_late(self, now: datetime) -> bool:
        """Whether a request with a lost answer may still be carried out."""
        return self.unsettled and self.last_write is not None and now - self.last_write < LATE

    def payload(self) -> dict[str, object]:
        """The keys that `journal --fixes --json` promises."""
        return {
            "fix": self.id,
            "at": self.at.isoformat(),
            "kind": self.kind.value,
            "target": self.target.payload(),
            "before": dict(self.before),
            "after": dict(self.after),
            "event": self.event or None,
            "by": self.by,
            "org_user": self.org_user,
            "reason": self.reason,
            "outcome": self.outcome or None,
            "closed": self.closed or None,
        }


@dataclass(frozen=True, slots=True)
class SafeguardNow:
    """A line of the ledger with its state re-read just now."""

    record: FixRecord
    state: SafeguardState
    now: Values
    detail: str = ""

    def payload(self) -> dict[str, object]:
        """The keys that `safeguards --json` promises."""
        record = self.record
        return {
            "fix": record.id,
            "target": record.target.payload(),
            "state": self.state.value,
            "before": dict(record.before),
            "now": dict(self.now),
            "since": record.at.isoformat(),
            "by": record.by,
            "event": record.event or None,
            "reason": record.reason,
            "detail": self.detail,
        }


def undo_values(record: FixRecord) -> Values:
    """What putting a fix back writes. No API removes a picklist value: an added one becomes inactive."""
    if record.kind is FixKind.ADD_VALUE:
        return {name: "inactive" if value is None else value for name, value in record.before.items()}
    if record.kind is FixKind.ASSIGN_BYPASS:
        return {"assigned": False}
    return record.before


def state_of(record: FixRecord, reading: TargetReading | None) -> SafeguardState:
    """What a reading says about a safeguard on the ledger."""
    if reading is None:
        return SafeguardState.GONE
    if same_values(reading.values, undo_values(record)):
        return SafeguardState.ON
    if same_values(reading.values, record.after):
        return SafeguardState.OFF
    return SafeguardState.OTHER_VERSION if record.kind is FixKind.FLOW_OFF else SafeguardState.UNKNOWN


def same_values(found: Values, wanted: Values) -> bool:
    """Whether everything that is wanted is so."""
    return all(found.get(name) == value for name, value in wanted.items())
