"""The exact set of errors to re-sync, in waves, and why each is in or out. Data and one pure function."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import ceil
from statistics import median
from typing import Any

from syncerr_tui.diagnosis.evidence import parents_named
from syncerr_tui.errors import RefusedError
from syncerr_tui.model import EventType, OrgIdentity, SyncError, sorted_in_parts
from syncerr_tui.resync.org import MethodInfo
from syncerr_tui.words import duration, plural

DEFAULT_PATIENCE = 180.0
"""Seconds to wait for proof. StoreConnect's upstream sync takes 10 s to 2 min."""

PROOF_CHUNK = 1000
"""Rows asked for in one re-read."""

Parents = Mapping[str, frozenset[str]]
"""Event id -> ids of the events that must be proven before it may be sent."""

CANARY_SIZES = (1, 5, 25)
"""Sizes of the first waves where a canary goes first; the rest follows when all of them are proven."""

_COMPARABLE = 5
"""A wave of more than so many times the rows of a measured one may behave in another way."""

_EPOCH = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class PlannedRow:
    """One error that will be sent. Without slots, so that its spelling can be kept."""

    error: SyncError
    wave: int
    """Counted from 1."""
    reason: str
    """Why it is in, and why in this wave: plain words."""
    group: str
    """Rows of one wave with the same group are never in two requests at once."""
    parents: tuple[str, ...] = ()
    """Event ids in this plan that must be proven first."""

    def payload(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            **self.error.stored(),
            "wave": self.wave,
            "reason": self.reason,
            "group": self.group,
            "parents": list(self.parents),
        }

    @cached_property
    def spelling(self) -> str:
        """Its JSON: the plan's hash is made of it, and a journal keeps it without spelling it again."""
        return _json_of(self.payload())


@dataclass(frozen=True, slots=True)
class Wave:
    """Rows that are sent together, after the wave before them is proven."""

    number: int
    ids: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An error that was asked for and will not be sent."""

    id: str
    reason: str
    cause: str = ""
    """The event that the reason names; empty where it names none."""
    of_several: str = ""
    """The reason as it is said of several; empty where that is the same."""


@dataclass(frozen=True)
class Plan:
    """What a run does, to the row. Bound to one org. Without slots, so that its hash can be kept."""

    org_id: str
    org_name: str
    method: str
    """Name of the re-sync method, e.g. `apex`."""
    created_at: datetime
    rows: tuple[PlannedRow, ...]
    waves: tuple[Wave, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]
    canary: bool
    """The first waves hold 1, 5 and 25 rows, each proven before the next."""
    batch_size: int
    concurrency: int
    proof_timeout: float
    """Seconds to wait for proof of one wave."""
    expected_calls: int
    expected_seconds: float | None = None
    """From measured waves; None where none of such a size was ever proven in this org."""

    @cached_property
    def hash(self) -> str:
        """Fingerprint of all that it holds."""
        return digest({**self.head(), "rows": self.rows})

    @property
    def calls(self) -> str:
        """`about 5 calls`."""
        return f"about {plural(self.expected_calls, 'call')}"

    @property
    def cost(self) -> str:
        """What it takes: `about 5 calls and 3 s`. No time that nobody has measured."""
        if self.expected_seconds is None:
            return f"{self.calls}; how long is known once a wave of this size is proven"
        return f"{self.calls} and {duration(timedelta(seconds=self.expected_seconds))}"

    def is_canary(self, wave: Wave) -> bool:
        """Whether a wave holds the few rows that go before all others."""
        return self.canary and wave.number <= len(CANARY_SIZES)

    def payload(self) -> dict[str, Any]:
        """Everything but the hash, as JSON can hold it. Waves are lists of ids over the rows."""
        return {**self.head(), "rows": [row.payload() for row in self.rows]}

    def estimated(self, measured: Sequence[tuple[int, float]]) -> Plan:
        """The same plan with the time that it takes.

        Args:
            measured: Rows and seconds of waves that were proven in this org, the latest first.
        """
        usual = [expected_seconds(len(wave.ids), measured) for wave in self.waves]
        known = [seconds for seconds in usual if seconds is not None]
        return replace(self, expected_seconds=round(sum(known, 0.0), 1) if len(known) == len(usual) else None)

    def head(self) -> dict[str, Any]:
        """The payload without its rows."""
        return {
            "org_id": self.org_id,
            "org_name": self.org_name,
            "method": self.method,
            "created_at": self.created_at.isoformat(),
            "ramp": self.canary,
            "batch_size": self.batch_size,
            "lanes": self.concurrency,
            "patience": self.proof_timeout,
            "expected_calls": self.expected_calls,
            "expected_seconds": self.expected_seconds,
            "warnings": list(self.warnings),
            "waves": [{"number": w.number, "why": w.why, "ids": list(w.ids)} for w in self.waves],
            "left_out": [{"id": out.id, "reason": out.reason} for out in self.left_out],
        }


def digest(payload: Mapping[str, Any]) -> str:
    """SHA-256 over the payload as JSON in one canonical spelling.

    Spelt item by item: `json.dumps` of 80,000 rows would let no other thread run for half a second. Rows of
    a plan may stand for their payloads.
    """
    sha = hashlib.sha256()
    for number, name in enumerate(sorted(payload)):
        sha.update(f"{',' if number else '{'}{_json_of(name)}:".encode())
        if isinstance(payload[name], list | tuple):
            for place, item in enumerate(payload[name]):
                sha.update(f"{',' if place else '['}{_json_of(item)}".encode())
            sha.update(b"]" if payload[name] else b"[]")
        else:
            sha.update(_json_of(payload[name]).encode())
    sha.update(b"}" if payload else b"{}")
    return sha.hexdigest()


def _json_of(value: object) -> str:
    if isinstance(value, PlannedRow):
        return value.spelling
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True, slots=True)
class PlanShape:
    """How a person wants a plan carried out."""

    canary: bool = False
    """Send 1, 5, 25 and then the rest, each proven first."""
    batch_size: int | None = None
    """Rows in one request, at most the method's."""
    concurrency: int | None = None
    """Requests under way at once, at most the method's."""
    proof_timeout: float | None = None
    """Seconds to wait for proof of one wave; None: three minutes."""


