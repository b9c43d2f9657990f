"""The demo org's records: SQLite, one table an sObject, values kept as the REST API shows them.

A datetime is the text `2026-11-23T02:14:07.000+0000` (whole seconds, as a real org stores them), a date
`2026-11-23`, an id 18 characters, an empty string null. Every table carries Salesforce's own fields
(`schema.SYSTEM`), which only the store sets. A deleted record stays, with IsDeleted true: queryAll shows it.

One connection, one lock: a transaction is alone while it lasts, from whichever thread it comes.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

from syncerr_tui.demo.schema import SObject, ids_from, sql_name, tables_of
from syncerr_tui.errors import BadInputError

DEMO_USER_ID = "005De00000000P1IAI"
"""The one user of the demo org: who created and changed every record, and who is logged in."""
DEMO_ORGANIZATION_ID = "00DDe00000000P1MAI"

_FORMAT = 1
_APPLICATION = 0x53594E43


def utc_now() -> datetime:
    """The real clock; tests hand the store one of their own."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment as the REST API writes it: UTC, whole seconds."""
    return stamp_of(math.floor(moment.timestamp()))


def stamp_of(seconds: int) -> str:
    """A moment in POSIX seconds as the REST API writes it."""
    # A minute is written once: strftime was a tenth of building a world.
    minute, second = divmod(seconds, 60)
    return _minute(minute) + _SECONDS[second]


_minute = lru_cache(lambda number: datetime.fromtimestamp(60 * number, UTC).isoformat()[:16])
_SECONDS = [f":{second:02}.000+0000" for second in range(60)]


