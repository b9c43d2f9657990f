"""Who waits for whom: from errors to the links between them, each with its evidence. Pure and incremental.

Two things make an error a victim: an earlier change of the same record has failed, or a parent record
has. A link is a fact only where the list itself proves it; everything else is shown as a guess and never
orders a plan. Links are not stored: they follow from a few indexes, so a page that arrives late changes
what was concluded before it without any bookkeeping.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from syncerr_tui.diagnosis.named_parents import (
    NO_PARENTS,
    NamedParents,
    is_record_id,
    parents_named,
    says_parent,
)
from syncerr_tui.model import EventType, SyncError

SAME_RECORD_CODE = "INVALID_CHANGE_EVENT"
PARENT_CODE = "INVALID_FIELD"


_Record = tuple[str, str]
"""Object and StoreConnect ID, both in lower case: one record across its events."""


class Evidence(StrEnum):
    """Why a link is believed."""

    SAME_RECORD = "same record"
    NAMED_PARENT = "named parent"
    RELATION = "parent in the org"
    """The record's own lookup, as read from the org."""
    CODE = "code"
    """The status code says that something else failed first; what it was is not in this list."""
    GUESS = "guess"


class Link(NamedTuple):
    """One error that exists because of another. There are as many as rows: a named tuple is made fastest."""

    victim: str
    cause: str | None
    """Id of the error to clear first; None where it is not in this list."""
    evidence: Evidence
    detail: str
    """One sentence for the person: what was seen that proves it, or what to look for."""
    missing: str | None = None
    """Where the cause is not in this list: what is known of it (`Order 1f3c…`)."""
    parent: tuple[str, str] | None = None
    """Where the cause is not in this list: object and StoreConnect ID of the parent, if it is named."""
    ready: bool = False
    """The parent is in Salesforce by now: a re-sync can work."""

    @property
    def fact(self) -> bool:
        """Whether a plan may be ordered by it."""
        return self.cause is not None and self.evidence is not Evidence.GUESS


@dataclass(frozen=True, slots=True)
class ParentRef:
    """A lookup of a failed record as the org has it."""

    object: str
    storeconnect_id: str
    field: str


# A child's parent is of a higher rank. Only used for guesses.
_RANK = {
    "account": 0,
    "contact": 1,
    "lead": 1,
    "order": 2,
    "cart": 2,
    "opportunity": 2,
    "orderitem": 3,
    "shipment": 3,
    "payment": 3,
    "cart_item": 3,
    "subscription": 3,
}
_LOCAL_NAME = re.compile(r"^(?:[A-Za-z0-9]{1,15}(?:_[A-Za-z0-9]{1,15})?__)?(?P<name>\w+?)(?:__[a-z]{1,4})?$")
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_GUESS_WINDOW = timedelta(minutes=1)
_TOO_MANY_TO_GUESS = 200
"""Failed Creates in two minutes beyond which a guess would be a lottery, and looking at all of them slow."""


@lru_cache(maxsize=512)
def local_name(object_name: str) -> str:
    """`s_c__Payment__c` -> `payment`: an object's name without namespace and suffix, in lower case."""
    match = _LOCAL_NAME.match(object_name)
    return (match["name"] if match else object_name).lower()


def made_at(error: SyncError) -> tuple[bool, datetime, str]:
    """Sorts the changes of one record as they happened: the Create before everything, then by time."""
    when = error.created_at or error.processed_at or _BEGINNING
    return (error.event_type is not EventType.CREATE, when, error.id)


