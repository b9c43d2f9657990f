"""A file that a person asked for: new, for nobody else to read, where they are or where there is room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from syncerr_tui.errors import MachineError
from syncerr_tui.files import create_file

_NUMBERS = 100
"""Files of one name that may be there already."""


def write_new(folders: Sequence[Path], name: str, ending: str, lines: Iterable[str]) -> Path:
    """Write the lines to a new file in the first folder that takes it.

    Args:
        folders: Where to try, in this order; they are made where they are not there.
        name: What the file is called, as far as that name is free.
        ending: Its ending without a dot.
        lines: What stands in it.

    Raises:
        MachineError: No folder takes it.
    """
    text = "".join(f"{line}\n" for line in lines)
    problem: OSError = FileExistsError()
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _write(folder, name, ending, text).absolute()
        except OSError as trouble:
            problem = trouble
    raise MachineError(
        f"The file cannot be written ({problem.strerror or 'too many of its name'})",
        f"Make room in {folders[-1]}, or use 'syncerr-tui list --format {ending}'",
    )


def _write(folder: Path, name: str, ending: str, text: str) -> Path:
    for number in range(1, _NUMBERS):
        path = folder / f"{name}{f'-{number}' if number > 1 else ''}.{ending}"
        try:
            create_file(path, text)
        except FileExistsError:
            continue
        return path
    raise FileExistsError
