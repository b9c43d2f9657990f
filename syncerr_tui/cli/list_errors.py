"""`syncerr-tui list`: the unresolved sync errors, oldest first, as they arrive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from syncerr_tui.cli._connect import OrgChoice, open_org, org_command
from syncerr_tui.cli._console import UNCUT, emit, emit_json, line_width, row, say
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.text import one_line
from syncerr_tui.triage import export
from syncerr_tui.triage.columns import BY_NAME, FIELDS, PROCESSED, Column, ordered
from syncerr_tui.triage.export import Format
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.journal.row_history import LeftByRuns
    from syncerr_tui.model import SyncError
    from syncerr_tui.triage.filter import Filter
    from syncerr_tui.triage.handling import Handlings

_CAUSE_FIELDS = ("cause", "waits_for")
_WHOLE_LIST_FIELDS = (*_CAUSE_FIELDS, "assigned", "ticket", "snoozed", "notes", "left", "records")
"""What only the whole list and the journal tell. `left`: TWIN or UNKNOWN where earlier runs left a row so;
`records`: the addresses of a TWIN's records."""
_NARROW = ("id", "processed_at", "object", "event_type", "message")
_WIDE = ("id", "processed_at", "object", "event_type", "salesforce_id", "storeconnect_id", "code", "message")
_ROOMY = 170
"""Places from which the ids and the code get columns of their own."""
_WIDTHS = {name: column.widths[-1] for name, column in BY_NAME.items()} | {
    "processed_at": 16, "message": 60,
    "waits_for": 18, "assigned": 12, "ticket": 12, "snoozed": 30, "notes": 40, "left": 7, "records": 60,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Output:
    """How the rows are wanted."""

    form: Format
    fields: tuple[str, ...]
    """Empty where none were named."""
    sort: Column | None
    reverse: bool
    width: int
    causes: bool

    @property
    def knows_causes(self) -> bool:
        """Whether a row says something that only the whole list tells."""
        return self.causes or not set(_WHOLE_LIST_FIELDS).isdisjoint(self.fields)

    @property
    def columns(self) -> tuple[str, ...]:
        if self.fields:
            return self.fields
        if self.form is not Format.TABLE:
            return (*FIELDS, *_CAUSE_FIELDS) if self.causes else FIELDS
        fields = _WIDE if self.width >= _ROOMY else _NARROW
        return ("id", "waits_for", *fields[1:]) if self.causes else fields


@org_command
@click.option(
    "--filter",
    "text",
    metavar="TEXT",
    default="",
    help="Filter as with / in the app: object:Order age:>2d ...",
)
@click.option("--limit", metavar="N", type=click.IntRange(1), help="List at most this many.")
@click.option("--causes", is_flag=True, help="Also show the cause of each, and the error it waits for.")
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Format], case_sensitive=False),
    help="Output format [table].",
)
@click.option("--fields", metavar="NAME,...", help=f"Fields to show, in this order: {', '.join(FIELDS)}.")
@click.option("--sort", metavar="NAME", help="Sort by this field; -NAME reverses the order [processed_at].")
@click.option(
    "--count-by",
    type=click.Choice(["object", "event", "code", "day", "cause"]),
    help="Count the rows by this instead: how many there are of each value, the most frequent first.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format jsonl.")
async def command(
    choice: OrgChoice,
    *,
    text: str,
    limit: int | None,
    causes: bool,
    form: str | None,
    fields: str | None,
    sort: str | None,
    count_by: str | None,
    as_json: bool,
) -> int:
    """List the unresolved sync errors, oldest first.

    Every page is printed before the next one is asked for. With --causes a row also has the fields cause (a
    key of 'syncerr-tui causes') and waits_for (an id, empty where it fails for a reason of its own). --fields
    also knows what people have said with 'syncerr-tui note': assigned, ticket, snoozed and notes; and what
    earlier runs left of a row: left (TWIN or UNKNOWN) and records (the addresses of a TWIN's records).
    --causes and --sort read the whole list before they print anything.

    JSON keeps the line ends of a message; elsewhere a row is one line. On a terminal, without --fields, the
    message is told in short; a pipe gets all of it. In CSV a cell that a spreadsheet would
    calculate begins with an apostrophe. What is listed can be sent: list ... | ... | resync --id -
    """
    from syncerr_tui.cli._choosing import read_filter

    if as_json and form not in {None, Format.JSONL}:
        raise BadInputError(f"--json and --format {form} cannot be combined", "Give one of them")
    key, reverse = _sort_key(sort)
    kind = Format(form or (Format.JSONL if as_json else Format.TABLE))
    width = line_width() if kind is Format.TABLE else UNCUT
    output = _Output(kind, _named_fields(fields), key, reverse, width, causes)
    only = read_filter(text)
    if count_by is not None:
        if fields or sort or causes or kind not in {Format.TABLE, Format.JSON, Format.JSONL}:
            raise BadInputError(
                "--count-by takes no --fields, --sort or --causes, and gives a table or JSON",
                "Leave them out",
            )
        return await _count(choice, text, count_by, limit, kind)
    if output.knows_causes or key is not None or only.by_cause:
        return await _list_as_a_whole(choice, only, limit, output)
    return await _list(choice, only, limit, output)


