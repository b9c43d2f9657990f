"""From what the org says to the options of an error: in which order, and which of them may be done. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from syncerr_tui.fixes.model import FixOption, seen_hash
from syncerr_tui.fixes.org import FixCandidate, FixFacts, FixKind, FixPolicy, FixScope
from syncerr_tui.words import local_minute

_SHELL_SAFE = "@+/="
"""Beside letters, digits and `_.-~`: what no shell treats in its own way."""
_ORDER = {scope: place for place, scope in enumerate(FixScope)}
_PERMISSION_NAMES = {
    "PermissionsAssignPermissionSets": "Assign Permission Sets",
    "PermissionsCustomizeApplication": "Customize Application",
    "PermissionsManageInteraction": "Manage Flow",
    "PermissionsManageUsers": "Manage Users",
    "PermissionsModifyAllData": "Modify All Data",
    "PermissionsModifyMetadata": "Modify Metadata Through Metadata API Functions",
    "PermissionsTransferAnyEntity": "Transfer Record",
    "PermissionsViewSetup": "View Setup and Configuration",
}


def options_for(facts: FixFacts, policy: FixPolicy) -> list[FixOption]:
    """The fixes of one error, smallest scope first; within a scope those that this program does first.

    Args:
        facts: What the org says about them and about this user.
        policy: What may be done in this org.
    """
    options = [_option(candidate, facts, policy) for candidate in facts.candidates]
    options.sort(key=lambda option: (_ORDER[option.kind.scope], not option.automatic))
    return _once(options)


def _option(candidate: FixCandidate, facts: FixFacts, policy: FixPolicy) -> FixOption:
    target = candidate.target
    named = target.id if candidate.kind.scope is FixScope.RECORD else target.name
    return FixOption(
        key=_key(candidate),
        old_key=f"{candidate.kind.value}:{named}",
        kind=candidate.kind,
        title=candidate.title,
        target=target,
        before=candidate.before,
        after=candidate.after,
        wants=candidate.wants,
        affects=candidate.affects,
        changed=_changed(candidate),
        why_guided=candidate.guided,
        why_not="" if candidate.guided else _why_not(candidate, facts, policy),
        steps=candidate.steps,
        seen=seen_hash(target, candidate.whole),
        settled=candidate.settled or _so_already(candidate),
        event=candidate.event,
    )


def _key(candidate: FixCandidate) -> str:
    """Tells an option from every other, is the same each time, and needs no quotes in a shell."""
    kind, target = candidate.kind, candidate.target
    match kind:
        case FixKind.CORRECT_VALUE:
            parts = [target.id, *candidate.wants]
        case FixKind.ADD_VALUE:
            parts = [target.name, *candidate.after]
        case FixKind.ASSIGN_BYPASS:
            parts = target.name.split(" for ")
        case _:
            parts = [target.id if kind.scope is FixScope.RECORD else target.name]
    return ":".join([kind.value, *(quote(part, safe=_SHELL_SAFE) for part in parts)])


def _so_already(candidate: FixCandidate) -> str:
    same = bool(candidate.after) and not candidate.wants and candidate.before == candidate.after
    return "It is like that already" if same else ""


def _why_not(candidate: FixCandidate, facts: FixFacts, policy: FixPolicy) -> str:
    """The first reason against it: the profile's, the user's, the login's, the target's."""
    if refusal := policy.refusal(candidate.kind.scope):
        return refusal
    for need in candidate.needs:
        known = [facts.permissions.get(name) for name in need.split("|")]
        if True not in known and None not in known:
            names = " or ".join(_PERMISSION_NAMES.get(name, name) for name in need.split("|"))
            return f"This user lacks the permission {names}"
    if candidate.needs_metadata_api and facts.metadata_api:
        return facts.metadata_api
    return candidate.blocked


def _changed(candidate: FixCandidate) -> tuple[str, ...]:
    lines = []
    if candidate.changed_at is not None:
        by = f" by {candidate.changed_by}" if candidate.changed_by else ""
        lines.append(f"Last changed {local_minute(candidate.changed_at)}{by}")
    return (*lines, *candidate.audit)


def _once(options: Iterable[FixOption]) -> list[FixOption]:
    """Each key once."""
    found: dict[str, FixOption] = {}
    for option in options:
        found.setdefault(option.key, option)
    return list(found.values())
