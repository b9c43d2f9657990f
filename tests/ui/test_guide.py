"""The guide as a person reads it: search, list, chapter, and back."""

from __future__ import annotations

import pytest

from syncerr_tui.diagnosis.org_notes import parse_notes
from syncerr_tui.host.terminal import TerminalProfile
from syncerr_tui.text import clean
from syncerr_tui.ui.screens.guide import CodeList, GuideScreen
from syncerr_tui.ui.widgets.panel import InfoPanel
from tests.factories import sync_error
from tests.ui.conftest import Open
from tests.ui.driver import Driven


def current(driven: Driven) -> str | None:
    chapter = driven.app.screen.query_one(CodeList).current
    return chapter.code if chapter else None


async def open_guide(driven: Driven) -> None:
    await driven.ready()
    await driven.press("m")
    await driven.wait_for(" Search:")


@pytest.mark.parametrize("size", [(80, 24), (120, 30)])
async def test_it_opens_on_the_code_of_the_row(opened: Open, size: tuple[int, int]) -> None:
    async with opened([sync_error(1)], size=size) as driven:
        await open_guide(driven)
        assert current(driven) == "REQUIRED_FIELD_MISSING"
        await driven.compare(f"guide-{size[0]}x{size[1]}")
        await driven.press("enter")
        await driven.compare(f"guide-chapter-{size[0]}x{size[1]}")


async def test_a_code_that_only_the_wording_gives_counts(opened: Open) -> None:
    message = clean("The BillingStateCode field contains EP, which isn't an available state.")
    async with opened([sync_error(1, message=message, code=None)]) as driven:
        await open_guide(driven)
        assert current(driven) == "FIELD_INTEGRITY_EXCEPTION"


async def test_it_opens_without_a_row_too(opened: Open) -> None:
    async with opened([]) as driven:
        await open_guide(driven)
        assert current(driven) == "CANNOT_EXECUTE_FLOW_TRIGGER"
        assert "StoreConnect's manual (19)" in driven.text
        assert "667 codes" in driven.text


@pytest.mark.parametrize("text", ["m", "dupl"])
async def test_what_is_found_stands_once_under_each_heading(opened: Open, text: str) -> None:
    async with opened([], size=(120, 60)) as driven:
        await open_guide(driven)
        await driven.type(text)
        listed = driven.app.screen.query_one(CodeList)
        kinds = [isinstance(shown, str) for shown in listed._shown]
        assert kinds.count(True) == 2
        assert kinds[0]


async def test_every_letter_searches_and_escape_goes_back_step_by_step(opened: Open) -> None:
    async with opened() as driven:
        await open_guide(driven)
        await driven.type("lock row")
        assert current(driven) == "UNABLE_TO_LOCK_ROW"
        await driven.press("enter")
        await driven.wait_for("How to fix it")
        await driven.press("escape")
        assert "How to fix it" not in driven.text
        assert "lock row" in driven.lines[1]
        await driven.press("escape")
        assert "lock row" not in driven.lines[1]
        assert "667 codes" in driven.text
        assert current(driven) == "UNABLE_TO_LOCK_ROW"
        await driven.press("escape")
        await driven.wait_for(lambda: driven.app.screen is driven.app.bench)
        assert driven.pane.table.has_focus


async def test_letters_that_are_keys_elsewhere_can_be_typed(opened: Open) -> None:
    async with opened() as driven:
        await open_guide(driven)
        await driven.type("bjkgqmn/G")
        assert "bjkgqmn/G" in driven.lines[1]
        assert "No code and no text has these words." in driven.text
        await driven.press("enter", "down", "pagedown", "up")
        assert isinstance(driven.app.screen, GuideScreen)


async def test_the_cursor_passes_over_headings_and_stops_at_the_ends(opened: Open) -> None:
    async with opened([]) as driven:
        await open_guide(driven)
        await driven.press("up")
        assert current(driven) == "CANNOT_EXECUTE_FLOW_TRIGGER"
        await driven.press(*["down"] * 18)
        assert current(driven) == "UNABLE_TO_LOCK_ROW"
        await driven.press("down")
        assert current(driven) == "ALERT_NOTIFICATION_LIMIT_EXCEEDED"
        await driven.press("up")
        assert current(driven) == "UNABLE_TO_LOCK_ROW"
        listed = driven.app.screen.query_one(CodeList)
        listed.move(10_000)
        last = current(driven)
        await driven.press("down", "pagedown")
        assert current(driven) == last
        listed.move(-10_000)
        await driven.press("up", "pageup")
        assert current(driven) == "CANNOT_EXECUTE_FLOW_TRIGGER"


async def test_a_chapter_scrolls_and_n_goes_on_to_the_next(opened: Open) -> None:
    async with opened([sync_error(1, code="INVALID_FIELD")]) as driven:
        await open_guide(driven)
        await driven.press("enter", "G")
        panel = driven.app.screen.query_one(InfoPanel)
        assert panel.top > 0
        assert "Another case: field name" in panel.text
        await driven.press("n")
        assert current(driven) == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        assert panel.top == 0
        await driven.press("p", "p")
        assert current(driven) == "INVALID_EMAIL_ADDRESS"


async def test_whose_knowledge_it_is_is_said(opened: Open) -> None:
    async with opened([sync_error(1, code="STORAGE_LIMIT_EXCEEDED", message=clean("x"))]) as driven:
        await open_guide(driven)
        await driven.press("enter", "G")
        await driven.wait_for("General Salesforce knowledge, not StoreConnect's.")


async def test_org_notes_stand_in_the_guide(opened: Open) -> None:
    notes = parse_notes('[[note]]\ncode = "REQUIRED_FIELD_MISSING"\ntext = "Call Priya."', "n")
    async with opened([sync_error(1)], read_notes=lambda: notes) as driven:
        await driven.ready()
        await driven.wait_for(lambda: driven.app.services.error_details.notes is not None)
        await driven.press("m", "enter")
        await driven.wait_for("| Call Priya.")


async def test_b_leads_to_the_address_from_the_chapter(opened: Open) -> None:
    async with opened([sync_error(1)], environ={"SSH_TTY": "x"}) as driven:
        await open_guide(driven)
        await driven.press("enter", "b")
        await driven.wait_for("Open which address?")
        await driven.press("enter")
        await driven.wait_for("No browser here.")
        assert isinstance(driven.app.screen, GuideScreen)


async def test_a_plain_terminal_gets_plain_characters(opened: Open) -> None:
    async with opened([sync_error(1)], terminal=TerminalProfile(unicode=False), size=(120, 30)) as driven:
        await open_guide(driven)
        drawn = "\n".join(line[:44] for line in driven.lines)
        assert drawn.isascii()


async def test_a_resize_turns_one_shape_into_the_other(opened: Open) -> None:
    async with opened([sync_error(1)]) as driven:
        await open_guide(driven)
        assert "How to fix it" not in driven.text
        await driven.pilot.resize_terminal(120, 30)
        await driven.wait_for("How to fix it")
        await driven.press("enter")
        await driven.pilot.resize_terminal(80, 24)
        await driven.wait_for("How to fix it")
        await driven.press("escape")
        assert "How to fix it" not in driven.text
