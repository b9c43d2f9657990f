"""What any pane or service may post to the screen, and what services have in common.

The messages of one service are beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from textual.message import Message

from syncerr_tui.errors import SyncErrError
from syncerr_tui.ui.context import AppContext

if TYPE_CHECKING:
    from textual.screen import Screen

    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.ui.journals import Journals

T = TypeVar("T")


@dataclass
class Announced(Message):
    """Something to say in one line, in place of the keys."""

    line: str
    """Empty where the keys are to stand there again."""
    look: str = "strong"
    keep: bool = False
    """Until the next key, however long that takes."""
    about: frozenset[str] = frozenset()
    """Ids of the errors that it is about: it ends when a run starts, or when none of them is listed."""


@dataclass
class Troubled(Message):
    """Something does not work: it is said until something does."""

    error: SyncErrError


class StateChanged(Message, bubble=False):
    """Something has changed that the lines around the pane say."""


class JournalGrew(Message):
    """A wave is proven, or a fix was made, put back or tried: the journal has more to show."""


class Verified(Message):
    """Rows of an earlier run were checked again, and the journal knows more about them."""


class HandlingsChanged(Message):
    """Something was written down about rows: what follows from the journal is out of date."""


@dataclass
class JournalWanted(Message):
    """The person wants to see in the Journal what matches this."""

    filter_text: str


def announce(screen: Screen[Any], work: Coroutine[Any, Any, str], group: str) -> None:
    """Do this in the background, and say on the screen the line that comes of it, or why it failed."""

    async def do() -> None:
        try:
            line = await work
        except SyncErrError as error:
            screen.post_message(Announced(error.line, "bad"))
        else:
            if line:
                screen.post_message(Announced(line))

    screen.run_worker(do(), group=group, name=group)


@dataclass(frozen=True, slots=True)
class BackgroundContext:
    """What a part that works in the background is made with: it knows no screen."""

    context: AppContext
    """The org, the terminal, and what is true on screen."""
    journals: Journals
    """Makes runs, and answers questions about earlier ones."""
    post: Callable[[Message], object]
    """Takes messages for the workbench."""
    work: Callable[[Coroutine[Any, Any, None], str], object]
    """Runs a coroutine in the background, in a group of this name."""


class Service:
    """A part that works in the background and knows no screen: what happens is posted.

    Args:
        background: What it is made with.
    """

    def __init__(self, background: BackgroundContext) -> None:
        self._context = background.context
        self._journals = background.journals
        self._post = background.post
        self._work = background.work

    def _say(
        self, line: str, look: str = "strong", *, keep: bool = False, about: frozenset[str] = frozenset()
    ) -> None:
        """One line in place of the keys."""
        self._post(Announced(line, look, keep, about))

    async def _ask_journal(self, question: Callable[[Journal], T]) -> T | None:
        """Ask the journal of the org; None where no org is connected, or it cannot be read, which is said."""
        if self._context.connection is None:
            return None
        try:
            return await self._journals.ask(self._context.connection.identity.org_id, question)
        except SyncErrError as error:
            self._post(Troubled(error))
            return None
