"""`syncerr-tui journal`: what was tried, by whom, why, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._connect import OrgChoice, journal_of, open_org, org_command
from syncerr_tui.cli._console import as_json, json_option, say, tell
from syncerr_tui.cli._options import profile_folder
from syncerr_tui.cli._running import NOT_SENT, rows_of_run, tell_row
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.words import local_minute

if TYPE_CHECKING:
    from syncerr_tui.journal.attempt import Attempt
    from syncerr_tui.journal.history import RunRecord
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.journal.people import Presence
    from syncerr_tui.salesforce.profiles import OrgProfile


_LISTED = "on the list of 'syncerr-tui safeguards'"


@org_command
@click.argument("run", required=False)
@click.option("--id", "event", metavar="ID", help="Everything that was tried with this change event.")
@click.option("--fixes", is_flag=True, help="What was changed in the org instead, newest first.")
@click.option("--who", is_flag=True, help="Who else is working on this org, and what they are doing.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1, 100_000),
    default=50,
    help="Show at most this many runs or changes [50].",
)
@json_option("One JSON line for each run, or for each row of RUN.")
async def command(
    run: str | None,
    choice: OrgChoice,
    *,
    event: str | None,
    fixes: bool,
    who: bool,
    limit: int,
) -> int:
    """List the runs of this org's journal, or the rows of one RUN with verdict and evidence.

    'journal move' copies your own journal into the one that the profile names, once. An org that was set up
    needs not be reached for any of it.
    """
    if run is not None and event is not None:
        raise BadInputError("RUN and --id cannot be combined", "Give one of them")
    if fixes and (run is not None or event is not None):
        raise BadInputError("--fixes lists all changes", "Leave RUN and --id out")
    if who and (run is not None or event is not None or fixes):
        raise BadInputError("--who lists people", "Leave RUN, --id and --fixes out")
    if run == "move":
        if event is not None:
            raise BadInputError("'journal move' moves all of it", "Leave --id out")
        return await _move(choice)
    from syncerr_tui.journal.history import History
    from syncerr_tui.journal.people import others_present, presence_words

    org_id, profile = await _org(choice)
    with journal_of(org_id, profile) as journal:
        history = History(journal)
        if who:
            _tell_people(others_present(journal))
        elif fixes:
            _tell_fixes(journal, limit)
        elif event is not None:
            _tell_rows(history.of_event(event))
        elif run is not None:
            _tell_rows(rows_of_run(history, run))
        else:
            runs = history.runs(limit)
            if not runs:
                say("Nothing was re-synced yet.")
            for record in runs:
                _tell_run(record)
            if on := presence_words(others_present(journal)):
                say(f"{on}.")
        say(f"Journal: {journal.place}")
    return ExitCode.OK


async def _org(choice: OrgChoice) -> tuple[str, OrgProfile]:
    """Which org it is and its profile, without asking the org where the profile says it."""
    from syncerr_tui.salesforce.profile_files import read_profile, valid_name

    if choice.org is not None and valid_name(choice.org):
        profile = read_profile(profile_folder(), choice.org)
        if profile is not None and profile.org_id:
            return profile.org_id, profile
    async with open_org(choice) as org:
        return org.session.identity.org_id, org.session.profile


async def _move(choice: OrgChoice) -> int:
    """Copy this user's own journal into the shared one."""
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.journal.places import move, own_journal, shared_place

    org_id, profile = await _org(choice)
    own = own_journal(Paths.of().state, org_id)
    if shared_place(profile.journal) in {None, own}:
        raise BadInputError(
            f"The profile {profile.name} names no shared journal",
            'Write journal = "/srv/acme.db" or journal = "postgresql://user@host/database" into it first',
        )
    if not own.exists():
        say("You have no journal of your own for this org: there is nothing to move.")
        return ExitCode.OK
    with journal_of(org_id, replace(profile, journal="")) as source, journal_of(org_id, profile) as target:
        moved = move(source, target)
        say(f"Moved and read back: {moved.summary}. The journal is {target.place} from now on.")
        say(f"Your own stays as it was, and no new run uses it: {source.place}")
    return ExitCode.OK


def _tell_people(people: Sequence[Presence]) -> None:
    if not people and not as_json():
        say("Nobody else is working on this org.")
    for one in people:
        run = f"  run {one.run[:8]}" if one.run else ""
        since = {"since": one.since.isoformat()}
        tell({**asdict(one), **since}, f"{one.words} since {local_minute(one.since)}{run}")


def _tell_rows(rows: tuple[Attempt, ...]) -> None:
    if not rows:
        say("The journal has no record of it.")
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
        reason = row.reason or (row.kind.value if row.kind else "no outcome yet")
        tell_row(row.error, verdict, reason, evidence=row.evidence, more=more)


def _tell_fixes(journal: Journal, limit: int) -> None:
    from syncerr_tui.cli.fix import show
    from syncerr_tui.fixes.ledger import FixLedger

    fixes = FixLedger(journal).fixes()[:limit]
    if not fixes and not as_json():
        say("Nothing was changed in the org yet.")
    for fix in fixes:
        what = f"{fix.kind.value} {fix.target.name}: {show(fix.before)} -> {show(fix.after)}"
        ended = f"{fix.outcome or 'no outcome'}; {fix.closed or _LISTED}"
        tell(fix.payload(), f"{fix.id}  {local_minute(fix.at)}  {fix.by}  {what}. {ended}")


def _tell_run(run: RunRecord) -> None:
    from syncerr_tui.journal.history import ENDINGS

    reason = f"  {run.reason}" if run.reason else ""
    ended = f"{ENDINGS.get(run.state, run.state)}: {run.summary or f'{run.planned} planned'}{reason}"
    tell(
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
            "state": run.state,
            "summary": run.summary,
        },
        f"{run.id[:8]}  {local_minute(run.started_at)}  {run.os_user}  {ended}",
    )
