"""The list of sync errors with its info panel: the place where triage happens.

The listing (rows, filter, order, cursor, selection) is one frozen value with pure transitions; this pane
turns keys into transitions and shows the result. Long because what is shown, filtered, put in order and
selected is that one value.
"""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work

from syncerr_tui.model import SyncError
from syncerr_tui.triage.actions import ActionFacts
from syncerr_tui.triage.columns import Column, ColumnChoice, order_words
from syncerr_tui.triage.filter import EVERYTHING, Filter, parse
from syncerr_tui.triage.listing import Listing
from syncerr_tui.triage.news import News
from syncerr_tui.triage.state import Place
from syncerr_tui.triage.values import narrowed
from syncerr_tui.ui.cause_graph_worker import CauseGraphWorker
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.error_history import ErrorHistory
from syncerr_tui.ui.list_with_panel import CountedHandlers, Handlers, ListWithPanel
from syncerr_tui.ui.messages import Announced
from syncerr_tui.ui.status_lines import TabNote
from syncerr_tui.ui.widgets.table import ErrorTable, RowMark, Tone
from syncerr_tui.ui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.text_layout import TextLine

_FILTER_DELAY = 0.15
"""How long a pause in the typing is, for which a filter of many rows waits."""

MANY = 5000
"""Rows from which a filter or an order takes longer than a key should."""
ListingChange = Callable[[Listing], Listing]
"""Filters the list or puts it in order."""
Describer = Callable[[SyncError, datetime, str, int], "list[TextLine]"]
"""What the info panel says about an error: the row, when, the outcome of its last re-sync, the width."""


