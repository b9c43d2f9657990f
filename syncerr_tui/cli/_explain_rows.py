"""Explanations on stdout: one, or many rows at once, with what is behind them, most rows first."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from syncerr_tui.cli._console import emit, emit_json, emit_linked
from syncerr_tui.diagnosis.explanation import Explanation
from syncerr_tui.diagnosis.fingerprint import fingerprint
from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.intake import BadRow, ErrorRow
from syncerr_tui.diagnosis.summary import summarize
from syncerr_tui.text import one_line
from syncerr_tui.words import plural

LINES_NAMED = 20
"""Lines that a cause names before the rest is counted."""


class Form(Enum):
    """How an explanation is written."""

    PLAIN = "plain"
    JSON = "json"
    MARKDOWN = "markdown"

    @classmethod
    def of(cls, *, as_json: bool, as_markdown: bool) -> Form:
        return cls.JSON if as_json else cls.MARKDOWN if as_markdown else cls.PLAIN


@dataclass(slots=True)
class _Cause:
    explanation: Explanation
    lines: list[int] = field(default_factory=list)


def bad_row_answer(row: BadRow) -> dict[str, object]:
    """What is answered for a row that cannot be read."""
    return {"id": row.id, "error": f"line {row.line}: {row.trouble}"}


def tell_one(error_id: str | None, explanation: Explanation, form: Form) -> None:
    if form is Form.JSON:
        emit_json({"id": error_id, **explanation.payload()})
    elif form is Form.MARKDOWN:
        from syncerr_tui.diagnosis.render import markdown

        emit(*markdown(explanation).splitlines())
    else:
        _tell_plainly(explanation)


def _tell_plainly(explanation: Explanation) -> None:
    """The guidance for a person: 80 columns where nobody says how wide it is."""
    from syncerr_tui.diagnosis.render import explanation_lines
    from syncerr_tui.diagnosis.text_layout import Role
    from syncerr_tui.host.terminal import terminal_profile

    terminal = sys.stdout.isatty()
    width = min(max(shutil.get_terminal_size((80, 24)).columns, 38), 100) if terminal else 80
    links = terminal and terminal_profile(os.environ).links
    code = explanation.guidance.code
    inferred = " (inferred from the wording)" if explanation.diagnosis.inferred else ""
    emit(f"{code}{inferred}" if code else "No status code", "")
    emit_linked(
        [
            [(text, line.link if links and role is Role.ADDRESS else None) for text, role in line.parts]
            for line in explanation_lines(explanation, width, whole_addresses=True)
        ]
    )


def tell_rows(rows: Iterable[tuple[ErrorRow, Explanation] | BadRow], form: Form) -> bool:
    """Show the rows as they come, then the causes.

    Returns:
        Whether every row could be read.
    """
    bad: list[BadRow] = []
    causes: dict[str, _Cause] = {}
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
            if form is Form.JSON:
                emit_json(bad_row_answer(row))
            elif form is Form.PLAIN:
                emit(f"line {row.line}  {row.trouble}")
            continue
        error, explanation = row
        if form is Form.JSON:
            emit_json({"id": error.id, "line": error.line, **explanation.payload()})
            continue
        key = fingerprint(explanation.diagnosis, error.object_name or "").key
        causes.setdefault(key, _Cause(explanation)).lines.append(error.line)
        if form is Form.PLAIN:
            code = explanation.guidance.code or "no code"
            emit(f"line {error.line}  {code}  {summarize(error.message, error.code)}")
    ranked = sorted(causes.values(), key=lambda cause: -len(cause.lines))
    if form is Form.MARKDOWN:
        emit(*_markdown(ranked, bad))
    elif form is Form.PLAIN:
        emit(*_summary(ranked, bad))
    return not bad


def _summary(causes: list[_Cause], bad: list[BadRow]) -> Iterator[str]:
    rows = sum(len(cause.lines) for cause in causes)
    yield ""
    yield f"{plural(rows, 'error')}, {plural(len(causes), 'cause')}"
    for cause in causes:
        explanation = cause.explanation
        yield ""
        size = plural(len(cause.lines), "error")
        yield f"{size}: {one_line(explanation.headline)} ({explanation.retry.value})"
        for item in explanation.failures:
            for number, step in enumerate(item.guidance.steps, 1):
                yield f"  {number} {one_line(plain(step.text))}"
        yield f"  {_lines(cause.lines)}"
    if bad:
        yield ""
        yield f"{plural(len(bad), 'line')} could not be read: {_lines([row.line for row in bad])}"


def _markdown(causes: list[_Cause], bad: list[BadRow]) -> Iterator[str]:
    from syncerr_tui.diagnosis.render import markdown

    for cause in causes:
        yield f"**{plural(len(cause.lines), 'error')}**: {_lines(cause.lines)}"
        yield ""
        yield from markdown(cause.explanation).splitlines()
        yield ""
    for row in bad:
        yield f"- line {row.line}: {row.trouble}"


def _lines(numbers: list[int]) -> str:
    named = ", ".join(map(str, numbers[:LINES_NAMED]))
    more = len(numbers) - LINES_NAMED
    word = "line" if len(numbers) == 1 else "lines"
    return f"{word} {named}{f' and {more:,} more' if more > 0 else ''}"
