"""Which errors a command is about: `--id`, `--filter`, `--all` or `--cause`; and the plan for them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from syncerr_tui.cli._console import json_option, say
from syncerr_tui.cli._options import packed
from syncerr_tui.diagnosis.links import full_id
from syncerr_tui.errors import BadInputError
from syncerr_tui.text import one_line
from syncerr_tui.triage.handling import Handlings
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.cli._connect import OpenOrg
    from syncerr_tui.diagnosis.causes import Cause, CauseGraph
    from syncerr_tui.model import SyncError
    from syncerr_tui.resync.plan import LeftOut, Plan
    from syncerr_tui.triage.filter import Filter
    from syncerr_tui.triage.handling import Handlings

_LISTED = 20
"""Causes named one by one."""

again_option = click.option(
    "--again", is_flag=True, help="Also send rows again whose last request has an unknown outcome."
)

reason_option = click.option("--reason", default="", metavar="TEXT", help="The reason, for the journal.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")

id_option = click.option(
    "--id",
    "ids",
    multiple=True,
    metavar="ID",
    help="This change event; may be repeated. - reads ids from stdin, a line each: also rows of 'list'.",
)
_LONGEST_INPUT = 50_000_000
"""Characters of ids on stdin: more rows than any list holds, with their messages."""
_ID = re.compile(r"""[\s|"']*([A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?)(?![A-Za-z0-9])""")
"""How a line begins that `list` wrote in any of its formats."""
_NO_ROW = re.compile(r"""[\s|"']*(?:id\b|-{3})""", re.IGNORECASE)
"""What stands above the rows there."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person asked for. Exactly one of the four."""

    ids: tuple[str, ...] = ()
    filter: str | None = None
    cause: str | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How the person wants the plan; None: as the profile or the plan itself has it."""

    only: bool = False
    canary: bool = False
    batch_size: int | None = None
    concurrency: int | None = None
    proof_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How the person wants what is sent to be sent."""

    reason: str
    yes: bool
    dry_run: bool
    again: bool


def concurrency_option(shown: str) -> Callable[[Command], Command]:
    """How many requests at once, by its name and the older one. `shown`: its line in the help."""
    kind = click.IntRange(1, 25)
    return click.option("--concurrency", "--lanes", "concurrency", metavar="N", type=kind, help=shown)


def proof_timeout_option(shown: str, default: float | None = None) -> Callable[[Command], Command]:
    """How long to wait for proof, by its name and the older one. `shown`: its line in the help."""
    return click.option(
        "--proof-timeout",
        "--patience",
        "proof_timeout",
        metavar="SECONDS",
        type=click.FloatRange(0, 86_400),
        default=default,
        help=shown,
    )


def choice_from(*, ids: Sequence[str], text: str | None, cause: str | None, everything: bool) -> Choice:
    """Check that the person asked for one thing.

    Raises:
        BadInputError: For none, or for several.
    """
    options = [
        name
        for name, value in (("--id", ids), ("--filter", text), ("--cause", cause), ("--all", everything))
        if value
    ]
    if len(options) != 1:
        title = f"{' and '.join(options)} cannot be combined" if options else "Nothing is chosen"
        raise BadInputError(title, "Give one of --id, --filter, --cause or --all")
    if text is not None:
        read_filter(text)  # an unreadable filter is told before anything is connected
    return Choice(read_ids(ids), text, cause, everything)


choosing = packed(
    "chosen",
    choice_from,
    ids=id_option,
    text=click.option(
        "--filter", "text", metavar="FILTER", help="What matches, e.g. 'object:Order age:>2d'."
    ),
    cause=click.option(
        "--cause", metavar="KEY", help="A cause (its key, or one of its errors) and what it holds up."
    ),
    everything=click.option("--all", "everything", is_flag=True, help="Every unresolved sync error."),
)
"""Adds the options that choose errors; the command gets `chosen: Choice`."""
planning = packed(
    "options",
    PlanOptions,
    proof_timeout=proof_timeout_option("Seconds to wait for proof of a wave."),
    concurrency=concurrency_option("Requests at once, at most."),
    batch_size=click.option(
        "--batch-size", metavar="N", type=click.IntRange(1, 200), help="Rows in one request, at most."
    ),
    canary=click.option("--canary", is_flag=True, help="Send 1, then 5, 25 and the rest, each proven first."),
    only=click.option("--only", is_flag=True, help="Exactly what is chosen, without its causes."),
)
"""Adds the options that shape a plan; the command gets `options: PlanOptions`."""


