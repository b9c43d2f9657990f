"""Before a re-sync: the plan itself, wave by wave, and what stays out of it. Enter starts, escape leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from syncerr_tui.model import Environment, OrgIdentity, SyncError
from syncerr_tui.resync.org import MethodInfo
from syncerr_tui.resync.plan import LeftOut, Plan, Wave
from syncerr_tui.ui.screens.dialog import Confirmation, keys
from syncerr_tui.ui.widgets.line import Line, Part
from syncerr_tui.ui.words import duration, plural

_NAMED = 6
"""Objects named one by one before the rest is counted."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, next to what the plan makes of it."""

    errors: Mapping[str, SyncError]
    """Every error the plan may speak of."""
    added: tuple[SyncError, ...] = ()
    """Causes that come along although nobody chose them."""
    hidden: int = 0
    """Selected, but hidden by the filter: not sent."""
    remarks: tuple[str, ...] = ()
    """What else a person should know before they start."""


class PlanDialog(Confirmation):
    """Which rows in which order, in which org, by which method, and what it takes.

    Args:
        make: Makes the plan; the argument says whether it begins with a few rows only.
        asked: What was asked for.
        org: Where.
        method: How.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "ramp", show=False)]

    def __init__(
        self, make: Callable[[bool], Plan], asked: Asked, org: OrgIdentity, method: MethodInfo
    ) -> None:
        super().__init__()
        self._make = make
        self._asked = asked
        self._org = org
        self._method = method
        self.plan = make(False)

    @property
    def heading(self) -> str:
        """`Re-sync 3 errors in acme-prod (PRODUCTION)`."""
        count = plural(len(self.plan.rows), "error")
        return f"Re-sync {count} in {self._org.name} ({self._org.environment.value})"

    @property
    def text(self) -> Content:
        """The plan in a few lines; the rarest and most important first."""
        plan, asked = self.plan, self._asked
        lines: list[tuple[str, str]] = []
        if self._org.environment is Environment.PRODUCTION:
            lines.append(("\nThis is a PRODUCTION org: what is sent changes real data.", "bold"))
        if asked.added:
            lines.append((f"\n{_added(asked.added)}", "bold"))
        if asked.hidden:
            lines.append((f"\nNot sent: {asked.hidden:,} selected, but hidden by the filter.", "bold"))
        lines += [(f"\n{remark}", "bold") for remark in asked.remarks]
        if not plan.rows:
            lines.append(("\nNothing is left to send.", "bold"))
        lines += [(f"\n{line}", "") for line in self._waves()]
        if plan.rows:
            lines.append((f"\nMethod   {self._method.label}", ""))
            took = duration(timedelta(seconds=plan.expected_seconds))
            lines.append((f"\nTakes    about {took}, {plural(plan.expected_calls, 'call')}", ""))
        lines += [(f"\nNot sent {line}", "") for line in self._left_out()]
        lines += [(f"\nNote     {warning}.", "") for warning in plan.warnings]
        return Content.assemble(*lines, "\n")

    def _waves(self) -> list[str]:
        waves = self.plan.waves
        lines = [f"{f'Wave {wave.number}':<8} {self._objects(wave)}{self._waits(wave)}" for wave in waves]
        if len(waves) > 1:
            lines.append("         Each wave goes only after the one before it is proven; what fails")
            lines.append("         holds back its own branch and nothing else.")
        return lines

    def _objects(self, wave: Wave) -> str:
        counted = Counter(self._asked.errors[row].object for row in wave.ids if row in self._asked.errors)
        named = ", ".join(f"{count:,} {name}" for name, count in counted.most_common(_NAMED))
        more = len(counted) - _NAMED
        return f"{named}{f' and {more} more objects' if more > 0 else ''}"

    def _waits(self, wave: Wave) -> str:
        if wave.why.startswith("ramp"):
            return "  (first a few)"
        rows = set(wave.ids)
        behind = Counter(
            self._asked.errors[parent].object
            for row in self.plan.rows
            if row.error.id in rows
            for parent in row.parents
            if parent in self._asked.errors
        )
        if not behind:
            return ""
        return f"  (after {', '.join(name for name, _ in behind.most_common(3))})"

    def _left_out(self) -> list[str]:
        """Who stays out, counted by reason; a reason that only one has names it."""
        groups: dict[str, list[LeftOut]] = {}
        for out in self.plan.left_out:
            groups.setdefault(self._readable(out.reason), []).append(out)
        lines = []
        for reason, outs in groups.items():
            first = self._asked.errors.get(outs[0].id)
            name = f"{first.object} {(first.storeconnect_id or first.id)[:8]}" if first else outs[0].id
            lines.append(f"{name if len(outs) == 1 else f'{len(outs):,} errors'}: {reason}.")
        return lines

    def _readable(self, reason: str) -> str:
        """The plan names causes by id; a person knows them by object."""
        words = [
            f"{error.object} {(error.storeconnect_id or error.id)[:8]}"
            if (error := self._asked.errors.get(word))
            else word
            for word in reason.split(" ")
        ]
        return " ".join(words)

    @property
    def answers(self) -> Sequence[Part]:
        """Start it, or leave it."""
        if not self.plan.rows:
            return keys(("esc", "leaves"))
        told = [("enter", "starts"), ("esc", "leaves")]
        if self.plan.ramp:
            told.append(("r", "all at once"))
        elif len(self.plan.rows) > 1:
            told.append(("r", "begins with one"))
        return keys(*told)

    def action_ramp(self) -> None:
        """Begin with one row, then five, then 25, each proven; or take them all at once."""
        if len(self.plan.rows) > 1:
            self.plan = self._make(not self.plan.ramp)
            self.query_one(Static).update(self.text)
            self.query_one("#answers", Line).show(self.answers)

    def action_yes(self) -> None:
        """Start, where there is anything to start."""
        if self.plan.rows:
            self.dismiss(True)


def _added(added: Sequence[SyncError]) -> str:
    names = ", ".join(f"{error.object} {(error.storeconnect_id or error.id)[:8]}" for error in added[:3])
    more = f" and {len(added) - 3} more" if len(added) > 3 else ""
    return (
        f"Its cause goes first: {names} comes along."
        if len(added) == 1
        else f"Their causes go first: {names}{more} come along."
    )
