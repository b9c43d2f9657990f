"""The raw record of a row, as a person reads, searches and copies it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from syncerr_tui.host import clipboard
from tests.ui.conftest import Open
from tests.ui.fakes import some_errors


async def test_every_field_is_there_and_can_be_searched(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("ctrl+r")
        await driven.wait_for("s_c__Retries__c")
        assert "as the org returns it" in driven.text
        for shown in ("Id ", "OwnerId", "null", '{"a": 1}', "attributes", "3"):
            assert shown in driven.text
        assert "\x1b" not in driven.text
        assert "\u202e" not in driven.text
        await driven.press("slash")
        await driven.type("retr")
        await driven.wait_for(lambda: "OwnerId" not in driven.text)
        assert "s_c__Retries__c" in driven.text
        await driven.press("ctrl+u")
        await driven.type("nowhere")
        await driven.wait_for("No field has these words.")
        await driven.press("escape")
        await driven.wait_for("OwnerId")
        await driven.press("escape")
        await driven.wait_for(lambda: driven.app.screen is driven.app.bench)


async def test_a_record_that_is_gone_is_told_in_the_sheet(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        driven.connection.failed = {}
        await driven.press("ctrl+r")
        await driven.wait_for("The org has no such record. Read the list again")


async def test_a_record_that_comes_when_its_sheet_was_left_is_no_defect(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = asyncio.Event()

    async def raw_event(_event: str) -> dict[str, object]:
        await answers.wait()
        return {"Id": "a0X"}

    async with opened() as driven:
        await driven.ready()
        monkeypatch.setattr(driven.connection, "raw_event", raw_event)
        await driven.press("ctrl+r")
        await driven.wait_for("Reading the record ...")
        await driven.press("escape")
        await driven.wait_for(lambda: driven.app.screen is driven.app.bench)
        answers.set()
        await driven.settle()
        assert driven.app.crash == ""


async def test_it_is_copied_as_the_json_that_the_org_sent(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []

    def copy(text: str, *, environ: object, write: object, fallback: Path) -> clipboard.Copied:
        copied.append(text)
        return clipboard.Copied("Sent", doubt=f"If nothing arrives: {'set-clipboard ' * 6}on")

    monkeypatch.setattr(clipboard, "copy", copy)
    async with opened() as driven:
        await driven.ready()
        await driven.press("ctrl+r")
        await driven.wait_for("OwnerId")
        await driven.press("y")
        await driven.wait_for(lambda: len(copied) == 1)
        await driven.wait_for("the whole record as JSON")  # said where the person looks
        assert "set-clipboard on." in driven.text, "to its end"
        assert "esc closes" in driven.text
    record = json.loads(copied[0])
    assert record["Id"] == some_errors()[0].id
    assert "\x1b]52" in record["s_c__Message__c"]
    assert "\x1b" not in copied[0]


@pytest.mark.parametrize("narrow", [False, True])
async def test_a_pager_that_is_not_there_is_told(opened: Open, narrow: bool) -> None:
    async with opened(environ={"PAGER": "/no/such/pager", "EDITOR": "'x"}) as driven:
        await driven.ready()
        if narrow:
            await driven.press("ctrl+r")
            await driven.wait_for("OwnerId")
        await driven.press("f3")
        await driven.wait_for("'/no/such/pager' cannot run: there is no such program")
        await driven.press("f4")
        await driven.wait_for("EDITOR cannot be read")
