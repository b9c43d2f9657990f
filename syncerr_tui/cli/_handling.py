"""What people have said about the errors of a list, for the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncerr_tui.cli._ledger import has_journal
from syncerr_tui.cli._running import open_journal
from syncerr_tui.triage.handling import Handlings, handlings

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.salesforce.session import OrgSession


def said_in(journal: Journal, graph: CauseGraph) -> Handlings:
    """What holds now of what was said."""
    from syncerr_tui.journal.handling import all_said

    return handlings(graph, all_said(journal), journal.now())


def said_about(connection: OrgSession, graph: CauseGraph) -> Handlings:
    """The same of an org's journal, where it has one."""
    if not has_journal(connection):
        return Handlings()
    with open_journal(connection) as journal:
        return said_in(journal, graph)
