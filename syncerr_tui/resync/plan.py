"""The exact set of errors to re-sync, in waves, and why each is in or out. Data and one pure function."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from syncerr_tui.model import EventType, OrgIdentity, SyncError
from syncerr_tui.resync import waves as order
from syncerr_tui.resync.org import MethodInfo
from syncerr_tui.words import duration, plural

DEFAULT_PATIENCE = 180.0
"""Seconds to wait for proof. StoreConnect's upstream sync takes 10 s to 2 min."""

PROOF_CHUNK = 1000
"""Rows asked for in one re-read."""


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One error that will be sent."""

    error: SyncError
    wave: int
    """Counted from 1."""
    reason: str
    """Why it is in, and why in this wave: plain words."""
    group: str
    """Rows of one wave with the same group are never in two requests at once."""
    parents: tuple[str, ...] = ()
    """Event ids in this plan that must be proven first."""


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


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does, to the row. Bound to one org, fingerprinted by `hash`."""

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
    expected_seconds: float | None
    """From measured waves; None where none of such a size was ever proven in this org."""
    hash: str = ""

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
        return self.canary and wave.number <= len(order.CANARY_SIZES)

    def row(self, event_id: str) -> PlannedRow | None:
        """The planned row of this event, if it is in."""
        return next((row for row in self.rows if row.error.id == event_id), None)

    def payload(self) -> dict[str, Any]:
        """Everything but the hash, as JSON can hold it. Waves are lists of ids over the rows."""
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
            "rows": [
                {
                    **row.error.payload(),
                    "created_at": row.error.created_at.isoformat() if row.error.created_at else None,
                    "wave": row.wave,
                    "reason": row.reason,
                    "group": row.group,
                    "parents": list(row.parents),
                }
                for row in self.rows
            ],
            "left_out": [{"id": out.id, "reason": out.reason} for out in self.left_out],
        }


def digest(payload: Mapping[str, Any]) -> str:
    """SHA-256 over the payload as JSON in one canonical spelling.

    Spelt item by item: `json.dumps` of 80,000 rows would let no other thread run for half a second.
    """
    sha = hashlib.sha256()
    for number, name in enumerate(sorted(payload)):
        sha.update(f"{',' if number else '{'}{_spelt(name)}:".encode())
        if isinstance(payload[name], list):
            for place, item in enumerate(payload[name]):
                sha.update(f"{',' if place else '['}{_spelt(item)}".encode())
            sha.update(b"]" if payload[name] else b"[]")
        else:
            sha.update(_spelt(payload[name]).encode())
    sha.update(b"}" if payload else b"{}")
    return sha.hexdigest()


