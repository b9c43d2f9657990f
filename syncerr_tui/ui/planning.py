"""From what a person asks for to what a plan is made of: causes come along, what cannot work stays out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncerr_tui.model import OrgIdentity, SyncError

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.resync.org import MethodInfo
    from syncerr_tui.resync.plan import LeftOut, Plan
    from syncerr_tui.ui.screens.plan import Asked


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a plan is made of but the org."""

    errors: tuple[SyncError, ...]
    parents: Mapping[str, frozenset[str]]
    support_only: tuple[LeftOut, ...]
    """Rows that stay out unless the person wants them sent all the same."""
    asked: Asked


class Planner:
    """Makes the plan of what was prepared, each one once.

    Args:
        org: Where.
        method: How.
        at: When it was asked for.
        prepared: What goes into it.
        patience: Seconds to wait for proof of a wave, where the profile says so.
    """

    def __init__(
        self, org: OrgIdentity, method: MethodInfo, at: datetime, prepared: Prepared, patience: float | None
    ) -> None:
        self._org = org
        self._method = method
        self._at = at
        self._prepared = prepared
        self._patience = patience
        self._made: dict[tuple[object, ...], Plan] = {}
        self.held: tuple[LeftOut, ...] = ()
        """Rows that another run has in its hands."""
        self.measured: tuple[tuple[int, float], ...] = ()
        """Rows and seconds of waves that were proven in this org, the latest first."""

    def __call__(self, *, ramp: bool, support_too: bool | None = None) -> Plan:
        """The plan.

        Args:
            ramp: It begins with one row.
            support_too: What only support can clear goes too; None: where nothing else was chosen.
        """
        from syncerr_tui.resync.plan import DEFAULT_PATIENCE, make_plan

        too = self._prepared.asked.support_too if support_too is None else support_too
        key = (ramp, too, self.held, self.measured)
        if key not in self._made:
            self._made[key] = make_plan(
                self._prepared.errors,
                org=self._org,
                method=self._method,
                created_at=self._at,
                parents=self._prepared.parents,
                left_out=(*(() if too else self._prepared.support_only), *self.held),
                ramp=ramp,
                measured=self.measured,
                patience=DEFAULT_PATIENCE if self._patience is None else self._patience,
            )
        return self._made[key]


def prepare(graph: CauseGraph, chosen: Sequence[SyncError], hidden: int = 0) -> Prepared:
    """What is sent where these are asked for, and in which order.

    A single row is tried even where only support can clear it: who names it means it. The dialog says so.
    """
    from syncerr_tui.resync.selection import causes_missing, support_only
    from syncerr_tui.ui.screens.plan import Asked

    chosen = [graph.errors.get(error.id, error) for error in chosen]
    listed = [error for error in chosen if error.id in graph.errors]
    added = causes_missing(graph, listed)
    errors = (*chosen, *added)
    support = tuple(support_only(graph, (*listed, *added), unless=" first; s sends it anyway"))
    asked = Asked(
        {error.id: error for error in errors},
        tuple(reversed(added)),
        hidden,
        support_only=frozenset(out.id for out in support),
        support_too=len(chosen) == 1,
    )
    return Prepared(
        errors=errors,
        parents=graph.parents_of(error.id for error in (*listed, *added)),
        support_only=support,
        asked=asked,
    )
