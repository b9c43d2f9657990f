"""A SOQL tree to SQLite, with every value bound.

Two steps, so that a query over 100,000 records is sorted once and read page by page: `rows_sql` gives the
row numbers in order, `page_sql` reads the columns of some of them. Groups come in one step.

SOQL's logic knows true and false only, SQL's also null: every condition is written so that SQLite never
answers null. Text compares without case; ids compare exactly, 15 characters standing for their 18.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from syncerr_tui.demo.schema import IDS, NUMBERS, Field, SObject, sql_name
from syncerr_tui.demo.soql.names import Join, Names, Target
from syncerr_tui.demo.soql.tree import (
    BAD_OPERATOR,
    MOMENTS,
    Aggregate,
    AllFields,
    Comparison,
    Condition,
    DateLiteral,
    FieldPath,
    Literal,
    Not,
    Order,
    Query,
    bound_value,
    days_of,
    shown_moment,
    wrong_type,
)


@dataclass(frozen=True, slots=True)
class Output:
    """One value of a result: where it goes (relationship names, then the key) and its place in the row."""

    path: tuple[str, ...]
    key: str
    place: int
    boolean: bool = False
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent record in the result: its relationship path, its object, where its Id stands in the row."""

    path: tuple[str, ...]
    sobject: SObject
    place: int


@dataclass(frozen=True, slots=True)
class CompiledQuery:
    """A query ready to run."""

    query: Query
    sobject: SObject
    rows_sql: str
    rows_values: tuple[object, ...]
    page_sql: str
    outputs: tuple[Output, ...]
    parents: tuple[Parent, ...]


def plan(
    query: Query,
    schema: Mapping[str, SObject],
    *,
    now: datetime,
    deleted: bool = False,
    visible: Callable[[SObject], bool] = lambda _: True,
) -> CompiledQuery:
    """Check every name and type in a query against the schema and write its SQL.

    Args:
        query: The parsed query.
        schema: All objects, by API name.
        now: What TODAY means.
        deleted: Records in the recycle bin count too (queryAll).
        visible: Whether an object can be reached by this endpoint (REST or Tooling).

    Raises:
        SoqlError: INVALID_TYPE, INVALID_FIELD, INVALID_QUERY_FILTER_OPERATOR, MALFORMED_QUERY.
    """
    return _Compiler(query, Names(query, schema, deleted, visible, "t"), now).plan()


