"""What a journal has lost: the request log knows requests that the database does not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from syncerr_tui.journal.database import Row, iso
from syncerr_tui.journal.request_log import LoggedRequest, RequestLog

Read = Callable[[str, Sequence[object]], Sequence[Row]]
"""Asks the database."""


def lost_requests(read: Read, log: RequestLog) -> dict[str, list[LoggedRequest]]:
    """Run -> its requests that the database does not know. A run that it does not know is named too."""
    missing = {run: _missing(read, run, requests) for run, requests in log.runs().items()}
    return {run: requests for run, requests in missing.items() if requests is not None}


def _missing(read: Read, run: str, requests: Sequence[LoggedRequest]) -> list[LoggedRequest] | None:
    """Requests of a run that the database does not know; None where it knows the run and all of them."""
    if not read("SELECT 1 FROM runs WHERE id = ?", (run,)):
        return list(requests)
    known = {
        (row["event"], row["attempt"])
        for row in read("SELECT event, attempt FROM intents WHERE run = ?", (run,))
    }
    return [line for line in requests if (line.event, line.attempt) not in known] or None


def is_settled(read: Read, line: LoggedRequest) -> bool:
    """Whether the database knows what became of a request, or of a later one for the same event."""
    at = iso(line.at)
    later = read(
        "SELECT 1 FROM verdicts v LEFT JOIN outcomes o ON o.intent = v.intent "
        "WHERE v.event = ? AND v.at >= ? AND v.verdict != 'UNKNOWN' "
        "AND COALESCE(o.kind, '') NOT IN ('not sent', 'refused') UNION ALL "
        "SELECT 1 FROM intents i LEFT JOIN outcomes o ON o.intent = i.n WHERE i.event = ? AND "
        "CASE WHEN i.run = ? AND i.attempt = ? THEN o.kind IN ('not sent', 'refused') "
        "ELSE i.at > ? AND COALESCE(o.kind, '') NOT IN ('not sent', 'refused') END LIMIT 1",
        (line.event, at, line.event, line.run, line.attempt, at),
    )
    return bool(later)


def forget_settled(read: Read, log: RequestLog, current: Collection[str]) -> None:
    """Put away the logs of runs other than the current ones in which nothing is open any more."""
    for run, requests in log.runs().items():
        if run not in current and all(is_settled(read, line) for line in requests):
            under_way = read("SELECT 1 FROM holders WHERE run = ?", (run,))
            if not under_way:
                log.forget(run)


def words(set_aside: Path | None, forgotten: int) -> str:
    """What was lost, in words for a person.

    Args:
        set_aside: Where a damaged file was moved to.
        forgotten: Rows that may be under way.
    """
    what = (
        f"The journal was damaged. It is kept as {set_aside}, and a new one has been begun"
        if set_aside
        else "The journal does not know all that was sent: it was replaced, cut short or put back"
    )
    if not forgotten:
        return what
    rows = (
        "1 row may be under way: it goes" if forgotten == 1 else f"{forgotten} rows may be under way: they go"
    )
    return f"{what}. {rows} again only with your consent"
