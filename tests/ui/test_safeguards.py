"""What is off because of us, in the app: shown by s, put back, closed, noted by hand; stopped by X."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from unittest.mock import AsyncMock

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.errors import RefusedError
from syncerr_tui.fixes.org import FixChange, FixFacts, FixKind, FixTarget, TargetReading
from syncerr_tui.model import Environment, EventSeen
from syncerr_tui.stopwatch import Leaving
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import FakeConnection
from tests.ui.test_demo_org import on_demo
from tests.ui.test_fix import HeldFixes, choose, held, is_active, only, server_of

RULE = "Order.Needs_Tax_Number"


async def switched_off(driven: Driven) -> None:
    """The rule is off by F, and on the ledger."""
    await choose(driven, "Switch off")
    await driven.press("enter")
    await driven.wait_for("enter closes")
    await driven.press("enter")
    await driven.wait_for("1 safeguard off since")


async def test_s_lists_what_is_off_and_puts_it_back(opened: Open) -> None:
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("s")
        await driven.wait_for("Nothing that was switched off")
        await driven.press("enter", "a", "c", "escape")
        await switched_off(driven)
        await driven.press("s")
        await driven.wait_for("enter puts it back")
        assert "1 safeguard off" in driven.text
        assert RULE in driven.text
        assert "active: yes -> no" in driven.text
        await driven.press("enter")
        await driven.wait_for("a re-read shows it")
        assert fixes.writes == [{"active": False}, {"active": True}]
        await driven.press("escape")
        assert "safeguard off" not in driven.text


async def test_s_says_why_it_cannot_be_put_back(opened: Open) -> None:
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await switched_off(driven)
        fixes.trouble = RefusedError("The set-up is locked", "Wait")
        await driven.press("s")
        await driven.wait_for("enter puts it back")
        await driven.press("enter")
        await driven.wait_for("The set-up is locked")
        assert "1 safeguard off" in driven.text


async def came_of_it(driven: Driven, words: str) -> None:
    """The list has been read again; the line below says what came of it a moment earlier."""
    await driven.wait_for(lambda: words in driven.text and "n adds one" in driven.text)


async def test_a_name_typed_ahead_puts_nothing_back(opened: Open) -> None:
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await switched_off(driven)
        await driven.press("s")
        await driven.wait_for("enter puts it back")
        before = list(fixes.writes)
        await driven.press_at_once("n", "a", "enter")
        await driven.wait_for("Type and name:")
        assert fixes.writes == before
        assert "1 safeguard off" in driven.text


async def test_what_a_person_switched_off_by_hand_is_noted_and_put_back(opened: Open) -> None:
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("s")
        await driven.wait_for("n adds one")
        await driven.press("n")
        await driven.wait_for("Type and name:")
        await driven.type("Flow")
        await driven.press("enter", "enter")
        await came_of_it(driven, "The org has no such")
        await driven.press("n")
        await driven.wait_for("Type and name:")
        cast("Any", driven.app.focused).value = f"ValidationRule:{RULE}"
        await driven.press("enter", "enter")
        await came_of_it(driven, "is not off")
        fixes.active = False
        await driven.press("n")
        await driven.wait_for("Type and name:")
        cast("Any", driven.app.focused).value = f"ValidationRule:{RULE}"
        await driven.press("enter")
        await driven.type("import")
        await driven.press("enter")
        await driven.wait_for(
            lambda: "it is not forgotten" in driven.text and "1 safeguard off" in driven.text
        )
        assert "import" in driven.text
        await driven.press("escape")
        await driven.wait_for("1 safeguard off since")
        assert fixes.writes == []
        await driven.press("s")
        await driven.wait_for("enter puts it back")
        await driven.press("n", "escape", "enter")
        await driven.wait_for("a re-read shows it")
        assert fixes.writes == [{"active": True}]


class FlowFixes(HeldFixes):
    """Its rule is a Flow with versions."""

    async def read_target(self, _change: FixChange) -> TargetReading | None:
        return TargetReading({"activeVersionNumber": self.active}, str(self.active), "")

    async def write_target(self, change: FixChange, _reading: TargetReading, _leaving: Leaving) -> None:
        self.writes.append(change.after)
        self.active = change.after["activeVersionNumber"]

    async def find_safeguard(self, text: str) -> FixChange:
        flow = FixTarget("FlowDefinition", "3005g000001abcdEAA", "Order_Builder")
        return FixChange(FixKind.FLOW_OFF, flow, {"activeVersionNumber": 0}, {"activeVersionNumber": 3})


async def test_another_version_is_left_alone_and_its_line_closed(opened: Open) -> None:
    fixes = FlowFixes(Environment.SANDBOX)
    _, parts = held()
    parts["connection"].fixed_by = fixes
    fixes.active = 0
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("s")
        await driven.wait_for("n adds one")
        await driven.press("n")
        await driven.wait_for("Type and name:")
        await driven.type("FlowDefinition")
        await driven.press("enter", "enter")
        await driven.wait_for("it is not forgotten")
        fixes.active = 4
        await driven.press("escape", "s")
        await driven.wait_for("c closes its entry")
        await driven.press("enter")
        await driven.wait_for("it is left alone")
        assert fixes.writes == []
        await driven.press("c")
        await driven.wait_for("entry is closed")
        await driven.press("escape")
        assert "safeguard off" not in driven.text
        assert fixes.writes == []


class HeldReading(FakeConnection):
    """Holds the reading of rows by id until a test lets it go."""

    reading = False

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        self.reading = True
        await self.open.wait()
        return await super().read_events(ids)


def held_reading() -> tuple[HeldFixes, HeldReading]:
    """The fixes of an org whose rows are not read before they may be."""
    fixes, parts = held()
    connection = HeldReading(list(parts["connection"].failed.values()))
    connection.identity, connection.fixed_by = parts["connection"].identity, fixes
    connection.open.clear()
    return fixes, connection


async def run_with_it_off(driven: Driven) -> None:
    await driven.press("R")
    await driven.wait_for("f with the safeguard off")
    await driven.press("f", "enter")


async def test_the_key_for_safeguards_says_what_it_does_next(opened: Open) -> None:
    fixes, parts = held()
    both = (await fixes.facts(())).candidates[:1] * 2
    other = replace(both[0], target=replace(both[0].target, id="03d5g000001abceEAA", name="Order.Other"))
    fixes.facts = AsyncMock(return_value=FixFacts((both[0], other)))  # type: ignore[method-assign]
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("R")
        for does in ("with the safeguard off", "with another one off instead", "leaves the safeguard on"):
            await driven.wait_for(f"f {does}")
            await driven.press("f")
        await driven.wait_for("f with the safeguard off")
        await driven.press("escape")


async def test_an_app_told_to_quit_while_the_rows_are_read_ends_where_nothing_fails(opened: Open) -> None:
    fixes, connection = held_reading()
    async with opened(connection=connection) as driven:
        await driven.ready()
        await run_with_it_off(driven)
        await driven.wait_for(lambda: connection.reading)
        await driven.press("q")
        await driven.wait_for("enter quits")
        await driven.press("enter")
        connection.failed.clear()
        connection.open.set()
        await driven.wait_for(lambda: not driven.app.is_running)
        assert fixes.writes == []


async def test_stopped_while_the_rows_are_read_nothing_is_switched_off(opened: Open) -> None:
    fixes, connection = held_reading()
    async with opened(connection=connection) as driven:
        await driven.ready()
        await run_with_it_off(driven)
        await driven.wait_for(lambda: connection.reading)
        await driven.press("X")
        connection.open.set()
        await driven.wait_for(lambda: not driven.app.services.runs.active)
        assert (fixes.writes, connection.requests) == ([], [])


async def test_off_by_us_already_the_run_takes_the_line_over(tmp_path: Path) -> None:
    async with on_demo(tmp_path, DemoOptions(processing_delay=0.1), (100, 30)) as driven:
        await only(driven, "digits")
        await choose(driven, "Switch off the validation rule")
        await driven.press("enter")
        await driven.wait_for("enter closes", 30)
        await driven.press("enter")
        await driven.wait_for("1 safeguard off since")
        await driven.press("R")
        await driven.wait_for("f with the safeguard off", 30)
        await driven.press("f", "enter")
        await driven.wait_for("is on again", 60)
        assert "1 fixed" in driven.text
        assert is_active(driven) is True
        assert "safeguard off" not in driven.text
        actions = [row["Action"] for row in server_of(driven).store.find("SetupAuditTrail")]
        assert actions.count("changedValidationActive") == 2


async def test_off_by_a_colleague_it_is_left_so_and_not_offered(opened: Open) -> None:
    fixes, parts = held()
    fixes.active = False
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("F")
        await driven.wait_for("done already")
        await driven.press("escape")
        await choose(driven, "Switch off")
        await driven.press("enter")
        await driven.wait_for("nothing was written.")
        await driven.press("enter", "R")
        await driven.wait_for("enter starts")
        await asyncio.sleep(0)
        assert "with the safeguard off" not in driven.text
        await driven.press("escape")
        assert fixes.writes == []
        assert "safeguard off" not in driven.text


async def test_switched_off_by_a_colleague_just_before_the_run_it_is_left_off(opened: Open) -> None:
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("R")
        await driven.wait_for("f with the safeguard off")
        fixes.active = False
        fixes.text = "as shown"
        await driven.press("f", "enter")
        await driven.wait_for(lambda: not driven.app.services.runs.active)
        assert fixes.writes == []


async def test_x_stops_the_run_and_the_safeguard_goes_on_again(tmp_path: Path) -> None:
    async with on_demo(tmp_path, DemoOptions(processing_delay=2.0), (100, 30)) as driven:
        await only(driven, "digits")
        await driven.press("R")
        await driven.wait_for("f with the safeguard off", 30)
        await driven.press("f", "enter")
        await driven.wait_for(lambda: not is_active(driven), 30)
        await driven.press("X")
        await driven.wait_for("is on again", 60)
        assert is_active(driven) is True
        assert not driven.app.services.runs.active
        assert "safeguard off" not in driven.text
