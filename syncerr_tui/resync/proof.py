"""The verdict, from what was re-read. A pure rule: the same sight gives the same word.

FIXED needs two things at once: the change event has a status that means done (or is gone), and the record is
what the event wanted it to be. Everything that is merely likely is UNKNOWN, with the reason.

A record counts as written after the request where two things say so: its stamp is later than the one it had
when it was looked at just before the request, and not earlier than the org's clock at the request. Either of
them alone can lie: a read may be old, and a clock may be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from syncerr_tui.diagnosis.fingerprint import Fingerprints, former_keys
from syncerr_tui.journal.attempt import Attempt, OutcomeKind, Pressed
from syncerr_tui.model import EventSeen, EventStanding, EventType, RecordSeen, SyncError, Verdict
from syncerr_tui.text import clean

_DUPLICATE_CODES = frozenset(("DUPLICATE_VALUE", "DUPLICATES_DETECTED"))
_FINGERPRINTS = Fingerprints()

_STAND_IN = re.compile("[\u2400-\u2421\ufffd]")
"""What `text.clean` puts where something harmful stood. No record is found by such an id."""


def request_times(
    clock: datetime, events: Mapping[str, EventSeen], records: Mapping[str, Sequence[RecordSeen] | None]
) -> dict[str, datetime]:
    """The org's time at one request, for each of its rows, by event id.

    The clock is the Date header of an answer, which a proxy may have kept; stamps are the org's own. Every
    stamp that was seen before the request is a moment that the org had reached by then, whichever row it
    belongs to: the latest of them and the clock is at or before the true time of the request.

    A row's own records count a second later. Stamps are whole seconds, cut off, so what was written before
    the request and seen there was stamped a second before this at least. Other rows' records must not: they
    would date the request up to a second too late, and the org that works within that second would never be
    believed. No false FIXED can follow from leaving them out. A record proves a row only where it was not
    seen just before the request, or was seen with an older stamp (`_written_since`); what another row's
    record says has no part in that, and the added second bounded nothing that this row's records do not.
    """
    stamps = [event.modified_at for event in events.values() if event.modified_at]
    stamps += [one.modified_at for some in records.values() for one in some or ()]
    shared = max(clock, *stamps) if stamps else clock
    second = timedelta(seconds=1)
    return {
        event: max([shared, *(one.modified_at + second for one in records.get(event) or ())])
        for event in events
    }


def cause_key(error: SyncError) -> str:
    """What a row's cause is known by: the journal files it under this."""
    return _FINGERPRINTS.of(error).key


def cause_keys(error: SyncError) -> frozenset[str]:
    """All that a row's cause is known by in a journal, which may be older than the rule of today."""
    return former_keys(error.message, error.code, error.object) | {cause_key(error)}


def same_cause(before: SyncError, after: SyncError) -> bool:
    """Whether an event fails for the reason it failed for before."""
    return cause_key(before) == cause_key(after)


def needs_records(attempt: Attempt, seen: EventSeen) -> bool:
    """Whether the records must be read to judge: it left the failed state, or says "duplicate"."""
    if _unprovable(attempt.error):
        return False
    if seen.standing in {EventStanding.DONE, EventStanding.GONE, EventStanding.UNCLEAR}:
        return True
    return _worked_on(attempt, seen) and seen.error is not None and seen.error.code in _DUPLICATE_CODES


def needs_full_sight(attempt: Attempt, seen: EventSeen, records: Sequence[RecordSeen]) -> bool:
    """Whether the verdict hangs on this user seeing every record: a Delete that leaves nothing to see."""
    return (
        attempt.error.event_type is EventType.DELETE
        and seen.standing in {EventStanding.DONE, EventStanding.GONE}
        and not (records or attempt.before)
    )


def _unprovable(error: SyncError) -> str:
    """Why no look at the records can prove what became of this row; empty where one can."""
    if not error.storeconnect_id:
        return "it has no StoreConnect ID"
    if _STAND_IN.search(error.storeconnect_id):
        return "its StoreConnect ID is damaged"
    return "its event type is not known" if error.event_type is EventType.OTHER else ""


