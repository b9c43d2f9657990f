"""Everything that can go wrong in this store: one scenario for each, with the shopper it happens to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syncerr_tui.demo.rules import NOT_ON_WEB_LEADS
from syncerr_tui.demo.schema import SC_ID
from syncerr_tui.demo.shopper_flows import (
    Fields,
    Shop,
    ShopperFlow,
    browse,
    enquiry,
    item_of,
    member,
    new_sc_id,
    sale,
    shipment_of,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that goes wrong."""

    name: str
    make: Callable[..., ShopperFlow]
    """The shopper that it happens to: `make(shop, small=...)`."""
    inject: Callable[[ShopperFlow], object]
    regular: bool = False
    """True for a sale in which nothing is wrong with the account and the contact."""
    alone: bool = False
    """True where each shopper's trouble has a cause of its own, so that it never spreads."""
    ages: bool = False
    """True where what was refused before would be refused for another reason by now."""


def _set(role: str, **values: object) -> Callable[[ShopperFlow], object]:
    """The shopper typed something that this org does not take."""

    def inject(flow: ShopperFlow) -> None:
        flow.steps[role].values.update(values)

    return inject


def _incident(role: str, name: str, about: str) -> Callable[[ShopperFlow], object]:
    """Something happens in Salesforce just before a step."""

    def inject(flow: ShopperFlow) -> None:
        flow.steps[role].before = (name, flow.steps[about].sc_id)

    return inject


def _known(role: str, *fields: str) -> Callable[[ShopperFlow], object]:
    """People in Salesforce keep such a record already."""

    def inject(flow: ShopperFlow) -> None:
        step = flow.steps[role]
        same: Fields = {field: step.values[field] for field in fields}
        if role == "contact":
            same["AccountId"] = flow.shop.ids["account:house"]
        flow.existing.append((step.object, same))

    return inject


def _order_turns(role: str, **values: object) -> Callable[[ShopperFlow], object]:
    """The order is changed later, and not to be complete."""

    def inject(flow: ShopperFlow) -> None:
        flow.steps.pop("order:paid", None)
        flow.change(role, "order", {**values}, wait=90)

    return inject


def _account_turns(incident: str, **values: object) -> Callable[[ShopperFlow], object]:
    """The account is changed later, just behind an incident."""

    def inject(flow: ShopperFlow) -> None:
        step = flow.change("account:later", "account", {**values}, wait=40)
        step.before = (incident, step.sc_id)

    return inject


def _known_number(flow: ShopperFlow) -> None:
    number = f"HH-{flow.shop.visitors:06}"
    flow.steps["contact"].values["Loyalty_Number__c"] = number
    early: Fields = {"FirstName": "Early", "LastName": "Bird", "Loyalty_Number__c": number}
    flow.existing.append(("Contact", {**early, "AccountId": flow.shop.ids["account:house"]}))


def _bad_address(flow: ShopperFlow) -> None:
    who = flow.who
    odd = (f"{who.email}@", "\x1b[2J@@mail", "[red]x[/red]@@example", "name at example.com", "\u202emoc@@x")
    flow.steps["lead"].values["Email"] = (
        odd[flow.shop.visitors % len(odd)] if flow.shop.visitors % 3 else odd[0]
    )


def _bounced_buyer(flow: ShopperFlow) -> None:
    flow.steps["order"].values["s_c__Contact_Id__r"] = flow.ref("contact")
    flow.steps["order"].before = ("bounce", flow.steps["contact"].sc_id)


def _gone_product(flow: ShopperFlow) -> None:
    flow.steps["item:0"].values["PricebookEntryId"] = flow.shop.ids["entry:gone"]


def _moved_contact(flow: ShopperFlow) -> None:
    flow.change("moved", "contact", {"Account": {SC_ID: flow.shop.ids["sc:inactive"]}}, wait=200)


_no_cost_centre = _set("item:0", Cost_Centre__c=None)
_ready = _order_turns("ready", Status="Ready for Warehouse")
_quotation = _order_turns("quotation", s_c__Checkout_Step__c="quotation_requested")


def _late_item(flow: ShopperFlow) -> None:
    item_of(flow, "item:late", 0)
    flow.steps["item:late"].before = ("activate", flow.steps["order"].sc_id)
    if flow.shop.random.random() < 0.5:
        flow.change("item:out", "item:0", {}, wait=20, operation="Delete")


def _shipment(status: str) -> Callable[[ShopperFlow], object]:
    def inject(flow: ShopperFlow) -> None:
        shipment_of(flow)
        flow.steps["shipment"].values["s_c__Status__c"] = status

    return inject


