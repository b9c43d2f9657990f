"""`10j`: digits before a key, beside those that are the keys of the tabs; and a selection brought back."""

from __future__ import annotations

from datetime import timedelta

from syncerr_tui.triage.state import Place
from tests.factories import NOW, sync_error
from tests.ui.conftest import Open
from tests.ui.driver import Driven

_MANY = [sync_error(number) for number in range(60)]


def place(driven: Driven) -> Place:
    return driven.app.context.state.place


def at(driven: Driven) -> int:
    return driven.pane.listing.cursor


async def test_a_number_before_a_move_repeats_it(opened: Open) -> None:
    async with opened(_MANY) as driven:
        await driven.ready()
        for keys, row in (
            ("10j", 10),
            ("5j", 5),
            ("25jj", 26),
            ("50G", 49),
            ("7g", 6),
            ("G", 59),
            ("90G", 59),
            ("G10k", 49),
            ("12j", 12),
            ("022j", 22),
        ):
            await driven.press("g", *keys)
            assert (at(driven), place(driven)) == (row, Place.ERRORS), keys


async def test_numbers_arrive_in_one_packet_too(opened: Open) -> None:
    async with opened(_MANY) as driven:
        await driven.ready()
        await driven.press_at_once(*"25j12", "space", *"10J")
        assert at(driven) == 47
        assert len(driven.pane.listing.selected) == 12 + 11
        assert place(driven) is Place.ERRORS


async def test_the_number_is_said_and_anything_else_ends_it(opened: Open) -> None:
    async with opened(_MANY) as driven:
        await driven.ready()
        await driven.press("4", "0")
        await driven.wait_for("40 times the next move or selection")
        await driven.press("escape", "j")
        assert at(driven) == 1
        await driven.press("0", "j")
        assert at(driven) == 2


async def test_one_digit_of_a_tab_alone_is_the_tab(opened: Open) -> None:
    moment = NOW
    async with opened(_MANY, clock=lambda: moment) as driven:
        await driven.ready()
        await driven.press("3")
        assert place(driven) is Place.JOURNAL
        await driven.press("1", "j")
        assert (place(driven), at(driven)) == (Place.ERRORS, 1)
        await driven.press("2")
        assert place(driven) is Place.CAUSES
        # Long after the key of the tab a digit begins a number of its own.
        moment += timedelta(seconds=5)
        await driven.press("5")
        assert place(driven) is Place.CAUSES
        await driven.press("1")
        await driven.wait_for("51 times")
        # Tabs one after the other are tabs.
        await driven.press("escape", "1", "2", "3", "1", "3", "2")
        assert place(driven) is Place.CAUSES
        # `c` is no digit.
        await driven.press("escape", "1", "c", "5", "j")
        assert place(driven) is Place.CAUSES


async def test_a_number_moves_causes_and_text_as_well(opened: Open) -> None:
    async with opened(_MANY) as driven:
        await driven.ready()
        await driven.press("c", "l", "1", "0", "j")
        assert place(driven) is Place.CAUSES
        assert driven.app.bench.causes.board.at == 10
        await driven.press("1", "enter", "4", "j")
        assert driven.pane.panel.top == 4


async def test_a_lost_selection_is_one_key_away(opened: Open) -> None:
    async with opened(_MANY) as driven:
        await driven.ready()
        await driven.press("backspace")
        await driven.wait_for("selection back: no selection was lost")
        await driven.press("a", "escape")
        assert not driven.pane.listing.selected
        await driven.press("backspace")
        await driven.wait_for("60 selected")
        driven.connection.failed = {error.id: error for error in _MANY[:50]}
        await driven.press("i", "r")
        await driven.wait_for("Errors (50)")
        await driven.press("c", "backspace")
        await driven.wait_for(lambda: len(driven.pane.listing.selected) == 50)
