"""One open connection to one org: what the app and the commands hold in their hands.

This module is the seam. The app and the commands use `Connection` and nothing else of this package
but profiles; how an org is reached stays behind it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from syncerr_tui.model import OrgIdentity, SyncError
from syncerr_tui.resync.org import Org


@dataclass(frozen=True, slots=True)
class ApiUsage:
    """The org's daily API calls as its last answer told (`Sforce-Limit-Info`)."""

    used: int
    total: int


class Connection(Protocol):
    """An org that answered, its names mapped. Async throughout: blocking work runs in threads of its own."""

    @property
    def identity(self) -> OrgIdentity: ...

    @property
    def org(self) -> Org:
        """The same org as the runner sees it."""
        ...

    @property
    def usage(self) -> ApiUsage | None: ...

    @property
    def total(self) -> int | None:
        """How many unresolved errors the org said it has, once the first page is here."""
        ...

    def errors(self) -> AsyncIterator[tuple[SyncError, ...]]:
        """Unresolved sync errors, oldest first, page by page.

        A page is yielded before the next one is asked for. Closing the iterator stops the reading.

        Raises:
            UnreachableError, NotLoggedInError, RefusedError: as everywhere.
        """
        ...

    async def close(self) -> None:
        """Let threads and sockets go. Waits for nothing longer than the transport's timeouts."""
        ...
