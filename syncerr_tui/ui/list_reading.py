"""Reading the list and watching it: what is asked for when, and what goes on screen of what comes.

The background half is `reading.Reader`; its messages reach this through the workbench.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncerr_tui.ui.reading import Reader
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from datetime import datetime

    from textual.timer import Timer

    from syncerr_tui.errors import SyncErrError
    from syncerr_tui.ui.reading import ListRead, PageCame, ReadingFailed
    from syncerr_tui.ui.screens.workbench import Workbench

WATCH_SECONDS = 60.0


class ListReading:
    """The one list, from the first page to the next look at it."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._context = bench.context
        self.reader = Reader(bench.context, bench.post_message)
        self.read_at: datetime | None = None
        """When the list on screen was read to its end."""
        self.failure: SyncErrError | None = None
        """Why the last reading came to nothing, as it stands in place of the rows."""
        self._rows_so_far = 0
        self._fresh_start = True
        self._known: frozenset[str] | None = None
        self._minute: Timer | None = None
        self._watch: Timer | None = None

    @property
    def watching(self) -> bool:
        """Whether it is read again every minute."""
        return self._watch is not None

    @property
    def words(self) -> str:
        """What is being read; empty while nothing is."""
        if not self.reader.active:
            return ""
        connection = self._context.connection
        if connection is None:
            return "connecting ..."
        if not self._rows_so_far:
            return "reading ..."
        of = f" of {connection.total:,}" if connection.total else ""
        return f"reading {self._rows_so_far:,}{of} ..."

    def do_refresh(self) -> None:
        """Read the list and the org notes again; connect first where that is still to do."""
        self._bench.host.error_details.begin_anew()
        self._read_again()

    def _read_again(self) -> None:
        self._rows_so_far = 0
        self._fresh_start = not self._bench.errors.listing.errors
        self._context.trouble = None
        reading = self.reader.next()
        self._bench.draw_lines()
        self._bench.app.run_worker(self.reader.read(reading), group="reading", exclusive=True, name="reading")

    def do_login(self) -> None:
        """Ask for a new session."""
        self._context.expired = True
        self.do_refresh()

    def connected(self) -> None:
        """The org answered: its name goes on screen, and its first page is asked for."""
        self._bench.errors.note("", "Reading the sync errors ...")
        welcome, self._context.welcome = self._context.welcome, ""
        if welcome:
            self._bench.lines.say(welcome, "strong", keep=True)
        self._bench.draw_lines()
        self._bench.host.interrupted_runs.connected()

    def page_came(self, event: PageCame) -> None:
        """Rows go on screen as they come, the first time; a refresh replaces them at its end."""
        if event.reading != self.reader.reading:
            return
        self._rows_so_far = event.so_far
        self._context.was_read = True
        if self._fresh_start:
            listing = self._bench.errors.listing.with_page(event.rows, self._context.clock())
            self._bench.errors.show(listing, fresh=event.so_far == len(event.rows))
        self._bench.draw_lines()
        self._bench.call_after_refresh(event.drawn.set)

    def list_read(self, event: ListRead) -> None:
        """The whole truth: what is not in it has left the list."""
        if event.reading != self.reader.reading:
            return
        self.read_at = event.at
        self._context.was_read = True
        self._bench.errors.note(
            "", "No unresolved sync errors.", "", "Everything the website sent is in Salesforce."
        )
        self._bench.host.runs.list_was_read()
        listing = self._bench.errors.listing.refreshed(event.rows, self._context.clock())
        self._tell_of_new(frozenset(listing.errors))
        self._bench.errors.show(listing, fresh=not self._fresh_start)
        if listing.errors and not listing.ids:
            self._bench.filtering.say_nothing_matches()
        self._tick()
        self._bench.draw_lines()
        if self._context.connection is not None:
            asking = self._bench.graph_worker.ask_for_parents(self._context.connection)
            self._bench.app.run_worker(asking, group="parents", exclusive=True, name="parents")

    def reading_failed(self, event: ReadingFailed) -> None:
        """Say it in one line; what is on screen stays."""
        if event.reading != self.reader.reading:
            return
        self._context.trouble = self.failure = event.error
        key = "L logs in again" if self._context.expired else "r tries again"
        self._bench.errors.note("", event.error.title + ".", event.error.hint, "", f"{key}.")
        self._bench.causes.refreshed()
        self._bench.draw_lines()

    def _tell_of_new(self, ids: frozenset[str]) -> None:
        known, self._known = self._known, ids
        fresh = len(ids - known) if known is not None else 0
        if fresh and self._watch is not None:
            self._bench.app.bell()
            self._bench.notify(f"{plural(fresh, 'new sync error')}.", timeout=8, markup=False)

    def _tick(self) -> None:
        """Once a minute "refreshed ... ago" reads differently; over a slow line it waits for the next key."""
        if self._minute is None and not self._context.terminal.slow:
            self._minute = self._bench.set_interval(60, self._bench.draw_lines)

    def do_watch(self) -> None:
        """Read again every minute, or stop doing so."""
        if self._watch is None:
            self._watch = self._bench.set_interval(WATCH_SECONDS, self.look_again)
        else:
            self._watch.stop()
            self._watch = None
        self._bench.draw_lines()

    def look_again(self) -> None:
        """Read again, unless something goes on that this would disturb."""
        if not self.reader.active and not self._bench.host.runs.active and not self._context.expired:
            self._read_again()
