"""What shoppers do, as the changes the website sends: and where something is planted for the org to refuse.

A plant changes what the shopper typed, or what Salesforce holds beforehand. It never writes an error: that is
the engine's finding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from syncerr_tui.demo.people import GOODS, Person, new_sc_id, person
from syncerr_tui.demo.schema import SC_ID

Fields = dict[str, object]


@dataclass(slots=True)
class Step:
    """One change that the website sends."""

    object: str
    operation: str
    sc_id: str
    values: Fields
    wait: float
    """Seconds after the step before it."""
    before: tuple[str, str] | None = None
    """What happens in Salesforce just before: an incident's name, and the StoreConnect ID it is about."""


@dataclass(frozen=True, slots=True)
class Regular:
    """A shopper whose account and contact are in Salesforce."""

    who: Person
    account: str
    """StoreConnect ID."""
    contact: str


@dataclass(slots=True)
class Shop:
    """What journeys draw on."""

    random: Random
    ids: Mapping[str, str]
    existing: Callable[[str, Fields], object]
    """Write a record that people in Salesforce made themselves."""
    visitors: int = 0
    regulars: list[Regular] = field(default_factory=list)
    """Shoppers who bought before; the youngest ones may still be on their way."""

    def visitor(self) -> Person:
        """The next shopper."""
        self.visitors += 1
        return person(self.random, self.visitors)


@dataclass(slots=True)
class Journey:
    """One shopper's changes, by role and in the order of sending."""

    shop: Shop
    who: Person
    steps: dict[str, Step] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    """StoreConnect IDs, by role, of records from earlier journeys."""

    def add(self, role: str, object_name: str, values: Fields, *, wait: float, sc_id: str = "") -> Step:
        """Append the creation of a record."""
        step = Step(object_name, "Create", sc_id or new_sc_id(self.shop.random), values, wait)
        self.steps[role] = step
        return step

    def change(self, role: str, of: str, values: Fields, *, wait: float, operation: str = "Update") -> Step:
        """Append a later change of a record that another step made."""
        made = self.steps[of]
        step = Step(made.object, operation, made.sc_id, values, wait)
        self.steps[role] = step
        return step

    def ref(self, role: str) -> dict[str, str]:
        """A parent as a child names it: by StoreConnect ID."""
        made = self.steps.get(role)
        return {SC_ID: made.sc_id if made else self.known[role]}


def account_of(trip: Journey) -> None:
    """The shopper's account."""
    who = trip.who
    values: Fields = {
        "Name": f"{who.given} {who.family}",
        "BillingCity": who.city,
        "BillingPostalCode": who.postcode,
        "BillingCountryCode": who.country,
        "Phone": who.phone,
        "Customer_Tier__c": "Retail",
    }
    if who.state:
        values["BillingStateCode"] = who.state
    trip.add("account", "Account", values, wait=40)


def contact_of(trip: Journey) -> None:
    """The shopper as a contact of the account."""
    who = trip.who
    values: Fields = {
        "FirstName": who.given,
        "LastName": who.family,
        "Email": who.email,
        "Phone": who.phone,
        "Preferred_Channel__c": "E-mail",
        "Account": trip.ref("account"),
    }
    trip.add("contact", "Contact", values, wait=2)


_ON_THEIR_WAY = 12
_REMEMBERED = 200


def sale(shop: Shop, *, small: bool, regular: bool = False) -> Journey:
    """Account, contact, order, items, payment; often a shipment and a later change of the order.

    With `regular` nothing will be wrong with the account and the contact: most such shoppers have both
    already, the others will be back.
    """
    dice = shop.random
    known = shop.regulars[:-_ON_THEIR_WAY]
    if regular and known and dice.random() < 0.75:
        back = dice.choice(known)
        trip = Journey(shop, back.who, known={"account": back.account, "contact": back.contact})
    else:
        trip = Journey(shop, shop.visitor())
        account_of(trip)
        contact_of(trip)
        if regular:
            made = Regular(trip.who, trip.steps["account"].sc_id, trip.steps["contact"].sc_id)
            shop.regulars = [*shop.regulars[-_REMEMBERED:], made]
    order_of(trip, named_contact=dice.random() < 0.6)
    for place in range(1 if small else dice.choice((1, 1, 2, 3))):
        item_of(trip, f"item:{place}", place)
    payment_of(trip)
    if not small and dice.random() < 0.4:
        shipment_of(trip)
    if dice.random() < (0.4 if small else 0.3):
        trip.change("order:paid", "order", {"s_c__Checkout_Step__c": "complete"}, wait=15)
    return trip


