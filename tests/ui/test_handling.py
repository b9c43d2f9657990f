"""Notes, tickets, who works on it and snoozes in the app: said, shown, shared, and over by themselves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from syncerr_tui.journal.people import say_about
from syncerr_tui.triage.handling import HandlingKind
from tests.factories import NOW
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import some_errors
from tests.ui.past import journal_at


async def say(driven: Driven, label: str, *text: str) -> None:
    """Choose a line of the menu by its words."""
    await driven.press("N")
    await driven.wait_for("About ")
    await driven.press("/", *label, "enter")
    if text:
        await driven.wait_for("The journal keeps it")
        await driven.type("".join(text))
        await driven.press("enter")


async def test_a_note_a_ticket_and_an_owner_are_in_the_panel_and_in_filters(opened: Open) -> None:
    async with opened(some_errors()) as driven:
        await driven.ready()
        await say(driven, "note", *"call the bank")
        await driven.wait_for("Noted.")
        await say(driven, "ticket", *"T-12")
        await driven.wait_for("With support: T-12.")
        await say(driven, "to me")
        await driven.wait_for("Assigned to ")
        await driven.wait_for("SUPPORT")
        await driven.press("enter")
        await driven.wait_for("call the bank")
        assert "With support: T-12." in driven.text
        await driven.press("escape", "/", *"note:bank", "enter")
        await driven.wait_for("(1 shown)")
        await driven.press("/", *"-note:any", "enter")
        await driven.wait_for("(5 shown)")


async def test_what_is_snoozed_stays_out_of_plans_is_counted_and_wakes_by_itself(opened: Open) -> None:
    time = [NOW]
    async with opened(some_errors(), clock=lambda: time[0]) as driven:
        await driven.ready()
        await say(driven, "8 hours")
        await driven.wait_for("1 snoozed")
        await driven.press("a", "R")
        await driven.wait_for("Re-sync 5 errors")
        await driven.press("escape", "escape", "/", *"snoozed:yes", "enter")
        await driven.wait_for("(1 shown)")
        time[0] += timedelta(hours=9)
        driven.app.bench.tick()
        await driven.wait_for(lambda: "1 snoozed" not in driven.text)
        await driven.wait_for("(0 shown)")


async def test_a_snoozed_row_alone_goes_and_can_be_woken(opened: Open) -> None:
    async with opened(some_errors()) as driven:
        await driven.ready()
        await say(driven, "8 hours")
        await driven.wait_for("1 snoozed")
        await driven.press("R")
        await driven.wait_for("Re-sync")
        await driven.press("escape")
        await say(driven, "wake")
        await driven.wait_for("Awake again: plans take it in.")
        await driven.wait_for(lambda: "SNOOZED" not in driven.text)


async def test_a_time_that_cannot_be_read_writes_nothing(opened: Open) -> None:
    async with opened(some_errors()) as driven:
        await driven.ready()
        await say(driven, "snooze until ...", *"later")
        await driven.wait_for("It cannot be snoozed until 'later'")
        assert "SNOOZED" not in driven.text


async def test_what_waits_for_no_parent_is_not_said_to_be_snoozed_until_it_is_fixed(opened: Open) -> None:
    async with opened(some_errors(3)) as driven:
        await driven.ready()
        await driven.wait_for(lambda: driven.app.services.graph_worker.graph is not None)
        await driven.press("N")
        await driven.wait_for("Snooze until its parent")
        await driven.press("/", *"parent", "enter")
        await driven.wait_for("It waits for no parent: nothing was snoozed.")


async def test_what_a_colleague_says_is_there_after_a_refresh(opened: Open, tmp_path: Path) -> None:
    errors = some_errors()
    async with opened(errors) as driven:
        await driven.ready()
        with journal_at(tmp_path) as journal:
            say_about(journal, [errors[2].id], HandlingKind.ASSIGN, by="tom", value="tom")
        await driven.press("r")
        await driven.wait_for("TAKEN")
