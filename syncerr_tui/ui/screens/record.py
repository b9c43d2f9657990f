"""The raw record behind an error: as a sheet, or in the person's own pager or editor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.text import one_line
from syncerr_tui.triage.export import record_fields, record_json
from syncerr_tui.ui.clipboard_actions import copy_text
from syncerr_tui.ui.messages import Announced
from syncerr_tui.ui.screens.dialog import PanelReading
from syncerr_tui.ui.services import Controller, Services

_READING = "Reading the record ..."
_NAMES = 30
"""Cells that names take at most beside their values."""


class RecordSheet(PanelReading):
    """Every field and its value; `/` leaves those that have some words.

    Args:
        heading: Which record.
        show: Shows the record in another program: `pager` or `editor`.
        copy: Copies it.
    """

    _keys = (
        ("j k", "scroll"),
        ("/", "narrows"),
        ("F3", "pager"),
        ("F4", "editor"),
        ("y", "copies"),
        ("esc", "closes"),
    )
    NARROWS = "part of a field's name or of its value"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3,vertical_line", "show_in('pager')", show=False),
        Binding("f4", "show_in('editor')", show=False),
        Binding("y", "copy", show=False),
    ]

    def __init__(self, heading: str, show: Callable[[str], object], copy: Callable[[], object]) -> None:
        super().__init__(heading)
        self._show = show
        self._copy = copy
        self._fields: Sequence[tuple[str, str]] = ()
        self._note = _READING

    def learn(self, record: Mapping[str, Any]) -> None:
        self._fields, self._note = record_fields(record), ""
        self.draw()

    def failed(self, line: str) -> None:
        self._note = line
        self.draw()

    def above_answers(self) -> Sequence[Widget]:
        note = Static(id="said", markup=False)
        note.display = False
        return (note,)

    @on(Announced)
    def announced(self, event: Announced) -> None:
        """All of it, above the keys."""
        event.stop()
        note = self.query_one("#said", Static)
        note.update(one_line(event.line))
        note.display = bool(event.line)

    def lines(self, width: int) -> list[TextLine]:
        page = TextLayout(width)
        page.text(self._note)
        shown = [(name, value) for name, value in self._fields if self.has_words(f"{name} {value}")]
        longest = min(max((len(name) for name, _ in shown), default=0), _NAMES)
        for name, value in shown:
            role = Role.MUTED if value == "null" else Role.TEXT
            if len(name) > longest:
                page.text(name, Role.NAME)
                page.pieces((value, role), first=" " * (longest + 2), rest=" " * (longest + 2))
            else:
                page.pieces((value or '""', role), first=f"{name:<{longest}}  ", rest=" " * (longest + 2))
        if self._fields and not shown:
            page.text("No field has these words.")
        return page.lines

    def action_show_in(self, program: str) -> None:
        self._show(program)

    def action_copy(self) -> None:
        self._copy()


class RecordViewer(Controller):
    """Reads a change event with all its fields, and shows it."""

    def __init__(self, services: Services, screen: Screen[None]) -> None:
        super().__init__(services, screen)
        self._records: dict[str, Mapping[str, Any]] = {}
        """The record that is shown, by its id: the other ways to show it ask the org no second time."""

    def open(self, error: SyncError) -> None:
        """The sheet, at once; its fields as soon as the org has answered."""
        self._records.clear()
        sheet = RecordSheet(
            f"{error.object} {error.event_type.value}: change event {error.id}, as the org returns it",
            lambda program: self.show_in(program, error, sheet),
            lambda: self._copy_of(error, sheet),
        )

        async def learn() -> None:
            try:
                sheet.learn(await self._record(error))
            except SyncErrError as problem:
                sheet.failed(problem.line)

        self._open(sheet, lambda _answer: self._records.clear())
        self._screen.run_worker(learn(), group="record", exclusive=True, name="record")

    def show_in(self, program: str, error: SyncError, screen: Screen[Any] | None = None) -> None:
        """In the person's `pager` or `editor`, which gets the terminal; the screen says how it went."""
        showing = self._show(program, error, screen or self._screen)
        self._screen.run_worker(showing, group="viewer", exclusive=True, name="viewer")

    async def _show(self, program: str, error: SyncError, screen: Screen[Any]) -> None:
        from syncerr_tui.host import viewer

        try:
            argv = (viewer.pager if program == "pager" else viewer.editor)(self._context.environ)
            if error.id not in self._records:
                screen.post_message(Announced(_READING, "quiet"))
            text = record_json(await self._record(error))
            changed = await self._services.hooks.view(text, f"change-event-{error.id}.json", argv)
        except SyncErrError as problem:
            screen.post_message(Announced(problem.line, "bad"))
        else:
            dropped = "What you changed in the file was dropped; nothing was sent." if changed else ""
            screen.post_message(Announced(dropped))

    def _copy_of(self, error: SyncError, screen: Screen[Any]) -> None:
        record = self._records.get(error.id)
        if record is not None:
            copy_text(screen, self._context, record_json(record), "the whole record as JSON")

    async def _record(self, error: SyncError) -> Mapping[str, Any]:
        if error.id not in self._records:
            connection = self._context.connection
            assert connection is not None  # the action says so before
            self._records = {error.id: await connection.raw_event(error.id)}
        return self._records[error.id]
