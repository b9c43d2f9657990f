"""What the commands that re-sync share: what is said and asked before anything is sent; a row on stdout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from syncerr_tui.cli import _console
from syncerr_tui.cli._console import say
from syncerr_tui.errors import BadInputError, ExitCode, MachineError, RefusedError
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.cli._choosing import RunOptions
    from syncerr_tui.cli._options import OrgChoice
    from syncerr_tui.journal.attempt import Attempt
    from syncerr_tui.journal.history import History
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.model import OrgIdentity, SyncError
    from syncerr_tui.resync.plan import Plan
    from syncerr_tui.salesforce.session import OrgSession

NOT_SENT = "NOT SENT"
"""Stands where a verdict would, for a row that was left out."""
_ONLY_READ = "Only read again; add --again to send it, once the org has had its usual time"


def tell_row(
    error: SyncError,
    verdict: str | None,
    reason: str,
    *,
    evidence: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """One row on stdout. `evidence`: of its verdict, where it has one."""
    from syncerr_tui.journal.row_history import found_words

    words = found_words(verdict, reason, evidence or {})
    _console.tell(
        {**error.payload(), "verdict": verdict, "reason": reason, **(more or {})},
        f"{verdict or '':<18} {error.object} {error.event_type} {error.id}  {words}",
    )


def rows_of_run(history: History, run: str) -> tuple[Attempt, ...]:
    """The rows of a run that a person names by its id, or by the beginning of it.

    Raises:
        BadInputError: There is none, or there are several.
    """
    record = history.run(run)
    if record is None:
        raise BadInputError("No run has that id, or several begin with it", "See 'syncerr-tui journal'")
    return history.rows_of(record.id)


def ask_again(journal: Journal, plan: Plan, *, again: bool) -> frozenset[str]:
    """Which rows go again although what became of their last request is not known; says which there are."""
    from syncerr_tui.resync.doubt import doubt_words, in_doubt

    errors = [row.error for row in plan.rows]
    doubt = doubt_words(journal, errors)
    if doubt:
        goes = "Sent again where it is still untouched after the org's usual time" if again else _ONLY_READ
        say(f"Warning: {doubt} {goes}.")
    return in_doubt(journal, errors) if again else frozenset()


def mention_unfinished(journal: Journal) -> None:
    from syncerr_tui.journal.history import History

    for unfinished in History(journal).unfinished():
        say(f"Interrupted run {unfinished.run.id[:8]}: {unfinished.summary}. See 'syncerr-tui resume'.")


def check_allowed(choice: OrgChoice, run: RunOptions) -> None:
    """Hold what is asked for against the profile.

    Raises:
        RefusedError: This org may not be changed from here.
        BadInputError: The profile wants a reason for every run.
    """
    if run.dry_run:
        return
    refuse_where_read_only(choice)
    if choice.reason_required and not run.reason.strip():
        raise BadInputError("This org wants a reason for every re-sync", "Give one with --reason")


def refuse_where_read_only(choice: OrgChoice) -> None:
    """Raises: RefusedError: This org may not be changed from here."""
    if choice.read_only:
        raise RefusedError("Read-only: nothing is re-synced", "Leave --read-only out, or change the profile")


def ask_first(plan: Plan, identity: OrgIdentity, *, yes: bool, guided: bool) -> bool:
    """Ask before anything is sent. True: go on.

    Raises:
        MachineError: The guided method, and no terminal.
        BadInputError: There is nobody to ask.
    """
    at_terminal = _console.at_terminal()
    if guided and not at_terminal:
        raise MachineError(
            "The guided method needs a person at a terminal, and this is not one",
            "Run it at a terminal, or set up another method with 'syncerr-tui setup'",
        )
    if yes:
        return True
    if not at_terminal:
        raise BadInputError(
            "Nobody can be asked: this is not a terminal", "Add --yes to re-sync without asking"
        )
    say(f"{identity.name}  {identity.environment.value}  {identity.username}")
    question = f"Re-sync {_size(plan)} by {plan.method}?"
    return _console.confirm(question)


def warn_of_unsettled(journal: Journal, plan: Plan) -> None:
    """Rows that earlier runs left TWIN or UNKNOWN: said before anything else."""
    from syncerr_tui.journal.row_history import standing
    from syncerr_tui.resync.doubt import unsettled_words

    left = standing(journal, {row.error.id: row.error for row in plan.rows}).unsettled
    if left:
        say(f"Warning: {unsettled_words(left.values())}")


def tell_plan(plan: Plan) -> None:
    """The plan in a few lines on stderr."""
    out = len(plan.left_out)
    if plan.rows:
        # A person takes the time they take.
        needs = "pressed by hand" if plan.method == "guided" else plan.cost
        say(f"{_size(plan)}, {needs}; {out:,} left out.")
    elif out:
        say(f"Nothing to send: {'the one chosen is' if out == 1 else f'all {out:,} are'} left out.")
    else:
        say("No unresolved sync error matches: nothing to do.")
    for warning in plan.warnings:
        say(f"Warning: {warning}.")


async def show_requests(connection: OrgSession, journal: Journal, plan: Plan) -> int:
    """On stdout, each request of a plan exactly as it would be sent, in order. Sends none of them."""
    from syncerr_tui.journal.history import History
    from syncerr_tui.resync.sender import requests_of

    method = connection.method
    alone = method.first_alone and not History(journal).has_fixed(plan.method)
    number = 0
    for wave, rows in requests_of(plan, method, first_alone=alone):
        request = await connection.preview([row.error for row in rows])
        if request is None:
            continue
        number += 1
        where, body = f"{request.verb} {request.path}", json.dumps(request.body, ensure_ascii=False)
        _console.tell(
            {
                "request": number,
                "wave": wave,
                "verb": request.verb,
                "path": request.path,
                "body": request.body,
                "ids": [row.error.id for row in rows],
            },
            f"Request {number}, wave {wave}: {where}",
            f"  {body}",
        )
    if method.guided:
        say("This tool would send nothing: a person presses Re-sync in Salesforce.")
    elif method.name == "button":
        say("Where the org does not offer this address, the same call goes through a Lightning session.")
    say("This is a dry run: nothing was sent.")
    return ExitCode.OK


def tell_left_out(plan: Plan) -> None:
    first: dict[str, str] = {}
    for out in plan.left_out:
        why = f"as {first[out.reason]}" if out.reason in first else out.reason
        say(f"Left out: {out.id}: {why}.")
        first.setdefault(out.reason, out.id)


def _size(plan: Plan) -> str:
    return f"{plural(len(plan.rows), 'error')} in {plural(len(plan.waves), 'wave')}"


def warn_of_repeats(journal: Journal, plan: Plan) -> None:
    """Same row, same message, third try: nothing has changed."""
    from syncerr_tui.resync.doubt import unchanged, unchanged_words

    repeated = unchanged(journal, (row.error for row in plan.rows))
    if repeated:
        say(f"Warning: {unchanged_words(repeated, len(plan.rows))}")