def _named_fields(text: str | None) -> tuple[str, ...]:
    """The fields that `--fields` names.

    Raises:
        BadInputError: One that does not exist, none, or one of them twice.
    """
    if text is None:
        return ()
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    known = (*FIELDS, *_WHOLE_LIST_FIELDS)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadInputError(f"No field is called {unknown[0][:40]!r}", f"Fields are {', '.join(known)}.")
    if not names:
        raise BadInputError("--fields names no field", f"Fields are {', '.join(known)}.")
    if len(set(names)) < len(names):
        raise BadInputError("--fields names a field twice", "Name each once.")
    return names


def _sort_key(text: str | None) -> tuple[Column | None, bool]:
    if text is None:
        return None, False
    name = text.strip().lower().removeprefix("-")
    column = BY_NAME.get(name)
    if column is None:
        raise BadInputError(
            f"The list cannot be sorted by {name[:40]!r}", f"Fields to sort by are {', '.join(BY_NAME)}."
        )
    return column, text.strip().startswith("-")


async def _list(choice: OrgChoice, only: Filter, limit: int | None, output: _Output) -> int:
    """Page by page, as they come."""
    from syncerr_tui.cli._choosing import read_filter

    read = shown = 0
    codes: set[str] = set()
    collected: list[dict[str, Any]] = []
    """JSON is one value: it is written at the end."""
    async with open_org(choice) as org:
        async with aclosing(org.session.errors()) as pages:
            async for page in pages:
                now = datetime.now(UTC)
                read += len(page)
                codes.update(error.code for error in page if error.code)
                matching = [error for error in page if only.matches(error, now)]
                matching = matching[: limit - shown] if limit is not None else matching
                rows = [error.payload() for error in matching]
                if output.form is Format.JSON:
                    collected += rows
                elif rows:
                    _print(rows, output, heading=not shown)
                shown += len(matching)
                if shown == limit:
                    break
        total = org.session.total
    if not shown:
        read_filter(only.text, codes=lambda: codes)  # refuses a code that nothing can have
    if output.form is Format.JSON or not shown:
        _print(collected, output)
    every = read if total is None else max(read, total)
    say(f"{plural(every, 'sync error', shown)}." if every else "No unresolved sync errors.")
    return ExitCode.OK


async def _list_as_a_whole(choice: OrgChoice, only: Filter, limit: int | None, output: _Output) -> int:
    """What can be told, or put in order, only once every row is here."""
    from syncerr_tui.cli._choosing import Choice, chosen_of
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.triage.handling import Handlings

    handlings, left = Handlings(), None
    by_cause = output.knows_causes or only.by_cause
    async with open_org(choice) as org:
        if by_cause:
            graph = await org.read_graph()
            handlings, left = org.handlings(graph), org.ends_of_runs(graph)
        else:
            graph = CauseGraph()
            async for page in org.session.errors():
                graph.add(page)
        url = org.session.identity.instance_url
    matching = chosen_of(graph, Choice(filter=only.text), handlings)
    matching = ordered(matching, output.sort or PROCESSED, reverse=output.reverse)[:limit]
    rows = [error.payload() for error in matching]
    if left is not None:
        rows = [{**row, **_known_of(graph.errors[row["id"]], graph, handlings, left, url)} for row in rows]
    _print(rows, output)
    every = len(graph.errors)
    causes = f", {plural(len(graph), 'cause')}" if by_cause else ""
    shown = f"{plural(every, 'sync error', len(matching))}{causes}."
    say(shown if every else "No unresolved sync errors.")
    return ExitCode.OK


