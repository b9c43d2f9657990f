"""The number before a key: `10j` moves ten rows down.

Four digits are the keys of the tabs, and stay that: alone, and one after the other. With a digit behind them
that is no tab's they were the beginning of a number, and the person is where they were before. The digit of
the tab that one is in may have any digit behind it; a 0 begins every number.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from syncerr_tui.triage.actions import Place

_TOGETHER = timedelta(seconds=1)
"""How soon a digit follows the key of a tab that was meant as a digit."""
_LONGEST = 6
"""Digits: no list is longer."""


class CountPrefix:
    """The digits that were typed so far."""

    def __init__(self) -> None:
        self._digits = ""
        self._tab_at: datetime | None = None
        """When the only digit was typed, where it is the key of a tab."""
        self.place = Place.ERRORS
        """Where the person was when they began."""

    @property
    def begun(self) -> int | None:
        """The number as far as it is one."""
        return int(self._digits) if self._digits and self._tab_at is None and int(self._digits) else None

    def digit(self, key: str, now: datetime, place: Place, tab: Place | None) -> bool:
        """One more digit.

        Args:
            key: The digit.
            now: When it was typed.
            place: Where the person is.
            tab: The tab whose key it is.

        Returns:
            Whether it belongs to a number; else it is what its key asks for.
        """
        late = self._tab_at is not None and now - self._tab_at > _TOGETHER
        another_tab = self._tab_at is not None and tab is not None and place is not self.place
        if late or another_tab or not self._digits:
            self._digits, self._tab_at = key, now if tab is not None else None
            self.place = place
            return tab is None
        self._digits, self._tab_at = (self._digits + key)[-_LONGEST:], None
        return True

    def taken(self) -> int | None:
        """The number, for the key that follows it; None where there is none."""
        number = self.begun
        self._digits, self._tab_at = "", None
        return number
