"""A person at a terminal: starts the real program on an org, with a home that others may share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncerr_tui.demo.server import DemoServer
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.stopwatch import utc_now
from tests import forks


@dataclass(slots=True)
class Terminal:
    """Where commands are typed."""

    home: Path
    server: DemoServer

    @property
    def env(self) -> dict[str, str]:
        """What the program finds around it."""
        return {
            "SYNCERR_HOME": str(self.home),
            "SYNCERR_INSTANCE_URL": self.server.instance_url,
            "SYNCERR_ACCESS_TOKEN": self.server.access_token,
        }

    def start(self, *words: str, **more: Any) -> forks.Child:
        """Begin a command; `more`: as `forks.start` takes it."""
        return forks.start(*words, "--org", "box", env=self.env, **more)

    def run(self, *words: str, fsize: int | None = None) -> forks.Child:
        """A command from its beginning to its end."""
        child = self.start(*words, fsize=fsize)
        child.wait()
        return child


@contextmanager
def journal_of(home: Path) -> Iterator[History]:
    """The one journal under a home, as another process reads it."""
    (path,) = (home / "state" / "journals").glob("journal-*.db")
    with Journal.open(path.parent, path.stem.removeprefix("journal-"), clock=utc_now) as journal:
        yield History(journal)
