"""Where this program keeps things, on each system, org notes too. `SYNCERR_HOME` puts all in one folder."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from syncerr_tui import __version__
from syncerr_tui.text import one_line

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.org_notes import OrgNotes


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of this program. None of them is created by looking."""

    config: Path
    """Profiles, org notes, keymap: what a person edits."""
    state: Path
    """Journals: what must survive."""
    log: Path
    cache: Path

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> Paths:
        home = environ.get("SYNCERR_HOME")
        if home:
            base = Path(os.path.expanduser(home))  # noqa: PTH111 - leaves the ~ of an unknown user as it is
            return cls(base / "config", base / "state", base / "log", base / "cache")
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("syncerr-tui", appauthor=False)
        return cls(dirs.user_config_path, dirs.user_state_path, dirs.user_log_path, dirs.user_cache_path)


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the configuration is looked for."""
    return _named_or_usual(environ, "SYNCERR_CONFIG", "config.toml")


def notes_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the org notes are looked for."""
    return _named_or_usual(environ, "SYNCERR_NOTES", "notes.toml")


def _named_or_usual(environ: Mapping[str, str], variable: str, usual: str) -> Path:
    """The file that a variable names, else the one of this name in the folder of the configuration."""
    wish = environ.get(variable, "")
    # `os.path.expanduser` never raises.
    return Path(os.path.expanduser(wish)) if wish else Paths.of(environ).config / usual  # noqa: PTH111


def org_notes(environ: Mapping[str, str] = os.environ, named: Path | None = None) -> OrgNotes | None:
    """The org notes; None where nobody has written any.

    Args:
        environ: `SYNCERR_NOTES` names the file; otherwise it is `notes.toml` beside the profiles, if there.
        named: The file, where a person has named it otherwise.

    Raises:
        BadInputError: The file cannot be read or understood; the words name file, line and key.
    """
    path = named or notes_path(environ)
    asked_for = named is not None or environ.get("SYNCERR_NOTES")
    if not asked_for and not path.is_file():
        return None
    from syncerr_tui.diagnosis.org_notes import load_notes

    return load_notes(path)


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
