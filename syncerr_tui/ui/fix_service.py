"""Fixes as the app makes them: looked up, applied and put back in the background. It knows no screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from syncerr_tui.model import SyncError
from syncerr_tui.ui.messages import BackgroundContext, Service, StateChanged

if TYPE_CHECKING:
    # Needed when the first fix is asked for, not for the first frame.
    from syncerr_tui.diagnosis.explanation import Explanation
    from syncerr_tui.fixes.fix_list import FixChooser
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import FixOption, FixRecord, FixResult, SafeguardNow
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.salesforce.session import OrgSession


class FixService(Service):
    """Looks up, applies and puts back, and knows what is off.

    Args:
        explain: What is known about an error.
    """

    def __init__(self, background: BackgroundContext, explain: Callable[[SyncError], Explanation]) -> None:
        super().__init__(background)
        self._explain = explain
        self._cached: tuple[OrgSession, Fixer] | None = None
        self.off: tuple[FixRecord, ...] = ()
        """Safeguards that may be off because of us, as the journal has it."""
        self.applying = False
        """A fix is being made or put back."""

    @property
    def fixer(self) -> Fixer:
        """What applies fixes in the org that is connected now.

        Raises:
            MachineError: The journal cannot be opened.
        """
        connection = self._context.connection
        assert connection is not None, "actions ask for a connection first"
        if self._cached is None or self._cached[0] is not connection:
            org = connection.fixes(read_only=self._context.read_only)
            self._cached = connection, self._journals.fixer(connection.identity.org_id, org)
        return self._cached[1]

    @property
    def names_target(self) -> bool:
        """Whether a person types the target's name before anything is changed."""
        return not self._context.on_snapshot and self.fixer.policy.names_target

    @property
    def _chooser(self) -> FixChooser | None:
        """What makes a list of fixes in place of changes; None where there is an org to change."""
        from syncerr_tui.fixes.fix_list import FixChooser

        connection = self._context.connection
        assert connection is not None, "actions ask for a connection first"
        return FixChooser(connection.snapshot) if connection.snapshot is not None else None

    async def options(self, errors: Sequence[SyncError]) -> list[FixOption]:
        """The fixes of errors with one cause, smallest scope first.

        Raises:
            SyncErrError: The org could not be asked.
        """
        if (chooser := self._chooser) is not None:
            return chooser.options(errors)
        return await self.fixer.options([(error, self._explain(error)) for error in errors])

    async def apply(self, option: FixOption, typed: Mapping[str, str], name: str, event: str) -> FixResult:
        """Make a change and prove it.

        Args:
            option: As it was shown.
            typed: Field -> what was typed for it.
            name: The target's name, as it was typed.
            event: The error it is for.

        Raises:
            SyncErrError: Nothing was changed.
        """
        from syncerr_tui.fixes.model import FixRequest

        if (chooser := self._chooser) is not None:
            return await asyncio.to_thread(chooser.choose, option, typed, event)
        fixer = self.fixer
        self.applying = True
        try:
            values = await fixer.typed(option, typed)
            return await fixer.apply(FixRequest(option, values, name, option.seen, event=event))
        finally:
            self.applying = False
            await self.recall()

    async def safeguards(self) -> list[SafeguardNow]:
        """Every safeguard on the ledger, re-read now; what is on again is off the ledger by this.

        Raises:
            MachineError: The journal cannot be used.
        """
        try:
            return await self.fixer.safeguards()
        finally:
            await self.recall()

    async def restore(self, fixes: Sequence[str]) -> list[FixResult]:
        """Put these fixes back, one after another.

        Raises:
            SyncErrError: One of them could not be begun; those before it are done.
        """
        self.applying = True
        try:
            return [await self.fixer.restore(fix) for fix in fixes]
        finally:
            self.applying = False
            await self.recall()

    async def accept(self, fix: str) -> str:
        """Close a line because another version of its Flow is meant to be active. What came of it, in words.

        Raises:
            SyncErrError: It is off, or cannot be read.
        """
        now = await self.fixer.accept(fix)
        return now.detail or f"{now.record.target.name}: its entry is closed."

    async def record(self, text: str, reason: str) -> str:
        """Put a safeguard on the ledger that a person switched off by hand. What came of it, in words.

        Raises:
            SyncErrError: The org has no such safeguard, it is not off, or it cannot be read.
        """
        record = await self.fixer.record(text, reason=reason)
        return f"{record.target.name} is on the list: it is not forgotten."

    async def recall(self) -> None:
        """Read from the journal what may be off. Does not raise: what cannot be read is said."""

        def question(journal: Journal) -> tuple[FixRecord, ...]:
            from syncerr_tui.fixes.ledger import FixLedger

            return tuple(FixLedger(journal).open_safeguards())

        off = await self._ask_journal(question)
        self.off = self.off if off is None else off
        self._post(StateChanged())
