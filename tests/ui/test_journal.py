"""The Journal on screen: runs, their rows, the story of a row, the filter; read page by page, in a thread."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.journal import history
from syncerr_tui.journal.history import History
from syncerr_tui.model import EventSeen, Verdict
from syncerr_tui.resync import runner
from syncerr_tui.salesforce.profiles import OrgProfile
from syncerr_tui.text import clean
from syncerr_tui.triage.state import Place
from tests.factories import sync_error
from tests.ui.conftest import Open
from tests.ui.fakes import FakeConnection, some_errors
from tests.ui.families import family
from tests.ui.past import ended_run, journal_at

FIXED, FAILING = Verdict.FIXED, Verdict.STILL_FAILING


@pytest.fixture(autouse=True)
def someone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same user on the same machine, wherever the tests run."""
    monkeypatch.setattr(runner, "os_user", lambda: "ana")
    monkeypatch.setattr("platform.node", lambda: "ops-1")


async def test_a_run_its_rows_and_the_story_of_a_row(opened: Open) -> None:
    errors = some_errors(4)
    async with opened(errors) as driven:
        await driven.ready()
        driven.connection.org.repaired = {errors[0].id}
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Result")
        await driven.press("escape", "3")
        await driven.wait_for("finished")
        await driven.compare("journal")
        await driven.press("enter")
        await driven.wait_for("FIXED")
        await driven.compare("journal-run")
        await driven.press("enter")
        await driven.wait_for("Everything that happened to it")
        await driven.compare("journal-row", varying=r"2026-11-23 02:30:\d\d")
        await driven.press("G")
        await driven.wait_for(errors[0].id)
        await driven.press("escape", "escape")
        await driven.wait_for("When ")
        await driven.press("escape")
        await driven.wait_for("[Errors (3)]")


