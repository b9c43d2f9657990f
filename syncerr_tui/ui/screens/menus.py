"""Choosing one of several: a column, a value, an address, what to copy and how, what to say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from syncerr_tui.text import one_line
from syncerr_tui.triage.columns import ORDER, WIDEST_COLUMN, Choice, Column, Placed, SortKey, WindowClass
from syncerr_tui.triage.export import Copyable, Format
from syncerr_tui.triage.handling import NOBODY, PARENT, HandlingKind
from syncerr_tui.triage.values import KINDS, Value
from syncerr_tui.ui.screens.dialog import ListDialog
from syncerr_tui.ui.widgets.line import cell
from syncerr_tui.words import plural

Answer = TypeVar("Answer")


class Menu(ListDialog[Answer]):
    """A list to choose from. Enter chooses."""

    _keys: Sequence[tuple[str, str]] = (("enter", "chooses"), ("/", "narrows"), ("esc", "cancels"))
    NARROWS = "part of a line"

    def on_mount(self) -> None:
        self.learn_options()
        self.begin()

    def learn_options(self) -> None:
        """What the list shows now is what narrowing begins with."""
        self._all = tuple(self.listed.options)

    def begin(self) -> None:
        """The list takes the keys."""
        self.listed.focus()

    def matching(self, text: str) -> Sequence[Option]:
        """The lines that have all words of this text."""
        words = text.casefold().split()
        return [
            option for option in self._all if all(word in str(option.prompt).casefold() for word in words)
        ]

    def show_matching(self, text: str) -> None:
        self.fill(self.matching(text) or [Option(Content("Nothing has these words."), disabled=True)])
        self.listed.action_first()

    @on(Input.Submitted, ".-narrowing")
    def submitted(self) -> None:
        """Enter in the line to type in: choose the highlighted line."""
        self.listed.action_select()


class ChoiceMenu(Menu[Answer]):
    """A menu of which each line stands for one answer."""

    _answers: Sequence[Answer | None] = ()

    def choices(self) -> Sequence[tuple[str, Answer | None]]:
        """The lines with what each answers; None for one that cannot be chosen."""
        raise NotImplementedError

    def options(self) -> list[Option]:
        """The lines as the list holds them."""
        choices = self.choices()
        self._answers = [answer for _, answer in choices]
        return [
            Option(Content(line), id=str(number), disabled=answer is None)
            for number, (line, answer) in enumerate(choices)
        ]

    def body(self) -> Sequence[Widget]:
        listed = OptionList(*self.options(), markup=False)
        listed.highlighted = self.first()
        return (listed,)

    def first(self) -> int | None:
        """The line that the cursor stands on in the beginning."""
        return next((at for at, answer in enumerate(self._answers) if answer is not None), None)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._answers[int(str(event.option.id))])


class SortMenu(ChoiceMenu[SortKey]):
    """Which column to sort by."""

    _heading = "Sort by (the column in use again reverses the order)"

    def __init__(self, current: SortKey, *, reverse: bool) -> None:
        super().__init__()
        self._current = current
        self._reverse = reverse

    def choices(self) -> Sequence[tuple[str, SortKey]]:
        now = f"   now {self._current.words(reverse=self._reverse)}"
        return [(key.value + (now if key is self._current else ""), key) for key in SortKey]

    def first(self) -> int:
        return list(SortKey).index(self._current)


_WIDTH = 70


class AddressMenu(ChoiceMenu[str]):
    """The steps that lead somewhere; the next one first."""

    _heading = "Open which address?"
    _keys = (("enter", "opens or copies it"), ("/", "narrows"), ("esc", "cancels"))

    def __init__(self, addresses: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._addresses = addresses

    def choices(self) -> Sequence[tuple[str, str]]:
        lines = []
        for text, address in self._addresses:
            step = cell(text, _WIDTH).rstrip()
            path = cell(address.partition("://")[2], _WIDTH - 2).rstrip()
            lines.append((f"{step}\n  {path}", address))
        return lines


class CopyMenu(ChoiceMenu[Copyable]):
    """What to copy; each has a letter."""

    _keys = (("enter", "or its letter copies"), ("/", "narrows"), ("esc", "cancels"))

    def __init__(self, heading: str, things: Sequence[Copyable]) -> None:
        super().__init__()
        self._heading = heading
        self._things = things

    def choices(self) -> Sequence[tuple[str, Copyable | None]]:
        lines = []
        for thing in self._things:
            beginning = cell(one_line(thing.text) or "-", _WIDTH - 22).rstrip()
            line = f"{thing.key}  {thing.name:<16} {beginning}"
            lines.append((line, thing if thing.text else None))
        return lines

    def on_key(self, event: events.Key) -> None:
        thing = next((thing for thing in self._things if thing.key == event.character), None)
        if thing is not None and thing.text:
            event.stop()
            self.dismiss(thing)


class ExportMenu(ChoiceMenu[Format]):
    """How to write down what the list shows."""

    KINDS: ClassVar[Sequence[tuple[str, Format]]] = (
        ("CSV, for a spreadsheet", Format.CSV),
        ("JSON lines, for a program", Format.JSONL),
        ("Markdown, for a ticket", Format.MARKDOWN),
    )

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._heading = f"Write {plural(rows, 'row')} to a file in this folder"

    def choices(self) -> Sequence[tuple[str, Format]]:
        return self.KINDS


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to say."""

    kind: HandlingKind
    label: str
    value: str | None = None
    """None: to be asked for."""


