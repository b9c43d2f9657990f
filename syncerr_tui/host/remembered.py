"""The files that remember something of one org between two starts, for their owner only.

In the state folder what a person did in the app; in the cache folder the org's names: one file with names and
labels of objects, fields and picklist values, another with where Flows, rules, triggers and classes are.
Nothing of a record, and no secret. What is read back is as little trusted as an org's answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from syncerr_tui.diagnosis.org_metadata import (
    KeptAnswer,
    OrgMetadata,
    answers_of_payload,
    answers_payload,
    metadata_of_payload,
    metadata_payload,
)
from syncerr_tui.errors import DAMAGED, BadInputError, MachineError
from syncerr_tui.files import replace_file
from syncerr_tui.host.paths import Paths
from syncerr_tui.model import Environment, OrgIdentity

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


VERSION = 1
LARGEST = 20_000_000
"""Bytes; an org of 2,000 objects needs some hundred thousand."""


class MetadataCache:
    """The names of one org.

    Args:
        folder: The cache folder; made when something is kept.
        org_id: The organization id: names of two orgs never mix.
    """

    def __init__(self, folder: Path, org_id: str) -> None:
        self._names, self._answers = _path(folder, "names", org_id), _path(folder, "places", org_id)

    def load(self) -> OrgMetadata | None:
        """The dictionary that was kept; None where there is nothing that can be read."""
        try:
            return metadata_of_payload(_cached(self._names))
        except (OSError, *DAMAGED):
            return None

    def save(self, metadata: OrgMetadata) -> None:
        """Keep the dictionary, whole or not at all. Never raises: a cache is a comfort."""
        _cache(self._names, {"version": VERSION, **metadata_payload(metadata)})

    def load_answers(self) -> dict[str, KeptAnswer]:
        """Where Flows, rules and code are, by the query that was asked; nothing where nothing can be read."""
        try:
            return answers_of_payload(_cached(self._answers)["answers"])
        except (OSError, *DAMAGED):
            return {}

    def save_answers(self, answers: Mapping[str, KeptAnswer]) -> None:
        """Keep them, whole or not at all. Never raises."""
        _cache(self._answers, {"version": VERSION, "answers": answers_payload(answers)})


def kept_names(org: OrgIdentity, environ: Mapping[str, str] = os.environ) -> MetadataCache | None:
    """Where an org's names are kept between two starts; those of a demo org are gone with it."""
    demo = org.environment is Environment.DEMO
    return None if demo else MetadataCache(Paths.of(environ).cache, org.org_id)


def _cached(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LARGEST:
        raise ValueError(path)
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict) or value.get("version") != VERSION:
        raise ValueError(path)
    return value


def _cache(path: Path, value: object) -> None:
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, json.dumps(value))
