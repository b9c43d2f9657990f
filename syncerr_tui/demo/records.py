"""Quick looks into the store for the engine and the safeguards: by StoreConnect ID, by id, by match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set as AbstractSet
from functools import cached_property

from syncerr_tui.demo.schema import SC_ID, SObject
from syncerr_tui.demo.store import DEMO_USER_ID, Store, stamp

MATCHED: Mapping[str, Sequence[tuple[str, ...]]] = {
    "Account": [("Name", "BillingPostalCode")],
    "Contact": [("Email",), ("Loyalty_Number__c",)],
    "Lead": [("Email",)],
}
"""What `Records.twin_of` is asked to compare: indexed, or each save would read 100,000 rows."""


class Records:
    """The store as the sync engine asks it. No answer tells of a deleted record."""

    known: AbstractSet[str] = frozenset()
    """Ids that are there for certain: whoever would ask `exists` for very many may look here first."""

    def __init__(self, store: Store, schema: Mapping[str, SObject]) -> None:
        self.store = store
        self.schema = schema
        self.number_fields = {
            name: next((f.name for f in each.fields if f.name in _NUMBERS and not f.createable), None)
            for name, each in schema.items()
        }
        """The auto-number field of each object that has one."""
        self.number_fields |= {"Contact": None, "Lead": None}
        self.relations = {name: _relations(each) for name, each in schema.items()}
        """Object -> relationship name -> (lookup field, parent object)."""
        for object_name, (fields, *_unique) in MATCHED.items():
            columns = ", ".join(f'"{field}"' for field in fields)
            store.sql(f'CREATE INDEX IF NOT EXISTS "match.{object_name}" ON "{object_name}" ({columns})')

    def new_id(self, object_name: str) -> str:
        """An id that no record of this object has had."""
        return self.store.new_id(object_name)

    def insert(self, object_name: str, values: dict[str, object]) -> None:
        """Add a record; its id is among the values."""
        self.store.insert(object_name, values)

    def update(self, object_name: str, record_id: str, values: Mapping[str, object]) -> None:
        self.store.update(object_name, record_id, values)

    def delete(self, object_name: str, record_id: str, _sc_id: str) -> None:
        """Put a record into the recycle bin."""
        self.store.delete(object_name, record_id)

    @cached_property
    def owners(self) -> Sequence[str]:
        """The two people who own what the sync creates; the first is the demo's own user."""
        users = self.store.sql("SELECT Id FROM User WHERE IsActive AND UserType = 'Standard' LIMIT 2")
        return [str(user_id) for (user_id,) in users]

    @cached_property
    def sync_user(self) -> str:
        """The user as whom StoreConnect Sync saves."""
        rows = self.store.sql("SELECT Id FROM User WHERE UserType = 'CloudIntegrationUser' LIMIT 1")
        return str(rows[0][0]) if rows else DEMO_USER_ID

    def holds_permission(self, user_id: str, permission: str) -> bool:
        """Whether a permission set of this name is assigned to the user, and not over."""
        rows = self.store.sql(
            "SELECT 1 FROM PermissionSetAssignment a JOIN PermissionSet p ON p.Id = a.PermissionSetId "
            "WHERE a.AssigneeId = ? AND p.Name = ? AND a.IsDeleted = 0 "
            "AND (a.ExpirationDate IS NULL OR a.ExpirationDate > ?)",
            (user_id, permission, stamp(self.store.clock())),
        )
        return bool(rows)

    def id_of(self, object_name: str, sc_id: str) -> str | None:
        """The oldest record with this StoreConnect ID."""
        rows = self.store.sql(
            f'SELECT Id FROM "{object_name}" WHERE "{SC_ID}" = ? AND IsDeleted = 0 ORDER BY demo_row LIMIT 1',
            (sc_id,),
        )
        return str(rows[0][0]) if rows else None

    def exists(self, object_name: str, record_id: str) -> bool:
        """True where this record is there and not deleted."""
        rows = self.store.sql(f'SELECT 1 FROM "{object_name}" WHERE Id = ? AND IsDeleted = 0', (record_id,))
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


def _relations(each: SObject) -> dict[str, tuple[str, str]]:
    return {
        field.relationship_name: (field.name, field.reference_to[0])
        for field in each.fields
        if field.relationship_name and field.createable
    }
