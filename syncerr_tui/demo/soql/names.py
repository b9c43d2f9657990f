"""Names of a query found in the schema: the object, its fields, and the parents that paths lead through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from syncerr_tui.demo.schema import Field, SObject, object_named, sql_name
from syncerr_tui.demo.soql.tree import FieldPath, Query

_NO_OBJECT = (
    "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to append "
    "the '__c' after the entity name. Please reference your WSDL or the describe call for the "
    "appropriate names."
)
_NO_FIELD = (
    "No such column '{}' on entity '{}'. If you are attempting to use a custom field, be sure to append "
    "the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
    "appropriate names."
)
_NO_RELATION = (
    "Didn't understand relationship '{}' in field path. If you are attempting to use a custom relationship, "
    "be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the "
    "describe call for the appropriate names."
)


@dataclass(slots=True)
class Join:
    """An object in the FROM clause; `path` is how the query came to it."""

    alias: str
    sobject: SObject
    path: tuple[str, ...]


@dataclass(slots=True)
class Target:
    """A field path found in the schema."""

    sql: str
    field: Field
    join: Join


@dataclass(slots=True)
class Names:
    """The objects of one query, joined as its field paths ask for them."""

    query: Query
    schema: Mapping[str, SObject]
    deleted: bool
    visible: Callable[[SObject], bool]
    prefix: str
    joins: dict[tuple[str, ...], Join] = field(default_factory=dict)
    clauses: list[str] = field(default_factory=list)

    @property
    def root(self) -> Join:
        """The query's own object."""
        return self.joins[()] if self.joins else self._root()

    def _root(self) -> Join:
        sobject = object_named(self.schema, self.query.object_name)
        if sobject is None or not self.visible(sobject):
            raise self.query.refusal(
                self.query.object_at, _NO_OBJECT.format(self.query.object_name), "INVALID_TYPE"
            )
        root = Join(f"{self.prefix}0", sobject, ())
        self.joins[()] = root
        return root

    @property
    def source(self) -> str:
        """`FROM ...` with every parent that was asked for so far."""
        return f"FROM {sql_name(self.root.sobject.name)} AS {self.root.alias}{''.join(self.clauses)}"

    def find(self, path: FieldPath) -> Target:
        """The field that a path means; joins its parents on the way."""
        parts = path.parts
        join = self.root
        own = {self.query.object_name.lower(), (self.query.alias or self.query.object_name).lower()}
        if len(parts) > 1 and parts[0].lower() in own and not join.sobject.relationship(parts[0]):
            parts = parts[1:]
        if len(parts) > 6:
            raise self.query.refusal(
                path.at, "a field path may go up five relationships at most", "INVALID_FIELD"
            )
        for name in parts[:-1]:
            join = self._joined(join, name, path.at)
        field = join.sobject.field(parts[-1])
        if field is None:
            raise self.query.refusal(path.at, _NO_FIELD.format(parts[-1], join.sobject.name), "INVALID_FIELD")
        return Target(f"{join.alias}.{sql_name(field.name)}", field, join)

    def _joined(self, join: Join, name: str, at: int) -> Join:
        reference = join.sobject.relationship(name)
        target = None
        if reference is not None:
            target = next((self.schema[each] for each in reference.reference_to if each in self.schema), None)
        if reference is None or target is None or reference.relationship_name is None:
            raise self.query.refusal(at, _NO_RELATION.format(name), "INVALID_FIELD")
        path = (*join.path, reference.relationship_name)
        if path not in self.joins:
            new = Join(f"{self.prefix}{len(self.joins)}", target, path)
            self.joins[path] = new
            alive = "" if self.deleted else f" AND {new.alias}.IsDeleted = 0"
            self.clauses.append(
                f" LEFT JOIN {sql_name(target.name)} AS {new.alias} "
                f"ON {new.alias}.Id = {join.alias}.{sql_name(reference.name)}{alive}"
            )
        return self.joins[path]

    def only_short(self, path: FieldPath, target: Target, done: str) -> None:
        if target.field.is_long_text:
            raise self.query.refusal(
                path.at, f"field '{target.field.name}' can not be {done} in a query call", "INVALID_FIELD"
            )
