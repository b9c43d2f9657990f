"""The org as the runner sees it: `resync.org.Org` over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from syncerr_tui.errors import BadInputError, RefusedError, UnreachableError
from syncerr_tui.model import OrgIdentity, SyncError
from syncerr_tui.resync.org import EventSeen, MethodInfo, Receipt, RecordSeen
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import OrgClient
from syncerr_tui.salesforce.ids import to_18
from syncerr_tui.salesforce.methods import ResyncMethod
from syncerr_tui.salesforce.reading import EventReader, moment


class SalesforceOrg:
    """One org, its mapping and its method of re-sync.

    Re-reading is done even when the daily reserve is reached: not knowing what was done is worse.
    """

    def __init__(
        self, client: OrgClient, identity: OrgIdentity, reader: EventReader, method: ResyncMethod
    ) -> None:
        self._client = client
        self._reader = reader
        self._method = method
        self.identity = identity

    @property
    def method(self) -> MethodInfo:
        """How re-sync is asked for here."""
        return self._method.info

    async def read_events(self, ids: Sequence[str]) -> Mapping[str, EventSeen]:
        """See `resync.org.Org`. One request for up to 2,000 events."""
        rows = await self._client.collections_read(
            self._reader.mapping.object_name, ids, self._reader.fields, essential=True
        )
        return {key: self._reader.seen(key, rows[to_18(key) or key]) for key in ids}

    async def find_records(
        self, object_name: str, storeconnect_ids: Sequence[str]
    ) -> Mapping[str, tuple[RecordSeen, ...]]:
        """See `resync.org.Org`. One query for up to 200 StoreConnect IDs."""
        key = self._reader.mapping.record_key
        wanted: dict[str, set[str]] = {}
        for asked in filter(None, storeconnect_ids):
            wanted.setdefault(asked.casefold(), set()).add(asked)  # the org compares without case
        try:
            select = f"SELECT Id, {soql.path(key)}, SystemModstamp FROM {soql.name(object_name)}"  # noqa: S608
        except BadInputError as error:
            raise RefusedError(error.title, error.hint) from None
        queries = [
            f"{select} WHERE {soql.one_of(key, some)}"
            for some in soql.chunks(list(wanted), soql.VALUES_PER_QUERY)
        ]
        found: dict[str, list[RecordSeen]] = {}
        for rows in await asyncio.gather(
            *(self._client.query_all(query, essential=True) for query in queries)
        ):
            for row in rows:
                record, modified = to_18(row.get("Id")), moment(row.get("SystemModstamp"))
                spellings = wanted.get(str(row.get(key)).casefold())
                if record is None or modified is None or spellings is None:
                    raise UnreachableError(
                        f"The org answered with a record of {object_name} that was not asked for",
                        "Check record_key in the org profile",
                    )
                for asked in spellings:
                    found.setdefault(asked, []).append(RecordSeen(record, asked, modified))
        return {asked: tuple(records) for asked, records in found.items()}

    async def request_resync(self, errors: Sequence[SyncError]) -> Sequence[Receipt]:
        """See `resync.org.Org`."""
        return await self._method.request(errors)

    async def now(self) -> datetime:
        """See `resync.org.Org`."""
        return await self._client.server_time()
