"""Limits that a save ran into, and the Error ID that Salesforce support asks for."""

from __future__ import annotations

import re

from syncerr_tui.diagnosis.parts import Part

_TOO_MANY = re.compile(
    r"[Tt]oo many (?P<what>[A-Za-z][A-Za-z ]{1,40}?)(?: added to the queue| issued)?: (?P<count>\d{1,12})",
)
_NAMED = (
    ("Apex CPU time", re.compile(r"Apex CPU time(?: limit)? exceeded")),
    ("Apex heap size", re.compile(r"Apex heap size too large(?:: (?P<count>\d{1,12}))?")),
    ("heap usage", re.compile(r"heap usage to exceed limit")),
    ("trigger depth", re.compile(r"[Mm]aximum trigger depth exceeded")),
    ("stack depth", re.compile(r"[Mm]aximum stack depth reached(?:: (?P<count>\d{1,12}))?")),
    (
        "iterations",
        re.compile(r"[Nn]umber of iterations exceeded|exceeded (?P<count>[\d,]{1,12}) iterations"),
    ),
    (
        "duplicate updates in one batch",
        re.compile(r"duplicate updates in one batch \((?P<count>\d{1,9}) allowed\)"),
    ),
    ("max length", re.compile(r"max length=(?P<count>\d{1,9})")),
)
_CLUES = ("exceed", "too large", "depth reached", "updates in one batch", "max length=")
"""One of these stands in every text that one of `_NAMED` fits: looking for them is quicker."""
_EXCEEDED = re.compile(r"(?<![A-Za-z])(?P<what>[A-Z][A-Za-z]{2,40})(?: \([A-Za-z ]{1,40}\))? Limit exceeded")
_CODE_END = "_LIMIT_EXCEEDED"
_ERROR_ID = re.compile(r"(?<![\d-])(?P<id>-?\d{3,12}-\d{1,12} \(-?\d{1,12}\))")
# Shortened by somebody on the way, or made up by the org's own error handler.
_OTHER_ERROR_ID = re.compile(
    r"Error ?I[Dd]: {0,2}(?P<id>\d{4,20}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![\w-])"
)


def find_limit(text: str, codes: tuple[str, ...]) -> Part | None:
    """The limit in words, with the figure the text gives: `queueable jobs: 51`, `Apex CPU time`."""
    if "oo many " in text and (match := _TOO_MANY.search(text)):
        return Part("limit", f"{match['what']}: {match['count']}", match.start("what"), match.end())
    for name, pattern in _NAMED if any(clue in text for clue in _CLUES) else ():
        if match := pattern.search(text):
            count = match.groupdict().get("count")
            return Part("limit", f"{name}: {count}" if count else name, *match.span())
    if "Limit exceeded" in text and (match := _EXCEEDED.search(text)):
        return Part("limit", match["what"], *match.span("what"))
    for code in reversed(codes):
        if code.endswith(_CODE_END) and (at := text.rfind(code)) >= 0:
            return Part("limit", code.removesuffix(_CODE_END).replace("_", " ").lower(), at, at + len(code))
    return None


def find_error_id(text: str) -> Part | None:
    """`123456-78 (-910)` as Salesforce prints it at the end of a flow or internal error."""
    match = _ERROR_ID.search(text) if " (" in text and "-" in text else None
    if match is None and ("ID:" in text or "Id:" in text):
        match = _OTHER_ERROR_ID.search(text)
    return Part("error_id", match["id"], *match.span("id")) if match else None
