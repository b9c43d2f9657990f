"""Keys that are pressed while the app opens."""

from __future__ import annotations

import sys

import pytest

from syncerr_tui.triage.actions import ACTIONS
from syncerr_tui.ui.list_with_panel import ListWithPanel
from syncerr_tui.ui.workbench import Workbench
from tests.ui.conftest import Open


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
