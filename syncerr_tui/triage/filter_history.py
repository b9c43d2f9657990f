"""The filters that a person applied, and the words that continue the one they are typing. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from syncerr_tui.errors import BadInputError

_MOST = 100
"""Filters that are kept of each kind."""
_LONGEST = 1000
"""Characters of a filter that is worth keeping."""


@dataclass(frozen=True, slots=True)
class FilterHistory:
    """What was applied, by the kind of list; the latest stands last, and each once."""

    filters: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, kind: str) -> tuple[str, ...]:
        return self.filters.get(kind, ())

    def used(self, kind: str, text: str) -> FilterHistory:
        text = text.strip()
        if not text or len(text) > _LONGEST:
            return self
        kept = [*(past for past in self.of(kind) if past != text), text]
        return FilterHistory({**self.filters, kind: tuple(kept[-_MOST:])})

    def after(self, earlier: FilterHistory) -> FilterHistory:
        """This one with what another terminal, or an earlier start, has applied before."""
        merged = earlier
        for kind, texts in self.filters.items():
            for text in texts:
                merged = merged.used(kind, text)
        return merged

    def as_text(self) -> str:
        return json.dumps(
            {"version": 1, "filters": {kind: list(texts) for kind, texts in self.filters.items()}}
        )


def history_of(text: str) -> FilterHistory:
    """What was kept.

    Raises:
        BadInputError: It is something else: damaged, or of a later version.
    """
    history = FilterHistory()
    try:
        kept = json.loads(text)
        for kind, texts in kept["filters" if kept["version"] == 1 else ""].items():
            for one in texts:
                history = history.used(kind, one)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInputError(
            "The history of filters cannot be read", "It begins anew with the next filter"
        ) from None
    return history


_LAST = re.compile(r'(?:^|\s)-?(?:(?P<field>[A-Za-z_]+):)?(?P<value>"[^"]*|[^\s"]*)$')


def completions(text: str, fields: Sequence[str], values: Mapping[str, Sequence[str]]) -> list[str]:
    """The text with its last word completed, in each way there is.

    Args:
        text: As it is typed so far.
        fields: All fields of the filter.
        values: Field -> the values that its column has.
    """
    match = _LAST.search(text)
    if match is None or not match[0].strip(" -"):
        return []
    word, name = match["value"], (match["field"] or "").lower()
    if not name:
        begun = word.casefold()
        found = [f"{field}:" for field in fields if field.startswith(begun) and begun]
        return [text[: match.start("value")] + one for one in found]
    before, _, last = word.rpartition(",") if not word.startswith('"') else ("", "", word[1:])
    lead = text[: match.start("value")] + (f"{before}," if before else "")
    known = [value for value in values.get(name, ()) if value.casefold().startswith(last.casefold())]
    return [lead + quoted(value) for value in known if '"' not in value and quoted(value) != word]


def quoted(value: str) -> str:
    """A value as it stands behind the colon of its field."""
    return f'"{value}"' if re.search(r"\s|,", value) else value