def judge(
    attempt: Attempt,
    seen: EventSeen,
    records: Sequence[RecordSeen],
    *,
    last_look: bool,
    sees_all: bool = False,
) -> Attempt:
    """Say what became of an attempt.

    Args:
        attempt: What was sent, and when.
        seen: The change event as just read.
        records: The records with its StoreConnect ID as just read, where `needs_records` asked for them.
        last_look: Patience is over: what is not decided is UNKNOWN.
        sees_all: This user sees every record of the object, where `needs_full_sight` asked for it.
    """
    case = _Case(attempt, seen, records, _evidence(attempt, seen, records), last_look, sees_all)
    if len(records) > 1 and attempt.error.event_type is not EventType.DELETE:
        ids = ", ".join(r.id for r in records)
        return case.judged(Verdict.TWIN, f"{len(records)} records carry this StoreConnect ID: {ids}")
    if seen.standing is EventStanding.FAILED:
        return _still_failed(case)
    if seen.standing is EventStanding.PENDING:
        return case.wait("the org is still working on it")
    if seen.standing is EventStanding.UNCLEAR:
        return case.wait(
            f"its status is now '{seen.status}', and it is not confirmed what that means: "
            "'syncerr-tui doctor' says how to confirm it"
        )
    return _left(case)


class _Case(NamedTuple):
    """What a verdict follows from: see `judge`."""

    attempt: Attempt
    seen: EventSeen
    records: Sequence[RecordSeen]
    evidence: Mapping[str, Any]
    last_look: bool
    sees_all: bool

    def judged(self, verdict: Verdict | None, reason: str) -> Attempt:
        return self.attempt.judged(verdict, reason, self.evidence)

    def wait(self, reason: str) -> Attempt:
        """Nothing is decided; with the last look that is UNKNOWN."""
        return self.judged(Verdict.UNKNOWN if self.last_look else None, reason)

    def proven(self, reason: str) -> Attempt:
        """The record is right. It is our doing where the org took a request of ours."""
        others = (self.attempt.refusal or _unsent(self.attempt)) and not self.attempt.earlier
        return self.judged(Verdict.ELSEWHERE if others else Verdict.FIXED, reason)


def _left(case: _Case) -> Attempt:
    """The event is done or gone. Is the record what it should be?"""
    attempt, seen, records = case.attempt, case.seen, case.records
    how = _left_how(attempt, seen)
    if lack := _unprovable(attempt.error):
        return case.judged(Verdict.UNKNOWN, f"it left the list, but {lack}, so nothing proves the record")
    if attempt.error.event_type is EventType.DELETE:
        return _deleted(case, how)
    if not records:
        return case.wait(f"{how}, but no record has this StoreConnect ID")
    record = records[0]
    if not _written_since(attempt, record, event_gone=seen.standing is EventStanding.GONE):
        return case.wait(
            f"{how}, but record {record.id} was last written before the re-sync: "
            "compare its values before anything is sent again"
        )
    if record.by_sync_user is False and not (record.created_by_sync_user and _is_new(attempt, record)):
        who = record.modified_by or "another user"
        return case.wait(f"{how}, but {who}, not the sync user, wrote record {record.id} last")
    when = "after it had failed" if _unsent(attempt) else "after it"
    return case.proven(f"{how}, and record {record.id} was written {when}")


def _deleted(case: _Case, how: str) -> Attempt:
    """Nothing to see proves a deletion only to somebody who saw the record, or who would see it."""
    if case.records:
        return case.wait(f"{how}, but record {case.records[0].id} is still there")
    if case.attempt.before or case.sees_all:
        return case.proven(f"{how}, and no record has this StoreConnect ID")
    return case.judged(
        Verdict.UNKNOWN,
        f"{how}, and this user sees no record with this StoreConnect ID, but may not see all of them: "
        f"proof of a Delete needs View All Records on {case.attempt.error.object}",
    )


def _still_failed(case: _Case) -> Attempt:
    attempt, seen, evidence = case.attempt, case.seen, case.evidence
    now = seen.error or attempt.error
    if _worked_on(attempt, seen):
        verdict = Verdict.STILL_FAILING if same_cause(attempt.error, now) else Verdict.NEW_CAUSE
        added = _landed(attempt, now, case.records)
        if added:
            evidence = {**evidence, "added": added}
        return attempt.judged(verdict, _words(now) + added, evidence, now=now)
    if attempt.refusal:
        refused = replace(attempt.error, code=attempt.code, message=clean(attempt.answer))
        again = same_cause(attempt.error, refused)
        verdict = Verdict.STILL_FAILING if again else Verdict.NOT_TRIED
        reason = f"the org refused the request: {attempt.refusal}"
        return attempt.judged(verdict, reason, {**evidence, "refused": True}, now=now, untouched=True)
    if not case.last_look:
        return attempt.judged(None, "the org has not worked on it yet", evidence, now=now)
    words = (
        "the org touched the event, and nothing shows that it has processed it"
        if _newer(seen.modified_at, attempt.stamp)
        else "it was ticked as pressed, and the org shows no trace of it"
        if attempt.pressed is Pressed.YES
        else "the org accepted it and has not worked on it since"
        if attempt.kind is OutcomeKind.ACCEPTED
        else "no answer came back, and the org shows no trace of the request"
    )
    return attempt.judged(Verdict.UNKNOWN, words, evidence, now=now, untouched=True)


