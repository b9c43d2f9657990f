from __future__ import annotations

import asyncio
import random
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from syncerr_tui.cli._choosing import filter_over
from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.diagnosis.model import Diagnosis
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.errors import BadInputError
from syncerr_tui.model import EventType, RowState
from syncerr_tui.text import clean
from syncerr_tui.triage.columns import PROCESSED
from syncerr_tui.triage.listing import Listing
from syncerr_tui.ui.debouncer import loop_at_rest
from tests.factories import NOW, sync_error
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import some_errors

_KINDS = ("Order", "OrderItem", "Contact", "s_c__Payment__c")
_CODES = ("INVALID_FIELD", "DUPLICATES_DETECTED", "DUPLICATE_VALUE", None)
_TERMS = (
    *("object:Order", "object:order", "object:Ord", "object:pay", "object:Order,Contact", "object:*Item"),
    *("code:INVALID", "code:INVALID*", "code:DUP", "code:none", "code:DUPLICATE_VALUE", "code:dup*,none"),
    *("event:upd", "event:update", "event:*ate", "age:>0s", "age:<1d", "boots", '"object"', "cause:nobody"),
    *(
        "/^(b|sh)oo.s [0-3]$/",
        "/(o+)+ 6/",
        "/(/",
        "/boots",
        "message:/SHOES/",
        "code:/^dup.*value$/",
        "age:/2d/",
    ),
    *("object:/item|pay/", "day:2026-11-*", "day:*", "day:none", "day:soon", "/boots 1/ /2/"),
)


async def test_the_app_and_the_commands_show_the_same_rows_for_any_filter(opened: Open) -> None:
    errors = [
        sync_error(
            number,
            object=clean(_KINDS[number % 4]),
            code=_CODES[number % 3],
            event_type=list(EventType)[number % 3],
            message=clean(f"{'boots' if number % 5 else 'shoes'} {number % 7}"),
        )
        for number in range(40)
    ]
    graph = CauseGraph()
    graph.add(errors)
    causes = [f"cause:{cause.key}" for cause in graph.causes()] + [f"cause:{errors[3].id}"]
    dice = random.Random(7)
    async with opened(errors) as driven:
        await driven.ready()
        await driven.wait_for(lambda: driven.app.bench.services.graph_worker.graph is not None)
        for _ in range(150):
            words = dice.choices((*_TERMS, *causes), k=dice.randint(1, 3))
            text = " ".join(dice.choice(("", "", "-")) + word for word in words)
            try:
                only = filter_over(graph, text)
            except BadInputError as error:
                with pytest.raises(BadInputError, match=re.escape(error.title)):
                    driven.pane.filter_by(text)
                continue
            driven.pane.filter_as_typed(text)
            driven.pane.filter_by(text)
            expected = {error.id for error in errors if only.matches(error, NOW)}
            assert set(driven.pane.listing.ids) == expected, text


async def test_enter_ends_the_name_that_was_being_typed(opened: Open) -> None:
    errors = [sync_error(number, object=clean(_KINDS[number % 2])) for number in range(6)]
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press("slash")
        await driven.type("object:Order")
        await driven.wait_for("filter: object:Order*  (6 shown)")
        await driven.press("enter")
        await driven.wait_for("filter: object:Order  (3 shown)")
        await driven.press("a")
        assert {driven.pane.listing.errors[i].object for i in driven.pane.listing.selected} == {"Order"}