class Victims:
    """Errors and the indexes that links follow from.

    `add` and `discard` cost O(rows given and rows whose links may change by them); both tell the latter, so
    that whoever drew conclusions from links knows which to draw again.
    """

    def __init__(self, code_of: Callable[[SyncError], str | None] = lambda error: error.code) -> None:
        """Args: code_of: The code to go by; where the record carries none, the one its wording means."""
        self.errors: dict[str, SyncError] = {}
        self._code_of = code_of
        self._links: dict[str, tuple[Link, ...]] = {}
        self._record_of: dict[str, _Record] = {}
        self._by_record: dict[_Record, list[str]] = {}
        self._by_storeconnect_id: dict[str, tuple[_Record, ...]] = {}
        self._by_salesforce_id: dict[str, tuple[_Record, ...]] = {}
        self._creates_by_minute: defaultdict[int, set[str]] = defaultdict(set)
        # The other way round: who would like to know of an id, or of a failed Create in a minute.
        self._codes: dict[str, str | None] = {}
        self._parents_named: dict[str, NamedParents] = {}
        self._naming: defaultdict[str | None, set[str]] = defaultdict(set)
        self._guessing: defaultdict[int, set[str]] = defaultdict(set)
        self._relations: dict[str, tuple[ParentRef, ...]] = {}
        self._present: set[_Record] = set()

    def add(self, errors: Iterable[SyncError]) -> set[str]:
        """Take rows in, or newer versions of them. Gives the rows whose links may have changed."""
        rows = list(errors)
        touched = self.discard([error.id for error in rows if error.id in self.errors])
        changed: set[_Record] = set()
        by_record = self._by_record
        for error in rows:
            row_id = error.id
            self.errors[row_id] = error
            record = self._record_of[row_id] = _record(error)
            known = by_record.get(record)
            if known is not None:
                known.append(row_id)
                changed.add(record)
            else:
                by_record[record] = [row_id]
                _put(self._by_storeconnect_id, record[1], record)
            if error.salesforce_id:
                _put(self._by_salesforce_id, error.salesforce_id, record)
            touched.add(row_id)
            self._index(error)
        for record in changed:
            ids = by_record[record]
            ids.sort(key=lambda row_id: made_at(self.errors[row_id]))
            touched.update(ids)
        touched |= self._interested(rows)
        self._forget(touched)
        return touched

    def discard(self, ids: Iterable[str]) -> set[str]:
        """Let rows go that left the list. Gives the rows that stay and whose links may have changed."""
        touched: set[str] = set()
        gone = [error for row_id in ids if (error := self.errors.pop(row_id, None)) is not None]
        for error in gone:
            record = self._record_of.pop(error.id)
            rest = self._by_record[record]
            rest.remove(error.id)
            touched.update(rest)
            if not rest:
                del self._by_record[record]
                _take(self._by_storeconnect_id, record[1], record)
            known_as = error.salesforce_id
            still = (other.salesforce_id for row_id in rest if (other := self.errors.get(row_id)) is not None)
            if known_as and known_as not in still:
                _take(self._by_salesforce_id, known_as, record)
            self._unindex(error)
            self._links.pop(error.id, None)
        touched |= self._interested(gone)
        touched &= self.errors.keys()
        self._forget(touched)
        return touched

    def relate(self, relations: Mapping[str, tuple[ParentRef, ...]]) -> set[str]:
        """What the org says about parents of failed records (error id -> its lookups)."""
        self._relations.update(relations)
        for row_id, refs in relations.items():
            for ref in refs:
                self._naming[ref.storeconnect_id.lower()].add(row_id)
        touched = set(relations) & self.errors.keys()
        self._forget(touched)
        return touched

    def present(self, records: Iterable[tuple[str, str]]) -> set[str]:
        """These records (object, StoreConnect ID) are in Salesforce. Gives the rows that this concerns."""
        known = {(name.lower(), storeconnect_id.lower()) for name, storeconnect_id in records} - self._present
        self._present |= known
        touched = {row for _name, value in known for row in self._naming.get(value, ())} & self.errors.keys()
        self._forget(touched)
        return touched

    def links_of(self, row_id: str) -> tuple[Link, ...]:
        """Why this row waits, the strongest reason first; empty for a row that waits for nobody."""
        known = self._links.get(row_id)
        if known is None:
            known = self._links[row_id] = self._concluded(self.errors[row_id])
        return known

    # -- the indexes -----------------------------------------------------------------------------

    def _index(self, error: SyncError) -> None:
        code = self._codes[error.id] = error.code if error.code is not None else self._code_of(error)
        if code == PARENT_CODE:
            named = self._parents_named[error.id] = parents_named(error.message)
            for value in named.ids:
                self._naming[value].add(error.id)
            if not named.ids and error.processed_at:
                self._guessing[_minute(error.processed_at)].add(error.id)
        elif error.event_type is EventType.CREATE and code != SAME_RECORD_CODE and error.processed_at:
            self._creates_by_minute[_minute(error.processed_at)].add(error.id)

    def _unindex(self, error: SyncError) -> None:
        del self._codes[error.id]
        for value in self._parents_named.pop(error.id, NO_PARENTS).ids:
            self._naming[value].discard(error.id)
        if error.processed_at:
            minute = _minute(error.processed_at)
            self._guessing[minute].discard(error.id)
            self._creates_by_minute[minute].discard(error.id)

    def _interested(self, errors: Iterable[SyncError]) -> set[str]:
        """Rows that may be victims of one of these."""
        rows: set[str] = set()
        minutes: set[int] = set()
        naming, guessing = self._naming, bool(self._guessing)
        for error in errors:
            ids = {error.storeconnect_id.lower(), error.salesforce_id}
            if self._by_salesforce_id:
                # Who names the record by an id that another of its changes carries is linked to its first.
                others = map(self.errors.get, self._by_record.get(_record(error), ()))
                ids |= {other.salesforce_id for other in others if other is not None}
            for known_as in ids & naming.keys():
                rows |= naming[known_as]
            if guessing and error.event_type is EventType.CREATE and error.processed_at:
                minute = _minute(error.processed_at)
                minutes |= {minute, minute + 1}
        for minute in minutes & self._guessing.keys():
            rows |= self._guessing[minute]
        return rows & self.errors.keys()

    def _forget(self, ids: Iterable[str]) -> None:
        for row_id in ids:
            self._links.pop(row_id, None)

    # -- the kinds of evidence -------------------------------------------------------------------

    def _concluded(self, error: SyncError) -> tuple[Link, ...]:
        code = self._codes[error.id]
        earlier = self._earlier(error, code)
        if code == SAME_RECORD_CODE:
            return (earlier or _unlisted_change(error),)
        found = [earlier] if earlier else []
        if code == PARENT_CODE and says_parent(error.message):
            found += self._parents(error) or (
                [] if earlier else [self._guess(error) or _unlisted_parent(error)]
            )
        return tuple(found)

    def _earlier(self, error: SyncError, code: str | None) -> Link | None:
        """An earlier failed change of the same record that this one needs."""
        ids = self._by_record[self._record_of[error.id]]
        if len(ids) == 1 or not error.storeconnect_id:
            return None
        position = ids.index(error.id)
        if position == 0:
            return None
        if code == SAME_RECORD_CODE:
            cause = self.errors[ids[position - 1]]
            said = f"{SAME_RECORD_CODE} says so, and the {cause.event_type} before it failed"
            return Link(error.id, cause.id, Evidence.SAME_RECORD, said)
        cause = self.errors[ids[0]]
        if cause.event_type is not EventType.CREATE or error.event_type is EventType.CREATE:
            # Two changes of an existing record that fail for reasons of their own do not need each other.
            return None
        return Link(error.id, cause.id, Evidence.SAME_RECORD, "the Create of this record failed before it")

    def _parents(self, error: SyncError) -> list[Link]:
        named = self._named_parents(error)
        if named:
            return named
        return [
            Link(
                error.id,
                parent.id,
                Evidence.RELATION,
                f"{ref.field} in the org points to this {ref.object}, which failed",
            )
            for ref in self._relations.get(error.id, ())
            if (parent := self._failed_create(ref.storeconnect_id, ref.object, error)) is not None
        ]

    def _named_parents(self, error: SyncError) -> list[Link]:
        """The parents whose ids stand in the message, where they have failed themselves."""
        named = self._parents_named.get(error.id, NO_PARENTS)
        entity = named.entity
        links = []
        unlisted = None
        for value in named.ids:
            if is_record_id(value):
                links += self._named_by_salesforce_id(value, error)
                continue
            if value == error.storeconnect_id.lower() and entity is None:
                continue
            parent = self._failed_create(value, entity, error)
            if parent is not None:
                said = f"the message names {parent.object} {_short(value)}, which failed"
                links.append(Link(error.id, parent.id, Evidence.NAMED_PARENT, said))
            elif unlisted is None:
                unlisted = self._unlisted(error, entity, value)
        return links or ([unlisted] if unlisted else [])

    def _unlisted(self, error: SyncError, object_name: str | None, value: str) -> Link:
        what = f"{object_name or 'the record'} {_short(value)}"
        if object_name and (object_name.lower(), value) in self._present:
            said = f"the message names {what}, which is in Salesforce by now: a re-sync can work"
            return Link(error.id, None, Evidence.NAMED_PARENT, said, ready=True)
        link = _unlisted_parent(error, what)
        return link._replace(parent=(object_name, value)) if object_name else link

    def _named_by_salesforce_id(self, salesforce_id: str, error: SyncError) -> list[Link]:
        parents = [
            self.errors[self._by_record[record][0]]
            for record in self._by_salesforce_id.get(salesforce_id, ())
            if record != self._record_of[error.id]
        ]
        return [
            Link(
                error.id,
                parent.id,
                Evidence.NAMED_PARENT,
                f"the message names {parent.object} {salesforce_id}, which failed",
            )
            for parent in parents
        ]

    def _failed_create(
        self, storeconnect_id: str, object_name: str | None, child: SyncError
    ) -> SyncError | None:
        """The failed event that keeps this parent out of Salesforce; None where the list has none, or two."""
        own = self._record_of[child.id]
        wanted = object_name.lower() if object_name is not None else None
        records = [
            record
            for record in self._by_storeconnect_id.get(storeconnect_id.lower(), ())
            if record != own and wanted in {None, record[0]}
        ]
        if len(records) != 1:
            return None
        first = self.errors[self._by_record[records[0]][0]]
        # A parent that is in Salesforce already cannot be what the child misses, whatever failed on it later.
        return first if first.salesforce_id is None else None

    def _guess(self, error: SyncError) -> Link | None:
        """One failed Create of a possible parent in the same minute: never more than a guess."""
        when = error.processed_at
        rank = _RANK.get(local_name(error.object))
        if when is None or rank is None or self._parents_named.get(error.id, NO_PARENTS).ids:
            return None
        minute = _minute(when)
        nearby = (self._creates_by_minute.get(minute - 1, set()), self._creates_by_minute.get(minute, set()))
        if sum(map(len, nearby)) > _TOO_MANY_TO_GUESS:
            return None
        near = {
            row_id
            for rows in nearby
            for row_id in rows
            if _RANK.get(local_name(self.errors[row_id].object), 99) < rank
            and timedelta(0) <= when - (self.errors[row_id].processed_at or when) <= _GUESS_WINDOW
        }
        if len(near) != 1:
            return None
        cause = self.errors[near.pop()]
        said = f"guess: {cause.object} {_short(cause.storeconnect_id)} failed in the minute before"
        return Link(error.id, cause.id, Evidence.GUESS, said)


