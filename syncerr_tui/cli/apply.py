"""`syncerr-tui apply FILE`: carry out exactly the plan, or the list of fixes, in that file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._choosing import again_option, dry_run_option, reason_option, treatment_of, yes_option
from syncerr_tui.cli._connect import OrgChoice, open_connection, org_options, run_async
from syncerr_tui.cli._console import emit, emit_json, narrate
from syncerr_tui.cli._fixing import explained, make, result_payload, show
from syncerr_tui.cli._ledger import fixer_of
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
from syncerr_tui.errors import BadInputError, ExitCode, RefusedError
from syncerr_tui.fixes.fix_list import fix_list_of
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.fix_list import FixList, ListedFix
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import FixOption, FixResult
    from syncerr_tui.resync.plan import Plan
    from syncerr_tui.salesforce.session import OrgSession


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


_LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class AskedFixes:
    """What the person asked for."""

    reason: str
    confirm: frozenset[str]
    """Names of targets that were typed already."""
    yes: bool
    dry_run: bool
    as_json: bool


async def apply_fixes(choice: OrgChoice, fixes: FixList, asked: AskedFixes) -> int:
    """Make what is on the list and still as it was; tell of everything else why not.

    Raises:
        SyncErrError: The org or the journal let us down; what was made before is told.
    """
    ends: Counter[str] = Counter()
    async with open_connection(choice) as connection:
        fixes.check_org(connection.identity)
        graph = await read_graph(connection)
        with open_journal(connection) as journal:
            fixer = fixer_of(connection, journal, read_only=treatment_of(choice).read_only)
            for fix in fixes.fixes:
                option, event, why = await _now(connection, graph, fixer, fix)
                if option is None:
                    ends[_LEFT_OUT] += 1
                    _tell(fix, _LEFT_OUT, why, None, asked)
                elif asked.dry_run:
                    ends["would be made"] += 1
                    after = show({**option.after, **fix.typed})
                    _tell(fix, "would be made", f"{show(option.before)} -> {after}", None, asked)
                else:
                    ends[await _make(fixer, option, fix, event, asked)] += 1
    if not fixes.fixes:
        narrate("The list is empty.")
    else:
        counts = ", ".join(f"{count} {word}" for word, count in ends.most_common())
        narrate(f"{plural(len(fixes.fixes), 'change')}: {counts}.")
    fine = {"applied", "already", "would be made", "not wanted"}
    return ExitCode.OK if fine.issuperset(ends) else ExitCode.NOT_ALL_FIXED


async def _now(
    connection: OrgSession, graph: CauseGraph, fixer: Fixer, fix: ListedFix
) -> tuple[FixOption | None, str, str]:
    """The fix as the org offers it now, and for which error; or why it is left out."""
    errors, why = fix.left(graph.errors)
    if why:
        return None, "", why
    options = await fixer.options(await explained(connection, errors))
    option, why = fix.compared(options)
    return option, errors[0].id, why


async def _make(fixer: Fixer, option: FixOption, fix: ListedFix, event: str, asked: AskedFixes) -> str:
    """Make one. What became of it, in a word."""
    name = option.target.name if option.target.name in asked.confirm else ""
    try:
        result = await make(
            fixer,
            option,
            fix.typed,
            yes=asked.yes,
            confirm=name,
            seen=fix.option.seen,
            reason=asked.reason or fix.reason,
            event=event,
        )
    except (RefusedError, BadInputError) as error:
        _tell(fix, "refused", error.line, None, asked)
        return "refused"
    if result is None:
        _tell(fix, "not wanted", "Nothing was changed.", None, asked)
        return "not wanted"
    word = result.state.value if result.verified or result.state.value != "applied" else "not proven"
    _tell(fix, word, f"{show(result.before)} -> {show(result.after)}. {result.detail}", result, asked)
    return word


def _tell(fix: ListedFix, word: str, detail: str, result: FixResult | None, asked: AskedFixes) -> None:
    option = fix.option
    if asked.as_json:
        held = result.payload() if result is not None else result_payload(detail)
        head = {"key": option.key, "title": option.title, "id": fix.errors[0].id}
        emit_json({**head, **held, "state": word})
        return
    emit(f"{word}: {option.title}. {detail}")
    if result is not None and result.fix:
        narrate(f"Fix {result.fix}; put it back with 'syncerr-tui safeguards --restore {result.fix}'.")
