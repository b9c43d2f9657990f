"""What is said about causes and links, in words: for the list of causes and for the info panel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from syncerr_tui.diagnosis.causes import Cause, CauseGraph, Evidence, Link
from syncerr_tui.diagnosis.guidance import guide
from syncerr_tui.diagnosis.model import Guidance, Retry
from syncerr_tui.diagnosis.read import diagnose_cached
from syncerr_tui.diagnosis.render import Line, Part, Role, wrap
from syncerr_tui.ui.words import age, plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.trend import Trend
    from syncerr_tui.model import SyncError

_UNICODE_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.:-=+*#"
_NAMED = 30
"""Errors that the panel names one by one before the rest is counted."""


def short(error: SyncError) -> str:
    """`Account 7ce41f0a`: an error's record, short enough for a line."""
    known = error.storeconnect_id or error.id
    return f"{error.object} {known[:8]}{'…' if len(known) > 12 else known[8:]}"


@lru_cache(maxsize=2048)
def _guided(message: str, code: str | None, name: str, event: str) -> Guidance:
    return guide(
        diagnose_cached(message, code),
        message=message,
        object_name=name,
        event_type=event,
    )


def guidance_of(errors: Mapping[str, SyncError], cause: Cause) -> Guidance | None:
    """The guidance for a cause, that of its oldest error; None once all of them have left the list."""
    error = next((errors[row] for row in cause.roots if row in errors), None)
    if error is None:
        return None
    return _guided(error.message, error.code, error.object, error.event_type.value)


def headline(errors: Mapping[str, SyncError], cause: Cause) -> str:
    """What broke, in one sentence."""
    if not cause.listed:
        return f"Not in this list: {cause.missing}"
    if cause.ready:
        return "Ready: what these waited for is in Salesforce by now"
    guidance = guidance_of(errors, cause)
    return guidance.headline.replace("**", "") if guidance else "Left the list"


def retry(errors: Mapping[str, SyncError], cause: Cause) -> str:
    """What has to happen before a re-sync can work: `fix first`."""
    if cause.ready:
        return Retry.JUST_RETRY.value
    guidance = guidance_of(errors, cause)
    return guidance.retry.value if guidance else ""


def summary(cause: Cause, trend: Trend | None, now: datetime, *, unicode: bool) -> str:
    """The second line of a cause: what hangs on it, since when, and whether it goes on."""
    hangs = ", ".join(
        part
        for part in (
            plural(cause.orders, "order") if cause.orders else "",
            plural(cause.money, "payment") if cause.money else "",
            f"{len(cause.guessed):,} perhaps (guessed)" if cause.guessed else "",
        )
        if part
    )
    spread = f"{bars(trend, unicode=unicode)} {trend.word}" if trend is not None and trend.counts else ""
    dot = " · " if unicode else " - "
    return dot.join(part for part in (hangs, f"{seen(cause, now)} {spread}".strip()) if part)


def seen(cause: Cause, now: datetime) -> str:
    """`2d to 15h ago`: from the first to the last."""
    if cause.first_seen is None or cause.last_seen is None:
        return ""
    first, last = age(cause.first_seen, now), age(cause.last_seen, now)
    return f"{first} ago" if first == last else f"{first} to {last} ago"


def bars(trend: Trend, *, unicode: bool = True) -> str:
    """Errors over time as a row of bars; where there was none, a blank is a blank line's foot."""
    steps = _UNICODE_BARS if unicode else _ASCII_BARS
    most = max(trend.counts, default=0) or 1
    return "".join(
        steps[0] if not count else steps[max(1, round(count / most * 7))] for count in trend.counts
    )


def why(link: Link) -> str:
    """The evidence of a link. A guess is called a guess."""
    if link.evidence is Evidence.GUESS:
        return f"GUESS, not proven: {link.detail.removeprefix('guess: ')}"
    return f"{link.evidence.value}: {link.detail}"


_BRIEFLY = {
    Evidence.SAME_RECORD: "same record, failed before",
    Evidence.NAMED_PARENT: "named in its message",
    Evidence.RELATION: "its parent in the org",
    Evidence.CODE: "its code says so",
    Evidence.GUESS: "GUESS: failed just before",
}


def briefly(link: Link) -> str:
    """The evidence in the few words that a line of the tree has room for; the panel says all of it."""
    return _BRIEFLY[link.evidence]


def waits_for(graph: CauseGraph, error: SyncError, width: int) -> list[Line]:
    """The panel's lines about what an error waits for."""
    links = graph.links_of(error.id) if error.id in graph.errors else ()
    if not links:
        return []
    found = _heading("Waits for", width)
    for link in links:
        found += _bullet(_link_up(graph, link), width)
    root = graph.root_of(error.id)
    if root != error.id and all(link.cause not in {None, root} for link in links):
        first: list[Part] = [
            ("at the end of the chain: ", Role.MUTED),
            (short(graph.errors[root]), Role.NAME),
        ]
        found += _bullet(first, width)
    return found