def _record(error: SyncError) -> _Record:
    # A row without a StoreConnect ID is a record of its own: two of them prove nothing about each other.
    return (error.object.lower(), error.storeconnect_id.lower() or f"event {error.id}")


def _unlisted_change(error: SyncError) -> Link:
    what = f"an earlier change of {error.object} {_short(error.storeconnect_id)}"
    said = f"{SAME_RECORD_CODE} says that {what} failed; it is not in this list: refresh, or look for its ID"
    return Link(error.id, None, Evidence.CODE, said, missing=what)


def _unlisted_parent(error: SyncError, parent: str | None = None) -> Link:
    if parent is None:
        said = f"{PARENT_CODE} says that a parent of this {error.object} failed; the message does not name it"
        return Link(error.id, None, Evidence.CODE, said)
    said = (
        f"the message names {parent}, which is not in this list: it may be in Salesforce by now, or deleted"
    )
    return Link(error.id, None, Evidence.CODE, said, missing=parent)


def _minute(when: datetime) -> int:
    return int(when.timestamp()) // 60


def _put(index: dict[str, tuple[_Record, ...]], key: str, record: _Record) -> None:
    known = index.get(key)
    if known is None:
        index[key] = (record,)
    elif record not in known:
        index[key] = (*known, record)


def _take(index: dict[str, tuple[_Record, ...]], key: str, record: _Record) -> None:
    rest = tuple(other for other in index.get(key, ()) if other != record)
    if rest:
        index[key] = rest
    else:
        index.pop(key, None)


def _short(identifier: str) -> str:
    return identifier if len(identifier) <= 12 else f"{identifier[:8]}…"
