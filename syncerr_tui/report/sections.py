"""A report as data, and the forms it is written in, part by part: the same words for all of them.

Markdown, for a ticket or a chat; or one HTML file that needs nothing else: no script, nothing that is loaded,
its own picture. Text of the org is text only: nothing in it is markup. The names of `payload` are the
contract of `syncerr-tui report --format json`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from html import escape
from typing import Any

from syncerr_tui.journal.history import ENDINGS
from syncerr_tui.model import Verdict
from syncerr_tui.triage.export import markdown_line, markdown_text
from syncerr_tui.words import local_minute, plural


@dataclass(frozen=True, slots=True)
class ReportedCause:
    """One thing that is, or was, to be fixed."""

    key: str
    code: str | None
    headline: str
    retry: str
    """What has to happen before a re-sync can work, as `causes --json` says it."""
    open: int
    """Errors in the list that fail for this reason themselves."""
    waiting: int
    """Errors in the list that only wait for these."""
    done: int
    """Errors that were proven in the time of the report and are not in the list."""
    orders: int
    money: int
    since: datetime | None
    """The oldest of the open ones."""
    example: str
    """Id of one change event of it."""


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """One row that a run ended in the time of the report."""

    event: str
    object: str
    event_type: str
    storeconnect_id: str
    verdict: str
    at: datetime | None
    by: str
    run: str
    reason: str
    records: tuple[tuple[str, str], ...]
    """The records that were read back: id, and the address of its page."""
    open: bool
    """It is in the list now."""


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """One run that began, or proved something, in the time of the report."""

    run: str
    at: datetime
    by: str
    reason: str
    method: str
    planned: int
    verdicts: Mapping[str, int]
    state: str
    """As `journal --json` says it: `RunRecord.state`."""


@dataclass(frozen=True, slots=True)
class ReportedFix:
    """One change of the org itself."""

    fix: str
    at: datetime
    by: str
    what: str
    reason: str
    outcome: str
    off: bool
    """A safeguard that is not seen on again."""


@dataclass(frozen=True, slots=True)
class ReportedHandling:
    """What people have said about one open error."""

    event: str
    object: str
    assigned: str
    ticket: str
    snoozed: str
    """Until when and by whom; empty: it is awake."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """How many errors were open at a time."""

    at: datetime
    open: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything there is to hand over. `was_open + came - done == left`."""

    org: str
    environment: str
    made_at: datetime
    since: datetime
    by: str
    masked: bool
    was_open: int
    came: int
    done: int
    left: int
    """Errors in the list, read just now."""
    causes: tuple[ReportedCause, ...]
    """Worst first; those of which nothing is left come last."""
    rows: tuple[ReportedRow, ...]
    """Newest first."""
    unsettled: tuple[ReportedRow, ...]
    """TWIN and UNKNOWN, whenever that was found, as long as nothing later settles it."""
    runs: tuple[ReportedRun, ...]
    handled: tuple[ReportedHandling, ...]
    fixes: tuple[ReportedFix, ...]
    """Safeguards that are off first, then by time, newest first."""
    trend: tuple[Point, ...]
    next_steps: tuple[str, ...]

    @property
    def off(self) -> tuple[ReportedFix, ...]:
        return tuple(fix for fix in self.fixes if fix.off)

    def count(self, verdict: Verdict) -> int:
        return sum(row.verdict == verdict.value for row in self.rows)

    def payload(self) -> dict[str, Any]:
        values = asdict(self, dict_factory=_plain)
        values["verdicts"] = {v.value: n for v in Verdict if (n := self.count(v))}
        return values


def _plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in items}


PROOFS = 200
"""Rows of one part that are listed one by one; JSON has all."""
_PROVEN = {verdict.value for verdict in Verdict if verdict.proven}


@dataclass(frozen=True, slots=True)
class PageLink:
    """The page of something in the org."""

    text: str
    address: str


ReportCell = str | int | tuple[PageLink, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with a table under it."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[ReportCell, ...], ...]
    note: str = ""
    urgent: bool = False


def report_title(report: Report) -> str:
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


def _left_off(report: Report) -> Section | None:
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
                    ", ".join((ENDINGS.get(run.state, run.state), *_counts(run.verdicts))),
                )
                for run in report.runs
            ),
        )
    changes = tuple(
        (time_of(fix.at), fix.by, fix.what, fix.reason, fix.outcome) for fix in report.fixes if not fix.off
    )
    if changes:
        yield Section("Changes of the org", ("when", "by", "what", "why", "outcome"), changes)


def _counts(verdicts: Mapping[str, int]) -> Iterator[str]:
    return (f"{count:,} {verdict}" for verdict, count in verdicts.items())


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


def _row(row: ReportedRow) -> tuple[ReportCell, ...]:
    pages = tuple(PageLink(record, address) for record, address in row.records)
    record = f"{row.object} {row.event_type} {row.event}"
    return (record, row.verdict, time_of(row.at), row.by, row.reason, pages)


def to_markdown(report: Report) -> Iterator[str]:
    yield f"# {markdown_text(report_title(report))}"
    yield from ("", markdown_text(introduction(report)))
    if off := _left_off(report):
        yield from _markdown_section(off)
    yield from ("", "## Next", "")
    yield from (f"{number}. {markdown_text(step)}" for number, step in enumerate(report.next_steps, 1))
    if not report.next_steps:
        yield "Nothing is left."
    yield from ("", "## Open and done", "", markdown_text(balance(report)))
    if table := causes(report):
        yield from _markdown_section(table)
    for section in details(report):
        yield from _markdown_section(section)


