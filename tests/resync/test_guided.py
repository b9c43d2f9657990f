"""The guided method: a person presses the button, ticks off what they pressed, and may go away any time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncerr_tui.errors import UnreachableError
from syncerr_tui.journal import row_history
from syncerr_tui.journal.attempt import OutcomeKind
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import EventSeen, RowState, SyncError, Verdict
from syncerr_tui.resync.events import AskPerson, RowChanged, RunEvent, Waiting, WaitKind, WaveStarted
from syncerr_tui.resync.plan_file import recorded_plan
from syncerr_tui.resync.run_state import ResumeMode
from syncerr_tui.resync.runner import Runner
from tests.resync.driving import drive, ending, last_of_each, open_journal, plan_for, runner_for
from tests.resync.lying_org import METHOD, START, Lies, LyingOrg, Time

GUIDED = replace(METHOD, name="guided", guided=True, address="https://acme.example/tool")


def org_of(time: Time, rows: int, **lies: float) -> tuple[LyingOrg, list[SyncError]]:
    org = LyingOrg(time, Lies(**lies), method=GUIDED)  # type: ignore[arg-type]
    return org, [org.fail(n) for n in range(rows)]


def press(org: LyingOrg, *errors: SyncError) -> None:
    """The person presses Re-sync in Salesforce."""
    for error in errors:
        org.first_asked[error.id] = org.now_true()
        org._queue(error.id)


def ids(errors: Sequence[SyncError]) -> list[str]:
    return [error.id for error in errors]


def fixed(events: Sequence[RunEvent]) -> list[str]:
    return [event.id for event in events if isinstance(event, RowChanged) and event.verdict is Verdict.FIXED]


async def until(runner: Runner, over: Callable[[RunEvent], bool]) -> list[RunEvent]:
    """Run up to an event, and die there: nothing is said to anybody any more."""
    so_far: list[RunEvent] = []
    async with aclosing(runner.run()) as events:
        async for event in events:
            so_far.append(event)
            if over(event):
                break
    return so_far


def again(org: LyingOrg, journal: Journal, time: Time, run: str, **options: object) -> Runner:
    plan = recorded_plan(History(journal), run)
    return runner_for(org, journal, plan, time, resume=run, **options)


async def interrupted_while_asking(
    org: LyingOrg, errors: Sequence[SyncError], journal: Journal, time: Time
) -> str:
    """The id of a run that ended as soon as it had asked a person to press."""
    await until(
        runner_for(org, journal, plan_for(org, errors), time), lambda event: isinstance(event, AskPerson)
    )
    return History(journal).unfinished()[0].run.id


# -- ticking off


async def test_a_row_is_proven_when_it_is_ticked_while_others_are_still_to_press(
    journal: Journal, time: Time
) -> None:
    org, errors = org_of(time, 3)
    runner = runner_for(org, journal, plan_for(org, errors), time)

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            press(org, errors[1])
            assert runner.person.tick([errors[1].id], pressed=True) == {errors[1].id}
        if isinstance(event, RowChanged) and event.verdict is Verdict.FIXED and event.id == errors[1].id:
            assert not org.truly_fixed(errors[0].id)
            press(org, errors[0], errors[2])
            runner.answer(pressed=True)

    events = await drive(runner, on)
    assert fixed(events)[0] == errors[1].id
    assert ending(events).counts.fixed == 3
    assert org.reached == {}, "the program itself sent nothing"


async def test_nothing_is_called_sent_before_the_person_says_so(journal: Journal, time: Time) -> None:
    org, errors = org_of(time, 2)
    runner = runner_for(org, journal, plan_for(org, errors), time)
    events = await until(runner, lambda event: isinstance(event, AskPerson))
    states = {event.state for event in events if isinstance(event, RowChanged)}
    assert states == {RowState.ASKED}
    happened = row_history.story(journal, errors[0].id)
    assert [one.what for one in happened] == ["shown"]
    unfinished = History(journal).unfinished()[0]
    assert (unfinished.unknown, unfinished.unticked) == (0, 2)


async def test_a_tick_that_is_taken_back_is_on_record_and_is_not_proven(journal: Journal, time: Time) -> None:
    org, errors = org_of(time, 1)
    runner = runner_for(org, journal, plan_for(org, errors), time)
    states = []

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            runner.person.tick(ids(errors), pressed=True)
            assert runner.person.tick(ids(errors), pressed=False) == {errors[0].id}
            assert runner.person.tick(ids(errors), pressed=False) == frozenset()
            runner.answer(pressed=False)
        if isinstance(event, RowChanged):
            states.append(event.state)

    events = await drive(runner, on)
    assert states[:3] == [RowState.ASKED, RowState.WAITING, RowState.ASKED]
    assert ending(events).counts.not_sent == 1
    steps = [one.what for one in row_history.story(journal, errors[0].id)]
    assert steps == ["shown", "pressed", "shown", "not pressed", "NOT SENT"]
    assert History(journal).open_attempts() == {}, "nothing is in doubt"


async def test_a_wave_opens_when_the_one_before_is_proven(journal: Journal, time: Time) -> None:
    org, errors = org_of(time, 2)
    parents = {errors[1].id: frozenset({errors[0].id})}
    runner = runner_for(org, journal, plan_for(org, errors, parents=parents), time)
    asked: list[list[str]] = []

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            asked.append(ids(event.errors))
            press(org, *event.errors)
            runner.answer(pressed=True)
        if isinstance(event, WaveStarted) and event.number == 2:
            assert org.truly_fixed(errors[0].id)

    assert ending(await drive(runner, on)).counts.fixed == 2
    assert asked == [[errors[0].id], [errors[1].id]]


async def test_who_declines_some_rows_leaves_them_unsent_and_their_children_too(
    journal: Journal, time: Time
) -> None:
    org, errors = org_of(time, 3)
    parents = {errors[2].id: frozenset({errors[0].id})}
    runner = runner_for(org, journal, plan_for(org, errors, parents=parents), time)

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            press(org, errors[1])
            runner.person.tick([errors[1].id], pressed=True)
            runner.person.decline([errors[0].id])

    events = await drive(runner, on)
    last = last_of_each(events)
    assert last[errors[1].id].verdict is Verdict.FIXED
    assert last[errors[0].id].reason == "the person did not press Re-sync"
    assert last[errors[2].id].state is RowState.NOT_SENT


async def test_a_declined_row_that_somebody_else_took_care_of_is_resolved_elsewhere(
    journal: Journal, time: Time
) -> None:
    org, errors = org_of(time, 1)
    runner = runner_for(org, journal, plan_for(org, errors), time)

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            time.now += timedelta(seconds=30)
            org.process_now(errors[0].id)
            runner.person.decline(ids(errors))

    events = await drive(runner, on)
    assert last_of_each(events)[errors[0].id].verdict is Verdict.ELSEWHERE


class PersonsTime(Time):
    """Time that passes while the person works, and at its own pace when they are done."""

    async def sleep(self, seconds: float) -> None:
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:  # noqa: ASYNC110 - the person's work is what passes the time
            await asyncio.sleep(0)


async def test_500_single_ticks_share_their_looks_at_the_org(tmp_path: Path) -> None:
    time = PersonsTime()
    org, errors = org_of(time, 500)
    runner = runner_for(org, open_journal(tmp_path, time), plan_for(org, errors), time)

    async def person(asked: AskPerson) -> None:
        calls = org.calls
        for error in asked.errors:
            press(org, error)
            runner.person.tick([error.id], pressed=True)
            time.now += timedelta(seconds=0.1)
            for _ in range(30):
                await asyncio.sleep(0)
        asked_of_the_org.append(org.calls - calls)
        while time.now < START + timedelta(minutes=10):
            time.now += timedelta(seconds=0.1)
            await asyncio.sleep(0)

    tasks, asked_of_the_org = [], list[int]()

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            tasks.append(asyncio.ensure_future(person(event)))

    events = await drive(runner, on)
    await asyncio.gather(*tasks)
    assert ending(events).counts.fixed == 500
    assert asked_of_the_org[0] < 200, "50 seconds: a look a second, for events and records"


# -- stopping


@pytest.mark.parametrize("pressed", [False, None])
async def test_a_stop_records_what_the_person_says_of_what_is_not_ticked(
    journal: Journal, time: Time, *, pressed: bool | None
) -> None:
    org, errors = org_of(time, 3, delay=1.0)
    runner = runner_for(org, journal, plan_for(org, errors), time)

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            press(org, errors[0])
            runner.person.tick([errors[0].id], pressed=True)
        if isinstance(event, RowChanged) and event.verdict is Verdict.FIXED:
            runner.answer(pressed=pressed)
            runner.cancel()

    counts = ending(await drive(runner, on)).counts
    assert counts.fixed == 1
    assert (counts.not_sent, counts.unknown) == ((2, 0) if pressed is False else (0, 2))


async def test_what_was_pressed_and_not_ticked_is_found_when_nobody_says(
    journal: Journal, time: Time
) -> None:
    org, errors = org_of(time, 2, delay=0.0)
    runner = runner_for(org, journal, plan_for(org, errors), time)

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            press(org, errors[0])
            time.now += timedelta(seconds=5)
            runner.cancel()

    last = last_of_each(await drive(runner, on))
    assert last[errors[0].id].verdict is Verdict.FIXED
    assert last[errors[1].id].verdict is Verdict.UNKNOWN
    assert "nobody said" in last[errors[1].id].reason


# -- coming back


async def test_ticks_survive_the_program_and_are_proven_by_the_next_start(
    journal: Journal, time: Time
) -> None:
    org, errors = org_of(time, 3, delay=60.0, delay_at_least=60.0)
    runner = runner_for(org, journal, plan_for(org, errors), time)

    def on(event: RunEvent) -> bool:
        if isinstance(event, AskPerson):
            press(org, errors[0], errors[1])
            runner.person.tick([errors[0].id], pressed=True)
            return True
        return False

    await until(runner, on)
    run = History(journal).unfinished()[0].run.id
    resumed = again(org, journal, time, run, waits_for_word=True)
    asked: list[AskPerson] = []

    def goes_on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            asked.append(event)
        if isinstance(event, Waiting) and event.kind is WaitKind.SHOWN and len(asked) == 1:
            # Row 1 has been found by the look alone; row 2 was never pressed.
            resumed.person.decline([errors[2].id])
        if isinstance(event, AskPerson) and not event.doubtful:
            press(org, *event.errors)
            resumed.answer(pressed=True)

    events = await drive(resumed, goes_on)
    assert asked[0].doubtful == {errors[1].id, errors[2].id}
    assert [ids(event.errors) for event in asked[1:]] == [[errors[2].id]]
    assert ending(events).counts.fixed == 3
    kinds = [attempt.kind for attempt in History(journal).rows_of(run)]
    assert kinds == [OutcomeKind.ACCEPTED, None, OutcomeKind.ACCEPTED]


async def test_what_was_pressed_before_the_end_is_never_shown_to_be_pressed_again(
    journal: Journal, time: Time
) -> None:
    org, errors = org_of(time, 2, delay=90.0, delay_at_least=90.0)
    runner = runner_for(org, journal, plan_for(org, errors), time)
    await until(runner, lambda event: isinstance(event, AskPerson))
    press(org, *errors)
    run = History(journal).unfinished()[0].run.id
    events = await drive(again(org, journal, time, run))
    asked = [event for event in events if isinstance(event, AskPerson)]
    assert all(event.doubtful == set(ids(event.errors)) for event in asked)
    assert ending(events).counts.fixed == 2


async def test_what_the_org_has_done_by_the_next_start_is_not_even_asked_about(
    journal: Journal, time: Time
) -> None:
    org, errors = org_of(time, 2, delay=0.0)
    runner = runner_for(org, journal, plan_for(org, errors), time)
    await until(runner, lambda event: isinstance(event, AskPerson))
    press(org, *errors)
    time.now += timedelta(seconds=5)
    run = History(journal).unfinished()[0].run.id
    events = await drive(again(org, journal, time, run, waits_for_word=True))
    assert not [event for event in events if isinstance(event, AskPerson)]
    assert ending(events).counts.fixed == 2


async def test_a_row_in_doubt_without_a_trace_waits_for_the_word_or_ends_unknown(
    journal: Journal, time: Time
) -> None:
    org, errors = org_of(time, 1)
    run = await interrupted_while_asking(org, errors, journal, time)
    attended = again(org, journal, time, run, waits_for_word=True)
    seen = await until(attended, lambda event: time.now > START + timedelta(seconds=170))
    assert not [event for event in seen if isinstance(event, RowChanged) and event.verdict]
    events = await drive(again(org, journal, time, run))
    assert last_of_each(events)[errors[0].id].verdict is Verdict.UNKNOWN


async def test_a_row_that_goes_again_all_the_same_is_shown_anew_and_proven(
    journal: Journal, time: Time
) -> None:
    org, errors = org_of(time, 1)
    run = await interrupted_while_asking(org, errors, journal, time)
    resumed = again(org, journal, time, run, again=frozenset(ids(errors)))

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson) and not event.doubtful:
            press(org, *event.errors)
            resumed.answer(pressed=True)

    assert ending(await drive(resumed, on)).counts.fixed == 1
    steps = [one.what for one in row_history.story(journal, errors[0].id)]
    assert "not pressed" not in steps, "nobody said so"


async def test_a_row_that_may_go_again_is_not_called_unsent_where_it_could_not_be_shown(
    journal: Journal, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    org, errors = org_of(time, 1, delay=300.0, delay_at_least=300.0)
    await until(
        runner_for(org, journal, plan_for(org, errors), time), lambda event: isinstance(event, AskPerson)
    )
    press(org, *errors)
    run = History(journal).unfinished()[0].run.id

    async def down(events: Sequence[str]) -> Mapping[str, EventSeen]:
        raise UnreachableError("The org does not answer", "Retry later")

    def on(event: RunEvent) -> None:
        if isinstance(event, Waiting) and event.kind is WaitKind.SHOWN:
            monkeypatch.setattr(org, "read_events", down)

    events = await drive(again(org, journal, time, run, again=frozenset(ids(errors))), on)
    assert last_of_each(events)[errors[0].id].verdict is Verdict.UNKNOWN
    assert History(journal).open_attempts().keys() == set(ids(errors)), "it may have been pressed"


async def test_who_left_and_had_pressed_nothing_goes_on_at_once(journal: Journal, time: Time) -> None:
    org, errors = org_of(time, 3)
    runner = runner_for(org, journal, plan_for(org, errors), time)

    def leaves(event: RunEvent) -> bool:
        if isinstance(event, AskPerson):
            runner.person.put_back()
            return True
        return False

    await until(runner, leaves)
    unfinished = History(journal).unfinished()[0]
    assert (unfinished.unticked, unfinished.unsent) == (0, 3)
    resumed = again(org, journal, time, unfinished.run.id)

    def on(event: RunEvent) -> None:
        if isinstance(event, AskPerson):
            assert not event.doubtful
            press(org, *event.errors)
            resumed.answer(pressed=True)

    assert ending(await drive(resumed, on)).counts.fixed == 3


@pytest.mark.parametrize(("mode", "unknown"), [(ResumeMode.CHECK, 0), (ResumeMode.DROP, 1)])
async def test_only_checked_or_dropped_says_what_is_true(
    journal: Journal, time: Time, mode: ResumeMode, unknown: int
) -> None:
    org, errors = org_of(time, 1, delay=0.0)
    runner = runner_for(org, journal, plan_for(org, errors), time)
    await until(runner, lambda event: isinstance(event, AskPerson))
    press(org, errors[0])
    time.now += timedelta(seconds=5)
    run = History(journal).unfinished()[0].run.id
    events = await drive(again(org, journal, time, run, mode=mode))
    assert ending(events).counts.unknown == unknown
    if unknown:
        assert last_of_each(events)[errors[0].id].reason == "nobody said whether Re-sync was pressed"
