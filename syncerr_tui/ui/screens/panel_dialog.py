"""A dialog with a list, and a panel that says what is known about the line under its cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, OptionList

from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.text import one_line
from syncerr_tui.ui.screens.dialog import Answer, ListDialog
from syncerr_tui.ui.widgets.line import Line, Part
from syncerr_tui.ui.widgets.panel import InfoPanel


class PanelDialog(ListDialog[Answer]):
    """A list, and what is known about the line under its cursor."""

    DEFAULT_CSS = """
    PanelDialog .dialog { width: 96%; max-width: 100; height: 96%; }
    PanelDialog .dialog OptionList { max-height: 8; }
    PanelDialog .dialog InfoPanel { height: 1fr; margin: 1 0; }
    PanelDialog .dialog Vertical { height: auto; }
    PanelDialog .dialog Input { background: $syncerr-ground; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,pagedown,ctrl+f", "scroll(8)", show=False),
        Binding("pageup,ctrl+b", "scroll(-8)", show=False),
    ]

    def __init__(self, *, links: bool = False, thumb: str = "┃") -> None:
        super().__init__()
        self._links = links
        self._thumb = thumb
        self._stands = False
        self._early: list[Callable[[], object]] = []

    def body(self) -> Sequence[Widget]:
        """The list, the panel, and room for lines to type in."""
        panel = InfoPanel(links=self._links, thumb=self._thumb)
        return OptionList(markup=False), panel, Vertical(id="typed")

    def on_mount(self) -> None:
        self._stands = True
        early, self._early = self._early, []
        for show in early:
            show()

    def once_shown(self, show: Callable[[], object]) -> None:
        """Show what came from outside: as soon as there is something to show it on, while there is."""
        if not self._stands:
            self._early.append(show)
        elif self.is_attached and self.query(OptionList):  # one that closes loses its parts first
            show()

    @property
    def row(self) -> int:
        return super().row if self._stands else -1

    def show(self, layout: Callable[[int], list[TextLine]]) -> None:
        """What stands in the panel, for a width."""
        self.query_one(InfoPanel).show(layout)

    def say(self, text: str, hint: str = "") -> None:
        """A sentence in the panel, and what to do about it."""

        def lines(width: int) -> list[TextLine]:
            page = TextLayout(width)
            page.text(one_line(text), Role.NAME)
            page.text(one_line(hint))
            return page.lines

        self.show(lines)

    def show_answers(self, lead: str = "", look: str = "strong") -> None:
        """The keys that answer it now, behind a sentence that is new."""
        parts: list[Part] = [(f"{one_line(lead)}  ", look)] if lead else []
        self.query_one("#answers", Line).show([*parts, *self.answers])

    async def ask_for(self, labels: Iterable[tuple[str, str]]) -> None:
        """Lines to type in: (name, label). The first, or else the panel, takes the keys."""
        typed = self.query_one("#typed", Vertical)
        await typed.remove_children()
        for name, label in labels:
            line, field = Line(), Input(compact=True, name=name)
            line.show([(label, "key")])
            field.cursor_blink = False
            await typed.mount(line, field)
        fields = list(typed.query(Input))
        self.set_focus(fields[0] if fields else self.query_one(InfoPanel))

    @property
    def typed(self) -> dict[str, str]:
        """What has been typed, by the name of its line."""
        return {str(field.name): field.value for field in self.query(Input)}

    def action_move(self, rows: int) -> None:
        """Through the list; through the text where the list is not shown."""
        if self.listed.display:
            super().action_move(rows)
        else:
            self.query_one(InfoPanel).move(rows)

    def action_scroll(self, rows: int) -> None:
        self.query_one(InfoPanel).move(rows)
