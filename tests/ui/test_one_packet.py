"""Keys that arrive together, as from a slow line: each acts on what the one before it opened."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from syncerr_tui.triage.actions import ACTIONS
from syncerr_tui.ui.causes_pane import CausesPane
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.guided_pane import GuidedPane
from syncerr_tui.ui.journal_pane import JournalPane
from syncerr_tui.ui.screens.line_dialog import LONGEST
from syncerr_tui.ui.workbench import Workbench
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import some_errors
from tests.ui.families import family

PANES = (ErrorsPane, CausesPane, JournalPane, GuidedPane)


def send_together(driven: Driven, *keys: tuple[str, str | None]) -> None:
    """Hand the app keys as its driver does, without time in between."""
    for name, character in keys:
        event = events.Key(name, character)
        event.set_sender(driven.app)
        driven.app.post_message(event)


@pytest.mark.parametrize("size", [(80, 24), (130, 24)])
async def test_a_key_right_behind_enter_acts_in_the_panel(opened: Open, size: tuple[int, int]) -> None:
    async with opened(some_errors(60), size=size) as driven:
        await driven.ready()
        send_together(driven, ("enter", "\r"), ("G", "G"))
        await driven.wait_for("Change event")
        assert driven.pane.listing.cursor == 0
        assert driven.pane.panel.top > 0
        send_together(driven, ("escape", None), ("G", "G"))
        await driven.wait_for(lambda: driven.pane.listing.cursor == 59)


async def test_a_key_right_behind_enter_acts_in_the_panel_of_a_cause(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        await driven.press("c")
        await driven.wait_for("What broke, worst first")
        before = driven.app.bench.causes.node
        send_together(driven, ("enter", "\r"), ("G", "G"))
        await driven.wait_for(lambda: driven.app.bench.causes.panel.top > 0)
        assert driven.app.bench.causes.node == before


@pytest.mark.parametrize("key", ["c", "enter", "3"])
@pytest.mark.parametrize("seen", [False, True])
async def test_a_text_right_behind_a_key_stays_where_it_is_typed(
    opened: Open, key: str, *, seen: bool
) -> None:
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        if seen:
            await driven.press(key, "1" if key != "enter" else "escape")
        send_together(driven, (key, "\r" if key == "enter" else key), ("slash", "/"), ("z", "z"))
        await driven.wait_for("/ z ")
        await driven.settle()
        await driven.press("a")  # selects all rows, where it is no letter
        assert "/ za " in driven.text
        await driven.press("escape")
        await driven.wait_for(lambda: "enter applies" not in driven.text)
        focused = driven.app.bench.focused
        assert focused in {driven.app.bench.pane.rows, driven.app.bench.pane.panel}
        await driven.press("j")
        assert "selected" not in driven.text


async def test_what_nobody_has_looked_at_is_not_made_and_takes_keys_when_it_is(opened: Open) -> None:
    async with opened(family()) as driven:
        await driven.ready()
        bench = driven.app.bench
        others = (bench.causes, bench.journal)
        assert not any(pane.children for pane in others)
        send_together(driven, ("c", "c"), ("j", "j"), ("enter", "\r"))
        await driven.wait_for("What happened")
        await driven.wait_for(lambda: bench.focused == bench.causes.panel)
        assert not bench.journal.children
        await driven.press("3")
        await driven.wait_for("Nothing was re-synced in this org yet")
        await driven.wait_for(lambda: bench.focused == bench.journal.rows)


def unhandled() -> list[str]:
    """Actions that nothing does in a place where their keys work."""
    return [
        f"{action.id} in {pane.place}"
        for pane in PANES
        for action in ACTIONS
        if action.works_in(pane.place)
        and action.id not in (pane.COUNTED if action.counted else {**pane.HANDLERS, **Workbench.HANDLERS})
    ]


def test_every_action_is_done_by_something_in_every_place_where_its_keys_work() -> None:
    assert unhandled() == []
    counted = {name for pane in PANES for name in pane.COUNTED}
    assert counted == {action.id for action in ACTIONS if action.counted}
    handled = {name for part in (*PANES, Workbench) for name in part.HANDLERS}
    assert handled == {action.id for action in ACTIONS if not action.counted}


@pytest.mark.parametrize("action", ["toggle", "quit"])
def test_an_action_that_nothing_does_is_found(monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    for part in (*PANES, Workbench):
        for table in ("HANDLERS", "COUNTED"):
            kept = {name: done for name, done in getattr(part, table, {}).items() if name != action}
            monkeypatch.setattr(part, table, kept, raising=False)
    assert f"{action} in errors" in unhandled()


async def planned(driven: Driven) -> None:
    """A plan is in front, and has been seen."""
    await driven.ready()
    await driven.wait_for(lambda: driven.app.services.graph_worker.graph is not None)
    await driven.press("R")
    await driven.wait_for("enter starts")


async def test_keys_behind_the_answer_to_a_plan_are_the_lists(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await planned(driven)
        await driven.press_at_once("enter", "j", "j", "space")
        await driven.wait_for(lambda: driven.app.services.runs.view is not None)
        assert driven.pane.listing.cursor == 3
        assert driven.pane.listing.selected == {driven.pane.listing.ids[2]}


@pytest.mark.parametrize("keys", ["escape", "q", "ctrl+c"])
async def test_keys_behind_a_way_out_of_a_dialog_are_the_lists(opened: Open, keys: str) -> None:
    async with opened(some_errors(30)) as driven:
        await planned(driven)
        await driven.press_at_once(keys, "j", "j")
        assert driven.pane.listing.cursor == 2
        assert driven.app.services.runs.view is None


async def test_an_answer_given_twice_is_given_once(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await planned(driven)
        await driven.press_at_once("enter", "enter")
        await driven.wait_for(lambda: driven.app.services.runs.view is not None)
        assert driven.app.screen is driven.app.bench
        assert driven.app.context.state.panel_open


async def test_a_key_behind_a_choice_and_behind_what_was_typed_for_it_is_the_lists(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        await driven.press("o")
        await driven.wait_for("Sort by")
        await driven.press_at_once("/", *"stor", "enter", "g", "j")
        assert (driven.pane.listing.sort.header, driven.pane.listing.cursor) == ("StoreConnect ID", 1)
        await driven.press("o")
        await driven.wait_for("Sort by")
        await driven.press_at_once("j", "enter", "g", "j")
        assert (driven.pane.listing.sort.header, driven.pane.listing.cursor) == ("Message", 1)


async def test_a_key_behind_a_letter_that_chooses_is_the_lists(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        await driven.press("y")
        await driven.wait_for("its letter copies")
        await driven.press_at_once("m", "j")
        assert driven.app.screen is driven.app.bench
        assert driven.pane.listing.cursor == 1


async def test_a_key_behind_a_line_is_the_lists(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        await driven.press("/", *"object:Order", "enter", "ctrl+s")
        await driven.wait_for("Save this filter")
        await driven.press_at_once(*"late ones", "enter", "j")
        await driven.wait_for("saved:")
        assert driven.pane.listing.cursor == 1


async def test_a_key_behind_an_answer_that_opens_a_dialog_does_not_answer_it(opened: Open) -> None:
    """The palette's answer opens the plan; the enter behind it is older than the plan."""
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        await driven.wait_for(lambda: driven.app.services.graph_worker.graph is not None)
        await driven.press("ctrl+p")
        await driven.wait_for("Find an action")
        await driven.press_at_once(*"re-sync", "enter", "enter", "enter")
        await driven.wait_for("enter starts")
        assert driven.app.services.runs.view is None
        assert not driven.app.context.state.panel_open


