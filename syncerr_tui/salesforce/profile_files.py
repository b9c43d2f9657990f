"""Org profiles on disk: one TOML file for each org, read strictly and written atomically.

One file an org, because a profile is edited by hand: setting up another org then never rewrites somebody's
comments, and a typing error in one file does not lock a person out of the other orgs.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.files import TomlSource, create_file, replace_file
from syncerr_tui.salesforce import profile_schema
from syncerr_tui.salesforce.profiles import OrgProfile
from syncerr_tui.text import one_line

LARGEST = 256_000
"""Bytes of a profile."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


def valid_name(name: str) -> bool:
    """True where a profile may carry this name: it becomes a file name."""
    return _NAME.fullmatch(name) is not None


def profile_names(folder: Path) -> tuple[str, ...]:
    """The configured orgs, sorted. A folder that is not there holds none."""
    try:
        # Not `glob`: it takes a folder that may not be read for an empty one.
        names = os.listdir(folder)  # noqa: PTH208
    except FileNotFoundError:
        return ()
    except OSError as problem:
        raise MachineError(f"The folder {folder} cannot be read", one_line(problem.strerror or "")) from None
    stems = (name.removesuffix(".toml") for name in names if name.endswith(".toml"))
    return tuple(sorted(filter(valid_name, stems)))


def path_of(folder: Path, name: str) -> Path:
    """Where the profile of that name is kept.

    Raises:
        BadInputError: The name cannot be a file name.
    """
    if not valid_name(name):
        raise BadInputError(
            f"'{one_line(name)}' cannot be a profile's name",
            "Use letters, digits and . _ - @ + (at most 100)",
        )
    return folder / f"{name}.toml"


def read_profile(folder: Path, name: str) -> OrgProfile | None:
    """The profile of that name, or None where there is no such file.

    Raises:
        BadInputError: The file cannot be read or says something that a profile cannot say.
    """
    source = TomlSource.read(path_of(folder, name), LARGEST)
    return profile_schema.profile_of(source.tables(), source, name) if source is not None else None


def parse_profile(raw: bytes, path: Path, name: str) -> OrgProfile:
    """Read a profile's text; `path` is only named in errors."""
    source = TomlSource.of(path, raw)
    return profile_schema.profile_of(source.tables(), source, name)


def write_profile(folder: Path, profile: OrgProfile, *, replace: bool = False) -> Path:
    """Write a profile, mode 0600, whole or not at all. A replaced file stays beside it as `.toml.old`.

    Raises:
        BadInputError: There is a file already and `replace` is not set.
        MachineError: The disk or the folder refuses.
    """
    path = path_of(folder, profile.name)
    text = profile_schema.text_of(profile)
    assert parse_profile(text.encode(), path, profile.name) == profile
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _put(path, text, replace=replace)
    except FileExistsError:
        raise BadInputError(
            f"{path} is there already",
            "Edit it, choose another name, or add --replace to set up the org again",
        ) from None
    except OSError as problem:
        why = one_line(problem.strerror or type(problem).__name__)
        raise MachineError(f"{path} cannot be written: {why}", "Nothing was changed") from None
    return path


def confirm_done(folder: Path, name: str, values: Sequence[str]) -> OrgProfile:
    """Add status values that mean done to a profile; the rest of the file stays as it is.

    Raises:
        BadInputError: There is no such profile, it maps nothing, or a value means something else in it.
        MachineError: The disk or the folder refuses.
    """
    profile = read_profile(folder, name)
    if profile is None or profile.mapping is None:
        raise BadInputError(f"The profile {name} maps no names yet", "Run 'syncerr-tui setup' first")
    mapping = profile.mapping
    for value in values:
        if value in {*mapping.failed, *mapping.pending}:
            raise BadInputError(
                f"'{one_line(value)[:40]}' means something else in the profile {name}",
                "Take it out of failed or pending in its [mapping] first",
            )
    done = tuple(dict.fromkeys((*mapping.done, *values)))
    changed = dataclasses.replace(profile, mapping=dataclasses.replace(mapping, done=done))
    path = path_of(folder, name)
    text = profile_schema.with_line(path.read_text(encoding="utf-8"), "mapping", "done", done)
    if parse_profile(text.encode(), path, name) != changed:
        raise BadInputError(
            f"{path} is written in a way that cannot be added to",
            f"Add done = [{', '.join(repr(one) for one in done)}] to its [mapping] by hand",
        )
    try:
        _put(path, text, replace=True)
    except OSError as problem:
        why = one_line(problem.strerror or type(problem).__name__)
        raise MachineError(f"{path} cannot be written: {why}", "Nothing was changed") from None
    return changed


def _put(path: Path, text: str, *, replace: bool) -> None:
    if replace:
        replace_file(path, text, durable=True, backup=path.with_suffix(".toml.old"))
    else:
        create_file(path, text, durable=True)
