"""A fix, as data: what would change, what did, and which safeguards are off. No I/O.

The JSON names here are the contract of `syncerr-tui fix --json` and `syncerr-tui safeguards --json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, Self

from syncerr_tui.diagnosis.model import Step
from syncerr_tui.model import Environment

LATE = timedelta(minutes=10)
"""How long a request whose answer was lost may still be carried out. A safeguard that may be affected stays
on the ledger for so long, whatever a re-read shows."""

Values = Mapping[str, Any]
"""What a fix changes: name -> value, as JSON holds it."""


class FixScope(StrEnum):
    """How far a fix reaches, smallest first: options are offered in this order."""

    RECORD = "record"
    EXEMPTION = "exemption"
    SETUP = "setup"
    SAFEGUARD = "safeguard"


class Undo(StrEnum):
    """How well a fix can be taken back."""

    EXACT = "exact"
    PARTIAL = "partial"
    NONE = "none"


class Risk(StrEnum):
    """What a mistake would cost on a production org."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class FixKind(StrEnum):
    """What is done. The value begins the option's key, `validation-rule-off:Order.Needs_Tax_Number`."""

    scope: FixScope
    undo: Undo
    risk: Risk

    CLEAR_BOUNCE = ("clear-bounce", FixScope.RECORD, Undo.EXACT, Risk.LOW)
    CHANGE_OWNER = ("change-owner", FixScope.RECORD, Undo.NONE, Risk.MEDIUM)
    CORRECT_VALUE = ("correct-value", FixScope.RECORD, Undo.EXACT, Risk.LOW)
    EXEMPT_SYNC_USER = ("exempt-sync-user", FixScope.EXEMPTION, Undo.EXACT, Risk.LOW)
    ASSIGN_BYPASS = ("assign-bypass", FixScope.EXEMPTION, Undo.EXACT, Risk.LOW)
    ADD_VALUE = ("add-value", FixScope.SETUP, Undo.PARTIAL, Risk.MEDIUM)
    VALIDATION_RULE_OFF = ("validation-rule-off", FixScope.SAFEGUARD, Undo.EXACT, Risk.MEDIUM)
    WORKFLOW_RULE_OFF = ("workflow-rule-off", FixScope.SAFEGUARD, Undo.EXACT, Risk.MEDIUM)
    FLOW_OFF = ("flow-off", FixScope.SAFEGUARD, Undo.EXACT, Risk.HIGH)
    DUPLICATE_RULE_OFF = ("duplicate-rule-off", FixScope.SAFEGUARD, Undo.EXACT, Risk.HIGH)
    NOT_REQUIRED = ("not-required", FixScope.SAFEGUARD, Undo.EXACT, Risk.MEDIUM)
    BY_HAND = ("by-hand", FixScope.SETUP, Undo.NONE, Risk.HIGH)
    """No API does it, or none should: steps for a person."""

    def __new__(
        cls,
        key: str,
        scope: FixScope = FixScope.SETUP,
        undo: Undo = Undo.NONE,
        risk: Risk = Risk.HIGH,
    ) -> Self:
        """One kind with everything that is told of it."""
        kind = str.__new__(cls, key)
        kind._value_ = key
        kind.scope, kind.undo, kind.risk = scope, undo, risk
        return kind

    @property
    def is_safeguard(self) -> bool:
        """Whether it switches something off that has to be switched on again."""
        return self.scope is FixScope.SAFEGUARD


@dataclass(frozen=True, slots=True)
class FixTarget:
    """The thing that is changed."""

    type: str
    """`ValidationRule`, `FlowDefinition`, `CustomField` ... or the object of a record."""
    id: str
    """Salesforce id; empty where the Metadata API knows the thing by its name only."""
    name: str
    """Full name of a component, `Order.Needs_Tax_Number`; what a record is called."""

    def payload(self) -> dict[str, str]:
        """As JSON."""
        return {"type": self.type, "id": self.id, "name": self.name}


