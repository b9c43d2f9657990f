"""An org's journal, for the time of one command: opened once; and what it holds beside the runs.

Safeguards that are off, what people have said, what earlier runs left.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from syncerr_tui.cli._console import narrate
from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import Verdict
from syncerr_tui.triage.handling import Handlings, handlings
from syncerr_tui.words import local_minute, plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import SafeguardNow
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.journal.row_history import LeftByRuns
    from syncerr_tui.salesforce.profiles import OrgProfile
    from syncerr_tui.salesforce.session import OrgSession


_TWINS = 5
"""TWIN rows that are named one by one."""


class LateJournal:
    """The journal of an open org, opened when it is first needed, and once. Leaving the block closes it."""

    def __init__(self, connection: OrgSession) -> None:
        self._connection = connection
        self._journal: Journal | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._journal is not None:
            self._journal.close()

    def open(self) -> Journal:
        """The journal, begun where there is none yet.

        Raises:
            SyncErrError: It cannot be used.
        """
        if self._journal is None:
            self._journal = journal_of(self._connection.identity.org_id, self._connection.profile)
        return self._journal

    def existing(self) -> Journal | None:
        """The journal where there is one: looking makes none. Raises as `open`."""
        from syncerr_tui.host.paths import Paths
        from syncerr_tui.journal.places import own_journal, shared_place

        place = shared_place(self._connection.profile.journal)
        path = place or own_journal(Paths.of(os.environ).state, self._connection.identity.org_id)
        return self.open() if not isinstance(path, Path) or path.exists() else None


def journal_of(org_id: str, profile: OrgProfile) -> Journal:
    """The journal of an org that needs not be reached; says where it was damaged, or does not know all."""
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.journal.places import open_journal
    from syncerr_tui.salesforce.auth.secrets import journal_password

    password = journal_password(profile, os.environ)
    journal = open_journal(Paths.of().state, org_id, shared=profile.journal, password=password)
    if journal.loss:
        narrate(f"{journal.loss}.")
    return journal


def fixer_of(connection: OrgSession, journal: Journal, *, read_only: bool) -> Fixer:
    """What applies fixes to an open org, for this user of this machine."""
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.journal.claims import os_user

    return Fixer.of(connection.fixes(read_only=read_only), journal, os_user())


def since(line: SafeguardNow) -> str:
    """When and by whom a safeguard was switched off, for a sentence."""
    return f"{local_minute(line.record.at)}, by {line.record.by}"


async def mention_open_matters(connection: OrgSession, late: LateJournal) -> None:
    """On stderr what must not be forgotten: safeguards that are off because of us, and TWINs, each with the
    addresses of its records.
    """
    from syncerr_tui.diagnosis.links import record_pages
    from syncerr_tui.journal.history import History

    try:
        off = await safeguards_off(connection, late)
        journal = late.existing()
        twins = History(journal).last_judged(Verdict.TWIN) if journal is not None else ()
    except SyncErrError:
        return  # whoever needs the journal says what is wrong with it
    if off:
        narrate(f"{off_summary(off)}. {put_back_words(off)}.")
    for twin in twins[:_TWINS]:
        ids = [record["id"] for record in twin.evidence.get("records") or ()]
        pages = record_pages(ids, str(twin.error.object), connection.identity.instance_url)
        addresses = " ".join(page for _, page in pages)
        narrate(f"TWIN {twin.error.short_name} ({twin.error.id}): two records to merge. {addresses}".rstrip())
    if twins[_TWINS:]:
        narrate(f"And {plural(len(twins) - _TWINS, 'more TWIN')}: syncerr-tui report")


async def safeguards_off(connection: OrgSession, late: LateJournal) -> list[SafeguardNow]:
    """What is off because of us and not seen on again, re-read now, oldest first.

    Raises:
        SyncErrError: The journal cannot be used.
    """
    from syncerr_tui.fixes.model import SafeguardState

    journal = late.existing()
    if journal is None:
        return []
    lines = await fixer_of(connection, journal, read_only=True).safeguards()
    return [line for line in lines if line.state not in {SafeguardState.ON, SafeguardState.GONE}]


def off_summary(off: list[SafeguardNow]) -> str:
    """`2 safeguards off since 2026-11-28 02:14, by ana: Order.Needs_Tax_Number, Order_Builder`."""
    from syncerr_tui.fixes.org import short_list

    names = short_list([line.record.target.name for line in off], 3)
    return f"{plural(len(off), 'safeguard')} off since {since(off[0])}: {names}"


def put_back_words(off: list[SafeguardNow]) -> str:
    which = f"--restore {off[0].record.id}" if len(off) == 1 else "--restore-all"
    return f"Put back with 'syncerr-tui safeguards {which}'"


def said_in(journal: Journal | None, graph: CauseGraph) -> Handlings:
    """What holds now of what was said."""
    from syncerr_tui.journal.people import all_said

    return handlings(graph, all_said(journal), journal.now()) if journal is not None else Handlings()


def left_in(journal: Journal | None, graph: CauseGraph) -> LeftByRuns:
    """What earlier runs left of these errors."""
    from syncerr_tui.journal.row_history import LeftByRuns, standing

    return standing(journal, graph.errors) if journal is not None else LeftByRuns({}, {}, {})
