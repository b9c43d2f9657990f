"""Records and events while a world is built: answered from memory, written many at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

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
                self._know(object_name, str(row["Id"]), row)

    def _know(self, object_name: str, record_id: str, values: Mapping[str, object]) -> None:
        self.known.add(record_id)
        sc_id = values.get(SC_ID)
        if sc_id:
            self._ids[str(sc_id)] = record_id
        for fields in MATCHED.get(object_name, ()):
            match = [*map(values.get, fields)]
            if all(match):
                self._matches.setdefault((object_name, *fields, *map(_folded, match)), record_id)

    def new_id(self, object_name: str) -> str:
        """An id that no record of this object has had."""
        return next(self._new_ids[object_name])

    def insert(self, object_name: str, values: dict[str, object]) -> None:
        """Insert a record: soon, with others of its object."""
        record_id = str(values["Id"])
        values["IsDeleted"], values["CreatedDate"] = 0, values["LastModifiedDate"]
        self._know(object_name, record_id, values)
        self._unwritten[object_name][record_id] = values

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
        gone = {"IsDeleted": 1, "LastModifiedById": DEMO_USER_ID}
        self.update(object_name, record_id, {**gone, "LastModifiedDate": now, "SystemModstamp": now})
        self.known.discard(record_id)
        self._ids.pop(sc_id, None)

    def write(self) -> None:
        """Have in the store what was inserted."""
        for object_name, rows in self._unwritten.items():
            columns = tuple(dict.fromkeys(chain.from_iterable(rows.values())))
            if rows:
                self.store.load(object_name, columns, [[*map(row.get, columns)] for row in rows.values()])
                rows.clear()

    def id_of(self, object_name: str, sc_id: str) -> str | None:
        """The record with this StoreConnect ID: no two objects share one."""
        return self._ids.get(sc_id)

    def exists(self, _object_name: str, record_id: str) -> bool:
        """True where this record is there."""
        return record_id in self.known

    def value(self, object_name: str, record_id: object, field: str) -> object:
        """One field of one record; None where there is no such record."""
        row = self._unwritten[object_name].get(str(record_id))
        if row is None:
            return super().value(object_name, record_id, field)
        return None if row["IsDeleted"] else row.get(field)

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
        self._first: dict[str, QueuedEvent] = {}
        self._unwritten: list[QueuedEvent] = []

    def put(self, entry: QueuedEvent) -> None:
        """Write a new entry: soon, with others."""
        self._first.setdefault(entry.sc_id, entry)
        self._unwritten.append(entry)

    def write(self) -> None:
        """Have everything in the store."""
        self.put_many(self._unwritten)
        self._unwritten.clear()

    def earliest(self, sc_id: str, before: int | None = None) -> QueuedEvent | None:
        """The first unresolved event of a record: whatever comes arrived after it."""
        return self._first.get(sc_id)


def _folded(value: object) -> bytes:
    """As SQLite's NOCASE compares: ASCII letters alone lose their case."""
    return str(value).encode().lower()
