"""`flow` and `apex`: an invocable action of the org, one input for each change event, one call a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncerr_tui.diagnosis.links import address
from syncerr_tui.errors import RefusedError
from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt, RequestPreview
from syncerr_tui.salesforce.client import COLLECTION_WRITE_LIMIT, ApiClient, Row, update_body
from syncerr_tui.salesforce.faults import WayBlockedError
from syncerr_tui.salesforce.methods import (
    DOWNSTREAM,
    Check,
    CheckedMethod,
    CheckState,
    named_results,
    receipts,
    refuses,
)
from syncerr_tui.salesforce.profiles import (
    ApexMethod,
    ApexRestMethod,
    FieldMapping,
    FieldMethod,
    FlowMethod,
    GuidedMethod,
)
from syncerr_tui.salesforce.responses import rows_do_not_match
from syncerr_tui.stopwatch import Leaving
from syncerr_tui.text import one_line

_WORDS = {"apex": "Apex action", "flow": "Flow"}


class ActionResync(CheckedMethod):
    """Calls one custom action with `{id_input: event id}` for each row."""

    def __init__(
        self, client: ApiClient, method: ApexMethod | FlowMethod, *, batch_size: int, concurrency: int
    ) -> None:
        self._client = client
        self._method = method
        self._kind = "flow" if isinstance(method, FlowMethod) else "apex"
        self._takes_list = False
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
                Check.failed(
                    words,
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
                Check.failed(
                    words,
                    f"{name} does not exist, or this user may not call it",
                    f"Check the name under {where}, and the user's permissions. {error.hint}",
                )
            ]
        return [Check.ok(words, f"{name} may be called"), self._inputs(described)]

    def _inputs(self, described: Row) -> Check:
        inputs = {str(one.get("name")): one for one in _parameters(described)}
        id_input = self._method.id_input
        if id_input not in inputs:
            known = ", ".join(one_line(name) for name in inputs) or "none at all"
            return Check.failed(
                "input",
                f"{self._method.name} has no input {id_input}; it has: {known}",
                "Put the input that takes the change event's id into the profile (id_input)",
            )
        others = [one_line(name) for name, one in inputs.items() if one.get("required") and name != id_input]
        if others:
            return Check.failed(
                "input",
                f"{self._method.name} also requires {', '.join(others)}, which nobody can fill in here",
                "Use an action that needs the change event's id only",
            )
        most = inputs[id_input].get("maxOccurs")
        self._takes_list = isinstance(most, int) and most > 1
        return Check.ok("input", f"{id_input} takes the change event's id")

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview:
        await self._make_sure()
        path = f"{self._client.data_path}/actions/custom/{self._kind}/{self._method.name}"
        return RequestPreview("POST", path, {"inputs": self._rows(errors)})

    async def request(self, errors: Sequence[SyncError], leaving: Leaving | None = None) -> list[Receipt]:
        await self._make_sure()
        results = await self._client.action(self._kind, self._method.name, self._rows(errors), leaving)
        return receipts(errors, results)

    def _rows(self, errors: Sequence[SyncError]) -> list[Mapping[str, object]]:
        return [{self._method.id_input: [error.id] if self._takes_list else error.id} for error in errors]


def _parameters(described: Row) -> list[Row]:
    inputs = described.get("inputs")
    return [one for one in inputs if isinstance(one, dict)] if isinstance(inputs, list) else []


VENDOR_WARNING = "StoreConnect says that change events are for reading only and must never be written"


class FieldResync(CheckedMethod):
    """Updates one field of up to 200 change events in a request, each on its own (`allOrNone: false`)."""

    def __init__(
        self,
        client: ApiClient,
        method: FieldMethod,
        mapping: FieldMapping,
        *,
        batch_size: int,
        concurrency: int,
    ) -> None:
        self._client = client
        self._method = method
        self._mapping = mapping
        self.info = MethodInfo(
            name="field",
            label=f"Writes {method.field} = {method.value}; {VENDOR_WARNING}",
            batch_size=min(batch_size, COLLECTION_WRITE_LIMIT),
            concurrency=concurrency,
        )

    async def check(self) -> list[Check]:
        """The warning is accepted, the field may be written, the value is one of its values."""
        accepted = self._method.accept_vendor_warning
        warning = Check(
            "Vendor's warning",
            CheckState.WARNING if accepted else CheckState.FAILED,
            VENDOR_WARNING,
            "Accepted in the profile"
            if accepted
            else "To use it all the same, add accept_vendor_warning = true to the method in the profile",
        )
        try:
            described = await self._client.describe(self._mapping.object_name)
        except WayBlockedError:
            raise
        except RefusedError as error:
            return [warning, Check.failed("object", error.title, error.hint)]
        return [warning, self._field(described)]

    def _field(self, described: Row) -> Check:
        name, value = self._method.field, self._method.value
        field = next((one for one in described["fields"] if one["name"] == name), None)
        if field is None:
            return Check.failed(
                "field",
                f"{self._mapping.object_name} has no field {name}, or this user does not see it",
                "Check the field's API name in the profile, and field-level security",
            )
        if not field.get("updateable"):
            advice = "Ask the admin, or use another method"
            return Check.failed("field", f"{name} may not be written by this user", advice)
        choices = [str(one.get("value")) for one in field["picklistValues"] if one.get("active")]
        if choices and value not in choices:
            return Check.failed(
                "field",
                f"{name} has no value {value}; it has: {one_line(', '.join(choices))[:200]}",
                "Check the value in the profile; upper and lower case count",
            )
        return Check.ok("field", f"{name} may be set to {value}")

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview:
        await self._make_sure()
        body = update_body(self._mapping.object_name, self._records(errors))
        return RequestPreview("PATCH", f"{self._client.data_path}/composite/sobjects", body)

    async def request(self, errors: Sequence[SyncError], leaving: Leaving | None = None) -> list[Receipt]:
        """Update these rows in one request."""
        await self._make_sure()
        results = await self._client.collections_update(
            self._mapping.object_name, self._records(errors), leaving
        )
        return receipts(errors, results)

    def _records(self, errors: Sequence[SyncError]) -> list[Row]:
        return [{"id": error.id, self._method.field: self._method.value} for error in errors]


class ApexRestResync:
    """Calls one resource."""

    def __init__(
        self, client: ApiClient, method: ApexRestMethod, *, batch_size: int, concurrency: int
    ) -> None:
        self._client = client
        self._method = method
        self.info = MethodInfo(
            name="apexrest",
            label=f"Apex REST /services/apexrest/{method.path}",
            batch_size=batch_size,
            concurrency=concurrency,
        )

    async def check(self) -> list[Check]:
        """Says what can be known beforehand: the path is one."""
        return [
            Check.warning(
                "Apex REST",
                f"{self._method.path} can only be tried, Salesforce does not describe Apex REST",
                "Try it with one row first; a wrong path is refused and changes nothing",
            )
        ]

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview:
        return RequestPreview("POST", f"/services/apexrest/{self._method.path}", self._body(errors))

    async def request(self, errors: Sequence[SyncError], leaving: Leaving | None = None) -> list[Receipt]:
        answer = await self._client.apexrest("POST", self._method.path, self._body(errors), leaving)
        results = named_results(answer, {error.id for error in errors})
        if results is None:
            if refuses(answer):
                raise rows_do_not_match()
            return [Receipt(error.id, accepted=True) for error in errors]
        return receipts(errors, results)

    def _body(self, errors: Sequence[SyncError]) -> dict[str, list[str]]:
        return {self._method.ids_key: [error.id for error in errors]}


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
            return [Check.ok("Sync Error Tool", f"opened at {self.info.address}")]
        return [
            Check.ok(
                "Sync Error Tool",
                "opened from the App Launcher in Salesforce",
                "Put its address into the profile (method.address) to have it at hand",
            )
        ]

    async def preview(self, errors: Sequence[SyncError]) -> None:
        """A person presses the button."""

    async def request(self, errors: Sequence[SyncError], leaving: Leaving | None = None) -> list[Receipt]:
        """Nothing is sent: the person has pressed the button, and the proof is in re-reading."""
        return [Receipt(error.id, accepted=True) for error in errors]