ASKED: Mapping[HandlingKind, tuple[str, str]] = {
    HandlingKind.NOTE: ("A note on", "for example: the carrier answers on Monday"),
    HandlingKind.ASSIGN: ("Who works on", f"a name, me, or {NOBODY}"),
    HandlingKind.SUPPORT: ("The ticket of", f"its number, or {NOBODY}"),
    HandlingKind.SNOOZE: ("Until when to snooze", f"8h, 2d, 2026-11-30T06:00, +5 for five more, or {PARENT}"),
}
"""Kind -> what is asked, and how an answer looks."""

_WISHES = (
    Wish(HandlingKind.NOTE, "Note ..."),
    Wish(HandlingKind.ASSIGN, "Assign to me", "me"),
    Wish(HandlingKind.ASSIGN, "Assign to somebody ..."),
    Wish(HandlingKind.ASSIGN, "Assign to nobody", NOBODY),
    Wish(HandlingKind.SUPPORT, "With support: ticket ..."),
    Wish(HandlingKind.SUPPORT, "Not with support any more", NOBODY),
    Wish(HandlingKind.SNOOZE, "Snooze for 8 hours", "8h"),
    Wish(HandlingKind.SNOOZE, "Snooze until its parent is fixed", PARENT),
    Wish(HandlingKind.SNOOZE, "Snooze until ..."),
    Wish(HandlingKind.SNOOZE, "Wake it", ""),
    Wish(HandlingKind.MERGED, "The two records of the TWIN are merged", ""),
)


class HandlingMenu(ChoiceMenu[Wish]):
    """What can be said; of what is asleep first how it wakes.

    Args:
        about: Of what, in words.
        asleep: It is snoozed.
        twin: It was left as a TWIN.
    """

    def __init__(self, about: str, *, asleep: bool, twin: bool) -> None:
        super().__init__()
        hidden = {"Wake it"} if not asleep else set()
        hidden |= {"The two records of the TWIN are merged"} if not twin else set()
        self._wishes = [wish for wish in _WISHES if wish.label not in hidden]
        self._heading = f"About {about}"

    def choices(self) -> Sequence[tuple[str, Wish]]:
        return [(wish.label, wish) for wish in self._wishes]


_NARROWEST_COLUMN = 4
_STEP = 2


class ColumnDialog(Menu[Choice]):
    """Every column in its order, those that are shown ticked. Enter takes it over.

    Args:
        choice: What the person chose before; empty while the window decides.
        shown: What is on screen now.
        window: The kind of window that this holds for.
    """

    _keys = (("space", "shows"), ("J K", "moves"), ("h l", "width"), ("a", "as usual"), ("enter", "keeps"))
    NARROWS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,x", "tick", show=False),
        Binding("J,shift+down", "carry(1)", show=False),
        Binding("K,shift+up", "carry(-1)", show=False),
        Binding("right,l,plus", f"widen({_STEP})", show=False),
        Binding("left,h,minus", f"widen(-{_STEP})", show=False),
        Binding("0", "by_window", show=False),
        Binding("a", "automatic", show=False),
    ]

    def __init__(self, choice: Choice, shown: Sequence[Placed], window: WindowClass) -> None:
        super().__init__()
        self._now = {placed.column: placed.width for placed in shown}
        """What each takes on screen now."""
        chosen = [column for column, _ in choice] or list(self._now)
        self._columns = [*chosen, *(column for column in ORDER if column not in chosen)]
        self._widths = dict.fromkeys(ORDER, 0) | dict(choice)
        self._ticked = set(chosen)
        self._automatic = not choice
        self._heading = f"Columns in {window.value} windows of this org"

    def body(self) -> Sequence[Widget]:
        listed = OptionList(*self._options(), markup=False)
        listed.highlighted = 0
        return (listed,)

    def _options(self) -> list[Option]:
        return [Option(Content(self._line(column)), id=column.name) for column in self._columns]

    def _line(self, column: Column) -> str:
        ticked = "✓" if column in self._ticked else " "
        width = "as the window has room" if not self._widths[column] else f"{self._widths[column]} wide"
        return f"[{ticked}] {column.header:<16} {'' if column not in self._ticked else width}"

    def _show(self, at: int) -> None:
        self.fill(self._options(), at)

    def action_tick(self) -> None:
        column = self._columns[max(self.row, 0)]
        if self._ticked != {column}:
            self._ticked ^= {column}
            self._automatic = False
            self._show(max(self.row, 0))

    def action_carry(self, rows: int) -> None:
        """The column so many places on."""
        at = max(self.row, 0)
        to = min(max(at + rows, 0), len(self._columns) - 1)
        self._columns.insert(to, self._columns.pop(at))
        self._automatic = False
        self._show(to)

    def action_widen(self, cells: int) -> None:
        """The column wider or narrower, from what it takes now."""
        column = self._columns[max(self.row, 0)]
        width = self._widths[column] or self._now.get(column, column.widths[-1])
        self._widths[column] = min(max(width + cells, _NARROWEST_COLUMN), WIDEST_COLUMN)
        self._ticked.add(column)
        self._automatic = False
        self._show(max(self.row, 0))

    def action_by_window(self) -> None:
        self._widths[self._columns[max(self.row, 0)]] = 0
        self._show(max(self.row, 0))

    def action_automatic(self) -> None:
        self.dismiss(())

    @on(OptionList.OptionSelected)
    def kept(self) -> None:
        if self._automatic:
            self.dismiss(None)
        else:
            self.dismiss(tuple((c, self._widths[c]) for c in self._columns if c in self._ticked))


