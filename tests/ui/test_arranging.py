"""Lists of so many rows that a thread filters and sorts them: what is shown meanwhile, and what keys do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from syncerr_tui.model import SyncError
from syncerr_tui.text import clean
from syncerr_tui.triage.columns import OBJECT, PROCESSED
from syncerr_tui.triage.listing import Listing
from syncerr_tui.ui import errors_pane
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import some_errors
from tests.ui.families import family
from tests.ui.test_mouse import click

ROWS = some_errors(30)
ALL = tuple(row.id for row in ROWS)
ACCOUNTS = tuple(row.id for row in ROWS if row.object == "Account")


@dataclass
class Held:
    """Threads that arrange a list are at work from the first event on, until the second."""

    begun: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    made: list[threading.Thread] = field(default_factory=list)
    """By which thread each list was made."""


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    known = Held()

    def slowly(arrange: Callable[..., Listing]) -> Callable[..., Listing]:
        def arranged(listing: Listing, *args: Any, **how: Any) -> Listing:
            known.made.append(threading.current_thread())
            if threading.current_thread() is not threading.main_thread():
                known.begun.set()
                assert known.go_on.wait(20)
            return arrange(listing, *args, **how)

        return arranged

    monkeypatch.setattr(Listing, "sorted", slowly(Listing.sorted))
    monkeypatch.setattr(Listing, "filtered", slowly(Listing.filtered))
    monkeypatch.setattr(errors_pane, "MANY", 1)
    yield known
    known.go_on.set()


async def _ask_for_order(driven: Driven, held: Held) -> None:
    """Sort by the object, until a thread is at it."""
    await driven.ready()
    await driven.press("o", "down")
    await driven.press_meanwhile("enter")
    await driven.wait_for(held.begun.is_set)


async def test_keys_behind_another_order_are_meant_for_it(opened: Open, held: Held) -> None:
    async with opened(ROWS) as driven:
        await _ask_for_order(driven, held)
        await driven.press_at_once("G", "space")
        shown = driven.pane.listing
        assert (shown.sort, shown.cursor, len(shown.selected)) == (PROCESSED, 0, 0)
        assert "Processed▲" in driven.text, "what stands on screen is in the order that the header says"
        held.go_on.set()
        await driven.wait_for(lambda: len(driven.pane.listing.selected) == 1)
        assert "Object▲" in driven.text
        listing = driven.pane.listing
        assert listing.selected == {listing.ids[-1]}
        assert listing.errors[listing.ids[-1]].object == "Order"
        assert listing.ids == Listing().refreshed(ROWS, driven.app.context.clock()).sorted(OBJECT).ids


async def test_keys_behind_a_click_on_a_header_are_meant_for_the_order(opened: Open, held: Held) -> None:
    async with opened(ROWS) as driven:
        await driven.ready()
        await click(driven, "Object", line="Code")
        await driven.wait_for(held.begun.is_set)
        await driven.press_at_once("G")
        assert driven.pane.listing.cursor == 0
        held.go_on.set()
        await driven.wait_for(lambda: driven.pane.listing.cursor == len(ROWS) - 1)
        assert driven.pane.listing.sort is OBJECT


async def test_keys_behind_a_filter_are_meant_for_its_rows(opened: Open, held: Held) -> None:
    async with opened(ROWS) as driven:
        await driven.ready()
        await driven.press_at_once("slash", *"object:Account", "enter", "G", "space")
        await driven.wait_for(held.begun.is_set)
        assert (driven.pane.listing.ids, driven.pane.listing.selected) == (ALL, frozenset())
        held.go_on.set()
        await driven.wait_for(lambda: bool(driven.pane.listing.selected))
        assert driven.pane.listing.ids == ACCOUNTS
        assert driven.pane.listing.selected == {ACCOUNTS[-1]}


async def _accounts(driven: Driven, held: Held) -> None:
    """The accounts are shown, and what is asked for next is held."""
    await driven.ready()
    held.go_on.set()
    await driven.press("slash", *"object:Account", "enter")
    await driven.wait_for(lambda: driven.pane.listing.filter.text == "object:Account")
    assert driven.pane.listing.ids == ACCOUNTS
    held.go_on.clear()
    held.begun.clear()


async def test_keys_behind_escape_are_meant_for_the_rows_of_the_filter_before(
    opened: Open, held: Held
) -> None:
    async with opened(ROWS) as driven:
        await _accounts(driven, held)
        await driven.press_at_once("slash", *"nowhere")
        held.go_on.set()
        await driven.wait_for(lambda: not driven.pane.listing.ids)
        held.go_on.clear()
        held.begun.clear()
        await driven.press_at_once("escape", "G", "space")
        await driven.wait_for(held.begun.is_set)
        assert not driven.pane.listing.ids
        held.go_on.set()
        await driven.wait_for(lambda: bool(driven.pane.listing.selected))
        assert driven.pane.listing.ids == ACCOUNTS
        assert driven.pane.listing.selected == {ACCOUNTS[-1]}


async def test_the_filter_that_gets_a_name_is_the_one_that_was_typed(opened: Open, held: Held) -> None:
    async with opened(ROWS) as driven:
        await driven.ready()
        await driven.press_at_once("slash", *"object:Account", "ctrl+s")
        await driven.wait_for(held.begun.is_set)
        assert not driven.pane.listing.filter
        held.go_on.set()
        await driven.wait_for("Save this filter under which name?")
        assert any(line.strip(" │…") == "object:Account" for line in driven.lines)


async def test_all_rows_are_at_hand_when_a_filter_is_taken_back(opened: Open, held: Held) -> None:
    async with opened(ROWS) as driven:
        await _accounts(driven, held)
        held.made.clear()
        await driven.press_at_once("escape", "G", "space")
        assert driven.pane.listing.ids == ALL
        assert driven.pane.listing.selected == {ALL[-1]}


async def test_all_rows_are_at_hand_when_nothing_is_to_be_filtered_after_all(
    opened: Open, held: Held
) -> None:
    async with opened(ROWS) as driven:
        await driven.ready()
        await driven.press_at_once("slash", *"nowhere")
        held.go_on.set()
        await driven.wait_for(lambda: not driven.pane.listing.ids)
        held.go_on.clear()
        await driven.press_at_once("escape", "G", "space")
        assert driven.pane.listing.ids == ALL
        assert driven.pane.listing.selected == {ALL[-1]}


async def test_one_more_term_is_taken_back_by_one_step(opened: Open, held: Held) -> None:
    async with opened(ROWS) as driven:
        await _accounts(driven, held)
        await driven.press("equals_sign")
        await driven.press_meanwhile("d")
        await driven.wait_for(held.begun.is_set)
        await driven.press_at_once("escape", "G", "space")
        assert driven.pane.listing.filter.text == "object:Account"
        held.go_on.set()
        await driven.wait_for(lambda: bool(driven.pane.listing.selected))
        assert driven.pane.listing.filter.text == "object:Account"
        assert driven.pane.listing.selected == {ACCOUNTS[-1]}


async def test_the_rows_with_a_cause_are_shown_with_the_cursor_where_one_came_from(
    opened: Open, held: Held
) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("c", "g", "right", "j", "j")
        row = driven.app.bench.causes.current
        assert row is not None
        await driven.press_at_once("e", "space")
        await driven.wait_for(held.begun.is_set)
        assert not driven.pane.listing.selected
        held.go_on.set()
        await driven.wait_for(lambda: bool(driven.pane.listing.selected))
        assert driven.pane.listing.selected == {row.id}
        assert driven.pane.listing.ids[0] != row.id


async def test_newer_rows_take_the_order_that_was_made_without_them(opened: Open, held: Held) -> None:
    async with opened(ROWS) as driven:
        await _ask_for_order(driven, held)
        newer = replace(ROWS[3], message=clean("Something else"))
        driven.pane.update([newer])
        made = len(held.made)
        held.go_on.set()
        await driven.wait_for(lambda: driven.pane.listing.sort is OBJECT)
        assert driven.pane.listing.errors[newer.id] is newer
        assert len(held.made) == made


async def test_rows_that_came_while_an_order_was_made_are_in_it(opened: Open, held: Held) -> None:
    async with opened(ROWS) as driven:
        await _ask_for_order(driven, held)
        more, now = some_errors(33), driven.app.context.clock()
        driven.pane.show(driven.pane.listing.with_page(more[30:], now))
        held.go_on.set()
        await driven.wait_for(lambda: driven.pane.listing.sort is OBJECT)
        assert driven.pane.listing.ids == Listing().refreshed(more, now).sorted(OBJECT).ids


async def test_rows_that_come_faster_than_an_order_is_made_do_not_hold_the_keys_back(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors_pane, "MANY", 1)
    more, arrange = iter(some_errors(530)[30:]), Listing.sorted
    async with opened(ROWS) as driven:
        await driven.ready()

        def overtaken(listing: Listing, *args: Any, **how: Any) -> Listing:
            if threading.current_thread() is not threading.main_thread():
                driven.app.call_from_thread(arrives, next(more))
            return arrange(listing, *args, **how)

        def arrives(row: SyncError) -> None:
            driven.pane.show(driven.pane.listing.with_page([row], driven.app.context.clock()))

        monkeypatch.setattr(Listing, "sorted", overtaken)
        await driven.press("o", "down")
        await driven.press_meanwhile("enter")
        await driven.wait_for(lambda: driven.pane.listing.sort is OBJECT)
        await driven.press("G", "space")
        listing = driven.pane.listing
        assert len(listing.errors) == len(ROWS) + 1
        assert listing.selected == {listing.ids[-1]}


async def test_few_rows_are_put_in_order_at_once(
    opened: Open, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors_pane, "MANY", len(ROWS) + 1)
    async with opened(ROWS) as driven:
        await driven.ready()
        await driven.press("o", "down", "enter")
        await driven.press_at_once("slash", *"code:dup", "enter", "escape")
        assert driven.pane.listing.sort is OBJECT
        assert held.made
        assert set(held.made) == {threading.main_thread()}
