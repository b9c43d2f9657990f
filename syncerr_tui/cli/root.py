"""`syncerr-tui` itself: with a command it runs that, without one it opens the app."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from syncerr_tui import __version__
from syncerr_tui.cli._commands import LateGroup
from syncerr_tui.cli._options import complete_org
from syncerr_tui.errors import ExitCode


@click.group(
    cls=LateGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 not all fixed, 2 bad input, 3 unreachable, 4 not logged in, 5 refused, "
    "6 this machine, 70 a defect, 130 interrupted, 143 terminated.",
)
@click.version_option(__version__, prog_name="syncerr-tui")
@click.option(
    "--org",
    metavar="NAME",
    shell_complete=complete_org,
    help="Open the app on this org: a profile, or an alias of the sf CLI.",
)
@click.option(
    "--snapshot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Open the app, read-only, on what 'syncerr-tui snapshot' has written.",
)
@click.option("--read-only", is_flag=True, help="Open the app without anything that changes the org.")
@click.pass_context
def root(context: click.Context, org: str | None, *, snapshot: Path | None, read_only: bool) -> int:
    """Clear StoreConnect sync errors: see what blocks, fix it, re-sync, prove it worked.

    Without a command the app opens: on the configured org, or on the embedded demo org as long as there
    is none.
    """
    if context.invoked_subcommand is not None:
        _hand_on(context, {"org": org, "read_only": read_only or None, "snapshot": snapshot})
        return ExitCode.OK
    if snapshot is not None:
        return _open_snapshot(org, snapshot)
    return _open_app(org, read_only=read_only)


def _hand_on(context: click.Context, given: Mapping[str, object]) -> None:
    """What stands before a command counts as written after it, where the command takes it."""
    name = context.invoked_subcommand or ""
    found = context.command.get_command(context, name) if isinstance(context.command, click.Group) else None
    known = {option.name for option in found.params} if found else set()
    wanted = {option: value for option, value in given.items() if value is not None}
    # A command without --read-only changes no org.
    if "org" in wanted and "org" not in known:
        raise click.UsageError(f"'{name}' is not about one org: leave --org out", ctx=context)
    context.default_map = {name: wanted}


def _open_snapshot(org: str | None, snapshot: Path) -> int:
    from syncerr_tui.cli._connect import open_snapshot
    from syncerr_tui.cli._options import choice_of
    from syncerr_tui.salesforce.snapshot import read_snapshot
    from syncerr_tui.ui.launch import launch

    choice_of(org=org, demo=False, read_only=True, snapshot=snapshot)
    name = read_snapshot(snapshot).org.name  # a file that is none is told before the screen is taken
    welcome = "A snapshot: nothing in it changes, and nothing is sent from here."
    return launch(lambda: open_snapshot(snapshot), org=name, read_only=True, welcome=welcome)


def _open_app(org: str | None, *, read_only: bool) -> int:
    from syncerr_tui.cli._connect import default_choice
    from syncerr_tui.cli.demo import launch_demo
    from syncerr_tui.ui.launch import launch_org

    choice = default_choice(org, read_only=read_only)
    if choice.org is not None:
        return launch_org(choice.org, read_only=choice.read_only)
    assert choice.demo is not None
    return launch_demo(choice.demo, read_only=choice.read_only, welcome=_unconfigured())


def _unconfigured() -> str:
    """What to say where there is no org yet, with the person's own keys."""
    from syncerr_tui.host.config import read_config

    actions = read_config().actions
    connects, shows = (actions.key_of(name, unicode=False) for name in ("setup", "help"))
    return f"No org is configured: this is the demo org. {connects} connects yours, {shows} shows the keys."
