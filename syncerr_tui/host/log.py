"""The log: what a person is asked for when something went wrong. Never a secret, never a local variable."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

from syncerr_tui import __version__
from syncerr_tui.host.paths import Paths
from syncerr_tui.text import one_line


def record_crash(error: BaseException) -> str:
    """Write where the program failed to the log, and give the one line that says so.

    Only file, line and function names are written, and the type of the error: its text may quote an
    org's answer, and a local variable may hold a token.
    """
    folder = Paths.of().log
    entry = f"{datetime.now(UTC).isoformat()} {__version__}\n{''.join(_frames(error))}"
    path = folder / "crash.log"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Without waiting: whatever stands there under this name, a crash is told at once.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(path, flags, 0o600), "a", encoding="utf-8", errors="replace") as log:
            log.write(entry)
    except OSError as problem:
        return (
            f"A defect in this program stopped it ({type(error).__name__}), and the log could not be written "
            f"({one_line(problem.strerror or type(problem).__name__)})."
        )
    return f"A defect in this program stopped it ({type(error).__name__}). Please report it with {path}."


def _frames(error: BaseException) -> Iterator[str]:
    """Type, file, line and function of an error and of what led to it, the first cause last."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield f"{type(at).__name__}\n"
        for frame in traceback.extract_tb(at.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}\n"
        # A framework's wrapper (Textual's WorkerFailed) keeps what it wraps as `error`.
        inner = getattr(at, "error", None)
        at = inner if isinstance(inner, BaseException) else at.__cause__ or at.__context__
