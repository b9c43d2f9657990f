"""The info panel: text that is longer than its window."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class InfoPanel(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Shows one text from its beginning; scrolls when told to. Its keys are the app's."""

    def compose(self) -> ComposeResult:
        """The text."""
        yield Static(Content(""), markup=False)

    def show(self, text: Content) -> None:
        """Show this text from its beginning."""
        self.query_one(Static).update(text)
        self.scroll_to(y=0, animate=False, force=True)

    def move(self, rows: int) -> None:
        """Scroll by so many rows."""
        self.scroll_relative(y=rows, animate=False, force=True)

    def move_to_end(self, *, top: bool) -> None:
        """Scroll to the beginning or to the end."""
        if top:
            self.scroll_home(animate=False, force=True)
        else:
            self.scroll_end(animate=False, force=True)

    @property
    def page(self) -> int:
        """Rows that fit into the window."""
        return max(1, self.size.height)
