"""Looking again, long after a run: the same rule of proof, the verdict added to the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from syncerr_tui.journal.history import RowRecord
from syncerr_tui.journal.journal import Journal, OutcomeKind, RowEnd
from syncerr_tui.resync import doubt
from syncerr_tui.resync.looking import Found, look_until_decided
from syncerr_tui.resync.org import Org
from syncerr_tui.resync.proof import Attempt, SameCause, refusal_words


def attempt_of(record: RowRecord) -> Attempt:
    """The last request of a row, as the journal has it. The row must have one (`record.org_at`)."""
    assert record.org_at is not None
    return Attempt(
        error=replace(record.error, processed_at=record.processed_at or record.error.processed_at),
        sent_at=record.org_at,
        stamp=record.stamp,
        answered=record.kind is OutcomeKind.ACCEPTED,
        refusal=refusal_words(record.code, record.answer) if record.kind is OutcomeKind.REFUSED else "",
        refusal_code=record.code,
    )


def after_earlier_requests(journal: Journal, attempts: Sequence[Attempt]) -> list[Attempt]:
    """The same attempts; those of a refused request say whether an earlier one of ours may have been done."""
    refused = [attempt.error for attempt in attempts if attempt.refusal]
    earlier = doubt.earlier_requests(journal, refused) if refused else {}
    return [
        replace(attempt, earlier=True) if attempt.refusal and attempt.error.id in earlier else attempt
        for attempt in attempts
    ]


async def verify(
    org: Org,
    journal: Journal,
    records: Sequence[RowRecord],
    *,
    patience: float,
    same: SameCause,
    sleep: Callable[[float], Awaitable[None]],
) -> list[Found]:
    """Re-read these rows and write down what they are now. Sends nothing.

    Raises:
        NotLoggedInError, RefusedError: The org cannot be read. What was decided before is written down.
    """
    by_event = {record.error.id: record for record in records}

    async def wait(seconds: float, rows: int, left: float) -> bool:  # noqa: ARG001 - nobody is told here
        await sleep(seconds)
        return False

    found: list[Found] = []
    attempts = after_earlier_requests(journal, [attempt_of(record) for record in by_event.values()])
    async for decided in look_until_decided(
        org, attempts, patience=patience, wait=wait, same=same, lanes=org.method.lanes
    ):
        ends: defaultdict[str, list[RowEnd]] = defaultdict(list)
        for one in decided:
            record = by_event[one.attempt.error.id]
            finding = one.finding
            ends[record.run].append(
                RowEnd(record.error.id, finding.verdict, finding.reason, finding.evidence, record.intent)
            )
        for run, rows in ends.items():
            journal.finish_rows(run, rows)
        found += decided
    return found