_COUNTS_WIDTH = 70
_NAMES: Mapping[str, tuple[str, str]] = {
    "object": ("o", "Object"),
    "event": ("e", "Event"),
    "code": ("c", "Code"),
    "day": ("d", "Day"),
    "cause": ("u", "Cause"),
    "sf": ("f", "Salesforce ID"),
    "sc": ("s", "StoreConnect ID"),
    "message": ("m", "Message"),
}
"""Field -> its letter, and its name."""

Shown = Callable[[Value], str]
"""A value as a person reads it."""


class CountsDialog(ChoiceMenu[Value]):
    """The values of one column with how many rows have each. Enter filters by the one under the cursor.

    Args:
        rows: How many rows are counted.
        count: Counts them by a field; None while that is not known.
        kind: The field to begin with.
        shown: A value as a person reads it.
    """

    _keys = (("enter", "filters"), ("tab", "counts by another"), ("/", "narrows"), ("esc", "back"))
    SHAPE = "-tall"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,right,l", "turn(1)", show=False),
        Binding("shift+tab,left,h", "turn(-1)", show=False),
    ]

    def __init__(
        self,
        rows: int,
        count: Callable[[str], Sequence[Value] | None],
        kind: str,
        shown: Shown,
    ) -> None:
        super().__init__()
        self._rows = rows
        self._count = count
        self.kind = kind
        """What is counted by."""
        self._shown = shown

    @property
    def heading(self) -> str:
        """By what; the names of the others stand beside it."""
        names = (f"[{name}]" if kind == self.kind else f" {name} " for kind, name in KINDS.items())
        return f"{plural(self._rows, 'row')} by {''.join(names)}"

    def begin(self) -> None:
        super().begin()
        self.listed.action_first()

    def choices(self) -> Sequence[tuple[str, Value | None]]:
        values = self._count(self.kind)
        if values is None:
            return [("Still working out what waits for what.", None)]
        return [(self._line(value), value if value.term else None) for value in values]

    def _line(self, value: Value) -> str:
        share = f"{100 * value.count / self._rows:.0f} %" if self._rows else ""
        text = cell(self._shown(value), _COUNTS_WIDTH - 16).rstrip()
        return f"{value.count:>7,} {share:>5}  {text}"

    def action_turn(self, kinds: int) -> None:
        names = list(KINDS)
        self.kind = names[(names.index(self.kind) + kinds) % len(names)]
        self.show_heading()
        self.fill(self.options())
        self.learn_options()
        self.listed.action_first()


class LikeMenu(ChoiceMenu[tuple[Value, bool]]):
    """The values of a row. Enter, or its letter, keeps the rows with one; a capital letter leaves them out.

    Args:
        heading: Which row.
        values: What others may have in common with it.
        shown: A value as a person reads it.
    """

    _keys = (("enter", "or its letter"), ("capital letter", "leaves them out"), ("esc", "cancels"))

    def __init__(self, heading: str, values: Sequence[Value], shown: Shown) -> None:
        super().__init__()
        self._heading = f"Only rows like {heading}, with the same"
        self._values = {value.field: value for value in values}
        self._shown = shown

    def choices(self) -> Sequence[tuple[str, tuple[Value, bool]]]:
        lines = []
        for field, value in self._values.items():
            letter, name = _NAMES[field]
            text = cell(self._shown(value), _COUNTS_WIDTH - 19).rstrip()
            lines.append((f"{letter}  {name:<15} {text}", (value, False)))
        return lines

    def on_key(self, event: events.Key) -> None:
        letters = {_NAMES[field][0]: field for field in self._values}
        field = letters.get((event.character or "").lower())
        if field is not None:
            event.stop()
            self.dismiss((self._values[field], bool(event.character and event.character.isupper())))
