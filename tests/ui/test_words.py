"""Words and small promises of the screen: each was wrong once, and a person was led astray by it."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.containers import VerticalScroll

from syncerr_tui.diagnosis.causes import READY
from syncerr_tui.diagnosis.explanation import OrgContext, chapters, explain, search
from syncerr_tui.diagnosis.fingerprint import NOT_LISTED, Fingerprint
from syncerr_tui.diagnosis.org_metadata import Resolved
from syncerr_tui.errors import BadInputError
from syncerr_tui.host.terminal import TerminalProfile
from syncerr_tui.journal import filter as journal_filter
from syncerr_tui.journal.history import RunRecord
from syncerr_tui.model import Verdict
from syncerr_tui.resync.selection import Planner, prepare
from syncerr_tui.triage.columns import MESSAGE
from syncerr_tui.triage.keymap import ActionTable
from syncerr_tui.triage.state import Place
from syncerr_tui.ui import resync_controller
from syncerr_tui.ui.journal_words import NOT_SENT, RUNS, run_cells
from syncerr_tui.ui.run_presenter import RunPresenter
from syncerr_tui.ui.screens.dialog import Dialog
from syncerr_tui.words import local_minute
from tests.factories import NOW, sync_error
from tests.ui.conftest import Open
from tests.ui.families import family


async def test_the_panel_opens_at_its_beginning_every_time(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("What happened")
        await driven.press("G")
        await driven.wait_for(lambda: "What happened" not in driven.text)
        await driven.press("escape", "enter")
        await driven.wait_for("What happened")


async def test_space_in_the_panel_selects_the_error_on_screen_and_stays_on_it(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("j", "enter")
        await driven.wait_for("What happened")
        row = driven.pane.listing.current
        await driven.press("space")
        await driven.wait_for("1 selected")
        assert driven.pane.listing.current == row
        assert row is not None
        assert driven.pane.listing.selected == {row.id}
        await driven.press("n")
        await driven.wait_for("R re-sync 1 selected")


async def test_a_key_that_works_elsewhere_says_where(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        for place, key, reason in (
            ("c", "a", "all: works in Errors (1)"),
            ("3", "Y", "copy error: works in Errors (1)"),
            ("3", "b", "open address: works in Errors (1) and Causes (c)"),
            ("3", "space", "select: works in Errors (1) and Causes (c)"),
            ("3", "P", "pause re-sync: no re-sync is under way"),
            ("3", "R", "re-sync: works in Errors (1) and Causes (c)"),
            ("1", "V", "check again: works in Journal (3)"),
        ):
            await driven.press(place, key)
            await driven.wait_for(reason)


async def test_the_filter_says_below_it_what_can_be_typed_and_remembers(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("j", "j", "j", "slash")
        await driven.wait_for("tab completes")
        for term in ("-not", "object:", "code:", "event:", "age:", "cause:ID", "day:", "saved:NAME"):
            assert f" {term}" in driven.text, "all of them fit into 80 columns"
        assert "space select" not in driven.text
        row = driven.pane.listing.current
        await driven.type("object:Order")
        await driven.wait_for("2 shown")
        assert driven.pane.listing.cursor == 0
        await driven.type(",Contact")
        await driven.wait_for("4 shown")
        assert driven.pane.listing.current == row, "it matches, wherever the letters before it led"
        await driven.press("escape")
        await driven.wait_for("R re-sync")
        assert driven.pane.listing.current == row
        for text in ("object:Contact", "object:Order"):
            await driven.press("escape", "slash")
            await driven.type(text)
            await driven.press("enter")
        await driven.press("escape", "slash", "up", "up")
        await driven.wait_for("/ object:Contact ")
        await driven.press("down", "enter")
        await driven.wait_for("filter: object:Order  (2 shown)")


async def test_a_long_filter_leaves_the_tabs_and_the_count(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("slash")
        await driven.type('"a text that is longer than the line of tabs has room for, by far"')
        await driven.press("enter")
        await driven.wait_for("(0 shown)")
        assert "Journal" in driven.lines[1]


async def test_an_order_whose_column_is_not_shown_is_said(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        driven.pane.table.choose(((MESSAGE, 0),))
        await driven.press("o", *["down"] * 4, "enter")
        await driven.wait_for("sorted by Salesforce ID, A to Z")
        await driven.press("o")
        await driven.wait_for("Salesforce ID   now A to Z")


async def test_the_palette_knows_the_words_of_the_manual_and_says_where_it_knows_nothing(
    opened: Open,
) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("colon")
        await driven.wait_for("Find an action")
        assert "Move down" not in driven.text
        for word, found in (("retry", "re-sync"), ("search", "filter"), ("link", "open address")):
            await driven.type(word)
            await driven.wait_for(f"│ {found} ")
            await driven.press(*["backspace"] * len(word))
        await driven.type("zzz")
        await driven.wait_for("Nothing has these words.")


async def test_a_window_that_is_too_small_does_nothing_that_nobody_sees(opened: Open) -> None:
    async with opened(size=(40, 10)) as driven:
        await driven.wait_for("Window too small: 40x10, needs 60x15")
        await driven.wait_for(lambda: bool(driven.pane.listing.errors))
        await driven.press("a", "c", "R")
        assert driven.app.screen is driven.app.bench
        assert not driven.pane.listing.selected
        assert driven.app.context.state.place is Place.ERRORS


async def test_addresses_have_no_numbers_that_look_like_keys(opened: Open) -> None:
    async with opened([sync_error(1)]) as driven:
        await driven.ready()
        await driven.press("b")
        await driven.wait_for("Step 1: ")


def test_the_guide_finds_the_codes_of_the_manual_first() -> None:
    found = search(chapters(), "flow")
    kinds = [chapter.in_manual for chapter in found]
    assert kinds == sorted(kinds, reverse=True)
    assert found[0].code == "CANNOT_EXECUTE_FLOW_TRIGGER"


async def test_a_held_up_list_says_all_or_how_many_more(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("What happened")
        await driven.wait_for(lambda: "more behind these" in driven.pane.panel.text)
        text = driven.pane.panel.text
        match = re.search(r"Held up by this: (\d+) error", text)
        assert match is not None
        more = re.search(r"and (\d+) more behind these", text)
        assert more is not None
        direct = len(driven.app.services.graph_worker.graph.waiting_for(family()[0].id))  # type: ignore[union-attr]
        assert int(match[1]) == direct + int(more[1])


async def test_under_a_dialog_stand_no_keys_of_the_list(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("R")
        await driven.wait_for("enter starts")
        assert "space select" not in driven.text
        await driven.press("escape")
        await driven.wait_for("space select")


async def test_a_sentence_after_a_full_stop_has_a_capital(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("j", "j", "j", "u")
        await driven.wait_for("waits for this one. Named parent: ")


@pytest.mark.parametrize("text", ["event:foo", "verdict:fai", "event:upd verdict:fixed"])
def test_the_journal_refuses_what_cannot_be(text: str) -> None:
    with pytest.raises(BadInputError):
        journal_filter.parse(text)
    journal_filter.parse("verdict:fai", typing=True)
    journal_filter.parse("event:upd", typing=True)


@pytest.fixture
def slow_planning(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Every plan takes until this is set."""
    go_on = threading.Event()

    def slowly(*asked: Any, **how: Any) -> Planner[Any]:
        assert go_on.wait(20)
        return prepare(*asked, **how)

    monkeypatch.setattr(resync_controller, "_AT_ONCE", 3)
    monkeypatch.setattr(resync_controller, "prepare", slowly)
    return go_on


