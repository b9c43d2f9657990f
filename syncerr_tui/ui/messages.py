"""What any pane or service may post to the screen. The messages of one service are beside it."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from syncerr_tui.errors import SyncErrError

if TYPE_CHECKING:
    from textual.screen import Screen


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
