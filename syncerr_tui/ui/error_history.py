"""What the journal remembers about an error, for the info panel: asked for when a person rests on a row.

One question at a time; who has moved on before it is asked is not asked about. Answers are kept until the
next run changes them.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from textual.message import Message

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.text import one_line
from syncerr_tui.triage.columns import Moment
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.error_details_service import KnownBetter
from syncerr_tui.ui.journals import Journals
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.journal.row_history import Memory


class ErrorHistory:
    """Memories of errors.

    Args:
        context: The org that is connected.
        journals: Whom to ask.
        work: Runs something in the background.
        tell: Posts a message to the screen.
    """

    def __init__(
        self,
        context: AppContext,
        journals: Journals,
        work: Callable[[Coroutine[Any, Any, None]], object],
        tell: Callable[[Message], object],
    ) -> None:
        self._context = context
        self._journals = journals
        self._work = work
        self._tell = tell
        self._known: dict[SyncError, Memory] = {}
        self._wanted: SyncError | None = None
        self._asking = False

    def recall(self, error: SyncError | None) -> None:
        """A person looks at this error, or at none."""
        self._wanted = error
        if error is None or error in self._known or self._asking or self._context.connection is None:
            return
        self._asking = True
        self._work(self._ask())

    def forget(self) -> None:
        """A run has written more: what is looked at now is asked for anew."""
        self._known.clear()
        self.recall(self._wanted)

    async def _ask(self) -> None:
        try:
            while (error := self._wanted) is not None and error not in self._known:
                connection = self._context.connection
                if connection is None:
                    return
                self._known[error] = await self._journals.ask(connection.identity.org_id, _about(error))
                self._tell(KnownBetter(error))
        except SyncErrError:
            # A journal that cannot be read says so in the Journal, and before anything is sent.
            return
        finally:
            self._asking = False

    def words(self, error: SyncError, moment: Moment) -> str:
        """What is remembered, in a few sentences; empty where it is nothing, or not known yet."""
        known = self._known.get(error)
        return memory_words(known, moment) if known is not None else ""


def memory_words(memory: Memory, moment: Moment) -> str:
    """`Seen in 4 re-syncs (6 rows), last fixed on 3 June by ana (after the flow was repaired).`"""
    told: list[str] = []
    cause = memory.cause
    if cause.times:
        seen = f"Its cause was seen in {plural(cause.runs, 're-sync')} ({plural(cause.times, 'row')})"
        if cause.last_fixed_at is None:
            told.append(f"{seen} and was never fixed by one so far.")
        else:
            local = cause.last_fixed_at.astimezone(moment.zone)
            why = f" ({one_line(cause.last_reason)})" if cause.last_reason else ""
            year = f" {local.year}" if local.year != moment.now.astimezone(moment.zone).year else ""
            told.append(f"{seen}, last fixed on {local.day} {local:%B}{year} by {cause.last_fixed_by}{why}.")
    if memory.tries and memory.last_at is not None:
        last = memory.last_at.astimezone(moment.zone)
        ended = memory.last_verdict.value if memory.last_verdict else "no verdict"
        told.append(f"This row was sent {_times(memory.tries)}, last on {last.day} {last:%b %H:%M}: {ended}.")
    if memory.unchanged >= 2:
        told.append(f"It was sent {_times(memory.unchanged)} with this very message: nothing has changed.")
    return " ".join(told)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _about(error: SyncError) -> Callable[[Journal], Memory]:
    def question(journal: Journal) -> Memory:
        from syncerr_tui.journal import row_history
        from syncerr_tui.resync.proof import cause_key

        return row_history.memory(journal, error, cause_key(error))

    return question
