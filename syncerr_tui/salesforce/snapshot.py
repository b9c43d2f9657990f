"""A list of errors taken along in a file: read where there is no org, and never changed from there.

In it are the errors, what the org said about their parents, the org's names and where its Flows and rules
are. No login and no secret is. What is read back is as little trusted as an org's answer.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from syncerr_tui.diagnosis.evidence import ParentRef
from syncerr_tui.diagnosis.identifiers import is_id
from syncerr_tui.diagnosis.org_metadata import (
    KeptAnswer,
    OrgMetadata,
    answers_of_payload,
    answers_payload,
    aware_time,
    metadata_of_payload,
    metadata_payload,
)
from syncerr_tui.errors import DAMAGED, BadInputError, RefusedError
from syncerr_tui.files import create_file, read_json, reading, writing
from syncerr_tui.fixes.org import KnownFixes, SnapshotFacts
from syncerr_tui.model import Environment, OrgIdentity, RecordSeen, SyncError, chunks
from syncerr_tui.resync.org import MethodInfo, Receipt, RequestPreview
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.concurrency import Token, TokenProvider
from syncerr_tui.salesforce.metadata_lookup import MetadataLookup, MetadataStore, OrgDictionary
from syncerr_tui.salesforce.methods import Check
from syncerr_tui.salesforce.profiles import FieldMapping, OrgProfile
from syncerr_tui.salesforce.reading import EventReader
from syncerr_tui.salesforce.session import OrgSession
from syncerr_tui.stopwatch import Leaving
from syncerr_tui.text import one_line

FORMAT, VERSION = "syncerr-tui snapshot", 1
LARGEST = 500_000_000
"""Bytes; 100,000 errors take some 60 million."""
_PAGE = 2000


class MemoryMetadataStore:
    """What a session has read of an org's names, kept in memory."""

    def __init__(
        self, metadata: OrgMetadata | None = None, answers: Mapping[str, KeptAnswer] | None = None
    ) -> None:
        self.metadata = metadata
        self.answers = dict(answers or {})

    def load(self) -> OrgMetadata | None:
        return self.metadata

    def save(self, metadata: OrgMetadata) -> None:
        self.metadata = metadata

    def load_answers(self) -> dict[str, KeptAnswer]:
        return dict(self.answers)

    def save_answers(self, answers: Mapping[str, KeptAnswer]) -> None:
        self.answers = dict(answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(SnapshotFacts):
    """What was taken along."""

    method: MethodInfo
    event_object: str
    record_key: str
    parents: Mapping[str, tuple[ParentRef, ...]]
    present: frozenset[tuple[str, str]]
    """Parents (object, StoreConnect ID) that are in Salesforce."""
    metadata: OrgMetadata | None = None
    answers: Mapping[str, KeptAnswer] = field(default_factory=dict)

    def payload(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "taken_at": self.taken_at.isoformat(),
            "org": asdict(self.org),
            "method": asdict(self.method),
            "event_object": self.event_object,
            "record_key": self.record_key,
            "errors": [error.stored() for error in self.errors],
            "parents": {
                row: [[ref.object, ref.storeconnect_id, ref.field] for ref in refs]
                for row, refs in self.parents.items()
            },
            "present": sorted(map(list, self.present)),
            "names": metadata_payload(self.metadata) if self.metadata else None,
            "places": answers_payload(self.answers),
            "fixes": [{"errors": list(one.errors), "options": list(one.options)} for one in self.fixes],
        }

    def write(self, path: Path) -> None:
        """Write it to a new file for its owner only.

        Raises:
            BadInputError: There is such a file already.
            MachineError: It cannot be written.
        """
        with writing(path, "Name another file", taken="Name a new file"):
            create_file(path, json.dumps(self.payload(), ensure_ascii=False))


def read_snapshot(path: Path) -> Snapshot:
    """Read a file that `Snapshot.write` has written, here or elsewhere.

    Raises:
        BadInputError: It cannot be read, is none, or a newer version wrote it.
    """
    shown = one_line(str(path))
    try:
        with reading(f"The snapshot {path}"):
            document = read_json(path, LARGEST)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadInputError(f"{shown} is not a snapshot", "Take one with 'syncerr-tui snapshot -o FILE'")
    if document.get("version") != VERSION:
        raise BadInputError(
            f"The snapshot {shown} was written by another version of this program",
            "Take a new one, or use the version that wrote it",
        )
    try:
        return replace(_snapshot(document), path=path)
    except DAMAGED:
        raise BadInputError(f"The snapshot {shown} is damaged", "Take a new one") from None


def _snapshot(payload: Mapping[str, Any]) -> Snapshot:
    org = payload["org"]
    errors = tuple(SyncError.of_payload(row) for row in payload["errors"])
    if not is_id(org["org_id"]) or not all(is_id(error.id) for error in errors):
        raise ValueError
    return Snapshot(
        taken_at=aware_time(payload["taken_at"]),
        org=OrgIdentity(
            name=_word(org["name"]),
            org_id=_word(org["org_id"]),
            environment=Environment(org["environment"]),
            username=_word(org["username"]),
            instance_url=_word(org["instance_url"]),
        ),
        method=_method(payload["method"]),
        event_object=_word(payload["event_object"]),
        record_key=_word(payload["record_key"]),
        errors=errors,
        parents={
            _word(row): tuple(ParentRef(*map(_word, ref)) for ref in refs)
            for row, refs in payload["parents"].items()
        },
        present=frozenset((_word(name), _word(key)) for name, key in payload["present"]),
        metadata=metadata_of_payload(payload["names"]) if payload["names"] else None,
        answers=answers_of_payload(payload["places"]),
        fixes=tuple(
            KnownFixes(tuple(map(_word, one["errors"])), tuple(map(dict, one["options"])))
            for one in payload["fixes"]
        ),
    )


def _method(payload: Mapping[str, Any]) -> MethodInfo:
    size, concurrency = (
        payload["batch_size"],
        payload.get("concurrency", payload.get("lanes")),
    )  # its former name
    if type(size) is not int or type(concurrency) is not int or size < 1 or concurrency < 1:
        raise ValueError
    return MethodInfo(
        name=_word(payload["name"]),
        label=_word(payload["label"]),
        guided=payload["guided"] is True,
        address=_word(payload["address"]) if payload["address"] is not None else None,
        batch_size=size,
        concurrency=concurrency,
        first_alone=payload["first_alone"] is True,
    )


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return one_line(value)


class SnapshotSession(OrgSession):
    """A snapshot in place of an org. Whatever would ask the org is refused in one line."""

    def __init__(self, snapshot: Snapshot) -> None:
        taken_at = f"{snapshot.taken_at.astimezone():%Y-%m-%d %H:%M}"
        refused = RefusedError(
            f"This is a snapshot of {taken_at}, not the org", "Connect to the org for that"
        )
        org = snapshot.org
        identity = replace(org, name=f"{org.name} as of {taken_at}")
        mapping = FieldMapping(
            object_name=snapshot.event_object,
            object="Id",
            event_type="Id",
            processed_at="Id",
            storeconnect_id="Id",
            message="Id",
            status="Id",
            failed=(),
            record_key=snapshot.record_key,
        )
        profile = OrgProfile(org.name, read_only=True, org_id=org.org_id, mapping=mapping)

        def no_login() -> Token:
            raise refused

        client = ApiClient(TokenProvider(no_login, next_step="Connect to the org for that"))
        super().__init__(client, identity, EventReader(mapping), _NoMethod(snapshot.method, refused), profile)
        self.snapshot: Snapshot = snapshot
        self._names = MemoryMetadataStore(snapshot.metadata, snapshot.answers)
        self.total = len(snapshot.errors)

    def name_resolver(self, store: MetadataStore | None = None) -> MetadataLookup:
        return MetadataLookup(self.client, self.identity.instance_url, self._names, self._then)

    def dictionary(self, store: MetadataStore | None = None) -> OrgDictionary:
        return OrgDictionary(self.client, self._names, self._then)

    async def errors(self) -> AsyncGenerator[tuple[SyncError, ...], None]:
        for page in chunks(self.snapshot.errors, _PAGE):
            yield tuple(page)

    async def parents(self, errors: Sequence[SyncError]) -> Mapping[str, tuple[ParentRef, ...]]:
        return {e.id: self.snapshot.parents[e.id] for e in errors if e.id in self.snapshot.parents}

    async def read_error(self, event_id: str) -> SyncError | None:
        return next((error for error in self.snapshot.errors if error.id == event_id), None)

    async def find_records(
        self, object_name: str, storeconnect_ids: Sequence[str]
    ) -> Mapping[str, tuple[RecordSeen, ...]]:
        """Parents that were there then; nothing else is known."""
        return {
            key: (RecordSeen("", key, self.snapshot.taken_at),)
            for key in storeconnect_ids
            if (object_name, key) in self.snapshot.present
        }

    async def now(self) -> datetime:
        """The moment of the snapshot."""
        return self.snapshot.taken_at

    def _then(self) -> datetime:
        return self.snapshot.taken_at


class _NoMethod:
    """How the org re-syncs is known, for a plan that is carried back; nothing is sent from here."""

    def __init__(self, info: MethodInfo, refused: RefusedError) -> None:
        self.info = info
        self._refused = refused

    async def check(self) -> list[Check]:
        raise self._refused

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview | None:
        raise self._refused

    async def request(self, errors: Sequence[SyncError], leaving: Leaving | None = None) -> list[Receipt]:
        raise self._refused
