"""The command line: one thin command per capability, each in its own module, imported when it is used.

stdout is for data, stderr for narration. Every command takes `--json`. Exit codes: `syncerr_tui.errors`.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import importlib
import os
import sys
from collections.abc import Mapping, Sequence

import click

from syncerr_tui.errors import ExitCode, SyncErrError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo", "Open the app on the embedded demo org, or serve that org."),
    "list": ("list_errors", "List the unresolved sync errors."),
    "explain": ("explain", "Say what an error means and what to do about it."),
    "causes": ("causes", "Group the sync errors by what has to be fixed, worst first."),
    "plan": ("plan", "Write down exactly what a re-sync would send, in which order."),
    "apply": ("apply", "Re-sync exactly what a plan file holds."),
    "resync": ("resync", "Plan, re-sync and prove, in one go."),
    "resume": ("resume", "Finish a run that was cut short."),
    "verify": ("verify", "Re-read the org and say what became of earlier runs."),
    "journal": ("journal", "Show what was re-synced, by whom, and what came of it."),
    "setup": ("setup", "Connect an org: a short guided flow that writes a profile."),
    "doctor": ("doctor", "Check an org, its profile and this machine."),
    "info": ("info", "Show where things are kept and what the terminal can do."),
}
"""Command -> its module in this package (which holds it as `command`) and its line in `--help`.

The lines stand here so that `--help` imports no command.
"""


_KINDS_OF_NUMBER = (
    ("is not a valid integer range", "is not a whole number"),
    ("is not a valid integer", "is not a whole number"),
    ("is not a valid float range", "is not a number"),
    ("is not a valid float", "is not a number"),
)
"""Click's words for a value that is no number, and ours."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


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
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            meant = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"There is no command {name!r}.{meant}", ctx=ctx)
        return super().resolve_command(ctx, args)


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code. Nothing but an exit code leaves this function."""
    _fill_closed_streams()
    from syncerr_tui.cli.root import root

    try:
        outcome = root.main(args=argv, prog_name="syncerr-tui", standalone_mode=False)
    except SyncErrError as error:
        complain(error.line)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.BAD_INPUT
    except click.ClickException as error:
        complain(_usage(error))
        return ExitCode.BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        complain("Interrupted.")
        return ExitCode.INTERRUPTED
    except SystemExit:
        # The reader of our stdout went away (`| head`), which click answers with an exit of its own: not a
        # failure, and Python must not complain about it at the end.
        _drop_output()
        return ExitCode.OK
    except OSError as error:
        if error.errno not in _NO_ROOM:
            return _defect(error)
        _drop_output()
        complain(f"The output cannot be written ({error.strerror}). Free the disk that it goes to.")
        return ExitCode.MACHINE
    except Exception as error:  # noqa: BLE001 - the last line of defence: one plain line, never locals
        return _defect(error)
    return outcome if isinstance(outcome, int) else ExitCode.OK


def _defect(error: Exception) -> int:
    from syncerr_tui.host.log import record_crash

    complain(record_crash(error))
    return ExitCode.DEFECT


def _drop_output() -> None:
    """Write nothing more to stdout, also not what is left in its buffer when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)


def _fill_closed_streams() -> None:
    """Stand in for what was closed before we began (`>&-`): what is opened next would take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def complain(line: str) -> None:
    """One line on stderr; where that cannot be written either, the exit code alone has to say it."""
    with contextlib.suppress(OSError):
        click.echo(f"syncerr-tui: {line}", err=True)


def _usage(error: click.ClickException) -> str:
    line = " ".join(error.format_message().split())
    for theirs, ours in _KINDS_OF_NUMBER:
        line = line.replace(theirs, ours)
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "syncerr-tui"
    return f"{line if line.endswith(('.', '?')) else line + '.'} See '{command} --help'."
