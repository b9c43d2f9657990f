"""Status codes as words: which there are, which wrap another failure, which is nearest to a typing error."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from operator import itemgetter
from typing import NamedTuple

FLOW_TRIGGER = "CANNOT_EXECUTE_FLOW_TRIGGER"
APEX = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
UNKNOWN = "UNKNOWN_EXCEPTION"

MANUAL_CODES = (
    "CANNOT_EXECUTE_FLOW_TRIGGER", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_REPARENT_RECORD",
    "DUPLICATE_VALUE", "DUPLICATES_DETECTED", "EMAIL_ADDRESS_BOUNCED", "EMAIL_TEMPLATE_MERGEFIELD_ERROR",
    "ENTITY_IS_LOCKED", "FAILED_ACTIVATION", "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "FIELD_INTEGRITY_EXCEPTION", "INVALID_CHANGE_EVENT", "INVALID_CROSS_REFERENCE_KEY",
    "INVALID_EMAIL_ADDRESS", "INVALID_FIELD", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "REQUIRED_FIELD_MISSING", "UNKNOWN_EXCEPTION", "UNABLE_TO_LOCK_ROW",
)  # fmt: skip
"""The codes that StoreConnect's manual explains, in its order."""

WRAPPERS = frozenset({FLOW_TRIGGER, APEX, UNKNOWN})
"""Codes that say *who* stopped the save, not *why*: the reason is nested in their text, if anywhere."""

CONSEQUENCES = frozenset(
    {"ALL_OR_NONE_OPERATION_ROLLED_BACK", "FAILED_DUE_TO_OTHER_INPUTS", "PROCESSING_HALTED"}
)
"""Codes that only say that something else of the same request failed."""

HOLLOW = WRAPPERS | CONSEQUENCES | {"APEX_ERROR", "APEX_FAILED", "CUSTOM_APEX_ERROR"}
"""Wrappers, and codes that only say that something else failed: the root where nothing better is there."""

_WORD = re.compile(r"[A-Z][A-Z0-9_]{5,}")
# Clients that make a class or a member of each code: `Restforce::ErrorCode::DuplicateValue`.
_CLASS = re.compile(
    r"(?:ErrorCode|StatusCode|ExceptionCode)(?:::|\.)(?P<name>(?:[A-Z][a-z]+){2,12})(?![\w.])"
)
_NEXT_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


class NamedCode(NamedTuple):
    """A known code and where a text names it."""

    code: str
    start: int
    end: int


def general_lines() -> list[str]:
    """The lines of the table of all status codes that the manual does not explain."""
    text = files("syncerr_tui.diagnosis").joinpath("catalog", "general.tsv").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


@cache
def _listed() -> dict[str, bool]:
    """Every known code, with whether it may pass by itself. From the published status codes of the API."""
    listed = {code: code == "UNABLE_TO_LOCK_ROW" for code in MANUAL_CODES}
    for line in general_lines():
        code, passes, _ = line.partition("\t")[0].partition(" ~")
        listed[code] = bool(passes)
    return listed


def known_codes() -> frozenset[str]:
    """All status codes this program knows by name."""
    return frozenset(_listed())


def may_pass_by_itself(code: str | None) -> bool:
    """Whether a plain retry is a sensible first step for this code."""
    return code is not None and _listed().get(code, False)


@lru_cache(maxsize=16)
def find_codes(text: str) -> tuple[NamedCode, ...]:
    """Known codes in `text`, left to right, repeats included.

    A code without an underscore (`GONE`, `CONFLICT`) is an English word too and is not looked for. Kept for a
    moment: every reader of a message asks for the codes of the same few texts.
    """
    words = [(match[0], *match.span()) for match in _WORD.finditer(text)] if "_" in text else []
    if "Code::" in text or "Code." in text:
        classes = _CLASS.finditer(text)
        words += ((_NEXT_WORD.sub("_", match["name"]).upper(), *match.span("name")) for match in classes)
        words.sort(key=itemgetter(1))
    listed = _listed()
    return tuple(NamedCode(*word) for word in words if "_" in word[0] and word[0] in listed)


def root_of(codes: tuple[str, ...], stated: str | None) -> str | None:
    """The code to act on: the innermost that is not a wrapper, else the innermost, else the given one.

    A text that only names wrappers does not overrule a record's own code that says more.
    """
    chain = ((stated,) if stated else ()) + codes
    for hollow in (HOLLOW, WRAPPERS):
        for code in reversed(chain):
            if code not in hollow:
                return code
    return chain[-1] if chain else None


_MOST_NEAR = 3
LONGEST = 200
"""Nobody mistypes a code into something longer than this."""

_SHAPE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
_SEPARATORS = re.compile(r"[\s\-./]+")


def as_code(text: str) -> str:
    """How a code would be spelled: capitals, words joined by underscores."""
    return _SEPARATORS.sub("_", text.strip()).upper()


def known_code(text: str) -> str | None:
    """The known code behind a text in any case (`required field missing`); None where there is none."""
    code = as_code(text)
    return code if code in known_codes() else None


def looks_like_code(text: str) -> bool:
    """Whether a text is spelled like a code, known or not: `SOME_NEW_CODE`."""
    return _SHAPE.match(text) is not None


def nearest_codes(text: str) -> tuple[str, ...]:
    """Known codes that somebody may have meant, the nearest first."""
    from difflib import get_close_matches

    typed = as_code(text)
    if not typed or len(typed) > LONGEST:
        return ()
    near = get_close_matches(typed, sorted(known_codes()), n=_MOST_NEAR, cutoff=0.72)
    if len(typed) > 3:
        near += sorted(code for code in known_codes() if typed in code and code not in near)
    return tuple(near[:_MOST_NEAR])
