"""The safeguards that this program switched off and nobody has seen on again: each can be put back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.fixes.model import SafeguardNow, SafeguardState
from syncerr_tui.text import one_line
from syncerr_tui.triage.columns import Moment
from syncerr_tui.ui import fix_words as words
from syncerr_tui.ui.screens.dialog import Dialog, keys
from syncerr_tui.ui.widgets.line import Line, Part
from syncerr_tui.ui.widgets.panel import InfoPanel
from syncerr_tui.words import plural


class SafeguardsDialog(Dialog[None]):
    """The open lines of the ledger, each re-read just now.

    Args:
        restore: Starts putting the fixes of these ids back; `learn` shows the ledger afterwards.
        accept: Starts closing a line because another version is meant to be active.
        moment: The time it is drawn for.
        may_change: False in a read-only app.
    """

    DEFAULT_CSS = """
    SafeguardsDialog .dialog { width: 96%; max-width: 100; height: 96%; }
    SafeguardsDialog .dialog OptionList { max-height: 8; }
    SafeguardsDialog .dialog InfoPanel { height: 1fr; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("a", "all", show=False),
        Binding("c", "accept", show=False),
        Binding("space,pagedown", "scroll(8)", show=False),
        Binding("pageup", "scroll(-8)", show=False),
    ]

    def __init__(
        self,
        restore: Callable[[Sequence[str]], object],
        accept: Callable[[str], object],
        moment: Callable[[], Moment],
        *,
        may_change: bool,
        thumb: str = "┃",
    ) -> None:
        super().__init__()
        self._restore = restore
        self._accept = accept
        self._moment = moment
        self._may_change = may_change
        self._thumb = thumb
        self._rows: Sequence[SafeguardNow] = ()
        self._busy = True
        self._ready = False
        """There is something to show on."""

    @property
    def heading(self) -> str:
        """How many."""
        open_rows = sum(row.state not in {SafeguardState.ON, SafeguardState.GONE} for row in self._rows)
        return f"{plural(open_rows, 'safeguard')} off" if self._rows else "Safeguards"

    def body(self) -> Sequence[Widget]:
        """The list, and what is known about the one under the cursor."""
        return OptionList(markup=False), InfoPanel(thumb=self._thumb)

    def on_mount(self) -> None:
        """They are being read, or have been."""
        self._ready = True
        self._say("Reading each of them again ...")
        self.query_one(OptionList).focus()
        if not self._busy:
            self.learn(self._rows)

    @property
    def answers(self) -> Sequence[Part]:
        """Put back, or later."""
        row = self._current
        if self._busy or row is None or not self._may_change:
            return keys(("esc", "leaves"))
        told = [("enter", "puts it back")]
        if len(self._rows) > 1:
            told.append(("a", "puts all back"))
        if row.state is SafeguardState.OTHER_VERSION:
            told.append(("c", "closes its line"))
        return keys(*told, ("esc", "later"))

    @property
    def _current(self) -> SafeguardNow | None:
        at = self.query_one(OptionList).highlighted if self._ready else None
        return self._rows[at] if at is not None and at < len(self._rows) else None

    # -- what comes from outside -----------------------------------------------------------------------

    def learn(self, rows: Sequence[SafeguardNow], note: str = "") -> None:
        """How they are now.

        Args:
            rows: The lines.
            note: What has just been done, or why they could not be read.
        """
        self._busy = False
        if not self._ready:
            self._rows = rows
            return
        if not self.query(InfoPanel):  # closed meanwhile
            return
        listed = self.query_one(OptionList)
        at = listed.highlighted or 0
        self._rows = rows
        listed.clear_options()
        listed.add_options(Option(Content(words.safeguard_line(row))) for row in rows)
        listed.highlighted = min(at, len(rows) - 1) if rows else None
        self.query_one("#heading", Line).show([(self.heading, "strong")])
        self._draw()
        if not rows:
            self._say(note or "None is off: every safeguard that was switched off from here is on again.")
        elif note:
            self.query_one("#answers", Line).show([(f"{note}  ", "strong"), *self.answers])

    def _say(self, text: str) -> None:
        def lines(width: int) -> list[TextLine]:
            page = TextLayout(width)
            page.text(one_line(text), Role.NAME)
            return page.lines

        self.query_one(InfoPanel).show(lines)

    @on(OptionList.OptionHighlighted)
    def _draw(self) -> None:
        row = self._current
        if row is not None:
            self.query_one(InfoPanel).show(partial(words.safeguard_lines, row, self._moment()))
        self.query_one("#answers", Line).show(self.answers)

    # -- what keys do ----------------------------------------------------------------------------------

    def _begin(self, text: str) -> None:
        self._busy = True
        self._say(text)
        self.query_one("#answers", Line).show(self.answers)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        row = self._current
        if row is not None and self._may_change and not self._busy:
            self._begin(f"Putting {row.record.target.name} back ...")
            self._restore([row.record.id])

    def action_all(self) -> None:
        """Put all of them back."""
        if self._rows and self._may_change and not self._busy:
            self._begin(f"Putting {plural(len(self._rows), 'safeguard')} back ...")
            self._restore([row.record.id for row in self._rows])

    def action_accept(self) -> None:
        """Close the line of a Flow of which another version is active."""
        row = self._current
        if row is not None and self._may_change and row.state is SafeguardState.OTHER_VERSION:
            self._begin(f"Closing the line of {row.record.target.name} ...")
            self._accept(row.record.id)

    def action_move(self, rows: int) -> None:
        """The next line, or the one before."""
        listed = self.query_one(OptionList)
        if rows > 0:
            listed.action_cursor_down()
        else:
            listed.action_cursor_up()

    def action_scroll(self, rows: int) -> None:
        """Read on."""
        self.query_one(InfoPanel).move(rows)
