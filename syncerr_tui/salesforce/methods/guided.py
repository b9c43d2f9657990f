"""`guided`: a person ticks the rows in StoreConnect's Sync Error Tool; this program prepares and proves."""

from __future__ import annotations

from collections.abc import Sequence

from syncerr_tui.diagnosis.links import address
from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt
from syncerr_tui.salesforce.checks import Check, CheckState
from syncerr_tui.salesforce.client import OrgClient
from syncerr_tui.salesforce.methods import DryRunRequest
from syncerr_tui.salesforce.profiles import GuidedMethod

APP_LAUNCHER = "/lightning/page/home"
"""The address of the tool itself is not published: it is opened from the App Launcher on any page."""


class GuidedResync:
    """Sends nothing, ever."""

    def __init__(self, client: OrgClient, method: GuidedMethod, *, batch_size: int) -> None:
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
            lanes=1,
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

    def dry_run(self, errors: Sequence[SyncError]) -> list[DryRunRequest]:
        """The rows to tick, a handful at a time, in this order."""
        assert self.info.address is not None
        size = self.info.batch_size
        return [
            DryRunRequest(
                "BY HAND",
                self.info.address,
                None,
                tuple(error.id for error in errors[start : start + size]),
                self._steps(),
            )
            for start in range(0, len(errors), size)
        ]

    def sheet(self, errors: Sequence[SyncError]) -> list[str]:
        """What a person does, line by line: where to go, which rows to tick in which order, what to press."""
        lines = [f"1. Open {self.info.address}"]
        if not self._named:
            lines.append("   and there the App Launcher: type 'Sync Error Tool'.")
        lines.append("2. Tick these rows, and no others:")
        width = len(str(len(errors)))
        lines += [f"   {number:>{width}}  {_row(error)}" for number, error in enumerate(errors, 1)]
        lines.append("3. Press Re-sync at the far right of the list.")
        return lines

    async def request(self, errors: Sequence[SyncError]) -> list[Receipt]:
        """Nothing is sent: the person has pressed the button, and the proof is in re-reading."""
        return [Receipt(error.id, accepted=True) for error in errors]

    def _steps(self) -> str:
        launcher = "" if self._named else "App Launcher > Sync Error Tool; "
        return f"{launcher}tick exactly these rows, then Re-sync"


def _row(error: SyncError) -> str:
    identity = error.storeconnect_id or error.salesforce_id or error.id
    when = f"{error.processed_at:%Y-%m-%d %H:%M:%S} UTC" if error.processed_at else "time unknown"
    return f"{error.object}  {error.event_type}  {when}  StoreConnect ID {identity}"
