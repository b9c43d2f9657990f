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
    CHANGE_EVENT = "Change event"

    def words(self, *, reverse: bool) -> str:
        """The order in words: `oldest first`, `Z to A`."""
        if self is SortKey.PROCESSED:
            return "newest first" if reverse else "oldest first"
        return "Z to A" if reverse else "A to Z"


_READ: dict[SortKey, Callable[[SyncError], Any]] = {
    SortKey.PROCESSED: lambda error: error.processed_at,
    SortKey.OBJECT: lambda error: error.object.casefold(),
    SortKey.EVENT: lambda error: error.event_type.value,
    SortKey.CODE: lambda error: error.code,
    SortKey.SALESFORCE_ID: lambda error: error.salesforce_id,
    SortKey.STORECONNECT_ID: lambda error: error.storeconnect_id,
    SortKey.MESSAGE: lambda error: error.message.casefold(),
    SortKey.CHANGE_EVENT: lambda error: error.id,
}


def ordered(
    errors: Iterable[SyncError], key: SortKey = SortKey.PROCESSED, *, reverse: bool = False
) -> list[SyncError]:
    """The errors in this order; oldest first within equals, also when reversed.

    Missing values stand last in both: a row without a code is never the first thing to read.
    """
    rows = sorted(errors, key=lambda error: error.processed_at or _NEVER)
    read = _READ[key]
    known = [error for error in rows if read(error)]
    known.sort(key=read, reverse=reverse)
    return known if len(known) == len(rows) else [*known, *(error for error in rows if not read(error))]
