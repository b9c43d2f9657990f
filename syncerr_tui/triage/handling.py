"""What people have said about errors: notes, who works on it, a support ticket, snoozed until when. Pure.

A line is about one change event, or about a cause by its key; what is said about a cause holds for all of its
errors, those of tomorrow included. Lines are never changed: the last one of a kind counts, notes add up.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from syncerr_tui.errors import BadInputError
from syncerr_tui.text import one_line
from syncerr_tui.words import span_of

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph

_MORE = re.compile(r"\+(\d{1,6})\Z")
PARENT = "parent"
NOBODY = "none"


class HandlingKind(StrEnum):
    NOTE = "note"
    SUPPORT = "support"
    """`value` is the ticket; empty: not with support any more."""
    ASSIGN = "assign"
    """`value` is who works on it; empty: nobody."""
    SNOOZE = "snooze"
    """`value` is a moment, `+N:held`, or `parent`; empty: awake."""
    MERGED = "merged"
    """A person says that the two records of a TWIN are one now."""


@dataclass(frozen=True, slots=True)
class HandlingLine:
    """One thing that somebody said."""

    at: datetime
    by: str
    target: str
    """Id of a change event, or the key of a cause."""
    kind: HandlingKind
    value: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Until when something is to be left alone; with nothing named, until what it waits for is fixed."""

    by: str
    until: datetime | None = None
    more: int | None = None
    """It wakes once the cause holds so many errors."""

    @classmethod
    def of(cls, line: HandlingLine) -> Self | None:
        """From a line; None where it wakes somebody up, or says nothing that can be read."""
        count, _, held = line.value.removeprefix("+").partition(":")
        if line.value.startswith("+") and count.isdecimal() and held.isdecimal():
            return cls(line.by, more=int(count) + int(held))
        if line.value == PARENT:
            return cls(line.by)
        try:
            until = datetime.fromisoformat(line.value)
        except ValueError:
            return None
        return cls(line.by, until) if until.tzinfo else None

    def words(self) -> str:
        """`until 28 Nov 06:00 by ana`."""
        if self.until is not None:
            local = self.until.astimezone()
            when = f"until {local.day} {local:%b %H:%M}"
        elif self.more is not None:
            when = f"until there are {self.more:,} of them"
        else:
            when = "until its parent is fixed"
        return one_line(f"{when} by {self.by}")


@dataclass(frozen=True, slots=True)
class Handled:
    """What is known of one error, or of one cause."""

    notes: tuple[HandlingLine, ...] = ()
    """Oldest first."""
    ticket: str = ""
    assignee: str = ""
    snooze: Snooze | None = None
    """Where it sleeps now."""
    merged: datetime | None = None
    """When a person said that its two records are one."""

    def payload(self) -> dict[str, object]:
        """The keys that `list --json` adds for a row about which something was said."""
        return {
            "notes": [{"at": n.at.isoformat(), "by": n.by, "text": n.text} for n in self.notes],
            "ticket": self.ticket or None,
            "assigned": self.assignee or None,
            "snoozed": self.snooze.words() if self.snooze else None,
        }

    def lines(self) -> tuple[str, ...]:
        """For a panel, most urgent first."""
        lines = []
        if self.snooze is not None:
            lines.append(f"Snoozed {self.snooze.words()}.")
        if self.assignee:
            lines.append(f"Assigned to {one_line(self.assignee)}.")
        if self.ticket:
            lines.append(f"With support: {one_line(self.ticket)}.")
        for note in self.notes:
            local = note.at.astimezone()
            lines.append(f"{local.day} {local:%b %H:%M} {one_line(note.by)}: {one_line(note.text)}")
        return tuple(lines)

    @property
    def mark(self) -> str:
        """For a column of seven letters."""
        if self.snooze is not None:
            return "SNOOZED"
        return "SUPPORT" if self.ticket else "TAKEN" if self.assignee else "NOTE" if self.notes else ""

    def __or__(self, other: Handled) -> Handled:
        """With what is said about the cause: what is said about the row itself counts first."""
        return Handled(
            tuple(sorted((*self.notes, *other.notes), key=lambda note: note.at)),
            self.ticket or other.ticket,
            self.assignee or other.assignee,
            self.snooze or other.snooze,
            self.merged or other.merged,
        )


NOTHING_SAID = Handled()


