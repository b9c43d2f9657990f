"""What a person at a terminal is asked to press, and how they say what they pressed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from syncerr_tui.cli import _console
from syncerr_tui.cli._sending import PersonAtTerminal
from syncerr_tui.resync.events import AskPerson
from tests.factories import sync_error


async def test_a_number_stays_with_its_row_while_more_of_its_wave_is_to_press(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second, third = (sync_error(id=f"a0X00000000000{n}AAA") for n in range(3))
    heard: list[str] = []

    def tick(events: Iterable[str], *, pressed: bool) -> frozenset[str]:
        assert pressed
        heard.extend(events)
        return frozenset(events)

    lines: asyncio.Queue[str] = asyncio.Queue()

    async def line_while_running(_stopped: asyncio.Event) -> str:
        return await lines.get()

    monkeypatch.setattr(_console, "line_while_running", line_while_running)
    runner: Any = SimpleNamespace(person=SimpleNamespace(tick=tick))
    person = PersonAtTerminal(runner, SimpleNamespace(time_zone="", locale=""), asyncio.Event())  # type: ignore[arg-type]
    person.begin_to_ask(AskPerson(1, (first, second, third), None, frozenset({first.id})))
    person.begin_to_ask(AskPerson(1, (first, second, third), None, frozenset()))
    lines.put_nowait("1")
    lines.put_nowait("3")
    while len(heard) < 2:  # noqa: ASYNC110 - the answers are taken one by one
        await asyncio.sleep(0)
    await person.leave()
    assert heard == [second.id, first.id]
