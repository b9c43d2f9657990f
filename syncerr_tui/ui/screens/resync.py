"""Before, during and after a re-sync: what exactly will be sent, and what a person has to do for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from textual.content import Content

from syncerr_tui.model import Environment, OrgIdentity, SyncError
from syncerr_tui.resync.org import MethodInfo
from syncerr_tui.resync.plan import Plan
from syncerr_tui.ui.screens.dialog import Confirmation, keys
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.ui.words import duration, plural

_NAMED = 8
"""Rows and reasons shown one by one before the rest is counted."""


class ResyncDialog(Confirmation):
    """How many, of which objects, in which org, by which method. Enter starts, escape leaves."""

    def __init__(self, plan: Plan, org: OrgIdentity, method: MethodInfo, *, hidden: int = 0) -> None:
        super().__init__()
        self._plan = plan
        self._org = org
        self._method = method
        self._hidden = hidden

    @property
    def heading(self) -> str:
        """`Re-sync 3 errors in acme-prod (PRODUCTION)`."""
        count = plural(len(self._plan.rows), "error")
        return f"Re-sync {count} in {self._org.name} ({self._org.environment.value})"

    @property
    def text(self) -> Content:
        """The plan in a few lines."""
        plan = self._plan
        objects = Counter(row.error.object for row in plan.rows)
        lines: list[tuple[str, str]] = []
        if objects:
            named = ", ".join(f"{count:,} {name}" for name, count in objects.most_common(_NAMED))
            more = len(objects) - _NAMED
            lines.append((f"\nObjects  {named}{f' and {more} more' if more > 0 else ''}", ""))
        lines.append((f"\nMethod   {self._method.label}", ""))
        if len(plan.waves) > 1:
            lines.append(
                (f"\nOrder    parents first, in {len(plan.waves)} waves, each proven before the next", "")
            )
        lines.append((f"\nTakes    about {duration(timedelta(seconds=plan.expected_seconds))}", ""))
        if self._org.environment is Environment.PRODUCTION:
            lines.append(("\n\nThis is a production org: what is sent changes real data.", "bold"))
        if self._hidden:
            lines.append((f"\n\nNot sent: {self._hidden:,} selected, but hidden by the filter.", "bold"))
        lines += [(f"\nNot sent: {out.id}: {out.reason}.", "") for out in plan.left_out[:_NAMED]]
        if len(plan.left_out) > _NAMED:
            lines.append((f"\n... and {len(plan.left_out) - _NAMED:,} more that are not sent.", ""))
        lines += [(f"\nNote: {warning}.", "") for warning in plan.warnings]
        if not plan.rows:
            lines.append(("\n\nNothing is left to send.", "bold"))
        return Content.assemble(*lines, "\n")

    @property
    def answers(self) -> Sequence[Part]:
        """Start it, or leave it."""
        if not self._plan.rows:
            return keys(("esc", "leaves"))
        return keys(("enter", "starts"), ("esc", "leaves"))

    def action_yes(self) -> None:
        """Start, where there is anything to start."""
        if self._plan.rows:
            self.dismiss(True)


class GuidedDialog(Confirmation):
    """The person presses Re-sync in Salesforce for exactly these rows; then the tool proves the outcome."""

    def __init__(self, errors: tuple[SyncError, ...], address: str | None, wave: int) -> None:
        super().__init__()
        self._errors = errors
        self._address = address
        self._wave = wave

    @property
    def heading(self) -> str:
        """What to do."""
        return f"Your turn: re-sync {plural(len(self._errors), 'row')} in Salesforce (wave {self._wave})"

    @property
    def text(self) -> Content:
        """Where, and which rows, in which order."""
        lines: list[tuple[str, str]] = []
        if self._address:
            lines.append((f"\n1 Open {self._address}", ""))
        else:
            lines.append(("\n1 Open the Sync Errors list in Salesforce", ""))
        lines.append(("\n2 Tick exactly these rows, in this order, and press Re-sync:\n", ""))
        lines += [
            (f"\n  {error.object} {error.event_type.value} {error.storeconnect_id or error.id}", "bold")
            for error in self._errors
        ]
        lines.append(("\n\n3 Press enter here: the outcome is then read back from the org.\n", ""))
        return Content.assemble(*lines)

    @property
    def answers(self) -> Sequence[Part]:
        """Done, or not."""
        return keys(("enter", "I pressed Re-sync"), ("esc", "I did not"))


class QuitDialog(Confirmation):
    """Leaving while rows are on their way."""

    def __init__(self, progress: str) -> None:
        super().__init__()
        self._progress = progress

    @property
    def heading(self) -> str:
        """What is going on."""
        return "A re-sync is under way"

    @property
    def text(self) -> Content:
        """What leaving means."""
        return Content(
            f"\n{self._progress}\n\nLeaving waits for the answers to what is on its way and writes them "
            "down. The rest stays unsent, and the next start offers to go on with it.\n"
        )

    @property
    def answers(self) -> Sequence[Part]:
        """Leave, or stay."""
        return keys(("enter", "leaves"), ("esc", "stays"))
