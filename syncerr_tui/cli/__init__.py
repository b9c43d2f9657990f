"""The command line: one thin command per capability, each in its own module, imported when it is used.

stdout is for data, stderr for narration. Every command takes `--json`. Exit codes: `syncerr_tui.errors`.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence

import click

from syncerr_tui.errors import ExitCode, SyncErrError

COMMANDS: Mapping[str, str] = {
    "demo": "syncerr_tui.cli.demo",
    "list": "syncerr_tui.cli.list_errors",
    "explain": "syncerr_tui.cli.explain",
    "causes": "syncerr_tui.cli.causes",
    "plan": "syncerr_tui.cli.plan",
    "apply": "syncerr_tui.cli.apply",
    "resync": "syncerr_tui.cli.resync",
    "resume": "syncerr_tui.cli.resume",
    "verify": "syncerr_tui.cli.verify",
    "journal": "syncerr_tui.cli.journal",
    "setup": "syncerr_tui.cli.setup",
    "doctor": "syncerr_tui.cli.doctor",
    "info": "syncerr_tui.cli.info",
}
"""Command name -> module that holds it as `command`. The order is the order of `--help`."""


class LateGroup(click.Group):
    """A group whose commands are imported only when one is asked for: `--help` stays under 120 ms."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(module).command
        return command


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code. Nothing but an exit code leaves this function."""
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
    except BrokenPipeError:
        # The reader of our stdout went away (`| head`): not a failure, and Python must not say so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:  # noqa: BLE001 - the last line of defence: one plain line, never locals
        from syncerr_tui.host.log import record_crash

        complain(record_crash(error))
        return ExitCode.DEFECT
    return outcome if isinstance(outcome, int) else ExitCode.OK


def complain(line: str) -> None:
    """One line on stderr."""
    click.echo(f"syncerr-tui: {line}", err=True)


def _usage(error: click.ClickException) -> str:
    line = " ".join(error.format_message().split())
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "syncerr-tui"
    return f"{line.rstrip('.')}. See '{command} --help'."
