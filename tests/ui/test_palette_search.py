"""The palette finds what a person asks for in the words of StoreConnect's manual, or of other tools."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.triage.actions import ACTIONS, BY_ID
from syncerr_tui.triage.keymap import ActionTable
from syncerr_tui.triage.state import Place
from syncerr_tui.ui.screens.palette import _ALSO, matching_actions

ERRORS = ActionTable().available(Place.ERRORS, read_only=False)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("retry", "resync"),
        ("retry sync", "resync"),
        ("Re-sync button", "resync"),
        ("resync", "resync"),
        ("search", "filter"),
        ("find", "filter"),
        ("link", "browse"),
        ("notification", "watch"),
        ("maximise", "panel"),
        ("scroll", "columns_right"),
        ("handover", "report"),
        ("assign", "note"),
        ("utility bar", "errors"),
        ("app launcher", "errors"),
        ("Sync Error Tool", "errors"),
        ("checkbox", "toggle"),
        ("information icon", "info"),
        ("root cause", "causes"),
        ("first listed error", "causes"),
        ("status codes", "guide"),
        ("manual", "guide"),
        ("duplicate rule", "fix"),
        ("required field", "fix"),
        ("disable validation", "fix"),
        ("resolution", "fix"),
        ("contact support", "copy_error"),
        ("clipboard", "copy"),
        ("undo", "restore_selection"),
        ("history", "journal"),
        ("spreadsheet", "export"),
        ("quit", "quit"),
        ("sort", "sort"),
        ("page down", "page_down"),
    ],
)
def test_a_word_leads_to_what_does_it(words: str, first: str) -> None:
    assert matching_actions(ERRORS, words)[0].id == first


def test_every_action_is_found_by_its_name_first_of_all() -> None:
    for action in ERRORS:
        assert action in matching_actions(ERRORS, action.label)[:3], action.id


def test_without_a_word_all_are_there_and_moves_come_last() -> None:
    listed = matching_actions(ERRORS, " ")
    assert set(listed) == set(ERRORS)
    moves = [action.group == "Move" for action in listed]
    assert moves == sorted(moves)


def test_other_words_are_of_actions_that_exist() -> None:
    assert set(_ALSO) <= set(BY_ID)


@given(st.sampled_from(ACTIONS), st.integers(1, 12))
def test_the_beginning_of_a_name_finds_it(action: object, letters: int) -> None:
    assert action in matching_actions(ACTIONS, action.label[:letters])  # type: ignore[attr-defined]
