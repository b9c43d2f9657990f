"""What a fix changes and what it needs of an org: the shapes that `salesforce/` fills. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, Self

from syncerr_tui.diagnosis.explanation import Explanation
from syncerr_tui.diagnosis.model import Step
from syncerr_tui.model import Environment, OrgIdentity, SyncError
from syncerr_tui.stopwatch import Leaving

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
    CORRECT_VALUE = ("correct-value", FixScope.RECORD, Undo.PARTIAL, Risk.LOW)
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
        cls, key: str, scope: FixScope = FixScope.SETUP, undo: Undo = Undo.NONE, risk: Risk = Risk.HIGH
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
        return {"type": self.type, "id": self.id, "name": self.name}


@dataclass(frozen=True, slots=True)
class FixChange:
    """What a fix does to its target."""

    kind: FixKind
    """Which part of the target is meant."""
    target: FixTarget
    after: Values
    """What it sets. Of a record, these names are what is read."""
    before: Values = field(default_factory=dict)
    """The same as it was; empty until that was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixCandidate(FixChange):
    """One fix that fits a diagnosis, as the org knows its target. Whether it may be done is decided later."""

    title: str
    """One line in the imperative, without a full stop."""
    wants: tuple[str, ...] = ()
    """Fields whose new value the person has to give."""
    whole: str = ""
    """The whole target as it was read: what `seen` is a hash of, and what the journal keeps."""
    changed: tuple[datetime | None, str] = (None, "")
    """When it was last changed, and by whom."""
    audit: tuple[str, ...] = ()
    """What the setup audit trail says about it, newest first. A hint: its texts are for people."""
    guided: str = ""
    """Why a person has to do it, a sentence without a full stop; empty: this program can."""
    blocked: str = ""
    """Why this user cannot do it, although others can; empty: nothing is known against it."""
    settled: str = ""
    """Why nothing has to be changed any more; empty: it has. Then only what is so already is accepted."""
    needs: tuple[str, ...] = ()
    """Permissions that are needed, each a name of UserPermissionAccess or several joined by `|`."""
    needs_metadata_api: bool = False
    affects: str = ""
    """Who else is affected, a sentence."""
    steps: tuple[Step, ...] = ()
    """How a person does it."""
    event: str = ""
    """The error that it was found for."""


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

    def part(self, names: Iterable[str]) -> dict[str, Any]:
        """These of its values; None for one that it does not have."""
        return {name: self.values.get(name) for name in names}


@dataclass(frozen=True, slots=True)
class KnownFixes:
    """What an org offered for some errors with one cause, as a snapshot keeps it."""

    errors: tuple[str, ...]
    options: tuple[Mapping[str, Any], ...]
    """`FixOption.payload` of each, not looked into yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFacts:
    """What was taken along of an org (`salesforce.snapshot.Snapshot` has more of it)."""

    taken_at: datetime
    org: OrgIdentity
    errors: tuple[SyncError, ...]
    fixes: tuple[KnownFixes, ...] = ()
    path: Path = Path()
    """The file it was read from."""


class FixOrg(Protocol):
    """One org, as fixes see it. `salesforce.org_fixes` fulfils it."""

    @property
    def policy(self) -> FixPolicy: ...

    @property
    def org_user(self) -> str:
        """Username of the login."""
        ...

    async def facts(self, errors: Sequence[tuple[SyncError, Explanation]], *, named: str = "") -> FixFacts:
        """What the org says about the fixes of some errors with one cause.

        Args:
            errors: With what is known about them.
            named: A record that a person asks for: told as settled where nothing blocks there any more.

        Raises:
            NotLoggedInError, UnreachableError: The org could not be asked.
        """
        ...

    async def typed(self, kind: FixKind, target: FixTarget, values: Mapping[str, str]) -> dict[str, Any]:
        """What a person typed, as the org's fields hold it.

        Raises:
            BadInputError: It is no value of its field, or names no active user.
        """
        ...

    async def find_safeguard(self, text: str) -> FixChange:
        """What switches off a safeguard, by its type and name.

        Args:
            text: `ValidationRule:Order.Needs_Tax_Number`, `FlowDefinition:Order_Builder@3`.

        Raises:
            BadInputError: It is no such name, or the org has no such safeguard.
        """
        ...

    async def read_target(self, change: FixChange) -> TargetReading | None:
        """Read the target of a change fresh; None where it is gone.

        Raises:
            SyncErrError: It could not be read.
        """
        ...

    async def write_target(self, change: FixChange, reading: TargetReading, leaving: Leaving) -> None:
        """Write what was just read with the change in it, in one request.

        Args:
            change: What is changed.
            reading: What was read.
            leaving: Called when the request leaves.

        Raises:
            NotSentError: It never reached the org.
            OutcomeUnknownError: No answer came back.
            RefusedError, BadInputError: The org refused it, or it may never be written.
        """
        ...

    async def has_version(self, target: FixTarget, version: int, whole: str) -> bool:
        """Whether a Flow still has the version that was active, and not another one of its number.

        Args:
            target: The Flow.
            version: The number.
            whole: The Flow as it was read then.
        """
        ...


def short_list(names: Sequence[str], most: int = 5) -> str:
    """Names for a sentence, at most so many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
