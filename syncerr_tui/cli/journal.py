"""`syncerr-tui journal`: what was tried, by whom, why, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._connect import OrgChoice, open_connection, org_options, run_async
from syncerr_tui.cli._console import emit, emit_json, narrate
from syncerr_tui.cli._options import profile_folder
from syncerr_tui.cli._running import NOT_SENT, journal_of, open_journal, rows_of_run, tell_row
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.words import local_minute

if TYPE_CHECKING:
    from syncerr_tui.journal.attempt import Attempt
    from syncerr_tui.journal.history import RunRecord
    from syncerr_tui.journal.journal import Journal


@click.command()
@click.argument("run", required=False)
@org_options
@click.option("--id", "event", metavar="ID", help="Everything that was tried with this change event.")
@click.option("--fixes", is_flag=True, help="What was changed in the org instead, newest first.")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 100_000), default=50, help="Runs or changes at most [50]."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each run, or for each row of RUN.")
def command(
    run: str | None, choice: OrgChoice, *, event: str | None, fixes: bool, limit: int, as_json: bool
) -> int:
    """List the runs of this org's journal, or the rows of one RUN with verdict and evidence.

    An org that was set up needs not be reached for it.
    """
    if run is not None and event is not None:
        raise BadInputError("RUN and --id cannot be combined", "Give one of them")
    if fixes and (run is not None or event is not None):
        raise BadInputError("--fixes lists all changes", "Leave RUN and --id out")
    return run_async(_journal(run, choice, event, limit, fixes=fixes, as_json=as_json))


async def _journal(
    run: str | None, choice: OrgChoice, event: str | None, limit: int, *, fixes: bool, as_json: bool
) -> int:
    from syncerr_tui.journal.history import History

    with await _open(choice) as journal:
        history = History(journal)
        if fixes:
            _tell_fixes(journal, limit, as_json=as_json)
        elif event is not None:
            _tell_rows(history.of_event(event), as_json=as_json)
        elif run is not None:
            _tell_rows(rows_of_run(history, run), as_json=as_json)
        else:
            runs = history.runs(limit)
            if not runs:
                narrate("Nothing was re-synced yet.")
            for record in runs:
                _tell_run(record, as_json=as_json)
        narrate(f"Journal: {journal.place}")
    return ExitCode.OK


async def _open(choice: OrgChoice) -> Journal:
    """The journal, without asking the org where its profile says which org it is."""
    from syncerr_tui.salesforce.profile_files import read_profile, valid_name

    if choice.org is not None and valid_name(choice.org):
        profile = read_profile(profile_folder(), choice.org)
        if profile is not None and profile.org_id:
            return journal_of(profile.org_id, profile)
    async with open_connection(choice) as connection:
        return open_journal(connection)


def _tell_rows(rows: tuple[Attempt, ...], *, as_json: bool) -> None:
    if not rows:
        narrate("The journal has nothing about it.")
    for row in rows:
        verdict = row.verdict.value if row.verdict else NOT_SENT if row.ended else None
        more = {
            "run": row.run,
            "wave": row.wave,
            "attempts": row.attempts,
            "sent_at": row.sent_at.isoformat() if row.sent_at else None,
            "ended_at": row.ended_at.isoformat() if row.ended_at else None,
            "evidence": dict(row.evidence),
        }
        told = row.reason or (row.kind.value if row.kind else "no outcome yet")
        tell_row(row.error, verdict, told, as_json=as_json, evidence=row.evidence, more=more)


def _tell_fixes(journal: Journal, limit: int, *, as_json: bool) -> None:
    from syncerr_tui.cli._fixing import show
    from syncerr_tui.fixes.ledger import FixLedger

    found = FixLedger(journal, os_user="", org_user="").fixes()[:limit]
    if as_json:
        emit_json(*(fix.payload() for fix in found))
        return
    if not found:
        narrate("Nothing was changed in the org yet.")
    for fix in found:
        what = f"{fix.kind.value} {fix.target.name}: {show(fix.before)} -> {show(fix.after)}"
        ended = fix.closed or "on the list of 'syncerr-tui safeguards'"
        emit(f"{fix.id}  {local_minute(fix.at)}  {fix.by}  {what}. {fix.outcome or 'no outcome'}; {ended}")


def _tell_run(run: RunRecord, *, as_json: bool) -> None:
    how = run.how or ("under way" if run.alive else "interrupted")
    if not as_json:
        from syncerr_tui.journal.history import ENDINGS

        how = ENDINGS.get(how, how)
        reason = f"  {run.reason}" if run.reason else ""
        told = run.summary or f"{run.planned} planned"
        emit(f"{run.id[:8]}  {local_minute(run.started_at)}  {run.os_user}  {how}: {told}{reason}")
        return
    emit_json(
        {
            "run": run.id,
            "started_at": run.started_at.isoformat(),
            "org": run.org_name,
            "method": run.method,
            "os_user": run.os_user,
            "org_user": run.org_user,
            "host": run.host,
            "reason": run.reason,
            "planned": run.planned,
            "verdicts": dict(run.verdicts),
            "state": how,
            "summary": run.summary,
        }
    )
