"""An org of its own: records, change events, and a sync engine that works requests off when their time comes.

Written from the API's reference alone. It keeps a ledger (`truth`) that no client sees. Nothing runs in the
background: whatever is due by the clock is done before the next question is answered.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from random import Random
from typing import Any

from tests.independent import soql
from tests.independent.clock import Clock
from tests.independent.ids import Ids
from tests.independent.naming import Naming
from tests.independent.schema import RECORDS, Table, tables_of
from tests.independent.truth import Application, Look, Reply, Request, Truth


class Reaction(StrEnum):
    """What shows on an event as soon as a request for it is accepted."""

    SILENT = "silent"
    STATUS = "status"
    """It gets the pending value."""
    STRANGE = "strange"
    """It gets a value that no profile knows."""
    TOUCH = "touch"
    """A counter goes up, and with it the modification stamps; it stays failed."""


class Fate(StrEnum):
    """What becomes of an event when it is worked on."""

    WRITES = "writes"
    FAILS = "fails"
    """With the same message."""
    FAILS_ANEW = "fails anew"
    REJECTED = "rejected"
    """It gets the other value that means failed; nothing is written."""
    STRANGE = "strange"
    """It gets a value that no profile knows; nothing is written."""
    FLAPS = "flaps"
    """It gets a value that no profile knows, and fails some time later."""
    NOTHING = "nothing"
    """It is called done, and nothing was written."""
    VANISHES = "vanishes"
    """The record is written, and the event deleted."""
    TWINS = "twins"
    """Two records are written."""
    NEVER = "never"
    """The request is lost inside the org."""


@dataclass(slots=True)
class Event:
    """A change event, and what it is destined for."""

    id: str
    object: str
    kind: str
    """`create`, `update` or `delete`."""
    key: str
    fate: Fate = Fate.WRITES
    delay: float = 2.0
    """Seconds from a request until it is worked on."""
    hidden: bool = False
    """The record is one that the client's user cannot see."""
    parent: str = ""
    """The event whose record has to be there first."""
    echo: float = 0.0
    """Seconds after it was worked on at which some automation writes to its record; 0: none does."""
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is queued in the sync engine."""

    event: str
    asked_at: float
    request: int | None


@dataclass(slots=True)
class Manners:
    """How the org treats its clients."""

    reaction: Reaction = Reaction.SILENT
    sees_all: bool = True
    """The client's user has View All Data."""
    tells_permissions: bool = True
    """That user may read permission sets and its own permissions."""
    skew: float = 0.0
    """Seconds by which the org's clock is ahead of the machine's."""


