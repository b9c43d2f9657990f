"""The guided method on screen: a person presses the button in Salesforce, the tool proves what came of it."""

from __future__ import annotations

from pathlib import Path

from syncerr_tui.journal.history import History
from syncerr_tui.resync.org import MethodInfo
from tests.ui.conftest import Open
from tests.ui.fakes import FakeConnection, some_errors
from tests.ui.past import journal_at

ADDRESS = "https://acme.my.salesforce.com/lightning/n/Sync_Errors"


def guided(count: int) -> FakeConnection:
    connection = FakeConnection(some_errors(count))
    connection.org.method = MethodInfo("guided", "By hand in Salesforce", guided=True, address=ADDRESS)
    return connection


async def test_the_rows_to_tick_are_named_in_their_order_and_proven_afterwards(
    opened: Open, tmp_path: Path
) -> None:
    connection = guided(3)
    errors = some_errors(3)
    async with opened(connection=connection) as driven:
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Your turn")
        assert ADDRESS in driven.text
        assert connection.org.requests == []
        named = [line for line in driven.lines if any(error.storeconnect_id in line for error in errors)]
        with journal_at(tmp_path) as journal:
            run = History(journal).runs()[0].id
            planned = [row.error for row in History(journal).rows_of(run)]
        first = [error for error in planned if any(error.storeconnect_id in line for line in named)]
        assert first
        assert all(error.storeconnect_id in line for error, line in zip(first, named, strict=True))
        connection.org.repaired = {error.id for error in errors}
        await connection.org.request_resync(first)  # the person does it
        connection.org.requests.clear()
        while "Result" not in driven.text:
            await driven.press("enter")
            await driven.wait_for(lambda: "Your turn" in driven.text or "Result" in driven.text)
        assert connection.org.requests == []
        await driven.wait_for("fixed")


async def test_who_did_not_press_it_has_sent_nothing(opened: Open, tmp_path: Path) -> None:
    connection = guided(1)
    async with opened(connection=connection) as driven:
        await driven.ready()
        await driven.press("R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Your turn")
        await driven.press("escape")
        await driven.wait_for("1 planned: 1 not sent")
        assert connection.org.requests == []
