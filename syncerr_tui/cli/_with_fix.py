"""`resync --with-fix KEY`: a safeguard off for as long as the run takes, and on again however it ends."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from syncerr_tui.cli._console import complain, narrate
from syncerr_tui.cli._fixing import ask_for, explained, option_named, roots_of
from syncerr_tui.cli._running import Stop, leave_at_once
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.words import duration

if TYPE_CHECKING:
    from syncerr_tui.cli._choosing import Choice
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import FixOption
    from syncerr_tui.resync.plan import Plan
    from syncerr_tui.salesforce.session import OrgSession


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
