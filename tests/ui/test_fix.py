"""Fixing from the app: chosen, applied once, proven, kept on the ledger, put back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import BadInputError, RefusedError, UnreachableError
from syncerr_tui.fixes.model import options_for
from syncerr_tui.fixes.org import (
    FixCandidate,
    FixChange,
    FixFacts,
    FixKind,
    FixPolicy,
    FixScope,
    FixTarget,
    TargetReading,
    Values,
)
from syncerr_tui.model import Environment
from syncerr_tui.stopwatch import Leaving
from syncerr_tui.ui.fix_words import option_lines
from syncerr_tui.ui.screens.fix_many import FixManyDialog
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import FakeConnection, some_errors
from tests.ui.test_demo_org import on_demo

RULE = "Account.Tax_Number_Has_Eleven_Digits"
OFF = "Switch off the validation rule"


class HeldOrg:
    """A rule whose readings and writings a test holds in its hands."""

    def __init__(self) -> None:
        self.active: object = True
        self.text = "as shown"
        self.writes: list[Values] = []
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.trouble: Exception | None = None

    async def read_target(self, _change: FixChange) -> TargetReading | None:
        return TargetReading({"active": self.active}, f"{self.text} {self.active}", self.text)

    async def write_target(self, change: FixChange, _reading: TargetReading, _leaving: Leaving) -> None:
        self.writes.append(change.after)
        await self.may_write.wait()
        if self.trouble is not None:
            raise self.trouble
        self.active = change.after["active"]

    async def has_version(self, _target: FixTarget, _version: int, _whole: str) -> bool:
        return True


class HeldFixes(HeldOrg):
    """The fixes of a fake org: one rule, and a value that wants to be typed."""

    org_user = "ana@acme.example"

    def __init__(self, environment: Environment, allow: Sequence[FixScope] = tuple(FixScope)) -> None:
        super().__init__()
        self.policy = FixPolicy(frozenset(allow), environment)
        self.looked = asyncio.Event()
        self.looked.set()
        self.typed_values: Mapping[str, str] = {}

    async def facts(self, _errors: object, *, named: str = "") -> FixFacts:
        await self.looked.wait()
        rule = FixTarget("ValidationRule", "03d5g000001abcdEAA", "Order.Needs_Tax_Number")
        value = FixTarget("Contact", "0035g000001abcdEAA", "Ben")
        reading = await self.read_target(FixChange(FixKind.VALIDATION_RULE_OFF, rule, {}))
        assert reading is not None
        off = FixCandidate(
            FixKind.VALIDATION_RULE_OFF,
            rule,
            {"active": False},
            {"active": self.active},
            title="Switch off Order.Needs_Tax_Number",
            whole=reading.whole,
        )
        correct = FixCandidate(
            FixKind.CORRECT_VALUE,
            value,
            {},
            {"active": True},
            title="Correct the number",
            wants=("active",),
            whole=reading.whole,
        )
        return FixFacts((off, correct))

    async def find_safeguard(self, text: str) -> FixChange:
        if text != "ValidationRule:Order.Needs_Tax_Number":
            raise BadInputError("The org has no such ValidationRule", "Write its full name")
        rule = FixTarget("ValidationRule", "03d5g000001abcdEAA", "Order.Needs_Tax_Number")
        return FixChange(FixKind.VALIDATION_RULE_OFF, rule, {"active": False}, {"active": True})

    async def typed(self, _kind: FixKind, _target: FixTarget, values: Mapping[str, str]) -> dict[str, Any]:
        self.typed_values = values
        return dict(values)


def held(environment: Environment = Environment.SANDBOX, **more: Any) -> tuple[HeldFixes, dict[str, Any]]:
    fixes = HeldFixes(environment, **more)
    connection = FakeConnection(some_errors())
    connection.identity = replace(connection.identity, environment=environment)
    connection.fixed_by = fixes
    return fixes, {"connection": connection}


async def test_a_value_that_is_typed_is_one_change() -> None:
    fixes = HeldFixes(Environment.SANDBOX)
    options = options_for(await fixes.facts(()), fixes.policy)
    option = next(each for each in options if each.wants)
    text = "\n".join(line.text for line in option_lines(option, 80))
    assert text.count("Changes") == 1
    assert "active: yes -> as you type it" in text


async def choose(driven: Driven, title: str) -> None:
    """Open the dialog and choose the option with this title."""
    await driven.press("F")
    await driven.wait_for("enter chooses", 60)
    dialog = cast("Any", driven.app.screen)
    place = next(n for n, option in enumerate(dialog.options) if title in option.title)
    for _ in range(place):
        await driven.press("j")
    await driven.press("enter")
    await driven.wait_for("enter applies it")


def server_of(driven: Driven) -> DemoServer:
    connect = cast("Any", driven.app.context.connect)
    server: DemoServer = connect.__self__._server
    return server


async def only(driven: Driven, words: str) -> None:
    await driven.press("slash")
    await driven.type(words)
    await driven.press("enter")


def is_active(driven: Driven) -> bool:
    component = server_of(driven).org.metadata.read("ValidationRule", RULE)
    assert component is not None
    return component["active"] is True


async def test_off_fixed_on_the_ledger_and_put_back(tmp_path: Path) -> None:
    async with on_demo(tmp_path, DemoOptions(processing_delay=0.1), (80, 24)) as driven:
        await only(driven, "digits")
        blocked = driven.pane.listing.current
        assert blocked is not None
        await choose(driven, OFF)
        assert "active: yes -> no" in driven.text
        await driven.press("enter")
        await driven.wait_for("enter closes", 30)
        assert is_active(driven) is False
        await driven.press("enter")
        await driven.wait_for("1 safeguard off since")
        await driven.press("R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("1 fixed", 60)
        await driven.press("q")
        await driven.wait_for("leaves it off")
        await driven.press("s")
        await driven.wait_for("puts it back", 30)
        await driven.press("enter")
        await driven.wait_for("a re-read shows it", 30)
        assert is_active(driven) is True
        await driven.press("escape")
        assert "safeguard off" not in driven.text
        await driven.press("3", "f")
        await driven.wait_for("validation-rule-off")
        assert "on again" in driven.text
        await driven.press("enter")
        await driven.wait_for("Answer")
        await driven.press("escape", "f")
        await driven.wait_for(lambda: "validation-rule-off" not in driven.text)


async def test_off_for_as_long_as_the_resync_takes(tmp_path: Path) -> None:
    async with on_demo(tmp_path, DemoOptions(processing_delay=0.1), (100, 30)) as driven:
        await only(driven, "digits")
        await driven.press("R")
        await driven.wait_for("f with the safeguard off", 30)
        await driven.press("f")
        await driven.wait_for("With its safeguard off meanwhile")
        await driven.press("f")
        assert "With its safeguard off meanwhile" not in driven.text
        await driven.press("f", "enter")
        await driven.wait_for("is on again", 60)
        assert "1 fixed" in driven.text
        assert is_active(driven) is True
        assert driven.app.services.fixes.off == ()
        actions = [row["Action"] for row in server_of(driven).store.find("SetupAuditTrail")]
        assert actions.count("changedValidationActive") == 2


async def run_with_the_rule_off(driven: Driven) -> DemoServer:
    """Begin a re-sync with its safeguard off, and wait until it is."""
    await only(driven, "digits")
    await driven.press("R")
    await driven.wait_for("f with the safeguard off", 30)
    await driven.press("f", "enter")
    await driven.wait_for(lambda: not is_active(driven), 30)
    return server_of(driven)


async def test_leaving_meanwhile_puts_it_back_first(tmp_path: Path) -> None:
    async with on_demo(tmp_path, DemoOptions(processing_delay=3.0), (80, 24)) as driven:
        server = await run_with_the_rule_off(driven)
        await driven.wait_for("waiting")
        assert "before anything is switched off" not in driven.text
        await driven.press("q")
        await driven.wait_for("enter quits")
        await driven.press("enter")
        await driven.wait_for(lambda: not driven.app.is_running, 60)
        component = server.org.metadata.read("ValidationRule", RULE)
        assert component is not None
        assert component["active"] is True


async def test_an_app_that_is_told_to_end_puts_it_back_first(tmp_path: Path) -> None:
    async with on_demo(tmp_path, DemoOptions(processing_delay=30.0), (80, 24)) as driven:
        server = await run_with_the_rule_off(driven)
        driven.app.stop(143)
        await driven.app.release()
        component = server.org.metadata.read("ValidationRule", RULE)
        assert component is not None
        assert component["active"] is True


async def test_the_next_start_says_what_is_off_and_offers_to_put_it_back(tmp_path: Path) -> None:
    options = DemoOptions(errors=40, db=tmp_path / "demo.db")
    async with on_demo(tmp_path, options, (80, 24)) as driven:
        await only(driven, "digits")
        await choose(driven, OFF)
        await driven.press("enter")
        await driven.wait_for("enter closes", 30)
    async with on_demo(tmp_path, options, (80, 24)) as driven:
        await driven.wait_for("puts it back", 30)
        assert RULE in driven.text
        await driven.press("escape")
        await driven.wait_for("1 safeguard off")
        component = server_of(driven).org.metadata.read("ValidationRule", RULE)
        assert component is not None
        server_of(driven).org.metadata.write("ValidationRule", RULE, {**component, "active": True})
        await driven.press("s")
        await driven.wait_for("on again", 30)
        await driven.press("escape")
        await driven.wait_for(lambda: "safeguard off" not in driven.text)


async def test_production_wants_the_name_and_the_value(opened: Open) -> None:
    fixes, parts = held(Environment.PRODUCTION)
    async with opened(**parts) as driven:
        await driven.ready()
        await choose(driven, "Switch off")
        assert "PRODUCTION" in driven.text
        await driven.type("Order")
        await driven.press("enter")
        await driven.wait_for("not the name")
        assert fixes.writes == []
        await driven.type("q")
        assert "Orderq" in driven.text, "a letter is a letter where text is typed"
        await driven.press("backspace")
        await driven.type(".Needs")
        for part in ("Tax", "Number"):
            await driven.press("underscore")
            await driven.type(part)
        await driven.press("enter")
        await driven.wait_for("enter closes")
        assert fixes.writes == [{"active": False}]


async def test_what_the_profile_does_not_allow_says_so_and_is_not_written(opened: Open) -> None:
    fixes, parts = held(allow=[FixScope.RECORD])
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("F")
        await driven.wait_for("enter chooses")
        await driven.press("j")
        assert "not allowed" in driven.text
        assert '"safeguard"' in " ".join(driven.text.split())
        await driven.press("enter")
        await driven.wait_for("The profile does not allow it")
        assert "enter applies" not in driven.text
        assert fixes.writes == []


async def correct_the_number(driven: Driven) -> None:
    await choose(driven, "Correct the number")
    await driven.type("42")
    await driven.press("enter")
    await driven.wait_for("enter closes")


async def test_a_value_is_typed(opened: Open) -> None:
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await correct_the_number(driven)
        assert fixes.typed_values == {"active": "42"}
        assert fixes.writes == [{"active": "42"}]


async def test_a_fix_in_the_journal_is_no_run_that_can_be_checked_again(opened: Open) -> None:
    _, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await correct_the_number(driven)
        await driven.press("enter", "3", "f")
        await driven.wait_for("correct-value")
        assert "check again" not in driven.text
        await driven.press("V")
        await driven.wait_for("check again: this is a fix, and no run: f goes back to the runs")


async def test_an_empty_value_is_asked_for_twice(opened: Open) -> None:
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await choose(driven, "Correct the number")
        await driven.wait_for("In part: the old value goes back")
        # What is behind the first one is older than the question.
        await driven.press_at_once("enter", "enter", "enter")
        await driven.wait_for("enter once more if that is meant")
        assert fixes.writes == []
        await driven.press("enter")
        await driven.wait_for("enter closes")
        assert fixes.typed_values == {"active": ""}


async def test_what_changed_since_it_was_shown_is_not_written(opened: Open) -> None:
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await choose(driven, "Switch off")
        fixes.text = "edited by a colleague"
        await driven.press("enter")
        await driven.wait_for("changed since it was shown")
        assert fixes.writes == []


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (RefusedError("No", "Ask"), "Refused: it is as before"),
        (UnreachableError("Gone", "Wait"), "It is not known whether"),
    ],
)
async def test_what_became_of_it_is_said(opened: Open, trouble: Exception, outcome: str) -> None:
    fixes, parts = held()
    fixes.trouble = trouble
    async with opened(**parts) as driven:
        await driven.ready()
        await choose(driven, "Switch off")
        await driven.press("enter")
        await driven.wait_for(outcome)
        assert len(fixes.writes) == 1


async def test_nothing_waits_and_no_key_is_swallowed_while_a_fix_is_made(opened: Open) -> None:
    fixes, parts = held()
    fixes.looked.clear()
    fixes.may_write.clear()
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("F")
        await driven.wait_for("Looking up")
        await driven.press("escape", "j", "j")
        assert driven.pane.listing.cursor == 2
        fixes.looked.set()
        await driven.settle()
        assert driven.app.screen is driven.app.bench, "an answer that nobody waits for opens nothing"
        await choose(driven, "Switch off")
        await driven.press("enter")
        await driven.wait_for(lambda: bool(fixes.writes))
        await driven.press("escape", "j")
        assert driven.pane.listing.cursor == 3
        fixes.may_write.set()
        await driven.wait_for("1 safeguard off")
        assert "Now re-sync: R" in driven.text


@pytest.mark.parametrize("ends", ["a run starts", "its errors have left"])
async def test_what_was_said_of_errors_ends_with_them(opened: Open, ends: str) -> None:
    _, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await choose(driven, "Switch off")
        await driven.press("enter")
        await driven.wait_for("enter closes")
        if ends == "a run starts":
            await driven.press("R")
            await driven.wait_for("enter starts")
            await driven.press("enter")
            await driven.wait_for("Result")
        else:
            await driven.press("escape")
            assert "Now re-sync: R" in driven.text
            driven.connection.org.failed.clear()
            driven.app.bench.look_again()
            await driven.wait_for("0 sync errors")
        assert "Now re-sync: R" not in driven.text
        assert "? help" in driven.text


async def test_an_answer_that_finds_its_dialog_half_closed_is_dropped(opened: Open) -> None:
    fixes, parts = held()
    fixes.looked.clear()
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("F")
        await driven.wait_for("Looking up")
        await driven.app.screen.query("*").remove()
        fixes.looked.set()
        await driven.settle()
        await driven.press("escape")
        await driven.wait_for(lambda: driven.app.screen is driven.app.bench)


async def test_enter_in_the_same_packet_chooses_nothing(opened: Open) -> None:
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press_at_once("F", "enter", "enter", "enter")
        await driven.wait_for("enter chooses")
        assert fixes.writes == []


async def test_what_comes_for_a_dialog_that_was_left_is_no_defect(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixes, parts = held()

    async def facts(*_asked: object, **_how: object) -> FixFacts:
        await fixes.looked.wait()
        raise UnreachableError("The org does not answer", "Try again")

    monkeypatch.setattr(fixes, "facts", facts)
    fixes.looked.clear()
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("a", "F")
        await driven.wait_for("Looking up what can be done: 0 of")
        await driven.press("escape")
        fixes.looked.set()
        await driven.settle()
        assert driven.app.crash == ""
        await driven.press("F")
        await driven.wait_for("The org does not answer.")


async def test_an_enter_on_its_way_when_the_proposals_come_makes_no_change(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixes, parts = held()
    fixes.looked.clear()
    facts, draw = fixes.facts, FixManyDialog._draw

    async def only_the_rule(errors: object, *, named: str = "") -> FixFacts:
        return FixFacts((await facts(errors, named=named)).candidates[:1])

    def overtaken(dialog: FixManyDialog) -> None:
        monkeypatch.setattr(FixManyDialog, "_draw", draw)
        draw(dialog)
        driven._send("a")
        driven._send("enter")

    monkeypatch.setattr(fixes, "facts", only_the_rule)
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("a", "F")
        await driven.wait_for("Looking up what can be done: 0 of")
        monkeypatch.setattr(FixManyDialog, "_draw", overtaken)
        fixes.looked.set()
        await driven.wait_for("enter makes 0 changes")
        await driven.settle()
        assert fixes.writes == []


async def test_an_enter_behind_a_choice_does_not_make_the_change(opened: Open) -> None:
    """What it would confirm was not on screen when it was pressed."""
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await driven.press("F")
        await driven.wait_for("enter chooses")
        await driven.press_at_once("enter", "enter", "enter")
        await driven.wait_for("enter applies it")
        assert fixes.writes == []


async def test_an_enter_behind_a_fix_and_its_resync_acts_nowhere(opened: Open) -> None:
    """It is older than the plan, and the list that stood between the two was never meant."""
    _, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await choose(driven, "Switch off")
        await driven.press("enter")
        await driven.wait_for("R re-syncs now")
        await driven.press_at_once("R", "enter")
        await driven.wait_for("enter starts")
        assert not driven.connection.requests
        assert not driven.app.context.state.panel_open


async def test_errors_that_name_no_record_may_each_mean_another(tmp_path: Path) -> None:
    async with on_demo(tmp_path, DemoOptions(errors=1000), (80, 24)) as driven:
        listed = driven.pane.listing.errors.values()
        bounced = [error for error in listed if "currently marked as bounced" in error.message]
        assert len(bounced) > 10
        options = await driven.app.services.fixes.options(bounced[:2])
        offered = [one.target.id for one in options if one.key.startswith("clear-bounce")]
        assert len(bounced) <= len(offered) == len(set(offered)) <= 25


@pytest.mark.parametrize("goes_on", [True, False])
async def test_before_links_are_known_it_waits_for_the_cause(tmp_path: Path, goes_on: bool) -> None:
    async with on_demo(tmp_path, DemoOptions(), (80, 24)) as driven:
        worker = driven.app.services.graph_worker
        await driven.wait_for(lambda: worker.graph is not None)
        graph = worker.graph
        assert graph is not None
        victim = next(row for row in graph.errors if any(link.cause for link in graph.links_of(row)))
        cause = next(link.cause for link in graph.links_of(victim) if link.cause)
        assert not graph.links_of(cause)
        await only(driven, f"id:{victim}")
        await driven.wait_for(lambda: worker.graph is not None)
        let_go = threading.Event()
        lent = asyncio.create_task(worker.lend(lambda _graph: let_go.wait(60)))
        await driven.wait_for(lambda: worker.graph is None)
        await driven.press_meanwhile("F")
        assert "Still working out the causes" in driven.text
        assert driven.app.screen is driven.app.bench
        if not goes_on:
            await driven.press_meanwhile("slash")
        let_go.set()
        await lent
        if goes_on:
            blocking = graph.errors[cause]
            await driven.wait_for(f"Fix what blocks {blocking.object} {blocking.event_type.value}")
            assert blocking.storeconnect_id[:8] in driven.text
        else:
            await driven.wait_for(lambda: worker.graph is not None)
            assert driven.app.screen is driven.app.bench


async def test_read_only_changes_nothing_and_still_shows_what_is_off(opened: Open) -> None:
    fixes, parts = held()
    async with opened(**parts) as driven:
        await driven.ready()
        await choose(driven, "Switch off")
        await driven.press("enter")
        await driven.wait_for("enter closes")
    async with opened(**parts, read_only=True) as driven:
        await driven.wait_for("Order.Needs_Tax_Number")
        assert "puts it back" not in driven.text
        await driven.press("enter", "a", "escape", "F")
        await driven.wait_for("read-only")
        assert len(fixes.writes) == 1
