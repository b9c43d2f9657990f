"""The panel beside the list follows a cursor that rests; meanwhile it says what it is about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from syncerr_tui.host.terminal import Abilities, TerminalProfile
from syncerr_tui.model import EventType, SyncError
from syncerr_tui.text import clean
from syncerr_tui.ui import list_with_panel
from syncerr_tui.ui.screens.menus import ChoiceMenu
from tests.factories import storeconnect_id, sync_error
from tests.ui.conftest import Open
from tests.ui.driver import Driven

WIDE = (140, 30)
ROWS = [
    sync_error(
        number,
        object=clean(("Order", "Contact", "Account")[number % 3]),
        event_type=EventType.UPDATE if number % 2 else EventType.CREATE,
        message=clean(f"Required fields are missing: [Field_{number}__c]"),
    )
    for number in range(60)
]


def beside(driven: Driven) -> list[str]:
    """The lines of the panel."""
    panel = driven.app.bench.pane.panel
    return [panel.render_line(y).text.strip(" ┃") for y in range(panel.page)]


def name(number: int) -> str:
    row = ROWS[number]
    return f"{row.object} {row.event_type.value} {storeconnect_id(number)[:8]}…"


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest that no test reaches by being slow."""
    monkeypatch.setattr(list_with_panel, "_REST_SECONDS", 1.0)
    monkeypatch.setattr(list_with_panel, "_HELD_SECONDS", 1.0)


@pytest.mark.usefixtures("slowly")
async def test_the_panel_says_at_once_which_row_it_is_about_and_which_it_still_shows(opened: Open) -> None:
    async with opened(ROWS, size=WIDE) as driven:
        await driven.ready()
        await driven.wait_for(lambda: "Field_0__c" in "".join(beside(driven)))
        for at in (1, 2, 3):
            await driven.press_at_once("j")
            assert beside(driven)[:2] == [name(at), f"Below is still {name(0)}"]
            assert "Field_0__c" in "".join(beside(driven)[2:])
        await driven.wait_for(lambda: "Field_3__c" in "".join(beside(driven)))
        assert "Field_0__c" not in "".join(beside(driven))
        assert not any("Below is still" in line for line in beside(driven))


@pytest.mark.usefixtures("slowly")
async def test_back_on_the_row_that_is_shown_nothing_is_said_over_it(opened: Open) -> None:
    async with opened(ROWS, size=WIDE) as driven:
        await driven.ready()
        await driven.wait_for(lambda: "Field_0__c" in "".join(beside(driven)))
        shown = beside(driven)
        await driven.press_at_once("j", "k")
        assert beside(driven) == shown


async def test_while_a_key_is_held_no_panel_is_made(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    async with opened(ROWS, size=WIDE) as driven:
        await driven.ready()
        await driven.wait_for(lambda: "Field_0__c" in "".join(beside(driven)))
        describe = driven.pane.describe
        # However slow the machine is, for the app the next keys come at once, and one came just before them.
        monkeypatch.setattr(list_with_panel, "monotonic", lambda: driven.pane._moved_at)
        monkeypatch.setattr(list_with_panel, "_HELD_SECONDS", 60.0)

        def counted(error: SyncError, moment: datetime, outcome: str, width: int) -> Any:
            made.append(error.id)
            return describe(error, moment, outcome, width)

        driven.pane.describe = counted
        for _ in range(20):
            await driven.press_at_once("j")
        assert beside(driven)[0] == name(20)
        assert not made
        monkeypatch.setattr(list_with_panel, "_HELD_SECONDS", 0.01)
        await driven.press_at_once("j")
        await driven.wait_for(lambda: "Field_21__c" in "".join(beside(driven)))
        assert set(made) == {ROWS[21].id}


@pytest.mark.usefixtures("slowly")
@pytest.mark.parametrize("size", [WIDE, (80, 24)])
async def test_keys_act_on_the_row_under_the_cursor_not_on_the_panels(
    opened: Open, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    copied: list[str] = []

    def copy_text(_screen: object, _context: object, text: str, _what: str) -> None:
        copied.append(text)

    monkeypatch.setattr("syncerr_tui.ui.clipboard_actions.copy_text", copy_text)
    async with opened(ROWS, size=size) as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for(lambda: "Field_0__c" in "".join(beside(driven)))
        await driven.press_at_once("n", "Y", "b")
        assert beside(driven)[:2] == [name(1), f"Below is still {name(0)}"]
        await driven.wait_for(lambda: bool(copied))
        assert "Field_1__c" in copied[0]
        await driven.wait_for("Open which address?")
        menu = driven.app.screen
        assert isinstance(menu, ChoiceMenu)
        assert "Field_1__c" in str(menu._choices)
        assert "Field_0__c" not in str(menu._choices)


@pytest.mark.usefixtures("slowly")
async def test_enter_waits_for_no_rest(opened: Open) -> None:
    async with opened(ROWS, size=WIDE) as driven:
        await driven.ready()
        await driven.press_at_once("j", "j", "enter")
        assert "Field_2__c" in "".join(beside(driven))
        assert not any("Below is still" in line for line in beside(driven))


@pytest.mark.usefixtures("slowly")
async def test_causes_and_their_panel_do_the_same(opened: Open) -> None:
    async with opened(ROWS, size=WIDE) as driven:
        await driven.ready()
        await driven.press("c")
        await driven.wait_for(lambda: "nothing waits" in "".join(beside(driven)))
        first = driven.app.bench.causes.current
        await driven.press_at_once("j")
        second = driven.app.bench.causes.current
        assert first is not None
        assert second is not None
        assert [line.split()[-1] for line in beside(driven)[:2]] == [
            f"{row.storeconnect_id[:8]}…" for row in (second, first)
        ]


@pytest.mark.parametrize(
    ("size", "scrolls", "tops"), [((80, 24), True, (1, 0)), ((80, 24), False, (10, 0)), (WIDE, True, (13, 0))]
)
async def test_a_list_as_wide_as_the_terminal_scrolls_row_by_row_where_the_terminal_can_do_it(
    opened: Open, size: tuple[int, int], scrolls: bool, tops: tuple[int, int]
) -> None:
    terminal = TerminalProfile(abilities=Abilities(scroll_region=scrolls))
    async with opened(ROWS, size=size, terminal=terminal) as driven:
        await driven.ready()
        rows = driven.pane.rows
        await driven.press_at_once(*["j"] * rows.page)
        assert rows.top == tops[0]
        await driven.press_at_once(*["k"] * rows.page)
        assert rows.top == tops[1]
        await driven.press_at_once("G")
        assert rows.top == len(ROWS) - rows.page
