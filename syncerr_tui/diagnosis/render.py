"""Guidance as lines of text with roles, at any width: for the command, the info panel and the Guide.

Knows no screen: a role says what a piece of text is, the front end decides what that looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import category, east_asian_width

from syncerr_tui.diagnosis.guidance_template import names
from syncerr_tui.diagnosis.model import Authority, Diagnosis, Guidance, HouseNote, Retry
from syncerr_tui.text import clean, one_line


class Role(StrEnum):
    """What a piece of text is."""

    TEXT = "text"
    NAME = "name"
    """Filled in from the message: a Flow, a field, a value."""
    HEADING = "heading"
    NUMBER = "number"
    """The number or bullet in front of an item."""
    ADDRESS = "address"
    NOTE = "note"
    """An organisation's own words."""
    FOUND = "found"
    """A part of the message that the diagnosis is made of."""
    MUTED = "muted"


Part = tuple[str, Role]


@dataclass(frozen=True, slots=True)
class Line:
    """One line, never wider than asked for, unless it is an address that was to stay whole."""

    parts: tuple[Part, ...] = ()
    link: str | None = None
    """The whole address, where this line shows one or a piece of one."""

    @property
    def text(self) -> str:
        """The line without roles."""
        return "".join(text for text, _ in self.parts)


RETRY_WORDS = {
    Retry.JUST_RETRY: "Just retry. Nothing has to be repaired first.",
    Retry.FIX_FIRST: "Fix first. A re-sync alone will fail again.",
    Retry.CAUSE_FIRST: "Cause first. Fix and re-sync the error that this one waits for.",
    Retry.SUPPORT_ONLY: "Support only. Do not work around this.",
}

AUTHORITY_WORDS = {
    Authority.STORECONNECT: "After StoreConnect's manual.",
    Authority.SALESFORCE: "General Salesforce knowledge, not StoreConnect's.",
    Authority.HOUSE: "Your organisation's own note.",
    Authority.NONE: "Nothing specific is known about this.",
}

_AUTOMATION_WORDS = {
    "flow": "Flow",
    "flow_element": "Flow element",
    "trigger": "Trigger",
    "class": "Apex class",
    "validation_rule": "Validation rule",
    "duplicate_rule": "Duplicate rule",
}

NARROWEST = 16
_BAR = "| "

_JOINERS = "\u200b\u200c\u200d"
# Symbols that Unicode 16 made wide: old and new terminals disagree.
_WIDE_SINCE_16 = re.compile("[\u2630-\u2637\u268a-\u268f\u4dc0-\u4dff\U0001d300-\U0001d376]")
_WORD = re.compile(r"\S+|\n|[^\S\n]+")


def width_of(text: str) -> int:
    """Terminal cells that a text takes: 2 for wide characters, 0 for combining ones."""
    return len(text) if text.isascii() else sum(map(_cells, text))


Facts = tuple[tuple[str, tuple[str, ...]], ...]
"""Named things in words: (`Flow`, (`Order Builder`,)), (`Field`, (`Name`, `CloseDate`)) ..."""


def facts_found(diagnosis: Diagnosis) -> Facts:
    """Everything that a message names."""
    return (*blocking(diagnosis), *also_named(diagnosis))


def blocking(diagnosis: Diagnosis) -> Facts:
    """What stands in the way, as far as the message names it."""
    facts: list[tuple[str, tuple[str, ...]]] = []
    for kind, label in _AUTOMATION_WORDS.items():
        things = (thing for thing in diagnosis.automation if thing.kind == kind)
        facts.append((label, tuple(f"{t.namespace}.{t.name}" if t.namespace else t.name for t in things)))
    facts += [
        ("Object", diagnosis.objects),
        ("Field", diagnosis.fields),
        ("Value", diagnosis.values),
        ("Record", diagnosis.record_ids),
        ("Limit", (diagnosis.limit,) if diagnosis.limit else ()),
    ]
    return tuple((label, values) for label, values in facts if values)


