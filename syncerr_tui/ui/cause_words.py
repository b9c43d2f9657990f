"""What is said about causes and links, in words: for the list of causes and for the info panel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from syncerr_tui.diagnosis.causes import Cause, CauseGraph, Evidence, Link, examples_of
from syncerr_tui.diagnosis.explanation import Explanation, explain, headline_of
from syncerr_tui.diagnosis.model import Retry
from syncerr_tui.diagnosis.text_layout import Piece, Role, TextLayout, TextLine
from syncerr_tui.model import Verdict
from syncerr_tui.words import age, plural, sentence

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Trend
    from syncerr_tui.model import SyncError

_BARS = "▁▂▃▄▅▆▇█"
_NAMED = 30
"""Errors that the panel names one by one before the rest is counted."""


def short(error: SyncError) -> str:
    """`Account 7ce41f0a`: an error's record, short enough for a line."""
    known = error.storeconnect_id or error.id
    return f"{error.object} {known[:8]}{'…' if len(known) > 12 else known[8:]}"


def explanation_of(errors: Mapping[str, SyncError], cause: Cause) -> Explanation | None:
    """What is known about a cause's oldest error; None once all of them have left the list."""
    error = next((errors[row] for row in cause.roots if row in errors), None)
    return None if error is None else explain(error)


def headline(errors: Mapping[str, SyncError], cause: Cause, unsettled: Mapping[str, Verdict]) -> str:
    if not cause.listed:
        return f"Not in this list: {cause.missing}"
    if cause.ready:
        left = left_by_runs(errors, cause, unsettled)
        if left is Verdict.TWIN:
            return "Two records share one StoreConnect ID: merge them before anything else"
        if left is Verdict.UNKNOWN:
            return "Sent, and the outcome is not known: V in the Journal checks again"
        return "Ready: what these waited for is in Salesforce now"
    examples = tuple(errors[row] for row in cause.examples if row in errors)
    if len(examples) < len(cause.examples):  # until the causes have followed the list
        examples = examples_of([errors[row] for row in cause.roots if row in errors])
    return headline_of(examples) if examples else "Left the list"


def left_by_runs(
    errors: Mapping[str, SyncError], cause: Cause, unsettled: Mapping[str, Verdict]
) -> Verdict | None:
    """TWIN or UNKNOWN, where earlier runs left all its errors so; TWIN is the worse."""
    left = set()
    for row in cause.roots if unsettled else ():
        if row in errors:
            verdict = unsettled.get(row)
            if verdict is None:  # mostly the very first: a cause may have many thousand
                return None
            left.add(verdict)
    return None if not left else Verdict.TWIN if Verdict.TWIN in left else Verdict.UNKNOWN


def retry(
    errors: Mapping[str, SyncError],
    cause: Cause,
    unsettled: Mapping[str, Verdict],
    tried: Mapping[str, int],
) -> str:
    """What has to happen before a re-sync can work: `fix first`."""
    left = left_by_runs(errors, cause, unsettled)
    if left is not None:
        return left.value
    explanation = explanation_of(errors, cause)
    advice = Retry.JUST_RETRY if cause.ready else explanation.retry if explanation else None
    if advice is Retry.JUST_RETRY and all(row in tried for row in cause.roots if row in errors):
        return RETRIED
    return advice.value if advice else ""


RETRIED = "retry failed"
"""In place of `just retry`, where that has not helped twice."""


def retried_words(times: int) -> str:
    """Why another try is no advice any more."""
    return (
        f"It was sent {times:,} times and refused with this same message: another try alone will not help. "
        "Find out what is different about it, or give it to StoreConnect support (Y copies all of it)."
    )


def left_words(verdict: Verdict) -> str:
    """What to do about a row that earlier runs left TWIN or UNKNOWN."""
    if verdict is Verdict.TWIN:
        return (
            "Two records in Salesforce carry its StoreConnect ID. Merge them before anything else: a re-sync "
            "would not tell them apart."
        )
    return "It was sent, and what became of it is not known. V in the Journal (3) reads it again."


def left_section(page: TextLayout, verdict: Verdict, twin_pages: Sequence[tuple[str, str]]) -> None:
    """What to do about it, and where the records of a TWIN are."""
    page.section(verdict.value, (left_words(verdict), Role.TEXT))
    for _, address in twin_pages:
        page.add([TextLine((("  ", Role.TEXT), (address, Role.ADDRESS)), address)])


_LATELY = {
    "rising": "more lately",
    "steady": "still coming",
    "falling": "fewer lately",
    "stopped": "none lately",
}
"""What a trend says of the errors; of a single one its age says it all."""


def cause_summary(cause: Cause, trend: Trend | None, now: datetime) -> str:
    """The second line of a cause: what hangs on it, since when, and whether it goes on."""
    hangs = ", ".join(
        part
        for part in (
            plural(cause.orders, "order") if cause.orders else "",
            *(plural(count, kind.replace("_", " ")) for kind, count in cause.money_records),
            f"{len(cause.guessed):,} perhaps (guessed)" if cause.guessed else "",
        )
        if part
    )
    lately = _LATELY.get(trend.word) if trend is not None else None
    spread = f"{bars(trend)} {lately}" if trend is not None and lately else ""
    return " · ".join(part for part in (hangs, f"{age_and_spread(cause, now)} {spread}".strip()) if part)


