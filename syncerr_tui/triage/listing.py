"""The list as a person works it: rows, filter, order, cursor, selection. Frozen, with pure transitions.

A selection is a set of ids, never of row numbers: it survives refresh, sort and filter. What is selected
but hidden by the filter is counted (`hidden_selected`) and is no part of `chosen`: nothing is sent by
surprise. A selection that is lost as a whole, by a slip or because rows left the list, can be brought back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from operator import attrgetter

from syncerr_tui.model import SyncError
from syncerr_tui.triage.columns import PROCESSED, Column, ordered
from syncerr_tui.triage.filter import EVERYTHING, Filter

_ID = attrgetter("id")


class View:
    """The visible ids in their order, with their positions. Shared by listings that show the same rows."""

    def __init__(self, ids: tuple[str, ...] = ()) -> None:
        self.ids = ids

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Id -> row number. Computed on first use: most key presses do not need it."""
        return {row_id: position for position, row_id in enumerate(self.ids)}

    def place_of(self, row_id: str, otherwise: int) -> int:
        """The number of a row where it is visible; nothing else is computed for it."""
        try:
            return self.ids.index(row_id)
        except ValueError:
            return otherwise


@dataclass(frozen=True, slots=True)
class Range:
    """A range being drawn: from the anchor to the cursor, on top of what was selected before."""

    anchor: str
    before: frozenset[str]
    sticky: bool
    """True for `v`: any movement extends it. False for shift+arrows: a plain movement ends it."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything about the list but its looks. Every method gives a new listing and changes nothing."""

    errors: Mapping[str, SyncError] = field(default_factory=dict)
    filter: Filter = EVERYTHING
    sort: Column = PROCESSED
    reverse: bool = False
    view: View = field(default_factory=View)
    every: View = field(default_factory=View)
    """All rows in their order, whatever the filter hides: it is taken back without a look at any of them."""
    selected: frozenset[str] = frozenset()
    cursor: int = 0
    range: Range | None = None
    lost: frozenset[str] = frozenset()
    """What was selected before the selection was last lost: some of it may not be in the list."""

    # -- reading ---------------------------------------------------------------------------------

    @property
    def ids(self) -> tuple[str, ...]:
        """Visible ids, top to bottom."""
        return self.view.ids

    @property
    def current(self) -> SyncError | None:
        return self.errors[self.ids[self.cursor]] if self.ids else None

    @property
    def asked_for(self) -> tuple[Filter, Column, bool]:
        """What decides which rows are shown, and in which order."""
        return (self.filter, self.sort, self.reverse)

    def is_moved(self, before: Listing) -> bool:
        """Whether this is that one with its cursor on another row, and nothing else."""
        same = self.errors is before.errors and self.view is before.view and self.selected is before.selected
        same = same and self.range is before.range and self.lost is before.lost
        return same and self.asked_for == before.asked_for and self.cursor != before.cursor

    @property
    def hidden_selected(self) -> int:
        if not self.selected or not self.filter:
            return 0
        return len(self.selected) - sum(map(self.selected.__contains__, self.ids))

    @property
    def chosen(self) -> tuple[SyncError, ...]:
        """What an action acts on: the visible selection in its order, else the row under the cursor.

        Empty where everything selected is hidden: then the person must say first what they mean.
        """
        if self.selected:
            return tuple(self.errors[row_id] for row_id in self.ids if row_id in self.selected)
        return (self.current,) if self.current else ()

    # -- rows come and go ------------------------------------------------------------------------

    def with_page(self, page: Iterable[SyncError], now: datetime) -> Listing:
        """More rows from the org, or newer versions of rows that are here."""
        rows = {error.id: error for error in page}
        known = not self.errors.keys().isdisjoint(rows)  # in this order it goes through the page alone
        errors = {**self.errors, **rows}
        if known or not self._appends(rows.values()):
            return _shown(self, errors, now)
        every = View(self.every.ids + tuple(rows))
        added = _matching(tuple(rows), rows, self.filter, now)
        view = View(self.ids + added) if added else self.view
        return replace(self, errors=errors, every=every, view=view if self.filter else every)

    def updated(self, rows: Iterable[SyncError]) -> Listing:
        """Newer versions of rows that are here; they stay where they stand until the list is read again."""
        newer = {error.id: error for error in rows if error.id in self.errors}
        return replace(self, errors={**self.errors, **newer}) if newer else self

    def refreshed(self, errors: Iterable[SyncError], now: datetime) -> Listing:
        """The whole truth from the org: rows that are not in it leave, the selection forgets them."""
        known = self.errors
        # A row that is as it was stays the same object: whoever compares two lists has next to nothing to do.
        rows = {e.id: before if (before := known.get(e.id)) == e else e for e in errors}
        return _shown(self._selecting(self.selected & rows.keys()), rows, now)

    def next_of(self, rows: Collection[str]) -> Listing | None:
        """The cursor on the next row below it that is one of these, from the top again after the last.

        None where the filter shows none of them.
        """
        count = len(self.ids)
        steps = ((self.cursor + step) % count for step in range(1, count + 1)) if rows else iter(())
        position = next((at for at in steps if self.ids[at] in rows), None)
        return None if position is None else self.moved_to(position)

    def carried_to(self, other: Listing) -> Listing:
        """A listing that was made of an earlier state of this one, with what the person did meanwhile."""
        cursor = min(self.cursor, max(len(other.ids) - 1, 0))
        if self.ids:
            cursor = other.view.place_of(self.ids[self.cursor], cursor)
        mine = self._selecting(self.selected & other.errors.keys())
        return replace(other, selected=mine.selected, lost=mine.lost, cursor=cursor, range=None)

    def is_arranged_as(self, other: Listing) -> bool:
        """Whether both hold the same rows, and show the same of them in the same order."""
        return self.every is other.every and self.view is other.view

    def arranged_as(self, other: Listing) -> Listing:
        """Filter, order and cursor of a listing that was made of one that was arranged like this one."""
        arranged = replace(self, filter=other.filter, sort=other.sort, reverse=other.reverse, range=None)
        return replace(arranged, every=other.every, view=other.view, cursor=other.cursor)

    def without(self, ids: Iterable[str], now: datetime) -> Listing:
        """Rows that left for a recorded reason."""
        removed = set(ids)
        rows = {row_id: error for row_id, error in self.errors.items() if row_id not in removed}
        return _shown(self._selecting(self.selected - removed), rows, now)

    # -- looking ---------------------------------------------------------------------------------

    def filtered(self, new: Filter, now: datetime, row: SyncError | None = None) -> Listing:
        """Show what matches; the cursor stays on its row, or goes to the one named, where that is visible,
        else to the first.
        """
        view = View(_matching(self.every.ids, self.errors, new, now)) if new else self.every
        cursor_row = row or self.current
        cursor = view.place_of(cursor_row.id, 0) if cursor_row else 0
        return replace(self, filter=new, view=view, cursor=cursor, range=None)

    def sorted(self, by: Column, *, reverse: bool = False) -> Listing:
        """Another order; the cursor stays on its row."""
        every = View(tuple(map(_ID, ordered(self.errors.values(), by, reverse=reverse))))
        view = View(tuple(filter(set(self.ids).__contains__, every.ids))) if self.filter else every
        cursor = view.place_of(self.ids[self.cursor], 0) if self.ids else 0
        return replace(self, sort=by, reverse=reverse, every=every, view=view, cursor=cursor, range=None)

    def moved_to(self, position: int, *, extend: bool = False) -> Listing:
        """The cursor on this row (clamped); with `extend` the range grows from where the cursor was."""
        if not self.ids:
            return self
        position = min(max(position, 0), len(self.ids) - 1)
        drawn = self.range
        if extend and drawn is None:
            drawn = Range(self.ids[self.cursor], self.selected, sticky=False)
        elif not extend and drawn is not None and not drawn.sticky:
            drawn = None
        moved = replace(self, cursor=position, range=drawn)
        return _range_drawn(moved) if drawn else moved

    def moved_onto(self, row_id: str) -> Listing:
        """The cursor on the row with this id, where it is visible."""
        position = self.view.place_of(row_id, -1)
        return self if position < 0 else self.moved_to(position)

    # -- selecting -------------------------------------------------------------------------------

    def toggled(self, rows: int = 1) -> Listing:
        """Mark or unmark the row under the cursor, and so many behind it, and move on to the next."""
        if self.current is None:
            return self
        these = frozenset(self.ids[self.cursor : self.cursor + rows])
        return replace(self, selected=self.selected ^ these, range=None).moved_to(self.cursor + rows)

    def range_toggled(self) -> Listing:
        """`v`: begin a range at the cursor, or keep what it holds and end it."""
        if self.range is not None and self.range.sticky:
            return replace(self, range=None)
        if self.current is None:
            return self
        return _range_drawn(replace(self, range=Range(self.current.id, self.selected, sticky=True)))

    def all_selected(self) -> Listing:
        """Everything that the filter shows, on top of what is selected."""
        return replace(self, selected=self.selected | frozenset(self.ids), range=None)

    def inverted(self) -> Listing:
        """Swap marked and unmarked among the visible rows; what is hidden stays as it is."""
        return self._selecting(self.selected ^ frozenset(self.ids))

    def with_selected(self, ids: Iterable[str]) -> Listing:
        """Mark these rows of the list too (a cause and all it holds)."""
        these = frozenset(ids)
        return replace(self, selected=self.selected | these if self.selected else these, range=None)

    def unselected(self, ids: Iterable[str] | None = None) -> Listing:
        """Nothing marked; with `ids` these no longer."""
        return self._selecting(frozenset() if ids is None else self.selected - frozenset(ids))

    @property
    def restorable(self) -> bool:
        """Whether `restored` would mark a row that is not marked."""
        return any(row in self.errors and row not in self.selected for row in self.lost)

    def restored(self) -> Listing:
        """The selection that was lost, as far as its rows are in the list; again swaps the two."""
        return replace(self, selected=self.lost & self.errors.keys(), lost=self.selected, range=None)

    def escaped(self, now: datetime) -> Listing:
        """One step back: end the range, else show everything again, else unmark everything."""
        if self.range is not None:
            return self._selecting(self.range.before)
        if self.filter:
            return self.filtered(EVERYTHING, now)
        return self.unselected()

    # -- within ----------------------------------------------------------------------------------

    def _selecting(self, selected: frozenset[str]) -> Listing:
        """These are selected now, and what was before is kept where some of it no longer is."""
        lost = self.lost if self.selected <= selected else self.selected
        return replace(self, selected=selected, lost=lost, range=None)

    def _appends(self, rows: Iterable[SyncError]) -> bool:
        """Whether these rows simply go to the end: the usual case while pages stream in, oldest first."""
        if self.sort is not PROCESSED or self.reverse:
            return False
        last = self.errors[self.every.ids[-1]].processed_at if self.every.ids else None
        for error in rows:
            if error.processed_at is None or (last is not None and error.processed_at < last):
                return False
            last = error.processed_at
        return True


def _shown(listing: Listing, errors: Mapping[str, SyncError], now: datetime) -> Listing:
    """Order and filter anew; the cursor stays on its row, or on its number where the row is gone."""
    rows = ordered(errors.values(), listing.sort, reverse=listing.reverse)
    every = View(tuple(map(_ID, rows)))
    view = View(_matching(every.ids, errors, listing.filter, now)) if listing.filter else every
    cursor = min(listing.cursor, max(len(view.ids) - 1, 0))
    if listing.ids:
        cursor = view.place_of(listing.ids[listing.cursor], cursor)
    return replace(listing, errors=errors, every=every, view=view, cursor=cursor)


def _matching(
    ids: tuple[str, ...], errors: Mapping[str, SyncError], only: Filter, now: datetime
) -> tuple[str, ...]:
    matches = only.matches
    return tuple([row.id for row in map(errors.__getitem__, ids) if matches(row, now)])


def _range_drawn(listing: Listing) -> Listing:
    drawn = listing.range
    anchor = listing.view.positions.get(drawn.anchor) if drawn else None
    if drawn is None or anchor is None:
        return listing
    first, last = sorted((anchor, listing.cursor))
    return replace(listing, selected=drawn.before | frozenset(listing.ids[first : last + 1]))
