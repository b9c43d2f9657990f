"""`syncerr-tui plan`: what a re-sync would do, row by row, and a file that `apply` carries out exactly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncerr_tui.cli._choosing import Choice, PlanOptions, choosing, plan_for, planning
from syncerr_tui.cli._connect import OrgChoice, open_org, org_command
from syncerr_tui.cli._console import json_option, say, tell
from syncerr_tui.cli._running import (
    mention_unfinished,
    tell_plan,
    warn_of_repeats,
    warn_of_unsettled,
)
from syncerr_tui.errors import ExitCode

if TYPE_CHECKING:
    from syncerr_tui.model import SyncError


@org_command
@choosing
@planning
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the plan to this new file, for 'syncerr-tui apply'.",
)
@json_option("One JSON line for each error.")
async def command(choice: OrgChoice, *, chosen: Choice, options: PlanOptions, output: Path | None) -> int:
    """Show what would be re-synced, in which order, and what would be left out and why. Changes nothing."""
    from syncerr_tui.resync import plan_file

    async with open_org(choice) as org:
        graph = await org.read_graph()
        plan = plan_for(org, graph, chosen, options)
        mention_unfinished(org.journal)
        warn_of_unsettled(org.journal, plan)
        warn_of_repeats(org.journal, plan)
    if output is not None:
        plan_file.write_plan(plan, output)
    for row in plan.rows:
        _tell(row.error, row.wave, row.reason, f"{row.error.code or 'no code'}: {row.reason}")
    for out in plan.left_out:
        _tell(graph.errors[out.id], None, out.reason, out.reason)
    tell_plan(plan)
    if output is not None:
        say(f"Written to {output}. Carry it out with 'syncerr-tui apply {output}'.")
    return ExitCode.OK


def _tell(error: SyncError, wave: int | None, reason: str, words: str) -> None:
    goes = "left out" if wave is None else f"wave {wave}"
    tell(
        {**error.payload(), "verdict": None, "reason": reason, "planned": wave is not None, "wave": wave},
        f"{goes:<18} {error.object} {error.event_type} {error.id}  {words}",
    )
