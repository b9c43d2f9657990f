"""`syncerr-tui resume`: what an interrupted run left open, and what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._choosing import again_option
from syncerr_tui.cli._connect import OrgChoice, open_org, org_command
from syncerr_tui.cli._console import as_json, ask, at_terminal, json_option, say, tell
from syncerr_tui.cli._running import ask_again, ask_first, refuse_where_read_only
from syncerr_tui.cli._sending import follow
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.words import local_minute, plural

if TYPE_CHECKING:
    from syncerr_tui.journal.history import Unfinished
    from syncerr_tui.resync.run_state import ResumeMode


@org_command
@click.argument("run", required=False)
@click.option(
    "--continue", "mode", flag_value="continue", help="Re-read what is unknown, then send the rest."
)
@click.option("--check", "mode", flag_value="check", help="Re-read what was sent; send nothing.")
@click.option("--drop", "mode", flag_value="drop", help="Close the run as it is; send and read nothing.")
@click.option("--yes", is_flag=True, help="With --continue: do not ask.")
@again_option
@json_option("JSON lines: runs without a choice, else rows.")
async def command(run: str | None, choice: OrgChoice, *, mode: str | None, yes: bool, again: bool) -> int:
    """List interrupted runs, or go on with one (RUN: the beginning of its id; needless where there is one).

    What was sent with unknown outcome is re-read before anything is sent again.
    """
    if mode == "continue":
        refuse_where_read_only(choice)
    from syncerr_tui.journal.history import History
    from syncerr_tui.resync.plan_file import recorded_plan
    from syncerr_tui.resync.run_state import ResumeMode, RunRequest
    from syncerr_tui.resync.runner import Runner

    how = ResumeMode(mode) if mode else None

    async with open_org(choice) as org:
        session, journal = org.session, org.journal
        history = History(journal)
        waiting = history.unfinished()
        for record in history.under_way():
            who = f"{record.os_user} on {record.host}"
            say(f"Run {record.id[:8]} is under way: {who}, {plural(record.planned, 'row')}.")
        if not waiting:
            say("No interrupted run.")
            return ExitCode.OK
        if how is None:
            for unfinished in waiting:
                _tell(unfinished)
            how = _ask(waiting)
            if how is None:
                return ExitCode.OK
        chosen = _one_of(waiting, run)
        say(f"Run {chosen.run.id[:8]}: {chosen.summary}.")
        plan = recorded_plan(history, chosen.run.id)
        consented = ask_again(journal, plan, again=again) if how is ResumeMode.CONTINUE else frozenset()
        if how is ResumeMode.CONTINUE and not ask_first(
            plan, session.identity, yes=yes, guided=session.method.guided
        ):
            say("Nothing was sent.")
            return ExitCode.OK
        request = RunRequest(plan, resume=chosen.run.id, mode=how, again=consented)
        return await follow(Runner(session, journal, request), session.identity)


def _tell(unfinished: Unfinished) -> None:
    run = unfinished.run
    tell(
        {
            "run": run.id,
            "started_at": run.started_at.isoformat(),
            "os_user": run.os_user,
            "org_user": run.org_user,
            "reason": run.reason,
            "planned": run.planned,
            "proven": unfinished.proven,
            "failing": unfinished.failing,
            "unknown": unfinished.unknown + unfinished.unticked,
            "unticked": unfinished.unticked,
            "not_sent": unfinished.unsent,
        },
        f"{run.id[:8]}  {local_minute(run.started_at)}  {run.os_user}  {unfinished.summary}",
    )


def _ask(waiting: tuple[Unfinished, ...]) -> ResumeMode | None:
    if as_json() or len(waiting) != 1 or not at_terminal():
        say("Choose with --continue, --check or --drop.")
        return None
    from syncerr_tui.resync.run_state import ResumeMode

    words = ["continue", "check", "drop", "nothing"]
    while (answer := ask(f"What now? ({', '.join(words)})", "nothing", "--check")) not in words:
        say("That is none of them.")
    return ResumeMode(answer) if answer != "nothing" else None


def _one_of(waiting: tuple[Unfinished, ...], run: str | None) -> Unfinished:
    matching = [u for u in waiting if run is None or u.run.id.startswith(run)]
    if len(matching) == 1:
        return matching[0]
    if run is None:
        raise BadInputError("Several runs were interrupted", "Name one: syncerr-tui resume RUN")
    raise BadInputError(
        "No interrupted run has that id, or several begin with it", "See 'syncerr-tui resume'"
    )
