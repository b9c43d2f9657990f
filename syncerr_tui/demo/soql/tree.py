"""What a SOQL query says, as data, and how one is refused. `at` is always an offset into the query text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


class SoqlError(Exception):
    """A query that is refused: Salesforce's error code, and its message with the place."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def refusal(query: str, at: int, reason: str, code: str = "MALFORMED_QUERY") -> SoqlError:
    """An error in Salesforce's form: the piece of the query, a caret, row and column, the reason."""
    before = query[:at]
    row = before.count("\n") + 1
    start = before.rfind("\n") + 1
    column = at - start
    line = query[start:].split("\n", 1)[0]
    left = max(0, column - 40)
    piece = line[left : column + 40]
    return SoqlError(
        code, f"\n{piece}\n{' ' * (column - left)}^\nERROR at Row:{row}:Column:{column + 1}\n{reason}"
    )


@dataclass(frozen=True, slots=True)
class FieldPath:
    """`Account.Owner.Name` as its parts."""

    parts: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`COUNT(Id)`; `COUNT()` has no field."""

    function: str
    field: FieldPath | None
    at: int


@dataclass(frozen=True, slots=True)
class AllFields:
    """`FIELDS(ALL)`, `FIELDS(STANDARD)`, `FIELDS(CUSTOM)`."""

    which: str
    at: int


@dataclass(frozen=True, slots=True)
class SelectedColumn:
    """One thing selected."""

    what: FieldPath | Aggregate | AllFields
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class DateLiteral:
    """A date literal such as `LAST_N_DAYS:7`: a name and, for some, a number."""

    name: str
    count: int | None


Value = str | int | float | bool | date | datetime | DateLiteral | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A value in a comparison. A pattern of LIKE keeps its backslashes before wildcards and backslashes."""

    value: Value
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`. The operator is one of = != < <= > >= LIKE IN NOT-IN."""

    what: FieldPath | Aggregate
    operator: str
    value: Literal | tuple[Literal, ...] | Query
    at: int


@dataclass(frozen=True, slots=True)
class Both:
    """All of them (`AND`)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of them (`OR`)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Condition


Condition = Comparison | Both | Either | Not


@dataclass(frozen=True, slots=True)
class Order:
    """One field of ORDER BY. Where the query does not say, nulls come first."""

    what: FieldPath | Aggregate
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query."""

    text: str
    columns: tuple[SelectedColumn, ...]
    object_name: str
    object_at: int
    alias: str | None
    where: Condition | None
    group_by: tuple[FieldPath, ...]
    having: Condition | None
    order_by: tuple[Order, ...]
    limit: int | None
    offset: int

    @property
    def counts_only(self) -> bool:
        """True for `SELECT COUNT() FROM ...`, whose answer is totalSize alone."""
        what = self.columns[0].what
        return len(self.columns) == 1 and isinstance(what, Aggregate) and what.field is None

    @property
    def aggregates(self) -> bool:
        """True where rows are groups, not records."""
        return bool(self.group_by) or any(isinstance(column.what, Aggregate) for column in self.columns)
