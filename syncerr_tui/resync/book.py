"""Where every row of a run stands: in memory for speed, in the journal first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from syncerr_tui.journal.history import RowRecord
from syncerr_tui.journal.journal import Intent, Journal, OutcomeKind, RowEnd
from syncerr_tui.model import RowState, SyncError, Verdict
from syncerr_tui.resync.events import Counts, RowChanged, RunEvent
from syncerr_tui.resync.org import EventSeen
from syncerr_tui.resync.plan import Plan, PlannedRow


class Book:
    """The rows of one run. Every change is journaled before it is told."""

    def __init__(self, plan: Plan, journal: Journal, run: str, tell: Callable[[RunEvent], None]) -> None:
        self.run = run
        self.rows = {row.error.id: row for row in plan.rows}
        self._journal = journal
        self._tell = tell
        self._state = dict.fromkeys(self.rows, RowState.QUEUED)
        self._verdict: dict[str, Verdict] = {}
        self._reason: dict[str, str] = {}
        self._intent: dict[str, int] = {}
        self._out: set[str] = set()
        self._held_back: set[str] = set()
        self._attempts: Counter[str] = Counter()
        self._counter: Counter[str] = Counter(queued=len(self.rows))

    def ended(self, event: str) -> bool:
        """It has an outcome in this run."""
        return self._state[event] in {RowState.DONE, RowState.NOT_SENT}

    def proven(self, event: str) -> bool:
        """FIXED, or resolved elsewhere: what waits for it may go."""
        verdict = self._verdict.get(event)
        return verdict is not None and verdict.proven

    def verdict(self, event: str) -> Verdict | None:
        """Its verdict in this run."""
        return self._verdict.get(event)

    def reason(self, event: str) -> str:
        """Why it stands where it stands; empty where nothing was said."""
        return self._reason.get(event, "")

    def asked(self, event: str) -> bool:
        """A request for it has left, or may have left, in this run."""
        return event in self._out

    def tried(self, event: str) -> bool:
        """A request for it was begun in this run, whatever became of it."""
        return self._attempts[event] > 0

    def open_rows(self) -> list[PlannedRow]:
        """Rows without an outcome, in the plan's order."""
        return [row for event, row in self.rows.items() if not self.ended(event)]

    def counts(self) -> Counts:
        """Where the rows stand."""
        return Counts(planned=len(self.rows), **{k: n for k, n in self._counter.items() if n})

    def restore(self, record: RowRecord) -> None:
        """Take over what an interrupted run had reached for a row; tells it, and journals nothing."""
        event = record.error.id
        self._attempts[event] = record.attempts
        if record.settled and record.verdict is not None:
            self._move(event, RowState.DONE, record.verdict, record.reason)
        elif record.unknown and record.intent is not None:
            self._intent[event] = record.intent
            self._out.add(event)

    def intend(
        self, rows: Sequence[PlannedRow], seen: dict[str, EventSeen], org_at: Mapping[str, datetime]
    ) -> dict[str, int]:
        """Write down that these rows are about to be sent, each at its time by the org's clock; tell so.

        Raises:
            MachineError, RefusedError: Nothing may be sent.
        """
        intents = [
            Intent(
                event=row.error.id,
                wave=row.wave,
                attempt=self._attempts[row.error.id] + 1,
                org_at=org_at[row.error.id],
                stamp=seen[row.error.id].modified_at,
                processed_at=_processed(seen[row.error.id].error),
            )
            for row in rows
        ]
        numbers = self._journal.intend(self.run, intents)
        self._intent.update(numbers)
        self._attempts.update(numbers.keys())
        self._out.update(numbers)
        for event in numbers:
            self._move(event, RowState.SENT)
        return numbers

    def answered(self, outcomes: Iterable[tuple[str, OutcomeKind, str | None, str]]) -> None:
        """Write down how a request ended for its rows: (event, kind, code, reason)."""
        outcomes = list(outcomes)
        for event, kind, _, reason in outcomes:
            if kind is OutcomeKind.NOT_SENT:
                self._out.discard(event)
            state = RowState.QUEUED if kind is OutcomeKind.NOT_SENT else RowState.WAITING
            self._move(event, state, reason=reason)
        self._journal.outcomes(
            (self._intent[event], kind, code, reason) for event, kind, code, reason in outcomes
        )

    def end(self, ends: Sequence[RowEnd], now: dict[str, SyncError] | None = None) -> None:
        """Write down how rows ended, then tell so. A row ends once."""
        ends = [
            RowEnd(end.event, end.verdict, end.reason, end.evidence, self._intent.get(end.event))
            for end in ends
            if not self.ended(end.event)
        ]
        if not ends:
            return
        try:
            self._journal.finish_rows(self.run, ends)
        finally:  # a full disk must not leave a row on the screen that waits for ever
            for end in ends:
                state = RowState.NOT_SENT if end.verdict is None else RowState.DONE
                error = (now or {}).get(end.event)
                self._move(end.event, state, end.verdict, end.reason, end.evidence, error)

    def leave_out(self, events: Iterable[str], reason: str) -> None:
        """These rows are not sent, for this reason."""
        self.end([RowEnd(event, None, reason) for event in events])

    def hold_back(self, event: str, cause: str) -> None:
        """This row is not sent: its cause is not proven."""
        self._held_back.add(event)
        self.leave_out([event], f"its cause {cause} is not proven ({self.verdict(cause) or 'not sent'})")

    def blocks(self, event: str) -> bool:
        """Nothing that waits for it can go, whatever else happens in this run."""
        return event in self._held_back or (event in self._verdict and not self.proven(event))

    @property
    def held_back(self) -> int:
        """Rows that were not sent because of their cause."""
        return len(self._held_back)

    def _move(
        self,
        event: str,
        state: RowState,
        verdict: Verdict | None = None,
        reason: str = "",
        evidence: Mapping[str, Any] = MappingProxyType({}),
        now: SyncError | None = None,
    ) -> None:
        self._counter[self._field(event)] -= 1
        self._state[event] = state
        self._reason[event] = reason
        if verdict is not None:
            self._verdict[event] = verdict
        self._counter[self._field(event)] += 1
        self._tell(RowChanged(event, state, verdict, reason, evidence, now))

    def _field(self, event: str) -> str:
        state = self._state[event]
        if state is RowState.DONE:
            return self._verdict[event].count_name
        return "not_sent" if state is RowState.NOT_SENT else state.value


def _processed(error: SyncError | None) -> datetime | None:
    return error.processed_at if error else None
