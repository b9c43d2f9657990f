"""What the Journal says: its columns, and the text about a run or a row. Pure; the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.journal.history import ENDINGS, Mark, RunRecord
from syncerr_tui.journal.row_history import HistoryEntry, evidence_words, found_words
from syncerr_tui.model import Verdict
from syncerr_tui.text import one_line
from syncerr_tui.triage.columns import Column
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import ago, clock_time, local_second, naming, plural, sentence

NOT_SENT = "not sent"
RUNS = (
    Column("when", "When", (12,)),
    Column("by", "By", (8,)),
    Column("state", "State", (11,)),
    Column("rows", "Rows", (5,), number=True),
    Column("fixed", "Fixed", (5,), number=True),
    Column("gone", "Gone", (4,), number=True),
    Column("fail", "Fail", (5,), number=True),
    Column("unkn", "Unkn", (5,), number=True),
    Column("unsent", "Unsent", (6,), number=True),
    Column("method", "Method", (8,), since=100),
    Column("why", "Why", (6,), since=78),
)
ROWS = (
    Column("outcome", "Outcome", (13,)),
    Column("object", "Object", (14,)),
    Column("event", "Event", (6,), since=66),
    Column("code", "Code", (18,)),
    Column("storeconnect_id", "StoreConnect ID", (36,), since=150),
    Column("what_was_found", "What was found", (8,)),
)
_COUNTED: Mapping[str, tuple[Verdict, ...]] = {
    column: tuple(verdict for verdict in Verdict if verdict.column == column)
    for column in ("fixed", "gone", "fail", "unkn", "unsent")
}
"""What a run's counts count; with `unsent` also the rows that were not sent, so that they add up."""
_MARKS = {
    "paused": "Paused",
    "resumed": "Resumed",
    "brake": "Halted",
    "adopted": "Continued",
    "finished": "Finished",
    "cancelled": "Stopped by hand",
    "braked": "Stopped by itself",
    "stopped": "Cut short",
    "dropped": "Dropped",
}
_LABEL = 17


def when(at: datetime, now: datetime) -> str:
    """A day and a time in 12 cells: `23 Nov 02:14`; the year where it is another one."""
    local, now = at.astimezone(), now.astimezone()
    return f"{local.day:>2} {local:%b %H:%M}" if local.year == now.year else f"{local.day:>2} {local:%b %Y}"


def state(run: RunRecord, ours: bool) -> tuple[str, str]:
    """The state of a run in a word, and how that looks."""
    if run.alive:
        return ("running" if ours else "elsewhere"), "busy"
    if run.how is None:
        return "interrupted", "bad"
    if run.verdicts.get(Verdict.TWIN.value):
        return f"TWIN ({run.verdicts[Verdict.TWIN.value]:,})", "bad"
    return ENDINGS[run.how], ("text" if run.how == "finished" else "bad")


def _look(verdict: Verdict) -> str:
    return "good" if verdict.proven else "bad"


def _count(run: RunRecord, column: str) -> Part:
    verdicts = _COUNTED[column]
    count, look = sum(run.verdicts.get(verdict.value, 0) for verdict in verdicts), _look(verdicts[0])
    if column == "unsent":
        count, look = count + run.verdicts.get(NOT_SENT, 0), "quiet"
    return f"{count:,}" if count else "", look


def run_cells(run: RunRecord, now: datetime, *, ours: bool) -> tuple[Part, ...]:
    """A run as cells of `RUNS`."""
    return (
        (when(run.started_at, now), "text"),
        (run.os_user, "text"),
        state(run, ours),
        (f"{run.planned:,}", "text"),
        *(_count(run, column) for column in _COUNTED),
        (run.method, "quiet"),
        (one_line(run.reason), "quiet"),
    )


def _told(row: Attempt, names: Mapping[str, str]) -> str:
    """What was found, in which the event that it names has the name of its record."""
    words = found_words(row.verdict, row.reason, row.evidence)
    return naming(words, row.cause, lambda event: names.get(event, event))


