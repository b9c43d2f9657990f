"""Keys that are pressed while the app opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from syncerr_tui.triage.actions import ACTIONS
from syncerr_tui.ui.app import SyncErrApp
from syncerr_tui.ui.panes import Pane
from tests.ui.conftest import Open

if TYPE_CHECKING:
    from syncerr_tui.ui.errors_pane import ErrorsPane


async def test_a_key_before_all_panes_stand_is_dropped(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    others = SyncErrApp._other_panes

    def pressed_first(app: SyncErrApp, errors: ErrorsPane) -> list[Pane]:
        for action in ACTIONS:
            if action.id != "quit":
                app.bench.action_act(action.id)
        app.bench.pane_changed()
        return others(app, errors)

    monkeypatch.setattr(SyncErrApp, "_other_panes", pressed_first)
    async with opened() as driven:
        await driven.ready()
        assert "6 sync errors" in driven.text
        assert driven.app.screen is driven.app.bench
