"""The parts that work in the background, each made when it is first asked for. They know no screen."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from textual.screen import Screen

from syncerr_tui.model import SyncError
from syncerr_tui.ui.cause_graph_worker import CauseGraphWorker
from syncerr_tui.ui.error_details_service import ErrorDetailsService
from syncerr_tui.ui.error_history import ErrorHistory
from syncerr_tui.ui.fix_service import FixService
from syncerr_tui.ui.guided_controller import GuidedController
from syncerr_tui.ui.interrupted_runs import InterruptedRuns
from syncerr_tui.ui.messages import BackgroundContext, Service
from syncerr_tui.ui.run_controller import RunController

if TYPE_CHECKING:
    from datetime import datetime

    from syncerr_tui.diagnosis.causes import Cause
    from syncerr_tui.diagnosis.text_layout import TextLine
    from syncerr_tui.ui.details import Details
    from syncerr_tui.ui.hook_runner import HookRunner


Answer = TypeVar("Answer")


class Services:
    """What the workbench asks, and what answers by messages.

    Args:
        background: What they are made with.
        suspended: Gives the terminal to another program, and takes it back.
    """

    def __init__(
        self, background: BackgroundContext, suspended: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self.context = background.context
        self.journals = background.journals
        self._background = background
        self._suspended = suspended

    @cached_property
    def graph_worker(self) -> CauseGraphWorker:
        return CauseGraphWorker(self._background)

    @cached_property
    def runs(self) -> RunController:
        return RunController(self._background, self.graph_worker, self.fixes, self.guided)

    @cached_property
    def guided(self) -> GuidedController:
        """Follows a re-sync that a person presses in Salesforce."""
        return GuidedController(self._background)

    @cached_property
    def fixes(self) -> FixService:
        return FixService(self._background, self.error_details.explain)

    @cached_property
    def error_details(self) -> ErrorDetailsService:
        """What is learnt about an error while a person rests on it."""
        return ErrorDetailsService(self._background)

    @cached_property
    def error_history(self) -> ErrorHistory:
        return ErrorHistory(self._background)

    @cached_property
    def interrupted_runs(self) -> InterruptedRuns:
        return InterruptedRuns(self._background)

    @cached_property
    def hooks(self) -> HookRunner:
        from syncerr_tui.ui.hook_runner import HookRunner

        return HookRunner(self._background, self._suspended)

    @cached_property
    def _panel_text(self) -> Details:
        from syncerr_tui.ui.details import Details

        return Details(self.context, self.error_details, self.error_history, self.graph_worker)

    def describe(self, error: SyncError, moment: datetime, outcome: str, width: int) -> list[TextLine]:
        return self._panel_text(error, moment, outcome, width)

    def describe_cause(self, cause: Cause, moment: datetime, width: int) -> list[TextLine]:
        return self._panel_text.of_cause(cause, moment, width)


class Controller(Service):
    """A part that opens dialogs on top of a screen, and posts to it what happens.

    Args:
        services: What works in the background.
        screen: Dialogs come up on top of it, and it takes the messages.
    """

    def __init__(self, services: Services, screen: Screen[None]) -> None:
        def work(coroutine: Coroutine[Any, Any, None], group: str) -> None:
            screen.run_worker(coroutine, group=group, name=group)

        super().__init__(BackgroundContext(services.context, services.journals, screen.post_message, work))
        self._services = services
        self._screen = screen

    def _open(self, dialog: Screen[Answer], answered: Callable[[Answer | None], None] | None = None) -> None:
        self._screen.app.push_screen(dialog, answered)
