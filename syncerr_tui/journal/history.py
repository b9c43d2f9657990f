"""What a journal knows: runs, their rows, what was asked and never proven, what was seen. Reads only."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from syncerr_tui.errors import DAMAGED, MachineError
from syncerr_tui.journal.attempt import Attempt, OutcomeKind, Pressed
from syncerr_tui.journal.database import Row
from syncerr_tui.journal.filter import EVERYTHING, JournalFilter
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.text import one_line
from syncerr_tui.words import iso

ENDINGS = {
    "finished": "finished",
    "cancelled": "stopped",
    "braked": "stopped itself",
    "stopped": "cut short",
    "dropped": "dropped",
}
"""How a run ends: as the journal marks it and JSON tells it, and in words for a person."""

_FROM = """
    FROM rows r
    LEFT JOIN intents i ON i.n = (SELECT max(n) FROM intents WHERE event = r.event AND run || '' = r.run)
    LEFT JOIN outcomes o ON o.intent = i.n
    LEFT JOIN verdicts v ON v.n = (SELECT max(n) FROM verdicts WHERE event = r.event AND run || '' = r.run)
"""
_FROM_OPEN = """
    FROM rows r
    JOIN intents i ON i.run = r.run AND i.n = (
        SELECT max(x.n) FROM intents x LEFT JOIN outcomes y ON y.intent = x.n
        WHERE x.event = r.event AND COALESCE(y.kind, '') NOT IN ('not sent', 'refused'))
    LEFT JOIN outcomes o ON o.intent = i.n
    LEFT JOIN verdicts v ON v.n = (
        SELECT max(w.n) FROM verdicts w LEFT JOIN outcomes z ON z.intent = w.intent
        WHERE w.event = r.event AND w.run || '' = r.run
        AND COALESCE(z.kind, '') NOT IN ('not sent', 'refused'))
"""
"""The last request that may have been carried out. A later one that was refused says nothing of it."""
_COLUMNS = """
    SELECT r.run, r.seq, r.event, r.row, i.n AS intent, i.attempt, i.stamp,
           COALESCE(o.org_at, i.org_at) AS org_at,
           i.processed,
           COALESCE((SELECT max(at) FROM presses WHERE intent = i.n AND said = 'pressed'), i.at) AS sent_at,
           (SELECT said FROM presses WHERE intent = i.n ORDER BY n DESC LIMIT 1) AS pressed,
           o.kind, o.code, o.reason AS answer, v.verdict, v.reason, v.evidence, v.at AS ended_at,
           v.n AS verdict_n, v.intent AS about
"""
LAST_VERDICT = "v.n = (SELECT max(w.n) FROM verdicts w WHERE w.event = v.event AND w.verdict IS NOT NULL)"
"""The last verdict of its event, in whichever run."""
NOT_MERGED = (
    "NOT EXISTS (SELECT 1 FROM handling h WHERE h.target = v.event AND h.kind = 'merged' AND h.at > v.at)"
)
"""No person has said since a verdict that the two records of a TWIN are one."""
_PRESSED = (
    "COALESCE((SELECT said FROM presses p WHERE p.intent = i.n ORDER BY p.n DESC LIMIT 1), 'pressed') "
    "= 'pressed'"
)
"""What a person was only shown was not sent."""
TRIES_WITHOUT_CHANGE = 2
"""So often the same row was sent with the same message before the next try is warned about."""
_ROWS = f"{_COLUMNS} {_FROM}"
_OF_RUN = "JOIN runs u ON u.id = r.run WHERE r.run = ?"


@dataclass(frozen=True, slots=True)
class RunRecord:
    id: str
    started_at: datetime
    org_name: str
    method: str
    os_user: str
    org_user: str
    host: str
    reason: str
    planned: int
    verdicts: Mapping[str, int]
    """Verdict (or `not sent`) -> rows."""
    how: str | None
    """How it ended; None while it goes on, or where it was interrupted."""
    summary: str
    alive: bool
    """Its process still works on it."""

    @property
    def state(self) -> str:
        """`under way`, `interrupted`, or how it ended: the same in the JSON of every command."""
        return self.how or ("under way" if self.alive else "interrupted")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that was interrupted."""

    run: RunRecord
    proven: int
    failing: int
    unknown: int
    unsent: int
    unticked: int = 0
    """Rows that a person was shown to be pressed; nobody said that they were."""

    @property
    def summary(self) -> str:
        """`40 planned, 12 proven, 3 sent with unknown outcome, 25 not sent`."""
        failing = f"{self.failing} not fixed, " if self.failing else ""
        unticked = f"{self.unticked} shown and not ticked, " if self.unticked else ""
        return (
            f"{self.run.planned} planned, {self.proven} proven, {failing}"
            f"{self.unknown} sent with unknown outcome, {unticked}{self.unsent} not sent"
        )


