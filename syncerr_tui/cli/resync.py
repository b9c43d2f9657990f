"""`syncerr-tui resync`: plan and apply in one go; with a safeguard off meanwhile, if that is asked for."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._choosing import Choice, PlanOptions, RunOptions, choosing, plan_for, planning, sending
from syncerr_tui.cli._connect import OpenOrg, OrgChoice, open_org, org_command
from syncerr_tui.cli._console import complain, say
from syncerr_tui.cli._running import check_allowed, mention_unfinished
from syncerr_tui.cli._sending import Around, Stop, carry_out, leave_at_once
from syncerr_tui.cli.fix import ask_for, option_named, roots_of
from syncerr_tui.errors import BadInputError, ExitCode, SyncErrError
from syncerr_tui.model import EventStanding
from syncerr_tui.words import duration

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import FixRequest
    from syncerr_tui.resync.plan import Plan
    from syncerr_tui.salesforce.session import OrgSession


@org_command
@choosing
@planning
@sending("One JSON line for each row, as it ends.")
@click.option(
    "--with-fix",
    metavar="KEY",
    help="Switch off this safeguard ('syncerr-tui fix' lists the keys) meanwhile.",
)
@click.option("--confirm", default="", metavar="NAME", help="In production: the safeguard's name.")
async def command(
    choice: OrgChoice,
    *,
    chosen: Choice,
    options: PlanOptions,
    run: RunOptions,
    with_fix: str | None,
    confirm: str,
) -> int:
    """Ask for a re-sync of the chosen errors, causes before victims, and prove what became of each.

    Every row ends with a verdict that comes from re-reading the org (FIXED, STILL FAILING, NEW CAUSE,
    NOT TRIED, UNKNOWN, TWIN, RESOLVED ELSEWHERE) or as NOT SENT, each with its reason. Exit code 0: every
    row is FIXED or resolved elsewhere; 1: not all are.

    With --with-fix a safeguard is switched off, the rows are re-synced and proven, and it is switched on
    again and proven to be on, however the run ends. Exit code 1 too where it is not seen on again.
    """
    if with_fix is not None:
        check_choice(chosen)
    elif confirm:
        raise BadInputError("--confirm names a safeguard", "Add --with-fix KEY, or leave it out")
    check_allowed(choice, run)
    async with open_org(choice) as org:
        mention_unfinished(org.journal)
        graph = await org.read_graph()
        plan = plan_for(org, graph, chosen, options)
        if with_fix is None:
            return await carry_out(org, plan, run)

        async def prepared() -> Around | None:
            off = await prepare_safeguard(org, graph, chosen, with_fix, run, confirm)
            return off.run if off is not None else None

        return await carry_out(org, plan, run, prepared)


def check_choice(chosen: Choice) -> None:
    """Raises: BadInputError: The errors that were chosen have no one cause."""
    if chosen.cause is None and len(chosen.ids) != 1:
        raise BadInputError("--with-fix is for one cause", "Choose it with --cause, or one error with --id")


async def prepare_safeguard(
    org: OpenOrg,
    graph: CauseGraph,
    chosen: Choice,
    key: str,
    run: RunOptions,
    confirm: str,
) -> WithFix | None:
    """Find the safeguard, and ask for its name in production; None: the person does not want it.

    Raises:
        BadInputError: The cause has no such fix, it is none that goes off and on again, or nobody is there to
            type the name that production wants.
        RefusedError: It may not be switched off.
    """
    from syncerr_tui.fixes.model import FixRequest

    errors = roots_of(graph, event=chosen.ids[0] if chosen.ids else None, cause=chosen.cause)
    fixer = org.fixer(read_only=False)
    option = option_named(await fixer.options(await org.explained(errors)), key)
    if not option.kind.is_safeguard:
        raise BadInputError(
            f"{option.title} is not a safeguard that can be off for a while",
            f"Make it first: 'syncerr-tui fix --id {errors[0].id} --apply {key}', then re-sync",
        )
    fixer.check(option, {}, confirm or option.target.name)
    if fixer.policy.names_target:
        typed = ask_for(option, fixer.policy, {}, yes=run.yes, confirm=confirm)
        if typed is None:
            return None
        confirm = typed
        fixer.check(option, {}, confirm)
    say(f"Meanwhile: {option.title}. {option.affects}")
    request = FixRequest(option, confirm=confirm, reason=run.reason, event=errors[0].id)
    return WithFix(fixer, org.session, request)


@dataclass(frozen=True, slots=True)
class WithFix:
    """A safeguard that a person wants off for as long as a run takes."""

    fixer: Fixer
    connection: OrgSession
    request: FixRequest

    async def run(self, plan: Plan, follow: Callable[..., Awaitable[int]]) -> int:
        """Off, the run, on again. The run's exit code, or 1 where all is FIXED and it is not back on.

        Args:
            plan: What is re-synced.
            follow: Runs it; takes the keyword `stop`, and gives the exit code.

        Raises:
            SyncErrError: It is not off for certain; nothing was re-synced.
        """
        from syncerr_tui.fixes.meanwhile import OffMeanwhile

        name, begun = self.request.option.target.name, time.monotonic()
        off = OffMeanwhile(self.fixer, self.request)
        with _StopWithFix(name).installed() as stop:
            try:
                events = await self.connection.read_events([row.error.id for row in plan.rows])
                if not any(one.standing is EventStanding.FAILED for one in events.values()):
                    say(f"None of these is failing any more; {name} was left on.")
                    return ExitCode.OK
                begun = time.monotonic()
                async with off:
                    goes_on = "it goes on again when the run ends"
                    say(
                        f"{name} is off; {goes_on}."
                        if off.ours
                        else f"{name} was off already: left as it is."
                    )
                    code = await follow(stop=stop)
            except asyncio.CancelledError:
                if not stop.codes:
                    raise
                code = stop.codes[0]
            except SyncErrError:
                if off.problem is not None:
                    complain(off.problem)
                raise
        code = stop.codes[0] if stop.codes else code
        if off.problem is not None:
            code = code or ExitCode.NOT_ALL_FIXED
            complain(off.problem, code)
            return code
        if off.ours:
            took = timedelta(seconds=round(time.monotonic() - begun))
            say(off.on_again_words(duration(took)))
        return code


class _StopWithFix(Stop):
    """First the run ends, then what is off goes on again; only who insists leaves it off, and is told so."""

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
            say(f"Quit. {self._name} may be off: 'syncerr-tui safeguards' says so, and puts it back.")
            leave_at_once(code)
        self._cancelled = True
        say(f"Stopping: {self._name} is put back first; ctrl-c again quits without that.")
        self._task.cancel()
