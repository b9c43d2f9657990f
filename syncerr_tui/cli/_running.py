"""A run from the command line: asked for, followed on stderr, told on stdout, stopped with ctrl-c."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, Self

from syncerr_tui.cli import _console
from syncerr_tui.cli._console import narrate
from syncerr_tui.errors import BadInputError, ExitCode, MachineError, RefusedError
from syncerr_tui.model import RowState
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.cli._choosing import Treatment
    from syncerr_tui.journal.attempt import Attempt
    from syncerr_tui.journal.history import History
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.model import OrgIdentity, SyncError
    from syncerr_tui.resync.events import RowChanged, RunEvent, Waiting
    from syncerr_tui.resync.plan import Plan
    from syncerr_tui.resync.runner import Runner
    from syncerr_tui.salesforce.profiles import OrgProfile
    from syncerr_tui.salesforce.session import OrgSession

NOT_SENT = "NOT SENT"
"""Stands where a verdict would, for a row that was left out."""
_PROGRESS_SECONDS = 2.0
_QUIET_SECONDS = 5.0
"""After so long without a line a run that waits says so."""
_ONLY_READ = "Only read again; add --again to send it, once the org has had its usual time"
_STOPS = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


def tell_row(
    error: SyncError,
    verdict: str | None,
    reason: str,
    *,
    as_json: bool,
    evidence: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """One row on stdout. `evidence`: of its verdict, where it has one."""
    if as_json:
        _console.emit_json({**error.payload(), "verdict": verdict, "reason": reason, **(more or {})})
        return
    from syncerr_tui.journal.row_history import found_words

    told = found_words(verdict, reason, evidence or {})
    _console.emit(f"{verdict or '':<18} {error.object} {error.event_type} {error.id}  {told}")


def _tell_ended(error: SyncError, ended: RowChanged, *, as_json: bool) -> OSError | None:
    """A row that ended, on stdout. Gives what stood in the way, once.

    A reader that has enough (`| head`), or a file on a full disk, must not end a run half-way: from then on
    nothing is written there.
    """
    try:
        verdict = ended.verdict.value if ended.verdict else NOT_SENT
        tell_row(error, verdict, ended.reason, as_json=as_json, evidence=ended.evidence)
    except OSError as problem:
        _console.drop(1)
        if isinstance(problem, BrokenPipeError):
            narrate("Nothing reads the rows any more. The run goes on; 'syncerr-tui journal' shows the rest.")
        else:
            why = problem.strerror or type(problem).__name__
            narrate(
                f"The rows cannot be written ({why}). The run goes on; 'syncerr-tui journal' shows the rest."
            )
        return problem
    return None


def open_journal(connection: OrgSession) -> Journal:
    """The org's journal; says so where it was damaged, or does not know all that was sent."""
    return journal_of(connection.identity.org_id, connection.profile)


def journal_of(org_id: str, profile: OrgProfile) -> Journal:
    """The journal of an org that needs not be reached."""
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.resync import factory
    from syncerr_tui.salesforce.auth.secrets import journal_password

    password = journal_password(profile, os.environ)
    journal = factory.open_journal(Paths.of().state, org_id, shared=profile.journal, password=password)
    if journal.loss:
        narrate(f"{journal.loss}.")
    return journal


def rows_of_run(history: History, run: str) -> tuple[Attempt, ...]:
    """The rows of a run that a person names by its id, or by the beginning of it.

    Raises:
        BadInputError: There is none, or there are several.
    """
    record = history.run(run)
    if record is None:
        raise BadInputError("No run has that id, or several begin so", "See 'syncerr-tui journal'")
    return history.rows_of(record.id)


def ask_again(journal: Journal, plan: Plan, *, again: bool) -> frozenset[str]:
    """Which rows go again although what became of their last request is not known; says which there are."""
    from syncerr_tui.resync.doubt import doubt_words, in_doubt

    errors = [row.error for row in plan.rows]
    doubt = doubt_words(journal, errors)
    if doubt:
        goes = "Sent again where it is still untouched after the org's usual time" if again else _ONLY_READ
        narrate(f"Warning: {doubt} {goes}.")
    return in_doubt(journal, errors) if again else frozenset()


def mention_unfinished(journal: Journal) -> None:
    """What an earlier start left open."""
    from syncerr_tui.journal.history import History

    for unfinished in History(journal).unfinished():
        narrate(f"Interrupted run {unfinished.run.id[:8]}: {unfinished.summary}. See 'syncerr-tui resume'.")


def refuse_where_read_only(treatment: Treatment) -> None:
    """Raises: RefusedError: This org may not be changed from here."""
    if treatment.read_only:
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
    narrate(f"{identity.name}  {identity.environment.value}  {identity.username}")
    question = f"Re-sync {_size(plan)} by {plan.method}?"
    return _console.confirm(question)


