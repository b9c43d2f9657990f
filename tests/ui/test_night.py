"""A night shift on the demo org, from open screen to zero: the keys are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from syncerr_tui.cli._connect import EmbeddedOrg
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.fixes.model import FixOption
from syncerr_tui.host.paths import Paths
from syncerr_tui.host.terminal import TerminalProfile
from syncerr_tui.model import SyncError
from syncerr_tui.ui.app import SyncErrApp
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.journals import Journals
from syncerr_tui.ui.screens.fix_many import FixManyDialog
from syncerr_tui.ui.screens.plan import PlanDialog
from tests.layers import layered
from tests.ui.driver import Driven

_PATIENCE = 600.0
"""Seconds that a busy machine may take for all causes."""


class NightShift(Driven):
    """Counts what the person presses."""

    keys = 0

    async def press(self, *keys: str) -> None:
        self.keys += len(keys)
        await super().press(*keys)

    @property
    def fixing(self) -> FixManyDialog:
        screen = self.app.screen
        assert isinstance(screen, FixManyDialog)
        return screen


@asynccontextmanager
async def night_shift(home: Path, options: DemoOptions) -> AsyncIterator[tuple[NightShift, DemoOrg]]:
    demo, journals = EmbeddedOrg(options), Journals(Paths.of({"SYNCERR_HOME": str(home)}).state)
    app = SyncErrApp(AppContext(demo.connect, TerminalProfile()), journals)
    try:
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            driven = NightShift(app, pilot, None)
            await driven.ready(300)
            assert demo._server is not None
            yield driven, demo._server.org
        await app.release()
    finally:
        journals.close()
        demo.close()


async def fix_everything(driven: NightShift, org: DemoOrg) -> None:
    """Every change that can be made from here. The rest is read line by line, and done in Salesforce."""
    await driven.press("a", "F")
    await driven.wait_for(lambda: isinstance(driven.app.screen, FixManyDialog), _PATIENCE)
    await driven.wait_for(lambda: bool(driven.fixing.lines), _PATIENCE)
    await driven.press("end")
    for line in reversed([line for line in driven.fixing.lines if line.why_not]):
        assert driven.fixing.lines[driven.fixing.row] is line
        assert line.subject[:20] in driven.text
        for error in line.errors:
            # In Salesforce, as the steps say: no key of ours.
            org.colleague.repair(error.id)
        await driven.press("k")
    if "R re-syncs now" not in driven.text:
        await driven.press("a", "enter")
        await driven.wait_for("R re-syncs now", _PATIENCE)
    assert "FAILED" not in driven.text


async def resync_everything(driven: NightShift) -> None:
    await driven.press("R")
    await driven.wait_for(lambda: isinstance(driven.app.screen, PlanDialog), _PATIENCE)
    await driven.wait_for("enter starts")
    if "s sends" in driven.text:
        await driven.press("s")
    await driven.press("enter")
    await driven.wait_for("Result", _PATIENCE)


@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    ("errors", "most"), layered("nights counted in keys", [(140, 110)], [(140, 110), (5000, 60)])
)
async def test_from_open_screen_to_zero(tmp_path: Path, errors: int, most: int) -> None:
    async with night_shift(tmp_path, DemoOptions(errors=errors, processing_delay=0.05)) as (driven, org):
        assert len(driven.pane.listing.errors) >= errors * 0.9
        for _ in range(3):
            await fix_everything(driven, org)
            await resync_everything(driven)
            left = driven.app.context.state
            if not left.unresolved:
                break
            print(driven.keys, Counter((error.object, error.code) for error in left.listing.errors.values()))
            await driven.press("escape")
        await driven.wait_for("No sync errors.", 60)
        await driven.wait_for("0 sync errors")
        assert driven.keys <= most, f"{driven.keys} keys for {errors} errors"


async def test_safeguards_are_not_ticked_and_what_changed_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with night_shift(tmp_path, DemoOptions(processing_delay=0.05)) as (driven, org):
        await driven.press("a", "F")
        await driven.wait_for(lambda: isinstance(driven.app.screen, FixManyDialog), _PATIENCE)
        await driven.wait_for(lambda: bool(driven.fixing.lines), _PATIENCE)
        ticked = [driven.fixing.lines[at] for at in driven.fixing.ticked]
        assert ticked
        assert all(line.option and not line.option.kind.is_safeguard for line in ticked)
        assert all(not line.why_not for line in ticked)
        settled = next(
            line for line in ticked if line.option and line.option.key.startswith("add-value:Lead")
        )
        org.colleague.repair(settled.errors[0].id)
        look_up, read = driven.app.services.fixes.options, []

        async def counted(errors: Sequence[SyncError]) -> list[FixOption]:
            read.append(len(errors))
            return await look_up(errors)

        monkeypatch.setattr(driven.app.services.fixes, "options", counted)
        await driven.press("enter")
        await driven.wait_for("R re-syncs now", _PATIENCE)
        outcomes = {at: word for at, (word, _) in driven.fixing.outcomes.items()}
        assert outcomes.pop(driven.fixing.lines.index(settled)) == "not needed"
        assert set(outcomes.values()) == {"done"}
        assert read.count(1) == len(ticked), "one error shows that a change is still what was shown"
        assert not driven.app.services.fixes.off
