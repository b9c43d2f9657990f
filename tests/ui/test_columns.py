"""The table's columns: sideways, chosen, in order; the panel in any window; and all of that remembered."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len

from syncerr_tui.host import remembered
from syncerr_tui.model import SyncError
from syncerr_tui.text import cells, clean, one_line
from syncerr_tui.triage.columns import (
    MESSAGE,
    ORDER,
    STORECONNECT_ID,
    USUAL,
    Column,
    WindowClass,
    further,
    layouts_of,
    layouts_text,
    placed_in,
)
from syncerr_tui.ui.widgets.line import cell
from tests.factories import NOW, sync_error
from tests.layers import layered
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import IDENTITY

LONG = clean("First the beginning, " + "then 日本語 and more of it, " * 30 + "and at last the END.")
HEADER = 2


def shown_fields(error: SyncError) -> list[str]:
    """The six fields of the manual as a person looks for them."""
    assert isinstance(error.processed_at, datetime)
    return [
        error.object,
        error.event_type.value,
        f"{error.processed_at:%Y-%m-%d %H:%M}",
        error.salesforce_id or "none yet",
        error.storeconnect_id,
    ]


@pytest.mark.parametrize("key", ["enter", "z"])
async def test_one_key_shows_all_six_fields_of_the_row_at_80_columns(opened: Open, key: str) -> None:
    async with opened(size=(80, 24)) as driven:
        await driven.ready()
        await driven.press("j", "j")
        error = driven.pane.listing.current
        assert error is not None
        await driven.press(key)
        await driven.wait_for(error.storeconnect_id)
        for field in shown_fields(error):
            assert field in driven.text
        read = " ".join(" ".join(driven.lines).split())
        assert " ".join(error.message.split())[:140] in read.replace(" ┃ ", " ")


async def test_the_six_fields_are_the_first_lines_of_the_panel(opened: Open) -> None:
    error = sync_error(1, salesforce_id="0015g00000AbCdEAAV", message=clean("Too short."))
    async with opened([error], size=(80, 24)) as driven:
        await driven.ready()
        await driven.press("enter")
        first = "\n".join(driven.lines[HEADER : HEADER + 4])
        for field in [*shown_fields(error), "Too short."]:
            assert field in first


@pytest.mark.parametrize(("right", "left"), [("]", "["), ("shift+right", "shift+left")])
async def test_sideways_come_the_ids_and_the_first_column_stays(opened: Open, right: str, left: str) -> None:
    async with opened(size=(80, 24)) as driven:
        await driven.ready()
        before = driven.text
        assert driven.lines[HEADER].endswith("+2 ]")
        await driven.press(right)
        error = driven.pane.listing.current
        assert error is not None
        assert "Salesforce ID" in driven.lines[HEADER]
        assert error.storeconnect_id in driven.lines[HEADER + 1]
        assert error.object in driven.lines[HEADER + 1]
        assert driven.lines[HEADER].startswith("[")
        await driven.press(left)
        await driven.wait_for(lambda: driven.text == before)
        await driven.press(left)
        assert "These are the first columns." in driven.text


async def test_a_long_message_is_read_to_its_end_without_the_panel(opened: Open) -> None:
    async with opened([sync_error(1, message=LONG)], size=(80, 24)) as driven:
        await driven.ready()
        read = ""
        for _ in range(40):
            await driven.press("]")
            if "no more columns" in driven.text:
                break
            read += driven.lines[HEADER + 1]
        assert "no more columns" in driven.text
        assert "END." in driven.lines[HEADER + 1]
        assert "First the beginning" in read


@given(st.integers(45, 300), st.text(max_size=400), st.sampled_from([None, *ORDER]))
def test_every_view_fills_its_window_and_together_they_show_everything(
    width: int, text: str, sort: Column | None
) -> None:
    error = sync_error(1, message=clean(text))
    whole = one_line(error.message)
    first = placed_in(width, (), sort)
    views = further(first, width, cells(whole))
    for view in [first, *views]:
        assert sum(placed.width for placed in view) + len(view) - 1 == width
        assert view[0].column is first[0].column
    whole_columns = {p.column for view in views for p in view if p.column is not MESSAGE}
    assert {*ORDER} - {MESSAGE} <= whole_columns | {p.column for p in first}
    # Each part of the message begins no later than where the part before was cut.
    end = 0
    for placed in (p for view in views for p in view if p.column is MESSAGE):
        assert placed.skipped is not None
        assert placed.skipped <= end
        end = placed.skipped + placed.width - 1
        drawn = cell(placed.text(error, NOW), placed.width)
        assert cell_len(drawn) == placed.width
    assert end + 1 >= cells(whole)


async def test_one_key_gives_the_message_the_whole_width_and_takes_it_back(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        before = driven.lines
        message = driven.pane.listing.current.message  # type: ignore[union-attr]
        await driven.press("H")
        await driven.wait_for(lambda: message[:50] in driven.lines[3] and "Object" in driven.lines[2])
        await driven.press("H")
        await driven.wait_for(lambda: driven.lines == before)
        await driven.press("H", "right_square_bracket")
        await driven.wait_for(lambda: driven.lines == before)


async def test_what_the_list_is_sorted_by_is_said_as_soon_as_its_column_is_out_of_sight(opened: Open) -> None:
    async with opened(size=(80, 24)) as driven:
        await driven.ready()
        for key in ("H", "right_square_bracket"):
            await driven.press(key)
            await driven.wait_for("sorted by Processed At, oldest first")
            await driven.press("H" if key == "H" else "left_square_bracket")
            await driven.wait_for(lambda: "sorted by" not in driven.text)


async def test_an_id_that_does_not_stand_there_whole_is_counted_in_the_header(opened: Open) -> None:
    error = sync_error(1, salesforce_id="0015g00000AbCdEAAV")
    async with opened([error], size=(80, 30)) as driven:
        await driven.ready()
        missed = 2
        for width in (80, 100, 110, 120, 140, 160, 200):
            await driven.pilot.resize_terminal(width, 30)
            await driven.wait_for(lambda width=width: driven.pane.size.width == width)  # type: ignore[misc]
            header, row = (line.partition("│")[0] for line in driven.lines[HEADER : HEADER + 2])
            missed = sum(str(known) not in row for known in (error.salesforce_id, error.storeconnect_id))
            counted = re.search(r"\+(\d) \]", header)
            assert int(counted[1] if counted else 0) == missed, width
        assert missed == 0, "a window of 200 columns has room for both, beside the panel"


async def test_the_column_that_is_sorted_by_is_in_sight_with_its_mark(opened: Open) -> None:
    async with opened(size=(80, 24)) as driven:
        await driven.ready()
        for key in ORDER:
            driven.pane.sort_by(key)
            await driven.settle()
            assert ("▲" in driven.lines[HEADER]) or ("▼" in driven.lines[HEADER]), key


def files(folder: Path) -> dict[str, Any]:
    """What is remembered, by the name of its file."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("layout-*")}


