"""Which errors have one reason: a fingerprint of the diagnosis with everything variable taken out.

Two errors of the same flow, the same validation text, the same missing picklist value or the same empty
field are one thing to fix. The fingerprint names what was compared, so that "why is this in this group?"
has an answer. Journals hold it; what they hold by an earlier rule is found by `former_keys`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

from syncerr_tui.diagnosis.codes import root_of
from syncerr_tui.diagnosis.identifiers import bare_field
from syncerr_tui.diagnosis.model import Diagnosis, Failure
from syncerr_tui.diagnosis.read import diagnose_cached
from syncerr_tui.diagnosis.summary import root_words
from syncerr_tui.model import SyncError

VERSION = 1

PICKLIST = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
INTEGRITY = "FIELD_INTEGRITY_EXCEPTION"
INVALID_EMAIL = "INVALID_EMAIL_ADDRESS"
PASSING = frozenset({"UNABLE_TO_LOCK_ROW"})
_BY_VALUE = frozenset({PICKLIST, INTEGRITY})
_BY_FIELD = _BY_VALUE | {
    "REQUIRED_FIELD_MISSING",
    "DUPLICATE_VALUE",
    "STRING_TOO_LONG",
    "NUMBER_OUTSIDE_VALID_RANGE",
    "INVALID_TYPE_ON_FIELD_IN_RECORD",
    "MALFORMED_ID",
}
_FORMERLY_BY_FIELD = _BY_VALUE | {"REQUIRED_FIELD_MISSING", "DUPLICATE_VALUE"}
_NO_ACCESS = "field access"
"""The platform's sentence about fields that may not be written: it lists them in any order."""
_VARIABLE = re.compile(
    r"""
      [0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}            # StoreConnect ids
    | [\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+            # addresses of people
    | (?<![0-9A-Za-z])[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?(?![0-9A-Za-z])   # Salesforce ids
    | \(?-?\d[\d.,:/T-]*\d?\)?                               # numbers, dates, times, Error IDs
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SURELY = r"""
      \b(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b | [0-9A-Za-z]{18}\b | [rR][oO][wW]\ \d+)
    | \d{6,}(?:-\d+)?(?:\ \(-?\d+\))?
"""
# What surely differs between rows of one text. Short numbers stay: they may be the value that is refused.
# With the word's boundary written once, and without IGNORECASE, a text takes a third of the time.
_SURELY_VARIABLE = re.compile(_SURELY, re.VERBOSE)
_SURELY_OR_ADDRESS = re.compile(rf"[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}})+ | {_SURELY}", re.VERBOSE)
_QUOTES = str.maketrans(dict.fromkeys("“”„«»‘’‚‹›'`", '"'))
_APOSTROPHE = re.compile(r'(?<=\w)"(?=\w)')
NOT_LISTED = "not in this list"
"""The part that names a missing cause."""
ARRIVED = "ready"
"""The part that says that what was waited for is there."""
_STATE_FIELD = re.compile(r"(State|Country)(?:Code)?$")


@dataclass(frozen=True)
class Fingerprint:
    """What makes errors one cause."""

    parts: tuple[tuple[str, str], ...]
    """(what was compared, its value), e.g. `("field", "Name")`. Part of the key, and the answer to "why?"."""
    version: int = VERSION

    @cached_property
    def key(self) -> str:
        """One line, stable between runs: for journals and commands."""
        return f"v{self.version} " + " | ".join(f"{name}={value}" for name, value in self.parts)

    @property
    def why(self) -> str:
        """Why an error is in this group, in words."""
        name, value = self.parts[0]
        if name == NOT_LISTED:
            return f"all wait for {value}, which is not in this list"
        if name == ARRIVED:
            return value
        return "same " + ", ".join(f"{name} ({value})" for name, value in self.shown)

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """The parts to be read: with the apostrophes that quotes were made of, so that no key changes."""
        return tuple((name, _APOSTROPHE.sub("'", value)) for name, value in self.parts)


class Fingerprints:
    """Fingerprints of many rows. Rows whose text differs only in variable parts are diagnosed once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str | None], Fingerprint] = {}
        self._exact: dict[tuple[str, str, str | None], Fingerprint] = {}
        self._codes: dict[str, str | None] = {}

    def of(self, error: SyncError) -> Fingerprint:
        exact = (error.message, error.object, error.code)
        known = self._exact.get(exact)
        if known is None:
            key = (_shape(error.message), error.object, error.code)
            known = self._known.get(key)
            if known is None:
                known = fingerprint(diagnose_cached(error.message, error.code), error.object)
                self._known[key] = known
            self._exact[exact] = known
        return known

    def code_of(self, error: SyncError) -> str | None:
        """The code to go by: the record's own, else the one that its wording means."""
        if error.code is not None:
            return error.code
        text = _shape(error.message)
        if text not in self._codes:
            self._codes[text] = diagnose_cached(error.message).root_code
        return self._codes[text]


