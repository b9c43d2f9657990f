"""Quick looks into the store for the engine and the safeguards: by StoreConnect ID, by id, by match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from syncerr_tui.demo.schema import SC_ID, SObject
from syncerr_tui.demo.store import DEMO_USER_ID, Store, stamp

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MATCHED = (("Account", '"Name", "BillingPostalCode"'), ("Contact", '"Email"'), ("Lead", '"Email"'))
"""What duplicate rules compare: indexed, or 100,000 events would take minutes."""


class Records:
    """The store as the sync engine asks it. No answer tells of a deleted record."""

    def __init__(self, store: Store, schema: Mapping[str, SObject]) -> None:
        self.store = store
        self.schema = schema
        self._owners: list[str] = []
        self._sync_user = ""
        self._numbers = {
            name: next((f.name for f in each.fields if f.name in _NUMBERS and not f.createable), None)
            for name, each in schema.items()
        }
        self._numbers |= {"Contact": None, "Lead": None}
        self._seen: set[str] = set()
        self._insert: dict[tuple[str, ...], str] = {}
        self._relations = {name: _relations(each) for name, each in schema.items()}
        self._by_sc_id = {
            name: f'SELECT Id FROM "{name}" WHERE "{SC_ID}" = ? AND IsDeleted = 0 ORDER BY demo_row LIMIT 1'
            for name, each in schema.items()
            if each.field(SC_ID)
        }
        for object_name, fields in _MATCHED:
            store.sql(f'CREATE INDEX IF NOT EXISTS "match.{object_name}" ON "{object_name}" ({fields})')
        self.memory: dict[str, str] | None = None
        """StoreConnect ID -> record, while a world is built: asked instead of the store."""

    def add(self, object_name: str, values: Mapping[str, object]) -> None:
        """Insert a record whose values are as the store keeps them, its system fields among them.

        Nothing is checked or converted: a world of 100,000 errors is written this way in seconds.
        """
        self.store.sql(self.insertion(object_name, values), tuple(values.values()))

    def insertion(self, object_name: str, columns: Iterable[str]) -> str:
        """The statement that inserts a record with these fields, in this order; all others are null."""
        key = (object_name, *columns)
        statement = self._insert.get(key)
        if statement is None:
            names = ", ".join(f'"{column}"' for column in key[1:])
            marks = ", ".join("?" * (len(key) - 1))
            statement = f'INSERT INTO "{object_name}" ({names}) VALUES ({marks})'
            self._insert[key] = statement
        return statement

    @property
    def owners(self) -> Sequence[str]:
        """The two people who own what the sync creates; the first is the demo's own user."""
        if len(self._owners) < 2:
            users = self.store.sql("SELECT Id FROM User WHERE IsActive AND UserType = 'Standard' LIMIT 2")
            self._owners = [str(user_id) for (user_id,) in users]
        return self._owners

    @property
    def sync_user(self) -> str:
        """The user as whom StoreConnect Sync saves."""
        if not self._sync_user:
            rows = self.store.sql("SELECT Id FROM User WHERE UserType = 'CloudIntegrationUser' LIMIT 1")
            self._sync_user = str(rows[0][0]) if rows else DEMO_USER_ID
        return self._sync_user

    def holds_permission(self, user_id: str, permission: str) -> bool:
        """Whether a permission set of this name is assigned to the user, and not over."""
        rows = self.store.sql(
            "SELECT 1 FROM PermissionSetAssignment a JOIN PermissionSet p ON p.Id = a.PermissionSetId "
            "WHERE a.AssigneeId = ? AND p.Name = ? AND a.IsDeleted = 0 "
            "AND (a.ExpirationDate IS NULL OR a.ExpirationDate > ?)",
            (user_id, permission, stamp(self.store.clock())),
        )
        return bool(rows)

    def number_field(self, object_name: str) -> str | None:
        """The auto-number field of an object, where it has one."""
        return self._numbers[object_name]

    def relations(self, object_name: str) -> Mapping[str, tuple[str, str]]:
        """Relationship name -> (lookup field, parent object)."""
        return self._relations[object_name]

    def id_of(self, object_name: str, sc_id: str) -> str | None:
        """The oldest record with this StoreConnect ID."""
        if self.memory is not None:
            return self.memory.get(sc_id)
        rows = self.store.sql(self._by_sc_id[object_name], (sc_id,))
        return str(rows[0][0]) if rows else None

    def forget(self) -> None:
        """The world is built: ask the store again."""
        self.memory = None
        self._seen.clear()

    def remember(self, sc_id: str, record_id: str) -> None:
        """Keep in mind a record just written, while a world is built."""
        if self.memory is not None:
            self.memory[sc_id] = record_id
            self._seen.add(record_id)

    def exists(self, object_name: str, record_id: str) -> bool:
        """True where this record is there and not deleted."""
        if self.memory is not None and record_id in self._seen:
            return True
        rows = self.store.sql(f'SELECT 1 FROM "{object_name}" WHERE Id = ? AND IsDeleted = 0', (record_id,))
        if rows and self.memory is not None:
            self._seen.add(record_id)
        return bool(rows)

    def value(self, object_name: str, record_id: object, field: str) -> object:
        """One field of one record; None where there is no such record."""
        rows = self.store.sql(
            f'SELECT "{field}" FROM "{object_name}" WHERE Id = ? AND IsDeleted = 0',
            (record_id,),
        )
        return rows[0][0] if rows else None

    def twin_of(
        self,
        object_name: str,
        own_id: str | None,
        match: Mapping[str, object],
    ) -> str | None:
        """Another record whose fields equal these (none of them empty), or None."""
        if not all(match.values()):
            return None
        where = " AND ".join(f'"{field}" = ?' for field in match)
        rows = self.store.sql(
            f'SELECT Id FROM "{object_name}" WHERE {where} AND IsDeleted = 0 AND Id IS NOT ? LIMIT 1',
            (*match.values(), own_id),
        )
        return str(rows[0][0]) if rows else None


_NUMBERS = frozenset({"Name", "OrderNumber", "OrderItemNumber"})


def number_in(record_id: str) -> int:
    """The running number inside an id, for auto-number names."""
    number = 0
    for letter in record_id[9:15]:
        number = number * 62 + _BASE62.index(letter)
    return number


def _relations(each: SObject) -> dict[str, tuple[str, str]]:
    return {
        field.relationship_name: (field.name, field.reference_to[0])
        for field in each.fields
        if field.relationship_name and field.createable
    }