def kept_panel(folder: Path) -> bool:
    """Whether wide windows have a panel, as it is remembered."""
    return any(kept["windows"]["wide"]["panel"] for name, kept in files(folder).items() if name[0] != ".")


def on_screen(driven: Driven) -> tuple[bool, bool]:
    """Whether the list is on screen, and whether the panel is."""
    return bool(driven.pane.rows.display), bool(driven.pane.panel.display)


async def choose(driven: Driven, *keys: str) -> None:
    await driven.press("t")
    await driven.wait_for("Columns in")
    await driven.press(*keys)


async def test_columns_are_hidden_moved_and_widened_and_so_they_stay(opened: Open, tmp_path: Path) -> None:
    async with opened(size=(80, 24)) as driven:
        await driven.ready()
        # Object, Event, Processed At, Code, Message are shown; the ids stand below them.
        await choose(driven, "j", "space", "j", "space", *"jjj", "space", *"KKKKK", "l", "enter")
        head = driven.lines[HEADER].split("  ")
        assert [name.strip() for name in head if name.strip()][:3] == ["Salesforce ID", "Object", "Code"]
        assert "Event" not in driven.lines[HEADER]
        await driven.wait_for(lambda: bool(files(tmp_path)))
        [kept] = files(tmp_path).values()
        assert kept["windows"]["narrow"]["columns"][0] == ["salesforce_id", 20]
        assert kept["windows"]["wide"]["columns"] == []
    async with opened(size=(80, 24)) as driven:
        await driven.ready()
        await driven.wait_for(lambda: driven.lines[HEADER].lstrip().startswith("Salesforce ID"))
        await choose(driven, "a")
        await driven.wait_for(lambda: driven.lines[HEADER].lstrip().startswith("Object"))
        await driven.wait_for(
            lambda: not any(kept["windows"]["narrow"]["columns"] for kept in files(tmp_path).values())
        )
    async with opened(size=(80, 24)) as driven:
        await driven.ready()
        assert driven.lines[HEADER].lstrip().startswith("Object")


async def test_one_column_stays_and_escape_changes_nothing(opened: Open, tmp_path: Path) -> None:
    async with opened(size=(80, 24)) as driven:
        await driven.ready()
        before = driven.lines[HEADER]
        await choose(driven, *("space", "j") * 8, "escape")
        assert driven.lines[HEADER] == before
        await choose(driven, *("space", "j") * 5, "enter")
        assert driven.lines[HEADER].split()[0] == "Message"
        await driven.wait_for(
            lambda: list(files(tmp_path)) == [f"layout-{driven.connection.identity.org_id}.json"]
        )


