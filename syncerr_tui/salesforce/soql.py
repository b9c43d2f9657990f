"""Names, values and record ids as they may stand in a query or an address: none can become syntax.

15 base-62 characters name a record; 3 more encode which letters are upper case. An id that came out of a
message or a clipboard may be anything: simple-salesforce joins it into the URL, and an id that is an
address of its own would carry the access token there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

from syncerr_tui.diagnosis.identifiers import check_characters
from syncerr_tui.errors import BadInputError
from syncerr_tui.text import one_line

T = TypeVar("T")

IDS_PER_QUERY = 400
"""Address and headers together may have 16,384 bytes: 550 ids fill it, 400 leave room for the rest."""
VALUES_PER_QUERY = 200
"""The same for 36-character StoreConnect IDs and field lists of some length."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?\Z", re.ASCII)
_ESCAPES = str.maketrans(
    {"\\": r"\\", "'": r"\'", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"}
)


def name(value: str) -> str:
    """An API name as it may stand in a query or an address.

    Raises:
        BadInputError: It holds anything but letters, digits and underscores.
    """
    if not _NAME.match(value):
        raise BadInputError(
            f"'{one_line(value)[:60]}' is not an API name",
            "API names have letters, digits and underscores only, e.g. s_c__Payment__c",
        )
    return value


def is_name(value: str) -> bool:
    """Whether this may stand in a query or an address as an API name."""
    return _NAME.match(value) is not None


def path(value: str) -> str:
    """A relationship path such as `Account.s_c__sC_Id__c`, each part checked like `name`."""
    return ".".join(name(part) for part in value.split("."))


def quote(value: str) -> str:
    return f"'{value.translate(_ESCAPES)}'"


def datetime_literal(value: datetime) -> str:
    """A datetime literal, in UTC with milliseconds, which is all that Salesforce keeps."""
    utc = value.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def own_field(name: str) -> str:
    """A field's name on its own object: a person account shows its contact's `X__c` as `X__pc`."""
    return f"{name.removesuffix('__pc')}__c" if name.endswith("__pc") else name


NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})
NOT_TEXT = NUMBERS | {"boolean", "multipicklist"}
"""Types of a status whose values are not compared as plain text."""


def literal(value: str, kind: str = "") -> str:
    """A value as it is compared with a field of this type.

    Args:
        value: The value as text.
        kind: The field's type as describe names it; empty means text.

    Raises:
        BadInputError: It is no value of such a field.
    """
    if kind == "boolean" and value.casefold() in {"true", "false"}:
        return value.casefold()
    if kind in NUMBERS and _NUMBER.match(value):
        return value
    if kind == "boolean" or kind in NUMBERS:
        raise BadInputError(
            f"'{one_line(value)[:40]}' is not a value of a field of the type {kind}",
            "Correct the status values in the profile's [mapping]",
        )
    return quote(value)


def one_of(field: str, values: Iterable[str], kind: str = "") -> str:
    """`Field IN ('a','b')`, or what says the same of a field of another type.

    Raises:
        ValueError: There are no values. `IN ()` is a syntax error, and leaving it out would match everything.
        BadInputError: A value does not fit the type.
    """
    listed = [literal(value, kind) for value in dict.fromkeys(values)]
    if not listed:
        raise ValueError("IN needs at least one value")
    if kind == "boolean":  # IN does not take true and false
        same = " OR ".join(f"{path(field)} = {value}" for value in listed)
        return same if len(listed) == 1 else f"({same})"
    return f"{path(field)} {'INCLUDES' if kind == 'multipicklist' else 'IN'} ({','.join(listed)})"


_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?\Z", re.ASCII)


def to_18(value: object) -> str | None:
    """The 18-character form of a record id, or None where this is not one (wrong shape or checksum)."""
    if not isinstance(value, str) or not _SHAPE.match(value):
        return None
    whole = value[:15] + check_characters(value[:15])
    return whole if len(value) == 15 or value == whole else None


def checked_ids(ids: Iterable[str]) -> list[str]:
    """The same ids in their 18-character form.

    Raises:
        BadInputError: One of them is no Salesforce id. Nothing may be asked or sent with it.
    """
    good = []
    for value in ids:
        whole = to_18(value)
        if whole is None:
            raise BadInputError(
                f"'{one_line(str(value))[:40]}' is not a Salesforce id",
                "An id has 15 or 18 letters and digits, and its last three must fit the others",
            )
        good.append(whole)
    return good
