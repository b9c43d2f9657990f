"""The Journal: every run newest first, its rows with verdict and evidence, and the story of each row.

What can be shown are levels (`journal_levels`), each with its own cursor: the runs, the rows of one of them,
the fixes. The last one that was entered is in front.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Vertical
from textual.widget import Widget

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.triage.actions import ActionFacts
from syncerr_tui.triage.state import Place
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.errors_pane import Describer
from syncerr_tui.ui.interrupted_runs import InterruptedRuns
from syncerr_tui.ui.journals import Journals
from syncerr_tui.ui.list_with_panel import CountedHandlers, Handlers, ListWithPanel
from syncerr_tui.ui.messages import Announced, Troubled, Verified
from syncerr_tui.ui.status_lines import TabNote
from syncerr_tui.ui.widgets.line import Line
from syncerr_tui.ui.widgets.panel import Subject
from syncerr_tui.ui.widgets.table import DataSheet
from syncerr_tui.ui.widgets.virtual_list import VirtualList
from syncerr_tui.words import plural

if TYPE_CHECKING:
    # The journal is opened, and all that reads it imported, once an org is connected.
    from syncerr_tui.journal.filter import JournalFilter
    from syncerr_tui.journal.history import RunRecord
    from syncerr_tui.ui.journal_levels import JournalReading, Level

_FILTER_DELAY = 0.15


class JournalPane(ListWithPanel):
    """What was re-synced, by whom, why, and what came of it."""

    place = Place.JOURNAL
    filter_kind = "journal"

    def __init__(
        self, context: AppContext, journals: Journals, open_runs: InterruptedRuns, describe: Describer
    ) -> None:
        self.sheet = DataSheet(id="past-sheet")
        super().__init__(context, self.sheet)
        self._head, self._foot = Line(), Line()
        self._journals = journals
        self._open_runs = open_runs
        self._describe_error = describe
        self._levels: list[Level[Any]] = []
        self._described: tuple[object, ...] = ()
        """What the panel says something about."""
        self._typing = Debouncer(self, _FILTER_DELAY)
        self._visited = False
        """Whether anybody has looked: before that nothing is read."""

    @cached_property
    def _reading(self) -> JournalReading:
        from syncerr_tui.ui.journal_levels import JournalReading

        start, show, moment = self._in_background, self._show, self.context.clock()
        return JournalReading(
            self.context, self._journals, self._open_runs, self._describe_error, start, show, moment
        )

    def around_list(self) -> Widget:
        return Vertical(self._head, self.sheet, self._foot)

    # -- what is known ---------------------------------------------------------------------------------

    @property
    def tab(self) -> str:
        """`Journal`, with what waits for somebody, or goes on in another terminal."""
        if waiting := self._open_runs.waiting:
            return f"Journal ({len(waiting)} interrupted)"
        elsewhere = len(self._open_runs.elsewhere)
        return f"Journal ({elsewhere} under way elsewhere)" if elsewhere else "Journal"

    @property
    def tab_note(self) -> TabNote:
        if not self._reading.filter:
            return TabNote()
        level = self._level
        return TabNote.of_filter(self._reading.filter.text, level.count if level and level.ready else None)

    @property
    def _level(self) -> Level[Any] | None:
        """The one in front."""
        return self._levels[-1] if self._levels else None

    @property
    def run(self) -> RunRecord | None:
        """The run that is opened, or under the cursor."""
        return self._level.run if self._level is not None else None

    @property
    def current(self) -> SyncError | None:
        return self._level.error if self._level is not None else None

    @property
    def has_row(self) -> bool:
        return self._level is not None and self._level.current is not None

    @property
    def subject(self) -> Subject | None:
        return self._level.subject if self._level is not None else None

    def facts(self, facts: ActionFacts) -> ActionFacts:
        return replace(
            facts,
            chosen=0,
            total=self._level.count if self._level is not None else 0,
            current=self.has_row,
            fix=self.has_row and self.run is None,
        )

    # -- reading ---------------------------------------------------------------------------------------

    def open_runs_known(self) -> None:
        """Who else is on, and what waits for somebody, is known anew."""
        self._show_lines()
        self.refresh_journal()
        self.changed()

    def refresh_journal(self) -> None:
        """Read the journal anew, where somebody looks at it; the cursors stay where they are."""
        if self.context.connection is None or not self._visited:
            return
        from syncerr_tui.ui.journal_levels import RunsLevel

        self._reading.moment = self.context.clock()
        for level in self._levels:
            level.read_again()
        self._levels = self._levels or [RunsLevel(self._reading)]
        self._described = ()

    def turn_to_fixes(self) -> None:
        """The fixes instead of the runs, or the runs again."""
        from syncerr_tui.ui.journal_levels import FixesLevel

        if isinstance(self._level, FixesLevel):
            self._leave()
        elif self.context.connection is not None:
            self._enter(FixesLevel(self._reading))

    def _enter(self, level: Level[Any]) -> None:
        self._levels.append(level)
        self._described = ()
        self._show()

    def _leave(self) -> None:
        self._levels.pop()
        self._described = ()
        self._show()

    def _in_background(self, work: Coroutine[Any, Any, None], group: str = "journal") -> None:
        self.run_worker(self._report_failure(work), group=group, exclusive=group != "journal")

    async def _report_failure(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SyncErrError as error:
            self.sheet.note("", f"{error.title}.", error.hint)
            self.post_message(Troubled(error))

    # -- showing ---------------------------------------------------------------------------------------

    def _show(self) -> None:
        level = self._level
        if level is not None:
            self.sheet.show(level.columns, level.count, level.at, level.cells_at)
        self._show_lines()
        self.panel_soon()
        self.changed()

    def _show_lines(self) -> None:
        """What stands around the level in front, and in place of its rows where there are none."""
        level = self._level
        if level is None:
            return
        if level.ready and not level.count:
            hidden = level.filtered and self._reading.filter
            note = self.nothing_matches("everything") if hidden else level.nothing()
            self.sheet.note("", *note)
        for line, parts in ((self._head, level.head()), (self._foot, level.foot())):
            line.show(parts)
            line.display = bool(parts)

    def entered(self) -> None:
        """Read what is new, and take the focus to where the person was."""
        self._visited = True
        if self.context.connection is None:
            self.sheet.note("", "Each org has its own journal: connect first.")
        self.refresh_journal()
        self.take_focus()

    def show_panel(self) -> None:
        """Ask for the story of what the cursor rests on; one that moves on drops the question."""
        level = self._level
        item = level.current if level is not None else None
        if not self._visited or self._described == (item,):
            return
        self._described = (item,)
        if level is None or item is None:
            self.panel.show(lambda _width: ())
        else:
            self._in_background(self._describe(level, item, level.subject), "journal-panel")

    async def _describe(self, level: Level[Any], item: object, subject: Subject | None) -> None:
        text = await level.about(item)
        if self._described == (item,):
            self.panel.show(text, subject)

    # -- moving ----------------------------------------------------------------------------------------

    def _move_to(self, at: int) -> None:
        if self._level is not None:
            self._level.move_to(at)
            self._show()

    def move_cursor(self, rows: int) -> None:
        if self._level is not None:
            self._move_to(self._level.at + rows)

    # -- looking ---------------------------------------------------------------------------------------

    def info(self) -> None:
        """A run opens to its rows; a row or a fix to its story."""
        below = self._level.opened() if self._level is not None else None
        if below is not None:
            self._enter(below)
        else:
            super().info()

    def focus_next(self) -> None:
        """To the other side; the panel beside a run tells about it."""
        if self.shows_both or self.is_open:
            self.open_panel(is_open=not self.is_open)

    def step_back(self) -> bool:
        """Out of the panel, out of the fixes, out of the filter, out of the run."""
        if super().step_back():
            return True
        if self._reading.filter and (self._level is None or self._level.filtered):
            self.filter_by("")
        elif len(self._levels) > 1:
            self._leave()
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
            for level in self._levels:
                level.at = 0
            self.refresh_journal()

    # -- the mouse -------------------------------------------------------------------------------------

    def row_clicked(self, event: VirtualList.Clicked) -> None:
        self._move_to(event.row)
        if event.opened:
            self.info()

    COUNTED: ClassVar[CountedHandlers[JournalPane]] = ListWithPanel.MOVES
    HANDLERS: ClassVar[Handlers[JournalPane]] = {
        **ListWithPanel.OF_PANEL,
        "verify": verify,
        "fixes": turn_to_fixes,
    }
