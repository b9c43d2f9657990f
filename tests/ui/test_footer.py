"""The lines below the pane while a run is under way, in the panel, in a narrow window, and without rows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from syncerr_tui.resync.events import Counts, Paused, Progress, Waiting, WaitKind, WaveStarted
from syncerr_tui.triage.keymap import ActionTable
from syncerr_tui.ui.run_presenter import RunPresenter
from tests.ui.conftest import Open
from tests.ui.fakes import FakeConnection, some_errors


async def test_a_run_can_be_stopped_and_held_from_the_footer(opened: Open) -> None:
    connection = FakeConnection(some_errors(5))
    connection.org.open = asyncio.Event()
    async with opened(connection=connection) as driven:
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("X stop  P pause")
        assert "R re-sync" not in driven.lines[-1]
        await driven.press("P")
        await driven.wait_for("Pausing after what is on its way")
        await driven.press("X")
        await driven.wait_for("Stopping")
        connection.org.open.set()
        await driven.wait_for("Result")
        await driven.wait_for(lambda: "Stopping" not in driven.text)
        assert "3 shows why" in driven.text


def told(view: RunPresenter, width: int = 80) -> str:
    return "".join(text for text, _ in view.line(width))


def test_the_run_line_fits_and_says_nothing_twice() -> None:
    view = RunPresenter(ActionTable().key_of)
    view.take(WaveStarted(2, 3, 100))
    view.take(Progress(Counts(planned=500, sent=38, fixed=100, still_failing=6), 100.0))
    view.take(Waiting(1.0, "38 wait for the org"))
    line = told(view)
    assert len(line) <= 80
    assert line.count("38") == 1
    assert "2 min left" in line
    assert "wave 2/3" in line
    assert "6 FAILING" in line
    late = datetime(2026, 6, 3, 2, 14, 5, tzinfo=UTC)
    view = RunPresenter(ActionTable().key_of)
    view.take(WaveStarted(2, 3, 100))
    view.take(Progress(Counts(planned=500, sent=38, fixed=100), None))
    end = late + timedelta(minutes=3)
    view.take(Waiting(1.0, "38 rows waiting for the org", rows=38, since=late, until=end))
    assert "38 waiting for the org since 02:14:05, until 02:17:05" in told(view, 120)
    assert "38 waiting until 02:17:05" in told(view)
    assert len(told(view)) <= 80
    view.take(Waiting(0.0, "1 row sent before", WaitKind.EARLIER, 1, late, end))
    assert "1 row sent before: until 02:17:05 at most" in told(view, 120)
    view.take(Paused())
    assert "left" not in told(view)
    assert "Paused" in told(view)


async def test_help_and_the_way_out_stay_in_every_footer(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        for size in ((80, 24), (70, 20), (60, 15)):
            await driven.pilot.resize_terminal(*size)
            for keys in (("a",), ("enter",), ("escape", "c"), ("1",)):
                await driven.press(*keys)
                assert driven.lines[-1].endswith("? help  q quit"), (size, driven.lines[-1])
                assert "R re-sync" in driven.lines[-1], size


async def test_the_panel_names_its_own_keys(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("j/k scroll")
        assert "n/p next/previous" in driven.lines[-1]
        assert "b address" in driven.lines[-1]
        assert "esc back" in driven.lines[-1]
        assert "space select" not in driven.lines[-1]


async def test_without_rows_there_is_nothing_to_resync(opened: Open) -> None:
    async with opened([]) as driven:
        await driven.wait_for("No sync errors")
        assert "R re-sync" not in driven.lines[-1]
        assert driven.lines[-1].endswith("? help  q quit")


async def test_what_was_said_goes_away_by_itself(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncerr_tui.ui.action_screen._ANNOUNCED_SECONDS", 0.05)
    async with opened() as driven:
        await driven.ready()
        driven.app.bench.say("Copied.")
        await driven.wait_for("? help")
        assert "Copied" not in driven.text


async def test_read_only_gives_the_reason(opened: Open) -> None:
    async with opened(read_only=True) as driven:
        await driven.ready()
        for key in ("R", "F"):
            await driven.press(key)
            await driven.wait_for(lambda: "read-only: " in driven.lines[-1])
            await driven.press("escape")
            await driven.wait_for(lambda: "read-only: " not in driven.lines[-1])


async def test_the_next_step_after_a_run_is_never_cut_off(opened: Open) -> None:
    async with opened(some_errors(5), size=(60, 15)) as driven:
        await driven.ready()
        driven.connection.org.repaired = {some_errors(1)[0].id}
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("esc dismisses")
        assert "3 shows why" in driven.text
        assert "Result 5 planned: 1 fixed, 4 still failing" in driven.text
