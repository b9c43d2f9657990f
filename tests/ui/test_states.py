from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from textual.geometry import Region

from syncerr_tui.errors import NotLoggedInError, UnreachableError
from syncerr_tui.host.terminal import TerminalProfile
from tests.factories import NOW, sync_error
from tests.ui.conftest import Open
from tests.ui.fakes import FakeConnection, some_errors

GONE = UnreachableError("The org did not answer within 30 s", "Check the network, then try again")


async def test_the_first_frame_does_not_wait_for_the_org(opened: Open) -> None:
    answered = asyncio.Event()

    async def connect() -> FakeConnection:
        await answered.wait()
        return FakeConnection(some_errors())

    async with opened(connect=connect) as driven:
        await driven.wait_for("connecting ...")
        await driven.wait_for("Connecting to the org")
        answered.set()
        await driven.ready()
        assert "6 sync errors" in driven.text


async def test_the_first_page_is_on_screen_before_the_second_is_asked_for(opened: Open) -> None:
    connection = FakeConnection(some_errors(9), page_size=3)
    connection.page_gate = asyncio.Semaphore(1)
    async with opened(connection=connection) as driven:
        await driven.wait_for("3 sync errors")
        await driven.wait_for("reading 3 of 9 ...")
        assert "Message number 3" in driven.text
        connection.page_gate.release()
        await driven.wait_for("6 sync errors")
        connection.page_gate.release()
        await driven.ready()
        assert connection.pages_asked == 3


async def test_an_empty_list_says_so(opened: Open) -> None:
    async with opened([]) as driven:
        await driven.wait_for("No sync errors.")
        assert "0 sync errors" in driven.text


async def test_without_the_org_one_line_says_so_and_r_tries_again(opened: Open) -> None:
    tries: list[int] = []

    async def connect() -> FakeConnection:
        tries.append(1)
        if len(tries) == 1:
            raise GONE
        return FakeConnection(some_errors())

    async with opened(connect=connect) as driven:
        await driven.wait_for("The org did not answer within 30 s.")
        await driven.wait_for("r tries again.")
        await driven.press("R")
        await driven.wait_for("re-sync: not connected: r tries again")
        await driven.press("r")
        await driven.ready()
        assert "did not answer" not in driven.text


