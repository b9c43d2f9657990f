"""From a cause to its proven end with the keys of a person, in a real pseudo-terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.terminal.test_program import READY, app, restored

pytestmark = pytest.mark.terminal


def test_one_key_and_enter_clear_the_tree_of_a_fixed_cause(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        before = count(program.wait_for(" causes"))
        program.press("c")
        program.wait_for("What broke, worst first")
        program.press("F")
        program.wait_for("enter chooses")
        program.press("j")  # the first line is for a person
        program.answer("enter chooses")
        program.answer("enter applies it")
        program.answer("R re-syncs now", "R")
        planned = re.search(r"Re-sync (\d+) errors in demo", "\n".join(program.wait_for("enter starts")))
        assert planned is not None
        assert int(planned[1]) > 10
        program.answer("enter starts")
        program.wait_for("Result", 90)
        program.press("escape")
        program.wait_for(f"{before - int(planned[1])} sync errors")
        # An escape and a letter that arrive together are one key: let the escape do its work first.
        program.wait_for(lambda lines: not any("Result" in line for line in lines))
        program.press("q")
        program.answer("enter leaves it off")  # the fix was a safeguard
        assert program.wait() == 0
        assert restored(program)


def test_typed_ahead_the_plan_comes_before_its_answer(tmp_path: Path) -> None:
    with app(tmp_path) as program:
        program.wait_for(READY)
        program.wait_for(" causes")
        program.press("cR")
        program.answer("enter starts")
        program.wait_for("Result", 90)
        program.press("q")
        assert program.wait() == 0


def count(lines: list[str]) -> int:
    match = re.search(r"([\d,]+) sync errors", "\n".join(lines))
    assert match is not None
    return int(match[1].replace(",", ""))
