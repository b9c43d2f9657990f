"""Colleagues on a shared journal: who they are, what they work at, and their runs, in the app."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from syncerr_tui.journal.claims import Owner
from syncerr_tui.journal.journal import Journal
from syncerr_tui.journal.people import LOOKS, others_present
from tests.factories import NOW
from tests.journal.opening import open_as
from tests.journal.test_journal import begin, plan_of
from tests.resync.lying_org import IDENTITY
from tests.ui.conftest import Open
from tests.ui.fakes import FakeConnection, some_errors

BEN = replace(Owner.current(), pid=1, host="ops-2", boot="another kernel/1", machine="another")


def at_desk(tmp_path: Path) -> FakeConnection:
    connection = FakeConnection(some_errors())
    connection.profile = replace(connection.profile, journal=str(tmp_path / "team" / "acme.db"))
    return connection


def bens(tmp_path: Path) -> Journal:
    return open_as(
        tmp_path / "ben",
        IDENTITY.org_id,
        clock=lambda: NOW,
        owner=BEN,
        shared=tmp_path / "team" / "acme.db",
    )


async def test_colleagues_and_their_runs_are_seen_after_a_refresh(opened: Open, tmp_path: Path) -> None:
    with bens(tmp_path) as ben:
        ben.present(LOOKS)
        async with opened(connection=at_desk(tmp_path)) as driven:
            await driven.ready()
            await driven.press("3")
            await driven.wait_for("on ops-2 has the list open")
            await driven.wait_for(lambda: bool(others_present(ben)))  # and the colleague sees us
            begin(ben, plan_of(101, 102))
            await driven.press("r")
            await driven.wait_for("on ops-2 re-syncs 2 rows")
            await driven.wait_for("under way")
        assert others_present(ben) == (), "whoever has quit is not there any more"


async def test_alone_nothing_is_said_of_people(opened: Open, tmp_path: Path) -> None:
    async with opened(connection=at_desk(tmp_path)) as driven:
        await driven.ready()
        await driven.press("3")
        await driven.wait_for("Nothing was re-synced")
        assert "Also on" not in driven.text
