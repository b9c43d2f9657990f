"""The values of a list's rows: how often each occurs, and the term of a filter that keeps its rows. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from syncerr_tui.errors import BadInputError
from syncerr_tui.model import SyncError
from syncerr_tui.text import one_line
from syncerr_tui.triage.filter import NO_CODE, READERS, day_of, parse

KINDS: Mapping[str, str] = {
    "object": "Object",
    "event": "Event",
    "code": "Code",
    "day": "Day",
    "cause": "Cause",
}
"""Field of a filter that has few values -> its name on screen."""
_PLAIN = re.compile(r"[^\s\",*/]+")
_QUOTED = re.compile(r"[^\",*]+")
_SPECIAL = re.compile(r"[\\.^$|?*+()\[\]{}/\"]")
_BLANKS = re.compile(r"[ \t\n\f\r]+")
"""What RE2 takes for blanks."""
_LONGEST = 120
"""Characters of a text that a pattern repeats."""

CodeOf = Callable[[SyncError], str]
"""The code that a row is counted under."""
CauseOf = Callable[[str], str | None]
"""An error's id -> the oldest error of its cause; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a column."""

    field: str
    text: str
    """Empty where the rows have none."""
    term: str
    """What keeps just the rows with it."""
    count: int = 0


def value_of(
    field: str, error: SyncError, *, cause_of: CauseOf | None = None, code_of: CodeOf = READERS["code"]
) -> str:
    """A row's value, as a filter names it; empty where it has none."""
    match field:
        case "code":
            return code_of(error)
        case "day":
            return day_of(error.processed_at) if error.processed_at else ""
        case "cause":
            return (cause_of(error.id) if cause_of is not None else None) or ""
        case _:
            return READERS[field](error)


def counted(
    field: str,
    errors: Iterable[SyncError],
    *,
    cause_of: CauseOf | None = None,
    code_of: CodeOf = READERS["code"],
) -> list[Value]:
    """The values of these rows, the most frequent first; days from the newest on."""
    rows: dict[str, SyncError] = {}
    counts: Counter[str] = Counter()
    for error in errors:
        value = value_of(field, error, cause_of=cause_of, code_of=code_of)
        counts[value] += 1
        rows.setdefault(value, error)
    if field == "day":
        order = sorted(counts, reverse=True)
    else:
        order = sorted(counts, key=lambda value: (-counts[value], not value, value))
    return [Value(field, value, term_of(field, value, rows.values()), counts[value]) for value in order]


def values_of(
    error: SyncError, *, cause_of: CauseOf | None = None, code_of: CodeOf = READERS["code"]
) -> list[Value]:
    """Everything about a row that others may have in common with it."""
    values = []
    for field in (*KINDS, "sf", "sc", "message"):
        text = value_of(field, error, cause_of=cause_of, code_of=code_of)
        if text or field in {"code", "sf"}:
            values.append(Value(field, text, term_of(field, text, [error])))
    return values


def term_of(field: str, value: str, others: Iterable[SyncError] = ()) -> str:
    """The term that keeps the rows with this value.

    Args:
        field: A field of the filter.
        value: Its value; empty for rows without one.
        others: Rows of other values that it must not keep, where it has a choice: `object:Order` keeps those
            of `s_c__Order__c` too.
    """
    if not value and field in {"code", "sf", "day"}:
        return f"{field}:none"
    if not value and field == "cause":
        return ""
    if field != "message" and _PLAIN.fullmatch(value):
        plain = f"{field}:{value}"
    elif field != "message" and _QUOTED.fullmatch(value):
        plain = f'{field}:"{value}"'
    else:
        return pattern_of(field, value)
    if field == "code" and value.startswith("~"):  # no row has such a code of its own
        return plain
    if field not in {"object", "code"} or value.casefold() == "none":
        return plain if value.casefold() != "none" else pattern_of(field, value)
    keeps = {value_of(field, other) for other in others if _keeps(plain, other)}
    return plain if keeps <= {value} else pattern_of(field, value)


def pattern_of(field: str, text: str) -> str:
    """The term that keeps rows of which the field is this text, or begins with so much of a long one."""
    begins = text[:_LONGEST]
    body = _BLANKS.sub(r"\\s+", _SPECIAL.sub(r"\\\g<0>", begins))
    return f"{field}:/(?-i)^{body}{'$' if begins == text else ''}/"


def narrowed(text: str, term: str, *, without: bool = False) -> str:
    """A filter that also asks for this term, or leaves out what has it."""
    added = f"-{term}" if without else term
    return text if f" {added} " in f" {text} " else f"{text} {added}".strip()


def _keeps(term: str, error: SyncError) -> bool:
    try:
        return parse(term).matches(error, datetime.now(UTC))
    except BadInputError:
        return False


def value_label(value: Value) -> str:
    return "none" if value.text in {"", NO_CODE} else one_line(value.text)
