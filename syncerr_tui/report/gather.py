"""A report out of the list as it is now and of what the journal proves. Reads the journal; asks no org."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncerr_tui.diagnosis import links
from syncerr_tui.diagnosis.causes import Cause, CauseGraph
from syncerr_tui.diagnosis.explanation import MASK, OrgContext, explain, masked, summarize_cause
from syncerr_tui.diagnosis.fingerprint import Fingerprints
from syncerr_tui.diagnosis.model import Retry
from syncerr_tui.diagnosis.org_metadata import OrgMetadata
from syncerr_tui.fixes.ledger import FixLedger
from syncerr_tui.fixes.model import FixRecord, SafeguardNow
from syncerr_tui.fixes.org import FixScope
from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.journal.history import History, RunRecord
from syncerr_tui.journal.journal import Journal
from syncerr_tui.journal.people import handling_lines
from syncerr_tui.journal.row_history import found_words
from syncerr_tui.model import Environment, OrgIdentity, SyncError, Verdict
from syncerr_tui.report.sections import (
    Point,
    Report,
    ReportedCause,
    ReportedFix,
    ReportedHandling,
    ReportedRow,
    ReportedRun,
)
from syncerr_tui.text import one_line
from syncerr_tui.triage.handling import NOTHING_SAID, Handlings, handlings
from syncerr_tui.words import plural

_POINTS = 48
"""Steps of the trend."""
_NAMED = 5
"""Causes that are named one by one among what comes next."""


@dataclass(frozen=True, slots=True)
class Handover:
    graph: CauseGraph
    """All errors as they were read just now."""
    identity: OrgIdentity
    since: datetime
    """Where its time begins."""
    by: str
    """Who hands over."""
    metadata: OrgMetadata | None = None
    """The org's own names."""
    mask: bool = True
    """Leave personal data out."""

    def words(self, text: str, *errors: SyncError) -> str:
        """A sentence, on one line, without personal data where that is to be masked."""
        if self.mask:
            text = masked(text, *(item for error in errors for item in explain(error).diagnosis.each))
        return one_line(text)


def gather(handover: Handover, journal: Journal, safeguards: Sequence[SafeguardNow]) -> Report:
    """Make a report.

    Args:
        handover: Of what.
        journal: The org's journal.
        safeguards: The open lines of the ledger, re-read just now.

    Raises:
        MachineError: The journal cannot be read.
    """
    graph, identity, since = handover.graph, handover.identity, handover.since
    history, now = History(journal), journal.now()
    runs = {run.id: run for run in history.runs_since(since)}
    attempts = _last_of_each(history.ended_since(since))
    proven = [one.error for one in attempts if one.proven and one.event not in graph.errors]
    causes = _causes(handover, proven)
    open_ = (*history.last_judged(Verdict.TWIN), *history.open_attempts().values())
    rows, unsettled = (
        tuple(_row(handover, one, runs.get(one.run)) for one in some) for some in (attempts, open_)
    )
    fixes = _fixes(handover, FixLedger(journal).fixes(), safeguards)
    known = [*graph.errors.values(), *proven]
    came = sum((born := error.since) is not None and born > since for error in known)
    unfinished = [one.run for one in history.unfinished()]
    return Report(
        org=identity.name,
        environment=identity.environment.value,
        made_at=now,
        since=since,
        by=handover.by,
        masked=handover.mask,
        was_open=len(known) - came,
        came=came,
        done=len(proven),
        left=len(graph.errors),
        causes=causes,
        rows=rows,
        unsettled=unsettled,
        runs=tuple(_run(run) for run in runs.values()),
        handled=_handled(handover, handlings(graph, handling_lines(journal), now)),
        fixes=fixes,
        trend=_trend(graph.errors, attempts, since, now),
        next_steps=tuple(_next_steps(_org_option(identity), causes, unsettled, fixes, unfinished)),
    )


def last_run_began(journal: Journal) -> datetime | None:
    """When the last run began: `--since run`."""
    runs = History(journal).runs(1)
    return runs[0].started_at if runs else None


