"""What any pane or service may post to the workbench. The messages of one service are beside it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from syncerr_tui.errors import SyncErrError


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


class Verified(Message):
    """Rows of an earlier run were checked again, and the journal knows more about them."""
