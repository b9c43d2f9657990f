"""Vocabularies of the change event object. Nobody outside knows the real field names: all are assumptions.

The engine speaks only through a `SchemaVariant`, so that an org with other API names, other labels, another
language or another shape behaves the same. Discovery is tested against each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType

from syncerr_tui.demo.objects import data_objects, setup_objects
from syncerr_tui.demo.schema import Choice, Field, SObject, auto_name, lookup, sobject, text, typed
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
    about: str
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
        states = tuple((value, label, True) for value, label in self._states())
        types: tuple[Choice, ...] = tuple((value, value, True) for value in self.events.values())
        status = text(*self.status, 40) if self.status_is_text else typed(*self.status, "picklist")
        if not self.status_is_text:
            status = replace(status, picklist=states, restricted=True)
        record = (
            lookup(*self.salesforce_id, *RECORD_OBJECTS)
            if self.id_is_lookup
            else text(*self.salesforce_id, 18)
        )
        read_only = [
            text(*self.object, 80),
            replace(typed(*self.event_type, "picklist"), picklist=types),
            typed(*self.processed_at, "datetime"),
            record,
            text(*self.storeconnect_id, 36, external_id=True),
            typed(*self.message, "textarea"),
            typed(*self.payload, "textarea"),
        ]
        if self.code is not None:
            read_only.append(text(*self.code, 80))
        fields = [replace(each, createable=False, updateable=False) for each in read_only]
        name, label = self.event
        return sobject(
            name,
            label,
            EVENT_PREFIX,
            auto_name(self.number),
            *fields,
            status,
            plural=self.plural,
        )

    def _states(self) -> tuple[Name, ...]:
        return (self.queued, self.pending, self.done, self.failed)


_GERMAN = SchemaVariant(
    "german",
    "The labels are German, the API names are not",
    event=("s_c__Change_Event__c", "Änderungsereignis"),
    plural="Änderungsereignisse",
    number="Nummer des Änderungsereignisses",
    object=("s_c__Object__c", "Objekt"),
    event_type=("s_c__Event_Type__c", "Ereignistyp"),
    processed_at=("s_c__Processed_At__c", "Verarbeitet am"),
    salesforce_id=("s_c__Salesforce_Id__c", "Salesforce-ID"),
    storeconnect_id=("s_c__StoreConnect_Id__c", "StoreConnect-ID"),
    message=("s_c__Message__c", "Meldung"),
    status_is_text=False,
    code=("s_c__Status_Code__c", "Statuscode"),
    payload=("s_c__Payload__c", "Nutzdaten"),
    failed=("FAILED", "Fehlgeschlagen"),
    queued=("NEW", "Neu"),
    pending=("PENDING", "Ausstehend"),
    done=("PROCESSED", "Verarbeitet"),
)

_OTHER = SchemaVariant(
    "other",
    "Other API names under the manual's labels",
    event=("s_c__Change_Event__c", "Sync Change"),
    plural="Sync Changes",
    object=("s_c__Sobject_Type__c", "Object"),
    event_type=("s_c__Action__c", "Event Type"),
    processed_at=("s_c__Last_Run__c", "Processed At"),
    salesforce_id=("s_c__Record__c", "Salesforce ID"),
    storeconnect_id=("s_c__sC_Id__c", "StoreConnect ID"),
    message=("s_c__Response__c", "Message"),
    status=("s_c__State__c", "State"),
    code=("s_c__Reason__c", "Status Code"),
    payload=("s_c__Body__c", "Body"),
    failed=("Failed", "Failed"),
    queued=("Queued", "Queued"),
    pending=("Running", "Running"),
    done=("Done", "Done"),
    events={"Create": "create", "Update": "update", "Delete": "delete"},
)

_UPGRADED = SchemaVariant(
    "upgraded",
    "A package upgrade renamed the message and the time",
    processed_at=("s_c__Last_Processed_At__c", "Processed At"),
    message=("s_c__Error_Message__c", "Message"),
    code=("s_c__Error_Code__c", "Status Code"),
)


def _decoy() -> SchemaVariant:
    """An integration log of the org's own: the labels of the manual and a failed state."""
    log = SchemaVariant(
        "",
        "",
        event=("Integration_Log__c", "Integration Log"),
        plural="Integration Logs",
        number="Log Number",
        object=("Object__c", "Object"),
        event_type=("Event_Type__c", "Event Type"),
        processed_at=("Processed_At__c", "Processed At"),
        salesforce_id=("Salesforce_ID__c", "Salesforce ID"),
        storeconnect_id=("External_ID__c", "External ID"),
        message=("Message__c", "Message"),
        status=("Status__c", "Status"),
        code=None,
        payload=("Payload__c", "Payload"),
    ).event_object()
    return SchemaVariant(
        "decoy",
        "Another object looks much like the change event",
        event=("s_c__Sync_Change__c", "Sync Change"),
        plural="Sync Changes",
        decoy=replace(log, key_prefix="a0Y"),
    )


_ALL = (
    SchemaVariant("assumed", "The manual's words as API names"),
    _OTHER,
    _GERMAN,
    SchemaVariant("text-status", "The status is a text field", status_is_text=True),
    SchemaVariant(
        "lookup",
        "A lookup to the record in place of a Salesforce ID field",
        salesforce_id=("s_c__Record__c", "Record"),
        id_is_lookup=True,
    ),
    SchemaVariant("no-code", "No field for the status code: it stands in the message", code=None),
    _UPGRADED,
    _decoy(),
)

SCHEMA_VARIANTS: Mapping[str, SchemaVariant] = MappingProxyType({naming.key: naming for naming in _ALL})
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
