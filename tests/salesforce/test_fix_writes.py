"""What no fix may ever touch is refused in the client itself, before anything is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from syncerr_tui.errors import BadInputError, NotSentError, RefusedError
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.fix_writes import FixWrites
from syncerr_tui.salesforce.metadata_api import MetadataApi
from syncerr_tui.salesforce.metadata_xml import METADATA, Component
from syncerr_tui.stopwatch import Leaving
from tests.factories import salesforce_id

ID = salesforce_id(1, "001")


class SilentClient:
    """Counts what would be sent."""

    def __init__(self) -> None:
        self.sent = 0

    async def write(self, _job: object, *, leaving: Leaving | None = None) -> None:
        if leaving is not None:
            leaving()
        self.sent += 1

    async def read(self, _job: object, *, essential: bool = False) -> list[Component]:
        self.sent += 1
        return []


def component(kind: str, full_name: str) -> Component:
    inner = f"<fullName>{full_name}</fullName><required>false</required>"
    return Component(kind, full_name, inner.encode(), {"": METADATA})


NEVER: tuple[tuple[str, Callable[[FixWrites], Awaitable[None]]], ...] = (
    ("the StoreConnect ID", lambda w: w.record("Contact", ID, {"s_c__sC_Id__c": "x"})),
    ("the StoreConnect ID in another case", lambda w: w.record("Contact", ID, {"S_C__SC_ID__C": "x"})),
    (
        "a contact's key on its account",
        lambda w: w.record("Account", ID, {"s_c__sC_Id__pc": "x"}),
    ),
    ("the key that the mapping names, there", lambda w: w.record("Account", ID, {"Own_Key__pc": "x"})),
    ("a unique key of StoreConnect", lambda w: w.record("Contact", ID, {"s_c__Unique_Email__c": "x"})),
    ("the key that the mapping names", lambda w: w.record("Contact", ID, {"Own_Key__c": "x"})),
    ("a change event", lambda w: w.record("s_c__Change_Event__c", ID, {"s_c__Status__c": "x"})),
    ("the object that the mapping names", lambda w: w.record("Own_Event__c", ID, {"Status__c": "x"})),
    ("a user", lambda w: w.record("User", ID, {"IsActive": True})),
    ("a custom metadata record", lambda w: w.record("s_c__Setting__mdt", ID, {"s_c__Value__c": "x"})),
    ("a matching rule", lambda w: w.tooling("MatchingRule", ID, {})),
    ("a trigger", lambda w: w.tooling("ApexTrigger", ID, {"status": "Inactive"})),
    ("a class", lambda w: w.tooling("ApexClass", ID, {})),
    ("a field through the Tooling API", lambda w: w.tooling("CustomField", ID, {})),
    ("a matching rule as a component", lambda w: w.component(component("MatchingRules", "Account"))),
    ("a trigger as a component", lambda w: w.component(component("ApexTrigger", "OrderTrigger"))),
    ("StoreConnect's trigger switch", lambda w: w.component(component("CustomMetadata", "s_c__S.s_c__T"))),
    ("StoreConnect's key as a field", lambda w: w.component(component("CustomField", "Order.s_c__sC_Id__c"))),
    ("a unique key as a field", lambda w: w.component(component("CustomField", "Order.s_c__Unique_A__c"))),
    (
        "a field of the change event",
        lambda w: w.component(component("CustomField", "s_c__Change_Event__c.s_c__Status__c")),
    ),
)


@pytest.mark.parametrize(("what", "write"), NEVER, ids=[what for what, _ in NEVER])
async def test_never(what: str, write: Callable[[FixWrites], Awaitable[None]]) -> None:
    client = SilentClient()
    org = cast("ApiClient", client)
    writes = FixWrites(org, MetadataApi(org), frozenset({"Own_Event__c", "Own_Key__c"}))
    with pytest.raises((RefusedError, BadInputError)):
        await write(writes)
    assert client.sent == 0, what


WRITES: tuple[Callable[[FixWrites, Leaving], Awaitable[None]], ...] = (
    lambda w, leaving: w.record("Contact", ID, {"Email": "x"}, leaving),
    lambda w, leaving: w.tooling("ValidationRule", ID, {}, leaving),
    lambda w, leaving: w.component(component("DuplicateRule", "Account.Twice"), leaving),
    lambda w, leaving: w.assign(ID, ID, "2026-06-03T02:00:00Z", leaving),
    lambda w, leaving: w.assign_again(ID, "2026-06-03T02:00:00Z", leaving),
    lambda w, leaving: w.unassign(ID, leaving),
)


@pytest.mark.parametrize("write", WRITES)
async def test_whatever_is_written_leaves_only_while_its_reading_is_fresh(
    write: Callable[[FixWrites, Leaving], Awaitable[None]],
) -> None:
    client = SilentClient()
    org = cast("ApiClient", client)

    def too_late() -> None:
        raise NotSentError("Too late")

    with pytest.raises(NotSentError):
        await write(FixWrites(org, MetadataApi(org)), too_late)
    assert client.sent == 0
    await write(FixWrites(org, MetadataApi(org)), lambda: None)
    assert client.sent == 1


@pytest.mark.parametrize(
    ("object_name", "record", "field"),
    [
        ("Contact/../Account", ID, "Email"),
        ("Contact", f"{ID}/../x", "Email"),
        ("Contact", "https://evil.example", "Email"),
        ("Contact", ID, "Email FROM"),
    ],
)
async def test_names_and_ids_are_checked_before_they_enter_an_address(
    object_name: str, record: str, field: str
) -> None:
    client = SilentClient()
    org = cast("ApiClient", client)
    values: dict[str, Any] = {field: "x"}
    with pytest.raises(BadInputError):
        await FixWrites(org, MetadataApi(org)).record(object_name, record, values)
    assert client.sent == 0


@pytest.mark.parametrize("name", ["Order.A</m:fullNames>", "Order.A B", "", "../x", "Order.A.B", "Order.A\n"])
async def test_a_full_name_cannot_become_xml(name: str) -> None:
    client = SilentClient()
    with pytest.raises(BadInputError):
        await MetadataApi(cast("ApiClient", client)).read("CustomField", name)
    assert client.sent == 0
