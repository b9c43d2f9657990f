"""What the Journal pane asks the journal: its runs, the rows of a run, a page at a time. Knows no widget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.journals import Journals

if TYPE_CHECKING:
    # The journal is opened, and all that reads it imported, once an org is connected.
    from syncerr_tui.fixes.model import FixRecord
    from syncerr_tui.journal.attempt import Attempt
    from syncerr_tui.journal.filter import JournalFilter
    from syncerr_tui.journal.history import RunRecord
    from syncerr_tui.journal.journal import Journal

Item = TypeVar("Item")
T = TypeVar("T")


class JournalReading:
    """Reads what the filter wants to see."""

    def __init__(self, context: AppContext, journals: Journals) -> None:
        self._context = context
        self._journals = journals
        self.filter: JournalFilter | None = None
        """The filter; None for everything."""
        self.names: dict[str, str] = {}
        """Events -> what a person calls them."""

    async def runs(self, skip: int, limit: int) -> tuple[int, Sequence[RunRecord]]:
        """A page of the runs, and how many match."""
        from syncerr_tui.journal.filter import EVERYTHING
        from syncerr_tui.journal.history import History

        only = self.filter or EVERYTHING

        def question(journal: Journal) -> tuple[int, Sequence[RunRecord]]:
            history = History(journal)
            return history.count_runs(only), history.runs(limit, skip, only)

        return await self.ask(question)

    async def run(self, run: str) -> RunRecord | None:
        from syncerr_tui.journal.history import History

        return await self.ask(lambda journal: History(journal).run(run))

    async def rows(self, run: str, skip: int, limit: int) -> tuple[int, Sequence[Attempt]]:
        """A page of the rows of this run, and how many match."""
        from syncerr_tui.journal import row_history
        from syncerr_tui.journal.filter import EVERYTHING
        from syncerr_tui.journal.history import History

        only = self.filter or EVERYTHING

        def question(journal: Journal) -> tuple[int, Sequence[Attempt]]:
            history = History(journal)
            rows = history.rows_of(run, limit, skip, only)
            self.names.update(row_history.names_of(journal, run, (row.reason for row in rows)))
            return history.count_rows(run, only), rows

        return await self.ask(question)

    async def fixes(self, skip: int, limit: int) -> tuple[int, Sequence[FixRecord]]:
        """A page of the fixes, newest first, and how many there are."""
        from syncerr_tui.fixes.ledger import FixLedger

        def question(journal: Journal) -> tuple[int, Sequence[FixRecord]]:
            fixes = FixLedger(journal, os_user="", org_user="").fixes()
            return len(fixes), fixes[skip : skip + limit]

        return await self.ask(question)

    async def ask(self, question: Callable[[Journal], T]) -> T:
        """Any question, in the thread of readers.

        Raises:
            MachineError: The journal cannot be read.
        """
        assert self._context.connection is not None
        return await self._journals.ask(self._context.connection.identity.org_id, question)


PAGE = 100

Read = Callable[[int, int], Awaitable[tuple[int, Sequence[Item]]]]
"""(rows to skip, rows at most) -> how many there are in all, and these."""


class PagedRows(Generic[Item]):
    """The pages that are known so far, and where the cursor stands. None is read twice."""

    def __init__(
        self,
        read: Read[Item],
        start: Callable[[Coroutine[Any, Any, None]], object],
        tell: Callable[[], object],
        at: int = 0,
    ) -> None:
        self._read = read
        self._start = start
        self._tell = tell
        self._known: dict[int, Sequence[Item]] = {}
        self._requested: set[int] = set()
        self.at = at
        self.count = 0
        self.ready = False
        """The first page is here."""

    @property
    def current(self) -> Item | None:
        return self.row(self.at) if self.count else None

    def row(self, row: int) -> Item | None:
        """This row, where it is known; else its page is on its way."""
        number, place = divmod(row, PAGE)
        page = self._known.get(number)
        if page is None:
            self.ask(number)
            return None
        return page[place] if place < len(page) else None

    def ask(self, number: int = 0) -> None:
        if number not in self._requested:
            self._requested.add(number)
            self._start(self._get(number))

    async def _get(self, number: int) -> None:
        self.count, page = await self._read(number * PAGE, PAGE)
        self._known[number] = page
        self.ready = True
        self._tell()
