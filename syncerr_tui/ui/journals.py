"""The journal of each org that is worked on: one hand writes (the run, on the app's loop), one reads.

Reading has a thread and a file handle of its own, so that no question to the journal ever holds up a key.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from syncerr_tui.errors import SyncErrError

if TYPE_CHECKING:
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.org import FixOrg
    from syncerr_tui.journal.attempt import Attempt
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.resync.run_state import RunRequest
    from syncerr_tui.resync.runner import Runner
    from syncerr_tui.salesforce.profiles import OrgProfile
    from syncerr_tui.salesforce.session import OrgSession

T = TypeVar("T")


class Journals:
    """Opens journals late, makes runs that write them, and asks them questions.

    Args:
        state: The program's folder for what must survive; the commands use the same one.
        clock: This machine's time.
        sleep: How a run waits, and a fix.
    """

    def __init__(
        self,
        state: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.folder = state
        self._clock = clock
        self._sleep = sleep
        self._written: dict[str, Journal] = {}
        self._read: dict[str, Journal] = {}
        self._reader: ThreadPoolExecutor | None = None
        self._active: dict[str, set[str]] = {}
        self._profiles: dict[str, OrgProfile] = {}
        self._presence: asyncio.Task[None] | None = None
        """Tells colleagues that this person is here."""
        self.loss = ""
        """What a journal has lost, until somebody has told the person."""

    def connected(self, connection: OrgSession) -> None:
        """An org answered: its profile may name a journal that several users share."""
        org_id = connection.identity.org_id
        self._profiles[org_id] = connection.profile
        if connection.profile.journal not in {"", "sqlite"} and self._presence is None:
            self._presence = asyncio.ensure_future(self._stay_present(org_id))

    def run(self, request: RunRequest, connection: OrgSession) -> Runner:
        """A run of what a person wants done, written down in that org's journal.

        Raises:
            MachineError: The journal cannot be opened or written.
        """
        from syncerr_tui.resync.runner import Runner
        from syncerr_tui.stopwatch import Machine

        journal = self._open(self._written, connection.identity.org_id)
        return Runner(connection, journal, request, machine=Machine(journal.now, self._sleep))

    def fixer(self, org_id: str, org: FixOrg) -> Fixer:
        """What applies fixes in an org, and writes them down in its journal first.

        Raises:
            MachineError: The journal cannot be opened.
        """
        from syncerr_tui.fixes.fixer import Fixer
        from syncerr_tui.journal.claims import os_user

        return Fixer.of(org, self._open(self._written, org_id), os_user(), self._sleep)

    async def verify(self, connection: OrgSession, records: Sequence[Attempt]) -> list[Attempt]:
        """Read from the org once more what was sent, and write down what it is now. Sends nothing.

        Raises:
            MachineError: It cannot be written down.
            UnreachableError, NotLoggedInError, RefusedError: It cannot be read.
        """
        from syncerr_tui.resync.doubt import verify

        journal = self._open(self._written, connection.identity.org_id)
        return await verify(connection, journal, records, proof_timeout=0.0, sleep=self._sleep)

    async def ask(self, org_id: str, question: Callable[[Journal], T]) -> T:
        """Ask a journal, in the thread of readers. Questions are answered one after another.

        Raises:
            MachineError: It cannot be opened or read.
        """
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, thread_name_prefix="journal")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, lambda: question(self._open(self._read, org_id)))

    def open_anew(self, org_id: str) -> Journal:
        """A journal of its own for the thread that asks; whoever asks closes it.

        Raises:
            MachineError: It cannot be opened.
        """
        return self._open({}, org_id)

    def ours(self, org_id: str) -> frozenset[str]:
        """Ids of the runs that go on in this very program."""
        return frozenset(self._active.get(org_id, ()))

    def close(self) -> None:
        if self._presence is not None:
            self._presence.cancel()
        for journal in self._written.values():
            journal.close()
        self._written.clear()
        if self._reader is not None:
            self._reader.submit(self._close_read)
            self._reader.shutdown()
            self._reader = None

    async def _stay_present(self, org_id: str) -> None:
        from syncerr_tui.journal.claims import BEAT_SECONDS
        from syncerr_tui.journal.people import LOOKS

        while True:
            with suppress(SyncErrError):  # who asks or writes meets it, and says so
                await self.ask(org_id, lambda journal: journal.present(LOOKS))
                # A run must not wait for the network before it can begin.
                await self.ask(org_id, lambda _: self._open(self._written, org_id))
            await asyncio.sleep(BEAT_SECONDS)

    def _close_read(self) -> None:
        for journal in self._read.values():
            if self._presence is not None:
                with suppress(SyncErrError):
                    journal.present("")
            journal.close()
        self._read.clear()

    def _open(self, journals: dict[str, Journal], org_id: str) -> Journal:
        """The journal of that org, opened in the thread that will use it."""
        journal = journals.get(org_id)
        if journal is None:
            from syncerr_tui.journal.places import open_journal

            profile, password = self._profiles.get(org_id), None
            if profile is not None and profile.journal_password is not None:
                from syncerr_tui.salesforce.auth.secrets import journal_password

                password = journal_password(profile, os.environ)
            journal = open_journal(
                self.folder,
                org_id,
                now=self._clock,
                shared=profile.journal if profile else "",
                password=password,
            )
            # Whoever reads must know which runs go on in this very program.
            journal.active = self._active.setdefault(org_id, journal.active)
            self.loss = journal.loss or self.loss
            journals[org_id] = journal
        return journal
