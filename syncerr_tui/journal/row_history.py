"""What a journal remembers about rows: the whole story of one, how often it was met, what runs have left."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from syncerr_tui.errors import DAMAGED
from syncerr_tui.journal.attempt import OutcomeKind, Pressed
from syncerr_tui.journal.database import Row
from syncerr_tui.journal.history import LAST_VERDICT, NOT_MERGED, TRIES_WITHOUT_CHANGE, CauseHistory, History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.text import clean

_ANSWERS: Mapping[OutcomeKind | None, str] = {
    OutcomeKind.ACCEPTED: "the org accepted it",
    OutcomeKind.REFUSED: "the org refused it",
    OutcomeKind.NOT_SENT: "it never reached the org",
    OutcomeKind.UNKNOWN: "no answer came back",
    None: "the program ended before the answer",
}


_SAID = {
    Pressed.ASKED: ("shown", "to be pressed in Salesforce"),
    Pressed.YES: ("pressed", "the person says so"),
    Pressed.NO: ("not pressed", "the person says so"),
}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to a row."""

    at: datetime
    what: str
    """`sent`, `answer`, `shown`, `pressed`, or how it ended."""
    words: str
    by: str
    """The operating system's user of that run."""
    cause: str = ""
    """The event that its words name; empty where they name none."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known about a row from before."""

    cause: CauseHistory
    """About its cause, whichever rows had it."""
    tries: int
    """How often this very row was sent."""
    unchanged: int
    """How often it was sent with this same message."""
    last_verdict: Verdict | None
    last_at: datetime | None
    """When this row was last sent."""


def story(journal: Journal, event: str) -> tuple[HistoryEntry, ...]:
    """Everything that happened to one change event, oldest first."""
    sent = journal.read(
        "SELECT i.n, i.at, i.wave, i.attempt, u.os_user, o.at AS answered, o.kind, o.code, o.reason "
        "FROM intents i JOIN runs u ON u.id = i.run LEFT JOIN outcomes o ON o.intent = i.n "
        "WHERE i.event = ? ORDER BY i.n",
        (event,),
    )
    notes = journal.read(
        "SELECT p.intent, p.at, p.said, p.os_user FROM presses p JOIN intents i ON i.n = p.intent "
        "WHERE i.event = ? ORDER BY p.n",
        (event,),
    )
    by_hand = {row["intent"] for row in notes}
    ended = journal.read(
        "SELECT v.at, v.verdict, v.reason, json_extract(v.evidence, '$.cause') AS cause, u.os_user "
        "FROM verdicts v JOIN runs u ON u.id = v.run "
        "WHERE v.event = ? ORDER BY v.n",
        (event,),
    )
    events: list[HistoryEntry] = []
    for row in notes:
        what, words = _SAID[Pressed(row["said"])]
        events.append(HistoryEntry(_time(row["at"]), what, words, row["os_user"]))
    for row in sent:
        if row["n"] in by_hand:
            continue  # the program sent nothing
        again = f", attempt {row['attempt']}" if row["attempt"] > 1 else ""
        events.append(HistoryEntry(_time(row["at"]), "sent", f"in wave {row['wave']}{again}", row["os_user"]))
        kind = OutcomeKind(row["kind"]) if row["kind"] else None
        words = ": ".join(filter(None, (_ANSWERS[kind], row["code"], row["reason"])))
        answered = _time(row["answered"] or row["at"])
        events.append(HistoryEntry(answered, "answer", words, row["os_user"]))
    events += [
        HistoryEntry(
            _time(row["at"]), row["verdict"] or "NOT SENT", row["reason"], row["os_user"], row["cause"] or ""
        )
        for row in ended
    ]
    return tuple(sorted(events, key=lambda happened: happened.at))


