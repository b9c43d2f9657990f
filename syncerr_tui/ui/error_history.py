"""What the journal remembers about an error, for the info panel: asked for when a person rests on a row.

One question at a time; who has moved on before it is asked is not asked about. Answers are kept until the
next run changes them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from textual.message import Message

from syncerr_tui.diagnosis import links
from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.text import one_line
from syncerr_tui.triage.handling import handlings
from syncerr_tui.ui.cause_graph_worker import CauseGraphWorker
from syncerr_tui.ui.error_details_service import KnownBetter
from syncerr_tui.ui.messages import BackgroundContext, Service
from syncerr_tui.words import clock_time, plural

if TYPE_CHECKING:
    from datetime import datetime

    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.journal.row_history import LeftByRuns, Memory


class LeftByRunsKnown(Message):
    """What earlier runs left of the rows in the list is known anew, and what people have said about them."""


class ErrorHistory(Service):
    def __init__(self, background: BackgroundContext) -> None:
        super().__init__(background)
        self._known: dict[SyncError, Memory] = {}
        self._left: LeftByRuns | None = None
        self._pending: SyncError | None = None
        self._asking = False

    async def look(self, graph_worker: CauseGraphWorker) -> None:
        """Ask what earlier runs left of the rows in the list, and what they proved that rows wait for."""
        from syncerr_tui.journal.people import handling_lines
        from syncerr_tui.journal.row_history import standing
        from syncerr_tui.resync.proof import cause_keys

        connection = self._context.connection
        if connection is None:
            return
        errors = self._context.state.listing.errors
        try:
            waiting = await graph_worker.lend(_waiting_for_records)
            remembered, lines = await self._journals.ask(
                connection.identity.org_id,
                lambda journal: (standing(journal, errors, waiting, cause_keys), handling_lines(journal)),
            )
            handled = await graph_worker.lend(lambda graph: handlings(graph, lines, self._context.clock()))
        except SyncErrError:
            # A journal that cannot be read says so in the Journal, and before anything is sent.
            return
        landed = [
            record
            for record, at in remembered.landed.items()
            if (failed := waiting[record]) is None or at > failed
        ]
        if landed:
            graph_worker.landed(landed)
        self._left = remembered
        state = self._context.state
        self._context.state = replace(state, handlings=handled, twins=len(remembered.twins))
        self._post(LeftByRunsKnown())

    def recall(self, error: SyncError | None) -> None:
        """A person looks at this error, or at none."""
        self._pending = error
        if error is None or error in self._known or self._asking or self._context.connection is None:
            return
        self._asking = True
        self._work(self._ask(), "explaining")

    def forget(self) -> None:
        """A run has written more: what is looked at now is asked for anew."""
        self._known.clear()
        self.recall(self._pending)

    async def _ask(self) -> None:
        try:
            while (error := self._pending) is not None and error not in self._known:
                connection = self._context.connection
                if connection is None:
                    return
                self._known[error] = await self._journals.ask(connection.identity.org_id, _about(error))
                self._post(KnownBetter(error))
        except SyncErrError:
            # A journal that cannot be read says so in the Journal, and before anything is sent.
            return
        finally:
            self._asking = False

    def again(self, error: SyncError, moment: datetime) -> str:
        """`Fixed at 11:51 by root, failing again since 12:03.` Empty where it was not."""
        ended = self._left.again.get(error.id) if self._left is not None else None
        if ended is None or error.processed_at is None:
            return ""
        fixed, failed = (clock_time(at, moment)[:-3] for at in (ended.at, error.processed_at))
        return f"Fixed at {fixed} by {one_line(ended.by)}, failing again since {failed}."

    @property
    def unsettled(self) -> Mapping[str, Verdict]:
        """Rows that earlier runs left TWIN or UNKNOWN."""
        return self._left.unsettled if self._left is not None else {}

    @property
    def tried(self) -> Mapping[str, int]:
        """Row -> how often it was sent with the message that it has now, where that is often."""
        return self._left.tried if self._left is not None else {}

    @property
    def failing_again(self) -> Collection[str]:
        """Rows that were FIXED once and fail again."""
        return self._left.again.keys() if self._left is not None else ()

    def twin_pages(self, error: SyncError) -> tuple[tuple[str, str], ...]:
        """The records of a TWIN: (id, address of its page). Empty where it is none."""
        if self._left is None or self._context.connection is None:
            return ()
        url = self._context.connection.identity.instance_url
        return links.record_pages(self._left.twins.get(error.id, ()), str(error.object), url)

    def memory(self, error: SyncError) -> Memory | None:
        """What is remembered; None where it is not known yet."""
        return self._known.get(error)


def memory_words(memory: Memory, moment: datetime) -> str:
    """`Seen in 4 re-syncs (6 rows), last fixed on 3 June by ana (after the flow was repaired).`"""
    sentences: list[str] = []
    cause = memory.cause
    if cause.rows:
        history = f"Its cause was seen in {plural(cause.runs, 're-sync')} ({plural(cause.rows, 'row')})"
        if cause.last_fixed_at is None:
            sentences.append(f"{history} and was never fixed by one so far.")
        else:
            local = cause.last_fixed_at.astimezone()
            why = f" ({one_line(cause.last_reason)})" if cause.last_reason else ""
            year = f" {local.year}" if local.year != moment.astimezone().year else ""
            sentences.append(
                f"{history}, last fixed on {local.day} {local:%B}{year} by {cause.last_fixed_by}{why}."
            )
    if memory.tries and memory.last_at is not None:
        last = memory.last_at.astimezone()
        ended = memory.last_verdict.value if memory.last_verdict else "no verdict"
        sentences.append(
            f"This row was sent {_times(memory.tries)}, last on {last.day} {last:%b %H:%M}: {ended}."
        )
    if memory.unchanged >= 2:
        sentences.append(
            f"It was sent {_times(memory.unchanged)} with this same message: nothing has changed."
        )
    return " ".join(sentences)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _waiting_for_records(graph: CauseGraph) -> dict[tuple[str, str], datetime | None]:
    """Records that rows wait for and that are not in the list, and when the first of these rows failed."""
    records: dict[tuple[str, str], datetime | None] = {}
    for row_id, error in graph.errors.items():
        for link in graph.links_of(row_id):
            if link.parent is not None:
                before = records.get(link.parent, error.processed_at)
                both = (before, error.processed_at)
                records[link.parent] = min((at for at in both if at is not None), default=None)
    return records


def _about(error: SyncError) -> Callable[[Journal], Memory]:
    def question(journal: Journal) -> Memory:
        from syncerr_tui.journal import row_history
        from syncerr_tui.resync.proof import cause_keys

        return row_history.memory(journal, error, cause_keys(error))

    return question
