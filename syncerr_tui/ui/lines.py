"""What the lines around the pane say now: the org, the tabs, how fresh the list is, the keys that work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncerr_tui.ui import chrome
from syncerr_tui.ui.pause import Pause

if TYPE_CHECKING:
    from syncerr_tui.triage.actions import AppState
    from syncerr_tui.ui.screens.workbench import Workbench


_SAID_SECONDS = 8.0
"""How long a line is said that nobody answers with a key."""


class Lines:
    """Writes them; a line that reads the same is not written."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._said: tuple[str, str] | None = None
        self._over = Pause(bench, _SAID_SECONDS)

    def say(self, line: str, style: str, *, keep: bool = False) -> None:
        """One line in place of the keys, until the next key; for some seconds unless it is to be kept."""
        self._said = (line, style)
        self._over.drop()
        if not keep:
            self._over.then(self.silence)
        self.draw()

    def silence(self, line: str = "") -> None:
        """Show the keys again; with a line only where that is the one being said."""
        if self._said is not None and line in {"", self._said[0]}:
            self._over.drop()
            self._said = None
            self.draw()

    def draw(self) -> None:
        """Say what is true now."""
        bench = self._bench
        desk, width, line = bench.desk, bench.size.width, bench.line
        unicode = desk.terminal.unicode
        connection = desk.connection
        state = bench.state
        line("title").show(
            *chrome.title(
                connection.identity if connection else None,
                connection.usage if connection else None,
                read_only=desk.read_only,
                width=width,
                org=desk.org,
                connecting=not bench.complete or bench.reading.reader.active,
            )
        )
        names = [(pane.tab, place is bench.place) for place, pane in bench.panes.items()]
        line("tabs").show(*chrome.tabs(names, bench.pane.tells, unicode=unicode))
        self._draw_utility(state)
        if self._said is not None:
            line("keys").show([(f" {self._said[0]}", self._said[1])])
        else:
            panel = bench.pane.is_open
            keys = chrome.footer(bench.actions, state, width=width, unicode=unicode, panel=panel)
            line("keys").show(keys)
        trouble = desk.trouble
        line("trouble").show([(f" {trouble.title}. ", "bad"), (trouble.hint, "text")] if trouble else [])
        line("trouble").set_class(trouble is not None, "-on")
        run = bench.host.runs.line
        line("run").show(run)
        line("run").set_class(bool(run), "-on")

    def _draw_utility(self, state: AppState) -> None:
        bench = self._bench
        bench.line("utility").show(
            *chrome.utility(
                bench.errors.listing,
                state.hidden_selected,
                causes=bench.causes.count if bench.complete else 0,
                proven=len(bench.errors.listing.errors) - bench.errors.unresolved,
                unicode=bench.desk.terminal.unicode,
                read_at=bench.reading.read_at,
                now=bench.desk.clock(),
                reading=bench.reading.words,
                watching=bench.reading.watching,
                unread=bench.desk.unread,
            )
        )
