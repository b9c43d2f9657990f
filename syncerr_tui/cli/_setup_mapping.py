"""The middle of `setup`: show what was found in the org, let the person correct it, settle every doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from syncerr_tui.cli._console import Asker, heading, row, say, table, width
from syncerr_tui.errors import BadInputError
from syncerr_tui.salesforce.discovery import Describes, discover
from syncerr_tui.salesforce.profiles import OPTIONAL, FieldMapping, FieldRole
from syncerr_tui.salesforce.proposal import THE_OBJECT, Ambiguity, Overrides, Proposal
from syncerr_tui.text import one_line

NONE = "-"
"""How a person says that the org has no such field."""
_OBJECT = "change events"
_VALUES = {"failed when": "failed", "worked on when": "pending", "done when": "done"}
"""Lines about the values of the status, and the attribute of `Overrides` that each is about."""
_OF_VALUES = {_OBJECT, FieldRole.STATUS.value}
"""Lines after which the status has other values: what they mean is asked anew."""
_SAMPLES = 3


def named_by_flags(
    object_name: str | None,
    maps: Sequence[str],
    failed: Sequence[str],
    pending: Sequence[str] = (),
    done: Sequence[str] = (),
) -> Overrides:
    """Read `--object`, `--map ROLE=FIELD`, `--failed VALUE`, `--pending VALUE` and `--done VALUE`.

    Raises:
        BadInputError: A role that there is none of, or one value with two meanings.
    """
    values = [*failed, *pending, *done]
    if twice := next((one for one in values if values.count(one) > 1), None):
        raise BadInputError(
            f"The status '{one_line(twice)[:40]}' cannot mean two things",
            "Name it once, with --failed, --pending or --done",
        )
    fields: dict[FieldRole, str | None] = {}
    for text in maps:
        role, _, name = text.partition("=")
        if role not in list(FieldRole) or not name:
            known = ", ".join(FieldRole)
            raise BadInputError(f"'{one_line(text)[:60]}' is not ROLE=FIELD", f"Roles are {known}")
        if name == NONE and FieldRole(role) not in OPTIONAL:
            raise BadInputError(f"The mapping cannot do without {role}", "Name its field")
        fields[FieldRole(role)] = None if name == NONE else name
    return Overrides(object_name, fields, tuple(failed), tuple(pending) or None, tuple(done) or None)


async def settle(org: Describes, asker: Asker, named: Overrides) -> FieldMapping:
    """Find the mapping, ask about each doubt, show it with sample rows, and let the person correct it.

    Raises:
        BadInputError: Nothing fits, or a doubt was left open because nobody answers.
    """
    overrides, proposal = await _without_doubts(org, asker, named, ask_values=True)
    while True:
        _show(proposal)
        line = _line_to_correct(asker, proposal)
        if line is None:
            return proposal.mapping()
        corrected = _corrected(asker, overrides, proposal, line)
        try:
            overrides, proposal = await _without_doubts(org, asker, corrected, ask_values=line in _OF_VALUES)
        except BadInputError as problem:
            say(problem.line)


def _line_to_correct(asker: Asker, proposal: Proposal) -> str | None:
    names = [name for name, _, _ in _lines(proposal)]
    while answer := asker.text("Number of a line to correct (Enter: all is right)", "", "--map ROLE=FIELD"):
        if answer.isdigit() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        if answer in names:
            return answer
        say(f"There is no line '{one_line(answer)[:40]}'.")
    return None


async def _without_doubts(
    org: Describes, asker: Asker, overrides: Overrides, *, ask_values: bool
) -> tuple[Overrides, Proposal]:
    proposal = await discover(org, overrides)
    while proposal.doubts:
        overrides = _answered(asker, overrides, proposal.doubts[0])
        proposal = await discover(org, overrides)
    if ask_values and (more := _values_asked(asker, overrides, proposal)) != overrides:
        overrides, proposal = more, await discover(org, more)
    return overrides, proposal


def _values_asked(asker: Asker, overrides: Overrides, proposal: Proposal) -> Overrides:
    """With what the status values mean, where that is not plain."""
    if len(proposal.failed) > 1 and not overrides.failed:
        failed = asker.choose_some(
            "Several status values mean failed. Which of them should be listed and re-synced?",
            [(value, "") for value in proposal.failed],
            proposal.failed,
            "--failed VALUE",
        )
        overrides = replace(overrides, failed=failed)
    if proposal.unclear and overrides.done is None:
        more = asker.choose_some(
            "Which of these status values mean that an event was carried out?",
            [(value, "") for value in proposal.unclear],
            (),
            "--done VALUE",
        )
        overrides = replace(overrides, done=(*proposal.done, *more) if more else None)
    return overrides


def _answered(asker: Asker, overrides: Overrides, doubt: Ambiguity) -> Overrides:
    options = [(one.name, f"{one.label}: {one.reason}") for one in doubt.options]
    question = f"{doubt.question}:"
    if not options:
        raise BadInputError(doubt.question, "Check that this user may read the object and its fields")
    if doubt.about == THE_OBJECT:
        return replace(overrides, object_name=asker.choose(question, options, None, "--object NAME"))
    if doubt.about == "failed":
        while not (failed := asker.choose_some(question, options, None, "--failed VALUE")):
            pass
        return replace(overrides, failed=failed)
    role = FieldRole(doubt.about)
    return _with_field(overrides, role, asker.choose(question, options, None, f"--map {role}=FIELD"))


def _corrected(asker: Asker, overrides: Overrides, proposal: Proposal, line: str) -> Overrides:
    if line == _OBJECT:
        return Overrides(asker.text("API name of the object", proposal.object_name, "--object NAME"))
    if line in _VALUES:
        meaning = _VALUES[line]
        chosen = asker.choose_some(
            f"Which values mean {meaning}?",
            [(value, "") for value in proposal.statuses or proposal.failed],
            getattr(proposal, meaning),
            f"--{meaning} VALUE",
        )
        meanings: dict[str, Any] = {
            other: tuple(value for value in getattr(proposal, other) if value not in chosen)
            for other in _VALUES.values()
        }
        return replace(overrides, **{**meanings, meaning: chosen})
    role = FieldRole(line)
    options = [(one.name, f"{one.label}: {one.reason}") for one in proposal.ranked[role][:10]]
    if role in OPTIONAL:
        options.append((NONE, "this org has no such field"))
    name = asker.choose(f"Which field is the {role.value.replace('_', ' ')}?", options, None, "--map")
    if role is FieldRole.STATUS:
        overrides = replace(overrides, failed=(), pending=None, done=None)
    return _with_field(overrides, role, None if name == NONE else name)


def _with_field(overrides: Overrides, role: FieldRole, name: str | None) -> Overrides:
    return replace(overrides, fields={**overrides.fields, role: name})


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
