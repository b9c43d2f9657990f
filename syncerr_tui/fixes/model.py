"""A fix, as data: how it is offered, what became of it, and which safeguards are off; and from what the org
says to the options of an error (`options_for`): in which order, and which of them may be done. No I/O.

The JSON names here are the contract of `syncerr-tui fix --json` and `syncerr-tui safeguards --json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from urllib.parse import quote

from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.model import Step
from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.fixes.org import (
    FixCandidate,
    FixChange,
    FixFacts,
    FixKind,
    FixPolicy,
    FixScope,
    FixTarget,
    TargetReading,
    Values,
)
from syncerr_tui.text import clean, one_line
from syncerr_tui.words import local_minute

LATE = timedelta(minutes=10)
"""How long a request may still be carried out whose answer was lost, or whose change is not seen. A safeguard
that may be affected stays on the ledger for so long, whatever a re-read shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixOption(FixChange):
    """A fix as it is offered: what would change, for whom, how it is undone, and whether it may be done."""

    key: str
    title: str
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
        return not self.why_guided

    @property
    def allowed(self) -> bool:
        """Whether it may be done here, by this user."""
        return self.automatic and not self.why_not

    @property
    def as_shown(self) -> tuple[object, ...]:
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
        names = set(values)
        if missing := [name for name in self.wants if name not in names]:
            raise BadInputError(
                f"{self.title} needs a value", f"Give it with --value {missing[0]}=..., as it should be"
            )
        if extra := sorted(names.difference(self.wants)):
            hint = f"It takes: {', '.join(self.wants)}" if self.wants else "It takes none"
            raise BadInputError(f"{self.title} takes no value for {one_line(extra[0])[:40]}", hint)

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
    def of_payload(cls, payload: Mapping[str, Any]) -> Self:
        """From a file: input like any other, so its text is made harmless again.

        Raises:
            Of `errors.DAMAGED`: It is no fix.
        """
        automatic = payload["verdict"] == "automatic"
        why = "" if payload["allowed"] is True else one_line(payload["why_not"] or "")
        return cls(
            key=one_line(payload["key"]),
            kind=FixKind(payload["key"].partition(":")[0]),
            # Snapshots taken before said there what the verdict says.
            title=one_line(payload["title"]).removeprefix("By hand: "),
            target=FixTarget(*(one_line(payload["target"][name]) for name in ("type", "id", "name"))),
            before=_values(payload["before"]),
            after=_values(payload["after"]),
            wants=tuple(map(one_line, payload["wants"])),
            affects=one_line(payload["affects"]),
            changed=tuple(map(one_line, payload["changed"])),
            why_guided="" if automatic else why,
            why_not=why if automatic else "",
            steps=tuple(
                Step(clean(step["text"]), one_line(step["address"]) if step["address"] else None)
                for step in payload["steps"]
            ),
            seen=one_line(payload["seen"]),
            settled=one_line(payload["settled"] or ""),
        )


@dataclass(frozen=True, slots=True)
class FixRequest:
    """A fix that a person wants made."""

    option: FixOption
    """As it was shown."""
    values: Values = field(default_factory=dict)
    """Field -> new value, for what the option wants."""
    confirm: str = ""
    """The target's name, as the person typed it; needed in production only."""
    seen: str = ""
    """`FixOption.seen` of what the person saw; empty: whatever is there now."""
    reason: str = ""
    """Why, in the person's words."""
    event: str = ""
    """Id of the sync error it is for."""


def _values(values: Mapping[str, Any]) -> dict[str, Any]:
    if not all(value is None or isinstance(value, str | bool | int | float) for value in values.values()):
        raise TypeError
    return {
        one_line(name): clean(value) if isinstance(value, str) else value for name, value in values.items()
    }


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FixRecord(FixChange):
    """A fix on record, written before the act."""

    id: str
    at: datetime
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
    """Whether it is not known what became of the last such request."""

    def may_change_late(self, now: datetime) -> bool:
        """Whether such a request may still be carried out."""
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

    @property
    def is_off(self) -> bool:
        """Whether it is off as far as is known."""
        return self.state not in {SafeguardState.ON, SafeguardState.GONE}

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
    if any(same_values(reading.values, values) for values in (undo_values(record), record.before) if values):
        return SafeguardState.ON
    if same_values(reading.values, record.after):
        return SafeguardState.OFF
    return SafeguardState.OTHER_VERSION if record.kind is FixKind.FLOW_OFF else SafeguardState.UNKNOWN


