"""The text of the info panel: what is known about one sync error. Every word of the org is data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from syncerr_tui.diagnosis import render
from syncerr_tui.diagnosis.model import Diagnosis, Span
from syncerr_tui.diagnosis.render import Line, Part, Role
from syncerr_tui.model import SyncError
from syncerr_tui.ui.explaining import Explained, Explaining
from syncerr_tui.ui.widgets.columns import Moment
from syncerr_tui.ui.words import age

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph

_LABEL = 16
_LONGEST = 140_000
"""Characters of a message that the panel lays out; Salesforce's longest fields end before that."""


def fields(error: SyncError, now: datetime, zone: tzinfo | None) -> list[tuple[str, str]]:
    """The six fields of an error and its code, as Salesforce labels them."""
    when = "-"
    if error.processed_at:
        local = error.processed_at.astimezone(zone)
        when = f"{local:%Y-%m-%d %H:%M:%S} ({age(error.processed_at, now)} ago)"
    return [
        ("Object", error.object),
        ("Event Type", error.event_type.value),
        ("Processed At", when),
        ("Salesforce ID", error.salesforce_id or "- (not in Salesforce yet)"),
        ("StoreConnect ID", error.storeconnect_id or "-"),
        ("Code", error.code or "- (none given)"),
        ("Change event", error.id),
    ]


def as_text(error: SyncError, now: datetime, zone: tzinfo | None) -> str:
    """The whole error as plain text, for the clipboard."""
    lines = [f"{label}: {value}" for label, value in fields(error, now, zone)]
    return "\n".join([*lines, "Message:", error.message])


class Details:
    """Makes the panel's text for a row, at any width.

    Args:
        explaining: Reads the messages, and knows what the org and the house say about them.
    """

    def __init__(self, explaining: Explaining) -> None:
        self._explaining = explaining

    def __call__(
        self,
        error: SyncError,
        moment: Moment,
        outcome: str,
        width: int,
        graph: CauseGraph | None = None,
        before: str = "",
    ) -> list[Line]:
        """The lines for this row.

        Args:
            error: The row.
            moment: When it is looked at.
            outcome: What the last run said about it; empty where it said nothing.
            width: Cells in a line.
            graph: What waits for what, once that is known.
            before: What the journal remembers about it.
        """
        from syncerr_tui.ui.cause_words import held_up, waits_for

        explained = self._explaining.explain(error)
        diagnosis = explained.diagnosis
        inferred = " (read off the wording)" if diagnosis.inferred else ""
        code = f"{diagnosis.root_code}{inferred}" if diagnosis.root_code else "no status code"
        return [
            *_wrapped(((f"{error.object} {error.event_type.value}", Role.HEADING),), width),
            *_wrapped(((code, Role.NAME),), width),
            *_section("Last re-sync", ((outcome, Role.TEXT),) if outcome else (), width),
            *_section("Before", ((before, Role.TEXT),) if before else (), width),
            *(waits_for(graph, error, width) if graph is not None else ()),
            Line(),
            *_guidance(explained, width),
            *_notes_trouble(self._explaining, width),
            *(held_up(graph, error, width) if graph is not None else ()),
            *_section("Message", _marked(error.message, diagnosis), width),
            *_section("Fields", (), width),
            *_fields(fields(error, moment.now, moment.zone), width),
        ]

    def guidance(self, error: SyncError, width: int) -> list[Line]:
        """What to do about an error, without what it says itself: for the cause it stands for."""
        return [
            *_guidance(self._explaining.explain(error), width),
            *_notes_trouble(self._explaining, width),
        ]


def _guidance(explained: Explained, width: int) -> list[Line]:
    return render.lines(explained.guidance, width, diagnosis=explained.diagnosis, changes=explained.changes)


def _notes_trouble(explaining: Explaining, width: int) -> Iterator[Line]:
    trouble = explaining.notes_trouble
    if trouble is not None:
        yield from _section("House notes cannot be read", ((trouble.line, Role.TEXT),), width)


def _section(heading: str, parts: Iterable[Part], width: int) -> Iterator[Line]:
    parts = tuple(parts)
    if parts or heading == "Fields":
        yield Line()
        yield Line(((heading, Role.HEADING),))
    if parts:
        yield from _wrapped(parts, width)


def _fields(told: Iterable[tuple[str, str]], width: int) -> Iterator[Line]:
    for label, value in told:
        if width >= 2 * _LABEL + 18:
            lead = f"{label:<{_LABEL}}"
            yield from (
                Line(parts)
                for parts in render.wrap(((value, Role.TEXT),), width, first=lead, rest=" " * _LABEL)
            )
        else:
            yield Line(((label, Role.MUTED),))
            yield from (
                Line(parts) for parts in render.wrap(((value, Role.TEXT),), width, first="  ", rest="  ")
            )


def _wrapped(parts: Iterable[Part], width: int) -> Iterator[Line]:
    return map(Line, render.wrap(parts, width))


def _marked(message: str, diagnosis: Diagnosis) -> Iterator[Part]:
    """The message with what was found in it told apart."""
    at, end = 0, min(len(message), _LONGEST)
    for span in sorted(diagnosis.spans, key=_place):
        if span.start < at or span.end > end:
            continue
        yield message[at : span.start], Role.TEXT
        yield message[span.start : span.end], Role.FOUND
        at = span.end
    yield message[at:end], Role.TEXT
    if end < len(message):
        yield f"\n({len(message) - end:,} more characters: Y copies all of it)", Role.MUTED


def _place(span: Span) -> tuple[int, int]:
    return (span.start, -span.end)
