"""Values of a query as the store keeps them, their types checked against the field they are compared with."""

from __future__ import annotations

from datetime import UTC, date, datetime

from syncerr_tui.demo.schema import Field
from syncerr_tui.demo.soql.errors import SoqlError, refusal
from syncerr_tui.demo.soql.tree import Literal, Value
from syncerr_tui.demo.store import long_id

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
