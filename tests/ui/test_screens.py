"""The screen as 24 lines of text in files that a reviewer reads. SYNCERR_SCREENS=1 writes them anew."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.segment import Segment
from textual._compositor import Compositor, ReflowResult
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Size
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from syncerr_tui.errors import UnreachableError
from syncerr_tui.host.terminal import TerminalProfile
from syncerr_tui.ui.widgets.themed import LinesBelow
from syncerr_tui.ui.widgets.virtual_list import VirtualList
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import FakeConnection, some_errors

FRAME = Compositor.render_update
"""What draws a frame; a fixture puts something in its place that draws none."""


async def test_list(opened: Open) -> None:
    async with opened(some_errors(30)) as driven:
        await driven.ready()
        await driven.press("space", "space", "j")
        await driven.compare("list")


async def test_list_in_plain_characters(opened: Open) -> None:
    async with opened(some_errors(30), terminal=TerminalProfile(unicode=False)) as driven:
        await driven.ready()
        await driven.press("space", "space", "j")
        await driven.compare("list-ascii")
        assert driven.text.isascii()


async def test_what_is_as_large_as_the_window_has_no_frame_in_plain_characters_either(opened: Open) -> None:
    async with opened(terminal=TerminalProfile(unicode=False)) as driven:
        await driven.ready()
        await driven.press("?")
        await driven.wait_for("Keys in Errors")
        assert driven.lines[0].startswith(" Keys in Errors")


@pytest.mark.parametrize("width", [80, 120])
async def test_the_panel_in_plain_characters(opened: Open, width: int) -> None:
    async with opened(size=(width, 24), terminal=TerminalProfile(unicode=False)) as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("esc back")
        assert driven.text.isascii()
        assert driven.lines[2].startswith("  Contact" if width == 80 else "   Object"), (
            "a frame took the text's room"
        )


async def test_info(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("What happened")
        await driven.compare("info")


async def test_filter(opened: Open) -> None:
    async with opened(some_errors(12)) as driven:
        await driven.ready()
        await driven.press("slash")
        await driven.type("object:Contact -code:INVALID*")
        await driven.compare("filter")


async def test_resync_dialog_and_result(opened: Open) -> None:
    errors = some_errors(5)
    async with opened(errors) as driven:
        await driven.ready()
        driven.connection.org.repaired = {errors[0].id}
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.compare("resync-dialog")
        await driven.press("enter")
        await driven.wait_for("Result")
        await driven.wait_for("FAILING")
        await driven.compare("resync-result")


async def test_menus(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("o")
        await driven.wait_for("enter chooses")
        await driven.compare("sort")
        await driven.press("escape", "ctrl+p")
        await driven.wait_for("Find an action")
        await driven.type("sel")
        await driven.wait_for("invert")
        await driven.compare("palette")


async def test_help(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("question_mark")
        await driven.wait_for("Move")
        await driven.compare("help")


async def test_empty(opened: Open) -> None:
    async with opened([]) as driven:
        await driven.wait_for("No sync errors")
        await driven.wait_for("refreshed")
        await driven.wait_for("Causes (0)")
        await driven.compare("empty")


async def test_offline(opened: Open) -> None:
    connection = FakeConnection(some_errors(4))
    async with opened(connection=connection) as driven:
        await driven.ready()
        connection.trouble = UnreachableError("The org did not answer within 30 s", "Check the network")
        await driven.press("r")
        await driven.wait_for("did not answer")
        await driven.compare("offline")


async def test_wide(opened: Open) -> None:
    errors = [replace(error, salesforce_id=None) for error in some_errors(60)]
    async with opened(errors, size=(200, 50)) as driven:
        await driven.ready()
        await driven.press("j", "space")
        await driven.wait_for(lambda: "Message number 3 " in driven.pane.panel.text)
        await driven.compare("wide")


def _strips(driven: Driven) -> list[list[Segment]]:
    assert driven.lines, "asking for them tells Textual which screens are visible"
    return [list(Segment.simplify(strip)) for strip in driven.app.screen._compositor.render_strips()]


@pytest.mark.parametrize("size", [(80, 24), (120, 30)])
async def test_lines_that_are_kept_look_as_if_they_were_drawn_anew(
    opened: Open, size: tuple[int, int]
) -> None:
    keys = "down space G g enter down down escape c down right right down 1 a [ ] z z 3 1 / d u p enter"
    async with opened(size=size) as driven:
        await driven.ready()
        for key in keys.split():
            await driven.press(key)
            kept = _strips(driven)
            if (rows := driven.app.bench.pane.rows).is_on_screen:
                assert rows.drawn == rows._window(), key
            widgets = list(driven.app.screen.walk_children(Widget))
            caches = [widget._styles_cache for widget in widgets]
            for widget in widgets:
                widget._styles_cache = StylesCache()
            assert kept == _strips(driven), key
            for widget, cache in zip(widgets, caches, strict=True):
                widget._styles_cache = cache


async def test_a_key_looks_at_the_lines_that_change_and_no_others(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    filtered: list[Strip] = []
    render, apply = VirtualList.render_line, Strip.apply_filter

    def rendered(widget: VirtualList, y: int) -> Strip:
        drawn.append(y)
        return render(widget, y)

    def applied(strip: Strip, each: LineFilter, background: Color) -> Strip:
        filtered.append(strip)
        return apply(strip, each, background)

    monkeypatch.setattr(VirtualList, "render_line", rendered)
    monkeypatch.setattr(Strip, "apply_filter", applied)
    monkeypatch.setattr(Compositor, "render_update", FRAME)  # other tests draw none
    async with opened(size=(200, 50)) as driven:
        await driven.ready()
        _strips(driven)
        drawn.clear()
        filtered.clear()
        await driven.press("down")
        _strips(driven)
        assert drawn == [1, 2]
        # The two rows, the lines of the panel and those around it, each with two filters.
        assert len(filtered) <= 2 * 80


async def test_a_dialog_is_laid_out_once_for_its_size_and_takes_what_is_below_as_it_is(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out: list[Screen[object]] = []
    rich: list[Screen[object]] = []
    reflow, background = Compositor.reflow, BackgroundScreen.__init__

    def reflowed(compositor: Compositor, parent: Screen[object], size: Size) -> ReflowResult:
        laid_out.append(parent)
        return reflow(compositor, parent, size)

    def by_rich(drawn: BackgroundScreen, screen: Screen[object], color: Color) -> None:
        rich.append(screen)
        background(drawn, screen, color)

    monkeypatch.setattr(Compositor, "reflow", reflowed)
    monkeypatch.setattr(BackgroundScreen, "__init__", by_rich)
    monkeypatch.setattr(Compositor, "render_update", FRAME)  # other tests draw none
    async with opened() as driven:
        await driven.ready()
        await driven.press("?")
        await driven.wait_for("esc close")
        first = laid_out.index(driven.app.screen)
        assert laid_out[first + 1] is driven.app.bench, "its first layout gave it its size"
        assert rich == []


async def test_what_changes_below_a_dialog_shows_at_once(opened: Open) -> None:
    async with opened(size=(120, 30)) as driven:
        await driven.ready()
        await driven.press("o")
        await driven.wait_for("enter chooses")
        for size in ((100, 26), (140, 40), (140, 20), (120, 30)):
            await driven.pilot.resize_terminal(*size)
            driven.app.bench.say(f"now {size[0]} by {size[1]}")
            await driven.wait_for(f"now {size[0]} by {size[1]}")
            lines = driven.lines
            driven.app.screen._styles_cache = StylesCache()  # Textual's own, which keeps nothing
            assert lines == driven.lines
            driven.app.screen._styles_cache = LinesBelow()
