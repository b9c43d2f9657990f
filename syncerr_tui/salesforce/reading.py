"""From a record as the org sends it to a `SyncError`: the one place where change events come in.

Everything in a record was written by somebody else: all text goes through `text.clean` here, ids are
checked, and what cannot be read becomes "not there", never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from syncerr_tui.diagnosis.codes import find_codes
from syncerr_tui.model import EventSeen, EventStanding, EventType, SyncError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import Row
from syncerr_tui.salesforce.profiles import FieldMapping
from syncerr_tui.salesforce.soql import to_18
from syncerr_tui.salesforce.vocabulary import Standing, standing_of
from syncerr_tui.text import SafeText, clean, one_line

_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,79}\Z", re.ASCII)
_MOVED_BY_TOUCH = frozenset(("lastmodifieddate", "systemmodstamp"))
"""Fields that set-up takes for Processed At where the org has none: every change of the event moves them."""
_REMEMBERED, _SHORT = 4096, 2000
"""Messages kept for rows that share them, and the longest that is worth it: 16 MB at most."""


@dataclass(frozen=True, slots=True)
class ReadUpTo:
    """Where a reading of the list stands: the last row that arrived."""

    created_at: str
    """As the org wrote it; the key of the next query must match to the last digit."""
    id: str


class EventReader:
    """Reads change events under one org's mapping."""

    def __init__(self, mapping: FieldMapping) -> None:
        self.mapping = mapping
        self.fields = tuple(dict.fromkeys((*mapping.fields, "CreatedDate", "SystemModstamp")))
        self._failed = frozenset(value.casefold() for value in mapping.failed)
        self._pending = frozenset(value.casefold() for value in mapping.pending)
        self._done = frozenset(value.casefold() for value in mapping.done)
        self._types = {value.casefold(): kind for value, kind in mapping.event_types.items()}
        self._messages: dict[str, tuple[SafeText, str | None]] = {}

    def query(self, after: ReadUpTo | None = None) -> str:
        """All unresolved errors, oldest first, or those behind a place.

        By CreatedDate and Id, which never change: a list that is read on after an interruption neither
        misses a row nor brings one twice, even while others are re-syncing.
        """
        conditions = [failed_only(self.mapping)]
        if after is not None:
            at, key = _literal(after.created_at), soql.quote(after.id)
            conditions.append(f"(CreatedDate > {at} OR (CreatedDate = {at} AND Id > {key}))")
        names = ", ".join(map(soql.path, self.fields))
        where = " AND ".join(filter(None, conditions))
        return (
            f"SELECT Id, {names} FROM {soql.name(self.mapping.object_name)}"  # noqa: S608 - checked names
            f"{f' WHERE {where}' if where else ''} ORDER BY CreatedDate, Id"
        )

    def changed_query(self, since: datetime) -> str:
        """All change events, of whatever status, that were written at or after this moment."""
        names = ", ".join(map(soql.path, self.fields))
        return (
            f"SELECT Id, {names} FROM {soql.name(self.mapping.object_name)} "  # noqa: S608 - checked names
            f"WHERE SystemModstamp >= {soql.datetime_literal(since)}"
        )

    def place(self, row: Row) -> ReadUpTo | None:
        """Where the list stands after this row."""
        created, key = row.get("CreatedDate"), to_18(row.get("Id"))
        return ReadUpTo(created, key) if isinstance(created, str) and datetime_of(created) and key else None

    def error(self, row: Row) -> SyncError | None:
        """A record as a sync error; None where it has no usable id and so cannot be told from others."""
        names, field = self.mapping, row.get
        key = to_18(field("Id"))
        if key is None:
            return None
        message, code_in_message = self._message(_text(field(names.message)))
        return SyncError(
            id=key,
            object=one_line(_text(field(names.object))),
            event_type=self._types.get(_text(field(names.event_type)).strip().casefold(), EventType.OTHER),
            processed_at=datetime_of(field(names.processed_at)),
            salesforce_id=to_18(field(names.salesforce_id)) if names.salesforce_id else None,
            storeconnect_id=one_line(_text(field(names.storeconnect_id))),
            message=message,
            code=(_code(field(names.code)) if names.code else None) or code_in_message,
            created_at=datetime_of(field("CreatedDate")),
        )

    def errors(self, rows: list[Row]) -> tuple[SyncError, ...]:
        """A page of records; those that did not fail are left out where the org could not do it."""
        if not self.mapping.status_filterable:
            status = self.mapping.status
            rows = [row for row in rows if self.standing(row.get(status)) is EventStanding.FAILED]
        return tuple(error for row in rows if (error := self.error(row)) is not None)

    def seen(self, event_id: str, row: Row | None) -> EventSeen:
        """A change event as it stands now; `row` is None where the org has none, or hides it."""
        if row is None:
            return EventSeen(event_id, EventStanding.GONE, None, None, None)
        status = row.get(self.mapping.status)
        return EventSeen(
            event_id,
            self.standing(status),
            one_line(_text(status)) or None,
            self.error(row),
            datetime_of(row.get("SystemModstamp")),
            processed_by_touch=self.mapping.processed_at.casefold() in _MOVED_BY_TOUCH,
        )

    def standing(self, status: object) -> EventStanding:
        """What a status means. An empty one means nothing yet; one in no list never counts as done.

        Of several values at once (a multi-select picklist) the one that is furthest from done counts.
        """
        standings = {self._meaning(value) for value in status_values(status, self.mapping.status_type)}
        for standing in (EventStanding.FAILED, EventStanding.PENDING, EventStanding.UNCLEAR):
            if standing in standings:
                return standing
        return EventStanding.DONE if standings else EventStanding.PENDING

    def _meaning(self, value: str) -> EventStanding:
        word = value.strip().casefold()
        if word in self._failed:
            return EventStanding.FAILED
        if word in self._done:
            return EventStanding.DONE
        # A value that setup did not see, where it saw none that means pending, is judged by its sound.
        sounds = not self._pending and standing_of(value, value) is Standing.PENDING
        unsettled = not word or word in self._pending or sounds
        return EventStanding.PENDING if unsettled else EventStanding.UNCLEAR

    def _message(self, raw: str) -> tuple[SafeText, str | None]:
        """Clean text and its first code. Thousands of rows share a message: each is read once."""
        known = self._messages.get(raw)
        if known is None:
            safe = clean(raw)
            known = (safe, next((named.code for named in find_codes(safe)), None))
            if len(raw) <= _SHORT:
                if len(self._messages) >= _REMEMBERED:
                    self._messages.clear()
                self._messages[raw] = known
        return known


