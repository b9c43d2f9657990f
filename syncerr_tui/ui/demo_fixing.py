"""The demo org's own way out: do what the guidance says, through the org's REST API, after a look at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from textual.content import Content

from syncerr_tui.model import SyncError
from syncerr_tui.text import one_line
from syncerr_tui.ui.screens.dialog import Confirmation, keys
from syncerr_tui.ui.widgets.line import Part

if TYPE_CHECKING:
    from syncerr_tui.salesforce.demo_fix import DemoFix


_MOST = 500
"""Records that are put right one by one."""


class FixSource(Protocol):
    """`syncerr_tui.salesforce.demo_fix.DemoFixes`, as the screen needs it."""

    async def look(self, event_id: str) -> DemoFix: ...

    async def apply(self, event_id: str) -> str: ...


class FixDialog(Confirmation):
    """What would be changed in the demo org."""

    def __init__(self, error: SyncError, fix: DemoFix, others: int = 0) -> None:
        super().__init__()
        self._others = others
        self._error = error
        self._fix = fix

    @property
    def heading(self) -> str:
        """Plainly the demo's."""
        return f"DEMO ORG ONLY: fix what blocks this {self._error.object}"

    @property
    def text(self) -> Content:
        """What, and why."""
        lines: list[tuple[str, str]] = [(f"\n{one_line(self._fix.title)}", "bold")]
        if self._fix.why:
            lines.append((f"\n\n{one_line(self._fix.why)}", ""))
        lines += [(f"\n{number} {one_line(step)}", "") for number, step in enumerate(self._fix.steps, 1)]
        if self._others:
            lines.append(
                (f"\n\nThe same for {self._others:,} more with this cause, where they need it.", "bold")
            )
        lines.append(("\n\nIn a real org a person does this by hand. Afterwards: re-sync (R).\n", ""))
        return Content.assemble(*lines)

    @property
    def answers(self) -> list[Part]:
        """Do it, or not."""
        return keys(("enter", "applies it"), ("esc", "cancels"))


async def fix_others(fixes: FixSource, errors: Sequence[SyncError]) -> int:
    """Fix records that are wrong each for itself; a safeguard that is off already needs nothing more."""
    count = 0
    for error in errors[:_MOST]:
        if (await fixes.look(error.id)).available:
            await fixes.apply(error.id)
            count += 1
    return count