def _last_of_each(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The last word on each event, newest first."""
    last: dict[str, Attempt] = {}
    for one in attempts:
        known = last.get(one.event)
        if one.verdict is not None and (known is None or _ended(known) < _ended(one)):
            last[one.event] = one
    return sorted(last.values(), key=_ended, reverse=True)


def _ended(attempt: Attempt) -> datetime:
    assert attempt.ended_at is not None
    return attempt.ended_at


def _causes(handover: Handover, proven: Sequence[SyncError]) -> tuple[ReportedCause, ...]:
    prints, example = Fingerprints(), dict[str, SyncError]()
    done: Counter[str] = Counter()
    for error in proven:
        key = prints.of(error).key
        done[key] += 1
        example.setdefault(key, error)
    left = [_left(handover, cause, done.pop(cause.key, 0)) for cause in handover.graph.causes()]
    return (*left, *(_gone(handover, key, example[key], count) for key, count in done.most_common()))


def _left(handover: Handover, cause: Cause, done: int) -> ReportedCause:
    errors = tuple(handover.graph.errors[row] for row in cause.roots)
    summary = summarize_cause(cause, errors, handover.metadata)
    return ReportedCause(
        key=handover.words(cause.key, errors[0]),
        code=summary.diagnosis.root_code,
        headline=handover.words(summary.headline, *errors[:_NAMED]),
        retry=summary.retry.value,
        open=len(cause.roots),
        waiting=len(cause.victims),
        done=done,
        orders=cause.orders,
        money=cause.money,
        since=cause.first_seen,
        example=cause.roots[0],
    )


def _gone(handover: Handover, key: str, error: SyncError, done: int) -> ReportedCause:
    explanation = explain(error, OrgContext(metadata=handover.metadata))
    return ReportedCause(
        key=handover.words(key, error),
        code=explanation.diagnosis.root_code,
        headline=handover.words(explanation.headline, error),
        retry=explanation.retry.value,
        open=0,
        waiting=0,
        done=done,
        orders=0,
        money=0,
        since=None,
        example=error.id,
    )


def _row(handover: Handover, attempt: Attempt, run: RunRecord | None) -> ReportedRow:
    error, url = attempt.error, handover.identity.instance_url
    verdict = attempt.verdict.value if attempt.verdict else "UNKNOWN"
    reason = found_words(attempt.verdict, attempt.reason, attempt.evidence)
    return ReportedRow(
        event=error.id,
        object=str(error.object),
        event_type=error.event_type.value,
        storeconnect_id=error.storeconnect_id,
        verdict=verdict,
        at=attempt.ended_at or attempt.sent_at,
        by=run.os_user if run else "",
        run=attempt.run,
        reason=handover.words(reason, error),
        records=links.record_pages(attempt.record_ids, str(error.object), url),
        open=error.id in handover.graph.errors,
    )


def _run(run: RunRecord) -> ReportedRun:
    return ReportedRun(
        run=run.id,
        at=run.started_at,
        by=run.os_user,
        reason=one_line(run.reason),
        method=run.method,
        planned=run.planned,
        verdicts=dict(run.verdicts),
        state=run.state,
    )


def _handled(handover: Handover, handled: Handlings) -> tuple[ReportedHandling, ...]:
    return tuple(
        ReportedHandling(
            event=row,
            object=str(error.object),
            assigned=one_line(one.assignee),
            ticket=one_line(one.ticket),
            snoozed=one.snooze.words() if one.snooze else "",
            notes=tuple(handover.words(f"{note.by}: {note.text}", error) for note in one.notes),
        )
        for row, error in handover.graph.errors.items()
        if (one := handled.of(row)) != NOTHING_SAID
    )


def _fixes(
    handover: Handover, records: Iterable[FixRecord], safeguards: Sequence[SafeguardNow]
) -> tuple[ReportedFix, ...]:
    off = {line.record.id for line in safeguards if line.is_off}
    fixes = [
        _fix(handover, one, one.id in off) for one in records if one.at >= handover.since or one.id in off
    ]
    return tuple(sorted(fixes, key=lambda fix: (not fix.off, -fix.at.timestamp())))


def _fix(handover: Handover, record: FixRecord, off: bool) -> ReportedFix:
    personal = handover.mask and record.kind.scope is FixScope.RECORD
    before, after = ({**values} for values in (record.before, record.after))
    shown = "; ".join(
        f"{name}: {MASK} -> {MASK}" if personal else f"{name}: {before.get(name)} -> {value}"
        for name, value in after.items()
    )
    return ReportedFix(
        fix=record.id,
        at=record.at,
        by=record.by,
        what=one_line(f"{record.kind.value} {record.target.type} {record.target.name}: {shown}"),
        reason=handover.words(record.reason),
        outcome=record.closed or record.outcome or "no outcome",
        off=off,
    )


def _trend(
    left: Mapping[str, SyncError], attempts: Sequence[Attempt], since: datetime, now: datetime
) -> tuple[Point, ...]:
    """How many of the errors that this report knows were open, from its beginning to now."""
    lives: list[tuple[datetime | None, datetime | None]] = [(error.since, None) for error in left.values()]
    lives += [(one.error.since, one.ended_at) for one in attempts if one.proven and one.event not in left]
    span = max(now - since, timedelta(seconds=1)) / _POINTS
    times = [since + span * step for step in range(_POINTS)] + [now]
    return tuple(
        Point(at, sum((born is None or born <= at) and (end is None or end > at) for born, end in lives))
        for at in times
    )


def _org_option(identity: OrgIdentity) -> str:
    if (identity.name, identity.environment) == ("demo", Environment.DEMO):
        return "--demo"
    return f"--org {shlex.quote(identity.name)}"


def _next_steps(
    org: str,
    causes: Sequence[ReportedCause],
    unsettled: Sequence[ReportedRow],
    fixes: Sequence[ReportedFix],
    unfinished: Sequence[RunRecord],
) -> Iterable[str]:
    off = [fix for fix in fixes if fix.off]
    if off:
        yield f"Put {plural(len(off), 'safeguard')} back: syncerr-tui safeguards {org} --restore-all"
    for run in unfinished:
        yield f"Finish run {run.id[:8]}, which was interrupted: syncerr-tui resume {org} {run.id[:8]}"
    unknown = sum(row.verdict == Verdict.UNKNOWN.value for row in unsettled)
    if unknown:
        yield f"Read {plural(unknown, 'row')} of unknown outcome again: syncerr-tui verify {org}"
    twins = len(unsettled) - unknown
    if twins:
        yield f"Have the two records of {plural(twins, 'TWIN row')} merged; the addresses are below"
    work = [cause for cause in causes if cause.open and cause.retry != Retry.SUPPORT_ONLY.value]
    for cause in work[:_NAMED]:
        counts = f"{plural(cause.open, 'error')}, {cause.waiting} waiting"
        yield f"{cause.retry.capitalize()}: {cause.headline.rstrip('.')} ({counts}; --cause {cause.example})"
    if work[_NAMED:]:
        yield f"{plural(len(work) - _NAMED, 'more cause')}: syncerr-tui causes {org}"
    support = [cause for cause in causes if cause.open and cause.retry == Retry.SUPPORT_ONLY.value]
    if support:
        yield f"Ask StoreConnect support about {plural(len(support), 'cause')}"
