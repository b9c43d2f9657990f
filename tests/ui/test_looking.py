"""Counts, rows like one, and filters that are remembered, kept and completed, as a person uses them."""

from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from syncerr_tui.cli._choosing import filter_over
from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.host.config import read_config
from syncerr_tui.model import EventType
from syncerr_tui.text import clean
from syncerr_tui.triage.state import Place
from tests.factories import NOW, sync_error
from tests.ui.conftest import Open
from tests.ui.driver import Driven

ERRORS = [
    sync_error(
        number,
        object=clean(("Order", "Contact", "Order")[number % 3]),
        code=("DUPLICATE_VALUE", "UNABLE_TO_LOCK_ROW", None)[number % 3],
        event_type=EventType.UPDATE if number % 2 else EventType.CREATE,
        processed_at=NOW - timedelta(days=number % 4),
        message=clean(f"Message number {number % 5}"),
    )
    for number in range(12)
]


def options(driven: Driven) -> list[str]:
    return [str(option.prompt).strip() for option in driven.app.screen.query_one(OptionList).options]


async def front(driven: Driven) -> None:
    await driven.wait_for(lambda: driven.app.screen is driven.app.bench)


async def typed(driven: Driven, text: str) -> None:
    await driven.press("slash")
    await driven.press("ctrl+u")
    await driven.type(text)
    await driven.press("enter")


def kept_in(folder: Path) -> Path:
    (path,) = folder.glob("filters-*.json")
    return path


def filter_text(driven: Driven) -> str:
    return driven.pane.listing.filter.text


async def test_counts_filter_and_escape_comes_back(opened: Open) -> None:
    async with opened(ERRORS) as driven:
        await driven.ready()
        await typed(driven, "object:Order")
        await driven.press("number_sign")
        await driven.wait_for("8 rows by")
        assert [line.split() for line in options(driven)] == [
            ["4", "50", "%", "DUPLICATE_VALUE"],
            ["4", "50", "%", "none"],
        ]
        await driven.press("tab")
        assert "[Day]" in driven.text
        await driven.press("shift+tab", "shift+tab")
        assert "[Event]" in driven.text
        await driven.press("right", "down", "enter")
        await front(driven)
        assert filter_text(driven) == "object:Order code:~none"
        assert len(driven.pane.listing.ids) == 4
        await driven.press("escape")
        assert filter_text(driven) == "object:Order"
        await driven.press("escape")
        assert filter_text(driven) == ""
        await driven.press("number_sign", "escape")
        await front(driven)
        assert filter_text(driven) == ""


async def test_every_count_keeps_as_many_rows_as_it_says(opened: Open) -> None:
    async with opened(ERRORS) as driven:
        await driven.ready()
        for kind in range(5):
            await driven.press("number_sign", *["tab"] * (1 if kind else 0))
            shown = options(driven)
            await driven.press("end", "enter")
            await front(driven)
            assert f"{len(driven.pane.listing.ids)}" == shown[-1].split()[0], shown
            await driven.press("escape")
            assert not filter_text(driven)


async def test_rows_without_a_code_are_alike_where_the_list_shows_the_same(opened: Open) -> None:
    messages = ("unable to obtain exclusive access to this record", "Required fields are missing: [Name]")
    errors = [
        sync_error(number, code=None, message=clean(messages[number % 2]), object=clean("Order"))
        for number in range(6)
    ] + [sync_error(7, code="UNABLE_TO_LOCK_ROW", message=clean("a code of its own"))]
    async with opened(errors) as driven:
        await driven.ready()
        assert "~UNABLE_TO_LOCK_ROW" in driven.text
        await driven.press("comma")
        listing = driven.pane.listing
        assert [listing.ids.index(row) for row in sorted(listing.selected, key=listing.ids.index)] == [
            0,
            2,
            4,
        ]
        await driven.press("number_sign")
        await driven.wait_for("7 rows by")
        assert [line.split()[::3] for line in options(driven)] == [
            ["3", "~REQUIRED_FIELD_MISSING"],
            ["3", "~UNABLE_TO_LOCK_ROW"],
            ["1", "UNABLE_TO_LOCK_ROW"],
        ]
        await driven.press("home", "down", "enter")
        await front(driven)
        assert filter_text(driven) == "code:~UNABLE_TO_LOCK_ROW"
        assert len(driven.pane.listing.ids) == 3


async def test_counts_by_cause_say_what_broke(opened: Open) -> None:
    async with opened(ERRORS) as driven:
        await driven.ready()
        await driven.press("c", "number_sign", "tab", "tab")
        assert "[Cause]" in driven.text
        count = int(options(driven)[0].split()[0])
        await driven.press("enter")
        await front(driven)
        assert driven.app.context.state.place is Place.CAUSES
        assert filter_text(driven).startswith("cause:")
        assert len(driven.pane.listing.ids) == count


