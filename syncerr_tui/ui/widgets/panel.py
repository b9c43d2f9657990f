"""The info panel: text with roles, laid out for the width of its window and drawn line by line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from syncerr_tui.model import SyncError
from syncerr_tui.ui.widgets.line import cell, flat
from syncerr_tui.ui.widgets.themed import Themed
from syncerr_tui.ui.widgets.virtual_list import THUMB, merged

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.text_layout import TextLine

Layout = Callable[[int], Sequence["TextLine"]]
"""The text as lines of at most so many cells."""


_HEADING = 2
"""Lines at the top that may say what the next text is about."""


class Subject(NamedTuple):
    """What a text is about."""

    key: object
    """Tells it from everything else that a list can hold."""
    name: str

    @classmethod
    def of_error(cls, key: object, error: SyncError, more: int = 0) -> Subject:
        """An error as a heading names it, `Order Create 3a90293f…`, with how many others stand behind it."""
        known = error.storeconnect_id
        record = f"{known[:8]}…" if len(known) > 12 else known
        others = f"and {more:,} more" if more else ""
        return cls(key, " ".join(filter(None, (error.object, error.event_type.value, record, others))))

    @classmethod
    def of_errors(cls, errors: Sequence[SyncError]) -> Subject:
        """Errors of one cause by the first of them."""
        return cls.of_error(errors[0].id, errors[0], len(errors) - 1)


class _Shown(NamedTuple):
    """A line of the window."""

    parts: tuple[tuple[str, str], ...] = ()
    link: str | None = None

    @property
    def width(self) -> int:
        return sum(cell_len(text) for text, _ in self.parts)


class InfoPanel(Themed, can_focus=True):
    """Shows one text from its beginning; scrolls when told to. Its keys are the app's."""

    DEFAULT_CSS = "InfoPanel { height: 1fr; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._subject: Subject | None = None
        self._ahead: Subject | None = None
        self._layout: Layout = lambda _width: ()
        self._lines: Sequence[TextLine] = ()
        self._text_for = 0
        self._link_styles: dict[str, Style] = {}
        self.top = 0
        self._moves_due = 0
        """Rows to scroll by that came before the first size."""
        self._drawn: list[_Shown] = []

    def head_for(self, subject: Subject | None) -> bool:
        """Say what the next text will be about, and about what this one still is.

        Returns:
            Whether that is something else than was said before.
        """
        before, self._ahead = self._ahead, subject
        if before == subject:
            return False
        self._redraw(_HEADING)
        return True

    def show(self, layout: Layout, subject: Subject | None = None, *, keep_place: bool = False) -> None:
        """Show this text, from its beginning unless the place is to be kept. The end stays the end."""
        at_end = keep_place and 0 < self.top == len(self._lines) - self.page
        self._subject = self._ahead = subject
        self._layout = layout
        self._text_for = 0
        self._link_styles.clear()
        if not keep_place:
            self.top = self._moves_due = 0
        elif at_end:
            self.top = max(0, len(self._text()) - self.page)
        self._redraw()

    def to_top(self) -> None:
        self.top = self._moves_due = 0
        self._redraw()

    def move(self, rows: int) -> None:
        """Scroll by so many rows; as soon as there is a size, where the panel is being opened."""
        if not self.size.width or not self.display:
            self._moves_due += rows
            return
        top = max(0, min(self.top + rows, len(self._text()) - self.page))
        if top != self.top:
            self.top = top
            self._redraw()

    @property
    def page(self) -> int:
        return max(1, self.size.height)

    @property
    def text(self) -> str:
        """The whole text as it is laid out now."""
        return "\n".join(line.text for line in self._text())

    def lay_out(self) -> None:
        self._drawn = []
        self._redraw()
        due, self._moves_due = self._moves_due, 0
        self.move(due)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move(-3)

    def _redraw(self, first: int | None = None) -> None:
        """Write the lines that read differently, each as far as it is or was long.

        Args:
            first: So many lines at the top are all that may.
        """
        text, thumb, page, width = self._text(), self._thumb_rows(), self.page, self.size.width
        same_size = len(self._drawn) == page
        rows = page if first is None or not same_size else min(first, page)
        lines = [self._line(y, text, thumb, width) for y in range(rows)]
        if not same_size:
            self._drawn = lines
            self.refresh()
            return
        for y, (new, old) in enumerate(zip(lines, self._drawn, strict=False)):
            if new != old:
                self._drawn[y] = new
                self.refresh(Region(0, y, max(new.width, old.width), 1))

    def _line(self, y: int, text: Sequence[TextLine], thumb: range, width: int) -> _Shown:
        """A line of the window, with the thumb of the scroll bar at its end."""
        shown = _Shown()
        if y < _HEADING and self._ahead != self._subject and (self._subject is not None or not y):
            shown = self._heading(y)
        elif self.top + y < len(text):
            line = text[self.top + y]
            # Letters that terminals join in different ways stand side by side, as wide as was counted.
            shown = _Shown(tuple((flat(piece), role) for piece, role in line.parts), line.link)
        if y not in thumb:
            return shown
        blank = " " * max(1, width - shown.width - 1)
        return _Shown((*shown.parts, (blank + THUMB, "text")), shown.link)

    def _heading(self, y: int) -> _Shown:
        """What stands over a text that is not about what the cursor is on."""
        if y:
            assert self._subject is not None
            words, role = f"Below is still {self._subject.name}", "muted"
        else:
            words, role = (self._ahead.name if self._ahead is not None else ""), "heading"
        return _Shown(((cell(words, self.size.width - 2, "").rstrip(), role),))

    def draw_line(self, y: int) -> Strip:
        width = self.size.width
        line = self._drawn[y] if y < len(self._drawn) else _Shown()
        pieces: list[tuple[str, Style]] = []
        used = 0
        for text, role in line.parts:
            shown = cell(text, min(cell_len(text), width - used), "")
            used += cell_len(shown)
            style = self.look(role)
            if line.link and role == "address":
                style = self._link(line.link)
            pieces.append((shown, style))
        pieces.append((" " * (width - used), self.look("text")))
        return Strip(merged(pieces), width)

    def _link(self, address: str) -> Style:
        """One style for all lines of an address: the terminal then takes them for one link."""
        if address not in self._link_styles:
            self._link_styles[address] = self.look("address") + Style(link=address)
        return self._link_styles[address]

    def notify_style_update(self) -> None:
        self._link_styles.clear()
        super().notify_style_update()

    def _text(self) -> Sequence[TextLine]:
        width = self.size.width
        if width != self._text_for and width > 2:
            self._text_for = width
            self._lines = self._layout(width - 2)
            self.top = max(0, min(self.top, len(self._lines) - self.page))
        return self._lines

    def _thumb_rows(self) -> range:
        rows, page = len(self._lines), self.page
        if rows <= page:
            return range(0)
        length = max(1, page * page // rows)
        start = round(self.top / (rows - page) * (page - length))
        return range(start, start + length)
