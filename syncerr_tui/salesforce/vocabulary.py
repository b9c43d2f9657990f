"""What the words of labels, names and values mean. The words themselves are in `vocabulary.toml`.

A word is a hint with points, never a proof (`scoring`).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

from syncerr_tui.model import EventType
from syncerr_tui.salesforce.profiles import FieldRole

KNOWN_OBJECT = "s_c__Change_Event__c"
"""The one name of it that is published."""
RECORD_KEY = "s_c__sC_Id__c"


_SOLID = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not take apart into a plain one and its accent."""
REMEMBERED = lru_cache(maxsize=8192)
"""Labels, names and picklist values come again for every role of a field, and from object to object."""


@REMEMBERED
def words(text: str) -> tuple[str, ...]:
    """A label or a name as plain lower-case words: no accents, camel case and underscores taken apart."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    plain = unicodedata.normalize("NFKD", apart.casefold().translate(_SOLID))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return tuple(re.findall(r"[^\W_]+", plain))


def bare(api_name: str) -> str:
    """An API name without namespace and suffix: `s_c__Event_Type__c` -> `Event_Type`."""
    parts = re.sub(r"__(?:c|pc|r)$", "", api_name).split("__")
    return parts[-1]


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(plain for phrase in text.split(";") if (plain := " ".join(words(phrase))))


def _words(text: str) -> frozenset[str]:
    return frozenset(words(text))


_DATA: Mapping[str, Mapping[str, str]] = tomllib.loads(
    files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8")
)

ROLE_WORDS: Mapping[FieldRole, tuple[str, ...]] = {role: _phrases(_DATA["roles"][role]) for role in FieldRole}
DECOY_WORDS: Mapping[FieldRole, tuple[str, ...]] = {
    role: _phrases(_DATA["decoys"].get(role, "")) for role in FieldRole
}
"""Words that speak against a role."""
OBJECT_WORDS = _phrases(_DATA["objects"]["names"])
OBJECT_HINTS = _words(_DATA["objects"]["hints"])
"""Parts of object names that make an object worth a look before the others."""

_EVENT_WORDS: Mapping[EventType, frozenset[str]] = {
    EventType(kind.capitalize()): _words(text) for kind, text in _DATA["events"].items()
}
_FAILED = _words(_DATA["status"]["failed"])
_FINAL = _words(_DATA["status"]["final"])
_FAILED_MAYBE = _words(_DATA["status"]["perhaps_failed"])
_NOT_FAILED = _words(_DATA["status"]["not_failed"])
_PENDING = _words(_DATA["status"]["pending"])
_SUCCESS = _words(_DATA["status"]["success"])
_NOT = _words(_DATA["status"]["not"])
_DONE = _words(_DATA["status"]["done"])
_FILLING = _words(_DATA["status"]["filling"])
"""Words that change nothing about what a value says."""


@REMEMBERED
def event_type_of(*names: str) -> EventType | None:
    """What a value of the event type means; None where it says nothing, or two things at once."""
    for name in names:
        tokens = words(name)
        kinds = {kind for kind, known in _EVENT_WORDS.items() if any(_among(word, known) for word in tokens)}
        if len(kinds) == 1:
            return kinds.pop()
    return None


class Standing(StrEnum):
    """What a status value says about an event."""

    FAILED = "failed"
    PERHAPS = "perhaps failed"
    PENDING = "pending"
    DONE = "done"
    OTHER = "other"


@REMEMBERED
def standing_of(*names: str) -> Standing:
    """What a status value means, by its API value and its label."""
    tokens = [word for name in names for word in words(name)]

    def has(known: frozenset[str]) -> bool:
        return any(_among(word, known) for word in tokens)

    if has(_NOT) and has(_SUCCESS):
        return Standing.FAILED
    if has(_NOT_FAILED):
        return Standing.OTHER
    if has(_FAILED) or any(word.endswith(tuple(one for one in _FAILED if len(one) > 5)) for word in tokens):
        again = has(frozenset({"retrying", "reprocessing"}))
        return Standing.PENDING if again else Standing.PERHAPS if has(_DONE) else Standing.FAILED
    if has(_FAILED_MAYBE):
        return Standing.PERHAPS
    if has(_PENDING):
        return Standing.PENDING
    return Standing.DONE if _says_only(names[-1], _DONE | _SUCCESS) else Standing.OTHER


def says_only_failed(*names: str) -> bool:
    """Whether one of a field's names says failed and nothing else: "Notify on error" does not."""
    return any(_says_only(name, _FAILED) for name in names)


def sounds_final(*names: str) -> bool:
    """Whether a value of failure says that it is one for good."""
    return any(_among(word, _FINAL) for name in names for word in words(name))


def _says_only(name: str, known: frozenset[str]) -> bool:
    """Whether a name says this and nothing else: of done, "Completed with warnings" and "未完了" do not."""
    tokens = [word for word in words(name) if word not in _FILLING]
    return bool(tokens) and all(word in known or (word.isascii() and _among(word, known)) for word in tokens)


def _among(word: str, known: frozenset[str]) -> bool:
    """Whether a word is known, up to an ending of gender or number; where words are written without
    blanks, whether a known one is inside.
    """
    if word in known:
        return True
    if word.isascii():
        # Looked up by its beginnings: this is asked for every value of every field of a large describe.
        return any(word[:end] in known for end in range(max(5, len(word) - 3), len(word)))
    return any(one in word for one in known if len(one) > 1 and not one.isascii())


def mentions(text: Iterable[str], phrases: Iterable[str]) -> int:
    """How much of a text (as `words`) its best phrase covers, in percent: 100 means it says just that.

    A phrase of six letters and more also counts inside a longer word, for languages that join words.
    """
    tokens = list(text)
    joined, spaced = "".join(tokens), f" {' '.join(tokens)} "
    if not joined:
        return 0
    best = 0
    for phrase in phrases:
        solid = phrase.replace(" ", "")
        if solid == joined:
            return 100
        inside = f" {phrase} " in spaced or (
            (len(solid) >= 6 or not solid.isascii()) and len(solid) > 1 and solid in joined
        )
        if inside:
            best = max(best, 100 * len(solid) // len(joined))
    return best
