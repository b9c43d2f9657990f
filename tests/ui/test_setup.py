"""From the demo to an org of one's own: said at the start, one key away."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner

from syncerr_tui.cli.demo import launch_demo
from syncerr_tui.cli.root import root
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.errors import BadInputError
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
        await driven.wait_for("Leave the demo and connect your own org?")
        await driven.press("escape")
        await driven.wait_for(lambda: "Leave the demo" not in driven.text)
        assert driven.app.is_running
        await driven.press("S", "enter")
        await driven.wait_for(lambda: not driven.app.is_running)
        assert driven.app.return_code == WANTS_SETUP


async def test_on_an_org_of_ones_own_the_key_says_why_not(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("S")
        await driven.wait_for("this org is connected")


@pytest.mark.parametrize(
    ("outcome", "welcome"),
    [
        (KeyboardInterrupt(), "as you left it"),
        (click.Abort(), "as you left it"),
        (BadInputError("There is a profile 'acme' already", "Choose another name"), "There is a profile"),
    ],
)
def test_who_leaves_the_setup_is_back_in_the_same_demo(
    monkeypatch: pytest.MonkeyPatch, outcome: BaseException, welcome: str
) -> None:
    opened: list[tuple[object, str]] = []
    ends = iter([WANTS_SETUP, 0])

    def open_app(connect: Any, *, welcome: str, **_: object) -> int:
        opened.append((connect.__self__, welcome))
        return next(ends)

    monkeypatch.setattr(launch, "launch", open_app)
    monkeypatch.setattr("syncerr_tui.cli.setup.run_setup", Mock(side_effect=outcome))
    assert launch_demo(DemoOptions(), welcome="first") == 0
    assert [demo for demo, _ in opened] == [opened[0][0]] * 2
    assert opened[0][1] == "first"
    assert welcome in opened[1][1]


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
    monkeypatch.setattr(launch, "launch", lambda *_, **__: ended)
    monkeypatch.setattr(launch, "launch_org", open_org)
    assert launch_demo(DemoOptions(), read_only=True) == 0
    assert went == ([opened_on] if opened_on else [])


def test_the_first_line_of_the_demo_names_the_keys_of_the_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    texts: list[str] = []

    def open_app(*_: object, welcome: str, **__: object) -> int:
        texts.append(welcome)
        return 0

    monkeypatch.setattr(launch, "launch", open_app)
    monkeypatch.setenv("SYNCERR_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("SYNCERR_HOME", str(tmp_path))
    (tmp_path / "config.toml").touch()
    run = CliRunner().invoke
    assert run(root, [], standalone_mode=False).exit_code == 0
    (tmp_path / "config.toml").write_text('[keys]\nsetup = []\nhelp = "f1"\n', encoding="utf-8")
    assert run(root, [], standalone_mode=False).exit_code == 0
    assert texts == [
        f"{WELCOME} S connects yours, ? shows the keys.",
        f"{WELCOME} 'connect an org' in the palette (ctrl+p) connects yours, f1 shows the keys.",
    ]