async def test_a_long_planning_says_so_at_once_and_takes_no_keys(
    opened: Open, slow_planning: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    noticed_after = "syncerr_tui.ui.screens.dialog._NOTICED_SECONDS"
    monkeypatch.setattr(noticed_after, 3600)  # however slow this machine is just now
    async with opened() as driven:
        await driven.ready()
        await driven.press_meanwhile("a", "R")
        await driven.wait_for("planning ...  esc cancels")
        await driven.press_meanwhile("j", "j", "R")
        await driven.wait_for("The plan is being made: esc cancels it.")
        await driven.press_meanwhile("k")
        assert "planning ..." in driven.text
        assert driven.pane.listing.cursor == 1
        slow_planning.set()
        await driven.wait_for("enter starts")
        assert "planning ..." not in driven.text
        # An enter that was meant for the list is not an answer: nobody can have read the plan yet.
        await driven.press_at_once("enter")
        await driven.wait_for("enter starts")
        assert not driven.connection.requests
        monkeypatch.setattr(noticed_after, 0)
        dialog = driven.app.screen
        assert isinstance(dialog, Dialog)
        dialog.unseen()
        dialog.refresh()
        await driven.press("enter")
        await driven.wait_for(lambda: bool(driven.connection.requests))


@pytest.mark.parametrize("key", ["escape", "ctrl+c", "X"])
async def test_a_long_planning_can_be_given_up(
    opened: Open, slow_planning: threading.Event, key: str
) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press_meanwhile("a", "R")
        await driven.wait_for("planning ...")
        await driven.press_meanwhile(key)
        assert "planning ..." not in driven.text
        assert driven.pane.listing.selected, (
            "the first step back is out of the planning, not of the selection"
        )
        slow_planning.set()
        await driven.wait_for(lambda: driven.app.services.graph_worker.graph is not None)
        assert driven.app.screen is driven.app.bench
        await driven.press("R")
        await driven.wait_for("enter starts")


async def test_a_plan_that_comes_late_waits_until_the_filter_is_closed(
    opened: Open, slow_planning: threading.Event
) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press_meanwhile("a", "R", "slash")
        slow_planning.set()
        await driven.wait_for(lambda: "planning" not in driven.text)
        await driven.type("order")
        await driven.wait_for("/ order")
        await driven.press("enter")
        await driven.wait_for("enter starts")
        assert not driven.connection.requests


async def test_a_plan_that_comes_late_waits_until_the_dialog_in_front_is_closed(
    opened: Open, slow_planning: threading.Event
) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press_meanwhile("a", "R", "o")
        await driven.wait_for("Sort by")
        slow_planning.set()
        await driven.wait_for(lambda: "planning" not in driven.text)
        assert "Sort by" in driven.text
        await driven.press("escape")
        await driven.wait_for("enter starts")
        assert not driven.connection.requests


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (100, 50)])
async def test_a_plan_that_is_longer_than_its_dialog_leaves_no_row_of_it_blank(
    opened: Open, size: tuple[int, int]
) -> None:
    # Changes of one record, of which each is a wave of its own.
    errors = [sync_error(number, storeconnect_id="one") for number in range(60)]
    async with opened(errors, size=size) as driven:
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        dialog, text = driven.app.screen.query_one(".dialog"), driven.app.screen.query_one(VerticalScroll)
        foot = driven.app.screen.query_one("#foot")
        assert text.region.bottom == foot.region.y
        assert foot.region.bottom == dialog.content_region.bottom
        assert dialog.outer_size.height == size[1] * 96 // 100
        assert text.max_scroll_y
        await driven.press("G")
        assert text.scroll_y == text.max_scroll_y