def need_reason(treatment: Treatment, reason: str) -> None:
    """Raises: BadInputError: The profile wants a reason for every run."""
    if treatment.reason_required and not reason.strip():
        raise BadInputError("This org wants a reason for every re-sync", "Give one with --reason")


def warn_of_unsettled(journal: Journal, plan: Plan) -> None:
    """Rows that earlier runs left TWIN or UNKNOWN: said before anything else."""
    from syncerr_tui.journal.row_history import standing, unsettled_words

    left = standing(journal, {row.error.id: row.error for row in plan.rows}).unsettled
    if left:
        narrate(f"Warning: {unsettled_words(left.values())}")


def tell_plan(plan: Plan) -> None:
    """The plan in a few lines on stderr."""
    out = len(plan.left_out)
    if plan.rows:
        # A person takes the time they take.
        needs = "pressed by hand" if plan.method == "guided" else plan.cost
        narrate(f"{_size(plan)}, {needs}; {out:,} left out.")
    elif out:
        narrate(f"Nothing to send: {'the one chosen is' if out == 1 else f'all {out:,} are'} left out.")
    else:
        narrate("No unresolved sync error matches: nothing to do.")
    for warning in plan.warnings:
        narrate(f"Warning: {warning}.")


async def show_requests(connection: OrgSession, journal: Journal, plan: Plan, *, as_json: bool) -> int:
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
        if as_json:
            what = {"verb": request.verb, "path": request.path, "body": request.body}
            ids = [row.error.id for row in rows]
            _console.emit_json({"request": number, "wave": wave, **what, "ids": ids})
        else:
            where = f"{request.verb} {request.path}"
            body = json.dumps(request.body, ensure_ascii=False)
            _console.emit(f"Request {number}, wave {wave}: {where}", f"  {body}")
    if method.guided:
        narrate("This tool would send nothing: a person presses Re-sync in Salesforce.")
    elif method.name == "button":
        narrate("Where the org does not offer this address, the same call goes through a Lightning session.")
    narrate("This is a dry run: nothing was sent.")
    return ExitCode.OK


def nothing_to_send(plan: Plan) -> int | None:
    """Where a plan holds no row: says why, and gives the exit code. A run is not begun for it."""
    if plan.rows:
        return None
    tell_plan(plan)
    _tell_left_out(plan)
    return ExitCode.NOT_ALL_FIXED if plan.left_out else ExitCode.OK


def _tell_left_out(plan: Plan) -> None:
    known = set()
    for out in plan.left_out:
        narrate(f"Left out: {out.id}: {'the same' if out.reason in known else out.reason}.")
        known.add(out.reason)


def _size(plan: Plan) -> str:
    return f"{plural(len(plan.rows), 'error')} in {plural(len(plan.waves), 'wave')}"


def warn_of_repeats(journal: Journal, plan: Plan) -> None:
    """Same row, same message, third try: nothing has changed."""
    from syncerr_tui.journal import row_history

    repeated = row_history.unchanged(journal, (row.error for row in plan.rows))
    if repeated:
        narrate(f"Warning: {row_history.unchanged_words(repeated, len(plan.rows))}")


async def follow(runner: Runner, identity: OrgIdentity, *, as_json: bool, stop: Stop | None = None) -> int:
    """Run to the end: rows on stdout as they end, narration on stderr. A person is asked where one acts.

    Args:
        runner: The run.
        identity: Its org.
        as_json: A JSON line for each row.
        stop: Takes the signals already; None: they are taken for the time of the run.
    """
    from syncerr_tui.cli._guided import PersonAtTerminal
    from syncerr_tui.resync.events import AskPerson

    if stop is None:
        with Stop().installed() as mine:
            return await follow(runner, identity, as_json=as_json, stop=mine)
    stop.runner = runner
    plan = runner.plan
    errors = {row.error.id: row.error for row in plan.rows}
    how, all_fixed = "", False
    unwritten: OSError | None = None
    _tell_left_out(plan)
    narrator = _Narrator()
    person = PersonAtTerminal(runner, identity, stop.asked)
    try:
        async with aclosing(runner.run()) as events:
            async for event in events:
                ended, lines = _ended_row(event), narrator.lines(event)
                if ended is not None or lines:
                    person.step_aside()
                if ended is not None:
                    error = ended.error or errors[ended.id]
                    unwritten = _tell_ended(error, ended, as_json=as_json) or unwritten
                for line in lines:
                    narrate(line)
                if ended is not None or lines:
                    person.come_back()
                if isinstance(event, AskPerson):
                    person.asked(event)
                how = getattr(event, "how", how)
                counts = getattr(event, "counts", None)
                all_fixed = counts.all_fixed if counts is not None else all_fixed
    finally:
        await person.leave()
        stop.runner = None
    if stop.codes:
        return stop.codes[0]
    if runner.failure is not None:
        _console.complain(runner.failure)
        return runner.failure.exit_code
    if unwritten is not None and not isinstance(unwritten, BrokenPipeError):
        return ExitCode.MACHINE
    return ExitCode.OK if all_fixed and not plan.left_out else ExitCode.NOT_ALL_FIXED


