"""What the lines of the causes say: a cause with its counts and its trend, an error with its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain
from typing import TYPE_CHECKING

from syncerr_tui.model import SyncError
from syncerr_tui.ui.cause_graph_worker import CauseGraphWorker
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.outline import Node
from syncerr_tui.ui.widgets.cause_list import LEAD, Told
from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.ui.widgets.virtual_list import Glyphs
from syncerr_tui.words import age, plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Cause

_DEEPEST = 6
"""Levels of a tree that are set in; deeper ones stand below the last of them."""
_COUNT, _WAIT = 6, 7
_GUTTER = 3
_ROOMY = 70
"""Cells in which the whole evidence of a link can be told."""


class CauseLines:
    """Told anew for each line that is drawn; only what is counted over a whole cause is kept.

    Args:
        context: What the terminal can show.
        errors: The list: its rows, its selection, the marks of a run.
        graph_worker: The causes and their trends.
        glyphs: The sign of a selected row.
        is_open: Whether the tree of the cause with this key is shown.
    """

    def __init__(
        self,
        context: AppContext,
        errors: ErrorsPane,
        graph_worker: CauseGraphWorker,
        glyphs: Glyphs,
        is_open: Callable[[str], bool],
    ) -> None:
        self._context = context
        self._errors = errors
        self._graph_worker = graph_worker
        self._glyphs = glyphs
        self._is_open = is_open
        self.moment = context.moment
        """What ages are counted from."""
        self._signs: dict[str, str] = {}
        self._signs_for: frozenset[str] = frozenset()
        self._counts: dict[str, tuple[int, int]] = {}
        self._counted: tuple[object, object] = (None, None)
        """The list and the proven rows that the counts are of."""

    def forget(self) -> None:
        """The causes are others now."""
        self._signs, self._counts = {}, {}

    def __call__(self, node: Node, width: int) -> Told:
        """This line, so many cells wide."""
        if node.is_cause:
            return Told(tuple(self._cause_lines(node.cause, width)), self._sign_of(node.cause))
        if node.row is None:
            shows = f"{self._context.key_of('alike')} shows all of them in the list"
            line = f"{'':6}and {plural(node.rest, 'more error')}: {shows}"
            return Told((((cell(line, width, self._context.ellipsis), "quiet"),),))
        return Told((tuple(self._error_line(node, width)),), self._sign((node.row,)))

    def _sign_of(self, cause: Cause) -> str:
        """A cause may hold many thousand errors: counted once for each selection."""
        listing = self._context.state.listing
        if listing.selected is not self._signs_for:
            self._signs, self._signs_for = {}, listing.selected
        if cause.key not in self._signs:
            self._signs[cause.key] = self._sign((*cause.roots, *cause.victims))
        return self._signs[cause.key]

    def _sign(self, rows: tuple[str, ...]) -> str:
        selected = self._context.state.listing.selected
        if not selected:
            return " "
        count = sum(map(selected.__contains__, rows))
        return self._glyphs.selected if count == len(rows) else "-" if count else " "

    def _cause_lines(self, cause: Cause, width: int) -> Iterable[tuple[Part, ...]]:
        from syncerr_tui.ui.cause_words import headline, retry, summary

        errors, unicode = self._context.state.listing.errors, self._context.terminal.unicode
        signs = "▾▸" if unicode else "-+"
        lead = LEAD - _GUTTER
        room = max(1, width - lead)
        roots, victims = self._counts_of(cause)
        counts = f"{_count(roots):>{_COUNT}} {_count(victims):>{_WAIT}}  "
        yield (
            (f"{signs[not self._is_open(cause.key)]} ", "accent"),
            (counts, "strong"),
            (cell(headline(errors, cause, self._errors.unsettled), room, self._context.ellipsis), "text"),
        )
        trend = (self._graph_worker.found.trends or {}).get(cause.key)
        told = summary(cause, trend, self.moment.now, unicode=unicode)
        run = self._run_on(cause)
        done = not roots and not victims
        advice = "" if done else retry(errors, cause, self._errors.unsettled, self._errors.tried)
        parts: list[Part] = [(f"{advice:>{lead - 2}}  ", "code")]
        for word, look in ((run, "busy"), (self._left_on(cause), "bad")):
            if word:
                parts.append((f"{word}  ", look))
                room -= len(word) + 2
        parts.append((cell(told, max(1, room), self._context.ellipsis), "quiet"))
        yield tuple(parts)

    def _run_on(self, cause: Cause) -> str:
        """What the run says about a cause's errors: how many are proven."""
        marks = self._errors.run_marks
        rows = chain(cause.roots, cause.victims) if marks else ()
        words = [marks[row].word for row in rows if row in marks]
        return f"{words.count('FIXED')} of {len(words)} FIXED" if words else ""

    def _left_on(self, cause: Cause) -> str:
        """How many of a cause's errors earlier runs left TWIN or UNKNOWN."""
        left = self._errors.unsettled
        rows = chain(cause.roots, cause.victims) if left else ()
        counts = Counter(left[row].value for row in rows if row in left)
        return ", ".join(f"{count:,} {word}" for word, count in counts.items())

    def _error_line(self, node: Node, width: int) -> Iterable[Part]:
        from syncerr_tui.ui.cause_words import briefly, why

        error = self._context.state.listing.errors.get(node.row or "")
        if error is None:
            yield (cell("      left the list", width, ""), "quiet")
            return
        unicode = self._context.terminal.unicode
        depth = min(node.depth, _DEEPEST)
        branch = ("└ " if unicode else "` ") if node.link else ("• " if unicode else "* ")
        name = f"{'':{2 + 2 * depth}}{branch}{error.object} {error.event_type.value}"
        when = age(error.processed_at, self.moment.now) if error.processed_at else "-"
        known = (error.storeconnect_id or error.id)[:8]
        left = 34 if width < 90 else 44
        # One look for the whole line: every change of colour costs as much as half a line of text.
        guess = node.link is not None and not node.link.fact
        look = "bad" if guess else "quiet" if node.link else "text"
        yield (cell(name, left, self._context.ellipsis), look)
        yield (f" {cell(known, 8, '')} {when:>3}  ", look)
        mark = self._errors.table.marks.get(error.id)
        room = max(1, width - left - 15)
        if mark is not None:
            yield (cell(mark.word, min(9, room), ""), mark.tone)
            room -= 9
        if room > 0:
            known_by = why if room >= _ROOMY else briefly
            told = known_by(node.link) if node.link else self._own_reason(error)
            yield (cell(told, room, self._context.ellipsis), look)

    def _own_reason(self, error: SyncError) -> str:
        from syncerr_tui.diagnosis.summary import summarize

        return summarize(error.message, error.code)

    def _counts_of(self, cause: Cause) -> tuple[int, int]:
        """Its own errors and those that wait, once for each state of the list."""
        listed, proven = self._context.state.listing.errors, self._context.state.proven
        if self._counted[0] is not listed or self._counted[1] is not proven:
            self._counts, self._counted = {}, (listed, proven)
        if cause.key not in self._counts:
            self._counts[cause.key] = self._standing(cause.roots), self._standing(cause.victims)
        return self._counts[cause.key]

    def _standing(self, rows: tuple[str, ...]) -> int:
        """How many of them are errors still; the causes follow the list a moment later."""
        listed, left = self._context.state.listing.errors.__contains__, self._context.state.proven
        # Many thousand rows, at every change of the list: both loops are Python's own, in C.
        proven = filter(left.__contains__, rows) if left else ()
        return sum(map(listed, rows)) - sum(map(listed, proven))


def _count(number: int) -> str:
    return f"{number:,}" if number < 100_000 else f"{number // 1000}k"
