"""A safeguard off for exactly as long as a re-sync takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from syncerr_tui.errors import ExitCode, RefusedError, SyncErrError, UnreachableError
from syncerr_tui.fixes.fixer import Fixer
from syncerr_tui.fixes.model import FixOption, FixResult, FixState


@dataclass(slots=True)
class OffMeanwhile:
    """A safeguard that is off for as long as a run takes."""

    option: FixOption
    off: FixResult
    restored: FixResult | None = None
    """How putting it back ended; None before that, and where it was off before by somebody else."""

    @property
    def left_off(self) -> bool:
        """Whether it was ours to put back, and is not proven to be back."""
        return bool(self.off.fix) and (self.restored is None or not self.restored.verified)


@asynccontextmanager
async def off_meanwhile(
    fixer: Fixer,
    option: FixOption,
    *,
    confirm: str = "",
    seen: str = "",
    reason: str = "",
    event: str = "",
) -> AsyncGenerator[OffMeanwhile, None]:
    """Switch a safeguard off for as long as the block takes, and on again however it ends.

    A safeguard that a colleague switched off is left as it is. One of our own open lines is taken over.

    Raises:
        RefusedError: It is no safeguard, or may not be switched off.
        NotOffError: It is not off for certain.
        SyncErrError: As `apply`.
    """
    if not option.kind.is_safeguard:
        raise RefusedError(
            f"{option.title} is not something that can be off for a while",
            "Apply it with 'syncerr-tui fix'",
        )
    earlier = fixer.ledger.open_for(option.kind, option.target)
    off: OffMeanwhile | None = None
    try:
        result = await fixer.apply(option, confirm=confirm, seen=seen, reason=reason, event=event)
        off = OffMeanwhile(option, result)
        if not result.verified:
            raise _not_off(option, result)
        yield off
    finally:
        line = fixer.ledger.open_for(option.kind, option.target)
        if line is not None and (off is not None or line != earlier):
            restored = await _uninterrupted(fixer.restore_surely(line.id))
            if off is not None:
                off.restored = restored


class NotOffError(SyncErrError):
    """A safeguard is not off for certain, so that nothing was re-synced."""

    exit_code = ExitCode.NOT_ALL_FIXED


def _not_off(option: FixOption, result: FixResult) -> SyncErrError:
    kind: type[SyncErrError] = NotOffError
    if result.unreachable:
        kind = UnreachableError
    elif result.state is FixState.REFUSED:
        kind = RefusedError
    words = f"{option.target.name} is not off for certain: {result.detail.rstrip('.')}"
    return kind(words, "Nothing was re-synced")


async def _uninterrupted(work: Awaitable[FixResult]) -> FixResult:
    """Finish although this task is cancelled: what is off must go on again first."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
            break
        cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    return task.result()
