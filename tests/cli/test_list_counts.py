"""`list --count-by`, and filters that are patterns or stand under a name."""

from __future__ import annotations

import pytest

from syncerr_tui.errors import ExitCode
from tests.cli.conftest import Shell

pytestmark = pytest.mark.usefixtures("listed")


@pytest.mark.parametrize("field", ["object", "event", "code", "day", "cause"])
def test_each_count_is_that_of_its_filter(shell: Shell, field: str) -> None:
    counts = shell("list", "--count-by", field, "--json").lines
    total = len(shell("list", "--json").lines)
    assert sum(line["count"] for line in counts) == total
    for line in (counts[0], counts[-1]):
        filtered = shell("list", "--json", "--filter", line["filter"]).lines
        assert len(filtered) == line["count"], line


def test_a_count_of_what_a_filter_keeps_is_a_table_for_people(shell: Shell) -> None:
    output = shell("list", "--count-by", "object", "--filter", "/^order/", "--limit", "1")
    assert output.out.split()[1] in {"Order", "OrderItem"}
    assert output.err.endswith("sync errors, 2 values.\n")


@pytest.mark.parametrize("more", [["--sort", "code"], ["--fields", "id"], ["--causes"], ["--format", "csv"]])
def test_a_count_has_no_rows_to_sort_or_to_write(shell: Shell, more: list[str]) -> None:
    output = shell("list", "--count-by", "code", *more)
    assert output.code == ExitCode.BAD_INPUT
    assert "--count-by" in output.err


def test_a_bad_pattern_is_one_plain_line(shell: Shell) -> None:
    output = shell("resync", "--filter", "/(/", "--yes")
    assert output.code == ExitCode.BAD_INPUT
    assert output.err.startswith("syncerr-tui: The pattern /(/ cannot be read")


def test_a_saved_filter_works_in_every_command_that_filters(shell: Shell) -> None:
    config = shell.home / "config" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('[filters]\n"late ones" = "object:Order age:>1h"\n')
    by_name = shell("list", "--json", "--filter", 'saved:"late ones"').lines
    assert by_name == shell("list", "--json", "--filter", "object:Order age:>1h").lines
    assert by_name
    assert shell("plan", "--filter", 'saved:"late ones"', "--only").code == ExitCode.OK
    assert shell("causes", "--filter", "saved:none").code == ExitCode.BAD_INPUT
    config.write_text("[filters]\nnight = 3\n")
    assert shell("list", "--filter", "object:Order").code == ExitCode.OK
    output = shell("list", "--filter", "saved:night")
    assert (output.code, "config.toml:2" in output.err) == (ExitCode.BAD_INPUT, True)
