"""What a journal knows of rows that are to be sent; of rows in doubt before all, and how they are settled.

The last request of a row in doubt has an unknown outcome, so it is read again before anything is sent
(`RowsInDoubt`), or long after its run (`verify`), and goes again only with a person's consent.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syncerr_tui.errors import DAMAGED
from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.journal.claims import Owner
from syncerr_tui.journal.history import TRIES_WITHOUT_CHANGE, History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.journal.request_log import LoggedRequest
from syncerr_tui.model import EventSeen, SyncError, Verdict
from syncerr_tui.resync.events import WaitKind
from syncerr_tui.resync.org import Org
from syncerr_tui.resync.plan import LeftOut, Plan
from syncerr_tui.resync.run_state import ResumeMode, RunState
from syncerr_tui.resync.verification import look_in_run, look_until_decided
from syncerr_tui.words import plural

NOBODY_SAID = "nobody said whether Re-sync was pressed"
LEAST_USUAL, _LONGEST_USUAL = 180.0, 3600.0
"""Seconds: bounds of an org's usual time for a request. Upstream sync takes 10 s to 2 min."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a journal knows of the rows of a plan."""

    held: tuple[LeftOut, ...]
    """Rows that other runs have in their hands."""
    in_doubt: frozenset[str]
    remarks: tuple[str, ...]
    """What a person should know before they send them."""
    measured: tuple[tuple[int, float], ...]
    """Rows and seconds of waves that were proven in this org, the latest first."""
    has_fixed: bool
    """The method has fixed something in this org before."""


def recall(journal: Journal, plan: Plan) -> Recalled:
    """Ask a journal about the rows of a plan."""
    errors, history = [row.error for row in plan.rows], History(journal)
    claimed = held(journal, [error.id for error in errors])
    again = unchanged_words(unchanged(journal, errors), len(errors))
    return Recalled(
        held=tuple(
            LeftOut(event, f"it is being re-synced by {who}", of_several=f"they are being re-synced by {who}")
            for event, who in claimed.items()
        ),
        in_doubt=in_doubt(journal, errors),
        remarks=tuple(filter(None, (again, doubt_words(journal, errors)))),
        measured=tuple(history.wave_times(plan.method)),
        has_fixed=history.has_fixed(plan.method),
    )


def held(journal: Journal, events: Sequence[str]) -> dict[str, str]:
    """Rows that a run of another program holds right now, and who has them."""
    rows = journal.read_of(
        events,
        "SELECT c.event, u.at AS since, o.* FROM claims c JOIN owners o ON o.id = c.owner "
        "JOIN runs u ON u.id = c.run WHERE c.event IN (SELECT value FROM json_each(?))",
    )
    holders = [(row, Owner.of_row(row)) for row in journal.claims.living(rows)]
    return {
        row["event"]: f"{row['user']} ({owner.name})"
        for row, owner in holders
        if owner != journal.claims.owner
    }


def unchanged(journal: Journal, errors: Iterable[SyncError]) -> tuple[str, ...]:
    """The rows that were sent twice or more with the very message that they have now: event ids."""
    by_id = {error.id: error for error in errors}
    rows = journal.read_of(
        by_id,
        "SELECT event FROM intents WHERE event IN (SELECT value FROM json_each(?)) "
        "GROUP BY event HAVING count(*) >= ?",
        TRIES_WITHOUT_CHANGE,
    )
    known = {row["event"] for row in rows}
    history = History(journal)
    return tuple(
        i for i in by_id if i in known and history.same_message_attempts(by_id[i]) >= TRIES_WITHOUT_CHANGE
    )


def unchanged_words(ids: Sequence[str], planned: int) -> str:
    """The warning about rows that were tried before and did not change; empty where there are none."""
    if not ids:
        return ""
    if planned == 1:
        return "Sent twice or more before, and refused with the same message. Has anything been fixed since?"
    those = f"{len(ids):,} of these {'was' if len(ids) == 1 else 'were'}"
    return (
        f"{those} sent twice or more before, and refused with the same message "
        f"({ids[0]}{' ...' if len(ids) > 1 else ''}). Has anything been fixed since?"
    )


def unsettled_words(verdicts: Iterable[Verdict]) -> str:
    """The first line about a plan that holds rows which earlier runs left TWIN or UNKNOWN; else empty."""
    counts = Counter(verdicts)
    twin, unknown = counts[Verdict.TWIN], counts[Verdict.UNKNOWN]
    words = []
    if twin:
        words.append(f"{twin:,} TWIN: two records share one StoreConnect ID. Merge them before you re-sync.")
    if unknown:
        words.append(f"{unknown:,} UNKNOWN: sent before, and the outcome is not known.")
    return " ".join(words)


