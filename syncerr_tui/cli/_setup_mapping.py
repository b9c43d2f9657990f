"""The middle of `setup`: show what was found in the org, let the person correct it, settle every doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncerr_tui.cli._ask import Asker
from syncerr_tui.cli._columns import row
from syncerr_tui.cli._console import heading, say, table, width
from syncerr_tui.errors import BadInputError
from syncerr_tui.salesforce.discovery import Describes, discover
from syncerr_tui.salesforce.profiles import FieldMapping
from syncerr_tui.salesforce.proposal import Doubt, Proposal
from syncerr_tui.salesforce.vocabulary import OPTIONAL, Role
from syncerr_tui.text import one_line

NONE = "-"
"""How a person says that the org has no such field."""
_OBJECT, _FAILED = "change events", "failed when"
_SAMPLES = 3


@dataclass
class Named:
    """What a person has named so far; the rest is found."""

    object_name: str | None = None
    fields: dict[Role, str | None] = field(default_factory=dict)
    failed: tuple[str, ...] = ()

    async def proposal(self, org: Describes) -> Proposal:
        """Look at the org again, with all of this taken as said."""
        return await discover(org, object_name=self.object_name, fixed=self.fields, failed=self.failed)


def named_by_flags(object_name: str | None, maps: Sequence[str], failed: Sequence[str]) -> Named:
    """Read `--object`, `--map ROLE=FIELD` and `--failed VALUE`.

    Raises:
        BadInputError: A role that there is none of.
    """
    named = Named(object_name, {}, tuple(failed))
    for given in maps:
        role, _, name = given.partition("=")
        if role not in list(Role) or not name:
            known = ", ".join(Role)
            raise BadInputError(f"'{one_line(given)[:60]}' is not ROLE=FIELD", f"Roles are {known}")
        if name == NONE and Role(role) not in OPTIONAL:
            raise BadInputError(f"The mapping cannot do without {role}", "Name its field")
        named.fields[Role(role)] = None if name == NONE else name
    return named


async def settle(org: Describes, asker: Asker, named: Named) -> FieldMapping:
    """Find the mapping, ask about each doubt, show it with sample rows, and let the person correct it.

    Raises:
        BadInputError: Nothing fits, or a doubt was left open because nobody answers.
    """
    proposal = await _without_doubts(org, asker, named)
    while True:
        _show(proposal)
        answer = _line_to_correct(asker, proposal)
        if answer is None:
            return proposal.mapping()
        _correct(asker, named, proposal, answer)
        try:
            proposal = await _without_doubts(org, asker, named)
        except BadInputError as problem:
            say(problem.line)
            if answer in list(Role):
                named.fields.pop(Role(answer), None)
            proposal = await _without_doubts(org, asker, named)


def _line_to_correct(asker: Asker, proposal: Proposal) -> str | None:
    names = [name for name, _, _ in _lines(proposal)]
    while answer := asker.text("Number of a line to correct (Enter: all is right)", "", "--map ROLE=FIELD"):
        if answer.isdigit() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        if answer in names:
            return answer
        say(f"There is no line '{one_line(answer)[:40]}'.")
    return None


async def _without_doubts(org: Describes, asker: Asker, named: Named) -> Proposal:
    proposal = await named.proposal(org)
    while proposal.doubts:
        _answer(asker, named, proposal.doubts[0])
        proposal = await named.proposal(org)
    return proposal


def _answer(asker: Asker, named: Named, doubt: Doubt) -> None:
    options = [(one.name, f"{one.label}: {one.reason}") for one in doubt.options]
    if not options:
        raise BadInputError(doubt.question, "Check that this user may read the object and its fields")
    if doubt.about == "object":
        named.object_name = asker.choose(f"{doubt.question}:", options, None, "--object NAME")
    elif doubt.about == "failed":
        named.failed = (asker.choose(f"{doubt.question}:", options, None, "--failed VALUE"),)
    else:
        role = Role(doubt.about)
        named.fields[role] = asker.choose(f"{doubt.question}:", options, None, f"--map {role}=FIELD")


def _correct(asker: Asker, named: Named, proposal: Proposal, line: str) -> None:
    if line == _OBJECT:
        named.object_name = asker.text("API name of the object", proposal.object_name, "--object NAME")
        named.fields.clear()
        return
    if line == _FAILED:
        values = [(value, "") for value in proposal.statuses] or [(value, "") for value in proposal.failed]
        named.failed = (asker.choose("Which value means failed?", values, None, "--failed VALUE"),)
        return
    role = Role(line)
    options = [(one.name, f"{one.label}: {one.reason}") for one in proposal.ranked[role][:10]]
    if role in OPTIONAL:
        options.append((NONE, "this org has no such field"))
    chosen = asker.choose(f"Which field is the {role.value.replace('_', ' ')}?", options, None, "--map")
    named.fields[role] = None if chosen == NONE else chosen
    if role is Role.STATUS:
        named.failed = ()


def _lines(proposal: Proposal) -> list[tuple[str, str, str]]:
    lines = [(_OBJECT, proposal.object_name, f"{proposal.object_label}; {proposal.object_reason}")]
    for role in Role:
        chosen = proposal.chosen.get(role)
        if chosen is None:
            lines.append(
                (role.value, NONE, "read from the message" if role is Role.CODE else "not in this org")
            )
        else:
            lines.append((role.value, chosen.name, f"{chosen.label}; {chosen.reason}"))
    working = f"; being worked on: {one_line(', '.join(proposal.pending))}" if proposal.pending else ""
    lines.append((_FAILED, ", ".join(one_line(value) for value in proposal.failed), f"status{working}"))
    return lines


def _show(proposal: Proposal) -> None:
    heading("What this org calls things")
    lines = enumerate(_lines(proposal), 1)
    table([(f"{number:2}", name, value, why) for number, (name, value, why) in lines], [2, 15, 28])
    kinds = ", ".join(f"{one_line(value)} = {kind}" for value, kind in proposal.event_types.items())
    say(row(["", "event types", kinds or "none seen yet"], [2, 15], width()))
    for note in proposal.notes:
        say(row(["", "note", note], [2, 15], width()))
    if not proposal.rows:
        say(" No rows to show: the names alone speak.")
        return
    heading("Three rows, read like that")
    for sample in proposal.rows[:_SAMPLES]:
        say(row([" ", *_cells(proposal, sample)], [1, 12, 6, 16, 9], width()))


def _cells(proposal: Proposal, sample: Mapping[str, Any]) -> list[str]:
    def cell(role: Role) -> str:
        chosen = proposal.chosen.get(role)
        return one_line(str(sample.get(chosen.name) or "-")) if chosen else "-"

    kind = proposal.event_types.get(cell(Role.EVENT_TYPE))
    return [
        cell(Role.OBJECT),
        kind.value if kind else cell(Role.EVENT_TYPE),
        cell(Role.PROCESSED_AT)[:16],
        cell(Role.STORECONNECT_ID),
        cell(Role.MESSAGE),
    ]
