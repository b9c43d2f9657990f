"""What shoppers from many places do, as the website's changes: and where something is planted to be refused.

A scenario changes what the shopper typed, or what Salesforce holds beforehand. It never writes an error: that
is the engine's finding.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from syncerr_tui.demo import resource
from syncerr_tui.demo.schema import SC_ID

_Thing = TypeVar("_Thing")


def _one_of(choices: Sequence[_Thing]) -> Callable[[Random], _Thing]:
    """A function that draws one of these things as `Random.choice` does, in half its time."""
    many, bits = len(choices), len(choices).bit_length()

    def draw(random: Random) -> _Thing:
        place = random.getrandbits(bits)
        while place >= many:
            place = random.getrandbits(bits)
        return choices[place]

    return draw


_WRITTEN: Mapping[str, list[Any]] = json.loads(resource("shoppers.json"))
"""Names from many places, some of them such as a careless program trips over."""
_given_name = _one_of(" ".join(_WRITTEN["given names"]).split())
_family_name = _one_of(" ".join(_WRITTEN["family names"]).split())
_ODD = _WRITTEN["odd names"]
_city = _one_of(_WRITTEN["cities"])
_domain = _one_of(("com", "org", "net"))
_eight_digits = _one_of(range(10**8))
GOODS = _WRITTEN["goods"]


@dataclass(frozen=True, slots=True)
class Shopper:
    """A shopper, as the website knows them."""

    given_name: str
    family: str
    email: str
    phone: str
    city: str
    state: str | None
    country: str
    postcode: str
    """Unlike anybody else's, so that no duplicate rule mistakes one for another."""


