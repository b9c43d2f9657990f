"""Vocabularies of the change event object. Nobody outside knows the real field names: all are assumptions.

The engine speaks only through a `SchemaVariant`, so that an org with other API names, other labels, another
language or another shape behaves the same. Discovery is tested against each of them. They stand in
`schema_variants.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from syncerr_tui.demo import resource
from syncerr_tui.demo.objects import data_objects, setup_objects
from syncerr_tui.demo.schema import (
    Choice,
    Field,
    SObject,
    auto_name,
    field_of_type,
    lookup,
    sobject,
    text_field,
)
from syncerr_tui.errors import BadInputError

EVENT_PREFIX = "a0X"
RECORD_OBJECTS = (
    "Account", "Contact", "Lead", "Order", "OrderItem", "s_c__Payment__c", "s_c__Shipment__c",
    "s_c__Cart__c", "s_c__Cart_Item__c", "s_c__Subscription__c", "CampaignMember", "Asset",
)  # fmt: skip
"""What the website creates, and a change event may be about. Parents stand before children."""

Name = tuple[str, str]
"""API name and label."""


@dataclass(frozen=True, slots=True)
class SchemaVariant:
    """How one org's change event object is called and shaped. Every role is a pair (API name, label)."""

    key: str
    prefix: str = EVENT_PREFIX
    """Of its records' ids."""
    event: Name = ("s_c__Change_Event__c", "Change Event")
    plural: str = "Change Events"
    number: str = "Change Event Number"
    """Label of the auto-number name."""
    object: Name = ("s_c__Object__c", "Object")
    event_type: Name = ("s_c__Event_Type__c", "Event Type")
    processed_at: Name = ("s_c__Processed_At__c", "Processed At")
    salesforce_id: Name = ("s_c__Salesforce_Id__c", "Salesforce ID")
    storeconnect_id: Name = ("s_c__StoreConnect_Id__c", "StoreConnect ID")
    message: Name = ("s_c__Message__c", "Message")
    status: Name = ("s_c__Status__c", "Status")
    code: Name | None = ("s_c__Status_Code__c", "Status Code")
    payload: Name = ("s_c__Payload__c", "Payload")
    failed: Name = ("FAILED", "Failed")
    queued: Name = ("NEW", "New")
    """What the field method writes to have a failed event tried again."""
    pending: Name = ("PENDING", "Pending")
    done: Name = ("PROCESSED", "Processed")
    events: Mapping[str, str] = field(
        default_factory=lambda: {"Create": "Create", "Update": "Update", "Delete": "Delete"},
    )
    status_is_text: bool = False
    id_is_lookup: bool = False
    decoy: SObject | None = None
    """Another object that looks like it."""

    def event_object(self) -> SObject:
        """The change event object in this vocabulary."""
        states = tuple((*each, True) for each in (self.queued, self.pending, self.done, self.failed))
        types: tuple[Choice, ...] = tuple((value, value, True) for value in self.events.values())
        status = replace(field_of_type(*self.status, "picklist"), picklist=states, restricted=True)
        if self.status_is_text:
            status = text_field(*self.status, 40)
        record = (
            lookup(*self.salesforce_id, *RECORD_OBJECTS)
            if self.id_is_lookup
            else text_field(*self.salesforce_id, 18)
        )
        read_only = [
            text_field(*self.object, 80),
            replace(field_of_type(*self.event_type, "picklist"), picklist=types),
            field_of_type(*self.processed_at, "datetime"),
            record,
            text_field(*self.storeconnect_id, 36, external_id=True),
            field_of_type(*self.message, "textarea"),
            field_of_type(*self.payload, "textarea"),
        ]
        if self.code is not None:
            read_only.append(text_field(*self.code, 80))
        fields = [replace(each, createable=False, updateable=False) for each in read_only]
        return sobject(*self.event, self.prefix, auto_name(self.number), *fields, status, plural=self.plural)


def _variants() -> Iterator[SchemaVariant]:
    written = resource("schema_variants.toml")
    yield from (_variant(key, table) for key, table in tomllib.loads(written).items())


def _variant(key: str, table: Mapping[str, Any]) -> SchemaVariant:
    roles: dict[str, Any] = {
        name: (tuple(value) or None) if isinstance(value, list) else value for name, value in table.items()
    }
    decoy = roles.pop("decoy", None)
    return SchemaVariant(key, **roles, decoy=_variant("", decoy).event_object() if decoy else None)


SCHEMA_VARIANTS: Mapping[str, SchemaVariant] = MappingProxyType({each.key: each for each in _variants()})
"""Every vocabulary by its key."""


def variant_named(key: str) -> SchemaVariant:
    """The vocabulary with this key.

    Raises:
        BadInputError: There is none.
    """
    try:
        return SCHEMA_VARIANTS[key]
    except KeyError:
        known = ", ".join(SCHEMA_VARIANTS)
        raise BadInputError(f"No naming is called {key!r}", f"Choose one of: {known}") from None


def schema_of_variant(key: str) -> dict[str, SObject]:
    """Every object of the demo org, by API name, in the vocabulary with this key."""
    return {each.name: each for each in _objects(key)}


@cache
def _objects(key: str) -> tuple[SObject, ...]:
    naming = variant_named(key)
    decoy = () if naming.decoy is None else (naming.decoy,)
    return *data_objects(), naming.event_object(), *setup_objects(), *decoy


def field_named(sobject_: SObject, name: str) -> Field:
    """A field that must exist."""
    field = sobject_.field(name)
    if field is None:
        raise KeyError(f"{sobject_.name} has no field {name}")
    return field
