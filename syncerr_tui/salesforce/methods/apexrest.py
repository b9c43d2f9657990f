"""`apexrest`: an Apex REST resource of the org takes a POST of `{ids_key: [ids]}`.

There is no describe for Apex REST, so a check cannot look before the first call; it says so. The answer may
be a list of results, an object that holds one, or anything else with a good status: then every row counts as
accepted, and only the proof tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.health import Check, CheckState
from syncerr_tui.salesforce.ids import to_18
from syncerr_tui.salesforce.methods.receipts import VERDICT_NAMES, match, receipt, unmatched
from syncerr_tui.salesforce.profiles import ApexRestMethod

_PROBLEM_NAMES = ("errors", "error", "errorcode")


class ApexRestResync:
    """Calls one resource."""

    def __init__(self, client: ApiClient, method: ApexRestMethod, *, batch_size: int, lanes: int) -> None:
        self._client = client
        self._method = method
        self.info = MethodInfo(
            name="apexrest",
            label=f"Apex REST /services/apexrest/{method.path.strip('/')}",
            batch_size=batch_size,
            lanes=lanes,
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

    async def request(self, errors: Sequence[SyncError]) -> list[Receipt]:
        """Call the resource once."""
        answer = await self._client.apexrest("POST", self._method.path.strip("/"), self._body(errors))
        results = _results(answer, {error.id for error in errors})
        if results is None:
            if _refuses(answer):
                raise unmatched()
            return [Receipt(error.id, accepted=True) for error in errors]
        return [receipt(error, result) for error, result in zip(errors, match(errors, results), strict=True)]

    def _body(self, errors: Sequence[SyncError]) -> dict[str, list[str]]:
        return {self._method.ids_key: [error.id for error in errors]}


def _refuses(answer: object) -> bool:
    """Whether an answer that names no row says no to something: then nobody knows what ran."""
    waiting = [answer]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            said = {str(key).casefold(): value for key, value in one.items()}
            if any(said.get(name) is False for name in VERDICT_NAMES) or any(map(said.get, _PROBLEM_NAMES)):
                return True
            waiting += [value for value in one.values() if isinstance(value, list)]
    return False


def _results(answer: object, sent: set[str]) -> list[Row] | None:
    """The list of results in an answer, wherever it lies; None where there is none that names our rows."""
    candidates = [answer, *(answer.values() if isinstance(answer, dict) else ())]
    for candidate in candidates:
        if not isinstance(candidate, list) or not candidate:
            continue
        rows = [one for one in candidate if isinstance(one, dict)]
        if len(rows) == len(candidate) and any(
            to_18(value) in sent for row in rows for value in row.values()
        ):
            return rows
    return None
