"""`flow` and `apex`: an invocable action of the org, one input for each change event, one call a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncerr_tui.errors import RefusedError
from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt, RequestPreview
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.faults import WayBlockedError
from syncerr_tui.salesforce.methods import DOWNSTREAM, Check, CheckState, Preconditions, match, receipt
from syncerr_tui.salesforce.profiles import ApexMethod, FlowMethod
from syncerr_tui.text import one_line

_WORDS = {"apex": "Apex action", "flow": "Flow"}


class ActionResync:
    """Calls one custom action with `{id_input: event id}` for each row."""

    def __init__(
        self, client: ApiClient, method: ApexMethod | FlowMethod, *, batch_size: int, concurrency: int
    ) -> None:
        self._client = client
        self._method = method
        self._kind = "flow" if isinstance(method, FlowMethod) else "apex"
        self._takes_list = False
        self._preconditions = Preconditions(self)
        self.info = MethodInfo(
            name=self._kind,
            label=f"{_WORDS[self._kind]} {method.name}",
            batch_size=batch_size,
            concurrency=concurrency,
        )

    async def check(self) -> list[Check]:
        """The action exists and may be called; it takes the id, and needs nothing else."""
        name, words = self._method.name, _WORDS[self._kind]
        if name.lower().rpartition("__")[2] == DOWNSTREAM:
            return [
                Check(
                    words,
                    CheckState.FAILED,
                    f"{name} sends Salesforce's version to the website, the other direction",
                    "Name another entry point, or use the guided method",
                )
            ]
        try:
            described = await self._client.action_describe(self._kind, name)
        except WayBlockedError:
            raise
        except RefusedError as error:
            where = (
                "Flows in Setup, active and autolaunched" if self._kind == "flow" else "Apex Classes in Setup"
            )
            return [
                Check(
                    words,
                    CheckState.FAILED,
                    f"{name} does not exist, or this user may not call it",
                    f"Check the name under {where}, and the user's permissions. {error.hint}",
                )
            ]
        return [Check(words, CheckState.OK, f"{name} may be called"), self._inputs(described)]

    def _inputs(self, described: Row) -> Check:
        inputs = {str(one.get("name")): one for one in _parameters(described)}
        wanted = self._method.id_input
        if wanted not in inputs:
            known = ", ".join(one_line(name) for name in inputs) or "none at all"
            return Check(
                "Input",
                CheckState.FAILED,
                f"{self._method.name} has no input {wanted}; it has: {known}",
                "Put the input that takes the change event's id into the profile (id_input)",
            )
        others = [one_line(name) for name, one in inputs.items() if one.get("required") and name != wanted]
        if others:
            return Check(
                "Input",
                CheckState.FAILED,
                f"{self._method.name} also requires {', '.join(others)}, which nobody can fill in here",
                "Use an action that needs the change event's id only",
            )
        most = inputs[wanted].get("maxOccurs")
        self._takes_list = isinstance(most, int) and most > 1
        return Check("Input", CheckState.OK, f"{wanted} takes the change event's id")

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview:
        await self._preconditions.hold()
        path = f"{self._client.data_path}/actions/custom/{self._kind}/{self._method.name}"
        return RequestPreview("POST", path, {"inputs": self._rows(errors)})

    async def request(self, errors: Sequence[SyncError]) -> list[Receipt]:
        await self._preconditions.hold()
        results = await self._client.action(self._kind, self._method.name, self._rows(errors))
        return [receipt(error, result) for error, result in zip(errors, match(errors, results), strict=True)]

    def _rows(self, errors: Sequence[SyncError]) -> list[Mapping[str, object]]:
        return [{self._method.id_input: [error.id] if self._takes_list else error.id} for error in errors]


def _parameters(described: Row) -> list[Row]:
    inputs = described.get("inputs")
    return [one for one in inputs if isinstance(one, dict)] if isinstance(inputs, list) else []
