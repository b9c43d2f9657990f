"""What an earlier start left open: told at once, and nothing is read or sent without a choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from syncerr_tui.journal.history import Unfinished
from syncerr_tui.model import Environment, OrgIdentity
from syncerr_tui.resync.run_state import ResumeMode
from syncerr_tui.text import one_line
from syncerr_tui.triage.columns import Moment
from syncerr_tui.ui.screens.dialog import Reading, keys
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import ago


class ResumeDialog(Reading[ResumeMode]):
    """A run that was interrupted: go on, only check, drop, or leave it for later.

    Args:
        unfinished: The run, and how far it came.
        org: Where.
        drawn: The time it is looked at.
        others: How many more wait behind it.
        may_send: False in a read-only app: then nothing can go on.
    """

    DEFAULT_CSS = "ResumeDialog .dialog > VerticalScroll { max-height: 70vh; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "choose('continue')", show=False),
        Binding("g", "again", show=False),
        Binding("o", "choose('check')", show=False),
        Binding("d", "choose('drop')", show=False),
    ]

    def __init__(
        self,
        unfinished: Unfinished,
        org: OrgIdentity,
        drawn: Moment,
        *,
        others: int = 0,
        may_send: bool = True,
    ) -> None:
        super().__init__()
        self._unfinished = unfinished
        self._org = org
        self._drawn = drawn
        self._others = others
        self._may_send = may_send
        self.again = False
        """The person wants sent again what is still unknown after the org's usual time."""
        self._heading = f"A re-sync in {self._org.name} ({self._org.environment.value}) was interrupted"

    @property
    def text(self) -> Content:
        """Which run, how far it came, and what each key would do."""
        run, unfinished = self._unfinished.run, self._unfinished
        at = run.started_at.astimezone(self._drawn.zone)
        loud = self._may_send and self._org.environment is Environment.PRODUCTION
        lines: list[tuple[str, str]] = [
            ("\nThis is a PRODUCTION org: what is sent changes real data.\n" if loud else "", "bold"),
            (f"\n{unfinished.summary}.", "bold"),
            (f"\nBegun {at:%Y-%m-%d %H:%M} ({ago(run.started_at, self._drawn.now)}) ", ""),
            (one_line(f"by {run.os_user} on {run.host or 'an unnamed machine'}, method {run.method}."), ""),
        ]
        if run.reason:
            lines.append((f"\nWhy: {one_line(run.reason)}", ""))
        lines.append(("\n", ""))
        for key, name, does in self._choices:
            lines += [(f"\n{key}  {name:<11}", "bold"), (does, "")]
        lines.append(("\n\nNothing is read or sent before you choose.", ""))
        if self._others:
            lines.append((f"\n{self._others} more wait in the Journal (3).", ""))
        return Content.assemble(*lines, "\n")

    @property
    def _choices(self) -> list[tuple[str, str, str]]:
        unfinished = self._unfinished
        again = (
            "reads the unknown ones again, then sends the rest" if unfinished.unknown else "sends the rest"
        )
        if unfinished.run.method == "guided":
            again = "reads what was shown again, then shows the rest to press"
        choices = [
            ("c", "continue", again),
            ("o", "only check", "reads again what was sent; sends nothing"),
            ("d", "drop", "closes it as it is; reads and sends nothing"),
        ]
        if unfinished.unknown:
            words = "continues, and sends the unknown ones again: that may apply them twice"
            choices.insert(1, ("g", "send again", words))
        return choices if self._may_send else choices[-2:]

    @property
    def answers(self) -> Sequence[Part]:
        pairs = [(key, name) for key, name, _ in self._choices]
        return keys(*pairs, ("esc", "later"))

    def action_again(self) -> None:
        if self._may_send and self._unfinished.unknown:
            self.again = True
            self.dismiss(ResumeMode.CONTINUE)

    def action_choose(self, mode: str) -> None:
        if mode != ResumeMode.CONTINUE.value or self._may_send:
            self.dismiss(ResumeMode(mode))
