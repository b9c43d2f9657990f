from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from syncerr_tui.model import Environment
from syncerr_tui.triage.actions import ACTIONS, BY_ID, ActionFacts
from syncerr_tui.triage.filter import parse
from syncerr_tui.triage.keymap import ActionTable
from syncerr_tui.triage.listing import Listing
from syncerr_tui.triage.state import Place, ReadingState, RunStatus, UiState
from tests.factories import NOW, sync_error

READY = ActionFacts(UiState(), connected=True, chosen=3, total=10, current=True, environment=Environment.DEMO)


def with_state(**changes: Any) -> ActionFacts:
    return dataclasses.replace(READY, state=dataclasses.replace(READY.state, **changes))


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
    assert "under way" in (why(with_state(run=RunStatus(active=True))) or "")
    assert "not connected" in (why(dataclasses.replace(READY, connected=False)) or "")
    assert "no row" in (why(dataclasses.replace(READY, current=False)) or "")
    assert "fix" not in {action.id for action in ActionTable().available(Place.ERRORS, read_only=True)}


def test_a_resync_says_why_it_cannot_run() -> None:
    why = BY_ID["resync"].why_disabled
    working = dataclasses.replace(READY, chosen=0, current=False, linking=True)
    assert why(working) == "the causes are still being worked out"
    assert why(READY) is None
    assert why(with_state(run=RunStatus(active=True))) is None
    errors = [sync_error(number) for number in range(4)]
    hidden = Listing().with_page(errors, NOW).all_selected().filtered(parse("object:Lead"), NOW)
    assert hidden.hidden_selected == 4
    nothing_left = dataclasses.replace(with_state(listing=hidden), chosen=0)
    assert "hides everything selected" in (why(nothing_left) or "")
    assert "expired" in (why(with_state(reading=ReadingState(expired=True))) or "")
    assert "not connected" in (why(dataclasses.replace(READY, connected=False)) or "")
