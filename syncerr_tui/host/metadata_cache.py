"""An org's names on disk, in the cache folder: two files for each org, for their owner only.

One holds names and labels of objects, fields and picklist values, the other where Flows, rules, triggers and
classes are: nothing of a record, and no secret. What is read back is as little trusted as an org's answer.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from syncerr_tui.diagnosis.org_metadata import Described, FieldEntry, ObjectEntry, OrgMetadata
from syncerr_tui.diagnosis.resolved import KeptAnswer
from syncerr_tui.text import one_line

VERSION = 1
LARGEST = 20_000_000
"""Bytes; an org of 2,000 objects needs some hundred thousand."""
_UNREADABLE = (OSError, ValueError, TypeError, KeyError, RecursionError)


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
            return _metadata(_read(self._names))
        except _UNREADABLE:
            return None

    def save(self, metadata: OrgMetadata) -> None:
        """Keep the dictionary, whole or not at all. Never raises: a cache is a comfort."""
        _write(self._names, _to_json(metadata))

    def load_answers(self) -> dict[str, KeptAnswer]:
        """Where Flows, rules and code are, by the query that was asked; nothing where nothing can be read."""
        try:
            return {
                str(query): KeptAnswer(
                    tuple({_text(name): _text(text) for name, text in row.items()} for row in rows),
                    _moment(read_at),
                )
                for query, (read_at, rows) in _read(self._answers)["answers"].items()
            }
        except (*_UNREADABLE, AttributeError):
            return {}

    def save_answers(self, answers: Mapping[str, KeptAnswer]) -> None:
        """Keep them, whole or not at all. Never raises."""
        kept = {query: [answer.read_at.isoformat(), answer.rows] for query, answer in answers.items()}
        _write(self._answers, {"version": VERSION, "answers": kept})


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
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".names-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(value, file)
            Path(name).replace(path)
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


def _metadata(value: dict[str, Any]) -> OrgMetadata:
    return OrgMetadata(
        tuple(ObjectEntry(*map(_text, row)) for row in value["objects"]),
        _moment(value["read_at"]) if value["read_at"] else None,
        {
            _text(name): Described(
                tuple(
                    FieldEntry(_text(field), _text(label), tuple(map(_text, values)))
                    for field, label, values in described["fields"]
                ),
                _moment(described["read_at"]),
            )
            for name, described in value["described"].items()
        },
    )


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return one_line(value)
