"""How a person wants the table and its info panel in a window, and that as a text to keep. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from syncerr_tui.errors import BadInputError
from syncerr_tui.triage.columns import BY_NAME, Choice

WIDE = 110
"""Cells from which the info panel has a place beside the list."""
WIDEST_COLUMN = 200
"""Cells."""


class WindowClass(StrEnum):
    """Windows in which one arrangement suits."""

    NARROW = "narrow"
    WIDE = "wide"

    @classmethod
    def of(cls, width: int) -> WindowClass:
        """The class of a window of so many cells."""
        return cls.WIDE if width >= WIDE else cls.NARROW


@dataclass(frozen=True, slots=True)
class WindowLayout:
    """The arrangement in windows of one class."""

    columns: Choice = ()
    """Empty while the window decides."""
    panel: bool = False
    """Whether the info panel stands beside the list, in a narrow window below it; else in its place."""


Layouts = Mapping[WindowClass, WindowLayout]
USUAL: Layouts = MappingProxyType(
    {WindowClass.NARROW: WindowLayout(), WindowClass.WIDE: WindowLayout(panel=True)}
)
"""What nobody has changed."""


def as_text(layouts: Layouts) -> str:
    """The arrangements as they are kept."""
    kept = {
        window.value: {
            "columns": [[column.name, width] for column, width in layout.columns],
            "panel": layout.panel,
        }
        for window, layout in layouts.items()
    }
    return json.dumps({"version": 1, "windows": kept}, indent=1)


def of_text(text: str) -> Layouts:
    """The arrangements out of what was kept; a window that is not in it is as usual.

    Raises:
        BadInputError: It is something else: another program's, damaged, or of a later version.
    """
    try:
        kept = json.loads(text)
        _must(kept["version"] == 1)
        windows = {WindowClass(name): _layout(value) for name, value in kept["windows"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInputError(
            "The remembered columns cannot be read", "They are as usual until you change them"
        ) from None
    return {**USUAL, **windows}


def _layout(value: Any) -> WindowLayout:  # noqa: ANN401 - whatever a file holds
    columns = tuple((BY_NAME[name], width) for name, width in value["columns"])
    _must(isinstance(value["panel"], bool))
    _must(len({column.name for column, _ in columns}) == len(columns))
    _must(all(type(width) is int and 0 <= width <= WIDEST_COLUMN for _, width in columns))
    return WindowLayout(columns, value["panel"])


def _must(hold: bool) -> None:
    if not hold:
        raise ValueError
