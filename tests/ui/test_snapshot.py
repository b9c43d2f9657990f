"""The app on a snapshot: what would fix an error is looked up and chosen, and nothing leaves the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncerr_tui.cli._connect import open_snapshot
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.fixes.fix_list import read_fix_list
from tests.cli.conftest import Shell, shell as shell
from tests.e2e.orgs import write_profile
from tests.ui.conftest import Open

BOX = ("--org", "box")


@pytest.fixture
def taken(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "acme.snapshot"
    with DemoServer(DemoOptions(errors=30)) as demo:
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", demo.instance_url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", demo.access_token)
        write_profile(shell.home)
        assert shell("snapshot", *BOX, "-o", str(path)).code == 0
    return path


async def test_a_fix_is_chosen_on_a_snapshot_and_put_on_its_list(opened: Open, taken: Path) -> None:
    async with opened(connect=lambda: open_snapshot(taken), read_only=True) as driven:
        await driven.ready()
        await driven.press("2", "F")
        await driven.wait_for("chooses")
        assert "from here" in driven.text
        await driven.press("enter")
        await driven.wait_for("puts it on the list")
        await driven.press("enter")
        await driven.wait_for("On the list: nothing is changed yet.")
        assert "R re-syncs" not in driven.text
        await driven.press("escape", "R")
        await driven.wait_for("read-only")
    fixes = read_fix_list(taken.with_name(f"{taken.name}.fixes"))
    assert fixes is not None
    (fix,) = fixes.fixes
    assert fix.option.allowed
    assert fix.errors


async def test_fixes_of_several_causes_are_put_on_the_list_in_one_go(opened: Open, taken: Path) -> None:
    async with opened(connect=lambda: open_snapshot(taken), read_only=True) as driven:
        await driven.ready()
        await driven.press("a", "F")
        await driven.wait_for("lists ")
        ticked = driven.text.count("[✓]")
        await driven.press("enter")
        await driven.wait_for("put on the list")
        assert "FAILED" not in driven.text
    fixes = read_fix_list(taken.with_name(f"{taken.name}.fixes"))
    assert fixes is not None
    assert len(fixes.fixes) >= max(1, ticked)
