"""The app on the embedded demo org, through the client that talks to real orgs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from syncerr_tui.cli._connect import EmbeddedOrg
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.host.paths import Paths
from syncerr_tui.host.terminal import TerminalProfile
from syncerr_tui.ui.app import SyncErrApp
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.journals import Journals
from tests.layers import layered
from tests.ui.driver import Driven


@asynccontextmanager
async def on_demo(home: Path, options: DemoOptions, size: tuple[int, int]) -> AsyncIterator[Driven]:
    """The app as `syncerr-tui demo` opens it."""
    demo, journals = EmbeddedOrg(options), Journals(Paths.of({"SYNCERR_HOME": str(home)}).state)
    app = SyncErrApp(AppContext(demo.connect, TerminalProfile()), journals)
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            driven = Driven(app, pilot, None)
            await driven.ready(300)
            yield driven
            driven.end_workers()
        await app.release()
    finally:
        journals.close()
        demo.close()


@pytest.mark.parametrize(
    "size", layered("windows for the loop on the demo org", [(80, 24)], [(80, 24), (200, 50)])
)
async def test_fix_then_fixed(tmp_path: Path, size: tuple[int, int]) -> None:
    async with on_demo(tmp_path, DemoOptions(processing_delay=0.1), size) as driven:
        assert "DEMO" in driven.lines[0]
        blocked = driven.pane.listing.current
        assert blocked is not None
        await driven.press("R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("1 still failing", 60)
        await driven.press("escape", "g", "slash")
        await driven.type(f"id:{blocked.id}")
        await driven.press("enter", "F")
        await driven.wait_for("enter chooses")
        await driven.press("enter")
        await driven.wait_for("enter applies it")
        await driven.press("enter")
        await driven.wait_for("R re-syncs now")
        await driven.press("R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("1 fixed", 60)
        await driven.wait_for("FIXED")
        await driven.press("escape")
        await driven.wait_for(lambda: blocked.id not in driven.pane.listing.errors)
        await driven.press("r")
        await driven.ready()
        assert blocked.id not in driven.pane.listing.errors


async def test_many_errors_come_page_by_page(tmp_path: Path) -> None:
    rows = layered("errors of the demo org on screen", 1_000, 100_000)
    options = DemoOptions(errors=rows, page_size=2000 if rows > 2_000 else 200)
    async with on_demo(tmp_path, options, (80, 24)) as driven:
        total = len(driven.pane.listing.errors)
        assert total >= options.errors * 0.9
        connection = driven.app.context.connection
        assert connection is not None
        assert connection.total == total
        await driven.press("G")
        await driven.wait_for(lambda: driven.pane.listing.cursor == total - 1)
        await driven.press("a")
        await driven.wait_for(f"{total:,} selected")
        await driven.press("slash")
        await driven.type("object:Account ")
        await driven.press("enter")
        await driven.wait_for("hidden by the filter")
        assert {driven.pane.listing.errors[i].object for i in driven.pane.listing.ids} == {"Account"}