async def test_the_list_is_on_screen_with_its_org(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        assert "acme-prod" in driven.lines[0]
        assert "PRODUCTION" in driven.lines[0]
        assert "[Errors (6)]" in driven.lines[1]
        await driven.wait_for("6 sync errors")


async def test_space_selects_and_moves_on(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("space", "space")
        assert driven.pane.listing.selected == {error.id for error in some_errors()[:2]}
        assert driven.pane.listing.cursor == 2
        await driven.wait_for("2 selected")
        assert driven.lines[3].startswith(" ✓ ")
        assert driven.lines[5].startswith("▌  ")


async def test_a_range_grows_with_v_and_with_shift(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("v", "j", "j", "v", "j")
        assert len(driven.pane.listing.selected) == 3
        await driven.press("escape")
        assert driven.pane.listing.selected == frozenset()
        await driven.press("g", "shift+down", "shift+down")
        assert len(driven.pane.listing.selected) == 3


async def test_all_and_invert_mean_what_the_filter_shows(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("slash")
        await driven.type("object:Order")
        await driven.press("enter", "a")
        assert {driven.pane.listing.errors[i].object for i in driven.pane.listing.selected} == {"Order"}
        await driven.press("i")
        assert driven.pane.listing.selected == frozenset()


async def test_the_filter_works_as_it_is_typed_and_escape_takes_it_back(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("slash")
        await driven.type("code:dup")
        assert {driven.pane.listing.errors[i].code for i in driven.pane.listing.ids} == {
            "DUPLICATES_DETECTED"
        }
        await driven.press("escape")
        assert len(driven.pane.listing.ids) == 6
        assert "filter:" not in driven.text


async def test_an_unreadable_filter_says_what_is_wrong_and_keeps_the_list(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("slash")
        await driven.type("colour:red ")
        await driven.wait_for("does not know colour")
        await driven.press("enter")
        await driven.wait_for("does not know colour")
        await driven.press("escape")
        assert len(driven.pane.listing.ids) == 6


async def test_what_the_filter_hides_is_counted_and_not_sent(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("a", "slash")
        await driven.type("object:Order")
        await driven.press("enter")
        await driven.wait_for("6 selected (4 hidden by the filter)")
        await driven.press("R")
        await driven.wait_for("Re-sync 2 errors in acme-prod (PRODUCTION)")
        await driven.wait_for("Not sent: 4 selected, but hidden by the filter.")
        await driven.press("enter")
        await driven.wait_for("Result")
        sent = {row for request in driven.connection.org.requests for row in request}
        assert {driven.pane.listing.errors[row].object for row in sent} == {"Order"}


async def test_with_everything_selected_hidden_nothing_is_sent(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("space", "slash")
        await driven.type("object:Account")
        await driven.press("enter", "R")
        await driven.wait_for("the filter hides everything selected")
        assert driven.connection.org.requests == []


async def test_a_selection_survives_sort_and_refresh(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("space", "space", "o", "down", "down", "enter")
        chosen = {error.id for error in some_errors()[:2]}
        assert driven.pane.listing.selected == chosen
        driven.connection.org.failed[sync_error(99).id] = sync_error(99)
        await driven.press("r")
        await driven.wait_for("7 sync errors")
        assert driven.pane.listing.selected == chosen


async def test_resync_tells_each_row_and_the_truth(opened: Open) -> None:
    errors = some_errors()
    async with opened(errors) as driven:
        await driven.ready()
        driven.connection.org.repaired = {errors[0].id}
        await driven.press("space", "space", "R")
        await driven.wait_for("Re-sync 2 errors")
        await driven.wait_for("1 Contact, 1 Order")
        await driven.wait_for("Apex action s_c__ResyncAction")
        await driven.press("enter")
        await driven.wait_for("Result")
        await driven.wait_for("1 fixed, 1 still failing")
        assert "FIXED" in driven.lines[3]
        assert "FAILING" in driven.lines[4]
        await driven.press("escape")
        assert "Result" not in driven.text
        assert errors[0].id not in driven.pane.listing.errors
        assert errors[1].id in driven.pane.listing.errors


async def test_escape_in_the_dialog_sends_nothing(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("R", "escape")
        await driven.wait_for(lambda: driven.app.screen is driven.app.bench)
        assert driven.connection.org.requests == []
        assert not driven.app.services.runs.active


async def test_the_app_stays_usable_and_nothing_goes_twice(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        driven.connection.org.open.clear()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for(lambda: bool(driven.connection.org.requests))
        await driven.press("j", "j", "space")
        assert driven.pane.listing.cursor == 3
        await driven.press("R")
        await driven.wait_for("already in the re-sync under way")
        await driven.press("enter", "escape")
        driven.connection.org.open.set()
        await driven.wait_for("Result")


async def test_cancel_waits_for_what_is_on_its_way_and_leaves_the_rest(opened: Open) -> None:
    async with opened(some_errors(12)) as driven:
        await driven.ready()
        driven.connection.org.open.clear()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for(lambda: len(driven.connection.org.requests) == 2)
        await driven.press("X")
        await driven.wait_for("Stopping")
        driven.connection.org.open.set()
        await driven.wait_for("Result")
        await driven.wait_for("(stopped)")
        await driven.wait_for("not sent")
        assert len(driven.connection.org.requests) == 2
        assert not driven.app.services.runs.active


async def test_quitting_during_a_run_asks(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        driven.connection.org.open.clear()
        await driven.press("R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for(lambda: driven.app.services.runs.active)
        await driven.press("q")
        await driven.wait_for("A re-sync is under way")
        await driven.press("escape")
        await driven.wait_for(lambda: driven.app.screen is driven.app.bench)
        assert driven.app.services.runs.active
        driven.connection.org.open.set()
        await driven.wait_for("Result")


def test_every_state_of_a_row_has_a_word() -> None:
    from syncerr_tui.ui.run_presenter import _STATES
    from syncerr_tui.ui.widgets.table import STATE_WIDTH

    assert set(_STATES) == set(RowState) - {RowState.DONE}
    assert all(len(mark.word) <= STATE_WIDTH for mark in _STATES.values())


@pytest.mark.parametrize("keys", [("j", "space"), ("j", "space", "o", "j", "enter")])
async def test_many_rows_are_sorted_in_while_the_person_goes_on(
    opened: Open, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    monkeypatch.setattr("syncerr_tui.ui.list_screen.MANY", 5)
    go_on, begun = threading.Event(), threading.Event()
    refreshed = Listing.refreshed

    def held_back(listing: Listing, *args: Any) -> Listing:
        begun.set()
        assert go_on.wait(20)
        return refreshed(listing, *args)

    rows = [sync_error(number) for number in range(20)]
    async with opened(rows) as driven:
        await driven.ready()
        monkeypatch.setattr(Listing, "refreshed", held_back)
        begun.clear()
        driven.connection.org.failed.pop(rows[0].id)
        await driven.press_meanwhile("r")
        await driven.wait_for(begun.is_set)
        await driven.press_meanwhile(*keys)
        assert driven.pane.listing.selected == {rows[1].id}
        go_on.set()
        await driven.wait_for(lambda: rows[0].id not in driven.pane.listing.errors)
        listing = driven.pane.listing
        assert listing.selected == {rows[1].id}
        assert listing.current == rows[2]
        assert (listing.sort is PROCESSED) is (len(keys) == 2)
        assert listing.ids == refreshed(listing, listing.errors.values(), NOW).ids


async def test_the_messages_of_the_first_rows_are_not_read_while_keys_wait(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def watched(message: str, code: str | None = None) -> Diagnosis:
        threads.append(threading.current_thread())
        return diagnose(message, code)

    threads: list[threading.Thread] = []
    monkeypatch.setattr("syncerr_tui.diagnosis.read.diagnose", watched)
    rows = [sync_error(n, message=clean(f"Nobody has read this {n}: {random.random()}")) for n in range(9)]
    async with opened(rows) as driven:
        await driven.ready()
        assert threads
        assert threading.main_thread() not in threads


async def test_a_thread_sets_to_work_when_the_loop_has_nothing_at_hand() -> None:
    async def busy() -> None:
        for _ in range(5):
            time.sleep(0.03)  # noqa: ASYNC251 - as a paint does
            await asyncio.sleep(0)
        done.append(True)

    done: list[bool] = []
    at_work = asyncio.ensure_future(busy())
    await loop_at_rest(0.01)
    assert done
    await at_work


@pytest.fixture
def looked_through(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """A list of many rows: it is being looked through from the first event on, until the second."""
    begun, go_on, loop = threading.Event(), threading.Event(), threading.get_ident()
    filtered = Listing.filtered

    def slowly(listing: Listing, *args: Any) -> Listing:
        if threading.get_ident() != loop:
            begun.set()
            assert go_on.wait(20)
        return filtered(listing, *args)

    monkeypatch.setattr(Listing, "filtered", slowly)
    monkeypatch.setattr("syncerr_tui.ui.errors_pane.MANY", 1)
    yield begun, go_on
    go_on.set()


async def _look_through(driven: Driven, begun: threading.Event) -> None:
    """Type a filter, until a thread looks for it."""
    await driven.ready()
    await driven.press("slash")
    await driven.type("code:dup")
    await driven.wait_for(begun.is_set)


async def test_many_rows_are_looked_through_while_the_filter_is_typed_on(
    opened: Open, looked_through: tuple[threading.Event, threading.Event]
) -> None:
    begun, go_on = looked_through
    async with opened() as driven:
        await _look_through(driven, begun)
        assert "code:dup" in driven.text, "keys are answered meanwhile"
        assert len(driven.pane.listing.ids) == 6
        driven.pane.show(driven.pane.listing.all_selected())
        go_on.set()
        await driven.wait_for(lambda: len(driven.pane.listing.ids) == 2)
        assert len(driven.pane.listing.selected) == 6, "what came meanwhile stays"


async def test_escape_is_faster_than_what_was_typed(
    opened: Open, looked_through: tuple[threading.Event, threading.Event]
) -> None:
    begun, go_on = looked_through
    async with opened() as driven:
        await _look_through(driven, begun)
        await driven.press_meanwhile("escape")
        go_on.set()
        await driven.press("down")
        assert len(driven.pane.listing.ids) == 6
        assert driven.pane.listing.filter.text == ""
