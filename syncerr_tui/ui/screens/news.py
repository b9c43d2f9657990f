"""Since the person looked: what became of rows that have left the list, and where that can be seen.

The journal is asked first, for all of them. About what it does not know the org itself is asked, when
somebody wants to see it: neither is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import EventSeen, SyncError, Verdict
from syncerr_tui.text import one_line
from syncerr_tui.triage.news import GoneRow, News, RowChange, gone_by_org, gone_words
from syncerr_tui.ui.clipboard_actions import event_address, open_one_of
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.errors_pane import ErrorsPane
from syncerr_tui.ui.journals import Journals
from syncerr_tui.ui.messages import JournalWanted
from syncerr_tui.ui.screens.dialog import ListDialog, keys
from syncerr_tui.ui.services import Controller, Services
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import clock_time, plural

if TYPE_CHECKING:
    from syncerr_tui.journal.row_history import RowEnding

ASKED_AT_MOST = 1000
"""Rows that the org is asked about: one request."""
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

    def below_heading(self) -> Sequence[Widget]:
        return (Static(self.text, markup=False),)

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


class NewsViewer(Controller):
    """Shows what has happened, and marks it as seen.

    Args:
        errors: The list.
    """

    def __init__(self, services: Services, screen: Screen[None], errors: ErrorsPane) -> None:
        super().__init__(services, screen)
        self._errors = errors

    def open(self) -> None:
        news, now = self._context.state.news, self._context.clock()

        async def ask_why() -> None:
            errors = [error for row, error in (news.seen or {}).items() if row in news.gone]
            dialog.learn(await why_gone(self._context, self._journals, errors))

        def answered(seen: bool | None) -> None:
            if seen:
                state = self._context.state
                # What has come while the dialog was open has not been seen.
                self._errors.show_news(state.news.all_seen(listed, now).compared(state.listing.errors, now))

        listed = self._context.state.listing.errors
        since = clock_time(news.since or now, now)[:-3]
        dialog = NewsDialog(news, since, self._context.key_of, self._show)
        self._open(dialog, answered)
        self._screen.run_worker(ask_why(), group="gone", exclusive=True)

    def _show(self, row: GoneRow) -> None:
        """Where it can be seen what became of a row."""
        if row.in_journal:
            self._post(JournalWanted(f"id:{row.error.id}"))
            return
        address = event_address(self._context, row.error)
        open_one_of(self._screen, self._context, [("", address)] if address else [])


async def why_gone(context: AppContext, journals: Journals, errors: Sequence[SyncError]) -> list[GoneRow]:
    """What became of these rows, in their order. Does not raise: what cannot be read is unknown."""
    from syncerr_tui.journal.row_history import row_endings

    connection = context.connection
    if connection is None:
        return [GoneRow(error, "unknown", "unknown: not connected") for error in errors]
    ids = [error.id for error in errors]
    ended: dict[str, RowEnding] = {}
    events: dict[str, EventSeen] = {}
    trouble = ""
    try:
        ended = await journals.ask(connection.identity.org_id, lambda journal: row_endings(journal, ids))
        unknown = [row for row in ids if row not in ended or not ended[row].verdict.proven]
        events = dict(await connection.read_events(unknown[:ASKED_AT_MOST])) if unknown else {}
    except SyncErrError as problem:
        trouble = f": {problem.title}"
    rows = []
    for error in errors:
        known, now = ended.get(error.id), events.get(error.id)
        if known is not None and (known.verdict.proven or now is None):
            rows.append(_of_journal(error, known, context))
        elif now is not None:
            rows.append(gone_by_org(error, now))
        else:
            rows.append(GoneRow(error, "unknown", f"unknown{trouble or ': too many to ask about at once'}"))
    return rows


def _of_journal(error: SyncError, ended: RowEnding, context: AppContext) -> GoneRow:
    at = clock_time(ended.at, context.clock())[:-3]
    if ended.verdict is Verdict.FIXED:
        return GoneRow(error, "FIXED", f"FIXED by {ended.by} at {at}", in_journal=True)
    if ended.verdict is Verdict.ELSEWHERE:
        why = f"resolved elsewhere, seen by {ended.by} at {at}"
        return GoneRow(error, "resolved elsewhere", why, in_journal=True)
    why = f"unknown: {ended.verdict.value} when {ended.by} re-synced it at {at}"
    return GoneRow(error, "unknown", why, in_journal=True)
