"""The ledger of safeguards, told by every command that talks to an org."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from syncerr_tui.cli._console import narrate
from syncerr_tui.errors import SyncErrError
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import SafeguardNow
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.salesforce.session import OrgSession


def fixer_of(connection: OrgSession, journal: Journal, *, read_only: bool) -> Fixer:
    """What applies fixes to an open org, for this user of this machine."""
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.resync.factory import os_user

    return Fixer.of(connection.fixes(read_only=read_only), journal, os_user())


def since(line: SafeguardNow) -> str:
    """When and by whom a safeguard was switched off, for a sentence."""
    return f"{line.record.at.astimezone():%Y-%m-%d %H:%M}, by {line.record.by}"


async def mention_safeguards(connection: OrgSession) -> None:
    """One line on stderr while a safeguard is off because of us. Re-read now, so that it is true."""
    from syncerr_tui.cli._running import open_journal
    from syncerr_tui.fixes.model import SafeguardState

    if not _has_journal(connection):
        return
    try:
        with open_journal(connection) as journal:
            lines = await fixer_of(connection, journal, read_only=True).safeguards()
    except SyncErrError:
        return  # whoever needs the journal says what is wrong with it
    lines = [line for line in lines if line.state is not SafeguardState.GONE]
    off = [line for line in lines if line.state is not SafeguardState.ON]
    if off:
        names = ", ".join(line.record.target.name for line in off[:3])
        more = f" and {len(off) - 3} more" if len(off) > 3 else ""
        put_back = f"--restore {off[0].record.id}" if len(off) == 1 else "--restore-all"
        narrate(
            f"{plural(len(off), 'safeguard')} off since {since(off[0])}: {names}{more}. "
            f"Put back with 'syncerr-tui safeguards {put_back}'."
        )


def _has_journal(connection: OrgSession) -> bool:
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.resync.factory import journal_folder

    shared = connection.profile.journal
    if "://" in shared:
        return True
    name = f"journal-{connection.identity.org_id}.db"
    path = Path(shared).expanduser() if shared else journal_folder(Paths.of(os.environ).state) / name
    return path.exists()
