"""`syncerr-tui resync`: plan and apply in one go."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from syncerr_tui.cli._choosing import (
    Choice,
    again_option,
    choice_from,
    choosing,
    dry_run_option,
    plan_for,
    planning,
    reason_option,
    treatment_of,
    yes_option,
)
from syncerr_tui.cli._connect import OrgChoice, open_connection, org_options, run_async
from syncerr_tui.cli._console import narrate
from syncerr_tui.cli._ledger import fixer_of, said_in
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
    warn_of_repeats,
    warn_of_unsettled,
)
from syncerr_tui.cli._with_fix import check_choice, prepare
from syncerr_tui.cli.causes import read_graph
from syncerr_tui.errors import BadInputError, ExitCode


@click.command()
@org_options
@choosing
@planning
@reason_option
@yes_option
@dry_run_option
@again_option
@click.option(
    "--with-fix",
    metavar="KEY",
    help="Switch off this safeguard ('syncerr-tui fix' lists the keys) meanwhile.",
)
@click.option("--confirm", default="", metavar="NAME", help="In production: the safeguard's name.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each row, as it ends.")
def command(
    choice: OrgChoice,
    *,
    ids: tuple[str, ...],
    text: str | None,
    cause: str | None,
    everything: bool,
    reason: str,
    yes: bool,
    dry_run: bool,
    again: bool,
    with_fix: str | None,
    confirm: str,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the options of `planning`
) -> int:
    """Ask for a re-sync of the chosen errors, causes before victims, and prove what became of each.

    Every row ends with a verdict that comes from re-reading the org (FIXED, STILL FAILING, NEW CAUSE,
    NOT TRIED, UNKNOWN, TWIN, RESOLVED ELSEWHERE) or as NOT SENT, each with its reason. Exit code 0: every
    row is FIXED or resolved elsewhere; 1: not all are.

    With --with-fix a safeguard is switched off, the rows are re-synced and proven, and it is switched on
    again and proven to be on, however the run ends. Exit code 1 too where it is not seen on again.
    """
    asked = choice_from(ids=ids, text=text, cause=cause, everything=everything)
    if with_fix is not None:
        check_choice(asked)
    elif confirm:
        raise BadInputError("--confirm names a safeguard", "Add --with-fix KEY, or leave it out")
    treatment = treatment_of(choice)
    if not dry_run:
        refuse_where_read_only(treatment)
        need_reason(treatment, reason)
    if options["proof_timeout"] is None:
        options["proof_timeout"] = treatment.proof_timeout
    return run_async(
        _resync(
            choice,
            asked,
            reason,
            yes=yes,
            dry_run=dry_run,
            again=again,
            with_fix=with_fix,
            confirm=confirm,
            as_json=as_json,
            **options,
        )
    )


async def _resync(
    choice: OrgChoice,
    asked: Choice,
    reason: str,
    *,
    yes: bool,
    dry_run: bool,
    again: bool,
    with_fix: str | None,
    confirm: str,
    as_json: bool,
    **options: Any,  # noqa: ANN401
) -> int:
    from syncerr_tui.journal.history import History
    from syncerr_tui.resync.factory import make_runner
    from syncerr_tui.resync.runner import RunRequest

    async with open_connection(choice) as connection:
        with open_journal(connection) as journal:
            mention_unfinished(journal)
            measured = History(journal).wave_times(connection.method.name)
            graph = await read_graph(connection)
            said = said_in(journal, graph)
            plan = plan_for(connection, graph, asked, said=said, measured=measured, **options)
            if (nothing := nothing_to_send(plan)) is not None:
                return nothing
            warn_of_unsettled(journal, plan)
            tell_plan(plan)
            warn_of_repeats(journal, plan)
            if dry_run:
                return await show_requests(connection, journal, plan, as_json=as_json)
            consented = ask_again(journal, plan, again=again)
            meanwhile = None
            if with_fix is not None:
                fixer = fixer_of(connection, journal, read_only=False)
                meanwhile = await prepare(
                    fixer, connection, graph, asked, with_fix, yes=yes, confirm=confirm, reason=reason
                )
            may_send = ask_first(plan, connection.identity, yes=yes, guided=connection.method.guided)
            if not may_send or (with_fix is not None and meanwhile is None):
                narrate("Nothing was sent.")
                return ExitCode.OK
            request = RunRequest(plan, reason, again=consented)
            runner = make_runner(connection, journal, request)
            run = partial(follow, runner, connection.identity, as_json=as_json)
            return await (run() if meanwhile is None else meanwhile.run(plan, run))