def person(random: Random, number: int) -> Shopper:
    """The shopper with this running number."""
    given_name, family = _given_name(random), _family_name(random)
    if number % 23 == 22:
        given_name, _blank, family = _ODD[number // 23 % len(_ODD)].rpartition(" ")
    city, state, country = _city(random)
    return Shopper(
        given_name=given_name,
        family=family,
        email=f"shopper{number}@example.{_domain(random)}",
        phone=f"+61 4{_eight_digits(random):08}",
        city=city,
        state=state,
        country=country,
        postcode=f"{2000 + number}",
    )


_RANDOM = ~(0xF << 76 | 0b11 << 62)
_VERSION_4 = 0x4 << 76 | 0b10 << 62


def new_sc_id(random: Random) -> str:
    """A StoreConnect ID: a lower-case UUID."""
    bits = (random.getrandbits(128) & _RANDOM | _VERSION_4).to_bytes(16).hex()
    return f"{bits[:8]}-{bits[8:12]}-{bits[12:16]}-{bits[16:20]}-{bits[20:]}"


Fields = dict[str, object]


@dataclass(slots=True)
class ShopperStep:
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

    who: Shopper
    account: str
    """StoreConnect ID."""
    contact: str


@dataclass(slots=True)
class Shop:
    """What flows draw on."""

    random: Random
    ids: Mapping[str, str]
    visitors: int = 0
    regulars: list[Regular] = field(default_factory=list)
    """Shoppers who bought before; the youngest ones may still be on their way."""

    def visitor(self) -> Shopper:
        """The next shopper."""
        self.visitors += 1
        return person(self.random, self.visitors)


@dataclass(slots=True)
class ShopperFlow:
    """One shopper's changes, by role and in the order of sending."""

    shop: Shop
    who: Shopper
    steps: dict[str, ShopperStep] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    """StoreConnect IDs, by role, of records from earlier flows."""
    existing: list[tuple[str, Fields]] = field(default_factory=list)
    """Records that people in Salesforce made themselves, before this shopper came: object and values."""

    def add(
        self, role: str, object_name: str, values: Fields, *, wait: float, sc_id: str = ""
    ) -> ShopperStep:
        """Append the creation of a record."""
        step = ShopperStep(object_name, "Create", sc_id or new_sc_id(self.shop.random), values, wait)
        self.steps[role] = step
        return step

    def change(
        self, role: str, of: str, values: Fields, *, wait: float, operation: str = "Update"
    ) -> ShopperStep:
        """Append a later change of a record that another step made."""
        first = self.steps[of]
        step = ShopperStep(first.object, operation, first.sc_id, values, wait)
        self.steps[role] = step
        return step

    def ref(self, role: str) -> dict[str, str]:
        """A parent as a child names it: by StoreConnect ID."""
        step = self.steps.get(role)
        return {SC_ID: step.sc_id if step else self.known[role]}


def account_of(flow: ShopperFlow) -> None:
    """The shopper's account."""
    who = flow.who
    values: Fields = {
        "Name": f"{who.given_name} {who.family}",
        "BillingCity": who.city,
        "BillingPostalCode": who.postcode,
        "BillingCountryCode": who.country,
        "Phone": who.phone,
        "Customer_Tier__c": "Retail",
    }
    if who.state:
        values["BillingStateCode"] = who.state
    flow.add("account", "Account", values, wait=40)


def contact_of(flow: ShopperFlow) -> None:
    """The shopper as a contact of the account."""
    who = flow.who
    values: Fields = {
        "FirstName": who.given_name,
        "LastName": who.family,
        "Email": who.email,
        "Phone": who.phone,
        "Preferred_Channel__c": "E-mail",
        "Account": flow.ref("account"),
    }
    flow.add("contact", "Contact", values, wait=2)


_product = _one_of(range(len(GOODS)))
_quantity = _one_of((1.0, 2.0, 3.0, 4.0))
_number_of_items = _one_of((1, 1, 2, 3))
_delivery = _one_of(("Courier", "Post", "Pick-up"))
_payment = _one_of(("card", "transfer"))
_ON_THEIR_WAY = 12
_REMEMBERED = 200


def sale(shop: Shop, *, small: bool, regular: bool = False) -> ShopperFlow:
    """Account, contact, order, items, payment; often a shipment and a later change of the order.

    With `regular` nothing will be wrong with the account and the contact: most such shoppers have both
    already, the others will be back.
    """
    dice = shop.random
    known = len(shop.regulars) - _ON_THEIR_WAY
    if regular and known > 0 and dice.random() < 0.75:
        back = shop.regulars[dice.choice(range(known))]
        flow = ShopperFlow(shop, back.who, known={"account": back.account, "contact": back.contact})
    else:
        flow = ShopperFlow(shop, shop.visitor())
        account_of(flow)
        contact_of(flow)
        if regular:
            shopper = Regular(flow.who, flow.steps["account"].sc_id, flow.steps["contact"].sc_id)
            shop.regulars.append(shopper)
            del shop.regulars[: -_REMEMBERED - 1]
    order_of(flow, named_contact=dice.random() < 0.6)
    for place in range(1 if small else _number_of_items(dice)):
        item_of(flow, f"item:{place}", place)
    payment_of(flow)
    if not small and dice.random() < 0.4:
        shipment_of(flow)
    if dice.random() < (0.4 if small else 0.3):
        flow.change("order:paid", "order", {"s_c__Checkout_Step__c": "complete"}, wait=15)
    return flow


def order_of(flow: ShopperFlow, *, named_contact: bool) -> None:
    """The order's head."""
    dice, who = flow.shop.random, flow.who
    values: Fields = {
        "Status": "Draft",
        "s_c__Checkout_Step__c": "payment",
        "s_c__Store_Id__c": flow.shop.ids["store"],
        "Pricebook2Id": flow.shop.ids["pricebook"],
        "ShippingCity": who.city,
        "ShippingCountryCode": who.country,
        "Delivery_Method__c": _delivery(dice),
        "TotalAmount": round(dice.uniform(15, 900), 2),
        "Account": flow.ref("account"),
    }
    if who.state:
        values["ShippingStateCode"] = who.state
    if named_contact:
        values["s_c__Contact_Id__r"] = flow.ref("contact")
    flow.add("order", "Order", values, wait=9)


def item_of(flow: ShopperFlow, role: str, place: int) -> None:
    """One line of the order."""
    dice = flow.shop.random
    product = _product(dice)
    values: Fields = {
        "Order": flow.ref("order"),
        "PricebookEntryId": flow.shop.ids[f"entry:{product}"],
        "Quantity": _quantity(dice),
        "UnitPrice": 19.0 + 10 * product,
        "Cost_Centre__c": "WEB",
    }
    if place % 3 == 2:
        values["Engraving__c"] = flow.who.given_name[:20]
    flow.add(role, "OrderItem", values, wait=1)


def payment_of(flow: ShopperFlow) -> None:
    """What the shopper paid."""
    dice = flow.shop.random
    amount = flow.steps["order"].values["TotalAmount"]
    values: Fields = {"s_c__Order_Id__r": flow.ref("order"), "s_c__Amount__c": amount}
    values["s_c__Method__c"] = _payment(dice)
    flow.add("payment", "s_c__Payment__c", values, wait=3)


def shipment_of(flow: ShopperFlow) -> None:
    """A parcel of the order."""
    values: Fields = {
        "s_c__Order_Id__r": flow.ref("order"),
        "s_c__Stock_Location_Id__c": flow.shop.ids["location"],
        "s_c__Status__c": "pending",
    }
    flow.add("shipment", "s_c__Shipment__c", values, wait=30)


def browse(shop: Shop, *, small: bool) -> ShopperFlow:
    """An account and a cart, with an item that may be taken out again."""
    flow = ShopperFlow(shop, shop.visitor())
    dice = shop.random
    account_of(flow)
    flow.add("cart", "s_c__Cart__c", {"s_c__Account_Id__r": flow.ref("account")}, wait=20)
    for place in range(1 if small else 2):
        product = shop.ids[f"product:{_product(dice)}"]
        values: Fields = {"s_c__Cart_Id__r": flow.ref("cart"), "s_c__Product_Id__c": product}
        flow.add(f"line:{place}", "s_c__Cart_Item__c", {**values, "s_c__Quantity__c": 1.0}, wait=4)
    if dice.random() < 0.4:
        flow.change("line:out", "line:0", {}, wait=25, operation="Delete")
    return flow


def enquiry(shop: Shop, *, small: bool) -> ShopperFlow:
    """A lead from the contact form, sometimes corrected later."""
    flow = ShopperFlow(shop, shop.visitor())
    who = flow.who
    values: Fields = {
        "FirstName": who.given_name,
        "LastName": who.family,
        "Company": f"{who.family} & Co",
        "Email": who.email,
        "Status": "Open",
    }
    flow.add("lead", "Lead", values, wait=30)
    if not small and shop.random.random() < 0.4:
        flow.change("lead:later", "lead", {"Status": "Working"}, wait=60)
    return flow


def member(shop: Shop, *, small: bool) -> ShopperFlow:
    """A known shopper who answers a campaign, subscribes, or registers what they bought."""
    flow = ShopperFlow(shop, shop.visitor())
    account_of(flow)
    contact_of(flow)
    campaign: Fields = {"CampaignId": shop.ids["campaign"], "Contact": flow.ref("contact")}
    flow.add("member", "CampaignMember", {**campaign, "Status": "Responded"}, wait=50)
    plan: Fields = {"s_c__Account_Id__r": flow.ref("account"), "s_c__Interval__c": "month"}
    flow.add("subscription", "s_c__Subscription__c", plan, wait=5)
    if not small or shop.random.random() < 0.5:
        product = shop.random.choice(GOODS)
        flow.add("asset", "Asset", {"Name": product, "Account": flow.ref("account")}, wait=9)
    return flow
