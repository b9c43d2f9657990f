"""Filtering by what rows have in common: counts, rows like one, and the filters applied or saved."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from textual.screen import Screen

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.triage.filter import FIELDS
from syncerr_tui.triage.terms import FilterHistory, completions, history_of, quoted
from syncerr_tui.triage.values import KINDS, Value, counted, value_label, values_of
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.messages import announce
from syncerr_tui.ui.services import Controller, Services
from syncerr_tui.ui.widgets.panel import Subject


class FilterController(Controller):
    """Opens the dialogs, and keeps what filters were applied. What happens is posted.

    Args:
        errors: The list that is filtered.
    """

    def __init__(self, services: Services, screen: Screen[None], errors: ErrorsPane) -> None:
        super().__init__(services, screen)
        self._errors = errors
        self._kind = "code"
        """What was counted by last."""
        self.history = FilterHistory()
        self._keeping = asyncio.Lock()

    # -- what the rows are like ------------------------------------------------------------------------

    def count_by(self) -> None:
        """How often each value occurs among the rows shown; enter filters by one."""
        from syncerr_tui.ui.screens.menus import CountsDialog

        listing = self._errors.listing
        rows = [listing.errors[row] for row in listing.ids]

        def count(kind: str) -> Sequence[Value] | None:
            self._kind = kind
            reads = kind == "cause" or (kind == "code" and any(row.code is None for row in rows))
            worker = self._services.graph_worker
            if reads and worker.graph is None:
                return None
            return counted(kind, rows, cause_of=self._cause_of, code_of=worker.code_shown)

        def chosen(value: Value | None) -> None:
            if value is not None:
                self._filter(value.term)

        dialog = CountsDialog(len(rows), count, self._kind, self._shown)
        self._open(dialog, chosen)

    def only_like(self, error: SyncError) -> None:
        """Keep the rows that have a value in common with this one, or leave them out."""
        from syncerr_tui.ui.screens.menus import like_menu

        def chosen(answer: tuple[Value, bool] | None) -> None:
            if answer is not None:
                self._filter(answer[0].term, without=answer[1])

        values = values_of(error, cause_of=self._cause_of, code_of=self._services.graph_worker.code_shown)
        name = Subject.of_error(error.id, error).name
        menu = like_menu(name, values, self._shown)
        self._open(menu, chosen)

    def _filter(self, term: str, *, without: bool = False) -> None:
        try:
            text = self._errors.narrow(term, without=without)
        except SyncErrError as error:
            self._say(error.line, "bad")
        else:
            self.applied(self._errors.filter_kind, text)

    def _cause_of(self, row: str) -> str | None:
        graph = self._services.graph_worker.graph
        cause = graph.cause_of(row) if graph is not None else None
        return cause.roots[0] if cause is not None else None

    def _shown(self, value: Value) -> str:
        graph = self._services.graph_worker.graph
        cause = graph.cause_of(value.text) if value.field == "cause" and graph is not None else None
        if cause is None:
            return value_label(value)
        from syncerr_tui.ui.cause_words import headline

        return headline(self._errors.listing.errors, cause, self._errors.history.unsettled)

    # -- the filters that were applied, and those that are kept ----------------------------------------

    def completions(self, text: str) -> list[str]:
        """A filter of the list as it is typed, with its last word completed from what the list holds."""
        listing = self._errors.listing
        errors = listing.errors.values()
        values = {kind: [value.text for value in counted(kind, errors)] for kind in KINDS}
        return completions(text, FIELDS, {**values, "saved": list(self._context.config.filters)})

    def recall(self, org_id: str) -> None:
        """What was applied in earlier starts."""
        from syncerr_tui.host import remembered

        folder = self._journals.folder

        async def recalled() -> str:
            known = await asyncio.to_thread(
                remembered.read, folder, "filters", org_id, history_of, FilterHistory()
            )
            self.history = self.history.after(known)
            return ""

        announce(self._screen, recalled(), "filters")

    def applied(self, kind: str, text: str) -> None:
        before, self.history = self.history, self.history.used(kind, text)
        connection = self._context.connection
        if connection is not None and before.filters != self.history.filters:
            announce(self._screen, self._kept(connection.identity.org_id), "filters")

    async def _kept(self, org_id: str) -> str:
        from syncerr_tui.host import remembered

        folder = self._journals.folder

        def write() -> None:
            try:
                known = remembered.read(folder, "filters", org_id, history_of, FilterHistory())
            except SyncErrError:
                known = FilterHistory()  # it was said at the start, and begins anew
            remembered.write(folder, "filters", org_id, self.history.after(known).as_text())

        async with self._keeping:  # the last one is written last
            await asyncio.to_thread(write)
        return ""

    def save_filter(self) -> None:
        """Give the filter in force a name, and keep it in the configuration."""
        from syncerr_tui.ui.screens.line_dialog import filter_name_dialog

        text, known = self._errors.filter_text, self._context.config.filters

        def named(name: str | None) -> None:
            if name:
                announce(self._screen, self._saved(name, text), "saving")

        self._open(filter_name_dialog(text, known), named)

    async def _saved(self, name: str, text: str) -> str:
        from syncerr_tui.host.config import save_filter

        context = self._context
        path = await asyncio.to_thread(save_filter, name, text, context.environ)
        context.config = replace(context.config, filters={**context.config.filters, name: text})
        term = f"saved:{quoted(name)}"
        return f"{term} filters by it from now on, in --filter too. It stands in {path}"