def _nobody(flow: ShopperFlow) -> None:
    """The order's account never reached Salesforce, and nothing in the list says why."""
    order = flow.steps["order"]
    order.values["Account"] = {SC_ID: new_sc_id(flow.shop.random)}
    for role in ("account", "contact"):
        flow.steps.pop(role)
    order.values.pop("s_c__Contact_Id__r", None)


def _two_at_once(flow: ShopperFlow) -> None:
    """The order's change and one of its items fail, each for a reason of its own."""
    _ready(flow)
    _no_cost_centre(flow)


def _bundle(flow: ShopperFlow) -> None:
    flow.add("asset", "Asset", {"Name": "Kitchen bundle", "Account": flow.ref("account")}, wait=9)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("duplicate account", sale, _known("account", "Name", "BillingPostalCode", "BillingCity")),
    Scenario(
        "shipping state", sale, _set("order", ShippingStateCode="KD", ShippingCountryCode="IN"), regular=True
    ),
    Scenario("required field", sale, _no_cost_centre, regular=True),
    Scenario("busy row", browse, _incident("cart", "busy", "account")),
    Scenario("order flow", sale, _set("order", ShippingCity="Broome"), regular=True),
    Scenario("duplicate contact", sale, _known("contact", "FirstName", "LastName", "Email")),
    Scenario("payment picklist", sale, _set("payment", s_c__Method__c="pay-later"), regular=True),
    Scenario("bounced buyer", sale, _bounced_buyer),
    Scenario("loyalty number", sale, _known_number),
    Scenario("tax number", sale, _set("account", Tax_Number__c="AB 12", Customer_Tier__c="Trade")),
    Scenario("activated order", sale, _late_item, regular=True, ages=True),
    Scenario("bad address", enquiry, _bad_address),
    Scenario("ledger flow", sale, _set("payment", s_c__Method__c="wallet"), regular=True),
    Scenario("dispatch template", sale, _shipment("dispatched"), regular=True),
    Scenario("order status", sale, _ready, regular=True),
    Scenario("inactive owner", sale, _moved_contact),
    Scenario("gone product", sale, _gone_product, regular=True),
    Scenario("stock trigger", sale, _set("order", ShippingCity="Kingston"), regular=True),
    Scenario("duplicate lead", enquiry, _known("lead", "FirstName", "LastName", "Email", "Company")),
    Scenario("cart flow", browse, _set("cart", Coupon__c="LEGACY-10")),
    Scenario("delivery picklist", sale, _set("order", Delivery_Method__c="Click & Collect"), regular=True),
    Scenario("stuck rollup", browse, _incident("cart", "rollup", "account")),
    Scenario("nobody's order", sale, _nobody, alone=True),
    Scenario("points flow", sale, _set("order", TotalAmount=7450.0), regular=True),
    Scenario("quotation flow", sale, _quotation, regular=True),
    Scenario("billing state", sale, _set("account", BillingStateCode="GT", BillingCountryCode="BR")),
    Scenario("preferred channel", sale, _set("contact", Preferred_Channel__c="Phone")),
    Scenario("refund", sale, _set("payment", s_c__Amount__c=-20.0), regular=True),
    Scenario("parcel costing", sale, _shipment("packed"), regular=True),
    Scenario("campaign bounce", member, _incident("member", "bounce", "contact")),
    Scenario("yearly plan", member, _set("subscription", s_c__Interval__c="year")),
    Scenario(
        "engraving",
        sale,
        _set("item:0", Engraving__c="For Grandmother, with love from all of us"),
        regular=True,
    ),
    Scenario("approval lock", browse, _account_turns("approval", Phone="+61 2 5550 0100")),
    Scenario("lost change", browse, _account_turns("lose", BillingCity="Perth"), alone=True),
    Scenario(
        "shipping country",
        sale,
        _set("order", ShippingCountryCode="PT", ShippingStateCode=None),
        regular=True,
    ),
    Scenario("customer tier", sale, _set("account", Customer_Tier__c="Staff")),
    Scenario("lead source", enquiry, _set("lead", LeadSource="Marketplace")),
    Scenario("two at once", sale, _two_at_once, regular=True),
    Scenario("bundle", member, _bundle),
    Scenario("record type", enquiry, _set("lead", LeadSource=NOT_ON_WEB_LEADS)),
    Scenario("credit workflow", sale, _shipment("returned"), regular=True),
)
"""The first ones stand for the manual's codes: a small world has as many of them as fit."""


def clean_flow(shop: Shop) -> ShopperFlow:
    """A shopper with whom all goes well."""
    make = shop.random.choice((sale, sale, browse, enquiry))
    return sale(shop, small=False, regular=True) if make is sale else make(shop, small=False)
