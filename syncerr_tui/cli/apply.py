"""`syncerr-tui apply FILE`: carry out exactly the plan, or the list of fixes, in that file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._choosing import RunOptions, sending
from syncerr_tui.cli._connect import OpenOrg, OrgChoice, open_org, org_command
from syncerr_tui.cli._console import say, tell
from syncerr_tui.cli._running import check_allowed, mention_unfinished
from syncerr_tui.cli._sending import carry_out
from syncerr_tui.cli.fix import make, mention_undo, result_payload, show
from syncerr_tui.errors import BadInputError, ExitCode, RefusedError
from syncerr_tui.fixes.fix_list import fix_list_of
from syncerr_tui.fixes.model import FixRequest
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.fix_list import FixList, ListedFix
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import FixOption, FixResult
    from syncerr_tui.resync.plan import Plan


_LISTED = 20
"""Rows named one by one, of each kind that has moved."""


@org_command
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@sending("One JSON line for each row or fix, as it ends.")
@click.option(
    "--confirm",
    multiple=True,
    metavar="NAME",
    help="Production: the name of what a fix changes; once for each.",
)
async def command(file: Path, choice: OrgChoice, *, run: RunOptions, confirm: tuple[str, ...]) -> int:
    """Carry out a plan that 'syncerr-tui plan -o FILE' wrote: that set of rows and no other.

    Refused where the file was changed, or was made for another org. What has moved in the org since is
    listed first; a row that has changed is left out, and so is one whose cause would not go before it. Where
    all have changed, as after the same plan has failed once, it is refused.

    Or make the fixes of a list that was made on a snapshot, one after another: each is looked up in the org
    again, and left out where it would not be the same change any more.
    """
    check_allowed(choice, run)
    from syncerr_tui.resync import plan_file

    content = plan_file.load(file)
    if (fixes := fix_list_of(content, file)) is not None:
        return await apply_fixes(choice, fixes, run, frozenset(confirm))
    if confirm:
        raise BadInputError("--confirm belongs to a list of fixes", "Leave it out: this is another file")
    return await _apply(plan_file.plan_of(content, file), choice, run)


async def _apply(plan: Plan, choice: OrgChoice, run: RunOptions) -> int:
    from syncerr_tui.resync import plan_file
    from syncerr_tui.resync.plan import check_method, refuse_other_org
    from syncerr_tui.resync.plan_file import checked_against

    async with open_org(choice) as org:
        refuse_other_org(plan, org.session.identity)
        check_method(plan, org.session.method)
        mention_unfinished(org.journal)
        graph = await org.read_graph()
        moved = plan_file.moved(plan, graph.errors.values())
        for word, ids in (
            ("no longer unresolved", moved.gone),
            ("changed since the plan, will be left out", moved.changed),
            ("new since the plan, not touched", moved.new),
        ):
            for event in ids[:_LISTED]:
                say(f"{event}: {word}")
            if len(ids) > _LISTED:
                say(f"and {len(ids) - _LISTED} more: {word}")
        if len(moved.changed) == len(plan.rows) > 0:
            raise RefusedError(
                "This plan no longer fits: every row of it has changed since",
                "Make a new plan with 'syncerr-tui plan'",
            )
        still = [row.error.id for row in plan.rows if row.error.id in graph.errors]
        return await carry_out(org, checked_against(plan, graph.parents_of(still)), run)


_LEFT_OUT = "left out"


async def apply_fixes(choice: OrgChoice, fixes: FixList, run: RunOptions, confirm: frozenset[str]) -> int:
    """Make what is on the list and still as it was; tell of everything else why not.

    Raises:
        SyncErrError: The org or the journal let us down; what was made before is told.
    """
    ends: Counter[str] = Counter()
    async with open_org(choice) as org:
        fixes.check_org(org.session.identity)
        graph = await org.read_graph()
        fixer = org.fixer(read_only=choice.read_only)
        for fix in fixes.fixes:
            option, event, why = await _now(org, graph, fixer, fix)
            if option is None:
                ends[_LEFT_OUT] += 1
                _tell(fix, _LEFT_OUT, why, None)
            elif run.dry_run:
                ends["would be made"] += 1
                after = show({**option.after, **fix.typed})
                _tell(fix, "would be made", f"{show(option.before)} -> {after}", None)
            else:
                ends[await _make(fixer, option, fix, event, run, confirm)] += 1
    if not fixes.fixes:
        say("The list is empty.")
    else:
        counts = ", ".join(f"{count} {word}" for word, count in ends.most_common())
        say(f"{plural(len(fixes.fixes), 'change')}: {counts}.")
    fine = {"applied", "already", "would be made", "not wanted"}
    return ExitCode.OK if fine.issuperset(ends) else ExitCode.NOT_ALL_FIXED


async def _now(
    org: OpenOrg, graph: CauseGraph, fixer: Fixer, fix: ListedFix
) -> tuple[FixOption | None, str, str]:
    """The fix as the org offers it now, and for which error; or why it is left out."""
    errors, why = fix.left(graph.errors)
    if why:
        return None, "", why
    options = await fixer.options(await org.explained(errors))
    option, why = fix.compared(options)
    return option, errors[0].id, why


async def _make(
    fixer: Fixer, option: FixOption, fix: ListedFix, event: str, run: RunOptions, confirm: frozenset[str]
) -> str:
    """Make one. What became of it, in a word."""
    name = option.target.name if option.target.name in confirm else ""
    try:
        request = FixRequest(option, fix.typed, name, fix.option.seen, run.reason or fix.reason, event)
        result = await make(fixer, request, yes=run.yes)
    except (RefusedError, BadInputError) as error:
        _tell(fix, "refused", error.line, None)
        return "refused"
    if result is None:
        _tell(fix, "not wanted", "Nothing was changed.", None)
        return "not wanted"
    word = result.state.value if result.verified or result.state.value != "applied" else "not proven"
    _tell(fix, word, f"{show(result.before)} -> {show(result.after)}. {result.detail}", result)
    return word


def _tell(fix: ListedFix, word: str, detail: str, result: FixResult | None) -> None:
    option = fix.option
    payload = result.payload() if result is not None else result_payload(detail)
    head = {"key": option.key, "title": option.title, "id": fix.errors[0].id}
    tell({**head, **payload, "state": word}, f"{word}: {option.title}. {detail}")
    mention_undo(result)