def also_named(diagnosis: Diagnosis) -> Facts:
    """What the message names besides: the way to the root, and what others want to know."""
    facts = (
        ("Codes, from outside in", diagnosis.codes if len(diagnosis.codes) > 1 else ()),
        ("StoreConnect or external ID", diagnosis.external_ids),
        ("Error ID for Salesforce support", (diagnosis.error_id,) if diagnosis.error_id else ()),
    )
    return tuple((label, values) for label, values in facts if values)


def lines(
    guidance: Guidance,
    width: int,
    *,
    diagnosis: Diagnosis | None = None,
    changes: tuple[str, ...] = (),
    whole_addresses: bool = False,
) -> list[Line]:
    """The guidance laid out.

    Args:
        guidance: What to say.
        width: Cells in a line; less than `NARROWEST` counts as that.
        diagnosis: What was found in the message, to be listed.
        changes: When the things in the way were last changed, as far as that is known.
        whole_addresses: Never break an address, even where it is wider than the line: the terminal
            breaks it softly and it can still be copied in one go.
    """
    page = _Page(max(width, NARROWEST), whole_addresses)
    page.heading("What happened")
    page.marked(guidance.headline)
    page.facts("What blocks", blocking(diagnosis) if diagnosis else (), changes)
    for note in guidance.notes:
        page.heading("House note")
        page.note(note)
    page.list("Why", (guidance.why,) if guidance.why else (), bullet="")
    page.heading("How to fix it")
    page.text(RETRY_WORDS[guidance.retry])
    page.steps(guidance)
    page.list("What to check", guidance.checks)
    page.list("Afterwards", (guidance.afterwards,) if guidance.afterwards else (), bullet="")
    page.list("Put back", guidance.put_back)
    page.facts("Also named", also_named(diagnosis) if diagnosis else ())
    page.heading("Source")
    page.text(AUTHORITY_WORDS[guidance.authority], Role.MUTED)
    if guidance.article:
        page.address(guidance.article, indent=0)
    return page.lines


def case(name: str, guidance: Guidance, width: int) -> list[Line]:
    """Another case of a code, told in short: for the manual."""
    page = _Page(max(width, NARROWEST), whole_addresses=False)
    page.heading(f"Another case: {name}")
    page.marked(guidance.headline)
    page.marked(guidance.why)
    page.text(RETRY_WORDS[guidance.retry])
    page.steps(guidance)
    for text in (*guidance.checks, *filter(None, (guidance.afterwards,)), *guidance.put_back):
        page.marked(text, "- ")
    return page.lines


def wrap(parts: Iterable[Part], width: int, *, first: str = "", rest: str = "") -> Iterator[tuple[Part, ...]]:
    """Break text with roles into lines at blanks; a word wider than the line is broken inside.

    Args:
        parts: The text.
        width: Cells in a line.
        first: Stands before the first line, as a number or bullet.
        rest: Stands before all other lines; as wide as `first`.
    """
    room = max(width - width_of(rest), 1)
    line: list[Part] = []
    used = 0
    lead = first
    for word in _words(parts, room):
        cells = sum(width_of(piece) for piece, _ in word)
        blank = word[0][0].isspace()
        if word[0][0] == "\n" or (not blank and used + cells > room):
            yield _closed(lead, line)
            line, used, lead = [], 0, rest
        if not blank or used:
            line += word
            used += cells
    yield _closed(lead, line)


