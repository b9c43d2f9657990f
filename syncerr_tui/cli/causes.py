"""`syncerr-tui causes`: what really broke, worst first, and what each holds up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from syncerr_tui.cli._connect import OrgChoice, open_org, org_command
from syncerr_tui.cli._console import json_option, say, tell
from syncerr_tui.errors import ExitCode
from syncerr_tui.words import local_minute, plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Cause, CauseGraph
    from syncerr_tui.diagnosis.org_metadata import OrgMetadata


@org_command
@click.option(
    "--filter", "text", metavar="TEXT", default="", help="Only the causes of errors that match; as in 'list'."
)
@click.option("--limit", metavar="N", type=click.IntRange(1), help="Show at most this many, worst first.")
@json_option("One JSON line for each cause.")
@click.option("--victims", is_flag=True, help="Name every error that a cause holds up, with the evidence.")
async def command(choice: OrgChoice, *, text: str, limit: int | None, victims: bool) -> int:
    """Group the sync errors by what has to be fixed, worst first.

    A cause is an error that fails for a reason of its own; its victims fail only because of it.
    """
    from syncerr_tui.cli._choosing import filter_over, read_filter

    read_filter(text)  # an unreadable filter is told before anything is connected
    from syncerr_tui.diagnosis.links import record_pages
    from syncerr_tui.stopwatch import utc_now

    async with open_org(choice) as org:
        graph = await org.read_graph()
        metadata, handlings, left = await org.names(graph), org.handlings(graph), org.ends_of_runs(graph)
        url = org.session.identity.instance_url
    only, now = filter_over(graph, text, handlings), utc_now()

    def matches(cause: Cause) -> bool:
        rows = (*cause.roots, *cause.victims, *cause.guessed)
        return any(only.matches(graph.errors[row], now) for row in rows)

    shown = [cause for cause in graph.causes() if matches(cause)][:limit]
    for cause in shown:
        twins = {
            row: [page for _, page in record_pages(left.twins[row], str(graph.errors[row].object), url)]
            for row in (*cause.roots, *cause.victims)
            if row in left.twins
        }
        payload = cause_payload(graph, cause, metadata)
        merge = (
            f"    TWIN {graph.errors[row].short_name}: {' '.join(pages)}" for row, pages in twins.items()
        )
        tell({**payload, "twins": twins}, *_lines(graph, cause, payload, victims=victims), *merge)
    if not graph.errors:
        say("No unresolved sync errors.")
    else:
        say(f"{plural(len(graph.errors), 'sync error')}, {plural(len(graph), 'cause', len(shown))}.")
    return ExitCode.OK


def cause_payload(graph: CauseGraph, cause: Cause, metadata: OrgMetadata | None = None) -> dict[str, Any]:
    """One cause as JSON: its errors by id, every victim with the link that ties it here."""
    from syncerr_tui.diagnosis.explanation import summarize_cause

    roots = tuple(graph.errors[row] for row in cause.roots)
    summary = summarize_cause(cause, roots, metadata)
    waiting = [*cause.victims, *cause.guessed]
    return {
        "key": cause.key,
        "code": summary.diagnosis.root_code,
        "headline": summary.headline,
        "retry": summary.retry.value,
        "why": cause.fingerprint.why,
        "missing": cause.missing,
        "id": cause.roots[0],
        "errors": len(cause.roots),
        "waiting": len(cause.victims),
        "held": cause.held,
        "orders": cause.orders,
        "money": cause.money,
        "money_records": dict(cause.money_records),
        "first_seen": cause.first_seen.isoformat() if cause.first_seen else None,
        "last_seen": cause.last_seen.isoformat() if cause.last_seen else None,
        "roots": list(cause.roots),
        "victims": [
            {
                "id": link.victim,
                "cause": link.cause,
                "evidence": link.evidence.value,
                "fact": link.fact,
                "detail": link.sentence,
            }
            for row_id in waiting
            for link in graph.links_of(row_id)
            if link.cause is not None
        ],
    }


def _lines(graph: CauseGraph, cause: Cause, payload: Mapping[str, Any], *, victims: bool) -> list[str]:
    counts = [f"{len(cause.roots)} with this error", f"{len(cause.victims)} waiting for it"]
    if cause.guessed:
        counts.append(f"{len(cause.guessed)} perhaps")
    if cause.orders:
        counts.append(plural(cause.orders, "order"))
    counts += [plural(count, kind.replace("_", " ")) for kind, count in cause.money_records]
    since = local_minute(cause.first_seen) if cause.first_seen else "an unknown time"
    lines = [
        f"{payload['code'] or 'no code'} ({payload['retry']}): {payload['headline']}",
        f"    {', '.join(counts)}; since {since}",
        f"    {cause.fingerprint.why}",
        f"    to plan it: --cause {cause.roots[0]}",
    ]
    if not victims:
        return lines
    for row_id in cause.roots:
        error = graph.errors[row_id]
        lines.append(f"    {row_id} {error.object} {error.event_type}")
    for link in payload["victims"]:
        error = graph.errors[link["id"]]
        lines.append(
            f"      {link['id']} {error.object} {error.event_type} <- {link['cause']} ({link['evidence']})"
        )
    return lines