def same_values(seen: Values, wanted: Values) -> bool:
    """Whether everything that is wanted is so."""
    return all(seen.get(name) == value for name, value in wanted.items())


_SHELL_SAFE = "@+/="
"""Beside letters, digits and `_.-~`: what no shell treats in its own way."""
_ORDER = {scope: place for place, scope in enumerate(FixScope)}
_PERMISSION_NAMES = {
    "PermissionsAssignPermissionSets": "Assign Permission Sets",
    "PermissionsCustomizeApplication": "Customize Application",
    "PermissionsManageInteraction": "Manage Flow",
    "PermissionsManageUsers": "Manage Users",
    "PermissionsModifyAllData": "Modify All Data",
    "PermissionsModifyMetadata": "Modify Metadata Through Metadata API Functions",
    "PermissionsTransferAnyEntity": "Transfer Record",
    "PermissionsViewSetup": "View Setup and Configuration",
}


def options_for(facts: FixFacts, policy: FixPolicy) -> list[FixOption]:
    """The fixes of one error, smallest scope first; within a scope those that this program does first.

    Args:
        facts: What the org says about them and about this user.
        policy: What may be done in this org.
    """
    options = [_option(candidate, facts, policy) for candidate in facts.candidates]
    options.sort(key=lambda option: (_ORDER[option.kind.scope], not option.automatic))
    return _once(options)


def _option(candidate: FixCandidate, facts: FixFacts, policy: FixPolicy) -> FixOption:
    target = candidate.target
    named = target.id if candidate.kind.scope is FixScope.RECORD else target.name
    return FixOption(
        key=_key(candidate),
        old_key=f"{candidate.kind.value}:{named}",
        kind=candidate.kind,
        title=candidate.title,
        target=target,
        before=candidate.before,
        after=candidate.after,
        wants=candidate.wants,
        affects=candidate.affects,
        changed=_changed(candidate),
        why_guided=candidate.guided,
        why_not="" if candidate.guided else _why_not(candidate, facts, policy),
        steps=candidate.steps,
        seen=seen_hash(target, candidate.whole),
        settled=candidate.settled or _already_so(candidate),
        event=candidate.event,
    )


def _key(candidate: FixCandidate) -> str:
    """Tells an option from every other, is the same each time, and needs no quotes in a shell."""
    kind, target = candidate.kind, candidate.target
    match kind:
        case FixKind.CORRECT_VALUE:
            parts = [target.id, *candidate.wants]
        case FixKind.ADD_VALUE:
            parts = [target.name, *candidate.after]
        case FixKind.ASSIGN_BYPASS:
            parts = target.name.split(" for ")
        case _:
            parts = [target.id if kind.scope is FixScope.RECORD else target.name]
    return ":".join([kind.value, *(quote(part, safe=_SHELL_SAFE) for part in parts)])


def _already_so(candidate: FixCandidate) -> str:
    same = bool(candidate.after) and not candidate.wants and candidate.before == candidate.after
    return "It is like that already" if same else ""


def _why_not(candidate: FixCandidate, facts: FixFacts, policy: FixPolicy) -> str:
    """The first reason against it: the profile's, the user's, the login's, the target's."""
    if refusal := policy.refusal(candidate.kind.scope):
        return refusal
    for need in candidate.needs:
        known = [facts.permissions.get(name) for name in need.split("|")]
        if True not in known and None not in known:
            names = " or ".join(_PERMISSION_NAMES.get(name, name) for name in need.split("|"))
            return f"This user lacks the permission {names}"
    if candidate.needs_metadata_api and facts.metadata_api:
        return facts.metadata_api
    return candidate.blocked


def _changed(candidate: FixCandidate) -> tuple[str, ...]:
    at, who = candidate.changed
    if at is None:
        return candidate.audit
    return (f"Last changed {local_minute(at)}{f' by {who}' if who else ''}", *candidate.audit)


def _once(options: Iterable[FixOption]) -> list[FixOption]:
    by_key: dict[str, FixOption] = {}
    for option in options:
        by_key.setdefault(option.key, option)
    return list(by_key.values())