async def _count(choice: OrgChoice, text: str, field: str, limit: int | None, kind: Format) -> int:
    from syncerr_tui.cli._choosing import Choice, chosen_of
    from syncerr_tui.triage.values import counted, value_label

    async with open_org(choice) as org:
        graph = await org.read_graph()
        matching = chosen_of(graph, Choice(filter=text), org.handlings(graph))

    def root_of(row: str) -> str | None:
        cause = graph.cause_of(row)
        return cause.roots[0] if cause is not None else None

    values = counted(field, matching, cause_of=root_of)
    rows = [{"count": value.count, field: value.text or None, "filter": value.term} for value in values]
    if kind is Format.TABLE:
        keys = {value.text: cause.key for value in values if (cause := graph.cause_of(value.text))}
        lines = (
            f"{value_label(value)}  {one_line(keys.get(value.text, ''))}".rstrip() for value in values[:limit]
        )
        emit(*(f"{value.count:>7}  {line}" for value, line in zip(values, lines, strict=False)))
    else:
        emit_json(*([rows[:limit]] if kind is Format.JSON else rows[:limit]))
    say(f"{plural(len(graph.errors), 'sync error', len(matching))}, {plural(len(values), 'value')}.")
    return ExitCode.OK


def _known_of(
    error: SyncError, graph: CauseGraph, handlings: Handlings, left: LeftByRuns, url: str
) -> dict[str, str | None]:
    """The fields of `_WHOLE_LIST_FIELDS` of an error."""
    from syncerr_tui.diagnosis.links import record_pages

    cause, handled, verdict = graph.cause_of(error.id), handlings.of(error.id), left.unsettled.get(error.id)
    pages = record_pages(left.twins.get(error.id, ()), str(error.object), url)
    return {
        "cause": cause.key if cause else None,
        "waits_for": next((link.cause for link in graph.links_of(error.id) if link.fact), None),
        "assigned": handled.assignee or None,
        "ticket": handled.ticket or None,
        "snoozed": handled.snooze.words() if handled.snooze else None,
        "notes": "; ".join(f"{note.by}: {note.text}" for note in handled.notes) or None,
        "left": verdict.value if verdict else None,
        "records": " ".join(page for _, page in pages) or None,
    }


def _print(rows: Sequence[dict[str, Any]], output: _Output, *, heading: bool = True) -> None:
    fields = output.columns
    if output.form in {Format.JSON, Format.JSONL}:
        values = [{field: row[field] for field in fields} for row in rows]
        emit_json(*([values] if output.form is Format.JSON else values))
    elif output.form is not Format.TABLE:
        emit(*(export.table_head(fields, output.form) if heading else ()))
        emit(*export.export_lines(rows, fields, output.form))
    elif rows:
        names = [BY_NAME[name].header if name in BY_NAME else name.replace("_", " ") for name in fields]
        names = ["ID" if name == "id" else shown.upper() for name, shown in zip(fields, names, strict=True)]
        emit(*([_line(names, output)] if heading else ()))
        emit(*(_line(_cells(row, output), output) for row in rows))


def _cells(row: dict[str, Any], output: _Output) -> Iterable[str]:
    """A row for a person: local time, and the code before the message where it has no column of its own.

    A line that is cut says what tells most of the message, as the app's table does.
    """
    from syncerr_tui.diagnosis.summary import code_or_inferred, summarize

    for field in output.columns:
        value = row[field]
        if field in BY_NAME and BY_NAME[field].time:
            value = f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M}" if value else "unknown"
        elif field == "code" and output.width < UNCUT:
            value = code_or_inferred(row["message"] or "", value)
        elif field == "message" and not output.fields:
            code = row["code"]
            if output.width < UNCUT:
                value = summarize(value or "", code)
            if "code" not in output.columns:
                value = f"{code}: {value}" if code and code not in one_line(value) else value
        yield one_line(value or "-")


def _line(cells: Iterable[str], output: _Output) -> str:
    roomy = output.width >= _ROOMY
    sizes = {**_WIDTHS, "object": 20 if roomy else 12, "cause": 40 if roomy else 24}
    sizes["code"] = 28 if output.width >= 200 else 20
    return row([*cells], [sizes[field] for field in output.columns[:-1]], output.width)