def failed_only(mapping: FieldMapping) -> str:
    """The condition of a query that finds failed events only; empty where the org takes none."""
    if not mapping.status_filterable:
        return ""
    return soql.one_of(mapping.status, mapping.failed, mapping.status_type)


DATETIME = "%Y-%m-%dT%H:%M:%S.000+0000"
"""How the API writes a datetime, which is in UTC."""


def datetime_of(value: object) -> datetime | None:
    """A datetime of the API, in UTC; None where it is none. A time without an offset is UTC there."""
    if not isinstance(value, str) or not 8 <= len(value) <= 40:
        return None
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is UTC:  # as the API writes it
            return time
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def text(row: Row, key: str) -> str:
    """A column as harmless text; empty where it is none."""
    value = row.get(key)
    return one_line(value) if isinstance(value, str) else ""


def changed(row: Row) -> tuple[datetime | None, str]:
    """When a thing was last changed, and by whom, as far as a row says it."""
    by = row.get("LastModifiedBy")
    who = text(by, "Name") if isinstance(by, dict) else text(row, "LastModifiedBy")
    return datetime_of(row.get("LastModifiedDate")), who


def _literal(created: str) -> str:
    time = datetime_of(created)
    assert time is not None
    return soql.datetime_literal(time)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, Mapping | list) else str(value)


def _code(value: object) -> str | None:
    word = _text(value).strip()
    return word if _CODE.match(word) else None


def status_values(value: object, kind: str) -> tuple[str, ...]:
    """The values that a status holds, as text: none, one, or several in a multi-select picklist."""
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, int | float):
        return (f"{value:.15g}",)
    if not isinstance(value, str) or not value.strip():
        return ()
    return tuple(part for part in value.split(";") if part) if kind == "multipicklist" else (value,)
