"""Choosing one of several: a column, a value, an address, what to copy and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from syncerr_tui.text import one_line
from syncerr_tui.triage.columns import (
    ORDER,
    SORTABLE,
    WIDEST_COLUMN,
    Column,
    ColumnChoice,
    Placed,
    WindowClass,
    order_words,
)
from syncerr_tui.triage.export import Copyable, Format
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

    @on(Input.Submitted, "#head > Input")
    def submitted(self) -> None:
        """Enter in the line to type in: choose the highlighted line."""
        option = self.listed.highlighted_option
        if option is not None and not option.disabled:
            self.choose()


Choices = Sequence[tuple[str, Answer | None]]
"""The lines of a menu with what each answers; None for one that cannot be chosen."""


class ChoiceMenu(Menu[Answer]):
    """A menu of which each line stands for one answer.

    Args:
        heading: What is chosen.
        choices: The lines.
        at: The line that the cursor stands on in the beginning; usually the first that can be chosen.
        letters: Keys that answer as well.
        answered_by: The keys that answer it, and what each does, where they are not those of every menu.
    """

    def __init__(
        self,
        heading: str,
        choices: Choices[Answer],
        *,
        at: int | None = None,
        letters: Mapping[str, Answer] | None = None,
        answered_by: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__()
        self._heading = heading
        self._choices = choices
        self._at = at
        self._letters = letters or {}
        for letter in self._letters:
            self.bind_key(letter, f"answer('{letter}')")
        self._keys = answered_by or self._keys

    def options(self) -> list[Option]:
        """The lines as the list holds them."""
        return [
            Option(Content(line), id=str(number), disabled=answer is None)
            for number, (line, answer) in enumerate(self._choices)
        ]

    def body(self) -> Sequence[Widget]:
        listed = OptionList(*self.options(), markup=False)
        usual = (at for at, (_, answer) in enumerate(self._choices) if answer is not None)
        listed.highlighted = next(usual, None) if self._at is None else self._at
        return (listed,)

    def choose(self) -> None:
        self.dismiss(self._choices[int(self.chosen_id)][1])

    def action_answer(self, letter: str) -> None:
        self.dismiss(self._letters[letter])


def sort_menu(current: Column, *, reverse: bool) -> ChoiceMenu[Column]:
    """Which column to sort by."""
    now = f"   now {order_words(current, reverse=reverse)}"
    lines = [(column.header + (now if column is current else ""), column) for column in SORTABLE]
    heading = "Sort by (the column in use again reverses the order)"
    return ChoiceMenu(heading, lines, at=SORTABLE.index(current))


_WIDTH = 70


def address_menu(addresses: Sequence[tuple[str, str]]) -> ChoiceMenu[str]:
    """The steps that lead somewhere, with their addresses; the next one first."""
    lines = []
    for text, address in addresses:
        step = cell(text, _WIDTH).rstrip()
        path = cell(address.partition("://")[2], _WIDTH - 2).rstrip()
        lines.append((f"{step}\n  {path}", address))
    answered_by = (("enter", "opens or copies it"), ("/", "narrows"), ("esc", "cancels"))
    return ChoiceMenu("Open which address?", lines, answered_by=answered_by)


def copy_menu(heading: str, copyables: Sequence[Copyable]) -> ChoiceMenu[Copyable]:
    """What to copy; each has a letter."""
    lines = []
    for copyable in copyables:
        beginning = cell(one_line(copyable.text) or "-", _WIDTH - 22).rstrip()
        line = f"{copyable.key}  {copyable.name:<16} {beginning}"
        lines.append((line, copyable if copyable.text else None))
    letters = {one.key: one for one in copyables if one.text}
    answered_by = (("enter", "or its letter copies"), ("/", "narrows"), ("esc", "cancels"))
    return ChoiceMenu(heading, lines, letters=letters, answered_by=answered_by)


def export_menu(rows: int) -> ChoiceMenu[Format]:
    """How to write down what the list shows."""
    lines = (
        ("CSV, for a spreadsheet", Format.CSV),
        ("JSON lines, for a program", Format.JSONL),
        ("Markdown, for a ticket", Format.MARKDOWN),
    )
    return ChoiceMenu(f"Write {plural(rows, 'row')} to a file in this folder", lines)


_NARROWEST_COLUMN = 4
_STEP = 2


class ColumnDialog(Menu[ColumnChoice]):
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

    def __init__(self, choice: ColumnChoice, shown: Sequence[Placed], window: WindowClass) -> None:
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

    def choose(self) -> None:
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
        answered_by = (("enter", "filters"), ("tab", "counts by another"), ("/", "narrows"), ("esc", "back"))
        super().__init__("", (), answered_by=answered_by)
        self._rows = rows
        self._count = count
        self.kind = kind
        """What is counted by."""
        self._shown = shown
        self._choices = self._counted()

    @property
    def heading(self) -> str:
        """By what; the names of the others stand beside it."""
        names = (f"[{name}]" if kind == self.kind else f" {name} " for kind, name in KINDS.items())
        return f"{plural(self._rows, 'row')} by {''.join(names)}"

    def begin(self) -> None:
        super().begin()
        self.listed.action_first()

    def _counted(self) -> Choices[Value]:
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
        self._choices = self._counted()
        self.show_heading()
        self.fill(self.options())
        self.learn_options()
        self.listed.action_first()


def like_menu(name: str, values: Sequence[Value], shown: Shown) -> ChoiceMenu[tuple[Value, bool]]:
    """The values of a row. Enter, or its letter, keeps the rows with one; a capital letter leaves them out.

    Args:
        name: Which row.
        values: What others may have in common with it.
        shown: A value as a person reads it.
    """
    lines = []
    letters: dict[str, tuple[Value, bool]] = {}
    for value in values:
        letter, field = _NAMES[value.field]
        text = cell(shown(value), _COUNTS_WIDTH - 19).rstrip()
        lines.append((f"{letter}  {field:<15} {text}", (value, False)))
        letters |= {letter: (value, False), letter.upper(): (value, True)}
    answered_by = (("enter", "or its letter"), ("capital letter", "leaves them out"), ("esc", "cancels"))
    return ChoiceMenu(
        f"Only rows like {name}, with the same", lines, letters=letters, answered_by=answered_by
    )
