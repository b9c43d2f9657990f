"""How a command gets to its org. The demo org is reached through the same client code as a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from syncerr_tui.cli._options import (
    OrgChoice,
    choice_of,
    configured_orgs,
    demo_options,
    org_options,
    profile_folder,
)

if TYPE_CHECKING:
    from syncerr_tui.salesforce.connection import Connection

__all__ = ["OrgChoice", "default_choice", "open_connection", "org_options", "run_async"]

T = TypeVar("T")


def default_choice(*, read_only: bool = False) -> OrgChoice:
    """The org of a bare `syncerr-tui`: the only configured one, else the demo org.

    Raises:
        BadInputError: Several orgs are configured and none is named.
    """
    if configured_orgs():
        return choice_of(org=None, demo=False, read_only=read_only)
    return OrgChoice(None, demo_options(), read_only)


@asynccontextmanager
async def open_connection(choice: OrgChoice) -> AsyncIterator[Connection]:
    """Log in, look at the org, and hand out the connection; everything is let go at the end.

    With `choice.demo` the demo org is started in this process first and stopped last.

    Raises:
        SyncErrError: Each failure in its own words: no such org, not logged in, unreachable, names in doubt.
    """
    from syncerr_tui.salesforce.connect import connect
    from syncerr_tui.salesforce.ways import open_profile

    if choice.demo is None:
        assert choice.org is not None
        profile, tokens = open_profile(choice.org, profile_folder())
        connection = await connect(profile, tokens)
        try:
            yield connection
        finally:
            await connection.close()
        return

    from syncerr_tui.demo.server import DemoServer
    from syncerr_tui.salesforce.ways.demo import demo_profile

    server = DemoServer(choice.demo)
    await asyncio.to_thread(server.__enter__)
    try:
        profile, tokens = demo_profile(server.instance_url, server.access_token)
        connection = await connect(profile, tokens)
        try:
            yield connection
        finally:
            await connection.close()
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine. Ctrl-c cancels it, lets it clean up, and ends as `KeyboardInterrupt`."""
    return asyncio.run(coroutine)
