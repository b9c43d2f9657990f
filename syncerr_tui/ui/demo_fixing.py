"""The demo org's own way out: do what the guidance says, through the org's REST API, after a look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from textual.content import Content

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError
from syncerr_tui.ui.screens.dialog import Confirmation, keys
from syncerr_tui.ui.widgets.line import Part

if TYPE_CHECKING:
    from syncerr_tui.salesforce.demo_fix import DemoFix
    from syncerr_tui.ui.app import SyncErrApp


class Fixes(Protocol):
    """`syncerr_tui.salesforce.demo_fix.DemoFixes`, as the screen needs it."""

    async def look(self, event_id: str) -> DemoFix: ...

    async def apply(self, event_id: str) -> str: ...


class FixDialog(Confirmation):
    """What would be changed in the demo org."""

    def __init__(self, error: SyncError, fix: DemoFix) -> None:
        super().__init__()
        self._error = error
        self._fix = fix

    @property
    def heading(self) -> str:
        """Plainly the demo's."""
        return f"DEMO ORG ONLY: fix what blocks this {self._error.object}"

    @property
    def text(self) -> Content:
        """What, and why."""
        lines: list[tuple[str, str]] = [(f"\n{self._fix.title}", "bold")]
        if self._fix.why:
            lines.append((f"\n\n{self._fix.why}", ""))
        lines += [(f"\n{number} {step}", "") for number, step in enumerate(self._fix.steps, 1)]
        lines.append(("\n\nIn a real org a person does this by hand. Afterwards: re-sync (R).\n", ""))
        return Content.assemble(*lines)

    @property
    def answers(self) -> list[Part]:
        """Do it, or not."""
        return keys(("enter", "applies it"), ("esc", "leaves"))


class DemoFixing:
    """Looks a fix up, asks, applies it, and says what has changed."""

    def __init__(self, app: SyncErrApp, fixes: Fixes) -> None:
        self._app = app
        self._fixes = fixes

    async def run(self, error: SyncError) -> None:
        """From the question to the line that tells what was done."""
        say = self._app.bench.say
        try:
            fix = await self._fixes.look(error.id)
            if not fix.available:
                say(fix.why or fix.title or "The demo org has no fix for this error.")
                return
            if await self._app.push_screen_wait(FixDialog(error, fix)):
                say(f"{await self._fixes.apply(error.id)}. Now re-sync: R", "good")
        except SyncErrError as problem:
            say(problem.line, "bad")
