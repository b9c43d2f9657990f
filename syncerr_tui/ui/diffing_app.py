"""An app whose frames go to the terminal as differences. `screen_diff` says how, and for which Textual."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from rich.color import ColorSystem
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.widgets import Input

from syncerr_tui.ui.screen_diff import ScreenDiff

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen
    from textual.timer import Timer

ReturnType = TypeVar("ReturnType")

_SYNCHRONIZED_FROM = 512
"""Bytes of a frame from which the terminal is asked to show it in one go. Fewer arrive together anyway, and
asking costs sixteen."""
_CATCH_UP_SECONDS = 0.05
"""How often a terminal that is behind is looked at."""


class DiffingApp(App[ReturnType]):
    """Writes only the cells that change.

    Args:
        driver_class: The way to the terminal, where it is not Textual's own.
        diff: What the terminal shows; None writes whole frames as Textual does.
    """

    def __init__(self, driver_class: type | None = None, diff: ScreenDiff | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self._diff = diff
        self._suspended = False
        """Whether another program has the terminal."""
        self._put_off: Timer | None = None
        """Draws what was not drawn while the terminal was behind."""

    @property
    def is_behind(self) -> bool:
        """Whether something was not drawn yet, as the terminal takes nothing at present."""
        return self._put_off is not None

    @property
    def stalled(self) -> bool:
        """Whether the terminal had not taken everything when it was let go."""
        return getattr(self._driver, "stalled", False)

    def on_mount(self) -> None:
        """Behind a suspension another program has had the terminal."""
        self.app_resume_signal.subscribe(self, lambda _: self.redraw(), immediate=True)

    def on_resize(self) -> None:
        """A terminal may lose cells when its window changes, even where it changes back."""
        if self._diff is not None:
            self._diff.forget()

    def redraw(self) -> None:
        """Write everything anew: something else has written to the terminal."""
        if self._diff is not None:
            self._diff.forget()
        self.refresh(layout=True)
        self.screen.refresh(layout=True)

    @contextmanager
    def terminal_given(self) -> Iterator[None]:
        """Another program has the terminal meanwhile; what runs in the background goes on."""
        if self._driver is None or not self._driver.can_suspend:
            yield  # without a terminal, as in a test, there is none to give
            return
        with self.suspend():
            self._suspended = True
            try:
                yield
            finally:
                self._suspended = False

    def sleep(self) -> None:
        """Give the terminal to the shell, and stop until it continues us."""
        from syncerr_tui.ui.terminal_driver import TerminalDriver

        driver = self._driver
        if not isinstance(driver, TerminalDriver):
            return
        with self.terminal_given():
            stopped = driver.stop_until_continued()
        if not stopped:
            self.notify("No shell is there to come back from: the app stays.", markup=False)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Textual 8.2.8 writes `renderable.render_segments()` here; this writes the difference."""
        driver = self._driver
        if self._suspended:
            return  # the screen is drawn as a whole when the terminal comes back
        if getattr(driver, "behind", False):
            self._put_off = self._put_off or self.set_interval(_CATCH_UP_SECONDS, self._catch_up)
            return
        diff = self._diff if self._draws else None
        if diff is None or driver is None or not isinstance(renderable, ChopsUpdate | LayoutUpdate):
            if diff is not None and renderable is not None:
                diff.forget()
            super()._display(screen, renderable)
            return
        try:
            frame = self._frame(diff, renderable)
        except Exception as error:  # noqa: BLE001 - as Textual: a defect in drawing ends the app in words
            self._handle_exception(error)
            return
        if frame:
            driver.write(frame)
            driver.flush()
        self.post_display_hook()

    @property
    def _draws(self) -> bool:
        """Whether Textual would write a frame to a terminal now."""
        driver = self._driver
        on_terminal = driver is not None and not driver.is_headless and not driver.is_inline
        return on_terminal and self._running and not self._closed and not self._batch_count

    def _frame(self, diff: ScreenDiff, renderable: ChopsUpdate | LayoutUpdate) -> str:
        system = self.console._color_system or ColorSystem.TRUECOLOR  # noqa: SLF001 - as Strip.render does
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        # An input method draws at the cursor; for everything else it stays hidden where it is.
        cursor_at = (cursor.x, cursor.y) if isinstance(self.focused, Input) else None
        frame = diff.frame(renderable, (self.size.width, self.size.height), system, cursor_at)
        if self._sync_available and len(frame) >= _SYNCHRONIZED_FROM:
            return f"{SYNC_START}{frame}{SYNC_END}"
        return frame

    def _catch_up(self) -> None:
        """Draw the screen as it is by now; what waits to be written is not written again."""
        if self._put_off is not None and not getattr(self._driver, "behind", False):
            self._put_off.stop()
            self._put_off = None
            self.screen.refresh()
