"""`syncerr-tui` itself: with a command it runs that, without one it opens the app."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from syncerr_tui import __version__
from syncerr_tui.errors import ExitCode

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo", "Open the app on the embedded demo org, or serve that org."),
    "list": ("list_errors", "List the unresolved sync errors."),
    "explain": ("explain", "Say what an error means and what to do about it."),
    "causes": ("causes", "Group the sync errors by what has to be fixed, worst first."),
    "fix": ("fix", "Show which change in the org would fix an error, and make it."),
    "safeguards": ("safeguards", "List the safeguards that are switched off, and put them back."),
    "plan": ("plan", "Write down exactly what a re-sync would send, in which order."),
    "apply": ("apply", "Re-sync exactly what a plan file holds."),
    "resync": ("resync", "Plan, re-sync and prove, in one go."),
    "resume": ("resume", "Finish a run that was cut short."),
    "verify": ("verify", "Re-read the org and say what became of earlier runs."),
    "note": ("note", "Annotate errors: a note, who works on them, a ticket, a snooze."),
    "report": ("report", "Write a hand-over report: what was open, what was done with proof, what is left."),
    "snapshot": ("snapshot", "Save the list to a file, to work on it without the org."),
    "watch": ("watch", "Watch the list: report what is new and cleared, and notify people."),
    "journal": ("journal", "Show what was re-synced, by whom, and what came of it."),
    "setup": ("setup", "Connect an org: a few questions, then its profile is written."),
    "learn-button": ("learn_button", "Find the Re-sync button's call in a browser's recording."),
    "doctor": ("doctor", "Check an org, its profile and this machine."),
    "info": ("info", "Show where files are kept and what the terminal can do."),
}
"""Command -> its module in this package (which holds it as `command`) and its line in `--help`.

The lines stand here so that `--help` imports no command.
"""


def _complete_org(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from syncerr_tui.cli._options import complete_org

    return complete_org(context, parameter, incomplete)


class LateGroup(click.Group):
    """A group whose commands are imported only when one is asked for: `--help` stays under 120 ms."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"syncerr_tui.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        gc.enable()  # Off since the start: see `__main__`.
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_module, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; where there is none of that name, say which one is near."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise click.UsageError(f"There is no command {name!r}.{did_you_mean(name, COMMANDS)}", ctx=ctx)
        return super().resolve_command(ctx, args)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """` Did you mean 'list'?`, where one of the names is near."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(names), n=1, cutoff=0.7)
    return f" Did you mean '{near[0]}'?" if near else ""


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
    shell_complete=_complete_org,
    help="Open the app on this org: a profile, or an alias of the sf CLI.",
)
@click.option(
    "--snapshot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Open the app, read-only, on what 'syncerr-tui snapshot' has written.",
)
@click.option("--read-only", is_flag=True, help="Open the app read-only: nothing in it can change the org.")
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


def _hand_on(context: click.Context, options: Mapping[str, object]) -> None:
    """What stands before a command counts as written after it, where the command takes it."""
    name = context.invoked_subcommand or ""
    command = context.command.get_command(context, name) if isinstance(context.command, click.Group) else None
    known = {option.name for option in command.params} if command else set()
    set_options = {option: value for option, value in options.items() if value is not None}
    # A command without --read-only changes no org.
    if "org" in set_options and "org" not in known:
        raise click.UsageError(f"'{name}' is not about one org: leave --org out", ctx=context)
    context.default_map = {name: set_options}


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
