"""A safeguard off for exactly as long as a re-sync takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Self, TypeVar

from syncerr_tui.errors import ExitCode, RefusedError, SyncErrError, UnreachableError
from syncerr_tui.fixes.fixer import Fixer
from syncerr_tui.fixes.model import FixOption, FixRecord, FixRequest, FixResult, FixState

T = TypeVar("T")

_OTHERS_SECONDS = 60
"""How long another process is waited for that is putting the same safeguard back."""


class OffMeanwhile:
    """Switches a safeguard off for as long as a block takes, and on again however the block ends.

    A safeguard that a colleague switched off is left as it is. One of our own open lines is taken over. Of
    several runs that need the same one off, the last to end puts it back.

    Args:
        fixer: What applies fixes.
        request: The safeguard, and for which error it goes off.

    Entering raises:
        RefusedError: It is no safeguard, or may not be switched off.
        NotOffError: It is not off for certain.
        SyncErrError: As `Fixer.apply`.
    """

    def __init__(self, fixer: Fixer, request: FixRequest) -> None:
        self.option = request.option
        self.off: FixResult | None = None
        """How switching it off ended; None where it was interrupted."""
        self.restored: FixResult | None = None
        """How putting it back ended; None where it was not for us to do."""
        self.needed_by = ""
        """Whose run still needs it off, and puts it back."""
        self._fixer = fixer
        self._request = request
        self._before: frozenset[str] = frozenset()
        """Open lines of this safeguard that were there before."""

    @property
    def ours(self) -> bool:
        """Whether it is for us, or for another run of ours, to put it back."""
        return self.restored is not None or bool(self.off and self.off.fix)

    @property
    def left_off(self) -> bool:
        """Whether it was ours to put back, and is not proven to be back."""
        return self.ours and not (self.restored is not None and self.restored.verified)

    @property
    def problem(self) -> SyncErrError | None:
        """What to say where it is left off; None where it is not."""
        name, restored = self.option.target.name, self.restored
        if not self.left_off:
            return None
        if self.needed_by:
            return SyncErrError(
                f"{name} stays off: the re-sync of {self.needed_by} needs it so, and puts it back"
            )
        why = f": {restored.detail.rstrip('.')}" if restored and restored.detail else ""
        fix = restored.fix if restored else self.off.fix if self.off else ""
        back = f"Put it back with 'syncerr-tui safeguards --restore {fix}'" if fix else ""
        return SyncErrError(f"{name} is not seen on again{why}", back)

    def on_again_words(self, took: str) -> str:
        """What to say where it is on again.

        Args:
            took: How long it was off, in words.
        """
        restored = self.restored
        more = f" {restored.detail}." if restored and restored.state is FixState.ALREADY else ""
        return f"{self.option.target.name} is on again; it was off for {took}.{more}"

    async def __aenter__(self) -> Self:
        option, ledger = self.option, self._fixer.ledger
        if not option.kind.is_safeguard:
            raise RefusedError(
                f"{option.title} is not something that can be off for a while",
                "Apply it with 'syncerr-tui fix'",
            )
        await self._take()
        try:
            self._before = frozenset(line.id for line in ledger.lines_for(option.kind, option.target))
            await self._switch_off()
        except BaseException:
            await _uninterrupted(self._put_back())
            raise
        return self

    async def _switch_off(self) -> None:
        """Apply it. Who is cancelled while the request is under way waits for what becomes of it."""
        applying = asyncio.ensure_future(self._fixer.apply(self._request))
        try:
            self.off = await asyncio.shield(applying)
        except asyncio.CancelledError:
            if self._new_lines():
                with suppress(SyncErrError):
                    self.off = await _uninterrupted(applying)
            applying.cancel()
            raise
        _check_off(self.option, self.off)

    def _new_lines(self) -> list[FixRecord]:
        """Lines of this safeguard that were begun since."""
        lines = self._fixer.ledger.lines_for(self.option.kind, self.option.target)
        return [line for line in lines if line.id not in self._before]

    async def __aexit__(self, *_: object) -> None:
        await _uninterrupted(self._put_back())

    async def _take(self) -> None:
        """Tell other processes that this run needs it off; wait for one that is putting it back."""
        ledger, target = self._fixer.ledger, self.option.target
        for _ in range(_OTHERS_SECONDS):
            if not ledger.require_off(target):
                return
            await self._fixer.sleep(1.0)
        raise RefusedError(f"{target.name} is being put back by another run", "Try again when it is on")

    async def _put_back(self) -> None:
        """Put it back, unless another run still needs it off. Never raises."""
        option, ledger = self.option, self._fixer.ledger
        try:
            self.needed_by = ledger.put_back_begins(option.target)
            if not self.needed_by:
                await self._restore()
                ledger.put_back_ended(option.target)
        except SyncErrError as error:
            fix = self.off.fix if self.off else ""
            with suppress(SyncErrError):
                lines = self._new_lines()
                if self.off is None and not lines:
                    return  # nothing was begun
                fix = fix or lines[0].id
            self.restored = FixResult(fix, FixState.UNKNOWN, False, {}, {}, error.line)

    async def _restore(self) -> None:
        """Put back every open line of it; what was interrupted puts back only what it began itself."""
        option, ledger = self.option, self._fixer.ledger
        lines = self._new_lines()
        if self.off is not None:
            lines = ledger.lines_for(option.kind, option.target)
        for line in lines:
            self.restored = await self._fixer.restore_with_retries(line.id)
        if not lines and self.off is not None and self.off.fix:
            # Somebody saw it on, or accepted another version: the line is closed.
            now = await self._fixer.look(self.off.fix)
            on = not now.is_off
            words = "It was put back by somebody else" if on else f"It is {now.state.value}: {now.detail}"
            self.restored = FixResult(self.off.fix, FixState.ALREADY, on, now.now, now.now, words)


class NotOffError(SyncErrError):
    """A safeguard is not off for certain, so that nothing was re-synced."""

    exit_code = ExitCode.NOT_ALL_FIXED


def _check_off(option: FixOption, result: FixResult) -> None:
    if result.verified:
        return
    kind: type[SyncErrError] = NotOffError
    if result.unreachable:
        kind = UnreachableError
    elif result.state is FixState.REFUSED:
        kind = RefusedError
    words = f"{option.target.name} is not off for certain: {result.detail.rstrip('.')}"
    raise kind(words, "Nothing was re-synced")


async def _uninterrupted(work: Awaitable[T]) -> T:
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
