"""Making the fixes of a list from a snapshot: each is looked up again, shown, asked for and proven."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncerr_tui.cli._choosing import treatment_of
from syncerr_tui.cli._connect import OrgChoice, open_connection
from syncerr_tui.cli._console import emit, emit_json, narrate
from syncerr_tui.cli._fixing import explained, make, result_payload, show
from syncerr_tui.cli._ledger import fixer_of
from syncerr_tui.cli._running import open_journal
from syncerr_tui.cli.causes import read_graph
from syncerr_tui.errors import BadInputError, ExitCode, RefusedError
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.fix_list import FixList, ListedFix
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import FixOption, FixResult
    from syncerr_tui.salesforce.session import OrgSession

_LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class AskedFixes:
    """What the person asked for."""

    reason: str
    confirm: frozenset[str]
    """Names of targets that were typed already."""
    yes: bool
    dry_run: bool
    as_json: bool


async def apply_fixes(choice: OrgChoice, fixes: FixList, asked: AskedFixes) -> int:
    """Make what is on the list and still as it was; tell of everything else why not.

    Raises:
        SyncErrError: The org or the journal let us down; what was made before is told.
    """
    ends: Counter[str] = Counter()
    async with open_connection(choice) as connection:
        fixes.check_org(connection.identity)
        graph = await read_graph(connection)
        with open_journal(connection) as journal:
            fixer = fixer_of(connection, journal, read_only=treatment_of(choice).read_only)
            for fix in fixes.fixes:
                option, event, why = await _now(connection, graph, fixer, fix)
                if option is None:
                    ends[_LEFT_OUT] += 1
                    _tell(fix, _LEFT_OUT, why, None, asked)
                elif asked.dry_run:
                    ends["would be made"] += 1
                    after = show({**option.after, **fix.typed})
                    _tell(fix, "would be made", f"{show(option.before)} -> {after}", None, asked)
                else:
                    ends[await _make(fixer, option, fix, event, asked)] += 1
    if not fixes.fixes:
        narrate("The list is empty.")
    else:
        counts = ", ".join(f"{count} {word}" for word, count in ends.most_common())
        narrate(f"{plural(len(fixes.fixes), 'change')}: {counts}.")
    fine = {"applied", "already", "would be made", "not wanted"}
    return ExitCode.OK if fine.issuperset(ends) else ExitCode.NOT_ALL_FIXED


async def _now(
    connection: OrgSession, graph: CauseGraph, fixer: Fixer, fix: ListedFix
) -> tuple[FixOption | None, str, str]:
    """The fix as the org offers it now, and for which error; or why it is left out."""
    errors, why = fix.left(graph.errors)
    if why:
        return None, "", why
    options = await fixer.options(await explained(connection, errors))
    option, why = fix.compared(options)
    return option, errors[0].id, why


async def _make(fixer: Fixer, option: FixOption, fix: ListedFix, event: str, asked: AskedFixes) -> str:
    """Make one. What became of it, in a word."""
    name = option.target.name if option.target.name in asked.confirm else ""
    try:
        result = await make(
            fixer,
            option,
            fix.typed,
            yes=asked.yes,
            confirm=name,
            seen=fix.option.seen,
            reason=asked.reason or fix.reason,
            event=event,
        )
    except (RefusedError, BadInputError) as error:
        _tell(fix, "refused", error.line, None, asked)
        return "refused"
    if result is None:
        _tell(fix, "not wanted", "Nothing was changed.", None, asked)
        return "not wanted"
    word = result.state.value if result.verified or result.state.value != "applied" else "not proven"
    _tell(fix, word, f"{show(result.before)} -> {show(result.after)}. {result.detail}", result, asked)
    return word


def _tell(fix: ListedFix, word: str, detail: str, result: FixResult | None, asked: AskedFixes) -> None:
    option = fix.option
    if asked.as_json:
        held = result.payload() if result is not None else result_payload(detail)
        head = {"key": option.key, "title": option.title, "id": fix.errors[0].id}
        emit_json({**head, **held, "state": word})
        return
    emit(f"{word}: {option.title}. {detail}")
    if result is not None and result.fix:
        narrate(f"Fix {result.fix}; put it back with 'syncerr-tui safeguards --restore {result.fix}'.")
