"""SOQL tokens to a tree: recursive descent, one token ahead.

As in Salesforce, AND and OR may not be mixed without parentheses, OFFSET ends at 2,000, and FIELDS(ALL)
wants LIMIT 200. Not spoken: child subqueries in SELECT, TYPEOF, functions on fields, WITH, FOR, USING,
INCLUDES; such a query is refused like any other that cannot be read.
"""

from __future__ import annotations

import contextlib
from datetime import date, datetime

from syncerr_tui.demo.soql import dates
from syncerr_tui.demo.soql.lexer import Kind, SoqlError, Token, refusal, tokens, unescaped
from syncerr_tui.demo.soql.tree import (
    Aggregate,
    AllFields,
    Both,
    Column,
    Comparison,
    Condition,
    Either,
    FieldPath,
    Literal,
    Not,
    Order,
    Query,
    Span,
)

MAX_OFFSET = 2_000
MAX_DEPTH = 60
_FUNCTIONS = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_RESERVED = frozenset(
    (
        *(
            "AND",
            "OR",
            "NOT",
            "LIKE",
            "IN",
            "SELECT",
            "FROM",
            "WHERE",
            "GROUP",
            "BY",
            "HAVING",
            "ORDER",
            "ASC",
        ),
        *(
            "DESC",
            "NULLS",
            "FIRST",
            "LAST",
            "LIMIT",
            "OFFSET",
            "NULL",
            "TRUE",
            "FALSE",
            "INCLUDES",
            "EXCLUDES",
        ),
        *("WITH", "USING", "FOR", "TYPEOF"),
    ),
)


def parse(query: str) -> Query:
    """Read one query.

    Raises:
        SoqlError: It cannot be read, with the place where reading stopped.
    """
    return _Parser(query).whole()


