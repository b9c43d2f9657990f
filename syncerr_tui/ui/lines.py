"""What the lines around the pane say now: the org, the tabs, how fresh the list is, the keys that work."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from rich.cells import cell_len

from syncerr_tui.triage.actions import Place
from syncerr_tui.ui import chrome
from syncerr_tui.ui.debouncer import Debouncer

if TYPE_CHECKING:
    from syncerr_tui.triage.actions import AppState
    from syncerr_tui.ui.screens.workbench import Workbench
    from syncerr_tui.ui.widgets.line import Part


_SAID_SECONDS = 8.0
"""How long a line is said that nobody answers with a key."""


class Lines:
    """Writes them; a line that reads the same is not written."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._said: tuple[str, str] | None = None
        self._over = Debouncer(bench, _SAID_SECONDS)

    def say(self, line: str, style: str, *, keep: bool = False) -> None:
        """One line in place of the keys, until the next key; for some seconds unless it is to be kept."""
        self._said = (line, style)
        self._over.cancel()
        if not keep:
            self._over.call(self.silence)
        self.draw()

    def silence(self, line: str = "") -> None:
        """Show the keys again; with a line only where that is the one being said."""
        if self._said is not None and line in {"", self._said[0]}:
            self._over.cancel()
            self._said = None
            self.draw()

    def draw(self) -> None:
        """Say what is true now."""
        bench = self._bench
        context, width, line = bench.context, bench.size.width, bench.line
        unicode = context.terminal.unicode
        connection = context.connection
        state = bench.state
        line("title").show(
            *chrome.title(
                connection.identity if connection else None,
                connection.usage if connection else None,
                read_only=context.read_only,
                width=width,
                org=context.org,
                connecting=not bench.complete or bench.reading.reader.active,
            )
        )
        names = [(pane.tab, place is bench.place) for place, pane in bench.panes.items()]
        line("tabs").show(*chrome.tabs(names, bench.pane.tells, unicode=unicode))
        self._draw_utility(state)
        before: list[str] = []
        if self._said is not None:
            *before, last = _wrapped(self._said[0], width, 2)
            line("keys-before").show([(told, self._said[1]) for told in before])
            line("keys").show([(last, self._said[1])])
        else:
            panel = bench.pane.is_open
            keys = chrome.footer(bench.actions, state, width=width, unicode=unicode, panel=panel)
            line("keys").show(keys)
        line("keys-before").set_class(bool(before), "-on")
        self._draw_trouble()
        run = bench.host.runs.line
        more: list[Part] = []
        if sum(cell_len(text) for text, _ in run) > width:
            # A result and its reason take a line, the next step another.
            run, more = run[:2], run[2:]
        for name, parts in (("run", run), ("run-2", more)):
            line(name).show(parts)
            line(name).set_class(bool(parts), "-on")

    def _draw_trouble(self) -> None:
        """In as many lines as it takes; not where the empty list says the same."""
        bench, trouble = self._bench, self._bench.context.trouble
        told: list[str] = []
        empty = bench.place is Place.ERRORS and not bench.errors.listing.errors
        if trouble is not None and not (empty and trouble is bench.reading.failure):
            told = _wrapped(f"{trouble.title}. {trouble.hint}", bench.size.width, 3)
        for number, name in enumerate(("trouble", "trouble-2", "trouble-3")):
            line = bench.line(name)
            shown = told[number] if number < len(told) else ""
            line.show(_in_two_looks(shown, trouble.title if trouble and not number else ""))
            line.set_class(bool(shown), "-on")

    def _draw_utility(self, state: AppState) -> None:
        bench = self._bench
        bench.line("utility").show(
            *chrome.utility(
                bench.errors.listing,
                state.hidden_selected,
                causes=bench.causes.count if bench.complete else 0,
                proven=len(bench.errors.listing.errors) - bench.errors.unresolved,
                unicode=bench.context.terminal.unicode,
                read_at=bench.reading.read_at,
                now=bench.context.clock(),
                reading=bench.reading.words,
                watching=bench.reading.watching,
                unread=bench.context.unread,
            )
        )


def _wrapped(text: str, width: int, most: int) -> list[str]:
    """The text in lines that fit, the last one cut where there are too many."""
    told = wrap(text, max(10, width - 2)) or [""]
    if len(told) > most:
        told = [*told[: most - 1], " ".join(told[most - 1 :])]
    return [f" {line}" for line in told]


def _in_two_looks(line: str, title: str) -> list[Part]:
    """What is wrong stands out from what to do about it."""
    if not title:
        return [(line, "text")]
    split = min(len(line), len(title) + 2)
    return [(line[:split], "bad"), (line[split:], "text")]
