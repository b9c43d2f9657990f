"""The Journal: every run newest first, its rows with verdict and evidence, and the story of each row.

All of it is read in the thread of readers, a page at a time. The pane has two levels, the runs and the rows
of one of them; each keeps its cursor. The fixes take the place of both. Long because all of it moves one
cursor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.containers import Vertical
from textual.widget import Widget

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.triage.actions import AppState, Place
from syncerr_tui.triage.columns import Column
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.errors_pane import Describe
from syncerr_tui.ui.journal_reading import JournalReading, PagedRows, Read
from syncerr_tui.ui.journals import Journals
from syncerr_tui.ui.list_with_panel import Handlers, ListWithPanel
from syncerr_tui.ui.messages import Announced, Troubled, Verified
from syncerr_tui.ui.status_lines import TabNote
from syncerr_tui.ui.widgets.line import Line, Part
from syncerr_tui.ui.widgets.panel import Subject
from syncerr_tui.ui.widgets.table import DataSheet
from syncerr_tui.ui.widgets.virtual_list import VirtualList
from syncerr_tui.words import plural

if TYPE_CHECKING:
    # The journal is opened, and all that reads it imported, once an org is connected.
    from syncerr_tui.diagnosis.text_layout import TextLine
    from syncerr_tui.fixes.model import FixRecord
    from syncerr_tui.journal.attempt import Attempt
    from syncerr_tui.journal.filter import JournalFilter
    from syncerr_tui.journal.history import Mark, RunRecord
    from syncerr_tui.journal.row_history import HistoryEntry

Item = TypeVar("Item")

_FILTER_DELAY = 0.15


class JournalPane(ListWithPanel):
    """What was re-synced, by whom, why, and what came of it."""

    place = Place.JOURNAL
    filter_kind = "journal"

    def __init__(self, context: AppContext, journals: Journals, describe: Describe) -> None:
        self.sheet = DataSheet(id="past-sheet")
        super().__init__(context, self.sheet)
        self._head, self._foot = Line(), Line()
        self._journals = journals
        self._describe = describe
        self._moment = context.clock()
        self._runs: PagedRows[RunRecord] | None = None
        self._rows: PagedRows[Attempt] | None = None
        self._fixes: PagedRows[FixRecord] | None = None
        """The fixes, where they are shown instead of the runs."""
        self._run: RunRecord | None = None
        """The run whose rows are shown."""
        self._reading = JournalReading(context, journals)
        self._described: tuple[object, ...] = ()
        """What the panel says something about."""
        self._typing = Debouncer(self, _FILTER_DELAY)
        self._visited = False
        """Whether anybody has looked: before that nothing is read."""
        self.interrupted = 0
        """Runs that wait for somebody to go on with them."""
        self.elsewhere = 0
        self._people = ""
        """Runs under way in other terminals."""

    def around_list(self) -> Widget:
        return Vertical(self._head, self.sheet, self._foot)

    # -- what is known ---------------------------------------------------------------------------------

    @property
    def tab(self) -> str:
        """`Journal`, with what waits for somebody."""
        if self.interrupted:
            return f"Journal ({self.interrupted} interrupted)"
        return f"Journal ({self.elsewhere} under way elsewhere)" if self.elsewhere else "Journal"

    @property
    def tab_note(self) -> TabNote:
        if not self._reading.filter:
            return TabNote()
        level = self._level
        count = level.count if level is not None and level.ready else None
        return TabNote.of_filter(self._reading.filter.text, count)

    @property
    def run(self) -> RunRecord | None:
        """The run that is opened, or under the cursor."""
        if self._fixes is not None:
            return None
        return self._run or (self._runs.current if self._runs is not None else None)

    @property
    def row(self) -> Attempt | None:
        """The row under the cursor, where a run is opened."""
        return self._rows.current if self._rows is not None and self._fixes is None else None

    @property
    def current(self) -> SyncError | None:
        """The error of the row under the cursor, as it was then."""
        return self.row.error if self.row is not None else None

    @property
    def has_row(self) -> bool:
        return super().has_row or (self._fixes is not None and self._fixes.current is not None)

    @property
    def _level(self) -> PagedRows[Any] | None:
        return self._fixes or self._rows or self._runs

    def facts(self, facts: AppState) -> AppState:
        level = self._level
        return replace(
            facts,
            chosen=0,
            total=level.count if level is not None else 0,
            current=level is not None and level.current is not None,
        )

    def opened_runs(self, interrupted: int, elsewhere: int, people: str) -> None:
        """How many runs wait for somebody, how many go on in other terminals, and who else is on."""
        self.interrupted, self.elsewhere, self._people = interrupted, elsewhere, people
        self._show_lines()
        self.refresh_journal()
        self.changed()

    # -- reading ---------------------------------------------------------------------------------------

    def refresh_journal(self) -> None:
        """Read the journal anew, where somebody looks at it; the cursors stay where they are."""
        if self.context.connection is None or not self._visited:
            return
        self._moment = self.context.clock()
        self._runs = self._paged(self._reading.runs, self._runs.at if self._runs else 0)
        if self._run is not None:
            self._open(self._run, self._rows.at if self._rows else 0)
            self._in_background(self._know_anew(self._run.id))
        if self._fixes is not None:
            self._show_fixes(self._fixes.at)
        self._described = ()

    async def _know_anew(self, run_id: str) -> None:
        """The counts above the rows of a run, which a check may have changed."""
        run = await self._reading.run(run_id)
        if run is not None and self._run is not None and self._run.id == run_id:
            self._run = run
            self._show_lines()

    def _show_fixes(self, at: int = 0) -> None:
        self._fixes = self._paged(self._reading.fixes, at)

    def turn_to_fixes(self) -> None:
        """The fixes instead of the runs, or the runs again."""
        if self._fixes is not None:
            self._fixes = None
        elif self.context.connection is not None:
            self._show_fixes()
        self._described = ()
        self._show()

    def _open(self, run: RunRecord, at: int = 0) -> None:
        self._run = run
        self._rows = self._paged(partial(self._reading.rows, run.id), at)

    def _paged(self, read: Read[Item], at: int) -> PagedRows[Item]:
        level = PagedRows(read, self._in_background, self._arrived, at)
        level.ask()
        return level

    def _in_background(self, work: Coroutine[Any, Any, None], group: str = "journal") -> None:
        self.run_worker(self._or_say_why(work), group=group, exclusive=group != "journal")

    async def _or_say_why(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SyncErrError as error:
            self.sheet.note("", f"{error.title}.", error.hint)
            self.post_message(Troubled(error))

    def _arrived(self) -> None:
        level = self._level
        if level is not None and level.ready:
            level.at = max(0, min(level.at, level.count - 1))
        self._show()

    # -- showing ---------------------------------------------------------------------------------------

    def _drawing(self) -> tuple[tuple[Column, ...], Callable[[Any], Sequence[Part]]]:
        """The columns of what is shown, and what a row of it says in them."""
        from syncerr_tui.ui import fix_words, journal_words as words

        drawn, names, ours = self._moment, self._reading.names, self._ours
        if self._fixes is not None:
            return fix_words.FIXES, fix_words.record_cells
        if self._run is not None:
            return words.ROWS, lambda row: words.row_cells(row, names)
        return words.RUNS, lambda run: words.run_cells(run, drawn, ours=run.id in ours)

    def _show(self) -> None:
        level = self._level
        if level is not None:
            columns, cells = self._drawing()

            def at(place: int) -> Sequence[Part] | None:
                item = level.row(place)
                return cells(item) if item is not None else None

            self.sheet.show(columns, level.count, level.at, at)
        self._show_lines()
        self.panel_soon()
        self.changed()

    @property
    def _ours(self) -> frozenset[str]:
        """Runs that go on in this very program."""
        connection = self.context.connection
        return self._journals.ours(connection.identity.org_id) if connection is not None else frozenset()

    def _show_lines(self) -> None:
        """Above the rows of a run: which run; above the runs: who is on. Below: what columns leave out."""
        from syncerr_tui.ui import journal_words as words

        run, level, key = self.run, self._level, self.context.key_of
        head: list[Part] = []
        if self._fixes is not None:
            head = [(" Fixes made from here", "strong"), (f"  {key('fixes')} goes back to the runs", "quiet")]
        elif self._run is not None:
            word, look = words.state(self._run, self._run.id in self._ours)
            begun = words.when(self._run.started_at, self._moment).strip()
            head = [(f" {begun}  {self._run.os_user}  ", "strong"), (word, look)]
            head.append((f"  {words.verdict_counts(self._run)}", "text"))
        elif self._people:
            head = [(f" {self._people}", "quiet")]
        self._head.show(head)
        self._head.display = bool(head)
        foot: list[Part] = []
        if level is not None and level.ready and not level.count:
            nothing = self.nothing_matches("everything")
            if not self._reading.filter:
                does = f"{key('resync')} in the list of errors does it."
                nothing = ("Nothing was re-synced in this org yet.", "", does)
            self.sheet.note("", *nothing)
        elif self._run is None and run is not None:
            why = f"  Why: {run.reason}" if run.reason else ""
            foot = [(f" {run.method}  {words.verdict_counts(run)}.", "text"), (why, "accent")]
            if run.how is None and not run.alive:
                foot.append((f"  {key('resume')} goes on with it, checks or drops it.", "key"))
        elif self._fixes is None and self._run is not None and self._run.reason:
            foot = [(f" Why: {self._run.reason}", "accent")]
        self._foot.show(foot)
        self._foot.display = bool(foot)

    def entered(self) -> None:
        """Read what is new, and take the focus to where the person was."""
        self._visited = True
        if self.context.connection is None:
            self.sheet.note("", "Each org has its own journal: connect first.")
        self.refresh_journal()
        self.take_focus()

    # -- the panel -------------------------------------------------------------------------------------

    @property
    def subject(self) -> Subject | None:
        row, run = self.row, self.run
        if self._fixes is not None and (fix := self._fixes.current) is not None:
            return Subject(fix.id, f"Fix {fix.id}")
        if run is None:
            return None
        if self._run is None:
            from syncerr_tui.ui import journal_words as words

            return Subject(run.id, f"The run of {words.when(run.started_at, self._moment).strip()}")
        return self.subject_of((run.id, row.error.id), row.error) if row is not None else None

    def show_panel(self) -> None:
        """Ask for the story of what the cursor rests on; one that moves on drops the question."""
        if not self._visited:
            return
        row, run = self.row, self.run
        if self._fixes is not None:
            self._tell_fix(self._fixes.current)
            return
        subject: tuple[object, ...] = (row,) if row is not None else (run,)
        if subject == self._described:
            return
        self._described = subject
        if row is not None:
            self._in_background(self._tell_row(row, self.subject), "journal-panel")
        elif run is not None and self._run is None:
            self._in_background(self._tell_run(run, self.subject), "journal-panel")
        else:
            self.panel.show(lambda _width: ())

    def _tell_fix(self, fix: FixRecord | None) -> None:
        from syncerr_tui.ui.fix_words import record_lines

        drawn = self._moment
        if fix is not None:
            self.panel.show(lambda width: record_lines(fix, drawn, width), self.subject)

    async def _tell_row(self, row: Attempt, subject: Subject | None) -> None:
        from syncerr_tui.journal.row_history import story
        from syncerr_tui.ui import journal_words as words

        happened: tuple[HistoryEntry, ...] = await self._reading.ask(
            lambda journal: story(journal, row.event)
        )
        drawn = self._moment

        def lines(width: int) -> list[TextLine]:
            return [
                *words.row_lines(row, happened, self._reading.names, drawn, width),
                *self._describe(row.error, drawn, "", width),
            ]

        if self._described == (row,):
            self.panel.show(lines, subject)

    async def _tell_run(self, run: RunRecord, subject: Subject | None) -> None:
        from syncerr_tui.journal.history import History
        from syncerr_tui.ui import journal_words as words

        marks: tuple[Mark, ...] = await self._reading.ask(lambda journal: History(journal).marks(run.id))
        drawn, ours = self._moment, run.id in self._ours
        if self._described == (run,):
            self.panel.show(lambda width: words.run_lines(run, marks, drawn, width, ours=ours), subject)

    # -- moving ----------------------------------------------------------------------------------------

    def _move_to(self, at: int) -> None:
        level = self._level
        if level is not None:
            level.at = max(0, min(at, level.count - 1))
            self._show()

    def move_cursor(self, rows: int) -> None:
        if self._level is not None:
            self._move_to(self._level.at + rows)

    # -- looking ---------------------------------------------------------------------------------------

    def info(self) -> None:
        """A run opens to its rows; a row or a fix to its story."""
        if self._run is not None or self._fixes is not None:
            super().info()
        elif self.run is not None:
            self._open(self.run)
            self._show()

    def focus_next(self) -> None:
        """To the other side; the panel beside a run tells about it."""
        if self.shows_both or self.is_open:
            self.open_panel(is_open=not self.is_open)

    def step_back(self) -> bool:
        """Out of the panel, out of the filter, out of the run."""
        if super().step_back():
            return True
        if self._fixes is not None:
            self.turn_to_fixes()
        elif self._reading.filter:
            self.filter_by("")
        elif self._run is not None:
            self._run = self._rows = None
            self._show()
        else:
            return False
        return True

    def verify(self) -> None:
        """Read again what this run sent and could not prove."""
        run = self.run
        if run is not None:
            self._in_background(self._verify(run), "journal-verify")

    def give_up_checking(self) -> bool:
        """Stop reading again; False where nothing is being read."""
        return bool(self.workers.cancel_group(self, "journal-verify"))

    async def _verify(self, run: RunRecord) -> None:
        from syncerr_tui.journal.history import History

        connection = self.context.connection
        if connection is None:
            return
        if run.alive:
            self.post_message(Announced("It is under way in another terminal, which proves its rows itself."))
            return
        with self._doing("looking for what is still open ..."):
            rows = await self._reading.ask(lambda journal: History(journal).rows_of(run.id))
        open_rows = [row for row in rows if row.unknown]
        if not open_rows:
            self.post_message(Announced("Nothing that this run sent is still open."))
            return
        with self._doing(f"reading {plural(len(open_rows), 'row')} again ..."):
            verified = await self._journals.verify(connection, open_rows)
        counted = Counter(one.verdict.value for one in verified if one.verdict is not None)
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in counted.most_common())
        self.post_message(Announced(f"Read again: {counts}."))
        self.post_message(Verified())
        self.refresh_journal()

    @contextmanager
    def _doing(self, words: str) -> Iterator[None]:
        """Say what goes on, until it has ended."""
        self.context.state = self.context.state.begun(words)
        self.changed()
        try:
            yield
        finally:
            self.context.state = self.context.state.done(words)
            self.changed()

    # -- the filter ------------------------------------------------------------------------------------

    @property
    def filter_text(self) -> str:
        return self._reading.filter.text if self._reading.filter else ""

    @property
    def filter_hint(self) -> str:
        return "text  verdict:fixed,twin  object:Order  code:INVALID*  event:update  by:ana  why:flow  -not"

    def filter_as_typed(self, text: str) -> None:
        from syncerr_tui.journal.filter import parse

        new_filter = parse(text, typing=True)
        self._typing.call(lambda: self._filter(new_filter))

    def filter_by(self, text: str) -> None:
        from syncerr_tui.journal.filter import parse

        self._typing.cancel()
        self._filter(parse(text))

    def _filter(self, new_filter: JournalFilter) -> None:
        if new_filter != self._reading.filter:
            self._reading.filter = new_filter
            for level in (self._runs, self._rows):
                if level is not None:
                    level.at = 0
            self.refresh_journal()

    # -- the mouse -------------------------------------------------------------------------------------

    def on_virtual_list_clicked(self, event: VirtualList.Clicked) -> None:
        event.stop()
        self._move_to(event.row)
        self.came_by_click()
        if event.opened:
            self.info()

    HANDLERS: ClassVar[Handlers] = {
        **ListWithPanel.MOVES,
        "verify": verify,
        "fixes": turn_to_fixes,
    }
