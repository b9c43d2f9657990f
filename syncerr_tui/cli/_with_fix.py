"""`resync --with-fix KEY`: a safeguard off for as long as the run takes, and on again however it ends."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from syncerr_tui.cli._console import complain, narrate
from syncerr_tui.cli._fixing import ask_for, explained, option_named, roots_of
from syncerr_tui.errors import BadInputError, ExitCode, SyncErrError
from syncerr_tui.words import duration

if TYPE_CHECKING:
    from syncerr_tui.cli._choosing import Choice
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.meanwhile import OffMeanwhile
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

    async def run(self, plan: Plan, follow: Callable[[], Awaitable[int]]) -> int:
        """Off, the run, on again. The run's exit code, or 1 where all is FIXED and it is not back on.

        Raises:
            SyncErrError: It is not off for certain; nothing was re-synced.
        """
        from syncerr_tui.fixes.meanwhile import off_meanwhile
        from syncerr_tui.model import EventStanding

        name = self.option.target.name
        seen = await self.connection.read_events([row.error.id for row in plan.rows])
        if not any(one.standing is EventStanding.FAILED for one in seen.values()):
            narrate(f"None of these is failing any more; {name} was left on.")
            return ExitCode.OK
        begun = time.monotonic()
        with _stops_cancel() as stops:
            try:
                async with off_meanwhile(
                    self.fixer, self.option, confirm=self.confirm, reason=self.reason, event=self.event
                ) as off:
                    goes_on = "it goes on again when the run ends"
                    ours = bool(off.off.fix)
                    narrate(
                        f"{name} is off; {goes_on}." if ours else f"{name} was off already: left as it is."
                    )
                    code = await follow()
            except asyncio.CancelledError:
                if not stops:
                    raise
                title = f"Stopped. {name} was put back, or 'syncerr-tui safeguards' lists it"
                complain(SyncErrError(title), stops[0])
                return stops[0]
        return _told(off, code, time.monotonic() - begun)


def _told(off: OffMeanwhile, code: int, seconds: float) -> int:
    name = off.option.target.name
    if off.left_off:
        why = off.restored.detail if off.restored else "it was not tried"
        title = f"{name} is not seen on again: {why.rstrip('.')}"
        restore = f"Put it back with 'syncerr-tui safeguards --restore {off.off.fix}'"
        complain(SyncErrError(title, restore), code or ExitCode.NOT_ALL_FIXED)
        return code or ExitCode.NOT_ALL_FIXED
    if off.off.fix:
        narrate(f"{name} is on again; it was off for {duration(timedelta(seconds=round(seconds)))}.")
    return code


@contextmanager
def _stops_cancel() -> Iterator[list[ExitCode]]:
    """SIGTERM and a closed terminal end the work as ctrl-c does: what is off goes on again first.

    Yields:
        The exit codes of the signals that have come.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    codes = {signal.SIGTERM: ExitCode.TERMINATED}
    if hasattr(signal, "SIGHUP"):
        codes[signal.SIGHUP] = ExitCode.HUNG_UP
    come: list[ExitCode] = []

    def stop(code: ExitCode) -> None:
        come.append(code)
        task.cancel()

    try:
        for number, code in codes.items():
            loop.add_signal_handler(number, stop, code)
    except (NotImplementedError, RuntimeError):  # Windows, or not the main thread
        yield come
        return
    try:
        yield come
    finally:
        for number in codes:
            loop.remove_signal_handler(number)
