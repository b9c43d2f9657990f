"""`syncerr-tui verify`: re-read what was re-synced and is not proven yet. Sends nothing."""

from __future__ import annotations

import asyncio

import click

from syncerr_tui.cli._choosing import id_option, proof_timeout_option, read_ids
from syncerr_tui.cli._connect import OrgChoice, open_org, org_command
from syncerr_tui.cli._console import json_option, say
from syncerr_tui.cli._running import rows_of_run, tell_row
from syncerr_tui.errors import BadInputError, ExitCode


@org_command
@click.argument("run", required=False)
@id_option
@proof_timeout_option("Seconds to wait [0: look once].", default=0.0)
@json_option("One JSON line for each row.")
async def command(run: str | None, choice: OrgChoice, *, ids: tuple[str, ...], proof_timeout: float) -> int:
    """Look again at rows that were sent: all of a RUN, the named ones, or all whose outcome is unknown.

    Exit code 0: every row is FIXED or resolved elsewhere; 1: not all are.
    """
    from syncerr_tui.journal.history import History
    from syncerr_tui.resync.doubt import verify

    named = read_ids(ids)
    async with open_org(choice) as org:
        history = History(org.journal)
        if run is not None:
            rows = [row for row in rows_of_run(history, run) if row.intent is not None]
        elif named:
            sent = [next((r for r in history.of_event(i) if r.intent is not None), None) for i in named]
            rows = [row for row in sent if row is not None]
            if len(rows) < len(named):
                raise BadInputError(
                    "The journal has no request for some of these ids", "See 'syncerr-tui journal'"
                )
        else:
            rows = list(history.open_attempts().values())
        if not rows:
            say("Nothing was sent whose outcome is unknown.")
            return ExitCode.OK
        verified = await verify(
            org.session, org.journal, rows, proof_timeout=proof_timeout, sleep=asyncio.sleep
        )
    for row in verified:
        verdict = row.verdict.value if row.verdict else None
        tell_row(row.now or row.error, verdict, row.reason, evidence=row.evidence)
    return ExitCode.OK if all(row.proven for row in verified) else ExitCode.NOT_ALL_FIXED
