"""Where this program keeps things, on each system. `SYNCERR_HOME` puts all of it under one folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


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
        """The folders for this person on this machine."""
        home = environ.get("SYNCERR_HOME")
        if home:
            base = Path(os.path.expanduser(home))  # noqa: PTH111 - leaves the ~ of an unknown user as it is
            return cls(base / "config", base / "state", base / "log", base / "cache")
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("syncerr-tui", appauthor=False)
        return cls(dirs.user_config_path, dirs.user_state_path, dirs.user_log_path, dirs.user_cache_path)
