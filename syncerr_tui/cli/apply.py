"""`syncerr-tui apply FILE`: carry out exactly the plan in that file, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._apply_fixes import AskedFixes, apply_fixes
from syncerr_tui.cli._choosing import again_option, dry_run_option, reason_option, treatment_of, yes_option
from syncerr_tui.cli._connect import OrgChoice, open_connection, org_options, run_async
from syncerr_tui.cli._console import narrate
from syncerr_tui.cli._running import (
    ask_again,
    ask_first,
    follow,
    mention_unfinished,
    need_reason,
    nothing_to_send,
    open_journal,
    refuse_where_read_only,
    show_requests,
    tell_plan,
    warn_of_unsettled,
)
from syncerr_tui.cli.causes import read_graph
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.fixes.fix_list import fix_list_of

if TYPE_CHECKING:
    from syncerr_tui.resync.plan import Plan

_LISTED = 20
"""Rows named one by one, of each kind that has moved."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@org_options
@reason_option
@yes_option
@dry_run_option
@again_option
@click.option(
    "--confirm",
    multiple=True,
    metavar="NAME",
    help="Production: the name of what a fix changes; once for each.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each row or fix, as it ends.")
def command(
    file: Path,
    choice: OrgChoice,
    *,
    reason: str,
    yes: bool,
    dry_run: bool,
    again: bool,
    confirm: tuple[str, ...],
    as_json: bool,
) -> int:
    """Carry out a plan that 'syncerr-tui plan -o FILE' wrote: that set of rows and no other.

    Refused where the file was changed, or was made for another org. What has moved in the org since is
    listed first; a row that has changed is left out, and so is one whose cause would not go before it.

    Or make the fixes of a list that was made on a snapshot, one after another: each is looked up in the org
    again, and left out where it would not be the same change any more.
    """
    treatment = treatment_of(choice)
    if not dry_run:
        refuse_where_read_only(treatment)
        need_reason(treatment, reason)
    from syncerr_tui.resync import plan_file

    content = plan_file.load(file)
    if (fixes := fix_list_of(content, file)) is not None:
        asked = AskedFixes(reason, frozenset(confirm), yes=yes, dry_run=dry_run, as_json=as_json)
        return run_async(apply_fixes(choice, fixes, asked))
    if confirm:
        raise BadInputError("--confirm belongs to a list of fixes", "Leave it out: this is another file")
    plan = plan_file.plan_of(content, file)
    return run_async(_apply(plan, choice, reason, yes=yes, dry_run=dry_run, again=again, as_json=as_json))


async def _apply(
    plan: Plan, choice: OrgChoice, reason: str, *, yes: bool, dry_run: bool, again: bool, as_json: bool
) -> int:
    from syncerr_tui.resync import plan_file
    from syncerr_tui.resync.factory import make_runner
    from syncerr_tui.resync.plan import checked_against
    from syncerr_tui.resync.runner import RunRequest

    async with open_connection(choice) as connection:
        plan_file.check_org(plan, connection.identity)
        plan_file.check_method(plan, connection.method)
        with open_journal(connection) as journal:
            mention_unfinished(journal)
            graph = await read_graph(connection)
            moved = plan_file.moved(plan, graph.errors.values())
            for word, ids in (
                ("no longer unresolved", moved.gone),
                ("changed since the plan, will be left out", moved.changed),
                ("new since the plan, not touched", moved.new),
            ):
                for event in ids[:_LISTED]:
                    narrate(f"{event}: {word}")
                if len(ids) > _LISTED:
                    narrate(f"and {len(ids) - _LISTED} more: {word}")
            still = [row.error.id for row in plan.rows if row.error.id in graph.errors]
            plan = checked_against(plan, graph.parents_of(still))
            if (nothing := nothing_to_send(plan)) is not None:
                return nothing
            warn_of_unsettled(journal, plan)
            tell_plan(plan)
            if dry_run:
                return await show_requests(connection, journal, plan, as_json=as_json)
            consented = ask_again(journal, plan, again=again)
            if not ask_first(plan, connection.identity, yes=yes, guided=connection.method.guided):
                narrate("Nothing was sent.")
                return ExitCode.OK
            request = RunRequest(plan, reason, again=consented)
            runner = make_runner(connection, journal, request)
            return await follow(runner, connection.identity, as_json=as_json)
