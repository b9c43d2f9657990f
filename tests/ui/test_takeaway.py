"""Copying and exporting by key: of the row, of a selection, in every place, and to a file."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from syncerr_tui.host import clipboard
from syncerr_tui.model import Verdict
from syncerr_tui.text import clean
from syncerr_tui.triage.columns import CODE, FIELDS, MESSAGE
from tests.factories import sync_error
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import some_errors
from tests.ui.past import ended_run
from tests.ui.test_guided import guided


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reached the clipboard."""
    texts: list[str] = []

    def copy(text: str, *, environ: Mapping[str, str], write: object, fallback: Path) -> clipboard.Copied:
        texts.append(text)
        return clipboard.Copied("Copied to the clipboard")

    monkeypatch.setattr(clipboard, "copy", copy)
    return texts


def has(copied: list[str], count: int) -> Callable[[], bool]:
    return lambda: len(copied) == count


async def copy(driven: Driven, letter: str) -> None:
    await driven.press("y")
    await driven.wait_for("Copy of ")
    await driven.press(letter)


async def test_each_thing_of_a_row_has_a_letter(opened: Open, copied: list[str]) -> None:
    error = sync_error(1, salesforce_id="0015g00000AbCdEAAV", message=clean("two\nlines"))
    expected = {
        "c": error.storeconnect_id,
        "s": "0015g00000AbCdEAAV",
        "e": error.id,
        "m": "two\nlines",
        "l": f"https://acme.my.salesforce.com/{error.id}",
    }
    async with opened([error]) as driven:
        await driven.ready()
        for number, (letter, text) in enumerate(expected.items(), 1):
            await copy(driven, letter)
            await driven.wait_for(has(copied, number))
            assert copied[-1].removeprefix("https://").endswith(text.removeprefix("https://"))
            await driven.wait_for("Copied to the clipboard: the ")
        await copy(driven, "a")
        await driven.wait_for(lambda: len(copied) == 6)
        assert error.storeconnect_id in copied[-1]
        assert copied[-1].endswith("two\nlines")


async def test_of_a_selection_each_row_gives_a_line_and_what_lacks_it_is_counted(
    opened: Open, copied: list[str]
) -> None:
    errors = some_errors(6)
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press("space", "space", "space")
        await copy(driven, "c")
        await driven.wait_for("Copied to the clipboard: 3 StoreConnect IDs.")
        assert copied == ["\n".join(error.storeconnect_id for error in errors[:3])]
        await copy(driven, "s")
        await driven.wait_for("1 Salesforce ID (2 rows without one).")
        assert copied[-1] == errors[2].salesforce_id
        await copy(driven, "m")
        await driven.wait_for("3 messages.")
        assert len(copied[-1].splitlines()) == 3


async def test_what_a_row_lacks_cannot_be_chosen(opened: Open, copied: list[str]) -> None:
    async with opened([sync_error(1, salesforce_id=None)]) as driven:
        await driven.ready()
        await copy(driven, "s")
        assert "Copy of " in driven.text
        await driven.press("enter")
        await driven.wait_for("the StoreConnect ID.")
        assert copied == [sync_error(1).storeconnect_id]


async def test_a_hostile_message_is_text_in_the_menu_and_harmless_in_what_is_copied(
    opened: Open, copied: list[str]
) -> None:
    error = sync_error(1, message=clean("[bold]x[/] \x1b]52;c;QQ==\x07 {0} %s"))
    async with opened([error]) as driven:
        await driven.ready()
        await driven.press("y")
        await driven.wait_for("[bold]x[/]")
        await driven.press("m")
        await driven.wait_for(lambda: len(copied) == 1)
        assert "\x1b" not in copied[0]


async def test_it_works_among_the_causes_and_in_the_journal(opened: Open, copied: list[str]) -> None:
    errors = some_errors(3)
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press("c")
        await copy(driven, "e")
        await driven.wait_for(lambda: len(copied) == 1)
        assert copied[0] in {error.id for error in errors}
        driven.connection.org.repaired = {errors[0].id}
        await driven.press("1", "g", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Result")
        await driven.press("escape", "3")
        await driven.wait_for("finished")
        await driven.press("enter")
        await driven.wait_for("FIXED")
        await copy(driven, "c")
        await driven.wait_for(lambda: len(copied) == 2)
        assert copied[1] == errors[0].storeconnect_id


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


async def export(driven: Driven, *keys: str) -> None:
    await driven.press("x")
    await driven.wait_for("to a file in this folder")
    await driven.press(*keys, "enter")
    await driven.wait_for("written to")


async def test_what_the_filter_and_the_order_show_goes_to_a_new_file(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    errors = [replace(error, message=clean(f"=HYPERLINK({error.id})")) for error in some_errors(6)]
    async with opened(errors) as driven:
        await driven.ready()
        driven.pane.filter_by("object:Order")
        await export(driven)
        shown = list(driven.pane.listing.ids)
        await export(driven)
        driven.pane.filter_by("")
        await export(driven, "j", "j")
    first, second, markdown = sorted(folder.iterdir(), key=lambda path: (path.suffix, path.stem[::-1]))
    named = rows_of(first), rows_of(second)
    assert named[0] == named[1]
    assert [row["id"] for row in named[0]] == shown
    assert list(named[0][0]) == list(FIELDS)
    assert all(row["message"].startswith("'=") for row in named[0])
    assert first.stat().st_mode & 0o077 == 0
    assert len(markdown.read_text(encoding="utf-8").splitlines()) == 2 + 6


async def test_the_columns_that_are_chosen_are_exported_and_a_folder_without_room_is_left_for_another(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    async with opened(some_errors(2)) as driven:
        await driven.ready()
        layout = replace(driven.pane.layout_here, columns=((CODE, 0), (MESSAGE, 30)))
        driven.pane.post_message(driven.pane.Arranged(driven.pane.window, layout))
        await driven.press("x")
        await driven.wait_for("to a file in this folder")
        await driven.press("enter")
        await driven.wait_for("written to")
    [path] = (tmp_path / "exports").iterdir()
    assert list(rows_of(path)[0]) == ["code", "message"]


async def test_the_rows_that_a_person_has_to_tick_are_copied_in_their_order(
    opened: Open, copied: list[str]
) -> None:
    async with opened(connection=guided(3)) as driven:
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("then space here")
        named = [line for line in driven.lines if any(e.storeconnect_id in line for e in some_errors(3))]
        await driven.press("Y")
        await driven.wait_for("Copy of 3 errors")
        await driven.press("c")
        await driven.wait_for(has(copied, 1))
        ids = copied[0].splitlines()
        assert len(ids) == 3
        assert all(key in line for key, line in zip(ids, named, strict=True))


async def test_the_report_of_the_night_is_written_to_a_page(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    errors = some_errors()
    ended_run(tmp_path, errors[:2], [Verdict.STILL_FAILING, Verdict.TWIN], "the night")
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press("W")
        await driven.wait_for("The report of the last 8 hours is in")
    (page,) = tmp_path.glob("report-*.html")  # noqa: ASYNC240
    text = page.read_text(encoding="utf-8")
    assert "the night" in text
    assert "TWIN and UNKNOWN" in text
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
