"""What of an error a person copies: an ID, its message, all of it, its address. Pure.

Of several errors each gives one line; an error that lacks what is asked for gives none, and is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncerr_tui.model import SyncError
from syncerr_tui.text import one_line
from syncerr_tui.words import plural


@dataclass(frozen=True, slots=True)
class Copyable:
    """One thing to copy, of one error or of several."""

    key: str
    """The letter that asks for it."""
    name: str
    text: str
    """Empty where no error has it."""
    what: str
    """What it is, for the line that says what was copied: `5 StoreConnect IDs`."""


def copyables(
    errors: Sequence[SyncError], *, link: Callable[[SyncError], str], whole: Callable[[SyncError], str]
) -> list[Copyable]:
    """Everything that can be copied of these errors.

    Args:
        errors: One, or a selection.
        link: The address of an error.
        whole: An error as text of several lines.
    """
    kinds: tuple[tuple[str, str, Callable[[SyncError], str]], ...] = (
        ("c", "StoreConnect ID", lambda error: error.storeconnect_id),
        ("s", "Salesforce ID", lambda error: error.salesforce_id or ""),
        ("e", "change event ID", lambda error: error.id),
        ("m", "message", lambda error: error.message),
        ("a", "whole error", whole),
        ("l", "link", link),
    )
    return [
        _copyable(key, name, [read(error) for error in errors], whole=read is whole)
        for key, name, read in kinds
    ]


def _copyable(key: str, name: str, values: Sequence[str], *, whole: bool) -> Copyable:
    there = [value for value in values if value]
    if len(values) == 1:
        return Copyable(key, name, "".join(there), f"the {name}")
    text = "\n\n".join(there) if whole else "\n".join(map(one_line, there))
    lacking = len(values) - len(there)
    without = f" ({plural(lacking, 'row')} without one)" if lacking else ""
    return Copyable(key, name, text, f"{plural(len(there), name)}{without}")
