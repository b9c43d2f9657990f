"""Which objects the demo org has: a store's data, and the set-up that a person can look things up in.

They stand in `objects.txt`, which says how it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from syncerr_tui.demo import resource
from syncerr_tui.demo.schema import (
    Field,
    Flags,
    SObject,
    auto_name,
    choice,
    field_of_type,
    lookup,
    sc_id,
    sobject,
    text_field,
)

COUNTRIES = ("AU", "NZ", "US", "GB", "DE", "JP", "CA", "IE", "IN", "IT", "MX", "BR", "CN", "FR", "ES")
STATES = ("NSW", "VIC", "QLD", "WA", "SA", "TAS", "ACT", "NT", "CA", "NY", "TX", "ON", "BC", "QC", "RJ")
"""Salesforce ships states for some ten countries only; the rest is the admin's work."""
_STEPS = "open customer shipping terms_and_conditions payment complete quotation_requested failed"
_LISTS = {"$COUNTRIES": COUNTRIES, "$STATES": STATES, "$CHECKOUT_STEPS": tuple(_STEPS.split())}
_FLAGS: Mapping[str, Flags] = {
    "required": {"nillable": False},
    "not-createable": {"createable": False},
    "not-updateable": {"updateable": False},
    "unique": {"unique": True},
    "external-id": {"external_id": True},
    "defaulted": {"defaulted": True},
    "name": {"name_field": True},
    "restricted": {},  # of a choice only
}
_COLUMNS = re.compile(" {2,}")


def data_objects() -> tuple[SObject, ...]:
    """The objects that hold the store's data."""
    return _objects()[0]


def setup_objects() -> tuple[SObject, ...]:
    """What a name in a message can be resolved with. Read only."""
    return _objects()[1]


@cache
def _objects() -> tuple[tuple[SObject, ...], ...]:
    written = resource("objects.txt")
    _, *parts = re.split("^= .*$", written, flags=re.MULTILINE)
    return tuple(
        tuple(_object(*block.splitlines()) for block in part.strip().split("\n\n")) for part in parts
    )


def _object(head: str, *lines: str) -> SObject:
    name, prefix, label, *rest = _COLUMNS.split(head)
    options = rest[0].split(", ") if rest else []
    plural = next((one.removeprefix("plural ") for one in options if one.startswith("plural ")), None)
    fields = [_field(*_COLUMNS.split(line.strip())) for line in lines]
    return sobject(
        name,
        label,
        prefix,
        *fields,
        plural=plural,
        setup="set-up" in options,
        rest="tooling-only" not in options,
    )


def _field(name: str, kind: str = "", label: str = "", options: str = "") -> Field:
    if name == "StoreConnect ID":
        return sc_id()
    if name == "auto-number":
        return auto_name(kind)
    words, flags = options.split(), Flags()
    for word in words:
        flags.update(_FLAGS[word])
    kind, _, detail = kind.partition(" ")
    match kind:
        case "text":
            return text_field(name, label, int(detail or 255), **flags)
        case "lookup":
            return lookup(name, label, *detail.split(), **flags)
        case "choice":
            values = _LISTS.get(detail) or detail.split(", ")
            return choice(
                name, label, *values, restricted="restricted" in words, nillable="required" not in words
            )
        case _:
            return field_of_type(name, label, kind, **flags)
