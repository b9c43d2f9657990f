"""What a person means by "re-sync this", and its plan: causes come along, what cannot work stays out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

from syncerr_tui.model import SyncError
from syncerr_tui.words import object_counts

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.resync.org import Org
    from syncerr_tui.resync.plan import LeftOut, Plan, PlannedRow
    from syncerr_tui.triage.handling import Handlings


AnyOrg = TypeVar("AnyOrg", bound="Org")
_NAMED = 6
"""Objects of a wave named one by one before the rest is counted."""


@dataclass(eq=False)
class Planner(Generic[AnyOrg]):
    """What a person wants sent, and its plan: each one is made once."""

    org: AnyOrg
    """Where, and how."""
    at: datetime
    """When it was asked for."""
    proof_timeout: float | None
    """Seconds to wait for proof of a wave, where the profile says so."""
    errors: tuple[SyncError, ...]
    parents: Mapping[str, frozenset[str]]
    known: Mapping[str, SyncError] = field(default_factory=dict)
    """Every error that the plan may speak of."""
    unavailable: tuple[LeftOut, ...] = ()
    """Rows that are under way or queued already, or do not fail any more."""
    support_only: tuple[LeftOut, ...] = ()
    """Rows that only StoreConnect support can clear: out, unless the person wants them sent anyway."""
    support_too: bool = False
    """They are sent all the same: the person chose one alone."""
    snoozed: tuple[LeftOut, ...] = ()
    """Rows that somebody wants left alone for now."""
    added: tuple[SyncError, ...] = ()
    """Causes that come along although nobody chose them."""
    hidden: int = 0
    """Selected, but hidden by the filter: not sent."""
    behind: bool = False
    """It goes behind the re-sync that is under way."""
    remarks: tuple[str, ...] = ()
    """What else a person should know before they start."""
    held: tuple[LeftOut, ...] = ()
    """Rows that another run has in its hands, as soon as the journal says so."""
    measured: tuple[tuple[int, float], ...] = ()
    """Rows and seconds of waves that were proven in this org, the latest first."""
    _made: dict[tuple[object, ...], Plan] = field(default_factory=dict)
    _lines: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, *, canary: bool, support_too: bool | None = None) -> Plan:
        """The plan.

        Args:
            canary: It begins with one row.
            support_too: What only support can clear goes too; None: where nothing else was chosen.
        """
        from syncerr_tui.diagnosis.causes import without_gc
        from syncerr_tui.resync.plan import PlanShape, make_plan

        too = self.support_too if support_too is None else support_too
        key = (canary, too, self.held, self.measured)
        if key not in self._made:
            with without_gc(len(self.errors)):
                plan = self._made[key] = make_plan(
                    self.errors,
                    org=self.org.identity,
                    method=self.org.method,
                    created_at=self.at,
                    parents=self.parents,
                    left_out=(
                        *self.unavailable,
                        *(() if too else self.support_only),
                        *self.snoozed,
                        *self.held,
                    ),
                    shape=PlanShape(canary=canary, proof_timeout=self.proof_timeout),
                ).estimated(self.measured)
                self._lines[plan.hash] = self._waves_of(plan)
        return self._made[key]

    def wave_lines(self, plan: Plan) -> tuple[str, ...]:
        """For each wave of a plan made here what it holds, and what it comes after."""
        return self._lines[plan.hash]

    def _waves_of(self, plan: Plan) -> tuple[str, ...]:
        rows: dict[int, list[PlannedRow]] = {}
        for row in plan.rows:
            rows.setdefault(row.wave, []).append(row)
        return tuple(
            self._objects(rows[wave.number])
            + (", before all others" if plan.is_canary(wave) else self._after(rows[wave.number]))
            for wave in plan.waves
        )

    def _objects(self, rows: Sequence[PlannedRow]) -> str:
        if len(self.errors) == 1:
            return f"1 {rows[0].error.short_name}"
        return object_counts((row.error.object for row in rows), _NAMED)

    def _after(self, rows: Sequence[PlannedRow]) -> str:
        known = self.known
        behind = Counter(known[parent].object for row in rows for parent in row.parents if parent in known)
        return f", after {' and '.join(name for name, _ in behind.most_common(2))}" if behind else ""


def prepare(
    graph: CauseGraph,
    org: AnyOrg,
    chosen: Sequence[SyncError],
    hidden: int = 0,
    unavailable: Mapping[str, str] = MappingProxyType({}),
    *,
    at: datetime,
    proof_timeout: float | None = None,
    behind: bool = False,
    handled: Handlings | None = None,
) -> Planner[AnyOrg]:
    """What is sent where these are asked for, and in which order.

    A single row is tried even where only support can clear it, or somebody wants it left alone: who names it
    means it. The dialog says so.

    Args:
        graph: What waits for what.
        org: Where, and how.
        chosen: What the person asks for.
        hidden: Selected, but hidden by the filter.
        unavailable: Rows that are under way or queued already, and why they stay out.
        at: Now.
        proof_timeout: Seconds to wait for proof of a wave, where the profile says so.
        behind: It goes behind those: by then they are proven, or what waits for them is left out.
        handled: What people have said about the rows.
    """
    from syncerr_tui.resync.plan import LeftOut
    from syncerr_tui.triage.handling import Handlings

    known = [graph.errors.get(error.id, error) for error in chosen]
    chosen = [error for error in known if error.id not in unavailable]
    listed = [error for error in chosen if error.id in graph.errors]
    missing = causes_missing(graph, listed)
    added = [error for error in missing if error.id not in unavailable]
    errors = (*chosen, *added)
    support = tuple(support_only(graph, (*listed, *added), unless="; s sends anyway"))
    parents = graph.parents_of(error.id for error in (*listed, *added))
    remarks: tuple[str, ...] = ()
    if behind:
        waiting = sum(not unavailable.keys().isdisjoint(causes) for causes in parents.values())
        parents = {row: causes - unavailable.keys() for row, causes in parents.items()}
        if waiting:
            them = "1 of these waits" if waiting == 1 else f"{waiting:,} of these wait"
            them = "It waits" if len(errors) == 1 else them
            remarks = (f"{them} for what is sent before, and will go only if that is proven.",)
    others = errors if len(chosen) > 1 else added
    asleep = snoozed(handled or Handlings(), others, unless="; alone it goes, and N wakes it")
    return Planner(
        org,
        at,
        proof_timeout,
        errors=errors,
        parents=parents,
        known={error.id: error for error in (*known, *errors)},
        unavailable=tuple(
            LeftOut(error.id, unavailable[error.id]) for error in known if error.id in unavailable
        ),
        support_only=support,
        support_too=len(chosen) == 1,
        snoozed=tuple(asleep),
        added=tuple(reversed(added)),
        hidden=hidden,
        behind=behind,
        remarks=remarks,
    )


def prepare_again(
    graph: CauseGraph,
    org: AnyOrg,
    rows: Sequence[SyncError],
    left_out: Sequence[LeftOut],
    *,
    at: datetime,
    proof_timeout: float | None,
) -> Planner[AnyOrg]:
    """Exactly these rows, as they were just read: a plan leaves out those whose cause is not among them."""
    parents = graph.parents_of(row.id for row in rows if row.id in graph.errors)
    return Planner(org, at, proof_timeout, tuple(rows), parents, unavailable=tuple(left_out))


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


def support_only(graph: CauseGraph, chosen: Iterable[SyncError], *, unless: str) -> list[LeftOut]:
    """Errors that only StoreConnect support can clear.

    Args:
        graph: All errors.
        chosen: The ones that were asked for.
        unless: How a person can try one all the same, for the reason.
    """
    from syncerr_tui.diagnosis.explanation import explain
    from syncerr_tui.resync.plan import LeftOut

    known: dict[tuple[str, str], bool] = {}
    out = []
    for error in chosen:
        key = (graph.fingerprint_of(error.id).key, error.event_type.value)
        if key not in known:
            known[key] = explain(error).support_only
        if known[key]:
            out.append(LeftOut(error.id, f"only StoreConnect support can clear this{unless}"))
    return out


def snoozed(handled: Handlings, chosen: Iterable[SyncError], *, unless: str = "") -> list[LeftOut]:
    """Errors that somebody wants left alone for now; the reason names who, and until when."""
    from syncerr_tui.resync.plan import LeftOut

    return [
        LeftOut(error.id, f"snoozed {snooze.words()}{unless}")
        for error in chosen
        if (snooze := handled.of(error.id).snooze) is not None
    ]


def support_words(count: int) -> str:
    """The warning about rows that only support can clear and that are to be sent all the same."""
    if count == 1:
        return "Only StoreConnect support can clear it: send it once they have answered."
    return f"Only StoreConnect support can clear {count:,} of these: send them once they have answered."
