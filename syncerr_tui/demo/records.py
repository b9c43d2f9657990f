"""Quick looks into the store for the engine and the safeguards: by StoreConnect ID, by id, by match."""

from __future__ import annotations

from collections.abc import Mapping

from syncerr_tui.demo.schema import SC_ID, SObject
from syncerr_tui.demo.store import Store

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MATCHED = (("Account", "Name"), ("Contact", "Email"), ("Lead", "Email"), ("Contact", "AccountId"))
"""What duplicate rules compare: indexed, or 100,000 events would take minutes."""


class Records:
    """The store as the sync engine asks it. No answer tells of a deleted record."""

    def __init__(self, store: Store, schema: Mapping[str, SObject]) -> None:
        self.store = store
        self.schema = schema
        self._relations = {name: _relations(each) for name, each in schema.items()}
        self._by_sc_id = {
            name: f'SELECT Id FROM "{name}" WHERE "{SC_ID}" = ? AND IsDeleted = 0 ORDER BY demo_row LIMIT 1'
            for name, each in schema.items()
            if each.field(SC_ID)
        }
        for object_name, field in _MATCHED:
            store.sql(
                f'CREATE INDEX IF NOT EXISTS "match.{object_name}.{field}" ON "{object_name}" ("{field}")',
            )

    def relations(self, object_name: str) -> Mapping[str, tuple[str, str]]:
        """Relationship name -> (lookup field, parent object)."""
        return self._relations[object_name]

    def id_of(self, object_name: str, sc_id: str) -> str | None:
        """The oldest record with this StoreConnect ID."""
        rows = self.store.sql(self._by_sc_id[object_name], (sc_id,))
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
