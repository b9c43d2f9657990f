"""`syncerr-tui fix`: what could be done about an error in the org, and doing one thing of it; and what other
commands that fix share with it: which errors are meant, which option, and how it is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncerr_tui.cli import _console
from syncerr_tui.cli._choosing import cause_named, reason_option, yes_option
from syncerr_tui.cli._connect import OrgChoice, open_org, org_command
from syncerr_tui.cli._console import as_json, complain, emit_json, json_option, say, tell
from syncerr_tui.cli._options import packed
from syncerr_tui.errors import BadInputError, ExitCode, RefusedError
from syncerr_tui.text import one_line
from syncerr_tui.words import field_value

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import FixOption, FixRequest, FixResult
    from syncerr_tui.fixes.org import FixPolicy, Values
    from syncerr_tui.model import SyncError

MOST_ERRORS = 10
"""Errors of one cause whose own records are looked at."""


def roots_of(graph: CauseGraph, *, event: str | None, cause: str | None) -> list[SyncError]:
    """The errors whose fixes are meant: of a victim those of its cause.

    Raises:
        BadInputError: There is no such error or cause.
    """
    if event is not None:
        if event not in graph.errors:
            raise BadInputError(
                f"No unresolved sync error has the id {one_line(event)[:40]!r}", "See 'syncerr-tui list'"
            )
        near = graph.cause_of(event)
        if near is None or event in near.roots:
            return [graph.errors[event]]
    else:
        near = cause_named(graph, cause or "")
    return [graph.errors[row] for row in near.roots if row in graph.errors][:MOST_ERRORS]


def option_named(options: Sequence[FixOption], key: str) -> FixOption:
    """The option of this key.

    Raises:
        BadInputError: There is none.
    """
    chosen = next((option for option in options if option.key == key), None)
    alike = [option for option in options if option.old_key == key]
    if chosen is None and len(alike) == 1:
        return alike[0]
    if chosen is None:
        keys = ", ".join(option.key for option in options) or "there is none"
        raise BadInputError(f"No fix of this error has the key {one_line(key)[:60]!r}", f"Its keys: {keys}")
    return chosen


def record_of(key: str | None) -> str:
    """The record that an option's key names; empty where it names none."""
    from syncerr_tui.salesforce.soql import to_18

    return next((record_id for part in (key or "").split(":") if (record_id := to_18(part))), "")


def values_given(pairs: Sequence[str]) -> dict[str, str]:
    """`FIELD=VALUE` pairs.

    Raises:
        BadInputError: One is no pair, or a field is given twice.
    """
    values: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise BadInputError(
                f"{one_line(pair)[:60]!r} is not a field and its value", "Write --value FIELD=VALUE"
            )
        if name.strip() in values:
            raise BadInputError(f"{one_line(name)[:60]} is given twice", "Give each field once")
        values[name.strip()] = value
    return values


def ask_for(option: FixOption, policy: FixPolicy, values: Values, *, yes: bool, confirm: str) -> str | None:
    """Ask before anything is changed. The name that was typed, where one is needed; None: do not.

    Raises:
        BadInputError: There is nobody to ask.
    """
    if yes or confirm:
        return confirm
    if not _console.at_terminal():
        flag = "--confirm with the target's name" if policy.names_target else "--yes to do it without asking"
        raise BadInputError("Nobody can be asked: this is not a terminal", f"Add {flag}")
    say(f"{option.title}.")
    say(f"  before {show(option.before)}")
    say(f"  after  {show({**option.after, **values})}")
    say(f"  {option.affects}")
    if policy.names_target:
        typed = _console.ask(f"This is a production org. Type {option.target.name} to do it", "", "--confirm")
        return typed or None
    return "" if _console.confirm("Do it?") else None


@contextmanager
def told_where_interrupted(name: str) -> Iterator[None]:
    """Ctrl-c while a change is under way: the org may carry it out all the same."""
    try:
        yield
    except asyncio.CancelledError:
        shown = "'syncerr-tui safeguards' and 'syncerr-tui journal --fixes' say"
        say(f"A change of {name} may be under way: {shown} how it stands.")
        raise