@dataclass(frozen=True, slots=True)
class CauseHistory:
    """How often the same failure was met before, and what became of it."""

    rows: int
    """Change events; one that was sent again counts once."""
    runs: int
    last_fixed_at: datetime | None
    last_fixed_by: str
    last_reason: str
    """The reason that was given for the run that fixed it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened to a run as a whole."""

    at: datetime
    mark: str
    """`paused`, `resumed`, `brake`, `adopted`, or how it ended."""
    detail: str


class History:
    """Questions to a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def runs(
        self, limit: int = 100, skip: int = 0, only: JournalFilter = EVERYTHING
    ) -> tuple[RunRecord, ...]:
        """Runs, newest first."""
        where, values = _runs_where(only)
        rows = self._all(
            f"SELECT u.* FROM runs u {where} ORDER BY at DESC LIMIT ? OFFSET ?",  # noqa: S608 - our own pieces
            (*values, limit, skip),
        )
        return tuple(self._run(row) for row in rows)

    def count_runs(self, only: JournalFilter = EVERYTHING) -> int:
        where, values = _runs_where(only)
        return int(self._all(f"SELECT count(*) FROM runs u {where}", values)[0][0])  # noqa: S608

    def run(self, run: str) -> RunRecord | None:
        """A run by its id, or by the beginning of it where only one begins so."""
        rows = self._all("SELECT * FROM runs WHERE substr(id, 1, ?) = ? LIMIT 2", (len(run), run))
        return self._run(rows[0]) if len(rows) == 1 and run else None

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Runs that nobody works on any more and that were not ended by a person, newest first."""
        rows = self._all(
            "SELECT * FROM runs r WHERE COALESCE((SELECT mark FROM marks WHERE run = r.id AND mark IN "
            "('finished','cancelled','braked','stopped','dropped') ORDER BY n DESC LIMIT 1), 'stopped') "
            "= 'stopped' ORDER BY at DESC",
        )
        records = (self._run(row) for row in rows)
        waiting = (self._unfinished(record) for record in records if not record.alive)
        return tuple(u for u in waiting if u.run.how is None or u.unknown or u.unticked or u.unsent)

    def under_way(self) -> tuple[RunRecord, ...]:
        """Runs that some process works on right now."""
        rows = self._all("SELECT r.* FROM runs r JOIN holders h ON h.run = r.id ORDER BY r.at DESC")
        return tuple(r for r in (self._run(row) for row in rows) if r.alive)

    def plan_payload(self, run: str) -> dict[str, Any]:
        """The plan of a run as JSON holds it. What cannot be read raises as `readable` says."""
        with readable(run):
            head = self._all("SELECT plan FROM runs WHERE id = ?", (run,))[0]
            rows = self._all("SELECT row FROM rows WHERE run = ? ORDER BY seq", (run,))
            return {**json.loads(head["plan"]), "rows": [json.loads(row["row"]) for row in rows]}

    def rows_of(
        self, run: str, limit: int = sys.maxsize, skip: int = 0, only: JournalFilter = EVERYTHING
    ) -> tuple[Attempt, ...]:
        """The rows of a run, in their order."""
        rows = self._all(
            f"{_ROWS} {_OF_RUN}{only.row.also} ORDER BY r.seq LIMIT ? OFFSET ?",
            (run, *only.row.values, limit, skip),
        )
        return tuple(_record(row) for row in rows)

    def count_rows(self, run: str, only: JournalFilter = EVERYTHING) -> int:
        """How many rows of a run match."""
        if not only.row.sql:
            return int(self._all("SELECT count(*) FROM rows WHERE run = ?", (run,))[0][0])
        query = f"SELECT count(*) {_FROM} {_OF_RUN}{only.row.also}"
        return int(self._all(query, (run, *only.row.values))[0][0])

    def marks(self, run: str) -> tuple[Mark, ...]:
        """What happened to a run as a whole, in its order."""
        rows = self._all("SELECT at, mark, detail FROM marks WHERE run = ? ORDER BY n", (run,))
        return tuple(Mark(datetime.fromisoformat(m["at"]), m["mark"], m["detail"]) for m in rows)

    def of_event(self, event: str) -> tuple[Attempt, ...]:
        """Every run that one event took part in, newest first."""
        return self._newest("r.event = ?", (event,))

    def runs_since(self, at: datetime) -> tuple[RunRecord, ...]:
        """Runs that began, or ended a row, at or after this moment, newest first."""
        rows = self._all(
            "SELECT u.* FROM runs u WHERE u.at >= ? OR EXISTS "
            "(SELECT 1 FROM verdicts v WHERE v.run = u.id AND v.at >= ?) ORDER BY u.at DESC",
            (iso(at), iso(at)),
        )
        return tuple(self._run(row) for row in rows)

    def ended_since(self, at: datetime) -> tuple[Attempt, ...]:
        """Rows that ended at or after this moment."""
        return self._newest("v.at >= ?", (iso(at),))

    def last_judged(self, verdict: Verdict) -> tuple[Attempt, ...]:
        """Rows of which this is the last verdict, in whichever run, and that nobody has merged since."""
        return self._newest(f"v.verdict = ? AND {LAST_VERDICT} AND {NOT_MERGED}", (verdict.value,))

    def seen(self, *fingerprints: str) -> CauseHistory:
        """How often rows of a cause were sent, and when, by whom and why it was last fixed."""
        keys = json.dumps(fingerprints)
        rows, runs = self._all(
            "SELECT count(DISTINCT r.event), count(DISTINCT r.run) FROM rows r "  # noqa: S608 - our own pieces
            "JOIN intents i ON i.event = r.event AND i.run || '' = r.run "
            "LEFT JOIN outcomes o ON o.intent = i.n "
            "WHERE r.fingerprint IN (SELECT value FROM json_each(?)) "
            f"AND COALESCE(o.kind, '') != 'not sent' AND {_PRESSED}",
            (keys,),
        )[0]
        fixed = self._all(
            """SELECT v.at, u.os_user, u.reason FROM rows r
            JOIN verdicts v ON v.event = r.event AND v.run || '' = r.run JOIN runs u ON u.id = r.run
            WHERE r.fingerprint IN (SELECT value FROM json_each(?)) AND v.verdict = 'FIXED'
            ORDER BY v.n DESC LIMIT 1""",
            (keys,),
        )
        return CauseHistory(
            rows=rows,
            runs=runs,
            last_fixed_at=_time(fixed[0]["at"]) if fixed else None,
            last_fixed_by=fixed[0]["os_user"] if fixed else "",
            last_reason=fixed[0]["reason"] if fixed else "",
        )

    def has_fixed(self, method: str) -> bool:
        """Whether a row was ever FIXED by a method, named by its label."""
        rows = self._all(
            "SELECT 1 FROM verdicts v JOIN runs u ON u.id = v.run WHERE v.verdict = 'FIXED' "
            "AND json_extract(u.plan, '$.method') = ? LIMIT 1",
            (method,),
        )
        return bool(rows)

    def same_message_attempts(self, error: SyncError) -> int:
        """How often this very row was tried with this same message: from 2 on, ask what is different.

        What the org refused untried is no try; what it refused for the row's own reason is one.
        """
        rows = self._all(
            "SELECT count(*) FROM intents i "  # noqa: S608 - our own pieces
            "JOIN rows r ON r.run = i.run AND r.event = i.event "
            "LEFT JOIN outcomes o ON o.intent = i.n WHERE i.event = ? "
            f"AND json_extract(r.row, '$.message') = ? AND {_PRESSED} "
            "AND (COALESCE(o.kind, '') NOT IN ('not sent', 'refused') OR EXISTS "
            "(SELECT 1 FROM verdicts v WHERE v.intent = i.n AND v.verdict = 'STILL FAILING'))",
            (error.id, error.message),
        )
        return int(rows[0][0])

    def open_attempts(self, events: Sequence[str] | None = None) -> dict[str, Attempt]:
        """Rows whose last request, in whichever run, is not settled: re-read before they may be sent again.

        Args:
            events: The events to look at; None for all.
        """
        return {event: record for event, record in self.last_requests(events).items() if record.unknown}

    def last_requests(self, events: Sequence[str] | None = None) -> dict[str, Attempt]:
        """The last request of each event that may have been carried out, in whichever run."""
        if events is None:
            rows = self._all(f"{_COLUMNS} {_FROM_OPEN}")
        else:
            # By way of `intents`: most events that are asked about have none.
            named = "SELECT event FROM intents WHERE event IN (SELECT value FROM json_each(?))"
            rows = self._journal.read_of(events, f"{_COLUMNS} {_FROM_OPEN} WHERE r.event IN ({named})")
        return {record.error.id: record for record in map(_record, rows)}

    def wave_times(self, method: str, limit: int = 50) -> list[tuple[int, float]]:
        """Rows and seconds of the waves that were proven last by this method, newest first."""
        rows = self._all(
            "SELECT w.rows, w.seconds FROM waves w JOIN runs u ON u.id = w.run "
            "WHERE json_extract(u.plan, '$.method') = ? ORDER BY w.n DESC LIMIT ?",
            (method, limit),
        )
        return [(row["rows"], row["seconds"]) for row in rows]

    # -- from rows to records

    def _all(self, sql: str, values: Sequence[object] = ()) -> Sequence[Row]:
        return self._journal.read(sql, values)

    def _newest(self, where: str, values: Sequence[object]) -> tuple[Attempt, ...]:
        rows = self._all(
            f"{_ROWS} JOIN runs u ON u.id = r.run WHERE {where} ORDER BY u.at DESC, r.seq", values
        )
        return tuple(_record(row) for row in rows)

    def _run(self, row: Row) -> RunRecord:
        counts = self._all(
            "SELECT COALESCE(verdict, 'not sent') AS verdict, count(*) AS n FROM verdicts WHERE n IN "
            "(SELECT max(n) FROM verdicts WHERE run = ? GROUP BY event) GROUP BY 1",
            (row["id"],),
        )
        last = self._all("SELECT mark, detail FROM marks WHERE run = ? ORDER BY n DESC LIMIT 1", (row["id"],))
        ended = bool(last) and last[0]["mark"] in ENDINGS
        with readable(row["id"]):
            head = json.loads(row["plan"])
            started_at, org_name, method = datetime.fromisoformat(row["at"]), head["org_name"], head["method"]
        return RunRecord(
            id=row["id"],
            started_at=started_at,
            org_name=org_name,
            method=method,
            os_user=row["os_user"],
            org_user=row["org_user"],
            host=row["host"],
            reason=row["reason"],
            planned=self._all("SELECT count(*) FROM rows WHERE run = ?", (row["id"],))[0][0],
            verdicts={c["verdict"]: c["n"] for c in counts},
            how=last[0]["mark"] if ended else None,
            summary=last[0]["detail"] if ended else "",
            alive=self._alive(row["id"]),
        )

    def _alive(self, run: str) -> bool:
        rows = self._all("SELECT o.* FROM holders h JOIN owners o ON o.id = h.owner WHERE h.run = ?", (run,))
        return run in self._journal.active or (bool(rows) and self._journal.claims.runs_elsewhere(rows[0]))

    def _unfinished(self, record: RunRecord) -> Unfinished:
        rows = self.rows_of(record.id)
        return Unfinished(
            run=record,
            proven=sum(r.proven for r in rows),
            failing=sum(r.settled and not r.proven for r in rows),
            unknown=sum(r.unknown and not r.unticked for r in rows),
            unticked=sum(r.unticked for r in rows),
            unsent=sum(not r.settled and not r.unknown for r in rows),
        )


