"""What names a thing in free text: ids, and objects and fields by API name, label or plural, in any case.

An id has 15 case-sensitive base-62 characters, or 18 with three check characters. It becomes a link and a
query, so nothing is taken for one on its looks alone: 18 characters must carry the right check characters,
15 must begin with a known prefix or count as ids do. English words of that length exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

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
_OBJECT_BY_PREFIX: Mapping[str, str] = {
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
    return _OBJECT_BY_PREFIX.get(record_id[:3])


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


_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"\b[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?\b", re.ASCII)
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z@])")
"""A UUID in front of an `@` is part of an address."""
_NULL = "000000000000000"

# Key prefixes of standard objects, set-up records and jobs (the published lists; case matters).
_PREFIX_LIST = """
    001 002 003 005 006 008 00B 00D 00E 00G 00I 00J 00K 00N 00O 00P 00Q 00T 00U 00X 00a 00b 00e 00h 00i 00k
    00l 00o 00q 00r 00t 00v 010 011 012 015 016 017 018 019 01H 01I 01N 01Q 01W 01X 01Y 01Z 01a 01g 01m 01n
    01o 01p 01q 01s 01t 01u 020 022 02Z 02a 02c 02i 02n 02o 02s 033 03d 03j 03s 03u 04Y 04a 04g 04h 04i 04k
    04m 04t 04v 058 05X 066 068 069 06A 07L 07M 081 087 08a 08e 08p 08q 08s 091 093 099 09a 0AT 0Af 0Ak 0Bm
    0C0 0D2 0D5 0D7 0DB 0F9 0FB 0Fo 0H4 0Ho 0JD 0Jf 0Kd 0PG 0PK 0PS 0Pa 0Q0 0QL 0SP 0TO 0WO 0XA 0XC 0Ya 0a3
    0rp 10u 131 1AR 1Os 1WL 300 301 500 501 550 608 701 707 709 750 751 800 801 802 806 810 811
"""
_PREFIXES = frozenset(_PREFIX_LIST.split())
# Prefixes that each org hands out itself: custom objects, events, articles, metadata, external objects.
_OWN_PREFIX = re.compile(r"a[0-9A-Z][0-9A-Za-z]|[emx]0[0-9A-Za-z]|k[aA][0-9A-Za-z]")
# Objects newer than the list: a prefix and a server's name with letters in them, and a counter with noughts.
_NEWER = re.compile(
    r"\d(?:[A-Za-z][0-9A-Za-z]|\d[A-Za-z])(?:[A-Za-z][0-9A-Za-z]|\d[A-Za-z])[0-9A-Za-z]?0{4}[0-9A-Za-z]{5,6}"
)
_HEXADECIMAL = re.compile(r"[0-9a-f]+|[0-9A-F]+")

_CAPITALS = {code: str(int(chr(code).isupper())) for code in range(128)}


def check_characters(id15: str) -> str:
    """The three characters that make an 18-character id of a 15-character one: they encode its upper case.

    Args:
        id15: In ASCII; what follows is not looked at.
    """
    capitals = int(id15[14::-1].translate(_CAPITALS), 2)
    return _CHECK[capitals & 31] + _CHECK[capitals >> 5 & 31] + _CHECK[capitals >> 10]


def is_id(text: str) -> bool:
    """Whether `text` as a whole is a Salesforce id that may be linked and queried."""
    if _ID.fullmatch(text) is None or text.startswith(_NULL):
        return False
    if len(text) == 18:
        return check_characters(text) == text[15:] and any(map(str.isdigit, text))
    digits = sum(map(str.isdigit, text[3:]))
    if text[0].isalpha():
        # Names in code begin with these letters too (`aBatchNumber12`); an id has a counter in it.
        return _OWN_PREFIX.match(text) is not None and digits >= 3
    if text[:3] not in _PREFIXES:
        return _NEWER.fullmatch(text) is not None and _HEXADECIMAL.fullmatch(text) is None
    # A number of 15 digits is rather a telephone or card number than an id, unless it begins like one.
    return digits >= 1 and (not text.isdigit() or text.startswith("0"))


def find_ids(text: str) -> Iterator[re.Match[str]]:
    """Salesforce ids in `text`, left to right, repeats included."""
    # JSON writes a line end as `\n`: its letter is no part of the id behind it.
    return (match for match in _ID.finditer(text.replace("\\n", "  ")) if is_id(match[0]))


def find_uuids(text: str) -> Iterator[re.Match[str]]:
    """StoreConnect ids (UUIDs) in `text`, left to right, repeats included."""
    return _UUID.finditer(text) if text.count("-") > 3 else iter(())
