"""What a SOQL query says, as data, and how one is refused; its values, checked against their fields.

`at` is always an offset into the query text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from syncerr_tui.demo.schema import IDS, NUMBERS, Field, full_id

BAD_OPERATOR = "INVALID_QUERY_FILTER_OPERATOR"


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
class Joined:
    """Several of which all must hold (`AND`), or at least one (`OR`)."""

    word: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Condition


Condition = Comparison | Joined | Not


@dataclass(frozen=True, slots=True)
class Order:
    """One field of ORDER BY. Where the query does not say, nulls come first."""

    what: FieldPath | Aggregate
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Query:
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

    def refusal(self, at: int, reason: str, code: str = "MALFORMED_QUERY") -> SoqlError:
        return refusal(self.text, at, reason, code)

    @property
    def counts_only(self) -> bool:
        """True for `SELECT COUNT() FROM ...`, whose answer is totalSize alone."""
        what = self.columns[0].what
        return len(self.columns) == 1 and isinstance(what, Aggregate) and what.field is None

    @property
    def aggregates(self) -> bool:
        """True where rows are groups, not records."""
        return bool(self.group_by) or any(isinstance(column.what, Aggregate) for column in self.columns)


MOST_UNITS = 10_000
_UNITS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
_ONE = {"YESTERDAY": ("DAY", -1), "TODAY": ("DAY", 0), "TOMORROW": ("DAY", 1)} | {
    f"{when}_{unit}": (unit, step)
    for unit in _UNITS[1:]
    for when, step in (("LAST", -1), ("THIS", 0), ("NEXT", 1))
}
"""Literals of one unit, so many away from today's."""
DATE_SPANS = frozenset([*_ONE, "LAST_90_DAYS", "NEXT_90_DAYS"])
COUNTED_SPANS = frozenset(
    [f"{when}_N_{unit}S" for when in ("LAST", "NEXT") for unit in _UNITS]
    + [f"N_{unit}S_AGO" for unit in _UNITS]
)


def days_of(span: DateLiteral, today: date) -> tuple[date, date]:
    """First day and the day after the last one."""
    count = 90 if span.count is None else span.count
    if span.name in _ONE:
        unit, begin = _ONE[span.name]
        end = begin + 1
    else:
        unit = next(unit for unit in _UNITS if f"{unit}S" in span.name)
        if span.name.endswith("_AGO"):
            begin, end = -count, 1 - count
        elif span.name.startswith("NEXT"):
            begin, end = 1, count + 1
        else:
            # The last days end with today, the last weeks with the one before this.
            begin, end = -count, int(unit == "DAY")
    return _start(unit, today, begin), _start(unit, today, end)


def _day(today: date, step: int) -> date:
    return date.fromordinal(min(max(today.toordinal() + step, 1), date.max.toordinal()))


def _start(unit: str, today: date, step: int) -> date:
    """The first day of the unit (week, month ...) that is `step` units away from today's."""
    if unit == "DAY":
        return _day(today, step)
    if unit == "WEEK":
        return _day(_day(today, -(today.isoweekday() % 7)), 7 * step)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    index = (today.year * 12 + today.month - 1) // months * months + step * months
    year, month = divmod(index, 12)
    return date(min(max(year, 1), 9999), month + 1, 1)


MOMENTS = frozenset({"date", "datetime"})


def bound_value(query: Query, of: Field, literal: Literal) -> object:
    """The value to bind. An empty string is null, as everywhere in Salesforce.

    Raises:
        SoqlError: INVALID_FIELD for the wrong type, INVALID_QUERY_FILTER_OPERATOR for what is no id.
    """
    value = literal.value
    if (value is None or value == "") and of.type != "boolean":
        return None
    if not _fits(of.type, value):
        raise wrong_type(query, of, literal.at)
    if isinstance(value, date):
        return shown_moment(of, value)
    if of.type in IDS:
        if (whole := full_id(str(value))) is None:
            raise query.refusal(literal.at, f"invalid ID field: {value}", BAD_OPERATOR)
        return whole
    return int(value) if isinstance(value, bool) else value


def _fits(kind: str, value: Value) -> bool:
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind in NUMBERS:
        return isinstance(value, (int, float))
    if kind == "datetime":
        return isinstance(value, datetime)
    if kind == "date":
        return isinstance(value, date) and not isinstance(value, datetime)
    return isinstance(value, str)


def wrong_type(query: Query, of: Field, at: int) -> SoqlError:
    """What Salesforce says to a string where a number belongs, and the like."""
    quoted = of.type not in {*NUMBERS, *MOMENTS, "boolean"}
    kind = {"datetime": "dateTime"}.get(of.type, "string" if quoted else of.type)
    should = "should be enclosed in quotes" if quoted else "should not be enclosed in quotes"
    message = f"value of filter criterion for field '{of.name}' must be of type {kind} and {should}"
    return query.refusal(at, message, "INVALID_FIELD")


def shown_moment(of: Field, value: date) -> str:
    """A date or datetime as the store keeps it, with milliseconds where the query has them."""
    if of.type == "date" or not isinstance(value, datetime):
        return value.isoformat()[:10]
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}+0000"
