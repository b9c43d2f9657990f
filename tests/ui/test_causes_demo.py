"""Causes on the embedded demo org, over HTTP: fix what is wrong once, and one key clears its whole tree."""

from __future__ import annotations

from pathlib import Path

from syncerr_tui.demo.options import DemoOptions
from tests.ui.test_demo_org import on_demo


async def test_a_fixed_cause_is_cleared_with_all_that_waits_for_it(tmp_path: Path) -> None:
    options = DemoOptions(processing_delay=0.1)
    async with on_demo(tmp_path, options, (100, 30)) as driven:
        bench, graph_worker = driven.app.bench, driven.app.services.graph_worker
        causes = graph_worker.known.causes  # the worst ones may be left to a person: a country, a trigger
        place = next(n for n, cause in enumerate(causes) if "DUPLICATES_DETECTED" in cause.key)
        worst = causes[place]
        tree = {*worst.roots, *worst.victims}
        assert len(worst.victims) >= 5
        await driven.press("c", *["j"] * place, "F")
        await driven.wait_for("enter chooses")
        await driven.press("enter")
        await driven.wait_for("enter applies it")
        await driven.press("enter")
        await driven.wait_for("R re-syncs now")
        # From here on: R, enter, and nothing else.
        await driven.press("R")
        await driven.wait_for(f"Re-sync {len(tree)} errors")
        await driven.press("enter")
        await driven.wait_for("Result", 120)
        assert driven.app.services.runs.view is not None
        counts = driven.app.services.runs.view.counts
        assert counts.planned == len(tree)
        assert counts.fixed + counts.elsewhere == counts.planned, driven.text
        await driven.press("escape")
        await driven.wait_for(lambda: not tree & bench.errors.listing.errors.keys())
        await driven.press("r")
        await driven.ready()
        assert not tree & bench.errors.listing.errors.keys()
        assert worst.key not in {cause.key for cause in graph_worker.known.causes}


async def test_the_org_tells_parents_that_messages_do_not_name(tmp_path: Path) -> None:
    async with on_demo(tmp_path, DemoOptions(processing_delay=0.1), (80, 24)) as driven:
        graph = await driven.app.services.graph_worker.settled()
        assert graph is not None
        assert set(graph.errors) == set(driven.pane.listing.errors)
