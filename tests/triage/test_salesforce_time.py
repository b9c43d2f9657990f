"""Times as one user sees them in Salesforce, and what is said where that is not known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from syncerr_tui.triage.guided import _PATTERNS, LONGEST, SalesforceTime

AT = datetime(2026, 1, 8, 13, 5, tzinfo=UTC)
CLDR_41: Mapping[str, str] = {
    "en_US": "1/8/2026, 4:05 AM",
    "en_AU": "8/1/2026, 4:05 am",
    "en_NZ": "8/01/2026, 4:05 am",
    "en_HK": "8/1/2026, 4:05 am",
    "en_MY": "08/01/2026, 4:05 am",
    "en_PH": "1/8/2026, 4:05 AM",
    "en_IN": "08/01/2026, 4:05 am",
    "en_SG": "8/1/2026, 4:05 am",
    "en_GB": "08/01/2026, 04:05",
    "en_IE": "08/01/2026, 04:05",
    "en_ZA": "2026/01/08, 04:05",
    "da_DK": "08.01.2026 04.05",
    "de_AT": "08.01.2026, 04:05",
    "de_CH": "08.01.2026, 04:05",
    "de_LU": "08.01.2026, 04:05",
    "de_DE": "08.01.2026, 04:05",
    "es_ES": "8/1/2026, 4:05",
    "es_MX": "08/01/2026, 04:05",
    "fi_FI": "8.1.2026 4.05",
    "fr_BE": "8/01/2026 04:05",
    "fr_CH": "08.01.2026 04:05",
    "fr_FR": "08/01/2026 04:05",
    "fr_LU": "08/01/2026 04:05",
    "it_IT": "08/01/2026, 04:05",
    "ja_JP": "2026/01/08 4:05",
    "nl_BE": "8/01/2026 04:05",
    "nl_NL": "08-01-2026 04:05",
    "no_NO": "08.01.2026, 04:05",
    "pl_PL": "8.01.2026, 04:05",
    "pt_BR": "08/01/2026 04:05",
    "pt_PT": "08/01/2026, 04:05",
    "sv_SE": "2026-01-08 04:05",
}
"""04:05 of 8 January 2026 in the short forms of cldr-dates-full 41.0.0, the year in four digits: written from
that package's JSON, not from our table."""


@pytest.mark.parametrize(
    ("zone", "locale", "shown"),
    [
        ("Australia/Sydney", "en_AU", "9/1/2026, 12:05 am"),
        ("America/Los_Angeles", "en_US", "1/8/2026, 5:05 AM"),
        ("Europe/London", "en_GB", "08/01/2026, 13:05"),
        ("Europe/Berlin", "de_DE", "08.01.2026, 14:05"),
        ("Asia/Tokyo", "ja_JP", "2026/01/08 22:05"),
        ("Europe/Stockholm", "sv_SE", "2026-01-08 14:05"),
    ],
)
def test_a_time_is_written_in_the_users_zone_as_the_locale_writes_it(
    zone: str, locale: str, shown: str
) -> None:
    times = SalesforceTime(zone, locale)
    assert times(AT) == shown
    assert times.note == f"{zone}, {locale}"


def test_every_form_is_that_of_unicode_cldr_41() -> None:
    early = datetime(2026, 1, 8, 4, 5, tzinfo=UTC)
    assert {locale: SalesforceTime("UTC", locale)(early) for locale in _PATTERNS} == CLDR_41


def test_what_is_not_known_is_said() -> None:
    times = SalesforceTime()
    assert times(AT) == "2026-01-08 13:05"
    assert "not known" in times.note
    assert SalesforceTime("Europe/London", "xx_YY").note == "Europe/London, ISO form"
    assert times(None) == "-"


@pytest.mark.parametrize(
    "evil", ["../../etc/passwd", "\x1b[31m", "No/Where", "x" * 9999, "/etc/localtime"], ids=range(5)
)
def test_a_name_that_is_no_zone_is_not_shown(evil: str) -> None:
    times = SalesforceTime(evil, evil)
    assert evil not in times.note
    assert times(AT) == "2026-01-08 13:05"


def test_no_form_is_longer_than_its_column() -> None:
    late = datetime(2026, 12, 28, 22, 58, tzinfo=UTC)
    assert max(len(SalesforceTime("UTC", locale)(late)) for locale in _PATTERNS) <= LONGEST
