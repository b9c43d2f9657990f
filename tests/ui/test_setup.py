"""From the demo to an org of one's own: said at the start, one key away."""

from __future__ import annotations

import dataclasses

import pytest

from syncerr_tui.cli import root as command
from syncerr_tui.model import Environment
from syncerr_tui.ui import launch
from syncerr_tui.ui.context import WANTS_SETUP
from tests.ui.conftest import Open
from tests.ui.fakes import IDENTITY, FakeConnection, some_errors

WELCOME = "No org is configured: this is the demo org."


def demo() -> FakeConnection:
    connection = FakeConnection(some_errors())
    connection.identity = dataclasses.replace(IDENTITY, environment=Environment.DEMO)
    return connection


async def test_the_welcome_stands_until_the_first_key_and_a_key_leaves_for_the_setup(opened: Open) -> None:
    async with opened(connection=demo(), welcome=WELCOME) as driven:
        await driven.ready()
        await driven.wait_for(WELCOME)
        await driven.press("j")
        await driven.wait_for(lambda: WELCOME not in driven.text)
        await driven.press("S")
        await driven.wait_for(lambda: not driven.app.is_running)
        assert driven.app.return_code == WANTS_SETUP


async def test_on_an_org_of_ones_own_the_key_says_why_not(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("S")
        await driven.wait_for("this org is connected")


@pytest.mark.parametrize(("ended", "opened_on"), [(WANTS_SETUP, "acme"), (0, None)])
def test_after_the_setup_the_app_opens_on_the_new_org(
    monkeypatch: pytest.MonkeyPatch, ended: int, opened_on: str | None
) -> None:
    went: list[str] = []

    def open_org(name: str, *, read_only: bool) -> int:
        assert read_only
        went.append(name)
        return 0

    monkeypatch.setattr("syncerr_tui.cli.setup.run_setup", lambda: "acme")
    monkeypatch.setattr(launch, "launch_org", open_org)
    assert command.connect_own_org(ended, read_only=True) == 0
    assert went == ([opened_on] if opened_on else [])
