"""One exception tree. Every failure a person can meet says what happened and what to do next.

The exit codes are part of the interface of every command and never change their meaning:

| code | means |
|---|---|
| 0 | done; for `resync`, `apply`, `resume` and `verify`: every row is FIXED or resolved elsewhere |
| 1 | the command worked, but a row is not FIXED, a change in the org is not seen, or a check failed |
| 2 | bad input: a wrong flag, an unknown id, an unreadable filter or file. Nothing was changed |
| 3 | the org could not be reached or did not answer in time |
| 4 | not logged in, or the session expired |
| 5 | refused: read-only, no permission, a limit, another run holds the rows, the plan no longer fits |
| 6 | this machine failed: disk full, a damaged file, no terminal |
| 70 | a defect in this program; the line names the log |
| 129 | the terminal went away (SIGHUP) while the app was open; what was in flight has been recorded |
| 130 | interrupted with ctrl-c; what was in flight has been recorded |
| 131 | told to quit (SIGQUIT) while the app was open, as with 129 |
| 134 | told to abort (SIGABRT) while the app was open, as with 129 |
| 143 | terminated (SIGTERM) during a run, as with ctrl-c |
"""

from __future__ import annotations

from enum import IntEnum

from syncerr_tui.words import full_stop

DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What comes of reading back what we have written, where it is something else by now."""


class ExitCode(IntEnum):
    """What the process says when it ends. See the table in this module's docstring."""

    OK = 0
    NOT_ALL_FIXED = 1
    BAD_INPUT = 2
    UNREACHABLE = 3
    NOT_LOGGED_IN = 4
    REFUSED = 5
    MACHINE = 6
    DEFECT = 70
    HUNG_UP = 129
    INTERRUPTED = 130
    QUIT = 131
    ABORTED = 134
    TERMINATED = 143


class SyncErrError(Exception):
    """A failure in words a person can act on.

    Args:
        title: What happened, one plain sentence without a full stop. Never a secret, never raw org text.
        hint: What to do next, one sentence; empty only where there is nothing to do.
    """

    exit_code: ExitCode = ExitCode.DEFECT

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.hint = full_stop(hint)

    @property
    def line(self) -> str:
        """Title and hint as the one line that stderr, a toast or the status line shows."""
        return f"{full_stop(self.title)} {self.hint}".strip()

    def __str__(self) -> str:
        return self.line


class BadInputError(SyncErrError):
    """What the person gave cannot be used. Nothing was changed."""

    exit_code = ExitCode.BAD_INPUT


class UnreachableError(SyncErrError):
    """The org did not answer, or not in time, or not in Salesforce's language."""

    exit_code = ExitCode.UNREACHABLE


class NotLoggedInError(SyncErrError):
    """No session, or one that has expired and could not be renewed."""

    exit_code = ExitCode.NOT_LOGGED_IN


class RefusedError(SyncErrError):
    """Something that may not be done: permission, limit, read-only, a plan that no longer fits."""

    exit_code = ExitCode.REFUSED


class MachineError(SyncErrError):
    """This machine is the trouble: disk, files, terminal."""

    exit_code = ExitCode.MACHINE


class OutcomeUnknownError(SyncErrError):
    """A request that changes something left this machine and no answer came back.

    The only safe next step is to re-read the org. Whoever catches this must not send again before that.
    """

    exit_code = ExitCode.UNREACHABLE

    def __init__(
        self, title: str, hint: str = "The rows are read again before anything else is sent"
    ) -> None:
        super().__init__(title, hint)


class NotSentError(SyncErrError):
    """A request certainly never reached the org (refused connection, unknown host): it may be sent again."""

    exit_code = ExitCode.UNREACHABLE
