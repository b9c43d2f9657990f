"""The columns of a list of errors, for the table and for all that is taken out of it, and their order. Pure.

Which of them a window has room for, how wide each is then, and what a person wants of them instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from syncerr_tui.errors import DAMAGED, BadInputError
from syncerr_tui.model import SyncError, sorted_in_parts
from syncerr_tui.text import cell_width, one_line
from syncerr_tui.words import time_with_age

_NEVER = datetime.max.replace(tzinfo=UTC)


def _no_text(_row: SyncError, _width: int, _moment: datetime) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list."""

    name: str
    """Its key in the JSON of every command; in a list of errors also the attribute that it is sorted by."""
    header: str
    widths: tuple[int, ...]
    """The sizes it may take, narrowest first; it never has one in between."""
    text: Callable[[SyncError, int, datetime], str] = _no_text
    """What it says about an error. Lists that are not of errors give their cells themselves."""
    look: str = "text"
    number: bool = False
    """Set to the right."""
    time: bool = False
    """A moment: its age changes by itself, and a line of text has it in local time."""
    since: int = 0
    """Cells the window must have for it to be shown, in lists that do not weigh their columns."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A column with the width this window gives it."""

    column: Column
    width: int
    skipped: int | None = None
    """Cells of the whole message that stand further left; None for what the column says in short."""

    def text(self, error: SyncError, drawn: datetime) -> str:
        """What it says about an error."""
        if self.skipped is None:
            return self.column.text(error, self.width, drawn)
        return _without(one_line(error.message), self.skipped)


def _without(text: str, cells_left_out: int) -> str:
    """The text without what takes its first cells; a wide letter that begins among them goes too."""
    if text.isascii():
        return text[cells_left_out:]
    for at, letter in enumerate(text):
        if cells_left_out <= 0:
            return text[at:]
        cells_left_out -= cell_width(letter)
    return ""


def short_object(name: str, width: int) -> str:
    """An object; where it is too long, what follows its namespace tells more than the namespace."""
    namespace, _, rest = name.partition("__")
    return f"…{rest}" if len(name) > width and len(rest) > len("c") and namespace else name


def _gist(error: SyncError) -> str:
    """The telling part of the message. What reads messages is imported with the first row."""
    from syncerr_tui.diagnosis.summary import summarize

    return summarize(error.message, error.code)


def _code(error: SyncError) -> str:
    """The code, or what the message's wording means. What reads messages is imported with the first row."""
    from syncerr_tui.diagnosis.summary import code_or_inferred

    return code_or_inferred(error.message, error.code)


OBJECT = Column(
    "object",
    "Object",
    (11, 14, 22, 30),
    lambda error, width, _m: short_object(error.object, width),
)
EVENT = Column("event_type", "Event", (6,), lambda error, _w, _m: error.event_type.value)
PROCESSED = Column(
    "processed_at",
    "Processed At",
    (4, 10, 16, 27),
    lambda error, width, drawn: (
        time_with_age(error.processed_at, drawn, width) if error.processed_at else "-"
    ),
    time=True,
)
SALESFORCE_ID = Column(
    "salesforce_id",
    "Salesforce ID",
    (18,),
    lambda error, _w, _m: error.salesforce_id or "-",
)
STORECONNECT_ID = Column(
    "storeconnect_id",
    "StoreConnect ID",
    (9, 36),
    lambda error, _w, _m: error.storeconnect_id or "-",
)
CODE = Column("code", "Code", (18, 22, 30, 39), lambda error, _w, _m: _code(error), "code")
MESSAGE = Column("message", "Message", (16,), lambda error, _w, _m: _gist(error), "quiet")
CHANGE_EVENT = Column("id", "Change event", (18,), lambda error, _w, _m: error.id)

ORDER = (OBJECT, EVENT, PROCESSED, SALESFORCE_ID, STORECONNECT_ID, CHANGE_EVENT, CODE, MESSAGE)
"""Every column. One that stands only here is there for whoever asks for it or scrolls to it."""
SORTABLE = tuple(
    dict.fromkeys((PROCESSED, OBJECT, EVENT, CODE, SALESFORCE_ID, STORECONNECT_ID, MESSAGE, *ORDER))
)
"""The same as the sort menu offers them: the usual order first."""
BY_NAME: Mapping[str, Column] = {column.name: column for column in ORDER}
FIELDS = tuple(dict.fromkeys((CHANGE_EVENT.name, *BY_NAME)))
"""Every field of an error, as its JSON names them."""
_USUAL = (OBJECT, EVENT, PROCESSED, CODE, MESSAGE)
_SPARE = (SALESFORCE_ID, STORECONNECT_ID)
"""Shown only where all the others have room to breathe: their second width, and the message its floor."""
_DROPPED_FIRST = (EVENT, PROCESSED, MESSAGE)
"""As the window shrinks further, these go, in this order. Code and Object stay."""
SHOWN_OF_THEMSELVES = (*_USUAL, *_SPARE)
"""Where there is room."""
_GROWN_FIRST = (PROCESSED, CODE, OBJECT, STORECONNECT_ID, CODE, PROCESSED, OBJECT, CODE, PROCESSED, OBJECT)
"""Who takes its next size first while there is room to spare."""
_MESSAGE_FLOOR = 20
"""Cells the message keeps while others grow into their second and later sizes."""
_MORE_MESSAGE = _MESSAGE_FLOOR - MESSAGE.widths[0]
_READABLE_MESSAGE = 30
"""Cells from which a whole message is worth a place beside other columns."""
_REPEATED = 2
"""Cells of a message that stand in two views: the ellipsis, and half a wide letter."""
_GAP = 1