def make_plan(
    errors: Iterable[SyncError],
    *,
    org: OrgIdentity,
    method: MethodInfo,
    created_at: datetime,
    parents: Parents,
    left_out: Iterable[LeftOut] = (),
    shape: PlanShape = PlanShape(),
) -> Plan:
    """Decide what is sent, in which order, and what is not.

    Args:
        errors: The rows a person asked for. A row named twice is taken once.
        org: The org the plan is bound to.
        method: How re-sync is asked for there; gives batch size and concurrency where none are said.
        created_at: When the plan was made.
        parents: Evidence of causes: event id -> event ids that must be proven first.
        left_out: Rows that the front end took out, with its reason.
        shape: How it is carried out.
    """
    out = {item.id: item for item in left_out}
    known = sorted_in_parts(list({e.id: e for e in errors}.values()), _age_key)
    links = with_record_order(known, parents)
    ready, level = _ready(known, links, out)
    waves = _split(ready, level, canary=shape.canary)
    size = max(1, min(shape.batch_size or method.batch_size, method.batch_size))
    return Plan(
        org_id=org.org_id,
        org_name=org.name,
        method=method.name,
        created_at=created_at,
        rows=tuple(row for number, wave in enumerate(waves, 1) for row in _planned(wave, number, links)),
        waves=tuple(
            Wave(number, tuple(e.id for e in wave), _why_wave(number, wave, level, canary=shape.canary))
            for number, wave in enumerate(waves, 1)
        ),
        left_out=tuple(out.values()),
        warnings=_warnings(ready),
        canary=shape.canary,
        batch_size=size,
        concurrency=max(1, min(shape.concurrency or method.concurrency, method.concurrency)),
        proof_timeout=DEFAULT_PATIENCE if shape.proof_timeout is None else shape.proof_timeout,
        expected_calls=_calls(waves, size),
    )


def refuse_other_org(plan: Plan, org: OrgIdentity) -> None:
    """Refuse a plan that was made for another org.

    Raises:
        RefusedError: It was.
    """
    if plan.org_id != org.org_id:
        raise RefusedError(
            f"This plan is for {plan.org_name} ({plan.org_id}), and this org is {org.name} ({org.org_id})",
            "Choose the org with --org, or make a new plan here",
        )


def check_method(plan: Plan, method: MethodInfo) -> None:
    """Refuse a plan that was made, and agreed to, for another method of re-sync.

    Raises:
        RefusedError: It was.
    """
    if plan.method != method.name:
        raise RefusedError(
            f"The plan is for the method {plan.method}, and this org uses {method.name}",
            "Make a new plan with 'syncerr-tui plan'; an interrupted run can still be checked or dropped",
        )


