"""What a re-sync needs of an org, and nothing more. `salesforce/` implements it; tests lie through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncerr_tui.model import EventSeen, OrgIdentity, RecordSeen, SyncError
from syncerr_tui.stopwatch import Leaving


@dataclass(frozen=True, slots=True)
class Receipt:
    """The org's answer to one row of a re-sync request. Accepted is not fixed."""

    id: str
    accepted: bool
    reason: str = ""
    """Where refused: the org's words, harmless."""
    code: str | None = None
    """Where refused: the status code, e.g. UNABLE_TO_LOCK_ROW."""


@dataclass(frozen=True, slots=True)
class RequestPreview:
    """A request as it would be sent, without what proves who we are: no token, no cookie."""

    verb: str
    path: str
    """Below the org's own address."""
    body: object
    """As JSON."""


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """How re-sync is asked for in this org."""

    name: str
    """`button`, `guided`, `flow`, `apex`, `apexrest` or `field`."""
    label: str
    """One line for the dialog, e.g. `Apex action s_c__ResyncAction`."""
    guided: bool = False
    """True where a person presses the button in Salesforce and the tool only proves the outcome."""
    address: str | None = None
    """Guided only: where the person does it."""
    batch_size: int = 200
    """Most rows in one request."""
    concurrency: int = 5
    """Most requests under way at once."""
    first_alone: bool = False
    """True: until it has FIXED a row, one row goes first, and the rest once the org has worked on it."""


class Org(Protocol):
    """One org, seen by the runner. Every call may raise errors of `syncerr_tui.errors`.

    Implementations own their threads, sessions, timeouts and safe retries of *reads*. A call that
    changes something is never repeated by them once it may have left the machine.
    """

    @property
    def identity(self) -> OrgIdentity: ...

    @property
    def method(self) -> MethodInfo: ...

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        """Re-read change events by id. Every id asked for is in the answer (GONE where the org has none)."""
        ...

    async def find_records(
        self, object_name: str, storeconnect_ids: Sequence[str]
    ) -> Mapping[str, tuple[RecordSeen, ...]]:
        """The records of one object that carry these StoreConnect IDs and that this user may see.

        A missing key means that this user sees none.
        """
        ...

    async def sees_all(self, object_name: str) -> bool:
        """Whether this user sees every record of the object, so that seeing none means there is none.

        False where the org does not say. Never raises for a question that the org refuses to answer.
        """
        ...

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        """Ask for a re-sync of these rows, in this order, in one request.

        Args:
            errors: The rows.
            leaving: Called when the request leaves; None: it rests on no look at the org.

        Returns:
            One receipt for each row, matched by id.

        Raises:
            NotSentError: The request never reached the org; none of the rows was touched.
            OutcomeUnknownError: It was sent and no answer came back; re-read before anything else.
        """
        ...

    async def now(self) -> datetime:
        """The org's clock (its Date header), so that "modified after the re-sync" survives clock skew."""
        ...
