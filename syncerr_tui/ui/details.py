"""The text of the info panel: what is known about one sync error. Every word of the org is data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING

from syncerr_tui.diagnosis import render
from syncerr_tui.diagnosis.explanation import explain
from syncerr_tui.diagnosis.model import Diagnosis, Retry, Span
from syncerr_tui.diagnosis.text_layout import Piece, Role, TextLayout, TextLine
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.text import cells, one_line
from syncerr_tui.triage.news import RowChange
from syncerr_tui.ui.cause_graph_worker import CauseGraphWorker
from syncerr_tui.ui.cause_words import (
    cause_summary,
    headline,
    held_up,
    left_by_runs,
    left_section,
    of_a_cause,
    retried_words,
    short,
    waits_for,
)
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.error_details_service import ErrorDetailsService
from syncerr_tui.ui.error_history import ErrorHistory, memory_words
from syncerr_tui.words import age, local_minute, plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Cause
    from syncerr_tui.diagnosis.explanation import Explanation
    from syncerr_tui.journal.row_history import Memory

_HEAD_LINES = 5
"""Lines of a message that stand at the top; a longer one goes on further down."""
_TWIN_PAGES = 6
"""Addresses of records that are named for a cause; each row's panel has its own."""
_LONGEST = 140_000
"""Characters of a message that the panel lays out; Salesforce's longest fields end before that."""


def error_fields(error: SyncError, now: datetime) -> list[tuple[str, str]]:
    """The six fields of an error and its code, as Salesforce labels them."""
    when = "-"
    if error.processed_at:
        local = error.processed_at.astimezone()
        when = f"{local:%Y-%m-%d %H:%M:%S %Z} ({age(error.processed_at, now)} ago)"
    return [
        ("Object", error.object),
        ("Event Type", error.event_type.value),
        ("Processed At", when),
        ("Salesforce ID", error.salesforce_id or "- (not in Salesforce yet)"),
        ("StoreConnect ID", error.storeconnect_id or "-"),
        ("Code", error.code or "- (none given)"),
        ("Change event", error.id),
    ]


def as_text(error: SyncError, now: datetime) -> str:
    """The whole error as plain text, for the clipboard."""
    lines = [f"{label}: {value}" for label, value in error_fields(error, now)]
    return "\n".join([*lines, "Message:", error.message])


