"""A field has a label and an API name; messages use either, or both."""

from __future__ import annotations

import re

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
