"""Date literals: the days that `TODAY`, `LAST_N_DAYS:7` and their kin mean. The user's time zone is UTC.

A literal is a range of whole days, first day included, last day excluded. Weeks begin on Sunday (the
locale en_US), quarters in January. `LAST_N_DAYS:n` reaches from n days ago to the end of today.
"""

from __future__ import annotations

from datetime import date, timedelta

from syncerr_tui.demo.soql.tree import DateLiteral

MOST = 10_000
_UNITS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
PLAIN = frozenset(
    ["YESTERDAY", "TODAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS"]
    + [f"{when}_{unit}" for when in ("LAST", "THIS", "NEXT") for unit in _UNITS[1:]],
)
COUNTED = frozenset(
    [f"{when}_N_{unit}S" for when in ("LAST", "NEXT") for unit in _UNITS]
    + [f"N_{unit}S_AGO" for unit in _UNITS],
)


def days(span: DateLiteral, today: date) -> tuple[date, date]:
    """First day and the day after the last one."""
    name, count = span.name, span.count or 0
    if name in {"YESTERDAY", "TODAY", "TOMORROW"}:
        first = today + timedelta(days=("YESTERDAY", "TODAY", "TOMORROW").index(name) - 1)
        return first, first + timedelta(days=1)
    if name in {"LAST_90_DAYS", "NEXT_90_DAYS"}:
        name, count = f"{name[:4]}_N_DAYS", 90
    if name == "LAST_N_DAYS":
        return _day(today, -count), _day(today, 1)
    if name == "NEXT_N_DAYS":
        return _day(today, 1), _day(today, count + 1)
    if name.endswith("_AGO"):
        unit = name[2:-5]
        return _start(unit, today, -count), _start(unit, today, 1 - count)
    if "_N_" in name:
        when, _, units = name.split("_")
        begin, end = (-count, 0) if when == "LAST" else (1, count + 1)
        return _start(units[:-1], today, begin), _start(units[:-1], today, end)
    when, unit = name.split("_")
    step = {"LAST": -1, "THIS": 0, "NEXT": 1}[when]
    return _start(unit, today, step), _start(unit, today, step + 1)


def _day(today: date, step: int) -> date:
    return date.fromordinal(min(max(today.toordinal() + step, 1), date.max.toordinal()))


def _start(unit: str, today: date, step: int) -> date:
    """The first day of the unit (week, month ...) that is `step` units away from today's."""
    if unit == "DAY":
        return _day(today, step)
    if unit == "WEEK":
        return _day(_day(today, -(today.isoweekday() % 7)), 7 * step)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    index = (today.year * 12 + today.month - 1) // months * months + step * months
    year, month = divmod(index, 12)
    return date(min(max(year, 1), 9999), month + 1, 1)
