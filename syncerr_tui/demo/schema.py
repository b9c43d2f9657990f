"""The demo org's objects and fields, what describe tells and what the store makes tables of; and its ids: a
prefix for the object, a running number in base 62, three letters that check case.

Standard objects carry their real field names. The `s_c__` objects carry names that are public where there
are any; the change event object is not here, its names are assumptions and live in `naming`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from typing import TypedDict, Unpack

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_CAPITALS = {ord(letter): "1" if letter.isupper() else "0" for letter in _BASE62}


def long_id(id15: str) -> str:
    """The 18-character form of a 15-character id."""
    two, capitals = _checked(id15[:14])
    return f"{id15}{two}{_CHECK[capitals + 16 * id15[14].isupper()]}"


def full_id(text: str) -> str | None:
    """The 18-character form of an id; None for what is no id (wrong length, sign or check characters)."""
    if not (text.isascii() and text.isalnum()):
        return None
    if len(text) == 15:
        return long_id(text)
    return text if len(text) == 18 and long_id(text[:15]) == text else None


@lru_cache
def _checked(id14: str) -> tuple[str, int]:
    """Two check characters, and what four letters count in the third: the same for 62 ids in a row."""
    blocks = [int(id14[at : at + 5][::-1].translate(_CAPITALS), 2) for at in (0, 5, 10)]
    return _CHECK[blocks[0]] + _CHECK[blocks[1]], blocks[2]


@lru_cache
def _endings(two: str, capitals: int) -> list[str]:
    return [f"{letter}{two}{_CHECK[capitals + 16 * letter.isupper()]}" for letter in _BASE62]


def ids_from(prefix: str, number: int) -> Iterator[str]:
    """The ids of one object from this running number on."""
    for high in count(number // 62):
        letters = ""
        rest = high
        while rest:
            rest, digit = divmod(rest, 62)
            letters = _BASE62[digit] + letters
        stem = f"{prefix}De{letters:0>9}"
        for ending in _endings(*_checked(stem))[number % 62 :]:
            yield stem + ending
        number = 0


def number_in(record_id: str) -> int:
    """The running number inside an id, for auto-number names."""
    return _number(record_id[9:14]) * 62 + _BASE62.index(record_id[14])


@lru_cache
def _number(letters: str) -> int:
    return _number(letters[:-1]) * 62 + _BASE62.index(letters[-1]) if letters else 0


SC_ID = "s_c__sC_Id__c"
"""The StoreConnect ID on every synced object: Text(36), unique external id, lower-case UUIDs."""

REALS = frozenset({"double", "currency", "percent"})
NUMBERS = REALS | {"int"}
IDS = frozenset({"id", "reference"})
"""Types of fields."""

Choice = tuple[str, str, bool]
"""A picklist entry: value, label, active."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field as describe shows it."""

    name: str
    label: str
    type: str = "string"
    """Salesforce's word: id, string, textarea, picklist, reference, datetime, date, double, currency, int,
    boolean, email, phone, url."""
    length: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    unique: bool = False
    external_id: bool = False
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    picklist: tuple[Choice, ...] = ()
    restricted: bool = False
    """A picklist that takes no value but its own."""
    defaulted: bool = False
    """Salesforce fills it where a create leaves it out."""
    name_field: bool = False

    @property
    def custom(self) -> bool:
        """True for a field that an admin or a package made."""
        return self.name.endswith("__c")

    @property
    def is_long_text(self) -> bool:
        """True for a text area that can neither be filtered nor sorted nor grouped."""
        return self.type == "textarea" and self.length > 255


@dataclass(frozen=True, slots=True)
class SObject:
    """One object as describe shows it."""

    name: str
    label: str
    label_plural: str
    key_prefix: str
    fields: tuple[Field, ...]
    """Id first, Salesforce's own last."""
    custom: bool = False
    tooling: bool = False
    """Reachable through the tooling API's query."""
    rest: bool = True
    """Reachable through the ordinary REST API."""
    writable: bool = True
    """False for set-up objects, which the REST API only reads."""

    def field(self, name: str) -> Field | None:
        """A field by API name; case does not matter, as in Salesforce."""
        folded = name.lower()
        return next((field for field in self.fields if field.name.lower() == folded), None)

    def relationship(self, name: str) -> Field | None:
        """The lookup whose relationship has this name, in any case of letters."""
        lower = name.lower()
        return next((each for each in self.fields if (each.relationship_name or "").lower() == lower), None)

    def with_field(self, changed: Field) -> SObject:
        """The same object with one field replaced."""
        return replace(self, fields=tuple(changed if f.name == changed.name else f for f in self.fields))