async def test_offline_keeps_what_is_on_screen(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        driven.connection.trouble = GONE
        await driven.press("r")
        await driven.wait_for("The org did not answer within 30 s.")
        assert "Message number 1" in driven.text
        driven.connection.trouble = None
        await driven.press("r")
        await driven.wait_for(lambda: "did not answer" not in driven.text)


async def test_an_expired_session_asks_for_a_new_login(opened: Open) -> None:
    first, second = FakeConnection(some_errors()), FakeConnection(some_errors(4))
    fresh = iter((first, second))

    async def connect() -> FakeConnection:
        return next(fresh)

    async with opened(connect=connect) as driven:
        await driven.ready()
        first.trouble = NotLoggedInError("The session has expired", "Press L to log in again")
        await driven.press("r")
        await driven.wait_for("The session has expired.")
        await driven.press("R")
        await driven.wait_for("L logs in again")
        await driven.press("L")
        await driven.wait_for("4 sync errors")
        assert first.closed
        assert "expired" not in driven.text


async def test_an_overtaken_reading_changes_nothing(opened: Open) -> None:
    connection = FakeConnection(some_errors(6), page_size=3)
    async with opened(connection=connection) as driven:
        await driven.ready()
        connection.page_gate = asyncio.Semaphore(1)
        await driven.press("r")
        await driven.wait_for(lambda: connection.pages_asked == 4)
        connection.org.failed = {error.id: error for error in some_errors(2)}
        connection.page_gate = None
        await driven.press("r")
        await driven.wait_for("2 sync errors")
        assert len(driven.pane.listing.errors) == 2


async def test_a_window_too_small_says_the_size_it_needs(opened: Open) -> None:
    async with opened(size=(59, 15)) as driven:
        await driven.wait_for("Window too small: 59x15, needs 60x15")
        await driven.pilot.resize_terminal(80, 24)
        await driven.wait_for("6 sync errors")
        await driven.pilot.resize_terminal(80, 14)
        await driven.wait_for("Window too small: 80x14")


async def test_the_panel_moves_beside_the_list_where_there_is_room(opened: Open) -> None:
    async with opened(size=(80, 24)) as driven:
        await driven.ready()
        assert "What happened" not in driven.text
        await driven.pilot.resize_terminal(120, 30)
        await driven.wait_for("What happened")
        assert "Message number 1" in driven.text
        await driven.pilot.resize_terminal(80, 24)
        await driven.wait_for(lambda: "What happened" not in driven.text)
        await driven.press("enter")
        await driven.wait_for("What happened")
        assert "Processed At" not in driven.lines[2]
        await driven.press("escape")
        await driven.wait_for("Processed")


async def test_the_panel_follows_the_cursor_and_shows_everything(opened: Open) -> None:
    errors = some_errors()
    async with opened(errors, size=(200, 50)) as driven:
        await driven.ready()
        await driven.press("j", "j")
        await driven.wait_for(lambda: "Message number 3" in driven.pane.panel.text)
        text = driven.pane.panel.text
        third = errors[2]
        ids = (third.salesforce_id, third.storeconnect_id, third.id)
        for value in (third.object, "Create", third.code, *ids):
            assert str(value) in text
        assert "2026-11-22 02:30 UTC" in text


async def test_the_panel_scrolls_to_its_end(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("What happened")
        await driven.press("G")
        await driven.wait_for("Change event")
        await driven.press("n")
        await driven.wait_for("What happened")
        assert driven.pane.listing.cursor == 1
        await driven.press("j")
        assert driven.pane.listing.cursor == 1
        assert driven.pane.panel.top == 1


async def test_new_errors_ring_the_bell_while_watching(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as driven:
        await driven.ready()
        rung: list[bool] = []
        monkeypatch.setattr(driven.app, "bell", lambda: rung.append(True))
        driven.connection.org.failed[sync_error(50).id] = sync_error(50)
        await driven.press("r")
        await driven.wait_for("7 sync errors")
        assert not rung
        await driven.press("w")
        await driven.wait_for("watching")
        driven.connection.org.failed[sync_error(51).id] = sync_error(51)
        driven.app.bench.look_again()
        await driven.wait_for("1 new sync error.")
        assert rung == [True]
        asked = driven.connection.pages_asked
        driven.app.bench.look_again()
        driven.connection.org.failed[sync_error(52).id] = sync_error(52)
        driven.app.bench.look_again()
        await driven.wait_for("9 sync errors")
        assert driven.connection.pages_asked == asked, "only what has changed is read"
        await driven.press("w")
        await driven.wait_for(lambda: "watching" not in driven.text)


async def test_how_long_ago_it_was_read_is_told(opened: Open) -> None:
    time = [NOW]
    clock: Callable[[], datetime] = lambda: time[0]  # noqa: E731 - typed on purpose
    async with opened(clock=clock) as driven:
        await driven.ready()
        await driven.wait_for("refreshed just now")
        time[0] = NOW + timedelta(minutes=3)
        await driven.press("j")
        await driven.wait_for("refreshed 3 min ago")


async def test_ages_go_on_by_themselves(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncerr_tui.ui.list_screen.TICK_SECONDS", 0.05)
    time = [NOW]
    clock: Callable[[], datetime] = lambda: time[0]  # noqa: E731 - typed on purpose
    errors = [sync_error(1, processed_at=NOW - timedelta(seconds=5))]
    async with opened(errors, clock=clock, size=(120, 24)) as driven:
        await driven.ready()
        await driven.wait_for("  5s ")
        time[0] = NOW + timedelta(minutes=4)
        await driven.wait_for("refreshed 4 min ago")
        await driven.wait_for("  4m ")
        await driven.press_meanwhile("c")  # at each of these ticks a thread reads
        await driven.wait_for("4m ago")
        time[0] = NOW + timedelta(minutes=9)
        await driven.wait_for("9m ago")


async def test_that_nothing_is_left_is_read_from_the_org(opened: Open) -> None:
    errors = some_errors(2)
    async with opened(errors) as driven:
        await driven.ready()
        driven.connection.org.repaired = {error.id for error in errors}
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        before = driven.connection.pages_asked
        # One that comes in meanwhile: zero would have been a lie.
        late = sync_error(99)
        driven.connection.failed[late.id] = late
        await driven.press("enter")
        await driven.wait_for("Result")
        await driven.wait_for("1 sync error ")
        assert driven.connection.pages_asked == before + 1
        assert "Result 2 planned: 2 fixed" in driven.text
        assert "Everything the website sent" not in driven.text


async def test_the_list_can_be_read_again_from_everywhere(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        for place in "123":
            await driven.press(place)
            asked = driven.connection.pages_asked
            await driven.press("r")
            await driven.wait_for(lambda asked=asked: driven.connection.pages_asked > asked)  # type: ignore[misc]


async def test_read_only_has_no_key_that_changes_the_org(opened: Open) -> None:
    async with opened(read_only=True) as driven:
        await driven.ready()
        assert "READ-ONLY" in driven.lines[0]
        assert "re-sync" not in driven.lines[-1]
        await driven.press("R")
        assert driven.app.screen is driven.app.bench
        await driven.press("question_mark")
        await driven.wait_for("Keys in Errors")
        assert "Re-sync what is selected" not in driven.text


async def test_everything_is_let_go_at_the_end(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("q")
    assert driven.connection.closed


async def test_a_minute_writes_the_ages_that_read_differently_and_nothing_else(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    young = [sync_error(number, processed_at=NOW - timedelta(seconds=number)) for number in range(1, 15)]
    old = [sync_error(number, processed_at=NOW - timedelta(days=number)) for number in (20, 21)]
    async with opened([*young, *old], terminal=TerminalProfile(slow=True)) as driven:
        await driven.ready()
        written: list[Region] = []
        with monkeypatch.context() as patched:
            patched.setattr(driven.pane.table, "refresh", written.append)
            for minutes in (1, 2):
                written.clear()
                driven.pane.table.tick(NOW + timedelta(minutes=minutes))
                # Oldest first: the two old ones stand in the first rows.
                assert [region.y for region in written] == list(range(3, 17))
                assert {region.width for region in written} == {10}


async def test_ages_go_on_by_themselves_also_over_a_slow_line(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncerr_tui.ui.list_screen.TICK_SECONDS", 0.05)
    time = [NOW]
    errors = [sync_error(1, processed_at=NOW - timedelta(seconds=5))]
    async with opened(errors, clock=lambda: time[0], terminal=TerminalProfile(slow=True)) as driven:
        await driven.ready()
        assert " 5s" in driven.lines[3]
        time[0] += timedelta(minutes=7)
        await driven.wait_for(lambda: " 7m" in driven.lines[3])
