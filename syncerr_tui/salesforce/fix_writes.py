"""Every request that a fix sends, and what no fix may ever touch. There is no way around this module.

Never: StoreConnect's own keys and change events, matching rules, Apex triggers and classes, custom metadata
(StoreConnect's trigger switch is one), anonymous Apex, merges. Only the types that are named here can be
written at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from syncerr_tui.errors import OutcomeUnknownError, RefusedError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.faults import quotable
from syncerr_tui.salesforce.metadata_api import MetadataApi
from syncerr_tui.salesforce.metadata_xml import Component
from syncerr_tui.salesforce.responses import rest
from syncerr_tui.salesforce.soql import checked_ids
from syncerr_tui.stopwatch import Leaving

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

TOOLING_TYPES = frozenset({"FlowDefinition", "ValidationRule", "WorkflowRule"})
_KEY = "s_c__sc_id__c"
_UNIQUE = "s_c__unique_"
_NEVER_OBJECTS = frozenset(
    {
        "apexclass",
        "apextrigger",
        "matchingrule",
        "matchingruleitem",
        "s_c__change_event__c",
        "setupaudittrail",
        "user",
    }
)
_NEVER_ENDINGS = ("__mdt", "__e")


def refuse_field(name: str) -> None:
    """Raises: RefusedError: StoreConnect manages this field, and nobody else may change it."""
    folded = soql.own_field(name.casefold())
    if folded == _KEY or folded.startswith(_UNIQUE):
        raise RefusedError(
            f"{name} belongs to StoreConnect: it is never changed from here",
            "Ask StoreConnect support, who can see why it clashes",
        )


def refuse_object(name: str) -> None:
    """Raises: RefusedError: Records of this object are never written by a fix."""
    folded = name.casefold()
    if folded in _NEVER_OBJECTS or folded.endswith(_NEVER_ENDINGS):
        raise RefusedError(f"Records of {name} are never changed from here", "Do it in Setup if it must be")


@contextmanager
def _opaque() -> Iterator[None]:
    """An unexpected error says nothing about whether a component was saved, or will be.

    While a deployment runs the Tooling API answers with one, and some writes are done all the same.
    """
    try:
        yield
    except RefusedError as error:
        if "UNKNOWN_EXCEPTION" not in error.title:
            raise
        raise OutcomeUnknownError(f"{error.title}: it may be done or not", error.hint) from None


class FixWrites:
    """One org, as fixes may change it. Each call is one request that is sent once.

    Every call may raise NotSentError, OutcomeUnknownError, RefusedError, and takes `leaving`: what is called
    when its request leaves; None: it rests on no reading.

    Args:
        client: The org.
        metadata: Its components.
        never: More fields and objects that are never written: those that the mapping names.
    """

    def __init__(self, client: ApiClient, metadata: MetadataApi, never: frozenset[str] = frozenset()) -> None:
        self._client = client
        self._metadata = metadata
        self._never = frozenset(name.casefold() for name in never)

    async def tooling(
        self, kind: str, record_id: str, metadata: Mapping[str, Any], leaving: Leaving | None = None
    ) -> None:
        """Write the whole `Metadata` of one component."""
        if kind not in TOOLING_TYPES:
            raise RefusedError(
                f"A {soql.name(kind)} is never changed from here", "Do it in Setup if it must be"
            )
        (key,) = checked_ids([record_id])
        path = f"sobjects/{kind}/{key}"
        body = {"Metadata": dict(metadata)}

        with _opaque():
            await self._send(lambda sf: sf.toolingexecute(path, method="PATCH", data=body), leaving)

    async def component(self, component: Component, leaving: Leaving | None = None) -> None:
        """Write a whole component through the Metadata API."""
        object_name, _, field = component.full_name.partition(".")
        if component.type == "CustomField":
            refuse_field(field)
            refuse_object(object_name)
            self._refuse_named(object_name, field)
        with _opaque():
            await self._metadata.update(component, leaving)

    async def record(
        self, object_name: str, record_id: str, values: Mapping[str, Any], leaving: Leaving | None = None
    ) -> None:
        refuse_object(object_name)
        self._refuse_named(object_name, *values)
        for field in values:
            refuse_field(field)
        (key,) = checked_ids([record_id])
        path = f"sobjects/{soql.name(object_name)}/{key}"
        body = {soql.name(field): value for field, value in values.items()}
        await self._send(lambda sf: rest(sf, path, method="PATCH", json=body), leaving)

    async def assign(
        self, permission_set: str, user: str, until: str, leaving: Leaving | None = None
    ) -> None:
        """Give a permission set to a user until a time."""
        set_id, user_id = checked_ids([permission_set, user])
        body = {"AssigneeId": user_id, "PermissionSetId": set_id, "ExpirationDate": until}
        await self._send(
            lambda sf: rest(sf, "sobjects/PermissionSetAssignment", method="POST", json=body), leaving
        )

    async def assign_again(self, assignment: str, until: str, leaving: Leaving | None = None) -> None:
        """Give a permission set until a time to a user whose assignment of it has ended."""
        (key,) = checked_ids([assignment])
        path, body = f"sobjects/PermissionSetAssignment/{key}", {"ExpirationDate": until}
        await self._send(lambda sf: rest(sf, path, method="PATCH", json=body), leaving)

    async def unassign(self, assignment: str, leaving: Leaving | None = None) -> None:
        """Take a permission set from a user."""
        (key,) = checked_ids([assignment])
        await self._send(
            lambda sf: rest(sf, f"sobjects/PermissionSetAssignment/{key}", method="DELETE"), leaving
        )

    async def _send(self, job: Callable[[Salesforce], object], leaving: Leaving | None) -> None:
        """One request. An answer may be a good one and still say that nothing was saved."""
        answer = await self._client.write(job, leaving=leaving)
        if not isinstance(answer, Mapping) or answer.get("success") is not False:
            return
        errors = answer.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else ""
        words = quotable(first.get("message") if isinstance(first, Mapping) else first).rstrip(".")
        raise RefusedError("Salesforce did not save it", f"Salesforce says: {words}" if words else "")

    def _refuse_named(self, *names: str) -> None:
        for name in names:
            if soql.own_field(name.casefold()) in self._never:
                raise RefusedError(
                    f"{name} is StoreConnect's own: it is never changed from here",
                    "Ask StoreConnect support",
                )
