"""Where this program keeps things, on each system, org notes too. `SYNCERR_HOME` puts all in one folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
    """Where the configuration is looked for: the file that SYNCERR_CONFIG names, else `config.toml` in the
    folder of the configuration.
    """
    wish = environ.get("SYNCERR_CONFIG", "")
    # `os.path.expanduser` never raises.
    return Path(os.path.expanduser(wish)) if wish else Paths.of(environ).config / "config.toml"  # noqa: PTH111


def notes_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the org notes are looked for: the file that SYNCERR_NOTES names, else `notes.toml` beside the
    profiles.
    """
    wish = environ.get("SYNCERR_NOTES", "")
    # `os.path.expanduser` never raises.
    return Path(os.path.expanduser(wish)) if wish else Paths.of(environ).config / "notes.toml"  # noqa: PTH111


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
    from syncerr_tui.diagnosis.org_notes import load

    return load(path)
