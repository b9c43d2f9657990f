"""How the rows of one wave are cut into requests, and how answers find their rows. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from syncerr_tui.resync.org import MethodInfo, Receipt
from syncerr_tui.resync.plan import Plan, PlannedRow

LOCK_CODES = frozenset(("UNABLE_TO_LOCK_ROW",))
LOCK_TRIES = 5
_LOCK_SIZES = (50, 10, 1)
_LOCK_DELAY_CAP = 8.0

Batch = list[PlannedRow]
Train = list[Batch]
"""Batches that go one after the other in one lane."""


def trains(rows: Sequence[PlannedRow], size: int) -> list[Train]:
    """Cut a wave into requests. A group is never split over lanes; small groups share a request."""
    groups: defaultdict[str, Batch] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    result: list[Train] = []
    filling: Batch = []
    for group in groups.values():
        if len(group) > size:
            result.append(chunks(group, size))
            continue
        if len(filling) + len(group) > size:
            result.append([filling])
            filling = []
        filling = filling + group
    if filling:
        result.append([filling])
    return result


def requests_of(plan: Plan, method: MethodInfo, *, first_alone: bool) -> Iterator[tuple[int, Batch]]:
    """The requests of a plan, in the order in which they go where all goes well: wave and rows of each."""
    rows = {row.error.id: row for row in plan.rows}
    size = min(plan.batch_size, method.batch_size)
    for wave in plan.waves:
        waiting = [rows[event] for event in wave.ids]
        if first_alone:
            yield wave.number, [waiting.pop(0)]
            first_alone = False
        for train in trains(waiting, size):
            for batch in train:
                yield wave.number, batch


def chunks(rows: Sequence[PlannedRow], size: int) -> list[Batch]:
    """Rows in pieces of at most `size`, in order."""
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]


def after_lock(rows: Sequence[PlannedRow], tries: int) -> list[Batch]:
    """The rows that met a lock, in smaller pieces the more often it happened."""
    return chunks(rows, _LOCK_SIZES[min(tries, len(_LOCK_SIZES)) - 1])


def lock_delay(tries: int, chance: float) -> float:
    """Seconds to wait after the n-th lock: 1, 2, 4, 8 at most, with full jitter (`chance` in 0..1)."""
    return min(float(2 ** (tries - 1)), _LOCK_DELAY_CAP) * chance


def by_identity(ids: Sequence[str], receipts: Sequence[Receipt]) -> dict[str, Receipt | None]:
    """The answer to each row by its id, whatever the order. None: no answer, or answers that disagree."""
    answers: dict[str, set[Receipt]] = {event: set() for event in ids}
    for receipt in receipts:
        if receipt.id in answers:
            answers[receipt.id].add(receipt)
    return {event: next(iter(found)) if len(found) == 1 else None for event, found in answers.items()}
