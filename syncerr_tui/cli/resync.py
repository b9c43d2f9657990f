"""`syncerr-tui resync`: plan and apply in one go; with a safeguard off meanwhile, if that is asked for."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from syncerr_tui.cli._choosing import (
    Choice,
    again_option,
    choice_from,
    choosing,
    dry_run_option,
    plan_for,
    planning,
    reason_option,
    treatment_of,
    yes_option,
)
from syncerr_tui.cli._connect import OrgChoice, open_connection, org_options, run_async
from syncerr_tui.cli._console import complain, narrate
from syncerr_tui.cli._fixing import ask_for, explained, option_named, roots_of
from syncerr_tui.cli._ledger import fixer_of, said_in
from syncerr_tui.cli._running import (
    Stop,
    ask_again,
    ask_first,
    follow,
    leave_at_once,
    mention_unfinished,
    need_reason,
    nothing_to_send,
    open_journal,
    refuse_where_read_only,
    show_requests,
    tell_plan,
    warn_of_repeats,
    warn_of_unsettled,
)
from syncerr_tui.cli.causes import read_graph
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.words import duration

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import FixOption
    from syncerr_tui.resync.plan import Plan
    from syncerr_tui.salesforce.session import OrgSession


@click.command()
@org_options
@choosing
@planning
@reason_option
@yes_option
@dry_run_option
@again_option
@click.option(
    "--with-fix",
    metavar="KEY",
    help="Switch off this safeguard ('syncerr-tui fix' lists the keys) meanwhile.",
)
@click.option("--confirm", default="", metavar="NAME", help="In production: the safeguard's name.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each row, as it ends.")
def command(
    choice: OrgChoice,
    *,
    ids: tuple[str, ...],
    text: str | None,
    cause: str | None,
    everything: bool,
    reason: str,
    yes: bool,
    dry_run: bool,
    again: bool,
    with_fix: str | None,
    confirm: str,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the options of `planning`
) -> int:
    """Ask for a re-sync of the chosen errors, causes before victims, and prove what became of each.

    Every row ends with a verdict that comes from re-reading the org (FIXED, STILL FAILING, NEW CAUSE,
    NOT TRIED, UNKNOWN, TWIN, RESOLVED ELSEWHERE) or as NOT SENT, each with its reason. Exit code 0: every
    row is FIXED or resolved elsewhere; 1: not all are.

    With --with-fix a safeguard is switched off, the rows are re-synced and proven, and it is switched on
    again and proven to be on, however the run ends. Exit code 1 too where it is not seen on again.
    """
    asked = choice_from(ids=ids, text=text, cause=cause, everything=everything)
    if with_fix is not None:
        check_choice(asked)
    elif confirm:
        raise BadInputError("--confirm names a safeguard", "Add --with-fix KEY, or leave it out")
    treatment = treatment_of(choice)
    if not dry_run:
        refuse_where_read_only(treatment)
        need_reason(treatment, reason)
    if options["proof_timeout"] is None:
        options["proof_timeout"] = treatment.proof_timeout
    return run_async(
        _resync(
            choice,
            asked,
            reason,
            yes=yes,
            dry_run=dry_run,
            again=again,
            with_fix=with_fix,
            confirm=confirm,
            as_json=as_json,
            **options,
        )
    )


async def _resync(
    choice: OrgChoice,
    asked: Choice,
    reason: str,
    *,
    yes: bool,
    dry_run: bool,
    again: bool,
    with_fix: str | None,
    confirm: str,
    as_json: bool,
    **options: Any,  # noqa: ANN401
) -> int:
    from syncerr_tui.journal.history import History
    from syncerr_tui.resync.factory import make_runner
    from syncerr_tui.resync.runner import RunRequest

    async with open_connection(choice) as connection:
        with open_journal(connection) as journal:
            mention_unfinished(journal)
            measured = History(journal).wave_times(connection.method.name)
            graph = await read_graph(connection)
            said = said_in(journal, graph)
            plan = plan_for(connection, graph, asked, said=said, measured=measured, **options)
            if (nothing := nothing_to_send(plan)) is not None:
                return nothing
            warn_of_unsettled(journal, plan)
            tell_plan(plan)
            warn_of_repeats(journal, plan)
            if dry_run:
                return await show_requests(connection, journal, plan, as_json=as_json)
            consented = ask_again(journal, plan, again=again)
            meanwhile = None
            if with_fix is not None:
                fixer = fixer_of(connection, journal, read_only=False)
                meanwhile = await prepare(
                    fixer, connection, graph, asked, with_fix, yes=yes, confirm=confirm, reason=reason
                )
            may_send = ask_first(plan, connection.identity, yes=yes, guided=connection.method.guided)
            if not may_send or (with_fix is not None and meanwhile is None):
                narrate("Nothing was sent.")
                return ExitCode.OK
            request = RunRequest(plan, reason, again=consented)
            runner = make_runner(connection, journal, request)
            run = partial(follow, runner, connection.identity, as_json=as_json)
            return await (run() if meanwhile is None else meanwhile.run(plan, run))


def check_choice(asked: Choice) -> None:
    """Raises: BadInputError: The errors that were chosen have no one cause."""
    if asked.cause is None and len(asked.ids) != 1:
        raise BadInputError("--with-fix is for one cause", "Choose it with --cause, or one error with --id")


async def prepare(
    fixer: Fixer,
    connection: OrgSession,
    graph: CauseGraph,
    asked: Choice,
    key: str,
    *,
    yes: bool,
    confirm: str,
    reason: str,
) -> WithFix | None:
    """Find the safeguard, and ask for its name in production; None: the person does not want it.

    Raises:
        BadInputError: The cause has no such fix, it is none that goes off and on again, or nobody is there to
            type the name that production wants.
        RefusedError: It may not be switched off.
    """
    errors = roots_of(graph, event=asked.ids[0] if asked.ids else None, cause=asked.cause)
    option = option_named(await fixer.options(await explained(connection, errors)), key)
    if not option.kind.is_safeguard:
        raise BadInputError(
            f"{option.title} is not a safeguard that can be off for a while",
            f"Make it first: 'syncerr-tui fix --id {errors[0].id} --apply {key}', then re-sync",
        )
    fixer.check(option, {}, confirm or option.target.name)
    if fixer.policy.names_target:
        typed = ask_for(option, fixer.policy, {}, yes=yes, confirm=confirm)
        if typed is None:
            return None
        confirm = typed
        fixer.check(option, {}, confirm)
    narrate(f"Meanwhile: {option.title}. {option.affects}")
    return WithFix(fixer, connection, option, confirm, reason, errors[0].id)


@dataclass(frozen=True, slots=True)
class WithFix:
    """A safeguard that a person wants off for as long as a run takes."""

    fixer: Fixer
    connection: OrgSession
    option: FixOption
    confirm: str
    reason: str
    event: str

    async def run(self, plan: Plan, follow: Callable[..., Awaitable[int]]) -> int:
        """Off, the run, on again. The run's exit code, or 1 where all is FIXED and it is not back on.

        Args:
            plan: What is re-synced.
            follow: Runs it; takes the keyword `stop`, and gives the exit code.

        Raises:
            SyncErrError: It is not off for certain; nothing was re-synced.
        """
        from syncerr_tui.fixes.meanwhile import OffMeanwhile
        from syncerr_tui.model import EventStanding

        name, begun = self.option.target.name, time.monotonic()
        off = OffMeanwhile(
            self.fixer, self.option, confirm=self.confirm, reason=self.reason, event=self.event
        )
        with _StopWithFix(name).installed() as stop:
            try:
                seen = await self.connection.read_events([row.error.id for row in plan.rows])
                if not any(one.standing is EventStanding.FAILED for one in seen.values()):
                    narrate(f"None of these is failing any more; {name} was left on.")
                    return ExitCode.OK
                begun = time.monotonic()
                async with off:
                    goes_on = "it goes on again when the run ends"
                    narrate(
                        f"{name} is off; {goes_on}."
                        if off.ours
                        else f"{name} was off already: left as it is."
                    )
                    code = await follow(stop=stop)
            except asyncio.CancelledError:
                if not stop.codes:
                    raise
                code = stop.codes[0]
        code = stop.codes[0] if stop.codes else code
        if off.problem is not None:
            code = code or ExitCode.NOT_ALL_FIXED
            complain(off.problem, code)
            return code
        if off.ours:
            took = timedelta(seconds=round(time.monotonic() - begun))
            narrate(off.on_again_words(duration(took)))
        return code


class _StopWithFix(Stop):
    """First the run ends, then what is off goes on again; only who insists leaves it off, and is told so.

    Args:
        name: Of the safeguard.
    """

    def __init__(self, name: str) -> None:
        more = {signal.SIGHUP: ExitCode.HUNG_UP} if hasattr(signal, "SIGHUP") else {}
        super().__init__({signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED, **more})
        task = asyncio.current_task()
        assert task is not None, "it runs in an event loop"
        self._task = task
        self._name = name
        self._cancelled = False
        self.first_words = f"Stopping after what is on its way; then {name} goes on again."

    def again(self, code: ExitCode) -> None:
        """Wait for nothing more but the safeguard; then not even for that."""
        if self._cancelled:
            narrate(f"Quit. {self._name} may be off: 'syncerr-tui safeguards' says so, and puts it back.")
            leave_at_once(code)
        self._cancelled = True
        narrate(f"Stopping: {self._name} is put back first; ctrl-c again quits without that.")
        self._task.cancel()
