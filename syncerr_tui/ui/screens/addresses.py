"""Which of several addresses to open."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from syncerr_tui.ui.screens.dialog import keys
from syncerr_tui.ui.screens.menus import Menu
from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.ui.widgets.line import Part

_WIDTH = 70


class AddressMenu(Menu[str]):
    """The steps that lead somewhere; the next one first."""

    def __init__(self, addresses: Sequence[tuple[str, str]], *, ellipsis: str = "…") -> None:
        super().__init__()
        self._addresses = addresses
        self._ellipsis = ellipsis

    @property
    def heading(self) -> str:
        """What is asked."""
        return "Open which address?"

    def body(self) -> Sequence[Widget]:
        """Each step with its address below."""
        options = []
        for told, address in self._addresses:
            step = cell(told, _WIDTH, self._ellipsis).rstrip()
            path = cell(address.partition("://")[2], _WIDTH - 2, self._ellipsis).rstrip()
            options.append(Option(Content(f"{step}\n  {path}"), id=address))
        listed = OptionList(*options, markup=False)
        listed.highlighted = 0
        return (listed,)

    @property
    def answers(self) -> Sequence[Part]:
        """Choose, or leave."""
        return keys(("enter", "opens it, or copies it where no browser is"), ("esc", "leaves"))

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        """This one."""
        self.dismiss(event.option.id)