class _Page:
    def __init__(self, width: int, whole_addresses: bool) -> None:
        self.width = width
        self.whole_addresses = whole_addresses
        self.lines: list[Line] = []

    def heading(self, text: str) -> None:
        if self.lines:
            self.lines.append(Line())
        self.lines.append(Line(((text, Role.HEADING),)))

    def text(self, text: str, role: Role = Role.TEXT) -> None:
        self._add(((text, role),))

    def marked(self, text: str, bullet: str = "") -> None:
        if text:
            parts = ((piece, Role.NAME if named else Role.TEXT) for piece, named in names(text))
            self._add(parts, bullet)

    def note(self, note: HouseNote) -> None:
        """A bar at the left sets it apart, with and without colour."""
        for text, role in ((note.text, Role.NOTE), (f"Shown for {note.matched}.", Role.MUTED)):
            self.lines += map(Line, wrap(((text, role),), self.width, first=_BAR, rest=_BAR))

    def facts(self, heading: str, facts: Facts, sentences: tuple[str, ...] = ()) -> None:
        if facts or sentences:
            self.heading(heading)
        for label, values in facts:
            self._fact(label, values)
        for sentence in sentences:
            self.marked(sentence, "- ")

    def _fact(self, label: str, values: tuple[str, ...]) -> None:
        parts: list[Part] = [(f"{label}: ", Role.MUTED)]
        for place, value in enumerate(values):
            parts += [(", ", Role.TEXT)] if place else []
            parts.append((one_line(value), Role.NAME))
        self._add(parts, "- ")

    def list(self, heading: str, texts: tuple[str, ...], bullet: str = "- ") -> None:
        if texts:
            self.heading(heading)
            for text in texts:
                self.marked(text, bullet)

    def steps(self, guidance: Guidance) -> None:
        """Numbered; an address that was shown already is not shown again."""
        shown: dict[str, int] = {}
        for number, step in enumerate(guidance.steps, 1):
            self.marked(step.text, bullet=f"{number} ")
            indent = 2 if number < 10 else 3
            if step.address in shown:
                self.lines.append(
                    Line((*_lead(" " * indent), (f"(page of step {shown[step.address]})", Role.MUTED)))
                )
            elif step.address:
                self.address(step.address, indent)
                shown[step.address] = number

    def address(self, address: str, indent: int) -> None:
        lead = " " * indent
        if self.whole_addresses:
            self.lines.append(Line((*_lead(lead), (address, Role.ADDRESS)), address))
            return
        for parts in wrap(((address, Role.ADDRESS),), self.width, first=lead, rest=lead):
            self.lines.append(Line(parts, address))

    def _add(self, parts: Iterable[Part], bullet: str = "") -> None:
        self.lines += map(Line, wrap(parts, self.width, first=bullet, rest=" " * width_of(bullet)))


def _words(parts: Iterable[Part], room: int) -> Iterator[list[Part]]:
    """Words, blanks and line ends. A word in several roles, as `(Order)`, is one; a too long one is cut."""
    word: list[Part] = []
    for text, role in parts:
        for match in _WORD.finditer(clean(text)):
            piece = match[0]
            if piece.isspace():
                yield from _cut(word, room)
                word = []
                yield [(piece, role)]
            else:
                word.append((piece, role))
    yield from _cut(word, room)


def _cut(word: list[Part], room: int) -> Iterator[list[Part]]:
    if not word or sum(width_of(piece) for piece, _ in word) <= room:
        yield from [word] if word else []
        return
    for piece, role in word:
        rest = piece
        while rest:
            place = _fitting(rest, room)
            yield [(rest[:place], role)]
            rest = rest[place:]


def _fitting(word: str, room: int) -> int:
    used = 0
    for place, character in enumerate(word):
        used += _cells(character)
        if used > room:
            return max(place, 1)
    return len(word)


def _closed(lead: str, line: list[Part]) -> tuple[Part, ...]:
    while line and line[-1][0].isspace():
        line.pop()
    merged: list[Part] = list(_lead(lead))
    for text, role in line:
        if merged and merged[-1][1] is role:
            merged[-1] = (merged[-1][0] + text, role)
        else:
            merged.append((text, role))
    return tuple(merged)


def _lead(lead: str) -> tuple[Part, ...]:
    # A blank lead looks the same in any role: as text it often makes one piece with what follows.
    return ((lead, Role.NUMBER if lead.strip() else Role.TEXT),) if lead else ()


def _cells(character: str) -> int:
    """As many as any terminal may take: a line that is too short can be read, one that is too long is cut."""
    if character.isascii():
        return 1
    if category(character) in {"Mn", "Me"} or character in _JOINERS:
        return 0
    return 2 if east_asian_width(character) in "WF" or _WIDE_SINCE_16.match(character) else 1
