"""Salesforce's ids: a prefix for the object, a running number in base 62, three letters that check case."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import count

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_CAPITALS = {ord(letter): "1" if letter.isupper() else "0" for letter in _BASE62}


def long_id(id15: str) -> str:
    """The 18-character form of a 15-character id."""
    two, capitals = _checked(id15[:14])
    return f"{id15}{two}{_CHECK[capitals + 16 * id15[14].isupper()]}"


@lru_cache
def _checked(id14: str) -> tuple[str, int]:
    """Two check characters, and what four letters count in the third: the same for 62 ids in a row."""
    blocks = [int(id14[at : at + 5][::-1].translate(_CAPITALS), 2) for at in (0, 5, 10)]
    return _CHECK[blocks[0]] + _CHECK[blocks[1]], blocks[2]


def ids_from(prefix: str, number: int) -> Iterator[str]:
    """The ids of one object from this running number on."""
    for high in count(number // 62):
        letters = ""
        rest = high
        while rest:
            rest, digit = divmod(rest, 62)
            letters = _BASE62[digit] + letters
        stem = f"{prefix}De{letters:0>9}"
        two, capitals = _checked(stem)
        for letter in _BASE62[number % 62 :]:
            yield f"{stem}{letter}{two}{_CHECK[capitals + 16 * letter.isupper()]}"
        number = 0


def number_in(record_id: str) -> int:
    """The running number inside an id, for auto-number names."""
    return _number(record_id[9:14]) * 62 + _BASE62.index(record_id[14])


@lru_cache
def _number(letters: str) -> int:
    return _number(letters[:-1]) * 62 + _BASE62.index(letters[-1]) if letters else 0
