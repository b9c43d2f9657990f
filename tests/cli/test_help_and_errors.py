"""What the help shows, and how a command says that it could not do what was asked."""

from __future__ import annotations

import json

import click
import pytest

from syncerr_tui.cli import COMMANDS, LateGroup
from syncerr_tui.cli.root import root
from tests.cli.conftest import Shell

WRONG = (
    ("list", "--demo", "--filtr", "x"),
    ("list", "--demo", "--filter", "event:foo"),
    ("list", "--limit", "x"),
    ("causes", "--org", "nope"),
    ("resync", "--demo", "--id", "x"),
    ("apply",),
    ("explain", "NOPE"),
    ("demo",),
    ("safeguards", "--restore-all", "--restore", "x"),
)


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_with_json_a_failure_is_one_json_line_of_one_shape(shell: Shell, words: tuple[str, ...]) -> None:
    output = shell(*words, "--json")
    failure = json.loads(output.err.splitlines()[-1])
    assert list(failure) == ["error", "hint", "exit_code"]
    assert failure["exit_code"] == output.code != 0
    assert not output.out
    if words != ("demo",):
        plain = shell(*words).err.splitlines()[-1]
        assert failure["error"] in plain
        assert plain.endswith(failure["hint"])


def test_the_format_counts_as_json_too_and_an_argument_does_not(shell: Shell) -> None:
    assert json.loads(shell("list", "--demo", "--format=jsonl", "--limit", "0").err)["exit_code"] == 2
    assert json.loads(shell("list", "--demo", "--format", "json", "--limit", "0").err)["exit_code"] == 2
    assert shell("explain", "--", "--json").err.startswith("syncerr-tui: ")


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_failure_ends_with_a_full_stop(shell: Shell, words: tuple[str, ...]) -> None:
    if words != ("demo",):
        assert shell(*words).err.rstrip("\n").endswith((".", "?"))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--filtr", "--filter"),
        ("--formt", "--format"),
        ("--bogus", None),
        ("--run", None),
        ("--jsn", "--json"),
    ],
)
def test_an_option_is_guessed_only_where_one_is_near(shell: Shell, typed: str, meant: str | None) -> None:
    output = shell("list", "--demo", typed)
    assert output.code == 2
    assert output.err.startswith(f"syncerr-tui: There is no option '{typed}'.")
    assert (f"Did you mean '{meant}'?" in output.err) == (meant is not None)
    assert output.err.count("Did you mean") == (meant is not None)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_settings_of_the_demo_stand_in_its_own_help_alone(name: str) -> None:
    assert isinstance(root, LateGroup)
    context = root.make_context("syncerr-tui", [name], resilient_parsing=True)
    command = root.get_command(context, name)
    assert command is not None
    text = command.get_help(click.Context(command, info_name=name))
    assert ("--processing-delay" in text) == (name == "demo")
    assert "RANGE" not in text