def _ready(
    known: Sequence[SyncError], links: Parents, out: dict[str, LeftOut]
) -> tuple[list[SyncError], dict[str, int]]:
    """The rows that go, and the level of each (`_levels`); tells in `out` why the others stay.

    The levels of those that go are what they were: whatever they wait for goes as well.
    """
    for error in known:
        if error.id not in out and error.event_type is EventType.OTHER:
            rest = "event type is not known to this profile"
            out[error.id] = LeftOut(error.id, f"its {rest}", of_several=f"their {rest}")
    chosen = [error for error in known if error.id not in out]
    level = _levels((error.id for error in chosen), links)
    for error in chosen:
        if error.id not in level:
            rest = "and other rows wait for each other; choose one of them alone"
            out[error.id] = LeftOut(error.id, f"it {rest}", of_several=f"they {rest}")
    inside: set[str] = set()
    for error in sorted((e for e in chosen if e.id in level), key=lambda e: level[e.id]):
        missing = sorted(p for p in links.get(error.id, ()) if p not in inside)
        if missing:
            rest = f"cause {missing[0]} is not in this plan"
            out[error.id] = LeftOut(error.id, f"its {rest}", missing[0], f"their {rest}")
        else:
            inside.add(error.id)
    return [e for e in chosen if e.id in inside], level


def _planned(wave: Sequence[SyncError], number: int, links: Parents) -> Iterable[PlannedRow]:
    locks = {e.id: [*(f"event/{p}" for p in sorted(links.get(e.id, ()))), *_named(e)] for e in wave}
    groups = _lane_groups(wave, locks)
    for error in wave:
        behind = tuple(sorted(links.get(error.id, ())))
        reason = f"waits for {', '.join(behind)}" if behind else "no dependency"
        yield PlannedRow(error, number, reason, groups[error.id], behind)


def _named(error: SyncError) -> tuple[str, ...]:
    """The parents that the message says are missing: rows that name one lock it together."""
    missing = "foreign key external id" in error.message.lower()
    return tuple(f"storeconnect/{name}" for name in parents_named(error.message).ids) if missing else ()


def _why_wave(number: int, wave: Sequence[SyncError], level: Mapping[str, int], *, canary: bool) -> str:
    objects = ", ".join(sorted({e.object for e in wave})[:4])
    if canary and number <= len(CANARY_SIZES):
        return f"ramp: {len(wave)} first ({objects})"
    return f"first ({objects})" if level[wave[0].id] == 0 else f"after the waves before it ({objects})"


def _warnings(rows: Sequence[SyncError]) -> tuple[str, ...]:
    unnamed = sum(not e.storeconnect_id for e in rows)
    if not unnamed:
        return ()
    return (f"{unnamed} without a StoreConnect ID: what becomes of them cannot be proven",)


def _calls(waves: Sequence[Sequence[SyncError]], size: int) -> int:
    """Calls if all goes well: a re-read and a request for each batch, and one look at the outcome."""
    calls = 0
    for wave in waves:
        objects = Counter(error.object for error in wave)
        proof = ceil(len(wave) / PROOF_CHUNK) + sum(ceil(n / PROOF_CHUNK) for n in objects.values())
        calls += 1 + 2 * ceil(len(wave) / size) + proof
    return calls


def _record_key(error: SyncError) -> str:
    """One record across its events. A row without a StoreConnect ID stands for itself."""
    return f"{error.object}/{error.storeconnect_id}" if error.storeconnect_id else f"event/{error.id}"


def _age_key(error: SyncError) -> tuple[datetime, str]:
    """Oldest first: by when the change was made, which no try moves. The id decides ties, so that the same
    rows always give the same plan.
    """
    return (error.since or _EPOCH, error.id)


def with_record_order(errors: Sequence[SyncError], parents: Parents) -> dict[str, frozenset[str]]:
    """Add that the events of one record wait for each other, oldest first."""
    last: dict[str, str] = {}
    links = dict(parents)
    for error in sorted(errors, key=_age_key):
        earlier = last.get(_record_key(error))
        if earlier is not None:
            links[error.id] = links.get(error.id, frozenset()) | {earlier}
        last[_record_key(error)] = error.id
    return links


def _levels(ids: Iterable[str], parents: Parents) -> dict[str, int]:
    """Level of each row (0 waits for nobody), without those that wait in a circle or behind one.

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
    return {i: n for i, n in level.items() if waiting[i] == 0}


def _split(rows: Sequence[SyncError], level: Mapping[str, int], *, canary: bool) -> list[list[SyncError]]:
    """Rows, oldest first, in waves: level after level; with `canary` the first waves hold 1, 5 and 25."""
    by_level: defaultdict[int, list[SyncError]] = defaultdict(list)
    for error in rows:
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


def _lane_groups(rows: Sequence[SyncError], touches: Mapping[str, Iterable[str]]) -> dict[str, str]:
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
        own = find(_record_key(error))
        for key in touches.get(error.id, ()):
            other = find(key)
            if other != own:
                leader[own] = other
                own = other
    return {error.id: find(_record_key(error)) for error in rows}
