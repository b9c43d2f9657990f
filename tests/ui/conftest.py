from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from syncerr_tui.host.terminal import TerminalProfile
from syncerr_tui.model import SyncError
from syncerr_tui.salesforce.session import OrgSession
from syncerr_tui.ui.app import SyncErrApp
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.journals import Journals
from syncerr_tui.ui.stylesheet import CachingStylesheet
from tests.factories import NOW
from tests.ui.driver import Driven
from tests.ui.fakes import FakeConnection, some_errors

Open = Callable[..., AbstractAsyncContextManager[Driven]]


_parsed: dict[object, list[RuleSet]] = {}
_matches: dict[tuple[object, ...], Any] = {}


@pytest.fixture(autouse=True)
def frugal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse the style sheets, and match widgets against them, once for all apps of this process."""
    parse, make = Stylesheet._parse_rules, CachingStylesheet.__init__
    variables, frozen = dict[str, str](), frozenset[tuple[str, str]]()

    def parsed_once(sheet: Stylesheet, css: str, *args: Any, **named: Any) -> list[RuleSet]:
        nonlocal variables, frozen
        if sheet._variables is not variables:
            variables, frozen = sheet._variables, frozenset(sheet._variables.items())
        key = css, args, frozenset(named.items()), frozen
        if key not in _parsed:
            _parsed[key] = parse(sheet, css, *args, **named)
        return _parsed[key]

    def sharing(sheet: CachingStylesheet, variables: dict[str, str]) -> None:
        make(sheet, variables)
        sheet._matches = _matches

    monkeypatch.setattr(Stylesheet, "_parse_rules", parsed_once)
    monkeypatch.setattr(CachingStylesheet, "__init__", sharing)
    monkeypatch.setattr(Compositor, "render_update", _unseen)


def _unseen(compositor: Compositor, **_: Any) -> None:
    """Draw no frame: nobody sees those of a headless app. `Driven.lines` draws what a test looks at."""
    compositor._dirty_regions.clear()


async def soon(_seconds: float) -> None:
    """A runner's sleep that takes next to no time, but is a wait, so that the app comes to rest meanwhile."""
    await asyncio.sleep(0.001)


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Opens the app on a fake org: `async with opened() as driven`."""

    @asynccontextmanager
    async def open_app(
        errors: Sequence[SyncError] | None = None,
        *,
        size: tuple[int, int] = (80, 24),
        connection: Any = None,
        connect: Callable[[], Any] | None = None,
        clock: Callable[[], datetime] = lambda: NOW,
        **context: Any,
    ) -> AsyncIterator[Driven]:
        used: Any = connection or FakeConnection(some_errors() if errors is None else errors)

        async def use() -> OrgSession:
            return used  # type: ignore[no-any-return]

        journals = Journals(tmp_path, clock=clock, sleep=soon)
        context.setdefault("terminal", TerminalProfile())
        app = SyncErrApp(AppContext(connect or use, clock=clock, **context), journals)
        async with app.run_test(size=size, notifications=True) as pilot:
            driven = Driven(app, pilot, used)
            yield driven
            driven.end_workers()
        await app.release()
        journals.close()

    return open_app