async def test_a_wide_window_can_do_without_its_panel(opened: Open, tmp_path: Path) -> None:
    async with opened(size=(130, 30)) as driven:
        await driven.ready()
        assert "StoreConnect ID" not in driven.lines[HEADER]
        assert "]" in driven.lines[HEADER]
        await driven.press("z")
        await driven.wait_for(lambda: "StoreCon" in driven.lines[HEADER])
        assert on_screen(driven) == (True, False)
        await driven.press("enter")
        assert driven.pane.panel.size.width > 120
        await driven.press("escape", "z")
        assert on_screen(driven) == (True, True)
        await driven.press("enter", "z")
        assert driven.pane.panel.size.width > 120
        assert on_screen(driven) == (False, True)
        await driven.wait_for(
            lambda: all(worker.is_finished for worker in driven.app.workers if worker.group == "layouts")
        )
        assert not kept_panel(tmp_path)
    async with opened(size=(130, 30)) as driven:
        await driven.ready()
        await driven.wait_for(lambda: on_screen(driven) == (True, False))


async def test_a_narrow_window_can_have_both_and_a_low_one_says_what_it_can(opened: Open) -> None:
    async with opened(size=(80, 24)) as driven:
        await driven.ready()
        await driven.press("z", "j")
        error = driven.pane.listing.current
        assert error is not None
        await driven.wait_for(error.storeconnect_id)
        assert on_screen(driven) == (True, True)
        await driven.pilot.resize_terminal(80, 16)
        await driven.settle()
        assert on_screen(driven) == (True, False)
        await driven.press("z")
        assert on_screen(driven) == (False, True)


@pytest.mark.parametrize(("width", "closes", "opens"), [(80, "escape", "enter"), (130, "z", "z")])
async def test_the_panel_opens_at_the_top(opened: Open, width: int, closes: str, opens: str) -> None:
    async with opened([sync_error(1, message=LONG)], size=(width, 16)) as driven:
        await driven.ready()
        await driven.press("enter", "G")
        await driven.wait_for(lambda: driven.pane.panel.top > 0)
        if closes != "escape":
            await driven.press("escape")
        await driven.press(closes)
        assert on_screen(driven) == (True, False)
        await driven.press(opens)
        await driven.wait_for(lambda: on_screen(driven)[1])
        assert driven.pane.panel.top == 0
        assert "StoreConnect ID" in driven.text


HOSTILE = [
    b"",
    b"null",
    b"[" * 60_000,
    b"\xff\xfe\x00",
    b"x" * 200_000,
    b'{"version": 2, "windows": {}}',
    b'{"version": 1, "windows": {"narrow": {"columns": [["\\u001b[2J", 3]], "panel": true}}}',
    b'{"version": 1, "windows": {"narrow": {"columns": [["id", -3]], "panel": true}}}',
    b'{"version": 1, "windows": {"narrow": {"columns": [["id", 1e999]], "panel": true}}}',
    b'{"version": 1, "windows": {"narrow": {"columns": [["id", true]], "panel": true}}}',
    b'{"version": 1, "windows": {"narrow": {"columns": [["id", 3], ["id", 3]], "panel": true}}}',
    b'{"version": 1, "windows": {"narrow": {"columns": [[[], 3]], "panel": true}}}',
    b'{"version": 1, "windows": {"narrow": {"columns": [], "panel": "yes"}}}',
    b'{"version": 1, "windows": {"huge": {"columns": [], "panel": true}}}',
    b'{"version": 1, "windows": []}',
]


@pytest.mark.parametrize("content", layered("files that are no columns, on screen", HOSTILE[1::5], HOSTILE))
async def test_a_file_of_another_kind_is_told_and_changes_nothing(
    opened: Open, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / f"layout-{IDENTITY.org_id}.json").write_bytes(content)
    async with opened(size=(80, 24)) as driven:
        await driven.wait_for("The remembered columns cannot be read")
        await driven.ready()
        assert driven.lines[HEADER].endswith("+2 ]")


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    layouts: Any = {
        **USUAL,
        WindowClass.NARROW: layouts_of(layouts_text(USUAL))[WindowClass.WIDE],
    }
    remembered.write(tmp_path / "new", "layout", "00D../../x", layouts_text(layouts))
    assert remembered.read(tmp_path / "new", "layout", "00D../../x", layouts_of, USUAL) == layouts
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["layout-00Dx.json"]
    assert remembered.read(tmp_path, "layout", "00D", layouts_of, USUAL) == USUAL


def test_chosen_columns_that_have_no_room_are_off_to_the_right() -> None:
    choice = tuple((column, 36) for column in ORDER)
    first = placed_in(76, choice)
    assert [placed.column for placed in first] == list(ORDER[:2])
    seen = {placed.column for view in further(first, 76, 10, choice) for placed in view}
    assert seen | {*ORDER[:2]} == {*ORDER}
    assert placed_in(76, ((STORECONNECT_ID, 0),))[0].width == 76
