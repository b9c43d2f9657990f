"""Text of an org on screen: harmless, straight, whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len

from syncerr_tui.model import SyncError
from syncerr_tui.text import clean
from syncerr_tui.triage.columns import CODE, OBJECT, ORDER, placed_in
from syncerr_tui.ui.widgets.line import cell, flat
from tests.factories import sync_error
from tests.ui.conftest import Open

HOSTILE = {
    "markup": "This field is required: [Field Name]. [bold red]x[/bold red] [/] [@click=app.quit]y[/]",
    "escapes": "\x1b]52;c;aGk=\x07\x1b[2J\x1b[31mred\x1b[0m",
    "controls": "bell\x07 back\x08 tab\tnull\x00 del\x7f csi\x9b2J",
    "lines": "first\r\nsecond\nthird\u2028fourth\x0bfifth",
    "long": "x" * 29_990 + " THE END!",
    "rtl": "שלום Order \u202eevil\u202c مرحبا",
    "combining": "e\u0301" * 30 + " a\u0300\u0301\u0302\u0303",
    "wide": "日本語のメッセージ" * 5,
    "emoji": "👩‍👩‍👧‍👦 ❤️ 🇦🇺 👍🏽 " * 5,
}


def errors() -> list[SyncError]:
    return [sync_error(number, message=clean(text)) for number, text in enumerate(HOSTILE.values(), start=1)]


async def test_hostile_messages_stay_in_their_cells(opened: Open) -> None:
    async with opened(errors()) as driven:
        await driven.ready()
        screen = driven.lines
        for y, name in enumerate(HOSTILE, start=3):
            at = cell_len(screen[y][: screen[y].index("REQUIRED")])
            assert at == screen[2].index("Code"), name
        for strip in driven.app.screen._compositor.render_strips():
            assert strip.cell_length == 80
            assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in strip.text)


async def test_the_panel_shows_the_whole_message(opened: Open) -> None:
    async with opened(errors()) as driven:
        await driven.ready()
        await driven.press("enter")
        for name, error in zip(HOSTILE, errors(), strict=True):
            await driven.wait_for(lambda error=error: error.storeconnect_id in driven.pane.panel.text)  # type: ignore[misc]
            shown = "".join(driven.pane.panel.text.split())
            assert "".join(error.message.split()) in shown, name
            await driven.press("G")
            await driven.wait_for("Change event")
            assert not any(ord(letter) < 32 and letter != "\n" for letter in driven.text), name
            await driven.press("n")


async def test_hostile_text_is_harmless_in_dialogs_and_lines(opened: Open) -> None:
    bad = [sync_error(1, object=clean("[/red]\x1b[2J"), message=clean("m"))]
    async with opened(bad) as driven:
        await driven.ready()
        await driven.press("R")
        await driven.wait_for("[/red]")
        await driven.press("escape", "slash")
        await driven.type("[/x] ")
        await driven.press("enter")
        await driven.wait_for("filter: [/x]")


@pytest.mark.corpus
async def test_every_known_message_reads_as_it_was_written(opened: Open) -> None:
    corpus = Path(__file__).parents[3] / "shared" / "corpus" / "messages.jsonl"
    if not corpus.exists():
        pytest.skip("the labelled messages are not beside this clone")
    messages = [clean(json.loads(line)["message"]) for line in corpus.read_text("utf-8").splitlines()]
    rows = [sync_error(number, message=message) for number, message in enumerate(messages, start=1)]
    async with opened(rows, size=(120, 40)) as driven:
        await driven.ready()
        for message, error in zip(messages, rows, strict=True):
            text = "\n".join(
                line.text for line in driven.app.services.describe(error, driven.pane._moment, "", 46)
            )
            assert "".join(message.split()) in "".join(text.split())


@given(st.text(max_size=80), st.integers(0, 60))
def test_a_cell_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    shown = cell(clean(text), width)
    assert cell_len(shown) == width
    assert "\n" not in shown


@given(st.text(max_size=80))
def test_flat_text_is_the_sum_of_its_letters(text: str) -> None:
    """So that no terminal draws it wider or narrower than the table thinks."""
    shown = flat(clean(text))
    assert cell_len(shown) == sum(cell_len(letter) for letter in shown)


@given(st.integers(30, 400))
def test_columns_fill_the_window_and_keep_code_and_object(width: int) -> None:
    columns = placed_in(width)
    assert {OBJECT, CODE} <= {placed.column for placed in columns}
    assert sum(placed.width for placed in columns) + len(columns) - 1 == width
    assert [placed.column for placed in columns] == [
        column for column in ORDER if column in {placed.column for placed in columns}
    ]


@given(st.integers(60, 300))
def test_a_wider_window_never_loses_a_column(width: int) -> None:
    assert {p.column for p in placed_in(width)} <= {p.column for p in placed_in(width + 1)}


def test_a_cell_ends_with_an_ellipsis_where_it_was_cut() -> None:
    assert cell("REQUIRED_FIELD_MISSING", 10) == "REQUIRED_…"
    assert cell("日本語", 4) == "日 …"
    assert cell("short", 8) == "short   "
    assert cell("two\nlines", 12) == "two lines   "
