"""The causes on screen, on an org that tests hold in their hands."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest
from rich.cells import cell_len

from syncerr_tui.host.terminal import TerminalProfile
from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import Receipt
from syncerr_tui.stopwatch import Leaving
from syncerr_tui.text import clean
from tests.factories import storeconnect_id, sync_error
from tests.layers import layered
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.families import DUPLICATE, family, waiting


def cursor_line(driven: Driven) -> str:
    return next(line for line in driven.lines if line.startswith(("▌", ">")))


async def test_two_keys_from_opening_the_app_to_the_plan_of_the_worst_cause(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("c", "R")
        await driven.wait_for("Re-sync 7 errors")
        await driven.wait_for("Wave 1   2 Account")
        await driven.wait_for("Wave 2   1 Contact, 1 Order, after Account")
        await driven.wait_for("Wave 3   1 OrderItem, 1 s_c__Payment__c, 1 Order, after Order")
        assert "PRODUCTION" in driven.text


async def test_the_first_look_is_at_the_worst_wherever_the_list_begins(opened: Open) -> None:
    minor = sync_error(0, object=clean("Lead"), code="REQUIRED_FIELD_MISSING")
    async with opened([minor, *family()]) as driven:
        await driven.ready()
        await driven.press("c", "R")
        await driven.wait_for("Re-sync 7 errors")
        await driven.press("escape", "1", "c")
        await driven.wait_for(
            lambda: "Lead" in cursor_line(driven) or "required" in cursor_line(driven).lower()
        )


async def test_the_utility_bar_counts_causes(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        assert "9 sync errors · 3 causes" in driven.text
        assert "Causes (3)" in driven.text


async def test_causes_come_worst_first_with_what_they_hold_up(opened: Open) -> None:
    async with opened(family(), size=(80, 24)) as driven:
        await driven.ready()
        await driven.press("c")
        await driven.wait_for("What broke, worst first")
        await driven.compare("causes")
        await driven.press("right")
        await driven.wait_for("named in its message")
        await driven.compare("causes-open")


@pytest.mark.parametrize("size", [(120, 30), (200, 50)])
async def test_the_panel_stands_beside_wide_lists(opened: Open, size: tuple[int, int]) -> None:
    async with opened(family(), size=size) as driven:
        await driven.ready()
        await driven.press("c")
        await driven.wait_for("2 errors, 5 more wait")
        await driven.press("right", "down", "down")
        await driven.wait_for("Waits for")
        await driven.press("up", "up")
        await driven.wait_for("2 errors, 5 more wait")
        if size == (120, 30):
            await driven.compare("causes-wide")


async def test_the_panel_takes_the_place_of_narrow_lists(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("c", "enter")
        await driven.wait_for("How to fix it")
        await driven.press("G")
        await driven.wait_for("Held up: 5 errors")
        await driven.compare("causes-info")
        await driven.press("n")
        await driven.wait_for("Lead")
        await driven.press("escape")
        await driven.wait_for("What broke, worst first")


async def test_in_ascii_and_without_colour(opened: Open) -> None:
    async with opened(family(), terminal=TerminalProfile(unicode=False)) as driven:
        await driven.ready()
        await driven.press("c", "right", "space")
        await driven.wait_for("` ")
        # Signs are ASCII; what the org says is its own.
        assert all(line[:17].isascii() for line in driven.lines)
        assert " * - " in driven.text
        await driven.press("1")
        # What is cut ends in another sign than the one of a changed row.
        await driven.wait_for("<Payment__c")
        assert "~" not in driven.text


async def test_a_row_leads_to_its_cause_and_back(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("j", "j", "j")
        payment = driven.pane.listing.current
        assert payment is not None
        assert payment.object == "OrderItem"
        await driven.press("u")
        await driven.wait_for("waits for this one. Named parent")
        current = driven.pane.listing.current
        assert current is not None
        assert current.object == "Order"
        await driven.press("u", "u")
        await driven.wait_for("It waits for nothing")
        await driven.press("G", "u")
        await driven.wait_for("Its cause is not in this list")
        await driven.press("c")
        await driven.wait_for(lambda: "Not in this list: Order" in cursor_line(driven))


async def test_go_to_a_cause_that_the_filter_hides(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("slash")
        await driven.type("object:contact")
        await driven.press("enter", "u")
        await driven.wait_for(lambda: driven.pane.listing.current == family()[0])


async def test_errors_of_a_cause_are_counted_anew_as_a_run_proves_them(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("c")
        driven.pane.show_run({}, {})
        driven.app.bench.causes.board.redraw()
        await driven.wait_for(lambda: cursor_line(driven).split()[2:4] == ["2", "5"])
        driven.pane.show_run({}, {}, frozenset({family()[0].id}))
        driven.app.bench.causes.board.redraw()
        await driven.wait_for(lambda: cursor_line(driven).split()[2:4] == ["1", "5"])


async def test_a_cause_opened_while_its_errors_are_being_worked_out_shows_them_when_known(
    opened: Open,
) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("c")
        worker, known = driven.app.services.graph_worker, threading.Event()
        asking = asyncio.create_task(worker.lend(lambda _graph: known.wait(20)))
        await driven.wait_for(lambda: worker.graph is None)
        await driven.press_meanwhile("right")
        known.set()
        await asking
        await driven.wait_for("named in its message")


async def test_the_cause_is_gone_to_once_it_is_known(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        worker, known = driven.app.services.graph_worker, threading.Event()
        asking = asyncio.create_task(worker.lend(lambda _graph: known.wait(20)))
        await driven.wait_for(lambda: worker.graph is None)
        await driven.press_meanwhile("j", "j", "j", "u")
        assert "Still working out what waits for what" in driven.text
        await driven.press_meanwhile("j")
        known.set()
        await asking
        await driven.wait_for(lambda: worker.graph is not None)
        assert driven.pane.listing.current == family()[4], "somebody has moved on: the cursor stays theirs"

        known.clear()
        asking = asyncio.create_task(worker.lend(lambda _graph: known.wait(20)))
        await driven.wait_for(lambda: worker.graph is None)
        await driven.press_meanwhile("u")
        known.set()
        await asking
        await driven.wait_for("waits for this one. Named parent")
        assert driven.pane.listing.current == family()[2]

        known.clear()
        asking = asyncio.create_task(worker.lend(lambda _graph: known.wait(20)))
        await driven.wait_for(lambda: worker.graph is None)
        await driven.press_meanwhile("e")
        assert "filter:" not in driven.text
        known.set()
        await asking
        await driven.wait_for("filter: cause:")


async def test_same_error_elsewhere(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("e")
        await driven.wait_for("filter: cause:")
        assert len(driven.pane.listing.ids) == 7
        await driven.press("e")
        assert len(driven.pane.listing.ids) == 9
        await driven.press("c")
        await driven.wait_for("A duplicate rule")
        await driven.press("n", "e")
        await driven.wait_for("filter: cause:")
        assert [driven.pane.listing.errors[i].object for i in driven.pane.listing.ids] == ["Lead"]


async def test_selecting_a_cause_selects_all_it_holds_in_the_list(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("c", "space")
        errors = driven.pane.listing
        assert {errors.errors[i].id for i in errors.selected} == {e.id for e in family()[:7]}
        await driven.wait_for("7 selected")
        await driven.press("1", "space")
        assert len(driven.pane.listing.selected) == 6
        await driven.press("c")
        # Some, not all: the sign says so.
        assert "- ▸" in driven.text
        await driven.press("g", "space")
        assert len(driven.pane.listing.selected) == 7
        await driven.press("g", "space")
        assert not driven.pane.listing.selected


async def test_the_filter_works_here_too(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("c", "slash")
        await driven.type("object:lead")
        await driven.wait_for("1 shown")
        await driven.press("enter")
        assert "required" in cursor_line(driven).lower()
        await driven.press("escape")
        await driven.wait_for("Not in this list")


async def test_a_victim_alone_brings_its_causes_along(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("j", "j", "j", "R")
        await driven.wait_for("Re-sync 3 errors")
        await driven.wait_for("Their causes are sent first")
        await driven.compare("plan-victim")
        org = driven.connection.org
        org.repaired = {error.id for error in family()}
        await driven.press("enter")
        await driven.wait_for("3 fixed")
        sent = [row for request in org.requests for row in request]
        assert sent == [family()[0].id, family()[2].id, family()[3].id]


async def test_a_failed_cause_keeps_its_victims_unsent(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        errors = family()
        driven.connection.org.repaired = {error.id for error in errors if error.id != errors[0].id}
        await driven.press("c", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Result")
        sent = {row for request in driven.connection.org.requests for row in request}
        assert sent == {errors[0].id, errors[6].id}


async def test_resync_and_enter_clear_the_whole_tree(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        driven.connection.org.repaired = {error.id for error in family()}
        await driven.press("c", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Result")
        await driven.wait_for("7 fixed")
        assert len(driven.connection.org.failed) == 2
        await driven.press("escape")
        await driven.wait_for("Causes (2)")
        assert "A duplicate rule" not in driven.text


async def test_the_ramp_begins_with_one(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("c", "R")
        await driven.wait_for("r one first")
        await driven.press("r")
        await driven.wait_for("all at once")
        await driven.wait_for("Wave 1   1 Account, before all others")
        await driven.press("r")
        await driven.wait_for("Wave 1   2 Account")


async def test_the_causes_follow_the_list(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("c")
        await driven.wait_for("A duplicate rule")
        await driven.press("right")
        await driven.wait_for(lambda: "▾" in cursor_line(driven))
        failed = driven.connection.org.failed
        del failed[family()[7].id]
        for error in (family()[8], waiting(9, "s_c__Shipment__c", 3, "Order")):
            failed[error.id] = error
        await driven.press("r")
        await driven.wait_for("Causes (1)")
        await driven.ready()
        # What was open stays open, and shows what has come.
        await driven.wait_for("s_c__Shipment__c")
        assert cursor_line(driven).split()[1:3] == ["▾", "2"] or "▾" in cursor_line(driven)


async def test_a_guess_is_shown_as_a_guess_and_never_sent_along(opened: Open) -> None:
    cart = sync_error(1, object=clean("s_c__Cart__c"), code="DUPLICATES_DETECTED", message=DUPLICATE)
    unnamed = clean("A parent of this record has failed.")
    item = sync_error(2, object=clean("s_c__Cart_Item__c"), code="INVALID_FIELD", message=unnamed)
    async with opened([cart, item], size=(120, 30)) as driven:
        await driven.ready()
        await driven.press("c", "right")
        await driven.wait_for("GUESS")
        await driven.press("R")
        await driven.wait_for("Re-sync 1 error")


HOSTILE = clean(
    "[/red] [bold]x[/bold] {0} %s \x1b]52;c;AAAA\x07 \u202eevil\u2066 \t\r\n مرحبا 你好 \U0001f468‍\U0001f469"
)


async def test_hostile_texts_stay_text(opened: Open) -> None:
    errors = [
        sync_error(1, object=clean("[red]Obj[/red]\x1b[2J"), code=None, message=HOSTILE),
        sync_error(2, object=clean("你" * 60), code=None, message=HOSTILE, storeconnect_id=clean("[b]{x}")),
        sync_error(3, code=None, message=clean("")),
    ]
    async with opened(errors, size=(120, 30)) as driven:
        await driven.ready()
        await driven.press("c", "right", "down", "n", "right", "down", "enter", "escape", "R")
        await driven.wait_for("enter starts")
        assert "\x1b" not in driven.text
        assert all(cell_len(line) <= 120 for line in driven.lines)


async def test_thousands_of_causes_and_a_giant_one_stay_responsive(opened: Open) -> None:
    errors = many(layered("sync errors behind their causes on screen", 800, 20_000))
    async with opened(errors, size=(80, 24)) as driven:
        await driven.wait_for(driven.is_ready, 120)
        await driven.press("c", "right", "down", "G", "g", "R")
        await driven.wait_for("enter starts", 60)


def many(count: int) -> list[SyncError]:
    """Half of them one cause with victims, the other half a cause each."""
    half = count // 2
    roots = [
        sync_error(n, object=clean("Account"), code="DUPLICATES_DETECTED", message=DUPLICATE)
        for n in range(half // 2)
    ]
    victims = [waiting(half + n, "Order", n, "Account") for n in range(half // 2)]
    alone = [
        sync_error(
            count + n,
            code=None,
            message=clean(f"Nobody knows reason {chr(97 + n % 26)}{storeconnect_id(n)[:2]}x{'y' * (n % 50)}"),
        )
        for n in range(half)
    ]
    return [*roots, *victims, *alone]


async def test_lists_that_were_overtaken_are_passed_over(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        graph_worker = driven.app.services.graph_worker
        listing = driven.pane.listing
        some = {error.id: error for error in family()[:3]}
        graph_worker.follow(some)
        graph_worker.follow({})
        graph_worker.follow(dict(listing.errors))
        assert graph_worker.graph is None
        graph = await asyncio.wait_for(graph_worker.settled(), 20)
        assert graph is not None
        assert set(graph.errors) == set(listing.errors)
        assert graph_worker.known.count == 3


async def test_victims_that_the_org_clears_itself_are_not_sent(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        org, errors = driven.connection.org, family()
        org.repaired = {error.id for error in errors}
        send = org.request_resync

        async def send_and_clear(rows: Sequence[SyncError], leaving: Leaving) -> Sequence[Receipt]:
            # With the parent there, the org's own retry brings the Contact in.
            org.failed.pop(errors[1].id, None)
            receipts: Sequence[Receipt] = await send(rows, leaving)
            return receipts

        org.request_resync = send_and_clear
        await driven.press("c", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Result")
        sent = {row for request in org.requests for row in request}
        assert sent == {error.id for error in errors[:7]} - {errors[1].id}