async def make(fixer: Fixer, request: FixRequest, *, yes: bool) -> FixResult | None:
    """Ask, make a change, and prove it. None: the person does not want it.

    Args:
        fixer: What makes it.
        request: With its values as a person typed them.
        yes: Do not ask.

    Raises:
        SyncErrError: Nothing was written.
    """
    option = request.option
    values = await fixer.typed(option, request.values)
    fixer.check(option, values, option.target.name)
    typed = ask_for(option, fixer.policy, values, yes=yes, confirm=request.confirm)
    if typed is None:
        return None
    with told_where_interrupted(option.target.name):
        return await fixer.apply(replace(request, values=values, confirm=typed))


def show(values: Values) -> str:
    return one_line(", ".join(f"{name}: {field_value(value)}" for name, value in values.items())) or "nothing"


def exit_code(result: FixResult) -> ExitCode:
    from syncerr_tui.fixes.model import FixState

    if result.unreachable:
        return ExitCode.UNREACHABLE
    if result.verified:
        return ExitCode.OK
    return ExitCode.REFUSED if result.state is FixState.REFUSED else ExitCode.NOT_ALL_FIXED


def result_payload(detail: str) -> dict[str, Any]:
    """A refusal before anything was written, as the JSON of a result."""
    return {"fix": None, "state": "refused", "verified": False, "before": {}, "after": {}, "detail": detail}


@dataclass(frozen=True, slots=True)
class _Arguments:
    """What the person asked for."""

    event: str | None
    cause: str | None
    key: str | None
    values: Mapping[str, str]
    reason: str
    yes: bool
    confirm: str
    seen: str
    output: Path | None

    @classmethod
    def of(cls, *, pairs: tuple[str, ...], **options: Any) -> _Arguments:  # noqa: ANN401 - the options of the command
        """Raises: BadInputError: The options contradict each other."""
        arguments = cls(values=values_given(pairs), **options)
        if (arguments.event is None) == (arguments.cause is None):
            raise BadInputError("Nothing is chosen, or too much", "Give one of --id and --cause")
        if arguments.key is None and (arguments.values or arguments.confirm or arguments.seen):
            raise BadInputError("Nothing is to be applied", "Add --apply KEY, with a key of the list")
        return arguments


@org_command
@packed(
    "arguments",
    _Arguments.of,
    event=click.option(
        "--id",
        "event",
        metavar="ID",
        help="A change event. Where it waits for another, the fixes are those of its cause.",
    ),
    cause=click.option("--cause", metavar="KEY", help="A cause (its key, or one of its errors)."),
    key=click.option(
        "--apply", "key", metavar="KEY", help="Make this change: the key of one of the fixes listed."
    ),
    pairs=click.option(
        "--value", "pairs", multiple=True, metavar="FIELD=VALUE", help="A new value that the fix needs."
    ),
    reason=reason_option,
    yes=yes_option,
    confirm=click.option(
        "--confirm", default="", metavar="NAME", help="Production: the name of what is changed."
    ),
    seen=click.option(
        "--seen", default="", metavar="HASH", help="Refuse if it changed since the list showed this hash."
    ),
    output=click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="With --snapshot: the list that a fix is put on. Without it, FILE.fixes beside the snapshot.",
    ),
)
@json_option("One JSON line for each fix, or for the result.")
async def command(choice: OrgChoice, *, arguments: _Arguments) -> int:
    """List the changes in the org that would remove what blocks an error, smallest first; make one of them.

    \b
    syncerr-tui fix --id a0X5g000001CdEfEAK
    syncerr-tui fix --id a0X5g000001CdEfEAK --apply clear-bounce:0035g00000XyZabAAF
    syncerr-tui fix --cause KEY --apply change-owner:0015g00000AbCdeAAB --value OwnerId=ana@acme.com

    A change is made only where the profile allows it ([fixes] allow), written once, and read again. What is
    switched off stays on the list of 'syncerr-tui safeguards' until it is seen on again. With --snapshot
    nothing is changed: --apply puts the fix on a list, and 'syncerr-tui apply' makes what is on it in the
    org. Exit code 0: done and seen, like that already, or on the list; 1: not seen; 3: the org stopped
    answering after the write; 5: refused.
    """  # noqa: D301 - click's mark for a block that keeps its lines
    if choice.snapshot is not None:
        return await _choose(choice, arguments)
    if arguments.output is not None:
        raise BadInputError("-o belongs to a snapshot", "Leave it out: the change is made in the org")
    return await _fix(choice, arguments)


