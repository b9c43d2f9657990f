"""The raw record behind an error: as a sheet, or in the person's own pager or editor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textual.screen import Screen

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.triage.export import as_json
from syncerr_tui.ui.messages import Announced
from syncerr_tui.ui.services import Services

Say = Callable[[str, str], object]
"""Shows a line, in a look; the keys again where it is empty."""

_READING = "Reading the record ..."


class RecordViewer:
    """Reads a change event with all its fields, and shows it.

    Args:
        services: The org, and what gives the terminal away.
        screen: The sheet comes up on top of it, and it takes the messages.
        copy: Copies a text, and says what it was.
    """

    def __init__(self, services: Services, screen: Screen[None], copy: Callable[[str, str], object]) -> None:
        self._services = services
        self._context = services.context
        self._screen = screen
        self._copy = copy
        self._records: dict[str, Mapping[str, Any]] = {}
        """The record that is shown, by its id: the other ways to show it ask the org no second time."""

    def open(self, error: SyncError) -> None:
        """The sheet, at once; its fields as soon as the org has answered."""
        from syncerr_tui.ui.screens.record import RecordSheet

        self._records.clear()
        sheet = RecordSheet(
            f"{error.object} {error.event_type.value}: change event {error.id}, as the org returns it",
            lambda program: self.show_in(program, error, sheet.say),
            lambda: self._copy_of(error),
            thumb="┃" if self._context.terminal.unicode else "|",
        )

        async def learn() -> None:
            try:
                sheet.learn(await self._record(error))
            except SyncErrError as problem:
                sheet.failed(problem.line)

        self._screen.app.push_screen(sheet, lambda _answer: self._records.clear())
        self._screen.run_worker(learn(), group="record", exclusive=True, name="record")

    def show_in(self, program: str, error: SyncError, say: Say | None = None) -> None:
        """In the person's `pager` or `editor`, which gets the terminal."""
        showing = self._show(program, error, say or self._say)
        self._screen.run_worker(showing, group="viewer", exclusive=True, name="viewer")

    async def _show(self, program: str, error: SyncError, say: Say) -> None:
        from syncerr_tui.host import viewer

        try:
            argv = (viewer.pager if program == "pager" else viewer.editor)(self._context.environ)
            if error.id not in self._records:
                say(_READING, "quiet")
            text = as_json(await self._record(error))
            changed = await self._services.hooks.view(text, f"change-event-{error.id}.json", argv)
        except SyncErrError as problem:
            say(problem.line, "bad")
        else:
            say("What you changed in the file was dropped; nothing was sent." if changed else "", "strong")

    def _copy_of(self, error: SyncError) -> None:
        record = self._records.get(error.id)
        if record is not None:
            self._copy(as_json(record), "the whole record as JSON")

    async def _record(self, error: SyncError) -> Mapping[str, Any]:
        if error.id not in self._records:
            connection = self._context.connection
            assert connection is not None  # the action says so before
            self._records = {error.id: await connection.raw_event(error.id)}
        return self._records[error.id]

    def _say(self, line: str, look: str) -> None:
        self._screen.post_message(Announced(line, look))
