"""`syncerr-tui list`: the unresolved sync errors, oldest first, as they arrive."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._columns import UNCUT, fit, line_width, row
from syncerr_tui.cli._connect import OrgChoice, open_connection, org_options, run_async
from syncerr_tui.cli._console import emit, emit_json, say
from syncerr_tui.errors import ExitCode

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.model import SyncError
    from syncerr_tui.triage.filter import Filter

_ID, _TIME, _EVENT = 18, 16, 6
_ROOMY = 170
"""Places from which the StoreConnect ID and the code get columns of their own."""


@click.command()
@org_options
@click.option(
    "--filter", "text", metavar="TEXT", default="", help="Like / in the app: object:Order age:>2d ..."
)
@click.option("--limit", type=click.IntRange(1), help="Stop after that many.")
@click.option("--causes", is_flag=True, help="Also say which cause each has, and which error it waits for.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the whole message.")
def command(choice: OrgChoice, *, text: str, limit: int | None, causes: bool, as_json: bool) -> int:
    """List the unresolved sync errors, oldest first.

    Every page is printed before the next one is asked for. The JSON keys are id, object, event_type,
    processed_at, salesforce_id, storeconnect_id, code and message; with --causes also cause (a key of
    'syncerr-tui causes') and waits_for (an id, null where it fails for a reason of its own). --causes reads
    the whole list before it prints anything.
    """
    from syncerr_tui.triage.filter import parse

    wanted = parse(text)
    if causes or wanted.by_cause:
        return run_async(_list_as_a_whole(choice, wanted, limit, as_json=as_json, causes=causes))
    return run_async(_list(choice, wanted, limit, as_json=as_json))


async def _list(choice: OrgChoice, wanted: Filter, limit: int | None, *, as_json: bool) -> int:
    from syncerr_tui.triage.filter import parse

    width = UNCUT if as_json else line_width()
    read = shown = 0
    codes: set[str] = set()
    async with open_connection(choice) as connection:
        async with aclosing(connection.errors()) as pages:
            async for page in pages:
                now = datetime.now(UTC)
                read += len(page)
                codes.update(error.code for error in page if error.code)
                found = [error for error in page if wanted.matches(error, now)]
                found = found[: limit - shown] if limit is not None else found
                _print(found, width, as_json=as_json, heading=not shown)
                shown += len(found)
                if shown == limit:
                    break
        total = connection.total
    if not shown:
        parse(wanted.text, codes=lambda: codes)  # refuses a code that nothing can have
    every = read if total is None else max(read, total)
    told = f"{every} sync errors." if shown == every else f"{shown} of {every} sync errors."
    say(told if every else "No unresolved sync errors.")
    return ExitCode.OK


async def _list_as_a_whole(
    choice: OrgChoice, wanted: Filter, limit: int | None, *, as_json: bool, causes: bool
) -> int:
    from syncerr_tui.cli._choosing import filter_over
    from syncerr_tui.cli.causes import read_graph

    async with open_connection(choice) as connection:
        graph = await read_graph(connection)
    now, width = datetime.now(UTC), UNCUT if as_json else line_width()
    wanted = filter_over(graph, wanted.text)
    found = [error for error in graph.errors.values() if wanted.matches(error, now)][:limit]
    if not causes:
        _print(found, width, as_json=as_json, heading=True)
    elif found and not as_json:
        emit(f"{fit('WAITS FOR', _ID)} {_heading(width - _ID - 1)}")
    for error in found if causes else ():
        told = cause_of(graph, error)
        if as_json:
            emit_json({**error.payload(), **told})
        else:
            emit(f"{fit(told['waits_for'] or '-', _ID)} {_line(error, width - _ID - 1)}")
    every = len(graph.errors)
    told_of = f"{len(found)} of {every}" if len(found) != every else f"{every}"
    say(f"{told_of} sync errors, {len(graph)} causes.")
    return ExitCode.OK


def cause_of(graph: CauseGraph, error: SyncError) -> dict[str, str | None]:
    """The cause of an error, and the error that it waits for directly: two more keys of its JSON."""
    cause = graph.cause_of(error.id)
    parents = (link.cause for link in graph.links_of(error.id) if link.fact)
    return {"cause": cause.key if cause else None, "waits_for": next(parents, None)}


def _print(errors: list[SyncError], width: int, *, as_json: bool, heading: bool) -> None:
    if as_json:
        emit_json(*(error.payload() for error in errors))
    elif errors:
        emit(*([_heading(width)] if heading else []), *(_line(error, width) for error in errors))


def _heading(width: int) -> str:
    names = ["ID", "PROCESSED AT", "OBJECT", "EVENT"]
    names += ["SALESFORCE ID", "STORECONNECT ID", "CODE"] if width >= _ROOMY else []
    return row([*names, "MESSAGE"], _widths(width), width)


def _line(error: SyncError, width: int) -> str:
    from syncerr_tui.text import one_line

    when = error.processed_at.astimezone().strftime("%Y-%m-%d %H:%M") if error.processed_at else "unknown"
    message: str = one_line(error.message)
    cells = [error.id, when, error.object, error.event_type.value]
    if width >= _ROOMY:
        cells += [error.salesforce_id or "-", error.storeconnect_id or "-", error.code or "-"]
    elif error.code and error.code not in message:
        message = f"{error.code}: {message}"
    return row([*map(one_line, cells), message], _widths(width), width)


def _widths(width: int) -> list[int]:
    if width < _ROOMY:
        return [_ID, _TIME, 12, _EVENT]
    return [_ID, _TIME, 20, _EVENT, 18, 36, 28 if width >= 200 else 20]
