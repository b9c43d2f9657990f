"""Limits that a save ran into, and the Error ID that Salesforce support asks for."""

from __future__ import annotations

import re

from syncerr_tui.diagnosis.details import Part

_TOO_MANY = re.compile(
    r"Too many (?P<what>[A-Za-z][A-Za-z ]{1,40}?)(?: added to the queue| issued)?: (?P<count>\d{1,12})",
)
_TIME = re.compile(r"(?P<what>Apex (?:CPU time|heap size)|[Mm]aximum (?:CPU time|trigger depth|stack depth|view state size))")
_EXCEEDED = re.compile(r"(?P<what>(?:[A-Z][A-Za-z]{1,30}){1,3}) Limit exceeded")
_LENGTH = re.compile(r"max length=(?P<count>\d{1,9})")
_CODE = re.compile(r"(?P<what>[A-Z]+(?:_[A-Z]+)*)_LIMIT_EXCEEDED")
_ERROR_ID = re.compile(r"(?<![\d-])(?P<id>-?\d{3,12}-\d{1,12} \(-?\d{1,12}\))")


def find_limit(text: str, codes: tuple[str, ...]) -> Part | None:
    """The limit in words, with the figure the text gives: `queueable jobs: 51`, `Apex CPU time`, `single email`."""
    if "Too many " in text and (match := _TOO_MANY.search(text)):
        return Part("limit", f"{match['what']}: {match['count']}", match.start("what"), match.end())
    for pattern in (_TIME, _EXCEEDED):
        if match := pattern.search(text):
            return Part("limit", match["what"], match.start("what"), match.end("what"))
    for code in reversed(codes):
        if (match := _CODE.fullmatch(code)) and (at := text.rfind(code)) >= 0:
            return Part("limit", match["what"].replace("_", " ").lower(), at, at + len(code))
    return None


def find_error_id(text: str) -> Part | None:
    """`123456-78 (-910)` as Salesforce prints it at the end of a flow or internal error."""
    if match := _ERROR_ID.search(text):
        return Part("error_id", match["id"], match.start("id"), match.end("id"))
    return None