class Details:
    """Makes the panel's text for a row, at any width.

    Args:
        context: What has changed since the person looked, what people have said, and their keys.
        error_details: Reads the messages, and knows what the org and its notes say about them.
        history: What the journal remembers.
        graph_worker: What waits for what.
    """

    def __init__(
        self,
        context: AppContext,
        error_details: ErrorDetailsService,
        history: ErrorHistory,
        graph_worker: CauseGraphWorker,
    ) -> None:
        self._context = context
        self._error_details = error_details
        self._history = history
        self._graph_worker = graph_worker

    def __call__(self, error: SyncError, moment: datetime, outcome: str, width: int) -> list[TextLine]:
        """The lines for this row.

        Args:
            error: The row.
            moment: When it is looked at.
            outcome: What the last run said about it.
            width: Cells in a line.
        """
        graph, memory = self._graph_worker.graph, self._history.memory(error)
        left = self._history.unsettled.get(error.id)
        explanation = self._error_details.explain(error)
        diagnosis = explanation.diagnosis
        inferred = " (inferred from the wording)" if diagnosis.inferred else ""
        code = f"{diagnosis.root_code}{inferred}" if diagnosis.root_code else "no status code"
        page = TextLayout(width)
        for line in _packed(_head(error, code, moment), page.width):
            page.pieces(*line)
        message = TextLayout(width)
        message.pieces(("Message ", Role.MUTED), *_marked(error.message, diagnosis))
        page.add(message.lines[:_HEAD_LINES])
        page.section("News", (self._happened(error, moment), Role.TEXT))
        page.section("Notes", (" ".join(self._context.state.handlings.of(error.id).lines()), Role.TEXT))
        page.section("Last re-sync", (outcome, Role.TEXT))
        if left is not None:
            left_section(page, left, self._history.twin_pages(error))
        if memory is not None:
            page.section("Before", (memory_words(memory, moment), Role.TEXT))
        if graph is not None and left is not Verdict.TWIN:
            waits_for(page, graph, error)
        self._what_to_do(page, explanation, memory)
        if graph is not None:
            held_up(page, graph, error, self._context.key_of)
        if len(message.lines) > _HEAD_LINES:
            page.section("The whole message", *_marked(error.message, diagnosis))
        page.blank()
        page.pieces(("Change event ", Role.MUTED), (error.id, Role.TEXT))
        return page.lines

    def of_cause(self, cause: Cause, moment: datetime, width: int) -> list[TextLine]:
        """The lines for a cause: how bad it is, what happened, what to do, and why these errors are one."""
        graph, unsettled = self._graph_worker.graph, self._history.unsettled
        first = graph.errors.get(cause.roots[0]) if graph is not None else None
        if graph is None or first is None:
            return []
        memory, count, waiting = self._history.memory(first), len(cause.roots), len(cause.victims)
        waits = f", {waiting:,} more {'waits' if waiting == 1 else 'wait'}" if waiting else ", nothing waits"
        page = TextLayout(width)
        page.text(plural(count, "error") + waits, Role.HEADING)
        page.text(cause_summary(cause, self._graph_worker.known.trends.get(cause.key), moment), Role.MUTED)
        left, title = left_by_runs(graph.errors, cause, unsettled), headline(graph.errors, cause, unsettled)
        if left is not None:
            pages = (self._history.twin_pages(graph.errors[row]) for row in cause.roots if row in unsettled)
            left_section(page, left, list(islice(chain.from_iterable(pages), _TWIN_PAGES)))
        elif cause.ready:
            key = self._context.key_of("resync")
            page.section(title, (f"{key} sends them: nothing else needs doing.", Role.TEXT))
        page.section("Before", (memory_words(memory, moment) if memory is not None else "", Role.TEXT))
        if not cause.listed:
            page.heading(f"Not in this list: {cause.missing}")
            for link in graph.links_of(first.id)[:1]:
                page.text(link.sentence)
        if count > 1 and title != explain(first).headline:
            page.section("The oldest of them", (f"What follows is about {short(first)}.", Role.TEXT))
        self._what_to_do(page, self._error_details.explain(first), memory)
        of_a_cause(page, graph, cause)
        return page.lines

    def _happened(self, error: SyncError, moment: datetime) -> str:
        """What has happened to it since the person looked, or since it was fixed."""
        news, sentences = self._context.state.news, [self._history.again(error, moment)]
        if changed := news.differences(error):
            sentences.append(f"Changed since you looked: {changed}.")
        if news.marks.get(error.id) is RowChange.NEW:
            sentences.append("New since you looked.")
        return " ".join(filter(None, sentences))

    def _what_to_do(self, page: TextLayout, explanation: Explanation, memory: Memory | None) -> None:
        advice = _advice(explanation, memory)
        page.blank()
        page.add(render.explanation_lines(explanation, page.width, advice=advice))
        trouble = self._error_details.notes_trouble
        if trouble is not None:
            page.section("Your org's notes cannot be read", (trouble.line, Role.TEXT))


def _advice(explanation: Explanation, memory: Memory | None) -> str:
    """What to say about another try; empty where the guidance says it."""
    from syncerr_tui.journal.history import TRIES_WITHOUT_CHANGE

    tried = memory.unchanged if memory is not None else 0
    if explanation.retry is not Retry.JUST_RETRY or tried < TRIES_WITHOUT_CHANGE:
        return ""
    return retried_words(tried)


def _head(error: SyncError, code: str, moment: datetime) -> list[list[Piece]]:
    """What Salesforce's own list shows of an error, label and value, the message apart."""
    when = "-"
    if error.processed_at:
        when = f"{local_minute(error.processed_at)} ({age(error.processed_at, moment)})"
    fields = [
        ("Processed At ", when),
        ("Salesforce ID ", error.salesforce_id or "- (none yet)"),
        ("StoreConnect ID ", error.storeconnect_id or "-"),
    ]
    heading: list[list[Piece]] = [
        [(f"{error.object} {error.event_type.value}", Role.HEADING)],
        [(code, Role.NAME)],
    ]
    return heading + [[(label, Role.MUTED), (one_line(value), Role.TEXT)] for label, value in fields]


def _packed(items: Iterable[list[Piece]], width: int) -> Iterator[list[Piece]]:
    """The items side by side in as few lines as they take; a line holds one at least."""
    line: list[Piece] = []
    for item in items:
        if line and sum(cells(text) for text, _ in (*line, *item)) + 2 > width:
            yield line
            line = []
        line += [("  ", Role.TEXT), *item] if line else item
    yield line


def _marked(message: str, diagnosis: Diagnosis) -> Iterator[Piece]:
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
        yield f"\n({plural(len(message) - end, 'more character')}: Y copies all of it)", Role.MUTED


def _place(span: Span) -> tuple[int, int]:
    return (span.start, -span.end)