class Org:
    """The org's state. Thread-safe. Times are seconds since 1970 by the org's clock.

    Args:
        clock: The shared clock.
        naming: What it calls things.
        rng: For ids and chances.
    """

    def __init__(self, clock: Clock, naming: Naming, rng: Random, manners: Manners | None = None) -> None:
        self.clock, self.naming, self.rng = clock, naming, rng
        self.manners = manners or Manners()
        self.lock = threading.RLock()
        self.truth = Truth()
        self.events: dict[str, Event] = {}
        self.tables = tables_of(naming)
        self.hidden: set[str] = set()
        """Records that the client's user cannot see."""
        self.made: dict[str, list[tuple[float, str]]] = {}
        """Records that the sync engine has created for a StoreConnect ID, and when."""
        self._ids = Ids(rng)
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        self._working: float | None = None
        self.org_id = self._ids.next("00D")
        self.users = {name: self._ids.next("005") for name in ("client", "sync", "person", "automation")}
        self._set_up()

    # -- set-up

    def _set_up(self) -> None:
        profile, permissions = self._ids.next("00e"), self._ids.next("0PS")
        all_data = {"PermissionsViewAllData": self.manners.sees_all}
        self._insert("Organization", self.org_id, Name="Kaufladen", IsSandbox=False, OrganizationType="x")
        for name, key in self.users.items():
            known_as = {"Name": name.title(), "Username": f"{name}@kaufladen.example"}
            self._insert("User", key, **known_as, IsActive=True, ProfileId=profile)
        if not self.manners.tells_permissions:
            return
        self._insert("Profile", profile, Name="Ops", **all_data)
        self._insert("UserPermissionAccess", "", **all_data, PermissionsModifyAllData=False)
        owned = {"ProfileId": profile, "IsOwnedByProfile": True}
        self._insert("PermissionSet", permissions, Name="X00e", **owned, **all_data)
        assigned = {"AssigneeId": self.users["client"], "PermissionSetId": permissions}
        self._insert("PermissionSetAssignment", self._ids.next("0Pa"), **assigned)
        for name in (table.name for table in self.tables.values() if table.data):
            may = {"PermissionsRead": True, "PermissionsViewAllRecords": self.manners.sees_all}
            key = self._ids.next("110")
            self._insert("ObjectPermissions", key, ParentId=permissions, SobjectType=name, **may)

    def _insert(self, table: str, key: str, **values: Any) -> None:
        self.tables[table].rows[key] = {"Id": key or None, "attributes": {"type": table}, **values}

    # -- time

    def now(self) -> float:
        """The org's clock."""
        return self.clock.now() + self.manners.skew

    def later(self, at: float, act: Callable[[float], None]) -> None:
        """Do something when its time comes; it gets the moment."""
        with self.lock:
            heapq.heappush(self._due, (at, next(self._numbers), act))

    def catch_up(self) -> None:
        """Do whatever is due."""
        with self.lock:
            while self._due and self._due[0][0] <= self.now():
                at, _, act = heapq.heappop(self._due)
                act(at)

    @property
    def busy_until(self) -> float | None:
        """When the last thing that is planned so far will be done; None where nothing is."""
        with self.lock:
            return max((at for at, _, _ in self._due), default=None)

    # -- records

    def write(self, table: str, key: str, at: float, by: str, **values: Any) -> dict[str, Any]:
        """Change a row as this user."""
        row = self.tables[table].rows[key]
        stamp = datetime.fromtimestamp(int(at), UTC)
        row |= values
        row |= {"LastModifiedDate": stamp, "SystemModstamp": stamp, "LastModifiedById": self.users[by]}
        if table == self.naming.event_object:
            self.truth.statuses.setdefault(key, []).append((at, row.get(self.naming.status)))
        return row

    def create(self, table: str, at: float, by: str, **values: Any) -> str:
        """A new row of an object."""
        key = self._ids.next(self.tables[table].prefix)
        stamp = datetime.fromtimestamp(int(at), UTC)
        self.tables[table].rows[key] = {"Id": key, "attributes": {"type": table}, "IsDeleted": False}
        self.write(table, key, at, by, **values)
        self.tables[table].rows[key] |= {
            "CreatedDate": stamp, "CreatedById": self.users[by], "OwnerId": self.users[by],
            "Name": values.get("Name") or f"{table} {len(self.tables[table].rows)}",
        }  # fmt: skip
        return key

    def carriers(self, event: Event) -> list[str]:
        """Records, hidden ones too, that carry an event's StoreConnect ID."""
        rows = self.tables[event.object].rows.items()
        return [key for key, row in rows if row.get(self.naming.record_key) == event.key]

    def add_event(
        self,
        object_name: str,
        kind: str,
        *,
        code: str = "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        message: str = "The amount must not be negative",
        age: float = 86_400.0,
        parent: Event | None = None,
        earlier: Event | None = None,
        **destined: Any,
    ) -> Event:
        """A failed change event; an Update and a Delete have a record from before.

        Args:
            object_name: Its object.
            kind: `create`, `update` or `delete`.
            code: Why it failed.
            message: The same in words.
            age: Seconds since it failed.
            parent: The event that should have created the record above it.
            earlier: An event of the same record that failed before.
            destined: What becomes of it, see `Event`.
        """
        n = self.naming
        if earlier is not None:
            since = self.tables[n.event_object].rows[earlier.id]["CreatedDate"].timestamp()
            age = min(age, (self.now() - since) / 2)
        at = self.now() - age
        key = earlier.key if earlier else self._ids.uuid()
        if earlier is not None:
            code, message = "INVALID_CHANGE_EVENT", "An earlier change of this record has failed"
            parent = earlier
        elif parent is not None:
            code = "INVALID_FIELD"
            missing = f"Foreign key external ID: {parent.key} not found"
            message = f"{missing} for field {n.record_key} in entity {parent.object}"
        event = Event("", object_name, kind, key, **destined, parent=parent.id if parent else "")
        event.hidden = earlier.hidden if earlier else event.hidden
        record = ""
        if earlier is not None:
            record = next(iter(self.carriers(event)), "")
        elif kind != "create":
            record = self.create(object_name, at - 86_400, "sync", **{n.record_key: key})
            if event.hidden:
                self.hidden.add(record)
        text = message if n.code else f"{code}: {message}"
        values: dict[str, Any] = {
            n.object: object_name,
            n.event_type: n.kinds[("create", "update", "delete").index(kind)],
            n.storeconnect_id: key,
            n.message: text,
            n.status: n.failed,
            n.counter: 0,
        }
        if n.processed_at != "LastModifiedDate":
            values[n.processed_at] = datetime.fromtimestamp(int(at), UTC)
        if n.code:
            values[n.code] = code
        if n.salesforce_id and record:
            values[n.salesforce_id] = record if n.long_ids else record[:15]
        event.id = self.create(n.event_object, at, "sync", **values)
        self.events[event.id] = event
        return event

    def status(self, event: str) -> str | None:
        """An event's status; None where it is gone."""
        row = self.tables[self.naming.event_object].rows.get(event)
        return None if row is None else row[self.naming.status]

    # -- the sync engine

    def accept(self, events: Iterable[str], at: float, request: Request | None) -> None:
        """Queue these events, whatever they are doing already: an org that is asked twice works twice."""
        n, reaction = self.naming, self.manners.reaction
        for key in events:
            event = self.events[key]
            if request is not None:
                request.queued.add(key)
            if key in self.tables[n.event_object].rows:
                row = self.tables[n.event_object].rows[key]
                if reaction is Reaction.TOUCH:
                    self.write(n.event_object, key, at, "automation", **{n.counter: row[n.counter] + 1})
                elif reaction is not Reaction.SILENT:
                    word = n.pending if reaction is Reaction.STATUS else n.strange
                    self.write(n.event_object, key, at, "sync", **{n.status: word})
            if event.fate is not Fate.NEVER:
                job = Job(key, at, request.number if request else None)
                self.later(at + event.delay, partial(self._apply, job))

    def _apply(self, job: Job, at: float) -> None:
        event, n = self.events[job.event], self.naming
        fate = event.fate
        if event.parent and not self.events[event.parent].resolved and fate is not Fate.NEVER:
            fate = Fate.FAILS
        record = self._carry_out(event, fate, at)
        self.truth.applications.append(
            Application(event.id, job.asked_at, at, job.request, fate.value, record)
        )
        if event.echo:
            self.later(at + event.echo, partial(self.touch_record, event.id))
        rows = self.tables[n.event_object].rows
        if event.id not in rows:
            return
        if fate is Fate.VANISHES:
            del rows[event.id]
            self.truth.statuses[event.id].append((at, None))
            return
        word = {
            Fate.FAILS: n.failed, Fate.FAILS_ANEW: n.failed, Fate.REJECTED: n.rejected,
            Fate.STRANGE: n.strange, Fate.FLAPS: n.strange,
        }.get(fate, n.done)  # fmt: skip
        values: dict[str, Any] = {n.status: word}
        if n.processed_at != "LastModifiedDate":
            values[n.processed_at] = datetime.fromtimestamp(int(at), UTC)
        if fate is Fate.FAILS_ANEW:
            values[n.message] = (
                f"{'' if n.code else 'REQUIRED_FIELD_MISSING: '}Required fields are missing: [Site]"
            )
            if n.code:
                values[n.code] = "REQUIRED_FIELD_MISSING"
        self.write(n.event_object, event.id, at, "sync", **values)
        if fate is Fate.FLAPS:
            event.fate = Fate.FAILS
            self.later(at + 3, partial(self._apply, job))

    def _carry_out(self, event: Event, fate: Fate, at: float) -> str | None:
        """Write, or delete, what the event wants. Gives the record."""
        if fate not in {Fate.WRITES, Fate.VANISHES, Fate.TWINS}:
            return None
        event.resolved = True
        rows, there = self.tables[event.object].rows, self.carriers(event)
        if event.kind == "delete":
            for key in there:
                del rows[key]
            return there[0] if there else None
        if there and fate is not Fate.TWINS and event.kind == "update":
            self.write(event.object, there[0], at, "sync")
            return there[0]
        values: dict[str, Any] = {self.naming.record_key: event.key}
        lookup = RECORDS[event.object][0]
        parent = self.events.get(event.parent)
        if lookup and parent and (above := self.carriers(parent)):
            values[lookup] = above[0]
        made = self.create(event.object, at, "sync", **values)
        self.made.setdefault(event.key, []).append((at, made))
        if fate is Fate.TWINS:
            second = self.create(event.object, at, "sync", **values)
            self.made[event.key].append((at, second))
        if event.hidden:
            self.hidden.add(made)
        return made

    def touch_record(self, event: str, at: float, *, by: str = "automation") -> None:
        """Somebody else writes to the record of an event, where there is one."""
        for key in self.carriers(self.events[event]):
            self.write(self.events[event].object, key, at, by)

    def touch_event(self, event: str, at: float) -> None:
        """Something writes to the event itself that has nothing to do with its processing."""
        if event in self.tables[self.naming.event_object].rows:
            self.write(self.naming.event_object, event, at, "automation")

    def press(self, events: Sequence[str], at: float) -> None:
        """A colleague presses Re-sync in Salesforce for those that are failed."""
        self.accept([key for key in events if self.status(key) == self.naming.failed], at, None)

    # -- what clients ask

    def request(self, events: Sequence[str], token: str) -> Request:
        """A request for a re-sync has come. Nothing is done yet."""
        with self.lock:
            self.catch_up()
            request = Request(len(self.truth.requests), self.now(), token, tuple(events))
            self.truth.requests.append(request)
            return request

    def refuse_unread(self, events: Sequence[str], token: str, reply: Reply) -> None:
        """A request has come that was turned away before anybody looked at it."""
        self.request(events, token).reply = reply

    def query(self, text: str, token: str) -> tuple[soql.Query, list[dict[str, Any]]]:
        """Ask in SOQL, as the client's user.

        Raises:
            QueryError: As the org refuses it.
        """
        with self.lock:
            self.catch_up()
            query = soql.parse(text, self._value, self._column)
            rows = self._select(query)
            if query.table == self.naming.event_object:
                self.looked(token, [row["Id"] for row in rows])
            if query.limit is not None and not query.groups:
                rows = rows[: query.limit]
            return query, self._shown(query, rows)

    def looked(self, token: str, events: Iterable[str]) -> None:
        """Note who has just read which events."""
        self.truth.looks.append(Look(self.now(), token, frozenset(events)))

    def read(
        self, table: str, ids: Sequence[str], fields: Sequence[str], token: str
    ) -> list[dict[str, Any] | None]:
        """Rows by id; None for what is not there or hidden.

        Raises:
            QueryError: Unknown object or field.
        """
        with self.lock:
            self.catch_up()
            stored = self._table(table)
            for name in fields:
                self._check(stored, name)
            if table == self.naming.event_object:
                self.looked(token, ids)
            rows = [stored.rows.get(key) for key in ids]
            return [
                None if row is None or row["Id"] in self._unseen() else
                self._projected(table, fields, row)
                for row in rows
            ]  # fmt: skip

    def _unseen(self) -> set[str]:
        return set() if self.manners.sees_all else self.hidden

    def _table(self, name: str) -> Table:
        table = next((one for key, one in self.tables.items() if key.lower() == name.lower()), None)
        if table is None:
            raise soql.QueryError("INVALID_TYPE", f"sObject type '{name}' is not supported.")
        return table

    def _check(self, table: Table, path: str) -> None:
        first, _, rest = path.partition(".")
        if rest:
            through = next((f for f in table.fields.values() if f.relationship == first), None)
            if through is None:
                raise soql.QueryError("INVALID_FIELD", f"Didn't understand relationship '{first}'")
            self._check(self.tables[through.target], rest)
        elif first not in table.fields:
            raise soql.QueryError("INVALID_FIELD", f"No such column '{first}' on entity '{table.name}'.")

    def _value(self, row: dict[str, Any], path: str) -> soql.Value:
        first, _, rest = path.partition(".")
        if not rest:
            value: soql.Value = row.get(first)
            return value
        target = self._related(row, first)
        return None if target is None else self._value(target, rest)

    def _related(self, row: dict[str, Any], relationship: str) -> dict[str, Any] | None:
        fields = self.tables[row["attributes"]["type"]].fields.values()
        through = next(one for one in fields if one.relationship == relationship)
        target = self.tables[through.target].rows.get(row.get(through.name) or "")
        return None if target is None or target["Id"] in self._unseen() else target

    def _select(self, query: soql.Query) -> list[dict[str, Any]]:
        table = self._table(query.table)
        for path in query.named:
            self._check(table, path)
        rows = self._access_rows() if table.name == "UserRecordAccess" else list(table.rows.values())
        unseen = self._unseen()
        matching = [row for row in rows if row.get("Id") not in unseen and query.where(row)]
        return soql.ordered(matching, query, self._value)

    def _column(self, query: soql.Query) -> list[soql.Value]:
        return [self._value(row, query.columns[0]) for row in self._select(query)]

    def _access_rows(self) -> list[dict[str, Any]]:
        unseen = self._unseen()
        return [
            {
                "Id": None,
                "attributes": {"type": "UserRecordAccess"},
                "UserId": self.users["client"],
                "RecordId": key,
                "HasReadAccess": key not in unseen,
                "HasAllAccess": False,
                "MaxAccessLevel": "None" if key in unseen else "Read",
            }
            for table in self.tables.values()
            if table.data
            for key in table.rows
        ]

    def _shown(self, query: soql.Query, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if query.groups:
            return self._counted(query, rows)
        return [self._projected(query.table, query.columns, row) for row in rows]

    def _projected(self, table: str, columns: Iterable[str], row: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {"attributes": {"type": table}}
        through: dict[str, list[str]] = {}
        for column in columns:
            first, _, rest = column.partition(".")
            if rest:
                through.setdefault(first, []).append(rest)
            else:
                shown[column] = self._json(row.get(column))
        for relationship, paths in through.items():
            target = self._related(row, relationship)
            shown[relationship] = (
                None if target is None else self._projected(target["attributes"]["type"], paths, target)
            )
        return shown

    def _counted(self, query: soql.Query, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        counts = Counter(tuple(self._json(self._value(row, path)) for path in query.groups) for row in rows)
        return [
            {
                "attributes": {"type": "AggregateResult"},
                **dict(zip(query.groups, key, strict=True)),
                **{column.split()[1]: number for column in query.columns if " " in column},
            }
            for key, number in counts.items()
        ]

    @staticmethod
    def _json(value: object) -> object:
        return f"{value:%Y-%m-%dT%H:%M:%S}.000+0000" if isinstance(value, datetime) else value
