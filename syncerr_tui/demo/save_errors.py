"""A change on its way into the org, and the org's no to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

Fields = Mapping[str, object]
Scalar = str | int | float | bool | None
LinkKind = Literal["parent", "same record"]


@dataclass(frozen=True, slots=True)
class Change:
    """What is about to be saved."""

    object: str
    operation: str
    """`Create`, `Update` or `Delete`."""
    values: Fields
    """Fields by API name; parents already resolved to ids."""
    record_id: str | None
    """The record in Salesforce where it exists."""
    sc_id: str = ""

    def value(self, field: str) -> Scalar:
        """A field as it is written; None where it is not."""
        return cast("Scalar", self.values.get(field))


@dataclass(frozen=True, slots=True)
class SaveError:
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
