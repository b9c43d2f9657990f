"""What is new, changed and gone since the person looked: marked, counted, told why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncerr_tui.errors import UnreachableError
from syncerr_tui.host.terminal import Colour, TerminalProfile
from syncerr_tui.model import EventSeen, EventStanding, SyncError, Verdict
from syncerr_tui.text import clean
from tests.factories import NOW, sync_error
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import FakeConnection, some_errors
from tests.ui.past import ended_run


def edited(error: SyncError) -> SyncError:
    return replace(error, message=clean("Edited now"))


async def happened(driven: Driven, errors: Sequence[SyncError]) -> None:
    """Two rows leave, one is edited, one comes."""
    failed = driven.connection.failed
    del failed[errors[0].id], failed[errors[1].id]
    failed[errors[3].id] = edited(errors[3])
    failed[sync_error(50).id] = sync_error(50, message=clean("Brand new"))
    await driven.press("r")
    await driven.wait_for("1 new, 1 changed, 2 gone: d")


def row(driven: Driven, text: str) -> str:
    return next(line for line in driven.lines[3:] if text in line)


@pytest.mark.parametrize("colour", [Colour.ANSI, Colour.MONO])
async def test_rows_are_marked_and_counted_without_colour_too(opened: Open, colour: Colour) -> None:
    errors = some_errors()
    async with opened(errors, terminal=TerminalProfile(colour=colour)) as driven:
        await driven.ready()
        assert "Errors (6)" in driven.text
        await happened(driven, errors)
        assert "Errors (5, 1 new)" in driven.text
        assert row(driven, "Edited now")[2] == "~"
        assert row(driven, "Brand new")[2] == "+"
        assert row(driven, "number 3")[2] == " "
        for _ in range(2):
            await driven.press("r")
            await driven.wait_for("1 new, 1 changed, 2 gone: d")


async def test_a_key_goes_from_one_to_the_next_and_reading_one_takes_its_mark(opened: Open) -> None:
    errors = some_errors()
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press(".")
        await driven.wait_for("next new: no row is new or changed since you looked")
        await happened(driven, errors)
        await driven.press("g", ".")
        first = driven.pane.current
        await driven.press(".")
        assert {error.message for error in (first, driven.pane.current) if error} == {
            "Edited now",
            "Brand new",
        }
        await driven.press(".")
        assert driven.pane.current == first == edited(errors[3])
        await driven.press("enter")
        await driven.wait_for("Changed since you looked: message.")
        assert "1 new, 1 changed, 2 gone" in driven.text
        await driven.press("escape")
        await driven.wait_for("1 new, 2 gone: d")
        assert row(driven, "Edited now")[2] == " "
        await driven.press("slash", *"number", "enter", ".")
        await driven.wait_for("The filter hides all that is new or changed")


async def test_the_panel_beside_the_list_and_a_passing_cursor_take_no_mark(opened: Open) -> None:
    errors = some_errors()
    async with opened(errors, size=(140, 30)) as driven:
        await driven.ready()
        await happened(driven, errors)
        await driven.press("g", "j", "j", "j", "j", "j")
        await driven.wait_for("New since you looked.")
        assert "1 new, 1 changed, 2 gone" in driven.text
        await driven.press("enter", "p")
        await driven.wait_for("1 changed, 2 gone: d")


async def test_what_changes_while_it_is_read_stays_marked(opened: Open) -> None:
    errors = some_errors()
    async with opened(errors) as driven:
        await driven.ready()
        await happened(driven, errors)
        await driven.press("g", ".", "enter")
        await driven.wait_for("Changed since you looked: message.")
        shown = driven.pane._described
        again = replace(edited(errors[3]), message=clean("Edited twice"))
        driven.connection.failed[again.id] = again
        await driven.press("r")
        await driven.wait_for("Edited twice")
        driven.pane._described = shown  # the panel has not been drawn anew yet
        await driven.press_meanwhile("escape")
        await driven.wait_for("1 new, 1 changed, 2 gone: d")


async def test_gone_rows_say_why_and_lead_to_where_it_is_seen(opened: Open, tmp_path: Path) -> None:
    errors = some_errors()
    ended_run(tmp_path, errors[:1], [Verdict.FIXED])
    async with opened(errors) as driven:
        await driven.ready()
        await happened(driven, errors)
        await driven.press("d")
        await driven.wait_for("2 rows gone: 1 FIXED, 1 resolved elsewhere.")
        assert "Since you looked at 02:30" in driven.text
        assert "FIXED by" in row(driven, errors[0].storeconnect_id[:8])
        assert "at 00:30" in row(driven, errors[0].storeconnect_id[:8])
        assert "resolved elsewhere: its status is PROCESSED" in row(driven, errors[1].storeconnect_id[:8])
        assert "1 row new, marked + in the list" in driven.text
        await driven.press("enter")
        await driven.wait_for("filter: id:a0")
        await driven.wait_for("1 fixed")
        assert "[Journal]" in driven.text
        await driven.press("d", "d")
        await driven.wait_for(lambda: "gone: d" not in driven.text)
        await driven.press("1")
        assert "Errors (5)" in driven.text
        await driven.press("d")
        await driven.wait_for("since I looked: nothing has changed since you looked")


async def test_what_cannot_be_read_is_unknown_and_escape_keeps_the_marks(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = some_errors()
    async with opened(errors) as driven:
        await driven.ready()
        await happened(driven, errors)

        async def refuses(_ids: Sequence[str]) -> Mapping[str, EventSeen]:
            raise UnreachableError("The org did not answer within 30 s", "Try again")

        monkeypatch.setattr(driven.connection, "read_events", refuses)
        await driven.press("d")
        await driven.wait_for("2 rows gone: 2 unknown.")
        assert "unknown: The org did not answer" in driven.text
        await driven.press("escape")
        await driven.wait_for("1 new, 1 changed, 2 gone: d")


async def test_each_standing_in_the_org_has_its_words(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = some_errors()
    async with opened(errors) as driven:
        await driven.ready()
        await happened(driven, errors)
        now: list[tuple[EventStanding, str | None]] = []

        async def answers(ids: Sequence[str]) -> Mapping[str, EventSeen]:
            return {row: EventSeen(row, *now[-1], None, None) for row in ids}

        monkeypatch.setattr(driven.connection, "read_events", answers)
        for answer, words in (
            ((EventStanding.PENDING, "Pending"), "the org is working on it: its status is Pending"),
            ((EventStanding.GONE, None), "deleted in the org, or hidden from this user"),
            ((EventStanding.UNCLEAR, "Foo[b]"), "unknown: it left the failed state, its status is Foo[b]"),
            ((EventStanding.FAILED, "FAILED"), "failing again by now: the next refresh shows it"),
        ):
            now.append(answer)
            await driven.press("d")
            await driven.wait_for(words)
            await driven.press("escape")
            await driven.wait_for("1 new, 1 changed, 2 gone: d")


async def test_what_a_run_of_ours_shows_is_no_news(opened: Open) -> None:
    errors = some_errors(2)
    connection = FakeConnection(errors)
    connection.repaired.add(errors[0].id)
    async with opened(connection=connection) as driven:
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("1 fixed, 1 still failing")
        await driven.press("escape", "r")
        await driven.wait_for("1 sync error")
        await driven.ready()
        assert not driven.app.context.state.news.words


async def test_a_result_that_nobody_dismissed_leaves_gone_rows_behind(opened: Open) -> None:
    errors = some_errors(2)
    connection = FakeConnection(errors)
    connection.repaired.add(errors[0].id)
    async with opened(connection=connection) as driven:
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("1 fixed, 1 still failing")
        await driven.press("r")
        await driven.wait_for("1 gone: d")
        await driven.press("d")
        await driven.wait_for("1 row gone: 1 FIXED.")


async def test_fixed_and_failing_again_is_said_beside_the_row_and_in_its_panel(
    opened: Open, tmp_path: Path
) -> None:
    errors = [
        sync_error(1, processed_at=NOW - timedelta(hours=1)),
        sync_error(2, processed_at=NOW - timedelta(hours=3)),
        # Another change event of the first one's record, with the same message.
        replace(sync_error(1, processed_at=NOW - timedelta(minutes=5)), id=sync_error(7).id),
    ]
    evidence = {"sent_at": (NOW - timedelta(hours=2)).isoformat(), "records": []}
    ended_run(tmp_path, errors[:2], [Verdict.FIXED, Verdict.FIXED], evidence=evidence)
    async with opened(errors) as driven:
        await driven.ready()
        # The second was processed before it was sent: the list shows what was true then.
        await driven.wait_for(
            lambda: [line[3:8] for line in driven.lines[3:6]] == ["     ", "AGAIN", "AGAIN"]
        )
        await driven.press("j", "enter")
        await driven.wait_for("Fixed at 00:30 by")
        assert "failing again since 01:30." in " ".join(driven.text.split())
    ended_run(tmp_path, errors[:1], [Verdict.STILL_FAILING])
    async with opened(errors[:1]) as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("STILL FAILING")
        assert "failing again" not in driven.text
