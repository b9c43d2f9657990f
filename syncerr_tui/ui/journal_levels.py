"""What the Journal pane shows: the runs, the rows of one of them, or the fixes.

A level knows how it is read (a page at a time, in the thread of readers), how it is drawn, and what the panel
says about what is under its cursor. None of them knows a widget.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from syncerr_tui.fixes.ledger import FixLedger
from syncerr_tui.fixes.model import FixRecord
from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.journal.filter import EVERYTHING, JournalFilter
from syncerr_tui.journal.history import History, RunRecord
from syncerr_tui.journal.journal import Journal
from syncerr_tui.journal.row_history import names_of, story
from syncerr_tui.model import SyncError
from syncerr_tui.triage.columns import Column
from syncerr_tui.ui import fix_words, journal_words as words
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.errors_pane import Describer
from syncerr_tui.ui.interrupted_runs import InterruptedRuns
from syncerr_tui.ui.journals import Journals
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.ui.widgets.panel import Layout, Subject

Item = TypeVar("Item")
T = TypeVar("T")
PAGE = 100


@dataclass
class JournalReading:
    """What all levels share."""

    context: AppContext
    journals: Journals
    open_runs: InterruptedRuns
    describe: Describer
    start: Callable[[Coroutine[Any, Any, None]], object]
    """Runs a coroutine in the background."""
    tell: Callable[[], object]
    """Called when more is known."""
    moment: datetime
    """What ages are counted from."""
    filter: JournalFilter = EVERYTHING
    names: dict[str, str] = field(default_factory=dict)
    """Events -> what a person calls them."""

    async def ask(self, question: Callable[[Journal], T]) -> T:
        """Any question, in the thread of readers.

        Raises:
            MachineError: The journal cannot be read.
        """
        assert self.context.connection is not None
        return await self.journals.ask(self.context.connection.identity.org_id, question)

    def is_ours(self, run: RunRecord) -> bool:
        """Whether a run goes on in this very program."""
        connection = self.context.connection
        return connection is not None and run.id in self.journals.ours(connection.identity.org_id)


class Level(Generic[Item]):
    """The pages that are known so far, and where the cursor stands. None is read twice."""

    columns: ClassVar[tuple[Column, ...]]
    filtered: ClassVar[bool] = True
    """Whether the filter is in force here."""

    def __init__(self, reading: JournalReading) -> None:
        self.reading = reading
        self.at = self.count = 0
        self.ready = False
        """The first page is here."""
        self._pages: dict[int, Sequence[Item]] = {}
        self._requested: set[int] = set()
        self._ask_for(0)

    def read_again(self) -> None:
        """What is known is out of date; the cursor stays where it is."""
        self._pages, self._requested = {}, set()
        self._ask_for(0)

    @property
    def current(self) -> Item | None:
        return self.item(self.at) if self.count else None

    def item(self, row: int) -> Item | None:
        """What stands there, where it is known; else its page is on its way."""
        number, place = divmod(row, PAGE)
        page = self._pages.get(number)
        if page is None:
            self._ask_for(number)
            return None
        return page[place] if place < len(page) else None

    def cells_at(self, row: int) -> Sequence[Part] | None:
        item = self.item(row)
        return self.cells(item) if item is not None else None

    def move_to(self, row: int) -> None:
        self.at = max(0, min(row, self.count - 1))

    @property
    def subject(self) -> Subject | None:
        """What is under the cursor, as the panel names it."""
        return self.subject_of(self.current) if self.current is not None else None

    def _ask_for(self, number: int) -> None:
        if number not in self._requested:
            self._requested.add(number)
            self.reading.start(self._get(number, self._pages))

    async def _get(self, number: int, pages: dict[int, Sequence[Item]]) -> None:
        count, page = await self.read(number * PAGE, PAGE)
        if pages is self._pages:
            self.count, self.ready, pages[number] = count, True, page
            self.move_to(self.at)
            self.reading.tell()

    # -- what a subclass says --------------------------------------------------------------------------

    async def read(self, skip: int, limit: int) -> tuple[int, Sequence[Item]]:
        """How many there are in all, and a page of them."""
        raise NotImplementedError

    def cells(self, item: Item) -> Sequence[Part]:
        """It as cells of the columns."""
        raise NotImplementedError

    def head(self) -> list[Part]:
        """What stands above it."""
        return []

    def foot(self) -> list[Part]:
        """What the columns leave out."""
        return []

    def nothing(self) -> tuple[str, ...]:
        """What stands in place of rows where there are none, and no filter hides them."""
        key = self.reading.context.key_of("resync")
        return "Nothing was re-synced in this org yet.", "", f"{key} in the list of errors does it."

    def subject_of(self, item: Item) -> Subject:
        raise NotImplementedError

    async def about(self, item: Item) -> Layout:
        """What the panel says about it."""
        raise NotImplementedError

    @property
    def run(self) -> RunRecord | None:
        """The run that is opened, or under the cursor."""
        return None

    @property
    def error(self) -> SyncError | None:
        """The error of the row under the cursor, as it was then."""
        return None

    def opened(self) -> Level[Any] | None:
        """What is below the item under the cursor."""
        return None


class RunsLevel(Level[RunRecord]):
    """Every run, newest first."""

    columns = words.RUNS

    async def read(self, skip: int, limit: int) -> tuple[int, Sequence[RunRecord]]:
        only = self.reading.filter
        return await self.reading.ask(
            lambda journal: (History(journal).count_runs(only), History(journal).runs(limit, skip, only))
        )

    def cells(self, item: RunRecord) -> Sequence[Part]:
        return words.run_cells(item, self.reading.moment, ours=self.reading.is_ours(item))

    def head(self) -> list[Part]:
        """Who else is on."""
        people = self.reading.open_runs.people
        return [(f" {people}", "quiet")] if people else []

    def foot(self) -> list[Part]:
        run = self.current
        if run is None:
            return []
        why = f"  Why: {run.reason}" if run.reason else ""
        key = self.reading.context.key_of("resume")
        then = "" if run.how is not None or run.alive else f"  {key} goes on with it, checks or drops it."
        return [(f" {run.method}  {words.verdict_counts(run)}.", "text"), (why, "accent"), (then, "key")]

    def subject_of(self, item: RunRecord) -> Subject:
        return Subject(item.id, f"The run of {words.when(item.started_at, self.reading.moment).strip()}")

    async def about(self, item: RunRecord) -> Layout:
        marks = await self.reading.ask(lambda journal: History(journal).marks(item.id))
        moment, ours = self.reading.moment, self.reading.is_ours(item)
        return lambda width: words.run_lines(item, marks, moment, width, ours=ours)

    @property
    def run(self) -> RunRecord | None:
        return self.current

    def opened(self) -> RowsLevel | None:
        return RowsLevel(self.reading, self.current) if self.current is not None else None


class RowsLevel(Level[Attempt]):
    """The rows of a run with verdict and evidence."""

    def __init__(self, reading: JournalReading, run: RunRecord) -> None:
        self._run = run
        super().__init__(reading)

    columns = words.ROWS

    async def read(self, skip: int, limit: int) -> tuple[int, Sequence[Attempt]]:
        """A page of the rows; and the run anew, as a check may have changed its counts."""
        only, run_id, names = self.reading.filter, self._run.id, self.reading.names

        def question(journal: Journal) -> tuple[int, Sequence[Attempt], RunRecord | None]:
            history = History(journal)
            rows = history.rows_of(run_id, limit, skip, only)
            names.update(names_of(journal, run_id, (row.cause for row in rows)))
            return history.count_rows(run_id, only), rows, history.run(run_id)

        count, rows, run = await self.reading.ask(question)
        self._run = run or self._run
        return count, rows

    def cells(self, item: Attempt) -> Sequence[Part]:
        return words.row_cells(item, self.reading.names)

    def head(self) -> list[Part]:
        """Which run."""
        run = self._run
        begun = words.when(run.started_at, self.reading.moment).strip()
        return [
            (f" {begun}  {run.os_user}  ", "strong"),
            words.state(run, self.reading.is_ours(run)),
            (f"  {words.verdict_counts(run)}", "text"),
        ]

    def foot(self) -> list[Part]:
        return [(f" Why: {self._run.reason}", "accent")] if self._run.reason else []

    def subject_of(self, item: Attempt) -> Subject:
        return Subject.of_error((self._run.id, item.error.id), item.error)

    async def about(self, item: Attempt) -> Layout:
        reading, moment = self.reading, self.reading.moment
        happened = await reading.ask(lambda journal: story(journal, item.event))
        return lambda width: [
            *words.row_lines(item, happened, reading.names, moment, width),
            *reading.describe(item.error, moment, "", width),
        ]

    @property
    def run(self) -> RunRecord | None:
        return self._run

    @property
    def error(self) -> SyncError | None:
        return self.current.error if self.current is not None else None


class FixesLevel(Level[FixRecord]):
    """The fixes that were made from here, newest first. No filter hides any."""

    columns = fix_words.FIXES
    filtered = False

    async def read(self, skip: int, limit: int) -> tuple[int, Sequence[FixRecord]]:
        fixes = await self.reading.ask(lambda journal: FixLedger(journal).fixes())
        return len(fixes), fixes[skip : skip + limit]

    def cells(self, item: FixRecord) -> Sequence[Part]:
        return fix_words.record_cells(item)

    def head(self) -> list[Part]:
        key = self.reading.context.key_of("fixes")
        return [(" Fixes made from here", "strong"), (f"  {key} goes back to the runs", "quiet")]

    def nothing(self) -> tuple[str, ...]:
        return (
            "Nothing was fixed from here in this org yet.",
            "",
            f"{self.reading.context.key_of('fix')} does it.",
        )

    def subject_of(self, item: FixRecord) -> Subject:
        return Subject(item.id, f"Fix {item.id}")

    async def about(self, item: FixRecord) -> Layout:
        moment = self.reading.moment
        return lambda width: fix_words.record_lines(item, moment, width)
