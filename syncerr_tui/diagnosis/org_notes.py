r"""Org notes: what an organisation itself knows about its errors, in a TOML file that a team keeps in git.

```toml
[[note]]
code = "DUPLICATES_DETECTED"          # one code or a list of codes
text = "Ours: never switch the rule off. Ask Priya to merge first."

[[note]]
automation = "Order Builder*"         # name of a Flow, trigger, class or rule; * and ? are wildcards
contains = "credit hold"              # words of the message, in any case
text = "The finance team releases credit holds on weekdays at 8."

[[note]]
pattern = 'ERP-\d+'                    # a regular expression, in any case
text = "The ERP package's trigger. Its vendor's support line is on the wiki."
```

A note is shown where all of its conditions hold. Patterns are looked for in the message's first
`PATTERN_REACH` characters, and one that could take long on any text is refused when the file is read:
messages are written by strangers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import inf
from pathlib import Path
from typing import Any

from syncerr_tui.diagnosis.model import Diagnosis, OrgNote
from syncerr_tui.errors import BadInputError
from syncerr_tui.files import TomlKeys, TomlSource
from syncerr_tui.text import clean, one_line

PATTERN_REACH = 1000
"""A pattern sees this many characters from the start of a message."""

CONDITIONS = ("code", "automation", "contains", "pattern")
LARGEST_FILE = 1_000_000

_KIND_WORDS = {
    "flow_element": "flow element",
    "validation_rule": "validation rule",
    "duplicate_rule": "duplicate rule",
}


@dataclass(frozen=True, slots=True)
class Note:
    """One note and when it is shown. An empty condition asks for nothing."""

    text: str
    codes: tuple[str, ...] = ()
    automations: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()

    def matched(self, diagnosis: Diagnosis) -> str | None:
        """Why this note is shown for an error, in words; None where it is not."""
        reasons: list[str] = []
        for condition, reason in (
            (self.codes, self._code(diagnosis)),
            (self.automations, self._automation(diagnosis)),
            (self.contains, self._contains(diagnosis.message)),
            (self.patterns, self._pattern(diagnosis.message)),
        ):
            if condition and reason is None:
                return None
            if reason:
                reasons.append(reason)
        return ", ".join(reasons)

    def _code(self, diagnosis: Diagnosis) -> str | None:
        there = (diagnosis.root_code, *diagnosis.codes, diagnosis.code)
        return next((f"code {code}" for code in there if code in self.codes), None)

    def _automation(self, diagnosis: Diagnosis) -> str | None:
        for item in diagnosis.automation:
            if any(
                fnmatchcase(spelling.casefold(), glob)
                for glob in self.automations
                for spelling in (item.full_name, item.name)
            ):
                return f"{_KIND_WORDS.get(item.kind, item.kind)} {item.full_name}"
        return None

    def _contains(self, message: str) -> str | None:
        folded = message.casefold()
        return next(
            (f"message contains “{words}”" for words in self.contains if words.casefold() in folded), None
        )

    def _pattern(self, message: str) -> str | None:
        start = message[:PATTERN_REACH]
        return next((f"message pattern {rule.pattern}" for rule in self.patterns if rule.search(start)), None)


@dataclass(frozen=True, slots=True)
class OrgNotes:
    """All notes of an organisation, in the order of the file."""

    notes: tuple[Note, ...] = ()

    def matching(self, diagnosis: Diagnosis) -> tuple[OrgNote, ...]:
        reasons = ((note, note.matched(diagnosis)) for note in self.notes)
        return tuple(OrgNote(note.text, reason) for note, reason in reasons if reason)


def load_notes(path: Path) -> OrgNotes:
    """Read a file of org notes.

    Raises:
        BadInputError: It cannot be read or understood; the words name file, line and key.
    """
    source = TomlSource.read(path, LARGEST_FILE)
    if source is None:
        raise BadInputError(f"{path} cannot be read: there is no such file", "Check the name")
    return _notes(source)


def parse_notes(text: str, name: str) -> OrgNotes:
    """Read org notes from the text of a file. Raises as `load_notes`."""
    return _notes(TomlSource(Path(name), text))


def _notes(source: TomlSource) -> OrgNotes:
    tables = source.tables()
    source.check_known(tables, ["note"])
    notes = tables.get("note", [])
    if not isinstance(notes, list) or not all(isinstance(item, dict) for item in notes):
        raise source.wrong(("note",), "a list of tables", notes, "Begin each note with [[note]].")
    return OrgNotes(tuple(_note(item, ("note", number), source) for number, item in enumerate(notes)))


def _note(note: Mapping[str, Any], keys: TomlKeys, source: TomlSource) -> Note:
    source.check_known(note, ["text", *CONDITIONS], keys)
    text = note.get("text")
    if not isinstance(text, str) or not text.strip():
        raise source.refuse((*keys, "text"), "is needed in a note", 'Write text = "..." under its [[note]].')
    conditions = {key: source.texts((*keys, key), note.get(key, [])) for key in CONDITIONS}
    if not any(conditions.values()):
        hint = f"Give it one of: {', '.join(CONDITIONS)}."
        raise source.refuse((*keys, "text"), "has no condition, and would stand everywhere", hint)
    for key, texts in conditions.items():
        if not all(map(str.strip, texts)):
            raise source.refuse((*keys, key), "must not be empty", 'For example: "Order Builder".')
    return Note(
        text=clean(text).strip(),
        codes=tuple(code.strip().upper() for code in conditions["code"]),
        automations=tuple(name.casefold() for name in conditions["automation"]),
        contains=tuple(one_line(words) for words in conditions["contains"]),
        patterns=tuple(_compiled(conditions["pattern"], (*keys, "pattern"), source)),
    )


def _compiled(patterns: Iterable[str], keys: TomlKeys, source: TomlSource) -> Iterable[re.Pattern[str]]:
    for pattern in patterns:
        try:
            compiled = re.compile(pattern, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            raise source.refuse(keys, f"is not a regular expression: {error}", "Or use contains.") from None
        if not affordable(pattern, PATTERN_REACH):
            hint = "Use one * or + at most, none on a group, no back-reference; or use contains."
            raise source.refuse(keys, "could take very long on some messages", hint)
        yield compiled


WORST = 3_000_000
"""Ways to try at most, over all places where a match could begin: some tens of milliseconds."""


def affordable(pattern: str, reach: int) -> bool:
    """Whether searching `reach` characters stays quick for every text: read off the pattern's structure.

    Python's engine tries every way to match. Two loops that can share the same characters multiply, a loop in
    a loop explodes. Nothing can stop a search once it runs, so what could be slow is refused before.

    Args:
        pattern: A regular expression that compiles.
        reach: How many characters it will be shown at most.
    """
    # The compiler's own parser: the only reader of regular expressions that cannot disagree with it.
    tree = re._parser.parse(pattern)  # type: ignore[attr-defined,unused-ignore]  # noqa: SLF001
    return _ways(tree, reach) * reach <= WORST


def _ways(tree: Iterable[tuple[Any, Any]], reach: int) -> float:
    count = 1.0
    for operation, argument in tree:
        count *= _ways_of(str(operation), argument, reach)
    return count


def _ways_of(operation: str, argument: Any, reach: int) -> float:  # noqa: ANN401 - the parser's own tuples
    if operation in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, inner = argument
        times = min(int(most), reach) - min(int(least), reach) + 1
        if int(most) > 1 and not _single(inner):
            return inf
        return max(times * _ways(inner, reach), 1.0)
    if operation == "BRANCH":
        return sum(_ways(branch, reach) for branch in argument[1])
    if operation in {"SUBPATTERN", "ATOMIC_GROUP"}:
        return _ways(argument[-1] if operation == "SUBPATTERN" else argument, reach)
    if operation in {"ASSERT", "ASSERT_NOT"}:
        return _ways(argument[1], reach)
    return inf if operation in {"GROUPREF", "GROUPREF_EXISTS"} else 1.0


def _single(tree: Iterable[tuple[Any, Any]]) -> bool:
    """One character or class of characters: the only thing that may be repeated."""
    items = list(tree)
    return len(items) == 1 and str(items[0][0]) in {"LITERAL", "NOT_LITERAL", "ANY", "IN"}
