"""The lines around the list: where we are, what is selected, which keys work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat
from textwrap import wrap
from typing import NamedTuple

from rich.cells import cell_len

from syncerr_tui.model import Environment
from syncerr_tui.text import shortened
from syncerr_tui.triage.actions import Action, ActionFacts
from syncerr_tui.triage.keymap import key_label
from syncerr_tui.triage.state import Place, RunStatus
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.widgets.line import Line, Part
from syncerr_tui.words import ago, plural

_ENVIRONMENT = {
    Environment.PRODUCTION: "production",
    Environment.SANDBOX: "sandbox",
    Environment.DEMO: "demo",
}


TROUBLE = ("trouble", "trouble-2", "trouble-3")
"""The lines that say what went wrong."""
RUN = ("run", "run-2", "run-3")
"""The lines of a run."""
_BREAKS = (re.compile("(?=  )"), re.compile("(?<=, )"), re.compile("(?<= )"))
"""Before what is set off by blanks, between two counts, between two words."""


def title(context: AppContext, width: int, *, connecting: bool) -> tuple[list[Part], list[Part]]:
    """The org, what it is in words, and who we are there."""
    connection = context.connection
    left: list[Part] = [(" SyncErr  ", "strong")]
    if connection is None:
        if context.org:
            left.append((f"{context.org}  ", "accent"))
        left.append(("connecting ...", "quiet") if connecting else ("not connected", "bad"))
        return left, []
    identity, usage = connection.identity, connection.usage
    left += [
        (identity.name, "accent"),
        ("  ", "text"),
        (f" {identity.environment.value} ", _ENVIRONMENT[identity.environment]),
    ]
    if context.read_only:
        left.append(("  READ-ONLY", "strong"))
    left.append((f"  {identity.username}", "quiet"))
    right: list[Part] = []
    if usage is not None and width >= 70:
        right = [(f"API {usage.used:,}/{usage.total:,} ", "quiet")]
    return left, right


class TabNote(NamedTuple):
    """What stands at the right of the line of tabs. The text is cut, what is around it stays."""

    label: str = ""
    text: str = ""
    shown: str = ""
    brief: str | None = None
    """The label where there is no room for the longer one."""

    @classmethod
    def of_filter(cls, text: str, shown: int | None) -> TabNote:
        """`filter: object:Order  (31 shown)`."""
        return cls("filter: ", text, "" if shown is None else f"  ({shown:,} shown)")

    def fitted(self, room: int) -> str:
        """It in so many cells, or a little more."""
        fits = self.brief is None or cell_len(self.label + self.text + self.shown) <= room
        label = self.label if fits else self.brief
        return f"{label}{shortened(self.text, max(8, room - len(f'{label}{self.shown}')))}{self.shown}"


def tabs(names: Iterable[tuple[str, bool]], note: TabNote, width: int) -> tuple[list[Part], list[Part]]:
    """The tabs, the one in front marked by more than colour, and the filter."""
    left: list[Part] = [(" ", "text")]
    for index, (name, active) in enumerate(names):
        if index:
            left.append((" │ ", "quiet"))
        left.append((f"[{name}]", "strong") if active else (f" {name} ", "quiet"))
    room = width - _cells(left) - len("  ")
    return left, ([(f"{note.fitted(room)} ", "accent")] if note.text else [])


def utility(context: AppContext, causes: int, off: str, width: int) -> tuple[list[Part], list[Part]]:
    """The utility bar, as Salesforce has it: how many errors, how many selected, how fresh.

    Args:
        context: What is true on screen.
        causes: How many causes there are.
        off: Which safeguards are off because of us, in words.
        width: Cells there are.
    """
    left, spare = _counts(context, causes)
    if off:
        # What is off has to be read, whatever else goes on.
        while spare and _cells(left) + len(off) + 3 > width:
            left.remove(spare.pop(0))
        return left, [(f" {off} ", "bad")]
    return left, _freshness(context, width - _cells(left) - 1)


def _counts(context: AppContext, causes: int) -> tuple[list[Part], list[Part]]:
    """What there is and what goes on; and what of it can be done without, in the order it leaves in."""
    state, key_of, unread = context.state, context.key_of, context.unread
    listing, total, hidden = state.listing, state.unresolved, state.listing.hidden_selected
    asleep = len(state.handlings.asleep & listing.errors.keys())
    happened = state.news.words
    errors = (f" {plural(total, 'sync error')}", "bad" if total else "good")
    of_causes = (f" · {plural(causes, 'cause')}" if total and causes and not hidden else "", "strong")
    snoozed = (f"  {asleep:,} snoozed" if asleep else "", "quiet")
    news = (f"  {happened}: {key_of('since')}" if happened else "", "accent")
    parts = (
        (f" {unread[0].upper()}{unread[1:]}", "quiet") if unread else errors,
        of_causes,
        (f"  {len(listing.selected):,} selected" if listing.selected else "", "strong"),
        (f" ({hidden:,} hidden by the filter)" if hidden else "", "strong"),
        ("  range" if listing.range is not None and listing.range.sticky else "", "busy"),
        snoozed,
        (f"  {state.twins:,} TWIN: {key_of('report')}" if state.twins else "", "bad"),
        (f"  {state.doing}" if state.doing else "", "busy"),
        ("  esc" if state.doing else "", "key"),
        (" cancels" if state.doing else "", "quiet"),
        news,
    )
    return [part for part in parts if part[0]], [part for part in (of_causes, snoozed, news) if part[0]]


def _freshness(context: AppContext, room: int) -> list[Part]:
    """Whether the list is being read or watched, or when it was read."""
    reading = context.state.reading
    watching: list[Part] = [("watching  ", "busy")] if reading.watching else []
    if now := _reading(context):
        return [*watching, (f"{now} ", "busy")]
    if reading.read_at is None:
        return watching
    # Where there is no room for both, when goes without saying what.
    when = f"{ago(reading.read_at, context.clock())} "
    fitting = (words for words in (f"refreshed {when}", when) if cell_len(words) <= room - _cells(watching))
    return [*watching, (next(fitting, ""), "quiet")]


def _cells(parts: Iterable[Part]) -> int:
    return sum(cell_len(text) for text, _ in parts)


def _reading(context: AppContext) -> str:
    reading, connection = context.state.reading, context.connection
    if not reading.active or connection is None:
        return ""  # while we connect, the left side says so
    if not reading.rows:
        return "reading ..."
    of = f" of {connection.total:,}" if connection.total else ""
    return f"reading {reading.rows:,}{of} ..."


_LEAVES_FIRST = (
    "ends", "range", "select_all", "verify", "open", "filter", "toggle", "next", "browse", "info", "scroll",
)  # fmt: skip
"""What a narrow footer does without, in this order. Help and the way out always stay."""
_NOT_IN_PANEL = frozenset({"range", "select_all", "filter", "info", "open"})
"""What works there too, but is not what one reads a panel for."""


def footer(
    actions: Sequence[Action], facts: ActionFacts, *, width: int, unicode: bool, panel: bool = False
) -> dict[str, tuple[str, str]]:
    """The keys that matter most here and can run now: of the run, of the panel, of the list.

    Returns:
        Id of the action, or a name for a pair of them -> its key and what that does, in their order.
    """
    keys = {action.id: action.keys for action in actions if action.keys}
    shown_keys = _of_run(keys, facts.state.run) | (_of_panel(keys) if panel else {})
    in_footer = (action for action in actions if action.footer and action.keys)
    for action in sorted(in_footer, key=lambda action: action.footer):
        label = "" if panel and action.id in _NOT_IN_PANEL else _footer_label(action, facts, panel=panel)
        if panel and action.id == "help":
            shown_keys["back"] = (key_label(keys["back"][0]), "back")
        if label:
            shown_keys[action.id] = (key_label(action.keys[0], unicode=unicode), label)
    for name in _LEAVES_FIRST:
        if sum(cell_len(key) + cell_len(label) + 3 for key, label in shown_keys.values()) <= width + 1:
            break
        shown_keys.pop(name, None)
    return shown_keys


def _footer_label(action: Action, facts: ActionFacts, *, panel: bool) -> str:
    """What the key does, in a word or two; empty where it cannot run now."""
    if action.id != "resync":
        return action.label if action.why_disabled(facts) is None else ""
    if not (facts.chosen or facts.state.listing.hidden_selected):
        return ""
    label = "queue" if facts.state.run.busy else action.label
    if panel and facts.state.listing.selected:
        # What is on screen is one error; what is sent is something else.
        return f"{label} {facts.chosen:,} selected"
    return f"{label} {facts.chosen:,}" if facts.chosen > 1 else label


def _of_run(keys: Mapping[str, Sequence[str]], run: RunStatus) -> dict[str, tuple[str, str]]:
    if not run.busy:
        return {}
    labels = {"cancel": "stop", "pause": "go on" if run.paused else "pause"}
    return {name: (key_label(keys[name][0]), label) for name, label in labels.items() if name in keys}


def _of_panel(keys: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, str]]:
    pairs = (
        ("scroll", "down", "up", -1, "scroll"),
        ("ends", "first", "last", 0, "top/end"),
        ("next", "next_error", "previous_error", -1, "next/previous"),
        ("next", "next_cause", "previous_cause", -1, "next/previous"),
    )
    labels = {
        name: (f"{key_label(keys[one][which])}/{key_label(keys[other][which])}", label)
        for name, one, other, which, label in pairs
        if one in keys and other in keys
    }
    if "browse" in keys:
        labels["browse"] = (key_label(keys["browse"][0]), "address")
    return labels


class StatusLines:
    """Writes the lines around the pane; a line that reads the same is not written.

    Args:
        context: The org, the terminal, and what is true on screen.
        line: Gives one of the lines by its name.
    """

    def __init__(self, context: AppContext, line: Callable[[str], Line]) -> None:
        self._context = context
        self._line = line
        self.behind_a_dialog = False
        """The keys of the list do not work: a dialog has its own."""
        self.announcement: tuple[str, str] | None = None
        """What stands in place of the keys, and its look."""

    @staticmethod
    def compose() -> tuple[list[Line], list[Line]]:
        """The lines above the pane, and those below it."""
        above = [
            Line(id="too-small"),
            Line(id="title", classes="-bar"),
            Line(id="tabs"),
        ]
        below = [
            *(Line(id=name, classes="-at-need") for name in TROUBLE),
            *(Line(id=name, classes="-at-need") for name in RUN),
            Line(cut="right", id="utility", classes="-bar"),
            Line(id="keys-before", classes="-at-need"),
            Line(id="keys"),
        ]
        return above, below

    def draw_top(
        self, tabs_shown: Mapping[str, tuple[str, bool]], note: TabNote, width: int, *, busy: bool
    ) -> None:
        """The org, and the tabs: the action that shows one -> its name, and whether it is in front."""
        context = self._context
        self._line("title").show(*title(context, width, connecting=busy))
        left, right = tabs(tabs_shown.values(), note, width)
        self._line("tabs").show(left, right, [each for name in tabs_shown for each in ("", name)])

    def draw_utility(self, causes: int, off: str, width: int) -> None:
        """How many errors there are, and how fresh they are."""
        self._line("utility").show(*utility(self._context, causes, off, width))

    def draw_keys(self, actions: Sequence[Action], facts: ActionFacts, width: int) -> None:
        """The keys that work here, or what has been said in their place."""
        before: list[str] = []
        if self.announcement is not None:
            text, look = self.announcement
            *before, last = _wrapped(text, width, 2)
            self._line("keys-before").show([(line, look) for line in before])
            self._line("keys").show([(last, look)])
        else:
            unicode, panel = self._context.terminal.unicode, self._context.state.panel_open
            keys = footer(actions, facts, width=width, unicode=unicode, panel=panel)
            parts: list[Part] = []
            does: list[str] = []
            for name, (key, label) in {} if self.behind_a_dialog else keys.items():
                parts += [(f"{'  ' if parts else ' '}{key}", "key"), (f" {label}", "quiet")]
                does += [name if name in self._context.config.actions.by_id else ""] * 2
            self._line("keys").show(parts, does=does)
        self._line("keys-before").set_class(bool(before), "-on")

    def draw_trouble(self, width: int) -> None:
        """What went wrong, in as many lines as it takes; not where the empty list says the same."""
        state = self._context.state
        trouble = state.trouble
        shown: list[str] = []
        empty = state.place is Place.ERRORS and not state.listing.errors
        if trouble is not None and not (empty and trouble is state.reading.failure):
            shown = _wrapped(trouble.line, width, len(TROUBLE))
        title = trouble.title if trouble is not None else ""
        self._fill(TROUBLE, [_in_two_looks(text, "" if at else title) for at, text in enumerate(shown)])

    def draw_run(self, parts: list[Part], width: int) -> None:
        """The progress or the result of a run, in as many lines as it needs."""
        self._fill(RUN, _folded(parts, width, len(RUN)))

    def _fill(self, names: Sequence[str], lines: Sequence[list[Part]]) -> None:
        """As many of these lines as are needed."""
        for name, parts in zip(names, chain(lines, repeat([])), strict=False):
            self._line(name).show(parts)
            self._line(name).set_class(bool(parts), "-on")


def _folded(parts: Sequence[Part], width: int, most: int) -> list[list[Part]]:
    """Text in lines that fit, broken where it hurts least; the last line goes on where there are too many."""
    lines: list[list[Part]] = [[]]
    used = 0
    for text, style in parts:
        pieces = [text]
        for breaks in _BREAKS:
            parted = (breaks.split(piece) if cell_len(piece) > width // 2 else [piece] for piece in pieces)
            pieces = list(chain.from_iterable(parted))
        for piece in pieces:
            if used and used + cell_len(piece.rstrip()) > width and len(lines) < most:
                lines.append([(" ", "text")])
                used, piece = 1, piece.lstrip()  # noqa: PLW2901 - no blank begins a line
            lines[-1].append((piece, style))
            used += cell_len(piece)
    return lines


def _wrapped(text: str, width: int, most: int) -> list[str]:
    """The text in lines that fit, the last one cut where there are too many."""
    lines = wrap(text, max(10, width - 2)) or [""]
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [f" {line}" for line in lines]


def _in_two_looks(line: str, title: str) -> list[Part]:
    """What is wrong stands out from what to do about it."""
    if not title:
        return [(line, "text")]
    split = min(len(line), len(title) + 2)
    return [(line[:split], "bad"), (line[split:], "text")]
