"""One open org: everything that the app, the commands and a re-sync ask of it goes through here.

It fulfils `resync.org.Org`, whose docstrings say what each of those calls promises.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from syncerr_tui.diagnosis.evidence import PARENT_CODE, ParentRef
from syncerr_tui.errors import BadInputError, RefusedError, SyncErrError, UnreachableError
from syncerr_tui.fixes.org import SnapshotFacts
from syncerr_tui.model import ApiUsage, EventSeen, OrgIdentity, RecordSeen, SyncError, chunks
from syncerr_tui.resync.org import MethodInfo, Receipt, RequestPreview
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, LocatorLostError, Row
from syncerr_tui.salesforce.identity import Permissions, user_name
from syncerr_tui.salesforce.metadata_lookup import MetadataLookup, MetadataStore, OrgDictionary
from syncerr_tui.salesforce.methods import ResyncMethod
from syncerr_tui.salesforce.parent_lookup import parents_in_org
from syncerr_tui.salesforce.profiles import FieldMapping, OrgProfile
from syncerr_tui.salesforce.reading import EventReader, ReadUpTo, datetime_of
from syncerr_tui.salesforce.soql import to_18
from syncerr_tui.stopwatch import Leaving

if TYPE_CHECKING:
    from syncerr_tui.salesforce.org_fixes import OrgFixes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OrgTime:
    """The latest time that the org can be shown to have reached.

    A Date header may be old (a proxy's cache), and a stamp is as old as the write it belongs to: neither is
    ever ahead of an honest org. So the one that lies furthest ahead counts, and this machine's monotonic
    clock carries it on: it does not jump when somebody sets the time.

    Args:
        clock: Seconds that only ever run forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._offset: timedelta | None = None

    def saw(self, moment: datetime | None) -> None:
        """Take note of a stamp or a Date header that has just arrived."""
        if moment is not None:
            offset = moment - _EPOCH - timedelta(seconds=self._clock())
            self._offset = offset if self._offset is None else max(self._offset, offset)

    def now(self) -> datetime | None:
        """The org's time now; None before anything told it."""
        if self._offset is None:
            return None
        return _EPOCH + self._offset + timedelta(seconds=self._clock())


class OrgSession:
    """One org, its profile, its mapping and its method of re-sync. `connect` opens one.

    Re-reading is done even when the daily reserve is reached: not knowing what was done is worse.
    """

    def __init__(
        self,
        client: ApiClient,
        identity: OrgIdentity,
        reader: EventReader,
        method: ResyncMethod,
        profile: OrgProfile,
        *,
        time: OrgTime | None = None,
    ) -> None:
        self.client = client
        """For what has no name of its own here: queries, describe, tooling."""
        self.identity = identity
        self.profile = profile
        self.snapshot: SnapshotFacts | None = None
        """What stands in place of the org; None: the org answers."""
        self.total: int | None = None
        """How many unresolved errors the org counted when the last reading began."""
        self._reader = reader
        self._method = method
        self._sync_user = to_18(profile.sync_user)
        self._time = time or OrgTime()
        self._permissions = Permissions(client, identity.username)
        self._no_writers: set[str] = set()
        """Objects that do not say who wrote their records."""
        self._users: dict[str, str] = {}

    @property
    def usage(self) -> ApiUsage | None:
        """Daily API calls, as the org's last answer told."""
        return self.client.usage

    @property
    def method(self) -> MethodInfo:
        """How re-sync is asked for here."""
        return self._method.info

    @property
    def mapping(self) -> FieldMapping:
        """What the org calls its change events."""
        return self._reader.mapping

    def fixes(self, *, read_only: bool = False) -> OrgFixes:
        """This org, as fixes see it.

        Args:
            read_only: Nothing may be changed, whatever the profile allows.
        """
        from syncerr_tui.salesforce.org_fixes import OrgFixes

        return OrgFixes(self.client, self.identity, self.profile, self.mapping, read_only=read_only)

    def name_resolver(self, store: MetadataStore | None = None) -> MetadataLookup:
        """What looks up the things that messages name. It remembers them: a refresh takes a new one."""
        return MetadataLookup(self.client, self.identity.instance_url, store)

    def dictionary(self, store: MetadataStore | None = None) -> OrgDictionary:
        """The org's own names, which messages are checked against."""
        return OrgDictionary(self.client, store)

    async def errors(self) -> AsyncGenerator[tuple[SyncError, ...], None]:
        """Unresolved sync errors, oldest first, page by page.

        A page is yielded before the next one is asked for; closing the iterator stops the reading. Where the
        org forgets its place, reading goes on from the last row.

        Raises:
            UnreachableError, NotLoggedInError, RefusedError: as everywhere.
        """
        place: ReadUpTo | None = None
        while True:
            begun_at = place
            try:
                async with aclosing(self.client.pages(self._reader.query(place))) as pages:
                    async for page in pages:
                        if begun_at is None and self._reader.mapping.status_filterable:
                            self.total = page.total
                        if page.records:
                            place = self._reader.place(page.records[-1]) or place
                        yield await self.client.in_thread(partial(self._reader.errors, page.records))
            except LocatorLostError:
                if place == begun_at:
                    raise
            else:
                return

    async def changed_since(self, at: datetime) -> tuple[EventSeen, ...]:
        """Change events, of whatever standing, that were written at or after this moment: one small query
        where little has happened. Events without a usable id are left out.

        Raises:
            UnreachableError, NotLoggedInError, RefusedError: as everywhere.
        """
        rows = await self.client.query_all(self._reader.changed_query(at))
        keyed = ((to_18(row.get("Id")), row) for row in rows)
        return tuple(self._reader.seen(key, row) for key, row in keyed if key is not None)

    async def parents(self, errors: Sequence[SyncError]) -> Mapping[str, tuple[ParentRef, ...]]:
        """What the org says about the parents that rows wait for: for `CauseGraph.relate`.

        Args:
            errors: The list of failures. Only rows that say that a parent failed are asked about.
        """
        waiting = [error for error in errors if error.code == PARENT_CODE]
        if not waiting:
            return {}
        key, failing = self._reader.mapping.record_key, {error.object for error in errors}
        return await parents_in_org(self.client, waiting, failing=failing, record_key=key)

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        """One request for up to 2,000 events."""
        rows = await self.client.collections_read(self._reader.mapping.object_name, ids, self._reader.fields)
        events = {key: self._reader.seen(key, rows[to_18(key) or key]) for key in ids}
        for one in events.values():
            self._time.saw(one.modified_at)
        return events

    async def raw_event(self, event_id: str) -> Row:
        """A change event with every field, as the org sends it: hostile text, to be made harmless by whoever
        shows it.

        Raises:
            UnreachableError, NotLoggedInError, RefusedError: as everywhere.
        """
        return await self.client.record(self._reader.mapping.object_name, event_id)

    async def read_error(self, event_id: str) -> SyncError | None:
        """One error as it is now; None where there is no such event."""
        event = (await self.read_events([event_id])).get(event_id)
        return event.error if event else None

    async def find_records(
        self, object_name: str, storeconnect_ids: Sequence[str]
    ) -> Mapping[str, tuple[RecordSeen, ...]]:
        """See `resync.org.Org`. One query for up to 200 StoreConnect IDs."""
        spellings_by_key: dict[str, set[str]] = {}
        for spelling in filter(None, storeconnect_ids):
            spellings_by_key.setdefault(spelling.casefold(), set()).add(
                spelling
            )  # the org compares without case
        key = self._reader.mapping.record_key
        by_asked: dict[str, dict[str, RecordSeen]] = {}
        for row in await self._carriers(object_name, list(spellings_by_key)):
            record, modified = to_18(row.get("Id")), datetime_of(row.get("SystemModstamp"))
            spellings = spellings_by_key.get(str(row.get(key)).casefold())
            if record is None or modified is None or spellings is None:
                raise UnreachableError(
                    f"The org answered with a record of {object_name} that was not asked for",
                    "Check record_key in the org profile",
                )
            self._time.saw(modified)
            for spelling in spellings:
                record_seen = await self._record(record, spelling, modified, row)
                by_asked.setdefault(spelling, {})[record] = (
                    record_seen  # one that is answered twice is one record
                )
        return {spelling: tuple(records.values()) for spelling, records in by_asked.items()}

    async def _carriers(self, object_name: str, keys: Sequence[str]) -> list[Row]:
        key = self._reader.mapping.record_key
        fields = ("Id", soql.path(key), "SystemModstamp")
        writers = () if object_name in self._no_writers else ("CreatedById", "LastModifiedById")
        try:
            select = f"SELECT {', '.join((*fields, *writers))} FROM {soql.name(object_name)}"  # noqa: S608
        except BadInputError as error:
            raise RefusedError(error.title, error.hint) from None
        queries = [f"{select} WHERE {soql.one_of(key, some)}" for some in chunks(keys, soql.VALUES_PER_QUERY)]
        try:
            pages = await asyncio.gather(*(self.client.query_all(query, essential=True) for query in queries))
        except RefusedError as error:
            if not writers or "INVALID_FIELD" not in error.title:
                raise
            self._no_writers.add(object_name)
            return await self._carriers(object_name, keys)
        return [row for rows in pages for row in rows]

    async def _record(self, record: str, spelling: str, modified: datetime, row: Row) -> RecordSeen:
        creator, writer = to_18(row.get("CreatedById")), to_18(row.get("LastModifiedById"))
        sync = self._sync_user
        stranger = writer if sync and writer != sync else None
        return RecordSeen(
            record,
            spelling,
            modified,
            modified_by=await self._name(stranger) if stranger else writer or "",
            created_by=creator or "",
            by_sync_user=writer == sync if writer and sync else None,
            created_by_sync_user=creator == sync if creator and sync else None,
        )

    async def _name(self, user: str) -> str:
        """A user's name and id; the id alone where the org does not tell the name."""
        if user not in self._users:
            self._users[user] = user
            with suppress(SyncErrError):
                name = await user_name(self.client, user)
                self._users[user] = user if name == user else f"{name} ({user})"
        return self._users[user]

    async def sees_all(self, object_name: str) -> bool:
        """See `resync.org.Org`."""
        with suppress(RefusedError):
            return await self._permissions.sees_all(object_name)
        return False

    async def request_resync(
        self, errors: Sequence[SyncError], leaving: Leaving | None = None
    ) -> Sequence[Receipt]:
        """See `resync.org.Org`."""
        return await self._method.request(errors, leaving)

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview | None:
        """What `request_resync` would send for these rows in one request; None where nothing would be sent.

        Raises:
            RefusedError: The method cannot work here.
        """
        return await self._method.preview(errors)

    async def now(self) -> datetime:
        """The org's clock: the Date header, or later where a stamp of the org says that it is later."""
        try:
            self._time.saw(await self.client.server_time())
        except UnreachableError:
            if self._time.now() is None:
                raise
        now = self._time.now()
        assert now is not None
        return now

    async def close(self) -> None:
        """Let threads and sockets go at once."""
        await self.client.close()
