"""The way of a filter from the line in which it is typed to the pane in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncerr_tui.errors import BadInputError
from syncerr_tui.ui.widgets.filter_bar import FilterBar

if TYPE_CHECKING:
    from syncerr_tui.ui.panes import Pane
    from syncerr_tui.ui.screens.workbench import Workbench


class Filtering:
    """What `/` does, letter by letter, and how it ends."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def do_filter(self) -> None:
        """Open the line in which the filter is typed."""
        for bar in self._bench.query(FilterBar):
            bar.ask(self._filtered.filter_text or "", self._filtered.filter_hint)

    @property
    def _filtered(self) -> Pane:
        """The pane that is filtered here: most show the list, and share its filter."""
        return self._bench.errors if self._bench.pane.filter_text is None else self._bench.pane

    def typed(self, text: str) -> None:
        """Every letter filters."""
        if not self._bench.query_one(FilterBar).has_class("-on"):
            return
        wrong = self._filtered.filter_as_typed(text)
        if wrong:
            self._say_wrong(wrong)
            self._without_the_unreadable(text)
        else:
            self._bench.silence()
        self.say_nothing_matches()

    def _say_wrong(self, wrong: str) -> None:
        """In the lines of the keys: beside the text there is no room for it."""
        self._bench.lines.say(wrong, "bad", keep=True)

    def _without_the_unreadable(self, text: str) -> None:
        """Filter by the words before: what is half a mistake by now has filtered as free text."""
        while text and self._filtered.filter_as_typed(text):
            text = text.rpartition(" ")[0]
        self._filtered.filter_as_typed(text)

    def kept(self, text: str) -> None:
        """Back to the list with the filter in place."""
        try:
            self._filtered.filter_by(text)
        except BadInputError as error:
            self._say_wrong(error.line)
            self._bench.query_one(FilterBar).ask_again()
            return
        self._closed()

    def given_up(self, before: str) -> None:
        """Back to the list as it was before."""
        self._filtered.filter_by(before)
        self._closed()

    def _closed(self) -> None:
        self._bench.silence()
        self.say_nothing_matches()
        self._bench.query_one(FilterBar).close()
        self._bench.pane.entered()

    def say_nothing_matches(self) -> None:
        """What stands in place of the rows, should the filter show none."""
        if self._bench.errors.listing.errors:
            self._bench.errors.note("", "Nothing matches the filter.", "", "esc shows all rows again.")
