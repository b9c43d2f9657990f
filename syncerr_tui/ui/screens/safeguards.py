"""The safeguards that are off because of us and that nobody has seen on again: each can be put back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList

from syncerr_tui.fixes.model import SafeguardNow, SafeguardState
from syncerr_tui.triage.columns import Moment
from syncerr_tui.ui import fix_words as words
from syncerr_tui.ui.screens.dialog import PanelDialog, keys
from syncerr_tui.ui.widgets.line import Line, Part
from syncerr_tui.words import plural


@dataclass(frozen=True, slots=True)
class SafeguardActions:
    """What is started from the dialog; `learn` shows the ledger afterwards."""

    restore: Callable[[Sequence[str]], object]
    """Puts the fixes of these ids back."""
    accept: Callable[[str], object]
    """Closes a line because another version of its Flow is meant to be active."""
    record: Callable[[str, str], object]
    """Puts a safeguard on the ledger that a person switched off by hand: its type and name, and why."""


class SafeguardsDialog(PanelDialog[None]):
    """The open lines of the ledger, each re-read just now.

    Args:
        actions: What keys start; None in a read-only app.
        moment: The time it is drawn for.
        thumb: What the scroll bar is drawn with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "all", show=False),
        Binding("c", "accept", show=False),
        Binding("n", "name", show=False),
    ]

    def __init__(
        self, actions: SafeguardActions | None, moment: Callable[[], Moment], *, thumb: str = "┃"
    ) -> None:
        super().__init__(thumb=thumb)
        self._actions = actions
        self._moment = moment
        self._rows: Sequence[SafeguardNow] = ()
        self._busy = True
        self._note, self._noted_at = "", -1
        """What has just come of an action, and the line under the cursor then."""
        self._naming = False
        """A name is being typed."""

    @property
    def heading(self) -> str:
        open_rows = sum(row.state not in {SafeguardState.ON, SafeguardState.GONE} for row in self._rows)
        return f"{plural(open_rows, 'safeguard')} off" if self._rows else "Safeguards"

    def on_mount(self) -> None:
        self.say("Reading each of them again ...")
        self.listed.focus()

    @property
    def answers(self) -> Sequence[Part]:
        if self._naming:
            return keys(("enter", "puts it on the list"), ("esc", "back"))
        if self._busy or self._actions is None:
            return keys(("esc", "leaves"))
        row, pairs = self._current, []
        if row is not None:
            pairs.append(("enter", "puts it back"))
        if len(self._rows) > 1:
            pairs.append(("a", "all"))
        if row is not None and row.state is SafeguardState.OTHER_VERSION:
            pairs.append(("c", "closes its line"))
        return keys(*pairs, ("n", "adds one"), ("esc", "later"))

    @property
    def _current(self) -> SafeguardNow | None:
        return self._rows[self.row] if 0 <= self.row < len(self._rows) else None

    # -- what comes from outside -----------------------------------------------------------------------

    def learn(self, rows: Sequence[SafeguardNow], note: str = "") -> None:
        """How they are now.

        Args:
            rows: The lines.
            note: What has just been done, or why they could not be read.
        """
        self.once_shown(partial(self._learn, rows, note))

    def _learn(self, rows: Sequence[SafeguardNow], note: str) -> None:
        self._busy, self._rows, self._note = False, rows, note
        self.fill(map(words.safeguard_line, rows))
        self._noted_at = self.row
        self.query_one("#heading", Line).show([(self.heading, "strong")])
        self._draw()
        if not rows:
            self.say(note or "Nothing that was switched off from here is still off.")

    @on(OptionList.OptionHighlighted)
    def _draw(self) -> None:
        row = self._current
        if row is not None:
            self.show(partial(words.safeguard_lines, row, self._moment()))
        # Filling the list highlights a line again, which must not wipe out what has just come of an action.
        self.show_answers(self._note if row is not None and self.row == self._noted_at else "")

    # -- what keys do ----------------------------------------------------------------------------------

    def _start(self, text: str, work: Callable[[SafeguardActions], object]) -> None:
        """Start one thing at a time, where anything may be changed."""
        if self._actions is not None and not self._busy and not self._naming:
            self._busy, self._note = True, ""
            self.say(text)
            self.show_answers()
            work(self._actions)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        row = self._current
        if row is not None:
            name, fix = row.record.target.name, row.record.id
            self._start(f"Putting {name} back ...", lambda actions: actions.restore([fix]))

    def action_all(self) -> None:
        fixes = [row.record.id for row in self._rows]
        if fixes:
            text = f"Putting {plural(len(fixes), 'safeguard')} back ..."
            self._start(text, lambda actions: actions.restore(fixes))

    def action_accept(self) -> None:
        """Close the line of a Flow of which another version is active."""
        row = self._current
        if row is not None and row.state is SafeguardState.OTHER_VERSION:
            name, fix = row.record.target.name, row.record.id
            self._start(f"Closing the line of {name} ...", lambda actions: actions.accept(fix))

    def action_name(self) -> None:
        """Ask for the name of one that a person switched off by hand."""
        if self._actions is not None and not self._busy:
            self._naming, self._note = True, ""
            self.say("Its type and name, as in ValidationRule:Order.Rule", words.NAMES_OF_SAFEGUARDS)
            self.show_answers()
            asked = [("name", " Type and name:"), ("reason", " Why (may be empty):")]
            self.run_worker(self.ask_for(asked), exclusive=True)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.name == "name":
            self.set_focus(self.query(Input).last())
            return
        typed = self.typed
        self._end_naming()
        name, reason = typed["name"].strip(), typed["reason"]
        if name:
            self._start("Reading it ...", lambda actions: actions.record(name, reason))

    def _end_naming(self) -> None:
        self._naming = False
        # At once: a key that is already on its way must not go to a line that is being taken away.
        self.set_focus(self.listed)
        self.query_one("#typed", Vertical).remove_children()
        self._draw()

    def action_leave(self) -> None:
        if self._naming:
            self._end_naming()
        else:
            self.dismiss(None)
