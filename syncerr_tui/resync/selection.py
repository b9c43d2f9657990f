"""What a person means by "re-sync this": causes come along, and what no re-sync can clear stays out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from syncerr_tui.resync.plan import LeftOut

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.model import SyncError
    from syncerr_tui.triage.handling import Handlings


def causes_missing(graph: CauseGraph, chosen: Sequence[SyncError]) -> list[SyncError]:
    """The errors that the chosen ones wait for, directly or through others, and that are not chosen.

    A victim may only be sent after its cause is proven in the same run: without these a plan would have to
    leave it out. Facts only; a guess brings nothing along.
    """
    known = {error.id for error in chosen}
    missing: list[SyncError] = []
    frontier = list(known)
    while frontier:
        parents = {row for before in graph.parents_of(frontier).values() for row in before}
        frontier = [row for row in sorted(parents - known) if row in graph.errors]
        known.update(frontier)
        missing += [graph.errors[row] for row in frontier]
    return missing


def support_only(graph: CauseGraph, chosen: Iterable[SyncError], *, unless: str = "") -> list[LeftOut]:
    """Errors that only StoreConnect's support can clear.

    Args:
        graph: All errors.
        chosen: The ones that were asked for.
        unless: How a person can try one all the same, for the reason.
    """
    from syncerr_tui.diagnosis.explanation import explain

    known: dict[tuple[str, str], bool] = {}
    out = []
    for error in chosen:
        key = (graph.fingerprint_of(error.id).key, error.event_type.value)
        if key not in known:
            known[key] = explain(error).support_only
        if known[key]:
            out.append(LeftOut(error.id, f"only StoreConnect's support can clear this{unless}"))
    return out


def snoozed(asked: Handlings, chosen: Iterable[SyncError], *, unless: str = "") -> list[LeftOut]:
    """Errors that somebody wants left alone for now; the reason names who, and until when."""
    return [
        LeftOut(error.id, f"snoozed {snooze.words()}{unless}")
        for error in chosen
        if (snooze := asked.of(error.id).snooze) is not None
    ]


def support_words(count: int) -> str:
    """The warning about rows that only support can clear and that are to be sent all the same."""
    if count == 1:
        return "Only StoreConnect's support can clear it: send it once they have answered."
    return f"Only StoreConnect's support can clear {count:,} of these: send them once they have answered."