def fingerprint(diagnosis: Diagnosis, object_name: str) -> Fingerprint:
    """What makes this error one cause with others: all its failures, in whatever order they were told."""
    failures = sorted(_parts(item, object_name) for item in diagnosis.each)
    return Fingerprint(tuple(part for parts in failures for part in parts))


def former_keys(message: str, code: str | None, object_name: str) -> frozenset[str]:
    """The keys that an error had: while each value, order and id made a cause of its own, and before that,
    while its code was not told from its wording.

    What was said of those causes is meant for the one of now.
    """
    failures = diagnose_cached(message, code).each
    uninferred = [
        replace(item, root_code=root_of(item.codes, item.code)) if item.inferred else item
        for item in failures
    ]
    return frozenset(
        Fingerprint(tuple(part for item in each for part in _parts(item, object_name, former=True))).key
        for each in (failures, uninferred)
    )


def _parts(diagnosis: Failure, object_name: str, *, former: bool = False) -> tuple[tuple[str, str], ...]:
    """What makes a failure the same as others; `former`: what did, in keys that journals still hold.

    The names that the diagnosis found decide where there are any, since they survive a change of language;
    the wording decides only where it is all there is.
    """
    root = diagnosis.root_code
    parts: list[tuple[str, str]] = [("code", root or "none")]
    named = diagnosis.automation
    blocking = [item for item in named if item.kind != "class"] or list(named)
    parts += [(item.kind.replace("_", " "), item.full_name) for item in blocking]
    if root in PASSING:
        # A busy row says nothing about what kept it busy: the wording only tells how many rows there were.
        return tuple(parts)
    if root == INTEGRITY and diagnosis.values and (place := _place(diagnosis)):
        # One state list serves billing and shipping addresses of every object.
        return (*parts, (place, diagnosis.values[0]))
    if not blocking:
        parts.append(("object", object_name))
    by_field = (
        root in _FORMERLY_BY_FIELD if former else root in _BY_FIELD or _NO_ACCESS in diagnosis.sentence_kinds
    )
    if diagnosis.fields and by_field:
        parts.append(("field", ", ".join(sorted({bare_field(name) for name in diagnosis.fields}))))
        if root in _BY_VALUE:
            parts.append(("value", ", ".join(diagnosis.values)))
        return tuple(parts)
    words = _words(diagnosis, former=former)
    if words:
        parts.append(("text", words))
    return tuple(parts)


def _words(diagnosis: Failure, *, former: bool) -> str:
    """The reason in its own words, with what differs from row to row taken out."""
    words = root_words(diagnosis).translate(_QUOTES)
    if diagnosis.root_code == INVALID_EMAIL:
        words = words.partition(":")[0]  # what follows is somebody's address
    for name in () if former else diagnosis.fields:
        words = words.removesuffix(f": {name}")  # behind the sentence, with or without its brackets
    # An id at the end is there in one org's rows and not in another's: `cross-reference id: 0015g…`.
    return without_variables(words).strip(" ,:;.-" if former else " ,:;.-#").casefold()[:200]


def without_variables(message: str) -> str:
    """The message without what differs from row to row."""
    return _VARIABLE.sub(_mask, message)


def _shape(message: str) -> str:
    """What rows of one text have in common."""
    variable = _SURELY_OR_ADDRESS if "@" in message else _SURELY_VARIABLE
    return variable.sub(_mask, message)


def _mask(match: re.Match[str]) -> str:
    text = match[0]
    if text.isalpha():
        return text  # a fifteen-letter word is no id
    return "#"


def _place(diagnosis: Failure) -> str | None:
    for name in diagnosis.fields:
        match = _STATE_FIELD.search(name)
        if match:
            return match[1].lower()
    return None
