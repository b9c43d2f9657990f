"""Writing to `config.toml` without touching what a person wrote there: comments and order stay."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.files import TomlSource, replace_file
from syncerr_tui.host.config import LARGEST, Config, config_path, filter_name_trouble, parse


def save_filter(name: str, text: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Keep a filter under a name; one of this name is replaced.

    Returns:
        The file that it stands in now.

    Raises:
        BadInputError: The name cannot be one, or the file has a mistake or cannot be changed without risk.
        MachineError: The disk does not take it.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    trouble = filter_name_trouble(name)
    if trouble:
        raise BadInputError(trouble, "Choose another name")
    path = config_path(environ)
    by_hand = BadInputError(
        f"{path} cannot be changed without touching what you wrote",
        f"Add to its [filters] yourself: {tomlkit.item(name).as_string()} = {tomlkit.item(text).as_string()}",
    )
    source = TomlSource.read(path, LARGEST)
    before = parse(source) if source is not None else Config()
    try:
        document = tomlkit.parse(source.text if source is not None else "")
        if "filters" not in document:
            document["filters"] = tomlkit.table()
        document["filters"][name] = text
        written = tomlkit.dumps(document)
        after = parse(TomlSource(path, written))
    except (TOMLKitError, BadInputError, TypeError, KeyError):
        raise by_hand from None
    if after.filters != {**before.filters, name: text}:
        raise by_hand
    _write(path, written)
    return path


def _write(path: Path, text: str) -> None:
    """Whole or not at all; where the file is a link, what it leads to."""
    try:
        target = path.resolve()
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        replace_file(target, text, mode)
    except OSError as problem:
        raise MachineError(f"{path} cannot be written", f"{problem.strerror}") from None
