"""A second re-sync while one is under way: planned, queued, begun by itself, held after a bad end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.errors import UnreachableError
from syncerr_tui.journal.history import History
from syncerr_tui.model import EventSeen, RecordSeen, SyncError
from syncerr_tui.resync import doubt
from syncerr_tui.text import clean
from syncerr_tui.ui.screens.plan import PlanDialog
from syncerr_tui.ui.screens.resync import QueueDialog
from tests.factories import salesforce_id
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import FakeConnection, some_errors
from tests.ui.families import family
from tests.ui.past import journal_at


def healthy(errors: Sequence[SyncError]) -> FakeConnection:
    """An org in which every re-sync works, and which answers when it is let."""
    connection = FakeConnection(errors)
    connection.repaired = {error.id for error in errors}
    connection.open.clear()
    return connection


async def resync(driven: Driven, *rows: SyncError, answer: str = "enter") -> None:
    """Choose these and press R."""
    driven.pane.show(driven.pane.listing.unselected().with_selected(row.id for row in rows))
    await driven.press("R")
    await driven.wait_for(lambda: isinstance(driven.app.screen, PlanDialog))
    await driven.press(answer)


async def queued(driven: Driven, first: Sequence[SyncError], *more: Sequence[SyncError]) -> None:
    """The first goes, and waits for its answer; the others are queued behind it."""
    await driven.ready()
    await resync(driven, *first)
    await driven.wait_for(lambda: bool(driven.connection.requests))
    for rows in more:
        await resync(driven, *rows)
    await driven.wait_for(f"{len(more)} queued: Q")


def sent(driven: Driven) -> list[str]:
    return [row for request in driven.connection.requests for row in request]


async def test_a_second_run_is_planned_queued_and_begins_by_itself(opened: Open, tmp_path: Path) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await driven.ready()
        await resync(driven, *errors[:2])
        await driven.wait_for(lambda: bool(driven.connection.requests))
        driven.pane.show(driven.pane.listing.with_selected(error.id for error in errors[1:4]))
        await driven.wait_for("R queue 3")
        await driven.press("R")
        await driven.wait_for("Queue a re-sync of 2 errors in acme-prod (PRODUCTION)")
        assert f"Not sent {errors[1].short_name}: already in the re-sync under way." in driven.text
        assert "It starts on its own, planned anew" in driven.text
        await driven.wait_for("enter queues it")
        await driven.press("enter")
        await driven.wait_for("Queued: 2 errors: 1 Account, 1 Contact. Q shows the queue.")
        await driven.wait_for(lambda: sum(line[3:12].strip() == "later" for line in driven.lines) == 2)
        assert not driven.pane.listing.selected
        await resync(driven, *errors[:5])
        await driven.wait_for("2 queued: Q")
        assert driven.app.context.state.queue.runs[1].rows == (errors[4],)
        # The next cause is read and chosen meanwhile.
        await driven.press("c", "j", "enter")
        await driven.wait_for("What happened")
        await driven.press("escape", "1")
        driven.connection.open.set()
        await driven.wait_for("3 ended: Q")
        assert sent(driven) == [error.id for error in errors[:5]]
        await driven.press("Q")
        await driven.wait_for("Nothing is queued")
        ended = [line.strip(" │").split(maxsplit=2)[2] for line in driven.lines if "Ended 02:30" in line]
        assert ended == ["2 planned: 2 fixed", "2 planned: 2 fixed", "1 planned: 1 fixed"]
    with journal_at(tmp_path) as journal:
        assert [run.planned for run in History(journal).runs()] == [1, 2, 2]


async def test_what_is_queued_is_neither_claimed_nor_in_the_journal(opened: Open, tmp_path: Path) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await queued(driven, errors[:1], errors[1:])
        with journal_at(tmp_path) as journal:
            assert [row["event"] for row in journal.read("SELECT event FROM claims")] == [errors[0].id]
            for table in ("rows", "intents"):
                events = journal.read(f"SELECT event FROM {table}")
                assert [row["event"] for row in events] == [errors[0].id]
        driven.connection.open.set()
        await driven.wait_for("2 ended: Q")


async def test_what_was_fixed_meanwhile_is_not_sent(opened: Open) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await queued(driven, errors[:2], errors[2:4], errors[4:])
        for error in errors[3:]:
            del driven.connection.failed[error.id]
        driven.connection.open.set()
        await driven.wait_for("3 ended: Q")
        assert sent(driven) == [error.id for error in errors[:3]]
        assert "nothing left to send; left out: 2 failing no more" in " ".join(driven.text.split())
        await driven.press("Q")
        await driven.wait_for("nothing left to send")
        assert not driven.app.services.runs.active


async def test_a_row_that_changed_is_planned_with_what_it_says_now(opened: Open) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await queued(driven, errors[:1], errors[1:2])
        now = replace(errors[1], message=clean("Another message by now"))
        driven.connection.failed[now.id] = now
        driven.connection.open.set()
        await driven.wait_for("2 ended: Q")
        assert sent(driven) == [errors[0].id, errors[1].id]
        assert driven.app.context.state.listing.errors[now.id].message == "Another message by now"


@pytest.mark.parametrize("works", [True, False])
async def test_what_waits_for_the_first_goes_only_if_that_is_proven(opened: Open, works: bool) -> None:
    account, contact, *_ = family()
    connection = healthy(family())
    if not works:
        connection.repaired.remove(account.id)
    async with opened(connection=connection) as driven:
        await driven.ready()
        await resync(driven, account)
        await driven.wait_for(lambda: bool(connection.requests))
        driven.pane.show(driven.pane.listing.with_selected([contact.id]))
        await driven.press("R")
        await driven.wait_for("It waits for what is sent before, and will go only if")
        await driven.press("enter")
        await driven.wait_for("1 queued: Q")
        connection.open.set()
        await driven.wait_for("2 ended: Q")
        assert sent(driven) == ([account.id, contact.id] if works else [account.id])
        if not works:
            await driven.wait_for("1 whose cause is not proven")


async def test_a_stop_holds_the_queue_and_asks(opened: Open) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await queued(driven, errors[:2], errors[2:4], errors[4:])
        await driven.press("X")
        driven.connection.open.set()
        await driven.wait_for("The queue is on hold")
        await driven.wait_for("The re-sync before it was stopped.")
        assert sent(driven) == [error.id for error in errors[:2]]
        await driven.press("escape")
        await driven.wait_for("2 queued, on hold: Q")
        # A new one begins at once, and the queue goes on waiting.
        await driven.press("escape", "R")
        await driven.wait_for("Nothing to re-sync")
        assert "esc closes" in driven.text
        assert "already queued" in driven.text
        await driven.press("escape", "Q")
        await driven.wait_for("enter goes on")
        await driven.press("enter")
        await driven.wait_for("3 ended: Q")
        assert sent(driven) == [error.id for error in errors]


async def test_a_twin_holds_the_queue(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = some_errors()
    connection = healthy(errors)
    async with opened(connection=connection) as driven:
        await queued(driven, errors[:2], errors[2:])
        find = connection.find_records

        async def twice(name: str, keys: Sequence[str]) -> Mapping[str, tuple[RecordSeen, ...]]:
            found = await find(name, keys)
            return {key: (*seen, replace(seen[0], id=salesforce_id(8, "801"))) for key, seen in found.items()}

        monkeypatch.setattr(connection, "find_records", twice)
        connection.open.set()
        await driven.wait_for("The queue is on hold")
        await driven.wait_for("left two records where one should be (TWIN).")
        assert sent(driven) == [error.id for error in errors[:2]]


async def test_an_org_that_goes_away_between_two_runs_holds_the_queue(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = some_errors()
    connection = healthy(errors)
    async with opened(connection=connection) as driven:
        await queued(driven, errors[:2], errors[2:])
        read, away = connection.read_events, [True]

        async def read_events(ids: Sequence[str]) -> Mapping[str, EventSeen]:
            if away and errors[2].id in ids:
                raise UnreachableError("The org did not answer within 30 s", "Check the network")
            return await read(ids)

        monkeypatch.setattr(connection, "read_events", read_events)
        connection.open.set()
        await driven.wait_for("The queue is on hold")
        await driven.wait_for("The org did not answer within 30 s.")
        assert sent(driven) == [error.id for error in errors[:2]]
        assert not driven.app.context.state.run.starting
        away.clear()
        await driven.press("enter")
        await driven.wait_for("2 ended: Q")
        assert sent(driven) == [error.id for error in errors]


async def test_an_org_that_goes_away_in_the_first_run_holds_the_queue(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = some_errors()
    connection = healthy(errors)
    async with opened(connection=connection) as driven:
        await queued(driven, errors[:2], errors[2:])

        async def read_events(_ids: Sequence[str]) -> Mapping[str, EventSeen]:
            raise UnreachableError("The org did not answer within 30 s", "Check the network")

        monkeypatch.setattr(connection, "read_events", read_events)
        connection.open.set()
        await driven.wait_for("The queue is on hold")
        assert sent(driven) == [error.id for error in errors[:2]]


async def test_a_hold_asks_no_one_who_is_typing_but_stays_on_screen(opened: Open) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await queued(driven, errors[:2], errors[2:])
        await driven.press("X", "slash", "x")
        driven.connection.open.set()
        await driven.wait_for("1 queued, on hold: Q")
        assert not isinstance(driven.app.screen, QueueDialog)
        await driven.press("escape", "Q")
        await driven.wait_for("The queue is on hold")


async def test_runs_are_taken_out_and_moved_in_the_list_of_the_queue(opened: Open) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await queued(driven, errors[:1], errors[1:2], errors[2:3], errors[3:4])
        await driven.press("Q")
        await driven.wait_for("3 re-syncs queued")
        assert "Re-sync" in driven.text
        await driven.press("J", "x")  # the first is second now, and goes
        await driven.wait_for("2 re-syncs queued")
        await driven.press("K")
        left = [run.rows for run in driven.app.context.state.queue.runs]
        assert left == [(errors[3],), (errors[2],)]
        await driven.wait_for(f"1. 1 error: {errors[3].short_name}")
        await driven.press("escape")
        await driven.wait_for(lambda: sum(line[3:9].strip() == "later" for line in driven.lines) == 2)
        driven.connection.open.set()
        await driven.wait_for("3 ended: Q")
        assert sent(driven) == [errors[at].id for at in (0, 3, 2)]


async def test_the_list_of_the_queue_follows_what_begins_by_itself(opened: Open) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await queued(driven, errors[:1], errors[1:2], errors[2:3])
        await driven.press("Q")
        await driven.wait_for("2 re-syncs queued")
        driven.connection.open.set()
        await driven.wait_for("Nothing is queued")
        await driven.press("enter", "x", "J", "escape")
        await driven.wait_for("3 ended: Q")


async def test_quitting_with_a_queue_asks_and_drops_it(opened: Open) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await queued(driven, errors[:2], errors[2:])
        await driven.press("q")
        await driven.wait_for("1 re-sync in the queue. Nothing of the queue was sent or is kept")
        await driven.press("escape", "X")
        driven.connection.open.set()
        await driven.wait_for("The queue is on hold")
        await driven.press("escape", "q")
        await driven.wait_for("1 re-sync in the queue")
        assert "A re-sync is under way" not in driven.text
        await driven.press("enter")
    assert sent(driven) == [error.id for error in errors[:2]]


async def test_leaving_begins_nothing_of_the_queue(opened: Open) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await queued(driven, errors[:2], errors[2:])
        await driven.press("q", "enter")
        await driven.wait_for("Leaving when what is on its way is answered")
        driven.connection.open.set()
        await driven.wait_for(lambda: not driven.app.is_running or driven.app._exit)
    assert sent(driven) == [error.id for error in errors[:2]]


async def test_a_plan_that_was_made_before_a_run_began_is_queued_behind_it(opened: Open) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await queued(driven, errors[:1], errors[1:2])
        driven.pane.show(driven.pane.listing.with_selected([errors[2].id]))
        await driven.press("R")
        await driven.wait_for("Queue a re-sync of 1 error")
        driven.connection.open.set()
        await driven.wait_for(lambda: len(driven.app.context.state.queue.ended) == 2)
        await driven.press("enter")
        await driven.wait_for("3 ended: Q")
        assert sent(driven) == [error.id for error in errors[:3]]


async def test_a_safeguard_that_is_off_meanwhile_is_refused_with_the_reason(opened: Open) -> None:
    errors = some_errors()
    async with opened(connection=healthy(errors)) as driven:
        await driven.ready()
        await resync(driven, errors[0])
        await driven.wait_for(lambda: bool(driven.connection.requests))
        driven.pane.show(driven.pane.listing.with_selected([errors[1].id]))
        await driven.press("R")
        await driven.wait_for("enter queues it")
        dialog = driven.app.screen
        assert isinstance(dialog, PlanDialog)
        dialog.offer([object()])  # type: ignore[list-item]  # any safeguard
        await driven.wait_for("A queued re-sync cannot switch a safeguard off")
        assert "f with the safeguard" not in driven.text
        await driven.press("f")
        assert dialog.meanwhile is None
        await driven.press("escape")
        driven.connection.open.set()
        await driven.wait_for("Result")


async def test_a_large_plan_is_on_screen_before_the_journal_is_asked_about_its_rows(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that goes through many rows would make its first frame take twice as long."""
    monkeypatch.setattr("syncerr_tui.ui.resync_controller._AT_ONCE", 1)
    monkeypatch.setattr("syncerr_tui.ui.screens.dialog._NOTICED_SECONDS", 0)
    on_screen: list[bool] = []
    recall = doubt.recall

    async with opened(some_errors(6)) as driven:

        def recalled(*args: Any) -> doubt.Recalled:
            dialog = driven.app.screen_stack[-1]
            on_screen.append(isinstance(dialog, PlanDialog) and dialog.was_seen_at(time.monotonic()))
            return recall(*args)

        monkeypatch.setattr(doubt, "recall", recalled)
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.wait_for(lambda: on_screen == [True])
