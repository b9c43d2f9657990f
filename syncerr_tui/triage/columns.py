"""The columns of a list of errors, for the table and for all that is taken out of it. Pure.

Which of them a window has room for, and how wide each is then, is decided here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from syncerr_tui.model import SyncError
from syncerr_tui.triage.sort import SortKey
from syncerr_tui.words import moment


@dataclass(frozen=True, slots=True)
class Moment:
    """The time a table is drawn for: ages count up to it."""

    now: datetime
    zone: tzinfo | None = None
    ellipsis: str = "…"
    """What says that text was cut."""


def _no_text(_row: SyncError, _width: int, _moment: Moment) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list."""

    name: str
    """Its key in the JSON of every command."""
    header: str
    widths: tuple[int, ...]
    """The sizes it may take, narrowest first; it never has one in between."""
    text: Callable[[SyncError, int, Moment], str] = _no_text
    """What it says about an error. Lists that are not of errors give their cells themselves."""
    sort: SortKey | None = None
    """What the list is sorted by where it is sorted by this column."""
    look: str = "text"
    number: bool = False
    """Set to the right."""
    since: int = 0
    """Cells the window must have for it to be shown, in lists that do not weigh their columns."""

    def value(self, error: SyncError) -> str:
        """All that it says about an error; empty where there is nothing."""
        return str(error.payload()[self.name] or "")


@dataclass(frozen=True, slots=True)
class Placed:
    """A column with the width this window gives it."""

    column: Column
    width: int


def _object(error: SyncError, width: int, drawn: Moment) -> str:
    """The object; where it is too long, what follows its namespace tells more than the namespace."""
    name = error.object
    namespace, _, rest = name.partition("__")
    return f"{drawn.ellipsis}{rest}" if len(name) > width and len(rest) > len("c") and namespace else name


def _gist(error: SyncError) -> str:
    """The telling part of the message. What reads messages is imported with the first row."""
    from syncerr_tui.diagnosis.summary import summarize

    return summarize(error.message, error.code)


OBJECT = Column("object", "Object", (11, 14, 22, 30), _object, SortKey.OBJECT)
EVENT = Column("event_type", "Event", (6,), lambda error, _w, _m: error.event_type.value, SortKey.EVENT)
PROCESSED = Column(
    "processed_at",
    "Processed At",
    (4, 10, 16, 27),
    lambda error, width, drawn: (
        moment(error.processed_at, drawn.now, width, drawn.zone) if error.processed_at else "-"
    ),
    SortKey.PROCESSED,
)
SALESFORCE_ID = Column(
    "salesforce_id",
    "Salesforce ID",
    (18,),
    lambda error, _w, _m: error.salesforce_id or "-",
    SortKey.SALESFORCE_ID,
)
STORECONNECT_ID = Column(
    "storeconnect_id",
    "StoreConnect ID",
    (9, 36),
    lambda error, _w, _m: error.storeconnect_id or "-",
    SortKey.STORECONNECT_ID,
)
CODE = Column("code", "Code", (18, 22, 30, 39), lambda error, _w, _m: error.code or "-", SortKey.CODE, "code")
MESSAGE = Column("message", "Message", (16,), lambda error, _w, _m: _gist(error), SortKey.MESSAGE, "quiet")
CHANGE_EVENT = Column("id", "Change event", (18,), lambda error, _w, _m: error.id, SortKey.CHANGE_EVENT)

ORDER = (OBJECT, EVENT, PROCESSED, SALESFORCE_ID, STORECONNECT_ID, CODE, MESSAGE)
BY_NAME: Mapping[str, Column] = {column.name: column for column in (*ORDER, CHANGE_EVENT)}
_SPARE = (STORECONNECT_ID, SALESFORCE_ID)
"""Shown only where all the others have room to breathe: their second width, and the message its floor."""
_DROPPED_FIRST = (EVENT, PROCESSED, MESSAGE)
"""As the window shrinks further, these go, in this order. Code and Object stay."""
_GROWN_FIRST = (PROCESSED, CODE, OBJECT, CODE, PROCESSED, OBJECT, STORECONNECT_ID, CODE, PROCESSED, OBJECT)
"""Who takes its next size first while there is room to spare."""
_MESSAGE_FLOOR = 20
"""Cells the message keeps while others grow into their second and later sizes."""
_MORE_MESSAGE = _MESSAGE_FLOOR - MESSAGE.widths[0]
_GAP = 1


def fit(width: int) -> tuple[Placed, ...]:
    """The columns for `width` cells, in order, one blank between two of them.

    The last column takes what is left over.
    """
    shown = [column for column in ORDER if column not in _SPARE]
    for column in reversed(_SPARE):
        wanted = [*shown, column]
        if (
            _taken(wanted, {each.name: min(1, len(each.widths) - 1) for each in shown}) + _MORE_MESSAGE
            <= width
        ):
            shown = [each for each in ORDER if each in wanted]
        else:
            break
    steps = dict.fromkeys((column.name for column in ORDER), 0)
    for column in _DROPPED_FIRST:
        if _taken(shown, steps) <= width:
            break
        shown.remove(column)
    spare = width - _taken(shown, steps) - _MORE_MESSAGE
    for column in _GROWN_FIRST:
        step = steps[column.name] + 1
        if column not in shown or step >= len(column.widths):
            continue
        more = column.widths[step] - column.widths[step - 1]
        if more <= spare:
            steps[column.name] = step
            spare -= more
    rest = width - _taken(shown, steps)
    return tuple(
        Placed(column, max(1, column.widths[steps[column.name]] + (rest if column is shown[-1] else 0)))
        for column in shown
    )


def _taken(columns: Sequence[Column], steps: Mapping[str, int]) -> int:
    widths = sum(column.widths[steps.get(column.name, 0)] for column in columns)
    return widths + _GAP * (len(columns) - 1)
