"""`report`: a night on the demo org, handed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

DEMO = ("--demo", "--errors", "30", "--processing-delay", "0")


def test_a_night_is_handed_over(shell: Shell, tmp_path: Path) -> None:
    demo = (*DEMO, "--db", str(tmp_path / "org.db"))
    before = shell("list", *demo, "--json").lines
    shell("resync", *demo, "--all", "--yes", "--json", "--reason", "the trigger is mended")
    after = shell("list", *demo, "--json").lines
    output = shell("report", *demo, "--format", "json")
    (made,) = output.lines
    assert output.code == 0
    assert (made["was_open"] + made["came"], made["left"]) == (len(before), len(after))
    assert made["done"] == len(before) - len(after) > 0
    assert made["runs"][0]["reason"] == "the trigger is mended"
    proven = [row for row in made["rows"] if row["verdict"] == "FIXED"]
    assert len(proven) == made["done"]
    assert all(row["records"] or row["event_type"] == "Delete" for row in proven)
    text = shell("report", *demo, "--since", "run").out
    assert text.startswith("# Sync errors of demo")
    assert "the trigger is mended" in text
    page = shell("report", *demo, "--format", "html").out
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")


def test_people_of_the_shop_are_in_it_only_on_request(shell: Shell) -> None:
    rows = shell("list", "--demo", "--json").lines
    people = {word.strip("[](),.;:'\"") for row in rows for word in row["message"].split() if "@" in word}
    assert people
    masked = json.dumps(shell("report", "--demo", "--format", "json").lines)
    assert not [one for one in people if one in masked]


@pytest.mark.parametrize("since", ["8", "yesterday", "-1h", "h", "9999999d", "999999w"])
def test_a_time_that_cannot_be_read_is_refused(shell: Shell, since: str) -> None:
    output = shell("report", "--demo", "--since", since)
    assert (output.code, output.out) == (2, "")
    assert "90m, 8h, 2d or run" in output.err
