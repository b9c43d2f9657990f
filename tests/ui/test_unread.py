"""Of a list that was never read nobody knows how long it is."""

from __future__ import annotations

import asyncio

from syncerr_tui.errors import UnreachableError
from tests.ui.conftest import Open
from tests.ui.fakes import FakeConnection, some_errors

GONE = UnreachableError("The org is down for maintenance", "Try again later")


async def test_where_no_org_answers_nothing_is_counted(opened: Open) -> None:
    async def connect() -> FakeConnection:
        raise GONE

    async with opened(connect=connect, org="acme") as driven:
        await driven.wait_for("maintenance")
        assert "acme  not connected" in driven.lines[0]
        assert "Errors (?)" in driven.lines[1]
        assert "Causes (?)" in driven.lines[1]
        assert "Not connected" in driven.lines[-2]
        assert "0 sync errors" not in driven.text
        await driven.press("c")
        await driven.wait_for("Not connected: r tries again")
        assert "No causes" not in driven.text


async def test_while_it_connects_nothing_is_counted(opened: Open) -> None:
    answered = asyncio.Event()

    async def connect() -> FakeConnection:
        await answered.wait()
        return FakeConnection(some_errors())

    async with opened(connect=connect, org="acme") as driven:
        await driven.wait_for("acme  connecting ...")
        assert "Errors (?)" in driven.lines[1]
        await driven.press("c")
        await driven.wait_for("Connecting to the org ...")
        assert "r tries again" not in driven.text
        assert "Not connected" not in driven.text
        await driven.press("w")
        await driven.wait_for("watch: still connecting to the org")
        await driven.press("1")
        assert "0 sync errors" not in driven.text
        answered.set()
        await driven.ready()
        assert "6 sync errors" in driven.text


async def test_where_the_org_answers_but_not_the_list_it_was_not_read(opened: Open) -> None:
    connection = FakeConnection(some_errors())
    connection.trouble = GONE
    connection.page_gate = asyncio.Semaphore(0)
    async with opened(connection=connection) as driven:
        await driven.wait_for("Not read yet")
        assert "Errors (?)" in driven.lines[1]
        connection.page_gate.release()
        await driven.wait_for("maintenance")
        assert "Not read yet" in driven.lines[-2]
        connection.trouble = None
        connection.page_gate.release()
        await driven.press("r")
        await driven.wait_for("6 sync errors")
