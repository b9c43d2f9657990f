"""Times as Salesforce shows them to a user: in the time zone and the form of that user.

A person looks for a row in Salesforce's own list by these. How StoreConnect's tool writes a time is not
published; Salesforce's components follow the user's locale. The forms are the short date and time of Unicode
CLDR 41 (npm `cldr-dates-full` 41.0.0), which Salesforce Help names as its source ("Salesforce
Supported Locales and ICU Formats"), with the year in four digits as in its examples (1/28/2008, 4:30 PM). An
org that has not switched to the ICU formats may write them otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

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
    """How one user sees times in Salesforce.

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
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # no such zone, no zones on this machine, or no name at all
        return None