def _worked_on(attempt: Attempt, seen: EventSeen) -> bool:
    """Whether the org processed the event after our request, as far as the event itself tells.

    A newer modification stamp says only that something touched it: accepting a request may do that.
    """
    now = seen.error
    if seen.standing is not EventStanding.FAILED or now is None:
        return False
    before, after = attempt.error.processed_at, now.processed_at
    if not seen.processed_by_touch and after is not None:
        return before is None or after > before
    return (now.code, now.message) != (attempt.error.code, attempt.error.message)


def _landed(attempt: Attempt, now: SyncError, records: Sequence[RecordSeen]) -> str:
    """A duplicate error may mean that an earlier write did land: say so, with the record."""
    if now.code not in _DUPLICATE_CODES or len(records) != 1 or attempt.error.event_type is EventType.DELETE:
        return ""
    record = records[0]
    when = "since before this re-sync" if record.modified_at < attempt.requested_at else "since this re-sync"
    return (
        f". Record {record.id} carries this StoreConnect ID {when}: the write did land; "
        "compare its values before anything is sent again"
    )


def _unsent(attempt: Attempt) -> bool:
    """No request of ours: the event left the failed state before one was made."""
    return attempt.attempts == 0


def _words(error: SyncError) -> str:
    text = " ".join(error.message.split())
    text = text if len(text) <= 300 else text[:299] + "…"
    return text if not error.code or error.code in text else f"{error.code}: {text}"


def _left_how(attempt: Attempt, seen: EventSeen) -> str:
    gone = seen.standing is EventStanding.GONE
    if _unsent(attempt):
        return f"the event {'was gone' if gone else 'left the failed state'} before it was sent"
    how = "the event is gone" if gone else "the event left the failed state"
    if attempt.earlier:
        how = f"{how} after an earlier re-sync of ours"
    return f"the org refused our request, and yet {how}" if attempt.refusal else how


def _written_since(attempt: Attempt, record: RecordSeen, *, event_gone: bool) -> bool:
    """Whether the record was written after the request.

    Salesforce's stamps are whole seconds, cut off: a record stamped in the very second of the request counts
    as after it. Not so where the event is gone, because then the record is all the proof there is.
    """
    second = _second_of(attempt.requested_at)
    if record.modified_at < (second + timedelta(seconds=1) if event_gone else second):
        return False
    for one in attempt.before or ():
        if one.id == record.id and one.modified_at >= record.modified_at:
            return False
    return True


@lru_cache(maxsize=4096)
def _second_of(at: datetime) -> datetime:
    """Cut off, as Salesforce does it. Kept, as `_iso`."""
    return at.replace(microsecond=0)


def _is_new(attempt: Attempt, record: RecordSeen) -> bool:
    return attempt.before is not None and all(record.id != one.id for one in attempt.before)


def _newer(stamp: datetime | None, than: datetime | None) -> bool:
    return stamp is not None and than is not None and stamp > than


def _evidence(attempt: Attempt, seen: EventSeen, records: Sequence[RecordSeen]) -> dict[str, Any]:
    now = seen.error
    evidence = {
        "event": str(seen.standing),
        "status": seen.status,
        "event_modified_at": _iso(seen.modified_at),
        "event_processed_at": _iso(now.processed_at) if now else None,
        "code": now.code if now else None,
        "sent_at": _iso(attempt.requested_at),
        "accepted": attempt.kind is OutcomeKind.ACCEPTED,
        "records": [_record(one) for one in records],
    }
    if attempt.before is not None:
        evidence["records_before"] = [
            {"id": one.id, "modified_at": _iso(one.modified_at)} for one in attempt.before
        ]
    if attempt.pressed is not None:
        evidence["by_hand"] = True
    return evidence


def _record(record: RecordSeen) -> dict[str, str | None]:
    evidence = {"id": record.id, "modified_at": _iso(record.modified_at)}
    if record.modified_by:
        evidence["modified_by"] = record.modified_by
    if record.created_by:
        evidence["created_by"] = record.created_by
    return evidence


@lru_cache(maxsize=4096)
def _iso(at: datetime | None) -> str | None:
    """Kept: the rows of a request share most of their times."""
    return at.isoformat() if at else None
