"""How a command gets to its org. The demo org is reached through the same client code as a real one."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from syncerr_tui.cli._options import (
    OrgChoice,
    choice_of,
    configured_orgs,
    demo_options,
    org_options,
    profile_folder,
)
from syncerr_tui.errors import BadInputError

if TYPE_CHECKING:
    from syncerr_tui.cli._ledger import LateJournal
    from syncerr_tui.demo.options import DemoOptions
    from syncerr_tui.demo.server import DemoServer
    from syncerr_tui.salesforce.profiles import OrgProfile
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.salesforce.tokens import TokenProvider

__all__ = [
    "EmbeddedOrg",
    "OrgChoice",
    "default_choice",
    "in_event_loop",
    "open_connection",
    "open_org",
    "org_options",
    "reach",
    "run_async",
]

P = ParamSpec("P")
T = TypeVar("T")


def default_choice(org: str | None = None, *, read_only: bool = False) -> OrgChoice:
    """The org of a `syncerr-tui` without a command: the one named or configured, else the demo org.

    Raises:
        BadInputError: Several orgs are configured and none is named; a profile cannot be read.
    """
    if org is not None or configured_orgs():
        return choice_of(org=org, demo=False, read_only=read_only)
    return OrgChoice(None, demo_options(), read_only)


class EmbeddedOrg:
    """The demo org in this process: started when it is first asked for, until `close`."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._server: DemoServer | None = None

    async def profile(self) -> tuple[OrgProfile, TokenProvider]:
        """Its profile and its tokens, as a real org's."""
        from syncerr_tui.demo.server import DemoServer
        from syncerr_tui.salesforce.auth.environment import demo_profile
        from syncerr_tui.salesforce.concurrency import ThreadPool

        if self._server is None:
            # A daemon thread: building 100,000 errors takes a while, and neither ctrl-c nor q waits for it.
            starting = ThreadPool(1)
            self._server = await starting.run(lambda: DemoServer(self._options).start())
            starting.close()
        return demo_profile(self._server.instance_url, self._server.access_token)

    async def connect(self) -> OrgSession:
        from syncerr_tui.salesforce.connect import connect

        return await connect(*await self.profile())

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()


@asynccontextmanager
async def reach(choice: OrgChoice) -> AsyncIterator[tuple[OrgProfile, TokenProvider]]:
    """The profile and the tokens of the chosen org; the demo org runs in this process as long as this lasts.

    Nothing is asked of a real org yet.
    """
    if choice.org is not None:
        from syncerr_tui.salesforce.auth import open_profile

        yield open_profile(choice.org, profile_folder())
        return
    if choice.demo is None:
        raise BadInputError("A snapshot is not an org", "Name the org with --org")
    demo = EmbeddedOrg(choice.demo)
    try:
        yield await demo.profile()
    finally:
        await asyncio.to_thread(demo.close)


@asynccontextmanager
async def open_org(
    choice: OrgChoice, *, mention: bool = True
) -> AsyncIterator[tuple[OrgSession, LateJournal]]:
    """Log in, look at the org, and hand out the connection and its journal; all is let go at the end.

    Args:
        choice: Which org.
        mention: Say on stderr which safeguards are off because of us, and which TWINs are not merged.

    Raises:
        SyncErrError: Each failure in its own words: no such org, not logged in, unreachable, names in doubt.
    """
    from syncerr_tui.cli._ledger import LateJournal, mention_open_matters
    from syncerr_tui.salesforce.connect import connect

    if choice.snapshot is not None:
        connection = await open_snapshot(choice.snapshot)
        with LateJournal(connection) as journal:
            yield connection, journal
        return
    async with reach(choice) as (profile, tokens):
        connection = await connect(profile, tokens)
        try:
            with LateJournal(connection) as journal:
                if mention:
                    await mention_open_matters(connection, journal)
                yield connection, journal
        finally:
            await connection.close()


@asynccontextmanager
async def open_connection(choice: OrgChoice) -> AsyncIterator[OrgSession]:
    """`open_org` for a command that leaves the journal alone."""
    async with open_org(choice) as (connection, _):
        yield connection


async def open_snapshot(path: Path) -> OrgSession:
    """What `syncerr-tui snapshot` has written, in place of an org.

    Raises:
        BadInputError: It cannot be read.
    """
    from syncerr_tui.salesforce.snapshot import SnapshotSession, read_snapshot

    return SnapshotSession(await asyncio.to_thread(read_snapshot, path))


def in_event_loop(command: Callable[P, Coroutine[Any, Any, int]]) -> Callable[P, int]:
    """Decorate a click command that is a coroutine: what a call of it starts, waits for and gives."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> int:
        return run_async(command(*args, **kwargs))

    return run


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine. Ctrl-c cancels it, lets it clean up, and ends as `KeyboardInterrupt`."""
    return asyncio.run(coroutine)
