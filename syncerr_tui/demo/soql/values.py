"""Values of a query, checked against the field they are compared with, and SOQL's words for dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from syncerr_tui.demo.ids import long_id
from syncerr_tui.demo.schema import Field
from syncerr_tui.demo.soql.tree import DateLiteral, Literal, SoqlError, Value, refusal

MOST_UNITS = 10_000
_UNITS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
DATE_SPANS = frozenset(
    ["YESTERDAY", "TODAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS"]
    + [f"{when}_{unit}" for when in ("LAST", "THIS", "NEXT") for unit in _UNITS[1:]],
)
COUNTED_SPANS = frozenset(
    [f"{when}_N_{unit}S" for when in ("LAST", "NEXT") for unit in _UNITS]
    + [f"N_{unit}S_AGO" for unit in _UNITS],
)


def days_of(span: DateLiteral, today: date) -> tuple[date, date]:
    """First day and the day after the last one."""
    name, count = span.name, span.count or 0
    if name in {"YESTERDAY", "TODAY", "TOMORROW"}:
        first = today + timedelta(days=("YESTERDAY", "TODAY", "TOMORROW").index(name) - 1)
        return first, first + timedelta(days=1)
    if name in {"LAST_90_DAYS", "NEXT_90_DAYS"}:
        name, count = f"{name[:4]}_N_DAYS", 90
    if name == "LAST_N_DAYS":
        return _day(today, -count), _day(today, 1)
    if name == "NEXT_N_DAYS":
        return _day(today, 1), _day(today, count + 1)
    if name.endswith("_AGO"):
        unit = name[2:-5]
        return _start(unit, today, -count), _start(unit, today, 1 - count)
    if "_N_" in name:
        when, _, units = name.split("_")
        begin, end = (-count, 0) if when == "LAST" else (1, count + 1)
        return _start(units[:-1], today, begin), _start(units[:-1], today, end)
    when, unit = name.split("_")
    step = {"LAST": -1, "THIS": 0, "NEXT": 1}[when]
    return _start(unit, today, step), _start(unit, today, step + 1)


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


NUMBERS = frozenset({"int", "double", "currency", "percent"})
MOMENTS = frozenset({"date", "datetime"})
IDS = frozenset({"id", "reference"})


def bound_value(query: str, of: Field, literal: Literal) -> object:
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
        return _full_id(query, str(value), literal.at)
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


def _full_id(query: str, value: str, at: int) -> str:
    if value.isascii() and value.isalnum():
        if len(value) == 15:
            return long_id(value)
        if len(value) == 18 and long_id(value[:15]) == value:
            return value
    raise refusal(query, at, f"invalid ID field: {value}", "INVALID_QUERY_FILTER_OPERATOR")


def wrong_type(query: str, of: Field, at: int) -> SoqlError:
    """What Salesforce says to a string where a number belongs, and the like."""
    quoted = of.type not in {*NUMBERS, *MOMENTS, "boolean"}
    kind = {"datetime": "dateTime"}.get(of.type, "string" if quoted else of.type)
    should = "should be enclosed in quotes" if quoted else "should not be enclosed in quotes"
    message = f"value of filter criterion for field '{of.name}' must be of type {kind} and {should}"
    return refusal(query, at, message, "INVALID_FIELD")


def shown_moment(of: Field, value: date) -> str:
    """A date or datetime as the store keeps it, with milliseconds where the query has them."""
    if of.type == "date" or not isinstance(value, datetime):
        return value.isoformat()[:10]
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}+0000"