def order_of(trip: Journey, *, named_contact: bool) -> None:
    """The order's head."""
    dice, who = trip.shop.random, trip.who
    values: Fields = {
        "Status": "Draft",
        "s_c__Checkout_Step__c": "payment",
        "s_c__Store_Id__c": trip.shop.ids["store"],
        "Pricebook2Id": trip.shop.ids["pricebook"],
        "ShippingCity": who.city,
        "ShippingCountryCode": who.country,
        "Delivery_Method__c": dice.choice(("Courier", "Post", "Pick-up")),
        "TotalAmount": round(dice.uniform(15, 900), 2),
        "Account": trip.ref("account"),
    }
    if who.state:
        values["ShippingStateCode"] = who.state
    if named_contact:
        values["s_c__Contact_Id__r"] = trip.ref("contact")
    trip.add("order", "Order", values, wait=9)


def item_of(trip: Journey, role: str, place: int) -> None:
    """One line of the order."""
    dice = trip.shop.random
    product = dice.randrange(len(GOODS))
    values: Fields = {
        "Order": trip.ref("order"),
        "PricebookEntryId": trip.shop.ids[f"entry:{product}"],
        "Quantity": float(dice.randint(1, 4)),
        "UnitPrice": 19.0 + 10 * product,
        "Cost_Centre__c": "WEB",
    }
    if place % 3 == 2:
        values["Engraving__c"] = trip.who.given[:20]
    trip.add(role, "OrderItem", values, wait=1)


def payment_of(trip: Journey) -> None:
    """What the shopper paid."""
    dice = trip.shop.random
    amount = trip.steps["order"].values["TotalAmount"]
    values: Fields = {"s_c__Order_Id__r": trip.ref("order"), "s_c__Amount__c": amount}
    values["s_c__Method__c"] = dice.choice(("card", "transfer"))
    trip.add("payment", "s_c__Payment__c", values, wait=3)


def shipment_of(trip: Journey) -> None:
    """A parcel of the order."""
    values: Fields = {
        "s_c__Order_Id__r": trip.ref("order"),
        "s_c__Stock_Location_Id__c": trip.shop.ids["location"],
        "s_c__Status__c": "pending",
    }
    trip.add("shipment", "s_c__Shipment__c", values, wait=30)


def browse(shop: Shop, *, small: bool) -> Journey:
    """An account and a cart, with an item that may be taken out again."""
    trip = Journey(shop, shop.visitor())
    dice = shop.random
    account_of(trip)
    trip.add("cart", "s_c__Cart__c", {"s_c__Account_Id__r": trip.ref("account")}, wait=20)
    for place in range(1 if small else 2):
        product = shop.ids[f"product:{dice.randrange(len(GOODS))}"]
        values: Fields = {"s_c__Cart_Id__r": trip.ref("cart"), "s_c__Product_Id__c": product}
        trip.add(f"line:{place}", "s_c__Cart_Item__c", {**values, "s_c__Quantity__c": 1.0}, wait=4)
    if dice.random() < 0.4:
        trip.change("line:out", "line:0", {}, wait=25, operation="Delete")
    return trip


def enquiry(shop: Shop, *, small: bool) -> Journey:
    """A lead from the contact form, sometimes corrected later."""
    trip = Journey(shop, shop.visitor())
    who = trip.who
    values: Fields = {
        "FirstName": who.given,
        "LastName": who.family,
        "Company": f"{who.family} & Co",
        "Email": who.email,
        "Status": "Open",
    }
    trip.add("lead", "Lead", values, wait=30)
    if not small and shop.random.random() < 0.4:
        trip.change("lead:later", "lead", {"Status": "Working"}, wait=60)
    return trip


def member(shop: Shop, *, small: bool) -> Journey:
    """A known shopper who answers a campaign, subscribes, or registers what they bought."""
    trip = Journey(shop, shop.visitor())
    account_of(trip)
    contact_of(trip)
    campaign: Fields = {"CampaignId": shop.ids["campaign"], "Contact": trip.ref("contact")}
    trip.add("member", "CampaignMember", {**campaign, "Status": "Responded"}, wait=50)
    plan: Fields = {"s_c__Account_Id__r": trip.ref("account"), "s_c__Interval__c": "month"}
    trip.add("subscription", "s_c__Subscription__c", plan, wait=5)
    if not small or shop.random.random() < 0.5:
        thing = shop.random.choice(GOODS)
        trip.add("asset", "Asset", {"Name": thing, "Account": trip.ref("account")}, wait=9)
    return trip
