"""An org and a connection that tests hold in their hands: every answer can be set, held back or spoilt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from syncerr_tui.diagnosis.evidence import ParentRef
from syncerr_tui.diagnosis.org_metadata import OrgMetadata
from syncerr_tui.errors import RefusedError, SyncErrError
from syncerr_tui.fixes.org import FixFacts, FixPolicy
from syncerr_tui.model import (
    ApiUsage,
    Environment,
    EventSeen,
    EventStanding,
    OrgIdentity,
    RecordSeen,
    SyncError,
)
from syncerr_tui.resync.org import MethodInfo, Receipt
from syncerr_tui.salesforce.profiles import OrgProfile
from syncerr_tui.stopwatch import Leaving
from tests.factories import NOW, salesforce_id, sync_error

IDENTITY = OrgIdentity(
    name="acme-prod",
    org_id="00D5g000004AbcDEAS",
    environment=Environment.PRODUCTION,
    username="ana@acme.example",
    instance_url="https://acme.my.salesforce.com",
)


class FakeOrg:
    """An org whose failed events become records as soon as their blocker is repaired."""

    def __init__(self, errors: Sequence[SyncError]) -> None:
        self.identity = IDENTITY
        self.method = MethodInfo("apex", "Apex action s_c__ResyncAction", batch_size=2, concurrency=2)
        self.failed = {error.id: error for error in errors}
        self.records: dict[str, RecordSeen] = {}
        self.repaired: set[str] = set()
        self.requests: list[tuple[str, ...]] = []
        self.open = asyncio.Event()
        """Requests are answered while this is set."""
        self.open.set()
        self._time = NOW
        self._begun = time.monotonic()

    async def now(self) -> datetime:
        return self._tick()

    def _tick(self) -> datetime:
        """A second further with each act, and never slower than a real clock: a run on a busy machine dates
        its requests by the time that has passed since it asked, and would believe no record stamped before.
        """
        real = NOW + timedelta(seconds=time.monotonic() - self._begun)
        self._time = max(self._time, real) + timedelta(seconds=1)
        return self._time

    async def raw_event(self, event_id: str) -> dict[str, object]:
        if event_id not in self.failed:
            raise RefusedError("The org has no such record", "Read the list again")
        error = self.failed[event_id]
        return {
            "attributes": {"type": "s_c__Change_Event__c"},
            "Id": event_id,
            "s_c__Payload__c": '{"a": 1}',
            "s_c__Message__c": f"{error.message}\x1b]52;c;aGk=\x07 vim: set modeline:\u202e",
            "s_c__Retries__c": 3,
            "OwnerId": None,
        }

    async def changed_since(self, at: datetime) -> Sequence[EventSeen]:
        return [EventSeen(row, EventStanding.FAILED, "FAILED", one, NOW) for row, one in self.failed.items()]

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        return {
            row_id: (
                EventSeen(row_id, EventStanding.FAILED, "FAILED", self.failed[row_id], None)
                if row_id in self.failed
                else EventSeen(row_id, EventStanding.DONE, "PROCESSED", None, self._time)
            )
            for row_id in ids
        }

    async def find_records(
        self, object_name: str, storeconnect_ids: Sequence[str]
    ) -> Mapping[str, tuple[RecordSeen, ...]]:
        return {key: (self.records[key],) for key in storeconnect_ids if key in self.records}

    async def sees_all(self, object_name: str) -> bool:
        return True

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        self.requests.append(tuple(error.id for error in errors))
        await self.open.wait()
        for error in errors:
            if error.id in self.repaired:
                del self.failed[error.id]
                record = RecordSeen(salesforce_id(7, "801"), error.storeconnect_id, self._tick())
                self.records[error.storeconnect_id] = record
            else:
                again = replace(self.failed[error.id], processed_at=self._tick())
                self.failed[error.id] = again
        return [Receipt(error.id, accepted=True) for error in errors]


class FakeNames:
    """An org that shows nothing of what messages name."""

    def remembered(self, *_: object, **__: object) -> tuple[()]:
        return ()

    async def recall(self, *_: object, **__: object) -> tuple[()]:
        return ()

    async def resolve(self, *_: object, **__: object) -> tuple[()]:
        return ()


class FakeDictionary:
    """Knows no names but the ones that a test gives it."""

    def __init__(self, metadata: OrgMetadata | None = None) -> None:
        self.metadata = metadata or OrgMetadata()

    async def covering(self, *_asked: object) -> OrgMetadata:
        return self.metadata


class NoFixes:
    """An org in which nothing can be fixed from here."""

    policy = FixPolicy(environment=Environment.SANDBOX)
    org_user = IDENTITY.username

    async def facts(self, _errors: object, *, named: str = "") -> FixFacts:
        return FixFacts()


class FakeConnection(FakeOrg):
    """PagedRows of errors, one at a time; each waits until `page_gate` lets it through."""

    def __init__(self, errors: Sequence[SyncError], *, page_size: int = 2000) -> None:
        super().__init__(errors)
        self.org = self
        self.profile = OrgProfile("acme-prod")
        self.snapshot = None
        self.usage: ApiUsage | None = ApiUsage(812, 100_000)
        self.page_size = page_size
        self.fixed_by: object = NoFixes()
        self.pages_asked = 0
        self.closed = False
        self.trouble: SyncErrError | None = None
        self.page_gate: asyncio.Semaphore | None = None

    @property
    def total(self) -> int | None:
        return len(self.org.failed)

    def fixes(self, *, read_only: bool = False) -> object:
        return self.fixed_by

    def name_resolver(self, _store: object = None) -> FakeNames:
        return FakeNames()

    def dictionary(self, _store: object = None) -> FakeDictionary:
        return FakeDictionary()

    async def parents(self, errors: Sequence[SyncError]) -> Mapping[str, tuple[ParentRef, ...]]:
        return {}

    async def errors(self) -> AsyncGenerator[tuple[SyncError, ...], None]:
        rows = tuple(self.org.failed.values())
        for start in range(0, len(rows), self.page_size):
            self.pages_asked += 1
            if self.page_gate is not None:
                await self.page_gate.acquire()
            if self.trouble is not None:
                raise self.trouble
            yield rows[start : start + self.page_size]
        if self.trouble is not None:
            raise self.trouble

    async def close(self) -> None:
        self.closed = True


def some_errors(count: int = 6) -> list[SyncError]:
    """Orders, contacts and accounts with three different codes."""
    objects = ("Account", "Contact", "Order")
    codes = ("DUPLICATES_DETECTED", "REQUIRED_FIELD_MISSING", "INVALID_EMAIL_ADDRESS")
    return [
        sync_error(
            number,
            object=objects[number % 3],
            code=codes[number % 3],
            salesforce_id=salesforce_id(number, "001") if number % 3 == 0 else None,
            message=f"Message number {number} of the test",
        )
        for number in range(1, count + 1)
    ]
