"""The column chooser: which columns the table shows, in which order, how wide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from syncerr_tui.triage.columns import ORDER, WIDEST_COLUMN, Choice, Column, Placed, WindowClass
from syncerr_tui.ui.screens.menus import Menu

_NARROWEST_COLUMN = 4
_STEP = 2


class ColumnDialog(Menu[Choice]):
    """Every column in its order, those that are shown ticked. Enter takes it over.

    Args:
        choice: What the person chose before; empty while the window decides.
        shown: What is on screen now.
        window: The kind of window that this holds for.
        unicode: Whether the terminal has more than ASCII.
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

    def __init__(
        self, choice: Choice, shown: Sequence[Placed], window: WindowClass, *, unicode: bool
    ) -> None:
        super().__init__()
        self._signs = ("✓", " ") if unicode else ("x", " ")
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
        ticked = self._signs[column not in self._ticked]
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