async def test_a_count_loses_its_commas_before_it_loses_a_digit(
    opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ended_run(tmp_path, some_errors(2), [Verdict.FIXED, FAILING])
    of_row, counts = History._run, {Verdict.FIXED.value: 4968, Verdict.STILL_FAILING.value: 12345}
    monkeypatch.setattr(History, "_run", lambda *of: replace(of_row(*of), verdicts=counts))
    async with opened() as driven:
        await driven.ready()
        await driven.press("3")
        await driven.wait_for("finished")
        await driven.wait_for(lambda: " 4,968 " in driven.text and " 12345" in driven.text)


async def test_a_fixed_row_leaves_the_list_and_stays_in_the_journal(opened: Open) -> None:
    errors = some_errors(2)
    async with opened(errors) as driven:
        await driven.ready()
        driven.connection.org.repaired = {errors[0].id}
        await driven.press("R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Result")
        await driven.press("escape")
        await driven.wait_for("1 sync error")
        assert errors[0].id not in driven.pane.listing.errors
        await driven.press("3")
        await driven.wait_for("finished")
        await driven.press("enter")
        await driven.wait_for("FIXED")


async def test_the_filter_knows_verdict_object_code_and_text(opened: Open, tmp_path: Path) -> None:
    errors = some_errors(4)
    ended_run(tmp_path, errors[:2], [FIXED, FAILING], "after the flow was repaired")
    ended_run(tmp_path, errors[2:], [None, None])
    async with opened() as driven:
        await driven.ready()
        await driven.press("3")
        await driven.wait_for("after ")
        for typed, runs in (
            ("verdict:fixed", 1),
            ("object:order", 1),
            ("why:flow", 1),
            ("-flow", 1),
            ("ana", 2),
        ):
            await driven.press("slash")
            await driven.type(typed)
            await driven.press("enter")
            await driven.wait_for(f"filter: {typed}  ({runs} shown)")
        await driven.press("slash")
        await driven.type("verdict:failing")
        await driven.press("enter")
        await driven.wait_for("filter: verdict:failing  (1 shown)")
        await driven.press("enter")
        await driven.wait_for("STILL FAILING")
        await driven.wait_for(lambda: "FIXED" not in driven.text)
        await driven.press("escape")
        await driven.wait_for("FIXED")


async def test_an_unreadable_filter_says_why(opened: Open, tmp_path: Path) -> None:
    ended_run(tmp_path, some_errors(1), [FIXED])
    async with opened() as driven:
        await driven.ready()
        await driven.press("3")
        await driven.wait_for("finished")
        await driven.press("slash")
        await driven.type("colour:red ")
        await driven.wait_for("does not know colour")
        await driven.press("escape")
        await driven.wait_for("finished")
        await driven.press("slash")
        await driven.type("verdict:wrong")
        await driven.press("enter")
        await driven.wait_for("No verdict is called")


async def test_nothing_that_was_never_looked_at_is_read(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [sync_error(number) for number in range(1, 1001)]
    ended_run(tmp_path, errors, [FAILING] * 999 + [FIXED])
    read: list[tuple[int, int]] = []
    threads: set[int] = set()
    rows_of = History.rows_of

    def counted(self: History, run: str, limit: int = -1, skip: int = 0, *more: Any) -> Any:
        read.append((skip, limit))
        threads.add(threading.get_ident())
        return rows_of(self, run, limit, skip, *more)

    monkeypatch.setattr(history.History, "rows_of", counted)
    async with opened(errors[:3]) as driven:
        await driven.ready()
        await driven.press("3")
        await driven.wait_for("finished")
        await driven.press("enter")
        await driven.wait_for("STILL FAILING")
        await driven.press("G")
        await driven.wait_for("FIXED")
    assert sorted(read) == [(0, 100), (900, 100)]
    assert threads
    assert threading.get_ident() not in threads


async def test_what_an_org_wrote_is_text_and_nothing_else(opened: Open, tmp_path: Path) -> None:
    hostile = replace(
        sync_error(1), message=clean("[bold]x[/] \x1b]52;c;QQ==\x07 [/nope]"), object=clean("Or\x1b[2Jder")
    )
    ended_run(tmp_path, [hostile], [FAILING], "because [red]of\x1b[2J")
    async with opened(size=(120, 30)) as driven:
        await driven.ready()
        await driven.press("3")
        await driven.wait_for("[red]of")
        await driven.press("enter")
        await driven.wait_for("Everything that happened")
        await driven.press("tab")
        await driven.wait_for("[bold]x[/]")
        assert "\x1b" not in driven.text


async def test_beside_a_wide_list_stands_what_happened_to_the_run(opened: Open, tmp_path: Path) -> None:
    run = ended_run(tmp_path, some_errors(3), [FIXED, FAILING, None], "after the flow was repaired")
    with journal_at(tmp_path) as journal:
        journal.mark(run, "brake", "the same cause came back")
    async with opened(size=(140, 30)) as driven:
        await driven.ready()
        await driven.press("3")
        await driven.wait_for("Halted: the same cause came back")
        await driven.wait_for("after the flow was repaired")
        await driven.press("tab", "j", "tab", "enter")
        await driven.wait_for("Everything that happened")


async def test_the_panel_of_an_error_remembers(opened: Open, tmp_path: Path) -> None:
    errors = some_errors(4)
    ended_run(tmp_path, [errors[0], errors[3]], [FAILING, FIXED], "after the flow was repaired")
    async with opened(errors[:3], size=(120, 30)) as driven:
        await driven.ready()
        await driven.wait_for("Before")
        text = " ".join(driven.pane.panel.text.split())
        assert "Its cause was seen in 1 re-sync (2 rows), last fixed on 23 November by ana" in text
        assert "(after the flow was repaired)" in text
        assert "This row was sent once, last on 23 Nov 00:30: STILL FAILING." in text
        await driven.press("j")
        await driven.wait_for(lambda: "Message number 2" in driven.pane.panel.text)
        assert "This row was sent" not in driven.pane.panel.text


async def test_a_cause_of_which_nothing_was_sent_was_not_tried(opened: Open, tmp_path: Path) -> None:
    errors = some_errors(2)
    ended_run(tmp_path, errors, [FAILING, None])
    ended_run(tmp_path, errors, [None, None])
    async with opened(errors, size=(120, 30)) as driven:
        await driven.ready()
        await driven.wait_for("Before")
        text = " ".join(driven.pane.panel.text.split())
        assert "Its cause was seen in 1 re-sync (1 row) and was never fixed by one so far." in text


async def test_the_third_try_of_the_same_thing_is_warned_about(opened: Open, tmp_path: Path) -> None:
    errors = some_errors(2)
    for _ in range(2):
        ended_run(tmp_path, errors[:1], [FAILING])
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press("R")
        await driven.wait_for("refused with the same message")
        await driven.press("escape", "a", "R")
        await driven.wait_for("1 of these was sent twice")


async def test_where_the_profile_wants_a_reason_nothing_goes_without(opened: Open, tmp_path: Path) -> None:
    connection = FakeConnection(some_errors(2))
    connection.profile = OrgProfile("acme", reason_required=True, proof_timeout=1.0)
    async with opened(connection=connection) as driven:
        await driven.ready()
        await driven.press("R")
        await driven.wait_for("this org wants a reason")
        await driven.press("enter")
        await driven.wait_for("Why is this re-synced?")
        await driven.press("enter")
        await driven.wait_for("A reason is needed here.")
        assert connection.org.requests == []
        await driven.type("flow repaired")
        await driven.press("enter")
        await driven.wait_for("Result")
    with journal_at(tmp_path) as journal:
        assert [run.reason for run in History(journal).runs()] == ["flow repaired"]


async def test_a_reason_may_be_given_anywhere(opened: Open, tmp_path: Path) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("R")
        await driven.wait_for("w reason")
        await driven.press("w")
        await driven.type("q is a letter here")
        await driven.press("enter")
        await driven.wait_for("Why      q is a letter here")
        await driven.press("enter")
        await driven.wait_for("Result")
    with journal_at(tmp_path) as journal:
        assert History(journal).runs()[0].reason == "q is a letter here"


async def test_checking_again_sends_nothing_and_writes_the_verdict_down(opened: Open, tmp_path: Path) -> None:
    errors = some_errors(2)
    ended_run(tmp_path, errors, [Verdict.UNKNOWN, FAILING])
    async with opened(errors) as driven:
        await driven.ready()
        org = driven.connection.org
        org.repaired = {errors[0].id}
        await org.request_resync(errors[:1])
        org.requests.clear()
        await driven.press("3")
        await driven.wait_for("finished")
        await driven.press("V")
        await driven.wait_for("Read again: 1 FIXED.")
        await driven.wait_for("1 fixed, 1 still failing.")  # the journal has been read anew
        await driven.wait_for("Errors (1)")  # what is fixed has left the list
        await driven.press("V")
        await driven.wait_for("Nothing that this run sent is still open.")
        assert org.requests == []
        await driven.press("enter")
        await driven.wait_for("finished  1 fixed, 1 still failing")


async def test_checking_again_shows_that_it_works_and_can_be_cancelled(opened: Open, tmp_path: Path) -> None:
    errors = some_errors(2)
    ended_run(tmp_path, errors, [Verdict.UNKNOWN, FAILING])
    async with opened(errors) as driven:
        await driven.ready()
        asked = asyncio.Event()

        async def never(_ids: object) -> dict[str, EventSeen]:
            asked.set()
            await asyncio.Event().wait()
            return {}

        driven.connection.org.read_events = never
        await driven.press("3")
        await driven.wait_for("finished")
        await driven.press("V")
        await driven.wait_for("reading 1 row again ...  esc cancels")
        await driven.wait_for(asked.is_set)
        await driven.press("j", "k")
        assert "reading 1 row again ..." in driven.text
        await driven.press("escape")
        await driven.wait_for(lambda: "again ..." not in driven.text)
        assert driven.app.context.state.place is Place.JOURNAL


async def test_an_org_in_which_nothing_was_fixed_says_so(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("3", "f")
        await driven.wait_for("Nothing was fixed from here in this org yet.")
        await driven.press("escape")
        await driven.wait_for("Nothing was re-synced in this org yet.")


async def test_a_cause_that_failed_is_named_by_its_record(opened: Open) -> None:
    errors = family()
    named = f"its cause Account {errors[0].storeconnect_id[:8]} is not proven (STILL FAILING)"
    async with opened(errors, size=(150, 40)) as driven:
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Result")
        await driven.press("j")
        await driven.wait_for(lambda: named in " ".join(driven.pane.panel.text.split()))
        await driven.press("3", "enter", "G")
        journal, causes = (
            driven.app.bench.journal,
            re.compile(r"[Ii]ts cause Order [0-9a-f]{8} is not proven"),
        )
        # How it ended, and once more in all that happened to it.
        await driven.wait_for(lambda: len(causes.findall(" ".join(journal.panel.text.split()))) == 2)
        assert "its cause Order " in driven.text
        assert not re.search(r"[Ii]ts cause \w{18}\b", driven.text)
