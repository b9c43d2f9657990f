"""What the org says about the things that a message names, and what that adds to the guidance. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from syncerr_tui.diagnosis.guidance_template import name as marked
from syncerr_tui.diagnosis.model import Guidance, Step
from syncerr_tui.words import local_minute


@dataclass(frozen=True, slots=True)
class Resolved:
    """A named thing of the message, as the org has it."""

    name: str
    """As the message has it; of a rule that the message does not name, the rule's own name."""
    address: str | None
    modified_at: datetime | None = None
    modified_by: str | None = None
    changed_since_failure: bool | None = None
    """None where one of the two times is unknown."""
    kind: str = "flow"
    """`flow`, `validation_rule`, `duplicate_rule`, `trigger`, `class` or `field`."""
    object_name: str | None = None
    """API name of the object that a validation rule is on."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What an org once answered to a query: texts only, and no times of changes."""

    rows: tuple[Mapping[str, str], ...]
    read_at: datetime


def with_addresses(guidance: Guidance, resolved: Iterable[Resolved]) -> Guidance:
    """The guidance whose steps lead to the things themselves instead of to lists of them."""
    things = tuple(resolved)
    steps = list(guidance.steps)
    for thing in things:
        steps = [replace(step, address=thing.address) if _names(step, thing) else step for step in steps]
    for kind in ("validation_rule", "duplicate_rule"):
        steps = _told(steps, [thing for thing in things if thing.kind == kind])
    return replace(guidance, steps=tuple(steps))


def changes(resolved: Iterable[Resolved]) -> tuple[str, ...]:
    """One text for each thing whose last change is known: when, by whom, and what that means for a retry."""
    known = [thing for thing in resolved if thing.modified_at is not None]
    if len(known) > 1 and all(thing.changed_since_failure is False for thing in known):
        return (*map(_when, known), "None of them was changed since this failure: " + _SAME_WAY)
    return tuple(map(_change, known))


_LISTS = {
    "validation_rule": "/ValidationRules/view",
    "duplicate_rule": "/DuplicateRules/home",
    "field": "/FieldsAndRelationships/",
    "flow": "/Flows/home",
    "trigger": "/ApexTriggers/home",
    "class": "/ApexClasses/home",
}
_WORDS = {
    "flow": "The Flow",
    "validation_rule": "The validation rule",
    "duplicate_rule": "The duplicate rule",
    "trigger": "The trigger",
    "class": "The Apex class",
    "field": "The field",
}


def _told(steps: list[Step], rules: Sequence[Resolved]) -> list[Step]:
    """Steps that open the list of rules: the first says which rules they are, all go to the only one."""
    if not rules:
        return steps
    listed = [place for place, step in enumerate(steps) if _LISTS[rules[0].kind] in (step.address or "")]
    for place in listed:
        step = steps[place]
        text = step.text
        if place == listed[0] and not any(marked(rule.name) in text for rule in rules):
            names = ", ".join(marked(rule.name) for rule in rules)
            text = f"{text} {'It is' if len(rules) == 1 else 'They are'} {names}."
        steps[place] = Step(text, rules[0].address if len(rules) == 1 else step.address)
    return steps


def _names(step: Step, thing: Resolved) -> bool:
    """Whether a step names the thing and opens its list."""
    return (
        thing.address is not None
        and marked(thing.name) in step.text
        and _LISTS[thing.kind] in (step.address or "")
    )


_SAME_WAY = "a re-sync alone will most likely fail the same way."


def _change(thing: Resolved) -> str:
    text = _when(thing)
    if thing.changed_since_failure is True:
        return f"{text} Changed since this failure: a re-sync is worth a try."
    if thing.changed_since_failure is False:
        return f"{text} Not changed since this failure: {_SAME_WAY}"
    return text


def _when(thing: Resolved) -> str:
    assert thing.modified_at is not None
    who = f" by {marked(thing.modified_by)}" if thing.modified_by else ""
    what = f"{_WORDS[thing.kind]} {marked(thing.name)}"
    return f"{what} was last changed on {local_minute(thing.modified_at)}{who}."
