"""Driving the app as a person does: press keys, read the screen, wait for what should come."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
import unicodedata
from collections.abc import Callable, Sequence, Sized
from pathlib import Path
from typing import Any

from textual import events
from textual._context import visible_screen_stack
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot
from textual.screen import Screen

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
        self._threads = _Threads(asyncio.get_running_loop())
        self._frames = _Frames(app)
        self._looked_at: tuple[object, list[str]] = (None, [])

    @property
    def pane(self) -> ErrorsPane:
        return self.app.bench.errors

    @property
    def lines(self) -> list[str]:
        """The screen as text, as the compositor would write it."""
        frame = self._frames.number, self.app.screen
        if frame != self._looked_at[0] or any(map(_unpainted, self.app.screen_stack)):
            visible_screen_stack.set(self.app._background_screens)
            strips = self.app.screen._compositor.render_strips()
            self._looked_at = frame, [strip.text.rstrip() for strip in strips]
        return self._looked_at[1]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each when the app is at rest and what it asks has been seen.

        At rest: no thread computes or reads a file for it either; how long one takes is the machine's affair.
        A key that should overtake a thread is pressed by `press_meanwhile`.
        """
        await self._press(keys, lambda: self._threads.idle)

    async def press_meanwhile(self, *keys: str) -> None:
        """Press keys one after the other while a thread is still at work."""
        await self._press(keys, lambda: True)

    async def _press(self, keys: Sequence[str], at_rest: Callable[[], bool]) -> None:
        for key in keys:
            await self.wait_for(lambda: self._seen() and at_rest())
            self._send(key)
            await self.wait_for(at_rest)

    async def press_at_once(self, *keys: str) -> None:
        """Press keys that arrive together, as a slow line hands over what was typed ahead in one packet."""
        for key in keys:
            self._send(key)
        await self.settle()

    def end_workers(self) -> None:
        """`App.run` ends workers before it takes the widgets they draw on; `App.run_test` does not."""
        self.app.workers.cancel_all()

    def _seen(self) -> bool:
        screen = self.app.screen_stack[-1]
        return not isinstance(screen, Dialog) or screen.was_seen_at(time.monotonic())

    async def type(self, text: str) -> None:
        """Type a text, all letters in one packet."""
        await self.press_at_once(*text)

    def _send(self, key: str) -> None:
        if len(key) == 1 and not key.isalnum():
            key = _character_to_key(key)
        character: str | None
        try:
            character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(key, key)))
        except KeyError:
            character = key if len(key) == 1 else None
        event = events.Key(key, character)
        event.set_sender(self.app)
        driver = self.app._driver
        assert driver is not None
        driver.send_message(event)

    async def settle(self) -> None:
        """Until nothing is left to do at once: what is still to come waits for a clock, a thread or the org.

        Pilot.press waits for the processor to be idle, in sleeps of 20 ms, three for each key. Here the event
        loop itself is asked whether a task could run, and what is not painted yet is painted.
        """
        ready: Sized = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # there is no public way
        idle = 0
        end = time.monotonic() + 60
        while idle < 3:
            assert time.monotonic() < end, "the app never comes to rest"
            await asyncio.sleep(0)
            if ready:
                idle = 0
            elif self.app.is_running and _unpainted(self.app.screen):
                self.app.screen._on_timer_update()
                idle = 0
            else:
                idle += 1

    async def wait_for(self, wanted: str | Callable[[], bool], seconds: float = 20) -> None:
        """Until the screen shows a text, or a condition holds. No luck, no fixed time."""
        end, pause = time.monotonic() + seconds, 0.003
        while True:
            await self.settle()
            if wanted() if callable(wanted) else wanted in self.text:
                return
            if time.monotonic() > end:
                raise AssertionError(f"never came: {wanted}\n{self.text}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.04)  # each look at the screen costs as much as a frame

    async def ready(self, seconds: float = 20) -> None:
        """The list has been read."""
        await self.wait_for(self.is_ready, seconds)

    def is_ready(self) -> bool:
        worker = self.app.services.graph_worker
        if self.app.context.state.reading.active or worker.working:
            return False
        # Between the end of the reading and the first look at the causes the worker has not begun yet.
        if not worker.known.count and self.app.context.state.listing.errors:
            return False
        # While a safeguard is off, that stands in the place of when the list was read. The line alone is
        # asked: to draw the whole screen for each look was a fiftieth of what these tests compute.
        return re.search("refreshed|safeguards? off", self.app.bench.line("utility").text) is not None

    async def compare(self, name: str, varying: str = "(?!)") -> None:
        """Wait until the screen is that of its file; SYNCERR_SCREENS=1 writes the file anew.

        Args:
            name: Of the file.
            varying: A pattern of what depends on how fast the machine is; `~` stands in its place.
        """
        path = SCREENS / f"{name}.txt"

        def shown() -> str:
            return re.sub(varying, "~", "\n".join(self.lines) + "\n")

        await self.settle()
        if os.environ.get("SYNCERR_SCREENS"):
            path.write_text(shown(), encoding="utf-8")
        text = path.read_text(encoding="utf-8")
        with contextlib.suppress(AssertionError):  # the comparison says more
            await self.wait_for(lambda: shown() == text)
        assert shown() == text


class _Frames:
    """How many frames were painted: between two of them the screen stays as it is."""

    def __init__(self, app: SyncErrApp) -> None:
        self.number = 0
        display = app._display

        def counted(*args: Any) -> None:
            self.number += 1
            display(*args)

        app._display = counted  # type: ignore[assignment]


class _Threads:
    """What the app has threads do beside the event loop; requests to an org are not among it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._open: set[asyncio.Future[Any]] = set()
        run = loop.run_in_executor

        def run_known(*args: Any) -> asyncio.Future[Any]:
            future = run(*args)
            self._open.add(future)
            future.add_done_callback(self._open.discard)
            return future

        loop.run_in_executor = run_known  # type: ignore[assignment]

    @property
    def idle(self) -> bool:
        return not self._open


def _unpainted(screen: Screen[object]) -> bool:
    """A frame is due, or something waits for one."""
    return (
        screen.is_running
        and screen.is_current
        and not screen.app._batch_count
        and bool(
            screen._layout_required
            or screen._scroll_required
            or screen._repaint_required
            or screen._recompose_required
            or screen._dirty_widgets
            or screen._callbacks
        )
    )
