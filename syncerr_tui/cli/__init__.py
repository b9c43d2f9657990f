"""The command line: one thin command per capability, each in its own module, imported when it is used.

stdout is for data, stderr for narration. Every command takes `--json`. Exit codes: `syncerr_tui.errors`.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime

import click

from syncerr_tui.cli._console import choose_form_of_failures, complain, drop, prepare_streams, say
from syncerr_tui.cli.root import COMMANDS, LateGroup, did_you_mean
from syncerr_tui.errors import BadInputError, ExitCode, MachineError, SyncErrError

__all__ = ["COMMANDS", "LateGroup", "run"]

_KINDS_OF_NUMBER = (
    ("is not a valid integer range", "is not a whole number"),
    ("is not a valid integer", "is not a whole number"),
    ("is not a valid float range", "is not a number"),
    ("is not a valid float", "is not a number"),
)
"""Click's words for a value that is no number, and ours."""
_COMPLETE = "_SYNCERR_TUI_COMPLETE"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code. Nothing but an exit code leaves this function."""
    prepare_streams()
    choose_form_of_failures(sys.argv[1:] if argv is None else argv)
    try:
        return _run(argv)
    except SyncErrError as error:
        complain(error)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        say(*error.format_message().splitlines())
        return ExitCode.BAD_INPUT
    except click.ClickException as error:
        complain(_usage(error))
        return ExitCode.BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        complain(SyncErrError("Interrupted"), ExitCode.INTERRUPTED)
        return ExitCode.INTERRUPTED
    except SystemExit:
        # The reader of our stdout went away (`| head`), which click answers with an exit of its own: not a
        # failure, and Python must not complain about it at the end.
        drop(1)
        return ExitCode.OK
    except OSError as error:
        return _machine_failed(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: one plain line, never locals
        return _defect(error)


def _run(argv: Sequence[str] | None) -> int:
    from syncerr_tui.cli.root import root

    if os.environ.get(_COMPLETE):
        return _complete(root)
    _replace_odd_time_zone()
    outcome = root.main(args=argv, prog_name="syncerr-tui", standalone_mode=False)
    return outcome if isinstance(outcome, int) else ExitCode.OK


def _complete(root: click.Command) -> int:
    """Answer the shell, which asks through environment variables what may come next."""
    from click.shell_completion import shell_complete

    try:
        if shell_complete(root, {}, "syncerr-tui", _COMPLETE, os.environ[_COMPLETE]) == 0:
            return ExitCode.OK
    except (KeyError, ValueError):  # COMP_WORDS or COMP_CWORD is missing or odd
        pass
    raise BadInputError(
        f"{_COMPLETE} is set, and no shell asks for a completion in the usual way",
        f"Unset {_COMPLETE}; README.md says how completion is switched on",
    )


def _replace_odd_time_zone() -> None:
    """Go on in UTC where TZ names a zone that no date can be in, such as `UTC+99`."""
    try:
        datetime.now().astimezone()
    except (ValueError, OverflowError, OSError):
        say("TZ names a time zone that does not exist: times are shown in UTC.")
        os.environ["TZ"] = "UTC"
        time.tzset()


def _machine_failed(error: OSError) -> int:
    """A failure of a file or a folder that nobody has put into words yet."""
    if error.errno in _NO_ROOM:
        drop(1)
        complain(
            MachineError(f"The output cannot be written ({error.strerror})", "Free some space on that disk")
        )
        return ExitCode.MACHINE
    if error.filename is None or error.strerror is None:
        return _defect(error)
    title = f"{error.filename} cannot be used ({error.strerror})"
    complain(MachineError(title, "Check the path and its permissions"))
    return ExitCode.MACHINE


def _defect(error: Exception) -> int:
    from syncerr_tui.host.paths import record_crash

    complain(SyncErrError(record_crash(error)))
    return ExitCode.DEFECT


def _usage(error: click.ClickException) -> BadInputError:
    line = _no_such_option(error) or " ".join(error.format_message().split())
    for theirs, ours in _KINDS_OF_NUMBER:
        line = line.replace(theirs, ours)
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "syncerr-tui"
    return BadInputError(line.removesuffix("."), f"See '{command} --help'")


def _no_such_option(error: click.ClickException) -> str:
    """Click's guesses are far away ('--org' for '--bogus'): one that is near, or none."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return ""
    shown = (
        name
        for option in error.ctx.command.params
        if isinstance(option, click.Option)
        for name in option.opts
    )
    return f"There is no option '{error.option_name}'.{did_you_mean(error.option_name, shown)}"
