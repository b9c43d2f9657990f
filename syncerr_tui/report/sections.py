"""What a report says, part by part: the same words and tables for every form it is written in.

Markdown, for a ticket or a chat, is made here; `html` makes the other form. Text of the org is text only:
nothing in it is markup. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncerr_tui.model import Verdict
from syncerr_tui.report.model import Report, ReportedRow
from syncerr_tui.triage.export import markdown_line, markdown_text
from syncerr_tui.words import local_minute, plural

PROOFS = 200
"""Rows of one part that are listed one by one; JSON has all."""
_PROVEN = {verdict.value for verdict in Verdict if verdict.proven}


@dataclass(frozen=True, slots=True)
class PageLink:
    """The page of something in the org."""

    text: str
    address: str


Cell = str | int | tuple[PageLink, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with a table under it."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    urgent: bool = False


def title(report: Report) -> str:
    return f"Sync errors of {report.org} ({report.environment})"


def introduction(report: Report) -> str:
    """Its time, who made it, and what was left out."""
    masking = (
        "Addresses of people, telephone numbers and quoted values are masked; "
        "free words of a validation rule are not."
        if report.masked
        else "Personal data is shown."
    )
    return f"{time_of(report.since)} to {time_of(report.made_at)}, by {report.by}. {masking}"


def balance(report: Report) -> str:
    """The count of the time, in one line."""
    return (
        f"{report.was_open:,} open before + {report.came:,} new - {report.done:,} proven "
        f"= {report.left:,} open now."
    )


def time_of(at: datetime | None) -> str:
    """A time for a reader who may sit elsewhere: with its zone."""
    return local_minute(at) if at else ""


def safeguards_off(report: Report) -> Section | None:
    """What has to be switched on again; None where nothing is off."""
    if not report.off:
        return None
    rows = tuple((time_of(fix.at), fix.by, fix.what, fix.reason, fix.fix) for fix in report.off)
    return Section("Safeguards that are off", ("since", "by", "what", "why", "fix"), rows, urgent=True)


def causes(report: Report) -> Section | None:
    """The causes, with what is open and what was done; None where there are none."""
    if not report.causes:
        return None
    rows = tuple(
        (one.open, one.waiting, one.done, one.code or "", one.headline, one.retry, time_of(one.since))
        for one in report.causes
    )
    return Section("Causes", ("open", "waiting", "proven", "code", "what", "retry", "since"), rows)


def details(report: Report) -> Iterator[Section]:
    """Row by row, run by run, change by change."""
    for heading, rows in _by_heading(report):
        more = len(rows) - PROOFS
        yield Section(
            heading,
            ("record", "verdict", "when", "by", "what was seen", "in Salesforce"),
            tuple(map(_row, rows[:PROOFS])),
            f"{plural(more, 'more row')} in the JSON form of this report." if more > 0 else "",
            urgent=rows is report.unsettled,
        )
    if report.handled:
        columns = ("error", "assigned", "with support", "snoozed", "notes")
        handled = tuple(
            (f"{one.object} {one.event}", one.assigned, one.ticket, one.snoozed, "; ".join(one.notes))
            for one in report.handled[:PROOFS]
        )
        more = len(report.handled) - PROOFS
        note = f"{plural(more, 'more error')} in the JSON form of this report." if more > 0 else ""
        yield Section("Snoozed, assigned, with support, noted", columns, handled, note)
    if report.runs:
        yield Section(
            "Runs",
            ("run", "when", "by", "why", "method", "rows", "outcome"),
            tuple(
                (
                    run.run[:8],
                    time_of(run.at),
                    run.by,
                    run.reason,
                    run.method,
                    run.planned,
                    ", ".join((run.state, *(f"{count:,} {word}" for word, count in run.verdicts.items()))),
                )
                for run in report.runs
            ),
        )
    made = tuple(
        (time_of(fix.at), fix.by, fix.what, fix.reason, fix.outcome) for fix in report.fixes if not fix.off
    )
    if made:
        yield Section("Changes of the org", ("when", "by", "what", "why", "outcome"), made)


def _by_heading(report: Report) -> Iterator[tuple[str, Sequence[ReportedRow]]]:
    settled = {(row.event, row.run) for row in report.unsettled}
    rest = [row for row in report.rows if (row.event, row.run) not in settled]
    proven = [row for row in rest if row.verdict in _PROVEN]
    parts: tuple[tuple[str, Sequence[ReportedRow]], ...] = (
        ("TWIN and UNKNOWN", report.unsettled),
        ("Proven", [row for row in proven if not row.open]),
        ("Proven, and failing again", [row for row in proven if row.open]),
        ("Tried and not fixed", [row for row in rest if row.verdict not in _PROVEN]),
    )
    yield from ((heading, rows) for heading, rows in parts if rows)


def _row(row: ReportedRow) -> tuple[Cell, ...]:
    pages = tuple(PageLink(record, address) for record, address in row.records)
    record = f"{row.object} {row.event_type} {row.event}"
    return (record, row.verdict, time_of(row.at), row.by, row.reason, pages)


def to_markdown(report: Report) -> Iterator[str]:
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
