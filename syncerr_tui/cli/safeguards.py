"""`syncerr-tui safeguards`: what was switched off and is not yet on again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._connect import OrgChoice, open_org, org_command, since
from syncerr_tui.cli._console import as_json, complain, emit_json, json_option, say, tell
from syncerr_tui.cli.fix import exit_code, result_payload, show, told_where_interrupted
from syncerr_tui.errors import BadInputError, ExitCode, RefusedError, SyncErrError

if TYPE_CHECKING:
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import SafeguardNow


@org_command
@click.option("--restore", metavar="FIX", help="Put back what this fix changed.")
@click.option("--restore-all", is_flag=True, help="Put back everything that is off.")
@click.option(
    "--accept", metavar="FIX", help="Close its entry: another version of the Flow is meant to be active."
)
@click.option(
    "--record",
    metavar="TYPE:NAME",
    help="Put on the list what you switched off by hand: ValidationRule:Order.Rule, "
    "DuplicateRule:Account.Rule, CustomField:Order.Field__c, WorkflowRule:Order.Rule, "
    "FlowDefinition:Name@VERSION.",
)
@click.option("--reason", default="", metavar="TEXT", help="With --record: why.")
@click.option("--yes", is_flag=True, help="Not needed: putting back asks nothing.")
@json_option("One JSON line for each.")
async def command(
    choice: OrgChoice,
    *,
    restore: str | None,
    restore_all: bool,
    accept: str | None,
    record: str | None,
    reason: str,
    yes: bool,  # noqa: ARG001 - whoever writes it in a script means well
) -> int:
    """List the safeguards that were switched off from here and are not yet seen on again; put them back.

    Each is read again now. A line closes when its safeguard is seen on, whoever switched it on, or is gone.
    Putting back starts from what is there by then: a colleague's edit in between is kept, and a Flow gets
    the version that was active. Exit code of putting back: 0: it is on,
    or gone; 1: not seen on; 3: the org stopped answering after the write; 5: refused.
    """
    options = [one for one in (restore, restore_all, accept, record) if one]
    if len(options) > 1:
        raise BadInputError("--restore, --restore-all, --accept and --record cannot be combined", "Give one")
    async with open_org(choice, mention=False) as org:
        fixer = org.fixer(read_only=choice.read_only)
        if restore is not None:
            return await _restore(fixer, [restore])
        if restore_all:
            ids = [line.id for line in fixer.ledger.open_safeguards()]
            if not ids:
                say("No safeguard is off.")
            return await _restore(fixer, ids)
        if accept is not None:
            lines = [await fixer.accept(accept)]
        elif record is not None:
            await fixer.record(record, reason=reason)
            lines = await fixer.safeguards()
        else:
            lines = await fixer.safeguards()
    _tell(lines)
    return ExitCode.OK


async def _restore(fixer: Fixer, ids: list[str]) -> int:
    """Put back each; one that cannot be does not keep the others off."""
    worst = ExitCode.OK
    for fix in ids:
        try:
            with told_where_interrupted(fixer.ledger.get(fix).target.name):
                result = await fixer.restore(fix)
        except SyncErrError as error:
            if as_json() and isinstance(error, RefusedError):
                emit_json({**result_payload(error.line), "fix": fix})
            complain(error)
            worst = worst or error.exit_code
            continue
        tell(result.payload(), f"{result.fix}  {result.state.value}: {show(result.after)}. {result.detail}")
        worst = worst or exit_code(result)
    return worst


def _tell(lines: list[SafeguardNow]) -> None:
    if not lines and not as_json():
        say("No safeguard is off.")
    for line in lines:
        record = line.record
        what = f"{record.target.type} {record.target.name}"
        more = (f"    {text}" for text in (record.reason, line.detail) if text)
        tell(line.payload(), f"{record.id}  {line.state.value:<13} {what}  since {since(line)}", *more)
