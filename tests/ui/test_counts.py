"""What a run has proven is no error any more, though its row is still in sight."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.model import RowState, Verdict
from syncerr_tui.resync.events import Braked, Counts, RowChanged, RunEnded
from syncerr_tui.triage.keymap import ActionTable
from syncerr_tui.triage.listing import Listing
from syncerr_tui.triage.state import UiState
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.run_presenter import RunPresenter
from syncerr_tui.ui.status_lines import RUN, StatusLines, utility
from syncerr_tui.ui.widgets.line import Line
from tests.factories import NOW, sync_error
from tests.ui.conftest import Open
from tests.ui.fakes import some_errors
from tests.ui.families import family


async def test_a_proven_row_is_not_counted(opened: Open) -> None:
    errors = some_errors(5)
    async with opened(errors) as driven:
        await driven.ready()
        driven.connection.org.repaired = {errors[0].id, errors[2].id}
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Result")
        assert "FIXED" in driven.text
        assert "Errors (3)" in driven.lines[1]
        assert "Causes (2)" in driven.lines[1]
        assert "3 sync errors · 2 causes" in driven.lines[-2]
        await driven.press("escape")
        await driven.wait_for(lambda: "FIXED" not in driven.text)
        await driven.ready()
        assert "3 sync errors · 2 causes" in driven.lines[-2]


async def test_the_result_names_what_waited_for_what_is_proven(opened: Open) -> None:
    errors = family()
    async with opened(errors) as driven:
        await driven.ready()
        driven.connection.org.repaired = {errors[0].id}
        await driven.press("R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("2 rows are ready: c")


async def test_what_the_run_itself_left_unproven_is_not_called_ready(opened: Open) -> None:
    errors = family()
    async with opened(errors) as driven:
        await driven.ready()
        driven.connection.org.repaired = {errors[0].id}
        await driven.press("a", "R")
        await driven.wait_for("enter starts")
        await driven.press("enter")
        await driven.wait_for("Result")
        assert "ready" not in driven.text


def test_a_twin_is_the_first_thing_to_see() -> None:
    view = RunPresenter(ActionTable().key_of)
    counts = Counts(planned=2, fixed=1, twin=1)
    twin = Attempt(replace(sync_error(1), id="a")).judged(
        Verdict.TWIN, "2 records carry this StoreConnect ID"
    )
    view.take(RowChanged(RowState.DONE, twin))
    view.take(RunEnded("run", counts, "finished", "2 planned: 1 fixed, 1 TWIN"))
    view.freed = 1
    assert view.unproven == {"a"}
    assert "TWIN: 3 shows the ids of both records" in view.plain
    assert "ready" not in view.plain


@pytest.mark.parametrize("width", [80, 120])
def test_a_long_result_is_read_whole_in_the_lines_it_needs(width: int) -> None:
    view = RunPresenter(ActionTable().key_of)
    counts = Counts(planned=4968, fixed=70, still_failing=1772, new_cause=1, twin=2, not_sent=3123)
    summary = (
        "4,968 planned: 70 fixed, 1,772 still failing, 1 failing with a new cause, 2 TWIN, "
        "3,123 held back by their cause (stopped)"
    )
    reason = "the same cause came back on 25 of the first 26 rows: nothing has changed in the org"
    view.take(Braked(reason))
    view.take(RunEnded("run", counts, "braked", summary))
    lines: dict[str, Any] = {name: Mock(Line) for name in RUN}
    StatusLines(Mock(), lines.__getitem__).draw_run(view.line(width), width)
    drawn = ["".join(text for text, _ in line.show.call_args.args[0]) for line in lines.values()]
    read = " ".join(" ".join(line[:width] for line in drawn).split())
    if width > 80:
        assert read == " ".join(view.plain.split())
    assert f"Result {summary} TWIN: 3 shows the ids of both records {reason[:20]}" in read


async def test_causes_that_are_not_worked_out_yet_are_not_counted_as_none(opened: Open) -> None:
    async with opened(some_errors(5)) as driven:
        seen = set()

        def looked() -> bool:
            tabs = driven.lines[1]
            seen.update(re.findall(r"Causes \([^)]*\)", tabs))
            return "Causes (3)" in tabs

        await driven.wait_for(looked)
        assert seen <= {"Causes (?)", "Causes (3)"}


def test_what_is_off_is_read_beside_all_that_goes_on() -> None:
    listing = Listing().with_page(some_errors(5000), NOW).all_selected()
    context = AppContext(Mock())
    context.state = replace(UiState(), listing=listing).reading_ended(NOW).begun("planning ...")
    left, right = utility(context, 61, "8 safeguards off since 01:15", 80)
    assert "5,000 selected  planning ..." in "".join(text for text, _ in left)
    assert sum(len(text) for text, _ in (*left, *right)) <= 80 + len("since 01:15")
