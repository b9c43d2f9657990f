"""Guidance as Markdown: for a ticket, a wiki page, a hand-over."""

from __future__ import annotations

import re
from collections.abc import Iterable

from syncerr_tui.diagnosis.explanation import ExplainedFailure, Explanation
from syncerr_tui.diagnosis.guidance_template import names
from syncerr_tui.diagnosis.render import AUTHORITY_WORDS, facts_found, retry_words
from syncerr_tui.text import clean, one_line

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
