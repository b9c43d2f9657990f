"""Reads an org's names from `describe`, keeps them, and reads them again when they are old."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from syncerr_tui.diagnosis.model import Diagnosis
from syncerr_tui.diagnosis.org_metadata import (
    Described,
    FieldEntry,
    KeptAnswer,
    ObjectEntry,
    OrgMetadata,
    objects_meant,
)
from syncerr_tui.errors import NotLoggedInError, SyncErrError
from syncerr_tui.salesforce.reading import text

FRESH = timedelta(hours=24)
"""How long names are taken for right. A value that was added today is worth a look tomorrow."""
MOST_OBJECTS = 3
"""Objects described for one error: each is a call."""


class DescribeLookup(Protocol):
    """What is needed of an org. `salesforce.client.ApiClient` has it."""

    async def describe_global(self) -> list[dict[str, Any]]: ...

    async def describe(self, object_name: str, *, fresh: bool = False) -> dict[str, Any]: ...


class MetadataStore(Protocol):
    """Where names and places are kept between two starts (`host.remembered.MetadataCache`). What cannot
    be read is not there, and saving never raises: a cache is a comfort.
    """

    def load(self) -> OrgMetadata | None: ...

    def save(self, metadata: OrgMetadata) -> None: ...

    def load_answers(self) -> dict[str, KeptAnswer]:
        """Where Flows, rules and code are, by the query that was asked."""
        ...

    def save_answers(self, answers: Mapping[str, KeptAnswer]) -> None: ...


class OrgDictionary:
    """An org's names, read piece by piece as errors ask for them."""

    def __init__(
        self,
        lookup: DescribeLookup,
        store: MetadataStore | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._lookup = lookup
        self._store = store
        self._clock = clock
        self._loaded = store is None
        self.metadata = OrgMetadata()

    async def covering(self, diagnosis: Diagnosis, object_name: str | None) -> OrgMetadata:
        """The names that a diagnosis needs. What the org refuses to tell stays unknown.

        Raises:
            NotLoggedInError: The session ended.
        """
        before = self.metadata
        if not self._loaded and self._store is not None:
            self._loaded = True
            stored = await asyncio.to_thread(self._store.load)
            before = self.metadata = self.metadata if stored is None else stored
        if self._is_old(self.metadata.read_at):
            await self._read_objects()
        for name in self._wanted(diagnosis, object_name):
            known = self.metadata.described.get(name)
            if known is None or self._is_old(known.read_at):
                await self._read_fields(name)
        if self._store is not None and self.metadata is not before:
            await asyncio.to_thread(self._store.save, self.metadata)
        return self.metadata

    def _is_old(self, read_at: datetime | None) -> bool:
        return read_at is None or not timedelta() <= self._clock() - read_at < FRESH

    def _wanted(self, diagnosis: Diagnosis, object_name: str | None) -> list[str]:
        known = {entry.name for entry in self.metadata.objects}
        names = (
            name
            for failure in diagnosis.each
            if failure.fields
            for name in objects_meant(failure, object_name, self.metadata)
        )
        return [name for name in dict.fromkeys(names) if name in known][:MOST_OBJECTS]

    async def _read_objects(self) -> None:
        try:
            rows = await self._lookup.describe_global()
        except NotLoggedInError:
            raise
        except SyncErrError:
            return
        objects = tuple(
            ObjectEntry(*(text(row, key) for key in ("name", "label", "labelPlural", "keyPrefix")))
            for row in rows
        )
        self.metadata = replace(self.metadata, objects=objects, read_at=self._clock())

    async def _read_fields(self, name: str) -> None:
        try:
            described = await self._lookup.describe(name, fresh=name in self.metadata.described)
        except NotLoggedInError:
            raise
        except SyncErrError:
            return
        fields = tuple(_field(row) for row in described.get("fields", ()))
        read = Described(fields, self._clock())
        self.metadata = replace(self.metadata, described={**self.metadata.described, name: read})


def _field(row: dict[str, Any]) -> FieldEntry:
    values = (
        text(value, "value")
        for value in row.get("picklistValues") or ()
        if isinstance(value, dict) and value.get("active") is not False
    )
    return FieldEntry(text(row, "name"), text(row, "label"), tuple(filter(None, values)))
