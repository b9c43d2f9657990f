from __future__ import annotations

import dataclasses
from collections import Counter

from syncerr_tui.model import Environment
from syncerr_tui.triage.actions import ACTIONS, BY_ID, AppState, Place
from syncerr_tui.triage.keymap import ActionTable

READY = AppState(connected=True, chosen=3, total=10, current=True, environment=Environment.DEMO)


def test_no_key_asks_for_two_things_in_one_place() -> None:
    for place in Place:
        keys = Counter(
            key for action in ActionTable().available(place, read_only=False) for key in action.keys
        )
        assert [key for key, times in keys.items() if times > 1] == []


def test_ids_are_unique_and_every_action_explains_itself() -> None:
    assert len(BY_ID) == len(ACTIONS)
    for action in ACTIONS:
        assert action.help.endswith("."), action.id
        assert action.label, action.id


def test_small_letters_look_and_capital_letters_act() -> None:
    for action in ACTIONS:
        if action.changes_org:
            assert all(key.isupper() for key in action.keys), action.id


def test_read_only_removes_what_changes_the_org() -> None:
    assert "resync" in {action.id for action in ActionTable().available(Place.ERRORS, read_only=False)}
    left = ActionTable().available(Place.ERRORS, read_only=True)
    assert not any(action.changes_org for action in left)


def test_a_fix_is_there_in_every_org_and_not_where_nothing_may_be_changed() -> None:
    why = BY_ID["fix"].why_disabled
    production = dataclasses.replace(READY, environment=Environment.PRODUCTION)
    assert (why(READY), why(production)) == (None, None)
    assert "under way" in (why(dataclasses.replace(READY, running=True)) or "")
    assert "not connected" in (why(dataclasses.replace(READY, connected=False)) or "")
    assert "no row" in (why(dataclasses.replace(READY, current=False)) or "")
    assert "fix" not in {action.id for action in ActionTable().available(Place.ERRORS, read_only=True)}


def test_a_resync_says_why_it_cannot_run() -> None:
    why = BY_ID["resync"].why_disabled
    working = dataclasses.replace(READY, chosen=0, current=False, linking=True)
    assert why(working) == "the causes are still being worked out"
    assert why(READY) is None
    assert why(dataclasses.replace(READY, running=True)) is None
    assert "hides everything selected" in (why(dataclasses.replace(READY, chosen=0, hidden_selected=4)) or "")
    assert "expired" in (why(dataclasses.replace(READY, session_expired=True)) or "")
    assert "not connected" in (why(dataclasses.replace(READY, connected=False)) or "")
