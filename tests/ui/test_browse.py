"""`b`: to the address of a step, by a browser or by the clipboard."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from syncerr_tui.text import clean
from tests.factories import sync_error
from tests.ui.conftest import Open
from tests.ui.driver import Driven

FIELD = (
    "https://acme.lightning.force.com/lightning/setup/ObjectManager/Order/FieldsAndRelationships/Name/view"
)


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """A desktop whose browser writes down what it is given."""
    program = tmp_path / "xdg-open"
    program.write_text(f'#!/bin/sh\nprintf "%s" "$@" > "{tmp_path}/opened"\n')
    program.chmod(0o755)
    return {"PATH": str(tmp_path), "DISPLAY": ":0", "SYNCERR_HOME": str(tmp_path)}


def written(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the terminal."""
    sent: list[str] = []
    monkeypatch.setattr(driven.app.context, "write_to_terminal", sent.append)
    return sent


async def test_the_next_step_comes_first_in_the_menu_and_enter_opens_it(
    opened: Open, machine: dict[str, str], tmp_path: Path
) -> None:
    async with opened([sync_error(1)], environ=machine) as driven:
        await driven.ready()
        await driven.press("b")
        await driven.wait_for("Open which address?")
        assert "Step 1: Open the field Name." in driven.text
        assert "Step 3: Or fill it in a Flow" in driven.text
        await driven.press("enter")
        await driven.wait_for("Opened https://acme.lightning.force.com")
        assert (tmp_path / "opened").read_text() == FIELD


async def test_another_step_can_be_chosen_and_escape_opens_nothing(
    opened: Open, machine: dict[str, str], tmp_path: Path
) -> None:
    async with opened([sync_error(1)], environ=machine) as driven:
        await driven.ready()
        await driven.press("b", "escape")
        assert "Open which address?" not in driven.text
        await driven.press("b", "j", "enter")
        await driven.wait_for("Opened")
        assert (tmp_path / "opened").read_text().endswith("/lightning/setup/Flows/home")


async def test_over_ssh_the_address_is_copied_and_that_is_said(
    opened: Open, machine: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {**machine, "SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22"}
    async with opened([sync_error(1)], environ=environ, size=(120, 30)) as driven:
        await driven.ready()
        sent = written(driven, monkeypatch)
        await driven.press("b", "enter")
        await driven.wait_for("No browser here. Sent to the terminal's clipboard")
        assert base64.b64decode(sent[0][7:-1]).decode() == FIELD
        assert not (tmp_path / "opened").exists()


async def test_a_single_address_needs_no_menu(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    error = sync_error(1, message=clean("duplicate of nothing"), code="API_CURRENTLY_DISABLED")
    async with opened([error], environ={"SSH_TTY": "x"}) as driven:
        await driven.ready()
        from syncerr_tui.ui.error_details_service import addresses

        count = len(addresses(driven.app.services.error_details.explain(error)))
        written(driven, monkeypatch)
        await driven.press("b")
        await driven.wait_for("No step has an address." if count == 0 else "clipboard")
        assert count < 2


async def test_the_demo_org_has_no_pages(
    opened: Open, monkeypatch: pytest.MonkeyPatch, machine: dict[str, str]
) -> None:
    from dataclasses import replace

    from tests.ui.fakes import FakeConnection

    connection = FakeConnection([sync_error(1)])
    connection.identity = replace(connection.identity, instance_url="http://127.0.0.1:8080")
    async with opened(connection=connection, environ=machine) as driven:
        await driven.ready()
        written(driven, monkeypatch)
        await driven.press("b", "enter")
        await driven.wait_for("The demo org has no pages to open.")


async def test_with_no_row_there_is_no_address(opened: Open) -> None:
    async with opened([]) as driven:
        await driven.ready()
        await driven.press("b")
        await driven.wait_for("there is no row under the cursor")