def age_and_spread(cause: Cause, now: datetime) -> str:
    """`2d to 15h ago`: from the first to the last."""
    if cause.first_seen is None or cause.last_seen is None:
        return ""
    first, last = age(cause.first_seen, now), age(cause.last_seen, now)
    return f"{first} ago" if first == last else f"{first} to {last} ago"


def bars(trend: Trend) -> str:
    """Errors over time as a row of bars; where there was none, a blank is a blank line's foot."""
    most = max(trend.counts, default=0) or 1
    return "".join(
        _BARS[0] if not count else _BARS[max(1, round(count / most * 7))] for count in trend.counts
    )


def why(link: Link) -> str:
    """The evidence of a link. A guess is called a guess."""
    if link.evidence is Evidence.GUESS:
        return f"GUESS, not proven: {link.detail}"
    return f"{link.evidence.value}: {link.detail}"


_BRIEFLY = {
    Evidence.SAME_RECORD: "same record, failed before",
    Evidence.NAMED_PARENT: "named in its message",
    Evidence.RELATION: "its parent in the org",
    Evidence.CODE: "its code says so",
    Evidence.GUESS: "GUESS: failed just before",
}


def evidence_in_short(link: Link) -> str:
    """The evidence in the few words that a line of the tree has room for; the panel says all of it."""
    return _BRIEFLY[link.evidence]


def waits_for(layout: TextLayout, graph: CauseGraph, error: SyncError) -> None:
    """The panel's section about what an error waits for, if it does."""
    links = graph.links_of(error.id) if error.id in graph.errors else ()
    if not links:
        return
    layout.heading("Waits for")
    for link in links:
        layout.bullet(*_link_up(graph, link))
    root = graph.root_of(error.id)
    if root != error.id and all(link.cause not in {None, root} for link in links):
        layout.bullet(("at the end of the chain: ", Role.MUTED), (short(graph.errors[root]), Role.NAME))


def held_up(layout: TextLayout, graph: CauseGraph, error: SyncError, key_of: Callable[[str], str]) -> None:
    """The panel's sections about what waits for an error, and about others like it."""
    if error.id not in graph.errors:
        return
    waiting = graph.waiting_for(error.id)
    if waiting:
        behind = _behind(graph, error.id)
        layout.heading(f"Held up by this: {plural(behind, 'error')}")
        rows = (
            [(short(graph.errors[link.victim]), Role.NAME), (f"  {why(link)}", Role.TEXT)]
            for link in waiting[:_NAMED]
        )
        _some(layout, rows, len(waiting))
        if behind > len(waiting):
            layout.bullet(
                (
                    f"and {behind - len(waiting):,} more behind these: {key_of('causes')} shows all of them",
                    Role.MUTED,
                )
            )
    cause = graph.cause_of(error.id)
    if cause is not None and error.id in cause.roots and len(cause.roots) > 1:
        others = plural(len(cause.roots) - 1, "more error")
        verb = "fails" if len(cause.roots) == 2 else "fail"
        all_rows = f"{key_of('alike')} lists all {cause.held:,} errors of the cause, with what waits; "
        all_rows += f"{key_of('causes')} shows the cause."
        layout.section("Same cause", (f"{others} {verb} for the same reason: {all_rows}", Role.TEXT))


def of_a_cause(page: TextLayout, graph: CauseGraph, cause: Cause) -> None:
    """The panel's sections about why the errors of a cause are one, and which they are."""
    count, waiting = len(cause.roots), len(cause.victims)
    page.section("Why these are one cause", (sentence(cause.fingerprint.why), Role.TEXT))
    page.heading(f"{plural(count, 'error')} of this cause")
    _some(page, ([(short(graph.errors[row]), Role.NAME)] for row in cause.roots[:_NAMED]), count)
    if cause.victims:
        page.heading(f"Held up: {plural(waiting, 'error')}")
        _some(page, (_victim(graph, row) for row in cause.victims[:_NAMED]), waiting)
    if cause.guessed:
        page.heading(f"Perhaps too: {plural(len(cause.guessed), 'error')} (a guess, never sent with it)")
        _some(page, (_victim(graph, row) for row in cause.guessed[:_NAMED]), len(cause.guessed))


def _victim(graph: CauseGraph, row: str) -> list[Piece]:
    believed: list[Piece] = [(f"  {why(link)}", Role.TEXT) for link in graph.links_of(row)[:1]]
    return [(short(graph.errors[row]), Role.NAME), *believed]


def _link_up(graph: CauseGraph, link: Link) -> list[Piece]:
    if link.cause is None:
        return [(f"{link.missing or 'a parent'}, not in this list", Role.NAME), (f"  {why(link)}", Role.TEXT)]
    return [(short(graph.errors[link.cause]), Role.NAME), (f"  {why(link)}", Role.TEXT)]


def _some(layout: TextLayout, rows: Iterable[list[Piece]], total: int) -> None:
    count = 0
    for row in rows:
        count += 1
        layout.bullet(*row)
    if total > count:
        layout.bullet((f"and {total - count:,} more", Role.MUTED))


def _behind(graph: CauseGraph, row_id: str) -> int:
    seen_rows: set[str] = set()
    frontier = [row_id]
    while frontier:
        for link in graph.waiting_for(frontier.pop()):
            if link.victim not in seen_rows and link.victim != row_id:
                seen_rows.add(link.victim)
                frontier.append(link.victim)
    return len(seen_rows)
