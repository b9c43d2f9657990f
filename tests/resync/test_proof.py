"""The verdict: what each sight of the org means. FIXED only where both halves of the proof are there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from syncerr_tui.journal.attempt import Attempt, OutcomeKind
from syncerr_tui.model import EventSeen, EventStanding, EventType, RecordSeen, SyncError, Verdict
from syncerr_tui.resync.proof import (
    judge,
    needs_full_sight,
    needs_records,
    request_times,
    same_cause,
)
from syncerr_tui.text import clean
from tests.factories import NOW, salesforce_id, sync_error

SENT = NOW.replace(microsecond=0)
BEFORE = SENT - timedelta(minutes=1)
AFTER = SENT + timedelta(seconds=30)


def attempt(event_type: EventType = EventType.CREATE, **changes: object) -> Attempt:
    error = sync_error(1, event_type=event_type, processed_at=BEFORE)
    sent = Attempt(error, attempts=1, org_at=SENT, stamp=BEFORE, kind=OutcomeKind.ACCEPTED)
    return replace(sent, **changes)  # type: ignore[arg-type]


def seen(
    standing: EventStanding, error: SyncError | None = None, modified: datetime | None = AFTER
) -> EventSeen:
    return EventSeen(sync_error(1).id, standing, standing.name, error, modified)


def record(number: int = 1, at: datetime = AFTER) -> RecordSeen:
    return RecordSeen(salesforce_id(number, "001"), sync_error(1).storeconnect_id, at)


def verdict(
    sight: EventSeen, *records: RecordSeen, last: bool = False, of: Attempt | None = None
) -> Verdict | None:
    return judge(of or attempt(), sight, records, last_look=last).verdict


@pytest.mark.parametrize("standing", [EventStanding.DONE, EventStanding.GONE])
@pytest.mark.parametrize("kind", [EventType.CREATE, EventType.UPDATE])
def test_fixed_needs_the_event_and_the_record(standing: EventStanding, kind: EventType) -> None:
    of = attempt(kind)
    assert verdict(seen(standing), record(), of=of) is Verdict.FIXED
    assert verdict(seen(standing), of=of) is None
    assert verdict(seen(standing), of=of, last=True) is Verdict.UNKNOWN
    assert verdict(seen(standing), record(at=BEFORE), of=of) is None
    assert verdict(seen(EventStanding.PENDING), record(), of=of) is None
    assert verdict(seen(EventStanding.PENDING), record(), of=of, last=True) is Verdict.UNKNOWN


@pytest.mark.parametrize("standing", [EventStanding.DONE, EventStanding.GONE])
def test_a_delete_is_fixed_when_no_record_is_left(standing: EventStanding) -> None:
    of = attempt(EventType.DELETE, before=(record(at=BEFORE),))
    assert verdict(seen(standing), of=of) is Verdict.FIXED
    assert verdict(seen(standing), record(), of=of) is None
    assert verdict(seen(standing), record(), of=of, last=True) is Verdict.UNKNOWN


@pytest.mark.parametrize("before", [None, ()])
def test_a_delete_whose_record_was_never_seen_is_proven_only_to_who_sees_all(
    before: tuple[RecordSeen, ...] | None,
) -> None:
    of, done = attempt(EventType.DELETE, before=before), seen(EventStanding.DONE)
    assert needs_full_sight(of, done, [])
    blind = judge(of, done, [], last_look=False)
    assert blind.verdict is Verdict.UNKNOWN
    assert "View All Records on Order" in blind.reason
    assert judge(of, done, [], last_look=False, sees_all=True).verdict is Verdict.FIXED


@pytest.mark.parametrize("damage", ["\x00", "\x1b", "\x7f", "\u202e", "\ud800"])
def test_a_delete_whose_id_had_to_be_cleaned_is_never_fixed(damage: str) -> None:
    """The record is looked for by the cleaned id, which it never had: nobody can say that it is gone."""
    error = sync_error(1, event_type=EventType.DELETE, storeconnect_id=clean(f"4711{damage}"))
    of = attempt(EventType.DELETE, error=error)
    assert verdict(seen(EventStanding.DONE), of=of) is Verdict.UNKNOWN
    assert not needs_records(of, seen(EventStanding.DONE))


def test_a_record_written_before_the_request_proves_nothing() -> None:
    sight = seen(EventStanding.DONE, modified=AFTER)
    assert verdict(sight, record(at=SENT - timedelta(seconds=1)), last=True) is Verdict.UNKNOWN


def test_stamps_are_whole_seconds() -> None:
    of = attempt(org_at=SENT + timedelta(milliseconds=700))
    assert verdict(seen(EventStanding.DONE), record(at=SENT), of=of) is Verdict.FIXED
    assert verdict(seen(EventStanding.GONE), record(at=SENT), of=of) is None, (
        "a deleted event says too little"
    )


def test_two_records_are_a_twin_and_never_fixed() -> None:
    for standing in EventStanding:
        finding = judge(attempt(), seen(standing), [record(1), record(2)], last_look=False)
        assert finding.verdict is Verdict.TWIN
        assert record(1).id in finding.reason
        assert record(2).id in finding.reason


def test_the_same_failure_again_and_another_one() -> None:
    again = replace(attempt().error, processed_at=AFTER)
    assert verdict(seen(EventStanding.FAILED, again)) is Verdict.STILL_FAILING
    other = replace(again, code="FAILED_ACTIVATION", message=sync_error(1).object)
    finding = judge(attempt(), seen(EventStanding.FAILED, other), [], last_look=False)
    assert finding.verdict is Verdict.NEW_CAUSE
    assert finding.now == other
    assert finding.reason.startswith("FAILED_ACTIVATION")


def test_not_worked_on_yet_is_waited_for_and_then_unknown() -> None:
    sight = seen(EventStanding.FAILED, attempt().error, modified=BEFORE)
    assert verdict(sight) is None
    finding = judge(attempt(), sight, [], last_look=True)
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.untouched
    silent = judge(attempt(kind=OutcomeKind.UNKNOWN), sight, [], last_look=True)
    assert "no answer" in silent.reason


def test_an_older_sight_is_no_news() -> None:
    older = replace(attempt().error, processed_at=BEFORE - timedelta(hours=1))
    assert verdict(seen(EventStanding.FAILED, older, modified=BEFORE - timedelta(hours=1))) is None


def test_a_touch_of_the_event_is_not_its_processing() -> None:
    sight = seen(EventStanding.FAILED, attempt().error, modified=AFTER)
    assert verdict(sight) is None
    assert verdict(sight, last=True) is Verdict.UNKNOWN


def test_a_duplicate_error_is_told_as_an_earlier_write_that_did_land() -> None:
    now = replace(attempt().error, processed_at=AFTER, code="DUPLICATE_VALUE", message=sync_error(1).object)
    sight = seen(EventStanding.FAILED, now)
    assert needs_records(attempt(), sight)
    finding = judge(attempt(), sight, [record(at=BEFORE)], last_look=False)
    assert finding.verdict is Verdict.NEW_CAUSE
    assert "the write did land" in finding.reason
    assert "since before this re-sync" in finding.reason


def test_stamps_before_our_clock_are_doubt_and_nobody_elses_doing() -> None:
    """It failed when it was looked at just before the request: a clock that runs ahead looks like this."""
    sight = seen(EventStanding.DONE, modified=SENT - timedelta(seconds=2))
    assert verdict(sight, record(at=SENT - timedelta(seconds=2))) is None
    assert verdict(sight, record(at=SENT - timedelta(seconds=2)), last=True) is Verdict.UNKNOWN


def test_a_clock_that_runs_behind_does_not_make_an_old_write_a_new_one() -> None:
    old = record(at=SENT - timedelta(seconds=3))
    behind = SENT - timedelta(hours=1)
    of = attempt(org_at=behind, before=(old,))
    assert verdict(seen(EventStanding.DONE), old, of=of, last=True) is Verdict.UNKNOWN
    assert verdict(seen(EventStanding.DONE), record(at=AFTER), of=of) is Verdict.FIXED
    event = seen(EventStanding.FAILED, modified=SENT)
    assert times(behind, event, (old,)) == SENT
    assert times(behind, event, None) == SENT
    assert times(behind, event, (record(at=SENT),)) > SENT, "a stamp is the beginning of its second"
    assert times(AFTER, event, (old,)) == AFTER
    assert request_times(AFTER, {}, {}) == {}


def times(clock: datetime, event: EventSeen, records: tuple[RecordSeen, ...] | None) -> datetime:
    return request_times(clock, {event.id: event}, {event.id: records})[event.id]


def test_a_record_of_another_row_tells_the_second_and_not_the_next() -> None:
    """The wave before wrote it in this very second; the org may work on our row within it."""
    behind, event = SENT - timedelta(hours=1), seen(EventStanding.FAILED, modified=BEFORE)
    other = replace(event, id="other")
    sent = request_times(
        behind, {event.id: event, "other": other}, {event.id: (), "other": (record(at=SENT),)}
    )
    assert sent == {event.id: SENT, "other": SENT + timedelta(seconds=1)}
    of = attempt(org_at=sent[event.id], before=())
    assert verdict(seen(EventStanding.DONE), record(at=SENT), of=of) is Verdict.FIXED
    seen_before = attempt(org_at=sent[event.id], before=(record(at=SENT),))
    assert verdict(seen(EventStanding.DONE), record(at=SENT), of=seen_before, last=True) is Verdict.UNKNOWN


def test_a_refusal_is_still_failing_only_for_the_reason_of_the_row() -> None:
    sight = seen(EventStanding.FAILED, attempt().error, modified=BEFORE)
    error = attempt().error
    limits = attempt(kind=OutcomeKind.REFUSED, answer="too much", code="LIMIT_EXCEEDED")
    assert verdict(sight, of=limits) is Verdict.NOT_TRIED
    again = attempt(kind=OutcomeKind.REFUSED, answer=error.message, code=error.code)
    assert verdict(sight, of=again) is Verdict.STILL_FAILING


@pytest.mark.parametrize("of", [attempt(kind=OutcomeKind.REFUSED, answer="no"), attempt(attempts=0)])
def test_what_an_earlier_request_of_ours_brought_about_is_not_resolved_elsewhere(of: Attempt) -> None:
    assert verdict(seen(EventStanding.DONE), record(), of=of) is Verdict.ELSEWHERE
    assert verdict(seen(EventStanding.DONE), record(), of=replace(of, earlier=True)) is Verdict.FIXED


def test_a_status_that_nobody_confirmed_is_waited_for_and_then_unknown() -> None:
    sight = replace(seen(EventStanding.UNCLEAR), status="Complete With Errors")
    assert needs_records(attempt(), sight)
    assert verdict(sight, record()) is None
    finding = judge(attempt(), sight, [record()], last_look=True)
    assert finding.verdict is Verdict.UNKNOWN
    assert "'Complete With Errors'" in finding.reason
    gone = attempt(EventType.DELETE, before=(record(at=BEFORE),))
    assert verdict(sight, of=gone, last=True) is Verdict.UNKNOWN


def test_a_write_by_somebody_else_than_the_sync_user_is_no_proof() -> None:
    other = replace(record(), modified_by="Jane Doe", by_sync_user=False)
    assert verdict(seen(EventStanding.DONE), other) is None
    finding = judge(attempt(before=()), seen(EventStanding.DONE), [other], last_look=True)
    assert finding.verdict is Verdict.UNKNOWN
    assert "Jane Doe" in finding.reason
    assert finding.evidence["records"][0]["modified_by"] == "Jane Doe"
    synced = replace(record(), by_sync_user=True)
    assert verdict(seen(EventStanding.DONE), synced) is Verdict.FIXED


def test_a_new_record_of_the_sync_user_counts_whoever_touched_it_since() -> None:
    touched = replace(record(), by_sync_user=False, created_by_sync_user=True)
    done = seen(EventStanding.DONE)
    assert verdict(done, touched, of=attempt(before=())) is Verdict.FIXED
    assert verdict(done, touched, of=attempt(before=(record(at=BEFORE),)), last=True) is Verdict.UNKNOWN
    assert verdict(done, touched, of=attempt(before=None), last=True) is Verdict.UNKNOWN


def test_what_the_org_refused_is_not_our_doing() -> None:
    of = attempt(kind=OutcomeKind.REFUSED, code="UNABLE_TO_LOCK_ROW")
    assert verdict(seen(EventStanding.DONE), record(), of=of) is Verdict.ELSEWHERE
    assert verdict(seen(EventStanding.DONE), of=of, last=True) is Verdict.UNKNOWN, "no record, no proof"
    finding = judge(of, seen(EventStanding.FAILED, of.error, modified=BEFORE), [], last_look=False)
    assert finding.verdict is Verdict.NOT_TRIED
    assert "UNABLE_TO_LOCK_ROW" in finding.reason


@pytest.mark.parametrize("changes", [{"event_type": EventType.OTHER}, {"storeconnect_id": ""}])
def test_what_cannot_be_proven_is_unknown(changes: dict[str, object]) -> None:
    of = replace(attempt(), error=replace(attempt().error, **changes))  # type: ignore[arg-type]
    assert not needs_records(of, seen(EventStanding.DONE))
    assert verdict(seen(EventStanding.DONE), of=of) is Verdict.UNKNOWN


def test_evidence_names_what_was_seen() -> None:
    evidence = judge(attempt(), seen(EventStanding.DONE), [record()], last_look=False).evidence
    assert evidence["event"] == "done"
    assert evidence["sent_at"] == SENT.isoformat()
    assert evidence["records"] == [{"id": record().id, "modified_at": AFTER.isoformat()}]


def test_ids_and_numbers_do_not_make_another_cause() -> None:
    one = sync_error(1, message=f"Duplicate of {salesforce_id(1, '001')} in row 7")
    other = sync_error(1, message=f"Duplicate of {salesforce_id(2, '001')} in row 12")
    assert same_cause(one, other)
    assert not same_cause(one, sync_error(1, message="Something else"))
