"""A re-sync that a person presses in Salesforce, as they work through it: one frozen value, pure transitions.

The rows stand in the order in which they are pressed, wave by wave. What was ticked off is known to the
journal first; this follows. In Salesforce's own list a person finds them by the time of each, as Salesforce
shows it to that user.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from syncerr_tui.model import RowState, SyncError, Verdict
from syncerr_tui.triage.filter import EVERYTHING, Filter

_AWAY = timedelta(minutes=5)
"""Whoever says nothing for longer than this for each row was not pressing: it is no pace."""


class Phase(StrEnum):
    """Where the whole re-sync stands."""

    UNFINISHED = "unfinished"
    """It was interrupted, and nobody goes on with it yet."""
    UNDER_WAY = "under way"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class GuidedRow:
    error: SyncError
    wave: int
    state: RowState = RowState.QUEUED
    verdict: Verdict | None = None
    doubtful: bool = False
    """It was shown before the program ended, and may have been pressed: it is only read again."""
    reason: str = ""
    """Why it ended as it did."""
    pressed_by_person: bool = False
    """The person said that they pressed it."""

    @property
    def to_press(self) -> bool:
        """The person presses Re-sync for it now."""
        return self.state is RowState.ASKED and not self.doubtful

    @property
    def ticked(self) -> bool:
        """The person said that they pressed it, or the org shows that somebody did."""
        return self.pressed_by_person or self.verdict not in {None, Verdict.ELSEWHERE, Verdict.UNKNOWN}

    @property
    def word(self) -> str:
        """Where it stands, in at most eight letters."""
        if self.verdict is not None:
            return self.verdict.short
        if self.doubtful and self.state is RowState.ASKED:
            return "pressed?"
        return _WORDS.get(self.state, "")

    @property
    def look(self) -> str:
        """The colour of that word; the word says the same without it."""
        if self.verdict is not None:
            return "good" if self.verdict.proven else "bad"
        if self.doubtful and self.state is RowState.ASKED:
            return "bad"
        return "busy" if self.state in {RowState.ASKED, RowState.WAITING} else "quiet"


_WORDS = {
    RowState.QUEUED: "later",
    RowState.ASKED: "to press",
    RowState.WAITING: "reading",
    RowState.NOT_SENT: "not sent",
}


@dataclass(frozen=True, slots=True)
class GuidedState:
    """Every method gives a new state and changes nothing."""

    rows: Mapping[str, GuidedRow] = field(default_factory=dict)
    """By event id, in the order in which they are pressed."""
    phase: Phase = Phase.UNDER_WAY
    address: str = ""
    """Where the person presses them; empty where that is not known."""
    wave: int = 0
    """The wave that is open; 0 before the first."""
    filter: Filter = EVERYTHING
    view: tuple[str, ...] = ()
    """What the filter shows."""
    cursor: int = 0
    """A place in `view`."""
    pressed: int = 0
    """Rows whose time was taken."""
    took: timedelta = timedelta()
    """The time for them."""
    heard_at: datetime | None = None
    """When the person was shown the rows, or last spoke of one."""

    @classmethod
    def begun(cls, rows: Iterable[GuidedRow], phase: Phase = Phase.UNDER_WAY) -> GuidedState:
        """These rows, none of them shown yet."""
        by_id = {row.error.id: row for row in rows}
        return cls(by_id, phase, view=tuple(by_id))

    # -- what is known ---------------------------------------------------------------------------------

    @property
    def waves(self) -> int:
        return max((row.wave for row in self.rows.values()), default=0)

    @property
    def current(self) -> GuidedRow | None:
        return self.rows[self.view[self.cursor]] if self.view else None

    @property
    def to_press(self) -> tuple[str, ...]:
        """All that is to press now, whatever the filter shows."""
        return tuple(row_id for row_id, row in self.rows.items() if row.to_press)

    @property
    def shown_to_press(self) -> tuple[str, ...]:
        return tuple(row_id for row_id in self.view if self.rows[row_id].to_press)

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Rows of which nobody has said whether they were pressed."""
        return tuple(row_id for row_id, row in self.rows.items() if row.state is RowState.ASKED)

    @property
    def counted(self) -> str:
        """`2 to press, 1 being read, 3 FIXED`."""
        rows = self.rows.values()
        numbers = [
            (sum(row.to_press for row in rows), "to press"),
            (sum(row.word == "pressed?" for row in rows), "perhaps pressed"),
            (sum(row.state is RowState.WAITING for row in rows), "being read"),
            *((sum(row.verdict is verdict for row in rows), verdict.value) for verdict in Verdict),
            (sum(row.state is RowState.NOT_SENT for row in rows), "not sent"),
            (sum(row.state is RowState.QUEUED for row in rows), "later"),
        ]
        return ", ".join(f"{count:,} {word}" for count, word in numbers if count)

    @property
    def time_left(self) -> timedelta | None:
        """For what is to press now and later, at the person's own pace; None before there is one."""
        open_rows = sum(row.to_press or row.state is RowState.QUEUED for row in self.rows.values())
        return self.took / self.pressed * open_rows if self.pressed and open_rows else None

    def why_not_tick(self) -> str:
        """Why the row under the cursor cannot be ticked, or unticked; empty where it can."""
        row = self.current
        if self.phase is Phase.UNFINISHED:
            return "this re-sync was interrupted"
        if row is None:
            return "there is no row under the cursor"
        if row.state is RowState.QUEUED:
            return "its wave is not open yet: the one before is proven first"
        if row.state is RowState.NOT_SENT:
            return "it was not sent"
        return "it has its outcome" if row.verdict is not None else ""

    # -- what happens ----------------------------------------------------------------------------------

    def presented(
        self, wave: int, doubtful: Iterable[str], ids: Iterable[str], address: str | None, now: datetime
    ) -> GuidedState:
        """The rows of a wave are to be pressed; the cursor goes to the first of them."""
        unsure = frozenset(doubtful)
        rows = dict(self.rows)
        for row_id in ids:
            row = GuidedRow(rows[row_id].error, rows[row_id].wave, RowState.ASKED, doubtful=row_id in unsure)
            rows[row_id] = row
        fresh = replace(self, rows=rows, wave=wave, address=address or "", heard_at=now)
        first = next((place for place, row in enumerate(self.view) if rows[row].to_press), None)
        return fresh if first is None else replace(fresh, cursor=first)

    def changed(
        self, row_id: str, state: RowState, verdict: Verdict | None, reason: str, error: SyncError | None
    ) -> GuidedState:
        row = self.rows.get(row_id)
        if row is None:
            return self
        fresh = replace(row, state=state, verdict=verdict, reason=reason, error=error or row.error)
        return replace(self, rows={**self.rows, row_id: fresh})

    def ticked(self, ids: Sequence[str], now: datetime, *, pressed: bool) -> GuidedState:
        """The person says that they pressed these, or takes that back."""
        state = RowState.WAITING if pressed else RowState.ASKED
        spoken_of = {
            row_id: replace(self.rows[row_id], state=state, pressed_by_person=pressed) for row_id in ids
        }
        rows = {**self.rows, **spoken_of}
        fresh = replace(self, rows=rows, heard_at=now)
        spent = now - self.heard_at if self.heard_at is not None else timedelta()
        if not pressed or not ids or spent > _AWAY * len(ids):
            return fresh
        return replace(fresh, pressed=self.pressed + len(ids), took=self.took + spent)

    def at_phase(self, phase: Phase) -> GuidedState:
        return replace(self, phase=phase)

    # -- looking ---------------------------------------------------------------------------------------

    def filtered(self, new_filter: Filter, now: datetime) -> GuidedState:
        """Only what matches; the cursor stays on its row where that is shown."""
        view = tuple(
            row_id
            for row_id, row in self.rows.items()
            if not new_filter or new_filter.matches(row.error, now)
        )
        here = self.view[self.cursor] if self.view else None
        cursor = view.index(here) if here in view else 0
        return replace(self, filter=new_filter, view=view, cursor=cursor)

    def moved(self, rows: int) -> GuidedState:
        return replace(self, cursor=max(0, min(self.cursor + rows, len(self.view) - 1)))


