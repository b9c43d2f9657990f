"""The commands, each in a module of its own that is imported when it is asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping

import click

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo", "Open the app on the embedded demo org, or serve that org."),
    "list": ("list_errors", "List the unresolved sync errors."),
    "explain": ("explain", "Say what an error means and what to do about it."),
    "causes": ("causes", "Group the sync errors by what has to be fixed, worst first."),
    "fix": ("fix", "Show what in the org would have to be changed for an error, and change it."),
    "safeguards": ("safeguards", "List what is switched off until it is on again, and put it back."),
    "plan": ("plan", "Write down exactly what a re-sync would send, in which order."),
    "apply": ("apply", "Re-sync exactly what a plan file holds."),
    "resync": ("resync", "Plan, re-sync and prove, in one go."),
    "resume": ("resume", "Finish a run that was cut short."),
    "verify": ("verify", "Re-read the org and say what became of earlier runs."),
    "note": ("note", "Say something about errors: a note, who works on it, a ticket, a snooze."),
    "report": ("report", "Hand over: what was open, what was done with proof, what is left."),
    "snapshot": ("snapshot", "Take the list along in a file, to look at it where there is no org."),
    "watch": ("watch", "Look again and again: say what is new and cleared, and tell people."),
    "journal": ("journal", "Show what was re-synced, by whom, and what came of it."),
    "setup": ("setup", "Connect an org: a short guided flow that writes a profile."),
    "learn-button": ("learn_button", "Find the Re-sync button's call in a browser's recording."),
    "doctor": ("doctor", "Check an org, its profile and this machine."),
    "info": ("info", "Show where things are kept and what the terminal can do."),
}
"""Command -> its module in this package (which holds it as `command`) and its line in `--help`.

The lines stand here so that `--help` imports no command.
"""


class LateGroup(click.Group):
    """A group whose commands are imported only when one is asked for: `--help` stays under 120 ms."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"syncerr_tui.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
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
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.7)
    return f" Did you mean '{near[0]}'?" if near else ""