async def _fix(choice: OrgChoice, arguments: _Arguments) -> int:
    from syncerr_tui.fixes.model import FixRequest

    async with open_org(choice) as org:
        errors = roots_of(await org.read_graph(), event=arguments.event, cause=arguments.cause)
        fixer = org.fixer(read_only=choice.read_only)
        options = await fixer.options(await org.explained(errors), named=record_of(arguments.key))
        if arguments.key is None:
            _list(options)
            return ExitCode.OK
        option = option_named(options, arguments.key)
        try:
            event = arguments.event or errors[0].id
            request = FixRequest(
                option, arguments.values, arguments.confirm, arguments.seen, arguments.reason, event
            )
            result = await make(fixer, request, yes=arguments.yes)
        except RefusedError as error:
            if as_json():
                emit_json(result_payload(error.line))
            complain(error)
            return error.exit_code
    if result is None:
        say("Nothing was changed.")
        return ExitCode.OK
    _tell(result)
    return exit_code(result)


async def _choose(choice: OrgChoice, arguments: _Arguments) -> int:
    """On a snapshot: what the org offered then, and a list of what is chosen, for `apply`."""
    from syncerr_tui.fixes.fix_list import FixChooser

    async with open_org(choice) as org:
        graph = await org.read_graph()
    assert org.session.snapshot is not None
    chooser = FixChooser(org.session.snapshot, arguments.output)
    errors = roots_of(graph, event=arguments.event, cause=arguments.cause)
    options = chooser.options(errors)
    if arguments.key is None:
        _list(options)
        return ExitCode.OK
    ids = {error.id for error in errors}
    event = arguments.event if arguments.event in ids else errors[0].id
    result = chooser.choose(option_named(options, arguments.key), arguments.values, event, arguments.reason)
    _tell(result)
    return ExitCode.OK


def _tell(result: FixResult) -> None:
    changed = f"{show(result.before)} -> {show(result.after)}"
    tell(result.payload(), f"{result.state.value}: {changed}. {result.detail}")
    mention_undo(result)


def mention_undo(result: FixResult | None) -> None:
    if result is not None and result.fix and not as_json():
        say(f"Fix {result.fix}; put it back with 'syncerr-tui safeguards --restore {result.fix}'.")


def _list(options: list[FixOption]) -> None:
    if not options and not as_json():
        say("No change in the org is known that would fix it.")
    for option in options:
        tell(option.payload(), *_lines(option))


def _lines(option: FixOption) -> list[str]:
    from syncerr_tui.diagnosis.guidance_template import plain
    from syncerr_tui.fixes.org import FixKind

    kind = option.kind
    lines = [f"By hand: {option.title}" if kind is FixKind.BY_HAND else option.title]
    if option.automatic:
        wants = f", needs --value {option.wants[0]}=..." if option.wants else ""
        lines.append(
            f"    {option.key}  ({kind.scope.value}, risk {kind.risk.value}, undo {kind.undo.value}{wants})"
        )
        lines.append(f"    {show(option.before)} -> {show(option.after)}")
    if option.settled:
        lines.append(f"    {option.settled}.")
    lines += [f"    {text}" for text in (option.affects, *option.changed) if text]
    if not option.allowed:
        lines.append(f"    Not from here: {option.why_not or option.why_guided}.")
    steps = option.steps if kind is FixKind.BY_HAND else ()  # what else is guided is done by the same steps
    for number, step in enumerate(steps, 1):
        lines.append(f"    {number}. {plain(step.text)}{f'  {step.address}' if step.address else ''}")
    return [*lines, ""]