def row_cells(row: Attempt, names: Mapping[str, str]) -> tuple[Part, ...]:
    """A row of a run as cells of `ROWS`.

    Args:
        row: The row.
        names: Events of the run -> what a person calls them.
    """
    word, look = row_outcome(row)
    outcome = (
        _told(row, names)
        or row.answer
        or ("shown; nobody said that it was pressed" if row.unticked else "")
        or ("sent; nothing is known yet" if row.intent else "")
    )
    return (
        (word, look),
        (row.error.object, "text"),
        (row.error.event_type.value, "text"),
        (row.error.code or "-", "code"),
        (row.error.storeconnect_id or "-", "quiet"),
        (one_line(outcome), "quiet"),
    )


def row_outcome(row: Attempt) -> tuple[str, str]:
    """How a row ended, in at most 13 letters, and how that looks."""
    if row.verdict is not None:
        return (
            "ELSEWHERE" if row.verdict is Verdict.ELSEWHERE else row.verdict.value,
            _look(row.verdict),
        )
    if row.ended:
        return NOT_SENT, "quiet"
    if row.unticked:
        return "not ticked", "bad"
    return ("no answer yet", "bad") if row.unknown else ("not sent yet", "quiet")


def verdict_counts(run: RunRecord) -> str:
    """`4 fixed, 1 still failing, 1 not sent`."""
    numbers = [(run.verdicts.get(verdict.value, 0), verdict.phrase) for verdict in Verdict]
    numbers.append((run.verdicts.get(NOT_SENT, 0), "not sent"))
    counts = [f"{count:,} {phrase}" for count, phrase in numbers if count]
    return ", ".join(counts) or "nothing is decided yet"


def who(run: RunRecord) -> str:
    return f"{run.os_user} on {run.host or 'an unnamed machine'}, in the org {run.org_user}"


def run_lines(
    run: RunRecord, marks: Sequence[Mark], now: datetime, width: int, *, ours: bool
) -> list[TextLine]:
    word, _ = state(run, ours)
    page = TextLayout(width)
    page.heading(f"Run {run.id[:8]}")
    page.text(f"{plural(run.planned, 'row')}: {verdict_counts(run)}")
    page.text(
        {"elsewhere": "Under way in another terminal", "running": "Under way here"}.get(word, word), Role.NAME
    )
    page.blank()
    page.field("When", f"{local_second(run.started_at)} ({ago(run.started_at, now)})", _LABEL)
    page.field("Who", who(run), _LABEL)
    page.field("Method", run.method, _LABEL)
    page.field("Why", run.reason or "- (no reason was given)", _LABEL)
    if marks:
        page.heading("What happened to it")
    for mark in marks:
        text = f"{_MARKS.get(mark.mark, mark.mark)}{f': {mark.detail}' if mark.detail else ''}"
        page.field(clock_time(mark.at, now), text, _LABEL)
    return page.lines


def row_lines(
    row: Attempt, happened: Sequence[HistoryEntry], names: Mapping[str, str], now: datetime, width: int
) -> list[TextLine]:
    """How a row ended and why, and all that ever happened to it."""
    word, _ = row_outcome(row)
    evidence = evidence_words(row.evidence)
    story = found_words(row.verdict, row.reason, row.evidence)
    page = TextLayout(width)
    page.text(word, Role.NAME)
    page.text(sentence(_told(row, names)))
    if story != row.reason:
        page.blank()
        page.field("In full", row.reason, _LABEL)
    if evidence:
        page.heading("Evidence")
    for label, value in evidence:
        page.field(label, _local(value), _LABEL)
    if happened:
        page.heading("Everything that happened to it")
    for one in happened:
        words = naming(one.words, one.cause, lambda event: names.get(event, event))
        line = f"{one.what}{' ' if one.what == 'sent' else ': '}{words}" if words else one.what
        by = f" (by {one.by})" if one.what in {"sent", "pressed", "not pressed"} else ""
        page.field(clock_time(one.at, now), line + by, _LABEL)
    page.heading("The error as it was then")
    page.blank()
    return page.lines


def _local(value: str) -> str:
    """A value of the evidence; its times in the zone that all others are shown in."""
    words = value.split(" ")
    return " ".join(local_second(at) if (at := _moment(word)) is not None else word for word in words)


def _moment(word: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(word)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
