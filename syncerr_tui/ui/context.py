"""What every part of the screen may need: who we talk to, how this terminal is, what time it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from syncerr_tui.host.terminal import TerminalProfile

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.org_notes import OrgNotes
    from syncerr_tui.host.config import Config
    from syncerr_tui.model import Environment
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.triage.state import UiState

WANTS_SETUP = -1
"""Return code of an app that was left for the guided set-up. No exit code of the process."""

Connect = Callable[[], Awaitable["OrgSession"]]
"""Logs in and looks at the org. May raise errors of `syncerr_tui.errors`."""


def _happened() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class AppContext:
    """The surroundings of the screen. Changed by the app only.

    What the first frame does without is imported when it is first asked for.
    """

    connect: Connect
    terminal: TerminalProfile = field(default_factory=TerminalProfile)
    own_config: Config | None = None
    """What the person's `config.toml` says; None where there is none."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    read_only: bool = False
    read_notes: Callable[[], OrgNotes | None] = lambda: None
    """Reads the organisation's own notes, in a thread. May raise `BadInputError`."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Where this machine tells of its browser and its clipboard."""
    welcome: str = ""
    """What to say once the org has answered, until the first key."""
    org: str = ""
    """What the org is called here, before it tells its own name."""
    connection: OrgSession | None = None
    write_to_terminal: Callable[[str], object] = lambda _sequence: None
    """Sends a control sequence of our own making: the clipboard's."""
    settled: asyncio.Event = field(default_factory=_happened)
    """Cleared while other rows are looked for, or another order: keys wait, as they are meant for those."""
    key: str = ""
    """The key that was pressed last, as Textual calls it."""

    @cached_property
    def config(self) -> Config:
        """How the person wants the app; the usual where they have not said."""
        from syncerr_tui.host.config import Config

        return self.own_config or Config()

    @cached_property
    def state(self) -> UiState:
        """What is true on screen now. It is replaced, never changed."""
        from syncerr_tui.triage.state import UiState

        return UiState()

    def key_of(self, action_id: str) -> str:
        """The key that asks for an action, as a person reads it."""
        return self.config.actions.key_of(action_id, unicode=self.terminal.unicode)

    @property
    def unread(self) -> str:
        """Why nothing is known of the list; empty once something is."""
        if self.state.reading.has_rows:
            return ""
        reading = self.state.reading
        if self.connection is not None:
            return "not read yet"
        return "connecting to the org ..." if reading.active or reading.failure is None else "not connected"

    @property
    def on_snapshot(self) -> bool:
        """Whether a file stands in place of the org."""
        return self.connection is not None and self.connection.snapshot is not None

    @property
    def environment(self) -> Environment:
        """PRODUCTION until the org says otherwise."""
        from syncerr_tui.model import Environment

        return self.connection.identity.environment if self.connection else Environment.PRODUCTION
