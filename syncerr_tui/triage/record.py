"""A record with all fields that the org returned: as lines to read, and as JSON for another program. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from syncerr_tui.text import HOSTILE, clean

_MODELINE = re.compile(r"\b(vi|vim|ex|Vim)(?=[<=>]?\d*:)|-\*-|Local Variables(?=:)")
"""What an editor would take for its own settings where it stands at either end of a file."""
_LINE_ENDS = re.compile("[\u2028\u2029]")


def as_json(record: Mapping[str, Any]) -> str:
    """The record as JSON that says what the org sent, and that neither a terminal nor an editor obeys.

    What could be taken for a command is written as an escape: JSON reads it as what it was.
    """
    text = json.dumps(record, ensure_ascii=False, indent=2)
    text = HOSTILE.sub(
        lambda found: _escaped(found[0]), _LINE_ENDS.sub(lambda found: _escaped(found[0]), text)
    )
    return _MODELINE.sub(lambda found: _escaped(found[0][0]) + found[0][1:], text) + "\n"


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def fields(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every field with its value as text, in the org's order; what describes the record itself comes last."""
    shown = [(name, _value(value)) for name, value in record.items() if name != "attributes"]
    about = record.get("attributes")
    return [*shown, ("attributes", _value(about))] if about is not None else shown


def _value(value: object) -> str:
    if value is None:
        return "null"
    return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
