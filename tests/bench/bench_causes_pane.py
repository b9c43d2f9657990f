"""How long no key is answered, with 100,000 errors: `python -m tests.bench.bench_causes_pane [ROWS]`.

A watcher on the app's loop wakes up every 2 ms and tells how long it had to wait: the longest time, and the
one that 99 of 100 waits did not reach. Beside the time that passed it tells how long the process was at work
meanwhile, whichever of its threads held the interpreter, and how long the loop's own thread was. On a busy
machine only the last two are the app's. Run by hand.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from syncerr_tui.host.terminal import TerminalProfile
from syncerr_tui.salesforce.session import OrgSession
from syncerr_tui.ui.app import SyncErrApp
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.journals import Journals
from syncerr_tui.ui.widgets.table import ErrorTable
from tests.bench.bench_causes import rows
from tests.factories import NOW
from tests.ui.fakes import FakeConnection


class Watcher:
    """How long the loop was busy with one thing."""

    def __init__(self) -> None:
        self._waits: list[tuple[float, float, float]] = []
        """Seconds: passed, the process at work, the loop's thread at work."""
        self._task = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        while True:
            start, worked, kept = time.perf_counter(), time.thread_time(), time.process_time()
            await asyncio.sleep(0.002)
            passed = max(time.perf_counter() - start - 0.002, 0.0)
            self._waits.append((passed, time.process_time() - kept, time.thread_time() - worked))

    def told(self, what: str) -> None:
        """Print it, and begin anew."""
        waits, self._waits = self._waits, []
        parts = []
        for name, seconds in zip(
            ("waited", "process at work", "loop at work"), zip(*waits, strict=True), strict=True
        ):
            ordered = sorted(seconds)
            most, usual = ordered[-1], ordered[len(ordered) * 99 // 100]
            parts.append(f"{name} {most * 1000:.0f} ms (99 %: {usual * 1000:.0f})")
        print(f"{what}: {', '.join(parts)}")


async def measure(count: int) -> None:
    """Read, open, move, open a tree, filter, sort, ask for a plan."""
    used: Any = FakeConnection(rows(count))

    async def connect() -> OrgSession:
        return used  # type: ignore[no-any-return]

    with TemporaryDirectory() as home:
        app = SyncErrApp(AppContext(connect, TerminalProfile(), clock=lambda: NOW), Journals(Path(home)))
        async with app.run_test(size=(120, 30)) as pilot:
            watcher = Watcher()
            start = time.perf_counter()
            while not any(table.size for table in app.bench.query(ErrorTable)):
                await pilot.pause(0.002)
            watcher.told("the first frame, before which no key can be meant for it")
            while app.context.state.reading.active or not app.bench.errors.listing.errors:
                await pilot.pause(0.01)
            watcher.told(f"{count:,} rows read in {time.perf_counter() - start:.1f} s")
            await app.services.graph_worker.settled()
            watcher.told(f"linked after {time.perf_counter() - start:.1f} s")
            for what, keys in {
                "opening the causes": ("c",),
                "moving": ("down", "up", "G", "g"),
                "opening a cause": ("right", "down"),
                "selecting a cause": ("g", "space"),
                "back to the list": ("1", "down"),
                "typing a filter": ("slash", "d", "u", "p"),
                "taking it back": ("escape",),
                "sorting": ("o", "down", "enter"),
                "sorting back": ("o", "up", "enter"),
                "sorting by the message": ("o", *["down"] * 6, "enter"),
                "a filter with enter": ("slash", "d", "u", "p", "enter"),
                "all rows again": ("escape",),
            }.items():
                start = time.perf_counter()
                await pilot.press(*keys)
                await pilot.pause(0.5)  # behind a pause in typing a thread looks for it
                watcher.told(f"{what} ({time.perf_counter() - start:.2f} s)")
            await pilot.press("escape", "c", "g", "R")
            start = time.perf_counter()
            while app.screen is app.bench:
                await pilot.pause(0.01)
            heading = getattr(app.screen, "heading", "")
            await pilot.pause(1)  # its dialog, and the plans that it may come to
            watcher.told(f"the plan of the worst cause ({time.perf_counter() - start:.1f} s): {heading}")
        await app.release()


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
