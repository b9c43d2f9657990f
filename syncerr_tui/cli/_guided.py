"""The guided method at the command line: what to press in Salesforce, and line by line what was pressed.

The same words as in the app, without a screen: rows are ticked off by their numbers while others are proven.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from syncerr_tui.cli import _console
from syncerr_tui.cli._console import narrate
from syncerr_tui.text import cells, one_line
from syncerr_tui.triage.salesforce_time import LONGEST, SalesforceTime
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.model import OrgIdentity, SyncError
    from syncerr_tui.resync.events import AskPerson
    from syncerr_tui.resync.runner import Runner

_QUESTION = "Pressed? y all, n none of them, 1,3-5 these, -3 not 3 after all, l list again: "
_PART = re.compile(r"(-?)(\d{1,6})(?:-(\d{1,6}))?")


class PersonAtTerminal:
    """Asks what was pressed, as long as something is to press.

    Args:
        runner: Takes the answers.
        identity: Whose times are shown.
        stopped: Set when the run is to stop.
    """

    def __init__(self, runner: Runner, identity: OrgIdentity, stopped: asyncio.Event) -> None:
        self._runner = runner
        self._stopped = stopped
        self._times = SalesforceTime(identity.time_zone, identity.locale)
        self._address: str | None = None
        self._rows: list[SyncError] = []
        """What is to press in this wave; a row's number is its place here."""
        self._ticked: set[str] = set()
        self._asking: asyncio.Task[None] | None = None
        self._prompted = False

    def asked(self, event: AskPerson) -> None:
        """Name the rows, and begin to ask. Rows in doubt are not asked about: they are only read again."""
        self._rows = [error for error in event.errors if error.id not in event.doubtful]
        self._ticked = set()
        self._address = event.address
        if not self._rows:
            return
        self._list()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())

    def step_aside(self) -> None:
        """Something else is about to be written: the question stands on a line of its own."""
        if self._prompted:
            self._prompted = False
            _console.prompt("\n")

    def come_back(self) -> None:
        """It is written: the question again."""
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
        narrate(f"In Salesforce, open the Sync Error Tool{where}")
        narrate("Tick exactly these, in this order, and press Re-sync:")
        narrate(f"(Processed At: {self._times.note}.)")
        for number, error in enumerate(self._rows, 1):
            done = "pressed" if error.id in self._ticked else ""
            when = f"{self._times(error.processed_at):<{LONGEST}}"
            head = f"{number:>4}  {error.object} {error.event_type}  {when}  {done}"
            room = _console.width() - cells(head) - 2
            narrate(f"{head}  {one_line(error.message)[: max(room, 20)]}")
            narrate(f"      {error.storeconnect_id or '-'}  {error.salesforce_id or '-'}  {error.id}")

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
            self._hear(line.strip().casefold())

    def _hear(self, word: str) -> None:
        left = [error.id for error in self._rows if error.id not in self._ticked]
        if word in {"y", "yes"}:
            self._tick(left, pressed=True)
        elif word in {"n", "no"}:
            self._runner.person.decline(left)
            self._rows = []
        elif word in {"", "l"}:
            self._list()
        elif (numbers := _numbers(word, len(self._rows))) is None:
            narrate(f"Answer y, n, l, or numbers from 1 to {len(self._rows)}: 1,3-5.")
        else:
            for number, pressed in numbers:
                self._tick([self._rows[number - 1].id], pressed=pressed)

    def _tick(self, events: list[str], *, pressed: bool) -> None:
        heard = self._runner.person.tick(events, pressed=pressed)
        self._ticked = self._ticked | heard if pressed else self._ticked - heard
        left = len(self._rows) - len(self._ticked)
        if left:
            narrate(f"{plural(left, 'row')} to press.")


def _numbers(text: str, last: int) -> list[tuple[int, bool]] | None:
    """Rows by number and whether they were pressed; None where that cannot be read."""
    numbers: list[tuple[int, bool]] = []
    for part in re.split(r"[,\s]+", text):
        found = _PART.fullmatch(part)
        if found is None:
            return None
        first, end = int(found[2]), int(found[3] or found[2])
        if not 1 <= first <= end <= last:
            return None
        numbers += [(number, not found[1]) for number in range(first, end + 1)]
    return numbers
