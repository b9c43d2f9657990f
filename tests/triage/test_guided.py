"""The pure state of a guided re-sync: whatever happens in whatever order, it stays true to itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from syncerr_tui.model import RowState, Verdict
from syncerr_tui.triage.filter import parse
from syncerr_tui.triage.guided import GuidedRow, GuidedState, Phase
from tests.factories import NOW, sync_error


def begun(waves: tuple[int, ...] = (3, 2)) -> GuidedState:
    rows = [
        GuidedRow(sync_error(10 * wave + n, object=("Account", "Order")[n % 2]), wave)
        for wave, count in enumerate(waves, 1)
        for n in range(count)
    ]
    return GuidedState.begun(rows)


def asked(state: GuidedState, wave: int = 1, doubtful: tuple[str, ...] = ()) -> GuidedState:
    ids = [row_id for row_id, row in state.rows.items() if row.wave == wave]
    return state.presented(wave, doubtful, ids, "https://acme.example", NOW)


def test_only_the_wave_that_was_asked_for_is_to_press() -> None:
    state = begun()
    assert state.to_press == ()
    state = asked(state)
    assert [state.rows[row].wave for row in state.to_press] == [1, 1, 1]
    assert state.counted == "3 to press, 2 later"


def test_a_row_in_doubt_is_never_to_press_and_is_ticked_all_the_same() -> None:
    state = begun()
    doubtful = next(iter(state.rows))
    state = asked(state, doubtful=(doubtful,))
    assert doubtful not in state.to_press
    assert doubtful in state.unanswered
    assert state.rows[doubtful].word == "pressed?"
    assert state.current is not None
    assert state.current.to_press, "the cursor stands where something is to be done"
    state = replace(state, cursor=0)
    assert state.why_not_tick() == ""
    assert state.ticked([doubtful], NOW, pressed=True).rows[doubtful].ticked


def test_a_row_that_nobody_ticked_is_not_called_ticked_when_its_outcome_is_unknown() -> None:
    state = asked(begun())
    ticked, not_said, seen = state.to_press
    state = state.ticked([ticked], NOW, pressed=True)
    for row in (ticked, not_said):
        state = state.changed(row, RowState.DONE, Verdict.UNKNOWN, "nothing shows", None)
    state = state.changed(seen, RowState.DONE, Verdict.FIXED, "", None)
    assert [state.rows[row].ticked for row in (ticked, not_said, seen)] == [True, False, True]


def test_a_tick_is_taken_back_and_a_verdict_is_not() -> None:
    state = asked(begun())
    row = state.to_press[0]
    ticked = state.ticked([row], NOW, pressed=True)
    assert row not in ticked.to_press
    assert ticked.ticked([row], NOW, pressed=False).to_press == state.to_press
    fixed = ticked.changed(row, RowState.DONE, Verdict.FIXED, "", None)
    assert fixed.why_not_tick() == "it has its outcome"
    assert fixed.rows[row].word == "FIXED"


@pytest.mark.parametrize("phase", list(Phase))
def test_what_is_not_under_way_says_so(phase: Phase) -> None:
    state = asked(begun()).at_phase(phase)
    assert bool(state.why_not_tick()) is (phase is Phase.UNFINISHED)


def test_the_time_left_is_the_persons_own_or_none() -> None:
    state = asked(begun())
    assert state.time_left is None
    first, second, third = state.to_press
    state = state.ticked([first], NOW + timedelta(seconds=20), pressed=True)
    assert state.time_left == timedelta(seconds=20 * 4)
    state = state.ticked([second, third], NOW + timedelta(seconds=30), pressed=True)
    assert state.time_left == timedelta(seconds=10 * 2)


def test_who_was_away_has_no_slower_pace_for_it() -> None:
    state = asked(begun())
    first, second, _ = state.to_press
    state = state.ticked([first], NOW + timedelta(hours=1), pressed=True)
    assert state.time_left is None
    state = state.ticked([second], NOW + timedelta(hours=1, seconds=10), pressed=True)
    assert state.time_left == timedelta(seconds=10 * 3)


def test_the_filter_keeps_the_cursor_on_its_row_and_the_ticks_of_hidden_rows() -> None:
    state = asked(begun()).moved(1)
    here = state.current
    only = state.filtered(parse("object:Order"), NOW)
    assert only.current == here
    assert {row.error.object for row in (only.rows[row] for row in only.view)} == {"Order"}
    assert len(only.to_press) == 3
    assert len(only.shown_to_press) == 1
    nothing = only.filtered(parse("nowhere"), NOW)
    assert nothing.current is None
    assert nothing.moved(1).cursor <= 0
    assert nothing.why_not_tick() == "there is no row under the cursor"


def test_every_state_has_a_word_that_fits_its_column() -> None:
    row = next(iter(begun().rows.values()))
    states = [replace(row, state=state) for state in RowState if state not in {RowState.SENT, RowState.DONE}]
    states += [replace(row, state=RowState.DONE, verdict=verdict) for verdict in Verdict]
    words = [one.word for one in states]
    assert all(words)
    assert max(map(len, words)) <= 8


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_the_numbers_add_up(seed: int) -> None:
    random = Random(seed)
    state, now = begun((4, 3, 2)), NOW
    states = (RowState.QUEUED, RowState.ASKED, RowState.WAITING, RowState.NOT_SENT)
    for _ in range(60):
        now += timedelta(seconds=random.randint(0, 400))
        row = random.choice(list(state.rows))
        match random.randrange(6):
            case 0:
                state = asked(state, random.randint(1, 3), (row,) if random.random() < 0.5 else ())
            case 1:
                state = state.changed(row, random.choice(states), None, "", None)
            case 2:
                state = state.changed(row, RowState.DONE, random.choice(list(Verdict)), "", None)
            case 3:
                state = state.ticked(state.to_press[:2], now, pressed=random.random() < 0.7)
            case 4:
                state = state.filtered(parse(random.choice(["", "object:Order", "nowhere"])), now)
            case _:
                state = state.moved(random.randint(-20, 20))
        total = sum(int(part.split()[0]) for part in state.counted.split(", ") if part)
        assert total == len(state.rows) == 9
        assert set(state.shown_to_press) <= set(state.to_press) <= set(state.unanswered)
        assert not state.view or 0 <= state.cursor < len(state.view)
        assert state.time_left is None or state.time_left >= timedelta()
