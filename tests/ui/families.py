"""Errors that hang together: Accounts and what waits for them, a reason of its own, a parent out of sight."""

from __future__ import annotations

from syncerr_tui.model import EventType, SyncError
from syncerr_tui.text import clean
from tests.factories import salesforce_id, storeconnect_id, sync_error

DUPLICATE = clean(
    "It looks like you are creating a duplicate Account. We recommend you use an existing Account."
)


def missing(parent: int, entity: str) -> str:
    """What StoreConnect says of a parent that is not in Salesforce."""
    known = storeconnect_id(parent)
    return f"Foreign key external ID: {known} not found for field s_c__sC_Id__c in entity {entity}"


def waiting(number: int, name: str, parent: int, entity: str) -> SyncError:
    """An error whose message names its parent."""
    return sync_error(
        number, object=clean(name), code="INVALID_FIELD", message=clean(missing(parent, entity))
    )


def family() -> list[SyncError]:
    """Three causes in nine errors.

    Two Accounts are refused as duplicates. For the first wait a Contact and an Order, and for the Order an
    OrderItem and a Payment; an Update of the Order waits for its Create. A Lead lacks a field. A Shipment
    names an Order that is in no list.
    """
    return [
        sync_error(1, object=clean("Account"), code="DUPLICATES_DETECTED", message=DUPLICATE),
        waiting(2, "Contact", 1, "Account"),
        waiting(3, "Order", 1, "Account"),
        waiting(4, "OrderItem", 3, "Order"),
        waiting(5, "s_c__Payment__c", 3, "Order"),
        sync_error(
            6,
            storeconnect_id=storeconnect_id(3),
            event_type=EventType.UPDATE,
            code="INVALID_CHANGE_EVENT",
            message=clean("A previous change for the same record has failed."),
        ),
        sync_error(7, object=clean("Account"), code="DUPLICATES_DETECTED", message=DUPLICATE),
        sync_error(8, object=clean("Lead"), salesforce_id=salesforce_id(8, "00Q")),
        waiting(9, "s_c__Shipment__c", 900, "Order"),
    ]
