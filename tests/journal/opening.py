"""A journal as somebody else has it open: another process, or another version of this program."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from syncerr_tui.journal.claims import Owner
from syncerr_tui.journal.database import Migrations, Server
from syncerr_tui.journal.journal import Journal


def open_as(
    folder: Path,
    org_id: str,
    *,
    clock: Callable[[], datetime],
    owner: Owner | None = None,
    migrations: Migrations | None = None,
    shared: Path | Server | None = None,
) -> Journal:
    """`Journal.open`, as this process has it, with these migrations; None: as this one."""
    with ExitStack() as somebody_else:
        if owner is not None:
            somebody_else.enter_context(patch.object(Owner, "current", return_value=owner))
        if migrations is not None:
            somebody_else.enter_context(patch("syncerr_tui.journal.database.MIGRATIONS", migrations))
        return Journal.open(folder, org_id, clock=clock, shared=shared)
