"""The files that remember what a person did in the app for one org: in the state folder, for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.files import replace_file

Remembered = TypeVar("Remembered")

_LONGEST = 65_536
"""Bytes. Two arrangements of columns take one thousand."""


def read(
    folder: Path, kind: str, org_id: str, of_text: Callable[[str], Remembered], usual: Remembered
) -> Remembered:
    """What is remembered.

    Args:
        folder: Where the file is.
        kind: What it remembers: the beginning of its name.
        org_id: Whose.
        of_text: Reads what was written. Raises `BadInputError` for anything else.
        usual: What holds where nothing is remembered.

    Raises:
        BadInputError: There is a file, but none of ours.
    """
    path = _path(folder, kind, org_id)
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST + 1)
    except FileNotFoundError:
        return usual
    except OSError as problem:
        raise BadInputError(f"{path} cannot be read", f"{problem.strerror}. It is left out") from None
    try:
        return of_text(text[:_LONGEST].decode("utf-8", "replace"))
    except BadInputError as problem:
        raise BadInputError(f"{problem.title}: {path}", problem.hint) from None


def write(folder: Path, kind: str, org_id: str, text: str) -> None:
    """Remember it, whole or not at all.

    Raises:
        MachineError: The disk does not take it.
    """
    path = _path(folder, kind, org_id)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, text)
    except OSError as problem:
        hint = f"{problem.strerror}: {path}"
        raise MachineError(f"The {kind} of this org cannot be remembered", hint) from None


def _path(folder: Path, kind: str, org_id: str) -> Path:
    return folder / f"{kind}-{''.join(filter(str.isalnum, org_id))[:18]}.json"