def _spelt(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def make_plan(
    errors: Iterable[SyncError],
    *,
    org: OrgIdentity,
    method: MethodInfo,
    created_at: datetime,
    parents: order.Parents,
    left_out: Iterable[LeftOut] = (),
    canary: bool = False,
    batch_size: int | None = None,
    concurrency: int | None = None,
    proof_timeout: float = DEFAULT_PATIENCE,
    measured: Sequence[tuple[int, float]] = (),
) -> Plan:
    """Decide what is sent, in which order, and what is not.

    Args:
        errors: The rows a person asked for. A row named twice is taken once.
        org: The org the plan is bound to.
        method: How re-sync is asked for there; gives batch size and concurrency where none are said.
        created_at: When the plan was made.
        parents: Evidence of causes: event id -> event ids that must be proven first.
        left_out: Rows that the front end took out, with its reason.
        canary: Send 1, 5, 25 and then the rest, each proven first.
        batch_size: Rows in one request, at most the method's.
        concurrency: Requests under way at once, at most the method's.
        proof_timeout: Seconds to wait for proof of one wave.
        measured: Rows and seconds of waves that were proven in this org, the latest first: for the estimate.
    """
    out = {item.id: item for item in left_out}
    asked = list({e.id: e for e in errors}.values())
    for error in (e for e in asked if e.id not in out):
        if error.event_type is EventType.OTHER:
            out[error.id] = LeftOut(error.id, "its event type is not known to this profile")
    chosen = [e for e in asked if e.id not in out]
    links = order.with_record_order(asked, parents)
    chosen = _without_the_unready(chosen, links, out)
    level, _ = order.levels((e.id for e in chosen), links)
    split = order.split(chosen, level, canary=canary)
    rows = tuple(row for number, wave in enumerate(split, 1) for row in _planned(wave, number, links))
    size = max(1, min(batch_size or method.batch_size, method.batch_size))
    width = max(1, min(concurrency or method.concurrency, method.concurrency))
    usual = [order.expected_seconds(len(wave), measured) for wave in split]
    known = [seconds for seconds in usual if seconds is not None]
    plan = Plan(
        org_id=org.org_id,
        org_name=org.name,
        method=method.name,
        created_at=created_at,
        rows=rows,
        waves=tuple(
            Wave(n, tuple(e.id for e in wave), _why_wave(n, wave, level, canary=canary))
            for n, wave in enumerate(split, 1)
        ),
        left_out=tuple(out.values()),
        warnings=_warnings(chosen),
        canary=canary,
        batch_size=size,
        concurrency=width,
        proof_timeout=proof_timeout,
        expected_calls=_calls(split, size),
        expected_seconds=round(sum(known, 0.0), 1) if len(known) == len(usual) else None,
    )
    return replace(plan, hash=digest(plan.payload()))


def checked_against(plan: Plan, parents: order.Parents) -> Plan:
    """A plan of before, put right by what is known of causes now: its file may have been edited, and a cause
    may have failed since. A row goes only behind all its causes, in an earlier wave; others are left out.

    Args:
        plan: The plan.
        parents: Evidence of causes now: event id -> event ids that must be proven first.
    """
    links = order.with_record_order([row.error for row in plan.rows], parents)
    inside: dict[str, PlannedRow] = {}
    out: list[LeftOut] = []
    for row in sorted(plan.rows, key=lambda row: row.wave):
        behind = sorted({*row.parents, *links.get(row.error.id, ())})
        missing = next((p for p in behind if p not in inside or inside[p].wave >= row.wave), None)
        if missing is None:
            inside[row.error.id] = replace(row, parents=tuple(behind))
        else:
            out.append(LeftOut(row.error.id, f"its cause {missing} does not go before it in this plan"))
    rows = tuple(inside[row.error.id] for row in plan.rows if row.error.id in inside)
    waves = tuple(replace(wave, ids=tuple(i for i in wave.ids if i in inside)) for wave in plan.waves)
    checked = replace(plan, rows=rows, waves=waves, left_out=(*plan.left_out, *out))
    return replace(checked, hash=digest(checked.payload()))


def _without_the_unready(
    chosen: list[SyncError], links: order.Parents, out: dict[str, LeftOut]
) -> list[SyncError]:
    """Take out rows whose cause is not in the plan, and rows that wait in a circle; tell why in `out`."""
    _, stuck = order.levels((e.id for e in chosen), links)
    for error in chosen:
        if error.id in stuck:
            out[error.id] = LeftOut(
                error.id, "it and other rows wait for each other; choose one of them alone"
            )
    chosen = [e for e in chosen if e.id not in out]
    level, _ = order.levels((e.id for e in chosen), links)
    inside: set[str] = set()
    for error in sorted(chosen, key=lambda e: level[e.id]):
        missing = sorted(p for p in links.get(error.id, ()) if p not in inside)
        if missing:
            out[error.id] = LeftOut(error.id, f"its cause {missing[0]} is not in this plan")
        else:
            inside.add(error.id)
    return [e for e in chosen if e.id in inside]


def _planned(wave: Sequence[SyncError], number: int, links: order.Parents) -> Iterable[PlannedRow]:
    locks = {e.id: [*(f"event/{p}" for p in sorted(links.get(e.id, ()))), *_named(e)] for e in wave}
    groups = order.lane_groups(wave, locks)
    for error in wave:
        behind = tuple(sorted(links.get(error.id, ())))
        reason = f"waits for {', '.join(behind)}" if behind else "no dependency"
        yield PlannedRow(error, number, reason, groups[error.id], behind)


def _named(error: SyncError) -> tuple[str, ...]:
    parent = order.named_parent(error)
    return (f"storeconnect/{parent}",) if parent else ()


def _why_wave(number: int, wave: Sequence[SyncError], level: Mapping[str, int], *, canary: bool) -> str:
    objects = ", ".join(sorted({e.object for e in wave})[:4])
    if canary and number <= len(order.CANARY_SIZES):
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
