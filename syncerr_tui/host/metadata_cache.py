"""An org's names on disk, in the cache folder: one file for each org, for its owner only.

It holds names and labels of objects, fields and picklist values: nothing of a record, and no secret.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from syncerr_tui.diagnosis.org_metadata import Described, FieldEntry, ObjectEntry, OrgMetadata

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
        self._path = folder / f"names-{''.join(filter(str.isalnum, org_id))[:18]}.json"

    def load(self) -> OrgMetadata | None:
        """What was kept; None where there is nothing that can be read."""
        try:
            if self._path.stat().st_size > LARGEST:
                return None
            return _from_json(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def save(self, metadata: OrgMetadata) -> None:
        """Keep it, whole or not at all. Never raises: a cache is a comfort."""
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".names-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(_to_json(metadata), file)
                Path(name).replace(self._path)
            except OSError:
                Path(name).unlink(missing_ok=True)


def _to_json(metadata: OrgMetadata) -> dict[str, object]:
    return {
        "version": VERSION,
        "read_at": metadata.read_at.isoformat() if metadata.read_at else None,
        "objects": [[entry.name, entry.label, entry.plural, entry.prefix] for entry in metadata.objects],
        "described": {
            name: {
                "read_at": described.read_at.isoformat(),
                "fields": [[entry.name, entry.label, list(entry.values)] for entry in described.fields],
            }
            for name, described in metadata.described.items()
        },
    }


def _from_json(value: Any) -> OrgMetadata | None:  # noqa: ANN401 - whatever somebody wrote there
    if not isinstance(value, dict) or value.get("version") != VERSION:
        return None
    return OrgMetadata(
        tuple(ObjectEntry(*map(_text, row)) for row in value["objects"]),
        datetime.fromisoformat(value["read_at"]) if value["read_at"] else None,
        {
            _text(name): Described(
                tuple(
                    FieldEntry(_text(field), _text(label), tuple(map(_text, values)))
                    for field, label, values in described["fields"]
                ),
                datetime.fromisoformat(described["read_at"]),
            )
            for name, described in value["described"].items()
        },
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
