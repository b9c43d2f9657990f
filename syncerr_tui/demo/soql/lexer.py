"""SOQL text to tokens, each with its place, and the one error of this package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a token is."""

    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query. `text` is what stood there; `at` its offset."""

    kind: Kind
    text: str
    at: int

    @property
    def word(self) -> str:
        """The text in upper case where it is a name, else empty: for keywords."""
        return self.text.upper() if self.kind is Kind.NAME else ""


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


MAX_LENGTH = 100_000
MAX_STRING = 4_000
_TOKENS = re.compile(
    r"""
    (?P<blank>\s+)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[zZ]|[+-]\d\d:?\d\d)(?![\w.]))
    |(?P<date>\d{4}-\d\d-\d\d(?![\w.:-]))
    |(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    |(?P<sign><=|>=|!=|<>|[=<>(),:])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


def tokens(query: str) -> list[Token]:
    """All tokens of a query; the last one is END.

    Raises:
        SoqlError: MALFORMED_QUERY, or QUERY_TOO_COMPLICATED over 100,000 characters.
    """
    if len(query) > MAX_LENGTH:
        raise SoqlError("QUERY_TOO_COMPLICATED", f"SOQL query is longer than {MAX_LENGTH} characters")
    found: list[Token] = []
    place = 0
    while place < len(query):
        match = _TOKENS.match(query, place)
        if match is None:
            raise refusal(query, place, _unreadable(query[place]))
        if match.lastgroup != "blank":
            found.append(Token(Kind(match.lastgroup or "end"), match[0], place))
        place = match.end()
    found.append(Token(Kind.END, "<EOF>", len(query)))
    return found


def _unreadable(letter: str) -> str:
    if letter == "'":
        return "unterminated string literal"
    return f"line 1: unexpected character '{letter}'" if letter.isprintable() else "unexpected character"


def unescaped(query: str, token: Token, *, like: bool = False) -> str:
    r"""The text that a string literal means. In LIKE patterns `\%` and `\_` keep their backslash.

    Raises:
        SoqlError: An escape that SOQL does not know, or more than 4,000 characters.
    """
    body = token.text[1:-1]
    if len(body) > MAX_STRING:
        raise refusal(query, token.at, f"string literal is longer than {MAX_STRING} characters")
    if "\\" not in body:
        return body
    letters: list[str] = []
    place = 0
    while place < len(body):
        letter = body[place]
        place += 1
        if letter != "\\":
            letters.append(letter)
            continue
        mark = body[place]
        place += 1
        code = body[place : place + 4]
        if mark in _ESCAPES or mark.lower() in "nrtbf":
            plain = _ESCAPES.get(mark) or _ESCAPES[mark.lower()]
            letters.append("\\\\" if like and plain == "\\" else plain)
        elif mark in "uU" and re.fullmatch(r"[0-9A-Fa-f]{4}", code):
            letters.append(chr(int(code, 16)))
            place += 4
        elif like and mark in "%_":
            letters.append("\\" + mark)
        else:
            raise refusal(
                query,
                token.at + place - 1,
                f"Invalid string literal. Illegal character sequence '\\{mark}' in string literal.",
            )
    return "".join(letters)
