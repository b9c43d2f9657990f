"""The sheet with all fields of a record as the org returned it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.triage.export import fields
from syncerr_tui.ui.screens.dialog import Reading
from syncerr_tui.ui.widgets.line import Line
from syncerr_tui.ui.widgets.panel import InfoPanel

_NAMES = 30
"""Cells that names take at most beside their values."""


class RecordSheet(Reading[None]):
    """Every field and its value; `/` leaves those that have some words.

    Args:
        heading: Which record.
        show: Shows the record in another program: `pager` or `editor`.
        copy: Copies it.
        thumb: The sign of the scroll bar.
    """

    _keys = (
        ("j k", "scroll"),
        ("/", "narrows"),
        ("F3", "pager"),
        ("F4", "editor"),
        ("y", "copies"),
        ("esc", "closes"),
    )
    SHAPE = "-full"
    NARROWS = "part of a field's name or of its value"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3,vertical_line", "show_in('pager')", show=False),
        Binding("f4", "show_in('editor')", show=False),
        Binding("y", "copy", show=False),
    ]

    def __init__(
        self, heading: str, show: Callable[[str], object], copy: Callable[[], object], *, thumb: str
    ) -> None:
        super().__init__()
        self._heading = heading
        self._show = show
        self._copy = copy
        self._thumb = thumb
        self._fields: Sequence[tuple[str, str]] = ()
        self._note = "Reading the record ..."
        self._words: list[str] = []

    def body(self) -> Sequence[Widget]:
        """The fields, laid out for the width there is."""
        panel = InfoPanel(thumb=self._thumb)
        panel.show(self._lines)
        return (panel,)

    def learn(self, record: Mapping[str, Any]) -> None:
        """The org has answered."""
        self._fields, self._note = fields(record), ""
        self._draw()

    def failed(self, line: str) -> None:
        """The org has not."""
        self._note = line
        self._draw()

    def say(self, line: str, look: str) -> None:
        """One line in place of the keys; the keys again where it is empty."""
        if self.is_mounted:
            self.query_one("#answers", Line).show([(line, look)] if line else self.answers)

    def _draw(self) -> None:
        if self.is_mounted:
            self.query_one(InfoPanel).show(self._lines)

    def show_matching(self, text: str) -> None:
        """Show only the fields with these words."""
        self._words = text.casefold().split()
        self._draw()

    def _lines(self, width: int) -> list[TextLine]:
        page = TextLayout(width)
        page.text(self._note)
        shown = [
            (name, value)
            for name, value in self._fields
            if all(word in f"{name} {value}".casefold() for word in self._words)
        ]
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

    def action_scroll(self, rows: int) -> None:
        """Scroll."""
        self.query_one(InfoPanel).move(rows)

    def action_show_in(self, program: str) -> None:
        """In another program."""
        self._show(program)

    def action_copy(self) -> None:
        """The whole record as JSON."""
        self._copy()
