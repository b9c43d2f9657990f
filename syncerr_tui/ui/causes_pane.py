"""What really broke, worst first: each cause with what it holds up, and below it the tree of its errors.

The selection is the list's own: a cause is selected when all its errors are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from syncerr_tui.model import SyncError
from syncerr_tui.triage.actions import ActionFacts
from syncerr_tui.triage.state import Place
from syncerr_tui.ui.cause_graph_worker import CauseGraphWorker
from syncerr_tui.ui.cause_lines import CauseLines, CauseList, Node, Outline, are_same, tree_of
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.list_with_panel import CountedHandlers, Handlers, ListWithPanel
from syncerr_tui.ui.status_lines import TabNote
from syncerr_tui.ui.widgets.panel import Subject
from syncerr_tui.ui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Cause
    from syncerr_tui.diagnosis.text_layout import TextLine

_MARKS_DELAY = 0.25


class CausesPane(ListWithPanel):
    """The causes at the left, what to do about the one under the cursor at the right or in its place."""

    place = Place.CAUSES

    def __init__(
        self,
        context: AppContext,
        errors: ErrorsPane,
        graph_worker: CauseGraphWorker,
        describe: Callable[[Cause, datetime, int], list[TextLine]],
    ) -> None:
        self._opened: dict[str, tuple[Node, ...]] = {}
        self._lines = CauseLines(context, errors, graph_worker, lambda key: key in self._opened)
        self.board = CauseList(self._lines, id="cause-list")
        super().__init__(context, self.board)
        self._describe = describe
        self._errors = errors
        self._graph_worker = graph_worker
        self._outline = Outline()
        self._cursor = 0
        self._wanted_row: str | None = None
        """The error whose cause the person came for, while the causes are not known yet."""
        self._described: tuple[str, str | None] | None = None
        self._marks = Debouncer(self, _MARKS_DELAY)
        self._shown_for: tuple[object, ...] = ()
        self._counted_for: tuple[object, ...] = ()
        self._count = 0

    # -- what is known ---------------------------------------------------------------------------------

    @property
    def tab(self) -> str:
        """`Causes (6)`."""
        open_rows = (row for row in self.context.state.listing.errors if row not in self.context.state.proven)
        # Every error has a cause: where none is known, they are still being worked out.
        unknown = self.context.unread or (not self.count and next(open_rows, None) is not None)
        return "Causes (?)" if unknown else f"Causes ({self.count:,})"

    @property
    def count(self) -> int:
        """How many causes there are; one of which a run has proven every row is none any more."""
        known, state = self._graph_worker.known, self.context.state
        if state.reading.active:
            return known.count
        errors, left = state.listing.errors, state.proven
        if not are_same(self._counted_for, now := (known, errors, left)):
            self._counted_for = now
            # What has left the list, or is proven, is no cause any more; the graph follows a moment later.
            self._count = sum(
                any(row in errors and row not in left for row in chain(c.roots, c.victims, c.guessed))
                for c in known.causes
            )
        return self._count

    @property
    def tab_note(self) -> TabNote:
        filtered = self.context.state.listing.filter
        return TabNote.of_filter(filtered.shown, len(self._outline.causes)) if filtered else TabNote()

    @property
    def node(self) -> Node | None:
        return self._outline[self._cursor] if len(self._outline) else None

    @property
    def current(self) -> SyncError | None:
        """The error under the cursor; of a cause its oldest."""
        node = self.node
        if node is None:
            return None
        errors = self.context.state.listing.errors
        rows = (node.row,) if node.row else node.cause.roots
        return next((errors[row] for row in rows if row in errors), None)

    @property
    def failing(self) -> tuple[SyncError, ...]:
        """The error under the cursor; of a cause all that fail for it themselves."""
        node = self.node
        return self._listed(() if node is None else (node.row,) if node.row else node.cause.roots)

    @property
    def chosen(self) -> tuple[SyncError, ...]:
        """What an action acts on: the selection, else the cause and all it holds, else the one error."""
        listing = self.context.state.listing
        if listing.selected:
            return listing.chosen
        return self._listed(_rows(self.node))

    def _listed(self, rows: tuple[str, ...]) -> tuple[SyncError, ...]:
        """These rows as they are in the list."""
        errors = self.context.state.listing.errors
        return tuple(map(errors.__getitem__, self._graph_worker.known.listed(rows, errors)))

    def facts(self, facts: ActionFacts) -> ActionFacts:
        facts = self.facts_of_list(facts, current=self.current is not None, total=len(self._outline))
        return replace(facts, linking=self._graph_worker.working)

    # -- showing ---------------------------------------------------------------------------------------

    def entered(self) -> None:
        self._lines.moment = self.context.clock()
        self.refreshed()
        self.take_focus()

    def tick(self) -> None:
        self._lines.moment = self.context.clock()
        if self.display:
            self.board.redraw()
            self.panel_soon()

    def came_from(self, row: str | None) -> None:
        """The person came from this row of the list: the cursor goes to its cause."""
        self._wanted_row = row

    def refreshed(self) -> None:
        """The list, its filter or its selection may have changed, or the causes are known anew."""
        if not self.display:
            return
        listing, known = self.context.state.listing, self._graph_worker.known
        now_for = (known.causes, listing.view, self._graph_worker.working)
        if now_for != self._shown_for:
            if now_for[:2] != self._shown_for[:2]:
                self._lines.forget()
            self._shown_for = now_for
            self._rebuild(self._visible(known.causes))
        if self._wanted_row is not None and self._graph_worker.graph is not None:
            self._go_to_row(self._wanted_row)
            self._wanted_row = None
        self._show()

    def _visible(self, causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
        listing = self.context.state.listing
        shown = listing.view.positions if listing.filter else listing.errors
        return tuple(
            cause
            for cause in causes
            if any(row in shown for row in chain(cause.roots, cause.victims, cause.guessed))
        )

    def _rebuild(self, causes: tuple[Cause, ...]) -> None:
        """Another state of the causes; what is open stays open, the cursor stays where it was."""
        before = self.node
        graph = self._graph_worker.graph
        if graph is not None:
            known = {cause.key: cause for cause in causes}
            self._opened = {key: tree_of(graph, known[key]) for key in self._opened if key in known}
        self._outline = Outline(causes, self._opened)
        place = self._outline.place_of(*before.place) if before is not None else 0
        self._cursor = max(0, min(self._cursor if place is None else place, len(self._outline) - 1))

    def _draw(self) -> None:
        self._show()
        self.changed()

    def _show(self) -> None:
        listing = self.context.state.listing
        if listing.errors and listing.filter and self._graph_worker.known.causes:
            note = self.nothing_matches("all causes")
        elif self._graph_worker.working:
            note = ("Working out what waits for what ...",)
        elif self.context.unread:
            reading, unread = self.context.state.reading, self.context.unread.capitalize()
            action, does = ("login", "logs in") if reading.expired else ("refresh", "tries")
            again = f"{unread}: {self.context.key_of(action)} {does} again."
            note = (unread if reading.active or reading.failure is None else again,)
        else:
            note = ("No causes: there are no sync errors in the list.",)
        self.board.show(self._outline, self._cursor, note)
        self.panel_soon()

    def left_by_runs_known(self) -> None:
        """What earlier runs left of the rows is known anew."""
        if self.display:
            self.board.redraw()
            self.panel_soon()

    def known_better(self, error: SyncError | None) -> None:
        if self.display and (error is None or error == self.current):
            self.panel_soon()

    def marks_changed(self) -> None:
        """A run says something new about rows: draw it, soon and together."""
        if self.display:
            self._marks.soon(self.board.redraw)

    # -- the panel -------------------------------------------------------------------------------------

    @property
    def subject(self) -> Subject | None:
        """What is under the cursor; a cause is named by its oldest error."""
        node, error = self.node, self.current
        if node is None or error is None:
            return None
        return Subject.of_error(node.place, error, 0 if node.row else len(node.cause.roots) - 1)

    def show_panel(self) -> None:
        node = self.node
        if node is None:
            self._described = None
            self.panel.show(lambda _width: ())
            return
        if self._graph_worker.graph is None:
            return
        same = node.place == self._described
        if not same:
            self.post_message(self.PanelShown(self.current))
        self._described = node.place
        if node.row is not None and (error := self.current) is not None:
            outcome = self._errors.outcomes.get(error.id, "")
            self.panel.show(
                lambda width: self._errors.describe(error, self._lines.moment, outcome, width),
                self.subject,
                keep_place=same,
            )
        else:
            self.panel.show(
                lambda width: self._describe(node.cause, self._lines.moment, width),
                self.subject,
                keep_place=same,
            )

    # -- moving ----------------------------------------------------------------------------------------

    def _to(self, place: int) -> None:
        self._cursor = max(0, min(place, len(self._outline) - 1))
        self._draw()

    def move_cursor(self, rows: int) -> None:
        self._to(self._cursor + rows)

    @property
    def has_row(self) -> bool:
        """Whether there is a cause, or an error of one, under the cursor."""
        return self.node is not None

    def next_cause(self, causes: int | None = None) -> None:
        for _ in range(min(causes or 1, len(self._outline.causes))):
            node = self.node
            at = self._outline.place_of_cause(node.cause.key) if node else None
            if node is not None and at is not None:
                self._to(at + 1 + len(self._opened.get(node.cause.key, ())))

    def previous_cause(self, causes: int | None = None) -> None:
        for _ in range(min(causes or 1, len(self._outline.causes))):
            node = self.node
            at = self._outline.place_of_cause(node.cause.key) if node else None
            if not at:
                return
            on_cause = self.node is not None and self.node.is_cause
            before = self._outline[at - 1].cause.key
            self._to(at if not on_cause else self._outline.place_of_cause(before) or 0)

    def _go_to_row(self, row: str) -> None:
        graph = self._graph_worker.graph
        cause = graph.cause_of(row) if graph is not None else None
        place = self._outline.place_of(cause.key, row) if cause is not None else None
        if place is not None:
            self._cursor = place

    # -- opening and closing ---------------------------------------------------------------------------

    def open_node(self) -> None:
        node, graph = self.node, self._graph_worker.graph
        if node is None:
            return
        if node.is_cause and node.cause.key not in self._opened:
            if graph is None:
                # Its errors come as soon as the graph can be asked, whatever else is the same then.
                self._shown_for = ()
            tree = tree_of(graph, node.cause) if graph is not None else ()
            self._set_open({**self._opened, node.cause.key: tree})
        else:
            self._to(self._cursor + 1)

    def close_node(self) -> None:
        node = self.node
        if node is None:
            return
        place = self._outline.place_of_cause(node.cause.key)
        if node.is_cause:
            self._set_open({key: tree for key, tree in self._opened.items() if key != node.cause.key})
        elif place is not None:
            self._to(place)

    def _set_open(self, opened: Mapping[str, tuple[Node, ...]]) -> None:
        self._opened = dict(opened)
        self._outline = Outline(self._outline.causes, self._opened)
        node = self.node
        if node is not None:
            self._cursor = min(self._cursor, len(self._outline) - 1)
        self._draw()

    # -- selecting -------------------------------------------------------------------------------------

    def toggle(self, lines: int | None = None) -> None:
        for _ in range(min(lines or 1, len(self._outline) - self._cursor)):
            self._toggle_line()

    def _toggle_line(self) -> None:
        node = self.node
        if node is None:
            return
        listing = self.context.state.listing
        rows = frozenset(self._graph_worker.known.listed(_rows(node), listing.errors))
        listing = listing.unselected(rows) if rows <= listing.selected else listing.with_selected(rows)
        self._errors.show(listing)
        if self.is_open:
            self._draw()
        elif node.is_cause:
            self.next_cause()
        else:
            self._to(self._cursor + 1)

    # -- the mouse -------------------------------------------------------------------------------------

    def row_clicked(self, event: VirtualList.Clicked) -> None:
        self._to(event.row)
        if event.toggle:
            self.toggle()
        if event.opened:
            self.open_node()

    COUNTED: ClassVar[CountedHandlers[CausesPane]] = {
        **ListWithPanel.MOVES,
        "next_cause": next_cause,
        "previous_cause": previous_cause,
        "toggle": toggle,
    }
    HANDLERS: ClassVar[Handlers[CausesPane]] = {
        **ListWithPanel.OF_PANEL,
        "open": open_node,
        "close": close_node,
    }


def _rows(node: Node | None) -> tuple[str, ...]:
    """The errors a line stands for. A guess is never among them."""
    if node is None:
        return ()
    return (node.row,) if node.row is not None else (*node.cause.roots, *node.cause.victims)
