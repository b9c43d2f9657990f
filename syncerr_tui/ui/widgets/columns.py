"""Which columns a window has room for, and how wide each is. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from syncerr_tui.model import SyncError
from syncerr_tui.ui.words import moment


@dataclass(frozen=True, slots=True)
class Moment:
    """The time a table is drawn for: ages count up to it."""

    now: datetime
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `widths` are the sizes it may take, narrowest first; it never has one in between."""

    name: str
    header: str
    widths: tuple[int, ...]
    text: Callable[[SyncError, int, Moment], str]


@dataclass(frozen=True, slots=True)
class Placed:
    """A column with the width this window gives it."""

    column: Column
    width: int


OBJECT = Column("object", "Object", (10, 14, 22, 30), lambda error, _width, _moment: error.object)
EVENT = Column("event", "Event", (6,), lambda error, _width, _moment: error.event_type.value)
PROCESSED = Column(
    "processed",
    "Processed At",
    (4, 10, 16, 27),
    lambda error, width, drawn: (
        moment(error.processed_at, drawn.now, width, drawn.zone) if error.processed_at else "-"
    ),
)
SALESFORCE_ID = Column("salesforce_id", "Salesforce ID", (18,), lambda error, _w, _m: error.salesforce_id or "-")
STORECONNECT_ID = Column(
    "storeconnect_id", "StoreConnect ID", (9, 36), lambda error, _width, _moment: error.storeconnect_id or "-"
)
CODE = Column("code", "Code", (18, 22, 30, 39), lambda error, _width, _moment: error.code or "-")
MESSAGE = Column("message", "Message", (16,), lambda error, _width, _moment: error.message)

ORDER = (OBJECT, EVENT, PROCESSED, SALESFORCE_ID, STORECONNECT_ID, CODE, MESSAGE)
_DROPPED_FIRST = (STORECONNECT_ID, SALESFORCE_ID, EVENT, PROCESSED, MESSAGE)
"""As the window shrinks, these go, in this order. Code and Object stay."""
_GROWN_FIRST = (PROCESSED, CODE, OBJECT, CODE, PROCESSED, OBJECT, STORECONNECT_ID, CODE, PROCESSED, OBJECT)
"""Who takes its next size first while there is room to spare."""
_MESSAGE_FLOOR = 20
"""Cells the message keeps while others grow into their second and later sizes."""
_GAP = 1


def fit(width: int) -> tuple[Placed, ...]:
    """The columns for `width` cells, in order, one blank between two of them.

    The last column takes what is left over.
    """
    steps = {column.name: 0 for column in ORDER}
    shown = list(ORDER)

    def taken() -> int:
        return sum(column.widths[steps[column.name]] for column in shown) + _GAP * (len(shown) - 1)

    for column in _DROPPED_FIRST:
        if taken() <= width:
            break
        shown.remove(column)
    spare = width - taken() - (_MESSAGE_FLOOR - MESSAGE.widths[0])
    for column in _GROWN_FIRST:
        step = steps[column.name] + 1
        if column not in shown or step >= len(column.widths):
            continue
        more = column.widths[step] - column.widths[step - 1]
        if more <= spare:
            steps[column.name] = step
            spare -= more
    rest = width - taken()
    return tuple(
        Placed(column, max(1, column.widths[steps[column.name]] + (rest if column is shown[-1] else 0)))
        for column in shown
    )
