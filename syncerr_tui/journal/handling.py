"""Where the journal keeps what people say about errors and causes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from syncerr_tui.journal.database import iso
from syncerr_tui.journal.journal import Journal
from syncerr_tui.text import one_line
from syncerr_tui.triage.handling import HandlingKind, HandlingLine

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


def all_said(journal: Journal) -> tuple[HandlingLine, ...]:
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