def usual_seconds(journal: Journal) -> float:
    """How long this org may take for a request, from its own proofs; never less than three minutes.

    Nineteen of twenty were that fast, with half as much again on top; at most an hour.
    """
    rows = journal.read(
        "SELECT evidence FROM verdicts WHERE verdict IN ('FIXED', 'STILL FAILING', 'NEW CAUSE') "
        "AND intent IS NOT NULL ORDER BY n DESC LIMIT 1000"
    )
    took = sorted(seconds for row in rows if (seconds := _seconds_taken(row["evidence"])) is not None)
    slow = took[min(len(took) * 19 // 20, len(took) - 1)] if took else 0.0
    return min(max(LEAST_USUAL, slow * 1.5), _LONGEST_USUAL)


def sent_and_open(journal: Journal, errors: Sequence[SyncError]) -> dict[str, Attempt]:
    """Of these rows, the ones with a request that is not settled, also one that a lost journal knew of."""
    by_id = {error.id: error for error in errors}
    forgotten = {
        event: _forgotten(by_id[event], request)
        for event, request in journal.forgotten.items()
        if event in by_id
    }
    return {**forgotten, **History(journal).open_attempts(list(by_id))}


def earlier_requests(journal: Journal, errors: Sequence[SyncError]) -> dict[str, Attempt]:
    """Of these rows, the ones whose present state an earlier request of ours may have brought about.

    Not those whose request is known to have failed, or that have been processed and failed again since.
    """
    by_id = {error.id: error for error in errors}
    return {
        event: record
        for event, record in History(journal).last_requests(list(by_id)).items()
        if record.org_at is not None and _may_have_done(record, by_id[event].processed_at)
    } | sent_and_open(journal, errors)


def mark_earlier(journal: Journal, attempts: Sequence[Attempt]) -> list[Attempt]:
    """The same attempts; those of a refused request know whether an earlier one may have been carried out."""
    refused = [attempt.error for attempt in attempts if attempt.refusal]
    earlier = earlier_requests(journal, refused) if refused else {}
    return [
        replace(attempt, earlier=True) if attempt.refusal and attempt.event in earlier else attempt
        for attempt in attempts
    ]


def _may_have_done(record: Attempt, failed_at: datetime | None) -> bool:
    if record.unknown:
        return True
    if record.verdict in {Verdict.STILL_FAILING, Verdict.NEW_CAUSE}:
        return False
    return failed_at is None or record.org_at is None or failed_at <= record.org_at


def in_doubt(journal: Journal, errors: Sequence[SyncError]) -> frozenset[str]:
    """The rows that go again only with a person's consent: event ids.

    They were sent before, and what became of that is not known. Where a journal was lost a short while ago,
    any row may have been.
    """
    if journal.lost_at is not None and _lost_lately(journal, usual_seconds(journal)):
        return frozenset(error.id for error in errors)
    return frozenset(sent_and_open(journal, errors))


def doubt_words(journal: Journal, errors: Sequence[SyncError]) -> str:
    """What a person should know before they send rows in doubt again; empty where there are none."""
    records = sent_and_open(journal, errors).values()
    unticked = sum(record.unticked for record in records)
    sent = [record.sent_at for record in records if record.sent_at is not None and not record.unticked]
    if not sent and unticked:
        was, it = ("was", "it") if unticked == 1 else ("were", "them")
        return (
            f"{plural(unticked, 'row')} {was} shown before, and nobody said whether Re-sync was pressed: "
            f"pressing it again may apply {it} twice."
        )
    if not sent:
        return ""
    ago = age_words(max((journal.now() - max(sent)).total_seconds(), 0.0))
    if len(sent) == 1:
        return f"1 row was sent {ago} ago and its outcome is not known: sending it again may apply it twice."
    return (
        f"{plural(len(sent), 'row')} were sent before, the last {ago} ago, and their outcome is not known: "
        "sending them again may apply them twice."
    )


def after_a_loss(journal: Journal, event: EventSeen, org_now: datetime, usual: float) -> str:
    """Why a row may be under way although the journal knows nothing of it; empty where it is not.

    Where a journal was lost its requests are forgotten: what the org shows as touched within its usual time
    may be one of them.
    """
    if not _lost_lately(journal, usual):
        return ""
    stamps = [at for at in (event.modified_at, event.error and event.error.processed_at) if at]
    age = (org_now - max(stamps)).total_seconds() if stamps else usual
    if age >= usual:
        return ""
    return f"the journal was lost, and the org touched the event {age_words(age)} ago: it may be under way"


def _lost_lately(journal: Journal, usual: float) -> bool:
    lost = journal.lost_at
    return lost is not None and (journal.now() - lost).total_seconds() <= usual


def age_of(attempt: Attempt, now: datetime, org_now: datetime) -> float:
    """Seconds for which the org has had a request, or may have had it, by our clock and the org's."""
    if attempt.unticked or attempt.org_at is None:
        return 0.0  # whoever was shown it may have pressed it a moment ago
    if attempt.pressed is not None and attempt.sent_at is not None:
        return max((now - attempt.sent_at).total_seconds(), 0.0)
    return max((org_now - attempt.org_at).total_seconds(), 0.0)


def age_words(seconds: float) -> str:
    """A span of time in words: `40 seconds`, `14 minutes`, `3 hours`, `2 days`."""
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return plural(int(seconds // size), unit)
    return plural(int(seconds), "second")


def _seconds_taken(evidence: str) -> float | None:
    """From a request to the stamp that proved its outcome, both by the org's clock."""
    try:
        times = json.loads(evidence)
        sent = datetime.fromisoformat(times["sent_at"])
        stamps = [times["event_processed_at"], times["event_modified_at"]]
        stamps += [record["modified_at"] for record in times["records"]]
        took = [(datetime.fromisoformat(stamp) - sent).total_seconds() for stamp in stamps if stamp]
    except DAMAGED:
        return None
    return min((seconds for seconds in took if seconds >= 0), default=None)


def _forgotten(error: SyncError, request: LoggedRequest) -> Attempt:
    """What a lost journal knew about the last request of a row."""
    return Attempt(
        error=replace(error, processed_at=request.processed_at or error.processed_at),
        run=request.run,
        attempts=request.attempt,
        sent_at=request.at,
        org_at=request.org_at,
        stamp=request.stamp,
    )


class RowsInDoubt:
    """The rows of one run whose last request is not settled: read again before anything of them is sent.

    Args:
        state: The run.
    """

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._claimed: Mapping[str, Attempt] | None = None
        """Of a new run: those that it met when it claimed its rows. Nobody else has sent them since."""

    def claim(self) -> bool:
        """In the journal's thread, as soon as the rows are ours; gives whether there are any."""
        self._claimed = sent_and_open(self._state.journal, [row.error for row in self._state.plan.rows])
        return bool(self._claimed)

    async def settle(self) -> None:
        """Re-read rows whose last request has an unknown outcome, before anything may be sent again."""
        state, earlier = self._state, await self.open_attempts()
        if not earlier:
            return
        now = await self._state.org.now()
        ages = {event: age_of(attempt, state.machine.clock(), now) for event, attempt in earlier.items()}
        # Until the org has had its usual time an event looks untouched while the org is at it.
        sending = state.request.mode is ResumeMode.CONTINUE
        window = max(state.usual_seconds if sending else 0.0, state.plan.proof_timeout)
        left = max(window - min(ages.values()), 0.0)
        since = min((a.sent_at for a in earlier.values() if a.sent_at), default=state.machine.clock())
        shown = all(attempt.unticked for attempt in earlier.values())
        kind = WaitKind.SHOWN if shown else WaitKind.EARLIER
        async for decided in look_in_run(state, list(earlier.values()), left, kind=kind, since=since):
            state.end(_with_age(a, ages[a.event]) for a in decided if self._is_over(a))
            state.progress()

    async def open_attempts(self) -> dict[str, Attempt]:
        """Requests whose outcome is unknown, for rows of this run that are open; lost journals included."""
        if self._claimed is None:
            errors = [row.error for row in self._state.open_rows()]
            earlier = await self._state.writer.call(lambda: sent_and_open(self._state.journal, errors))
        else:
            earlier = {event: a for event, a in self._claimed.items() if not self._state.ended(event)}
        if not self._state.org.method.guided or self._state.request.mode is not ResumeMode.CONTINUE:
            return earlier
        # What this run has shown already is read again beside what it shows next.
        return {event: attempt for event, attempt in earlier.items() if attempt.run != self._state.run}

    def _is_over(self, earlier: Attempt) -> bool:
        """Whether what was found ends the row, or leaves it to be sent."""
        if self._state.request.mode is not ResumeMode.CONTINUE:
            return True
        if earlier.verdict in {Verdict.STILL_FAILING, Verdict.NEW_CAUSE}:
            return earlier.run == self._state.run
        if earlier.verdict is Verdict.UNKNOWN and earlier.untouched:
            return earlier.event not in self._state.request.again
        return True


def _with_age(earlier: Attempt, age: float) -> Attempt:
    """A row that stays unsent because its last request may still be at work says how old that is."""
    if not (earlier.verdict is Verdict.UNKNOWN and earlier.untouched):
        return earlier
    sent = f"sent {age_words(age)} ago, {earlier.reason}"
    if earlier.unticked:
        sent = f"it was shown to be pressed, {NOBODY_SAID}, and the org shows no trace of it"
    reason = f"{sent}; sending it again may apply it twice"
    return replace(earlier, reason=reason)


async def verify(
    org: Org,
    journal: Journal,
    attempts: Sequence[Attempt],
    *,
    proof_timeout: float,
    sleep: Callable[[float], Awaitable[None]],
) -> list[Attempt]:
    """Re-read rows long after their run, and write down what they are now. Sends nothing.

    Raises:
        NotLoggedInError, RefusedError: The org cannot be read. What was decided before is written down.
    """

    async def wait(seconds: float, rows: int, left: float) -> bool:  # noqa: ARG001 - nobody is told here
        await sleep(seconds)
        return False

    verified: list[Attempt] = []
    last_of_each = {attempt.event: attempt for attempt in attempts}
    sent = mark_earlier(journal, list(last_of_each.values()))
    async for decided in look_until_decided(
        org, sent, proof_timeout=proof_timeout, wait=wait, concurrency=org.method.concurrency
    ):
        by_run: defaultdict[str, list[Attempt]] = defaultdict(list)
        for attempt in decided:
            by_run[attempt.run].append(attempt)
        for run, rows in by_run.items():
            journal.finish_rows(run, rows)
        verified += decided
    return verified
