"""Personal data out of sentences: what a shop's customer typed is not for a hand-over.

Addresses of people and telephone numbers are known by their shape. What a message quotes as a value is known
by the diagnosis; the values of picklists and of addresses' country and state fields are nobody's and stay.
Free words of a validation rule stay too: nothing tells a name in them from any other word.
"""

from __future__ import annotations

import re

from syncerr_tui.diagnosis.model import Failure

MASK = "•••"
_OPEN_VALUES = {
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "FIELD_INTEGRITY_EXCEPTION",
    "EMAIL_TEMPLATE_MERGEFIELD_ERROR",
}
"""Codes that quote a value of a list, or a name of the set-up."""
_PERSONAL = re.compile(
    r"""
      [^\s@<>"'“”‘’()\[\],;:]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*
    | (?<![\w.:-])(?:\+|00|\(0?)\d[\d\s()/.-]{5,24}\d(?![\w:-])     # a telephone number in its long form
    | (?<![\w.:/-])0\d[\d\s()/.-]{5,24}\d(?![\w:-])
    """,
    re.VERBOSE,
)
_SHORTEST = 2
"""Characters of a quoted value below which it would tear words apart."""


def masked(text: str, *failures: Failure) -> str:
    """A text without the personal data in it.

    Args:
        text: A sentence about an error, or its message.
        failures: What the diagnosis read out of that error.
    """
    values = {
        value
        for failure in failures
        if failure.root_code not in _OPEN_VALUES
        for value in failure.values
        if len(value) >= _SHORTEST
    }
    for value in sorted(values, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, text)
    return _PERSONAL.sub(MASK, text)
