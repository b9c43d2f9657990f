"""Objects and fields as messages name them: API name, label or plural, in any case; or the start of an id."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LABELS: Mapping[str, str] = {
    "Account": "accounts",
    "Asset": "assets",
    "Campaign": "campaigns",
    "CampaignMember": "campaign member,campaign members",
    "Case": "cases",
    "Contact": "contacts",
    "Contract": "contracts",
    "Event": "events",
    "Lead": "leads",
    "Opportunity": "opportunities",
    "OpportunityLineItem": "opportunity product,opportunity products,opportunity line item",
    "Order": "orders",
    "OrderItem": "order product,order products,order item,order items",
    "Pricebook2": "price book,price books,pricebook",
    "PricebookEntry": "price book entry,price book entries,pricebook entry",
    "Product2": "product,products",
    "Quote": "quotes",
    "Task": "tasks",
    "User": "users",
}
_API_NAMES: Mapping[str, str] = {
    spelling: name for name, labels in _LABELS.items() for spelling in (name.lower(), *labels.split(","))
}
_PREFIXES: Mapping[str, str] = {
    "001": "Account",
    "003": "Contact",
    "005": "User",
    "006": "Opportunity",
    "00Q": "Lead",
    "00T": "Task",
    "00U": "Event",
    "00k": "OpportunityLineItem",
    "00v": "CampaignMember",
    "01s": "Pricebook2",
    "01t": "Product2",
    "01u": "PricebookEntry",
    "02i": "Asset",
    "0Q0": "Quote",
    "500": "Case",
    "701": "Campaign",
    "800": "Contract",
    "801": "Order",
    "802": "OrderItem",
}
_CUSTOM = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,76}__[a-z]{1,3}\Z", re.IGNORECASE)


def api_name(text: str) -> str | None:
    """The API name behind what a message calls an object; None where that is not certain."""
    known = _API_NAMES.get(" ".join(text.lower().split()))
    if known is not None:
        return known
    return text if _CUSTOM.match(text) else None


def object_of(record_id: str) -> str | None:
    """The standard object that an id's first three characters stand for."""
    return _PREFIXES.get(record_id[:3])


_NAMESPACE = re.compile(r"^[A-Za-z][A-Za-z0-9_]{0,14}?__(?=.+__[a-z])")
_SUFFIX = re.compile(r"__[a-z]{1,3}$")


def bare_field(name: str) -> str:
    """A field's label and its API name come to the same: `Delivery Method`, `Delivery_Method__c`."""
    plain = _SUFFIX.sub("", _NAMESPACE.sub("", name))
    return "".join(letter for letter in plain.casefold() if letter.isalnum())


def merge_fields(fields: tuple[str, ...]) -> tuple[str, ...]:
    """A field's label and its API name, named side by side, as one: `Action (Action__c)`."""
    merged: list[str] = []
    for field in fields:
        for place, earlier in enumerate(merged):
            if field != earlier and bare_field(field) == bare_field(earlier):
                label, api = (earlier, field) if "__" in field or " " in earlier else (field, earlier)
                merged[place] = f"{label} ({api})"
                break
        else:
            merged.append(field)
    return tuple(dict.fromkeys(merged))