def held_up(graph: CauseGraph, error: SyncError, width: int) -> list[Line]:
    """The panel's lines about what waits for an error, and about others like it."""
    if error.id not in graph.errors:
        return []
    found: list[Line] = []
    waiting = graph.waiting_for(error.id)
    if waiting:
        found += _heading(f"Held up by this: {plural(_behind(graph, error.id), 'error')}", width)
        told = (
            [(short(graph.errors[link.victim]), Role.NAME), (f"  {why(link)}", Role.TEXT)]
            for link in waiting[:_NAMED]
        )
        found += _some(told, len(waiting), width)
    cause = graph.cause_of(error.id)
    if cause is not None and error.id in cause.roots and len(cause.roots) > 1:
        found += _heading("Same cause", width)
        others = plural(len(cause.roots) - 1, "more error")
        found += _wrapped([(f"{others}: e shows them, c shows the cause.", Role.TEXT)], width)
    return found


def about(
    graph: CauseGraph,
    cause: Cause,
    trend: Trend | None,
    now: datetime,
    *,
    guidance: Sequence[Line],
    unicode: bool,
    width: int,
) -> list[Line]:
    """The panel of a cause: how bad it is, what happened, what to do, and why these errors are one.

    Args:
        graph: All errors.
        cause: The one to tell about.
        trend: How its errors are spread over time.
        now: What ages are counted to.
        guidance: What to do about its oldest error, laid out.
        unicode: Whether the terminal has more than ASCII.
        width: Cells in a line.
    """
    count, held = len(cause.roots), len(cause.victims)
    told = plural(count, "error")
    told += f", {held:,} more {'waits' if held == 1 else 'wait'}" if held else ", nothing waits"
    first = graph.errors[cause.roots[0]]
    page = [
        *_wrapped([(told, Role.HEADING)], width),
        *_wrapped([(summary(cause, trend, now, unicode=unicode), Role.MUTED)], width),
    ]
    if cause.ready:
        page += _heading(headline(graph.errors, cause), width)
        page += _wrapped([("R sends them: nothing else is to be done.", Role.TEXT)], width)
    if not cause.listed:
        page += _heading(f"Not in this list: {cause.missing}", width)
        for link in graph.links_of(first.id)[:1]:
            page += _wrapped([(link.detail, Role.TEXT)], width)
    page += [Line(), *guidance]
    page += _heading("Why these are one cause", width)
    page += _wrapped([(f"Same {_listed(cause)}.", Role.TEXT)], width)
    page += _heading(f"{plural(count, 'error')} of this cause", width)
    page += _some(([(short(graph.errors[row]), Role.NAME)] for row in cause.roots[:_NAMED]), count, width)
    if cause.victims:
        page += _heading(f"Held up: {plural(held, 'error')}", width)
        page += _some((_victim(graph, row) for row in cause.victims[:_NAMED]), held, width)
    if cause.guessed:
        page += _heading(
            f"Perhaps too: {plural(len(cause.guessed), 'error')} (a guess, never sent with it)", width
        )
        page += _some((_victim(graph, row) for row in cause.guessed[:_NAMED]), len(cause.guessed), width)
    return page


def _listed(cause: Cause) -> str:
    return ", ".join(f"{name}: {value}" for name, value in cause.fingerprint.parts)


def _victim(graph: CauseGraph, row: str) -> list[Part]:
    believed: list[Part] = [(f"  {why(link)}", Role.TEXT) for link in graph.links_of(row)[:1]]
    return [(short(graph.errors[row]), Role.NAME), *believed]


def _link_up(graph: CauseGraph, link: Link) -> list[Part]:
    if link.cause is None:
        return [(f"{link.missing or 'a parent'}, not in this list", Role.NAME), (f"  {why(link)}", Role.TEXT)]
    return [(short(graph.errors[link.cause]), Role.NAME), (f"  {why(link)}", Role.TEXT)]


def _some(rows: Iterable[list[Part]], total: int, width: int) -> Iterator[Line]:
    count = 0
    for told in rows:
        count += 1
        yield from _bullet(told, width)
    if total > count:
        yield from _bullet([(f"and {total - count:,} more", Role.MUTED)], width)


def _heading(text: str, width: int) -> list[Line]:
    return [Line(), *_wrapped([(text, Role.HEADING)], width)]


def _bullet(told: Iterable[Part], width: int) -> Iterator[Line]:
    return map(Line, wrap(told, width, first="- ", rest="  "))


def _wrapped(told: Iterable[Part], width: int) -> Iterator[Line]:
    return map(Line, wrap(told, width))


def _behind(graph: CauseGraph, row_id: str) -> int:
    seen_rows: set[str] = set()
    frontier = [row_id]
    while frontier:
        for link in graph.waiting_for(frontier.pop()):
            if link.victim not in seen_rows and link.victim != row_id:
                seen_rows.add(link.victim)
                frontier.append(link.victim)
    return len(seen_rows)
