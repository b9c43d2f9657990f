"""Salesforce ids: 15 characters that count, and three that guard their case."""

from __future__ import annotations

import string
from random import Random
from uuid import UUID

_GUARD = string.ascii_uppercase + "012345"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase


def guarded(short: str) -> str:
    """The 18 characters of an id of 15."""
    blocks = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(
        _GUARD[sum(1 << place for place, letter in enumerate(block) if letter.isupper())] for block in blocks
    )


class Ids:
    """Hands out ids, each once."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._server = "".join(rng.choices(_DIGITS, k=3))
        self._number = rng.randrange(62**4)

    def next(self, prefix: str) -> str:
        """A new id of 18 characters."""
        self._number += self._rng.randint(1, 50)
        number, digits = self._number, ""
        while number:
            number, digit = divmod(number, 62)
            digits = _DIGITS[digit] + digits
        return guarded(f"{prefix}{self._server}{digits.rjust(9, '0')}")

    def uuid(self) -> str:
        """A StoreConnect ID."""
        return str(UUID(int=self._rng.getrandbits(128), version=4))