def object_named(schema: Mapping[str, SObject], name: str) -> SObject | None:
    """An object by API name; case does not matter, as in Salesforce."""
    if name in schema:
        return schema[name]
    return next((each for key, each in schema.items() if key.lower() == name.lower()), None)


class Flags(TypedDict, total=False):
    """What a field may be said to be, beside its type. See `Field`."""

    nillable: bool
    createable: bool
    updateable: bool
    unique: bool
    external_id: bool
    defaulted: bool
    name_field: bool


def text_field(name: str, label: str, length: int = 255, **more: Unpack[Flags]) -> Field:
    return replace(Field(name, label, "string", length), **more)


def field_of_type(name: str, label: str, kind: str, **more: Unpack[Flags]) -> Field:
    """A field of another type, with that type's usual length."""
    length = {"textarea": 32768, "email": 80, "phone": 40, "url": 255, "picklist": 255}.get(kind, 0)
    return replace(Field(name, label, kind, length), **more)


def lookup(name: str, label: str, *to: str, relation: str | None = None, **more: Unpack[Flags]) -> Field:
    """A lookup; its relationship is named as Salesforce derives it unless told otherwise."""
    derived = name.removesuffix("Id") if not name.endswith("__c") else name[:-1] + "r"
    field = Field(name, label, "reference", 18, reference_to=to, relationship_name=relation or derived)
    return replace(field, **more)


def choice(name: str, label: str, *values: str, restricted: bool = False, nillable: bool = True) -> Field:
    """A picklist whose labels are its values."""
    entries = tuple((value, value, True) for value in values)
    return Field(name, label, "picklist", 255, nillable, picklist=entries, restricted=restricted)


def made_by_salesforce(field: Field) -> Field:
    """The same field, written by nobody but Salesforce."""
    return replace(field, createable=False, updateable=False, defaulted=True, nillable=False)


SYSTEM = tuple(
    made_by_salesforce(field)
    for field in (
        field_of_type("IsDeleted", "Deleted", "boolean"),
        field_of_type("CreatedDate", "Created Date", "datetime"),
        lookup("CreatedById", "Created By ID", "User"),
        field_of_type("LastModifiedDate", "Last Modified Date", "datetime"),
        lookup("LastModifiedById", "Last Modified By ID", "User"),
        field_of_type("SystemModstamp", "System Modstamp", "datetime"),
    )
)
"""What Salesforce keeps on every record; only the store sets it."""


def sobject(
    name: str,
    label: str,
    prefix: str,
    *fields: Field,
    plural: str | None = None,
    setup: bool = False,
    rest: bool = True,
) -> SObject:
    """An object with its Id and system fields; `setup` objects are read only and reachable by tooling."""
    key = made_by_salesforce(Field("Id", f"{label} ID", "id", 18))
    return SObject(
        name,
        label,
        plural or f"{label}s",
        prefix,
        (key, *fields, *SYSTEM),
        custom=name.endswith("__c"),
        tooling=setup,
        rest=rest,
        writable=not setup,
    )


def sc_id() -> Field:
    """The StoreConnect ID of a synced object."""
    return Field(
        SC_ID,
        "StoreConnect External ID, do not modify in Salesforce",
        "string",
        36,
        unique=True,
        external_id=True,
    )


def auto_name(label: str) -> Field:
    """An auto-number name."""
    return Field("Name", label, "string", 80, False, False, False, defaulted=True, name_field=True)


_EXACT_TYPES = frozenset({"id", "reference", "datetime", "date"})
_NUMBERS = {"boolean": "INTEGER", "int": "INTEGER", "double": "REAL", "currency": "REAL", "percent": "REAL"}


def sql_name(name: str) -> str:
    """A name as it stands in SQL."""
    return '"' + name.replace('"', '""') + '"'


def tables_of(objects: Iterable[SObject]) -> Iterator[str]:
    """A table an object; an index where a search or an order would otherwise read 100,000 rows."""
    for each in objects:
        parts = ["demo_row INTEGER PRIMARY KEY", "Id TEXT NOT NULL UNIQUE"]
        parts += [f"{sql_name(field.name)} {_declared(field)}" for field in each.fields[1:]]
        yield f"CREATE TABLE {sql_name(each.name)} ({', '.join(parts)})"
        for field in each.fields[1 : -len(SYSTEM)]:
            if field.external_id or field.unique or field.type in {"reference", "datetime"}:
                index = sql_name(f"{each.name}.{field.name}")
                yield f"CREATE INDEX {index} ON {sql_name(each.name)} ({sql_name(field.name)}, Id)"


def _declared(field: Field) -> str:
    if field.name == "IsDeleted":
        return "INTEGER NOT NULL DEFAULT 0"
    if field.type in _EXACT_TYPES:
        return "TEXT"
    return _NUMBERS.get(field.type, "TEXT COLLATE NOCASE")