_PATTERNS: Mapping[str, str] = {
    "en_US": "M/d/yyyy, h:mm A",
    "en_AU": "d/M/yyyy, h:mm a",
    "en_NZ": "d/MM/yyyy, h:mm a",
    "en_HK": "d/M/yyyy, h:mm a",
    "en_MY": "dd/MM/yyyy, h:mm a",
    "en_PH": "M/d/yyyy, h:mm A",
    "en_IN": "dd/MM/yyyy, h:mm a",
    "en_SG": "d/M/yyyy, h:mm a",
    "en_GB": "dd/MM/yyyy, HH:mm",
    "en_IE": "dd/MM/yyyy, HH:mm",
    "en_ZA": "yyyy/MM/dd, HH:mm",
    "da_DK": "dd.MM.yyyy HH.mm",
    "de_AT": "dd.MM.yyyy, HH:mm",
    "de_CH": "dd.MM.yyyy, HH:mm",
    "de_LU": "dd.MM.yyyy, HH:mm",
    "de_DE": "dd.MM.yyyy, HH:mm",
    "es_ES": "d/M/yyyy, H:mm",
    "es_MX": "dd/MM/yyyy, HH:mm",
    "fi_FI": "d.M.yyyy H.mm",
    "fr_BE": "d/MM/yyyy HH:mm",
    "fr_CH": "dd.MM.yyyy HH:mm",
    "fr_FR": "dd/MM/yyyy HH:mm",
    "fr_LU": "dd/MM/yyyy HH:mm",
    "it_IT": "dd/MM/yyyy, HH:mm",
    "ja_JP": "yyyy/MM/dd H:mm",
    "nl_BE": "d/MM/yyyy HH:mm",
    "nl_NL": "dd-MM-yyyy HH:mm",
    "no_NO": "dd.MM.yyyy, HH:mm",
    "pl_PL": "d.MM.yyyy, HH:mm",
    "pt_BR": "dd/MM/yyyy HH:mm",
    "pt_PT": "dd/MM/yyyy, HH:mm",
    "sv_SE": "yyyy-MM-dd HH:mm",
}
_UNKNOWN = "yyyy-MM-dd HH:mm"
_TOKEN = re.compile("yyyy|MM|M|dd|d|HH|H|h|mm|A|a")
LONGEST = 20
"""Cells of the longest of them."""