def evidence_words(evidence: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The evidence of a verdict in words: what was read back, each with its label. Times stay ISO text."""
    lines: list[tuple[str, str]] = []
    if evidence.get("event"):
        status = f" ({evidence['status']})" if evidence.get("status") else ""
        lines.append(("Change event", f"{evidence['event']}{status}"))
    for key, label in (
        ("code", "Code now"),
        ("sent_at", "Sent (org time)"),
        ("event_processed_at", "Processed At"),
        ("event_modified_at", "Event modified"),
    ):
        if evidence.get(key):
            shown = key == "sent_at" and evidence.get("by_hand")
            lines.append(("Shown (org time)" if shown else label, str(evidence[key])))
    records = evidence.get("records") or ()
    lines += [("Record", f"{record['id']}, written {record.get('modified_at')}") for record in records]
    if "records" in evidence and not records:
        lines.append(("Record", "none was found with this StoreConnect ID"))
    return tuple(lines)


def found_words(verdict: Verdict | str | None, reason: str, evidence: Mapping[str, Any]) -> str:
    """The reason of a verdict in words: what a failure's message comes to, instead of the message itself.

    What a verdict adds to the message (a record that did land) stays as it is.
    """
    from syncerr_tui.diagnosis.summary import summarize

    if verdict not in {Verdict.STILL_FAILING, Verdict.NEW_CAUSE} or evidence.get("refused"):
        return reason
    added = str(evidence.get("added", ""))
    return f"{summarize(reason.removesuffix(added), None)}{added}"


def names_of(journal: Journal, run: str, events: Iterable[str]) -> dict[str, str]:
    """Events of a run by the names of their records: `Account 7ce42c82`."""
    ids = sorted(set(filter(None, events)))
    if not ids:
        return {}
    rows = journal.read(
        "SELECT event, object, storeconnect_id FROM rows WHERE run = ? "
        "AND event IN (SELECT value FROM json_each(?))",
        (run, json.dumps(ids)),
    )
    return {r["event"]: f"{clean(r['object'])} {(r['storeconnect_id'] or r['event'])[:8]}" for r in rows}


def memory(journal: Journal, error: SyncError, cause: Iterable[str]) -> Memory:
    """What is known about a row from before.

    Args:
        journal: The journal.
        error: The row as it is now.
        cause: What its cause is known by.
    """
    history = History(journal)
    sent = [
        record
        for record in history.of_event(error.id)
        # What a person was only shown was not sent.
        if record.intent is not None and record.pressed in {None, Pressed.YES}
    ]
    return Memory(
        cause=history.seen(*cause),
        tries=sum(1 if record.pressed else record.attempts for record in sent),
        unchanged=history.same_message_attempts(error),
        last_verdict=sent[0].verdict if sent else None,
        last_at=sent[0].sent_at if sent else None,
    )


@dataclass(frozen=True, slots=True)
class RowEnding:
    """How a row ended, or its record did under an earlier change event."""

    at: datetime
    verdict: Verdict
    by: str
    """The operating system's user of that run."""


@dataclass(frozen=True, slots=True)
class LeftByRuns:
    """What earlier runs left of the rows of a list."""

    unsettled: Mapping[str, Verdict]
    """Event -> TWIN or UNKNOWN, where that is the last that is known of it."""
    tried: Mapping[str, int]
    """Event -> how often it was sent with the very message that it has now, where that is often."""
    landed: Mapping[tuple[str, str], datetime]
    """Record (object, StoreConnect ID) -> when a run last proved that it is in Salesforce."""
    again: Mapping[str, RowEnding] = field(default_factory=dict)
    """Event -> when it was FIXED, where it has failed again since."""
    twins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Event that was left TWIN, in the list or not any more -> ids of its records."""


def standing(
    journal: Journal,
    errors: Mapping[str, SyncError],
    parents: Iterable[tuple[str, str]] = (),
    fingerprints: Callable[[SyncError], Collection[str]] | None = None,
) -> LeftByRuns:
    """What earlier runs left of these rows.

    Args:
        journal: The journal.
        errors: The rows as the org shows them now, by their events.
        parents: Records (object, StoreConnect ID) that rows wait for and that are not in the list.
        fingerprints: What the cause of a row is known by in the journal. Where it is given, a later change
            event of a record that was FIXED also counts as failing again, where it has the same cause.
    """
    twins = _twins(journal)
    unknown = History(journal).open_attempts()
    unsettled = dict.fromkeys(errors.keys() & unknown.keys(), Verdict.UNKNOWN)
    unsettled |= dict.fromkeys(errors.keys() & twins.keys(), Verdict.TWIN)
    often = journal.read(
        "SELECT event FROM intents GROUP BY event HAVING count(*) >= ?", (TRIES_WITHOUT_CHANGE,)
    )
    history = History(journal)
    tried = {
        row["event"]: count
        for row in often
        if row["event"] in errors
        and (count := history.same_message_attempts(errors[row["event"]])) >= TRIES_WITHOUT_CHANGE
    }
    landed = _landed(journal, frozenset(parents))
    return LeftByRuns(unsettled, tried, landed, _failing_again(journal, errors, fingerprints), twins)


def _twins(journal: Journal) -> dict[str, tuple[str, ...]]:
    rows = journal.read(
        "SELECT event, evidence FROM verdicts v "  # noqa: S608 - our own pieces
        f"WHERE verdict = 'TWIN' AND {LAST_VERDICT} AND {NOT_MERGED}"
    )
    return {row["event"]: _record_ids(row["evidence"]) for row in rows}


def _record_ids(evidence: str) -> tuple[str, ...]:
    try:
        return tuple(clean(record["id"]) for record in json.loads(evidence)["records"])
    except DAMAGED:
        return ()


def row_endings(journal: Journal, events: Sequence[str]) -> dict[str, RowEnding]:
    """How each of these rows ended last, where it was sent from here."""
    rows = journal.read_of(
        events,
        "SELECT v.event, v.at, v.verdict, u.os_user FROM verdicts v JOIN runs u ON u.id = v.run "  # noqa: S608
        f"WHERE v.event IN (SELECT value FROM json_each(?)) AND {LAST_VERDICT} ORDER BY v.n",
    )
    return {row["event"]: _ended(row) for row in rows}


def _failing_again(
    journal: Journal,
    errors: Mapping[str, SyncError],
    fingerprints: Callable[[SyncError], Collection[str]] | None,
) -> dict[str, RowEnding]:
    """Both times are the org's: the one at which it was asked for what was FIXED, and the row's."""
    fixed = journal.read_of(
        (error.storeconnect_id for error in errors.values() if error.storeconnect_id),
        "SELECT v.event, v.at, v.verdict, v.evidence, u.os_user, "  # noqa: S608 - our own pieces
        "r.object, r.storeconnect_id, r.fingerprint "
        "FROM rows r JOIN verdicts v ON v.event = r.event AND v.run || '' = r.run "
        "JOIN runs u ON u.id = r.run WHERE r.storeconnect_id IN (SELECT value FROM json_each(?)) "
        f"AND v.verdict = 'FIXED' AND {LAST_VERDICT} ORDER BY v.n",
    )
    records: dict[tuple[str, str], list[SyncError]] = {
        (clean(row["object"]), row["storeconnect_id"]): [] for row in fixed
    }
    for error in errors.values() if records else ():
        if (record := (error.object, error.storeconnect_id)) in records:
            records[record].append(error)
    again: dict[str, RowEnding] = {}
    for row in fixed:
        sent_at = _sent_at(row["evidence"])
        for error in records.get((clean(row["object"]), row["storeconnect_id"]), ()):
            failed = error.processed_at
            same = row["event"] == error.id or (
                fingerprints is not None and row["fingerprint"] in fingerprints(error)
            )
            if sent_at is not None and failed is not None and failed > sent_at and same:
                again[error.id] = _ended(row)
    return again


def _sent_at(evidence: str) -> datetime | None:
    try:
        return _time(json.loads(evidence)["sent_at"])
    except DAMAGED:
        return None


def _ended(row: Row) -> RowEnding:
    return RowEnding(_time(row["at"]), Verdict(row["verdict"]), clean(row["os_user"]))


def _landed(journal: Journal, records: frozenset[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    rows = journal.read_of(
        (key for _, key in records),
        "SELECT r.object, r.storeconnect_id, max(v.at) AS at FROM rows r "
        "JOIN verdicts v ON v.event = r.event AND v.run || '' = r.run "
        "WHERE r.storeconnect_id IN (SELECT value FROM json_each(?)) "
        "AND v.verdict IN (SELECT value FROM json_each(?)) "
        "AND json_extract(r.row, '$.event_type') != 'Delete' GROUP BY 1, 2",
        json.dumps([verdict.value for verdict in Verdict if verdict.proven]),
    )
    known = {(row["object"], row["storeconnect_id"]): _time(row["at"]) for row in rows}
    return {record: at for record, at in known.items() if record in records}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
