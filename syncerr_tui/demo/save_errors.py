"""A change on its way into the org, the answer, and the shapes in which a no reaches the Message.

A shape is chosen by the change's StoreConnect ID, so the same failure always reads the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple
from zlib import crc32


@dataclass(frozen=True, slots=True)
class SaveFault:
    """One reason why a save was refused, as the REST API words it."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    def row(self) -> dict[str, object]:
        """As the answer to one row of many tells it; that to a whole call says `errorCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}


OPAQUE_WORDS = "An unexpected error occurred. Please include this ErrorId: 0"
LOCK_WORDS = "unable to obtain exclusive access to this record or {} records"


@dataclass(frozen=True, slots=True)
class Parameter:
    """An input or output of an invocable action."""

    name: str
    label: str
    type: str = "STRING"
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class InvocableAction:
    """An invocable action as its describe shows it."""

    kind: str
    """`apex` or `flow`."""
    name: str
    label: str
    description: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...] = ()


Outcome = Mapping[str, object] | SaveFault
"""What one input of an action came to: its outputs, or why it was refused."""
Scalar = str | int | float | bool | None
Fields = Mapping[str, Scalar]
LinkKind = Literal["parent", "same record"]


class Change(NamedTuple):
    """What is about to be saved."""

    object: str
    operation: str
    """`Create`, `Update` or `Delete`."""
    values: Fields
    """Fields by API name; parents already resolved to ids."""
    record_id: str | None
    """The record in Salesforce where it exists."""
    sc_id: str = ""


class SaveError(NamedTuple):
    """Why a change was not saved."""

    key: str
    """Stable name of the safeguard or fault: what a fix is about."""
    code: str
    """The outermost status code."""
    text: str
    """The org's words, without the outermost code."""
    fields: tuple[str, ...] = ()
    bare: bool = False
    """True where the text must not be dressed in another shape."""
    kind: LinkKind | None = None
    """Set where something else failed first."""
    needs: str = ""
    """With `kind`: the StoreConnect ID of the record that must come first."""
    record_id: str = ""
    """A record that the refusal is about, for the fix (the other half of a duplicate, a locked one)."""


_GUIDE = "You can look up ExceptionCode values in the SOAP API Developer Guide."
_GUIDE_LINK = (
    "You can look up ExceptionCode values in the <a href='https://developer.salesforce.com/docs/'>"
    "SOAP API Developer Guide</a>."
)
_QUOTES = (("“", "”"), ('"', '"'), ("‘", "’"), ("&quot;", "&quot;"), ("“", "”"))
_REQUIRED = ("Required fields are missing", "Pflichtfelder fehlen", "Faltan campos obligatorios")
_MISSING = _REQUIRED[0]


def chance(sc_id: str, salt: str) -> int:
    """A number that belongs to this StoreConnect ID and purpose: the same in every run."""
    return crc32(f"{salt}{sc_id}".encode())


def flow_words(sc_id: str, label: str, inner: str) -> str:
    """What Salesforce says when a flow stopped a save; `inner` is the flow's own fault text, a sentence."""
    pick = chance(sc_id, "flow")
    left, right = _QUOTES[pick % len(_QUOTES)]
    guide = _GUIDE_LINK if pick % 7 == 0 else _GUIDE
    words = (
        f"We can't save this record because the {left}{label}{right} process failed. "
        f"Give your Salesforce admin these details. {inner}"
    )
    if "flow tried to" in inner:
        words += f". {guide}"
    if pick % 3:
        words += f" Error ID: {error_id(sc_id)}"
    return words


def error_id(sc_id: str) -> str:
    """An error id as Salesforce's support knows them."""
    pick = chance(sc_id, "error")
    number, place, hash_ = pick % 1_900_000_000 + 100_000_000, pick % 98_765 + 1_234, pick % 4_000_000_000
    return f"{number}-{place} ({hash_ - 2_000_000_000})"


def dressed(refusal: SaveError, sc_id: str, *, code_apart: bool) -> str:
    """The Message text of a refusal.

    Args:
        refusal: What was refused, and why.
        sc_id: The change's StoreConnect ID, which chooses the shape.
        code_apart: True where the code has a field of its own; else the text must carry it.
    """
    text = refusal.text
    if text.startswith(_MISSING):
        word = _REQUIRED[(0, 0, 0, 0, 0, 1, 0, 2)[chance(sc_id, "tongue") % 8]]
        text = word + text.removeprefix(_MISSING)
    shape = 0 if refusal.bare else chance(sc_id, refusal.code) % 10
    if refusal.bare or shape < 5:
        return text if code_apart or refusal.code in text else f"{refusal.code}: {text}"
    fields = ",".join(refusal.fields)
    if shape == 5:
        return f"{refusal.code}: {text}"
    if shape == 6:
        return f"{refusal.code}, {text}: [{fields}]"
    if shape == 7:
        return f"{refusal.code}:{text}:{fields} --"
    if shape == 8:
        body = {"statusCode": refusal.code, "message": text, "fields": list(refusal.fields)}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return f"Upsert failed. First exception on row 0; first error: {refusal.code}, {text}: [{fields}]"
