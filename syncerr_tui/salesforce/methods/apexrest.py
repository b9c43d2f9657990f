"""`apexrest`: an Apex REST resource of the org takes a POST of `{ids_key: [ids]}`.

There is no describe for Apex REST, so a check cannot look before the first call; it says so. The answer may
be a list of results, an object that holds one, or anything else with a good status: then every row counts as
accepted, and only the proof tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt, RequestPreview
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.methods import (
    Check,
    CheckState,
    match,
    named_results,
    receipt,
    refuses,
    unmatched,
)
from syncerr_tui.salesforce.profiles import ApexRestMethod


class ApexRestResync:
    """Calls one resource."""

    def __init__(
        self, client: ApiClient, method: ApexRestMethod, *, batch_size: int, concurrency: int
    ) -> None:
        self._client = client
        self._method = method
        self.info = MethodInfo(
            name="apexrest",
            label=f"Apex REST /services/apexrest/{method.path.strip('/')}",
            batch_size=batch_size,
            concurrency=concurrency,
        )

    async def check(self) -> list[Check]:
        """Says what can be known beforehand: the path is one."""
        return [
            Check(
                "Apex REST",
                CheckState.WARNING,
                f"{self._method.path} can only be tried, Salesforce does not describe Apex REST",
                "Try it with one row first; a wrong path is refused and changes nothing",
            )
        ]

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview:
        path = f"/services/apexrest/{self._method.path.strip('/')}"
        return RequestPreview("POST", path, self._body(errors))

    async def request(self, errors: Sequence[SyncError]) -> list[Receipt]:
        answer = await self._client.apexrest("POST", self._method.path.strip("/"), self._body(errors))
        results = named_results(answer, {error.id for error in errors})
        if results is None:
            if refuses(answer):
                raise unmatched()
            return [Receipt(error.id, accepted=True) for error in errors]
        return [receipt(error, result) for error, result in zip(errors, match(errors, results), strict=True)]

    def _body(self, errors: Sequence[SyncError]) -> dict[str, list[str]]:
        return {self._method.ids_key: [error.id for error in errors]}
