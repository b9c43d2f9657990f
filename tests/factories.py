"""Sync errors for tests: valid ids, believable values, everything overridable."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from syncerr_tui.model import EventType, SyncError
from syncerr_tui.text import clean

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def salesforce_id(number: int, prefix: str = "a0X") -> str:
    """An 18-character id with a true checksum."""
    counter = ""
    rest = number
    while rest or not counter:
        rest, digit = divmod(rest, 62)
        counter = _BASE62[digit] + counter
    short = f"{prefix}5g0000{counter:0>6}"[:15]
    suffix = "".join(
        _CHECK[sum(1 << place for place in range(5) if short[block * 5 + place].isupper())]
        for block in range(3)
    )
    return short + suffix


def storeconnect_id(number: int) -> str:
    """A lower-case UUID, the same for the same number."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def sync_error(number: int = 1, **changes: Any) -> SyncError:
    """One sync error; `number` decides about ids and age (higher is younger)."""
    values: dict[str, Any] = {
        "id": salesforce_id(number),
        "object": clean("Order"),
        "event_type": EventType.CREATE,
        "processed_at": NOW - timedelta(days=1) + timedelta(seconds=number),
        "salesforce_id": None,
        "storeconnect_id": storeconnect_id(number),
        "message": clean("Required fields are missing: [Name]"),
        "code": "REQUIRED_FIELD_MISSING",
        **changes,
    }
    return SyncError(**values)
