"""Everything that can go wrong in this store: one plant for each, with the journey it grows in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syncerr_tui.demo.journeys import (
    Fields,
    Journey,
    Shop,
    browse,
    enquiry,
    item_of,
    member,
    sale,
    shipment_of,
)
from syncerr_tui.demo.people import new_sc_id
from syncerr_tui.demo.schema import SC_ID


@dataclass(frozen=True, slots=True)
class Plant:
    """One thing that goes wrong."""

    name: str
    make: Callable[..., Journey]
    """The journey it grows in: `make(shop, small=...)`."""
    put: Callable[[Journey], object]
    regular: bool = False
    """True for a sale in which nothing is wrong with the account and the contact."""
    alone: bool = False
    """True where each shopper's trouble has a cause of its own, so that it never spreads."""


def _set(role: str, **values: object) -> Callable[[Journey], object]:
    """The shopper typed something that this org does not take."""

    def put(trip: Journey) -> None:
        trip.steps[role].values.update(values)

    return put


def _incident(role: str, name: str, about: str) -> Callable[[Journey], object]:
    """Something happens in Salesforce just before a step."""

    def put(trip: Journey) -> None:
        trip.steps[role].before = (name, trip.steps[about].sc_id)

    return put


def _known_account(trip: Journey) -> None:
    values = trip.steps["account"].values
    same: Fields = {key: values[key] for key in ("Name", "BillingPostalCode", "BillingCity")}
    trip.shop.existing("Account", same)


def _known_contact(trip: Journey) -> None:
    values = trip.steps["contact"].values
    same: Fields = {key: values[key] for key in ("FirstName", "LastName", "Email")}
    trip.shop.existing("Contact", {**same, "AccountId": trip.shop.ids["account:house"]})


def _known_lead(trip: Journey) -> None:
    values = trip.steps["lead"].values
    same: Fields = {key: values[key] for key in ("FirstName", "LastName", "Email", "Company")}
    trip.shop.existing("Lead", same)


def _known_number(trip: Journey) -> None:
    number = f"HH-{trip.shop.visitors:06}"
    trip.steps["contact"].values["Loyalty_Number__c"] = number
    early: Fields = {"FirstName": "Early", "LastName": "Bird", "Loyalty_Number__c": number}
    trip.shop.existing("Contact", {**early, "AccountId": trip.shop.ids["account:house"]})


def _bad_address(trip: Journey) -> None:
    who = trip.who
    odd = (f"{who.email}@", "\x1b[2J@@mail", "[red]x[/red]@@example", "name at example.com", "\u202emoc@@x")
    trip.steps["lead"].values["Email"] = (
        odd[trip.shop.visitors % len(odd)] if trip.shop.visitors % 3 else odd[0]
    )


def _bounced_buyer(trip: Journey) -> None:
    trip.steps["order"].values["s_c__Contact_Id__r"] = trip.ref("contact")
    trip.steps["order"].before = ("bounce", trip.steps["contact"].sc_id)


def _no_cost_centre(trip: Journey) -> None:
    trip.steps["item:0"].values["Cost_Centre__c"] = None


def _gone_product(trip: Journey) -> None:
    trip.steps["item:0"].values["PricebookEntryId"] = trip.shop.ids["entry:gone"]


def _moved_contact(trip: Journey) -> None:
    trip.change("moved", "contact", {"Account": {SC_ID: trip.shop.ids["sc:inactive"]}}, wait=200)


def _ready(trip: Journey) -> None:
    trip.steps.pop("order:paid", None)
    trip.change("ready", "order", {"Status": "Ready for Warehouse"}, wait=90)


def _quotation(trip: Journey) -> None:
    trip.steps.pop("order:paid", None)
    trip.change("quotation", "order", {"s_c__Checkout_Step__c": "quotation_requested"}, wait=90)


def _late_item(trip: Journey) -> None:
    item_of(trip, "item:late", 0)
    trip.steps["item:late"].before = ("activate", trip.steps["order"].sc_id)
    if trip.shop.random.random() < 0.5:
        trip.change("item:out", "item:0", {}, wait=20, operation="Delete")


def _shipment(status: str) -> Callable[[Journey], object]:
    def put(trip: Journey) -> None:
        shipment_of(trip)
        trip.steps["shipment"].values["s_c__Status__c"] = status

    return put


def _locked_account(trip: Journey) -> None:
    step = trip.change("account:later", "account", {"Phone": "+61 2 5550 0100"}, wait=40)
    step.before = ("approval", step.sc_id)


