"""What a click does, where the terminal tells of clicks."""

from __future__ import annotations

from textual.events import MouseScrollDown

from syncerr_tui.triage.columns import CODE, OBJECT
from syncerr_tui.triage.state import Place
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import some_errors


async def click(driven: Driven, text: str, *, times: int = 1, control: bool = False, line: str = "") -> None:
    """Click on the first letter of a text, in the first line that has it."""
    y = next(y for y, shown in enumerate(driven.lines) if text in shown and line in shown)
    x = driven.lines[y].index(text)
    await driven.pilot.click(offset=(x, y), times=times, control=control)
    await driven.settle()


async def test_a_click_on_a_tab_goes_there(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        for name, place in (("Causes", Place.CAUSES), ("Journal", Place.JOURNAL), ("Errors", Place.ERRORS)):
            await click(driven, f"{name}", line="Journal")
            assert driven.app.context.state.place is place
        await driven.pilot.click(offset=(70, 1))
        await driven.settle()
        assert driven.app.context.state.place is Place.ERRORS


async def test_a_click_on_a_key_of_the_footer_presses_it(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await click(driven, "a all")
        assert len(driven.app.context.state.listing.selected) == len(some_errors())
        await click(driven, "filter", line="? help")
        await driven.wait_for("enter applies")
        await driven.press("escape")
        await click(driven, "? help")
        await driven.wait_for("Keys in Errors")


async def test_a_click_on_a_header_sorts_and_again_reverses(opened: Open) -> None:
    async with opened(size=(100, 30)) as driven:
        await driven.ready()
        await click(driven, "Code", line="Object")
        listing = driven.app.context.state.listing
        assert (listing.sort, listing.reverse) == (CODE, False)
        await click(driven, "Code", line="Object")
        assert driven.app.context.state.listing.reverse
        assert "Code▼" in driven.text
        await click(driven, "Object", line="Code")
        assert driven.app.context.state.listing.sort is OBJECT


async def test_a_click_on_the_brackets_of_the_header_goes_sideways(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        first = driven.lines[2]
        await click(driven, "]", line="Object")
        assert "StoreConnect ID" in driven.text
        await click(driven, "[", line="Object")
        assert driven.lines[2] == first


async def test_a_click_in_the_gutter_selects_and_a_second_one_takes_it_back(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.pilot.click(offset=(1, 5))
        await driven.settle()
        listing = driven.app.context.state.listing
        assert listing.selected == {listing.ids[2]}
        assert listing.cursor == 2
        await driven.pilot.click(offset=(0, 5))
        await driven.settle()
        assert not driven.app.context.state.listing.selected
        await driven.press("c")
        await driven.pilot.click(offset=(1, 3))
        await driven.settle()
        assert driven.app.context.state.listing.selected


async def test_a_double_click_opens_the_row_the_cause_and_the_run(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.pilot.click(offset=(20, 4), times=2)
        await driven.settle()
        assert driven.app.context.state.panel_open
        assert driven.app.context.state.listing.cursor == 1
        await driven.press("escape", "c")
        await driven.wait_for("What broke, worst first")
        closed = driven.app.bench.causes.board.count
        await driven.pilot.click(offset=(30, 3), times=2)
        await driven.settle()
        assert driven.app.bench.causes.board.count > closed


async def test_the_wheel_moves_the_cursor(opened: Open) -> None:
    async with opened(size=(120, 30)) as driven:
        await driven.ready()
        wheel = MouseScrollDown(None, 10, 5, 0, 1, 0, False, False, False)
        driven.pane.table.post_message(wheel)
        await driven.settle()
        assert driven.app.context.state.listing.cursor == 3
