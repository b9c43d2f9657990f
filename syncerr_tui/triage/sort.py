"""In which order rows stand. Ties keep the oldest first, so that equal rows read like the manual's list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from syncerr_tui.model import SyncError

_NEVER = datetime.max.replace(tzinfo=UTC)


class SortKey(Enum):
    """A column to sort by; the value is its label on screen."""

    PROCESSED = "Processed At"
    OBJECT = "Object"
    EVENT = "Event"
    CODE = "Code"
    SALESFORCE_ID = "Salesforce ID"
    STORECONNECT_ID = "StoreConnect ID"
    MESSAGE = "Message"

    def words(self, *, reverse: bool) -> str:
        """The order in words: `oldest first`, `Z to A`."""
        if self is SortKey.PROCESSED:
            return "newest first" if reverse else "oldest first"
        return "Z to A" if reverse else "A to Z"


# Missing values stand last: a row without a code is never the first thing to read.
_READ: dict[SortKey, Callable[[SyncError], Any]] = {
    SortKey.PROCESSED: lambda error: error.processed_at or _NEVER,
    SortKey.OBJECT: lambda error: error.object.casefold(),
    SortKey.EVENT: lambda error: error.event_type.value,
    SortKey.CODE: lambda error: (error.code is None, error.code or ""),
    SortKey.SALESFORCE_ID: lambda error: (error.salesforce_id is None, error.salesforce_id or ""),
    SortKey.STORECONNECT_ID: lambda error: (not error.storeconnect_id, error.storeconnect_id),
    SortKey.MESSAGE: lambda error: error.message.casefold(),
}


def ordered(
    errors: Iterable[SyncError], key: SortKey = SortKey.PROCESSED, *, reverse: bool = False
) -> list[SyncError]:
    """The errors in this order; oldest first within equals, also when reversed."""
    rows = sorted(errors, key=_READ[SortKey.PROCESSED])
    if key is SortKey.PROCESSED:
        return rows[::-1] if reverse else rows
    rows.sort(key=_READ[key], reverse=reverse)
    return rows
