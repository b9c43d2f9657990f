"""A plan on disk: JSON with its hash. `apply` does exactly that, or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

from syncerr_tui.errors import DAMAGED, BadInputError, RefusedError
from syncerr_tui.files import create_file, read_json, reading, writing
from syncerr_tui.journal.history import History, readable
from syncerr_tui.model import SyncError
from syncerr_tui.resync.plan import LeftOut, Parents, Plan, PlannedRow, Wave, digest, with_record_order
from syncerr_tui.text import clean, one_line

_FORMAT = "syncerr-tui plan 1"
LARGEST = 256_000_000
"""Bytes. A plan of 100,000 rows with long messages has some 100 million."""
_ID = re.compile(r"[0-9A-Za-z]{15,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Moved:
    """What is different in the org since a plan was made."""

    gone: tuple[str, ...]
    """Planned, and no longer unresolved."""
    changed: tuple[str, ...]
    """Planned, and the row says something else now."""
    new: tuple[str, ...]
    """Failed after the plan was made: listed, never touched."""

    def __bool__(self) -> bool:
        return bool(self.gone or self.changed or self.new)


def moved(plan: Plan, now: Iterable[SyncError]) -> Moved:
    """Compare a plan with the unresolved errors of this moment."""
    current = {error.id: error for error in now}
    planned = {row.error.id: row.error for row in plan.rows}
    known = planned.keys() | {out.id for out in plan.left_out}
    return Moved(
        gone=tuple(i for i in planned if i not in current),
        changed=tuple(i for i, e in planned.items() if i in current and not current[i].says_the_same_as(e)),
        new=tuple(i for i, e in current.items() if i not in known and _failed_after(e, plan.created_at)),
    )


def _failed_after(error: SyncError, moment: datetime) -> bool:
    return error.processed_at is not None and error.processed_at > moment


def encode_plan(plan: Plan) -> str:
    """The file's text."""
    return json.dumps({"format": _FORMAT, "hash": plan.hash, "plan": plan.payload()}, indent=1) + "\n"


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan file.

    Raises:
        BadInputError: There is a file already.
        MachineError: It cannot be written.
    """
    with writing(path, "Name another place", taken="Name another file"):
        # 0600: the rows hold customers' data.
        create_file(path, encode_plan(plan))


def read_plan(path: Path) -> Plan:
    """Read a plan file. Raises: as `load` and `plan_of`."""
    return plan_of(load(path), path)


def load(path: Path) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """What a file holds that may be a plan.

    Raises:
        BadInputError: It cannot be read, or nothing of this program has written it.
    """
    try:
        with reading(str(path), "Check the name"):
            return read_json(path, LARGEST)
    except ValueError as problem:
        raise _no_plan(path) from problem


def plan_of(content: Any, path: Path) -> Plan:  # noqa: ANN401 - whatever JSON can hold
    """The plan in what a file holds.

    Raises:
        BadInputError: It is no plan.
        RefusedError: It was changed after it was made.
    """
    try:
        if content["format"] != _FORMAT:
            raise _no_plan(path)
        payload, stated = content["plan"], content["hash"]
        plan = decode_plan(payload)
    except DAMAGED as problem:
        raise _no_plan(path) from problem
    if digest(payload) != stated or plan.hash != stated:
        raise RefusedError(f"{path} was changed after it was made", "Make a new plan with `syncerr-tui plan`")
    if not (_can_be_carried_out(plan) and all(_is_sound(row.error) for row in plan.rows)):
        raise _no_plan(path)
    return plan


def _can_be_carried_out(plan: Plan) -> bool:
    """Whether the parts of a plan fit each other: its hash cannot say that it was made by this program."""
    wave_of = {event: wave.number for wave in plan.waves for event in wave.ids}
    listed = [(event, wave.number) for wave in plan.waves for event in wave.ids]
    return (
        plan.created_at.tzinfo is not None
        and plan.batch_size >= 1
        and plan.concurrency >= 1
        and 0 <= plan.proof_timeout < inf
        and [wave.number for wave in plan.waves] == list(range(1, len(plan.waves) + 1))
        and sorted(listed) == sorted((row.error.id, row.wave) for row in plan.rows)
        and len(wave_of) == len(listed)
        and all(wave_of.get(p, row.wave) < row.wave for row in plan.rows for p in row.parents)
    )


def _is_sound(error: SyncError) -> bool:
    """Whether a row of a file is one that could have come from an org."""
    ids = (error.id, error.salesforce_id)
    texts = (error.storeconnect_id, error.code)
    return (
        all(i is None or _ID.fullmatch(i) for i in ids)
        and all(t is None or one_line(t) == t for t in texts)
        and all(at is None or at.tzinfo is not None for at in (error.processed_at, error.created_at))
    )


def checked_against(plan: Plan, parents: Parents) -> Plan:
    """A plan of before, put right by what is known of causes now: its file may have been edited, and a cause
    may have failed since. A row goes only behind all its causes, in an earlier wave; others are left out.

    Args:
        plan: The plan.
        parents: Evidence of causes now: event id -> event ids that must be proven first.
    """
    links = with_record_order([row.error for row in plan.rows], parents)
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
    return replace(plan, rows=rows, waves=waves, left_out=(*plan.left_out, *out))


def decode_plan(payload: Mapping[str, Any]) -> Plan:
    """A plan from its payload; the hash is computed from what was understood.

    Raises:
        Of `errors.DAMAGED`: It is no plan.
    """
    return Plan(
        org_id=str(payload["org_id"]),
        org_name=clean(payload["org_name"]),
        method=one_line(payload["method"]),
        created_at=datetime.fromisoformat(payload["created_at"]),
        rows=tuple(_row(row) for row in payload["rows"]),
        waves=tuple(Wave(int(w["number"]), _texts(w["ids"]), clean(w["why"])) for w in payload["waves"]),
        left_out=tuple(LeftOut(str(o["id"]), clean(o["reason"])) for o in payload["left_out"]),
        warnings=tuple(clean(w) for w in payload["warnings"]),
        canary=bool(payload["ramp"]),
        batch_size=int(payload["batch_size"]),
        concurrency=int(payload["lanes"]),
        proof_timeout=float(payload["patience"]),
        expected_calls=int(payload["expected_calls"]),
        expected_seconds=None if payload["expected_seconds"] is None else float(payload["expected_seconds"]),
    )


def recorded_plan(history: History, run: str) -> Plan:
    """The plan of a run, as it was.

    Raises:
        MachineError: The journal is damaged there.
    """
    with readable(run):
        return decode_plan(history.plan_payload(run))


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError
    return tuple(value)


def _row(row: Mapping[str, Any]) -> PlannedRow:
    return PlannedRow(
        SyncError.of_payload(row),
        int(row["wave"]),
        clean(row["reason"]),
        str(row["group"]),
        _texts(row["parents"]),
    )


def _no_plan(path: Path) -> BadInputError:
    return BadInputError(f"{path} is not a plan file", "Make one with `syncerr-tui plan`")
