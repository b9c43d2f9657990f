"""Records and events while a world is built: answered from memory, written many at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from syncerr_tui.demo.engine import complete
from syncerr_tui.demo.event_queue import EventQueue, QueuedEvent
from syncerr_tui.demo.records import MATCHED, Records
from syncerr_tui.demo.schema import SC_ID, SObject
from syncerr_tui.demo.schema_variants import RECORD_OBJECTS
from syncerr_tui.demo.store import DEMO_USER_ID, Store, stamp


class LoadingRecords(Records):
    """Knows by StoreConnect ID, by match and, until it is written, by id what was inserted through it.

    All values come as `Store.load` takes them, the stamps among them.
    """

    def __init__(self, store: Store, schema: Mapping[str, SObject]) -> None:
        super().__init__(store, schema)
        self.known: set[str] = set()
        self._ids: dict[str, str] = {}
        self._matches: dict[tuple[object, ...], str] = {}
        self._unwritten: dict[str, dict[str, dict[str, object]]] = {name: {} for name in schema}
        self._new_ids = {name: store.new_ids(name) for name in RECORD_OBJECTS}

    def learn(self) -> None:
        """Know what is in the store already: all that the website's changes can name or run into."""
        named = {parent for name in RECORD_OBJECTS for _field, parent in self.relations[name].values()}
        for object_name in named:
            for row in self.store.find(object_name):
                self._know(object_name, row)

    def _know(self, object_name: str, values: Mapping[str, Any]) -> None:
        record_id, sc_id = values["Id"], values.get(SC_ID)
        self.known.add(record_id)
        if sc_id:
            self._ids[sc_id] = record_id
        if object_name in MATCHED:
            for fields in MATCHED[object_name]:
                match = [*map(values.get, fields)]
                if all(match):
                    self._matches.setdefault((object_name, *fields, *map(_folded, match)), record_id)

    def new_id(self, object_name: str) -> str:
        """An id that no record of this object has had."""
        return next(self._new_ids[object_name])

    def add(self, object_name: str, values: dict[str, Any], sc_id: str, at: str) -> str:
        """Insert a record that came at this time with these values, of which all else follows; its id."""
        values["Id"] = record_id = next(self._new_ids[object_name])
        values[SC_ID] = sc_id
        values["CreatedDate"] = at
        self._know(object_name, values)
        self._unwritten[object_name][record_id] = values
        return record_id

    def insert(self, object_name: str, values: dict[str, Any]) -> None:
        """Insert a record: soon, with others of its object."""
        self._know(object_name, values)
        self._unwritten[object_name][values["Id"]] = values

    def update(self, object_name: str, record_id: str, values: Mapping[str, object]) -> None:
        """Change fields of a record; none of those that are matched."""
        row = self._unwritten[object_name].get(record_id)
        if row is None:
            super().update(object_name, record_id, values)
        else:
            row.update(values)

    def delete(self, object_name: str, record_id: str, sc_id: str) -> None:
        """Put a record into the recycle bin."""
        now = stamp(self.store.clock())
        deleted: dict[str, object] = {"IsDeleted": 1, "LastModifiedById": DEMO_USER_ID}
        self.update(object_name, record_id, {**deleted, "LastModifiedDate": now, "SystemModstamp": now})
        self.known.discard(record_id)
        self._ids.pop(sc_id, None)

    def write(self) -> None:
        """Have in the store what was inserted."""
        for object_name, rows in self._unwritten.items():
            for values in rows.values():
                self._complete(object_name, values)
            columns = tuple(dict.fromkeys(chain.from_iterable(set(map(tuple, rows.values())))))
            if rows:
                self.store.load(object_name, columns, [[*map(row.get, columns)] for row in rows.values()])
                rows.clear()

    def id_of(self, object_name: str, sc_id: str) -> str | None:
        """The record with this StoreConnect ID: no two objects share one."""
        return self._ids.get(sc_id)

    def exists(self, _object_name: str, record_id: str) -> bool:
        return record_id in self.known

    def _complete(self, object_name: str, values: dict[str, Any]) -> None:
        if "CreatedById" not in values:
            by, at = self.sync_user, values["CreatedDate"]
            complete(self, object_name, values, by)
            values.setdefault("IsDeleted", 0)
            if "LastModifiedDate" not in values:
                values["LastModifiedById"], values["LastModifiedDate"], values["SystemModstamp"] = by, at, at

    def value(self, object_name: str, record_id: object, field: str) -> object:
        """One field of one record; None where there is no such record."""
        row = self._unwritten[object_name].get(str(record_id))
        if row is None:
            return super().value(object_name, record_id, field)
        if field not in row:
            self._complete(object_name, row)
        return None if row.get("IsDeleted") else row.get(field)

    def twin_of(self, object_name: str, own_id: str | None, match: Mapping[str, object]) -> str | None:
        """Another record whose fields equal these (none of them empty), or None."""
        if not all(match.values()):
            return None
        twin = self._matches.get((object_name, *match, *map(_folded, match.values())))
        return None if twin == own_id else twin


class LoadingQueue(EventQueue):
    """Knows the first unresolved event of each record."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._first: dict[str, QueuedEvent | str] = {}

    def know(self, sc_id: str, event: QueuedEvent | str) -> None:
        """An event of this record failed, of which the entry, or so far the id alone, is there."""
        self._first.setdefault(sc_id, event)

    def earliest(self, sc_id: str, before: int | None = None) -> QueuedEvent | None:
        """The first unresolved event of a record: whatever comes arrived after it."""
        first = self._first.get(sc_id)
        return QueuedEvent(first, 0, "", sc_id, "") if isinstance(first, str) else first


def _folded(value: object) -> bytes:
    """As SQLite's NOCASE compares: ASCII letters alone lose their case."""
    return str(value).encode().lower()
