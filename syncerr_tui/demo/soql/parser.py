r"""SOQL text to a tree, by a grammar of lark.

As in Salesforce, AND and OR may not be mixed without parentheses, OFFSET ends at 2,000, and FIELDS(ALL)
wants LIMIT 200. Not spoken: child subqueries in SELECT, TYPEOF, functions on fields, WITH, FOR, USING,
INCLUDES; such a query is refused like any other that cannot be read.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache, lru_cache
from threading import Lock
from typing import Any, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

from syncerr_tui.demo.soql.tree import (
    DATE_SPANS,
    MOST_UNITS,
    Aggregate,
    AllFields,
    Comparison,
    Condition,
    DateLiteral,
    FieldPath,
    Joined,
    Literal,
    Not,
    Order,
    Query,
    SelectedColumn,
    SoqlError,
    refusal,
)

MAX_LENGTH = 100_000
MAX_STRING = 4_000
MAX_OFFSET = 2_000
MAX_DEPTH = 60

_RESERVED = (
    "and|or|not|like|in|select|from|where|group|by|having|order|asc|desc|nulls|first|last|limit|offset|null"
    "|true|false|includes|excludes|with|using|for|typeof"
)
_GRAMMAR = r"""
query: _SELECT columns _FROM OBJECT [ALIAS] [where] [group_by] [order_by] [limit] [offset]
columns: column ("," column)*
column: (path | aggregate | all_fields) [ALIAS]
all_fields: _FIELDS "(" FIELD_SET ")"
aggregate: FUNCTION "(" [path] ")"
path: PATH
?operand: path | aggregate

where: _WHERE _condition
group_by: _GROUP _BY grouped [having]
having: _HAVING _condition
grouped: path ("," path)*
order_by: _ORDER _BY order ("," order)*
order: operand [DIRECTION] [_NULLS NULLS_PLACE]
limit: _LIMIT COUNT
offset: _OFFSET COUNT

_condition: _term | joined
joined: _term ((AND _term)+ | (OR _term)+)
_term: comparison | negation | "(" _condition ")"
negation: NOT _term
comparison: operand (OPERATOR literal | LIKE pattern | IN values | NOT IN values)
values: STRINGS
    | "(" literal ("," literal)* ")"
    | "(" query ")"
pattern: STRING
literal: STRING | NUMBER | DATE | DATETIME | BOOLEAN | NULL | DAYS | COUNTED_DAYS ":" COUNT