async def test_only_rows_like_this_one(opened: Open) -> None:
    async with opened(ERRORS) as driven:
        await driven.ready()
        row = driven.pane.listing.current
        assert row is not None
        await driven.press("equals_sign")
        await driven.wait_for("Only rows like")
        await driven.press("o")
        await front(driven)
        assert filter_text(driven) == f"object:{row.object}"
        await driven.press("equals_sign", "C")
        await front(driven)
        assert filter_text(driven) == f"object:{row.object} -code:{row.code or 'none'}"
        assert row.id not in driven.pane.listing.ids
        await driven.press("escape")
        row = driven.pane.listing.current
        assert row is not None
        await driven.press("equals_sign", "m")
        await front(driven)
        kept = {driven.pane.listing.errors[one].message for one in driven.pane.listing.ids}
        assert kept == {row.message}


async def test_the_history_outlives_the_app_for_each_org_and_each_list(opened: Open, tmp_path: Path) -> None:
    async with opened(ERRORS) as driven:
        await driven.ready()
        await typed(driven, "object:Order")
        await typed(driven, "code:none")
        await driven.press("escape", "3")
        await typed(driven, "verdict:fixed")
        await driven.wait_for(
            lambda: any("verdict:fixed" in path.read_text() for path in tmp_path.glob("filters-*.json"))
        )
    path = kept_in(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["filters"]["list"] == ["object:Order", "code:none"]
    async with opened(ERRORS) as driven:
        await driven.ready()
        await driven.wait_for(lambda: driven.app.bench.filters.history.of("list") != ())
        await driven.press("slash", "up")
        assert driven.app.bench.query_one(Input).value == "code:none"
        await driven.press("up", "up")
        assert driven.app.bench.query_one(Input).value == "object:Order"
        await driven.press("enter")
        assert len(driven.pane.listing.ids) == 8


async def test_a_damaged_history_is_said_and_begins_anew(opened: Open, tmp_path: Path) -> None:
    async with opened(ERRORS) as driven:
        await driven.ready()
        await typed(driven, "object:Order")
        await driven.wait_for(lambda: any(tmp_path.glob("filters-*.json")))
    path = kept_in(tmp_path)
    path.write_text("{")
    async with opened(ERRORS) as driven:
        await driven.ready()
        await driven.wait_for("The history of filters cannot be read")
        await typed(driven, "code:none")
        await driven.wait_for(lambda: "code:none" in path.read_text())


async def test_tab_completes_from_what_the_list_holds(opened: Open) -> None:
    async with opened(ERRORS) as driven:
        await driven.ready()
        await driven.press("slash")
        await driven.type("obj")
        await driven.press("tab")
        line = driven.app.bench.query_one(Input)
        assert line.value == "object:"
        await driven.press("tab")
        assert line.value == "object:Order"
        await driven.wait_for("1 of 2: object:Order  object:Contact")
        await driven.press("tab")
        assert line.value == "object:Contact"
        await driven.press("enter")
        assert len(driven.pane.listing.ids) == 4
        # Where there is nothing to complete, tab goes back to the list.
        await driven.press("slash", "tab", "j")
        assert driven.pane.listing.cursor == 1


async def test_a_filter_is_saved_beside_what_the_person_wrote(opened: Open, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '# mine\ntheme = "dark"   # always\n\n[filters]\n# the usual\nnight = "code:none" # x\n\n[keys]\n'
    )
    environ = {"SYNCERR_CONFIG": str(config)}
    async with opened(ERRORS, environ=environ, own_config=read_config(environ)) as driven:
        await driven.ready()
        await driven.press("ctrl+s")
        await driven.wait_for("save filter: no filter is in force")
        await driven.press("slash")
        await driven.type("saved:n")
        await driven.press("tab", "enter")
        assert len(driven.pane.listing.ids) == 4
        await driven.press("slash", "ctrl+u")
        await driven.type("-saved:night object:Order")
        await driven.press("ctrl+s")
        await driven.wait_for("Saved already: night")
        await driven.type("night")
        await driven.press("enter")
        await driven.wait_for("enter again replaces it")
        await driven.press("ctrl+u")
        await driven.type('a"b')
        await driven.press("enter")
        await driven.wait_for("Use one line")
        await driven.press("ctrl+u")
        await driven.type("late orders")
        await driven.press("enter")
        await driven.wait_for('saved:"late orders" filters by it')
        await typed(driven, 'saved:"late orders"')
        assert len(driven.pane.listing.ids) == 4
        await driven.press("slash")
        await driven.wait_for('saved:night saved:"late o')
    text = config.read_text()
    for kept in (
        "# mine\n",
        'theme = "dark"   # always\n',
        "# the usual\n",
        'night = "code:none" # x\n',
        "[keys]",
    ):
        assert kept in text
    assert tomllib.loads(text)["filters"] == {
        "night": "code:none",
        "late orders": "-saved:night object:Order",
    }
    assert read_config(environ).filters["late orders"] == "-saved:night object:Order"


def test_a_command_filters_by_a_saved_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[filters]\nnight = "code:none"\n')
    monkeypatch.setenv("SYNCERR_CONFIG", str(config))
    graph = CauseGraph()
    graph.add(ERRORS)
    only = filter_over(graph, "saved:night object:Order")
    assert sum(only.matches(error, NOW) for error in ERRORS) == 4
