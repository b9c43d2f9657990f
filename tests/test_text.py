from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, strategies as st

from syncerr_tui import text
from syncerr_tui.text import clean, one_line


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b]52;c;ZXZpbA==\x07", "␛]52;c;ZXZpbA==␇"),
        ("\x1b[2J", "␛[2J"),
        ("a\tb", "a b"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("gift\u202etxt.exe", "gift\ufffdtxt.exe"),
        ("\x9b31m", "\ufffd31m"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("zero\ufeffwidth", "zero\ufffdwidth"),
        ("null\x00 del\x7f", "null␀ del␡"),
    ],
)
def test_nothing_reaches_the_terminal_that_it_would_obey(hostile: str, harmless: str) -> None:
    assert clean(hostile) == harmless


@pytest.mark.parametrize(
    "text", ["Žluťoučký kůň", "naïve [Field__c]", "日本語", "👩‍👩‍👧 family", "می‌خواهم", "עברית"]
)
def test_what_people_write_stays(text: str) -> None:
    assert clean(text) == text


@given(st.text(alphabet=st.characters()))
def test_after_cleaning_only_line_feeds_control_anything(text: str) -> None:
    harmless = clean(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cs"} or c == "\n" for c in harmless)
    assert clean(harmless) == harmless
    harmless.encode("utf-8")


@given(st.text(alphabet=st.characters()))
def test_a_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert "\n" not in line
    assert line == line.strip()


def test_the_signs_that_are_known_to_be_narrow_are() -> None:
    from wcwidth import wcwidth

    narrow = [chr(code) for code in range(0x20, 0x3000) if text._NARROW.match(chr(code))]
    assert len(narrow) > 900
    assert {wcwidth(character) for character in narrow} == {1}
