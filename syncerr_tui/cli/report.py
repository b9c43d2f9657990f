"""`syncerr-tui report`: the hand-over of a night, for whoever comes next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._connect import OrgChoice, open_org, org_command
from syncerr_tui.cli._console import emit, emit_json, say
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.words import span_of

if TYPE_CHECKING:
    from syncerr_tui.journal.journal import Journal

_LONGEST = timedelta(days=100 * 365)
"""Before that there is no date to begin at."""


@org_command
@click.option(
    "--since",
    metavar="TIME",
    default="8h",
    show_default=True,
    help="Start this long ago (90m, 8h, 2d), or at 'run': when the last run began.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "json", "html"]),
    default="markdown",
    show_default=True,
    help="HTML is one self-contained file.",
)
@click.option("--personal-data", is_flag=True, help="Do not mask addresses, telephone numbers and values.")
async def command(choice: OrgChoice, *, since: str, form: str, personal_data: bool) -> int:
    """Hand over: what was open, what was done with proof, what is left and what comes next.

    Reads the errors and the safeguards now, and the journal for what was done.
    """
    span = _span(since)
    from syncerr_tui.journal.claims import os_user
    from syncerr_tui.report.gather import Handover, gather

    async with open_org(choice, mention=False) as org:
        graph = await org.read_graph()
        metadata, journal = await org.names(graph), org.journal
        off = await org.fixer(read_only=True).safeguards()
        handover = Handover(
            graph, org.session.identity, _begin(journal, span), os_user(), metadata, mask=not personal_data
        )
        report = gather(handover, journal, off)
    if form == "json":
        emit_json(report.payload())
    elif form == "html":
        from syncerr_tui.report.sections import to_html

        emit(*to_html(report))
    else:
        from syncerr_tui.report.sections import to_markdown

        emit(*to_markdown(report))
    return ExitCode.OK


def _span(text: str) -> timedelta | None:
    """How far back; None: to the beginning of the last run."""
    if text == "run":
        return None
    span = span_of(text, digits=6)
    if span is None or span > _LONGEST:
        raise BadInputError(f"--since cannot be {text[:40]!r}", "Write it as 90m, 8h, 2d or run")
    return span


def _begin(journal: Journal, span: timedelta | None) -> datetime:
    from syncerr_tui.report.gather import last_run_began

    if span is not None:
        return journal.now() - span
    began = last_run_began(journal)
    if began is None:
        say("Nothing was re-synced yet; the report begins now.")
    return began or journal.now()
