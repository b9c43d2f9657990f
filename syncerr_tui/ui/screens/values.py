"""What the rows are like: how often each value occurs, and what a row has in common with others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from syncerr_tui.triage.values import KINDS, Value
from syncerr_tui.ui.screens.menus import ChoiceMenu
from syncerr_tui.ui.widgets.line import Line, cell
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


class CountsDialog(ChoiceMenu[Value]):
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
        text = cell(self._shown(value), _WIDTH - 16, self._ellipsis).rstrip()
        return f"{value.count:>7,} {share:>5}  {text}"

    def action_turn(self, kinds: int) -> None:
        names = list(KINDS)
        self.kind = names[(names.index(self.kind) + kinds) % len(names)]
        self.query_one("#heading", Line).show([(self.heading, "strong")])
        self.fill(self.options())
        self.learn_options()
        self.listed.action_first()


class LikeMenu(ChoiceMenu[tuple[Value, bool]]):
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

    def choices(self) -> Sequence[tuple[str, tuple[Value, bool]]]:
        lines = []
        for field, value in self._values.items():
            letter, name = _NAMES[field]
            text = cell(self._shown(value), _WIDTH - 19, self._ellipsis).rstrip()
            lines.append((f"{letter}  {name:<15} {text}", (value, False)))
        return lines

    def on_key(self, event: events.Key) -> None:
        letters = {_NAMES[field][0]: field for field in self._values}
        field = letters.get((event.character or "").lower())
        if field is not None:
            event.stop()
            self.dismiss((self._values[field], bool(event.character and event.character.isupper())))
