"""One row of one run and its last request: what travels through a run, and what the journal keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from syncerr_tui.model import RecordSeen, SyncError, Verdict


class OutcomeKind(StrEnum):
    """How a request ended for one row."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    """It certainly never reached the org."""
    UNKNOWN = "unknown"
    """It left, and no answer came back."""


class Pressed(StrEnum):
    """What a person said of a row that they were asked to re-sync in Salesforce (guided method)."""

    ASKED = "asked"
    """Nothing yet: it was shown to them, and may be pressed from then on."""
    YES = "pressed"
    NO = "not pressed"


@dataclass(frozen=True)
class Attempt:
    """Planned, about to be sent, answered, judged: each step gives a new one that knows more.

    Without slots, so that a step is one copy of a dict, which holds only what is not as the class has it: a
    run of 10,000 rows takes 40,000 of them, and setting two dozen fields would take most of its time.
    """

    error: SyncError
    """The row just before its last request; as it was planned where there was none."""
    run: str = ""
    wave: int = 0
    """Counted from 1."""
    attempts: int = 0
    """Requests for this row in this run."""
    intent: int | None = None
    """Number of the last of them in the journal."""
    sent_at: datetime | None = None
    """This machine's clock at the last request; guided: when the person said that they pressed it."""
    org_at: datetime | None = None
    """The org's clock just before it: at or after every stamp that had been seen by then. Where nothing was
    sent because the event had left the failed state: when it had last failed."""
    stamp: datetime | None = None
    """The event's modification stamp just before the request."""
    before: tuple[RecordSeen, ...] | None = None
    """The records with its StoreConnect ID just before the request; None where nobody looked. Not kept."""
    kind: OutcomeKind | None = None
    """How the last request ended; None with an intent means that the program died meanwhile."""
    pressed: Pressed | None = None
    """Guided method: what the person said last; None where the program itself sent it."""
    code: str | None = None
    """Where the org refused the row: its code."""
    answer: str = ""
    """What came back, in words; the org's own where it refused the row."""
    earlier: bool = False
    """An earlier request of ours for this event may have been carried out: what is right now is not somebody
    else's doing."""
    ended: bool = False
    """A verdict, or the reason why it was not sent, is known."""
    verdict: Verdict | None = None
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    ended_at: datetime | None = None
    now: SyncError | None = None
    """The row as the org showed it when it was judged, where it still failed. Not kept."""
    untouched: bool = False
    """It still failed, and nothing said that the org ever processed this request. Not kept."""

    @property
    def event(self) -> str:
        """Id of the change event."""
        return self.error.id

    @property
    def requested_at(self) -> datetime:
        """`org_at` of a row that has one."""
        assert self.org_at is not None
        return self.org_at

    @property
    def record_ids(self) -> list[str]:
        """Of the records that were read back for its verdict."""
        return [record["id"] for record in self.evidence.get("records") or ()]

    @property
    def refusal(self) -> str:
        """The org's code and words where it refused the row, else empty."""
        if self.kind is not OutcomeKind.REFUSED:
            return ""
        return ": ".join(filter(None, (self.code, self.answer))) or "no reason given"

    @property
    def settled(self) -> bool:
        """It has a verdict that stands."""
        return self.verdict is not None and self.verdict is not Verdict.UNKNOWN

    @property
    def proven(self) -> bool:
        """The record is where it belongs."""
        return self.verdict is not None and self.verdict.proven

    @property
    def unknown(self) -> bool:
        """It was sent, or may have been, and what became of it is not known."""
        unsent = self.kind in {OutcomeKind.NOT_SENT, OutcomeKind.REFUSED}
        return not self.settled and self.intent is not None and not unsent

    @property
    def unticked(self) -> bool:
        """A person was shown it, and nobody said that Re-sync was pressed: it may have been, all the same."""
        return self.unknown and self.pressed is Pressed.ASKED

    @property
    def processed(self) -> bool:
        """Whether the org has certainly processed the event after the request, with whatever result."""
        failed_anew = self.verdict in {Verdict.STILL_FAILING, Verdict.NEW_CAUSE} and not self.untouched
        return failed_anew or self.verdict is Verdict.FIXED

    @classmethod
    def of_row(cls, error: SyncError, wave: int) -> Attempt:
        """A row that is planned: as the constructor makes it, several times faster."""
        planned = object.__new__(cls)
        planned.__dict__.update(error=error, wave=wave, evidence={})
        return planned

    def due(
        self,
        run: str,
        attempts: int,
        *,
        org_at: datetime,
        stamp: datetime | None,
        before: tuple[RecordSeen, ...] | None,
    ) -> Attempt:
        """It may be sent now, as it was just seen."""
        return self._grown(run=run, attempts=attempts, org_at=org_at, stamp=stamp, before=before)

    def judged(
        self,
        verdict: Verdict | None,
        reason: str,
        evidence: Mapping[str, Any] | None = None,
        *,
        now: SyncError | None = None,
        untouched: bool = False,
    ) -> Attempt:
        """What one look at the org says about it. Without a verdict it is not decided yet: look again."""
        return self._grown(
            verdict=verdict,
            reason=reason,
            evidence=evidence or {},
            now=now,
            untouched=untouched,
            ended=verdict is not None,
        )

    def not_sent(self, reason: str, cause: str = "") -> Attempt:
        """It ends without a verdict, because it is not sent; `cause` is the event that the reason names."""
        evidence = {"cause": cause} if cause else {}
        return self._grown(ended=True, verdict=None, reason=reason, evidence=evidence, now=None)

    @property
    def cause(self) -> str:
        """The event that its reason names; empty where it names none."""
        return str(self.evidence.get("cause", ""))

    def with_press(self, pressed: Pressed) -> Attempt:
        """What the person who was asked says now. A press counts as accepted: the org's button took it."""
        kind = OutcomeKind.ACCEPTED if pressed is Pressed.YES else None
        return self._grown(pressed=pressed, kind=kind, answer="")

    def numbered(self, intent: int) -> Attempt:
        """Its request is in the journal and may leave."""
        return self._grown(intent=intent)

    def leaving(self, org_at: datetime) -> Attempt:
        """Its request leaves at this moment of the org's clock, or later."""
        return self._grown(org_at=max(self.requested_at, org_at))

    def answered(self, kind: OutcomeKind, answer: str = "", code: str | None = None) -> Attempt:
        """How its request ended."""
        return self._grown(kind=kind, answer=answer, code=code)

    def _grown(self, **changes: object) -> Attempt:
        grown = object.__new__(Attempt)
        grown.__dict__.update(self.__dict__, **changes)
        return grown
