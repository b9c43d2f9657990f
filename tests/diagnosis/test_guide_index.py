from __future__ import annotations

import pytest

from syncerr_tui.diagnosis.codes import MANUAL_CODES
from syncerr_tui.diagnosis.explanation import Chapter, OrgContext, chapters, search
from syncerr_tui.diagnosis.org_notes import parse_notes
from syncerr_tui.diagnosis.render import case, lines
from syncerr_tui.text import cells


@pytest.fixture(scope="module")
def whole() -> tuple[Chapter, ...]:
    """The guide; making it takes a third of a second, and every process of the suite imports this module."""
    return chapters(OrgContext(instance_url="https://acme.my.salesforce.com"))


def codes(found: tuple[Chapter, ...]) -> list[str]:
    return [chapter.code for chapter in found]


def test_the_manuals_codes_come_first_and_all_others_by_name(whole: tuple[Chapter, ...]) -> None:
    assert len(whole) == 19 + 648
    assert codes(whole[:19]) == list(MANUAL_CODES)
    assert codes(whole[19:]) == sorted(codes(whole[19:]))
    assert all(chapter.title and "{" not in chapter.title for chapter in whole)


def test_every_code_is_found_by_its_name_in_any_spelling(whole: tuple[Chapter, ...]) -> None:
    for chapter in whole[::7]:
        assert chapter in search(whole, chapter.code)
        assert chapter in search(whole, chapter.code.lower().replace("_", " "))


def test_names_come_before_texts_of_storeconnects_codes_and_of_the_others(whole: tuple[Chapter, ...]) -> None:
    found = codes(search(whole, "duplicate"))
    assert found[:2] == ["DUPLICATE_VALUE", "DUPLICATES_DETECTED"]
    assert not all("DUPLICATE" in code for code in found)
    for ours in (True, False):
        kind = [code for code in found if (code in MANUAL_CODES) is ours]
        with_name = [code for code in kind if "DUPLICATE" in code]
        assert kind[: len(with_name)] == with_name


def test_words_of_steps_and_of_other_cases_are_searched(whole: tuple[Chapter, ...]) -> None:
    assert "FIELD_INTEGRITY_EXCEPTION" in codes(search(whole, "country picklists"))
    assert "ENTITY_IS_LOCKED" in codes(search(whole, "activated order"))


def test_a_typing_error_finds_the_nearest_and_nonsense_nothing(whole: tuple[Chapter, ...]) -> None:
    assert codes(search(whole, "UNABEL_TO_LOCK_ROW"))[0] == "UNABLE_TO_LOCK_ROW"
    assert search(whole, "zzzz qqqq") == ()
    assert search(whole, "  ") == whole


def test_a_org_note_about_a_code_stands_in_its_chapter() -> None:
    notes = parse_notes('[[note]]\ncode = "INVALID_FIELD"\ntext = "Call Priya."', "n")
    book = chapters(OrgContext(notes))
    assert [note.text for c in book if c.code == "INVALID_FIELD" for note in c.guidance.notes] == [
        "Call Priya."
    ]
    assert codes(search(book, "priya")) == ["INVALID_FIELD"]


@pytest.mark.parametrize("width", [38, 76, 100])
def test_the_whole_book_fits_its_width_and_has_no_open_blanks(width: int, whole: tuple[Chapter, ...]) -> None:
    for chapter in whole:
        page = lines(chapter.guidance, width)
        for name, guidance in chapter.cases:
            page += case(name, guidance, width)
        assert all(cells(line.text) <= width for line in page)
        assert not any("{" in line.text or "[[" in line.text for line in page)


@pytest.mark.parametrize("text", ["flow", "duplicate", "lock", "email", "e", "trigger flow", "field custom"])
def test_the_manual_comes_first_and_a_code_before_a_text(text: str, whole: tuple[Chapter, ...]) -> None:
    chapters_shown = search(whole, text)
    words = text.upper().split()
    order = [(not c.in_manual, not all(word in c.code for word in words)) for c in chapters_shown]
    assert order == sorted(order)
    assert any(c.in_manual for c in chapters_shown)
