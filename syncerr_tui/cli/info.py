"""`syncerr-tui info`: where everything is kept and read, what is drawn on this terminal and why, the keys."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from syncerr_tui import __version__
from syncerr_tui.cli._console import as_json, emit, emit_json, json_option
from syncerr_tui.cli._options import configured_orgs, profile_folder
from syncerr_tui.errors import ExitCode, SyncErrError


@click.command()
@json_option("As one JSON object.")
@click.option("--keys", is_flag=True, help="Every action of the app with its name in [keys] and its keys.")
def command(*, keys: bool) -> int:
    """Show every path, the configured orgs, and what is drawn on this terminal and why."""
    if keys:
        return _list_keys()
    facts = gather_facts()
    if as_json():
        emit_json(facts)
        return ExitCode.OK
    for name, value in facts.items():
        if isinstance(value, dict) and value:
            emit(f"{name}:")
            for key, item in value.items():
                emit(f"  {key:14} {_spoken(item)}")
        else:
            emit(f"{name:14} {_spoken(value)}")
    return ExitCode.OK


def gather_facts() -> dict[str, Any]:
    """Everything that `info` says, as data. Nothing is created by looking."""
    from syncerr_tui.host.config import Config, read_config
    from syncerr_tui.host.paths import Paths, config_path, notes_path
    from syncerr_tui.host.terminal import terminal_profile
    from syncerr_tui.salesforce.profile_files import profile_names

    paths = Paths.of()
    both_ends = sys.stdin.isatty() and sys.stdout.isatty()
    problems = []
    try:
        config = read_config()
    except SyncErrError as problem:
        config = Config()
        problems.append(problem.line)
    terminal = terminal_profile(
        os.environ,
        is_terminal=both_ends,
        encoding=sys.stdout.encoding or "ascii",
        preferences=config.terminal,
    )
    try:
        orgs: list[str] | str = list(configured_orgs())
        journals = {name: _journal(name) for name in profile_names(profile_folder())}
    except SyncErrError as problem:
        orgs, journals = problem.line, {}
    read = {
        "config.toml": config_path(),
        "house notes": notes_path(),
        **{f"org {name}": profile_folder() / f"{name}.toml" for name in journals},
    }
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
        },
        "reads": {
            name: {"path": str(path), "exists": os.access(path, os.F_OK)} for name, path in read.items()
        },
        "problems": problems,
        "orgs": orgs,
        "journals": journals,
        "terminal": {
            "usable": terminal.usable,
            "colour": terminal.colour.value,
            "background": terminal.background.value,
            "unicode": terminal.unicode,
            "mouse": terminal.mouse,
            "because": list(terminal.reasons),
        },
    }


def _list_keys() -> int:
    from syncerr_tui.host.config import read_config
    from syncerr_tui.triage.keymap import key_label

    actions = read_config().actions
    if as_json():
        emit_json({action.id: [key_label(key, unicode=False) for key in action.keys] for action in actions})
        return ExitCode.OK
    for action in actions:
        keys = "  ".join(key_label(key, unicode=False) for key in action.keys)
        emit(f"{action.id:18} {keys:26} {action.label}")
    return ExitCode.OK


def _journal(name: str) -> str:
    """Where the journal of an org is; nobody is asked."""
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.journal.database import Server
    from syncerr_tui.journal.places import journal_folder, shared_place
    from syncerr_tui.salesforce.profile_files import read_profile

    try:
        profile = read_profile(profile_folder(), name)
        place = shared_place(profile.journal if profile else "")
    except SyncErrError as problem:
        return problem.line
    return place.name if isinstance(place, Server) else str(place or journal_folder(Paths.of().state))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _spoken(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case {"path": path, "exists": exists}:
            return f"{path}{'' if exists else ' (not there)'}"
        case list():
            return "; ".join(str(item).rstrip(".") for item in value) or "none"
        case {}:
            return "none"
        case _:
            return str(value)
