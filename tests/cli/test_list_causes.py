"""`list --causes`: each error with its cause and with what it waits for."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell

pytestmark = pytest.mark.usefixtures("listed")


def test_each_error_names_its_cause_and_what_it_waits_for(shell: Shell) -> None:
    output = shell("list", "--causes", "--json")
    causes = {line["key"]: line for line in shell("causes", "--json").lines}
    assert {line["cause"] for line in output.lines} == set(causes)
    ids = {line["id"] for line in output.lines}
    waiting = [line for line in output.lines if line["waits_for"] is not None]
    assert len(waiting) > len(output.lines) / 3
    for line in waiting:
        assert line["waits_for"] in ids - {line["id"]}
        assert line["id"] not in causes[line["cause"]]["roots"]
    assert output.err.endswith(f"sync errors, {len(causes)} causes.\n")


def test_filter_and_limit_count_here_too(shell: Shell) -> None:
    output = shell("list", "--causes", "--json", "--filter", "object:Order", "--limit", "2")
    assert [line["object"] for line in output.lines] == ["Order", "Order"]
    assert " of " in output.err
    assert list(output.lines[0])[-2:] == ["cause", "waits_for"]


def test_plain_lines_begin_with_the_id_as_every_list_does_then_comes_what_is_waited_for(shell: Shell) -> None:
    output = shell("list", "--causes")
    assert output.out.split()[:3] == ["ID", "WAITS", "FOR"]


def test_causes_say_how_each_is_planned(shell: Shell) -> None:
    output = shell("causes")
    row = output.out.partition("to plan it: --cause ")[2].split()[0]
    worst = shell("causes", "--json").lines[0]
    assert row in worst["roots"]
