"""The middle of `setup`: show what was found in the org, let the person correct it, settle every doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncerr_tui.cli._ask import Asker
from syncerr_tui.cli._console import heading, row, say, table, width
from syncerr_tui.errors import BadInputError
from syncerr_tui.salesforce.discovery import Describes, discover
from syncerr_tui.salesforce.profiles import FieldMapping
from syncerr_tui.salesforce.proposal import THE_OBJECT, Ambiguity, Proposal
from syncerr_tui.salesforce.vocabulary import OPTIONAL, FieldRole
from syncerr_tui.text import one_line

NONE = "-"
"""How a person says that the org has no such field."""
_OBJECT = "change events"
_VALUES = {"failed when": "failed", "worked on when": "pending", "done when": "done"}
"""Lines about the values of the status, and the attribute of `Named` that each is about."""
_SAMPLES = 3


@dataclass
class GivenNames:
    """What a person has named so far; the rest is found."""

    object_name: str | None = None
    fields: dict[FieldRole, str | None] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    pending: tuple[str, ...] | None = None
    done: tuple[str, ...] | None = None
    asked: bool = False
    """What the status values mean has been asked."""

    async def proposal(self, org: Describes) -> Proposal:
        """Look at the org again, with all of this taken as said."""
        return await discover(
            org,
            object_name=self.object_name,
            fixed=self.fields,
            failed=self.failed,
            pending=self.pending,
            done=self.done,
        )


def named_by_flags(
    object_name: str | None,
    maps: Sequence[str],
    failed: Sequence[str],
    pending: Sequence[str] = (),
    done: Sequence[str] = (),
) -> GivenNames:
    """Read `--object`, `--map ROLE=FIELD`, `--failed VALUE`, `--pending VALUE` and `--done VALUE`.

    Raises:
        BadInputError: A role that there is none of, or one value with two meanings.
    """
    named = GivenNames(object_name, {}, tuple(failed), tuple(pending) or None, tuple(done) or None)
    values = [*failed, *pending, *done]
    if twice := next((one for one in values if values.count(one) > 1), None):
        raise BadInputError(
            f"The status '{one_line(twice)[:40]}' cannot mean two things",
            "Name it once, with --failed, --pending or --done",
        )
    for given in maps:
        role, _, name = given.partition("=")
        if role not in list(FieldRole) or not name:
            known = ", ".join(FieldRole)
            raise BadInputError(f"'{one_line(given)[:60]}' is not ROLE=FIELD", f"Roles are {known}")
        if name == NONE and FieldRole(role) not in OPTIONAL:
            raise BadInputError(f"The mapping cannot do without {role}", "Name its field")
        named.fields[FieldRole(role)] = None if name == NONE else name
    return named


async def settle(org: Describes, asker: Asker, named: GivenNames) -> FieldMapping:
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
            if answer in list(FieldRole):
                named.fields.pop(FieldRole(answer), None)
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


async def _without_doubts(org: Describes, asker: Asker, named: GivenNames) -> Proposal:
    proposal = await named.proposal(org)
    while proposal.doubts:
        _answer(asker, named, proposal.doubts[0])
        proposal = await named.proposal(org)
    if not named.asked and _ask_values(asker, named, proposal):
        proposal = await named.proposal(org)
    named.asked = True
    return proposal


def _ask_values(asker: Asker, named: GivenNames, proposal: Proposal) -> bool:
    """Ask what the status values mean where that is not plain; True where something was answered."""
    before = (named.failed, named.done)
    if len(proposal.failed) > 1 and not named.failed:
        named.failed = asker.choose_some(
            "Several status values mean failed. Which of them should be listed and re-synced?",
            [(value, "") for value in proposal.failed],
            proposal.failed,
            "--failed VALUE",
        )
    if proposal.unclear and named.done is None:
        more = asker.choose_some(
            "Which of these status values mean that an event was carried out?",
            [(value, "") for value in proposal.unclear],
            (),
            "--done VALUE",
        )
        named.done = (*proposal.done, *more) if more else None
    return before != (named.failed, named.done)


def _answer(asker: Asker, named: GivenNames, doubt: Ambiguity) -> None:
    options = [(one.name, f"{one.label}: {one.reason}") for one in doubt.options]
    if not options:
        raise BadInputError(doubt.question, "Check that this user may read the object and its fields")
    if doubt.about == THE_OBJECT:
        named.object_name = asker.choose(f"{doubt.question}:", options, None, "--object NAME")
    elif doubt.about == "failed":
        while not named.failed:
            named.failed = asker.choose_some(f"{doubt.question}:", options, None, "--failed VALUE")
    else:
        role = FieldRole(doubt.about)
        named.fields[role] = asker.choose(f"{doubt.question}:", options, None, f"--map {role}=FIELD")


def _correct(asker: Asker, named: GivenNames, proposal: Proposal, line: str) -> None:
    if line == _OBJECT:
        named.object_name = asker.text("API name of the object", proposal.object_name, "--object NAME")
        named.fields.clear()
        _forget_values(named)
        return
    if line in _VALUES:
        values = [(value, "") for value in proposal.statuses] or [(value, "") for value in proposal.failed]
        meaning = _VALUES[line]
        chosen_values = asker.choose_some(
            f"Which values mean {meaning}?", values, getattr(proposal, meaning), f"--{meaning} VALUE"
        )
        setattr(named, meaning, chosen_values)
        for other in {*_VALUES.values()} - {meaning}:
            setattr(named, other, tuple(v for v in getattr(proposal, other) if v not in chosen_values))
        return
    role = FieldRole(line)
    options = [(one.name, f"{one.label}: {one.reason}") for one in proposal.ranked[role][:10]]
    if role in OPTIONAL:
        options.append((NONE, "this org has no such field"))
    chosen = asker.choose(f"Which field is the {role.value.replace('_', ' ')}?", options, None, "--map")
    named.fields[role] = None if chosen == NONE else chosen
    if role is FieldRole.STATUS:
        _forget_values(named)


def _forget_values(named: GivenNames) -> None:
    named.failed, named.pending, named.done = (), None, None
    named.asked = False


def _lines(proposal: Proposal) -> list[tuple[str, str, str]]:
    lines = [(_OBJECT, proposal.object_name, f"{proposal.object_label}; {proposal.object_reason}")]
    for role in FieldRole:
        chosen = proposal.chosen.get(role)
        if chosen is None:
            lines.append(
                (role.value, NONE, "read from the message" if role is FieldRole.CODE else "not in this org")
            )
        else:
            lines.append((role.value, chosen.name, f"{chosen.label}; {chosen.reason}"))
    for line, meaning in _VALUES.items():
        values = one_line(", ".join(getattr(proposal, meaning))) or NONE
        lines.append((line, values, "status" if values != NONE else "no status says so"))
    return lines


def _show(proposal: Proposal) -> None:
    heading("What this org calls things")
    for number, (name, value, why) in enumerate(_lines(proposal), 1):
        # Cut, so that question and rows stand on one screen.
        say(row([f"{number:2}", name, value, why], [2, 15, 28], width()))
    kinds = ", ".join(f"{one_line(value)} = {kind}" for value, kind in proposal.event_types.items())
    notes = [("", "note", note) for note in proposal.notes]
    table([("", "event types", kinds or "none seen yet"), *notes], [2, 15])
    if not proposal.rows:
        say(" There are no rows to show: only the names say what is what.")
        return
    heading("Three rows, read like that")
    for sample in proposal.rows[:_SAMPLES]:
        say(row([" ", *_cells(proposal, sample)], [1, 12, 6, 16, 9], width()))


def _cells(proposal: Proposal, sample: Mapping[str, Any]) -> list[str]:
    def cell(role: FieldRole) -> str:
        chosen = proposal.chosen.get(role)
        return one_line(str(sample.get(chosen.name) or "-")) if chosen else "-"

    kind = proposal.event_types.get(cell(FieldRole.EVENT_TYPE))
    return [
        cell(FieldRole.OBJECT),
        kind.value if kind else cell(FieldRole.EVENT_TYPE),
        cell(FieldRole.PROCESSED_AT)[:16],
        cell(FieldRole.STORECONNECT_ID),
        cell(FieldRole.MESSAGE),
    ]
