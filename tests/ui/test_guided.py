"""The place of a guided re-sync: a person presses in Salesforce and ticks off, the tool proves it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.journal.history import History
from syncerr_tui.model import SyncError
from syncerr_tui.resync import runner
from syncerr_tui.resync.org import MethodInfo
from syncerr_tui.triage.guided import GuidedState, Phase
from syncerr_tui.triage.state import Place
from tests.layers import layered
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import IDENTITY, FakeConnection, some_errors
from tests.ui.past import journal_at

ADDRESS = "https://acme.my.salesforce.com/lightning/n/Sync_Errors"
ROWS = layered("rows pressed by hand", 100, 500)
TEXTS = ("\x1b[31mred\x07", "[bold]x[/]", "漢字" * 90, "\u202eevil")
SIZES = ((60, 15), (80, 24), (200, 50))
METHOD = MethodInfo("guided", "By hand in Salesforce", guided=True, address=ADDRESS)


@pytest.fixture(autouse=True)
def someone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "os_user", lambda: "ana")


def guided(count: int) -> FakeConnection:
    connection = FakeConnection(some_errors(count))
    connection.org.method = METHOD
    connection.org.repaired = {error.id for error in connection.org.failed.values()}
    return connection


async def press(driven: Driven, *errors: SyncError) -> None:
    """The person presses Re-sync in Salesforce."""
    await driven.connection.org.request_resync(errors)
    driven.connection.org.requests.clear()


def state(driven: Driven) -> GuidedState:
    guided = driven.app.context.state.guided
    assert guided is not None
    return guided


def to_press(driven: Driven) -> list[SyncError]:
    guided = driven.app.context.state.guided  # none between one run and the next
    return [guided.rows[row_id].error for row_id in guided.to_press] if guided is not None else []


async def begun(driven: Driven) -> None:
    """All rows are to be re-synced, and the first wave is shown."""
    await driven.ready()
    await driven.press("a", "R")
    await driven.wait_for("enter starts")
    await driven.press("enter")
    await driven.wait_for("then space here")


async def test_the_place_opens_with_all_six_fields_of_each_row_and_the_address(opened: Open) -> None:
    async with opened(connection=guided(3)) as driven:
        await begun(driven)
        assert driven.app.context.state.place is Place.GUIDED
        assert "[Guided (3 to press)]" in driven.lines[1]
        assert ADDRESS in driven.text
        assert "your time zone in Salesforce is not known" in driven.text
        for error in to_press(driven):
            line = next(n for n, line in enumerate(driven.lines) if error.storeconnect_id in line)
            above = driven.lines[line - 1]
            assert "[ ] to press" in above
            assert error.object in above
            assert error.event_type.value in above
            assert error.processed_at is not None
            assert f"{error.processed_at:%Y-%m-%d %H:%M}" in above
            assert error.message[:12] in above
            assert (error.salesforce_id or "-") in driven.lines[line]
        assert driven.connection.org.requests == []


async def test_times_are_those_of_the_user_in_salesforce(opened: Open) -> None:
    connection = guided(1)
    connection.org.identity = replace(IDENTITY, time_zone="Australia/Sydney", locale="en_AU")
    async with opened(connection=connection) as driven:
        await begun(driven)
        assert "Australia/Sydney, en_AU" in driven.text
        assert " am " in driven.text or " pm " in driven.text


async def test_80_columns_have_room_for_all_that_is_said_above_the_rows(opened: Open) -> None:
    connection = guided(30)
    connection.org.identity = replace(IDENTITY, time_zone="Australia/Sydney", locale="en_AU")
    async with opened(connection=connection, size=(80, 24)) as driven:
        await begun(driven)
        await driven.press("space")
        await driven.wait_for("being read")
        assert " left." in driven.lines[2]
        assert "1 being read" in driven.lines[4]
        assert not [line for line in driven.lines[2:5] if "…" in line]


async def test_rows_are_proven_one_by_one_as_they_are_ticked_off(opened: Open, tmp_path: Path) -> None:
    async with opened(connection=guided(3)) as driven:
        await begun(driven)
        first, second, _ = to_press(driven)
        await driven.press("j")
        await press(driven, second)
        await driven.press("space")
        await driven.wait_for(lambda: "FIXED" in driven.text)
        assert [row.word for row in state(driven).rows.values()] == ["to press", "FIXED", "to press"]
        with journal_at(tmp_path) as journal:
            rows = {a.event: a for a in History(journal).rows_of(History(journal).runs()[0].id)}
        assert rows[first.id].unticked
        await press(driven, *to_press(driven))
        await driven.press("a")
        await driven.wait_for("3 planned: 3 fixed")
        assert "Guided (over)" in driven.lines[1]
        assert driven.connection.org.requests == [], "the tool itself sent nothing"
        await driven.press("escape")
        await driven.wait_for(lambda: "Guided" not in driven.lines[1])
        assert driven.app.context.state.place is Place.ERRORS


async def test_a_tick_is_taken_back_by_the_same_key(opened: Open, tmp_path: Path) -> None:
    connection = guided(2)
    connection.org.repaired = set()
    async with opened(connection=connection) as driven:
        await begun(driven)
        await driven.press_at_once("space", "k", "space")
        await driven.wait_for(lambda: len(to_press(driven)) == 2)
        await driven.press("X")
        await driven.wait_for("was Re-sync pressed for any of them?")
        await driven.press("enter")
        await driven.wait_for("2 planned: 2 not sent")
        with journal_at(tmp_path) as journal:
            assert History(journal).open_attempts() == {}


async def test_another_place_and_back_keeps_rows_ticks_cursor_and_filter(opened: Open) -> None:
    async with opened(connection=guided(6)) as driven:
        await begun(driven)
        await driven.press("slash")
        await driven.type("object:Order")
        await driven.press("enter")
        shown = state(driven).view
        assert 0 < len(shown) < 6
        await driven.press("j", "1")
        await driven.wait_for("[Errors")
        await driven.press("4")
        await driven.wait_for("[Guided")
        assert state(driven).view == shown
        assert state(driven).cursor == 1
        await driven.press("escape")
        assert len(state(driven).view) == 6
        await driven.press("escape")
        await driven.wait_for("[Errors")
        assert state(driven).phase is Phase.UNDER_WAY


async def test_tick_all_ticks_what_the_filter_shows(opened: Open) -> None:
    async with opened(connection=guided(6)) as driven:
        await begun(driven)
        await driven.press("slash")
        await driven.type("object:Order")
        await driven.press("enter", "a")
        ticked = {row.error.object for row in state(driven).rows.values() if row.ticked}
        assert ticked == {"Order"}
        assert len(to_press(driven)) == 4


@pytest.mark.parametrize(("key", "answer"), [("enter", "2 not sent"), ("u", "2 unknown")])
async def test_a_stop_asks_what_was_pressed_and_records_that(opened: Open, key: str, answer: str) -> None:
    async with opened(connection=guided(2)) as driven:
        await begun(driven)
        await driven.press("X")
        await driven.wait_for("2 rows not ticked")
        await driven.press("escape")
        assert len(to_press(driven)) == 2
        await driven.press("X", key)
        await driven.wait_for(answer)


async def test_who_quits_is_asked_and_the_next_start_goes_on(opened: Open, tmp_path: Path) -> None:
    connection = guided(3)
    async with opened(connection=connection) as driven:
        await begun(driven)
        first = to_press(driven)[0]
        await press(driven, first)
        await driven.press("space")
        await driven.wait_for("FIXED")
        await driven.press("q")
        await driven.wait_for("2 rows not ticked")
        await driven.press("enter")
        await driven.wait_for(lambda: not driven.app.is_running)
    async with opened(connection=connection) as driven:
        await driven.wait_for("was interrupted")
        await driven.press("escape")
        await driven.wait_for("Guided (open)")
        await driven.press("4")
        await driven.wait_for("Interrupted. U goes on with it")
        assert "FIXED" in driven.text
        await driven.press("space")
        await driven.wait_for("this re-sync was interrupted")
        await driven.press("U")
        await driven.wait_for("3 planned, 1 proven")
        await driven.press("c")
        await driven.wait_for("then space here")
        assert first not in to_press(driven)
        assert len(to_press(driven)) == 2
        await press(driven, *to_press(driven))
        await driven.press("a")
        await driven.wait_for("3 planned: 3 fixed")


async def test_what_was_shown_before_the_end_is_not_to_be_pressed_until_the_person_says_so(
    opened: Open, tmp_path: Path
) -> None:
    connection = guided(3)
    async with opened(connection=connection) as driven:
        await begun(driven)
        pressed, _, _ = to_press(driven)
        driven.app.exit()  # nobody is asked, as when the line is gone
        await driven.wait_for(lambda: not driven.app.is_running)
    await connection.org.request_resync([pressed])
    async with opened(connection=connection) as driven:
        await driven.wait_for("3 shown and not")
        await driven.press("c")
        await driven.wait_for("pressed?")
        await driven.wait_for("FIXED")
        assert to_press(driven) == []
        words = [row.word for row in state(driven).rows.values()]
        assert sorted(words) == ["FIXED", "pressed?", "pressed?"]
        left = [row.error for row in state(driven).rows.values() if row.word == "pressed?"]
        await driven.wait_for("Perhaps pressed before")
        assert "2 to press" not in driven.text, "the line about the run does not ask for it either"
        while state(driven).current is None or state(driven).current.error != left[0]:  # type: ignore[union-attr]
            await driven.press("j")
        await driven.press("N")
        await driven.wait_for(lambda: to_press(driven) == [left[0]])
        await press(driven, *left)
        await driven.press("a")
        await driven.wait_for(lambda: sum(r.word == "FIXED" for r in state(driven).rows.values()) >= 2)
        await driven.wait_for("3 planned: 3 fixed")


async def test_many_rows_are_worked_through_without_a_pause(opened: Open) -> None:
    async with opened(connection=guided(ROWS), size=(200, 50)) as driven:
        await begun(driven)
        everything = to_press(driven)
        assert len(everything) == ROWS
        await press(driven, *everything)
        await driven.press_at_once(*["space"] * 60)
        assert len(to_press(driven)) == ROWS - 60
        await driven.press("a")
        await driven.wait_for(f"{ROWS} planned: {ROWS} fixed")


async def test_copying_here_takes_the_row_or_all_that_is_to_press(opened: Open) -> None:
    written: list[str] = []
    async with opened(connection=guided(3), write_to_terminal=written.append) as driven:
        await begun(driven)
        await driven.press("y")
        await driven.wait_for("Copy of")
        await driven.press("c")
        await driven.wait_for("the StoreConnect ID")
        await driven.press("Y")
        await driven.wait_for("Copy of 3 errors")
        await driven.press("c")
        await driven.wait_for("3 StoreConnect IDs")


async def test_without_such_a_resync_its_key_is_a_digit_and_the_palette_says_why(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("4", "j")
        assert driven.pane.listing.cursor == 4
        await driven.press("ctrl+p")
        await driven.wait_for("Find an action")
        await driven.type("guided")
        await driven.wait_for("no re-sync by hand is under way")


@pytest.mark.parametrize(
    ("texts", "size"),
    layered(
        "hostile texts in a re-sync by hand, in each size",
        list(zip(TEXTS, (SIZES[0], *SIZES), strict=True)),
        list(itertools.product(TEXTS, SIZES)),
    ),
)
async def test_hostile_texts_stay_text(opened: Open, texts: str, size: tuple[int, int]) -> None:
    from syncerr_tui.text import clean

    connection = guided(2)
    for row_id, error in connection.org.failed.items():
        evil: Any = clean(texts)
        connection.org.failed[row_id] = replace(error, message=evil, storeconnect_id=evil)
    connection.org.method = replace(METHOD, address=f"javascript:{texts}")
    async with opened(connection=connection, size=size) as driven:
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("to press")
        assert "\x1b" not in driven.text
        assert "\u202e" not in driven.text
        await driven.press("enter", "escape", "b", "question_mark", "escape", "space")
        assert driven.app.is_running


async def test_a_second_one_waits_for_the_first_and_then_shows_what_to_press(opened: Open) -> None:
    async with opened(connection=guided(3)) as driven:
        await driven.ready()
        await driven.press("R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("then space here")
        (first,) = to_press(driven)
        await driven.press("1", "j", "R")
        await driven.wait_for("enter queues it")
        await driven.press("enter")
        await driven.wait_for("1 queued: Q")
        await driven.press("q")
        await driven.wait_for("1 re-sync in the queue. Nothing of the queue was sent or is kept")
        await driven.press("escape")
        await press(driven, first)
        driven.app.bench.go(Place.GUIDED)
        await driven.press("space")
        await driven.wait_for(lambda: bool(to_press(driven)) and to_press(driven) != [first])
        (second,) = to_press(driven)
        assert second != first
        await press(driven, second)
        driven.app.bench.go(Place.GUIDED)
        await driven.press("space")
        await driven.wait_for("2 ended: Q")
        assert driven.connection.org.requests == [], "the tool itself sent nothing"
