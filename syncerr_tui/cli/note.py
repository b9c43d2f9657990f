"""`syncerr-tui note`: what people say about an error or a cause, and what they have said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._choosing import Choice, cause_named, chosen_of, id_option, read_ids
from syncerr_tui.cli._connect import OrgChoice, open_org, org_command
from syncerr_tui.cli._console import json_option, say, tell
from syncerr_tui.cli._options import packed
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.model import Verdict
from syncerr_tui.triage.handling import HandlingKind, line_value, waits_for_parent
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.journal.journal import Journal


def _about(ids: tuple[str, ...], cause: str | None) -> Choice:
    if ids and cause is not None:
        raise BadInputError("--id and --cause cannot be combined", "Give one of them")
    return Choice(ids, cause=cause)


def _wishes(*, snooze: str | None, wake: bool, merged: bool, **others: str | None) -> dict[HandlingKind, str]:
    """What is to be kept, by its kind."""
    if snooze is not None and wake:
        raise BadInputError("--snooze and --wake cannot be combined", "Give one of them")
    wishes = {HandlingKind(kind): value for kind, value in others.items() if value is not None}
    if wake or snooze is not None:
        wishes[HandlingKind.SNOOZE] = snooze or ""
    if merged:
        wishes[HandlingKind.MERGED] = ""
    return wishes


@org_command
@click.argument("text", required=False, default="")
@packed(
    "about",
    _about,
    ids=id_option,
    cause=click.option(
        "--cause", metavar="KEY", help="A cause (its key or one of its errors), later errors included."
    ),
)
@packed(
    "wishes",
    _wishes,
    assign=click.option("--assign", metavar="NAME", help="Who works on it; 'none' for nobody, 'me' for you."),
    support=click.option(
        "--support", metavar="TICKET", help="Its ticket with support; 'none' where there is none."
    ),
    snooze=click.option(
        "--snooze",
        metavar="WHEN",
        help="Leave it out of plans for 8h or 2d, until 2026-11-30T06:00, until there are +5 more, or until "
        "its parent is fixed ('parent').",
    ),
    wake=click.option("--wake", is_flag=True, help="End its snooze."),
    merged=click.option("--merged", is_flag=True, help="The two records of a TWIN are merged."),
)
@json_option("One JSON line for each error that has a note or an owner.")
async def command(text: str, choice: OrgChoice, *, about: Choice, wishes: dict[HandlingKind, str]) -> int:
    """Say something about errors or about a cause, for yourself and for whoever shares the journal.

    TEXT is a note. Without anything to say it lists what was said. Notes outlive a re-sync. A snooze is over
    by itself; until then no plan takes the row along unless it is named by its id.
    """
    if text.strip() and not wishes:
        wishes = {HandlingKind.NOTE: ""}
    if wishes and about == Choice():
        raise BadInputError(
            "No error and no cause is named", "Name an error with --id, or a cause with --cause"
        )
    about = replace(about, ids=read_ids(about.ids))
    async with open_org(choice) as org:
        graph, journal = await org.read_graph(), org.journal
        targets = _targets(graph, about, journal, merged=HandlingKind.MERGED in wishes)
        for number, (kind, value) in enumerate(wishes.items()):
            _say(journal, graph, targets, kind, value, text=text.strip() if not number else "")
        handlings = org.handlings(graph)
    among = {row for target in targets for row in _rows_of(graph, target)} if targets else graph.errors
    rows = [row for row in graph.errors if row in handlings.rows and row in among]
    for row in rows:
        error, handling = graph.errors[row], handlings.of(row)
        lines = (f"    {line}" for line in handling.lines())
        tell({**error.payload(), **handling.payload()}, f"{error.short_name} {row}", *lines)
    if wishes:
        say(f"Noted on {plural(len(targets), 'cause' if about.cause is not None else 'error')}.")
    elif not rows:
        whose = "None of these errors" if targets else "No error"
        say(f"{whose} has a note or an owner yet.")
    return ExitCode.OK


def _targets(graph: CauseGraph, about: Choice, journal: Journal, *, merged: bool) -> tuple[str, ...]:
    """What is spoken of. A TWIN, whose change event has left the list as a rule, can be said to be merged.

    Raises:
        BadInputError: An error or a cause that is not in the list.
    """
    if about.cause is not None:
        return (cause_named(graph, about.cause).key,)
    from syncerr_tui.journal.history import History

    twins = {twin.error.id for twin in History(journal).last_judged(Verdict.TWIN)} if merged else ()
    listed = tuple(row for row in about.ids if row not in twins or row in graph.errors)
    chosen = chosen_of(graph, Choice(ids=listed)) if listed else ()
    return (*(error.id for error in chosen), *(row for row in about.ids if row not in listed))


def _rows_of(graph: CauseGraph, target: str) -> Iterable[str]:
    return (target,) if target in graph.errors else graph.of_cause(target) or ()


def _say(
    journal: Journal,
    graph: CauseGraph,
    targets: tuple[str, ...],
    kind: HandlingKind,
    value: str,
    *,
    text: str,
) -> None:
    from syncerr_tui.journal.claims import os_user
    from syncerr_tui.journal.people import say_about

    by = os_user()
    waits = waits_for_parent(graph, (row for target in targets for row in _rows_of(graph, target)))
    alike: dict[str, list[str]] = {}
    """What is kept -> what it is said of; a snooze counts the errors of each cause."""
    for target in targets:
        cause = graph.cause_of(next(iter(_rows_of(graph, target)), target))
        held = cause.held if cause else 1
        line = line_value(kind, value, now=journal.now(), held=held, waits=waits, me=by)
        alike.setdefault(line, []).append(target)
    for line, some in alike.items():
        say_about(journal, some, kind, by=by, value=line, text=text)
