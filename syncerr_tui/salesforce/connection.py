"""One open connection to one org: what the app and the commands hold in their hands.

This module is the seam. The app and the commands use `Connection` and nothing else of this package
but profiles; how an org is reached stays behind it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from syncerr_tui.model import OrgIdentity, SyncError
from syncerr_tui.resync.org import Org

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.victims import ParentRef
    from syncerr_tui.salesforce.checks import Check
    from syncerr_tui.salesforce.demo_fix import DemoFixes
    from syncerr_tui.salesforce.methods import DryRunRequest
    from syncerr_tui.salesforce.profiles import OrgProfile


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


@runtime_checkable
class LiveConnection(Connection, Protocol):
    """What an open org offers besides reading and re-syncing. `connect` gives one of these."""

    @property
    def profile(self) -> OrgProfile:
        """How this org is to be treated."""
        ...

    @property
    def demo_fixes(self) -> DemoFixes | None:
        """Fixing things, in the demo org only; None everywhere else."""
        ...

    async def parents(
        self, errors: Iterable[SyncError], failing: Iterable[str]
    ) -> Mapping[str, tuple[ParentRef, ...]]:
        """What the org says about the parents of these errors' records: for `CauseGraph.relate`.

        Args:
            errors: Those whose parents are wanted; records that are not in Salesforce have none yet.
            failing: Objects that occur in the list of failures.
        """
        ...

    async def check_method(self) -> list[Check]:
        """Whether the method of re-sync can work here. Changes nothing."""
        ...

    def dry_run(self, errors: Sequence[SyncError]) -> list[DryRunRequest]:
        """What a re-sync of these rows would send, request by request. Sends nothing."""
        ...

    async def log_in_again(self) -> None:
        """Get a new session because a person asked for it.

        Raises:
            NotLoggedInError, UnreachableError: It did not work.
        """
        ...