def _markdown_section(section: Section) -> Iterator[str]:
    yield from ("", f"## {section.heading}", "")
    yield markdown_line(section.columns)
    yield f"|{'---|' * len(section.columns)}"
    yield from (markdown_line(map(_markdown_cell, row)) for row in section.rows)
    if section.note:
        yield from ("", section.note)


def _markdown_cell(cell: ReportCell) -> str | int:
    return " ".join(link.address for link in cell) if isinstance(cell, tuple) else cell


_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 720, 170, 44, 24, 12
"""The picture's sides, and the room for its numbers, in pixels."""
_STYLE = """
:root{color-scheme:light dark;--line:#8884;--bad:#c0392b;--mark:#2471a3}
body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin-top:2rem}
div{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
td{overflow-wrap:anywhere;min-width:5rem}.n{text-align:right;white-space:nowrap;min-width:0}
.urgent{border-left:4px solid var(--bad);padding-left:1rem}.quiet{opacity:.75}
figure{margin:1rem 0}svg{max-width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:currentColor}
"""
_SAFETY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    '<meta name="referrer" content="no-referrer">'
)


def to_html(report: Report) -> Iterator[str]:
    """The whole report as a page, line by line."""
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"{_SAFETY}<title>{escape(report_title(report))}</title><style>{_STYLE}</style></head><body>"
    yield f'<h1>{escape(report_title(report))}</h1><p class="quiet">{escape(introduction(report))}</p>'
    if off := _left_off(report):
        yield from _html_section(off)
    steps = "".join(f"<li>{escape(step)}</li>" for step in report.next_steps)
    yield f"<h2>Next</h2>{f'<ol>{steps}</ol>' if steps else '<p>Nothing is left.</p>'}"
    yield f"<h2>Open and done</h2><p>{escape(balance(report))}</p>"
    yield _html_picture(report.trend)
    if table := causes(report):
        yield from _html_section(table)
    for section in details(report):
        yield from _html_section(section)
    yield "</body></html>"


def _html_section(section: Section) -> Iterator[str]:
    kind = ' class="urgent"' if section.urgent else ""
    yield f"<section{kind}><h2>{escape(section.heading)}</h2>"
    head = "".join(f"<th>{escape(name)}</th>" for name in section.columns)
    yield f"<div><table><thead><tr>{head}</tr></thead><tbody>"
    for row in section.rows:
        yield f"<tr>{''.join(map(_html_cell, row))}</tr>"
    yield f"</tbody></table></div>{f'<p>{escape(section.note)}</p>' if section.note else ''}</section>"


def _html_cell(cell: ReportCell) -> str:
    if isinstance(cell, int):
        return f'<td class="n">{cell:,}</td>'
    return f"<td>{' '.join(map(_html_link, cell)) if isinstance(cell, tuple) else _html_text(cell)}</td>"


def _html_text(text: str) -> str:
    """Text that may go on in the next line within a code or an API name."""
    return escape(text).replace("_", "_<wbr>")


def _html_link(page: PageLink) -> str:
    if not page.address.startswith("https://"):
        return escape(page.address)
    return f'<a href="{escape(page.address)}" rel="noreferrer">{escape(page.text)}</a>'


def _html_picture(points: Sequence[Point]) -> str:
    """The open errors over the time, as steps."""
    most = max((point.open for point in points), default=0)
    if not most:
        return ""
    first, last = points[0], points[-1]
    right, floor = _WIDTH - 12, _HEIGHT - _BOTTOM
    span = (last.at - first.at).total_seconds() or 1.0

    def x(at: datetime) -> float:
        return _LEFT + (right - _LEFT) * (at - first.at).total_seconds() / span

    def y(count: int) -> float:
        return floor - (floor - _TOP) * count / most

    line = f"M{_LEFT} {y(first.open):.1f}"
    line += "".join(f"H{x(point.at):.1f}V{y(point.open):.1f}" for point in points[1:])
    label = f"Open errors: {first.open:,} at the beginning, {last.open:,} now, {most:,} at most"
    return (
        f'<figure><svg role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        f"<title>{label}</title>"
        f'<path d="{line}V{floor}H{_LEFT}Z" fill="var(--mark)" fill-opacity=".15"/>'
        f'<path d="{line}" fill="none" stroke="var(--mark)" stroke-width="2"/>'
        f'<path d="M{_LEFT} {_TOP}V{floor}H{right}" fill="none" stroke="currentColor" stroke-opacity=".4"/>'
        f'<text x="{_LEFT - 6}" y="{_TOP + 4}" text-anchor="end">{most:,}</text>'
        f'<text x="{_LEFT - 6}" y="{floor}" text-anchor="end">0</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 8}">{escape(time_of(first.at))}</text>'
        f'<text x="{right}" y="{_HEIGHT - 8}" text-anchor="end">{escape(time_of(last.at))}</text></svg>'
        f'<figcaption class="quiet">{label}. It counts the errors that the list or this journal knows.'
        "</figcaption></figure>"
    )
