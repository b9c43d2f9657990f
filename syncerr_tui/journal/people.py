"""The people who share a journal: who is on and works at what, and what they say about errors and causes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncerr_tui.journal.journal import Journal
from syncerr_tui.text import one_line
from syncerr_tui.triage.handling import HandlingKind, HandlingLine
from syncerr_tui.words import iso, plural

LOOKS = "has the list open"
"""What somebody works at who only looks."""
_GONE = timedelta(minutes=2)
"""After so much silence somebody who only looks is not there any more."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who is on, in one process."""

    user: str
    host: str
    pid: int
    doing: str
    """In words: `re-syncs 40 rows`, `has the list open`."""
    run: str | None
    """The run that they are at."""
    since: datetime
    """When that run began; of others, when they were last heard of."""

    @property
    def words(self) -> str:
        """`priya on ops-2 re-syncs 40 rows`."""
        return one_line(f"{self.user} on {self.host or 'another machine'} {self.doing}")


def others_present(journal: Journal) -> tuple[Presence, ...]:
    """Everybody who is on but this process, those who re-sync first."""
    rows = journal.read(
        "SELECT o.*, u.id AS run, u.at AS since, (SELECT count(*) FROM rows r WHERE r.run = u.id) AS planned "
        "FROM owners o LEFT JOIN holders h ON h.owner = o.id LEFT JOIN runs u ON u.id = h.run "
        "WHERE u.id IS NOT NULL OR (o.doing != '' AND o.heartbeat >= ?) ORDER BY u.at DESC, o.heartbeat DESC",
        (iso(journal.now() - _GONE),),
    )
    others = [
        Presence(
            user=row["user"],
            host=row["host"],
            pid=row["pid"],
            doing=f"re-syncs {plural(row['planned'], 'row')}" if row["run"] else row["doing"],
            run=row["run"],
            since=datetime.fromisoformat(row["since"] or row["heartbeat"]),
        )
        for row in rows
        if journal.claims.runs_elsewhere(row)
    ]
    return tuple(sorted(others, key=lambda one: one.run is None))


def presence_words(people: Sequence[Presence]) -> str:
    """`Also on: priya on ops-2 re-syncs 40 rows; ben on ops-3 has the list open`; empty where nobody is."""
    if not people:
        return ""
    shown = list(dict.fromkeys(one.words for one in people))
    more = f"; {len(shown) - 3} more" if len(shown) > 3 else ""
    return f"Also on: {'; '.join(shown[:3])}{more}"


_LONGEST = 4000
"""Characters of a note."""


def say_about(
    journal: Journal,
    targets: Iterable[str],
    kind: HandlingKind,
    *,
    by: str,
    value: str = "",
    text: str = "",
) -> None:
    """Write down one thing about each of these change events and causes, all or none.

    Raises:
        MachineError: It cannot be written.
    """
    at = iso(journal.now())
    line = "INSERT INTO handling (at, os_user, target, kind, value, text) VALUES (?,?,?,?,?,?)"
    note = one_line(text)[:_LONGEST]
    journal.write(*((line, (at, by, target, kind.value, one_line(value), note)) for target in targets))


def handling_lines(journal: Journal) -> tuple[HandlingLine, ...]:
    """Everything that was said, oldest first. A kind that a newer version writes is passed over."""
    known = {kind.value for kind in HandlingKind}
    return tuple(
        HandlingLine(
            datetime.fromisoformat(row["at"]),
            one_line(row["os_user"]),
            row["target"],
            HandlingKind(row["kind"]),
            row["value"],
            row["text"],
        )
        for row in journal.read("SELECT * FROM handling ORDER BY n")
        if row["kind"] in known
    )
