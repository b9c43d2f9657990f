from __future__ import annotations

from datetime import timedelta

import pytest

from syncerr_tui.diagnosis.causes import NO_TREND, SPANS, trend
from tests.factories import NOW


@pytest.mark.parametrize(
    ("hours_ago", "word"),
    [
        ([8], "once"),
        ([8, 7.5], "stopped"),
        ([8, 1, 0.5, 0.1], "rising"),
        ([8, 7, 6, 5, 4, 3, 2, 1], "steady"),
        ([8, 7.9, 7.8, 7.7, 7.6, 7.5, 7.4, 7.3, 1], "falling"),
    ],
)
def test_one_word_says_whether_it_goes_on(hours_ago: list[float], word: str) -> None:
    made = trend([NOW - timedelta(hours=hours) for hours in hours_ago], NOW)
    assert made.word == word
    assert sum(made.counts) == len(hours_ago)
    assert len(made.counts) == SPANS
    assert made.counts[0] > 0


def test_times_ahead_of_the_clock_count_as_now() -> None:
    made = trend([NOW - timedelta(hours=8), NOW + timedelta(days=1)], NOW)
    assert made.counts == (1, 0, 0, 0, 0, 0, 0, 1)


def test_without_times_nothing_is_said() -> None:
    assert trend([], NOW) is NO_TREND
