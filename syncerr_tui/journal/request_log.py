"""What was sent, written down once more outside the database: so that a loss of a journal is noticed.

A journal that is truncated, set aside, put back from a backup or robbed of its write-ahead log would pass for
one that never sent anything. One small file for each run lies in another folder (beside a shared journal) and
names every request; `Journal.open` holds it against the database. It grows by one line for each row and goes
when every row in it is settled. What it cannot notice: both places gone, or put back together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from syncerr_tui.errors import DAMAGED
from syncerr_tui.journal.database import Row
from syncerr_tui.words import iso

_MOST_BYTES = 64 * 2**20
"""A larger file is not ours; a run of 100,000 rows writes about 15 MB."""


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One row of one request."""

    run: str
    event: str
    attempt: int
    at: datetime
    """This machine's clock."""
    org_at: datetime
    stamp: datetime | None
    processed_at: datetime | None


class RequestLog:
    """The files of one journal.

    Args:
        folder: Where they lie.
        name: What their names begin with.
        mode: Of the files: 0o600, or 0o660 where a group shares the journal.
    """

    def __init__(self, folder: Path, name: str, mode: int) -> None:
        self._folder = folder
        self._name = name
        self._mode = mode
        self._unsynced: set[str] = set()

    def add(self, run: str, lines: str) -> None:
        """Write down that rows of a run are about to be sent (`log_line`): it outlives this program from now
        on, and a loss of power after `sync`.

        Raises:
            OSError: It cannot be written.
        """
        left = lines.encode()
        file = self._open(run)
        try:
            while left:
                left = left[os.write(file, left) :]
        finally:
            os.close(file)
        self._unsynced.add(run)

    def sync(self) -> None:
        """Wait until all that was added is on disk.

        Raises:
            OSError: The disk does not take it.
        """
        while self._unsynced:
            file = os.open(self._path(self._unsynced.pop()), os.O_WRONLY)
            try:
                os.fsync(file)
            finally:
                os.close(file)

    def _open(self, run: str) -> int:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self._path(run), os.O_CREAT | os.O_APPEND | os.O_WRONLY, self._mode)
        if os.fstat(file).st_uid == _user() and os.name == "posix":
            if self._mode & 0o060:  # whoever goes on with this run writes on in its file
                with suppress(OSError):
                    os.fchown(file, -1, self._folder.stat().st_gid)
            os.fchmod(file, self._mode)
        return file

    def runs(self) -> dict[str, tuple[LoggedRequest, ...]]:
        """Run -> its requests, for every file there is. What cannot be read is left out."""
        runs = {}
        prefix = f"{self._name}."
        try:
            names = sorted(path.name for path in self._folder.iterdir() if path.name.startswith(prefix))
        except OSError:
            return {}
        for name in names:
            run = name.removeprefix(prefix)
            if run.isalnum():
                runs[run] = tuple(self._read(run))
        return runs

    def forget(self, run: str) -> None:
        """Every row of this run is settled. A file that cannot be removed is met again at the next run."""
        with suppress(OSError):
            self._path(run).unlink()

    def _path(self, run: str) -> Path:
        return self._folder / f"{self._name}.{run}"

    def _read(self, run: str) -> Iterator[LoggedRequest]:
        path = self._path(run)
        try:
            if not path.is_file() or path.stat().st_size > _MOST_BYTES:
                return
            lines = path.read_bytes().splitlines()
        except OSError:
            return
        for line in lines:
            try:
                yield _request(run, json.loads(line))
            except DAMAGED:
                continue  # half a line: the machine went down while it was written


def log_line(
    event: str, attempt: int, at: str, org_at: str, stamp: str | None, processed_at: str | None
) -> str:
    """JSON of a `LoggedRequest`, spelt by hand because a request waits for it. Times are spelt by `iso`."""
    return (
        f'{{"event": {json.dumps(event)}, "attempt": {attempt}, "at": "{at}", "org_at": "{org_at}", '
        f'"stamp": {_quoted(stamp)}, "processed_at": {_quoted(processed_at)}}}\n'
    )


def _quoted(time: str | None) -> str:
    return f'"{time}"' if time else "null"


def _request(run: str, line: dict[str, Any]) -> LoggedRequest:
    return LoggedRequest(
        run=run,
        event=str(line["event"]),
        attempt=int(line["attempt"]),
        at=_moment(line["at"]),
        org_at=_moment(line["org_at"]),
        stamp=_moment(line["stamp"]) if line["stamp"] else None,
        processed_at=_moment(line["processed_at"]) if line["processed_at"] else None,
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else -1


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


def loss_words(set_aside: Path | None, forgotten: int) -> str:
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
