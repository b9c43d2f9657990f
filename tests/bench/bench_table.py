"""100,000 rows on screen, against Textual's DataTable: `python -m tests.bench.bench_table`.

Each side runs in a process of its own at 80x24: the rows exist already; counted are the time until they are
drawn and the memory that this took, then the time from a key to the drawn screen. Run by hand.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.text import Text
from textual.app import App, ComposeResult
from textual.widgets import DataTable

from syncerr_tui.model import SyncError
from syncerr_tui.triage.listing import Listing
from syncerr_tui.ui.widgets.table import ErrorTable
from tests.factories import NOW, sync_error

ROWS = 100_000


def megabytes() -> float:
    """What this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


class Ours(App[None]):
    """The table of this program."""

    CSS_PATH = Path(__file__).parents[2] / "syncerr_tui" / "ui" / "syncerr.tcss"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        from syncerr_tui.ui.widgets.themed import VARIABLES

        return VARIABLES

    def compose(self) -> ComposeResult:
        yield ErrorTable()

    def fill(self, errors: list[SyncError]) -> None:
        self.shown = Listing()
        for start in range(0, len(errors), 2000):
            self.shown = self.shown.with_page(errors[start : start + 2000], NOW)
            self.query_one(ErrorTable).show(self.shown, NOW)

    def down(self) -> None:
        self.shown = self.shown.moved_to(self.shown.cursor + 1)
        self.query_one(ErrorTable).show(self.shown, NOW)


class Stock(App[None]):
    """Textual's own."""

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def fill(self, errors: list[SyncError]) -> None:
        table: DataTable[Any] = self.query_one(DataTable)
        table.add_columns("Object", "Event", "Processed At", "Code", "Message")
        for error in errors:
            table.add_row(
                Text(error.object),
                Text(error.event_type.value),
                Text(str(error.processed_at)),
                Text(error.code or ""),
                Text(error.message),
                key=error.id,
            )

    def down(self) -> None:
        self.query_one(DataTable).action_cursor_down()


async def measure(app: Ours | Stock) -> None:
    """Fill it, then press a key."""
    errors = [sync_error(number) for number in range(1, ROWS + 1)]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        gc.collect()
        before, started = megabytes(), time.perf_counter()
        app.fill(errors)
        await pilot.pause()
        app.screen._compositor.render_strips()
        filled, grown = time.perf_counter() - started, megabytes() - before
        app.down()
        await pilot.pause()
        started = time.perf_counter()
        for _ in range(10):
            app.down()
            await pilot.pause()
        key = (time.perf_counter() - started) / 10
    print(f"{filled:.3f} {grown:.1f} {key * 1000:.1f}")


def side(name: str) -> tuple[float, float, float]:
    """One side in a process of its own: seconds, megabytes, milliseconds for a key."""
    command = [sys.executable, "-m", "tests.bench.bench_table", name]
    figures = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(figures[0]), float(figures[1]), float(figures[2])


def main() -> None:
    """Both."""
    if len(sys.argv) == 2:
        asyncio.run(measure(Ours() if sys.argv[1] == "ours" else Stock()))
        return
    stock, ours = side("stock"), side("ours")
    for name, (seconds, grown, key) in (("DataTable", stock), ("ErrorTable", ours)):
        print(f"{name}: {ROWS:,} rows in {seconds:.2f} s, {grown:.0f} MB more, a key {key:.1f} ms")
    print(f"{stock[0] / ours[0]:.0f}x faster, {100 * ours[1] / stock[1]:.0f} % of the memory")


if __name__ == "__main__":
    main()
