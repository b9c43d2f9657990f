"""What stands under a tab: one part of the app with its own rows and its own keys."""

from __future__ import annotations

from typing import ClassVar

from textual.message import Message
from textual.widget import Widget

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.triage.actions import AppState, Place
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.debouncer import Debouncer
from syncerr_tui.ui.widgets.panel import InfoPanel

WIDE = 110
"""Cells from which the info panel stands beside the list."""
_REST_SECONDS = 0.08
"""How long the cursor rests before the panel follows: a held key writes no panels."""
_FAR = 1_000_000
"""More rows than any list holds."""


class Pane(Widget):
    """A pane does what it can do in methods named `do_<id of the action>`; the workbench does the rest."""

    place: ClassVar[Place]

    class Changed(Message):
        """Something that the lines around the pane tell has changed."""

    class Told(Message):
        """Something to say in one line."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    class Failed(Message):
        """What the pane shows cannot be read."""

        def __init__(self, error: SyncErrError) -> None:
            super().__init__()
            self.error = error

    class Looked(Message):
        """The panel shows this error now."""

        def __init__(self, error: SyncError | None) -> None:
            super().__init__()
            self.error = error

    def __init__(self, context: AppContext) -> None:
        super().__init__(id=self.place.value)
        self.context = context
        self._resting = Debouncer(self, _REST_SECONDS)

    @property
    def tab(self) -> str:
        """Its name in the line of tabs, with a count where there is one."""
        return self.place.value.capitalize()

    @property
    def tells(self) -> str:
        """What stands at the right of the line of tabs: the filter, as a rule."""
        return ""

    @property
    def current(self) -> SyncError | None:
        """The error under the cursor, where there is one."""
        return None

    @property
    def failing(self) -> tuple[SyncError, ...]:
        """The errors under the cursor that fail for one reason: as a rule one."""
        return (self.current,) if self.current is not None else ()

    @property
    def chosen(self) -> tuple[SyncError, ...]:
        """The errors an action acts on."""
        return ()

    @property
    def panel(self) -> InfoPanel:
        """Its info panel."""
        return self.query_one(InfoPanel)

    @property
    def is_wide(self) -> bool:
        """Whether the panel stands beside the list."""
        return self.size.width >= WIDE

    @property
    def is_open(self) -> bool:
        """Whether the person went into the panel."""
        return self.has_class("-open")

    @property
    def filter_text(self) -> str | None:
        """Its own filter as it was typed; None where the list's filter is in force."""
        return None

    @property
    def filter_hint(self) -> str:
        """What can be typed there."""
        return 'free text, object: code: event: age:>2d  "quoted"  -not'

    def filter_as_typed(self, text: str) -> str:
        """Filter by what stands in the filter bar so far.

        Returns:
            What is wrong with it, in words; empty where it can be read.
        """
        return ""

    def filter_by(self, text: str) -> None:
        """Filter by a finished text.

        Raises:
            BadInputError: It cannot be read.
        """

    def step_back(self) -> bool:
        """One step back; False where there is nothing of this pane's to take back."""
        return False

    def facts(self, state: AppState) -> AppState:
        """The state of the app with what only this pane knows."""
        return state

    def known_better(self, error: SyncError | None) -> None:
        """More is known about this error, or about all of them: tell it where it is on screen."""

    def entered(self) -> None:
        """The person came here: take the focus."""

    # -- the panel follows the cursor ------------------------------------------------------------------

    def _panel_soon(self) -> None:
        """What the panel tells may have changed."""
        if self.is_wide or self.is_open:
            self._resting.call(self._panel_now)

    def _panel_now(self) -> None:
        """Tell in the panel what is under the cursor."""

    def on_resize(self) -> None:
        """Put the panel beside the list, or away."""
        self.set_class(self.is_wide, "-wide")
        self._panel_soon()

    # -- moving, in rows or in text ----------------------------------------------------------------------

    def move(self, rows: int) -> None:
        """The cursor, or the text of the panel, so many rows down."""

    @property
    def page(self) -> int:
        """Rows in the window."""
        return 1

    def do_down(self) -> None:
        self.move(1)

    def do_up(self) -> None:
        self.move(-1)

    def do_page_down(self) -> None:
        self.move(self.page)

    def do_page_up(self) -> None:
        self.move(-self.page)

    def do_half_down(self) -> None:
        self.move(max(1, self.page // 2))

    def do_half_up(self) -> None:
        self.move(-max(1, self.page // 2))

    def do_first(self) -> None:
        self.move(-_FAR)

    def do_last(self) -> None:
        self.move(_FAR)