def sending(json_help: str) -> Callable[[Command], Command]:
    """Adds the options of what is sent; the command gets `run: RunOptions`. `json_help`: of `--json`."""
    pack = packed(
        "run",
        RunOptions,
        reason=reason_option,
        yes=yes_option,
        dry_run=click.option(
            "--dry-run", is_flag=True, help="Show each request exactly as it would be sent; send none."
        ),
        again=again_option,
    )
    return lambda command: pack(json_option(json_help)(command))


def read_ids(ids: Sequence[str]) -> tuple[str, ...]:
    """The ids that `--id` names, each once; in place of `-` stand those on stdin.

    Raises:
        BadInputError: Stdin holds none, or a line without one: a list is not acted on by halves.
    """
    named = [
        event_id for text in ids for event_id in (_ids_of_stdin() if text.strip() == "-" else [text.strip()])
    ]
    return tuple(dict.fromkeys(full_id(text) or text for text in named))


def _ids_of_stdin() -> list[str]:
    text = sys.stdin.read(_LONGEST_INPUT + 1)
    if len(text) > _LONGEST_INPUT:
        raise BadInputError(f"stdin has more than {_LONGEST_INPUT:,} characters of ids", "Pass fewer ids")
    if text.lstrip().startswith("["):
        ids = _ids_of_json(text)
    else:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        ids = [_id_of(number, line) for number, line in lines if not _NO_ROW.match(line)]
    if not ids:
        raise BadInputError("stdin has no id", "Nothing was done. See what the command before it wrote")
    return ids


def _ids_of_json(text: str) -> list[str]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInputError("stdin is not JSON", "Nothing was done. Pass ids, a line each") from None
    return [_id_of_row(number, row) for number, row in enumerate(rows, 1)]


def _id_of(number: int, line: str) -> str:
    if line.lstrip().startswith("{"):
        try:
            return _id_of_row(number, json.loads(line))
        except (ValueError, RecursionError):
            pass
    elif match := _ID.match(line):
        return match[1]
    raise _without_id(number, line)


def _id_of_row(number: int, row: object) -> str:
    value = row.get("id") if isinstance(row, dict) else row
    if isinstance(value, str) and (match := _ID.fullmatch(value)):
        return match[1]
    raise _without_id(number, json.dumps(row))


def _without_id(number: int, line: str) -> BadInputError:
    shown = one_line(line)[:40]
    return BadInputError(
        f"Row {number} on stdin does not begin with the id of a change event: {shown!r}",
        "Nothing was done. Pass ids, a line each, or what 'syncerr-tui list' writes with its id first",
    )


def chosen_of(graph: CauseGraph, choice: Choice, handlings: Handlings | None = None) -> list[SyncError]:
    """The errors that the person asked for, oldest first.

    Raises:
        BadInputError: An id or a cause that is not in the list.
    """
    if choice.everything:
        return list(graph.errors.values())
    if choice.filter is not None:
        from syncerr_tui.stopwatch import utc_now

        readable, now = filter_over(graph, choice.filter, handlings), utc_now()
        return [error for error in graph.errors.values() if readable.matches(error, now)]
    if choice.cause is not None:
        cause = cause_named(graph, choice.cause)
        return [graph.errors[i] for i in (*cause.roots, *cause.victims)]
    unknown = [i for i in choice.ids if i not in graph.errors]
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise BadInputError(
            f"No unresolved sync error has the id {click.unstyle(unknown[0])[:40]!r}{more}",
            "See 'syncerr-tui list'; nothing was changed",
        )
    return [graph.errors[i] for i in choice.ids]


