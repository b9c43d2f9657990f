"""Status codes as words: which ones exist, which only wrap another failure, which may pass by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

FLOW_TRIGGER = "CANNOT_EXECUTE_FLOW_TRIGGER"
APEX = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
UNKNOWN = "UNKNOWN_EXCEPTION"
LOCK_ROW = "UNABLE_TO_LOCK_ROW"

WRAPPERS = frozenset({FLOW_TRIGGER, APEX, UNKNOWN})
"""Codes that say *who* stopped the save, not *why*: the reason is nested in their text, if anywhere."""

CONSEQUENCES = frozenset(
    {"ALL_OR_NONE_OPERATION_ROLLED_BACK", "FAILED_DUE_TO_OTHER_INPUTS", "PROCESSING_HALTED"}
)
"""Codes that only say that something else of the same request failed."""

_HOLLOW = WRAPPERS | CONSEQUENCES | {"APEX_ERROR", "APEX_FAILED", "CUSTOM_APEX_ERROR"}
"""Wrappers, and codes that only say that something else failed: the root where nothing better is there."""

_WORD = re.compile(r"[A-Z][A-Z0-9_]{5,}")


@cache
def _listed() -> dict[str, bool]:
    """Every known code, with whether it may pass by itself. From the published status codes of the API."""
    text = files("syncerr_tui.diagnosis").joinpath("codes.txt").read_text(encoding="ascii")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {row[0]: len(row) > 1 for row in rows}


def known_codes() -> frozenset[str]:
    """All status codes this program knows by name."""
    return frozenset(_listed())


def may_pass(code: str | None) -> bool:
    """Whether a plain retry is a sensible first step for this code."""
    return code is not None and _listed().get(code, False)


def find_codes(text: str) -> Iterator[re.Match[str]]:
    """Known codes in `text`, left to right, repeats included.

    A code without an underscore (`GONE`, `CONFLICT`) is an English word too and is not looked for.
    """
    return iter(_found(text))


@lru_cache(maxsize=16)
def _found(text: str) -> tuple[re.Match[str], ...]:
    """Kept for a moment: every reader of a message asks for the codes of the same few texts."""
    if "_" not in text:
        return ()
    listed = _listed()
    return tuple(match for match in _WORD.finditer(text) if "_" in match[0] and match[0] in listed)


def root_of(codes: tuple[str, ...], given: str | None) -> str | None:
    """The code to act on: the innermost that is not a wrapper, else the innermost, else the given one.

    A text that only names wrappers does not overrule a record's own code that says more.
    """
    chain = ((given,) if given else ()) + codes
    for hollow in (_HOLLOW, WRAPPERS):
        for code in reversed(chain):
            if code not in hollow:
                return code
    return chain[-1] if chain else None
