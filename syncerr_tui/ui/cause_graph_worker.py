"""The graph of causes, kept in step with the list in a thread of its own.

The list decides: whatever mapping of errors it shows last is what the graph is made to hold. While the thread
is at work it alone has the graph (`graph` is None then); in between the screen reads it. Lists that were
overtaken while it worked are passed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from textual.message import Message

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError, chunks
from syncerr_tui.triage.filter import NO_CODE, code_shown
from syncerr_tui.ui.debouncer import loop_at_rest
from syncerr_tui.ui.messages import BackgroundContext, Service

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Cause, CauseGraph, ParentRef, Trend
    from syncerr_tui.salesforce.session import OrgSession

Answer = TypeVar("Answer")
_MANY = 1000
"""Rows of which those that have just come are painted before all are linked."""
_PAINTED = 0.1
"""Seconds in which they are, with the panel beside them."""
_PAGE = 2000
"""Rows that are linked in one go."""
_FIRST = 30
"""Causes that may be on screen at first."""


@dataclass(frozen=True, slots=True)
class KnownCauses:
    """The causes of one state of the list."""

    count: int = 0
    """How many causes there are; while rows stream in this runs ahead of `causes`."""
    causes: tuple[Cause, ...] = ()
    """Worst first."""
    trends: Mapping[str, Trend] = field(default_factory=dict)
    """Key of a cause -> how its errors are spread over time."""
    errors: Mapping[str, SyncError] | None = None
    """The list that `causes` are of: every row of theirs is in it."""

    def listed(self, rows: tuple[str, ...], errors: Mapping[str, SyncError]) -> tuple[str, ...]:
        """Those of a cause's rows that are in this list. They may be many: the loop is Python's, in C."""
        return rows if errors is self.errors else tuple(filter(errors.__contains__, rows))


class LinksKnown(Message):
    """What waits for what is known anew."""


class CauseGraphWorker(Service):
    """Feeds the graph."""

    def __init__(self, background: BackgroundContext) -> None:
        super().__init__(background)
        self._graph: CauseGraph | None = None
        self._shown: Mapping[str, SyncError] = {}
        self._pending: Mapping[str, SyncError] | None = None
        self._relations: dict[str, tuple[ParentRef, ...]] = {}
        self._present: frozenset[tuple[str, str]] = frozenset()
        self._working = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._trends: dict[int, tuple[Cause, Trend]] = {}
        self.known = KnownCauses()

    @property
    def graph(self) -> CauseGraph | None:
        """The graph, in step with the list; None before the first row, and while it is being worked on."""
        return None if self._working else self._graph

    def code_shown(self, error: SyncError) -> str:
        """As `triage.filter.code_shown`, without reading again what the graph has read."""
        if error.code is not None:
            return error.code
        if self.graph is None or self.graph.errors.get(error.id) is not error:
            return code_shown(error)
        meant = self.graph.code_of(error.id)
        return f"~{meant}" if meant else NO_CODE

    @property
    def working(self) -> bool:
        return self._working

    async def settled(self) -> CauseGraph | None:
        """Wait until the graph is in step with the list."""
        while self._working:
            await self._idle.wait()
        return self._graph

    async def lend(self, use: Callable[[CauseGraph], Answer]) -> Answer:
        """Ask the graph something that takes long, in the thread; the list may go on changing."""
        await self.settled()
        self._working = True
        self._idle.clear()
        try:
            if self._graph is None:
                from syncerr_tui.diagnosis.causes import CauseGraph

                self._graph = CauseGraph()
            return await asyncio.to_thread(use, self._graph)
        finally:
            self._working = False
            self._idle.set()
            if self._pending is not None:
                self._wake()
            else:
                # Whoever looked meanwhile found no graph, and waits to hear that there is one.
                self._post(LinksKnown())

    def follow(self, errors: Mapping[str, SyncError]) -> None:
        if errors is not self._shown:
            self._shown = self._pending = errors
            self._wake()

    async def ask_for_parents(self, connection: OrgSession) -> None:
        """Let the org tell which parents rows wait for that do not name them."""
        from syncerr_tui.salesforce.parent_lookup import present_parents

        errors = tuple(self._shown.values())
        try:
            parents = await connection.parents(errors)
            present = await present_parents(connection, await self.lend(lambda graph: graph.unlisted()))
        except SyncErrError:
            # The list stands without it; what is wrong with the org the next reading says.
            return
        if parents or present:
            self._relations = dict(parents)
            self.landed(present)

    def landed(self, records: Iterable[tuple[str, str]]) -> None:
        """These records (object, StoreConnect ID) are in Salesforce: what waited for them is ready."""
        self._present |= frozenset(records)
        self._pending = self._shown
        self._wake()

    @property
    def _overtaken(self) -> bool:
        """Whether the list holds other errors by now."""
        return self._pending is not None

    def _wake(self) -> None:
        if not self._working:
            self._working = True
            self._idle.clear()
            self._work(self._keep_in_step(), "linking")

    async def _keep_in_step(self) -> None:
        try:
            if len(self._shown) >= _MANY:
                await loop_at_rest(_PAINTED)
            while self._pending is not None:
                errors, self._pending = self._pending, None
                self.known = await asyncio.to_thread(self._in_step_at_once, errors)
                if self._overtaken:
                    self._post(LinksKnown())
        finally:
            self._working = False
            self._idle.set()
        self._post(LinksKnown())

    def _in_step_at_once(self, errors: Mapping[str, SyncError]) -> KnownCauses:
        """In the thread."""
        from syncerr_tui.diagnosis.causes import without_gc

        with without_gc(len(errors)):
            return self._in_step(errors)

    def _in_step(self, errors: Mapping[str, SyncError]) -> KnownCauses:
        """Make the graph hold exactly these errors. In the thread."""
        from syncerr_tui.diagnosis.causes import CauseGraph
        from syncerr_tui.ui.cause_words import headline

        if self._graph is None:
            self._graph = CauseGraph()
        graph = self._graph
        known = graph.errors
        gone = [row_id for row_id in known if row_id not in errors]
        if gone:
            graph.discard(gone)
        fresh = [error for row_id, error in errors.items() if (old := known.get(row_id)) is not error != old]
        for page in chunks(fresh, _PAGE):
            # Sorting many rows at once would hold up the screen's thread as well.
            graph.add(page)
            if self._overtaken:
                break
        relations, self._relations = self._relations, {}
        if relations:
            graph.relate({row_id: refs for row_id, refs in relations.items() if row_id in errors})
        present, self._present = self._present, frozenset()
        if present:
            graph.present(present)
        if self._overtaken:
            return replace(self.known, count=len(graph))
        causes = graph.causes()
        for cause in causes[:_FIRST]:
            headline(graph.errors, cause, {})  # kept: the first screen of causes need not look up any of it
        return KnownCauses(len(causes), causes, self._all_trends(graph, causes), errors)

    def _all_trends(self, graph: CauseGraph, causes: tuple[Cause, ...]) -> Mapping[str, Trend]:
        from syncerr_tui.diagnosis.causes import trend

        now, known, trends = self._context.clock(), self._trends, {}
        self._trends = {}
        for cause in causes:
            before = known.get(id(cause))
            cause_trend = before[1] if before is not None and before[0] is cause else None
            if cause_trend is None:
                rows = (graph.errors[row_id] for row_id in (*cause.roots, *cause.victims))
                times = (when for row in rows if (when := row.since) is not None)
                cause_trend = trend(times, now)
            self._trends[id(cause)] = (cause, cause_trend)
            trends[cause.key] = cause_trend
        return trends