def _lost_change(trip: Journey) -> None:
    step = trip.change("account:later", "account", {"BillingCity": "Perth"}, wait=40)
    step.before = ("lose", step.sc_id)


def _nobody(trip: Journey) -> None:
    """The order's account never reached Salesforce, and nothing in the list says why."""
    order = trip.steps["order"]
    order.values["Account"] = {SC_ID: new_sc_id(trip.shop.random)}
    for role in ("account", "contact"):
        trip.steps.pop(role)
    order.values.pop("s_c__Contact_Id__r", None)


def _two_at_once(trip: Journey) -> None:
    """The order's change and one of its items fail, each for a reason of its own."""
    _ready(trip)
    trip.steps["item:0"].values["Cost_Centre__c"] = None


def _bundle(trip: Journey) -> None:
    trip.add("asset", "Asset", {"Name": "Kitchen bundle", "Account": trip.ref("account")}, wait=9)


PLANTS: tuple[Plant, ...] = (
    Plant("duplicate account", sale, _known_account),
    Plant(
        "shipping state", sale, _set("order", ShippingStateCode="KD", ShippingCountryCode="IN"), regular=True
    ),
    Plant("required field", sale, _no_cost_centre, regular=True),
    Plant("busy row", browse, _incident("cart", "busy", "account")),
    Plant("order flow", sale, _set("order", ShippingCity="Broome"), regular=True),
    Plant("duplicate contact", sale, _known_contact),
    Plant("payment picklist", sale, _set("payment", s_c__Method__c="pay-later"), regular=True),
    Plant("bounced buyer", sale, _bounced_buyer),
    Plant("loyalty number", sale, _known_number),
    Plant("tax number", sale, _set("account", Tax_Number__c="AB 12", Customer_Tier__c="Trade")),
    Plant("activated order", sale, _late_item, regular=True),
    Plant("bad address", enquiry, _bad_address),
    Plant("ledger flow", sale, _set("payment", s_c__Method__c="wallet"), regular=True),
    Plant("dispatch template", sale, _shipment("dispatched"), regular=True),
    Plant("order status", sale, _ready, regular=True),
    Plant("inactive owner", sale, _moved_contact),
    Plant("gone product", sale, _gone_product, regular=True),
    Plant("stock trigger", sale, _set("order", ShippingCity="Kingston"), regular=True),
    Plant("duplicate lead", enquiry, _known_lead),
    Plant("cart flow", browse, _set("cart", Coupon__c="LEGACY-10")),
    Plant("delivery picklist", sale, _set("order", Delivery_Method__c="Click & Collect"), regular=True),
    Plant("stuck rollup", browse, _incident("cart", "rollup", "account")),
    Plant("nobody's order", sale, _nobody, alone=True),
    Plant("points flow", sale, _set("order", TotalAmount=7450.0), regular=True),
    Plant("quotation flow", sale, _quotation, regular=True),
    Plant("billing state", sale, _set("account", BillingStateCode="GT", BillingCountryCode="BR")),
    Plant("preferred channel", sale, _set("contact", Preferred_Channel__c="Phone")),
    Plant("refund", sale, _set("payment", s_c__Amount__c=-20.0), regular=True),
    Plant("parcel costing", sale, _shipment("packed"), regular=True),
    Plant("campaign bounce", member, _incident("member", "bounce", "contact")),
    Plant("yearly plan", member, _set("subscription", s_c__Interval__c="year")),
    Plant(
        "engraving",
        sale,
        _set("item:0", Engraving__c="For Grandmother, with love from all of us"),
        regular=True,
    ),
    Plant("approval lock", browse, _locked_account),
    Plant("lost change", browse, _lost_change, alone=True),
    Plant(
        "shipping country",
        sale,
        _set("order", ShippingCountryCode="PT", ShippingStateCode=None),
        regular=True,
    ),
    Plant("customer tier", sale, _set("account", Customer_Tier__c="Staff")),
    Plant("two at once", sale, _two_at_once, regular=True),
    Plant("bundle", member, _bundle),
)
"""The first ones stand for the manual's codes: a small world has as many of them as fit."""


def clean_journey(shop: Shop) -> Journey:
    """A shopper with whom all goes well."""
    make = shop.random.choice((sale, sale, browse, enquiry))
    return sale(shop, small=False, regular=True) if make is sale else make(shop, small=False)
