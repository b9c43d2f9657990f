"""Help and menus narrow to what is typed, and the palette leads on from everywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import OptionList

from syncerr_tui.diagnosis.codes import MANUAL_CODES
from syncerr_tui.triage.state import EndedRun, QueuedRun, RunQueue
from syncerr_tui.ui.screens.guide import CodeList, GuideScreen
from tests.factories import NOW
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import some_errors


async def back(driven: Driven) -> None:
    await driven.wait_for(lambda: driven.app.screen is driven.app.bench)


async def test_help_narrows_to_the_keys_of_which_something_is_said(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("question_mark")
        await driven.wait_for("/ narrows")
        await driven.press("slash")
        await driven.type("clipboard copy")
        await driven.wait_for("No key and no sentence has these words.")
        await driven.press("ctrl+u")
        await driven.type("whole err")
        await driven.wait_for("Copy the whole error as text.")
        assert "Move" not in driven.text
        await driven.press("escape")
        await driven.wait_for("Move down a page.")
        await driven.press("escape")
        await back(driven)


async def test_what_is_typed_behind_the_slash_in_one_packet_is_in_the_line(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("question_mark")
        await driven.wait_for("/ narrows")
        await driven.press_at_once(*"/whole", "space", *"err/")
        await driven.wait_for("No key and no sentence has these words.")
        await driven.press("backspace")
        await driven.wait_for("Copy the whole error as text.")


async def test_a_menu_narrows_and_enter_takes_what_is_left(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("o", "slash")
        await driven.type("storec")
        assert [str(o.prompt) for o in driven.app.screen.query_one(OptionList).options] == ["StoreConnect ID"]
        await driven.press("enter")
        await back(driven)
        await driven.wait_for("StoreCon▲")
        await driven.press("y", "slash")
        await driven.type("zzz")
        await driven.wait_for("Nothing has these words.")
        await driven.press("enter")
        assert driven.app.screen is not driven.app.bench
        await driven.press("escape")
        await driven.wait_for("StoreConnect ID")
        assert driven.app.screen is not driven.app.bench
        await driven.press("escape")
        await back(driven)


@pytest.mark.parametrize("reading", [False, True])
async def test_the_palette_opens_inside_the_guide_and_leads_out_of_it(opened: Open, reading: bool) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("m")
        await driven.wait_for(" Search:")
        await driven.press(*(("enter", "colon") if reading else ("ctrl+p",)))
        await driven.wait_for("Find an action")
        await driven.press("escape")
        await driven.wait_for(lambda: isinstance(driven.app.screen, GuideScreen))
        await driven.press("ctrl+p")
        await driven.type("checkbox everything")
        await driven.press("enter")
        await back(driven)
        await driven.wait_for("6 selected")


async def test_a_filter_can_be_typed_straight_from_the_guide(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("m", "ctrl+p")
        await driven.type("search")
        await driven.press("enter")
        await back(driven)
        await driven.type("object:Order")
        await driven.wait_for("filter: object:Order")


async def test_the_manuals_codes_stand_first_whatever_is_searched(opened: Open) -> None:
    async with opened(size=(80, 60)) as driven:
        await driven.ready()
        await driven.press("m")
        await driven.wait_for(" Search:")
        listed = driven.app.screen.query_one(CodeList)
        await driven.type("flow")
        assert listed.current is not None
        assert listed.current.code == "CANNOT_EXECUTE_FLOW_TRIGGER"
        codes = [shown.code for shown in listed._shown if not isinstance(shown, str)]
        ours = [code in MANUAL_CODES for code in codes]
        assert ours == sorted(ours, reverse=True)
        assert True in ours
        assert False in ours


@pytest.mark.parametrize("size", [(60, 15), (80, 24)])
@pytest.mark.parametrize(
    "keys", [("N",), ("o",), ("y",), ("t",), ("=",), ("#",), ("o", "/"), ("N", "/"), ("Q",)]
)
async def test_every_line_of_a_list_can_be_come_to_and_the_keys_stay_in_sight(
    opened: Open, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    errors = some_errors(12)
    async with opened(errors, size=size) as driven:
        await driven.ready()
        ended = tuple(EndedRun(NOW, f"{number} planned: {number} fixed") for number in range(9))
        runs = tuple(QueuedRun(number, (error,)) for number, error in enumerate(errors))
        queue = RunQueue(runs, held="it was stopped", ended=ended)
        driven.app.context.state = replace(driven.app.context.state, queue=queue)
        await driven.press(*keys)
        dialog, listed = driven.app.screen, driven.app.screen.query_one(OptionList)
        box, foot = dialog.query_one(".dialog").content_region, dialog.query_one("#foot").region
        assert (foot.bottom, listed.region.bottom) == (box.bottom, foot.y)
        assert listed.region.y == dialog.query_one("#head").region.bottom
        for _ in range(listed.option_count):
            await driven.press("down")
            top = listed.scroll_offset.y
            at = listed.highlighted
            assert at is not None
            assert top <= at < top + listed.region.height
        await driven.press("escape", "escape")
