"""A filter as a person writes it: its terms, what continues one, and the filters of earlier days. Pure.

The list's filter and the Journal's share it; what the terms mean is each filter's own matter. Regular
expressions are RE2's, which take time in proportion to the text, whatever they are: Python's own can take
years on a short text, and cannot be stopped.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from syncerr_tui.errors import DAMAGED, BadInputError
from syncerr_tui.text import one_line

_START = r"(?P<not>-)?(?:(?P<field>[A-Za-z_]+):)?"
_TERM = re.compile(_START + r'(?:"(?P<quoted>[^"]*)(?P<end>"?)|(?P<plain>[^\s"]*))')
_PATTERN = re.compile(_START + r"/(?P<pattern>(?:[^/\\]|\\.|/(?!\s|\Z))*)(?:(?P<end>/)|\\?\Z)", re.DOTALL)
_NAMES = frozenset({"object", "code", "event", "day"})
"""Fields of which a value is the whole name."""
_LONGEST_PATTERN = 500
"""Characters. Nobody types more."""


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a filter as it was written."""

    field: str | None
    """None for free text."""
    value: str
    negated: bool
    unfinished: bool
    """It stands at the very end, and the person is still typing."""
    quoted: bool
    pattern: bool = False
    """The value is a regular expression."""

    @property
    def as_prefix_of_a_closed_set(self) -> bool:
        """Whether it counts as the beginning of one of a few words."""
        return self.unfinished and not self.quoted and not self.pattern

    @property
    def as_prefix(self) -> bool:
        """Whether the name counts as the beginning of a name."""
        return self.as_prefix_of_a_closed_set and self.field in _NAMES


def read_terms(
    text: str, fields: Sequence[str], aliases: Mapping[str, str], *, typing: bool, patterns: bool = False
) -> Iterator[Term]:
    """The parts of a filter, for any set of fields; with `patterns` a slash begins a regular expression.

    Raises:
        BadInputError: Says which part cannot be read, and what would do.
    """
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        match = _PATTERN.match(text, position) if patterns else None
        if match is not None:
            yield from _pattern_term(match, fields, aliases, unfinished=typing and match.end() == len(text))
            position = match.end()
            continue
        match = _TERM.match(text, position)
        if match is None or match.end() == position:
            raise BadInputError(
                f"The filter cannot be read at character {position + 1}",
                'Put text with quotes or blanks between double quotes, as in "too many".',
            )
        term = _term(match, fields, aliases, unfinished=typing and match.end() == len(text))
        if term is not None:
            yield term
        position = match.end()


def _term(
    match: re.Match[str], fields: Sequence[str], aliases: Mapping[str, str], *, unfinished: bool
) -> Term | None:
    name = match["field"]
    quoted = match["quoted"] is not None
    value = match["quoted"] if quoted else match["plain"]
    if quoted and not match["end"] and not unfinished:
        raise BadInputError("The filter has a quote that is not closed", 'Close it with ".')
    field = None if name is None else _field(name, fields, aliases)
    if not value:
        if unfinished:
            return None
        if field is None:
            raise BadInputError("The filter has a - with nothing after it", "Write -word to leave rows out.")
        raise BadInputError(f"The filter has {name}: without a value", f"Write for example {example(field)}.")
    return Term(field, value, bool(match["not"]), unfinished, quoted)


def _pattern_term(
    match: re.Match[str], fields: Sequence[str], aliases: Mapping[str, str], *, unfinished: bool
) -> Iterator[Term]:
    pattern, closed = match["pattern"], bool(match["end"])
    if not closed and not unfinished:
        raise BadInputError(
            "The filter has a pattern that is not closed",
            f'Close it with /, or quote the text: "/{one_line(pattern)[:20]}"',
        )
    field = None if match["field"] is None else _field(match["field"], fields, aliases)
    if pattern:
        yield Term(field, pattern, bool(match["not"]), not closed, quoted=False, pattern=True)
    elif closed:
        raise BadInputError("The filter has a pattern with nothing in it", "Write for example /flow.*failed/")


def _field(name: str, fields: Sequence[str], aliases: Mapping[str, str]) -> str:
    lowered = name.lower()
    field = aliases.get(lowered, lowered)
    if field in fields:
        return field
    near = difflib.get_close_matches(lowered, [*fields, *aliases], n=1)
    suggestion = f"Did you mean {near[0]}:? " if near else ""
    raise BadInputError(
        f"The filter does not know {name}:",
        f'{suggestion}To search for this text, quote it: "{name}:…". Fields are {", ".join(fields)}',
    )


def example(field: str) -> str:
    """How a term of a field looks."""
    examples = {"object": "object:Order", "event": "event:update", "age": "age:>2d", "day": "day:2026-11-27"}
    examples |= {"snoozed": "snoozed:yes", "assigned": "assigned:none"}
    return examples.get(field, f"{field}:…")


def compiled(pattern: str) -> Callable[[str], object]:
    """What searches a text for a pattern: the first match, or None. Upper and lower case are the same.

    Raises:
        BadInputError: It is no regular expression, or needs what RE2 has not.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise BadInputError(f"A pattern has more than {_LONGEST_PATTERN} characters", "Write a shorter one.")
    try:
        import re2
    except ImportError:
        raise BadInputError(
            "Patterns between slashes need the package google-re2", "Install it: pip install google-re2"
        ) from None
    options = re2.Options()
    options.case_sensitive, options.dot_nl, options.log_errors = False, True, False
    try:
        return re2.compile(pattern, options=options).search  # type: ignore[no-any-return]
    except re2.error as problem:
        reason = problem.args[0].decode(errors="replace")
    except UnicodeError:
        reason = "it holds half a character"
    raise BadInputError(
        f"The pattern /{one_line(pattern)[:40]}/ cannot be read: {one_line(reason)}",
        "A \\ takes the sign behind it as it is, as in \\( or \\*.",
    )


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
        texts = [*(past for past in self.of(kind) if past != text), text]
        return FilterHistory({**self.filters, kind: tuple(texts[-_MOST:])})

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
        document = json.loads(text)
        for kind, texts in document["filters" if document["version"] == 1 else ""].items():
            for one in texts:
                history = history.used(kind, one)
    except DAMAGED:
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
        names = [f"{field}:" for field in fields if field.startswith(begun) and begun]
        return [text[: match.start("value")] + one for one in names]
    before, _, last = word.rpartition(",") if not word.startswith('"') else ("", "", word[1:])
    lead = text[: match.start("value")] + (f"{before}," if before else "")
    known = [value for value in values.get(name, ()) if value.casefold().startswith(last.casefold())]
    return [lead + quoted(value) for value in known if '"' not in value and quoted(value) != word]


def quoted(value: str) -> str:
    """A value as it stands behind the colon of its field."""
    return f'"{value}"' if re.search(r"\s|,", value) else value
