"""The parts of README.md that are made from the code: `python -m tests.readme` writes them anew.

A part stands between `<!-- name -->` and `<!-- /name -->`; a test says when one is stale.
"""

from __future__ import annotations

import re
from pathlib import Path

from syncerr_tui.cli import COMMANDS
from syncerr_tui.errors import ExitCode, __doc__ as about_errors
from syncerr_tui.triage.actions import ACTIONS, Action
from syncerr_tui.triage.filter import __doc__ as about_filters

README = Path(__file__).parent.parent / "README.md"
_SHOWN = {
    "slash": "/",
    "equals_sign": "=",
    "number_sign": "#",
    "vertical_line": "\\|",
    "question_mark": "?",
    "comma": ",",
    "colon": ":",
    "full_stop": ".",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pagedown": "page down",
    "pageup": "page up",
}


def key_name(key: str) -> str:
    """A key as it is printed on a keyboard."""
    return _SHOWN.get(key, key)


def keys() -> str:
    """Every key, by what it is for."""
    lines = ["| keys | | |", "|---|---|---|"]
    group = ""
    for action in ACTIONS:
        if action.group != group:
            group = action.group
            lines.append(f"| | **{group}** | |")
        lines.append(f"| {_keys_of(action)} | {action.label} | {action.help.replace('|', '¦')} |")
    return "\n".join(lines)


def _keys_of(action: Action) -> str:
    return " ".join(f"`{key_name(key)}`" for key in action.keys)


def filters() -> str:
    """The table of the filter language."""
    return _table(about_filters or "")


def commands() -> str:
    """Every command with its line."""
    return "\n".join(
        [
            "| command | |",
            "|---|---|",
            *(f"| `{name}` | {line} |" for name, (_module, line) in COMMANDS.items()),
        ]
    )


def exit_codes() -> str:
    """The exit codes with their meaning."""
    return _table(about_errors or "")


def _table(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


PARTS = {"keys": keys, "filters": filters, "commands": commands, "exit codes": exit_codes}


def renewed(text: str) -> str:
    """The README with every made part as the code has it now."""
    for name, make in PARTS.items():
        opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
        pattern = re.compile(f"{re.escape(opening)}.*?{re.escape(closing)}", re.DOTALL)
        part = f"{opening}\n\n{make()}\n\n{closing}".replace("\\", r"\\")
        text, times = pattern.subn(part, text)
        if times != 1:
            raise LookupError(f"README.md has {times} parts called {name!r}, not one")
    return text


def all_exit_codes_are_told() -> bool:
    """Whether the table names each exit code."""
    return all(f"| {code.value} |" in exit_codes() for code in ExitCode)


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
