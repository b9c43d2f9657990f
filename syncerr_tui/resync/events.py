"""What a run tells while it goes. Typed, frozen, without a screen: the app and the commands read the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.model import RowState, SyncError, Verdict
from syncerr_tui.resync.plan import Plan


@dataclass(frozen=True, slots=True)
class Counts:
    """Where the rows of a run stand. `queued` + `asked` + `sent` + `waiting` + all outcomes = `planned`."""

    planned: int = 0
    queued: int = 0
    asked: int = 0
    sent: int = 0
    waiting: int = 0
    fixed: int = 0
    still_failing: int = 0
    new_cause: int = 0
    not_tried: int = 0
    unknown: int = 0
    twin: int = 0
    elsewhere: int = 0
    not_sent: int = 0

    @property
    def ended(self) -> int:
        """Rows with an outcome."""
        return self.planned - self.queued - self.asked - self.sent - self.waiting

    def of(self, verdict: Verdict) -> int:
        """Rows that ended so."""
        return int(getattr(self, verdict.count_name))

    @property
    def proven(self) -> int:
        """Rows whose record is what it should be."""
        return sum(self.of(verdict) for verdict in Verdict if verdict.proven)

    @property
    def all_fixed(self) -> bool:
        """True where every row is proven: exit code 0."""
        return self.proven == self.planned


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run is in the journal and its rows are ours."""

    run_id: str
    plan: Plan
    resumed: bool
    """True where an earlier, interrupted run goes on."""


@dataclass(frozen=True, slots=True)
class WaveStarted:
    """The rows of this wave are looked at once more, then sent."""

    number: int
    of: int
    rows: int
    alone: bool = False
    """It is one row of the wave, which goes before the others."""


@dataclass(frozen=True, slots=True)
class BatchSent:
    """One request left; the org's answer is not here yet."""

    wave: int
    ids: tuple[str, ...]
    attempt: int


@dataclass(frozen=True, slots=True)
class RowChanged:
    """One row stands elsewhere now."""

    state: RowState
    attempt: Attempt
    """As it is from now on."""
    note: str = ""
    """What came back, of a row that has not ended: plain words, harmless."""

    @property
    def id(self) -> str:
        """Of the change event."""
        return self.attempt.event

    @property
    def verdict(self) -> Verdict | None:
        """With DONE only."""
        return self.attempt.verdict if self.state is RowState.DONE else None

    @property
    def reason(self) -> str:
        """Plain words, harmless."""
        ended = self.state in {RowState.DONE, RowState.NOT_SENT}
        return self.attempt.reason if ended else self.note

    @property
    def error(self) -> SyncError | None:
        """The row as the org shows it now, where that is known and it still fails."""
        return self.attempt.now if self.state is RowState.DONE else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far. At most about four a second."""

    counts: Counts
    eta_seconds: float | None
    """Time left, from what proven waves took; None before there is one, and while a wave takes longer."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Guided method: a person presses Re-sync in Salesforce for exactly these rows, in this order.

    The run waits until each of them has been spoken of: `Runner.tick`, `Runner.decline`, `Runner.answer`.
    """

    wave: int
    errors: tuple[SyncError, ...]
    address: str | None
    doubtful: frozenset[str] = frozenset()
    """Of these, the ones that were shown before the program ended: they may have been pressed, so they are
    not to be pressed. They are read again; `tick` says that they were pressed, `decline` that they were not.
    """


@dataclass(frozen=True, slots=True)
class Braked:
    """The run stops sending, for this reason. What is in flight is awaited and proven."""

    reason: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing more is sent until `Runner.resume()`."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Sending goes on."""


class WaitKind(StrEnum):
    """What a run waits for."""

    PROOF = "proof"
    """The org, which works on what this run has sent."""
    EARLIER = "earlier request"
    """The outcome of a request that an earlier run, or this one before it was interrupted, left unknown."""
    SHOWN = "shown before"
    """Rows that a person was asked to press before the run was interrupted: they may have been pressed."""
    LOCK = "lock"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to do for some seconds."""

    seconds: float
    """Until the next look or try; 0.0 where a wait is only announced."""
    why: str
    kind: WaitKind = WaitKind.PROOF
    rows: int = 0
    """Rows that wait for the org."""
    since: datetime | None = None
    """Since when they do, by this machine's clock."""
    until: datetime | None = None
    """When nothing more is waited for: what is not decided then is UNKNOWN."""


@dataclass(frozen=True, slots=True)
class WaveProven:
    """Every row of this wave has its outcome."""

    number: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The last event of every run."""

    run_id: str
    counts: Counts
    how: str
    """`finished`, `cancelled`, `braked` or `stopped`."""
    summary: str
    """One line for the person."""


RunEvent = (
    RunStarted
    | WaveStarted
    | BatchSent
    | RowChanged
    | Progress
    | AskPerson
    | Braked
    | Paused
    | Resumed
    | Waiting
    | WaveProven
    | RunEnded
)
