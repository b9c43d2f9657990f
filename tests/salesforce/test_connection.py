"""The connection against the demo org, over HTTP as with any org: the whole way, and every wire fault."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from syncerr_tui.demo.http import Request, Response
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import (
    NotLoggedInError,
    NotSentError,
    OutcomeUnknownError,
    RefusedError,
    SyncErrError,
    UnreachableError,
)
from syncerr_tui.model import Environment, EventStanding, EventType, SyncError
from syncerr_tui.salesforce.auth.environment import DEMO_BUTTON
from syncerr_tui.salesforce.client import ClientOptions
from syncerr_tui.salesforce.concurrency import Token, TokenProvider
from syncerr_tui.salesforce.connect import connect
from syncerr_tui.salesforce.profiles import (
    ApexMethod,
    ApexRestMethod,
    FieldMethod,
    FlowMethod,
    GuidedMethod,
    Method,
    OrgProfile,
    RecordPointer,
)
from syncerr_tui.salesforce.session import OrgSession
from syncerr_tui.salesforce.transport import HttpLimits
from tests.factories import salesforce_id
from tests.layers import layered
from tests.salesforce.scripted import Reply, ScriptedServer, Time
from tests.salesforce.test_methods import MAPPING as PLAIN

APEX = ApexMethod("SyncErrResync", "changeEventId")
WRITING: dict[str, Method] = {
    "button": DEMO_BUTTON,
    "apex": APEX,
    "flow": FlowMethod("SyncErr_Resync", "changeEventId"),
    "apexrest": ApexRestMethod("syncerr/resync"),
    "field": FieldMethod("s_c__Status__c", "NEW", accept_vendor_warning=True),
}
MAPPING = replace(
    PLAIN,
    pending=("NEW", "PENDING"),
    pointer=RecordPointer.TEXT,
    code="s_c__Status_Code__c",
    event_types={kind.value: kind for kind in EventType if kind is not EventType.OTHER},
)
"""What discovery finds in an org whose vocabulary is not named: it was confirmed once, as in any profile."""
ANOTHER_ORG = "00D000000000001EAA"


@dataclass
class World:
    server: DemoServer
    connection: OrgSession
    time: Time
    connect: Callable[[], Awaitable[OrgSession]]

    async def reconnect(self) -> None:
        """What a person does about a dead session: a new connection with a new login."""
        await self.connection.close()
        self.connection = await self.connect()

    async def errors(self) -> list[SyncError]:
        return [error async for page in self.connection.errors() for error in page]

    async def counts(self) -> dict[str, dict[str, int]]:
        counted: dict[str, dict[str, int]] = await self.connection.client.apexrest("GET", "demo/counts")
        return counted

    async def advance(self, seconds: float) -> None:
        await self.connection.client.apexrest("POST", "demo/advance", {"seconds": seconds})

    async def requested(self, ids: Sequence[str]) -> list[int]:
        counts = await self.counts()
        return [counts.get(key, {}).get("requested", 0) for key in ids]


@asynccontextmanager
async def world(
    errors: int = 40, *, wire: HttpLimits | None = None, method: Method = APEX, **options: Any
) -> AsyncIterator[World]:
    time = Time()
    settings = ClientOptions(
        wire=wire or HttpLimits(connect_timeout=2, read_timeout=5),
        clock=time,
        sleep=time.sleep,
        jitter=lambda: 1.0,
    )
    with DemoServer(DemoOptions(errors=errors, manual_clock=True, **options)) as server:
        mapping = None if "naming" in options else MAPPING
        profile = OrgProfile("demo", mapping=mapping, method=method, batch_size=200, api_reserve=0.0)

        async def open_session() -> OrgSession:
            provider = TokenProvider(
                lambda: Token(server.instance_url, server.sessions.open()), next_step="Start the demo again"
            )
            return await connect(profile, provider, settings)

        demo = World(server, await open_session(), time, open_session)
        try:
            yield demo
        finally:
            await demo.connection.close()
            assert server.crashes == []


# -- the whole way -----------------------------------------------------------------------------------------


async def test_who_and_where_we_are() -> None:
    async with world() as demo:
        identity = demo.connection.identity
        assert identity.environment is Environment.DEMO
        assert len(identity.org_id) == 18
        assert "@" in identity.username
        assert identity.instance_url == demo.server.instance_url
        assert demo.connection.usage is not None


async def test_the_list_comes_whole_once_and_oldest_first() -> None:
    async with world(140, page_size=50) as demo:
        pages = [page async for page in demo.connection.errors()]
        assert [len(page) for page in pages] == [50, 50, 40]
        assert demo.connection.total == 140
        rows = [error for page in pages for error in page]
        assert len({row.id for row in rows}) == 140
        keys = [(row.created_at, row.id) for row in rows]
        assert keys == sorted(keys)


async def test_the_first_page_is_there_before_the_second_is_asked_for() -> None:
    async with world(60, page_size=20) as demo:
        before = demo.server.calls
        async for _ in demo.connection.errors():
            assert demo.server.calls == before + 1
            break


async def test_an_empty_org() -> None:
    async with world(0) as demo:
        assert await demo.errors() == []
        assert demo.connection.total == 0


async def test_one_error_from_fix_to_proof() -> None:
    async with world() as demo:
        connection = demo.connection
        row = next(row for row in await demo.errors() if row.event_type is EventType.CREATE)
        assert await connection.find_records(row.object, [row.storeconnect_id]) == {}
        sent_at = await connection.now()
        assert demo.server.org.colleague.repair(row.id)
        receipts = await connection.request_resync([row])
        assert [(one.id, one.accepted) for one in receipts] == [(row.id, True)]
        assert (await connection.read_events([row.id]))[row.id].standing is EventStanding.PENDING
        await demo.advance(60)
        seen = (await connection.read_events([row.id]))[row.id]
        assert seen.standing in {EventStanding.DONE, EventStanding.GONE}
        records = (await connection.find_records(row.object, [row.storeconnect_id]))[row.storeconnect_id]
        assert len(records) == 1
        assert records[0].modified_at >= sent_at
        assert await demo.requested([row.id]) == [1]


async def test_an_event_that_nobody_has_is_gone_and_the_others_are_matched_by_id() -> None:
    async with world() as demo:
        rows = await demo.errors()
        strange = salesforce_id(999_999)
        seen = await demo.connection.read_events([rows[2].id, strange, rows[0].id])
        assert list(seen) == [rows[2].id, strange, rows[0].id]
        assert seen[strange].standing is EventStanding.GONE
        for row in (rows[0], rows[2]):
            assert seen[row.id].error == row
            assert seen[row.id].standing is EventStanding.FAILED


@pytest.mark.parametrize("method", WRITING)
async def test_each_method_asks_for_exactly_its_rows_once(method: str) -> None:
    async with world(method=WRITING[method]) as demo:
        rows = await demo.errors()
        chosen = rows[3:13]
        receipts = await demo.connection.request_resync(chosen)
        assert [receipt.id for receipt in receipts] == [row.id for row in chosen]
        assert all(receipt.accepted for receipt in receipts)
        counts = await demo.counts()
        asked = {key for key, count in counts.items() if count["requested"]}
        assert asked == {row.id for row in chosen}
        assert await demo.requested([row.id for row in chosen]) == [1] * 10


async def test_guided_sends_nothing() -> None:
    async with world(method=GuidedMethod()) as demo:
        rows = await demo.errors()
        before = demo.server.calls
        await demo.connection.request_resync(rows[:5])
        assert demo.server.calls == before
        assert not any(await demo.requested([row.id for row in rows]))


async def test_200_rows_in_a_request_and_1000_rows_read_again_in_one() -> None:
    async with world(1000, method=WRITING["field"]) as demo:
        rows = await demo.errors()
        before = demo.server.calls
        for start in range(0, 1000, 200):
            await demo.connection.request_resync(rows[start : start + 200])
        assert demo.server.calls - before == 5
        seen = await demo.connection.read_events([row.id for row in rows])
        assert demo.server.calls - before == 6
        assert {one.standing for one in seen.values()} == {EventStanding.PENDING}


async def test_parents_are_read_from_the_org() -> None:
    async with world(140) as demo:
        rows = await demo.errors()
        parents = await demo.connection.parents([replace(row, code="INVALID_FIELD") for row in rows])
        assert parents
        by_id = {row.id: row for row in rows}
        for key, refs in parents.items():
            assert by_id[key].salesforce_id
            for ref in refs:
                records = await demo.connection.find_records(ref.object, [ref.storeconnect_id])
                assert ref.storeconnect_id in records


async def test_parents_are_asked_for_only_where_a_row_waits_for_one() -> None:
    async with world(140) as demo:
        rows = await demo.errors()
        before = demo.server.calls
        assert not any(row.code == "INVALID_FIELD" and row.salesforce_id for row in rows)
        assert await demo.connection.parents(rows) == {}
        assert demo.server.calls == before
        waiting = [replace(row, code="INVALID_FIELD") for row in rows]
        parents = await demo.connection.parents(waiting)
        assert parents
        assert set(parents) <= {row.id for row in waiting if row.salesforce_id}


async def test_another_org_behind_the_same_name_is_refused() -> None:
    with DemoServer(DemoOptions(errors=1, manual_clock=True)) as server:
        token = Token(server.instance_url, server.access_token)
        profile = OrgProfile("acme-prod", org_id=ANOTHER_ORG)
        with pytest.raises(RefusedError, match="made for 00D000000000001EAA"):
            await connect(profile, TokenProvider(lambda: token, next_step="x"))


async def test_a_renamed_field_is_noticed_at_connect() -> None:
    async with world(1) as demo:
        mapping = demo.connection._reader.mapping
    with DemoServer(DemoOptions(errors=1, manual_clock=True, naming="upgraded")) as server:
        token = Token(server.instance_url, server.access_token)
        profile = OrgProfile("acme-prod", mapping=mapping)
        with pytest.raises(RefusedError) as caught:
            await connect(profile, TokenProvider(lambda: token, next_step="x"))
        assert "package upgrade" in caught.value.title
        assert mapping.message in caught.value.title
        assert "setup" in caught.value.hint


async def test_what_is_found_in_an_org_reads_it_as_what_its_profile_keeps() -> None:
    async with world(60) as demo:
        kept = await demo.errors()
    async with world(60, naming="assumed") as demo:
        assert demo.connection.mapping == MAPPING
        assert await demo.errors() == kept


@pytest.mark.parametrize("naming", ["other", "german", "text-status", "lookup", "no-code", "upgraded"])
async def test_orgs_that_call_things_differently_read_alike(naming: str) -> None:
    async with world(60) as demo:
        plain = await demo.errors()
    async with world(60, naming=naming) as demo:
        rows = await demo.errors()
        assert [(row.object, row.event_type, row.storeconnect_id) for row in rows] == [
            (row.object, row.event_type, row.storeconnect_id) for row in plain
        ]
        assert [row.salesforce_id for row in rows] == [row.salesforce_id for row in plain]


# -- faults while reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        "latency:0.01",
        "drop-before:query:1",
        "drop-after:query:1",
        "drop-after:query:every=2",
        "expire-once",
        "forbid-concurrent:0:query:1",
        "maintenance:query:2",
        "server-error:query:1",
        "html-200:query:1",
        "truncated-json:query:1",
        "duplicate-reply:query",
        "expired-locator:1",
    ],
)
async def test_a_passing_fault_costs_no_row_and_doubles_none(fault: str) -> None:
    async with world(60, page_size=20) as demo:
        plain = await demo.errors()
        switched = demo.server.faults.add(fault)
        assert await demo.errors() == plain
        assert switched.fired > 0


LASTING: list[tuple[str, type[SyncErrError], str]] = [
    ("drop-before:query", UnreachableError, "did not answer in time, or the line dropped"),
    ("drop-after:query", UnreachableError, "did not answer in time, or the line dropped"),
    ("lost-reply:query", UnreachableError, "did not answer in time, or the line dropped"),
    ("expire-forever", NotLoggedInError, "session has expired"),
    ("forbid-limit:query", RefusedError, "API calls for today are used up"),
    ("forbid-concurrent:query", UnreachableError, "too many requests at once"),
    ("forbid-permission:query", RefusedError, "does not allow this"),
    ("maintenance:query", UnreachableError, "not available right now (HTTP 503)"),
    ("server-error:query", UnreachableError, "failed while it worked"),
    ("html-200:query", UnreachableError, "something that is not Salesforce's"),
    ("slow-drip:0.02:query", UnreachableError, "did not answer in time"),
    ("truncated-json:query", UnreachableError, "something that is not Salesforce's"),
    ("repeated-locator", UnreachableError, "same page"),
]


@pytest.mark.parametrize(("fault", "kind", "words"), LASTING)
async def test_a_lasting_fault_is_one_plain_line(fault: str, kind: type[SyncErrError], words: str) -> None:
    wire = HttpLimits(connect_timeout=2, read_timeout=0.3, answer_timeout=0.3)
    async with world(60, page_size=20, wire=wire) as demo:
        demo.server.faults.add(fault)
        with pytest.raises(kind) as caught:
            await demo.errors()
        assert words in caught.value.title
        assert caught.value.hint
        assert demo.server.access_token not in caught.value.line
        demo.server.faults.clear()
        if kind is NotLoggedInError:
            await demo.reconnect()
        assert len(await demo.errors()) == 60


async def test_a_redirect_to_another_host_is_not_followed() -> None:
    with ScriptedServer(lambda _: Reply({})) as thief:
        async with world() as demo:
            demo.server.faults.add(f"redirect:{thief.url}:query")
            with pytest.raises(RefusedError, match="another address"):
                await demo.errors()
        assert thief.asked == []


async def test_what_arrived_before_the_line_broke_stays() -> None:
    async with world(60, page_size=20) as demo:
        seen = 0
        with pytest.raises(UnreachableError):
            async for page in demo.connection.errors():
                seen += len(page)
                demo.server.faults.add("drop-before:query")
        assert seen == 20


async def test_eight_readers_of_an_expired_session_log_in_once() -> None:
    async with world(20) as demo:
        demo.server.faults.add("expire-once:query")
        rows = await asyncio.gather(*(demo.errors() for _ in range(8)))
        assert {len(some) for some in rows} == {20}


async def test_the_clock_of_the_org_is_the_orgs() -> None:
    async with world(1) as demo:
        before = await demo.connection.now()
        demo.server.faults.add("clock-skew:300")
        assert 299 < (await demo.connection.now() - before).total_seconds() < 310


# -- faults while writing ------------------------------------------------------------------------------------

ONCE_OR_NOT_AT_ALL = [
    # fault, processed by the org?, what is raised
    ("drop-before:write", False, OutcomeUnknownError),
    ("drop-after:write", True, OutcomeUnknownError),
    ("lost-reply:write", True, OutcomeUnknownError),
    ("truncated-json:write", True, OutcomeUnknownError),
    ("html-200:write", False, OutcomeUnknownError),
    ("maintenance:write", False, OutcomeUnknownError),
    ("server-error:write", False, OutcomeUnknownError),
    ("redirect:http://127.0.0.1:1:write", False, OutcomeUnknownError),
    ("forbid-limit:write", False, RefusedError),
    ("forbid-permission:write", False, RefusedError),
    ("forbid-concurrent:write", False, SyncErrError),
    ("expire-forever:write", False, NotLoggedInError),
]

OF_THE_BUTTON: dict[str, type[SyncErrError]] = {
    # What /lwr/apex refuses unread goes on to Lightning, and the answer there decides.
    "forbid-permission:write": OutcomeUnknownError,
    "redirect:http://127.0.0.1:1:write": RefusedError,
}


METHODS_ON_A_BAD_WIRE = [
    (method, *case)
    for number, case in enumerate(ONCE_OR_NOT_AT_ALL)
    for place, method in enumerate(WRITING, number)
    # A usual run sends two methods into each fault, and the button into those that it takes its own way.
    if layered("methods sent into each fault of the wire", 2, 5) > place % 5
    or (method == "button" and case[0] in OF_THE_BUTTON)
]


@pytest.mark.parametrize(("method", "fault", "processed", "kind"), METHODS_ON_A_BAD_WIRE)
async def test_nothing_is_sent_twice_whatever_the_wire_does(
    method: str, fault: str, processed: bool, kind: type[SyncErrError]
) -> None:
    wire = HttpLimits(connect_timeout=2, read_timeout=0.3, answer_timeout=5)
    async with world(6, wire=wire, method=WRITING[method]) as demo:
        rows = (await demo.errors())[:3]
        await demo.connection._method.check()
        demo.server.faults.add(fault)
        if method == "apexrest" and kind is RefusedError:
            kind = (
                OutcomeUnknownError  # the org's own code answers there: it may have acted before it refused
            )
        if method == "button":
            kind = OF_THE_BUTTON.get(fault, kind)
        if kind is NotLoggedInError:  # handed back with a new token, so that the rows are looked at again
            with pytest.raises(NotSentError):
                await demo.connection.request_resync(rows)
        with pytest.raises(kind) as caught:
            await demo.connection.request_resync(rows)
        assert caught.value.hint
        demo.server.faults.clear()
        if kind is NotLoggedInError:
            await demo.reconnect()
        assert await demo.requested([row.id for row in rows]) == [int(processed)] * 3
        # The truth is in the org: what is unknown is settled by reading, not by sending.
        seen = await demo.connection.read_events([row.id for row in rows])
        standing = EventStanding.PENDING if processed else EventStanding.FAILED
        assert {one.standing for one in seen.values()} == {standing}


@pytest.mark.parametrize("method", WRITING)
async def test_a_preview_is_the_very_request_that_is_sent(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(6, method=WRITING[method]) as demo:
        rows = (await demo.errors())[:3]
        preview = await demo.connection.preview(rows)
        assert preview is not None
        assert await demo.requested([row.id for row in rows]) == [0, 0, 0]
        written: list[tuple[str, str, object]] = []
        answer = demo.server.response_of_org

        def seen(request: Request) -> Response:
            if request.method != "GET" and request.body.startswith(b"{"):
                written.append((request.method, request.path, json.loads(request.body)))
            return answer(request)

        monkeypatch.setattr(demo.server, "response_of_org", seen)
        await demo.connection.request_resync(rows)
        assert (preview.verb, preview.path, preview.body) in written
        assert demo.server.access_token not in json.dumps([preview.path, preview.body])


@pytest.mark.parametrize("method", WRITING)
@pytest.mark.parametrize("fault", ["latency:0.01:write", "expire-once:write"])
async def test_a_write_gets_through_where_it_is_certain_to_be_the_first(method: str, fault: str) -> None:
    async with world(6, method=WRITING[method]) as demo:
        rows = (await demo.errors())[:3]
        await demo.connection._method.check()
        switched = demo.server.faults.add(fault)
        if fault.startswith("expire"):
            with pytest.raises(NotSentError):
                await demo.connection.request_resync(rows)
        receipts = await demo.connection.request_resync(rows)
        assert switched.fired
        assert all(receipt.accepted for receipt in receipts)
        assert await demo.requested([row.id for row in rows]) == [1, 1, 1]


@pytest.mark.parametrize("method", ["apex", "flow", "field"])
@pytest.mark.parametrize("fault", ["lock-errors:2", "partial-actions:2"])
async def test_rows_that_were_refused_are_told_from_those_that_were_done(method: str, fault: str) -> None:
    if (method, fault) == ("field", "partial-actions:2"):
        pytest.skip("a field is written without an action")
    async with world(12, method=WRITING[method]) as demo:
        rows = (await demo.errors())[:8]
        await demo.connection._method.check()
        demo.server.faults.add(fault)
        receipts = await demo.connection.request_resync(rows)
        accepted = [receipt.accepted for receipt in receipts]
        assert accepted == [True, False] * 4
        assert await demo.requested([row.id for row in rows]) == [int(one) for one in accepted]
        refused = [receipt for receipt in receipts if not receipt.accepted]
        assert all(receipt.code and receipt.reason for receipt in refused)
        if fault.startswith("lock"):
            assert {receipt.code for receipt in refused} == {"UNABLE_TO_LOCK_ROW"}


# -- size ---------------------------------------------------------------------------------------------------


async def test_a_long_list_streams() -> None:
    many = layered("errors read in pages", 1_500, 100_000)
    async with world(many, page_size=2000 if many > 1_500 else 500) as demo:
        ids: set[str] = set()
        async for page in demo.connection.errors():
            ids.update(error.id for error in page)
        assert len(ids) == many == demo.connection.total
