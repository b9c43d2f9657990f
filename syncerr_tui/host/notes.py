"""Where an organisation's org notes are kept on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from syncerr_tui.host.paths import Paths

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.org_notes import OrgNotes


def org_notes(environ: Mapping[str, str] = os.environ, named: Path | None = None) -> OrgNotes | None:
    """The org notes; None where nobody has written any.

    Args:
        environ: `SYNCERR_NOTES` names the file; otherwise it is `notes.toml` beside the profiles, if there.
        named: The file, where a person has named it otherwise.

    Raises:
        BadInputError: The file cannot be read or understood; the words name file, line and key.
    """
    wish = environ.get("SYNCERR_NOTES", "")
    path = named or (Path(os.path.expanduser(wish)) if wish else None)  # noqa: PTH111 - never raises
    usual = Paths.of(environ).config / "notes.toml"
    if path is None and not usual.is_file():
        return None
    from syncerr_tui.diagnosis.org_notes import load

    return load(path or usual)
