"""`guided`: a person ticks the rows in StoreConnect's Sync Error Tool; this program prepares and proves."""

from __future__ import annotations

from collections.abc import Sequence

from syncerr_tui.diagnosis.links import address
from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.methods import Check, CheckState
from syncerr_tui.salesforce.profiles import GuidedMethod

APP_LAUNCHER = "/lightning/page/home"
"""The address of the tool itself is not published: it is opened from the App Launcher on any page."""


class GuidedResync:
    """Sends nothing, ever."""

    def __init__(self, client: ApiClient, method: GuidedMethod, *, batch_size: int) -> None:
        self._named = bool(method.address)
        where = method.address or APP_LAUNCHER
        if where.startswith("/"):
            where = address(where, client.instance_url)
        self.info = MethodInfo(
            name="guided",
            label="By hand, in StoreConnect's Sync Error Tool",
            guided=True,
            address=where,
            batch_size=batch_size,
            concurrency=1,
        )

    async def check(self) -> list[Check]:
        """Nothing can be missing; says where the page is."""
        if self._named:
            return [Check("Sync Error Tool", CheckState.OK, f"opened at {self.info.address}")]
        return [
            Check(
                "Sync Error Tool",
                CheckState.OK,
                "opened from the App Launcher in Salesforce",
                "Put its address into the profile (method.address) to have it at hand",
            )
        ]

    async def preview(self, errors: Sequence[SyncError]) -> None:
        """A person presses the button."""

    async def request(self, errors: Sequence[SyncError]) -> list[Receipt]:
        """Nothing is sent: the person has pressed the button, and the proof is in re-reading."""
        return [Receipt(error.id, accepted=True) for error in errors]
