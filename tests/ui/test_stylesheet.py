"""The rules of a widget are found once, and are always those that Textual would find."""

from __future__ import annotations

from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

from tests.ui.conftest import Open
from tests.ui.driver import Driven


def assert_as_textual_applies_them(driven: Driven) -> None:
    for screen in driven.app.screen_stack:
        for node in screen.walk_children(with_self=True):
            kept = dict(node.styles.base.get_rules())
            Stylesheet.apply(driven.app.stylesheet, node)
            applied = dict(node.styles.base.get_rules())
            assert kept == applied, node


@pytest.mark.parametrize("size", [(80, 24), (120, 30)])
async def test_a_widget_has_the_rules_of_what_it_is_and_where_it_stands(
    opened: Open, size: tuple[int, int]
) -> None:
    async with opened(size=size) as driven:
        await driven.ready()
        assert_as_textual_applies_them(driven)
        for keys in (
            ("enter",),
            ("escape", "c"),
            ("right",),
            ("4", "o"),
            ("escape", "1", "/"),
            ("escape", "?"),
        ):
            await driven.press(*keys)
            assert_as_textual_applies_them(driven)
        await driven.press("escape")
        for narrow in ((50, 10), size):
            await driven.pilot.resize_terminal(*narrow)
            await driven.settle()
            assert_as_textual_applies_them(driven)


async def test_what_was_shown_before_is_not_matched_again(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened() as driven:
        await driven.ready()
        matched: list[DOMNode] = []
        apply = Stylesheet.apply

        def counted(sheet: Stylesheet, node: DOMNode, **named: Any) -> None:
            matched.append(node)
            apply(sheet, node, **named)

        monkeypatch.setattr(Stylesheet, "apply", counted)
        monkeypatch.setattr(driven.app.stylesheet, "_matches", {})
        await driven.press("enter", "escape")
        assert matched
        matched.clear()
        await driven.press("enter", "escape")
        assert not matched
