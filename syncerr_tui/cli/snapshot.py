"""`syncerr-tui snapshot`: the list taken along in a file, to be looked at where there is no org."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._connect import OpenOrg, OrgChoice, open_org, org_command
from syncerr_tui.cli._console import say
from syncerr_tui.errors import ExitCode
from syncerr_tui.model import chunks
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.org import KnownFixes
    from syncerr_tui.salesforce.snapshot import MemoryMetadataStore

_LOOKED_UP_TOGETHER = 25
"""Errors of one cause whose fixes are looked up in one go: each may name a record of its own."""
_LOOKUPS = 200
"""Times that the org is asked what would fix some errors, worst cause first."""


@org_command
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The new file, readable only by you: the messages hold what customers typed.",
)
async def command(choice: OrgChoice, *, output: Path) -> int:
    """Write the errors, their causes and the org's names to a file. No login and no secret is in it.

    'syncerr-tui --snapshot FILE' opens the app on it, read-only, and the commands that only look take
    --snapshot too. A plan or a list of fixes that is made from it can be carried out by 'apply' on the org:
    what has changed since is left out.
    """
    from syncerr_tui.salesforce.snapshot import MemoryMetadataStore, Snapshot
    from syncerr_tui.stopwatch import utc_now

    async with open_org(choice) as org:
        names, at = MemoryMetadataStore(), utc_now()
        graph, parents, present = await org.read_related()
        fixes = await _known_fixes(org, graph, names)
        snapshot = Snapshot(
            taken_at=at,
            org=org.session.identity,
            method=org.session.method,
            event_object=org.session.mapping.object_name,
            record_key=org.session.mapping.record_key,
            errors=tuple(graph.errors.values()),
            parents=parents,
            present=present,
            metadata=names.metadata,
            answers=names.answers,
            fixes=tuple(fixes),
        )
    snapshot.write(output)
    say(f"{plural(len(snapshot.errors), 'sync error')} and {plural(len(graph), 'cause')} in {output}.")
    return ExitCode.OK


async def _known_fixes(org: OpenOrg, graph: CauseGraph, names: MemoryMetadataStore) -> list[KnownFixes]:
    """What the org offers for each cause, worst first; its names and places are kept on the way."""
    from syncerr_tui.diagnosis.explanation import explain
    from syncerr_tui.fixes.model import options_for
    from syncerr_tui.fixes.org import FixScope, KnownFixes

    dictionary, resolver = org.session.dictionary(names), org.session.name_resolver(names)
    fixes = org.session.fixes()
    finder = await fixes.finder()
    known: list[KnownFixes] = []
    for cause in graph.causes():
        error = graph.errors[cause.roots[0]]
        diagnosis = explain(error).diagnosis
        await resolver.resolve(diagnosis, object_name=str(error.object), processed_at=error.processed_at)
        for rows in chunks(cause.roots, _LOOKED_UP_TOGETHER):
            pairs = await org.explained(map(graph.errors.__getitem__, rows), dictionary)
            if len(known) == _LOOKUPS:
                break
            options = options_for(await finder.facts(pairs), fixes.policy)
            of_records = any(option.automatic and option.kind.scope is FixScope.RECORD for option in options)
            ids = tuple(rows) if of_records else cause.roots
            known.append(KnownFixes(ids, tuple(option.payload() for option in options)))
            if not of_records:
                break  # one change for all of them, or none from here
    return known
