"""From what a person asks for to what a plan is made of: causes come along, what cannot work stays out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncerr_tui.model import SyncError

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.resync.plan import LeftOut
    from syncerr_tui.ui.screens.plan import Asked


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a plan is made of but the org."""

    errors: tuple[SyncError, ...]
    parents: Mapping[str, frozenset[str]]
    left_out: tuple[LeftOut, ...]
    asked: Asked


def prepare(graph: CauseGraph, chosen: Sequence[SyncError], hidden: int = 0) -> Prepared:
    """What is sent where these are asked for, and in which order.

    A single row is tried even where only support could clear it: who names it means it.
    """
    from syncerr_tui.resync.choosing import causes_missing, support_only
    from syncerr_tui.ui.screens.plan import Asked

    chosen = [graph.errors.get(error.id, error) for error in chosen]
    listed = [error for error in chosen if error.id in graph.errors]
    added = causes_missing(graph, listed)
    errors = (*chosen, *added)
    only_one = len(chosen) == 1
    unless = "; to try it all the same, choose it alone"
    return Prepared(
        errors=errors,
        parents=graph.parents_of(error.id for error in (*listed, *added)),
        left_out=() if only_one else tuple(support_only(graph, (*listed, *added), unless=unless)),
        asked=Asked({error.id: error for error in errors}, tuple(reversed(added)), hidden),
    )
