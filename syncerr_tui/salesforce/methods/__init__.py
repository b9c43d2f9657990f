"""How re-sync is asked for in an org. Nobody outside knows what StoreConnect's own button does, so the
org's admin names an entry point, and until then a person presses the button (`guided`).

No method is ever chosen by this program. Each checks by describe that it can work, and sends one request at a
time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from syncerr_tui.errors import NotSentError, RefusedError, UnreachableError
from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt, RequestPreview
from syncerr_tui.salesforce.health import Check, CheckState


class ResyncMethod(Protocol):
    """One way of asking for a re-sync, bound to one org."""

    @property
    def info(self) -> MethodInfo: ...

    async def check(self) -> list[Check]:
        """Look, by describe, at everything this method needs. Changes nothing."""
        ...

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview | None:
        """What `request` would send for these rows; None where it would send nothing. Changes nothing.

        Raises:
            RefusedError: A precondition does not hold.
        """
        ...

    async def request(self, errors: Sequence[SyncError]) -> list[Receipt]:
        """Ask for these rows, in this order, in one request; one receipt each.

        Raises:
            RefusedError: A precondition does not hold; nothing was sent.
            NotSentError, OutcomeUnknownError: as in `resync.org`.
        """
        ...


class Preconditions:
    """A method's check, made once before its first request and remembered when it was good."""

    def __init__(self, method: ResyncMethod) -> None:
        self._method = method
        self._good = False

    async def hold(self) -> None:
        """Make sure that the method can work.

        Raises:
            RefusedError: It cannot; the reason of the first check that failed.
            NotSentError: The org could not be asked. Nothing has left yet, so nothing is in doubt.
        """
        if self._good:
            return
        try:
            checks = await self._method.check()
        except UnreachableError as error:
            raise NotSentError(f"Nothing was sent: {error.title}", error.hint) from None
        for check in checks:
            if check.state is CheckState.FAILED:
                raise RefusedError(f"Re-sync is not possible: {check.reason}", check.advice)
        self._good = True
