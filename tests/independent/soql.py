"""SOQL as far as a client needs it, read from Salesforce's reference: parsed, then asked of plain rows.

Text compares without case, ids with their first 15 characters, datetimes as moments; what a query names and
the org does not have is refused as the org refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Row = Mapping[str, Any]
Value = str | float | bool | datetime | None

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class QueryError(Exception):
    """The org refuses the query with this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked. `where` says of a row whether it is wanted."""

    columns: tuple[str, ...]
    table: str
    where: Callable[[Any], bool]
    order: tuple[tuple[str, bool], ...]
    limit: int | None
    counts: bool
    """`SELECT COUNT()`: only the number is wanted."""
    groups: tuple[str, ...]
    named: frozenset[str]
    """Every path that occurs, to be checked against the object."""


Lookup = Callable[[Any, str], Value]
"""The value at a path of a row."""


class _Parser:
    def __init__(self, text: str, lookup: Lookup, select: Callable[[Query], list[Value]]) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self._lookup = lookup
        self._select = select
        self._named: set[str] = set()
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise QueryError("MALFORMED_QUERY", f"unexpected token: '{text[position : position + 20]}'")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def _peek(self, *words: str) -> bool:
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")
        return kind != "text" and text.upper() in words

    def _accept(self, *words: str) -> bool:
        if self._peek(*words):
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise QueryError("MALFORMED_QUERY", f"expecting {word}")

    def _next(self, kind: str) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != kind:
            raise QueryError("MALFORMED_QUERY", f"expecting a {kind}")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def query(self, *, inner: bool = False) -> Query:
        outer_named, self._named = self._named, set()
        self._expect("SELECT")
        columns, counts = [], False
        while True:
            name = self._next("word")
            if self._accept("("):
                counted = "" if self._peek(")") else self._next("word")
                self._expect(")")
                counts = counts or not counted
                alias = "expr0" if self._peek("FROM", ",") else self._next("word")
                columns.append(f"{name.upper()}({counted}) {alias}")
            else:
                columns.append(self._path(name))
            if not self._accept(","):
                break
        self._expect("FROM")
        table = self._next("word")
        where: Callable[[Any], bool] = self._any() if self._accept("WHERE") else (lambda _: True)
        groups: list[str] = []
        if self._accept("GROUP"):
            self._expect("BY")
            groups.append(self._path(self._next("word")))
            while self._accept(","):
                groups.append(self._path(self._next("word")))
        order: list[tuple[str, bool]] = []
        if self._accept("ORDER"):
            self._expect("BY")
            while True:
                path = self._path(self._next("word"))
                down = self._accept("DESC")
                self._accept("ASC")
                if self._accept("NULLS"):
                    self._next("word")
                order.append((path, down))
                if not self._accept(","):
                    break
        limit = int(self._next("number")) if self._accept("LIMIT") else None
        if not inner and self._at < len(self._tokens):
            raise QueryError("MALFORMED_QUERY", f"unexpected token: '{self._tokens[self._at][1]}'")
        counts = counts and len(columns) == 1 and not groups
        query = Query(
            tuple(columns), table, where, tuple(order), limit, counts, tuple(groups), frozenset(self._named)
        )
        self._named = outer_named
        return query

    def _path(self, path: str) -> str:
        self._named.add(path)
        return path

    def _any(self) -> Callable[[Any], bool]:
        parts = [self._all()]
        while self._accept("OR"):
            parts.append(self._all())
        return lambda row: any(part(row) for part in parts)

    def _all(self) -> Callable[[Any], bool]:
        parts = [self._one()]
        while self._accept("AND"):
            parts.append(self._one())
        return lambda row: all(part(row) for part in parts)

    def _one(self) -> Callable[[Any], bool]:
        if self._accept("NOT"):
            inner = self._one()
            return lambda row: not inner(row)
        if self._accept("("):
            whole = self._any()
            self._expect(")")
            return whole
        path = self._path(self._next("word"))
        lookup = self._lookup
        unwanted = self._accept("NOT")
        if self._accept("IN"):
            self._expect("(")
            if self._peek("SELECT"):
                values = self._select(self.query(inner=True))
            else:
                values = [self._value()]
                while self._accept(","):
                    values.append(self._value())
            self._expect(")")
            keys = {_key(value) for value in values}
            return lambda row: (_key(lookup(row, path)) in keys) is not unwanted
        if self._accept("LIKE"):
            pattern = re.escape(str(self._value())).replace("%", ".*").replace("_", ".")
            like = re.compile(pattern, re.IGNORECASE | re.DOTALL)
            return lambda row: bool(like.fullmatch(str(lookup(row, path) or "")))
        sign = self._next("sign")
        value = self._value()
        return lambda row: _compare(lookup(row, path), sign, value)

    def _value(self) -> Value:
        if self._at >= len(self._tokens):
            raise QueryError("MALFORMED_QUERY", "unexpected end of query")
        kind, text = self._tokens[self._at]
        self._at += 1
        match kind:
            case "text":
                return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])
            case "moment":
                return datetime.fromisoformat(text).astimezone(UTC)
            case "number":
                return float(text)
            case "word" if text.upper() in {"TRUE", "FALSE", "NULL"}:
                return {"TRUE": True, "FALSE": False, "NULL": None}[text.upper()]
        raise QueryError("MALFORMED_QUERY", f"unexpected token: '{text}'")


def parse(text: str, lookup: Lookup, select: Callable[[Query], list[Value]]) -> Query:
    """Read a query.

    Args:
        text: The query.
        lookup: Gives the value at a path of a row.
        select: Answers an inner query with the values of its one column.

    Raises:
        QueryError: As the org would refuse it.
    """
    return _Parser(text, lookup, select).query()


def ordered(rows: Sequence[Any], query: Query, lookup: Lookup) -> list[Any]:
    """The rows in the order that the query asks for; nulls first, as Salesforce has them."""
    result = list(rows)
    for path, down in reversed(query.order):
        result.sort(key=lambda row, path=path: _rank(lookup(row, path)), reverse=down)  # type: ignore[misc]
    return result


def _rank(value: Value) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    if isinstance(value, datetime):
        return (1, value.timestamp())
    return (1, value.casefold() if isinstance(value, str) else float(value))


def _key(value: Value) -> object:
    if isinstance(value, str):
        # An id compares with its 15 characters that count; other text of that length is as good as never met.
        return value[:15] if re.fullmatch(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?", value) else value.casefold()
    return value


def _compare(left: Value, sign: str, right: Value) -> bool:
    if sign == "=":
        return _key(left) == _key(right)
    if sign in {"!=", "<>"}:
        return _key(left) != _key(right)
    if left is None or right is None:
        return False
    first, second = _rank(left), _rank(right)
    try:
        return {
            "<": first < second,
            ">": first > second,
            "<=": first <= second,
            ">=": first >= second,
        }[sign]
    except TypeError:
        raise QueryError("INVALID_FIELD", "value of filter criterion must be of the field's type") from None