def ordered(errors: Iterable[SyncError], by: Column = PROCESSED, *, reverse: bool = False) -> list[SyncError]:
    """The errors in the order of this column; oldest first within equals, also when reversed.

    Missing values stand last in both: a row without a code is never the first thing to read.
    """
    rows = sorted_in_parts([*errors], lambda error: error.processed_at or _NEVER)
    if by is PROCESSED and not reverse:
        return rows
    read = attrgetter(by.name)
    known = [*filter(read, rows)]
    folded = by in {OBJECT, MESSAGE}  # small and capital letters are alike
    known = sorted_in_parts(known, (lambda e: read(e).casefold()) if folded else read, reverse=reverse)
    return known if len(known) == len(rows) else [*known, *(error for error in rows if not read(error))]


def order_words(by: Column, *, reverse: bool) -> str:
    """The order in words: `oldest first`, `Z to A`."""
    if by is PROCESSED:
        return "newest first" if reverse else "oldest first"
    return "Z to A" if reverse else "A to Z"


ColumnChoice = tuple[tuple[Column, int], ...]
"""The columns that a person wants, in their order, each with its width; 0 leaves the width to the window."""


def placed_in(width: int, choice: ColumnChoice = (), sort: Column | None = None) -> tuple[Placed, ...]:
    """The columns for `width` cells, in order, one blank between two of them.

    The last column takes what is left over.

    Args:
        width: Cells there are.
        choice: What the person wants, as much of it as fits; without it the window decides.
        sort: The column that the list is sorted by: it stays in sight.
    """
    sizes = {
        column.name: (chosen_width,) if chosen_width else column.widths for column, chosen_width in choice
    }
    sizes = {column.name: column.widths for column in ORDER} | sizes
    shown = _that_fit([column for column, _ in choice], sizes, width) if choice else _automatic(width, sort)
    steps = dict.fromkeys(sizes, 0)
    message = _MORE_MESSAGE if MESSAGE in shown else 0
    spare = width - _taken(shown, sizes, steps) - message
    for column in _GROWN_FIRST:
        step, widths = steps[column.name] + 1, sizes[column.name]
        if column not in shown or step >= len(widths):
            continue
        more = widths[step] - widths[step - 1]
        if more <= spare:
            steps[column.name] = step
            spare -= more
    rest = width - _taken(shown, sizes, steps)
    return tuple(
        Placed(column, max(1, sizes[column.name][steps[column.name]] + (rest if column is shown[-1] else 0)))
        for column in shown
    )


def _that_fit(columns: list[Column], sizes: Mapping[str, Sequence[int]], width: int) -> list[Column]:
    """As many of the wanted columns, from the first, as have room; one at least."""
    while len(columns) > 1 and _taken(columns, sizes) > width:
        columns = columns[:-1]
    return columns


def _automatic(width: int, sort: Column | None) -> list[Column]:
    """The columns that tell most in this window."""
    sizes = {column.name: column.widths for column in ORDER}
    shown = [each for each in ORDER if each in _USUAL or each is sort]
    for column in _SPARE:
        more = [each for each in ORDER if each in shown or each is column]
        grown = {each.name: min(1, len(each.widths) - 1) for each in shown}
        if _taken(more, sizes, grown) + _MORE_MESSAGE > width:
            break
        shown = more
    for column in _DROPPED_FIRST:
        if _taken(shown, sizes) <= width:
            break
        if column is not sort:
            shown.remove(column)
    return shown


def _taken(
    columns: Sequence[Column], sizes: Mapping[str, Sequence[int]], steps: Mapping[str, int] | None = None
) -> int:
    at = steps or {}
    return sum(sizes[column.name][at.get(column.name, 0)] for column in columns) + _GAP * (len(columns) - 1)