async def test_a_plan_of_one_row_names_its_record(opened: Open) -> None:
    error = sync_error(1)
    async with opened([error]) as driven:
        await driven.ready()
        await driven.press("R")
        await driven.wait_for(f"Wave 1   1 Order {error.storeconnect_id[:8]}")


def test_why_errors_are_one_cause_is_english() -> None:
    text = Fingerprint((("code", "DUPLICATES_DETECTED"), ("text", 'you"re creating a "duplicate" record')))
    assert text.why == 'same code (DUPLICATES_DETECTED), text (you\'re creating a "duplicate" record)'
    missing = Fingerprint(((NOT_LISTED, "Account fb314da0…"),))
    assert missing.why == "all wait for Account fb314da0…, which is not in this list"
    assert READY.why == "what these waited for is in Salesforce by now"


def test_what_was_changed_when_is_told_in_the_time_of_the_screen(in_zone: Callable[[str], None]) -> None:
    """The list beside it shows local time: a second zone on one screen misleads by hours."""
    in_zone("Asia/Kolkata")
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    row = sync_error(
        1, message='CANNOT_EXECUTE_FLOW_TRIGGER: the "Route" process failed. Flow API Name: Route'
    )
    explanation = explain(row, OrgContext(resolved=(Resolved("Route", None, modified_at=noon),)))
    assert "on 2026-11-20 17:30 IST" in " ".join(explanation.changes)
    assert local_minute(datetime(2026, 11, 20, 20, 0, tzinfo=UTC)) == "2026-11-21 01:30 IST"


