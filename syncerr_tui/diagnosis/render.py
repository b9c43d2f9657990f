"""Guidance as lines of text with roles, at any width, and as Markdown.

For the command, the info panel and the Guide; for a ticket, a wiki page, a hand-over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from syncerr_tui.diagnosis.explanation import ExplainedFailure, Explanation
from syncerr_tui.diagnosis.guidance_template import names
from syncerr_tui.diagnosis.model import Authority, Failure, Guidance, OrgNote, Retry
from syncerr_tui.diagnosis.text_layout import Piece, Role, TextLayout, TextLine, wrap
from syncerr_tui.text import cells, clean, one_line

RETRY_WORDS = {
    Retry.JUST_RETRY: "Just retry. Nothing has to be repaired first.",
    Retry.FIX_FIRST: "Fix first. A re-sync alone will fail again.",
    Retry.CAUSE_FIRST: "Cause first. Fix and re-sync the error that this one waits for.",
    Retry.SUPPORT_ONLY: "Support only. Do not work around this.",
}

AUTHORITY_WORDS = {
    Authority.STORECONNECT: "After StoreConnect's manual.",
    Authority.SALESFORCE: "General Salesforce knowledge, not StoreConnect's.",
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

_BAR = "| "


def retry_words(guidance: Guidance) -> str:
    """What has to happen before a re-sync can work. Nothing is promised where nothing is known."""
    if guidance.authority is Authority.NONE and guidance.retry is Retry.FIX_FIRST:
        return "Not known: find the reason first. A re-sync alone may fail again."
    if guidance.retry is Retry.FIX_FIRST and guidance.steps and guidance.steps[0].text.startswith("Re-sync"):
        return "Try once. If a re-sync fails again, go on with the steps."
    return RETRY_WORDS[guidance.retry]


LabelledFacts = tuple[tuple[str, tuple[str, ...]], ...]
"""Named things in words: (`Flow`, (`Order Builder`,)), (`Field`, (`Name`, `CloseDate`)) ..."""


def facts_found(diagnosis: Failure) -> LabelledFacts:
    return (*blocking(diagnosis), *also_named(diagnosis))


def blocking(diagnosis: Failure) -> LabelledFacts:
    """What stands in the way, as far as the message names it."""
    facts: list[tuple[str, tuple[str, ...]]] = []
    for kind, label in _AUTOMATION_WORDS.items():
        facts.append((label, tuple(item.full_name for item in diagnosis.automation if item.kind == kind)))
    facts += [
        ("Object", diagnosis.objects),
        ("Field", diagnosis.fields),
        ("Value", diagnosis.values),
        ("Record", diagnosis.record_ids),
        ("Limit", (diagnosis.limit,) if diagnosis.limit else ()),
    ]
    return tuple((label, values) for label, values in facts if values)


def also_named(diagnosis: Failure) -> LabelledFacts:
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
    diagnosis: Failure | None = None,
    changes: tuple[str, ...] = (),
    unchanged: tuple[str, ...] = (),
    advice: str = "",
    whole_addresses: bool = False,
) -> list[TextLine]:
    """The guidance laid out.

    Args:
        guidance: What to say.
        width: Cells in a line; less than `NARROWEST` counts as that.
        diagnosis: What was found in the message, to be listed.
        changes: What was changed in the org since the failure, as far as that is known.
        unchanged: What was not, where the message names it. Known later than the rest, it moves little below.
        advice: What to say about a re-sync, where experience knows better than the guidance.
        whole_addresses: Never break an address, even where it is wider than the line: the terminal
            breaks it softly and it can still be copied in one go.
    """
    page = _GuidanceLayout(width, whole_addresses=whole_addresses)
    page.heading("What happened")
    page.marked(guidance.headline)
    page.facts("What blocks", blocking(diagnosis) if diagnosis else (), changes)
    for note in guidance.notes:
        page.heading("Your org's note")
        page.note(note)
    page.list("Why", (guidance.why,) if guidance.why else (), bullet="")
    page.heading("How to fix it")
    page.text(advice or retry_words(guidance))
    page.steps(guidance)
    page.list("What to check", (*guidance.checks, *unchanged))
    page.list("Afterwards", (guidance.afterwards,) if guidance.afterwards else (), bullet="")
    page.list("Put back", guidance.put_back)
    page.facts("Also named", also_named(diagnosis) if diagnosis else ())
    page.heading("Source")
    page.text(AUTHORITY_WORDS[guidance.authority], Role.MUTED)
    if guidance.article:
        page.address(guidance.article)
    return page.lines


def explanation_lines(
    explanation: Explanation, width: int, *, advice: str = "", whole_addresses: bool = False
) -> list[TextLine]:
    """Everything there is to say about an error, laid out: each failure in order.

    Args:
        explanation: What to say.
        width: Cells in a line; less than `NARROWEST` counts as that.
        advice: What to say about a re-sync, where experience knows better than the guidance.
        whole_addresses: Never break an address.
    """
    page = TextLayout(width)
    count = len(explanation.failures)
    if count > 1:
        page.heading(f"{count} failures")
        page.text("All of them have to be fixed before a re-sync can work.")
    for number, item in enumerate(explanation.failures, 1):
        if count > 1:
            page.heading(f"Failure {number} of {count}: {item.guidance.code or 'no status code'}")
            page.blank()
        page.add(
            lines(
                item.guidance,
                width,
                diagnosis=item.failure,
                changes=tuple(text for text in explanation.remarks if text not in explanation.unchanged)
                if number == 1
                else (),
                unchanged=explanation.unchanged if number == 1 else (),
                advice=advice,
                whole_addresses=whole_addresses,
            )
        )
    return page.lines


def case(name: str, guidance: Guidance, width: int) -> list[TextLine]:
    """Another case of a code, told in short: for the manual."""
    page = _GuidanceLayout(width)
    page.heading(f"Another case: {name}")
    page.marked(guidance.headline)
    page.marked(guidance.why)
    page.text(retry_words(guidance))
    page.steps(guidance)
    for text in (*guidance.checks, *filter(None, (guidance.afterwards,)), *guidance.put_back):
        page.marked(text, "- ")
    return page.lines


class _GuidanceLayout(TextLayout):
    def __init__(self, width: int, *, whole_addresses: bool = False) -> None:
        super().__init__(width)
        self.whole_addresses = whole_addresses

    def marked(self, text: str, bullet: str = "") -> None:
        if text:
            pieces = [(piece, Role.NAME if named else Role.TEXT) for piece, named in names(text)]
            self.pieces(*pieces, first=bullet, rest=" " * cells(bullet))

    def note(self, note: OrgNote) -> None:
        """A bar at the left sets it apart, with and without colour."""
        self.pieces((note.text, Role.NOTE), first=_BAR, rest=_BAR)
        self.pieces((f"Shown for {note.matched}.", Role.MUTED), first=_BAR, rest=_BAR)

    def facts(self, heading: str, facts: LabelledFacts, sentences: tuple[str, ...] = ()) -> None:
        if facts or sentences:
            self.heading(heading)
        for label, values in facts:
            pieces: list[Piece] = [(f"{label}: ", Role.MUTED)]
            for place, value in enumerate(values):
                pieces += [(", ", Role.TEXT)] if place else []
                pieces.append((one_line(value), Role.NAME))
            self.bullet(*pieces)
        for sentence in sentences:
            self.marked(sentence, "- ")

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
            indent = " " * (2 if number < 10 else 3)
            if step.address in shown:
                self.pieces((f"(page of step {shown[step.address]})", Role.MUTED), first=indent, rest=indent)
            elif step.address:
                self.address(step.address, indent)
                shown[step.address] = number

    def address(self, address: str, indent: str = "") -> None:
        if self.whole_addresses:
            lead: tuple[Piece, ...] = ((indent, Role.TEXT),) if indent else ()
            self.lines.append(TextLine((*lead, (address, Role.ADDRESS)), address))
            return
        for pieces in wrap(((address, Role.ADDRESS),), self.width, first=indent, rest=indent):
            self.lines.append(TextLine(pieces, address))


# What Markdown or the HTML in it would take for its own.
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&$@-])")
_FENCE = re.compile(r"`{3,}")


def markdown(explanation: Explanation) -> str:
    """An explanation as a Markdown text. What an org wrote is escaped: it shows, it does not format."""
    count = len(explanation.failures)
    parts: list[str] = []
    if count > 1:
        parts.append(f"**{count} failures.** All of them have to be fixed before a re-sync can work.")
    for number, item in enumerate(explanation.failures, 1):
        parts += _failure(item, explanation.remarks if number == 1 else ())
    message = explanation.message
    if message.strip():
        fence = "`" * max(3, *(len(run) + 1 for run in _FENCE.findall(message) or [""]))
        parts += ["## The whole message", f"{fence}\n{clean(message)}\n{fence}"]
    for item in explanation.failures:
        article = f" <{item.guidance.article}>" if item.guidance.article else ""
        parts.append(f"*{AUTHORITY_WORDS[item.guidance.authority]}*{article}")
    return "\n\n".join(parts) + "\n"


def _failure(item: ExplainedFailure, remarks: tuple[str, ...]) -> list[str]:
    guidance = item.guidance
    parts = [f"# {_code(guidance.code) if guidance.code else 'No status code'}"]
    for note in guidance.notes:
        lines = (escape(line) for line in note.text.splitlines())
        quoted = "\n".join(f"> {line}" for line in lines)
        parts.append(f"> **Your org's note** ({escape(note.matched)})\n>\n{quoted}")
    parts += ["## What happened", *(_marked(text) for text in (guidance.headline, guidance.why) if text)]
    facts = (f"{label}: {', '.join(_code(v) for v in vs)}" for label, vs in facts_found(item.failure))
    parts += _items("## What the message names", facts)
    parts += ["## How to fix it", retry_words(guidance)]
    steps = []
    for number, step in enumerate(guidance.steps, 1):
        where = f"  \n   <{step.address}>" if step.address else ""
        steps.append(f"{number}. {_marked(step.text)}{where}")
    parts.append("\n".join(steps))
    parts += _items("## What to check", map(_marked, (*remarks, *guidance.checks)))
    if guidance.afterwards:
        parts += ["## Afterwards", _marked(guidance.afterwards)]
    return [*parts, *_items("## Put back", map(_marked, guidance.put_back))]


def escape(text: str) -> str:
    """Text that shows as itself in Markdown, on one line."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def _marked(text: str) -> str:
    return "".join(f"**{escape(piece)}**" if named else _plain(piece) for piece, named in names(text))


def _plain(piece: str) -> str:
    """Our own words, with the blanks at their ends. On one line: a line end could begin a heading."""
    return re.sub(r"([\\`*_<>\[\]])", r"\\\1", clean(piece).replace("\n", " "))


def _code(value: str) -> str:
    text = one_line(value)
    ticks = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{ticks} {text} {ticks}" if "`" in text else f"`{text}`"


def _items(heading: str, texts: Iterable[str]) -> list[str]:
    items = [f"- {text}" for text in texts]
    return [heading, "\n".join(items)] if items else []