def _runs_where(only: JournalFilter) -> tuple[str, tuple[str, ...]]:
    """Runs that match, and of whose rows one matches."""
    parts, values = [], only.run.values
    if only.run.sql:
        parts.append(only.run.sql)
    if only.row.sql:
        parts.append(f"EXISTS (SELECT 1 {_FROM} WHERE r.run = u.id{only.row.also})")
        values += only.row.values
    return (f"WHERE {' AND '.join(parts)}" if parts else ""), values


@contextmanager
def readable(run: str) -> Iterator[None]:
    """Raises: MachineError: What stands in the journal about this run is nothing that we wrote."""
    try:
        yield
    except DAMAGED as problem:
        raise MachineError(
            f"The journal is damaged: run {one_line(str(run))[:8]} cannot be read",
            "Move the file away ('syncerr-tui info' says where it is): a new one is begun, and what may be "
            "under way goes again only with your consent",
        ) from problem


def _record(row: Row) -> Attempt:
    with readable(row["run"]):
        return _read_record(row)


def _read_record(row: Row) -> Attempt:
    payload = json.loads(row["row"])
    about = row["about"] or 0
    settled = row["verdict_n"] is not None and about >= (row["intent"] or 0)
    error, processed = SyncError.of_payload(payload), _time(row["processed"])
    return Attempt(
        error=error if processed in {None, error.processed_at} else replace(error, processed_at=processed),
        run=row["run"],
        wave=payload["wave"],
        attempts=row["attempt"] or 0,
        intent=row["intent"],
        sent_at=_time(row["sent_at"]),
        org_at=_time(row["org_at"]),
        stamp=_time(row["stamp"]),
        kind=OutcomeKind(row["kind"]) if row["kind"] else None,
        pressed=Pressed(row["pressed"]) if row["pressed"] else None,
        code=row["code"],
        answer=row["answer"] or "",
        ended=settled,
        verdict=Verdict(row["verdict"]) if settled and row["verdict"] else None,
        reason=row["reason"] if settled else "",
        evidence=_evidence(row["evidence"]) if settled else {},
        ended_at=_time(row["ended_at"]) if settled else None,
    )


def _evidence(text: str) -> Mapping[str, Any]:
    evidence: Mapping[str, Any] = json.loads(text)
    if not all(isinstance(record["id"], str) for record in evidence.get("records") or ()):
        raise TypeError
    return evidence


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
