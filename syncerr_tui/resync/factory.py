"""The parts of a run put together for real life: this machine's clock and user, its journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom

from syncerr_tui.errors import BadInputError
from syncerr_tui.journal.claims import os_user
from syncerr_tui.journal.database import Server
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal, Who
from syncerr_tui.resync.org import Org
from syncerr_tui.resync.runner import Runner, RunRequest
from syncerr_tui.stopwatch import steady_seconds


def clock() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


def journal_folder(state_folder: Path) -> Path:
    """Where the journals of all orgs are, under the program's state folder."""
    return state_folder / "journals"


def shared_place(shared: str, password: Callable[[], str] | None = None) -> Path | Server | None:
    """Where a profile's `journal` is; None for the file that each user has.

    Args:
        shared: The file or the address that the profile names; empty or `sqlite`: none.
        password: Asks for the password of a team's database.

    Raises:
        BadInputError: It is neither a file of this machine nor the address of a database.
    """
    if shared in {"", "sqlite"}:
        return None
    if "://" in shared:
        return Server.of(shared, password)
    path = Path(shared).expanduser()
    if not path.is_absolute():
        raise BadInputError(
            "The profile's journal is neither a file of this machine nor a database",
            'Write its whole path: journal = "/srv/acme.db", or journal = "postgresql://user@host/database"',
        )
    return path


def own_journal(state_folder: Path, org_id: str) -> Path:
    """The file of this user alone."""
    return journal_folder(state_folder) / f"journal-{org_id}.db"


def open_journal(
    state_folder: Path,
    org_id: str,
    now: Callable[[], datetime] = clock,
    *,
    shared: str = "",
    password: Callable[[], str] | None = None,
) -> Journal:
    """The journal of an org, under the program's state folder or where its profile says.

    Args:
        state_folder: This user's folder for what must survive.
        org_id: The org.
        now: This machine's time, aware.
        shared: What the profile says (`shared_place`).
        password: Asks for the password of a team's database.

    Raises:
        BadInputError: `shared` names neither a file of this machine nor a database.
        MachineError: It cannot be used; nothing may be sent.
    """
    folder, log_folder = journal_folder(state_folder), state_folder / "requests"
    place = shared_place(shared, password)
    own = own_journal(state_folder, org_id)
    if place is None or place == own or not own.exists():
        return Journal.open(folder, org_id, clock=now, log_folder=log_folder, shared=place)
    # What this user's own journal left open before there was a shared one is in doubt there too.
    with Journal.open(folder, org_id, clock=now, log_folder=log_folder) as mine:
        left = [] if mine.moved_to else list(History(mine).open_attempts().values())
    journal = Journal.open(folder, org_id, clock=now, log_folder=log_folder, shared=place)
    journal.remember(left)
    return journal


def make_runner(
    org: Org,
    journal: Journal,
    request: RunRequest,
    *,
    now: Callable[[], datetime] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Runner:
    """A runner for what a person wants done, ready to `run()`.

    Args:
        org: The org, as the runner may see it.
        journal: Its journal.
        request: What to do.
        now: The time; None: the journal's.
        sleep: Waits for seconds.
    """
    identity = org.identity
    return Runner(
        org,
        journal,
        request,
        who=Who(os_user(), identity.username, identity.environment.value),
        clock=now or journal.now,
        sleep=sleep,
        rng=SystemRandom(),
        steady=steady_seconds,
    )
