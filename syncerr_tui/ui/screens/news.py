"""What has happened to the list since the person looked: the rows that are gone, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from syncerr_tui.text import one_line
from syncerr_tui.triage.news import GoneRow, News, RowChange, gone_words
from syncerr_tui.ui.screens.dialog import ListDialog, keys
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import plural

_SHOWN = 500
"""Rows that are listed one by one."""


class NewsDialog(ListDialog[bool]):
    """True: all of it is seen.

    Args:
        news: What has happened.
        since: Since when, in words.
        key_of: The key of an action.
        show: Shows where a gone row can be seen; the dialog is closed first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("d", "seen", show=False)]

    def __init__(
        self, news: News, since: str, key_of: Callable[[str], str], show: Callable[[GoneRow], object]
    ) -> None:
        super().__init__()
        self._key_of = key_of
        self._news = news
        self._show = show
        self._rows: Sequence[GoneRow] = ()
        self._known = False
        self._heading = f"Since you looked at {since}"

    @property
    def text(self) -> Content:
        news, lines = self._news, []
        new, following = len(news.new), f"{self._key_of('next_change')} goes to"
        for count, sign, word in (
            (new, RowChange.NEW, "new"),
            (len(news.marks) - new, RowChange.CHANGED, "changed"),
        ):
            if count:
                lines.append(
                    f"{plural(count, 'row')} {word}, marked {sign} in the list: {following} the next."
                )
        if self._known:
            lines.append(gone_words(self._rows))
        elif news.gone:
            lines.append(f"{plural(len(news.gone), 'row')} gone: asking why ...")
        return Content("".join(f"\n{line}" for line in filter(None, lines)) + "\n")

    @property
    def answers(self) -> Sequence[Part]:
        row = self._current
        pairs = [("d", "all seen"), ("esc", "keeps the marks")]
        if row is not None:
            pairs.append(("enter", "shows it in the Journal" if row.in_journal else "opens its address"))
        return keys(*pairs)

    @property
    def _current(self) -> GoneRow | None:
        return self._rows[self.row] if 0 <= self.row < len(self._rows) else None

    def on_mount(self) -> None:
        """The list takes the keys, with what has become known before."""
        self.listed.focus()
        self.draw()

    def learn(self, rows: Sequence[GoneRow]) -> None:
        self._rows, self._known = rows, True
        self.draw()

    def entries(self) -> Iterator[Option | str]:
        for row in self._rows[:_SHOWN]:
            yield one_line(f"{row.error.short_name:<20} {row.why}")
        if len(self._rows) > _SHOWN:
            yield Option(Content(f"and {len(self._rows) - _SHOWN:,} more"), disabled=True)

    @on(OptionList.OptionHighlighted)
    def _draw_answers(self) -> None:
        self.show_answers()

    def choose(self) -> None:
        row = self._current
        if row is not None:
            self.dismiss(False)
            self._show(row)

    def action_seen(self) -> None:
        self.dismiss(True)
