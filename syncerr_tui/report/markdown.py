"""A report as Markdown, for a ticket or a chat. Text of the org is text only: nothing in it is markup."""

from __future__ import annotations

from collections.abc import Iterator

from syncerr_tui.report.model import Report
from syncerr_tui.report.sections import (
    Cell,
    Section,
    balance,
    causes,
    details,
    introduction,
    safeguards_off,
    title,
)
from syncerr_tui.triage.export import markdown_line, markdown_text


def to_markdown(report: Report) -> Iterator[str]:
    """The whole report, line by line."""
    yield f"# {markdown_text(title(report))}"
    yield from ("", markdown_text(introduction(report)))
    if off := safeguards_off(report):
        yield from _section(off)
    yield from ("", "## Next", "")
    yield from (f"{number}. {markdown_text(step)}" for number, step in enumerate(report.next_steps, 1))
    if not report.next_steps:
        yield "Nothing is left."
    yield from ("", "## Open and done", "", markdown_text(balance(report)))
    if table := causes(report):
        yield from _section(table)
    for section in details(report):
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield from ("", f"## {section.heading}", "")
    yield markdown_line(section.columns)
    yield f"|{'---|' * len(section.columns)}"
    yield from (markdown_line(map(_text, row)) for row in section.rows)
    if section.note:
        yield from ("", section.note)


def _text(cell: Cell) -> str | int:
    return " ".join(link.address for link in cell) if isinstance(cell, tuple) else cell
