"""Keys that are pressed while the app opens."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import pytest

from syncerr_tui.triage.actions import ACTIONS
from syncerr_tui.ui.launch import warnings_on_screen
from syncerr_tui.ui.list_with_panel import ListWithPanel
from syncerr_tui.ui.workbench import Workbench
from tests.ui.conftest import Open
from tests.ui.fakes import FakeConnection, some_errors


async def test_a_key_before_all_panes_stand_is_dropped(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    others = Workbench._other_panes

    def pressed_first(bench: Workbench) -> list[ListWithPanel]:
        for action in ACTIONS:
            if action.id != "quit":
                bench.action_act(action.id)
        bench.state_changed()
        return others(bench)

    monkeypatch.setattr(Workbench, "_other_panes", pressed_first)
    async with opened() as driven:
        await driven.ready()
        assert "6 sync errors" in driven.text
        assert driven.app.screen is driven.app.bench


async def test_a_key_waits_a_millisecond_for_a_thread_at_work(opened: Open) -> None:
    sys.setswitchinterval(0.005)
    async with opened() as driven:
        await driven.ready()
        assert sys.getswitchinterval() == pytest.approx(0.001)


async def test_what_a_login_warns_of_is_said_and_not_written_across_the_screen(
    opened: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    may_connect = asyncio.Event()

    async def connect() -> Any:
        await may_connect.wait()
        log = logging.getLogger("syncerr_tui.salesforce.auth.oauth")
        await asyncio.to_thread(log.warning, "The refresh token cannot be kept in %s", "keyring:a/b")
        return FakeConnection(some_errors())

    async with opened(connect=connect) as driven:
        with warnings_on_screen(driven.app, asyncio.get_running_loop()):
            may_connect.set()
            await driven.ready()
            await driven.wait_for("cannot be kept in keyring:a/b")
            await driven.press("j")
            assert "cannot be kept" not in driven.text
    assert "cannot be kept" not in capfd.readouterr().err