@dataclass(frozen=True, slots=True)
class Handlings:
    """All that was said about a list, as it holds now."""

    rows: Mapping[str, Handled] = field(default_factory=dict)
    """Change event -> what is known of it, where anything is."""

    def of(self, row: str) -> Handled:
        return self.rows.get(row, NOTHING_SAID)

    def over(self, now: datetime) -> bool:
        """Whether a snooze has come to its time since."""
        ends = (one.snooze.until for one in self.rows.values() if one.snooze is not None)
        return any(until is not None and until <= now for until in ends)

    @property
    def asleep(self) -> frozenset[str]:
        return frozenset(row for row, handled in self.rows.items() if handled.snooze is not None)


def handlings(graph: CauseGraph, lines: Iterable[HandlingLine], now: datetime) -> Handlings:
    """What holds now of what was said. A snooze that is over is left out: it wakes by itself."""
    by_target: defaultdict[str, list[HandlingLine]] = defaultdict(list)
    lines = tuple(lines)
    # What was said of a cause holds, whatever it is known by now.
    keys_now = {target: graph.key_now(target) for target in {line.target for line in lines}}
    for line in lines:
        by_target[keys_now[line.target]].append(line)
    rows: dict[str, Handled] = {}
    for target, lines_of in by_target.items():
        members = graph.of_cause(target) if target not in graph.errors else {target}
        handling = _last_of_each(lines_of)
        for row in members or ():
            cause = graph.cause_of(row)
            held = len(cause.roots) + len(cause.victims) if cause else 0
            waits = waits_for_parent(graph, [row])
            sleeps = handling.snooze is not None and _sleeps(handling.snooze, now, held, waits=waits)
            own, other = handling if sleeps else replace(handling, snooze=None), rows.get(row, NOTHING_SAID)
            rows[row] = own | other if target in graph.errors else other | own
    return Handlings({row: one for row, one in rows.items() if one != NOTHING_SAID})


def _last_of_each(lines: Iterable[HandlingLine]) -> Handled:
    last = {line.kind: line for line in lines}

    def value(kind: HandlingKind) -> str:
        return last[kind].value if kind in last else ""

    notes = tuple(line for line in lines if line.text)
    snoozed, merged = last.get(HandlingKind.SNOOZE), last.get(HandlingKind.MERGED)
    return Handled(
        notes,
        value(HandlingKind.SUPPORT),
        value(HandlingKind.ASSIGN),
        Snooze.of(snoozed) if snoozed else None,
        merged.at if merged else None,
    )


def _sleeps(snooze: Snooze, now: datetime, held: int, *, waits: bool) -> bool:
    if snooze.until is not None:
        return now < snooze.until
    if snooze.more is not None:
        return held < snooze.more
    return waits


def line_value(kind: HandlingKind, text: str, *, now: datetime, held: int, waits: bool, me: str) -> str:
    """What a line holds for what a person wrote: `none` takes it back, and `me` is whoever writes.

    Args:
        kind: What is said.
        text: What was written.
        now: This machine's time.
        held: How many errors the cause holds now.
        waits: Whether something of it waits for its parent.
        me: Who writes.

    Raises:
        BadInputError: It is no end of a snooze.
    """
    if kind is HandlingKind.SNOOZE and text:
        return snooze_value(text, now, held, waits=waits)
    if kind is HandlingKind.ASSIGN and text == "me":
        return me
    return "" if text == NOBODY else text


def waits_for_parent(graph: CauseGraph, rows: Iterable[str]) -> bool:
    """Whether one of these errors waits for another one."""
    return any(link.cause for row in rows for link in graph.links_of(row))


def snooze_value(text: str, now: datetime, held: int, *, waits: bool) -> str:
    """What a line holds for a snooze as a person writes it: `8h`, `2026-11-30T06:00`, `+5`, `parent`.

    Args:
        text: What was written.
        now: This machine's time.
        held: How many errors the cause holds now.
        waits: Whether something of it waits for its parent.

    Raises:
        BadInputError: It is none of these, or over already.
    """
    if text == PARENT:
        if not waits:
            raise BadInputError("It waits for no parent: nothing was snoozed", "Write 8h, 2d or a later time")
        return PARENT
    if match := _MORE.match(text):
        return f"+{match[1]}:{held}"
    until: datetime | None
    try:
        span = span_of(text)
        until = now + span if span is not None else datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        until = None
    if until is None or until <= now:
        raise BadInputError(
            f"It cannot be snoozed until '{one_line(text)[:40]}'",
            "Write 8h or 2d, a future time such as 2026-11-30T06:00, +5 for five more of them, or parent",
        )
    return until.isoformat()