async def test_what_belongs_to_a_label_of_the_plan_stands_below_its_words(opened: Open) -> None:
    async with opened(family()) as driven:
        driven.connection.org.method = replace(driven.connection.org.method, first_alone=True)
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("The first row goes alone")
        label = next(line for line in driven.lines if "Wave 1" in line)
        at = label.index("1 Account") if "1 Account" in label else label.index("Wave 1") + 9
        for words in ("Each wave is sent once", "The first row goes alone"):
            assert next(line for line in driven.lines if words in line).index(words) == at


async def test_a_plan_says_what_was_measured_and_proven_before(opened: Open) -> None:
    errors = family()
    async with opened(errors) as driven:
        driven.connection.org.method = replace(driven.connection.org.method, first_alone=True)
        await driven.ready()
        driven.connection.org.repaired = {errors[0].id}
        await driven.press("R")
        await driven.wait_for("how long is known once")
        await driven.press("enter")
        await driven.wait_for("1 planned: 1 fixed")
        await driven.press("escape")
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for(lambda: re.search(r"about \d+ calls and \d+ s", driven.text) is not None)
        assert "Wave 2" in driven.text
        assert "The first row goes alone" not in driven.text


@pytest.mark.parametrize("seed", range(20))
def test_the_columns_of_a_run_add_up(seed: int) -> None:
    drawn = random.Random(seed)
    words = drawn.sample([*(verdict.value for verdict in Verdict), NOT_SENT], drawn.randint(1, 8))
    counts = {word: drawn.randint(1, 3000) for word in words}
    planned = sum(counts.values())
    who = ("ana", "ana@acme.example", "ops")
    run = RunRecord("a" * 32, NOW, "acme", "apex", *who, "", planned, counts, "finished", "", alive=False)
    cells = [text for text, _ in run_cells(run, NOW, ours=False)]
    cell = dict(zip((column.header for column in RUNS), cells, strict=True))
    shown = [cell[name] for name in ("Rows", "Fixed", "Gone", "Fail", "Unkn", "Unsent")]
    shown.append(cell["State"].removeprefix("TWIN (").removesuffix(")") if "TWIN" in cell["State"] else "")
    rows, *parts = (int(text.replace(",", "") or 0) for text in shown)
    assert sum(parts) == rows == planned
    assert all(re.fullmatch(r"(\d{1,3}(,\d{3})*)?", text) for text in shown)
    for width in (80, 100, 200):
        assert {"Fixed", "Gone", "Fail", "Unkn", "Unsent"} <= {
            column.header for column in RUNS if column.since <= width
        }


async def test_a_terminal_without_unicode_is_sent_no_sign_of_ours(opened: Open) -> None:
    quoted = sync_error(1, code="FIELD_CUSTOM_VALIDATION_EXCEPTION", message="Say “please” …")
    async with opened([quoted], terminal=TerminalProfile(unicode=False)) as driven:
        await driven.ready()
        for key in ("enter", "c", "enter", "R", "escape", "m"):
            await driven.press(key)
            await driven.wait_for(lambda: bool(driven.text.strip()))
            assert driven.text.isascii(), driven.text


def test_a_long_line_of_progress_loses_the_wave_before_a_count() -> None:
    view = RunPresenter(ActionTable().key_of)
    view._wave = "wave 3/3"
    view._eta = 45
    view.counts = replace(view.counts, planned=4962, fixed=662, still_failing=1442, sent=382)
    wide = "".join(text for text, _ in view.line(80))
    assert "wave 3/3" in wide
    narrow = "".join(text for text, _ in view.line(70))
    assert "wave" not in narrow
    assert narrow.endswith("1,442 FAILING")
    assert len(narrow) <= 70