@dataclass(slots=True)
class _Compiler:
    query: Query
    names: Names
    now: datetime
    values: list[object] = field(default_factory=list)

    def plan(self) -> CompiledQuery:
        query = self.query
        root = self.names.root
        if query.counts_only:
            return self._counting(root)
        if query.aggregates:
            return self._grouping(root)
        where = self._where(root)
        order = self._orders()
        sql = f"SELECT {root.alias}.demo_row {self.names.source}{where}{order}{self._limits()}"
        rows_values = tuple(self.values)
        outputs, parents, columns = self._selected(root)
        page = (
            f"SELECT {', '.join(columns)} FROM json_each(?) AS wanted "
            f"CROSS JOIN {sql_name(root.sobject.name)} AS {root.alias} "
            f"ON {root.alias}.demo_row = wanted.value"
            f"{''.join(self.names.clauses)} ORDER BY wanted.key"
        )
        return CompiledQuery(query, root.sobject, sql, rows_values, page, outputs, parents)

    def _where(self, root: Join) -> str:
        parts = [] if self.names.deleted else [f"{root.alias}.IsDeleted = 0"]
        if self.query.where is not None:
            parts.append(self._condition(self.query.where))
        return f" WHERE {' AND '.join(parts)}" if parts else ""

    def _limits(self) -> str:
        if self.query.limit is None and not self.query.offset:
            return ""
        self.values += [-1 if self.query.limit is None else self.query.limit, self.query.offset]
        return " LIMIT ? OFFSET ?"

    def _counting(self, root: Join) -> CompiledQuery:
        where = self._where(root)
        limits = self._limits()
        sql = f"SELECT count(*) FROM (SELECT 1 {self.names.source}{where}{limits})"
        return CompiledQuery(self.query, root.sobject, sql, tuple(self.values), "", (), ())

    def _grouping(self, root: Join) -> CompiledQuery:
        query = self.query
        groups = [self.names.find(path) for path in query.group_by]
        for path, source in zip(query.group_by, groups, strict=True):
            self.names.only_short(path, source, "grouped")
        grouped = {group.sql for group in groups}
        outputs: list[Output] = []
        columns: list[str] = []
        unnamed = 0
        for place, column in enumerate(query.columns):
            what = column.what
            if isinstance(what, AllFields):
                raise query.refusal(what.at, "FIELDS() cannot be used in a grouped query")
            if isinstance(what, Aggregate):
                columns.append(self._aggregate(what))
                key = column.alias or f"expr{unnamed}"
                unnamed += column.alias is None
                outputs.append(Output((), key, place))
                continue
            target = self.names.find(what)
            if target.sql not in grouped:
                name = ".".join(what.parts)
                raise query.refusal(what.at, f"Field must be grouped or aggregated: {name}")
            columns.append(target.sql)
            outputs.append(
                Output(
                    (), column.alias or target.field.name, place, target.field.type == "boolean", target.field
                )
            )
        if len({output.key.lower() for output in outputs}) < len(outputs):
            raise query.refusal(query.columns[-1].what.at, "duplicate alias")
        where = self._where(root)
        group = f" GROUP BY {', '.join(target.sql for target in groups)}" if groups else ""
        having = f" HAVING {self._condition(query.having)}" if query.having is not None else ""
        order = self._orders(grouped)
        limits = self._limits()
        sql = f"SELECT {', '.join(columns)} {self.names.source}{where}{group}{having}{order}{limits}"
        return CompiledQuery(query, root.sobject, sql, tuple(self.values), "", tuple(outputs), ())

    def _selected(self, root: Join) -> tuple[tuple[Output, ...], tuple[Parent, ...], list[str]]:
        outputs: list[Output] = []
        columns: list[str] = [f"{root.alias}.Id"]
        seen: set[tuple[str, ...]] = set()
        parents: dict[tuple[str, ...], Parent] = {}
        for path in self._paths():
            target = self.names.find(path)
            place = (*target.join.path, target.field.name)
            if place in seen:
                raise self.query.refusal(path.at, f"duplicate field selected: {'.'.join(path.parts)}")
            seen.add(place)
            for depth in range(1, len(target.join.path) + 1):
                above = target.join.path[:depth]
                if above not in parents:
                    join = self.names.joins[above]
                    parents[above] = Parent(above, join.sobject, len(columns))
                    columns.append(f"{join.alias}.Id")
            boolean = target.field.type == "boolean"
            outputs.append(Output(target.join.path, target.field.name, len(columns), boolean, target.field))
            columns.append(target.sql)
        return tuple(outputs), tuple(parents.values()), columns

    def _paths(self) -> list[FieldPath]:
        paths: list[FieldPath] = []
        for column in self.query.columns:
            what = column.what
            if isinstance(what, FieldPath):
                paths.append(what)
            elif isinstance(what, AllFields):
                paths += [
                    FieldPath((each.name,), what.at)
                    for each in self.names.root.sobject.fields
                    if what.which == "ALL" or each.name.endswith("__c") == (what.which == "CUSTOM")
                ]
        return paths

    def _aggregate(self, what: Aggregate) -> str:
        if what.field is None:
            return "count(*)"
        target = self.names.find(what.field)
        self.names.only_short(what.field, target, "aggregated")
        numeric = target.field.type in NUMBERS
        if (what.function in {"SUM", "AVG"} and not numeric) or target.field.type == "boolean":
            raise self.query.refusal(
                what.at, f"field {target.field.name} does not support aggregate operator {what.function}"
            )
        name = "count(DISTINCT " if what.function == "COUNT_DISTINCT" else f"{what.function.lower()}("
        return f"{name}{target.sql})"

    def _orders(self, grouped: set[str] | None = None) -> str:
        parts = [self._order(order, grouped) for order in self.query.order_by]
        return f" ORDER BY {', '.join(parts)}" if parts else ""

    def _order(self, order: Order, grouped: set[str] | None) -> str:
        what = order.what
        if isinstance(what, Aggregate):
            if grouped is None:
                raise self.query.refusal(what.at, "aggregate in ORDER BY of a query without groups")
            sql, nillable = self._aggregate(what), True
        else:
            target = self.names.find(what)
            self.names.only_short(what, target, "sorted")
            sql, nillable = target.sql, target.field.nillable or bool(target.join.path)
            if grouped is not None and sql not in grouped:
                name = ".".join(what.parts)
                raise self.query.refusal(what.at, f"Ordered field must be grouped or aggregated: {name}")
        # "DESC NULLS LAST" and "ASC NULLS FIRST" are SQLite's own; saying so would keep it from its indexes.
        plain = order.nulls_first != order.descending or not nillable
        nulls = "" if plain else f" NULLS {'FIRST' if order.nulls_first else 'LAST'}"
        return f"{sql} {'DESC' if order.descending else 'ASC'}{nulls}"

    def _condition(self, condition: Condition) -> str:
        if isinstance(condition, Comparison):
            return self._comparison(condition)
        if isinstance(condition, Not):
            return f"NOT ({self._condition(condition.part)})"
        return _balanced([self._condition(part) for part in condition.parts], condition.word)

    def _comparison(self, comparison: Comparison) -> str:
        what, value = comparison.what, comparison.value
        if isinstance(what, Aggregate):
            return self._aggregate_comparison(what, comparison)
        target = self.names.find(what)
        self.names.only_short(what, target, "filtered")
        if isinstance(value, Query):
            return self._within_query(target, comparison.operator, value)
        if isinstance(value, tuple):
            return self._within(target, comparison.operator, value)
        if comparison.operator == "LIKE":
            return self._like(target, value)
        if isinstance(value.value, DateLiteral):
            return self._spanned(target, comparison.operator, value.value, value.at)
        bound = bound_value(self.query, target.field, value)
        return self._compared(target, comparison.operator, bound, comparison.at)

    def _aggregate_comparison(self, what: Aggregate, comparison: Comparison) -> str:
        value = comparison.value
        sql = self._aggregate(what)
        operator = {"=": "IS", "!=": "IS NOT"}.get(comparison.operator, comparison.operator)
        if (
            not isinstance(value, Literal)
            or operator in {"LIKE", "IN", "NOT-IN"}
            or self.query.having is None
        ):
            raise self.query.refusal(what.at, "aggregates can only be compared with numbers, in HAVING")
        if isinstance(value.value, bool) or not isinstance(value.value, (int, float)):
            raise self.query.refusal(value.at, "aggregates can only be compared with numbers, in HAVING")
        self.values.append(value.value)
        return f"({sql} {operator} ? AND {sql} IS NOT NULL)"

    def _compared(self, target: Target, operator: str, bound: object, at: int) -> str:
        folded = isinstance(bound, str) and target.field.type not in IDS and not bound.isascii()
        sql = f"fold({target.sql})" if folded else target.sql
        self.values.append(bound.lower() if folded and isinstance(bound, str) else bound)
        if operator in {"=", "!="}:
            return f"{sql} {'IS' if operator == '=' else 'IS NOT'} ?"
        if bound is None or target.field.type == "boolean":
            raise self.query.refusal(at, f"invalid operator on {target.field.type} field", BAD_OPERATOR)
        return f"({sql} {operator} ? AND {sql} IS NOT NULL)"

    def _like(self, target: Target, literal: Literal) -> str:
        kind = target.field.type
        if kind in {*IDS, *NUMBERS, *MOMENTS, "boolean"} or not isinstance(literal.value, (str, type(None))):
            raise self.query.refusal(literal.at, f"invalid operator on {kind} field", BAD_OPERATOR)
        pattern = literal.value
        if not pattern:
            return f"{target.sql} IS NULL"
        sql = target.sql if pattern.isascii() else f"fold({target.sql})"
        self.values.append(pattern if pattern.isascii() else pattern.lower())
        return f"({sql} LIKE ? ESCAPE '\\' AND {sql} IS NOT NULL)"

    def _within(self, target: Target, operator: str, literals: tuple[Literal, ...]) -> str:
        bound: list[object] = []
        spans: list[str] = []
        for literal in literals:
            if isinstance(literal.value, DateLiteral):
                spans.append(self._spanned(target, "=", literal.value, literal.at))
            else:
                bound.append(bound_value(self.query, target.field, literal))
        some = [each for each in bound if each is not None]
        parts = spans
        folded = any(isinstance(each, str) and not each.isascii() for each in some)
        sql = f"fold({target.sql})" if folded else target.sql
        if some:
            self.values.append(
                json.dumps([each.lower() if folded and isinstance(each, str) else each for each in some])
            )
            parts.append(f"({sql} IN (SELECT value FROM json_each(?)) AND {target.sql} IS NOT NULL)")
        if len(some) < len(bound):
            parts.append(f"{target.sql} IS NULL")
        either = _balanced(parts, "OR")
        return f"NOT ({either})" if operator == "NOT-IN" else either

    def _within_query(self, target: Target, operator: str, inner: Query) -> str:
        """A semi-join: `AccountId IN (SELECT Id FROM Account WHERE ...)`."""
        what = inner.columns[0].what
        if (
            len(inner.columns) != 1
            or not isinstance(what, FieldPath)
            or inner.order_by
            or inner.limit is not None
        ):
            raise self.query.refusal(
                inner.object_at, "a subquery selects one id field, without ORDER BY or LIMIT"
            )
        only = Query(
            self.query.text, inner.columns, inner.object_name, inner.object_at, inner.alias, inner.where,
            (), None, (), None, 0,
        )  # fmt: skip
        names = Names(
            only, self.names.schema, self.names.deleted, self.names.visible, f"{self.names.prefix}s"
        )
        compiler = _Compiler(only, names, self.now, self.values)
        selected = names.find(what)
        if selected.field.type not in IDS or target.field.type not in IDS:
            raise self.query.refusal(what.at, "a subquery selects one id field, without ORDER BY or LIMIT")
        where = compiler._where(names.root)
        sql = f"SELECT {selected.sql} {names.source}{where}"
        within = f"({target.sql} IN ({sql}) AND {target.sql} IS NOT NULL)"
        return f"NOT coalesce({within}, 0)" if operator == "NOT-IN" else f"coalesce({within}, 0)"

    def _spanned(self, target: Target, operator: str, span: DateLiteral, at: int) -> str:
        if target.field.type not in MOMENTS:
            raise wrong_type(self.query, target.field, at)
        first, after = days_of(span, self.now.astimezone(UTC).date())
        low, high = (
            shown_moment(target.field, datetime(day.year, day.month, day.day, tzinfo=UTC))
            for day in (first, after)
        )
        sql = target.sql
        if operator in {"=", "!="}:
            self.values += [low, high]
            within = f"({sql} >= ? AND {sql} < ? AND {sql} IS NOT NULL)"
            return within if operator == "=" else f"NOT {within}"
        # "> LAST_N_DAYS:7" is what everybody writes for "in the last seven days", and Salesforce takes it so.
        beyond = low if span.name == "LAST_N_DAYS" else high
        bound, sign = {"<": (low, "<"), "<=": (high, "<"), ">": (beyond, ">="), ">=": (low, ">=")}[operator]
        self.values.append(bound)
        return f"({sql} {sign} ? AND {sql} IS NOT NULL)"


def _balanced(parts: list[str], word: str) -> str:
    """`a AND b AND c` as a tree of little depth: SQLite refuses one deeper than 1,000."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_balanced(parts[:middle], word)} {word} {_balanced(parts[middle:], word)})"