def _ended_row(event: RunEvent) -> RowChanged | None:
    from syncerr_tui.resync.events import RowChanged

    return (
        event if isinstance(event, RowChanged) and event.state in {RowState.DONE, RowState.NOT_SENT} else None
    )


class _Narrator:
    """What a run tells, in lines on stderr, at most one of progress every two seconds."""

    def __init__(self) -> None:
        self._last_progress = float("-inf")
        self._last_line = float("-inf")

    def _due(self, event: Waiting) -> bool:
        """A wait that is only announced is told at once, any other where nothing was said for a while."""
        return not event.seconds or time.monotonic() - self._last_line >= _QUIET_SECONDS

    def lines(self, event: RunEvent) -> list[str]:
        """What a person wants to know."""
        lines = list(self._lines(event))
        if lines:
            self._last_line = time.monotonic()
        return lines

    def _lines(self, event: RunEvent) -> Iterator[str]:
        from syncerr_tui.resync import events as e

        match event:
            case e.RunStarted():
                goes = " goes on" if event.resumed else ""
                yield f"Run {event.run_id[:8]}{goes}: {plural(len(event.plan.rows), 'row')}."
            case e.WaveStarted():
                yield f"Wave {event.number} of {event.of}: {plural(event.rows, 'row')}."
            case e.Braked():
                yield f"Stopping: {event.reason}"
            case e.Waiting(until=until) if until is not None and self._due(event):
                yield _waiting_words(event, until)
            case e.RunEnded():
                yield f"{event.summary}."
            case e.Progress() if time.monotonic() - self._last_progress >= _PROGRESS_SECONDS:
                self._last_progress = time.monotonic()
                counts = event.counts
                left = f", about {event.eta_seconds:.0f} s left" if event.eta_seconds else ""
                waiting = counts.sent + counts.waiting
                waits = f", {waiting:,} waiting for the org" if waiting else ""
                yield f"{counts.ended:,} of {counts.planned:,} ended{waits}{left}"
            case _:
                pass


def _waiting_words(event: Waiting, until: datetime) -> str:
    from syncerr_tui.resync.events import WaitKind
    from syncerr_tui.words import clock_time

    rows, end = plural(event.rows, "row"), clock_time(until, until)
    since = clock_time(event.since, until) if event.since else ""
    if event.kind is WaitKind.SHOWN:
        return f"{rows} shown before, and perhaps pressed: read again until {end} at the latest."
    if event.kind is WaitKind.EARLIER:
        was, it_is, first = ("was", "it is", "") if event.rows == 1 else ("were", "they are", "the first ")
        sent = f"{rows} {was} sent before ({first}at {since}), and the outcome is not known"
        return f"{sent}: {it_is} read again until {end} at the latest."
    waits = "waits" if event.rows == 1 else "wait"
    return f"{rows} {waits} for the org since {since}; what it has not done by {end} is UNKNOWN."


class Stop:
    """What ctrl-c and other signals do to a run: the first sends nothing more, the second quits at once.

    Args:
        signals: Which, and the exit code of each.
    """

    first_words = "Stopping after what is on its way; ctrl-c again quits at once."

    def __init__(self, signals: Mapping[signal.Signals, ExitCode] = _STOPS) -> None:
        self.codes: list[ExitCode] = []
        """Of the signals that have come."""
        self.asked = asyncio.Event()
        """A run was told to stop."""
        self.runner: Runner | None = None
        """The run that is under way."""
        self._signals = signals

    def signalled(self, code: ExitCode) -> None:
        self.codes.append(code)
        if self.runner is None or self.asked.is_set():
            self.again(code)
        else:
            self.asked.set()
            narrate(self.first_words)
            self.runner.cancel()

    def again(self, code: ExitCode) -> None:
        """Another has come, or one while no run is under way."""
        narrate("Quit. What was on its way is in the journal as unknown: see 'syncerr-tui resume'.")
        leave_at_once(code)

    @contextmanager
    def installed(self) -> Iterator[Self]:
        """Signals come here for the time of a block."""
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in self._signals}
        try:
            for number, code in self._signals.items():
                loop.add_signal_handler(number, self.signalled, code)
        except (
            NotImplementedError,
            RuntimeError,
        ):  # Windows, or not the main thread: ctrl-c cancels the task
            yield self
            return
        try:
            yield self
        finally:
            for number, usual in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, usual or signal.SIG_DFL)


def leave_at_once(code: int) -> NoReturn:
    """End without waiting for anything."""
    sys.stdout.flush()
    os._exit(code)
