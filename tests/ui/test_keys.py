from __future__ import annotations

from pathlib import Path

import pytest

from syncerr_tui.host import clipboard
from syncerr_tui.triage.actions import ACTIONS, BY_ID
from syncerr_tui.triage.keymap import key_label
from syncerr_tui.ui.action_screen import bindings
from tests.ui.conftest import Open
from tests.ui.fakes import some_errors


def test_the_bindings_are_the_table_of_actions() -> None:
    bound = {binding.id: binding.key.split(",") for binding in bindings(ACTIONS)}
    assert bound == {action.id: list(action.keys) for action in ACTIONS}


def test_keys_read_as_a_person_says_them() -> None:
    assert key_label("question_mark") == "?"
    assert key_label("shift+down") == "shift+↓"
    assert key_label("shift+down", unicode=False) == "shift+down"
    assert key_label("ctrl+p") == "ctrl+p"


async def test_help_and_palette_show_exactly_what_can_be_asked_for(opened: Open) -> None:
    async with opened(size=(120, 120)) as driven:
        await driven.ready()
        actions = driven.app.bench.actions
        await driven.press("question_mark")
        await driven.wait_for("Keys in Errors")
        for action in actions:
            assert action.help.split(";")[0].split(":")[0][:40] in " ".join(driven.text.split()), action.id
        absent = set(BY_ID) - {action.id for action in actions}
        assert "verify" in absent
        assert BY_ID["verify"].help[:30] not in driven.text
        await driven.press("escape")
        await driven.wait_for(lambda: driven.app.screen is driven.app.bench)
        await driven.press("ctrl+p")
        await driven.wait_for("Find an action")
        from textual.widgets import OptionList

        listed = driven.app.screen.query_one(OptionList)
        assert [option.id for option in listed.options] == [
            action.id for action in sorted(actions, key=lambda a: a.group == "Move")
        ]


async def test_a_disabled_action_says_why_wherever_it_is_asked_for(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("V")
        await driven.wait_for("works in Journal (3)")
        await driven.press("X")
        await driven.wait_for("no re-sync is under way")
        await driven.press("ctrl+p")
        await driven.wait_for("Find an action")
        await driven.type("stop")
        await driven.wait_for("(no re-sync is under way; q quits)")
        await driven.press("enter")
        assert driven.app.screen is not driven.app.bench


async def test_the_palette_runs_what_is_chosen(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("ctrl+p")
        await driven.wait_for("Find an action")
        await driven.type("invert")
        await driven.press("enter")
        await driven.wait_for("6 selected")


async def test_sorting_keeps_the_cursor_on_its_row(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("j")
        row = driven.pane.listing.current
        await driven.press("o", "down", "down", "down", "enter")
        await driven.wait_for("Code▲")
        assert driven.pane.listing.current == row
        await driven.press("o", "enter")
        await driven.wait_for("Code▼")
        assert driven.pane.listing.current == row


async def test_copying_says_where_the_text_went(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    def copy(text: str, *, environ: object, write: object, fallback: Path) -> clipboard.Copied:
        copied.append(text)
        return clipboard.Copied("Sent to the terminal's clipboard")

    monkeypatch.setattr(clipboard, "copy", copy)
    errors = some_errors()
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press("j", "j", "y")
        await driven.wait_for("Copy of ")
        await driven.press("s")
        await driven.wait_for("Sent to the terminal's clipboard: the Salesforce ID.")
        await driven.press("Y")
        await driven.wait_for(lambda: len(copied) == 2)
    assert copied[0] == errors[2].salesforce_id
    assert "Message number 3 of the test" in copied[1]


async def test_escape_takes_one_step_back_at_a_time(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("space", "slash")
        await driven.type("object:Order")
        await driven.press("enter", "v", "j", "enter")
        await driven.wait_for("What happened")

        def standing() -> tuple[bool, bool, bool, bool]:
            listing = driven.pane.listing
            return (
                driven.pane.is_open,
                listing.range is not None,
                bool(listing.filter),
                bool(listing.selected),
            )

        seen = [standing()]
        for _ in range(4):
            await driven.press("escape")
            seen.append(standing())
    assert seen == [
        (True, True, True, True),
        (False, True, True, True),
        (False, False, True, True),
        (False, False, False, True),
        (False, False, False, False),
    ]


async def test_the_mouse_moves_selects_and_draws_ranges(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.pilot.click("#table", offset=(5, 3))
        assert driven.pane.listing.cursor == 2
        await driven.pilot.click("#table", offset=(5, 1), control=True)
        assert driven.pane.listing.selected == {some_errors()[0].id}
        assert driven.pane.listing.cursor == 0
        await driven.pilot.click("#table", offset=(5, 4), shift=True)
        assert len(driven.pane.listing.selected) == 4
