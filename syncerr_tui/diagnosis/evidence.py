"""Why one error waits for another: the link, its evidence, and what a message says about parents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from syncerr_tui.model import SyncError

SAME_RECORD_CODE = "INVALID_CHANGE_EVENT"
PARENT_CODE = "INVALID_FIELD"


class Evidence(StrEnum):
    """Why a link is believed."""

    SAME_RECORD = "same record"
    NAMED_PARENT = "named parent"
    RELATION = "parent in the org"
    """The record's own lookup, as read from the org."""
    CODE = "code"
    """The status code says that something else failed first; what it was is not in this list."""
    GUESS = "guess"


class Link(NamedTuple):
    """One error that exists because of another. There are as many as rows: a named tuple is made fastest."""

    victim: str
    cause: str | None
    """Id of the error to clear first; None where it is not in this list."""
    evidence: Evidence
    detail: str
    """One sentence for the person: what was seen that proves it, or what to look for."""
    missing: str | None = None
    """Where the cause is not in this list: what is known of it (`Order 1f3c…`)."""
    parent: tuple[str, str] | None = None
    """Where the cause is not in this list: object and StoreConnect ID of the parent, if it is named."""
    ready: bool = False
    """The parent is in Salesforce by now: a re-sync can work."""

    @property
    def sentence(self) -> str:
        """The detail, where a guess says of itself that it is one."""
        return f"guess: {self.detail}" if self.evidence is Evidence.GUESS else self.detail

    @property
    def fact(self) -> bool:
        """Whether a plan may be ordered by it."""
        return self.cause is not None and self.evidence is not Evidence.GUESS


@dataclass(frozen=True, slots=True)
class ParentRef:
    """A lookup of a failed record as the org has it."""

    object: str
    storeconnect_id: str
    field: str


def unlisted_change(error: SyncError) -> Link:
    what = f"an earlier change of {error.object} {short_id(error.storeconnect_id)}"
    detail = (
        f"{SAME_RECORD_CODE} says that {what} failed; it is not in this list: refresh, or look for its ID"
    )
    return Link(error.id, None, Evidence.CODE, detail, missing=what)


def unlisted_parent(error: SyncError, parent: str | None = None) -> Link:
    if parent is None:
        detail = (
            f"{PARENT_CODE} says that a parent of this {error.object} failed; the message does not name it"
        )
        return Link(error.id, None, Evidence.CODE, detail)
    detail = (
        f"the message names {parent}, which is not in this list: it may be in Salesforce by now, or deleted"
    )
    return Link(error.id, None, Evidence.CODE, detail, missing=parent)


def short_id(identifier: str) -> str:
    return identifier if len(identifier) <= 12 else f"{identifier[:8]}…"


# -- parents that a message names

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_FOREIGN_KEY = re.compile(r"foreign key external id:?\s{0,4}([^\s,;:]{1,80})", re.IGNORECASE)
_ENTITY = re.compile(r"\bin entity:?\s{1,4}([A-Za-z]\w{0,79})", re.IGNORECASE)
_RECORD_ID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{18}(?![0-9A-Za-z])")
# INVALID_FIELD has a second meaning in Salesforce: the field itself is unknown or hidden. That is a cause.
_FIELD_ITSELF = re.compile(
    r"no such column|no such field|bad field name|inaccessible|not accessible|not accept|security settings|"
    r"is not writeable|not writable|invalid field name|unknown field|unexpected token",
    re.IGNORECASE,
)
# The whole of what Salesforce says where nothing is wrapped around it: four searches in one.
_USUAL = re.compile(
    r"Foreign key external ID: ([0-9a-zA-Z][\w-]{0,79}) not found for field \w+ in entity ([A-Za-z]\w{0,79})",
    re.ASCII,
)
_WORD = re.compile(r"[^\W_]")
_NAMING, _IN_ENTITY = "foreign key external id", "in entity"
"""What `_FOREIGN_KEY` and `_ENTITY` begin with: to look for a word is ten times faster than for a pattern."""


class NamedParents(NamedTuple):
    """What a message says about parents."""

    ids: tuple[str, ...] = ()
    """Each once: StoreConnect IDs in lower case, Salesforce IDs as written."""
    entity: str | None = None
    """The object in which the id was looked for."""


NO_PARENTS = NamedParents()


def parents_named(text: str) -> NamedParents:
    usual = _USUAL.fullmatch(text)
    if usual is not None:
        return NamedParents((usual[1].lower(),), usual[2])
    # Outside ASCII another case may have another length: then the patterns look from the beginning.
    words = text.lower() if text.isascii() else ""
    at = words.find(_IN_ENTITY) if words else 0
    entity = _ENTITY.search(text, at) if at >= 0 else None
    names: list[str] = []
    at = words.find(_NAMING) if words else 0
    while at >= 0 and (match := _FOREIGN_KEY.search(text, at)):
        if _WORD.search(match[1]):
            names.append(match[1].lower())
        at = words.find(_NAMING, match.end()) if words else match.end()
    if not names:
        names = [match[0].lower() for match in _UUID.finditer(text)]
        names += [match[0] for match in _RECORD_ID.finditer(text)]
    return NamedParents(tuple(dict.fromkeys(names)), entity[1] if entity else None)


def says_parent(message: str) -> bool:
    return "oreign key external" in message or not _FIELD_ITSELF.search(message)


def is_record_id(value: str) -> bool:
    return len(value) == 18 and value.isascii() and value.isalnum()