class Store:
    """Records of the demo org.

    Args:
        path: Where the state is kept; None keeps it in memory.
        schema: The objects that exist, by API name. It must not change afterwards.
        clock: What CreatedDate, LastModifiedDate and SystemModstamp are read from.

    Raises:
        BadInputError: The file cannot be opened, is not a demo database, is damaged, or has another schema.
    """

    def __init__(
        self,
        path: Path | None,
        schema: Mapping[str, SObject],
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.schema = schema
        self.clock = clock
        self._path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._next: dict[str, Iterator[str]] = {}
        self._types = {
            name: {field.name: field.type for field in each.fields} for name, each in schema.items()
        }
        """The fields of each object and their types."""
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        where = self._path
        try:
            connection = sqlite3.connect(
                ":memory:" if where is None else str(where),
                timeout=1,
                check_same_thread=False,
                isolation_level=None,
                cached_statements=512,
            )
            self._prepare(connection)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise BadInputError(
                    f"The demo database {where} is in use by another demo org",
                    "Close that one first, or name another file with --db",
                ) from error
            raise BadInputError(
                f"The demo database {where} cannot be opened ({error})",
                "Name another file with --db, in a folder that exists and that you may write to",
            ) from error
        except sqlite3.DatabaseError as error:
            raise BadInputError(
                f"The file {where} is not a demo database, or it is damaged ({error})",
                "Name another file with --db; a new one is made where none exists",
            ) from error
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if self._path is not None:
            # Held until `close`: what one org keeps in mind of the file another one would change unseen.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        if tables and application != _APPLICATION:
            raise BadInputError(
                f"The file {self._path} is a database of another program",
                "Name another file with --db; a new one is made where none exists",
            )
        if self._path is not None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA case_sensitive_like = OFF")
        connection.create_function("fold", 1, _fold, deterministic=True)
        if tables:
            self._compare(connection, tables)
            return
        statements = tuple(tables_of(self.schema.values()))
        if self._path is not None:
            _create(connection, statements)
            return
        with closing(sqlite3.connect(":memory:")) as empty:
            empty.deserialize(_empty_database(statements))
            empty.backup(connection)

    def _compare(self, connection: sqlite3.Connection, tables: set[str]) -> None:
        """Refuse a file whose tables are not those of this schema (another version, another naming)."""
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        fits = version == _FORMAT and "demo_memory" in tables
        for name, columns in self._types.items():
            there = {row[1] for row in connection.execute(f"PRAGMA table_info({sql_name(name)})")}
            fits = fits and there == {"demo_row", *columns}
        if not fits:
            raise BadInputError(
                f"The demo database {self._path} was made with other options or another version",
                "Name another file with --db, or start with the --naming it was made with",
            )

    def close(self) -> None:
        """Let go of the file. Nothing may be asked afterwards."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: an exception that leaves the block undoes what was written in it. Nests."""
        with self._lock:
            name = f"level{self._depth}"
            self._connection.execute("BEGIN IMMEDIATE" if self._depth == 0 else f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth:
                    self._connection.execute(f"ROLLBACK TO {name}")
                    self._connection.execute(f"RELEASE {name}")
                else:
                    self._connection.execute("ROLLBACK")
                    self._next.clear()
                raise
            self._depth -= 1
            self._connection.execute("COMMIT" if self._depth == 0 else f"RELEASE {name}")

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Write very many records: indexes are taken away and made anew at the end."""
        with self._lock:
            indexes = self.sql("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
            for name, _text in indexes:
                self.sql(f"DROP INDEX {sql_name(str(name))}")
            yield
            for _name, text in indexes:
                self.sql(str(text))

    def sql(self, text: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Rows of one statement; values are always bound, never part of the text."""
        with self._lock:
            return self._connection.execute(text, parameters).fetchall()

    def sql_many(self, text: str, rows: Iterable[Sequence[object]]) -> None:
        """One statement for each of these rows of values: three times as fast as one by one."""
        with self._lock:
            self._connection.executemany(text, rows)

    def new_id(self, object_name: str) -> str:
        """An id that no record of this object has had."""
        with self._lock:
            return next(self.new_ids(object_name))

    def new_ids(self, object_name: str) -> Iterator[str]:
        """The ids that `new_id` gives, for one who is alone with the store."""
        ids = self._next.get(object_name)
        if ids is None:
            rows = self.sql(f"SELECT coalesce(max(rowid), 0) FROM {sql_name(object_name)}")
            ids = ids_from(self.schema[object_name].key_prefix, int(str(rows[0][0])) + 1)
            self._next[object_name] = ids
        return ids

    def insert(self, object_name: str, values: Mapping[str, object]) -> str:
        """Add one record; returns its id (`values["Id"]` where given).

        CreatedDate and the other system fields are the clock's unless `values` names them.
        """
        return self.insert_many(object_name, [values])[0]

    def insert_many(self, object_name: str, rows: Iterable[Mapping[str, object]]) -> list[str]:
        """Add records; returns their ids in order."""
        types, now = self._types[object_name], stamp(self.clock())
        empty: dict[str, object] = {name: 0 if kind == "boolean" else None for name, kind in types.items()}
        empty |= dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now)
        empty |= dict.fromkeys(("CreatedById", "LastModifiedById"), DEMO_USER_ID)
        table: list[list[object]] = []
        for values in rows:
            self._only_known(object_name, values)
            row = {**empty, **{name: _stored(value, types[name]) for name, value in values.items()}}
            row["Id"] = row["Id"] or self.new_id(object_name)
            table.append([*row.values()])
        # One row alone is written whole or not at all.
        with self.transaction() if len(table) > 1 else self._lock:
            self.load(object_name, [*types], table)
        return [str(row[0]) for row in table]

    def load(
        self,
        object_name: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        copies: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Add records whose values, their system fields among them, are as the store keeps them.

        Nothing is checked or converted; `copies` names further fields, and the one of `columns` whose value
        each has too; all others are null.
        """
        names = ", ".join(map(sql_name, (*columns, *copies)))
        marks = ", ".join(f"?{columns.index(each) + 1}" for each in (*columns, *copies.values()))
        self.sql_many(f"INSERT INTO {sql_name(object_name)} ({names}) VALUES ({marks})", rows)

    def update(self, object_name: str, record_id: str, values: Mapping[str, object]) -> bool:
        """Change fields of a record and stamp it; False where there is none (or it is deleted)."""
        now = stamp(self.clock())
        changes = {"LastModifiedDate": now, "LastModifiedById": DEMO_USER_ID, "SystemModstamp": now, **values}
        changes.pop("Id", None)
        self._only_known(object_name, changes)
        types = self._types[object_name]
        sets = ", ".join(f"{sql_name(name)} = ?" for name in changes)
        bound = [_stored(value, types[name]) for name, value in changes.items()]
        with self._lock:
            cursor = self._connection.execute(
                f"UPDATE {sql_name(object_name)} SET {sets} WHERE Id = ? AND IsDeleted = 0",
                [*bound, record_id],
            )
            return cursor.rowcount > 0

    def delete(self, object_name: str, record_id: str) -> bool:
        """Put a record into the recycle bin; False where there is none."""
        return self.update(object_name, record_id, {"IsDeleted": True})

    def get(self, object_name: str, record_id: str, *, deleted: bool = False) -> dict[str, object] | None:
        """One record as the API shows it; with `deleted` also from the recycle bin."""
        rows = self._select(object_name, {"Id": record_id}, deleted=deleted)
        return rows[0] if rows else None

    def find(self, object_name: str, **equals: object) -> list[dict[str, object]]:
        """Records whose fields equal these values (None: is null), in the order they were made."""
        return self._select(object_name, equals)

    def count(self, object_name: str, **equals: object) -> int:
        """How many records `find` would give."""
        where, bound = self._where(object_name, equals, deleted=False)
        rows = self.sql(f"SELECT count(*) FROM {sql_name(object_name)} WHERE {where}", bound)
        return int(str(rows[0][0]))

    def remember(self, key: str, value: object) -> None:
        """Keep something beside the records that survives a restart with `--db`: seed, counters ..."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO demo_memory VALUES (?, ?) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, json.dumps(value)),
            )

    def recall(self, key: str, default: object = None) -> object:
        """What `remember` kept."""
        rows = self.sql("SELECT value FROM demo_memory WHERE key = ?", (key,))
        return json.loads(str(rows[0][0])) if rows else default

    def _select(
        self,
        object_name: str,
        equals: Mapping[str, object],
        *,
        deleted: bool = False,
    ) -> list[dict[str, object]]:
        types = self._types[object_name]
        names = ", ".join(map(sql_name, types))
        where, bound = self._where(object_name, equals, deleted=deleted)
        rows = self.sql(f"SELECT {names} FROM {sql_name(object_name)} WHERE {where} ORDER BY rowid", bound)
        return [
            {
                name: bool(value) if kind == "boolean" and value is not None else value
                for (name, kind), value in zip(types.items(), row, strict=True)
            }
            for row in rows
        ]

    def _where(
        self,
        object_name: str,
        equals: Mapping[str, object],
        *,
        deleted: bool,
    ) -> tuple[str, list[object]]:
        self._only_known(object_name, equals)
        types = self._types[object_name]
        parts = ["1" if deleted else "IsDeleted = 0"]
        bound: list[object] = []
        for name, value in equals.items():
            stored = _stored(value, types[name])
            parts.append(f"{sql_name(name)} IS ?")
            bound.append(stored)
        return " AND ".join(parts), bound

    def _only_known(self, object_name: str, values: Mapping[str, object]) -> None:
        unknown = values.keys() - self._types[object_name].keys()
        if unknown:
            raise KeyError(f"{object_name} has no field {', '.join(sorted(unknown))}")


def _create(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {_FORMAT}")
    connection.execute("CREATE TABLE demo_memory (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    for statement in statements:
        connection.execute(statement)
    connection.execute("COMMIT")


@cache
def _empty_database(statements: tuple[str, ...]) -> bytes:
    """Made once and copied: the statements were a third of the time that a small org takes to make."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _create(connection, statements)
        return connection.serialize()


def _stored(value: object, field_type: str) -> object:
    if type(value) is str and value and field_type != "datetime":
        return value  # nine of ten
    if value is None or value == "":
        return 0 if field_type == "boolean" else None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d") if field_type == "date" else stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if (
        field_type == "datetime"
        and isinstance(value, str)
        and len(value) != len("2026-11-23T02:14:07.000+0000")
    ):
        return stamp(datetime.fromisoformat(value))
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value)
    return value


def _fold(value: str | float | bytes | None) -> str | float | bytes | None:
    return value.lower() if isinstance(value, str) else value