@dataclass(frozen=True, slots=True)
class FixCandidate:
    """One fix that fits a diagnosis, as the org knows its target. Whether it may be done is decided later."""

    kind: FixKind
    target: FixTarget
    title: str
    """One line in the imperative, without a full stop."""
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)
    wants: tuple[str, ...] = ()
    """Fields whose new value the person has to give."""
    whole: str = ""
    """The whole target as it was read: what `seen` is a hash of, and what the journal keeps."""
    changed_at: datetime | None = None
    changed_by: str = ""
    audit: tuple[str, ...] = ()
    """What the setup audit trail says about it, newest first. A hint: its texts are for people."""
    guided: str = ""
    """Why a person has to do it, a sentence without a full stop; empty: this program can."""
    blocked: str = ""
    """Why this user cannot do it, although others can; empty: nothing is known against it."""
    needs: tuple[str, ...] = ()
    """Permissions that are needed, each a name of UserPermissionAccess or several joined by `|`."""
    needs_metadata_api: bool = False
    affects: str = ""
    """Who else is affected, a sentence."""
    steps: tuple[Step, ...] = ()
    """How a person does it."""


@dataclass(frozen=True, slots=True)
class FixPolicy:
    """What may be done in this org at all: its profile's `[fixes]`, and what kind of org it is."""

    allow: frozenset[FixScope] = frozenset()
    environment: Environment = Environment.PRODUCTION
    read_only: bool = False
    unrestricted: bool = False
    """True in the demo org: everything is allowed, and no name is typed."""

    @property
    def names_target(self) -> bool:
        """Whether the person types the target's name first."""
        return self.environment is Environment.PRODUCTION and not self.unrestricted

    def refusal(self, scope: FixScope) -> str:
        """Why a fix of this scope may not be done here; empty where it may."""
        if self.read_only:
            return "Read-only: nothing in the org is changed"
        if not self.unrestricted and scope not in self.allow:
            return f'The profile does not allow it: add "{scope.value}" to allow in its [fixes]'
        return ""


@dataclass(frozen=True, slots=True)
class FixFacts:
    """What the org says about the fixes of one error."""

    candidates: tuple[FixCandidate, ...] = ()
    permissions: Mapping[str, bool] = field(default_factory=dict)
    """`PermissionsModifyMetadata` -> whether this user has it. What is missing is not known."""
    metadata_api: str = ""
    """Why the Metadata API cannot be used with this login; empty where it can, or was not asked."""


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
    whole: str = ""
    unset: bool = False
    """True: what is to be changed is so already."""

    @property
    def automatic(self) -> bool:
        """Whether this program does it."""
        return not self.why_guided

    @property
    def allowed(self) -> bool:
        """Whether it may be done here, by this user."""
        return self.automatic and not self.why_not

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
            "steps": [{"text": step.text.replace("**", ""), "address": step.address} for step in self.steps],
        }


def seen_hash(target: FixTarget, whole: str) -> str:
    """Short hash of a target as it was shown."""
    text = json.dumps([target.type, target.id or target.name, whole], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


class FixState(StrEnum):
    """What became of a fix."""

    APPLIED = "applied"
    ALREADY = "already"
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


@dataclass(frozen=True, slots=True)
class TargetReading:
    """A target as just read from the org."""

    values: Values
    """The part that a fix of this kind changes."""
    whole: str
    """All of it, as text."""
    rest: str
    """Hash of all that a fix of this kind must leave as it is."""
    handle: object = None
    """What a write starts from; only the client that read it looks inside."""


class FixOrg(Protocol):
    """What applying a fix needs of an org. `salesforce.fixes` has it."""

    async def read_target(self, kind: FixKind, target: FixTarget, after: Values) -> TargetReading | None:
        """Read a target fresh; None where it is gone.

        Args:
            kind: Which part of it `TargetReading.values` holds.
            target: What to read.
            after: The values that the fix sets: their names are what is read of a record.

        Raises:
            SyncErrError: It could not be read.
        """
        ...

    async def write_target(
        self, kind: FixKind, target: FixTarget, reading: TargetReading, after: Values
    ) -> None:
        """Write what was just read with `after` in it, in one request.

        Raises:
            NotSentError: It never reached the org.
            OutcomeUnknownError: No answer came back.
            RefusedError, BadInputError: The org refused it, or it may never be written.
        """
        ...

    async def has_version(self, target: FixTarget, version: int) -> bool:
        """Whether a Flow still has this version."""
        ...


def short_list(names: Sequence[str], most: int = 5) -> str:
    """Names for a sentence, at most so many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
