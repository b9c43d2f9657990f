"""The one error of SOQL, in Salesforce's form."""

from __future__ import annotations


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