def cause_named(graph: CauseGraph, name: str) -> Cause:
    """The cause with this key, or of this error.

    Raises:
        BadInputError: There is none.
    """
    cause = next((c for c in graph.causes() if c.key == name), None) or graph.cause_of(name)
    if cause is None:
        raise BadInputError("No such cause", "See 'syncerr-tui causes' for their keys")
    return cause


def filter_over(graph: CauseGraph, text: str, handlings: Handlings | None = None) -> Filter:
    """A filter of a list that is known as a whole.

    Raises:
        BadInputError: It cannot be read, or asks for a code or a cause that does not exist.
    """
    errors = graph.errors.values()
    codes = {error.code for error in errors if error.code}
    return read_filter(
        text, codes=lambda: codes, cause_of=graph.of_cause, handled=(handlings or Handlings()).of
    )


def read_filter(text: str, **how: Any) -> Filter:  # noqa: ANN401 - what `parse` takes
    """A filter as `triage.filter.parse` reads it, with the filters that `config.toml` keeps under a name.

    Raises:
        BadInputError: It cannot be read; or it names a saved filter, and `config.toml` has a mistake.
    """
    from syncerr_tui.triage.filter import parse

    def saved() -> Mapping[str, str]:
        from syncerr_tui.host.config import read_config

        return read_config().filters

    return parse(text, saved=saved, **how)


def plan_for(org: OpenOrg, graph: CauseGraph, choice: Choice, options: PlanOptions) -> Plan:
    """The plan for what was chosen, in the order that the evidence of causes gives.

    Causes that were not chosen come along, each told on stderr: a victim alone could not be sent. What is
    snoozed stays out unless it is named by its id.
    """
    from syncerr_tui.journal.history import History
    from syncerr_tui.resync.plan import PlanShape, make_plan
    from syncerr_tui.resync.selection import causes_missing
    from syncerr_tui.stopwatch import utc_now

    session, proof_timeout = org.session, options.proof_timeout
    if proof_timeout is None:
        proof_timeout = session.profile.proof_timeout
    handlings = org.handlings(graph)
    chosen = chosen_of(graph, choice, handlings)
    if not options.only:
        causes = causes_missing(graph, chosen)
        _tell_causes(causes, one=len(chosen) == 1)
        chosen += causes
    return make_plan(
        chosen,
        org=session.identity,
        method=session.method,
        created_at=utc_now(),
        parents=graph.parents_of(error.id for error in chosen),
        left_out=[
            *_support_only(graph, chosen, named=bool(choice.ids)),
            *_snoozed(handlings, chosen, choice),
        ],
        shape=PlanShape(options.canary, options.batch_size, options.concurrency, proof_timeout),
    ).estimated(History(org.journal).wave_times(session.method.name))


def _support_only(graph: CauseGraph, chosen: Sequence[SyncError], *, named: bool) -> list[LeftOut]:
    """What only support can clear stays out; who named it by its id is warned, and it goes."""
    from syncerr_tui.resync.selection import support_only, support_words

    for_support = support_only(graph, chosen, unless="; to send it anyway, name it with --id")
    if for_support and named:
        say(f"Warning: {support_words(len(for_support))}")
    return [] if named else for_support


def _snoozed(handlings: Handlings, chosen: Sequence[SyncError], choice: Choice) -> list[LeftOut]:
    """What somebody wants left alone stays out; who named it by its id is told, and it goes."""
    from syncerr_tui.resync.selection import snoozed

    named = [error for error in chosen if error.id in choice.ids]
    for out in snoozed(handlings, named):
        say(f"Warning: {out.id} is {out.reason}.")
    rest = [error for error in chosen if error.id not in choice.ids]
    return snoozed(handlings, rest, unless="; to send it anyway, name it with --id")


def _tell_causes(causes: Sequence[SyncError], *, one: bool) -> None:
    whose = "its cause" if one else "a cause of what was chosen"
    for error in causes[:_LISTED]:
        say(f"Also sent, and first: {whose} {error.id} ({error.object}).")
    if len(causes) > _LISTED:
        say(f"Also sent, and first: {plural(len(causes) - _LISTED, 'more cause')}.")
