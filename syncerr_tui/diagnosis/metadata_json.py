"""An org's names as JSON, for the cache and for snapshots; read with as little trust as an org's answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syncerr_tui.diagnosis.org_metadata import Described, FieldEntry, ObjectEntry, OrgMetadata
from syncerr_tui.diagnosis.resolved import KeptAnswer
from syncerr_tui.text import one_line


def metadata_payload(metadata: OrgMetadata) -> dict[str, Any]:
    """A dictionary of names."""
    return {
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


def metadata_of_payload(value: Mapping[str, Any]) -> OrgMetadata:
    """Raises: ValueError, TypeError, KeyError, AttributeError: It is none."""
    return OrgMetadata(
        tuple(ObjectEntry(*map(_text, row)) for row in value["objects"]),
        moment(value["read_at"]) if value["read_at"] else None,
        {
            _text(name): Described(
                tuple(
                    FieldEntry(_text(field), _text(label), tuple(map(_text, values)))
                    for field, label, values in described["fields"]
                ),
                moment(described["read_at"]),
            )
            for name, described in value["described"].items()
        },
    )


def answers_payload(answers: Mapping[str, KeptAnswer]) -> dict[str, Any]:
    """Where Flows, rules and code are, by the query that was asked."""
    return {query: [answer.read_at.isoformat(), answer.rows] for query, answer in answers.items()}


def answers_of_payload(value: Mapping[str, Any]) -> dict[str, KeptAnswer]:
    """Raises: ValueError, TypeError, KeyError, AttributeError: They are none."""
    return {
        str(query): KeptAnswer(
            tuple({_text(name): _text(text) for name, text in row.items()} for row in rows), moment(read_at)
        )
        for query, (read_at, rows) in value.items()
    }


def moment(value: str) -> datetime:
    """An aware time. Raises: ValueError, TypeError: It is none."""
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(value)
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return one_line(value)