def further(
    first: Sequence[Placed], width: int, longest: int, choice: ColumnChoice = ()
) -> list[tuple[Placed, ...]]:
    """What sideways scrolling shows after the first view: what has no place in it, and messages as a whole.

    The first column stays. At the end come further parts of the messages.

    Args:
        first: The first view.
        width: Cells there are.
        longest: Cells of the message that is to be read to its end.
        choice: What the person wants; without it every column is shown.
    """
    widths = dict(choice) or dict.fromkeys(ORDER, 0)
    columns = [column for column in widths if column is not first[0].column]
    whole = {placed.column for placed in first if not is_cut_id(placed)}
    hidden = [at for at, column in enumerate(columns) if column not in whole or column is MESSAGE]
    lead = Placed(
        first[0].column, min(widths[first[0].column] or first[0].column.widths[1:2][-1], width // 2)
    )
    views: list[tuple[Placed, ...]] = []
    view, room = [lead], width - lead.width - _GAP
    for column in columns[hidden[0] :] if hidden else ():
        size = max(widths[column], column.widths[-1]) if column is not MESSAGE else _READABLE_MESSAGE
        if size > room and len(view) > 1:
            views.append(_filled(view, width))
            view, room = [lead], width - lead.width - _GAP
        view.append(Placed(column, min(size, room), 0 if column is MESSAGE else None))
        room -= size + _GAP
    if len(view) > 1:
        views.append(_filled(view, width))
    return [*views, *_further_messages(views[-1:], lead, width, longest)]


def is_cut_id(placed: Placed) -> bool:
    """Whether an ID does not stand there whole."""
    return placed.column in _SPARE and placed.width < placed.column.widths[-1]


def _further_messages(
    last: Sequence[tuple[Placed, ...]], lead: Placed, width: int, longest: int
) -> list[tuple[Placed, ...]]:
    """The message after what the last view shows of it, alone beside the first column."""
    if not last or last[0][-1].column is not MESSAGE:
        return []
    views: list[tuple[Placed, ...]] = []
    read, room = last[0][-1].width - _REPEATED, max(4, width - lead.width - _GAP)
    while read + _REPEATED < longest:
        views.append((lead, Placed(MESSAGE, room, read)))
        read += room - _REPEATED
    return views


def _filled(view: Sequence[Placed], width: int) -> tuple[Placed, ...]:
    """The view with its last column as wide as there is room."""
    used = sum(placed.width + _GAP for placed in view[:-1])
    return (*view[:-1], replace(view[-1], width=max(1, width - used)))


WIDE = 110
"""Cells from which the info panel has a place beside the list."""
WIDEST_COLUMN = 200
"""Cells."""


class WindowClass(StrEnum):
    """Windows in which one arrangement suits."""

    NARROW = "narrow"
    WIDE = "wide"

    @classmethod
    def of(cls, width: int) -> WindowClass:
        """The class of a window of so many cells."""
        return cls.WIDE if width >= WIDE else cls.NARROW


@dataclass(frozen=True, slots=True)
class WindowLayout:
    """The arrangement in windows of one class."""

    columns: ColumnChoice = ()
    """Empty while the window decides."""
    panel: bool = False
    """Whether the info panel stands beside the list, in a narrow window below it; else in its place."""


Layouts = Mapping[WindowClass, WindowLayout]
USUAL: Layouts = MappingProxyType(
    {WindowClass.NARROW: WindowLayout(), WindowClass.WIDE: WindowLayout(panel=True)}
)
"""What nobody has changed."""


def layouts_text(layouts: Layouts) -> str:
    windows = {
        window.value: {
            "columns": [[column.name, width] for column, width in layout.columns],
            "panel": layout.panel,
        }
        for window, layout in layouts.items()
    }
    return json.dumps({"version": 1, "windows": windows}, indent=1)


def layouts_of(text: str) -> Layouts:
    """The arrangements out of what was kept; a window that is not in it is as usual.

    Raises:
        BadInputError: It is something else: another program's, damaged, or of a later version.
    """
    try:
        document = json.loads(text)
        _require(document["version"] == 1)
        windows = {WindowClass(name): _layout(value) for name, value in document["windows"].items()}
    except DAMAGED:
        raise BadInputError(
            "The remembered columns cannot be read", "They are as usual until you change them"
        ) from None
    return {**USUAL, **windows}


def _layout(value: Any) -> WindowLayout:  # noqa: ANN401 - whatever a file holds
    columns = tuple((BY_NAME[name], width) for name, width in value["columns"])
    _require(isinstance(value["panel"], bool))
    _require(len({column.name for column, _ in columns}) == len(columns))
    _require(all(type(width) is int and 0 <= width <= WIDEST_COLUMN for _, width in columns))
    return WindowLayout(columns, value["panel"])


def _require(hold: bool) -> None:
    if not hold:
        raise ValueError
