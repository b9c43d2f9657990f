"""Driving the app as a person does: press keys, read the screen, wait for what should come."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from syncerr_tui.ui.app import SyncErrApp
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.screens.dialog import Dialog

SCREENS = Path(__file__).with_name("screens")


class Driven:
    """A running app, its pilot and the connection it uses."""

    def __init__(self, app: SyncErrApp, pilot: Pilot[int], connection: Any) -> None:
        self.app = app
        self.pilot = pilot
        self.connection = connection

    @property
    def pane(self) -> ErrorsPane:
        return self.app.bench.errors

    @property
    def lines(self) -> list[str]:
        """The screen as text, as the compositor would write it."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def press(self, *keys: str) -> None:
        """Press keys, once what is asked has been seen."""
        await self.wait_for(self._seen)
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def _seen(self) -> bool:
        screen = self.app.screen_stack[-1]
        return not isinstance(screen, Dialog) or screen.was_seen_at(time.monotonic())

    async def type(self, text: str) -> None:
        await self.press(*("space" if letter == " " else letter for letter in text))

    async def wait_for(self, wanted: str | Callable[[], bool], seconds: float = 20) -> None:
        """Until the screen shows a text, or a condition holds. No luck, no fixed time."""
        end = time.monotonic() + seconds
        while True:
            await self.pilot.pause()
            if wanted() if callable(wanted) else wanted in self.text:
                return
            if time.monotonic() > end:
                raise AssertionError(f"never came: {wanted}\n{self.text}")

    async def ready(self, seconds: float = 20) -> None:
        """The list has been read."""
        await self.wait_for(self.is_ready, seconds)

    def is_ready(self) -> bool:
        bench = self.app.bench
        return (
            not bench.reading.reader.active and not self.app.graph_worker.working and "refreshed" in self.text
        )

    def compare(self, name: str) -> None:
        """Compare the screen with its file; SYNCERR_SCREENS=1 writes the file anew."""
        path = SCREENS / f"{name}.txt"
        shown = "\n".join(self.lines) + "\n"
        if os.environ.get("SYNCERR_SCREENS"):
            path.write_text(shown, encoding="utf-8")
        assert shown == path.read_text(encoding="utf-8")
