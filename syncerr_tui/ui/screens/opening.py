"""The first frame: who is here. Everything else is imported once it has been drawn."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.screen import Screen

from syncerr_tui.ui.widgets.line import Line


class Opening(Screen[None], inherit_bindings=False):
    """The title line, until the workbench takes its place.

    Args:
        drawn: Called once this is on screen.
    """

    DEFAULT_CSS = "Opening { background: $syncerr-ground; } Opening > Line { background: $syncerr-bar; }"

    def __init__(self, drawn: Callable[[], object]) -> None:
        super().__init__()
        self._drawn = drawn

    def compose(self) -> ComposeResult:
        """One line."""
        title = Line()
        title.show([(" SyncErr  ", "strong"), ("starting ...", "quiet")])
        yield title

    def on_mount(self) -> None:
        """Draw first."""
        self.call_after_refresh(self._drawn)
