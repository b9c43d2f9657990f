"""The file that remembers how a person wants the table of one org: in the state folder, for nobody else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.triage.layout import USUAL, Layouts, as_text, of_text

_LONGEST = 65_536
"""Bytes. Two arrangements take one thousand."""


def read(folder: Path, org_id: str) -> Layouts:
    """What is remembered; as usual where nothing is.

    Raises:
        BadInputError: There is a file, but none of ours.
    """
    path = _path(folder, org_id)
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST + 1)
    except FileNotFoundError:
        return USUAL
    except OSError as problem:
        raise BadInputError(
            f"{path} cannot be read", f"{problem.strerror}. The columns are as usual"
        ) from None
    try:
        return of_text(text[:_LONGEST].decode("utf-8", "replace"))
    except BadInputError as problem:
        raise BadInputError(f"{problem.title}: {path}", problem.hint) from None


def write(folder: Path, org_id: str, layouts: Layouts) -> None:
    """Remember it, whole or not at all.

    Raises:
        MachineError: The disk does not take it.
    """
    path = _path(folder, org_id)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=folder, prefix=".layout-")  # 0600
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(as_text(layouts))
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as problem:
        hint = f"{problem.strerror}: {path}"
        raise MachineError("The columns and the panel cannot be remembered", hint) from None


def _path(folder: Path, org_id: str) -> Path:
    return folder / f"layout-{''.join(filter(str.isalnum, org_id))[:18]}.json"
