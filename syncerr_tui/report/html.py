"""A report as one HTML file that needs nothing else: no script, nothing that is loaded, its own picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from syncerr_tui.report.model import Point, Report
from syncerr_tui.report.sections import (
    Cell,
    PageLink,
    Section,
    balance,
    causes,
    details,
    introduction,
    safeguards_off,
    time_of,
    title,
)

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
    yield f"{_SAFETY}<title>{escape(title(report))}</title><style>{_STYLE}</style></head><body>"
    yield f'<h1>{escape(title(report))}</h1><p class="quiet">{escape(introduction(report))}</p>'
    if off := safeguards_off(report):
        yield from _section(off)
    steps = "".join(f"<li>{escape(step)}</li>" for step in report.next_steps)
    yield f"<h2>Next</h2>{f'<ol>{steps}</ol>' if steps else '<p>Nothing is left.</p>'}"
    yield f"<h2>Open and done</h2><p>{escape(balance(report))}</p>"
    yield _picture(report.trend)
    if table := causes(report):
        yield from _section(table)
    for section in details(report):
        yield from _section(section)
    yield "</body></html>"


def _section(section: Section) -> Iterator[str]:
    kind = ' class="urgent"' if section.urgent else ""
    yield f"<section{kind}><h2>{escape(section.heading)}</h2>"
    head = "".join(f"<th>{escape(name)}</th>" for name in section.columns)
    yield f"<div><table><thead><tr>{head}</tr></thead><tbody>"
    for row in section.rows:
        yield f"<tr>{''.join(map(_cell, row))}</tr>"
    yield f"</tbody></table></div>{f'<p>{escape(section.note)}</p>' if section.note else ''}</section>"


def _cell(cell: Cell) -> str:
    if isinstance(cell, int):
        return f'<td class="n">{cell:,}</td>'
    return f"<td>{' '.join(map(_link, cell)) if isinstance(cell, tuple) else _text(cell)}</td>"


def _text(text: str) -> str:
    """Text that may go on in the next line within a code or an API name."""
    return escape(text).replace("_", "_<wbr>")


def _link(page: PageLink) -> str:
    if not page.address.startswith("https://"):
        return escape(page.address)
    return f'<a href="{escape(page.address)}" rel="noreferrer">{escape(page.text)}</a>'


def _picture(points: Sequence[Point]) -> str:
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