_SELECT.5: /select\b/i
_FROM.5: /from\b/i
_FIELDS.5: /fields(?=\s*\()/i
_WHERE.5: /where\b/i
_GROUP.5: /group\b/i
_BY.5: /by\b/i
_HAVING.5: /having\b/i
_ORDER.5: /order\b/i
_NULLS.5: /nulls\b/i
_LIMIT.5: /limit\b/i
_OFFSET.5: /offset\b/i
AND.5: /and\b/i
OR.5: /or\b/i
NOT.5: /not\b/i
LIKE.5: /like\b/i
IN.5: /in\b/i
DIRECTION.5: /(asc|desc)\b/i
NULLS_PLACE.5: /(first|last)\b/i
FIELD_SET.5: /(all|standard|custom)\b/i
FUNCTION.5: /(count_distinct|count|sum|avg|min|max)(?=\s*\()/i
BOOLEAN.5: /(true|false)\b/i
NULL.5: /null\b/i
COUNTED_DAYS.5: /((last|next)_n_(day|week|month|quarter|year)s|n_(day|week|month|quarter|year)s_ago)\b/i
DAYS.4: /RESERVED[a-z]\w*/i
OBJECT: /RESERVED[a-z]\w*(?![\w.])|(order|group)\b(?!\.)/i
ALIAS: /RESERVED[a-z]\w*(?![\w.])/i
PATH: /RESERVED[a-z]\w*(\.[a-z]\w*)*/i
OPERATOR: /<=|>=|!=|<>|[=<>]/
STRING: /'([^'\\]|\\.)*'/s
STRINGS.6: /\(\s*'([^'\\]|\\.)*'(\s*,\s*'([^'\\]|\\.)*')*\s*\)/s
DATETIME.3: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(z|[+-]\d\d:?\d\d)(?![\w.])/i
DATE.2: /\d{4}-\d\d-\d\d(?![\w.:-])/
NUMBER: /[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?(?![\w.])/i
COUNT: /\d+(?![\w.])/
BLANK: /\s+/
%ignore BLANK
""".replace("RESERVED", rf"(?!({_RESERVED})\b(?!\.))")
_WORD = re.compile(
    r"'(?:[^'\\]|\\.)*'|[\d.+-][\w.:+-]*|[A-Za-z]\w*(?:\.[A-Za-z]\w*)*|<=|>=|!=|<>|[=<>(),:]",
    re.ASCII | re.DOTALL,
)
_STRING = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:[uU]([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_NESTING = re.compile(r"'(?:[^'\\]|\\.)*'|[()]", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


@lru_cache(maxsize=64)
def parse_query(query: str) -> Query:
    """Read one query.

    Raises:
        SoqlError: MALFORMED_QUERY with the place where reading stopped; QUERY_TOO_COMPLICATED over 100,000
            characters; NUMBER_OUTSIDE_VALID_RANGE for an OFFSET over 2,000.
    """
    if len(query) > MAX_LENGTH:
        raise SoqlError("QUERY_TOO_COMPLICATED", f"SOQL query is longer than {MAX_LENGTH} characters")
    depth = 0
    for sign in _NESTING.finditer(query):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if depth > MAX_DEPTH:
            raise refusal(query, sign.start(), "too many nested conditions")
    with _BUILDING:  # once, although the first queries come in several threads at a time
        lark = _lark()
    try:
        tree: Query = _TreeBuilder(query).transform(lark.parse(query))
    except UnexpectedToken as unexpected:
        # Lark gives the end the place of the token before it.
        ends = unexpected.token.type == "$END"
        raise _unexpected(query, len(query) if ends else _at(unexpected.token)) from None
    except UnexpectedCharacters as unexpected:
        raise _unexpected(query, cast("int", unexpected.pos_in_stream)) from None
    except VisitError as wrapped:
        raise wrapped.orig_exc from None
    return tree


_BUILDING = Lock()


@cache
def _lark() -> Lark:
    return Lark(_GRAMMAR, start="query", parser="lalr", g_regex_flags=re.ASCII)


def _unexpected(query: str, at: int) -> SoqlError:
    if at >= len(query):
        return refusal(query, at, "unexpected token: '<EOF>'")
    word = _WORD.match(query, at)
    if word:
        text = word[0] if len(word[0]) < 200 else word[0][:200] + "…"
        return refusal(query, at, f"unexpected token: '{text}'")
    letter = query[at]
    if letter == "'":
        return refusal(query, at, "unterminated string literal")
    reason = f"line 1: unexpected character '{letter}'" if letter.isprintable() else "unexpected character"
    return refusal(query, at, reason)


def _at(token: Token) -> int:
    return token.start_pos or 0


class _TreeBuilder(Transformer[Token, Any]):
    """Lark's tree to ours, leaves first. Each method gets the children of the rule of its name."""

    def __init__(self, query: str) -> None:
        super().__init__()
        self._text = query

    def query(self, parts: list[Any]) -> Query:
        columns, entity, alias, where, group, order_by, limit, offset = parts
        group_by, having = group or ((), None)
        query = Query(
            self._text,
            tuple(columns),
            str(entity),
            _at(entity),
            str(alias) if alias else None,
            where,
            group_by,
            having,
            order_by or (),
            limit,
            offset or 0,
        )
        self._check(query)
        return query

    def _check(self, query: Query) -> None:
        for column in query.columns:
            what = column.what
            if isinstance(what, AllFields) and what.which != "STANDARD" and (query.limit or 201) > 200:
                raise SoqlError(
                    "MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200"
                )
            if isinstance(what, Aggregate) and what.field is None and len(query.columns) > 1:
                raise refusal(self._text, what.at, "COUNT() must be the only element in the SELECT list")
            if column.alias and not isinstance(what, Aggregate) and not query.group_by:
                raise refusal(self._text, what.at, "only aggregate expressions use field aliasing")
        if query.counts_only and (query.order_by or query.group_by):
            raise SoqlError("MALFORMED_QUERY", "COUNT() cannot be used with ORDER BY or GROUP BY")

    columns = list

    def column(self, parts: list[Any]) -> SelectedColumn:
        what, alias = parts
        return SelectedColumn(what, str(alias) if alias else None)

    def all_fields(self, parts: list[Token]) -> AllFields:
        return AllFields(parts[0].upper(), _at(parts[0]))

    def aggregate(self, parts: list[Any]) -> Aggregate:
        function, field = parts
        if field is None and function.upper() != "COUNT":
            raise _unexpected(self._text, self._text.index(")", _at(function)))
        return Aggregate(function.upper(), field, _at(function))

    def path(self, parts: list[Token]) -> FieldPath:
        return FieldPath(tuple(parts[0].split(".")), _at(parts[0]))

    def where(self, parts: list[Condition]) -> Condition:
        return parts[0]

    def group_by(self, parts: list[Any]) -> tuple[tuple[FieldPath, ...], Condition | None]:
        return parts[0], parts[1]

    having = where
    grouped = tuple
    order_by = tuple

    def order(self, parts: list[Any]) -> Order:
        what, direction, place = parts
        return Order(
            what,
            descending=direction is not None and direction.upper() == "DESC",
            nulls_first=place is None or place.upper() == "FIRST",
        )

    def limit(self, parts: list[Token]) -> int:
        return self._count(parts[0])

    def offset(self, parts: list[Token]) -> int:
        offset = self._count(parts[0])
        if offset > MAX_OFFSET:
            raise SoqlError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        return offset

    def _count(self, token: Token) -> int:
        if len(token) > 10:
            raise _unexpected(self._text, _at(token))
        return int(token)

    def joined(self, parts: list[Any]) -> Joined:
        return Joined(parts[1].upper(), tuple(parts[::2]))

    def negation(self, parts: list[Any]) -> Condition:
        inner = parts[1]
        return inner.part if isinstance(inner, Not) else Not(inner)

    def comparison(self, parts: list[Any]) -> Comparison:
        what, *operator, value = parts
        if isinstance(what, Aggregate) and what.field is None:
            raise _unexpected(self._text, what.at)
        word = "-".join(operator).upper()
        return Comparison(what, "!=" if word == "<>" else word, value, what.at)

    def values(self, parts: list[Any]) -> Query | tuple[Literal, ...]:
        first = parts[0]
        if isinstance(first, Token):
            # All strings of a list in one token: a token for each of thousands of ids takes seconds.
            return tuple(
                self._string(string[0], _at(first) + string.start()) for string in _STRING.finditer(first)
            )
        return first if isinstance(first, Query) else tuple(parts)

    def pattern(self, parts: list[Token]) -> Literal:
        return self._string(parts[0], _at(parts[0]), like=True)

    def literal(self, parts: list[Token]) -> Literal:
        token = parts[0]
        at = _at(token)
        match token.type:
            case "STRING":
                return self._string(token, at)
            case "NUMBER":
                return Literal(self._number(token), at)
            case "DATE" | "DATETIME":
                return Literal(self._moment(token), at)
            case "BOOLEAN":
                return Literal(token.upper() == "TRUE", at)
            case "NULL":
                return Literal(None, at)
            case "COUNTED_DAYS":
                return Literal(DateLiteral(token.upper(), self._days(token, parts[1])), at)
        if token.upper() not in DATE_SPANS:
            raise _unexpected(self._text, at)
        return Literal(DateLiteral(token.upper(), None), at)

    def _number(self, token: Token) -> int | float:
        digits = token.lstrip("+-")
        if not digits.isdigit():
            return float(token)
        if len(digits) > 18:
            raise refusal(self._text, _at(token), f'For input string: "{token}"')
        return int(token)

    def _days(self, token: Token, count: Token) -> int:
        number = self._count(count)
        if not 1 <= number <= MOST_UNITS:
            raise refusal(self._text, _at(token), f"Invalid number for {token.upper()}: {number}")
        return number

    def _moment(self, token: Token) -> date | datetime:
        read = date.fromisoformat if token.type == "DATE" else datetime.fromisoformat
        try:
            moment = read(token.upper())
        except ValueError:
            moment = None
        if moment is None or not 1700 <= moment.year <= 4000:
            raise refusal(self._text, _at(token), f"Invalid date: {token}")
        return moment

    def _string(self, string: str, at: int, *, like: bool = False) -> Literal:
        r"""What a string literal means. In LIKE patterns `\%` and `\_` keep their backslash."""
        body = string[1:-1]
        if len(body) > MAX_STRING:
            raise refusal(self._text, at, f"string literal is longer than {MAX_STRING} characters")

        def meant(escape: re.Match[str]) -> str:
            code, mark = escape[1], escape[2]
            if code:
                return chr(int(code, 16))
            if mark and like and mark in "%_\\":
                return f"\\{mark}"
            plain = _ESCAPES.get(mark) or _ESCAPES.get((mark or "").lower())
            if plain is None:
                raise refusal(
                    self._text,
                    at + 1 + escape.start(),
                    f"Invalid string literal. Illegal character sequence '{escape[0]}' in string literal.",
                )
            return plain

        return Literal(_ESCAPE.sub(meant, body) if "\\" in body else body, at)
