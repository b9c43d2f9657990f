"""An org's names on disk, in the cache folder: two files for each org, for their owner only.

One holds names and labels of objects, fields and picklist values, the other where Flows, rules, triggers and
classes are: nothing of a record, and no secret. What is read back is as little trusted as an org's answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from syncerr_tui.diagnosis.org_metadata import (
    KeptAnswer,
    OrgMetadata,
    answers_of_payload,
    answers_payload,
    metadata_of_payload,
    metadata_payload,
)
from syncerr_tui.files import replace_file
from syncerr_tui.host.paths import Paths
from syncerr_tui.model import Environment, OrgIdentity

VERSION = 1
LARGEST = 20_000_000
"""Bytes; an org of 2,000 objects needs some hundred thousand."""
_UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class MetadataCache:
    """The names of one org.

    Args:
        folder: The cache folder; made when something is kept.
        org_id: The organization id: names of two orgs never mix.
    """

    def __init__(self, folder: Path, org_id: str) -> None:
        org = "".join(filter(str.isalnum, org_id))[:18]
        self._names, self._answers = folder / f"names-{org}.json", folder / f"places-{org}.json"

    def load(self) -> OrgMetadata | None:
        """The dictionary that was kept; None where there is nothing that can be read."""
        try:
            return metadata_of_payload(_read(self._names))
        except _UNREADABLE:
            return None

    def save(self, metadata: OrgMetadata) -> None:
        """Keep the dictionary, whole or not at all. Never raises: a cache is a comfort."""
        _write(self._names, {"version": VERSION, **metadata_payload(metadata)})

    def load_answers(self) -> dict[str, KeptAnswer]:
        """Where Flows, rules and code are, by the query that was asked; nothing where nothing can be read."""
        try:
            return answers_of_payload(_read(self._answers)["answers"])
        except _UNREADABLE:
            return {}

    def save_answers(self, answers: Mapping[str, KeptAnswer]) -> None:
        """Keep them, whole or not at all. Never raises."""
        _write(self._answers, {"version": VERSION, "answers": answers_payload(answers)})


def kept_names(org: OrgIdentity, environ: Mapping[str, str] = os.environ) -> MetadataCache | None:
    """Where an org's names are kept between two starts; those of a demo org are gone with it."""
    demo = org.environment is Environment.DEMO
    return None if demo else MetadataCache(Paths.of(environ).cache, org.org_id)


def _read(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LARGEST:
        raise ValueError(path)
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict) or value.get("version") != VERSION:
        raise ValueError(path)
    return value


def _write(path: Path, value: object) -> None:
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, json.dumps(value))
