"""Sending a plan from the command line: asked for, followed on stderr, told on stdout, stopped with ctrl-c.

With the guided method a person presses, in Salesforce: the same words as in the app, without a screen. Rows
are ticked off by their numbers while others are proven.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import aclosing, contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NoReturn, Self

from syncerr_tui.cli import _console
from syncerr_tui.cli._console import say
from syncerr_tui.cli._running import (
    NOT_SENT,
    ask_again,
    ask_first,
    show_requests,
    tell_left_out,
    tell_plan,
    tell_row,
    warn_of_repeats,
    warn_of_unsettled,
)
from syncerr_tui.errors import ExitCode
from syncerr_tui.model import RowState
from syncerr_tui.text import cells, one_line
from syncerr_tui.triage.guided import LONGEST, SalesforceTime
from syncerr_tui.words import clock_time, plural

if TYPE_CHECKING:
    from syncerr_tui.cli._choosing import RunOptions
    from syncerr_tui.cli._connect import OpenOrg
    from syncerr_tui.cli._outlet import Outlet
    from syncerr_tui.model import OrgIdentity, SyncError
    from syncerr_tui.resync.events import AskPerson, RowChanged, RunEvent, Waiting
    from syncerr_tui.resync.plan import Plan
    from syncerr_tui.resync.runner import Runner


_QUESTION = "Pressed? y all, n none of them, 1,3-5 these, -3 not 3 after all, l list again: "
_PART = re.compile(r"(-?)(\d{1,6})(?:-(\d{1,6}))?")


class PersonAtTerminal:
    """Asks what was pressed, as long as something is to press."""

    def __init__(self, runner: Runner, identity: OrgIdentity, stopped: asyncio.Event) -> None:
        self._runner = runner
        self._stopped = stopped
        self._times = SalesforceTime(identity.time_zone, identity.locale)
        self._address: str | None = None
        self._wave = 0
        self._rows: list[SyncError] = []
        """What is to press in this wave; a row's number is its place here."""
        self._ticked: set[str] = set()
        self._asking: asyncio.Task[None] | None = None
        self._prompted = False

    def begin_to_ask(self, event: AskPerson) -> None:
        """Name the rows, and begin to ask. Rows in doubt are not asked about: they are only read again."""
        if event.wave != self._wave:
            self._wave, self._rows, self._ticked = event.wave, [], set()
        # A number that the person has read, or is typing, stays that of its row.
        known = {*event.doubtful, *(error.id for error in self._rows)}
        self._rows += [error for error in event.errors if error.id not in known]
        self._address = event.address
        if all(error.id in self._ticked for error in self._rows):
            return
        self._list()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While something else is written: the question stands on a line of its own, before it and after."""
        if self._prompted:
            self._prompted = False
            _console.prompt("\n")
        yield
        if self._asking is not None and not self._asking.done() and not self._prompted:
            self._prompted = True
            _console.prompt(_QUESTION)

    async def leave(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    # -- what is to press

    def _list(self) -> None:
        where = f": {self._address}" if self._address else "."
        say(f"In Salesforce, open the Sync Error Tool{where}")
        but = ", but none that says 'pressed'" if self._ticked else ""
        say(f"Tick exactly these, in this order{but}, and press Re-sync:")
        say(f"(Processed At: {self._times.note}.)")
        for number, error in enumerate(self._rows, 1):
            done = "pressed" if error.id in self._ticked else ""
            when = f"{self._times(error.processed_at):<{LONGEST}}"
            head = f"{number:>4}  {error.object} {error.event_type}  {when}  {done}"
            room = _console.width() - cells(head) - 2
            say(f"{head}  {one_line(error.message)[: max(room, 20)]}")
            say(f"      {error.storeconnect_id or '-'}  {error.salesforce_id or '-'}  {error.id}")

    # -- what was pressed

    async def _ask(self) -> None:
        while any(error.id not in self._ticked for error in self._rows):
            self._prompted = True
            _console.prompt(_QUESTION)
            line = await _console.line_while_running(self._stopped)
            self._prompted = False
            if line is None:
                if not self._stopped.is_set():
                    self._runner.answer(pressed=None)
                return
            self._take_answer(line.strip().casefold())

    def _take_answer(self, word: str) -> None:
        left = [error.id for error in self._rows if error.id not in self._ticked]
        if word in {"y", "yes"}:
            self._tick(left, pressed=True)
        elif word in {"n", "no"}:
            self._runner.person.decline(left)
            self._rows = []
        elif word in {"", "l"}:
            self._list()
        elif (numbers := _numbers(word, len(self._rows))) is None:
            say(f"Answer y, n, l, or numbers from 1 to {len(self._rows)}: 1,3-5.")
        else:
            for number, pressed in numbers:
                event = self._rows[number - 1].id
                if not self._tick([event], pressed=pressed) and not pressed and event in self._ticked:
                    say(f"{number} has its outcome: that it was pressed cannot be taken back any more.")

    def _tick(self, events: list[str], *, pressed: bool) -> frozenset[str]:
        heard = self._runner.person.tick(events, pressed=pressed)
        self._ticked = self._ticked | heard if pressed else self._ticked - heard
        left = len(self._rows) - len(self._ticked)
        if left:
            say(f"{plural(left, 'row')} to press.")
        return heard


def _numbers(text: str, last: int) -> list[tuple[int, bool]] | None:
    """Rows by number and whether they were pressed; None where that cannot be read."""
    numbers: list[tuple[int, bool]] = []
    for part in re.split(r"[,\s]+", text):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        first, end = int(match[2]), int(match[3] or match[2])
        if not 1 <= first <= end <= last:
            return None
        numbers += [(number, not match[1]) for number in range(first, end + 1)]
    return numbers


_PROGRESS_SECONDS = 2.0
_QUIET_SECONDS = 5.0
"""After so long without a line a run that waits says so."""
_STOPS = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


def _tell_ended(error: SyncError, ended: RowChanged) -> OSError | None:
    """A row that ended, on stdout. Gives what stood in the way, once.

    A reader that has enough (`| head`), or a file on a full disk, must not end a run half-way: from then on
    nothing is written there.
    """
    try:
        verdict = ended.verdict.value if ended.verdict else NOT_SENT
        tell_row(error, verdict, ended.reason, evidence=ended.attempt.evidence)
    except OSError as problem:
        _console.drop(1)
        if isinstance(problem, BrokenPipeError):
            say("Nothing reads the rows any more. The run goes on; 'syncerr-tui journal' shows the rest.")
        else:
            why = problem.strerror or type(problem).__name__
            say(f"The rows cannot be written ({why}). The run goes on; 'syncerr-tui journal' shows the rest.")
        return problem
    return None


Around = Callable[["Plan", Callable[..., Awaitable[int]]], Awaitable[int]]
"""Runs a plan with something done before and after; gives the exit code."""


async def carry_out(
    org: OpenOrg,
    plan: Plan,
    options: RunOptions,
    prepare: Callable[[], Awaitable[Around | None]] | None = None,
) -> int:
    """Say what the plan comes to, ask, send it and follow it to its end. Gives the exit code.

    Args:
        org: The org.
        plan: What is sent; a run is not begun for a plan without rows.
        options: How.
        prepare: Gives what is done around the run, before anybody is asked; None: it is not wanted after all.
    """
    from syncerr_tui.resync.run_state import RunRequest
    from syncerr_tui.resync.runner import Runner

    session, journal = org.session, org.journal
    if not plan.rows:
        tell_plan(plan)
        tell_left_out(plan)
        return ExitCode.NOT_ALL_FIXED if plan.left_out else ExitCode.OK
    warn_of_unsettled(journal, plan)
    tell_plan(plan)
    warn_of_repeats(journal, plan)
    if options.dry_run:
        return await show_requests(session, journal, plan)
    consented = ask_again(journal, plan, again=options.again)
    around = await prepare() if prepare is not None else None
    may_send = ask_first(plan, session.identity, yes=options.yes, guided=session.method.guided)
    if not may_send or (prepare is not None and around is None):
        say("Nothing was sent.")
        return ExitCode.OK
    runner = Runner(session, journal, RunRequest(plan, options.reason, again=consented))
    run = partial(follow, runner, session.identity)
    return await (run() if around is None else around(plan, run))


async def follow(runner: Runner, identity: OrgIdentity, *, stop: Stop | None = None) -> int:
    """Run to the end: rows on stdout as they end, narration on stderr. A person is asked where one acts.

    Args:
        runner: The run.
        identity: Its org.
        stop: Takes the signals already; None: they are taken for the time of the run.
    """
    from syncerr_tui.resync.events import AskPerson, RunEnded

    if stop is None:
        with Stop().installed() as mine:
            return await follow(runner, identity, stop=mine)
    stop.runner = runner
    plan = runner.plan
    errors = {row.error.id: row.error for row in plan.rows}
    all_fixed = False
    unwritten: OSError | None = None
    tell_left_out(plan)
    narrator = _Narrator()
    person = PersonAtTerminal(runner, identity, stop.requested)
    try:
        async with aclosing(runner.run()) as events:
            async for event in events:
                ended, lines = _ended_row(event), narrator.lines(event)
                if ended is not None or lines:
                    with person.aside():
                        if ended is not None:
                            unwritten = _tell_ended(ended.error or errors[ended.id], ended) or unwritten
                        say(*lines)
                if isinstance(event, AskPerson):
                    person.begin_to_ask(event)
                elif isinstance(event, RunEnded):
                    all_fixed = event.counts.all_fixed
        unwritten = await _all_read(stop) or unwritten
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


async def _all_read(stop: Stop) -> OSError | None:
    """Wait until the rows are read, or a signal comes. Gives what stood in the way of writing them, once."""
    stopped = (
        asyncio.Event() if stop.requested.is_set() else stop.requested
    )  # a signal that comes then quits at once
    waits = [asyncio.create_task(stopped.wait()), asyncio.create_task(_taken(stop.outlets))]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    try:
        for outlet in stop.outlets:
            outlet.drop()
            outlet.check()
    except OSError as problem:
        return problem
    return None


async def _taken(outlets: Collection[Outlet]) -> None:
    for outlet in outlets:
        await outlet.empty.wait()


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
                alone = ", which goes alone first" if event.alone else ""
                yield f"Wave {event.number} of {event.of}: {plural(event.rows, 'row')}{alone}."
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
        self.requested = asyncio.Event()
        """A run was told to stop."""
        self.runner: Runner | None = None
        """The run that is under way."""
        self.outlets: Collection[Outlet] = ()
        """What a reader that stands still has not taken yet."""
        self._signals = signals

    def signalled(self, code: ExitCode) -> None:
        self.codes.append(code)
        if self.runner is None or self.requested.is_set():
            self.again(code)
        else:
            self.requested.set()
            say(self.first_words)
            self.runner.cancel()

    def again(self, code: ExitCode) -> None:
        """Another has come, or one while no run is under way."""
        say("Quit. What was on its way is in the journal as unknown: see 'syncerr-tui resume'.")
        leave_at_once(code)

    @contextmanager
    def installed(self) -> Iterator[Self]:
        """Signals come here for the time of a block, and nobody who reads holds them up."""
        with _console.without_waiting_for_readers() as self.outlets, self._handled():
            yield self

    @contextmanager
    def _handled(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in self._signals}
        try:
            for number, code in self._signals.items():
                loop.add_signal_handler(number, self.signalled, code)
        except (
            NotImplementedError,
            RuntimeError,
        ):  # Windows, or not the main thread: ctrl-c cancels the task
            yield
            return
        try:
            yield
        finally:
            for number, usual in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, usual or signal.SIG_DFL)


def leave_at_once(code: int) -> NoReturn:
    sys.stdout.flush()
    os._exit(code)