class ErrorsPane(ListWithPanel):
    """The list at the left, what to know about the row under the cursor at the right or in its place."""

    place = Place.ERRORS

    def __init__(
        self, context: AppContext, describe: Describer, graph_worker: CauseGraphWorker, history: ErrorHistory
    ) -> None:
        self.table = ErrorTable(id="table")
        super().__init__(context, self.table)
        self._graph_worker = graph_worker
        self.history = history
        self.outcomes: Mapping[str, str] = {}
        self.run_marks: Mapping[str, RowMark] = {}
        """Row -> what the run says about it."""
        self._queued: Collection[str] = ()
        """Rows that wait for their re-sync in the queue."""
        self.describe = describe
        self._described: tuple[SyncError, datetime, str] | None = None
        self._told_anew = False
        self._moment = context.clock()
        self._typing = Debouncer(self, _FILTER_DELAY)
        self._changes: list[ListingChange] = []
        """What a thread is still to work out."""
        self._narrowed_from: dict[str, str] = {}
        """Filter -> the one that it was made of by one more term."""
        self._typed_from: SyncError | None = None
        """The row under the cursor when the typing of a filter began."""

    # -- what is known ---------------------------------------------------------------------------------

    @property
    def listing(self) -> Listing:
        return self.context.state.listing

    @property
    def tab(self) -> str:
        """`Errors (143)`, `Errors (143, 4 new)`."""
        if self.context.unread:
            return "Errors (?)"
        state = self.context.state
        new = len(state.news.new - state.proven)
        return f"Errors ({state.unresolved:,}, {new:,} new)" if new else f"Errors ({state.unresolved:,})"

    @property
    def tab_note(self) -> TabNote:
        if not self.listing.filter:
            column = self.listing.sort
            order = order_words(column, reverse=self.listing.reverse)
            note = TabNote("sorted by ", f"{column.header}, {order}", brief="by ")
            return TabNote() if self.table.shows(column) else note
        return TabNote.of_filter(self.listing.filter.shown, len(self.listing.ids))

    @property
    def current(self) -> SyncError | None:
        return self.listing.current

    @property
    def chosen(self) -> tuple[SyncError, ...]:
        return self.listing.chosen

    def facts(self, facts: ActionFacts) -> ActionFacts:
        return self.facts_of_list(facts, current=self.current is not None, total=len(self.listing.ids))

    # -- showing ---------------------------------------------------------------------------------------

    def show(self, listing: Listing, *, fresh: bool = False) -> None:
        """Show this listing. `fresh` rows get their ages anew; otherwise they stay as they were read."""
        moved = listing.is_moved(self.listing)
        self.context.state = replace(self.context.state, listing=listing)
        self._graph_worker.follow(listing.errors)
        if fresh:
            self._moment = self.context.clock()
        self.table.show(listing, self._moment, self.context.state.news.marks)
        self.panel_soon()
        if not moved:  # else no line around the list says anything else
            self.changed()

    def update(self, rows: Collection[SyncError]) -> None:
        """Newer versions of rows, of which the person is told elsewhere on screen."""
        if rows:
            self.context.state = replace(self.context.state, news=self.context.state.news.known(rows))
            self.show(self.listing.updated(rows))

    def show_news(self, news: News) -> None:
        """Mark what has changed since the person looked, and nothing else."""
        self.context.state = replace(self.context.state, news=news)
        self._told_anew = True
        self.show(self.listing)

    def tick(self) -> None:
        self._moment = self.context.clock()
        self.table.tick(self._moment)
        self.panel_soon()

    def show_run(
        self, marks: Mapping[str, RowMark], outcomes: Mapping[str, str], proven: frozenset[str] = frozenset()
    ) -> None:
        """The states of a run beside their rows, and in the panel what each outcome means."""
        self.outcomes = outcomes
        self.context.state = replace(self.context.state, proven=proven)
        if marks is self.run_marks:
            self.table.marks_changed()
        else:
            self.run_marks = marks
            self._show_marks()
        self.panel_soon()

    def show_queued(self, rows: Collection[str]) -> None:
        if rows or self._queued:
            self._queued = rows
            self._show_marks()
        self.changed()

    def left_by_runs_known(self) -> None:
        """What earlier runs left of the rows stays beside them until something new is known."""
        self._show_marks()
        self.linked()

    def _show_marks(self) -> None:
        handled = self.context.state.handlings.rows
        left = {row: RowMark(one.mark, Tone.QUIET) for row, one in handled.items() if one.mark}
        left |= dict.fromkeys(self.history.failing_again, RowMark("AGAIN", Tone.BAD))
        queued = dict.fromkeys(self._queued, RowMark("later", Tone.QUIET))
        left |= {row: RowMark(verdict.short, Tone.BAD) for row, verdict in self.history.unsettled.items()}
        self.table.show_marks(ChainMap(cast("dict[str, RowMark]", self.run_marks), queued, left))

    def show_panel(self) -> None:
        error = self.listing.current
        if error is None:
            if self._described is not None:
                self._described = None
                self.panel.show(lambda _width: ())
            return
        before, self._described = self._described, (error, self._moment, self.outcomes.get(error.id, ""))
        if before != self._described or self._told_anew:
            self._told_anew = False
            described = self._described
            same_row = before is not None and before[0].id == error.id
            self.panel.show(lambda width: self.describe(*described, width), self.subject, keep_place=same_row)
            self.post_message(self.PanelShown(error))

    def known_better(self, error: SyncError | None) -> None:
        """Tell it in the panel, unless the person has moved on."""
        if self._described is not None and error in {None, self._described[0]}:
            self._told_anew = True
            self.panel_soon()

    # -- moving ----------------------------------------------------------------------------------------

    def move_cursor(self, rows: int, *, extend: bool = False) -> None:
        if self.is_open:
            self._panel_was_read()
        self.show(self.listing.moved_to(self.listing.cursor + rows, extend=extend))

    def open_panel(self, *, is_open: bool) -> None:
        """What a person has read in the panel is no news any more once they leave it."""
        if not is_open:
            self._panel_was_read()
        super().open_panel(is_open=is_open)

    def _panel_was_read(self) -> None:
        news, shown = self.context.state.news, self._described
        if shown is not None and shown[0].id in news.marks:
            row = shown[0]
            if row == self.listing.errors.get(row.id):  # else it has changed once more
                self.show_news(news.known([row]))

    def next_change(self) -> None:
        """To the next row that is new or changed."""
        marks = self.context.state.news.marks
        row = self.listing.next_of(marks.keys())
        if row is None:
            back = self.context.key_of("back")
            self.post_message(Announced(f"The filter hides all that is new or changed: {back} shows it."))
            return
        if self.is_open:
            self._panel_was_read()
        self.show(row)

    # -- selecting -------------------------------------------------------------------------------------

    def toggle(self, rows: int | None = None) -> None:
        """Select or unselect the row and move on; who reads about it in the panel stays on it."""
        toggled = self.listing.toggled(rows or 1)
        self.show(toggled.moved_to(self.listing.cursor) if self.is_open else toggled)

    def select_alike(self) -> None:
        """Select every row of which the list shows the same code as of this one."""
        current, errors, code_of = self.listing.current, self.listing.errors, self._graph_worker.code_shown
        if current is not None:
            code = code_of(current)
            alike = (
                row
                for row in self.listing.ids
                if errors[row].code == current.code and code_of(errors[row]) == code
            )
            self.show(self.listing.with_selected(alike))

    def step_back(self) -> bool:
        """One step back. False where there is nothing left to take back here."""
        if super().step_back():
            return True
        listing = self.listing
        if listing.range is None and not listing.filter and not listing.selected:
            return False
        if listing.range is None and listing.filter.text in self._narrowed_from:
            self.filter_by(self._narrowed_from.pop(listing.filter.text))
            return True
        self.show(listing.escaped(self.context.clock()))
        return True

    # -- looking ---------------------------------------------------------------------------------------

    def linked(self) -> None:
        if self.listing.filter.by_cause and self._graph_worker.graph is not None:
            new_filter = self._read(self.listing.filter.text, in_force=True)
            now = self.context.clock()
            self._arrange(lambda listing: listing.filtered(new_filter, now))
        self._told_anew = True
        self.panel_soon()

    def show_alike(self, row: str) -> None:
        """Show all rows with this one's cause; where they are shown already, all rows again."""
        graph = self._graph_worker.graph
        cause = graph.cause_of(row) if graph is not None else None
        if cause is None:
            return
        of_cause = f"cause:{cause.roots[0]}"
        self._typed_from = self.listing.errors[row]
        self.filter_by("" if self.listing.filter.text == of_cause else of_cause)

    def go_to(self, row: str) -> None:
        """The cursor on this row; a filter that hides it is taken away."""
        if row not in self.listing.ids:
            self.show(self.listing.filtered(EVERYTHING, self.context.clock()))
        self.show(self.listing.moved_onto(row))

    def _asked_cause(self, word: str) -> frozenset[str] | None:
        graph = self._graph_worker.graph
        return graph.of_cause(word) if graph is not None else frozenset()

    def _read(self, text: str, *, typing: bool = False, in_force: bool = False) -> Filter:
        """Read a filter; one that is in force asks for what it does, even where that has left the list."""
        errors, all_known = self.listing.errors, not (in_force or self.context.state.reading.active)
        return parse(
            text,
            typing=typing,
            codes=(lambda: {row.code for row in errors.values() if row.code}) if all_known else None,
            cause_of=(lambda word: self._asked_cause(word) or ()) if in_force else self._asked_cause,
            saved=lambda: self.context.config.filters,
            handled=self.context.state.handlings.of,
        )

    def scroll_columns(self, views: int) -> None:
        """Sideways in the table; in front of the panel there is none."""
        if self.is_open and not self.shows_both:
            key = self.context.key_of
            both = f"{key('columns_left')} and {key('columns_right')}"
            self.post_message(Announced(f"{key('back')} goes back to the table; {both} scroll its columns."))
        elif not self.table.scroll_columns(views):
            line = "There are no more columns." if views > 0 else "These are the first columns."
            self.post_message(Announced(line))

    @property
    def columns_here(self) -> ColumnChoice:
        """The columns chosen for this org, else the configuration's; empty while the window decides."""
        return self.layout_here.columns or self.context.config.columns.get(self.window, ())

    def choose_columns(self) -> None:
        from syncerr_tui.ui.screens.menus import ColumnDialog

        window, layout = self.window, self.layout_here

        def chosen(columns: ColumnChoice | None) -> None:
            if columns is not None:
                self.post_message(self.Arranged(window, replace(layout, columns=columns)))

        dialog = ColumnDialog(self.columns_here, self.table.first_view, window)
        self.app.push_screen(dialog, chosen)

    def arranged(self) -> None:
        super().arranged()
        self.table.choose(self.columns_here)

    def on_resize(self) -> None:
        super().on_resize()
        self.table.choose(self.columns_here)

    def sort_by(self, column: Column) -> None:
        """Sort by this column; the same again turns the order round."""
        reverse = column is self.listing.sort and not self.listing.reverse
        self._arrange(lambda listing: listing.sorted(column, reverse=reverse))

    @property
    def filter_text(self) -> str:
        return self.listing.filter.text

    def filter_as_typed(self, text: str) -> None:
        self._narrowed_from.clear()
        self._typed_from = self._typed_from or self.listing.current
        new_filter = self._read(text, typing=True)
        self._typing.cancel()
        self.workers.cancel_group(self, "filter")
        if len(self.listing.errors) < MANY:
            self._filter(new_filter)
        elif new_filter.shown != self.listing.filter.shown:
            self._typing.call(lambda: self._filter_meanwhile(new_filter))

    @work(group="filter")
    async def _filter_meanwhile(self, new_filter: Filter) -> None:
        now, row = self.context.clock(), self._typed_from
        await self._arrange_in_thread(lambda listing: listing.filtered(new_filter, now, row))

    def filter_by(self, text: str) -> None:
        self._typing.cancel()
        self.workers.cancel_group(self, "filter")
        self._filter(self._read(text))
        self._typed_from = None

    def narrow(self, term: str, *, without: bool = False) -> str:
        """Ask for one more term, or leave out what has it; one step back takes it away again.

        Returns:
            The filter with it.

        Raises:
            BadInputError: It cannot be read.
        """
        before = self.filter_text
        text = narrowed(before, term, without=without)
        self.filter_by(text)
        if text != before:
            self._narrowed_from[text] = before
        return text

    def _filter(self, new_filter: Filter) -> None:
        if new_filter.shown != self.listing.filter.shown:
            now, row = self.context.clock(), self._typed_from
            self._arrange(lambda listing: listing.filtered(new_filter, now, row), at_once=not new_filter)

    # -- other rows, or the same in another order ------------------------------------------------------

    def _arrange(self, change: ListingChange, *, at_once: bool = False) -> None:
        """Show this at once, or as soon as a thread has made it. Keys wait, as they are meant for that."""
        if at_once or len(self.listing.errors) < MANY:
            self.show(change(self.listing))
            return
        self._changes.append(change)
        if self.context.settled.is_set():
            self.context.settled.clear()
            self.run_worker(self._arrange_meanwhile())

    async def _arrange_meanwhile(self) -> None:
        """Nothing is painted meanwhile: a person sees the old rows, then the new ones."""
        try:
            with self.app.batch_update():
                while self._changes:
                    await self._arrange_in_thread(self._changes.pop(0))
        finally:
            self.context.settled.set()

    async def _arrange_in_thread(self, change: ListingChange) -> None:
        """Show this once a thread has made it; keys need not wait.

        Where rows came or went it is made anew at once: pages may come faster than a thread is done.
        """
        before = self.listing
        arranged = await asyncio.to_thread(change, before)
        now = self.listing
        self.show(now.arranged_as(arranged) if before.is_arranged_as(now) else change(now))

    def on_error_table_fitted(self, event: ErrorTable.Fitted) -> None:
        """What the list is sorted by stands in its header, or else in the line of tabs."""
        event.stop()
        self.changed()

    # -- the mouse -------------------------------------------------------------------------------------

    def row_clicked(self, event: VirtualList.Clicked) -> None:
        moved = self.listing.moved_to(event.row, extend=event.extend)
        self.show(replace(moved.toggled(), cursor=event.row) if event.toggle else moved)
        if event.opened:
            self.info()

    def on_virtual_list_header_clicked(self, event: VirtualList.HeaderClicked) -> None:
        """A click on a column's name sorts by it, the same again reverses; [ and ] go sideways."""
        event.stop()
        match self.table.column_at(event.x):
            case Column() as column:
                self.sort_by(column)
            case int() as views:
                self.scroll_columns(views)

    COUNTED: ClassVar[CountedHandlers[ErrorsPane]] = {
        **ListWithPanel.MOVES,
        "next_error": lambda pane, rows: pane.move_cursor(rows or 1),
        "previous_error": lambda pane, rows: pane.move_cursor(-(rows or 1)),
        "extend_down": lambda pane, rows: pane.move_cursor(rows or 1, extend=True),
        "extend_up": lambda pane, rows: pane.move_cursor(-(rows or 1), extend=True),
        "toggle": toggle,
    }
    HANDLERS: ClassVar[Handlers[ErrorsPane]] = {
        **ListWithPanel.OF_PANEL,
        "columns_right": lambda pane: pane.scroll_columns(1),
        "columns_left": lambda pane: pane.scroll_columns(-1),
        "zoom_message": lambda pane: pane.table.zoom_message(),
        "choose_columns": choose_columns,
        "next_change": next_change,
        "range": lambda pane: pane.show(pane.listing.range_toggled()),
        "select_all": lambda pane: pane.show(pane.listing.all_selected()),
        "invert": lambda pane: pane.show(pane.listing.inverted()),
        "select_alike": select_alike,
    }
