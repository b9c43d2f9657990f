"""What everything here is about: sync errors, orgs, verdicts. Frozen data, no I/O, no Textual, no HTTP."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypeVar

from syncerr_tui.text import SafeText, clean

Item = TypeVar("Item")
_STEP = 619
"""Rows for each part that is sorted by itself. Pages may be in order each: a step that divides one would meet
the same place of all of them."""


class EventType(StrEnum):
    """What the website wanted to do with the record."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    OTHER = "Other"
    """A value that this org uses and the profile does not map. Never re-synced without a warning."""


@dataclass(frozen=True, slots=True)
class SyncError:
    """One unresolved failed change event.

    All text is already harmless (`syncerr_tui.text`); times are aware and in UTC.
    """

    id: str
    """Salesforce id (18 characters) of the change event: the identity of the row everywhere."""
    object: SafeText
    """API name of the object the website wrote, e.g. `Order` or `s_c__Payment__c`."""
    event_type: EventType
    processed_at: datetime | None
    """When StoreConnect Sync last processed it."""
    salesforce_id: str | None
    """Id of the record in Salesforce, where it exists there already."""
    storeconnect_id: str
    """StoreConnect's id of the record (a lower-case UUID); may be empty in a damaged row."""
    message: SafeText
    code: str | None
    """Status code: the record's own field, else the first code that stands in the message, else None."""
    created_at: datetime | None = None
    """When the change event was made (CreatedDate): the order in which one record's changes happened.
    `processed_at` moves with every try, this does not."""

    @property
    def short_name(self) -> str:
        """For a sentence: the record's object and the beginning of its key, `Account 7ce42c82`."""
        return f"{self.object} {(self.storeconnect_id or self.id)[:8]}"

    def says_the_same_as(self, before: Self) -> bool:
        """Whether the row still says what it said. A Salesforce ID that appeared is not a change."""
        if self == before:
            return True
        return replace(self, salesforce_id=before.salesforce_id, created_at=before.created_at) == before

    def payload(self) -> dict[str, Any]:
        """As every command's JSON shows it. The keys are a contract."""
        return {
            "id": self.id,
            "object": self.object,
            "event_type": self.event_type.value,
            "processed_at": self.processed_at.isoformat() if self.processed_at else None,
            "salesforce_id": self.salesforce_id,
            "storeconnect_id": self.storeconnect_id,
            "code": self.code,
            "message": self.message,
        }

    @property
    def since(self) -> datetime | None:
        """When its change event was created, else when it was last tried."""
        return self.created_at or self.processed_at

    def stored(self) -> dict[str, Any]:
        """What `of_payload` makes it again from.

        Plans are bound to it by their hash: a field that is new leaves it as it was where the field is empty.
        """
        return {**self.payload(), "created_at": self.created_at.isoformat() if self.created_at else None}

    @classmethod
    def of_payload(cls, row: Mapping[str, Any]) -> Self:
        """From a plan file or a journal: input like any other, so its text is made harmless again.

        Raises:
            Of `errors.DAMAGED`: It is no sync error.
        """
        at, created = row["processed_at"], row["created_at"]
        return cls(
            id=str(row["id"]),
            object=clean(row["object"]),
            event_type=EventType(row["event_type"]),
            processed_at=datetime.fromisoformat(at) if at else None,
            salesforce_id=_text_or_none(row["salesforce_id"]),
            storeconnect_id=str(row["storeconnect_id"]),
            message=clean(row["message"]),
            code=_text_or_none(row["code"]),
            created_at=datetime.fromisoformat(created) if created else None,
        )


