"""What the rows are like: how often each value occurs, and what a row has in common with others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from syncerr_tui.triage.values import KINDS, Value
from syncerr_tui.ui.screens.menus import Menu
from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.ui.widgets.line import Line
from syncerr_tui.words import plural

_WIDTH = 70
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


class CountsDialog(Menu[Value]):
    """The values of one column with how many rows have each. Enter filters by the one under the cursor.

    Args:
        rows: How many rows are counted.
        count: Counts them by a field; None while that is not known.
        kind: The field to begin with.
        shown: A value as a person reads it.
        ellipsis: What says that text was cut.
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
        *,
        ellipsis: str = "…",
    ) -> None:
        super().__init__()
        self._rows = rows
        self._count = count
        self.kind = kind
        """What is counted by."""
        self._shown = shown
        self._ellipsis = ellipsis
        self._values: Mapping[str, Value] = {}

    @property
    def heading(self) -> str:
        """By what; the names of the others stand beside it."""
        names = (f"[{name}]" if kind == self.kind else f" {name} " for kind, name in KINDS.items())
        return f"{plural(self._rows, 'row')} by {''.join(names)}"

    def body(self) -> Sequence[Widget]:
        return (OptionList(*self._lines(), markup=False),)

    def begin(self) -> None:
        super().begin()
        self.query_one(OptionList).action_first()

    def _lines(self) -> list[Option]:
        values = self._count(self.kind)
        if values is None:
            return [Option(Content("Still working out what waits for what."), disabled=True)]
        self._values = {str(number): value for number, value in enumerate(values)}
        return [self._line(number, value) for number, value in self._values.items()]

    def _line(self, number: str, value: Value) -> Option:
        share = f"{100 * value.count / self._rows:.0f} %" if self._rows else ""
        told = cell(self._shown(value), _WIDTH - 16, self._ellipsis).rstrip()
        return Option(Content(f"{value.count:>7,} {share:>5}  {told}"), id=number, disabled=not value.term)

    def action_turn(self, kinds: int) -> None:
        names = list(KINDS)
        self.kind = names[(names.index(self.kind) + kinds) % len(names)]
        self.query_one("#heading", Line).show([(self.heading, "strong")])
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(self._lines())
        self.learn_options()
        options.action_first()

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._values[str(event.option.id)])


class LikeMenu(Menu[tuple[Value, bool]]):
    """The values of a row. Enter, or its letter, keeps the rows with one; a capital letter leaves them out.

    Args:
        heading: Which row.
        values: What others may have in common with it.
        shown: A value as a person reads it.
        ellipsis: What says that text was cut.
    """

    _keys = (("enter", "or its letter"), ("capital letter", "leaves them out"), ("esc", "cancels"))

    def __init__(self, heading: str, values: Sequence[Value], shown: Shown, *, ellipsis: str = "…") -> None:
        super().__init__()
        self._heading = f"Only rows like {heading}, with the same"
        self._values = {value.field: value for value in values}
        self._shown = shown
        self._ellipsis = ellipsis

    def body(self) -> Sequence[Widget]:
        options = []
        for field, value in self._values.items():
            letter, name = _NAMES[field]
            told = cell(self._shown(value), _WIDTH - 19, self._ellipsis).rstrip()
            options.append(Option(Content(f"{letter}  {name:<15} {told}"), id=field))
        listed = OptionList(*options, markup=False)
        listed.highlighted = 0
        return (listed,)

    def on_key(self, event: events.Key) -> None:
        letters = {_NAMES[field][0]: field for field in self._values}
        field = letters.get((event.character or "").lower())
        if field is not None:
            event.stop()
            self.dismiss((self._values[field], bool(event.character and event.character.isupper())))

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss((self._values[str(event.option.id)], False))
