"""The README says what the code does: made parts are fresh, pictures exist, commands are real."""

from __future__ import annotations

import re

from syncerr_tui.cli import COMMANDS, LateGroup
from syncerr_tui.cli._running import NOT_SENT
from syncerr_tui.cli.root import root
from syncerr_tui.model import Verdict
from tests.readme import README, all_exit_codes_are_told, renewed

TEXT = README.read_text(encoding="utf-8")


def test_what_is_made_from_the_code_is_fresh() -> None:
    assert renewed(TEXT) == TEXT, "run: python -m tests.readme"


def test_every_picture_is_there() -> None:
    pictures = re.findall(r"\]\((screenshots/[^)]+)\)", TEXT)
    assert pictures
    assert [name for name in pictures if not (README.parent / name).is_file()] == []


def test_a_screenshot_stands_on_the_first_screen() -> None:
    assert "](screenshots/" in "\n".join(TEXT.splitlines()[:12])


def test_every_command_is_real_and_says_in_help_what_the_list_says() -> None:
    assert isinstance(root, LateGroup)
    for name, (_module, line) in COMMANDS.items():
        context = root.make_context("syncerr-tui", [name], resilient_parsing=True)
        command = root.get_command(context, name)
        assert command is not None
        assert line.endswith("."), name
        assert command.help, name


def test_every_exit_code_is_told() -> None:
    assert all_exit_codes_are_told()


def test_every_word_that_a_row_can_end_with_is_told() -> None:
    table = TEXT[TEXT.index("| verdict | means |") :].split("\n\n")[0]
    verdicts = re.findall(r"^\| ([A-Z ]+) \|", table, re.MULTILINE)
    assert sorted(verdicts) == sorted([*(verdict.value for verdict in Verdict), NOT_SENT])


def test_a_command_in_the_readme_exists() -> None:
    named = set(re.findall(r"syncerr-tui (?!-)([a-z]+(?:-[a-z]+)*)", TEXT)) - {"and", "is"}
    assert named <= set(COMMANDS), named - set(COMMANDS)