class _Parser:
    def __init__(self, query: str) -> None:
        self._text = query
        self._tokens = tokens(query)
        self._place = 0
        self._depth = 0

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _step(self) -> Token:
        token = self._now
        if token.kind is not Kind.END:
            self._place += 1
        return token

    def _unexpected(self, token: Token | None = None) -> SoqlError:
        token = token or self._now
        what = token.text if len(token.text) < 200 else token.text[:200] + "…"
        return refusal(self._text, token.at, f"unexpected token: '{what}'")

    def _takes(self, text: str) -> bool:
        """Step over this keyword or sign if it is next."""
        if self._now.word == text or (self._now.kind is Kind.SIGN and self._now.text == text):
            self._step()
            return True
        return False

    def _needs(self, text: str) -> Token:
        token = self._now
        if not self._takes(text):
            raise self._unexpected()
        return token

    def _name(self) -> Token:
        if self._now.kind is not Kind.NAME or self._now.word in _RESERVED:
            raise self._unexpected()
        return self._step()

    def whole(self) -> Query:
        query = self._query()
        if self._now.kind is not Kind.END:
            raise self._unexpected()
        return query

    def _query(self) -> Query:
        self._needs("SELECT")
        columns = [self._column()]
        while self._takes(","):
            columns.append(self._column())
        self._needs("FROM")
        # Objects are called Order and Group: right behind FROM a keyword is a name.
        entity = self._step() if self._now.word in {"ORDER", "GROUP"} else self._name()
        alias = self._name().text if self._now.kind is Kind.NAME and self._now.word not in _RESERVED else None
        if "." in entity.text:
            raise self._unexpected(entity)
        where = self._condition() if self._takes("WHERE") else None
        group_by = self._group_by()
        having = self._condition() if group_by and self._takes("HAVING") else None
        order_by = self._order_by()
        limit = self._count() if self._takes("LIMIT") else None
        offset = self._offset()
        query = Query(
            self._text,
            tuple(columns),
            entity.text,
            entity.at,
            alias,
            where,
            group_by,
            having,
            order_by,
            limit,
            offset,
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

    def _column(self) -> Column:
        token = self._name()
        if self._now.text != "(" or self._now.kind is not Kind.SIGN:
            return Column(_path(token), self._alias())
        if token.word == "FIELDS":
            self._step()
            which = self._name()
            if which.word not in {"ALL", "STANDARD", "CUSTOM"}:
                raise self._unexpected(which)
            self._needs(")")
            return Column(AllFields(which.word, token.at))
        return Column(self._aggregate(token), self._alias())

    def _alias(self) -> str | None:
        if self._now.kind is Kind.NAME and self._now.word not in _RESERVED:
            token = self._step()
            if "." in token.text:
                raise self._unexpected(token)
            return token.text
        return None

    def _aggregate(self, token: Token) -> Aggregate:
        if token.word not in _FUNCTIONS:
            raise self._unexpected(token)
        self._needs("(")
        if token.word == "COUNT" and self._takes(")"):
            return Aggregate("COUNT", None, token.at)
        field = _path(self._name())
        self._needs(")")
        return Aggregate(token.word, field, token.at)

    def _operand(self) -> FieldPath | Aggregate:
        token = self._name()
        if self._now.kind is Kind.SIGN and self._now.text == "(":
            aggregate = self._aggregate(token)
            if aggregate.field is None:
                raise self._unexpected(token)
            return aggregate
        return _path(token)

    def _group_by(self) -> tuple[FieldPath, ...]:
        if not self._takes("GROUP"):
            return ()
        self._needs("BY")
        fields = [_path(self._name())]
        while self._takes(","):
            fields.append(_path(self._name()))
        if self._now.text == "(":
            raise self._unexpected()
        return tuple(fields)

    def _order_by(self) -> tuple[Order, ...]:
        if not self._takes("ORDER"):
            return ()
        self._needs("BY")
        orders = [self._order()]
        while self._takes(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> Order:
        what = self._operand()
        descending = self._takes("DESC")
        if not descending:
            self._takes("ASC")
        nulls_first = True
        if self._takes("NULLS"):
            nulls_first = self._takes("FIRST")
            if not nulls_first:
                self._needs("LAST")
        return Order(what, descending, nulls_first)

    def _count(self) -> int:
        token = self._step()
        if token.kind is not Kind.NUMBER or not token.text.isdigit() or len(token.text) > 10:
            raise self._unexpected(token)
        return int(token.text)

    def _offset(self) -> int:
        if not self._takes("OFFSET"):
            return 0
        offset = self._count()
        if offset > MAX_OFFSET:
            raise SoqlError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        return offset

    def _condition(self) -> Condition:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise refusal(self._text, self._now.at, "too many nested conditions")
        parts = [self._term()]
        word = self._now.word
        if word in {"AND", "OR"}:
            while self._takes(word):
                parts.append(self._term())
        self._depth -= 1
        if len(parts) == 1:
            return parts[0]
        return Both(tuple(parts)) if word == "AND" else Either(tuple(parts))

    def _term(self) -> Condition:
        negations = 0
        while self._takes("NOT"):
            negations += 1
        if self._takes("("):
            term = self._condition()
            self._needs(")")
        else:
            term = self._comparison()
        return Not(term) if negations % 2 else term

    def _comparison(self) -> Comparison:
        at = self._now.at
        what = self._operand()
        if self._takes("NOT"):
            self._needs("IN")
            return Comparison(what, "NOT-IN", self._list(), at)
        if self._takes("IN"):
            return Comparison(what, "IN", self._list(), at)
        if self._takes("LIKE"):
            return Comparison(what, "LIKE", self._literal(like=True), at)
        sign = self._step()
        if sign.kind is not Kind.SIGN or sign.text in {"(", ")", ",", ":"}:
            raise self._unexpected(sign)
        return Comparison(what, "!=" if sign.text == "<>" else sign.text, self._literal(), at)

    def _list(self) -> tuple[Literal, ...] | Query:
        self._needs("(")
        if self._now.word == "SELECT":
            self._depth += 1
            if self._depth > 2 * MAX_DEPTH:
                raise self._unexpected()
            inner = self._query()
            self._depth -= 1
            self._needs(")")
            return inner
        values = [self._literal()]
        while self._takes(","):
            values.append(self._literal())
        self._needs(")")
        return tuple(values)

    def _literal(self, *, like: bool = False) -> Literal:
        token = self._step()
        if token.kind is Kind.STRING:
            return Literal(unescaped(self._text, token, like=like), token.at)
        if token.kind is Kind.NUMBER:
            digits = token.text.lstrip("+-")
            if not digits.isdigit():
                return Literal(float(token.text), token.at)
            if len(digits) > 18:
                raise refusal(self._text, token.at, f'For input string: "{token.text}"')
            return Literal(int(token.text), token.at)
        if token.kind in {Kind.DATE, Kind.DATETIME}:
            return Literal(self._moment(token), token.at)
        if token.word in {"TRUE", "FALSE"}:
            return Literal(token.word == "TRUE", token.at)
        if token.word == "NULL":
            return Literal(None, token.at)
        return self._span(token)

    def _moment(self, token: Token) -> date | datetime:
        moment: date | None = None
        with contextlib.suppress(ValueError):
            plain = token.kind is Kind.DATE
            moment = date.fromisoformat(token.text) if plain else datetime.fromisoformat(token.text.upper())
        if moment is None or not 1700 <= moment.year <= 4000:
            raise refusal(self._text, token.at, f"Invalid date: {token.text}")
        return moment

    def _span(self, token: Token) -> Literal:
        if token.word in dates.PLAIN:
            return Literal(Span(token.word, None), token.at)
        if token.word in dates.COUNTED:
            self._needs(":")
            count = self._count()
            if count > dates.MOST or count < 1:
                raise refusal(self._text, token.at, f"Invalid number for {token.word}: {count}")
            return Literal(Span(token.word, count), token.at)
        raise self._unexpected(token)


def _path(token: Token) -> FieldPath:
    return FieldPath(tuple(token.text.split(".")), token.at)