async def test_an_answer_to_a_question_in_front_is_none_to_the_plan_behind_it(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await planned(driven)
        await driven.press("w")
        await driven.wait_for("Why is this re-synced?")
        await driven.press_at_once(*"because", "enter", "enter")
        await driven.wait_for("Why      because")
        assert driven.app.services.runs.view is None
        await driven.press("enter")
        await driven.wait_for(lambda: driven.app.services.runs.view is not None)


async def test_keys_behind_the_way_out_of_the_guide_are_the_lists(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        await driven.press("m")
        await driven.wait_for("Search:")
        await driven.press_at_once("escape", "j", "j")
        await driven.wait_for(lambda: driven.app.screen is driven.app.bench)
        assert driven.pane.listing.cursor == 2


async def test_a_text_behind_the_key_that_opens_its_line_is_there_and_answers_nothing(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await planned(driven)
        await driven.press_at_once("w", *"jq flow off", "enter", "enter")
        await driven.wait_for("jq flow off")
        assert "Why is this re-synced?" in driven.text
        assert driven.app.services.runs.view is None
        await driven.press("enter")
        await driven.wait_for("Why      jq flow off")
        await driven.press("escape")
        await driven.press_at_once(":", *"quit", "enter")
        await driven.wait_for("Find an action")
        await driven.wait_for(lambda: "filter" not in driven.text)
        assert "quit " in driven.text


async def test_a_text_behind_the_key_that_opens_a_list_answers_nothing(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        await driven.press_at_once("y", "m", "j")
        await driven.wait_for("its letter copies")
        assert driven.pane.listing.cursor == 0


async def test_keys_behind_the_one_that_quits_do_nothing(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        await driven.press("/", *"object:Order", "enter")
        for key in ("q", "ctrl+s"):
            driven._send(key)
        await driven.wait_for(lambda: not driven.app.is_running)
        assert not driven.app.crash


async def test_all_lines_of_what_is_pasted_are_kept_as_far_as_there_is_room(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        await driven.press("/")
        await paste(driven, "Message\nnumber")
        await driven.wait_for("/ Message number")
        await driven.press("escape", "N", "enter")
        await driven.wait_for("A note on")
        await paste(driven, "one\r\ntwo " + "x" * 300)
        await driven.wait_for(lambda: driven.app.screen.query_one(Input).value.startswith("one two xxx"))
        assert len(driven.app.screen.query_one(Input).value) == LONGEST


async def paste(driven: Driven, text: str) -> None:
    event = events.Paste(text)
    event.set_sender(driven.app)
    driven.app.post_message(event)
    await driven.settle()