class SalesforceTime:
    """How one user sees times in Salesforce: in their time zone and form.

    How StoreConnect's tool writes a time is not published; Salesforce's components follow the user's locale.
    The forms are the short date and time of Unicode CLDR 41 (npm `cldr-dates-full` 41.0.0), which Salesforce
    Help names as its source ("Salesforce Supported Locales and ICU Formats"), with the year in four digits as
    in its examples (1/28/2008, 4:30 PM). An org that has not switched to the ICU formats may write them
    otherwise.

    Args:
        zone: The user's time zone as the org says it, e.g. `Australia/Sydney`; empty where it does not.
        locale: The user's locale, e.g. `en_AU`; empty where the org does not say.
    """

    def __init__(self, zone: str = "", locale: str = "") -> None:
        known = _zone(zone)
        self._zone: tzinfo = known or UTC
        self._pattern = _PATTERNS.get(locale, _UNKNOWN)
        where = zone if known is not None else "UTC (your time zone in Salesforce is not known)"
        self.note = f"{where}, {locale if locale in _PATTERNS else 'ISO form'}"
        """Which zone and form that is, or that it is not known."""

    def __call__(self, at: datetime | None) -> str:
        """`28/11/2026, 11:58 pm`."""
        if at is None:
            return "-"
        local = at.astimezone(self._zone)
        half = "pm" if local.hour >= 12 else "am"
        values = {
            "yyyy": f"{local.year:04}",
            "MM": f"{local.month:02}",
            "M": f"{local.month}",
            "dd": f"{local.day:02}",
            "d": f"{local.day}",
            "HH": f"{local.hour:02}",
            "H": f"{local.hour}",
            "h": f"{local.hour % 12 or 12}",
            "mm": f"{local.minute:02}",
            "A": half.upper(),
            "a": half,
        }
        return _TOKEN.sub(lambda token: values[token[0]], self._pattern)


def _zone(name: str) -> tzinfo | None:
    """The zone of that name; None where this machine does not know it."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # no such zone, no zones on this machine, or no name at all
        return None
