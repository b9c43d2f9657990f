"""Who waits for whom: from errors to the links between them, each with its evidence. Pure and incremental.

Two things make an error a victim: an earlier change of the same record has failed, or a parent record
has. A link is a fact only where the list itself proves it; everything else is shown as a guess and never
orders a plan. Links are not stored: they follow from a few indexes, so a page that arrives late changes
what was concluded before it without any bookkeeping.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from syncerr_tui.diagnosis.evidence import (
    NO_PARENTS,
    PARENT_CODE,
    SAME_RECORD_CODE,
    Evidence,
    Link,
    NamedParents,
    ParentRef,
    is_record_id,
    parents_named,
    says_parent,
    short_id,
    unlisted_change,
    unlisted_parent,
)
from syncerr_tui.model import EventType, SyncError


class _Record:
    """One record across its events."""

    __slots__ = ("events", "object", "storeconnect_id")

    def __init__(self, object_name: str, storeconnect_id: str) -> None:
        """Both in lower case; the ID may be empty."""
        self.object = object_name
        self.storeconnect_id = storeconnect_id
        self.events: list[str] = []
        """Ids of its errors, as they happened."""


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
    when = error.since or _BEGINNING
    return (error.event_type is not EventType.CREATE, when, error.id)


_NO_RECORD = _Record("", "")
_NOBODY: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class GraphNode:
    """One error among all of them: what is known of it, and what was concluded.

    One object in place of an entry in a dozen dicts: finding those was half the time of linking. Other rows
    are named by their ids, so that no two nodes hold each other and nothing is left to a garbage collector.
    """

    error: SyncError
    record: _Record = _NO_RECORD
    code: str | None = None
    """The code to go by."""
    named: NamedParents = NO_PARENTS
    links: tuple[Link, ...] | None = None
    """Why it waits; None where that must be concluded anew."""
    # What `CauseGraph` makes of the links.
    age: tuple[float, str] = (0.0, "")
    before: str | None = None
    """The row it waits for, where it is in the list."""
    guessed: bool = False
    """That is a guess."""
    behind: set[str] | frozenset[str] = _NOBODY
    """The rows that wait directly for it."""
    root: str | None = None
    """The row at the end of its chain; itself where it waits for nobody. None: to be found anew."""
    unsure: bool = False
    """There is a guess on the way to there."""
    group: str | None = None
    """The key of its cause; None: to be found anew."""


class Victims:
    """Errors and the indexes that links follow from.

    `add` and `discard` cost O(rows given and rows whose links may change by them); both tell the latter, so
    that whoever drew conclusions from links knows which to draw again.
    """

    def __init__(self, code_of: Callable[[SyncError], str | None] = lambda error: error.code) -> None:
        """Args: code_of: The code to go by; where the record carries none, the one its wording means."""
        self.errors: dict[str, SyncError] = {}
        self.nodes: dict[str, GraphNode] = {}
        self._code_of = code_of
        self._by_storeconnect_id: dict[str, list[_Record]] = {}
        self._by_salesforce_id: dict[str, list[_Record]] = {}
        # The other way round: who would like to know of an id, or of a failed Create in a minute.
        self._naming: defaultdict[str, set[str]] = defaultdict(set)
        self._guessing: defaultdict[int, set[str]] = defaultdict(set)
        self._creates_by_minute: defaultdict[int, set[str]] = defaultdict(set)
        self._relations: dict[str, tuple[ParentRef, ...]] = {}
        self._present: set[tuple[str, str]] = set()

    def add(self, errors: Iterable[SyncError]) -> set[str]:
        """Take rows in, or newer versions of them. Gives the rows whose links may have changed."""
        rows = {error.id: error for error in errors}
        nodes = self.nodes
        touched = self._leave([nodes[row_id] for row_id in rows if row_id in nodes])
        self.errors.update(rows)
        changed: list[_Record] = []
        fresh: list[GraphNode] = []
        for row_id, error in rows.items():
            node = nodes.get(row_id)
            if node is None:
                node = nodes[row_id] = GraphNode(error)
            else:
                node.error = error
            node.record = record = self._record(error)
            record.events.append(row_id)
            if len(record.events) > 1:
                changed.append(record)
            if error.salesforce_id:
                _put(self._by_salesforce_id, error.salesforce_id, record)
            node.links = None
            self._index(node)
            fresh.append(node)
        for record in changed:
            record.events.sort(key=lambda row_id: made_at(nodes[row_id].error))
            touched.update(record.events)
        touched |= self._interested(fresh)
        self._forget(touched)
        touched.update(rows)
        return touched

    def discard(self, ids: Iterable[str]) -> set[str]:
        """Let rows go that left the list. Gives the rows that stay and whose links may have changed."""
        removed = [self.nodes[row_id] for row_id in dict.fromkeys(ids) if row_id in self.nodes]
        touched = self._leave(removed)
        for node in removed:
            del self.nodes[node.error.id], self.errors[node.error.id]
        return touched

    def _leave(self, removed: Sequence[GraphNode]) -> set[str]:
        """Take rows out of the indexes. Gives the others whose links may have changed."""
        touched: set[str] = set()
        for node in removed:
            error, record = node.error, node.record
            record.events.remove(error.id)
            touched.update(record.events)
            if not record.events and record.storeconnect_id:
                _take(self._by_storeconnect_id, record.storeconnect_id, record)
            known_as = error.salesforce_id
            if known_as and all(self.errors[other].salesforce_id != known_as for other in record.events):
                _take(self._by_salesforce_id, known_as, record)
            self._unindex(node)
        touched |= self._interested(removed)
        touched.difference_update(node.error.id for node in removed)
        self._forget(touched)
        return touched

    def relate(self, relations: Mapping[str, tuple[ParentRef, ...]]) -> set[str]:
        """What the org says about parents of failed records (error id -> its lookups)."""
        self._relations.update(relations)
        for row_id, refs in relations.items():
            for ref in refs:
                self._naming[ref.storeconnect_id.lower()].add(row_id)
        touched = relations.keys() & self.nodes.keys()
        self._forget(touched)
        return touched

    def present(self, records: Iterable[tuple[str, str]]) -> set[str]:
        """These records (object, StoreConnect ID) are in Salesforce. Gives the rows that this concerns."""
        known = {(name.lower(), storeconnect_id.lower()) for name, storeconnect_id in records} - self._present
        self._present |= known
        touched = {row for _name, value in known for row in self._naming.get(value, ())} & self.nodes.keys()
        self._forget(touched)
        return touched

    def links_of(self, row_id: str) -> tuple[Link, ...]:
        """Why this row waits, the strongest reason first; empty for a row that waits for nobody."""
        node = self.nodes[row_id]
        if node.links is None:
            node.links = self._concluded(node)
        return node.links

    # -- the indexes -----------------------------------------------------------------------------

    def _record(self, error: SyncError) -> _Record:
        name, value = error.object.lower(), error.storeconnect_id.lower()
        if not value:
            # A record of its own: two rows without an ID prove nothing about each other.
            return _Record(name, "")
        known = self._by_storeconnect_id.get(value)
        if known is None:
            record = _Record(name, value)
            self._by_storeconnect_id[value] = [record]
            return record
        for record in known:
            if record.object == name:
                return record
        known.append(_Record(name, value))
        return known[-1]

    def _index(self, node: GraphNode) -> None:
        error = node.error
        code = node.code = error.code if error.code is not None else self._code_of(error)
        if code == PARENT_CODE:
            named = node.named = parents_named(error.message)
            for value in named.ids:
                self._naming[value].add(error.id)
            if not named.ids and error.processed_at:
                self._guessing[_minute(error.processed_at)].add(error.id)
        elif error.event_type is EventType.CREATE and code != SAME_RECORD_CODE and error.processed_at:
            self._creates_by_minute[_minute(error.processed_at)].add(error.id)

    def _unindex(self, node: GraphNode) -> None:
        error = node.error
        for value in node.named.ids:
            self._naming[value].discard(error.id)
        node.named = NO_PARENTS
        if error.processed_at:
            minute = _minute(error.processed_at)
            self._guessing[minute].discard(error.id)
            self._creates_by_minute[minute].discard(error.id)

    def _interested(self, changed: Iterable[GraphNode]) -> set[str]:
        """Rows that may be victims of one of these."""
        rows: set[str] = set()
        minutes: set[int] = set()
        naming, guessing, by_salesforce_id = self._naming, bool(self._guessing), bool(self._by_salesforce_id)
        for node in changed:
            error, record = node.error, node.record
            rows |= naming.get(record.storeconnect_id, _NOBODY)
            if error.salesforce_id:
                rows |= naming.get(error.salesforce_id, _NOBODY)
            if by_salesforce_id:
                # Who names the record by an id that another of its changes carries is linked to its first.
                for other in record.events:
                    rows |= naming.get(self.errors[other].salesforce_id or "", _NOBODY)
            if guessing and error.event_type is EventType.CREATE and error.processed_at:
                minute = _minute(error.processed_at)
                minutes |= {minute, minute + 1}
        for minute in minutes & self._guessing.keys():
            rows |= self._guessing[minute]
        return rows & self.nodes.keys()

    def _forget(self, ids: Iterable[str]) -> None:
        for row_id in ids:
            self.nodes[row_id].links = None

    # -- the kinds of evidence -------------------------------------------------------------------

    def _concluded(self, node: GraphNode) -> tuple[Link, ...]:
        error, code = node.error, node.code
        earlier = self._earlier(node) if len(node.record.events) > 1 else None
        if code == SAME_RECORD_CODE:
            return (earlier or unlisted_change(error),)
        if code != PARENT_CODE or not says_parent(error.message):
            return (earlier,) if earlier else ()
        parents = self._parents(node)
        if earlier:
            return (earlier, *parents)
        return tuple(parents) or (self._guess(node) or unlisted_parent(error),)

    def _earlier(self, node: GraphNode) -> Link | None:
        """An earlier failed change of the same record that this one needs."""
        error, events = node.error, node.record.events
        position = events.index(error.id)
        if position == 0:
            return None
        if node.code == SAME_RECORD_CODE:
            cause = self.errors[events[position - 1]]
            detail = f"{SAME_RECORD_CODE} says so, and the {cause.event_type} before it failed"
            return Link(error.id, cause.id, Evidence.SAME_RECORD, detail)
        cause = self.errors[events[0]]
        if cause.event_type is not EventType.CREATE or error.event_type is EventType.CREATE:
            # Two changes of an existing record that fail for reasons of their own do not need each other.
            return None
        return Link(error.id, cause.id, Evidence.SAME_RECORD, "the Create of this record failed before it")

    def _parents(self, node: GraphNode) -> list[Link]:
        named = self._named_parents(node)
        if named:
            return named
        error = node.error
        return [
            Link(
                error.id,
                parent.id,
                Evidence.RELATION,
                f"{ref.field} in the org points to this {ref.object}, which failed",
            )
            for ref in self._relations.get(error.id, ())
            if (parent := self._failed_create(ref.storeconnect_id.lower(), ref.object, node)) is not None
        ]

    def _named_parents(self, node: GraphNode) -> list[Link]:
        """The parents whose ids stand in the message, where they have failed themselves."""
        error, entity = node.error, node.named.entity
        links = []
        unlisted = None
        for value in node.named.ids:
            if is_record_id(value):
                links += self._named_by_salesforce_id(value, node)
                continue
            if value == node.record.storeconnect_id and entity is None:
                continue
            parent = self._failed_create(value, entity, node)
            if parent is not None:
                detail = f"the message names {parent.object} {short_id(value)}, which failed"
                links.append(Link(error.id, parent.id, Evidence.NAMED_PARENT, detail))
            elif unlisted is None:
                unlisted = self._unlisted(error, entity, value)
        return links or ([unlisted] if unlisted else [])

    def _unlisted(self, error: SyncError, object_name: str | None, value: str) -> Link:
        what = f"{object_name or 'the record'} {short_id(value)}"
        if object_name and (object_name.lower(), value) in self._present:
            detail = f"the message names {what}, which is in Salesforce by now: a re-sync can work"
            return Link(error.id, None, Evidence.NAMED_PARENT, detail, ready=True)
        link = unlisted_parent(error, what)
        return link._replace(parent=(object_name, value)) if object_name else link

    def _named_by_salesforce_id(self, salesforce_id: str, node: GraphNode) -> list[Link]:
        parents = [
            self.errors[record.events[0]]
            for record in self._by_salesforce_id.get(salesforce_id, ())
            if record is not node.record
        ]
        return [
            Link(
                node.error.id,
                parent.id,
                Evidence.NAMED_PARENT,
                f"the message names {parent.object} {salesforce_id}, which failed",
            )
            for parent in parents
        ]

    def _failed_create(
        self, storeconnect_id: str, object_name: str | None, child: GraphNode
    ) -> SyncError | None:
        """The failed event that keeps this parent out of Salesforce; None where the list has none, or two."""
        name = object_name.lower() if object_name is not None else None
        only = None
        for record in self._by_storeconnect_id.get(storeconnect_id, ()):
            if record is not child.record and (name is None or name == record.object):
                if only is not None:
                    return None
                only = record
        if only is None:
            return None
        first = self.errors[only.events[0]]
        # A parent that is in Salesforce already cannot be what the child misses, whatever failed on it later.
        return first if first.salesforce_id is None else None

    def _guess(self, node: GraphNode) -> Link | None:
        """One failed Create of a possible parent in the same minute: never more than a guess."""
        error = node.error
        when = error.processed_at
        rank = _RANK.get(local_name(error.object))
        if when is None or rank is None or node.named.ids:
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
        detail = f"{cause.object} {short_id(cause.storeconnect_id)} failed in the minute before"
        return Link(error.id, cause.id, Evidence.GUESS, detail)


def _minute(when: datetime) -> int:
    return int(when.timestamp()) // 60


def _put(index: dict[str, list[_Record]], key: str, record: _Record) -> None:
    known = index.setdefault(key, [])
    if record not in known:
        known.append(record)


def _take(index: dict[str, list[_Record]], key: str, record: _Record) -> None:
    known = index[key]
    known.remove(record)
    if not known:
        del index[key]
