"""`syncerr-tui info`: where everything is kept, and which terminal profile is chosen and why."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from syncerr_tui import __version__
from syncerr_tui.cli._console import emit, emit_json
from syncerr_tui.cli._options import configured_orgs, profile_folder
from syncerr_tui.errors import ExitCode, SyncErrError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def command(*, as_json: bool) -> int:
    """Show every path, the configured orgs, and what is drawn on this terminal and why."""
    found = gather()
    if as_json:
        emit_json(found)
        return ExitCode.OK
    for name, value in found.items():
        if isinstance(value, dict):
            emit(f"{name}:")
            for key, item in value.items():
                emit(f"  {key:12} {_spoken(item)}")
        else:
            emit(f"{name:14} {_spoken(value)}")
    return ExitCode.OK


def gather() -> dict[str, Any]:
    """Everything that `info` says, as data. Nothing is created by looking."""
    from syncerr_tui.host.notes import notes_path
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.host.terminal import terminal_profile

    paths = Paths.of()
    both_ends = sys.stdin.isatty() and sys.stdout.isatty()
    terminal = terminal_profile(os.environ, is_terminal=both_ends, encoding=sys.stdout.encoding or "ascii")
    try:
        orgs: list[str] | str = list(configured_orgs())
    except SyncErrError as problem:
        orgs = problem.line
    return {
        "version": __version__,
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in ("textual", "simple-salesforce", "click")},
        "paths": {
            "config": str(paths.config),
            "profiles": str(profile_folder()),
            "state": str(paths.state),
            "log": str(paths.log),
            "cache": str(paths.cache),
            "notes": str(notes_path()),
        },
        "orgs": orgs,
        "terminal": {
            "usable": terminal.usable,
            "colour": terminal.colour.value,
            "background": terminal.background.value,
            "unicode": terminal.unicode,
            "mouse": terminal.mouse,
            "because": list(terminal.reasons),
        },
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _spoken(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return "; ".join(str(item).rstrip(".") for item in value) or "none"
        case _:
            return str(value)
