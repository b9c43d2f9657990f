"""Orgs that call things differently, as describe and query show them. Made up, no two alike on purpose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.salesforce.soql import to_18

Row = dict[str, Any]
PREFIXES = {"Account": "001", "Contact": "003", "Order": "801", "OrderItem": "802", "Lead": "00Q"}
MESSAGES = (
    "DUPLICATES_DETECTED: It looks like you are creating a duplicate Account.",
    "Required fields are missing: [Name, Close_Date__c]",
    "CANNOT_EXECUTE_FLOW_TRIGGER: We can't save this record because the “Order Builder” process failed.",
    "The BillingStateCode field contains EP, which isn't an available state.",
    "unable to obtain exclusive access to this record or 1 records: 001xx000003DGb2AAG",
)
CODES = ("DUPLICATES_DETECTED", "REQUIRED_FIELD_MISSING", "UNABLE_TO_LOCK_ROW", "FIELD_INTEGRITY_EXCEPTION")


def record_id(prefix: str, number: int) -> str:
    key = to_18(f"{prefix}5g{number:010d}")
    assert key
    return key


def uuid(number: int) -> str:
    return f"{number:08x}-1111-4222-8333-{number * 7919:012x}"


def a_field(name: str, label: str, kind: str = "string", length: int = 0, **more: Any) -> Row:
    values = [{"value": value, "label": label_, "active": True} for value, label_ in more.pop("values", ())]
    return {
        "name": name,
        "label": label,
        "type": kind,
        "length": length or {"string": 80, "textarea": 32768, "picklist": 255, "reference": 18}.get(kind, 0),
        "picklistValues": values,
        "referenceTo": [],
        "unique": False,
        "externalId": False,
        "updateable": False,
        **more,
    }


def standard_fields() -> list[Row]:
    return [
        a_field("Id", "Record ID", "id", 18),
        a_field("OwnerId", "Owner ID", "reference", referenceTo=["Group", "User"]),
        a_field("IsDeleted", "Deleted", "boolean"),
        a_field("Name", "Number", "string"),
        a_field("CreatedDate", "Created Date", "datetime"),
        a_field("CreatedById", "Created By ID", "reference", referenceTo=["User"]),
        a_field("LastModifiedDate", "Last Modified Date", "datetime"),
        a_field("LastModifiedById", "Last Modified By ID", "reference", referenceTo=["User"]),
        a_field("SystemModstamp", "System Modstamp", "datetime"),
    ]


def an_object(name: str, label: str, *fields: Row) -> Row:
    return {"name": name, "label": label, "fields": [*standard_fields(), *fields]}


def record_object(name: str, key: str = "s_c__sC_Id__c", label: str = "StoreConnect External ID") -> Row:
    return an_object(name, name, a_field(key, label, "string", 36, externalId=True, unique=True))


@dataclass
class FakeOrg:
    """Answers as `Describes` does, and counts what it was asked."""

    objects: Sequence[Row]
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    described: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    queries_refused: bool = False

    async def describe_global(self) -> list[Row]:
        return [
            {
                "name": one["name"],
                "label": one["label"],
                "keyPrefix": PREFIXES.get(one["name"], f"a{number:02d}"),
                "custom": "__" in one["name"],
                "queryable": True,
            }
            for number, one in enumerate(self.objects)
        ]

    async def describe(self, object_name: str) -> Row:
        self.described.append(object_name)
        if object_name in self.hidden:
            raise RefusedError("This user does not see it")
        return next(one for one in self.objects if one["name"] == object_name)

    async def first_page(self, query: str) -> list[Row]:
        self.queries.append(query)
        if self.queries_refused:
            raise BadInputError("MALFORMED_QUERY")
        match = re.match(
            r"SELECT (.+) FROM (\w+)(?: WHERE (\w+) (?:IN|INCLUDES|=) \(?(.+?)\)?)?"
            r"(?: GROUP BY (\w+))? LIMIT (\d+)$",
            query,
        )
        assert match, query
        rows = list(self.rows.get(match[2], ()))
        if match[3]:
            self._may_filter(match[2], match[3])
            ids = {value.strip().strip("'") for value in match[4].split(",")}
            rows = [row for row in rows if ids.intersection(_spoken(row.get(match[3])))]
        if match[5]:
            return [{match[5]: value} for value in dict.fromkeys(row.get(match[5]) for row in rows)]
        names = [name.strip() for name in match[1].split(",")]
        return [{name: row.get(name) for name in names} for row in rows[: int(match[6])]]

    def _may_filter(self, object_name: str, name: str) -> None:
        described = next(one for one in self.objects if one["name"] == object_name)
        for one in described["fields"]:
            if one["name"] == name and one.get("filterable") is False:
                raise RefusedError(f"field '{name}' can not be filtered in a query call")


def _spoken(value: object) -> list[str]:
    return [str(value).lower()] if isinstance(value, bool) else str(value).split(";")


Names = Mapping[str, str]


def events(
    names: Names,
    *,
    count: int = 40,
    failed: str = "FAILED",
    done: str = "PROCESSED",
    kinds: Sequence[str] = ("Create", "Update", "Delete"),
    more: Mapping[str, Any] | None = None,
    salesforce_ids: bool = True,
) -> list[Row]:
    """Change events as rows; every third one failed, in the fields that `names` (role -> field) says."""
    rows = []
    objects = list(PREFIXES)
    for number in range(count):
        about = objects[number % len(objects)]
        bad = number % 3 == 0
        values: Row = {
            "object": about,
            "event_type": kinds[number % len(kinds)],
            "processed_at": f"2026-11-{number % 28 + 1:02d}T02:14:07.000+0000",
            "storeconnect_id": uuid(number % 25),
            "message": MESSAGES[number % len(MESSAGES)] if bad else None,
            "status": failed if bad else done,
            "code": CODES[number % len(CODES)] if bad else None,
            "salesforce_id": record_id(PREFIXES[about], number) if salesforce_ids and number % 2 else None,
        }
        row = {name: values[role] for role, name in names.items()}
        for name, value in (more or {}).items():
            row[name] = value(number) if callable(value) else value
        rows.append({"Id": record_id("a0X", number), **row})
    return rows
