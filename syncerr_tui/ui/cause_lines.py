"""The list of causes, line by line: what stands in which place, what it says, and how it is drawn.

A cause takes two lines, with its counts and its trend; an error below it one, with its evidence. Only opened
trees cost anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from operator import is_
from typing import TYPE_CHECKING, NamedTuple

from rich.style import Style
from textual.strip import Strip

from syncerr_tui.model import SyncError
from syncerr_tui.ui.cause_graph_worker import CauseGraphWorker
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.widgets.line import Part, cell
from syncerr_tui.ui.widgets.table import Tone
from syncerr_tui.ui.widgets.virtual_list import CURSOR, SELECTED, VirtualList, merged
from syncerr_tui.words import age, plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Cause, CauseGraph, Link


MOST_ROWS = 500
"""Errors that an opened cause shows; the Errors list can show all of them."""


@dataclass(frozen=True, slots=True)
class Node:
    """One line of the tree: a cause, or an error below it."""

    cause: Cause
    row: str | None = None
    """The error; None for the cause itself, and for the line that counts the rest."""
    depth: int = 0
    link: Link | None = None
    """Why this error waits for the one above it; None where it fails for the reason itself."""
    rest: int = 0
    """Errors that this line stands for and that are not shown one by one."""

    @property
    def is_cause(self) -> bool:
        return self.row is None and not self.rest

    @property
    def place(self) -> tuple[str, str | None]:
        """What stays the same when the list changes."""
        return (self.cause.key, self.row)


class Outline:
    """Causes in their order, each with the tree below it where it is open."""

    def __init__(
        self, causes: tuple[Cause, ...] = (), trees: Mapping[str, tuple[Node, ...]] | None = None
    ) -> None:
        self.causes = causes
        self._index = {cause.key: number for number, cause in enumerate(causes)}
        self._open = sorted(
            (self._index[key], tree) for key, tree in (trees or {}).items() if key in self._index
        )

    def __len__(self) -> int:
        return len(self.causes) + sum(len(tree) for _, tree in self._open)

    def __getitem__(self, place: int) -> Node:
        before = 0
        for number, tree in self._open:
            at = number + before
            if place <= at:
                break
            if place <= at + len(tree):
                return tree[place - at - 1]
            before += len(tree)
        return Node(self.causes[place - before])

    def place_of_cause(self, key: str) -> int | None:
        number = self._index.get(key)
        if number is None:
            return None
        return number + sum(len(tree) for before, tree in self._open if before < number)

    def place_of(self, key: str, row: str | None) -> int | None:
        """Where this error stands below its cause; the cause where it is closed; None where it is gone."""
        at = self.place_of_cause(key)
        if at is None or row is None:
            return at
        tree = next((tree for number, tree in self._open if number == self._index[key]), ())
        return next((at + 1 + step for step, node in enumerate(tree) if node.row == row), at)


def tree_of(graph: CauseGraph, cause: Cause) -> tuple[Node, ...]:
    """The errors of a cause as a tree: roots oldest first, below each what waits for it."""
    nodes: list[Node] = []
    shown: set[str] = set()
    for node in _walk(graph, cause):
        if node.row is None or node.row in shown:
            continue
        if len(nodes) == MOST_ROWS:
            break
        shown.add(node.row)
        nodes.append(node)
    total = len(cause.roots) + len(cause.victims) + len(cause.guessed)
    if total > len(nodes):
        nodes.append(Node(cause, depth=1, rest=total - len(nodes)))
    return tuple(nodes)


def _walk(graph: CauseGraph, cause: Cause) -> Iterator[Node]:
    for root in cause.roots:
        waiting = [Node(cause, root, 1)]
        seen: set[str] = set()
        while waiting:
            node = waiting.pop()
            if node.row is None or node.row in seen:
                continue
            seen.add(node.row)
            yield node
            waiting += [
                Node(cause, link.victim, node.depth + 1, link)
                for link in reversed(graph.waiting_for(node.row))
            ]


_GUTTER = 3
_COUNT, _WAIT = 6, 7
LEAD = _GUTTER + 2 + _COUNT + 1 + _WAIT + 2
"""Cells before the sentence of a cause."""


class NodeText(NamedTuple):
    """What a line says, from the pane that knows."""

    lines: tuple[tuple[Part, ...], ...]
    """One line, or two for a cause; without the gutter."""
    selected: str = " "
    """The sign of the selection: all, some (`-`) or none of what is below."""


TextOf = Callable[[Node, int], NodeText]
"""What a line of so many cells says about a node."""


class _Line(NamedTuple):
    parts: tuple[Part, ...] = ()
    cursor: bool = False


class CauseList(VirtualList):
    """Draws the visible part of an `Outline`. Its keys are the app's."""

    WHEEL_ROWS = 1
    TICK_CELLS = _GUTTER

    def __init__(self, text_of: TextOf, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._text_of = text_of
        self._outline = Outline()

    @property
    def page(self) -> int:
        """Causes that fit into the window, as a step for paging."""
        return max(1, super().page // 2)

    def show(self, outline: Outline, cursor: int, note: tuple[str, ...] = ()) -> None:
        """Show this; only lines that read differently are written."""
        self._outline, self._note = outline, note
        self.count, self.at = len(outline), cursor
        self.redraw()

    def height_of(self, row: int) -> int:
        return 2 if self._outline[row].is_cause else 1

    def lines_of(self, row: int) -> list[_Line]:
        text = self._text_of(self._outline[row], self.size.width - 1 - _GUTTER)
        here = row == self.at
        gutter = f"{CURSOR if here else ' '}{text.selected} "
        first, *rest = text.lines
        return [
            _Line(((gutter, "text"), *first), cursor=here),
            *(_Line(((" " * _GUTTER, "text"), *parts)) for parts in rest),
        ]

    def header(self) -> str:
        return f"{'':{_GUTTER + 2}}{'Errors':>{_COUNT}} {'Held up':>{_WAIT}}  What broke, worst first"

    def draw(self, line: _Line) -> list[tuple[str, Style]]:
        """That line, all of it in the colours of the cursor where that stands there."""
        plain = self.look("cursor" if line.cursor else "text")
        segments = merged((text, plain if line.cursor else self.look(look)) for text, look in line.parts)
        strip = Strip(segments).adjust_cell_length(self.size.width - 1, plain)
        return [*((text, style or plain) for text, style, _ in strip), ("", plain)]


_DEEPEST = 6
"""Levels of a tree that are set in; deeper ones stand below the last of them."""
_ROOMY = 70
"""Cells in which the whole evidence of a link can be told."""


def are_same(before: tuple[object, ...], now: tuple[object, ...]) -> bool:
    """Whether these are the very same objects: comparing what they hold would cost more than counting it."""
    return len(before) == len(now) and all(map(is_, before, now))


class CauseLines:
    """Said anew for each line that is drawn; only what is counted over a whole cause is kept.

    Args:
        context: What the terminal can show.
        errors: The list: its rows, its selection, the marks of a run.
        graph_worker: The causes and their trends.
        is_open: Whether the tree of the cause with this key is shown.
    """

    def __init__(
        self,
        context: AppContext,
        errors: ErrorsPane,
        graph_worker: CauseGraphWorker,
        is_open: Callable[[str], bool],
    ) -> None:
        self._context = context
        self._errors = errors
        self._graph_worker = graph_worker
        self._is_open = is_open
        self.moment = context.clock()
        """What ages are counted from."""
        self._signs: dict[str, str] = {}
        self._signs_for: frozenset[str] = frozenset()
        self._counts: dict[str, tuple[int, int]] = {}
        self._counted_for: tuple[object, ...] = ()

    def forget(self) -> None:
        self._signs, self._counts = {}, {}

    def __call__(self, node: Node, width: int) -> NodeText:
        if node.is_cause:
            return NodeText(tuple(self._cause_lines(node.cause, width)), self._sign_of(node.cause))
        if node.row is None:
            shows = f"{self._context.key_of('alike')} shows all of them in the list"
            line = f"{'':6}and {plural(node.rest, 'more error')}: {shows}"
            return NodeText((((cell(line, width), "quiet"),),))
        return NodeText((tuple(self._error_line(node, width)),), self._sign((node.row,)))

    def _sign_of(self, cause: Cause) -> str:
        """A cause may hold many thousand errors: counted once for each selection."""
        listing = self._context.state.listing
        if not listing.selected:
            return " "
        if listing.selected is not self._signs_for:
            self._signs, self._signs_for = {}, listing.selected
        if cause.key not in self._signs:
            self._signs[cause.key] = self._sign((*cause.roots, *cause.victims))
        return self._signs[cause.key]

    def _sign(self, rows: tuple[str, ...]) -> str:
        selected = self._context.state.listing.selected
        count = sum(map(selected.__contains__, rows))
        return SELECTED if count == len(rows) else "-" if count else " "

    def _cause_lines(self, cause: Cause, width: int) -> Iterable[tuple[Part, ...]]:
        from syncerr_tui.ui.cause_words import cause_summary, headline, retry

        errors = self._context.state.listing.errors
        lead = LEAD - _GUTTER
        room = max(1, width - lead)
        roots, victims = self._counts_of(cause)
        counts = f"{_count(roots):>{_COUNT}} {_count(victims):>{_WAIT}}  "
        yield (
            (f"{'▾' if self._is_open(cause.key) else '▸'} ", "accent"),
            (counts, "strong"),
            (cell(headline(errors, cause, self._errors.history.unsettled), room), "text"),
        )
        trend = self._graph_worker.known.trends.get(cause.key)
        words = cause_summary(cause, trend, self.moment)
        run = self._run_on(cause)
        done = not roots and not victims
        advice = (
            "" if done else retry(errors, cause, self._errors.history.unsettled, self._errors.history.tried)
        )
        parts: list[Part] = [(f"{advice:>{lead - 2}}  ", "code")]
        for word, look in ((run, "busy"), (self._left_on(cause), "bad")):
            if word:
                parts.append((f"{word}  ", look))
                room -= len(word) + 2
        parts.append((cell(words, max(1, room)), "quiet"))
        yield tuple(parts)

    def _run_on(self, cause: Cause) -> str:
        """What the run says about a cause's errors: how many are proven."""
        marks = self._errors.run_marks
        rows = chain(cause.roots, cause.victims) if marks else ()
        proven = [marks[row].tone is Tone.GOOD for row in rows if row in marks]
        return f"{sum(proven)} of {len(proven)} FIXED" if proven else ""

    def _left_on(self, cause: Cause) -> str:
        """How many of a cause's errors earlier runs left TWIN or UNKNOWN."""
        left = self._errors.history.unsettled
        rows = chain(cause.roots, cause.victims) if left else ()
        counts = Counter(left[row].value for row in rows if row in left)
        return ", ".join(f"{count:,} {word}" for word, count in counts.items())

    def _error_line(self, node: Node, width: int) -> Iterable[Part]:
        from syncerr_tui.ui.cause_words import evidence_in_short, why

        error = self._context.state.listing.errors.get(node.row or "")
        if error is None:
            yield (cell("      left the list", width, ""), "quiet")
            return
        depth = min(node.depth, _DEEPEST)
        branch = "└ " if node.link else "• "
        name = f"{'':{2 + 2 * depth}}{branch}{error.object} {error.event_type.value}"
        when = age(error.processed_at, self.moment) if error.processed_at else "-"
        known = (error.storeconnect_id or error.id)[:8]
        left = 34 if width < 90 else 44
        # One look for the whole line: every change of colour costs as much as half a line of text.
        guess = node.link is not None and not node.link.fact
        look = "bad" if guess else "quiet" if node.link else "text"
        yield (cell(name, left), look)
        yield (f" {cell(known, 8, '')} {when:>3}  ", look)
        mark = self._errors.table.marks.get(error.id)
        room = max(1, width - left - 15)
        if mark is not None:
            yield (cell(mark.word, min(9, room), ""), mark.tone)
            room -= 9
        if room > 0:
            known_by = why if room >= _ROOMY else evidence_in_short
            words = known_by(node.link) if node.link else self._own_reason(error)
            yield (cell(words, room), look)

    def _own_reason(self, error: SyncError) -> str:
        from syncerr_tui.diagnosis.summary import summarize

        return summarize(error.message, error.code)

    def _counts_of(self, cause: Cause) -> tuple[int, int]:
        """Its own errors and those that wait, once for each state of the list."""
        state = self._context.state
        if not are_same(self._counted_for, now := (state.listing.errors, state.proven)):
            self._counts, self._counted_for = {}, now
        if cause.key not in self._counts:
            self._counts[cause.key] = self._standing(cause.roots), self._standing(cause.victims)
        return self._counts[cause.key]

    def _standing(self, rows: tuple[str, ...]) -> int:
        """How many of them are errors still; the causes follow the list a moment later."""
        left = self._context.state.proven
        rows = self._graph_worker.known.listed(rows, self._context.state.listing.errors)
        return len(rows) - (sum(map(left.__contains__, rows)) if left else 0)


def _count(number: int) -> str:
    return f"{number:,}" if number < 100_000 else f"{number // 1000}k"
