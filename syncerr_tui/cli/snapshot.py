"""`syncerr-tui snapshot`: the list taken along in a file, to be looked at where there is no org."""

from __future__ import annotations

from pathlib import Path

import click

from syncerr_tui.cli._connect import OrgChoice, open_connection, org_options, run_async
from syncerr_tui.cli._console import narrate
from syncerr_tui.errors import ExitCode
from syncerr_tui.words import plural


@click.command()
@org_options
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The new file, readable for you alone: the messages hold what customers typed.",
)
def command(choice: OrgChoice, *, output: Path) -> int:
    """Write the errors, their causes and the org's names to a file. No login and no secret is in it.

    'syncerr-tui --snapshot FILE' opens the app on it, read-only, and the commands that only look take
    --snapshot too. A plan that is made from it can be carried out by 'apply' on the org: rows that have
    changed since are left out.
    """
    return run_async(_snapshot(choice, output))


async def _snapshot(choice: OrgChoice, output: Path) -> int:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.diagnosis.explanation import explain
    from syncerr_tui.resync.factory import clock
    from syncerr_tui.salesforce.parent_lookup import present_parents
    from syncerr_tui.salesforce.snapshot import NamesRead, Snapshot

    async with open_connection(choice) as connection:
        graph, names, at = CauseGraph(), NamesRead(), clock()
        async for page in connection.errors():
            graph.add(page)
        parents = await connection.parents(tuple(graph.errors.values()))
        graph.relate(parents)
        present = await present_parents(connection, graph.unlisted())
        graph.present(present)
        dictionary, resolver = connection.dictionary(names), connection.name_resolver(names)
        for cause in graph.causes():
            error = graph.errors[cause.roots[0]]
            diagnosis = explain(error).diagnosis
            await dictionary.covering(diagnosis, str(error.object))
            await resolver.resolve(diagnosis, object_name=str(error.object), processed_at=error.processed_at)
        snapshot = Snapshot(
            taken_at=at,
            org=connection.identity,
            method=connection.method,
            event_object=connection.mapping.object_name,
            record_key=connection.mapping.record_key,
            errors=tuple(graph.errors.values()),
            parents=parents,
            present=present,
            metadata=names.metadata,
            answers=names.answers,
        )
    snapshot.write(output)
    narrate(f"{plural(len(snapshot.errors), 'sync error')} and {plural(len(graph), 'cause')} in {output}.")
    return ExitCode.OK
