"""The order of a plan, decided from the rows alone: who waits for whom, which wave, which group. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median

from syncerr_tui.model import SyncError

Parents = Mapping[str, frozenset[str]]
"""Event id -> ids of the events that must be proven before it may be sent."""

CANARY_SIZES = (1, 5, 25)
"""Sizes of the first waves where a canary goes first; the rest follows when all of them are proven."""

_COMPARABLE = 5
"""A wave of more than so many times the rows of a measured one may behave in another way."""

_MISSING_PARENT = re.compile(
    r"foreign key external id:\s*([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    re.IGNORECASE,
)
_EPOCH = datetime.min.replace(tzinfo=UTC)


def record_key(error: SyncError) -> str:
    """One record across its events. A row without a StoreConnect ID stands for itself."""
    return f"{error.object}/{error.storeconnect_id}" if error.storeconnect_id else f"event/{error.id}"


def age_key(error: SyncError) -> tuple[datetime, str]:
    """Oldest first: by when the change was made, which no try moves. The id decides ties, so that the same
    rows always give the same plan.
    """
    return (error.created_at or error.processed_at or _EPOCH, error.id)


def named_parent(error: SyncError) -> str | None:
    """StoreConnect ID of the parent that the message says is missing, lower case."""
    match = _MISSING_PARENT.search(error.message)
    return match[1].lower() if match else None


def with_record_order(errors: Sequence[SyncError], parents: Parents) -> dict[str, frozenset[str]]:
    """Add that the events of one record wait for each other, oldest first."""
    last: dict[str, str] = {}
    links = dict(parents)
    for error in sorted(errors, key=age_key):
        earlier = last.get(record_key(error))
        if earlier is not None:
            links[error.id] = links.get(error.id, frozenset()) | {earlier}
        last[record_key(error)] = error.id
    return links


def levels(ids: Iterable[str], parents: Parents) -> tuple[dict[str, int], set[str]]:
    """Level of each row (0 waits for nobody) and the rows that wait in a circle or behind one.

    Parents outside `ids` are not looked at.
    """
    inside = set(ids)
    waiting = {i: sum(p in inside for p in parents.get(i, ())) for i in inside}
    children: defaultdict[str, list[str]] = defaultdict(list)
    for child in inside:
        for parent in parents.get(child, ()):
            if parent in inside:
                children[parent].append(child)
    level = {i: 0 for i in inside if waiting[i] == 0}
    ready = list(level)
    while ready:
        done = ready.pop()
        for child in children[done]:
            level[child] = max(level.get(child, 0), level[done] + 1)
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(child)
    stuck = {i for i in inside if waiting[i] > 0}
    return {i: n for i, n in level.items() if i not in stuck}, stuck


def split(rows: Sequence[SyncError], level: Mapping[str, int], *, canary: bool) -> list[list[SyncError]]:
    """Rows in waves: level after level, oldest first; with `canary` the first waves hold 1, 5 and 25."""
    by_level: defaultdict[int, list[SyncError]] = defaultdict(list)
    for error in sorted(rows, key=age_key):
        by_level[level[error.id]].append(error)
    sizes = list(CANARY_SIZES) if canary else []
    waves = []
    for number in sorted(by_level):
        rest = by_level[number]
        while rest:
            size = sizes.pop(0) if sizes else len(rest)
            waves.append(rest[:size])
            rest = rest[size:]
    return waves


def expected_seconds(rows: int, measured: Sequence[tuple[int, float]]) -> float | None:
    """How long a wave takes, from measured ones: the middle of the five nearest to it in size.

    None where all of them held less than a fifth of its rows: nothing says how a larger wave behaves.

    Args:
        rows: In the wave.
        measured: Rows and seconds of proven waves, the most telling first.
    """
    comparable = [(size, seconds) for size, seconds in measured if size * _COMPARABLE >= rows and size > 0]
    nearest = sorted(comparable, key=lambda wave: max(wave[0] / max(rows, 1), max(rows, 1) / wave[0]))[:5]
    return median(seconds for _, seconds in nearest) if nearest else None


def lane_groups(rows: Sequence[SyncError], touches: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Group key of each row: rows that touch one parent, directly or through others, share a key.

    Args:
        rows: The rows of one wave.
        touches: Event id -> keys of the records it locks when it is saved (parents, lookups).
    """
    leader: dict[str, str] = {}

    def find(key: str) -> str:
        while leader.setdefault(key, key) != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    for error in rows:
        own = find(record_key(error))
        for key in touches.get(error.id, ()):
            other = find(key)
            if other != own:
                leader[own] = other
                own = other
    return {error.id: find(record_key(error)) for error in rows}