def _text_or_none(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value


class Environment(StrEnum):
    """What a mistake would cost. PRODUCTION until the org itself says otherwise."""

    PRODUCTION = "PRODUCTION"
    SANDBOX = "SANDBOX"
    DEMO = "DEMO"


@dataclass(frozen=True, slots=True)
class OrgIdentity:
    """Who we are talking to, as the org says it."""

    name: str
    """The profile's or alias' name as the person knows it, e.g. `acme-prod`."""
    org_id: str
    """18-character organization id: what a journal and a plan are bound to."""
    environment: Environment
    username: str
    instance_url: str
    """Scheme and host, no trailing slash."""
    time_zone: str = ""
    """The user's, as Salesforce shows them times, e.g. `Australia/Sydney`; empty where it does not say."""
    locale: str = ""
    """The user's, e.g. `en_AU`; empty where the org does not say."""


@dataclass(frozen=True, slots=True)
class ApiUsage:
    """The org's daily API calls as its last answer told (`Sforce-Limit-Info`)."""

    used: int
    total: int


class EventStanding(StrEnum):
    """Where a change event stands in the org right now."""

    FAILED = "failed"
    PENDING = "pending"
    """The org is working on it: neither failed nor done."""
    DONE = "done"
    """Its status is one that a person confirmed as done."""
    UNCLEAR = "unclear"
    """It left the failed state for a status whose meaning nobody has confirmed."""
    GONE = "gone"
    """No such change event any more, or not visible to us."""


@dataclass(frozen=True, slots=True)
class EventSeen:
    """A change event as just read from the org."""

    id: str
    standing: EventStanding
    status: str | None
    """The org's own word for it, e.g. `FAILED`; None when gone."""
    error: SyncError | None
    """The row as it is now, where the event still exists."""
    modified_at: datetime | None
    """The event's SystemModstamp, by the org's clock."""
    processed_by_touch: bool = False
    """The mapping has no stamp of its own for Processed At, so whatever touches the event moves it."""


@dataclass(frozen=True, slots=True)
class RecordSeen:
    """A record that carries a StoreConnect ID, as just read from the org."""

    id: str
    storeconnect_id: str
    modified_at: datetime
    """SystemModstamp, by the org's clock."""
    modified_by: str = ""
    """Who wrote it last: the user's name, else the id; empty where the org does not say."""
    created_by: str = ""
    by_sync_user: bool | None = None
    """Whether the sync user wrote it last; None where the sync user or the writer is not known."""
    created_by_sync_user: bool | None = None


class Verdict(StrEnum):
    """The outcome of a re-sync after the org was re-read. Never "success" because a request was accepted.

    In the order in which a summary tells them.
    """

    count_name: str
    """Its field in the counts of a run."""
    short: str
    """For a column of seven letters."""
    term: str
    """In a filter of the journal: `verdict:failing`."""
    phrase: str
    """After a number: `3 still failing`."""
    column: str
    """Where the journal's list of runs counts it; empty where a word of its own says it."""
    proven: bool
    """The record is what it should be: what waits for it may go."""

    FIXED = ("FIXED", "fixed", "FIXED", "fixed", "fixed", "fixed", True)
    ELSEWHERE = ("RESOLVED ELSEWHERE", "elsewhere", "GONE", "elsewhere", "resolved elsewhere", "gone", True)
    """It left the list without our doing, and the record is right."""
    STILL_FAILING = ("STILL FAILING", "still_failing", "FAILING", "failing", "still failing", "fail", False)
    NEW_CAUSE = ("NEW CAUSE", "new_cause", "NEW", "new", "failing with a new cause", "fail", False)
    NOT_TRIED = ("NOT TRIED", "not_tried", "UNTRIED", "untried", "refused untried", "unsent", False)
    """The org refused the request for another reason than the row's own: the row was not processed."""
    TWIN = ("TWIN", "twin", "TWIN", "twin", "TWIN", "", False)
    """Two records carry one StoreConnect ID: loud, never FIXED."""
    UNKNOWN = ("UNKNOWN", "unknown", "UNKNOWN", "unknown", "unknown", "unkn", False)

    def __new__(
        cls,
        word: str,
        count_name: str = "",
        short: str = "",
        term: str = "",
        phrase: str = "",
        column: str = "",
        proven: bool = False,
    ) -> Self:
        """One word with everything that is told of it."""
        verdict = str.__new__(cls, word)
        verdict._value_ = word
        verdict.count_name, verdict.short, verdict.term = count_name, short, term
        verdict.phrase, verdict.column, verdict.proven = phrase, column, proven
        return verdict


class RowState(StrEnum):
    """Where a row stands in a run."""

    QUEUED = "queued"
    ASKED = "asked"
    """A person was shown it and may press Re-sync in Salesforce; nothing is sent before they say so."""
    SENT = "sent"
    WAITING = "waiting"
    """Accepted by the org; proof is pending."""
    NOT_SENT = "not sent"
    """Left out: cancelled, braked, changed since the plan, or its cause is not proven."""
    DONE = "done"
    """A verdict is there."""


def sorted_in_parts(
    items: Sequence[Item], key: Callable[[Item], Any], *, reverse: bool = False
) -> list[Item]:
    """As `sorted`, part by part: in one go 100,000 would let no other thread run for 0.1 s."""
    sample = [key(item) for item in items[::_STEP]]
    bounds = sorted(sample)
    if bounds == sample or len(set(sample)) < len(sample) / 8:
        # In order already, or few values for many rows: that takes little in one go, and less than in parts.
        return sorted(items, key=key, reverse=reverse)
    parts: list[list[Item]] = [[] for _ in range(len(bounds) + 1)]
    for item in items:
        parts[bisect(bounds, key(item))].append(item)
    if reverse:
        parts.reverse()
    return [item for part in parts for item in sorted(part, key=key, reverse=reverse)]


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Slices of at most `size`, in order."""
    return (items[start : start + size] for start in range(0, len(items), size))
