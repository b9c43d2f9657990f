"""What earlier runs left of a row, what failed twice, what only support can clear: said where it counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from syncerr_tui.journal.history import History
from syncerr_tui.journal.row_history import standing
from syncerr_tui.model import Verdict
from syncerr_tui.resync.doubt import unsettled_words
from syncerr_tui.text import clean
from tests.factories import sync_error
from tests.ui.conftest import Open
from tests.ui.fakes import some_errors
from tests.ui.past import ended_run, journal_at


async def test_a_twin_stays_marked_and_no_plan_calls_it_ready(opened: Open, tmp_path: Path) -> None:
    errors = some_errors(3)
    ids = ("001De0000000006IAA", "001De0000000007IAA")
    records = [{"id": one, "modified_at": "2026-11-28T02:14:00+00:00"} for one in ids]
    ended_run(tmp_path, errors[:2], [Verdict.TWIN, Verdict.UNKNOWN], evidence={"records": records})

    def both_are_named() -> bool:
        shown = "".join(line.strip(" │┃") for line in driven.lines)
        return all(f"/{one}" in shown for one in ids)

    async with opened(errors) as driven:
        await driven.ready()
        await driven.wait_for(lambda: "TWIN" in driven.lines[3])
        await driven.wait_for("1 TWIN: W")
        assert "UNKNOWN" in driven.lines[4]
        await driven.press("a", "R")
        await driven.wait_for("1 TWIN: two records share one StoreConnect ID.")
        first = next(line for line in driven.lines if "TWIN: two" in line)
        assert (
            driven.lines.index(first)
            == next(n for n, line in enumerate(driven.lines) if "Re-sync " in line) + 2
        )
        await driven.wait_for(both_are_named)
        await driven.wait_for("1 row was sent")
        assert "It is read again, and not sent unless the org shows that it failed." in driven.text
        assert "UNKNOWN: sent before" not in driven.text  # the sentence above says it
        assert "Re-sync 2 errors, and read 1 again, in" in driven.text
        await driven.press("g")
        assert "Re-sync 3 errors in" in driven.text
        await driven.press("escape", "escape", "g", "enter")
        await driven.wait_for("carry its StoreConnect ID")
        await driven.wait_for(both_are_named)
        await driven.press("b")
        await driven.wait_for("Record 2 of the TWIN")
        await driven.press("escape", "escape", "c")
        await driven.wait_for("1 TWIN")
        assert "Ready" not in driven.text


async def test_a_retry_that_failed_twice_is_no_advice_any_more(opened: Open) -> None:
    message = clean("unable to obtain exclusive access to this record: 001De0000000006IAA")
    errors = [sync_error(1, code="UNABLE_TO_LOCK_ROW", message=message)]
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press("c")
        await driven.wait_for("just retry")
        for _ in range(2):
            await driven.press("R")
            await driven.wait_for("enter starts")
            await driven.press("enter")
            await driven.wait_for("Result")
            await driven.press("escape")
        await driven.wait_for("retry failed")
        assert "just retry" not in driven.text
        await driven.press("enter")
        panel = driven.app.bench.causes.panel
        await driven.wait_for(lambda: "sent 2 times and refused" in " ".join(panel.text.split()))
        assert "Its cause was seen in 2 re-syncs" in " ".join(driven.text.split())
        assert "Just retry" not in panel.text
        await driven.press("escape", "1", "enter")
        await driven.wait_for(lambda: "sent 2 times and" in " ".join(driven.pane.panel.text.split()))
        assert "Just retry" not in driven.pane.panel.text


async def test_a_headline_over_many_names_what_all_of_them_have(opened: Open) -> None:
    errors = [
        sync_error(
            number,
            code="UNABLE_TO_LOCK_ROW",
            message=clean(f"unable to obtain exclusive access to this record: 001De00000000{letter}IAA"),
        )
        for number, letter in enumerate(("06", "0i", "0l"), 1)
    ]
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press("c")
        await driven.wait_for("The record was in use by another process")
        assert "001De" not in driven.text
        await driven.press("enter")
        await driven.wait_for("What follows is about Order")
    async with opened(errors[:1]) as driven:
        await driven.ready()
        await driven.press("c")
        await driven.wait_for("The record 001De0000000006IAA was in use")


async def test_counts_are_of_the_objects_they_name(opened: Open) -> None:
    objects = ("s_c__Subscription__c", "s_c__Payment__c", "s_c__Payment__c")
    errors = [
        sync_error(n, object=clean(name), code="UNKNOWN_EXCEPTION") for n, name in enumerate(objects, 1)
    ]
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press("c")
        await driven.wait_for("1 subscription ·")
        assert "2 payments ·" in driven.text


async def test_what_only_support_can_clear_goes_after_one_more_key(opened: Open) -> None:
    errors = [
        sync_error(number, code="ENTITY_IS_LOCKED", message=clean("an activated order cannot be changed"))
        for number in (1, 2)
    ]
    async with opened(errors) as driven:
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("s sends 2 more")
        assert "Nothing to re-sync in acme-prod (PRODUCTION)" in driven.text
        await driven.press("enter", "s")
        await driven.wait_for("Re-sync 2 errors")
        assert "Only StoreConnect support can clear 2 of these" in driven.text
        await driven.press("enter")
        await driven.wait_for("Result")
        assert sorted(row for request in driven.connection.requests for row in request) == [
            e.id for e in errors
        ]
        await driven.press("escape", "g", "R")
        await driven.wait_for("Only StoreConnect support can clear it")
        await driven.wait_for("enter starts")


@pytest.mark.parametrize("keys", ["sw", "ws"])
async def test_why_it_is_sent_all_the_same_is_in_the_journal(opened: Open, tmp_path: Path, keys: str) -> None:
    locked = [
        sync_error(number, code="ENTITY_IS_LOCKED", message=clean("an activated order cannot be changed"))
        for number in (1, 2)
    ]
    async with opened([*locked, sync_error(3)]) as driven:
        await driven.ready()
        await driven.press("a", "R")
        await driven.wait_for("s sends 2 more")
        for key in keys:
            await driven.press(key)
            if key == "w":
                await driven.wait_for("Why is this re-synced?")
                await driven.type("support unlocked them, T-12")
                await driven.press("enter")
                await driven.wait_for("Why      support unlocked them, T-12")
            else:
                await driven.wait_for("Re-sync 3 errors")
        await driven.press("enter")
        await driven.wait_for("Result")
    with journal_at(tmp_path) as journal:
        (run,) = History(journal).runs()
        assert (run.reason, run.planned) == ("support unlocked them, T-12", 3)


def test_the_journal_knows_what_runs_left_of_a_list(tmp_path: Path) -> None:
    errors = some_errors(4)
    ended_run(tmp_path, errors, [Verdict.TWIN, Verdict.UNKNOWN, Verdict.FIXED, Verdict.STILL_FAILING])
    ended_run(tmp_path, errors[3:], [Verdict.STILL_FAILING])
    fixed = (str(errors[2].object), errors[2].storeconnect_id)
    listed = {error.id: error for error in errors}
    with journal_at(tmp_path) as journal:
        found = standing(journal, listed, [fixed, ("Order", errors[3].storeconnect_id)])
        assert found.unsettled == {errors[0].id: Verdict.TWIN, errors[1].id: Verdict.UNKNOWN}
        assert found.tried == {errors[3].id: 2}
        assert set(found.landed) == {fixed}
        other = replace(errors[3], message=clean("another message"))
        assert not standing(journal, {other.id: other}).tried
    ended_run(tmp_path, errors[:1], [Verdict.FIXED])
    with journal_at(tmp_path) as journal:
        assert errors[0].id not in standing(journal, listed).unsettled
    words = unsettled_words([Verdict.TWIN, Verdict.UNKNOWN, Verdict.UNKNOWN])
    assert words.startswith("1 TWIN: ")
    assert "2 UNKNOWN: " in words
    assert unsettled_words([]) == ""
