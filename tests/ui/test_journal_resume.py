"""What earlier starts and other terminals left open: offered, and never sent without a choice."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.journal import places
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.resync import runner
from syncerr_tui.ui.fix_controller import SafeguardsLeftOff
from tests.factories import NOW
from tests.ui.conftest import Open
from tests.ui.fakes import IDENTITY, FakeConnection, some_errors
from tests.ui.past import interrupted, journal_at, other_process

TOLD = "6 planned, 0 proven, 2 sent with unknown outcome, 4 not sent."


@pytest.fixture(autouse=True)
def someone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "os_user", lambda: "ana")


async def test_a_killed_run_is_offered_and_waits_for_a_choice(opened: Open, tmp_path: Path) -> None:
    interrupted(tmp_path)
    async with opened() as driven:
        await driven.wait_for("was interrupted")
        assert TOLD in driven.text
        assert "Why: after the flow was repaired" in driven.text
        await driven.press("enter")
        assert driven.app.screen is not driven.app.bench
        await driven.press("escape")
        await driven.wait_for("Journal (1 interrupted)")
        assert driven.connection.org.requests == []
        await driven.press("U")
        await driven.wait_for(TOLD)


async def test_a_question_behind_a_dialog_waits_until_that_is_closed(opened: Open, tmp_path: Path) -> None:
    interrupted(tmp_path)
    async with opened() as driven:
        await driven.wait_for("was interrupted")
        driven.app.bench.post_message(SafeguardsLeftOff())
        await driven.press("j")
        assert "was interrupted" in driven.text
        await driven.press("escape")
        await driven.wait_for("Nothing that was switched off from here is still off.")


async def test_going_on_reads_again_before_it_sends(opened: Open, tmp_path: Path) -> None:
    errors = some_errors()
    interrupted(tmp_path)
    connection = FakeConnection(errors)
    connection.org.repaired = {error.id for error in errors}
    await connection.org.request_resync(errors[:1])  # the first did reach the org before the kill
    connection.org.requests.clear()
    async with opened(connection=connection) as driven:
        await driven.wait_for(TOLD)
        await driven.press("g")
        await driven.wait_for("Result")
        await driven.wait_for("6 planned: 6 fixed")
        sent = [row for request in connection.org.requests for row in request]
        assert errors[0].id not in sent
        assert sorted(sent) == sorted(error.id for error in errors[1:])
        await driven.wait_for(lambda: "interrupted" not in driven.lines[1])


@pytest.mark.parametrize(("key", "words"), [("o", "only checked"), ("d", "dropped")])
async def test_only_checking_and_dropping_send_nothing(
    opened: Open, tmp_path: Path, key: str, words: str
) -> None:
    interrupted(tmp_path)
    async with opened() as driven:
        await driven.wait_for(TOLD)
        await driven.press(key)
        await driven.wait_for("Result")
        await driven.wait_for(lambda: "interrupted" not in driven.lines[1])
        assert driven.connection.org.requests == []
    with journal_at(tmp_path) as journal:
        history = History(journal)
        assert history.unfinished() == ()
        assert any(words in row.reason for row in history.rows_of(history.runs()[0].id))


async def test_read_only_cannot_go_on(opened: Open, tmp_path: Path) -> None:
    interrupted(tmp_path)
    async with opened(read_only=True) as driven:
        await driven.wait_for(TOLD)
        assert "continue" not in driven.text
        await driven.press("c")
        assert driven.app.screen is not driven.app.bench
        await driven.press("o")
        await driven.wait_for("Result")
        assert driven.connection.org.requests == []


async def test_another_terminals_rows_cannot_be_sent(opened: Open, tmp_path: Path) -> None:
    with other_process(tmp_path, planned=4) as process:
        async with opened() as driven:
            await driven.ready()
            await driven.wait_for("Journal (1 under way elsewhere)")
            await driven.wait_for("re-syncs 4 rows in another terminal since 00:30")
            await driven.press("a", "R")
            await driven.wait_for("Re-sync 2 errors")
            await driven.wait_for("4 errors: they are being re-synced by")
            assert f"process {process.pid}" in " ".join(driven.text.split())
            await driven.press("enter")
            await driven.wait_for("Result")
            sent = {row for request in driven.connection.org.requests for row in request}
            assert sent == {error.id for error in some_errors()[4:]}
            await driven.press("3")
            await driven.wait_for("elsewhere")


async def test_a_run_of_another_terminal_is_gone_from_the_screen_when_it_is_over(
    opened: Open, tmp_path: Path
) -> None:
    moment = [NOW]
    with other_process(tmp_path) as process:
        async with opened(clock=lambda: moment[0]) as driven:
            await driven.wait_for("Journal (1 under way elsewhere)")
            await driven.ready()
            process.kill()
            process.wait()
            # Nobody reads the list again: the ticking of the ages is enough.
            moment[0] += timedelta(minutes=1)
            driven.app.bench.tick()
            await driven.wait_for(lambda: "elsewhere" not in driven.lines[1])
            await driven.wait_for("Journal (1 interrupted)")
            assert "refreshed 1 min ago" in driven.text


async def test_a_run_that_begins_elsewhere_while_the_app_is_open_comes_on_screen(
    opened: Open, tmp_path: Path
) -> None:
    async with opened() as driven:
        await driven.ready()
        assert "elsewhere" not in driven.text
        with other_process(tmp_path):
            driven.app.bench.tick()
            await driven.wait_for("Journal (1 under way elsewhere)")


async def test_quitting_waits_for_the_answer_and_the_next_start_offers_the_rest(
    opened: Open, tmp_path: Path
) -> None:
    connection = FakeConnection(some_errors(12))
    async with opened(connection=connection) as driven:
        await driven.ready()
        connection.org.open.clear()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for(lambda: len(connection.org.requests) == 2)
        await driven.press("q")
        await driven.wait_for("the next start offers to go on")
        await driven.press("enter")
        await driven.wait_for("Leaving when what is on its way is answered")
        assert driven.app.is_running
        connection.org.open.set()
        await driven.wait_for(lambda: not driven.app.is_running)
    assert len(connection.org.requests) == 2
    with journal_at(tmp_path) as journal:
        waiting = History(journal).unfinished()
        assert [(u.unknown, u.unsent) for u in waiting] == [(4, 8)]
        answers = journal.read("SELECT kind FROM outcomes")
        assert [row["kind"] for row in answers] == ["accepted"] * 4


async def test_quitting_twice_leaves_at_once(opened: Open, tmp_path: Path) -> None:
    async with opened() as driven:
        await driven.ready()
        driven.connection.org.open.clear()
        await driven.press("R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for(lambda: bool(driven.connection.org.requests))
        await driven.press("q", "enter")
        await driven.wait_for("Leaving when")
        await driven.press("q")
        await driven.wait_for(lambda: not driven.app.is_running)
    with journal_at(tmp_path) as journal:
        assert [u.unknown for u in History(journal).unfinished()] == [1]


async def test_a_damaged_journal_is_set_aside_and_named(opened: Open, tmp_path: Path) -> None:
    folder = tmp_path / "journals"
    folder.mkdir()
    (folder / f"journal-{IDENTITY.org_id}.db").write_bytes(b"no database " * 1000)
    async with opened() as driven:
        await driven.wait_for("The journal was damaged.")
        kept = [path.name for path in folder.iterdir() if ".damaged-" in path.name]
        assert len(kept) == 1
        assert kept[0] in "".join(line.strip() for line in driven.text.replace("▌", "").split("\n")).replace(
            " ", ""
        )


async def test_a_full_disk_stops_a_run_before_anything_is_sent(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_journal = places.open_journal

    def full(*arguments: Any, **more: Any) -> Journal:
        journal = open_journal(*arguments, **more)
        pages = journal.read("PRAGMA page_count")[0][0]
        journal.read(f"PRAGMA max_page_count = {pages}")
        return journal

    errors = some_errors(40)
    async with opened(errors) as driven:
        await driven.ready()
        monkeypatch.setattr(places, "open_journal", full)
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("The journal cannot be used: database or disk is full.")
        await driven.wait_for(lambda: not driven.app.services.runs.active)
        assert driven.connection.org.requests == []
