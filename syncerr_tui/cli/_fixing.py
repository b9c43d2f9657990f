"""What commands share that fix: which errors are meant, which option, and how it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncerr_tui.cli import _console
from syncerr_tui.cli._choosing import cause_named
from syncerr_tui.cli._console import narrate
from syncerr_tui.errors import BadInputError, ExitCode
from syncerr_tui.text import one_line

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.diagnosis.explanation import Explanation
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import FixOption, FixRequest, FixResult
    from syncerr_tui.fixes.org import FixPolicy, Values
    from syncerr_tui.model import SyncError
    from syncerr_tui.salesforce.org_dictionary import OrgDictionary
    from syncerr_tui.salesforce.session import OrgSession

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


async def explained(
    connection: OrgSession, errors: Iterable[SyncError], dictionary: OrgDictionary | None = None
) -> list[tuple[SyncError, Explanation]]:
    """Errors with what is known about them, in the org's own names."""
    from syncerr_tui.diagnosis.explanation import OrgContext, explain
    from syncerr_tui.host.metadata_cache import kept_names

    url = connection.identity.instance_url
    dictionary = dictionary or connection.dictionary(kept_names(connection.identity))
    pairs = []
    for error in errors:
        metadata = await dictionary.covering(explain(error).diagnosis, str(error.object))
        pairs.append((error, explain(error, OrgContext(instance_url=url, metadata=metadata))))
    return pairs


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
    narrate(f"{option.title}.")
    narrate(f"  before {show(option.before)}")
    narrate(f"  after  {show({**option.after, **values})}")
    narrate(f"  {option.affects}")
    if policy.names_target:
        typed = _console.ask(f"This is a production org. Type {option.target.name} to do it", "", "--confirm")
        return typed or None
    return "" if _console.confirm("Do it?") else None


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
    return await fixer.apply(replace(request, values=values, confirm=typed)) if typed is not None else None


def show(values: Values) -> str:
    shown = ", ".join(f"{name}: {'empty' if value is None else value}" for name, value in values.items())
    return one_line(shown) or "nothing"


def exit_code(result: FixResult) -> ExitCode:
    from syncerr_tui.fixes.model import FixState

    if result.unreachable:
        return ExitCode.UNREACHABLE
    if result.verified:
        return ExitCode.OK
    return ExitCode.REFUSED if result.state is FixState.REFUSED else ExitCode.NOT_ALL_FIXED


def result_payload(detail: str) -> dict[str, Any]:
    """A refusal before anything was written, as the JSON of a result."""
    return {
        "fix": None,
        "state": "refused",
        "verified": False,
        "before": {},
        "after": {},
        "detail": detail,
    }
